"""Tables and sentences of the chapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reprise.numerals import MISSING, difference, in_steps_of_thousand, number
from reprise.plots import measured
from reprise.psa_gan.comparisons import log_ratio, windows_of
from reprise.psa_gan.data import load
from reprise.psa_gan.figure_panels import (
    LEVEL,
    FigurePanel,
    datasets_of,
    figure_panels,
    first_panel,
    log_interval,
    main_panels,
    mean_in_words,
    ratio_in_words,
)
from reprise.psa_gan.forecast_figures import far_errors
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
    RESAMPLED,
    ROLLING_MEAN,
    SEASONAL_AR,
    VARIANTS,
    variant_name,
)
from reprise.psa_gan.tuning import found_rates
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
    """Return Context-FID by model beside the paper's cell, with floors, bias and raw-window values."""
    panels = main_panels(rows)
    lines = []
    for panel in panels:
        named = {"panel": panel.dataset} if len({one.dataset for one in panels}) > 1 else {}
        for method in (*MODELS, *CONTROLS):
            if panel.window in windows_of(panel.rows, method):
                where = {"part": "level", "method": method}
                lines.append(
                    {
                        **named,
                        "model": method,
                        "τ": panel.window,
                        "paper": _printed(published, method, panel),
                        "Context-FID": _on_ln(measured(panel.rows, metric="context FID", split="test", **where)),
                        "floor": _on_ln(measured(panel.rows, metric="floor", split="test", **where)),
                        "bias at this n": _bias(panel, method),
                        "on the training range": _on_ln(
                            measured(panel.rows, metric="context FID", split="train", **where)
                        ),
                        "floor there": _on_ln(measured(panel.rows, metric="floor", split="train", **where)),
                        "raw windows": _on_ln(measured(panel.rows, metric="raw FID", split="test", **where)),
                    }
                )
    return pd.DataFrame(lines)


def _printed(published: pd.DataFrame, method: str, panel: FigurePanel) -> str:
    found = published[(published["method"] == method) & (published["window"] == panel.window)]
    found = found[found["dataset"] == panel.dataset]["value"].dropna()
    if len(found):
        return number(float(found.iloc[0]))
    return NOT_AVAILABLE if method in MODELS else MISSING


def _on_ln(values: pd.Series | None) -> str:
    return MISSING if values is None else ratio_in_words(log_interval(values.clip(lower=1e-12)))


def _bias(panel: FigurePanel, method: str) -> str:
    """Return by how much the score at infinitely many windows lies below that at ours: a mean over seeds."""
    where = {"part": "level", "split": "test", "method": method}
    score, corrected = (measured(panel.rows, metric=metric, **where) for metric in ("context FID", "corrected"))
    return MISSING if score is None or corrected is None else mean_in_words(t_interval(score - corrected))


def drift_in_words(rows: pd.DataFrame) -> str:
    """Say how the models and last week's windows score against real training windows, on both ranges, by seed."""
    try:
        panel = main_panels(rows)[0]
        words = [_against_training_windows(panel, split) for split in ("test", "train")]
    except MissingRowsError:
        return ""
    return (
        f"Score as a multiple of that of real training windows, {panel.dataset}. On the held-out range: {words[0]}. On "
        f"the training range, where there is no drift: {words[1]}."
    )


def _against_training_windows(panel: FigurePanel, split: str) -> str:
    where = {**LEVEL, "split": split}
    real = per_seed(panel.rows, method=RESAMPLED, **where)
    words = []
    for method in (*MODELS, LAST_SEASON):
        own = measured(panel.rows, method=method, **where)
        if own is not None:
            words.append(f"{method} {ratio_in_words(log_interval((own / real).dropna()))}")
    return "; ".join(words)


def variants_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return ln of the ratio of each variant's Context-FID to the full model's."""
    names = {variant_name(variant): variant for variant in VARIANTS}
    panels = figure_panels(rows, tuple(names), **LEVEL)
    lines = []
    for panel in panels:
        for method, variant in names.items():
            if panel.window in windows_of(panel.rows, method):
                found = log_ratio(panel.rows, method, PSA, panel.window)
                lines.append(
                    {
                        **({"panel": panel.dataset} if len({one.dataset for one in panels}) > 1 else {}),
                        "variant": variant,
                        "τ": panel.window,
                        "seeds": found.n,
                        "ln(FID / FID full)": difference(found, 2),
                        "factor": number(float(np.exp(found.estimate)), 2),
                    }
                )
    return pd.DataFrame(lines)


def tuning_table() -> pd.DataFrame:
    """Return the rates that were tried for the published run, with what each scored on the training range."""
    found = found_rates()
    best = found.groupby("model")["context FID"].transform("min")
    return pd.DataFrame(
        {
            "model": found["model"],
            "rate": found["rate"].map(lambda rate: f"{rate:g}"),
            "Context-FID": found["context FID"].map(lambda value: number(value, 3)),
            "correlation with the real window": found["correlation"].map(lambda value: number(value, 2)),
            "CPU seconds": found["CPU seconds"].map(lambda value: number(value, 0)),
            "taken": ["yes" if taken else "" for taken in found["context FID"] == best],
        }
    )


def encoders_in_words(rows: pd.DataFrame) -> str:
    """Say how much the scores of the same windows change with the encoder alone, as multiples of the floor."""
    try:
        found = select(rows, part="encoders", method=PSA)
        scores = {model: _by_encoder(rows, model) for model in MODELS if _has(rows, part="encoders", method=model)}
    except MissingRowsError:
        return ""
    floors = select(found, metric="floor").groupby("at", observed=True)["value"].mean()
    n = len(floors)
    words = (
        f"The same windows of {PSA}, scored by {n} encoders that differ in their seed alone, get "
        f"{', '.join(number(float(one), 3) for one in scores[PSA])}. Much of that is each encoder's own scale: in "
        f"multiples of its floor it is {ratio_in_words(log_interval(scores[PSA] / floors))}, geometric mean and 95 % "
        "interval over encoders"
    )
    ratios = [
        f"{model} {ratio_in_words(log_interval(score / scores[PSA]))}"
        for model, score in scores.items()
        if model != PSA
    ]
    return (
        f"{words}; in multiples of {PSA}'s score, which is what verdicts rest on, {', '.join(ratios)}."
        if ratios
        else f"{words}."
    )


def _by_encoder(rows: pd.DataFrame, model: str) -> pd.Series:
    found = select(rows, part="encoders", metric="context FID", method=model)
    return found.groupby("at", observed=True)["value"].mean()


def _has(rows: pd.DataFrame, **conditions: str) -> bool:
    return bool(np.logical_and.reduce([rows[name] == value for name, value in conditions.items()]).any())


def encoder_in_words(rows: pd.DataFrame) -> str:
    """Say what the training of the encoder came to, against the loss of one whose embeddings are all zero."""
    try:
        found = select(first_panel(rows, part="encoder"), part="encoder", metric="loss")
    except MissingRowsError:
        return ""
    first, last = (t_interval(per_seed(found, at=at)) for at in (0, 1))
    return (
        f"The encoder's loss falls from {mean_in_words(first)} to {mean_in_words(last)} in its training; with all "
        f"embeddings zero it would be {number(3 * float(np.log(2)), 2)}."
    )


def equal_operations_in_words(rows: pd.DataFrame) -> str:
    """Say who is ahead when full depth from the start may take no more operations than growing does."""
    fixed = variant_name(NO_GROWING)
    where = {"part": "equal operations"}
    try:
        rows = first_panel(rows, **where)
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
    found = select(first_panel(rows, part="cost"), part="cost", metric="operations a step", method=PSA)
    by_depth = found.groupby("at", observed=True)["value"].mean().sort_index()
    first, last = (in_steps_of_thousand(float(value), "FLOP") for value in (by_depth.iloc[0], by_depth.iloc[-1]))
    return f"A generator step with its discriminator steps takes {first} at length 8 and {last} at full length."


def memory_in_words(rows: pd.DataFrame) -> str:
    """Say whether synthetic windows lie nearer to training windows than held-out ones do."""
    words = []
    for dataset in datasets_of(rows, part="memory"):
        found = select(rows, part="memory", dataset=dataset)
        said = []
        for method in [name for name in MODELS if (found["method"] == name).any()]:
            ratio = log_interval(per_seed(found, metric="ratio", method=method).clip(lower=1e-12))
            near = float(per_seed(found, metric="near share", method=method).mean())
            said.append(f"{method} {ratio_in_words(ratio)} ({number(100 * near, 1)} %)")
        words.append(f"on {dataset} {', '.join(said)}")
    return (
        "Memorisation: the median distance of synthetic windows to their nearest training window, over that of "
        f"held-out windows, is {'; '.join(words)}. Copies would be near 0, and so are windows that hardly move where "
        "real ones hardly do; in brackets, the share of synthetic windows that lie nearer than 95 % of held-out ones, "
        "as 5 % of those do."
    )


def direct_in_words(rows: pd.DataFrame) -> str:
    """Say how the generators do as forecasters, with known history, beside DeepAR and last week."""
    try:
        datasets = datasets_of(rows, part="direct", metric="NRMSE")
    except MissingRowsError:
        return "Forecasting by generation is part of the `standard` profile."
    words = []
    for dataset in datasets:
        found = select(rows, part="direct", metric="NRMSE", dataset=dataset)
        methods = [name for name in (*MODELS, DEEPAR, LAST_SEASON) if (found["method"] == name).any()]
        errors = {method: per_seed(found, method=method) for method in methods}
        said = ", ".join(f"{method} {mean_in_words(t_interval(one))}" for method, one in errors.items())
        words.append(f"on {dataset} {said}")
        if {DEEPAR, LAST_SEASON} <= set(errors):
            gap = t_interval(paired_differences(errors[DEEPAR], errors[LAST_SEASON]))
            words[-1] += f" (DeepAR minus last week {difference(gap, 2)})"
    return f"Forecasting with known history, NRMSE over seeds: {'; '.join(words)}."


def far_in_words(rows: pd.DataFrame) -> str:
    """Say how PSA-GAN-C's fillings compare with those that take no training, and what the errors are errors of."""
    try:
        dataset = datasets_of(rows, part="far", metric="NRMSE")[0]
    except MissingRowsError:
        return "Far forecasts are part of the `standard` profile."
    errors = far_errors(rows, dataset)
    others = [arm for arm in (MOVING_AVERAGE, ROLLING_MEAN, SEASONAL_AR, BOOTSTRAP, LAST_SEASON) if arm in errors]
    words = ""
    if PSA_C in errors and others:
        gaps = [f"{arm} {difference(t_interval(paired_differences(errors[PSA_C], errors[arm])), 2)}"
                for arm in others]  # fmt: skip
        words = f"NRMSE with {PSA_C}'s filling minus that with another one, on {dataset}: {'; '.join(gaps)}."
    share = measured(rows, part="far", metric="largest share", dataset=dataset)
    if share is not None:
        words += (
            f" Errors are on the original scale, on which the largest series is {number(100 * float(share.mean()), 0)} "
            "% of the level of all: NRMSE is mostly the error there."
        )
    return words.strip()
