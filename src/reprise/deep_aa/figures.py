"""Figures of accuracies: levels, gaps to the default beside the paper's, and both similarity and accuracy by depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from reprise.deep_aa.comparisons import corrected_interval
from reprise.deep_aa.names import (
    ACCURACY,
    AUDIT,
    AUTOAUGMENT,
    CHOSEN_DEPTH,
    CIFAR,
    DEEP_TRIVIAL,
    DEFAULT,
    DEFAULT_CUTOUT,
    DIGITS,
    METHODS,
    MIRRORED,
    NONE,
    PUBLISHED,
    RANDAUGMENT,
    SEARCHED,
    SIMILARITY,
    SIMPLE,
    TRIVIAL,
)
from reprise.numerals import difference, number
from reprise.plots import (
    Drawing,
    Line,
    along,
    as_data,
    draw_curve,
    draw_dots,
    interval_dots,
    measured,
    measured_lines,
    name_lines,
    new_figure,
    paper_marks,
    printed,
    seeds_behind,
    state_finding,
)
from reprise.rows import MissingRowsError
from reprise.stats import paired_differences, t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLES = {CIFAR: "CIFAR-10, five sheets", DIGITS: "coloured digits", MIRRORED: "digits, some mirrored"}
LINES = (
    *(Line(method, method, {"method": method, "part": ACCURACY, "split": "test"}) for method in METHODS),
    Line("DeepTA, best depth", CHOSEN_DEPTH, {"method": CHOSEN_DEPTH, "part": AUDIT, "split": "test"}),
)
COMPARED = (NONE, DEFAULT_CUTOUT, TRIVIAL, RANDAUGMENT, AUTOAUGMENT, DEEP_TRIVIAL, SIMPLE, PUBLISHED, SEARCHED)
# The paper's table is on another scale of data and network: gaps within a column are what can be set beside ours.
PAPERS_COLUMN: dict[str, Any] = {"dataset": "cifar-10", "network": "WRN-28-10", "metric": "accuracy"}
PAPERS_NAMES = {TRIVIAL: "TrivialAugment, RA space", PUBLISHED: SEARCHED}


def draw_levels(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the test accuracy of every augmentation, one panel a data set.

    Raises
    ------
    MissingRowsError
        If the run has no accuracies.
    """
    found = {name: measured_lines(rows, LINES, dataset=name, metric="accuracy") for name in data_sets}
    shown = [line for line in LINES if any(line in [one for one, _ in lines] for lines in found.values())]
    panels = [name for name in data_sets if found[name]]
    height = 0.24 * len(shown) + 1.2
    figure, axes = new_figure(columns=len(panels), height=height, sharey=True, squeeze=False)
    drawn: list[dict[str, Any]] = []
    for one, name in zip(axes[0], panels, strict=True):
        drawn += draw_dots(one, found[name], shown, dataset=name)
        one.set_title(TITLES[name])
        one.set_xlabel("test accuracy (%)")
    data = pd.DataFrame(drawn)
    words = []
    for name in panels:
        best = data[data["dataset"] == name].sort_values("mean").iloc[-1]
        words.append(f"{best['method']} on {TITLES[name]} ({number(best['mean'], 1)} %)")
    finding = f"Most accurate: {', '.join(words)}"
    state_finding(figure, finding)
    caption = (
        f"Test accuracy after the last pass, 95 % t intervals, {seeds_behind(data)}; faint dots: single seeds. Of "
        "CIFAR-10 a seed is a fold, and what was trained on one fold only has no interval."
    )
    return Drawing(figure, "levels", f"{finding}.", caption, data)


def draw_gaps(rows: pd.DataFrame, published: pd.DataFrame, dataset: str) -> Drawing:
    """Draw each augmentation's gap to the default, paired by seed, and the paper's gaps as marks.

    Raises
    ------
    MissingRowsError
        If the run did not train with the default.
    """
    base = measured(rows, dataset=dataset, part=ACCURACY, split="test", method=DEFAULT, metric="accuracy")
    if base is None:
        raise MissingRowsError("this run was not trained with the default augmentation.")
    values = {
        method: measured(rows, dataset=dataset, part=ACCURACY, split="test", method=method, metric="accuracy")
        for method in COMPARED
    }
    shown = [method for method in COMPARED if values[method] is not None]
    figure, axes = new_figure(height=0.28 * len(shown) + 1.3)
    drawn = []
    for place, method in enumerate(shown):
        differences = paired_differences(values[method], base)  # type: ignore[arg-type]
        interval = t_interval(differences)
        interval_dots(axes, [place], [interval], method=method, single_runs=[differences.tolist()])
        paper = papers_gap(published, method) if dataset == CIFAR else None
        wide = corrected_interval(differences)
        if len(differences) > 1 and dataset == CIFAR:
            axes.plot([wide.low, wide.high], [place, place], color="#7F7F7F", linewidth=0.8, zorder=1)
        drawn.append(as_data(interval, method=method, paper=paper, corrected_low=wide.low, corrected_high=wide.high))
    marks = [(line["paper"], place) for place, line in enumerate(drawn) if line["paper"] is not None]
    paper_marks(axes, [x for x, _ in marks], [y for _, y in marks])
    axes.axvline(0, color="black", linewidth=0.8)
    name_lines(axes, shown)
    axes.set_xlabel(f"accuracy − that of the default (points), {TITLES[dataset]}")
    data = pd.DataFrame(drawn)
    finding = _gaps_in_words(data)
    state_finding(figure, finding)
    return Drawing(
        figure,
        f"gaps_{dataset.replace('-', '_')}",
        f"Gap of each augmentation to crop and flip. {finding}.",
        f"Paired by seed, 95 % t intervals, {seeds_behind(data)}; thin grey: corrected for overlapping training sets; "
        "faint dots: single seeds. Grey diamonds: the paper's gaps on CIFAR-10 with WRN-28-10 and all 50,000 images.",
        data,
    )


def papers_gap(published: pd.DataFrame, method: str) -> float | None:
    """Return a method's printed gap to the default on CIFAR-10 with WRN-28-10."""
    base = printed(published, method=DEFAULT, **PAPERS_COLUMN)
    name = PAPERS_NAMES.get(method, method)
    value = None if method == DEFAULT_CUTOUT else printed(published, method=name, variant=None, **PAPERS_COLUMN)
    return None if value is None or base is None else round(value - base, 2)


def _gaps_in_words(data: pd.DataFrame) -> str:
    from reprise.stats import Interval

    words = []
    for method in (SEARCHED, PUBLISHED, DEEP_TRIVIAL):
        for line in data[data["method"] == method].itertuples():
            interval = Interval(line.mean, line.low, line.high, int(line.n))
            words.append(f"{method} {difference(interval)}")
    return f"Points over the default: {'; '.join(words)}"


def draw_depth(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw cosine, and where it was measured accuracy, against the number of layers, found and at random.

    Raises
    ------
    MissingRowsError
        If the run has neither.
    """
    panels: list[tuple[str, str]] = []
    for name in data_sets:
        panels += [(name, "cosine")] * (measured(rows, dataset=name, part=SIMILARITY, metric="cosine") is not None)
        deep = measured(rows, dataset=name, part=AUDIT, variant="by depth", split="test", metric="accuracy")
        panels += [(name, "accuracy")] * (deep is not None)
    columns = min(2, max(1, len(panels)))
    n_lines = -(-len(panels) // columns)
    figure, axes = new_figure(rows=n_lines if panels else 0, columns=columns, height=2.3 * n_lines + 0.4, squeeze=False)
    drawn: list[dict[str, Any]] = []
    for one, (name, metric) in zip(axes.ravel(), panels, strict=False):
        drawn += [{"dataset": name, "metric": metric, **line} for line in _draw_by_depth(one, rows, name, metric)]
        one.set_title(TITLES[name])
        one.set_xlabel("layers")
        one.set_ylabel("cos(v, g)" if metric == "cosine" else "test accuracy (%)")
        one.set_xticks(range(int(max(line["at"] for line in drawn)) + 1))
        if metric == "cosine":
            # Whiskers of few seeds reach beyond what a cosine can be.
            means = [line["mean"] for line in drawn if line["dataset"] == name and line["metric"] == metric]
            one.set_ylim(min(means) - 0.15, min(1.0, max(means) + 0.15))
    for empty in axes.ravel()[len(panels) :]:
        empty.set_visible(False)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7)
    data = pd.DataFrame(drawn)
    finding = _depth_in_words(data[data["dataset"] == data["dataset"].iloc[0]])
    state_finding(figure, finding)
    return Drawing(
        figure,
        "depth",
        f"Similarity and accuracy by number of layers. {finding}.",
        f"Cosine: mean over the same fresh units, g from sampled sequences; 95 % t intervals over seeds, "
        f"{seeds_behind(data)}. Layers 0: no augmentation.",
        data,
    )


def _draw_by_depth(axes: Axes, rows: pd.DataFrame, name: str, metric: str) -> list[dict[str, Any]]:
    how: dict[str, Any] = {"dataset": name, "metric": metric}
    how |= {"part": SIMILARITY} if metric == "cosine" else {"part": AUDIT, "variant": "by depth", "split": "test"}
    drawn = []
    if metric == "cosine":
        drawn += draw_curve(axes, {0: measured(rows, layer=0, method=NONE, **how)}, style=NONE)
    else:
        base = measured(rows, dataset=name, part=ACCURACY, split="test", method=NONE, metric=metric)
        drawn += draw_curve(axes, {0: base}, style=NONE)
    for place, method in enumerate((SEARCHED, DEEP_TRIVIAL, PUBLISHED)):
        curve = along(rows, range(1, 9), column="layer", method=method, variant=_variant(metric), **_without(how))
        drawn += draw_curve(axes, curve, style=method, aside=0.06 * place)
    return drawn


def _variant(metric: str) -> str:
    from reprise.deep_aa.names import BASE

    return BASE if metric == "cosine" else "by depth"


def _without(how: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in how.items() if key != "variant"}


def _depth_in_words(data: pd.DataFrame) -> str:
    words = []
    for metric, own in data.groupby("metric", sort=False):
        deepest = own[own["at"] == own["at"].max()]
        places = 2 if metric == "cosine" else 1
        words.append(
            f"{metric} {', '.join(f'{line.method} {number(line.mean, places)}' for line in deepest.itertuples())}"
        )
    where = TITLES[str(data["dataset"].iloc[0])]
    return f"With {int(data['at'].max())} layers on {where}: {'; '.join(words)}"
