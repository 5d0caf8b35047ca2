"""MiniLM on real texts: frozen, and fine-tuned by GIANT in its top layers; one pre-training, an illustration."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from reprise.data import load_npz
from reprise.giant_xrt.cell import FEW, Cell, Row
from reprise.giant_xrt.encoders import encode
from reprise.giant_xrt.pretraining import Pretraining, Recipe
from reprise.giant_xrt.transformer import TransformerEncoder
from reprise.paths import build_folder

FROZEN_LENGTH, TUNED_LENGTH = 128, 64
TRAINED_LAYERS = 2
TUNED_RECIPE = Recipe(lr=1e-4, head_lr=1e-3, warmup=10, batch_size=32, max_clusters=128, bootstrap="ridge")


def minilm_rows(cell: Cell, seed: int) -> Iterator[Row]:
    """Yield the accuracy on MiniLM's features: the features are the same for all seeds, which are splits only."""
    found = {"MiniLM, frozen": frozen_features(cell)}
    if cell.settings.minilm_steps:
        found["MiniLM, GIANT"] = tuned_features(cell)
    for regime in cell.regimes(seed):
        for name, features in found.items():
            yield cell.ridge("comparison", seed, name, features, regime)
            for model in ("MLP", "GraphSAGE") if regime == FEW else ("MLP",):
                yield cell.network("comparison", seed, name, model, features, regime)


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
