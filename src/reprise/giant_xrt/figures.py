"""The figures of the comparisons: printed pairs as dumbbells, all features, levels, ablations, data sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.giant_xrt.rules import FEW, MANY, PLAIN, gap, over_plain
from reprise.method_styles import style_of
from reprise.numerals import difference, number
from reprise.palette import PAPER_COLOUR
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
    seeds_behind,
    state_finding,
)
from reprise.rows import MissingRowsError, select
from reprise.stats import Interval, paired_differences, t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = {
    "text-blocks": "text blocks",
    "citeseer-text": "CiteSeer",
    "movie-plots": "films",
    "coauthor-cs": "co-authors",
    "ogbn-arxiv": "ogbn-arxiv",
    "ogbn-products": "ogbn-products",
    "ogbn-papers100M": "ogbn-papers100M",
}
FEATURES = (
    "GIANT",
    "GIANT, closed form",
    "Link prediction",
    "SVD + GIANT",
    "Untrained encoder",
    "SVD",
    "TF-IDF",
    "Binary words",
    "MiniLM, frozen",
    "MiniLM, GIANT",
    "SVD, one hop",
    "GIANT, one hop",
    "DGI",
    "GAE",
)
TREES = ("PIFA tree", "Text tree", "PII tree", "Random tree")
ABLATIONS = (
    ("as proposed here", "PIFA tree"),
    ("tree on texts alone", "Text tree"),
    ("tree on links alone (PII)", "PII tree"),
    ("random tree", "Random tree"),
    ("finest level only", "Finest level only"),
    ("shortlist TFN + MAN", "TFN + MAN"),
    ("shortlist TFN", "TFN only"),
    ("shortlist MAN", "MAN only"),
    ("heads begin by ridge", "Ridge heads"),
    ("TFN + MAN, heads begin by SVM", "TFN + MAN, SVM heads"),
    ("falling rate, clipped", "Falling rate"),
    ("the paper's recipe", "Paper's recipe"),
)
PAPERS = "Paper's recipe"
COMPARED_SETS = ("text-blocks", "citeseer-text", "movie-plots", "coauthor-cs")


def title_of(data_set: object) -> str:
    """Return how a data set is called in figures."""
    return TITLES.get(str(data_set), str(data_set))


def focus_of(data_sets: Sequence[str], full: Sequence[str]) -> str:
    """Return the data set that the page shows most of: the last that has all parts of the study, or else the first."""
    return [*data_sets[:1], *(name for name in full if name in data_sets)][-1]


def sets_with(rows: pd.DataFrame, **conditions: Any) -> list[str]:
    """Return the data sets that have rows of a kind, in the order of the chapter; raises if none has."""
    present = set(select(rows, **conditions)["dataset"])
    return [name for name in COMPARED_SETS if name in present]


def panel_each(
    rows: pd.DataFrame, *, height: float, sharey: bool = False, **conditions: Any
) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with a titled panel, by name, for each data set that has rows of a kind; raises if none has."""
    names = sets_with(rows, **conditions)
    figure, axes = new_figure(columns=len(names), height=height, squeeze=False, sharey=sharey)
    for one, name in zip(axes[0], names, strict=True):
        one.set_title(title_of(name))
    return figure, dict(zip(names, axes[0], strict=True))


def mark_levels(axes: Axes, rows: pd.DataFrame, **conditions: Any) -> list[int]:
    """Write the levels that the rows have (numbers of clusters) along an axis, one unit a doubling; return them."""
    levels = sorted({int(level) for level in select(rows, **conditions)["level"]})
    axes.set_xticks(np.log2(levels), [str(level) for level in levels])
    return levels


def draw_over_levels(
    axes: Axes, rows: pd.DataFrame, levels: Sequence[int], *, style: str, label: str | None = None, **conditions: Any
) -> list[dict[str, Any]]:
    """Draw means with intervals over levels, placed as `mark_levels` does; return the numbers drawn."""
    curve = along(rows, levels, column="level", **conditions)
    return draw_curve(axes, {np.log2(level): values for level, values in curve.items()}, style=style, label=label)


# ---- Table R1 --------------------------------------------------------------------------------------------------------


def draw_dumbbells(rows: pd.DataFrame, published: pd.DataFrame) -> Drawing:
    """Draw the paper's pairs (plain features, GIANT) and ours, one line each."""
    theirs = _printed_pairs(published)
    ours = _own_pairs(rows)
    if not ours:
        raise MissingRowsError("no comparison with the MLP in this run.")
    figure, axes = new_figure(height=0.27 * (len(theirs) + len(ours)) + 1.2)
    drawn: list[dict[str, Any]] = []
    for place, (label, low, high) in enumerate(theirs):
        axes.plot([low, high], [place, place], color=PAPER_COLOUR, linewidth=1, zorder=1)
        marks = {"linestyle": "", "marker": "D", "markerfacecolor": "white", "color": PAPER_COLOUR}
        axes.plot([low], [place], markersize=5, **marks)
        axes.plot([high], [place], markersize=8, **marks)
        drawn.append({"line": label, "plain": low, "giant": high, "source": "paper"})
    for number_, (label, plain, giant) in enumerate(ours):
        place = len(theirs) + number_
        axes.plot([plain[1].estimate, giant.estimate], [place, place], color=style_of("GIANT").colour, linewidth=1)
        interval_dots(axes, [place], [plain[1]], method=plain[0])
        interval_dots(axes, [place], [giant], method="GIANT")
        drawn.append({"line": label, "plain": plain[1].estimate, "giant": giant.estimate, "source": "ours"})
    name_lines(axes, [label for label, *_ in theirs] + [label for label, *_ in ours])
    axes.axhline(len(theirs) - 0.5, color="black", linewidth=0.8)
    axes.set_xlabel("test accuracy (%)")
    # Planted effects say nothing about size: the finding is about real sets, where there are any.
    real = [line for line in ours if not line[0].startswith(TITLES["text-blocks"])] or ours
    gains = [giant.estimate - plain[1].estimate for _, plain, giant in real]
    printed_gains = [high - low for _, low, high in theirs]
    range_here = f"{number(min(gains), 1, signed=True)} to {number(max(gains), 1, signed=True)}"
    state_finding(
        figure,
        f"The paper's gains, partly from memory, are {number(min(printed_gains), 1)} to "
        f"{number(max(printed_gains), 1)} points; here they are {range_here}",
    )
    return Drawing(
        figure,
        "dumbbells",
        f"Gain of GIANT over plain features: in the paper, partly from memory, {number(min(printed_gains), 1)} to "
        f"{number(max(printed_gains), 1)} points on three large graphs, here {range_here} points on small ones.",
        "Above the line: the paper's pairs, small diamond plain features, large one GIANT; sources differ, some plain "
        "values are from memory, and their intervals are not drawn. Below: ours on other data, the best of TF-IDF, SVD "
        "and binary words "
        "(MLP) or SVD (GraphSAGE) against GIANT with the linear encoder, means with 95 % t intervals over seeds.",
        pd.DataFrame(drawn),
    )


def _printed_pairs(published: pd.DataFrame) -> list[tuple[str, float, float]]:
    table = published.pivot_table(index=["dataset", "model"], columns="method", values="value", sort=False)
    return [
        (f"{title_of(data_set)}, {model}", float(line["OGB features"]), float(line["GIANT"]))
        for (data_set, model), line in table.iterrows()
    ]


def _own_pairs(rows: pd.DataFrame) -> list[tuple[str, tuple[str, Interval], Interval]]:
    found = []
    for name in COMPARED_SETS:
        for labels in (FEW, MANY):
            for model, rivals in (("MLP", PLAIN), ("GraphSAGE", ("SVD",))):
                how: dict[str, Any] = {"dataset": name, "experiment": "comparison", "model": model, "labels": labels}
                giant = measured(rows, method="GIANT", metric="accuracy", **how)
                plain = {
                    rival: values
                    for rival in rivals
                    if (values := measured(rows, method=rival, metric="accuracy", **how)) is not None
                }
                if giant is None or not plain:
                    continue
                best = max(plain, key=lambda rival: plain[rival].mean())
                pair = (best, t_interval(plain[best]))
                found.append((f"{title_of(name)}, {labels}, {model}", pair, t_interval(giant)))
    return found


# ---- all features ----------------------------------------------------------------------------------------------------


def draw_features(rows: pd.DataFrame, data_set: str, model: str = "MLP") -> Drawing:
    """Draw accuracy of every kind of features under a model, few labels and many side by side."""
    how: dict[str, Any] = {"dataset": data_set, "metric": "accuracy", "experiment": "comparison", "model": model}
    regimes = [labels for labels in (FEW, MANY) if not _none(rows, labels=labels, **how)]
    lines = [Line(name, name, {"method": name}) for name in FEATURES]
    present = {line.label for labels in regimes for line, _ in measured_lines(rows, lines, labels=labels, **how)}
    lines = [line for line in lines if line.label in present]
    figure, axes = new_figure(
        columns=len(regimes), height=0.27 * len(lines) + 1.3, sharey=True, squeeze=False, sharex=False
    )
    drawn: list[dict[str, Any]] = []
    for one, labels in zip(axes[0], regimes, strict=True):
        found = measured_lines(rows, lines, labels=labels, **how)
        drawn += draw_dots(one, found, lines, dataset=data_set, labels=labels)
        one.set_title(f"{labels} labelled")
    figure.supxlabel(f"test accuracy of {model} (%)", fontsize=9)
    data = pd.DataFrame(drawn)
    ranks = []
    for labels, group in data.groupby("labels", sort=False):
        text_only = group[~group["method"].isin(["SVD, one hop", "GIANT, one hop", "DGI", "GAE"])]
        best = str(text_only.loc[text_only["mean"].idxmax(), "method"])
        tied = _not_told_apart(rows, best, list(text_only["method"]), {**how, "labels": labels})
        besides = f" (not told apart: {' / '.join(tied)})" if tied else " (beyond doubt)"
        ranks.append(f"{labels} {best}{besides}")
    state_finding(figure, f"{title_of(data_set)}, {model}, highest without the graph at prediction: {'; '.join(ranks)}")
    words = [f"{line.method} {number(line.mean, 1)} ({line.labels})" for line in data.itertuples()]
    return Drawing(
        figure,
        f"features_{data_set}_{model}".replace("-", "_"),
        f"Test accuracy of {model} on {title_of(data_set)}: {', '.join(words)}.",
        f"Means with 95 % t intervals, {seeds_behind(data)}, single runs faint. Features with 'one hop', DGI and GAE "
        "need "
        "the graph at prediction, too.",
        data,
    )


def _not_told_apart(rows: pd.DataFrame, best: str, methods: Sequence[str], how: dict[str, Any]) -> list[str]:
    """Return the methods whose paired difference to the best has an interval that contains 0."""
    values = {method: measured(rows, method=method, **how) for method in methods}
    gaps = {
        method: t_interval(paired_differences(values[best], other))  # type: ignore[arg-type]
        for method, other in values.items()
        if other is not None and method != best
    }
    return [method for method, one in gaps.items() if not one.above(0)]


def _none(rows: pd.DataFrame, **conditions: Any) -> bool:
    try:
        return select(rows, **conditions).empty
    except MissingRowsError:
        return True


def draw_levels(rows: pd.DataFrame) -> Drawing:
    """Draw accuracy after each level, the finest level alone with as many updates as a dotted line."""
    figure, panels = panel_each(rows, experiment="levels", height=2.9)
    drawn: list[dict[str, Any]] = []
    gaps = []
    for name, one in panels.items():
        levels = mark_levels(one, rows, dataset=name, experiment="levels")
        for labels, style in ((FEW, "GIANT"), (MANY, "GIANT, many labels")):
            how: dict[str, Any] = {"dataset": name, "metric": "accuracy", "model": "ridge", "labels": labels}
            looks = {"style": style, "label": labels}
            curve = draw_over_levels(one, rows, levels, **looks, method="GIANT", experiment="levels", **how)
            drawn += [{"dataset": name, **line} for line in curve]
            flat = measured(rows, method="Finest level only", experiment="ablations", **how)
            full = measured(rows, method="PIFA tree", experiment="ablations", **how)
            if flat is not None and full is not None:
                one.axhline(flat.mean(), color=style_of(style).colour, linestyle=":", linewidth=1)
                drawn.append({"dataset": name, "method": f"finest only, {labels}", "mean": flat.mean(), "n": len(flat)})
                if labels == FEW:
                    gaps.append((name, t_interval(paired_differences(full, flat))))
        one.set_xlabel("clusters of the last level trained")
    leftmost = next(iter(panels.values()))
    leftmost.set_ylabel("test accuracy of ridge (%)")
    leftmost.legend(title="labels", loc="lower right")
    words = [f"{title_of(name)} {difference(one)}" for name, one in gaps]
    state_finding(figure, f"With {FEW}, all levels minus the finest alone at equal updates, points: {', '.join(words)}")
    return Drawing(
        figure,
        "levels",
        f"Accuracy by level; all levels minus the finest alone in points with few labels: {', '.join(words)}.",
        "Ridge on the features after each level, means with 95 % t intervals over seeds; dotted lines without "
        "marks: the finest level alone, trained for as many updates as all levels together (means, no interval drawn).",
        pd.DataFrame(drawn),
    )


def draw_ablations(rows: pd.DataFrame) -> Drawing:
    """Draw accuracy with one part of the pre-training changed, by data set."""
    lines = [
        Line(label, method if method in TREES else "GIANT, one part changed", {"method": method})
        for label, method in ABLATIONS
    ]
    figure, panels = panel_each(rows, experiment="ablations", height=3.9, sharey=True)
    drawn: list[dict[str, Any]] = []
    for name, one in panels.items():
        how: dict[str, Any] = {"dataset": name, "experiment": "ablations", "labels": FEW, "metric": "accuracy"}
        drawn += draw_dots(one, measured_lines(rows, lines, **how), lines, dataset=name)
        one.set_xlabel("accuracy of ridge (%)")
    data = pd.DataFrame(drawn)
    changes = {
        name: {
            what: difference(_change(rows, name, method))
            for what, method in (("text tree", "Text tree"), ("paper's recipe", PAPERS), ("links tree", "PII tree"))
        }
        for name in panels
    }
    short = [f"{title_of(name)}: " + ", ".join(f"{w} {of[w]}" for w in list(of)[:2]) for name, of in changes.items()]
    words = [f"{title_of(name)}: " + ", ".join(f"{w} {d}" for w, d in of.items()) for name, of in changes.items()]
    state_finding(figure, f"Changed minus as proposed here, points. {'; '.join(short)}")
    return Drawing(
        figure,
        "ablations",
        f"Change against the pre-training as proposed here, in points: {'; '.join(words)}.",
        f"Ridge, {FEW}; means with 95 % t intervals, {seeds_behind(data)}, single runs faint; all with as many "
        "updates at the same learning rate. The paper's recipe: shortlist TFN + MAN, heads begin by SVM, rate with "
        "warm-up and linear decay, gradients clipped.",
        data,
    )


def _change(rows: pd.DataFrame, data_set: str, method: str) -> Interval:
    how: dict[str, Any] = {"experiment": "ablations", "dataset": data_set}
    return gap(rows, (method, "ridge"), ("PIFA tree", "ridge"), FEW, **how)


def draw_sets(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw GIANT minus each plain kind of features under an MLP, few labels, by data set."""
    names = [name for name in sets_with(rows, experiment="comparison", model="MLP") if name in data_sets]
    found = {name: over_plain(rows, FEW, name) for name in names}
    lines = [(name, rival, one) for name, of in found.items() for rival, one in of.items()]
    figure, axes = new_figure(height=0.3 * len(lines) + 1.2)
    _draw_differences(axes, lines)
    axes.set_xlabel("difference in accuracy (points)")
    state_finding(figure, _sets_gained(rows, names))
    data = pd.DataFrame([as_data(one, dataset=name, rival=rival) for name, rival, one in lines])
    words = [f"{title_of(n)} over {rival} {number(one.estimate, 1, signed=True)}" for n, rival, one in lines]
    return Drawing(
        figure,
        "sets",
        f"GIANT's gain in points with an MLP: {', '.join(words)}.",
        f"{FEW}; paired differences with 95 % t intervals, {seeds_behind(data)}. Right of zero GIANT is better. Text "
        "blocks are a planted effect, not counted in the title beside real sets; frozen MiniLM is not among the "
        "plain features.",
        data,
    )


def _sets_gained(rows: pd.DataFrame, names: Sequence[str]) -> str:
    """Say on which real data sets GIANT is above all plain features, with few labels and with many."""
    real = [name for name in names if name != "text-blocks"] or list(names)
    words = []
    for labels in (FEW, MANY):
        found = {}
        for name in real:
            try:
                found[name] = over_plain(rows, labels, name)
            except MissingRowsError:
                continue
        if found:
            gained = [title_of(name) for name, of in found.items() if all(one.above(0) for one in of.values())]
            named = f" ({', '.join(gained)})" if gained else ""
            words.append(f"{labels}: {len(gained)} of {len(found)}{named}")
    return f"Data sets on which GIANT is above all plain features beyond doubt. {'; '.join(words)}"


def _draw_differences(axes: Axes, lines: Sequence[tuple[str, str, Interval]]) -> None:
    for place, (_, rival, one) in enumerate(lines):
        interval_dots(axes, [place], [one], method=rival)
    name_lines(axes, [f"{title_of(name)}, over {rival}" for name, rival, _ in lines])
    axes.axvline(0, color="black", linewidth=0.8)
