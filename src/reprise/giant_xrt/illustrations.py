"""Figures and tables that need no study: one node's targets, the data, nearest texts before and after."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from sklearn.preprocessing import normalize

from reprise.giant_xrt.cell import Cell
from reprise.giant_xrt.data import TextGraph, load
from reprise.giant_xrt.figures import title_of
from reprise.giant_xrt.settings import Settings
from reprise.giant_xrt.targets import level_targets
from reprise.giant_xrt.trees import LabelTree
from reprise.numerals import number
from reprise.plots import Drawing, new_figure, state_finding

N_SHOWN = 16
LONGEST_TITLE = 70
QUERIES = 3


def draw_targets() -> Drawing:
    """Draw the neighbours of one node of the embedded graph as targets at four scales."""
    graph = load("text-blocks")
    order = np.argsort(graph.labels, kind="stable")
    leaf = np.empty(graph.n_nodes, dtype=np.int64)
    leaf[order] = np.arange(graph.n_nodes) * N_SHOWN // graph.n_nodes
    tree = LabelTree(leaf, 4, (3, 2, 1, 0))
    node = int(np.argsort(graph.degrees)[-20])
    levels = [one[[node]].toarray()[0] for one in level_targets(graph.adjacency, tree)]
    figure, axes = new_figure(rows=len(levels), height=2.6)
    for one, counts in zip(axes, levels, strict=True):
        one.imshow(counts[None, :], aspect="auto", cmap="cividis", vmin=0, vmax=max(map(max, levels)))
        for place, count in enumerate(counts):
            colour = "black" if count > max(map(max, levels)) / 2 else "white"
            one.text(place, 0, f"{count:.0f}", ha="center", va="center", fontsize=8, color=colour)
        one.set(xticks=[], yticks=[0], yticklabels=[f"{len(counts)} clusters"])
        one.grid(visible=False)
    share = float(levels[0].max() / levels[0].sum())
    state_finding(
        figure,
        f"One node's {levels[0].sum():.0f} neighbours as targets: {number(100 * share, 0)} % lie in one half of the "
        "tree",
    )
    data = pd.DataFrame(
        [
            {"clusters": len(counts), "cluster": place, "neighbours": float(count)}
            for counts in levels
            for place, count in enumerate(counts)
        ]
    )
    return Drawing(
        figure,
        "targets",
        f"The number of neighbours of one node in each cluster, at four levels of a tree; {number(100 * share, 0)} % "
        "lie in "
        "one half of it.",
        "The row of the adjacency matrix, pushed up a tree: coarse levels ask where a node's neighbours are, fine "
        "ones which "
        "they are. For the picture the tree's leaves are ordered by class.",
        data,
    )


def data_table(data_sets: list[str]) -> pd.DataFrame:
    """Return size, density, homophily and texts of data sets."""
    lines = []
    for name in data_sets:
        graph = load(name)
        shares = np.bincount(graph.labels) / graph.n_nodes
        lines.append(
            {
                "data set": title_of(name),
                "nodes": graph.n_nodes,
                "edges": graph.adjacency.nnz // 2,
                "mean degree": number(float(graph.degrees.mean()), 2),
                "isolated": int((graph.degrees == 0).sum()),
                "edge homophily": number(graph.homophily, 3),
                "by chance": number(float((shares**2).sum()), 3),
                "classes": len(graph.class_names),
                "words a text": number(float(np.mean([len(text.split()) for text in graph.texts])), 0),
                "repeated texts": graph.n_nodes - len(set(graph.texts)),
                "left out": graph.dropped,
            }
        )
    return pd.DataFrame(lines)


@cache
def _nearest_and_linked(
    data_set: str, settings: Settings
) -> tuple[TextGraph, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return a graph, each node's nearest other text by SVD and by GIANT, and whether the two are linked."""
    cell = Cell(settings, load(data_set))
    graph = cell.graph
    nearest = {name: _nearest(np.asarray(cell.features(name, 0))) for name in ("SVD", "GIANT")}
    nodes = np.arange(graph.n_nodes)
    return (
        graph,
        nearest,
        {name: np.asarray(graph.adjacency[nodes, near] > 0).ravel() for name, near in nearest.items()},
    )


def nearest_sentence(data_set: str, settings: Settings) -> str:
    """Say how often the nearest text is linked to the node, by both kinds of features: the table shows chosen nodes."""
    graph, _, linked = _nearest_and_linked(data_set, settings)
    only = {name: int((linked[name] & ~linked[other]).sum()) for name, other in (("GIANT", "SVD"), ("SVD", "GIANT"))}
    return (
        f"The nodes shown were chosen so, and all links took part in the pre-training. Of {graph.n_nodes:,} nodes, "
        f"{only['GIANT']:,} have a linked nearest text by GIANT only, {only['SVD']:,} by SVD only."
    )


def nearest_table(data_set: str, settings: Settings) -> pd.DataFrame:
    """Return the nearest text of three nodes before (SVD) and after the pre-training (GIANT), with classes.

    The nodes are the first three whose nearest texts differ and have a link to the node after, not before.
    """
    graph, nearest, linked = _nearest_and_linked(data_set, settings)
    words = [set(text.lower().split()) for text in graph.texts]
    shown = np.flatnonzero(~linked["SVD"] & linked["GIANT"])[:QUERIES]
    lines = []
    for node in shown:
        lines.append(_described(graph.texts[node], graph.class_names[graph.labels[node]], "the node itself", ""))
        for name in ("SVD", "GIANT"):
            other = nearest[name][node]
            shared = f"{len(words[node] & words[other])} words shared"
            lines.append(
                _described(graph.texts[other], graph.class_names[graph.labels[other]], f"nearest by {name}", shared)
            )
    return pd.DataFrame(lines)


def first_pretraining(data_set: str, settings: Settings, rate: float) -> Settings:
    """Return the settings of seed 0 on one data set of a run, with the learning rate that the run chose for GIANT."""
    return settings.model_copy(update={"datasets": (data_set,), "seeds": (0,), "learning_rates": (rate,)})


def _nearest(features: np.ndarray) -> np.ndarray:
    unit = normalize(features)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    return similarity.argmax(axis=1)


def _described(text: str, class_name: str, what: str, shared: str) -> dict[str, str]:
    beginning = text if len(text) <= LONGEST_TITLE else text[:LONGEST_TITLE].rsplit(" ", 1)[0] + " …"
    return {"": what, "text begins": beginning, "class": class_name, "in common": shared}
