"""Figures of accuracies: levels, gaps to the default beside the paper's, by depth, and after longer training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reprise.deep_aa.comparisons import corrected_interval
from reprise.deep_aa.names import (
    ACCURACY,
    AUDIT,
    AUTOAUGMENT,
    BASE,
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
    longer_variant,
)
from reprise.method_styles import style_of
from reprise.numerals import difference, number
from reprise.plots import (
    Drawing,
    Line,
    along,
    as_data,
    draw_curve,
    draw_dots,
    interval_dots,
    keep_to_percent,
    measured,
    measured_lines,
    name_lines,
    new_figure,
    paper_marks,
    printed,
    seeds_behind,
    state_finding,
)
from reprise.rows import MissingRowsError, select
from reprise.stats import Interval, paired_differences, t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLES = {CIFAR: "CIFAR-10 (five sheets)", DIGITS: "coloured digits", MIRRORED: "mirrored digits"}
# What a reader must know of these two beside their name in the rows.
LABELS = {PUBLISHED: "DeepAA, published (six layers)", SIMPLE: "DeepAA-simple (ends with cutout)"}
LINES = (
    *(
        Line(LABELS.get(method, method), method, {"method": method, "part": ACCURACY, "split": "test"})
        for method in METHODS
    ),
    Line("DeepTA, best depth", CHOSEN_DEPTH, {"method": CHOSEN_DEPTH, "part": AUDIT, "split": "test"}),
)
COMPARED = (NONE, DEFAULT_CUTOUT, TRIVIAL, RANDAUGMENT, AUTOAUGMENT, DEEP_TRIVIAL, SIMPLE, PUBLISHED, SEARCHED)
LONGER = (DEFAULT, DEEP_TRIVIAL, SEARCHED)
FEWEST_ORDERED = 3  # augmentations, at least, whose order is told
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
        one.set_title(TITLES[name].replace(" (", "\n("), fontsize=9)
        one.set_xlabel("test accuracy (%)")
        _open_single_seeds(one, found[name], shown)
        keep_to_percent(one)
    data = pd.DataFrame(drawn)
    finding = _searched_against_default(rows, panels)
    state_finding(figure, finding)
    caption = (
        f"Test accuracy after the last pass, 95 % t intervals, {seeds_behind(data)}; faint dots: single seeds"
        f"{_open_in_words(data)}. Of CIFAR-10 a seed is a fold."
    )
    return Drawing(figure, "levels", f"{finding}.", caption, data)


def _open_single_seeds(axes: Axes, found: Sequence[tuple[Line, pd.Series]], shown: Sequence[Line]) -> None:
    """Draw what was measured once with an open mark, so that it is not taken for a mean."""
    for line, values in found:
        if len(values) == 1:
            _open_mark(axes, float(values.iloc[0]), shown.index(line), line.style)


def _open_in_words(data: pd.DataFrame) -> str:
    return "; open marks: one seed only, so without an interval" if (data["n"] == 1).any() else ""


def _open_mark(axes: Axes, x: float, y: float, style: str) -> None:
    look = style_of(style)
    how: dict[str, Any] = {"marker": look.marker, "markersize": 6, "markeredgecolor": look.colour, "zorder": 5}
    axes.plot([x], [y], linestyle="", markerfacecolor="white", **how)


def _searched_against_default(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say by how much the searched policy is ahead of the default, or of nothing, paired by seed on each data set.

    Of mirrored digits only of nothing: the default flips, and with it erases the label.
    """
    words = []
    for name in data_sets:
        how = {"dataset": name, "part": ACCURACY, "split": "test", "metric": "accuracy"}
        ours = measured(rows, method=SEARCHED, **how)
        for other in (NONE,) if name == MIRRORED else (DEFAULT, NONE):
            base = measured(rows, method=other, **how)
            if ours is not None and base is not None:
                gap = t_interval(paired_differences(ours, base))
                words.append(f"{TITLES[name]}: {SEARCHED} − {other.lower()} {difference(gap)}")
                break
    return f"Points of accuracy: {'; '.join(words)}" if words else "Accuracy by augmentation"


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
        if len(differences) == 1:
            _open_mark(axes, interval.estimate, place, method)
        paper = papers_gap(published, method) if dataset == CIFAR else None
        wide = corrected_interval(differences)
        if len(differences) > 1 and dataset == CIFAR:
            axes.plot([wide.low, wide.high], [place, place], color="#7F7F7F", linewidth=0.8, zorder=1)
        drawn.append(as_data(interval, method=method, paper=paper, corrected_low=wide.low, corrected_high=wide.high))
    marks = [(line["paper"], place) for place, line in enumerate(drawn) if line["paper"] is not None]
    paper_marks(axes, [x for x, _ in marks], [y for _, y in marks])
    axes.axvline(0, color="black", linewidth=0.8)
    name_lines(axes, [LABELS.get(method, method) for method in shown])
    axes.set_xlabel(f"accuracy − that of the default (points), {TITLES[dataset]}")
    data = pd.DataFrame(drawn)
    finding = _gaps_in_words(data)
    state_finding(figure, finding)
    return Drawing(
        figure,
        f"gaps_{dataset.replace('-', '_')}",
        f"Gap of each augmentation to crop and flip. {finding}.",
        f"Paired by seed, 95 % t intervals, {seeds_behind(data)}; thin grey: corrected for overlapping training sets; "
        f"faint dots: single seeds{_open_in_words(data)}. Grey diamonds: the paper's gaps on CIFAR-10 with WRN-28-10 "
        "and all 50,000 images.",
        data,
    )


def papers_gap(published: pd.DataFrame, method: str) -> float | None:
    """Return a method's printed gap to the default on CIFAR-10 with WRN-28-10."""
    base = printed(published, method=DEFAULT, **PAPERS_COLUMN)
    name = PAPERS_NAMES.get(method, method)
    value = None if method == DEFAULT_CUTOUT else printed(published, method=name, variant=None, **PAPERS_COLUMN)
    return None if value is None or base is None else round(value - base, 2)


def _gaps_in_words(data: pd.DataFrame) -> str:
    words = []
    for method in (SEARCHED, PUBLISHED, DEEP_TRIVIAL):
        for line in data[data["method"] == method].itertuples():
            interval = Interval(line.mean, line.low, line.high, int(line.n))
            words.append(f"{LABELS.get(method, method)} {difference(interval)}")
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
    finding = depth_in_words(rows, data_sets)
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
    how: dict[str, Any] = {"dataset": name, "metric": metric, "split": "test"}
    how |= {"part": SIMILARITY, "variant": BASE} if metric == "cosine" else {"part": AUDIT, "variant": "by depth"}
    drawn = []
    if metric == "cosine":
        drawn += draw_curve(axes, {0: measured(rows, layer=0, method=NONE, **how)}, style=NONE)
    else:
        base = measured(rows, dataset=name, part=ACCURACY, split="test", method=NONE, metric=metric)
        drawn += draw_curve(axes, {0: base}, style=NONE)
    for place, method in enumerate((SEARCHED, DEEP_TRIVIAL, PUBLISHED)):
        curve = along(rows, range(1, 9), column="layer", method=method, **how)
        drawn += draw_curve(axes, curve, style=method, aside=0.06 * place)
    return drawn


def depth_in_words(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say how far the searched layers are ahead of random ones at the greatest depth, in cosine and in accuracy."""
    words = []
    for name in data_sets:
        for what, places, how in (
            ("cosine", 3, {"part": SIMILARITY, "metric": "cosine", "variant": BASE}),
            ("accuracy", 1, {"part": AUDIT, "metric": "accuracy", "variant": "by depth", "split": "test"}),
        ):
            try:
                both = {m: select(rows, dataset=name, method=m, **how) for m in (SEARCHED, DEEP_TRIVIAL)}
            except MissingRowsError:
                continue
            depth = int(min(found["layer"].max() for found in both.values()))
            ours, random = (measured(found, layer=depth) for found in both.values())
            gap = t_interval(paired_differences(ours, random))  # type: ignore[arg-type]
            words.append(f"{what} on {TITLES[name]} {difference(gap, places)}")
    return f"{SEARCHED} − {DEEP_TRIVIAL} at the greatest depth: {', '.join(words)}"


def lead_in_words(rows: pd.DataFrame, dataset: str) -> str:
    """Say how the searched layers' lead in cosine over random ones changes with their number."""
    how: dict[str, Any] = {"dataset": dataset, "part": SIMILARITY, "metric": "cosine", "variant": BASE}
    ours, random = (along(rows, range(1, 9), column="layer", method=m, **how) for m in (SEARCHED, DEEP_TRIVIAL))
    leads = []
    for layer, found in ours.items():
        drawn = random.get(layer)
        if found is not None and drawn is not None:
            leads.append(f"{difference(t_interval(paired_differences(found, drawn)), 3)} with {layer}")
    if not leads:
        return ""
    return f"Lead in cosine of {SEARCHED} over {DEEP_TRIVIAL} by layers, {TITLES[dataset]}: {', '.join(leads)}."


def order_in_words(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say on each data set whether the mean cosine at the greatest depth orders augmentations as accuracy does."""
    sentences, published = [], False
    for name in data_sets:
        how: dict[str, Any] = {"dataset": name, "part": SIMILARITY, "metric": "cosine", "variant": BASE}
        tested = {"dataset": name, "part": ACCURACY, "metric": "accuracy", "split": "test"}
        means = {}
        for method in (NONE, DEEP_TRIVIAL, SEARCHED, PUBLISHED):
            curve = along(rows, range(9), column="layer", method=method, **how)
            cosines = [values for values in curve.values() if values is not None]
            accuracy = measured(rows, method=method, **tested)
            if cosines and accuracy is not None:
                means[method] = (float(cosines[-1].mean()), float(accuracy.mean()))
        ordered = sorted(means, key=lambda method: means[method][0])
        if len(ordered) < FEWEST_ORDERED:
            continue
        published = published or PUBLISHED in means
        accuracies = [means[method][1] for method in ordered]
        ascending = sorted(accuracies)
        if accuracies == ascending:
            order = "the same order"
        else:
            order = "the reverse order" if accuracies == ascending[::-1] else "another order"
        words = [f"{LABELS.get(m, m)} {number(means[m][0], 3)} and {number(means[m][1], 1)} %" for m in ordered]
        sentences.append(f"{TITLES[name]}, {order}: {', '.join(words)}")
    if not sentences:
        return ""
    cut = ", the published policy's for its first layers only" if published else ""
    return f"Mean cosine at the greatest depth{cut}, and test accuracy. {'; '.join(sentences)}."


def falls_in_words(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say how accuracy changes from one layer to the most, searched and at random, and the searched cosine with it."""
    sentences = []
    for name in data_sets:
        how: dict[str, Any] = {"dataset": name, "part": AUDIT, "metric": "accuracy", "variant": "by depth"}
        words = []
        for method in (SEARCHED, DEEP_TRIVIAL):
            curve = along(rows, range(1, 9), column="layer", method=method, split="test", **how)
            values = {layer: found for layer, found in curve.items() if found is not None}
            if len(values) > 1:
                change = t_interval(paired_differences(values[max(values)], values[1]))
                words.append(f"{method} {difference(change)} points from one layer to {max(values)}")
        if words:
            sentences.append(f"Accuracy on {TITLES[name]}: {'; '.join(words)}.")
    return " ".join(sentences)


# ---- longer training -------------------------------------------------------------------------------------------------


def draw_longer(rows: pd.DataFrame, dataset: str, epochs: int, times: int) -> Drawing:
    """Draw test and training accuracy after the usual passes, and after several times as many.

    Parameters
    ----------
    rows
        With those of the audit of longer training.
    dataset
        Whose trainings are shown.
    epochs
        The usual number of passes.
    times
        How many times as many the longer trainings had.

    Raises
    ------
    MissingRowsError
        If the run has no such audit.
    """
    if all(longer_pair(rows, dataset, method, times) is None for method in LONGER):
        raise MissingRowsError("this run trained nothing longer.")
    figure, axes = new_figure(columns=2, height=2.9)
    drawn: list[dict[str, Any]] = []
    for one, split in zip(axes, ("test", "train"), strict=True):
        for place, method in enumerate(LONGER):
            pair = longer_pair(rows, dataset, method, times, split)
            if pair is not None:
                curve = {epochs: pair[0], times * epochs: pair[1]}
                lines = draw_curve(one, curve, style=method, aside=0.6 * (place - 1))
                drawn += [{"split": split, **line} for line in lines]
        one.set(xlabel="passes", ylabel="test accuracy (%)" if split == "test" else "own training images (%)")
        one.set_xticks([epochs, times * epochs])
    axes[0].legend(fontsize=7)
    data = pd.DataFrame(drawn)
    gaps = longer_gaps(rows, dataset, DEFAULT, times)
    finding = "Accuracy after the usual passes and after more"
    if gaps is not None:
        usual, more = (difference(gap) for gap in gaps[:2])
        wide = corrected_interval(longer_changes(rows, dataset, DEFAULT, times))
        finding = (
            f"{SEARCHED} − {DEFAULT.lower()}: {usual} points after {epochs} passes, {more} after {times * epochs}; "
            f"change {difference(wide)}{' (corrected for overlapping folds)' if wide.n > 1 else ''}"
        )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "longer",
        f"Accuracy after {epochs} and {times * epochs} passes. {finding}.",
        f"{TITLES[dataset]}: 95 % t intervals over the same folds, {seeds_behind(data)}. Left: test images; right: the "
        "images trained on, unaugmented. Equal policies, weights at the start and rates; only the passes differ.",
        data,
    )


def longer_pair(
    rows: pd.DataFrame, dataset: str, method: str, times: int, split: str = "test"
) -> tuple[pd.Series, pd.Series] | None:
    """Return a method's accuracies after the usual and after more passes, on the seeds that have both, or None."""
    how = {"dataset": dataset, "method": method, "split": split, "metric": "accuracy"}
    usual = measured(rows, part=ACCURACY, **how)
    more = measured(rows, part=AUDIT, variant=longer_variant(times), **how)
    if usual is None or more is None:
        return None
    seeds = usual.index.intersection(more.index)
    return usual.loc[seeds], more.loc[seeds]


def longer_gaps(rows: pd.DataFrame, dataset: str, other: str, times: int) -> tuple[Interval, Interval, Interval] | None:
    """Return searched − other after the usual passes, after more, and the second minus the first, paired by seed."""
    ours, theirs = (longer_pair(rows, dataset, method, times) for method in (SEARCHED, other))
    if ours is None or theirs is None:
        return None
    usual, more = (paired_differences(a, b) for a, b in zip(ours, theirs, strict=True))
    return t_interval(usual), t_interval(more), t_interval(longer_changes(rows, dataset, other, times))


def longer_changes(rows: pd.DataFrame, dataset: str, other: str, times: int) -> NDArray[np.float64]:
    """Return by how much the gap searched − other changes with the longer training, one value a seed."""
    ours, theirs = (longer_pair(rows, dataset, method, times) for method in (SEARCHED, other))
    assert ours is not None
    assert theirs is not None
    return paired_differences(ours[1] - ours[0], theirs[1] - theirs[0])
