"""Figures that need no study: the data looked at, and the theory as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from reprise.grda.data import GraphDomains
from reprise.grda.graphs import chain_graph, standard_graphs
from reprise.grda.theory import SelfPairs, alignment_freedom, chain_mixture_losses, entropy_bound
from reprise.palette import BLUE, GREEN, GREY, ORANGE, VERMILION
from reprise.plots import TEXT_WIDTH, Drawing, new_figure

CLASS_STYLES = ((ORANGE, "o"), (BLUE, "^"), (VERMILION, "s"), (GREEN, "D"))


def draw_edges(axes: Axes, domains: GraphDomains) -> None:
    """Draw the domain graph's edges between the domains' positions."""
    first, second = np.nonzero(np.triu(domains.adjacency))
    segments = np.stack([domains.positions[first], domains.positions[second]], axis=1)
    axes.add_collection(LineCollection(list(segments), colors="#cfcfcf", linewidths=0.5, zorder=1))


def draw_domains(axes: Axes, domains: GraphDomains, values: pd.Series, *, size: float, **colours: Any) -> Any:
    """Draw the domain graph, its sources white and its targets coloured; return what a colour bar is made for.

    Parameters
    ----------
    axes, domains
        Where to draw, and what.
    values
        One number for each target that is shown, by its name.
    size
        Area of a node, in square points.
    **colours
        ``cmap``, ``vmin`` and ``vmax``.
    """
    draw_edges(axes, domains)
    x, y = domains.positions[domains.source].T
    axes.scatter(x, y, s=0.85 * size, c="white", edgecolors="black", zorder=3)
    x, y = domains.positions[[domains.domain_names.index(name) for name in values.index]].T
    return axes.scatter(x, y, s=size, c=values, edgecolors="#444444", linewidths=0.4, zorder=3, **colours)


def draw_points(domains: GraphDomains) -> Drawing:
    """Draw two-dimensional inputs, coloured by class, beside the domain graph with its sources and hops."""
    figure, (left, right) = new_figure(columns=2, height=TEXT_WIDTH * 0.48)
    source_rows = domains.source[domains.domain]
    for number, (colour, marker) in enumerate(CLASS_STYLES[: domains.n_outputs]):
        for is_source, alpha in ((False, 0.35), (True, 0.9)):
            chosen = (domains.targets == number) & (source_rows == is_source)
            left.scatter(*domains.features[chosen].T, s=7, c=colour, marker=marker, alpha=alpha, linewidths=0)
        mean = domains.features[(domains.targets == number) & source_rows].mean(0)
        left.annotate(f"class {number}", mean, fontsize=8, weight="bold", ha="center")
    left.set(xlabel="first input", ylabel="second input", title="The class boundary turns")
    left.set_aspect("equal", "datalim")
    draw_edges(right, domains)
    hops = domains.hops
    for hop in range(int(hops.max()) + 1):
        at = hops == hop
        label = "source" if hop == 0 else f"{hop} hop{'s' if hop > 1 else ''} away"
        face = "white" if hop == 0 else plot_shade(hop, int(hops.max()))
        edge = "black" if hop == 0 else face
        right.scatter(*domains.positions[at].T, s=42, c=face, edgecolors=edge, linewidths=1.4, label=label, zorder=3)
    right.set(xlabel="domain centre, first input", ylabel="second input", title="The graph links its neighbours")
    right.set_aspect("equal", "datalim")
    right.legend(loc="best")
    counts = ", ".join(f"{int((hops == hop).sum())} at {hop}" for hop in range(1, int(hops.max()) + 1))
    data = pd.DataFrame(domains.positions, columns=["x", "y"]).assign(
        domain=domains.domain_names, source=domains.source, hops=hops
    )
    return Drawing(
        figure,
        "data",
        f"{domains.n_domains} domains of {domains.n_rows} points in all; the two classes swap sides along the domains. "
        f"{int(domains.source.sum())} domains have labels; the others lie one to {int(hops.max())} hops away.",
        f"Data set {domains.name}. Left: all rows; those of labelled domains are opaque. Right: the domain graph, "
        f"{int(domains.adjacency.sum()) // 2} edges; targets by hops from the nearest source ({counts}).",
        data,
    )


def plot_shade(hop: int, n_hops: int) -> str:
    """Return the colour of a hop distance: the farther, the darker, in a perceptually even scale."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return to_hex(colormaps["cividis_r"](0.25 + 0.75 * (hop - 1) / max(n_hops - 1, 1)))


def draw_chain_mixtures(n_shares: int = 41) -> Drawing:
    """Draw how uninformative the best discriminator is on a chain of three, over mixtures of the middle domain."""
    shares = np.linspace(0, 1, n_shares)
    kinds: dict[SelfPairs, str] = {"nonedge": "Theory: optimal", "exclude": "Released code: not optimal"}
    figure, panels = new_figure(columns=2, height=TEXT_WIDTH * 0.5, sharey=True)
    columns = {"share_of_first": np.repeat(shares, n_shares), "share_of_last": np.tile(shares, n_shares)}
    for axes, (kind, title) in zip(panels, kinds.items(), strict=True):
        ratio = chain_mixture_losses(shares, kind) / entropy_bound(chain_graph(3), self_pairs=kind)
        columns[f"ratio_{kind}"] = ratio.ravel()
        image = axes.imshow(ratio.T, origin="lower", extent=(0, 1, 0, 1), vmin=0.4, vmax=1, cmap="cividis")
        axes.plot(
            0.5, 0.5, marker="D", markersize=8, markerfacecolor="none", markeredgecolor="black", markeredgewidth=1.5
        )
        even = ratio[n_shares // 2, n_shares // 2]
        axes.annotate(f"even mixture: {even:.2f}", (0.5, 0.5), xytext=(-4, 10), textcoords="offset points", fontsize=8)
        axes.set(title=title, xlabel="share a of p₁ in p₂")
        axes.grid(False)
    panels[0].set(ylabel="share b of p₃ in p₂")
    figure.colorbar(image, ax=panels, label="best loss ÷ its bound", shrink=0.8)
    even_theory, even_released = (
        float(columns[f"ratio_{kind}"].reshape(n_shares, n_shares)[n_shares // 2, n_shares // 2]) for kind in kinds
    )
    return Drawing(
        figure,
        "chain_mixtures",
        f"At the even mixture the best discriminator's loss is {even_theory:.2f} of its bound in theory and "
        f"{even_released:.2f} without self-pairs.",
        "Chain of three domains, exact, no training: p₁ and p₃ never share a code and p₂ = a·p₁ + b·p₃ + rest. A ratio "
        "of 1 means that the best discriminator learns nothing from the codes. Left, a pair from one domain counts as "
        "not adjacent; right, such pairs are never drawn.",
        pd.DataFrame(columns).dropna(),
    )


def draw_alignment_freedom(data_sets: Sequence[GraphDomains] = ()) -> Drawing:
    """Draw how many directions of non-uniform alignment each graph leaves free, with and without self-pairs.

    The graphs of data sets are drawn below those of the theory; both temperature tasks have that of the states.
    """
    graphs = standard_graphs()
    for domains in data_sets:
        graphs["US states" if domains.name.startswith("tpt-48") else domains.name] = domains.adjacency
    data = pd.DataFrame(
        {
            "graph": list(graphs),
            "domains": [len(graph) for graph in graphs.values()],
            "freedom_theory": [alignment_freedom(graph) for graph in graphs.values()],
            "freedom_released": [alignment_freedom(graph, self_pairs="exclude") for graph in graphs.values()],
        }
    )
    figure, axes = new_figure(width=TEXT_WIDTH, height=0.34 * len(data) + 1.1)
    places = np.arange(len(data))
    axes.barh(places - 0.2, data.freedom_theory, height=0.36, color=BLUE, label="theory (self-pairs are non-edges)")
    axes.barh(
        places + 0.2, data.freedom_released, height=0.36, color=GREY, hatch="///", edgecolor="white",
        label="released code (no self-pairs)",
    )  # fmt: skip
    for bars in axes.containers:
        axes.bar_label(bars, fontsize=7, padding=2)
    axes.set_yticks(places, [f"{name} (N = {n})" for name, n in zip(data.graph, data.domains, strict=True)])
    axes.invert_yaxis()
    fixed = ", ".join(data.graph[data.freedom_theory == 0]) or "no graph"
    axes.set(xlabel="alignment freedom (dimensions)", title=f"Nothing is left free, in theory, by: {fixed}")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="upper right")
    free = data[data.freedom_theory > 0]
    by_graph = ", ".join(f"{r.graph}: {r.freedom_theory}" for r in free.itertuples())
    n_changed = int((data.freedom_theory != data.freedom_released).sum())
    return Drawing(
        figure,
        "alignment_freedom",
        f"Alignment freedom is 0 for {fixed}, {free.freedom_theory.min()} to {free.freedom_theory.max()} "
        f"for the other graphs ({by_graph}); leaving self-pairs out changes it for {n_changed} of {len(data)}.",
        "Largest number of dimensions in which encodings may differ between domains while the graph discriminator "
        "still learns nothing; exact linear algebra on the adjacency matrix.",
        data,
    )
