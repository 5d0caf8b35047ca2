"""What neighbours say about a target in the data themselves: a linear probe, with no network that could misuse them.

Ridge regression predicts where the target will be after twelve steps, from its own past, from its neighbours, or from
both. The difference between the first and the last is what interaction is worth to a linear predictor *given the past*;
what neighbours achieve alone is what they give away about a target whose past is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reprise.numerals import number, percent
from reprise.stats import Interval
from reprise.walk_alone.problems import Problem
from reprise.walk_alone.resampling import interval_of, samples
from reprise.walk_alone.windows import PAST, Windows

MOST_SLOTS = 10
PENALTIES = tuple(10.0 ** np.arange(-3, 6))
Inputs = NDArray[np.float64]


@dataclass(frozen=True)
class Probe:
    """What a linear probe found in one data set; intervals resample clusters of test windows.

    Attributes
    ----------
    own_past, with_neighbours
        Mean final displacement error of a single prediction, in the unit of the data.
    change
        The second over the first, minus 1; negative where neighbours help.
    alone
        Share of the variance of the target's displacement that neighbours explain without its past (R²).
    """

    own_past: float
    with_neighbours: float
    change: Interval
    alone: Interval


def probe(problem: Problem) -> Probe:
    """Fit the probes on the training windows of a problem, and test them on its test windows."""
    slots = min(MOST_SLOTS, problem.train.present.shape[1], problem.test.present.shape[1])
    moved = (problem.test.future[:, -1] - problem.test.past[:, -1]).astype(np.float64)
    errors = {}
    for name, past, neighbours in (("own past", True, False), ("both", True, True), ("neighbours", False, True)):
        errors[name] = moved - _fitted(problem, past, neighbours, slots)
    per_window = {
        "own past": np.linalg.norm(errors["own past"], axis=-1),
        "both": np.linalg.norm(errors["both"], axis=-1),
        "missed": np.square(errors["neighbours"]).sum(-1),
        "variance": np.square(moved - moved.mean(0)).sum(-1),
    }
    found = _samples(problem, per_window)
    return Probe(
        own_past=float(found["own past"][0]),
        with_neighbours=float(found["both"][0]),
        change=interval_of(found["both"] / found["own past"] - 1, 1),
        alone=interval_of(1 - found["missed"] / found["variance"], 1),
    )


def _fitted(problem: Problem, past: bool, neighbours: bool, slots: int) -> Inputs:
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train = problem.train
    model = make_pipeline(StandardScaler(), RidgeCV(PENALTIES))
    model.fit(inputs_of(train, past, neighbours, slots), train.future[:, -1] - train.past[:, -1])
    return np.asarray(model.predict(inputs_of(problem.test, past, neighbours, slots)), dtype=np.float64)


def inputs_of(windows: Windows, past: bool, neighbours: bool, slots: int) -> Inputs:
    """Return what a probe sees, ``(n, features)``: positions relative to the target's last one, 0 in empty slots."""
    n = len(windows)
    last = windows.past[:, -1].astype(np.float64)
    parts: list[NDArray[Any]] = []
    if past:
        parts.append((windows.past[:, :-1] - last[:, None]).reshape(n, -1))
    if neighbours:
        present = windows.present[:, :slots]
        relative = windows.neighbours[:, :slots] - last[:, None, None]
        parts += [np.where(present[..., None, None], relative, 0).reshape(n, slots * PAST * 2), present]
    return np.concatenate(parts, axis=1).astype(np.float64)


def _samples(problem: Problem, per_window: dict[str, Inputs]) -> dict[str, Inputs]:
    what = {"dataset": problem.name, "method": "linear probe", "experiment": "probe"}
    clusters = problem.test.cluster
    rows = pd.concat(
        [
            pd.DataFrame({**what, "seed": 0, "metric": metric, "cluster": clusters, "value": values})
            for metric, values in per_window.items()
        ]
    )
    return samples(rows, tuple(per_window), **what)


def probe_table(problems: Sequence[Problem], probes: Sequence[Probe]) -> pd.DataFrame:
    """Return the probes as a table, one line a data set."""
    lines = []
    for problem, found in zip(problems, probes, strict=True):
        unit = problem.test.unit
        lines.append(
            {
                "data": problem.name,
                "tested": problem.split,
                "FDE from the own past": f"{number(found.own_past, 3)} {unit}",
                "FDE with neighbours": f"{number(found.with_neighbours, 3)} {unit}",
                "change": percent(found.change),
                "variance explained by neighbours alone": percent(found.alone, signed=False),
            }
        )
    return pd.DataFrame(lines)
