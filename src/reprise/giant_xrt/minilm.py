"""MiniLM on real texts: frozen, fine-tuned by GIANT in its top layers (an illustration), and what it knows of links.

MiniLM was trained on pairs of papers of which one cites the other, among much else. As a graph-agnostic baseline on
citations it is contaminated; on films, linked by the people who made them, it is not.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.preprocessing import normalize

from reprise.data import load_npz
from reprise.giant_xrt.cell import FEW, Cell, Row
from reprise.giant_xrt.data import TextGraph
from reprise.giant_xrt.encoders import encode
from reprise.giant_xrt.pretraining import Pretraining, Recipe
from reprise.giant_xrt.transformer import TransformerEncoder
from reprise.paths import build_folder

FROZEN_LENGTH, TUNED_LENGTH = 128, 64
TRAINED_LAYERS = 2
LANGUAGE_SETS = ("citeseer-text", "movie-plots")
TUNED_RECIPE = Recipe(lr=1e-4, head_lr=1e-3, warmup=10, batch_size=32, max_clusters=128, bootstrap="ridge")


def minilm_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield the accuracy on MiniLM's features, and how much untrained features know of links.

    The features are the same for all seeds, which are splits, and draws of pairs, only.
    """
    frozen = frozen_features(cell)
    found = {"MiniLM, frozen": frozen}
    if cell.settings.minilm_steps and cell.is_full:
        found["MiniLM, GIANT"] = tuned_features(cell)
    for regime in cell.regimes(seed):
        for name, features in found.items():
            yield cell.ridge("comparison", seed, name, features, regime)
            for model in ("MLP", "GraphSAGE") if regime == FEW and cell.is_full else ("MLP",):
                yield cell.network("comparison", seed, name, model, features, regime)
    linked, others = pairs_of_same_classes(cell.graph, cell.generator(seed, "pairs"))
    for name, features in {"MiniLM, frozen": frozen, "TF-IDF": cell.tfidf, "SVD": cell.features("SVD", seed)}.items():
        value = 100 * told_apart(features, linked, others)
        yield cell.row("contamination", seed, name, value, metric="told apart", split="labels")


def pairs_of_same_classes(graph: TextGraph, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return all edges in both directions, ``(2, n)``, and as many pairs without a link, the second node of like class.

    Pair (i, k) replaces edge (i, j) by a node k of j's class, drawn among those that are not linked with i: what tells
    the two apart is no class. Edges for which the draw hits a link are left out.
    """
    source, near = graph.adjacency.tocoo().coords
    members = [np.flatnonzero(graph.labels == label) for label in range(len(graph.class_names))]
    far = np.empty_like(near)
    for label, own in enumerate(members):
        here = np.flatnonzero(graph.labels[near] == label)
        far[here] = generator.choice(own, len(here))
    free = (np.asarray(graph.adjacency[source, far]).ravel() == 0) & (source != far)
    return np.stack([source, near])[:, free], np.stack([source, far])[:, free]


def told_apart(features: Any, linked: np.ndarray, others: np.ndarray) -> float:
    """Return how often a linked pair's cosine exceeds that of the pair beside it; ties count half. Chance: 0.5."""
    unit = normalize(features)
    one, other = (_products(unit, pairs) for pairs in (linked, others))
    return float((one > other).mean() + (one == other).mean() / 2)


def _products(unit: Any, pairs: np.ndarray) -> np.ndarray:
    first, second = unit[pairs[0]], unit[pairs[1]]
    if sparse.issparse(unit):
        return np.asarray(first.multiply(second).sum(axis=1)).ravel()
    return np.einsum("nd,nd->n", first, second)


def frozen_features(cell: Cell) -> np.ndarray:
    """Return MiniLM's mean-pooled features of the texts, ``(n, 384)``; kept in the build folder's cache."""

    def make() -> np.ndarray:
        encoder = TransformerEncoder(max_length=FROZEN_LENGTH).eval()
        return encode(encoder, encoder.prepare(cell.graph.texts), batch_size=32)

    return _cached("frozen", [*cell.graph.texts, str(FROZEN_LENGTH)], make)


def tuned_features(cell: Cell) -> np.ndarray:
    """Return the features of MiniLM, its two top layers fine-tuned by GIANT with seed 0, ``(n, 384)``."""

    def make() -> np.ndarray:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            encoder = TransformerEncoder(max_length=TUNED_LENGTH, trained_layers=TRAINED_LAYERS)
            texts = encoder.prepare(cell.graph.texts)
            recipe = replace(TUNED_RECIPE, steps_per_level=cell.settings.minilm_steps)
            targets = cell.graph.adjacency[cell.instances]
            Pretraining(encoder, texts, targets, cell.instances, cell.tree("pifa", 0), recipe, 0).run()
            return encode(encoder, texts, batch_size=32)

    key = [
        *cell.graph.texts,
        str(cell.settings.minilm_steps),
        repr(TUNED_RECIPE),
        str(cell.tree("pifa", 0).leaf.tolist()),
    ]
    return _cached("tuned", key, make)


def _cached(name: str, inputs: Sequence[str], compute: Callable[[], np.ndarray]) -> np.ndarray:
    code = [
        Path(__file__).with_name(file).read_text("utf-8") for file in ("minilm.py", "transformer.py", "pretraining.py")
    ]
    key = hashlib.sha256("\x1f".join([*inputs, torch.__version__, *code]).encode()).hexdigest()
    path = build_folder() / "features" / "giant_xrt" / f"minilm-{name}-{key[:20]}.npz"
    if path.is_file():
        return load_npz(path)["features"]
    features = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and moved in one step: two runs may do so at once.
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as partial:
        np.savez(partial, features=features)
    Path(partial.name).replace(path)
    return features
