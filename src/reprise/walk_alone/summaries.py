"""Tables of the study, made from tidy rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reprise.numerals import number
from reprise.rows import MissingRowsError, select
from reprise.walk_alone.figures import NETWORKS, cases, share_intervals
from reprise.walk_alone.resampling import interval_of, number_of_seeds, samples

AUDITS = ("estimator", "stranger masked", "leak", "fresh noise")


def audit_table(rows: pd.DataFrame, audit: str) -> pd.DataFrame:
    """Return what an audit found: as released, corrected, difference."""
    found = select(rows, experiment=audit)
    wide = found.pivot_table(index=["dataset", "method", "metric"], columns="variant", values="value")
    wide = wide.reset_index()[["dataset", "method", "metric", "as released", "corrected"]]
    wide["difference"] = wide["as released"] - wide["corrected"]
    return _rounded(wide)


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
    return _rounded(wide[order].rename(columns=named))


def score_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the interaction score against its two nulls: one stranger, as in the paper, and as many as neighbours."""
    datasets = list(dict.fromkeys(rows["dataset"]))
    lines = []
    for dataset, method in cases(rows, datasets):
        found = share_intervals(rows, dataset, method)
        lines.append(
            {
                "dataset": dataset,
                "method": method,
                "as released (− one stranger)": found["interaction"].estimate - found["random"].estimate,
                "corrected (− top stranger)": found["interaction"].estimate - found["random max"].estimate,
                "difference": found["random max"].estimate - found["random"].estimate,
            }
        )
    return _rounded(pd.DataFrame(lines))


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
    return _rounded(frame)


def accuracy_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the errors of all predictors with all neighbours."""
    found = select(rows, experiment="accuracy", neighbours="with")
    wide = found.pivot_table(index=["dataset", "split", "method"], columns="metric", values="value")
    return _rounded(wide.reset_index())


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    def text(value: object) -> object:
        return ("—" if np.isnan(value) else number(value, 3)) if isinstance(value, float) else value

    return frame.map(text)
