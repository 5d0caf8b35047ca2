"""Figures that need no study: how cold the graphs are, and one look-up of latent neighbours as a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Data

from reprise.cold_brew.data import load_graph
from reprise.cold_brew.splits import degree_splits
from reprise.cold_brew.student import attend
from reprise.palette import BLUE, ORANGE, VERMILION
from reprise.plots import TEXT_WIDTH, Drawing, new_figure, state_finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GROUP_COLOURS = {"isolation": VERMILION, "tail": ORANGE, "the rest": "#C9C9C9", "head": BLUE}
DEGREE_RANGES = {"0": (0, 0), "1": (1, 1), "2": (2, 2), "3–4": (3, 4), "5–8": (5, 8), "9 or more": (9, None)}
TINY_GUESS = (math.sqrt(2), 0.0)
TINY_BANK = ((math.log(3), 1.0), (0.0, -1.0), (-1.0, 0.5))


def tiny_lookup(k: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return rows, attention and ẽ of a look-up small enough to be worked by hand.

    The guess is (√2, 0), the bank (log 3, 1), (0, −1), (−1, ½). Divided by √D = √2, the products are log 3, 0 and −1.
    """
    guess, bank = torch.tensor([TINY_GUESS]), torch.tensor(TINY_BANK)
    index, weight = attend(guess, bank, k)
    return index[0], weight[0], weight[0] @ bank[index[0]]


def draw_lookup() -> Drawing:
    """Draw one look-up: a cold node's guess, the bank, the two latent neighbours and their weighted mean."""
    index, weight, mixed = tiny_lookup()
    figure, (left, right) = new_figure(columns=2, height=TEXT_WIDTH * 0.42, width_ratios=(1, 1.25))
    _draw_newcomer(left)
    bank = np.array(TINY_BANK)
    for row, share in zip(index.tolist(), weight.tolist(), strict=True):
        right.plot(*zip(bank[row], mixed.tolist(), strict=True), color=BLUE, linewidth=5 * share, alpha=0.5, zorder=1)
        middle = 0.45 * bank[row] + 0.55 * mixed.numpy()
        right.annotate(f"weight {share:.2f}", middle, xytext=(9, -4), textcoords="offset points")
    right.scatter(*bank.T, s=110, c="#d9e7f2", edgecolors=BLUE, zorder=2)
    for number, place in enumerate(bank, 1):
        right.annotate(str(number), place, ha="center", va="center", fontsize=8, zorder=3)
    right.scatter(*TINY_GUESS, marker="X", s=70, c=VERMILION, zorder=3)
    right.annotate("guess ê", TINY_GUESS, xytext=(0, 8), textcoords="offset points", ha="center")
    right.scatter(*mixed.tolist(), marker="*", s=130, c="black", zorder=3)
    right.annotate("ẽ", mixed.tolist(), xytext=(-12, -3), textcoords="offset points")
    right.set(xlim=(-1.4, 1.9), ylim=(-1.35, 1.5), title="The neighbours that are looked up")
    right.set(xlabel="first coordinate of the embedding", ylabel="second coordinate")
    shares = ", ".join(
        f"row {row + 1}: {share:.2f}" for row, share in zip(index.tolist(), weight.tolist(), strict=True)
    )
    state_finding(figure, "A node without edges borrows neighbours from the space of embeddings")
    data = pd.DataFrame(bank, columns=["first", "second"]).assign(row=range(1, len(bank) + 1), attention=0.0)
    data.loc[index.tolist(), "attention"] = weight.tolist()
    return Drawing(
        figure,
        "lookup",
        f"Of three embeddings the two most similar to the guess of a node without edges are averaged, with weights: "
        f"{shares}.",
        "Left: three linked nodes and a newcomer. Right: the embeddings of the three (circles), the newcomer's guess "
        "(cross) and the attended mean of its two latent neighbours (star), worked by the library.",
        data,
    )


def _draw_newcomer(axes: Axes) -> None:
    """Draw three linked nodes and one without edges."""
    places = {"1": (0.1, 0.9), "2": (0.0, 0.1), "3": (0.75, 0.5), "new": (1.7, 0.5)}
    for a, b in (("1", "2"), ("1", "3"), ("2", "3")):
        axes.plot(*zip(places[a], places[b], strict=True), color="#9a9a9a", zorder=1)
    for name, place in places.items():
        cold = name == "new"
        axes.scatter(*place, s=330, c="white" if cold else "#d9e7f2", edgecolors=VERMILION if cold else BLUE, zorder=2)
        axes.annotate(name, place, ha="center", va="center", fontsize=8)
    axes.annotate("no edge:\nnothing to average", (1.7, 0.78), ha="center", fontsize=8)
    axes.set(xlim=(-0.3, 2.3), ylim=(-0.2, 1.2), xticks=[], yticks=[], title="The graph that exists")
    axes.grid(False)


def draw_degrees(data: Data, data_sets: Sequence[str], *, seed: int = 0) -> Drawing:
    """Draw the degrees of one graph by group, and how many nodes of every graph have few edges or none."""
    split = degree_splits(data, seed=seed)
    degrees = torch.bincount(torch.as_tensor(data.edge_index)[0], minlength=int(data.num_nodes or 0)).numpy()
    figure, (left, right) = new_figure(columns=2, height=max(2.7, 0.26 * len(data_sets) + 1.4), width_ratios=(1.1, 1))
    groups = {name: mask.numpy() for name, mask in split.groups().items() if name != "overall"}
    groups["the rest"] = ~np.any(list(groups.values()), axis=0)
    edges = np.concatenate([np.arange(-0.5, 8), np.geomspace(8.5, degrees.max() + 1.5, 12)])
    order = ("isolation", "tail", "the rest", "head")
    left.hist(
        [degrees[groups[name]] for name in order], bins=edges, stacked=True, label=order,
        color=[GROUP_COLOURS[name] for name in order], edgecolor="white", linewidth=0.4,
    )  # fmt: skip
    left.set_xscale("symlog", linthresh=8, linscale=1.2)
    left.set_xlim(-0.6, degrees.max() * 1.4)
    ticks = [tick for tick in (0, 2, 4, 8, 30, 100, 300, 1000) if tick <= degrees.max()]
    left.set_xticks(ticks, [str(tick) for tick in ticks])
    left.minorticks_off()
    left.set(xlabel="edges of the node, before the cut", ylabel="nodes", title=str(data.name))
    left.legend(loc="upper right")
    table = degree_shares({name: load_graph(name, seed=seed) for name in data_sets})
    start = np.zeros(len(table))
    shades = ("#00204C", "#31446B", "#666970", "#958F78", "#CAB969", "#FFE945")  # cividis
    for (name, shares), shade in zip(table.items(), shades, strict=True):
        right.barh(range(len(table)), shares, left=start, color=shade, label=name, height=0.7, edgecolor="white")
        start += shares.to_numpy()
    right.set_yticks(range(len(table)), list(table.index))
    right.set(xlabel="nodes by number of edges (%)", xlim=(0, 100), ylim=(len(table) - 0.4, -0.6))
    right.grid(False)
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, handlelength=1, columnspacing=1)
    few = table["0"] + table["1"]
    state_finding(figure, f"{few.min():.0f} to {few.max():.0f} % of the nodes have one edge or none" if len(few) > 1
                  else f"{few.iloc[0]:.0f} % of the nodes have one edge or none")  # fmt: skip
    return Drawing(
        figure,
        "degrees",
        "Nodes with one edge or none: " + "; ".join(f"{name} {share:.0f} %" for name, share in few.items()) + ".",
        f"Left: degrees of {data.name} before the cut, by group: all edges of the isolation group are taken away, tail "
        "and head are the lowest and highest degrees of what is left; a tail node may have had more edges before. The "
        "axis is linear to 8, logarithmic beyond, with wider bins. Right: nodes by degree in every graph of this run.",
        table.reset_index(names="dataset"),
    )


def degree_shares(graphs: Mapping[str, Data]) -> pd.DataFrame:
    """Return the share of nodes in %, by graph (lines) and range of degrees (columns)."""
    lines = {}
    for name, data in graphs.items():
        degrees = torch.bincount(torch.as_tensor(data.edge_index)[0], minlength=int(data.num_nodes or 0)).numpy()
        lines[name] = {
            label: 100.0 * np.mean((degrees >= low) & (degrees <= (degrees.max() if high is None else high)))
            for label, (low, high) in DEGREE_RANGES.items()
        }
    return pd.DataFrame.from_dict(lines, orient="index")
