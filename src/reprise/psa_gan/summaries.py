"""Tables and sentences of the chapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reprise.numerals import MISSING, difference, in_steps_of_thousand, number, with_interval
from reprise.plots import measured
from reprise.psa_gan.claims import far_error
from reprise.psa_gan.comparisons import log_ratio, windows_of
from reprise.psa_gan.data import load
from reprise.psa_gan.names import (
    BOOTSTRAP,
    CONTROLS,
    DEEPAR,
    LAST_SEASON,
    MODELS,
    MOVING_AVERAGE,
    NO_GROWING,
    PSA,
    PSA_C,
    variant_name,
)
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import paired_differences, t_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_AVAILABLE = "not available"


def data_table(datasets: Sequence[str]) -> pd.DataFrame:
    """Return what the panels are: series, lengths, step, held-out steps, range."""
    lines = []
    for name in datasets:
        split = load(name)
        panel = split.panel
        lengths = sorted(set(panel.lengths.tolist()))
        values = panel.values[~panel.values.isnan()]
        lines.append(
            {
                "panel": name,
                "series": panel.n_series,
                "steps": " or ".join(map(str, lengths)),
                "frequency": panel.freq,
                "held out": split.held_out,
                "smallest to largest value": f"{number(float(values.min()))} to {number(float(values.max()))}",
            }
        )
    return pd.DataFrame(lines)


def levels_table(rows: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return Context-FID by model beside the paper's cell, with floor, corrected and raw-window values."""
    lines = []
    for method in (*MODELS, *CONTROLS):
        for window in windows_of(rows, method):
            where = {"part": "level", "method": method, "window": window}
            lines.append(
                {
                    "model": method,
                    "τ": window,
                    "paper": _printed(published, method, window),
                    "Context-FID": _written(measured(rows, metric="context FID", split="test", **where)),
                    "floor": _written(measured(rows, metric="floor", split="test", **where)),
                    "n → ∞": _written(measured(rows, metric="corrected", split="test", **where)),
                    "on the training range": _written(measured(rows, metric="context FID", split="train", **where)),
                    "raw windows": _written(measured(rows, metric="raw FID", split="test", **where)),
                }
            )
    if not lines:
        raise MissingRowsError("this run scored no model.")
    return pd.DataFrame(lines)


def _printed(published: pd.DataFrame, method: str, window: int) -> str:
    found = published[(published["method"] == method) & (published["window"] == window)]["value"].dropna()
    if len(found):
        return number(float(found.iloc[0]))
    return NOT_AVAILABLE if method in MODELS else MISSING


def _written(values: pd.Series | None) -> str:
    if values is None:
        return MISSING
    found = t_interval(values)
    return with_interval(found.estimate, found.low, found.high, 3)


def variants_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return ln of the ratio of each variant's Context-FID to the full model's."""
    lines = []
    methods = sorted({name for name in rows["method"].unique() if str(name).startswith(f"{PSA}, ")})
    for method in methods:
        for window in windows_of(rows, method):
            found = log_ratio(rows, method, PSA, window)
            factor = number(float(np.exp(found.estimate)), 2)
            lines.append(
                {
                    "variant": method.removeprefix(f"{PSA}, "),
                    "τ": window,
                    "ln(FID / FID full)": difference(found, 2),
                    "factor": factor,
                }
            )
    if not lines:
        raise MissingRowsError("this run trained no variant.")
    return pd.DataFrame(lines)


def equal_operations_in_words(rows: pd.DataFrame) -> str:
    """Say who is ahead when full depth from the start may take no more operations than growing does."""
    fixed = variant_name(NO_GROWING)
    where = {"part": "equal operations"}
    try:
        window = int(select(rows, **where)["window"].max())
        scores = {m: per_seed(rows, metric="context FID", method=m, **where) for m in (PSA, fixed)}
        steps = {m: float(per_seed(rows, metric="steps", method=m, **where).mean()) for m in (PSA, fixed)}
    except MissingRowsError:
        return "Growing against full depth at equal arithmetic is part of the `standard` profile."
    found = t_interval(paired_differences(np.log(scores[fixed]), np.log(scores[PSA])))
    equal = log_ratio(rows, fixed, PSA, window)
    return (
        f"For the arithmetic of {number(steps[PSA], 0)} growing steps at τ = {window}, full depth from the start gets "
        f"{number(steps[fixed], 0)}. ln(FID at full depth / FID growing) is then {difference(found, 2)}; at equal "
        f"steps, as papers compare, it is {difference(equal, 2)}."
    )


def cost_in_words(rows: pd.DataFrame) -> str:
    """Say what a step costs at the first and at the last stage."""
    found = select(rows, part="cost", metric="operations a step", method=PSA)
    by_depth = found.groupby("at", observed=True)["value"].mean().sort_index()
    first, last = (in_steps_of_thousand(float(value), "FLOP") for value in (by_depth.iloc[0], by_depth.iloc[-1]))
    return f"A generator step with its discriminator steps takes {first} at length 8 and {last} at full length."


def memory_in_words(rows: pd.DataFrame) -> str:
    """Say whether synthetic windows lie nearer to training windows than held-out ones do."""
    found = select(rows, part="memory", metric="ratio")
    words = []
    for method in [name for name in MODELS if (found["method"] == name).any()]:
        ratio = t_interval(per_seed(found, method=method))
        near = float(per_seed(rows, part="memory", metric="near share", method=method).mean())
        words.append(f"{method} {with_interval(ratio.estimate, ratio.low, ratio.high)} ({number(100 * near, 1)} %)")
    return (
        "Memorisation: the median distance of synthetic windows to their nearest training window, over that of "
        f"held-out windows, is {'; '.join(words)}. Copies would be near 0; in brackets, the share of synthetic windows "
        "that lie nearer than 95 % of held-out ones do."
    )


def direct_in_words(rows: pd.DataFrame) -> str:
    """Say how the generators do as forecasters, with known history."""
    try:
        found = select(rows, part="direct", metric="NRMSE")
    except MissingRowsError:
        return "Forecasting by generation is part of the `standard` profile."
    words = []
    for method in [name for name in (*MODELS, DEEPAR) if (found["method"] == name).any()]:
        error = t_interval(per_seed(found, method=method))
        words.append(f"{method} {with_interval(error.estimate, error.low, error.high, 3)}")
    return f"Forecasting with known history, NRMSE ± half-width over seeds: {'; '.join(words)}."


def far_in_words(rows: pd.DataFrame) -> str:
    """Say how fillings compare with those that take no training, and whether the moving average forecasts at all."""
    try:
        errors = {arm: far_error(rows, arm) for arm in (PSA, PSA_C, LAST_SEASON, BOOTSTRAP, MOVING_AVERAGE)}
    except MissingRowsError:
        return "Far forecasts are part of the `standard` profile."
    against = [
        f"{arm} minus {other.lower()} {difference(t_interval(paired_differences(errors[arm], errors[other])), 2)}"
        for arm in (PSA, PSA_C)
        for other in (BOOTSTRAP, LAST_SEASON)
    ]
    words = f"NRMSE of far forecasts: {'; '.join(against)}."
    if len(errors[MOVING_AVERAGE]) > 1 and errors[MOVING_AVERAGE].nunique() == 1:
        words += (
            " The moving average's error is the same to the last digit for every seed of the forecaster: it is no "
            "forecast (see the text)."
        )
    return words
