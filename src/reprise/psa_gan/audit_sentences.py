"""Sentences on what the audits found, each computed: errors with all series counting alike, edges, noise, seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reprise.numerals import difference, number
from reprise.psa_gan.comparisons import log_ratio, mean_rank_correlation, ranked
from reprise.psa_gan.figure_panels import (
    datasets_of,
    figure_panels,
    log_interval,
    longest,
    mean_in_words,
    ratio_in_words,
)
from reprise.psa_gan.input_checks import SHORTEST
from reprise.psa_gan.names import (
    FRESH_NOISE,
    LAST_SEASON,
    MODELS,
    MOVING_AVERAGE,
    PSA,
    REAL,
    UNIT_NOISE,
    variant_name,
)
from reprise.psa_gan.tuning import found_rates
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import paired_differences, t_interval

if TYPE_CHECKING:
    import pandas as pd

    from reprise.psa_gan.figure_panels import FigurePanel

SCALED = "NRMSE, scaled"
BENCHMARK = Path(__file__).with_name("benchmark.csv")  # written by benchmarks/psa_gan.py --store


def scaled_errors_in_words(rows: pd.DataFrame) -> str:
    """Say how the fillings of far forecasts compare when every series counts alike, on the scaled range."""
    try:
        dataset = datasets_of(rows, part="far", metric=SCALED)[0]
    except MissingRowsError:
        return ""
    own = select(rows, part="far", metric=SCALED, dataset=dataset)
    own = own[own["at"] > 0]
    errors = {arm: per_seed(own, method=arm) for arm in own["method"].unique()}
    words = []
    for other in (MOVING_AVERAGE, LAST_SEASON):
        gaps = [
            f"{model} {difference(t_interval(paired_differences(errors[model], errors[other])), 3)}"
            for model in MODELS
            if model in errors and other in errors
        ]
        words += [f"minus {other.lower()} {', '.join(gaps)}"] * bool(gaps)
    if not words:
        return ""
    return (
        f"With every series counting alike, on the range scaled to [0, 1], the NRMSE of far forecasts on {dataset} is, "
        f"{'; '.join(words)}. No rule reads these numbers; where they disagree with those on the original scale, "
        "the largest series decides."
    )


def scaled_ranking_in_words(rows: pd.DataFrame) -> str:
    """Say what the rank correlation of score and error is when every series counts alike."""
    renamed = rows.assign(metric=rows["metric"].astype(str).replace({"NRMSE": "", SCALED: "NRMSE"}))
    try:
        tables = ranked(renamed)
    except (MissingRowsError, KeyError):
        return ""
    found = mean_rank_correlation(list(tables.values()), "generators")
    places = [int((table[:, 1] < table[table[:, 0].argmin(), 1]).sum()) + 1 for table in tables.values()]
    return (
        f"With every series counting alike Spearman's correlation is {difference(found, 2)}, and the generator with "
        f"the lowest score is number {', '.join(map(str, places))} of {found.n}."
    )


def edges_in_words(rows: pd.DataFrame) -> str:
    """Say how far windows jump at their first and last step, against their other steps, synthetic and real."""
    try:
        panels = longest(rows, part="shown", metric="window")
    except MissingRowsError:
        return ""
    words = []
    for panel in panels:
        said = [f"{name} {number(_edge_ratio(panel, name), 1)}" for name in (PSA, REAL)]
        words.append(f"{panel.dataset}: {', '.join(said)}")
    return (
        "The mean change at a window's first and last step, in multiples of that at the steps between, over the "
        f"windows shown of all seeds: {'; '.join(words)}. Every convolution sees zeros beyond a window's ends, as in "
        "the released code; where windows are put side by side to fill a gap, each end is a seam."
    )


def _edge_ratio(panel: FigurePanel, method: str) -> float:
    found = select(panel.rows, part="shown", metric="window", method=method)
    wide = found.pivot_table(index=["seed", "step"], columns="place", values="value", observed=True)
    changes = np.abs(np.diff(wide.sort_index(axis=1).to_numpy(), axis=1)).mean(axis=0)
    return float((changes[0] + changes[-1]) / 2 / max(changes[1:-1].mean(), 1e-12))


def noise_in_words(rows: pd.DataFrame) -> str:
    """Say what the two repairs of the noise bring: spread within a condition, and the price in score."""
    methods = {PSA: "as published", **{variant_name(one): one for one in (UNIT_NOISE, FRESH_NOISE)}}
    try:
        panel = figure_panels(rows, tuple(methods)[1:], part="spread", metric="variance ratio")[0]
    except MissingRowsError:
        return ""
    found = {method: _spread(panel, "variance ratio", method) for method in methods if _is_spread(panel, method)}
    shared = sorted(set.intersection(*(set(one.index) for one in found.values())))
    if not shared:
        return ""
    of_shared = panel.rows[panel.rows["seed"].isin(shared)]
    words = []
    for method, ratios in found.items():
        ratio = log_interval(ratios.loc[shared].clip(lower=1e-12))
        crps = t_interval(_spread(panel, "CRPS", method).loc[shared])
        said = f"{methods[method]}: variance ratio {ratio_in_words(ratio)}, CRPS {mean_in_words(crps)}"
        if method != PSA:
            score = log_ratio(of_shared, method, PSA, panel.window)
            said += f", ln of the ratio of scores {difference(score, 2)}"
        words.append(said)
    return f"The noise at τ = {panel.window}, {panel.dataset}, seeds {', '.join(map(str, shared))}: {'; '.join(words)}."


def _is_spread(panel: FigurePanel, method: str) -> bool:
    return bool(((panel.rows["method"] == method) & (panel.rows["part"] == "spread")).any())


def _spread(panel: FigurePanel, metric: str, method: str) -> pd.Series:
    return per_seed(panel.rows, part="spread", metric=metric, method=method)


def degradations_in_words(rows: pd.DataFrame) -> str:
    """Say how much the order of time counts with the encoder, and without it."""
    try:
        panel = longest(rows, ("unchanged",), part="degraded")[0]
    except MissingRowsError:
        return ""
    words = []
    for damage in ("steps shuffled", "time reversed", "level + 0.1"):
        own, raw = (
            log_interval(_degraded(panel, metric, damage) / _degraded(panel, metric, "unchanged"))
            for metric in ("context FID", "raw FID")
        )
        words.append(f"{damage} × {ratio_in_words(own)} against × {ratio_in_words(raw)}")
    return f"With the encoder against without it, {panel.dataset}: {'; '.join(words)}."


def _degraded(panel: FigurePanel, metric: str, damage: str) -> pd.Series:
    return per_seed(panel.rows, part="degraded", metric=metric, method=damage)


def attention_in_words(rows: pd.DataFrame) -> str:
    """Say by stage how much attention adds to what passes, and how even it is."""
    try:
        panels = longest(rows, part="attention", metric="added share")
    except MissingRowsError:
        return ""
    words = []
    for panel in panels:
        found = select(panel.rows, part="attention", method=PSA)
        stages = sorted(select(found, metric="added share")["at"].unique())
        said = []
        for stage in stages:
            added = per_seed(found, metric="added share", at=stage)
            even = per_seed(found, metric="entropy share", at=stage)
            said.append(
                f"{SHORTEST * 2 ** int(stage)}: {number(100 * float(added.median()), 1)} % "
                f"({number(float(even.median()), 2)})"
            )
        words.append(f"{panel.dataset} {', '.join(said)}")
    return (
        "What attention adds to what passes beside it, by the stage's length, median over seeds, in brackets its "
        f"evenness: {'; '.join(words)}."
    )


def seconds_in_words() -> str:
    """Say what the trainings of the search for a rate took, at the rates taken."""
    found = found_rates()
    best = found.loc[found.groupby("model")["context FID"].idxmin()].set_index("model")["CPU seconds"]
    words = [f"{name} {number(float(best[name]), 0)}" for name in found["model"].unique()]
    return (
        "A training of the search for a rate, which has half of the generator steps of `standard`, took these seconds "
        f"of one processor core: {', '.join(words)}."
    )


def benchmark_in_words() -> str:
    """Say what the fused attention and the resident windows save, as the benchmark that was stored found."""
    import pandas as pd

    words = [
        f"{line['what']} {number(line['published'] / line['ours'], 1)} times "
        f"(ours: {number(1000 * line['ours'], 1)} ms)"
        for line in pd.read_csv(BENCHMARK, comment="#").to_dict("records")
    ]
    where = BENCHMARK.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").split(";")[0]
    return (
        f"Faster than the published formulation, with equal results, in processor time on {where}: {'; '.join(words)}."
    )
