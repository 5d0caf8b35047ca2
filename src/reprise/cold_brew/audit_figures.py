"""Figures of the audits: dropout at evaluation, the ablation ladder, degree, noisy edges, and the look-up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from reprise.cold_brew.figures import CLEAN, GROUPS, adds, difference, student_against_gcn
from reprise.method_styles import style_of
from reprise.numerals import number
from reprise.plots import (
    TEXT_WIDTH,
    Drawing,
    along,
    as_data,
    defined,
    draw_curve,
    interval_dots,
    keep_to_percent,
    name_lines,
    new_figure,
    paper_marks,
    printed,
    seeds_behind,
    state_finding,
)
from reprise.rows import per_seed, select
from reprise.stats import t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LAST_BIN = 17
SWITCHED = ("Cold Brew student", "GCN")  # each alone, beside the choice by degree
DROPOUT_METHODS = ("GCN", "GraphSAGE", "MLP", "GraphMLP", "Cold Brew teacher", "Cold Brew student")
ON, OFF = "accuracy with dropout on", "accuracy with dropout off"
INPUT = "input dropout"
TEMPERATURE = "τ = "  # a setting of the attention in rows, before its number


def dropout_lines(rows: pd.DataFrame, data_set: str, mode: str) -> list[tuple[str, str, dict[str, Any], str]]:
    """Return the lines of the dropout audit: name, method, conditions, metric with dropout off."""
    lines = [(method, method, {"setting": None, "mode": mode}, "accuracy") for method in DROPOUT_METHODS]
    lines += [
        (f"{method}, {INPUT}", method, {"setting": INPUT, "mode": mode}, OFF) for method in ("GCN", "Cold Brew teacher")
    ]
    part = select(rows, dataset=data_set, metric=ON, mode=mode)
    return [line for line in lines if defined(part, method=line[1], **line[2]) is not None]


def draw_dropout(rows: pd.DataFrame, published: pd.DataFrame, data_set: str, mode: str = "paper10") -> Drawing:
    """Draw every cell twice: evaluated with dropout off, and with dropout left on."""
    lines = dropout_lines(rows, data_set, mode)
    part = select(rows, dataset=data_set)
    figure, axes = new_figure(columns=4, height=0.36 * len(lines) + 1.1, sharex=True, sharey=True)
    drawn = []
    for one, split in zip(axes, GROUPS, strict=True):
        for place, (name, method, how, off) in enumerate(lines):
            paper = printed(published, dataset=data_set, split=split, method=method, metric="accuracy")
            if paper is not None:
                paper_marks(one, [paper], [place])
            found = {}
            for label, metric, shift in (("off", off, -0.13), ("on", ON, 0.13)):
                values = defined(part, method=method, split=split, metric=metric, **how)
                if values is None:
                    continue
                found[label] = t_interval(values)
                style = style_of(method)
                interval_dots(one, [place + shift], [found[label]], method=method)
                if label == "on":
                    one.plot(
                        found[label].estimate, place + shift, marker=style.marker, color=style.colour, zorder=4,
                        markerfacecolor="white", linestyle="",
                    )  # fmt: skip
                drawn.append(as_data(found[label], split=split, method=name, dropout=label))
        one.set(title=split)
        one.margins(x=0.12)  # a paper's diamond at the end of the axis stays whole
        one.grid(axis="y", visible=False)
    name_lines(axes[0], [name.replace(", ", ",\n") for name, *_ in lines])
    keep_to_percent(axes[0])
    figure.supxlabel("accuracy on test nodes (%); filled: dropout off, open: on; large ◇: paper", fontsize=9)
    return _dropout_drawing(figure, pd.DataFrame(drawn), data_set, mode)


def _dropout_drawing(figure: Any, data: pd.DataFrame, data_set: str, mode: str) -> Drawing:
    wide = data.pivot_table(index=["split", "method"], columns="dropout", values="mean")
    loss = (wide["off"] - wide["on"]).rename("loss")
    cold = loss.loc["isolation"]
    also = f" ({number(cold[f'GCN, {INPUT}'], 0)} with {INPUT})" if f"GCN, {INPUT}" in cold else ""
    finding = (
        f"{data_set}: with dropout left on the GCN {adds(-cold['GCN'], 0, gain='gains')} in isolation{also}, "
        f"{adds(-loss.loc['head', 'GCN'], 0, gain='gains')} on the head"
    )
    state_finding(figure, finding)
    protocol = "the released code's split and groups" if mode == "code" else "the clean protocol"
    return Drawing(
        figure,
        f"dropout_{data_set.replace('-', '_')}" + ("_code" if mode == "code" else ""),
        f"{finding}. On isolated nodes the loss is: "
        + ", ".join(f"{m} {number(value, 0)}" for m, value in cold.items())
        + ".",
        f"{data_set}, {protocol}; 95 % t intervals over seeds ({seeds_behind(data)}). Filled: dropout off; open: "
        "dropout left on, mean over some passes; grey diamonds: the paper. “Input dropout” also drops features in "
        "training, as the released code does.",
        data,
    )


def switch_gain(rows: pd.DataFrame, split: str, **other: Any) -> pd.Series | None:
    """Return what choosing by degree gains over something else in a group, by seed; ``None`` if either is missing."""
    switch = defined(rows, method="Degree switch", split=split, metric="accuracy", setting=None)
    against = defined(rows, split=split, setting=None, **other)
    gain = None if switch is None or against is None else (switch - against).dropna()
    return None if gain is None or gain.empty else gain


def draw_by_degree(rows: pd.DataFrame, data_set: str) -> Drawing:
    """Draw accuracy by exact degree, and what choosing teacher or student by degree gains."""
    part = _merged_bins(select(rows, dataset=data_set, mode="paper10"))
    select(part, method="Degree switch")
    bins = select(part, metric="accuracy by degree").drop_duplicates("at").sort_values("at")
    places = {at: place for place, at in enumerate(bins["at"])}
    curves = part[part.metric == "accuracy by degree"].assign(at=lambda frame: frame["at"].map(places))
    figure, (left, right) = new_figure(columns=2, height=TEXT_WIDTH * 0.5, width_ratios=(1.7, 1))
    drawn = []
    for place, method in enumerate(("GCN", "MLP", "GLNN", "Cold Brew teacher", "Cold Brew student")):
        values = along(curves, list(places.values()), method=method)
        curve = draw_curve(left, values, style=method, aside=0.08 * (place - 2))
        drawn += [{**line, "what": "accuracy"} for line in curve]
    keep_to_percent(left, along="y")
    left.set_xticks(list(places.values()), [str(s).removeprefix("degree ") for s in bins["split"]])
    left.set(xlabel="edges of the node after the cut", ylabel="accuracy (%)", title="by degree")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, columnspacing=1)
    drawn += _draw_switch(right, part)
    data = pd.DataFrame(drawn)
    gains = {
        str(name).removeprefix("degree "): difference(
            *(per_seed(curves, at=places[at], method=method) for method in ("Cold Brew student", "GCN"))
        )
        for at, name in zip(bins["at"], bins["split"], strict=True)
    }
    finding = f"{data_set}: {student_against_gcn(gains, 'at degree')}"
    gained = ", ".join(
        f"{number(line.mean, 1, signed=True)} [{number(line.low, 1)}, {number(line.high, 1)}] on the {line.method}"
        for line in data[(data.what == "gain") & (data.split == "overall")].itertuples()
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        f"by_degree_{data_set.replace('-', '_')}",
        f"{finding}. Choosing by degree gains, in points over all test nodes: {gained}.",
        f"{data_set}: left, test nodes by degree after the cut; right, the teacher from some degree on and the student "
        "below, the degree chosen on validation, minus the student alone and minus the GCN alone, in each group. "
        f"95 % t intervals over seeds ({seeds_behind(data)}); in the title “better” and “worse” mean that the "
        f"interval of the difference, paired by seed, lies on one side of 0. Degrees of {LAST_BIN} and more are one "
        "range, weighted by test nodes.",
        data,
    )


def _draw_switch(axes: Axes, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Draw what choosing by degree gains over each alone, in every group; return what is drawn."""
    drawn = []
    for place, split in enumerate(GROUPS):
        for method, aside in zip(SWITCHED, (-0.15, 0.15), strict=True):
            gain = switch_gain(rows, split, method=method, metric="accuracy")
            if gain is None:
                continue
            interval_dots(axes, [place + aside], [t_interval(gain)], method=method, single_runs=[gain.to_list()])
            drawn.append(as_data(t_interval(gain), method=method, split=split, what="gain"))
    axes.axvline(0, color="black", linewidth=0.8)
    name_lines(axes, GROUPS)
    axes.set(xlabel="switch − each alone (points)", title="switch by degree")
    return drawn


def _merged_bins(part: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the ranges of highest degrees as one: accuracies weighted by test nodes."""
    sizes = part[(part.metric == "test nodes") & part["at"].notna()].set_index(["seed", "at"])["value"]
    curves = part[part.metric == "accuracy by degree"]
    last = curves[curves["at"] >= LAST_BIN]
    if last.empty:
        return part
    weights = [sizes.get((seed, at), math.nan) for seed, at in zip(last["seed"], last["at"], strict=True)]
    keys = ["dataset", "method", "seed", "metric", "mode"]
    sums = (
        last.assign(hits=last["value"] * weights, nodes=weights).groupby(keys, as_index=False)[["hits", "nodes"]].sum()
    )
    one = sums.assign(value=sums["hits"] / sums["nodes"], split=f"degree {LAST_BIN}+", at=float(LAST_BIN), setting=None)
    return pd.concat([part.drop(index=last.index), one[part.columns]], ignore_index=True)


def draw_noise(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the accuracy on the tail while its edges are replaced by random ones."""
    part = select(rows, metric="accuracy with noisy tail edges", split="tail")
    data_sets = [name for name in data_sets if name in set(part["dataset"])]
    ats = sorted(part["at"].unique())
    figure, axes = new_figure(columns=len(data_sets), height=TEXT_WIDTH * 0.45, squeeze=False, sharey=True)
    drawn = []
    for one, name in zip(axes[0], data_sets, strict=True):
        for method in ("GCN", "MLP", "Cold Brew teacher", "Cold Brew student"):
            curve = draw_curve(one, along(part, ats, method=method, dataset=name), style=method)
            drawn += [{**line, "dataset": name} for line in curve]
        one.set(title=name, xticks=ats)
        one.set_xlim(ats[0] - 0.08, ats[-1] + 0.08)
    figure.supxlabel("share of tail edges replaced\n\n", fontsize=9)  # the legend stands in the empty line
    axes[0][0].set_ylabel("accuracy on the tail (%)")
    keep_to_percent(axes[0][0], along="y")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=4, borderaxespad=0)
    data = pd.DataFrame(drawn)
    means = data.pivot_table(index="method", columns=["at", "dataset"], values="mean", sort=False)
    loss, end = means[ats[0]] - means[ats[-1]], means[ats[-1]]
    words = "; ".join(
        f"{name}: GCN {number(loss.loc['GCN', name], 0)}, student {number(loss.loc['Cold Brew student', name], 0)}"
        for name in data_sets
    )
    beats = [name for name in data_sets if end.loc["MLP", name] > end.loc["Cold Brew student", name]]
    beaten = f"; then the MLP's mean is above the student's on {', '.join(beats)}" if beats else ""
    cost = {method: _span(loss.loc[method]) for method in ("GCN", "Cold Brew student")}
    state_finding(
        figure, f"Random tail edges cost the GCN {cost['GCN']} points, the student {cost['Cold Brew student']}{beaten}"
    )
    return Drawing(
        figure,
        "noise",
        f"Points lost on the tail when all its edges are random: {words}{beaten}.",
        "Noisy instead of missing neighbours; student of a plain GCN; the MLP reads no edge and keeps its accuracy. "
        f"95 % t intervals over seeds ({seeds_behind(data)}).",
        data,
    )


def _span(values: pd.Series) -> str:
    """Write the smallest and the largest of some numbers, or the one that both are."""
    low, high = (number(float(value), 0) for value in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def draw_retrieval(rows: pd.DataFrame, data_set: str) -> Drawing:
    """Draw accuracy and purity on isolated nodes against K, and accuracy against the temperature of the attention."""
    part = select(rows, dataset=data_set, method="Cold Brew student", split="isolation", mode="paper10")
    by_k = "accuracy by number of latent neighbours"
    ats = sorted(select(part, metric=by_k)["at"].unique())
    figure, (left, middle, right) = new_figure(columns=3, height=TEXT_WIDTH * 0.42)
    drawn = []
    for one, metric, what in ((left, by_k, "accuracy"), (middle, "purity of latent neighbours", "purity")):
        curve = draw_curve(one, along(part, ats, metric=metric), style="Cold Brew student")
        drawn += [{**point, "what": what} for point in curve]
        one.set(xscale="log", xlabel="latent neighbours K")
        one.set_xticks(ats, [f"{at:g}" for at in ats])
        one.minorticks_off()
    keep_to_percent(left, along="y")
    left.set(ylabel="accuracy (%)", title="accuracy")
    middle.set(ylabel="with the node's label (%)", title="purity")
    homophily = _homophily(rows, data_set)
    if homophily is not None:
        _draw_homophily(middle, homophily, ats[0])
    keep_to_percent(middle, along="y")
    drawn += _draw_temperatures(right, part)
    data = pd.DataFrame(drawn)
    accuracy = data[data.what == "accuracy"].set_index("at")["mean"]
    finding = (
        f"{data_set}: between K = {ats[0]:g} and {ats[-1]:g} the accuracy moves within "
        f"{accuracy.max() - accuracy.min():.1f} points"
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        f"retrieval_{data_set.replace('-', '_')}",
        f"{finding}; best at K = {accuracy.idxmax():g} with {accuracy.max():.0f} %.",
        f"Isolated test nodes of {data_set}, student of the teacher with structural embeddings; "
        f"95 % t intervals over seeds ({seeds_behind(data)}). Purity: share of the "
        "latent neighbours that have the node's own label"
        + ("" if homophily is None else "; dashed: homophily of the real edges")
        + ". “mean” is τ = ∞.",
        data,
    )


def _draw_homophily(axes: Axes, homophily: float, start: float) -> None:
    axes.axhline(homophily, color=style_of("graph").colour, linewidth=1, linestyle="--")
    axes.annotate("true neighbours", (start, homophily), xytext=(3, 3), textcoords="offset points", fontsize=8)
    axes.update_datalim([(start, homophily - 3), (start, homophily + 5)])  # the line and its name stay in sight
    axes.autoscale_view(scalex=False)


def _draw_temperatures(axes: Axes, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Draw accuracy by temperature of the attention, its limit, the plain mean, last; return what is drawn."""
    part = select(rows, metric="accuracy by temperature")
    settings = sorted(set(part["setting"]), key=lambda name: math.inf if name == "mean" else _temperature(name))
    drawn = []
    for place, setting in enumerate(settings):
        values = defined(part, setting=setting)
        if values is None:
            continue
        interval = t_interval(values)
        interval_dots(
            axes, [place], [interval], method="Cold Brew student", horizontal=False, single_runs=[values.to_list()]
        )
        drawn.append(as_data(interval, what="temperature", method=setting))
    axes.set_xticks(range(len(settings)), [name.removeprefix(TEMPERATURE) for name in settings])
    axes.set(xlabel="temperature τ", ylabel="accuracy (%)", title="attention")
    axes.set_xlim(-0.5, len(settings) - 0.5)
    keep_to_percent(axes, along="y")
    return drawn


def _temperature(setting: str) -> float:
    return float(setting.removeprefix(TEMPERATURE))


def _homophily(rows: pd.DataFrame, data_set: str) -> float | None:
    values = defined(rows, dataset=data_set, metric="homophily", method="graph", **CLEAN)
    return None if values is None else float(values.mean())
