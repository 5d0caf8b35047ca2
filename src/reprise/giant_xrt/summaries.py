"""Tables of the chapter, and its computed sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reprise.giant_xrt.figures import FEATURES, sets_with, title_of
from reprise.giant_xrt.rules import FEW, MANY, gap
from reprise.numerals import MISSING, difference, with_interval
from reprise.plots import measured
from reprise.rows import MissingRowsError, select
from reprise.stats import t_interval

COLUMNS = (("MLP", FEW), ("MLP", MANY), ("GraphSAGE", FEW), ("GraphSAGE", MANY), ("ridge", FEW), ("ridge", MANY))


def comparison_table(rows: pd.DataFrame, data_set: str) -> pd.DataFrame:
    """Return accuracy of every kind of features under every model, mean ± half-width of the 95 % interval."""
    how = {"dataset": data_set, "experiment": "comparison", "metric": "accuracy"}
    select(rows, **how)
    lines = []
    for name in FEATURES:
        line = {"features": name}
        for model, labels in COLUMNS:
            line[f"{model}, {labels}"] = _cell(rows, method=name, model=model, labels=labels, **how)
        if any(value != MISSING for value in list(line.values())[1:]):
            lines.append(line)
    propagated = {f"{m}, {lab}": MISSING for m, lab in COLUMNS}
    for labels in (FEW, MANY):
        found = _cell(rows, method="Label propagation", model="none", labels=labels, **how)
        propagated[f"ridge, {labels}"] = found
    lines.append({"features": "label propagation (no text, no model)", **propagated})
    return pd.DataFrame(lines)


def network_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy of further networks on SVD features and on GIANT's, and the paired gain."""
    lines = []
    for name in sets_with(rows, experiment="networks"):
        for model in ("SGC", "SIGN", "RevGAT-like"):
            how: dict[str, Any] = {"dataset": name, "experiment": "networks", "labels": FEW}
            try:
                gain = gap(rows, ("GIANT", model), ("SVD", model), **how)
            except MissingRowsError:
                continue
            lines.append(
                {
                    "data set": title_of(name),
                    "model": model,
                    "on SVD (%)": _cell(rows, method="SVD", model=model, metric="accuracy", **how),
                    "on GIANT (%)": _cell(rows, method="GIANT", model=model, metric="accuracy", **how),
                    "gain (points)": with_interval(gain.estimate, gain.low, gain.high),
                }
            )
    return pd.DataFrame(lines)


def _cell(rows: pd.DataFrame, **conditions: Any) -> str:
    values = measured(rows, **conditions)
    if values is None:
        return MISSING
    one = t_interval(values)
    return with_interval(one.estimate, one.low, one.high, 1)


def untrained_sentence(rows: pd.DataFrame, data_set: str) -> str:
    """Say what the pre-training adds to the random encoder that it starts from."""
    words = []
    for model in ("MLP", "ridge"):
        for labels in (FEW, MANY):
            try:
                one = gap(rows, ("GIANT", model), ("Untrained encoder", model), labels, dataset=data_set)
            except MissingRowsError:
                continue
            words.append(f"{difference(one)} ({model}, {labels}, n = {one.n})")
    return f"GIANT minus the untrained encoder on {title_of(data_set)}, points: {'; '.join(words)}." if words else ""


def closed_form_sentence(rows: pd.DataFrame, data_set: str) -> str:
    """Say what remains of the gain without gradient steps."""
    try:
        found = gap(rows, ("GIANT", "ridge"), ("GIANT, closed form", "ridge"), FEW, dataset=data_set)
    except MissingRowsError:
        return ""
    return (
        f"With ridge on top and {FEW}, training by gradient steps minus the closed form: {difference(found)} points. "
        f"The closed form needs one solve and one eigendecomposition ({title_of(data_set)})."
    )
