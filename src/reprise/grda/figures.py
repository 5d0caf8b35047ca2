"""Figures of the study: each takes tidy rows and returns a drawing with its alternative text, caption and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.grda.data import GraphDomains
from reprise.grda.illustrations import draw_domains
from reprise.method_styles import style_of
from reprise.plots import (
    TEXT_WIDTH,
    Drawing,
    Line,
    as_data,
    draw_curve,
    draw_dots,
    interval_dots,
    measured,
    measured_lines,
    name_lines,
    new_figure,
    printed,
    seeds_behind,
    state_finding,
)
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLES = {
    "dg-15": "DG-15",
    "dg-60": "DG-60",
    "dg-15-generated": "DG-15, generated",
    "dg-60-generated": "DG-60, generated",
    "digits-grid": "digits grid",
    "tpt-48-east-west": "East → West",
    "tpt-48-north-south": "North → South",
}
METHODS = ("Source-only", "DANN", "CDANN", "ADDA", "MDD", "GRDA")
LINEAR_YARDSTICKS = ("Linear map", "Climatology", "Seasonal linear map")


COMPARED = (
    *(Line(m, m, {"method": m, "experiment": "comparison"}) for m in METHODS[:-1]),
    Line("GRDA, independent pairs", "GRDA", {"method": "GRDA", "experiment": "comparison", "pairing": "independent"}),
    Line(
        "GRDA, paired after permuting", "GRDA", {"method": "GRDA", "experiment": "row order", "row_order": "permuted"}
    ),
    Line(
        "GRDA, row-paired as released",
        "GRDA, row-paired",
        {"method": "GRDA", "experiment": "comparison", "pairing": "row"},
    ),
    *(
        Line(m, m, {"method": m, "experiment": "yardsticks"})
        for m in ("Logistic regression", "CORAL", "Hop-by-hop self-training", *LINEAR_YARDSTICKS)
    ),
)


def title_of(data_set: object) -> str:
    """Return how a data set is called in figures."""
    return TITLES.get(str(data_set), str(data_set))


def papers_values(published: pd.DataFrame, lines: Sequence[Line], *, data_set: str, metric: str) -> dict[str, Any]:
    """Return the paper's value of each line on the target domains; permuted rows are not in the paper."""
    cell = {"dataset": data_set, "split": "target", "metric": metric}
    return {
        line.label: printed(published, method=line.conditions["method"], **cell)
        for line in lines
        if "row_order" not in line.conditions
    }


def lines_in(panels: Sequence[tuple[str, Sequence[tuple[Line, pd.Series]]]]) -> list[Line]:
    """Return the lines that at least one panel has, in their common order."""
    present = {line.label for _, measured in panels for line, _ in measured}
    return [line for line in COMPARED if line.label in present]


def draw_pairing(rows: pd.DataFrame, published: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the central comparison: accuracy on the target domains by method and by which rows GRDA pairs."""
    panels = [
        (name, found)
        for name in data_sets
        if (found := measured_lines(rows, COMPARED, dataset=name, split="target", metric="accuracy"))
    ]
    lines = lines_in(panels)
    figure, axes = new_figure(columns=len(panels), height=0.27 * len(lines) + 1.0, squeeze=False, sharey=True)
    drawn: list[dict[str, Any]] = []
    for one, (name, found) in zip(axes[0], panels, strict=True):
        paper = papers_values(published, lines, data_set=name, metric="accuracy")
        drawn += draw_dots(one, found, lines, paper=paper, dataset=name)
        one.set(xlim=(0, 103), title=title_of(name))
    figure.supxlabel("accuracy on target domains (%)", fontsize=9)
    data = pd.DataFrame(drawn)
    words = []
    for name, group in data.groupby("dataset", sort=False):
        mean = group.set_index("method")["mean"]
        if {"GRDA, row-paired as released", "GRDA, independent pairs"} <= set(mean.index):
            words.append(
                f"{title_of(name)}: GRDA reaches {mean['GRDA, row-paired as released']:.0f} % with the released "
                f"pairing and {mean['GRDA, independent pairs']:.0f} % with independent pairs"
            )
    state_finding(figure, _gain_by_pairing(data))
    return Drawing(
        figure,
        "pairing",
        ("; ".join(words) or "Accuracy on the target domains by method") + ".",
        f"Mean accuracy over the target domains, 95 % t intervals over seeds ({seeds_behind(data)}), single runs as "
        "faint dots; grey diamonds: the paper's Table 1. Methods without randomness have no interval.",
        data,
    )


def _gain_by_pairing(data: pd.DataFrame) -> str:
    wanted = ["GRDA, independent pairs", "GRDA, row-paired as released"]
    mean = data.pivot_table(index="dataset", columns="method", values="mean", sort=False)
    if not set(wanted) <= set(mean.columns):
        return "Accuracy on the target domains"
    parts = [
        f"{title_of(name)} {independent:.0f} → {row:.0f} %"
        for name, (independent, row) in mean[wanted].dropna().iterrows()
    ]
    return f"GRDA, from independent to row pairs: {'; '.join(parts)}"


def draw_hops(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw accuracy against distance from the labelled domains, in hops."""
    lines = [line for line in COMPARED if line.label in ("Source-only", "DANN", "MDD") or "GRDA" in line.label]
    lines = [line for line in lines if "permuting" not in line.label]
    lines.append(
        Line(
            "Hop-by-hop self-training",
            "Hop-by-hop self-training",
            {"experiment": "yardsticks", "method": "Hop-by-hop self-training"},
        )
    )
    figure, axes = new_figure(columns=len(data_sets), height=TEXT_WIDTH * 0.45, squeeze=False, sharey=True)
    drawn = []
    for one, name in zip(axes[0], data_sets, strict=True):
        here = select(rows, dataset=name, metric="accuracy")
        hops = sorted(int(s.removeprefix("hop ")) for s in set(here["split"]) if str(s).startswith("hop "))
        for shift, line in enumerate(lines):
            values: dict[float, Any] = {hop: measured(here, **line.conditions, split=f"hop {hop}") for hop in hops}
            aside = 0.05 * (shift - len(lines) / 2)
            curve = draw_curve(one, values, style=line.style, label=line.label, aside=aside)
            drawn += [{"dataset": name, **point} for point in curve]
        one.set(title=title_of(name), xlabel="hops from the nearest source", xticks=hops, ylim=(-4, 104))
        one.set_xlim(hops[0] - 0.4, hops[-1] + 0.4)
    axes[0][0].set_ylabel("accuracy (%)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    data = pd.DataFrame(drawn).rename(columns={"at": "hop"})
    finding, words = _at_the_farthest_hop(data)
    state_finding(figure, finding)
    return Drawing(
        figure,
        "hops",
        f"{finding}. {words}.",
        f"Accuracy by hops from the nearest labelled domain, mean over domains, 95 % t intervals over seeds "
        f"({seeds_behind(data)}); points are shifted sideways to keep them apart.",
        data,
    )


def _at_the_farthest_hop(data: pd.DataFrame) -> tuple[str, str]:
    """Return the finding of `draw_hops` and the accuracies that it rests on."""
    far = data[data.hop == data.groupby("dataset")["hop"].transform("max")]
    words = [
        f"{title_of(r.dataset)}, {r.hop} hops away: {r.method} {r.mean:.0f} %"
        for r in far.itertuples()
        if r.method in ("DANN", "GRDA, independent pairs", "GRDA, row-paired as released")
    ]
    independent = far[far.method == "GRDA, independent pairs"]["mean"]
    finding = (
        f"At the farthest hop GRDA with independent pairs is right in at most {independent.max():.0f} % on average"
        if len(independent)
        else "Accuracy by distance from the labelled domains"
    )
    return finding, "; ".join(words)


def draw_accuracy_on_graph(rows: pd.DataFrame, domains: GraphDomains) -> Drawing:
    """Draw the domain graph once per method, its nodes coloured by accuracy."""
    wanted = ("Source-only", "DANN", "GRDA, independent pairs", "GRDA, row-paired as released")
    here = select(rows, dataset=domains.name, split="domain", metric="accuracy")
    lines = [line for line in COMPARED if line.label in wanted]
    found = [(line, select(here, **line.conditions)) for line, _ in measured_lines(here, lines)]
    figure, axes = new_figure(columns=2, rows=(len(found) + 1) // 2, height=TEXT_WIDTH * 0.72, sharex=True, sharey=True)
    axes = np.atleast_2d(axes)
    drawn = []
    image: Any = None
    for one, (line, part) in zip(axes.ravel(), found, strict=False):
        mean = part.groupby("domain", sort=False)["value"].mean()
        image = draw_domains(one, domains, mean, size=40, cmap="cividis", vmin=0, vmax=100)
        one.set_title(line.label, fontsize=9)
        one.set_aspect("equal", "box")
        drawn += [{"method": line.label, "domain": name, "accuracy": value} for name, value in mean.items()]
    for one in axes[-1]:
        one.set_xlabel("domain centre, first input")
    for one in axes[:, 0]:
        one.set_ylabel("second input")
    figure.colorbar(image, ax=axes, label="accuracy (%)", shrink=0.7)
    data = pd.DataFrame(drawn)
    below = data.assign(wrong=data.accuracy < 50).groupby("method", sort=False)["wrong"].sum()
    n_targets = int((~domains.source).sum())
    words = "; ".join(f"{method}: {count} of {n_targets}" for method, count in below.items())
    state_finding(figure, f"Target domains below chance: {words}")
    return Drawing(
        figure,
        "accuracy_on_graph",
        f"Target domains with an accuracy below chance: {words}.",
        f"{title_of(domains.name)}: the domain graph, sources white, targets coloured by accuracy (mean over seeds). "
        "Dark nodes get the labels the wrong way round.",
        data,
    )


def draw_discriminator(rows: pd.DataFrame, data_set: str) -> Drawing:
    """Draw the game's own discriminator loss over training beside what a fresh discriminator finds afterwards."""
    lines = [line for line in COMPARED if line.label in ("DANN", "Source-only") or "GRDA" in line.label]
    lines = [line for line in lines if "permuting" not in line.label]
    figure, (left, right) = new_figure(columns=2, height=TEXT_WIDTH * 0.42, width_ratios=(1.1, 1))
    here = select(rows, dataset=data_set, split="training")
    drawn = [point for line in lines for point in _draw_own_loss(left, here, line)]
    probes = measured_lines(here, lines, metric="probe_ratio")
    for place, (line, values) in enumerate(probes):
        interval = t_interval(values)
        interval_dots(right, [place], [interval], method=line.style, single_runs=[values.to_list()])
        drawn.append(as_data(interval, what="fresh", method=line.label))
    right.axvline(1, color="black", linewidth=0.8)
    name_lines(right, [line.label.replace(", ", ",\n") for line, _ in probes])
    left.set(xlabel="training step", ylabel="loss ÷ uninformative loss", title="The game's own discriminator")
    right.set(xlabel="loss ÷ uninformative loss", title="A fresh one, afterwards")
    data = pd.DataFrame(drawn)
    fresh = data[data.what == "fresh"].set_index("method")["mean"]
    words = "; ".join(f"{method} {value:.2f}" for method, value in fresh.items())
    finding = "; ".join(
        f"{method} {fresh[method]:.2f}" for method in ("Source-only", "GRDA, independent pairs") if method in fresh
    )
    state_finding(figure, f"Loss left to a fresh discriminator (1: nothing to learn): {finding}")
    return Drawing(
        figure,
        "discriminator",
        f"Share of the uninformative loss that a fresh graph discriminator reaches on the frozen encodings: {words}.",
        f"{title_of(data_set)}. Left: the discriminator's loss during training, in units of the loss of one that "
        "knows nothing (N log 2 for GRDA, log N for DANN), mean over seeds with its 95 % t interval; colours as on the "
        "right. Right: a new graph discriminator trained on the frozen encodings; 95 % t intervals over seeds; "
        "1 would mean that nothing is left to learn.",
        data,
    )


def _draw_own_loss(axes: Axes, rows: pd.DataFrame, line: Line) -> list[dict[str, Any]]:
    """Draw a method's discriminator loss over training with its band, if it was kept; return the numbers drawn."""
    try:
        history = select(rows, metric="discriminator_loss_ratio_at_step", **line.conditions)
    except MissingRowsError:
        return []
    steps = sorted(set(history["step"].astype(int)))
    intervals = [t_interval(per_seed(history, step=step)) for step in steps]
    style = style_of(line.style)
    axes.plot(steps, [i.estimate for i in intervals], color=style.colour, linestyle=style.dash)
    low, high = [i.low for i in intervals], [i.high for i in intervals]
    axes.fill_between(steps, low, high, color=style.colour, alpha=0.2, linewidth=0)
    return [as_data(i, what=f"own, step {s}", method=line.label) for s, i in zip(steps, intervals, strict=True)]
