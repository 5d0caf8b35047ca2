"""Figures of the study: scores of models and variants, scores by stage, windows beside real ones, growing windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.method_styles import style_of
from reprise.plots import (
    Drawing,
    Line,
    along,
    draw_curve,
    draw_dots,
    measured_lines,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.psa_gan.comparisons import windows_of
from reprise.psa_gan.figure_panels import (
    LEVEL,
    FigurePanel,
    correlation_in_words,
    figure_panels,
    log_interval,
    longest,
    main_panels,
    new_panels,
    of_first,
    ratio_in_words,
    shown_seed,
)
from reprise.psa_gan.names import CONTROLS, MODELS, PSA, REAL, VARIANTS, variant_name
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN_PAIRS = 6
ON_LN = "Geometric means and 95 % t intervals of the logarithm over seeds"


def draw_levels(rows: pd.DataFrame) -> Drawing:
    """Draw Context-FID of models and controls on the held-out part, one panel a data set and length, with the floor."""
    panels = main_panels(rows)
    figure, data = _draw_scores(panels, [*MODELS, *CONTROLS], {})
    finding, others = of_first(panels, _lowest_in_words)
    state_finding(figure, finding)
    return Drawing(
        figure,
        "levels",
        f"Context-FID by method on the held-out part. {finding}.",
        f"{_at(panels)}. {ON_LN}, {seeds_behind(data)}; faint: single seeds. Grey: the floor, real against real "
        f"windows of the same number. Each seed has an encoder of its own; ratios are paired by seed.{others}",
        data,
    )


def _at(panels: list[FigurePanel]) -> str:
    return f"τ = {' and '.join(str(window) for window in sorted({one.window for one in panels}))}"


def draw_ablation(rows: pd.DataFrame) -> Drawing:
    """Draw Context-FID of the full model and of its variants, one panel a data set and length."""
    names = {variant_name(variant): variant for variant in VARIANTS}
    panels = figure_panels(rows, tuple(names), **LEVEL)
    figure, data = _draw_scores(panels, [PSA, *names], {PSA: "full model", **names})
    finding, others = of_first(panels, lambda panel: _worse_in_words(panel, names))
    state_finding(figure, finding)
    return Drawing(
        figure,
        "ablation",
        f"Context-FID of the full model and of its variants. {finding}.",
        f"{ON_LN}, {seeds_behind(data)}; faint: single seeds. Grey: the floor. Variants are paired by seed: what tells "
        f"them apart is the interval of the ratio, in the table, for {_compared(panels, names)} variants without a "
        f"correction for their number.{others}",
        data,
    )


def _compared(panels: list[FigurePanel], names: dict[str, str]) -> int:
    return sum(_scored(panels[0], method) for method in names)


def _draw_scores(panels: list[FigurePanel], methods: list[str], labels: dict[str, str]) -> tuple[Any, pd.DataFrame]:
    """Draw dots with intervals by method, and the floor as a grey band; return the figure and the numbers."""
    shown = [m for m in methods if any(_scored(one, m) for one in panels)]
    lines = [Line(labels.get(m, m), m, {"method": m}) for m in shown]
    figure, axes = new_panels(len(panels), height=0.27 * len(lines) + 1.35)
    drawn: list[dict[str, Any]] = []
    for place, (one, panel) in enumerate(zip(axes, panels, strict=True)):
        found = measured_lines(panel.rows, lines, **LEVEL)
        drawn += draw_dots(one, found, lines, interval=log_interval, **panel.what)
        where = {**LEVEL, "metric": "floor", "method": found[0][0].conditions["method"]}
        drawn.append(_draw_floor(one, per_seed(panel.rows, **where), panel))
        one.set(xscale="log", title=panel.title(panels))
        one.set_xlim(right=1.6 * _farthest(drawn, panel))
        if place % 3:
            one.set_yticklabels([])
    figure.supxlabel("Context-FID (log scale; lower is better)", fontsize=8)
    return figure, pd.DataFrame(drawn)


def _farthest(drawn: list[dict[str, Any]], panel: FigurePanel) -> float:
    """Return the largest end of an interval in a panel, or the largest mean where one seed has none."""
    own = pd.DataFrame([one for one in drawn if one["dataset"] == panel.dataset and one["window"] == panel.window])
    ends = own[["mean", "high"]].replace(np.inf, np.nan)
    return float(ends.max().max())


def _draw_floor(axes: Axes, floors: pd.Series, panel: FigurePanel) -> dict[str, Any]:
    floor = log_interval(floors.clip(lower=1e-12)).estimate
    axes.axvspan(floor / 1000, floor, color="0.85", zorder=0)
    axes.set_xlim(left=floor / 2)
    return {"method": "floor", **panel.what, "mean": floor, "n": len(floors)}


def _lowest_in_words(panel: FigurePanel) -> str:
    """Say what scores lowest, and how many times as high PSA-GAN scores, paired by seed."""
    scored = [method for method in (*MODELS, *CONTROLS) if _scored(panel, method)]
    lowest = min(scored, key=lambda method: _factor(panel, method, PSA).estimate)
    if lowest == PSA:
        return f"{PSA} scores lowest"
    return f"{lowest} scores lowest; {PSA}'s score is {ratio_in_words(_factor(panel, PSA, lowest))} times as high"


def _factor(panel: FigurePanel, method: str, other: str) -> Interval:
    """Return the ratio of two methods' scores over the seeds that have both."""
    both = pd.concat([per_seed(panel.rows, method=m, **LEVEL) for m in (method, other)], axis=1, join="inner")
    return log_interval(both.iloc[:, 0] / both.iloc[:, 1])


def _scored(panel: FigurePanel, method: str) -> bool:
    return panel.window in windows_of(panel.rows, method)


def _worse_in_words(panel: FigurePanel, names: dict[str, str]) -> str:
    """Say of which variants the paired interval of the ratio to the full model leaves 1."""
    apart: dict[str, list[str]] = {"Worse": [], "Better": []}
    for method, variant in names.items():
        if _scored(panel, method):
            ratio = _factor(panel, method, PSA)
            apart["Worse"] += [variant] * ratio.above(1)
            apart["Better"] += [variant] * ratio.below(1)
    said = [f"{how} than the full model: {', '.join(found)}" for how, found in apart.items() if found]
    return ". ".join(said) or "No variant is told apart from the full model"


def draw_curve_of_scores(rows: pd.DataFrame) -> Drawing:
    """Draw Context-FID of early generators against generator steps, with the stages' lengths and the floor."""
    panels = longest(rows, part="curve", metric="context FID")
    figure, axes = new_panels(len(panels), height=3.1, sharey=len(panels) > 1)
    drawn: list[dict[str, Any]] = []
    for one, panel in zip(axes, panels, strict=True):
        drawn += _draw_stages(one, panel)
        one.set(yscale="log", title=panel.title(panels))
    # From the means: an interval of three seeds may end at a hundred times as much.
    axes[0].set_ylim(top=3 * max(one["mean"] for one in drawn))
    axes[0].set_ylabel("Context-FID (log scale)")
    axes[len(axes) // 2].set_xlabel("generator steps (dotted: growth)")
    figure.legend(*axes[0].get_legend_handles_labels(), fontsize=7, ncols=4, loc="outside lower center")
    data = pd.DataFrame(drawn)
    finding, others = of_first(panels, _fall_in_words)
    state_finding(figure, finding)
    return Drawing(
        figure,
        "curve",
        f"Context-FID against generator steps. {finding}.",
        f"{ON_LN}, {seeds_behind(data)}. Numbers on top: length of PSA-GAN's windows at that stage; those of early "
        f"stages are repeated to full length, so that all points are on one scale. Grey: floor.{others}",
        data,
    )


def _draw_stages(axes: Axes, panel: FigurePanel) -> list[dict[str, Any]]:
    """Draw the curves of one panel over its stages."""
    found = select(panel.rows, part="curve", metric="context FID")
    steps = sorted({float(step) for step in found["step"]})
    methods = [name for name in MODELS if (found["method"] == name).any()]
    drawn: list[dict[str, Any]] = []
    for place, method in enumerate(methods):
        where = {"part": "curve", "metric": "context FID", "method": method}
        values = {at: v for at, v in along(panel.rows, steps, column="step", **where).items() if v is not None}
        aside = 0.012 * max(steps) * (place - (len(methods) - 1) / 2)
        drawn += [
            {**panel.what, **one} for one in draw_curve(axes, values, style=method, aside=aside, interval=log_interval)
        ]
    floor = log_interval(per_seed(panel.rows, part="curve", metric="floor").clip(lower=1e-12)).estimate
    axes.axhspan(floor / 1000, floor, color="0.85", zorder=0)
    axes.set_ylim(bottom=floor / 2)
    starts = [0.0, *_growth_steps(panel)]
    for depth, (begin, end) in enumerate(zip(starts, [*starts[1:], max(steps)], strict=True)):
        if depth:
            axes.axvline(begin, color="0.5", linewidth=0.8, linestyle=":")
        length = panel.window // 2 ** (len(starts) - 1 - depth)
        axes.text((begin + end) / 2, 0.99, f"{length}", transform=axes.get_xaxis_transform(), fontsize=7,
                  ha="center", va="top", color="0.3")  # fmt: skip
    return [*drawn, {**panel.what, "method": "floor", "mean": floor}]


def _growth_steps(panel: FigurePanel) -> list[float]:
    try:
        found = select(panel.rows, part="curve", metric="grows", method=PSA)
    except MissingRowsError:
        return []
    return sorted({float(step) for step in found["step"]})


def _fall_in_words(panel: FigurePanel) -> str:
    """Say how far the score falls in the first stages, and how far in what comes after half of the steps."""
    found = select(panel.rows, part="curve", metric="context FID", method=PSA)
    steps = sorted(found["step"].unique())
    middle = min(steps, key=lambda step: (abs(step - steps[-1] / 2), step))
    first, half, last = (per_seed(found, step=step) for step in (steps[0], middle, steps[-1]))
    return (
        f"Half of the training lowers PSA-GAN's Context-FID {ratio_in_words(log_interval(first / half))} times, all of "
        f"it {ratio_in_words(log_interval(first / last))} times"
    )


def draw_samples(rows: pd.DataFrame) -> Drawing:
    """Draw synthetic and real windows side by side: same series, same hours."""
    panels = longest(rows, part="shown", metric="window")
    several = len(panels) > 1
    per_panel = 3 if several else SHOWN_PAIRS
    lines = len(panels) if several else 2
    figure, axes = new_figure(rows=lines, columns=3, height=1.35 * lines + 0.9, sharey="row")
    kept = []
    for place, panel in enumerate(panels):
        found = shown_seed(select(panel.rows, part="shown", metric="window"))
        pairs = sorted(found["step"].unique())[:per_panel]
        row = axes[place] if several else axes.ravel()
        for one, pair in zip(row, pairs, strict=False):
            _draw_pair(one, found, pair)
            one.set_title(f"{panel.dataset}, pair {int(pair) + 1}" if several else f"pair {int(pair) + 1}", fontsize=8)
        kept.append(found[["dataset", "window", "method", "step", "place", "value"]])
    axes[-1, 1].set_xlabel("steps within the window")
    figure.supylabel("scaled value", fontsize=8)
    figure.legend(*axes.ravel()[0].get_legend_handles_labels(), fontsize=7, ncols=2, loc="outside lower center")
    correlation, others = of_first(panels, _correlation)
    finding = f"Same series, same hours: synthetic and real windows correlate at {correlation}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "samples",
        f"Pairs of a real and a synthetic window. {finding}.",
        f"The first conditions of the held-out part, not selected, of the first seed; {_at(panels)}. The correlation "
        f"is the median of {SHOWN_PAIRS} pairs, mean and 95 % t interval over seeds on Fisher's z.{others}",
        pd.concat(kept, ignore_index=True),
    )


def _draw_pair(axes: Axes, found: pd.DataFrame, pair: float) -> None:
    for method in (REAL, PSA):
        values, look = _series(found, method, pair), style_of(method)
        shape = "-" if method == PSA else "--"
        axes.plot(values.index, values, color=look.colour, linewidth=1.2, label=method, linestyle=shape)


def _correlation(panel: FigurePanel) -> str:
    """Return the median correlation of a pair's windows, by seed, with its interval."""
    found = select(panel.rows, part="shown", metric="window")
    by_seed = {}
    for seed, part in found.groupby("seed", observed=True):
        pairs = [[_series(part, method, pair) for method in (REAL, PSA)] for pair in part["step"].unique()]
        with np.errstate(invalid="ignore"):
            by_seed[seed] = float(np.nanmedian([np.corrcoef(real, made)[0, 1] for real, made in pairs]))
    return correlation_in_words(list(by_seed.values()))


def _series(found: pd.DataFrame, method: str, pair: float) -> pd.Series:
    chosen = found[(found["method"] == method) & (found["step"] == pair)]
    return chosen.set_index(chosen["place"].astype(float))["value"].sort_index()


def draw_growth(rows: pd.DataFrame) -> Drawing:
    """Draw what the grown generator says at each of its lengths, from one noise and condition."""
    panel = longest(rows, part="growth 0")[0]
    parts = ["growth 0", "growth 1"]
    every = select(panel.rows, part=parts)
    found = shown_seed(every)
    lengths = sorted({int(length) for length in found["step"]})
    figure, axes = new_figure(rows=len(parts), columns=len(lengths), height=3.2, sharey="row", squeeze=False)
    for row, part in zip(axes, parts, strict=True):
        for one, length in zip(row, lengths, strict=True):
            _draw_steps(one, _growing(found, part, length), panel.window // length)
            one.set_title(f"length {length}", fontsize=8)
    figure.supxlabel("steps of the full window", fontsize=8)
    figure.supylabel("scaled value", fontsize=8)
    kept = correlation_in_words([_outline_kept(own, parts, lengths) for _, own in every.groupby("seed", observed=True)])
    finding = f"The first stage's {lengths[0]} numbers and the last window averaged to {lengths[0]} correlate at {kept}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "growth",
        f"Output of each stage from the same noise and condition. {finding}.",
        f"{panel.dataset}, two conditions of the first seed, one a row: what the generator said at the end of each "
        f"stage. The correlation is of its first stage with the last stage's window averaged to {lengths[0]} numbers; "
        f"mean and 95 % t interval over seeds, n = {every['seed'].nunique()}, on Fisher's z.",
        found[["dataset", "part", "step", "place", "value"]],
    )


def _outline_kept(own: pd.DataFrame, parts: list[str], lengths: list[int]) -> float:
    """Return the correlation of the first stage with the last window averaged to its length, mean over conditions."""
    found = []
    for part in parts:
        first, last = (_growing(own, part, lengths[end]) for end in (0, -1))
        with np.errstate(invalid="ignore"):
            found.append(np.corrcoef(first, last.reshape(len(first), -1).mean(axis=1))[0, 1])
    return float(np.nan_to_num(np.mean(found)))


def _growing(found: pd.DataFrame, part: str, length: int) -> np.ndarray:
    chosen = found[(found["part"] == part) & (found["step"] == length)]
    return chosen.assign(place=chosen["place"].astype(float)).sort_values("place")["value"].to_numpy()


def _draw_steps(axes: Axes, values: np.ndarray, width: int) -> None:
    edges = np.arange(len(values) + 1) * width
    axes.stairs(values, edges, color=style_of(PSA).colour, baseline=None, linewidth=1.2)
