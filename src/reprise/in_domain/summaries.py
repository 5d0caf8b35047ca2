"""Tables of the study: each takes tidy rows, or the printed numbers, and returns a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from reprise.in_domain import rates
from reprise.in_domain.grid import GRIDS
from reprise.in_domain.lookups import (
    MEAN_SCORE,
    OVER_SEEDS,
    TITLES,
    Score,
    clamp_score,
    conditions,
    converged_seeds,
    methods_of,
    require,
    score,
)
from reprise.in_domain.models import APPROACHES, Approach
from reprise.in_domain.settings import ALL_ORIENTATIONS, MAIN_DATA_SET, Kind
from reprise.in_domain.splits import make_split
from reprise.numerals import MISSING, number, with_interval
from reprise.plots import measured
from reprise.rows import MissingRowsError, per_seed
from reprise.stats import Interval, t_interval

SHOWN: tuple[Kind, ...] = ("random", "extrapolation", "interpolation", "composition")  # in this order
# Where the composition split is run: the paper's rule asks for something else on each.
COMPOSED_SETS = {
    MAIN_DATA_SET: "sprites, 10 orientations",
    ALL_ORIENTATIONS: "sprites, all 40 orientations",
    "rooms": TITLES["rooms"],
}


def score_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return R² by data set, model and split with intervals.

    On the sprites all approaches are listed, those that were not run with the reason. Splits that nothing was trained
    on have no column.
    """
    require(tuple(data_sets))
    lines = []
    for dataset in data_sets:
        present = methods_of(rows, dataset)
        for name, approach in APPROACHES.items():
            if name not in present and not (approach.in_benchmark and dataset == MAIN_DATA_SET):
                continue
            scores = {kind: score(rows, dataset, name, kind) for kind in SHOWN}
            line: dict[str, Any] = {"data set": dataset, "model": name}
            line |= {kind: MISSING if found is None else _written(found) for kind, found in scores.items()}
            line["seeds"] = next((str(found.interval.n) for found in scores.values() if found), MISSING)
            lines.append(line | {"remark": _remark(rows, dataset, name) if name in present else _why_not_run(approach)})
    table = pd.DataFrame(lines)
    empty = [kind for kind in SHOWN if (table[kind] == MISSING).all()]
    return table.drop(columns=[*empty, *(["data set"] if len(data_sets) == 1 else [])])


def _remark(rows: pd.DataFrame, dataset: str, name: str) -> str:
    sound, n = converged_seeds(rows, dataset, name)
    if sound == n:
        return ""
    return f"{n - sound} of {n} not converged" if sound else "not converged"


def _written(found: Score) -> str:
    """Write a score with its interval; one over factor values, which need not lie evenly, with both ends."""
    interval = found.interval
    if found.over == OVER_SEEDS:
        return with_interval(interval.estimate, interval.low, interval.high, 3)
    return f"{number(interval.estimate, 3)} [{number(interval.low, 2)}, {number(interval.high, 2)}]"


def _why_not_run(approach: Approach) -> str:
    return "not run" if approach.where == "CPU" else approach.where


def rate_table() -> pd.DataFrame:
    """Return the validation R² of every model at every rate tried, and the rate chosen."""
    found = rates.read_trials()
    table = found.pivot(index="model", columns="learning_rate", values="validation_r2")
    table.columns = [f"R² at {rate:g}" for rate in table.columns]
    chosen = rates.best_rates(found)
    steps = found.groupby("model")["steps"].first()
    order = [approach.name for approach in rates.searched_models()]
    return table.loc[order].assign(steps=steps, chosen=chosen).reset_index()


def published_table(published: pd.DataFrame) -> pd.DataFrame:
    """Return the printed scores beside the clamp oracle of their data set; no number of ours belongs there."""
    lines = []
    for row in published.itertuples(index=False):
        clamp = clamp_score(str(row.dataset), "extrapolation")
        lines.append(
            {
                "data set": TITLES[str(row.dataset)],
                "model": row.method,
                "paper, R² in extrapolation": row.value,
                "clamp oracle": round(clamp, 3),
                "paper − clamp": round(float(row.value) - clamp, 3),  # type: ignore[arg-type]
                "printed in": row.source,
            }
        )
    return pd.DataFrame(lines)


def remedy_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return R² by factor in extrapolation of the plain CNN and of the remedies; last the mean on the random split."""
    tried = [("comparison", "CNN"), *(("remedies", m) for m in methods_of(rows, MAIN_DATA_SET, "remedies"))]
    lines = [("extrapolation", factor) for factor in (*GRIDS[MAIN_DATA_SET].names, "mean")] + [("random", "mean")]
    table: dict[str, list[str]] = {"split": [kind for kind, _ in lines], "factor": [factor for _, factor in lines]}
    for experiment, method in tried:
        found = [
            t_interval(per_seed(rows, **conditions(MAIN_DATA_SET, method, kind, experiment), **_on_test(factor)))
            for kind, factor in lines
        ]
        table[f"{method} (n = {found[0].n})"] = [_interval(interval) for interval in found]
    return pd.DataFrame(table)


def _on_test(factor: str) -> dict[str, str]:
    return {**MEAN_SCORE, "factor": factor}


def realism_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return the CNN's loss and its distance from the clamp oracle in extrapolation, by data set."""
    lines = []
    for dataset in data_sets:
        random, extrapolation = (
            per_seed(rows, **conditions(dataset, "CNN", kind), subset="test", factor="mean", metric="r2")
            for kind in ("random", "extrapolation")
        )
        clamp = clamp_score(dataset, "extrapolation")
        lines.append(
            {
                "data set": TITLES[dataset],
                "R² random": _interval(t_interval(random)),
                "R² extrapolation": _interval(t_interval(extrapolation)),
                "loss": _interval(t_interval(random - extrapolation)),
                "clamp oracle": round(clamp, 3),
                "clamp − model": _interval(t_interval(clamp - extrapolation)),
                "seeds": len(random),
                "converged": converged_seeds(rows, dataset, "CNN")[0],
            }
        )
    return pd.DataFrame(lines)


def composition_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the CNN's R² by factor on the random and the composition split, by data set, with each factor's corner."""
    lines = []
    for dataset in COMPOSED_SETS:
        corners = make_split(GRIDS[dataset], "composition").corners
        for factor, size in zip(GRIDS[dataset].names, GRIDS[dataset].sizes, strict=True):
            random, composed = (
                measured(rows, **conditions(dataset, "CNN", kind), subset="test", factor=factor, metric="r2")
                for kind in ("random", "composition")
            )
            if random is None or composed is None:
                continue
            lines.append(
                {
                    "data set": COMPOSED_SETS[dataset],
                    "factor": factor,
                    "corner": f"{corners[factor]} of {size}" if factor in corners else "not cut",
                    "R² random": _interval(t_interval(random)),
                    "R² composition": _interval(t_interval(composed)),
                    "seeds": len(random),
                }
            )
    if not lines:
        raise MissingRowsError("the CNN was not trained on the composition split.")
    return pd.DataFrame(lines)


def _interval(interval: Interval) -> str:
    return with_interval(interval.estimate, interval.low, interval.high, 3)


def dci_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return DCI of the representations beside their R² in extrapolation."""
    found = rows[rows["metric"].str.startswith("dci_")]
    lines = []
    for method in [name for name in APPROACHES if name in set(found["method"])]:
        scores = found[found.method == method].groupby("metric")["value"].mean()
        line = {"model": method, **{k.removeprefix("dci_"): round(float(v), 3) for k, v in scores.items()}}
        for kind in ("random", "extrapolation"):
            where = conditions(MAIN_DATA_SET, method, kind)
            line[f"R² {kind}"] = round(
                float(per_seed(rows, **where, subset="test", factor="mean", metric="r2").mean()), 3
            )
        lines.append(line | {"seeds": found[found.method == method]["seed"].nunique()})
    if not lines:
        raise MissingRowsError("no representation was trained.")
    return pd.DataFrame(lines)
