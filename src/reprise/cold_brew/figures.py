"""Figures of the study: accuracy by group, the feature contribution ratio, and depth; each returns a drawing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from reprise.cold_brew.data import EMBEDDED
from reprise.method_styles import style_of
from reprise.numerals import MISSING, number
from reprise.plots import (
    TEXT_WIDTH,
    Drawing,
    Line,
    along,
    as_data,
    defined,
    draw_curve,
    draw_dots,
    interval_dots,
    keep_to_percent,
    label_line_end,
    measured_lines,
    new_figure,
    paper_marks,
    printed,
    seeds_behind,
    state_finding,
)
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval, paired_differences, pearson_interval, t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GROUPS = ("isolation", "tail", "head", "overall")
METHODS = (
    "GCN", "GraphSAGE", "MLP", "GraphMLP", "Label propagation", "k-NN-GCN", "GLNN", "Cold Brew teacher",
    "Cold Brew student",
)  # fmt: skip
CLEAN = {"mode": "paper10", "setting": None}


def draw_groups(rows: pd.DataFrame, published: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the accuracy of every method on isolated, tail, head and all test nodes, the paper's values on it."""
    found = {
        name: [m for m in METHODS if defined(rows, dataset=name, method=m, metric="accuracy", **CLEAN) is not None]
        for name in data_sets
    }
    found = {name: methods for name, methods in found.items() if methods}
    if not found:
        raise MissingRowsError(f"no accuracy by group was measured on {', '.join(data_sets)}.")
    height = sum(0.24 * len(methods) + 0.55 for methods in found.values()) + 0.7
    ratios = [len(methods) + 2 for methods in found.values()]
    figure, axes = new_figure(
        rows=len(found), columns=4, height=height, squeeze=False, sharex="row", sharey="row", height_ratios=ratios
    )
    drawn = []
    for line, (name, methods) in zip(axes, found.items(), strict=True):
        for one, split in zip(line, GROUPS, strict=True):
            drawn += _group_dots(one, rows, published, (name, split), methods)
            one.set_title(f"{split}\n{group_size(rows, name, split)} nodes", fontsize=8.5)
            one.margins(x=0.12)  # a paper's diamond at the end of the axis stays whole
        line[0].set_ylabel(name, fontweight="bold")
        keep_to_percent(line[0])
    figure.supxlabel("accuracy on test nodes (%)" + _diamond(drawn), fontsize=9)
    data = pd.DataFrame(drawn)
    how = {"split": "isolation", "metric": "accuracy", **CLEAN}
    gains = {
        name: difference(*(per_seed(rows, dataset=name, method=m, **how) for m in ("Cold Brew student", "GCN")))
        for name in data.loc[data.split == "isolation", "dataset"].unique()
    }
    finding = f"On isolated nodes {student_against_gcn(gains, 'on')}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "groups",
        f"{finding}. Best method there: {_best_on_isolation(data)}.",
        f"Means over seeds with 95 % t intervals ({seeds_behind(data)}), single runs as faint dots, dropout off; "
        "grey diamonds: the paper's Tables 3 and 10. The student here learns from the teacher that validation chooses, "
        "in the audits from a fixed one, so that its numbers differ a little. "
        "In the title “better” and “worse” mean that the interval of the "
        "difference, paired by seed, lies on one side of 0. Selection on all validation nodes. Above each panel the "
        "test nodes of the group, fewest to most over the seeds; each data set has an axis of its own.",
        data,
    )


def _best_on_isolation(data: pd.DataFrame) -> str:
    """Name for each data set the best method on isolated nodes, the student and the GCN, with their accuracies."""
    cold = data[data.split == "isolation"].pivot_table(index="dataset", columns="method", values="mean", sort=False)
    words = {
        name: ", ".join(f"{m} {means[m]:.0f} %" for m in dict.fromkeys((means.idxmax(), "Cold Brew student", "GCN")))
        for name, means in cold.iterrows()
    }
    return "; ".join(f"{name}: {said}" for name, said in words.items())


def _diamond(drawn: Sequence[Mapping[str, Any]]) -> str:
    """What the axis says of the paper's marks, if there are any."""
    return "; ◇ paper" if any(line["paper"] is not None for line in drawn) else ""


def difference(first: pd.Series, second: pd.Series) -> Interval:
    """Return the interval of first − second, paired by seed, over the seeds in which both are defined."""
    both = pd.concat([first, second], axis=1, keys=["first", "second"]).dropna()
    return t_interval(paired_differences(both["first"], both["second"]))


def student_against_gcn(gains: Mapping[str, Interval], at: str) -> str:
    """Write where student − GCN lies above 0 and where below; ``at`` goes before the places."""
    sides = {
        "better": [name for name, gain in gains.items() if gain.above(0)],
        "worse": [name for name, gain in gains.items() if gain.below(0)],
    }
    told = [f"{word} than the GCN {at} {', '.join(names)}" for word, names in sides.items() if names]
    if not told:
        return "the student is nowhere told apart from the GCN"
    undecided = len(gains) > sum(map(len, sides.values()))
    return f"the student is {', '.join(told)}" + (", elsewhere not told apart" if undecided else "")


def adds(points: float, decimals: int = 1, *, gain: str = "adds") -> str:
    """Write a change of accuracy as a verb: adds 3 points, loses 1 point."""
    size = number(abs(points), decimals)
    return f"{'loses' if points < 0 else gain} {size} point{'' if size == '1' else 's'}"


def _group_dots(
    axes: Axes, rows: pd.DataFrame, published: pd.DataFrame, cell: tuple[str, str], methods: Sequence[str]
) -> list[dict[str, Any]]:
    here = {"dataset": cell[0], "split": cell[1], "metric": "accuracy"}
    lines = [Line(method, method, {"method": method}) for method in methods]
    found = measured_lines(rows, lines, look_up=defined, **here, **CLEAN)
    paper = {method: printed(published, method=method, **here) for method in methods}
    return draw_dots(axes, found, lines, paper=paper, dataset=cell[0], split=cell[1])


def ends(interval: Interval, decimals: int = 1) -> str:
    """Write the ends of an interval, with real minus signs; nothing where one seed gives none."""
    if not math.isfinite(interval.high - interval.low):
        return "(one seed)"
    return f"[{number(interval.low, decimals)}, {number(interval.high, decimals)}]"


def group_size(rows: pd.DataFrame, data_set: str, split: str, mode: str = "paper10") -> str:
    """Return how many test nodes a group has, from the smallest to the largest number over the seeds."""
    sizes = defined(rows, dataset=data_set, split=split, method="graph", metric="test nodes", mode=mode)
    if sizes is None:
        return MISSING
    low, high = int(sizes.min()), int(sizes.max())
    return f"{low}" if low == high else f"{low}–{high}"


def _ratio_points(published: pd.DataFrame, split: str) -> pd.DataFrame:
    part = published[(published.split == split) & published.metric.isin(["fcr", "homophily"])]
    return part.pivot_table(index="dataset", columns="metric", values="value").dropna().reset_index()


def _our_ratios(rows: pd.DataFrame) -> pd.DataFrame:
    how = {"split": "original graph", "method": "graph", "mode": "paper10"}
    lines = []
    for name in sorted(set(select(rows, metric="fcr", **how)["dataset"])):
        homophily = per_seed(rows, dataset=name, metric="homophily", **how).mean()
        values = defined(rows, dataset=name, metric="fcr", **how)
        if values is None:
            lines.append({"dataset": name, "homophily": homophily, "mean": math.nan, "n": 0})
        else:
            lines.append(as_data(t_interval(values), dataset=name, homophily=homophily))
    return pd.DataFrame(lines)


PLACES = tuple(
    (dx * reach, dy * reach, side)
    for reach in (1.0, 1.8, 2.6, 3.4)
    for dx, dy, side in ((1, 0, "left"), (-1, 0, "right"), (0, 1, "center"), (0, -1, "center"), (1, 1, "left"),
                         (1, -1, "left"), (-1, 1, "right"), (-1, -1, "right"))
)  # fmt: skip
STEP = (5.0, 13.0)  # of a name from its point, along either axis, in % of homophily and ratio
LETTER, LINE_HEIGHT = 3.0, 10.0  # width and height of a letter in the same units, at this figure's size


def _name_points(axes: Axes, points: pd.DataFrame, column: str) -> None:
    """Write each data set's name beside its point: at the first of some places at which it covers nothing."""
    known = points.dropna(subset=[column])
    taken = [(x - 2.5, x + 2.5, y - 6, y + 6) for x, y in zip(known["homophily"], known[column], strict=True)]
    if {"low", "high"} <= set(known):
        taken += [(p.homophily - 1, p.homophily + 1, p.low, p.high) for p in known.itertuples()]
    for point in known.sort_values(column).itertuples():
        x, y = point.homophily, getattr(point, column)
        width = LETTER * len(point.dataset)
        best, box, side = None, (0.0, 0.0, 0.0, 0.0), "left"
        for dx, dy, at in PLACES:
            left = x + STEP[0] * dx - {"left": 0.0, "right": width, "center": width / 2}[at]
            middle = y + STEP[1] * dy
            tried = (left, left + width, middle - LINE_HEIGHT / 2, middle + LINE_HEIGHT / 2)
            cost = sum(_overlap(tried, other) for other in taken) + 100 * (left < -3 or left + width > 107)
            cost += 100 * (tried[2] < -14 or tried[3] > 204)
            if best is None or cost < best:
                best, box, side = cost, tried, at
            if cost == 0:
                break
        taken.append(box)
        place = {"left": box[0], "right": box[1], "center": (box[0] + box[1]) / 2}[side]
        axes.annotate(point.dataset, (place, (box[2] + box[3]) / 2), fontsize=6.5, ha=side, va="center")


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[2], b[2]))


def _correlation(points: pd.DataFrame, column: str) -> str:
    defined = points.dropna(subset=[column])
    if len(defined) < 4:
        return f"{len(defined)} data set" + ("s" if len(defined) != 1 else "")
    r = pearson_interval(defined["homophily"], defined[column])
    return f"r = {number(r.estimate, 2)} [{number(r.low, 2)}, {number(r.high, 2)}]"


def _our_panel(axes: Axes, ours: pd.DataFrame) -> None:
    """Draw our ratios with their intervals and names, the generator apart: as an open circle."""
    defined = ours.dropna(subset=["mean"])
    is_generator = defined["dataset"] == EMBEDDED
    for part in (defined[~is_generator], defined[is_generator]):
        intervals = [Interval(p.mean, p.low, p.high, p.n) for p in part.itertuples()]
        if intervals:
            interval_dots(axes, list(part["homophily"]), intervals, method="graph", horizontal=False)
    if is_generator.any():
        apart = defined[is_generator]
        axes.plot(
            apart["homophily"], apart["mean"], marker="o", markerfacecolor="white", linestyle="", zorder=4,
            color=style_of("graph").colour,
        )  # fmt: skip
    _name_points(axes, ours, "mean")


def draw_ratio(rows: pd.DataFrame, published: pd.DataFrame) -> Drawing:
    """Draw the feature contribution ratio against homophily: as printed, relabelled, and ours."""
    as_printed, corrected = (
        _ratio_points(published, split) for split in ("original graph, as printed", "original graph")
    )
    ours = _our_ratios(rows)
    figure, axes = new_figure(columns=3, height=TEXT_WIDTH * 0.5, sharey=True, sharex=True)
    for one, points, title in zip(
        axes[:2], (as_printed, corrected), ("Paper, as printed", "Paper, relabelled"), strict=True
    ):
        paper_marks(one, points["homophily"], points["fcr"])
        _name_points(one, points, "fcr")
        one.set_title(f"{title}\n{_correlation(points, 'fcr')}", fontsize=8.5)
    # The generator is no graph of the paper's kind: r does without it, as in the verdict.
    real = _correlation(ours[ours["dataset"] != EMBEDDED], "mean")
    _our_panel(axes[2], ours)
    axes[2].set_title(f"Ours\n{real}", fontsize=8.5)
    for one in axes:
        one.axhline(50, color="#b0b0b0", linewidth=0.8)
        one.axhline(100, color="#b0b0b0", linewidth=0.8)
        one.set(xlim=(-4, 108), ylim=(-15, 205))
    axes[0].set_ylabel("feature contribution ratio (%)")
    figure.supxlabel("node homophily (%)", fontsize=9)
    undefined = ours[ours["n"] == 0]["dataset"].tolist()
    state_finding(
        figure, f"With the right names the paper's correlation is {_correlation(corrected, 'fcr').removeprefix('r = ')}"
    )
    data = pd.concat(
        [as_printed.assign(source="as printed"), corrected.assign(source="relabelled"), ours.assign(source="ours")]
    )
    return Drawing(
        figure,
        "ratio",
        f"As printed: {_correlation(as_printed, 'fcr')}; relabelled: {_correlation(corrected, 'fcr')}; ours: {real}.",
        "Feature contribution ratio against node homophily; r is Pearson's with Fisher's 95 % interval. Ours: mean "
        "over the seeds in which the ratio is defined, the generator as an open circle and not in r, 95 % t intervals"
        + (f" ({seeds_behind(ours)})" if ours["n"].any() else "")
        + (f"; undefined in every seed and not drawn: {', '.join(undefined)}" if undefined else "")
        + ". Grey lines: 50 %, below which structure carries the labels, and 100 %, above which aggregation harms.",
        data,
    )


def draw_homophily_sweep(rows: pd.DataFrame) -> Drawing:
    """Draw accuracy and ratio on the generator while only the homophily of its edges changes."""
    part = select(rows, split="generator")
    ats = sorted(part["at"].unique())
    if not part.loc[part.metric == "fcr of the sweep", "value"].notna().any():
        raise MissingRowsError("the ratio is undefined in every world of the sweep.")
    figure, (left, right) = new_figure(columns=2, height=TEXT_WIDTH * 0.42)
    drawn = []
    for method in ("GCN", "MLP", "Label propagation"):
        curve = draw_curve(left, along(part, ats, method=method, metric="accuracy of the sweep"), style=method)
        drawn += [{**line, "what": "accuracy"} for line in curve]
    ratios = along(part, ats, method="graph", metric="fcr of the sweep")
    curve = draw_curve(right, ratios, style="graph", label="ratio")
    drawn += [{**line, "what": "ratio"} for line in curve]
    right.axhline(50, color="#b0b0b0", linewidth=0.8)
    right.axhline(100, color="#b0b0b0", linewidth=0.8)
    left.set(xlabel="share of edges drawn within the class, h", ylabel="accuracy (%)", ylim=(0, 103))
    right.set(xlabel="share of edges drawn within the class, h", ylabel="feature contribution ratio (%)")
    left.set_title("Three models")
    right.set_title("Their ratio")
    left.legend(loc="best")
    data = pd.DataFrame(drawn)
    ratio = data[data.what == "ratio"].set_index("at")["mean"]
    possible = len(set(part["seed"])) * len(ats)
    undefined = possible - int(data[data.what == "ratio"]["n"].sum())
    falls = "falls" if ratio.iloc[-1] < ratio.iloc[0] else "does not fall"
    finding = (
        f"The ratio {falls}: from {number(ratio.iloc[0], 0)} % to {number(ratio.iloc[-1], 0)} % as edges become "
        "homophilous"
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "homophily_sweep",
        finding + ": " + ", ".join(f"{value:.0f} % at h = {at:g}" for at, value in ratio.items()) + ".",
        f"The generator, all else equal; 95 % t intervals over seeds ({seeds_behind(data)}). Worlds in which label "
        f"propagation beats the GNN have no ratio and are left out: {undefined} of {possible}.",
        data,
    )


def _gains_at_depth(part: pd.DataFrame, layers: int) -> str:
    """Say what structural embeddings change in the deepest networks, overall and in isolation."""
    changes = []
    for split, where in (("overall", "overall"), ("isolation", "in isolation")):
        how = {"split": split, "metric": f"accuracy at {layers} layers"}
        gain = difference(*(per_seed(part, method=method, **how) for method in ("Cold Brew teacher", "GCN")))
        changes.append(f"{adds(gain.estimate, 0)} {where} {ends(gain, 0)}")
    return f"At {layers} layers SE {'; '.join(changes)}"


PAPERS_DEPTH = 64  # layers at which the paper prints accuracies


def _papers_at_depth(published: pd.DataFrame, data_set: str, **cell: str) -> float | None:
    return printed(published, dataset=data_set, metric=f"accuracy at {PAPERS_DEPTH} layers", **cell)


def _mark_papers_depth(axes: Axes, published: pd.DataFrame, data_set: str, split: str, method: str) -> None:
    """Mark the paper's accuracy at its depth, if it prints one, with the name of its curve."""
    paper = _papers_at_depth(published, data_set, split=split, method=method)
    if paper is not None:
        paper_marks(axes, [PAPERS_DEPTH], [paper], label=False)
        name, aside = ("SE", 4) if method == "Cold Brew teacher" else ("GCN", -4)
        label_line_end(axes, PAPERS_DEPTH, paper + aside, name, method=method)


def draw_depth(rows: pd.DataFrame, published: pd.DataFrame, data_set: str) -> Drawing:
    """Draw accuracy and over-smoothing against the number of layers, with and without structural embeddings."""
    part = select(rows, dataset=data_set, mode="paper10")
    ats = sorted(select(part, metric="mean pairwise cosine")["at"].unique())
    figure, axes = new_figure(columns=3, height=TEXT_WIDTH * 0.44)
    drawn = []
    labels = {"GCN": "GCN", "Cold Brew teacher": "GCN + SE"}
    for one, split in zip(axes[:2], ("overall", "isolation"), strict=True):
        for method, label in labels.items():
            metric = [f"accuracy at {int(at)} layers" for at in ats]
            values = along(part, ats, method=method, split=split, metric=metric)
            curve = draw_curve(one, values, style=method, label=label)
            drawn += [{**line, "what": split} for line in curve]
            _mark_papers_depth(one, published, data_set, split, method)
        one.set(title=split, ylim=(0, 100))
    for method, label in labels.items():
        likeness = along(part, ats, method=method, metric="mean pairwise cosine")
        curve = draw_curve(axes[2], likeness, style=method, label=label)
        drawn += [{**line, "what": "cosine"} for line in curve]
    axes[0].set_ylabel("accuracy (%)")
    axes[2].set(title="likeness of nodes", ylabel="mean cosine", ylim=(-0.1, 1.1))
    is_marked = _papers_at_depth(published, data_set, method="GCN") is not None
    ticks = sorted({*map(int, ats), *([PAPERS_DEPTH] if is_marked else [])})
    for one in axes:
        one.set(xscale="log", xlabel="layers")
        one.set_xticks(ticks, [str(tick) for tick in ticks])
        one.minorticks_off()
        one.set_xlim(ticks[0] * 0.8, ticks[-1] * 1.8)
    axes[2].legend(loc="lower right")
    data = pd.DataFrame(drawn)
    finding = _gains_at_depth(part, int(data["at"].max()))
    state_finding(figure, f"{data_set}: {finding[0].lower()}{finding[1:]}")
    return Drawing(
        figure,
        f"depth_{data_set.replace('-', '_')}",
        f"{data_set}: {finding}.",
        f"{data_set}, no residual connection, no normalisation; 95 % t intervals over seeds where there is more than "
        f"one ({seeds_behind(data)}), in the title of differences paired by seed. Diamonds: the paper's {PAPERS_DEPTH} "
        "layers. Right: mean cosine of the last hidden layer over all pairs of nodes; 1 means that they have become "
        "indistinguishable.",
        data,
    )
