"""Tables of the study, made from tidy rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reprise.numerals import number, percent
from reprise.rows import MissingRowsError, select
from reprise.walk_alone.figures import CUT, NETWORKS, TITLES, cases, excess_over_past, share_intervals
from reprise.walk_alone.problems import Problem
from reprise.walk_alone.resampling import interval_of, number_of_seeds, samples
from reprise.walk_alone.settings import Settings

_LOSSES = {"nll": "−NLL", "min_ade": "−minADE"}
METRICS = {"ade": "ADE", "fde": "FDE", "min_ade": "minADE", "min_fde": "minFDE", "nll": "NLL"}
AUDITS = ("estimator", "stranger masked", "leak", "fresh noise")


def audit_table(rows: pd.DataFrame, audit: str) -> pd.DataFrame:
    """Return what an audit found: as released, corrected, difference; of the estimator also exact Banzhaf values."""
    found = select(rows, experiment=audit)
    wide = found.pivot_table(index=["dataset", "method", "metric"], columns="variant", values="value")
    between = [name for name in ("exact Banzhaf",) if name in wide]
    wide = wide.reset_index()[["dataset", "method", "metric", "as released", *between, "corrected"]]
    wide["difference"] = wide["as released"] - wide["corrected"]
    return _readable(wide)


def phantom_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return errors with neighbours, with all cut, and with the released code's phantom in their place."""
    found = select(rows, experiment="accuracy", neighbours=["with", "without", "phantom"], method=list(NETWORKS))
    wide = found.pivot_table(index=["dataset", "method", "metric"], columns="neighbours", values="value").reset_index()
    if "phantom" not in wide:
        raise MissingRowsError("no phantom neighbours in this run")
    wide = wide.dropna(subset=["phantom"])
    wide["difference"] = wide["phantom"] - wide["without"]
    named = {"phantom": "as released (phantom)", "without": "corrected (cut)"}
    order = ["dataset", "method", "metric", "with", "phantom", "without", "difference"]
    return _readable(wide[order].rename(columns=named))


def score_table(rows: pd.DataFrame, problems: Sequence[Problem]) -> pd.DataFrame:
    """Return the interaction score against its two nulls: one stranger, as in the paper, and as many as neighbours.

    The worlds stand beside the real data, and the network trained with neighbours cut beside the others. In the last
    column strangers count as in a game without the additional player (`equal_games`).
    """
    counts = {(p.name, p.split): p.test.counts for p in problems}
    equal = equal_games(rows, counts)
    lines = []
    for dataset, method in cases(rows, list(dict.fromkeys(rows["dataset"])), (*NETWORKS, CUT)):
        found = share_intervals(rows, dataset, method)
        real, one, top = (found[name].estimate for name in ("interaction", "random", "random max"))
        lines.append(
            {
                "dataset": dataset,
                "method": method,
                "as released (− one stranger)": real - one,
                "corrected (− top stranger)": real - top,
                "difference": top - one,
                "corrected over past": _written_excess(rows, dataset, method),
                "the same, equal games": _written_excess(equal, dataset, method),
            }
        )
    return _readable(pd.DataFrame(lines))


def equal_games(rows: pd.DataFrame, counts: Mapping[tuple[str, str], NDArray[np.int64]]) -> pd.DataFrame:
    """Return the rows with the top stranger's share as in a game of equal size, on one assumption.

    A share in a game of M + 1 players averages a stranger's marginals over coalitions of 0 to M others, one in a game
    of M players over 0 to M − 1. If a stranger that joins all M changes nothing, the second is (M + 1) / M times the
    first.

    Parameters
    ----------
    rows
        Tidy rows of the study.
    counts
        Data set and split to the number of neighbours of each test window.
    """
    scaled = rows.copy()
    for (dataset, split), neighbours in counts.items():
        chosen = (
            (rows["dataset"] == dataset)
            & (rows["split"] == split)
            & (rows["experiment"] == "attribution")
            & (rows["metric"] == "random max")
        ).to_numpy()
        players = 1 + neighbours[rows.loc[chosen, "target"].to_numpy(dtype=np.int64)]
        scaled.loc[chosen, "value"] *= (players + 1) / players
    return scaled


def _written_excess(rows: pd.DataFrame, dataset: str, method: str) -> str:
    found = interval_of(excess_over_past(rows, dataset, method), number_of_seeds(rows, dataset))
    return percent(found, decimals=1)


def losses_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the shares by mean NLL, median NLL and mean minADE.

    A few targets whose likelihood collapses without their past can carry a mean; a median and a displacement cannot be
    carried so.
    """
    found = select(rows, experiment="attribution", metric=["past", "interaction", "random max"])
    lines = []
    for (dataset, method, loss), part in found.groupby(["dataset", "method", "loss"], sort=False):
        of = part.pivot_table(index=["seed", "target"], columns="metric", values="value")
        for name in ("mean", "median") if loss == "nll" else ("mean",):
            share = of.agg(name)
            excess = (of["interaction"] - of["random max"]).agg(name)
            what = {"dataset": dataset, "method": method, "share of": f"{_LOSSES[str(loss)]}, {name}"}
            of_what = {metric: float(share[metric]) for metric in ("past", "interaction", "random max")}
            ratio = 100 * float(excess / share["past"])
            lines.append({**what, "targets": len(of), **of_what, "real − random max, % of past": ratio})
    return _readable(pd.DataFrame(lines))


def scale_table(settings: Settings) -> pd.DataFrame:
    """Return the parameters for which the descriptions name the paper's value, beside that of a run."""
    lines = []
    for name, field in type(settings).model_fields.items():
        what, named, paper = (field.description or "").partition("; the paper: ")
        if named and name not in ("datasets", "seeds", "modes"):
            value = getattr(settings, name)
            shown = ", ".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}"
            lines.append({"parameter": name, "what": what, "this run": shown, "the paper": paper})
    return pd.DataFrame(lines)


def truth_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how well attribution finds the truth of the simulated worlds.

    In `follow` the leader should be first, above the others; in `alone` real neighbours should equal strangers.
    """
    wanted = [
        (world, metric)
        for world in ("follow", "alone", "repel")
        for metric in ("leader is first", "leader over others", "real over random")
    ]
    lines = []
    for world, metric in wanted:
        for method in NETWORKS[:2]:
            how = {"dataset": world, "method": method, "experiment": "attribution", "loss": "nll"}
            try:
                found = samples(rows, (metric, "past"), **how)
            except MissingRowsError:
                continue
            interval = interval_of(found[metric], number_of_seeds(rows, world))
            line = {"world": world, "network": method, "measure": metric, "mean": interval.estimate}
            share = interval.estimate / found["past"][0]
            lines.append({**line, "low": interval.low, "high": interval.high, "share of past": share})
    if not lines:
        raise MissingRowsError("no simulated world in this run")
    frame = pd.DataFrame(lines)
    frame.loc[frame["measure"] == "leader is first", "share of past"] = np.nan
    return _readable(frame)


def accuracy_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the errors of all predictors with all neighbours."""
    found = select(rows, experiment="accuracy", neighbours="with")
    wide = found.pivot_table(index=["dataset", "split", "method"], columns="metric", values="value")
    return _readable(wide.reset_index())


def _readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table as readers see it: rounded, with metrics and data sets named as in the text."""

    def text(value: object) -> object:
        if isinstance(value, float):
            return "—" if np.isnan(value) else number(value, 3)
        return METRICS.get(value, TITLES.get(value, value)) if isinstance(value, str) else value

    if "dataset" in frame:  # real data first
        places = {name: place for place, name in enumerate(TITLES)}
        frame = frame.sort_values("dataset", key=lambda names: names.map(places), kind="stable", ignore_index=True)
    return frame.map(text).rename(columns={**METRICS, "dataset": "data set"})
