"""The parts of the study beyond the paper: labels, variance, degrees, neighbours, graphs, theory, scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

from reprise.compute import numpy_generator
from reprise.giant_xrt.cell import FEW, TREES, Cell, Row
from reprise.giant_xrt.downstream import ridge_scores
from reprise.giant_xrt.effect_size import CONTRASTS, MEAN_DEGREES, gain, simulate
from reprise.giant_xrt.generators import rewired, text_blocks, without_edges
from reprise.giant_xrt.neighbours import held_out_hits, precision_at, ridge_neighbours
from reprise.giant_xrt.pretraining import Level, level_logits
from reprise.giant_xrt.ranker import fit_ranker
from reprise.giant_xrt.scale import measure
from reprise.giant_xrt.settings import Settings
from reprise.giant_xrt.targets import level_targets
from reprise.giant_xrt.trees import LabelTree, label_tree

GROUPS = {"isolated": (0, 0), "1–2": (1, 2), "3–5": (3, 5), "6 or more": (6, 10**9)}
ON_CURVES = ("TF-IDF", "SVD", "SVD, one hop", "GIANT, closed form", "GIANT")
ON_CLUSTERS = ("GIANT", "Link prediction", "SVD", "Untrained encoder")
HELD_OUT = 0.1
GUESSES = (1, 5)
RANKED = 50
RANKER_LEVELS = (2, 4, 6, 8)


def label_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield accuracy against the number of training labels: ridge on five kinds of features."""
    for regime in cell.settings.label_budgets:
        for name in ON_CURVES:
            yield cell.ridge("labels", seed, name, cell.features(name, seed), regime)


def variance_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield the accuracy of one pre-training (the seed) on each of the same splits (``at``)."""
    features = cell.features("GIANT", seed)
    for number in range(cell.settings.variance_splits):
        scores = ridge_scores(features, cell.graph.labels, cell.split(FEW, number))
        yield cell.row("variance", seed, "GIANT", scores.test, model="ridge", labels=FEW, at=number)


def degree_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield accuracy by number of neighbours."""
    split, degrees = cell.split(FEW, seed), cell.graph.degrees
    for name in ("SVD", "SVD, one hop", "Link prediction", "GIANT", "GIANT, one hop"):
        predicted = ridge_scores(cell.features(name, seed), cell.graph.labels, split).predicted
        right = predicted == cell.graph.labels
        for group, (low, high) in GROUPS.items():
            members = split.test[(degrees[split.test] >= low) & (degrees[split.test] <= high)]
            if len(members):
                value = 100 * float(right[members].mean())
                yield cell.row("degrees", seed, name, value, model="ridge", labels=FEW, group=group)


def neighbour_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield how well text predicts neighbours that the pre-training never saw: a tenth of the edges, held out first."""
    left, taken = without_edges(cell.graph.adjacency, HELD_OUT, cell.generator(seed, "held out"), spare_last=True)
    other, n = cell.with_graph(left), cell.graph.n_nodes
    ones = np.ones(len(taken), dtype=np.float32)
    one_way = sparse.csr_array((ones, (taken[:, 0], taken[:, 1])), shape=(n, n))
    held_out = sparse.csr_array(one_way + one_way.T)
    where: dict[str, Any] = {"split": "held-out edges"}
    yield from _cluster_rows(cell, other, seed, held_out, where)
    for name, scores_of in _scorers(other, seed).items():
        for k in GUESSES:
            precision, recall = held_out_hits(scores_of, left, held_out, k)
            yield cell.row("neighbours", seed, name, precision, metric=f"precision@{k}", **where)
            yield cell.row("neighbours", seed, name, recall, metric=f"recall@{k}", **where)


def _cluster_rows(
    cell: Cell, other: Cell, seed: int, held_out: sparse.csr_array, where: dict[str, Any]
) -> Iterator[Row]:
    """Yield how well text predicts the *clusters* of held-out neighbours: what the pre-training asks, level by level.

    GIANT's own heads answer with the encoder as it was after their level; ridge regression of the known counts answers
    from finished features of several kinds; the clusters with most links answer without any text.
    """
    own: list[np.ndarray] = []

    def answer(level: Level, features: Callable[[], np.ndarray]) -> None:
        own.append(level_logits(level, features()).numpy())

    finished = other.giant(seed, after_level=answer)
    other.once(("GIANT", seed), lambda: finished)
    tree = other.tree("pifa", seed)
    truth, known = (level_targets(graph, tree) for graph in (held_out, other.graph.adjacency))
    for level, clusters in enumerate(tree.levels):
        counts = known[level]
        scores = {"GIANT, own heads": own[level]}
        for name in ON_CLUSTERS:
            features = other.features(name, seed)
            scores[name] = features @ ridge_neighbours(features, counts)
        scores["Most linked clusters"] = np.broadcast_to(np.asarray(counts.sum(axis=0)), counts.shape)
        for name, of in scores.items():
            for k in GUESSES:
                value = precision_at(of, truth[level], k)
                yield cell.row("clusters", seed, name, value, metric=f"precision@{k}", level=clusters, **where)


def _scorers(cell: Cell, seed: int) -> dict[str, Any]:
    """Return, by method, a function from a slice of rows to scores of all nodes."""
    found: dict[str, Any] = {}
    for name in ("SVD", "Link prediction", "GIANT", "GIANT, closed form"):
        features = cell.features(name, seed)
        weights = ridge_neighbours(features, cell.graph.adjacency)
        found[name] = lambda rows, f=features, w=weights: f[rows] @ w
    unit = sparse.csr_array(normalize(cell.tfidf))
    found["TF-IDF"] = lambda rows: (unit[rows] @ unit.T).toarray()
    if seed not in cell.settings.network_seeds:
        return found
    tree = deep_tree(cell, seed)
    ranker = fit_ranker(cell.tfidf[cell.instances], cell.graph.adjacency[cell.instances], tree)
    found["XR-Linear"] = lambda rows: ranker.predict(cell.tfidf[rows], RANKED).toarray()
    return found


def deep_tree(cell: Cell, seed: int) -> LabelTree:
    """Return the four-way tree that the ranker descends."""
    deepest = max(cell.depths)
    levels = (*(one for one in RANKER_LEVELS if one < deepest), deepest)
    return label_tree(cell.vectors("pifa"), seed=seed, depths=levels)


def phase_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield accuracy as the graph gets worse, over amounts of labels, and the graph's homophily.

    Where graphs can be drawn, homophily changes; where one is given, edges are taken away. Learning rates and updates
    are those of the whole graph throughout.
    """
    budgets = dict.fromkeys((FEW, *cell.settings.label_budgets))
    for at, other in _graphs(cell, seed):
        columns: dict[str, Any] = {"at": at, "mean_degree": float(other.graph.degrees.mean())}
        place = {"split": "labels", "metric": "homophily", **columns}
        yield cell.row("phase", seed, "Graph", other.graph.homophily, **place)
        for name in ("TF-IDF", "SVD", "SVD, one hop", "GIANT"):
            features = other.features(name, seed)
            for labels in budgets:
                yield other.ridge("phase", seed, name, features, labels, **columns)


def _graphs(cell: Cell, seed: int) -> Iterator[tuple[float, Cell]]:
    if cell.graph.name == "text-blocks":
        for homophily in cell.settings.homophilies:
            drawn = text_blocks(homophily=homophily, random_state=seed)
            changed = {"texts": drawn.texts, "adjacency": drawn.adjacency, "labels": drawn.labels}
            yield homophily, cell.like(replace(cell.graph, **changed))
        return
    for share in cell.settings.kept_edges:
        graph = without_edges(cell.graph.adjacency, 1 - share, cell.generator(seed, "fewer edges", share))[0]
        yield share, cell.with_graph(graph)


def purity_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield the share of nodes in their cluster's largest class, by tree and level."""
    for name, kind in TREES.items():
        tree = cell.tree(kind, seed)
        for level, clusters in enumerate(tree.levels):
            value = 100 * purity(tree.codes(level), cell.graph.labels)
            yield cell.row("purity", seed, name, value, metric="purity", split="labels", level=clusters)


def purity(clusters: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of members that belong to their cluster's largest class.

    Examples
    --------
    >>> purity(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]))
    0.75
    """
    table = np.zeros((clusters.max() + 1, labels.max() + 1))
    np.add.at(table, (clusters, labels), 1)
    return float(table.max(axis=1).sum() / len(labels))


def control_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield the controls: the generator as it is, and with edges rewired at random; ten labels a class."""
    regime = "10 per class"
    for name in ("SVD", "GIANT"):
        yield cell.ridge("controls", seed, name, cell.features(name, seed), regime)
    other = cell.with_graph(rewired(cell.graph.adjacency, cell.generator(seed, "rewired")))
    yield cell.ridge("controls", seed, "GIANT, rewired graph", other.features("GIANT", seed), regime)


def theory_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield the simulated gain of effect size by PIFA, over density and contrast, for two weightings of neighbours."""
    common = {"dataset": "theory", "split": "graphs", "metric": "gain", "experiment": "theory"}
    for mean_degree in MEAN_DEGREES:
        for contrast in CONTRASTS:
            place = {"at": contrast, "mean_degree": float(mean_degree)}
            for method, weighting in (("Simulated", "mean"), ("Simulated, released weights", "rows")):
                generator = numpy_generator(seed, "giant-xrt", "theory", mean_degree, contrast)
                drawn = [
                    simulate(mean_degree, contrast, generator, weighting=weighting)
                    for _ in range(cell.settings.theory_graphs)
                ]
                yield {**common, **place, "method": method, "seed": seed, "value": float(np.mean(drawn))}


def formula_rows() -> Iterator[Row]:
    """Yield the closed form of the gain over the same grid."""
    common = {"dataset": "theory", "split": "graphs", "metric": "gain", "experiment": "theory", "seed": -1}
    for mean_degree in MEAN_DEGREES:
        for contrast in CONTRASTS:
            place = {"at": contrast, "mean_degree": float(mean_degree), "method": "Closed form"}
            yield {**common, **place, "value": gain(mean_degree, contrast)}


def scale_rows(settings: Settings) -> Iterator[Row]:
    """Yield seconds and memory of the steps that precede the encoder, by size of the graph."""
    common = {"dataset": "theory", "split": "synthetic", "seed": -1, "experiment": "scale"}
    for n in settings.scale_sizes:
        for found in measure(n):
            place = {"method": found["step"], "at": float(n)}
            yield {**common, **place, "metric": "seconds", "value": found["seconds"]}
            yield {**common, **place, "metric": "memory", "value": found["mebibytes"]}
