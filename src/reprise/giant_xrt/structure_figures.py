"""The figures of what the pre-training rests on: the theory of label vectors, clusters, held-out neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import NullFormatter

from reprise.giant_xrt.figures import TREES, draw_over_levels, mark_levels, panel_each, sets_with, title_of
from reprise.giant_xrt.rules import theory_table
from reprise.method_styles import style_of
from reprise.numerals import difference, number
from reprise.plots import (
    Drawing,
    Line,
    as_data,
    draw_dots,
    interval_dots,
    label_line_end,
    measured,
    measured_lines,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.rows import per_seed
from reprise.stats import Interval, paired_differences, t_interval

ON_CLUSTERS = (
    "GIANT, own heads",
    "GIANT",
    "Link prediction",
    "SVD",
    "Untrained encoder",
    "Most linked clusters",
)


def draw_theory(rows: pd.DataFrame) -> Drawing:
    """Draw the simulated gain of effect size over contrast, one curve a density, over the closed form."""
    table = theory_table(rows)
    degrees = sorted({degree for degree, _ in table})
    figure, axes = new_figure(height=3.4)
    drawn: list[dict[str, Any]] = []
    for degree in degrees:
        style = f"D = {degree:g}"
        contrasts = sorted(contrast for one, contrast in table if one == degree)
        look = style_of(style)
        axes.plot(contrasts, [table[degree, c][1] for c in contrasts], color=look.colour, linestyle=look.dash)
        how: dict[str, Any] = {"dataset": "theory", "experiment": "theory", "metric": "gain", "method": "Simulated"}
        found = [t_interval(measured(rows, mean_degree=degree, at=c, **how)) for c in contrasts]  # type: ignore[arg-type]
        interval_dots(axes, contrasts, found, method=style, horizontal=False)
        label_line_end(axes, contrasts[-1], table[degree, contrasts[-1]][1], style, method=style)
        drawn += [as_data(i, mean_degree=degree, contrast=c) for i, c in zip(found, contrasts, strict=True)]
    axes.axhline(1, color="black", linewidth=0.8)
    axes.axhspan(0.15, 1, color="black", alpha=0.06)
    axes.text(0.8, 0.2, "label vectors separate worse than texts", fontsize=8, ha="right")
    axes.set(yscale="log", ylim=(0.15, 9), xlabel="contrast δ = (p − q)/(p + q)", ylabel="gain of effect size")
    axes.set_yticks([0.2, 0.5, 1, 2, 5], ["0.2", "0.5", "1", "2", "5"])
    axes.yaxis.set_minor_formatter(NullFormatter())
    hurt = sum(ours < 1 for ours, _ in table.values())
    worst = 100 * max(abs(ours / formula - 1) for ours, formula in table.values() if formula > 1.2)
    state_finding(
        figure,
        f"The closed form holds within {number(np.ceil(worst), 0)} % where it exceeds 1.2; in {hurt} of {len(table)} "
        "cells PIFA hurts",
    )
    return Drawing(
        figure,
        "theory",
        f"Simulated gain of effect size follows the closed form; it is below 1 in {hurt} of {len(table)} cells, "
        "where the "
        "graph is sparse or hardly homophilous.",
        "Lines: closed form; dots: simulated block models, mean with 95 % t interval over seeds. Below 1, shaded, "
        "averaging "
        "over neighbours loses more than it gains.",
        pd.DataFrame(drawn),
    )


def draw_purity(rows: pd.DataFrame) -> Drawing:
    """Draw how pure in class the clusters of four trees are, by level."""
    figure, panels = panel_each(rows, experiment="purity", height=2.9)
    drawn: list[dict[str, Any]] = []
    for name, one in panels.items():
        how: dict[str, Any] = {"dataset": name, "experiment": "purity"}
        levels = mark_levels(one, rows, **how)
        for tree in TREES:
            curve = draw_over_levels(one, rows, levels, style=tree, method=tree, **how)
            drawn += [{"dataset": name, **line} for line in curve]
        one.set_xlabel("clusters of the level")
    leftmost = next(iter(panels.values()))
    leftmost.set_ylabel("purity (%)")
    leftmost.legend(loc="best")
    data = pd.DataFrame(drawn)
    coarse = data[data["at"] == data.groupby("dataset")["at"].transform("min")]
    words = [
        f"{title_of(name)}: " + ", ".join(f"{line.method} {number(line.mean, 0)}" for line in group.itertuples())
        for name, group in coarse.groupby("dataset", sort=False)
    ]
    against = "; ".join(_purer(data, name) for name in panels)
    state_finding(figure, f"PIFA's clusters against the text tree's. {against}")
    return Drawing(
        figure,
        "purity",
        f"Purity of the coarsest clusters in percent. {'; '.join(words)}.",
        "Share of nodes in the largest class of their cluster, which no tree saw; means with 95 % t intervals over "
        "seeds. "
        "It rises with the number of clusters even at random.",
        data,
    )


def _purer(data: pd.DataFrame, name: str) -> str:
    """Say at how many levels PIFA's clusters are purer than the text tree's, and the reverse: intervals apart."""
    here = data[data["dataset"] == name]
    ours, theirs = (here[here["method"] == tree].set_index("at") for tree in ("PIFA tree", "Text tree"))
    more, less = int((ours["low"] > theirs["high"]).sum()), int((ours["high"] < theirs["low"]).sum())
    return f"{title_of(name)}: purer at {more} of {len(ours)} levels, less pure at {less}, else not told apart"


def draw_clusters(rows: pd.DataFrame) -> Drawing:
    """Draw how often the clusters named first hold a held-out neighbour, by level: what the pre-training asks."""
    name = sets_with(rows, experiment="clusters")[-1]
    figure, axes = new_figure(columns=2, height=3.5)
    drawn: list[dict[str, Any]] = []
    for one, k in zip(axes, (1, 5), strict=True):
        how: dict[str, Any] = {"dataset": name, "experiment": "clusters", "metric": f"precision@{k}"}
        levels = mark_levels(one, rows, **how)
        for method in ON_CLUSTERS:
            curve = draw_over_levels(one, rows, levels, style=method, method=method, **how)
            drawn += [{"k": k, **line} for line in curve]
        one.set(xlabel="clusters of the level", ylabel=f"precision@{k} (%)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=8)
    words = [f"{difference(over_svd(rows, name, level))} of {level}" for level in (levels[0], levels[-1])]
    state_finding(
        figure,
        f"{title_of(name)}: clusters of held-out neighbours, GIANT − SVD at 1, points: {', '.join(words)} clusters",
    )
    return Drawing(
        figure,
        "clusters",
        f"Precision at 1 for the clusters of held-out neighbours on {title_of(name)}, GIANT minus SVD under the same "
        f"reading-out, points: {', '.join(words)} clusters.",
        "A tenth of the edges was taken away before everything; in which cluster is their other end? Own heads: each "
        "level's, with the encoder as it was then. The others: ridge on finished features, of the counts of known "
        "neighbours. Most linked clusters need no text. "
        f"Means with 95 % t intervals, {seeds_behind(pd.DataFrame(drawn))}.",
        pd.DataFrame(drawn),
    )


def over_svd(rows: pd.DataFrame, data_set: str, level: int, method: str = "GIANT") -> Interval:
    """Return a method's precision at 1 for clusters of a level minus SVD's, paired over the seeds, points."""
    how: dict[str, Any] = {"dataset": data_set, "experiment": "clusters", "metric": "precision@1", "level": level}
    return t_interval(paired_differences(*(per_seed(rows, method=one, **how) for one in (method, "SVD"))))


def draw_neighbours(rows: pd.DataFrame) -> Drawing:
    """Draw precision at 1 and 5 for edges held out, by method."""
    names = sets_with(rows, experiment="neighbours")
    name = names[-1]
    methods = ("GIANT", "GIANT, closed form", "Link prediction", "SVD", "TF-IDF", "XR-Linear")
    lines = [Line(method, method, {"method": method}) for method in methods]
    figure, axes = new_figure(columns=2, height=2.7, sharey=True)
    drawn: list[dict[str, Any]] = []
    for one, k in zip(axes, (1, 5), strict=True):
        how: dict[str, Any] = {"dataset": name, "experiment": "neighbours", "metric": f"precision@{k}"}
        drawn += draw_dots(one, measured_lines(rows, lines, **how), lines, dataset=name, k=k)
        one.set(xlabel=f"precision@{k} (%)")
    data = pd.DataFrame(drawn)
    first = data[data["k"] == 1].sort_values("mean", ascending=False)
    words = [f"{line.method} {number(line.mean, 1)}" for line in first.itertuples()]
    place = list(first["method"]).index("GIANT") + 1
    state_finding(
        figure,
        f"{title_of(name)}: {first['method'].iloc[0]} has the highest precision at 1; GIANT is number {place} of "
        f"{len(first)}",
    )
    return Drawing(
        figure,
        "neighbours",
        f"Precision at 1 for held-out edges on {title_of(name)}, percent: {', '.join(words)}.",
        "A tenth of the edges was taken away before everything; who is their other end? Ridge on features (GIANT, "
        "SVD, link "
        f"prediction), cosine (TF-IDF), tree ranker (XR-Linear). Means with 95 % t intervals, {seeds_behind(data)}.",
        data,
    )
