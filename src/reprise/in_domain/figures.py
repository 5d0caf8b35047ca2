"""Figures of whole scores: each takes tidy rows and returns a drawing with alternative text, caption and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.in_domain.convergence import CONVERGED
from reprise.in_domain.grid import GRIDS
from reprise.in_domain.lookups import (
    LOWEST_R2,
    TITLES,
    Score,
    clamp_score,
    conditions,
    has_converged,
    look_of,
    methods_of,
    require,
    score,
)
from reprise.in_domain.models import APPROACHES
from reprise.in_domain.oracles import CLAMP
from reprise.in_domain.settings import MAIN_DATA_SET
from reprise.in_domain.splits import KINDS
from reprise.method_styles import style_of
from reprise.numerals import number
from reprise.plots import (
    Drawing,
    as_data,
    interval_dots,
    measured,
    name_lines,
    new_figure,
    paper_marks,
    seeds_behind,
    state_finding,
)
from reprise.rows import per_seed, select
from reprise.stats import Interval, t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHANCE = 100 / 3
FAINT = 0.3
INTERVALS = (
    "Whiskers: 95 % intervals over seeds where a model has several, whose single runs are faint; with one seed, over "
    f"the factors' values (bootstrap). Faint, with grey names: not converged, below {CONVERGED} on the random split."
)


def draw_models(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw R² of every model on every split, a panel a data set, with the clamp oracle in extrapolation."""
    require(tuple(data_sets))
    methods = [m for m in APPROACHES if any(m in methods_of(rows, name) for name in data_sets)]
    figure, axes = new_figure(
        columns=len(data_sets), height=0.34 * len(methods) + 1.6, squeeze=False, sharey=True, layout="constrained"
    )
    drawn: list[dict[str, Any]] = []
    for panel, dataset in zip(axes[0], data_sets, strict=True):
        drawn += _draw_scores(panel, rows, dataset, methods)
        clamp = clamp_score(dataset, "extrapolation")
        panel.axvline(clamp, color=style_of(CLAMP).colour, linestyle=style_of(CLAMP).dash, linewidth=1, label=CLAMP)
        panel.set(xlabel="R², mean over factors", xlim=(LOWEST_R2, 1.05))
        panel.set_title(TITLES[dataset].split(" (")[0], fontsize=9)
        drawn.append({"dataset": dataset, "split": "extrapolation", "method": CLAMP, "mean": clamp, "n": 1})
    name_lines(axes[0, 0], methods)
    for text, method in zip(axes[0, 0].get_yticklabels(), methods, strict=True):
        if not any(has_converged(rows, dataset, method) for dataset in data_sets):
            text.set_color(style_of("not converged").colour)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=7.5)
    data = pd.DataFrame(drawn)
    finding = _models_finding(rows, data, data_sets[0])
    state_finding(figure, finding)
    trained = data[data.method != CLAMP]
    main = trained[trained.dataset == data_sets[0]]
    sound = main[[has_converged(rows, data_sets[0], method) for method in main["method"]]]
    caption = (
        "R² on the test images of the four splits, mean over all factors. Dashed: the clamp oracle in extrapolation. "
        f"{INTERVALS} What leaves the axis is cut at its end. Seeds: {seeds_behind(trained)}."
    )
    alt = f"{finding}. Their R² on the random split lies between {_range(sound, 'random')}."
    return Drawing(figure, "models", alt, caption, data)


def _draw_scores(panel: Axes, rows: pd.DataFrame, dataset: str, methods: list[str]) -> list[dict[str, Any]]:
    drawn = []
    for shift, kind in enumerate(KINDS):
        found = {m: score(rows, dataset, m, kind) for m in methods}
        there = {m: value for m, value in found.items() if value is not None}
        if not there:
            continue
        for sound in (True, False):
            shown = {m: value for m, value in there.items() if has_converged(rows, dataset, m) == sound}
            _draw_split(panel, kind, {methods.index(m) + 0.17 * (shift - 1.5): v for m, v in shown.items()}, sound)
        drawn += [
            as_data(v.interval, dataset=dataset, split=kind, method=m, interval_over=v.over) for m, v in there.items()
        ]
    return drawn


def _draw_split(panel: Axes, kind: str, scores: dict[float, Score], sound: bool) -> None:
    """Draw the scores on one split, by place; those of models that have not converged faintly."""
    if not scores:
        return
    runs = [[max(v, LOWEST_R2) for v in s.values] if len(s.values) > 1 else [] for s in scores.values()]
    intervals = [s.interval for s in scores.values()]
    interval_dots(panel, list(scores), intervals, method=kind, single_runs=runs, label=kind if sound else None)
    if not sound:
        for artist in panel.containers[-1].get_children():
            artist.set_alpha(FAINT)


def _models_finding(rows: pd.DataFrame, data: pd.DataFrame, dataset: str) -> str:
    main = data[(data.dataset == dataset) & (data.split == "extrapolation") & (data.method != CLAMP)]
    converged = main[[has_converged(rows, dataset, method) for method in main["method"]]]
    below = int((converged["mean"] < clamp_score(dataset, "extrapolation")).sum())
    return f"In extrapolation {below} of {len(converged)} converged models stay below the clamp oracle"


def _range(data: pd.DataFrame, kind: str) -> str:
    values = data.loc[data.split == kind, "mean"]
    return f"{number(values.min(), 2)} and {number(values.max(), 2)}"


def draw_number_out(rows: pd.DataFrame, dataset: str = MAIN_DATA_SET) -> Drawing:
    """Draw mean R² against the number of factors that are out of distribution at once."""
    figure, axes = new_figure(height=3.4, layout="constrained")
    numbers = range(1, len(GRIDS[dataset].cut_factors) + 1)
    drawn: list[dict[str, Any]] = []
    for method in methods_of(rows, dataset):
        intervals = _by_number_out(rows, dataset, method, numbers)
        if not intervals:
            continue
        look = look_of(rows, dataset, method)
        means = [i.estimate for i in intervals]
        axes.plot(
            range(len(means)), means, color=look.colour, linestyle=look.dash, marker=look.marker, markersize=4,
            label=_legend_name(rows, dataset, method),
        )  # fmt: skip
        if intervals[0].n > 2:  # of two seeds the interval covers the figure
            ends = [i.low for i in intervals], [i.high for i in intervals]
            axes.fill_between(range(len(means)), *ends, color=look.colour, alpha=0.15, linewidth=0)
        converged = has_converged(rows, dataset, method)
        drawn += [as_data(i, method=method, n_out=k, converged=converged) for k, i in enumerate(intervals)]
    clamp = [1.0, *(clamp_score(dataset, "extrapolation", f"{k} out") for k in numbers)]
    axes.plot(range(len(clamp)), clamp, color=style_of(CLAMP).colour, linestyle=style_of(CLAMP).dash, label=CLAMP)
    drawn += [{"method": CLAMP, "n_out": k, "mean": value, "n": 1} for k, value in enumerate(clamp)]
    axes.set_xticks(range(len(clamp)))
    axes.set(xlabel="factors out of distribution at once", ylabel="R², mean over factors")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    data = pd.DataFrame(drawn)
    models = data[data.method != CLAMP]
    last = models[(models.n_out == len(clamp) - 1) & models.converged]["mean"]
    reached = f"R² is {number(float(last.max()), 2)} at best" if len(last) else "no model has converged"
    finding = f"All {len(clamp) - 1} factors out: {reached}; perfect clamping has {number(clamp[-1], 2)}"
    state_finding(figure, finding)
    caption = (
        "Mean R² over all factors against how many factors are out of distribution, extrapolation split (0: training "
        f"images). Lines: means over seeds ({seeds_behind(models)}), bands: 95 % intervals over seeds where there are "
        "more than two. Grey: not converged. Dashed black: the clamp oracle."
    )
    return Drawing(figure, "number_out", f"{finding}.", caption, data)


def _by_number_out(rows: pd.DataFrame, dataset: str, method: str, numbers: Sequence[int]) -> list[Interval]:
    where = conditions(dataset, method, "extrapolation")
    series = [measured(rows, **where, subset=s, factor="mean", metric="r2") for s in _number_subsets(numbers)]
    return [t_interval(values) for values in series if values is not None]


def _legend_name(rows: pd.DataFrame, dataset: str, method: str) -> str:
    return method if has_converged(rows, dataset, method) else f"{method} (not converged)"


def _number_subsets(numbers: Sequence[int]) -> list[str]:
    return ["train", *(f"{count} out" for count in numbers)]


def draw_leaderboard(rows: pd.DataFrame, published: pd.DataFrame) -> Drawing:
    """Draw the published best extrapolation scores beside the clamp oracle, and ours on the re-rendered sprites."""
    data_sets = list(dict.fromkeys(published["dataset"]))
    figure, axes = new_figure(height=3.2, layout="constrained")
    drawn: list[dict[str, Any]] = []
    for place, dataset in enumerate([*data_sets, MAIN_DATA_SET]):
        printed = published[published.dataset == dataset]
        paper_marks(axes, printed["value"].tolist(), [place] * len(printed), label=place == 0)
        look, clamp = style_of(CLAMP), clamp_score(dataset, "extrapolation")
        label = None if place else CLAMP
        axes.plot(
            [clamp], [place], marker=look.marker, markersize=10, color=look.colour, linestyle="", label=label, zorder=4
        )
        both = zip(printed.method, printed.value, strict=True)
        drawn += [{"dataset": dataset, "method": m, "mean": v, "what": "paper"} for m, v in both]
        drawn.append({"dataset": dataset, "method": CLAMP, "mean": clamp, "what": "oracle"})
    drawn += _draw_ours(axes, rows, len(data_sets))
    name_lines(axes, [*map(TITLES.__getitem__, data_sets), "sprites (ours)"])
    axes.set_xlabel("R² in extrapolation, mean over factors")
    figure.legend(loc="outside lower center", ncols=3, fontsize=7.5)
    data = pd.DataFrame(drawn)
    best = data[data.what == "paper"].groupby("dataset")["mean"].max()
    gap = min(clamp_score(name, "extrapolation") - best[name] for name in data_sets)
    finding = f"The best published models lie at least {number(gap, 2)} below an oracle that cannot extrapolate"
    state_finding(figure, finding)
    caption = (
        "Open diamonds: the two best published models of each data set. Stars: the clamp oracle, which reads every "
        "factor perfectly but only says values seen in training. Last line: our converged models on re-rendered "
        "dSprites, spread downwards for legibility, with 95 % intervals over seeds or, of one seed, over the factors' "
        "values."
    )
    return Drawing(figure, "leaderboard", f"{finding}.", caption, data)


def _draw_ours(axes: Axes, rows: pd.DataFrame, place: int) -> list[dict[str, Any]]:
    """Draw our models below the line's middle, one under the other."""
    drawn = []
    sound = [m for m in methods_of(rows, MAIN_DATA_SET) if has_converged(rows, MAIN_DATA_SET, m)]
    found = {m: score(rows, MAIN_DATA_SET, m, "extrapolation") for m in sound}
    there = {m: value for m, value in found.items() if value is not None}
    heights = np.linspace(place - 0.3, place + 0.4, len(there))
    for height, (method, value) in zip(heights, there.items(), strict=True):
        look, interval = look_of(rows, MAIN_DATA_SET, method), value.interval
        ends = [[max(interval.estimate - interval.low, 0)], [max(interval.high - interval.estimate, 0)]]
        axes.errorbar(
            [interval.estimate], [height], xerr=ends, marker=look.marker, color=look.colour, linestyle="",
            markersize=4.5, elinewidth=0.8, label=method,
        )  # fmt: skip
        drawn.append(as_data(interval, dataset=MAIN_DATA_SET, method=method, what="ours", interval_over=value.over))
    return drawn


def draw_blog(rows: pd.DataFrame) -> Drawing:
    """Draw shape accuracy in the blog's case, held out against control."""
    found = select(rows, dataset=MAIN_DATA_SET, experiment="blog", metric="shape_accuracy")
    methods = [name for name in APPROACHES if name in set(found["method"])]
    figure, axes = new_figure(height=0.5 * len(methods) + 1.5, layout="constrained")
    drawn: list[dict[str, Any]] = []
    for shift, subset in enumerate(("control", "held out")):
        values = [per_seed(found, method=m, subset=subset) for m in methods]
        intervals = [t_interval(value) for value in values]
        places = [place + 0.2 * (shift - 0.5) for place in range(len(methods))]
        runs = [value.to_list() for value in values]
        interval_dots(axes, places, intervals, method=subset, single_runs=runs, label=subset)
        drawn += [as_data(i, method=m, training_set=subset) for m, i in zip(methods, intervals, strict=True)]
    name_lines(axes, methods)
    axes.set(xlim=(-3, 103), xlabel="shape accuracy on large hearts and small squares, %")
    axes.axvline(CHANCE, color=style_of("not converged").colour, linewidth=0.8)
    axes.legend(fontsize=8)
    data = pd.DataFrame(drawn)
    shares = data.pivot(index="method", columns="training_set", values="mean").loc[methods]
    words = [f"{m} {row['held out']:.0f} % (control {row['control']:.0f} %)" for m, row in shares.iterrows()]
    finding = f"Shapes read in held-out combinations: {', '.join(words)}"
    state_finding(figure, finding)
    caption = (
        "Held out: trained on small hearts, large squares and all ellipses. Control: as many images drawn from all but "
        "the test images. Same test images; grey line: guessing. Means with 95 % intervals over seeds "
        f"({seeds_behind(data)})."
    )
    return Drawing(figure, "blog", f"{finding}.", caption, data)
