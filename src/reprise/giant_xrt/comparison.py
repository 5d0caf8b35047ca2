"""The parts of the study that set GIANT beside other features: networks on top, levels, ablations, rivals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reprise.giant_xrt.baselines import self_supervised_features
from reprise.giant_xrt.cell import FEW, MANY, Cell, Row
from reprise.giant_xrt.downstream import propagation_scores, ridge_scores
from reprise.giant_xrt.pretraining import Level

COMPARED = (
    "TF-IDF",
    "SVD",
    "Binary words",
    "SVD, one hop",
    "Untrained encoder",
    "Link prediction",
    "GIANT",
    "GIANT, closed form",
    "GIANT, one hop",
    "SVD + GIANT",
)
ON_GRAPHSAGE = ("SVD", "Link prediction", "GIANT")
ON_NETWORKS = ("SVD", "GIANT")
PAPERS_SCHEDULE = {"schedule": "linear", "warmup": 200, "clip_norm": 1.0}
ABLATIONS: dict[str, dict[str, Any]] = {
    "PIFA tree": {},
    "PII tree": {"kind": "pii"},
    "Text tree": {"kind": "text"},
    "Random tree": {"kind": "random"},
    "Finest level only": {"all_levels": False},
    "TFN + MAN": {"negatives": "tfn+man"},
    "TFN only": {"negatives": "tfn"},
    "MAN only": {"negatives": "man"},
    "Ridge heads": {"bootstrap": "ridge"},
    "TFN + MAN, SVM heads": {"negatives": "tfn+man", "bootstrap": "linear"},
    "Falling rate": PAPERS_SCHEDULE,
    "Paper's recipe": {"negatives": "tfn+man", "bootstrap": "linear", **PAPERS_SCHEDULE},
}
"""What is changed of the linear encoder's recipe; learning rate, batches and updates stay, the paper's recipe too."""


def names_for(cell: Cell) -> tuple[str, ...]:
    """Return the features that a data set has."""
    return tuple(name for name in COMPARED if name != "Binary words" or cell.graph.words is not None)


def comparison_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield Table R1's shape: MLP, GraphSAGE and ridge on every kind of features, and label propagation."""
    for regime in cell.regimes(seed):
        for name in names_for(cell):
            features = cell.features(name, seed)
            yield cell.ridge("comparison", seed, name, features, regime)
            for model in ("MLP", "GraphSAGE") if cell.is_full and name in ON_GRAPHSAGE else ("MLP",):
                yield cell.network("comparison", seed, name, model, features, regime)
        found = propagation_scores(cell.graph.labels, cell.graph.adjacency, cell.split(regime, seed)).test
        yield cell.row("comparison", seed, "Label propagation", found, model="none", labels=regime)


def level_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield the accuracy of ridge after each level."""
    found: list[tuple[int, np.ndarray]] = []

    def keep(level: Level, features: Callable[[], np.ndarray]) -> None:
        found.append((level.n_clusters, features()))

    cell.giant(seed, after_level=keep)
    for regime in (FEW, MANY):
        for clusters, features in found:
            yield cell.ridge("levels", seed, "GIANT", features, regime, level=clusters)


def ablation_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield the accuracy of ridge with one part of the pre-training changed."""
    for name, changes in ABLATIONS.items():
        features = cell.giant(seed, **changes) if changes else cell.features("GIANT", seed)
        for regime in (FEW, MANY):
            yield cell.ridge("ablations", seed, name, features, regime)


def network_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield SGC, SIGN and the reversible attention network on plain features and on GIANT's, few labels."""
    for name in ON_NETWORKS:
        for model in ("SGC", "SIGN", "RevGAT-like"):
            yield cell.network("networks", seed, name, model, cell.features(name, seed), FEW)


def self_supervision_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield the accuracy of graph self-supervision on plain features, which needs the graph at prediction time, too."""
    for kind in ("DGI", "GAE"):
        features = self_supervised_features(kind, cell.features("SVD", seed), cell.graph.adjacency, seed=seed)
        for regime in (FEW, MANY):
            yield cell.ridge("comparison", seed, kind, features, regime)


def rate_rows(cell: Cell) -> Iterator[Row]:
    """Yield what the choice of a learning rate saw: ridge's accuracy on the validation nodes of split 0, by rate.

    Beside it, on the sets of all parts, what an MLP makes of the same features: it has no say in the choice.
    """
    split = cell.split(FEW, 0)
    for name, of in cell.features_by_rate.items():
        for rate, features in of.items():
            scores = {"ridge": ridge_scores(features, cell.graph.labels, split)}
            if cell.is_full:
                scores["MLP"] = cell.network_scores(0, "MLP", features, FEW)
            for model, one in scores.items():
                columns: dict[str, Any] = {"split": "validation", "model": model, "labels": FEW, "at": rate}
                yield cell.row("rates", 0, name, one.validation, **columns)
