"""Tables of the study, made from tidy rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reprise.numerals import number
from reprise.rows import MissingRowsError, select
from reprise.stats import Interval
from reprise.walk_alone.figures import CUT, NETWORKS, cases, loss_of, share_intervals
from reprise.walk_alone.resampling import interval_of, number_of_seeds, samples
from reprise.walk_alone.settings import Settings

_LOSSES = {"nll": "−NLL", "min_ade": "−minADE"}
AUDITS = ("estimator", "stranger masked", "leak", "fresh noise")


def audit_table(rows: pd.DataFrame, audit: str) -> pd.DataFrame:
    """Return what an audit found: as released, corrected, difference; of the estimator also exact Banzhaf values."""
    found = select(rows, experiment=audit)
    wide = found.pivot_table(index=["dataset", "method", "metric"], columns="variant", values="value")
    between = [name for name in ("exact Banzhaf",) if name in wide]
    wide = wide.reset_index()[["dataset", "method", "metric", "as released", *between, "corrected"]]
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
    """Return the interaction score against its two nulls: one stranger, as in the paper, and as many as neighbours.

    The worlds stand beside the real data, and the network trained with neighbours cut beside the others.
    """
    datasets = list(dict.fromkeys(rows["dataset"]))
    lines = []
    for dataset, method in cases(rows, datasets, (*NETWORKS, CUT)):
        found = share_intervals(rows, dataset, method)
        excess = _excess_over_past(rows, dataset, method)
        lines.append(
            {
                "dataset": dataset,
                "method": method,
                "as released (− one stranger)": found["interaction"].estimate - found["random"].estimate,
                "corrected (− top stranger)": found["interaction"].estimate - found["random max"].estimate,
                "difference": found["random max"].estimate - found["random"].estimate,
                "corrected over past, %": 100 * excess.estimate,
                "low": 100 * excess.low,
                "high": 100 * excess.high,
            }
        )
    return _rounded(pd.DataFrame(lines))


def _excess_over_past(rows: pd.DataFrame, dataset: str, method: str) -> Interval:
    how = {"dataset": dataset, "method": method, "experiment": "attribution", "loss": loss_of(method)}
    found = samples(rows, ("past", "interaction", "random max"), **how)
    ratio = (found["interaction"] - found["random max"]) / found["past"]
    return interval_of(ratio, number_of_seeds(rows, dataset))


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
    return _rounded(pd.DataFrame(lines))


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
