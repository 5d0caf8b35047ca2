"""Time and memory of tree, label vectors and shortlists on synthetic graphs of growing size."""

from __future__ import annotations

import math
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

from reprise.compute import numpy_generator
from reprise.giant_xrt.generators import large_text_graph
from reprise.giant_xrt.label_vectors import pifa
from reprise.giant_xrt.targets import level_targets, teacher_forcing
from reprise.giant_xrt.tfidf import inverse_document_frequency
from reprise.giant_xrt.trees import label_tree

DIMENSIONS = 64
MAX_LEAF = 100
MEBIBYTE = 2**20
STEPS = ("label vectors", "tree", "targets and shortlists")


def projected(counts: sparse.csr_array, seed: int) -> np.ndarray:
    """Return TF-IDF rows of length 1 under a sparse random projection to 64 dimensions, float32 ``(n, 64)``.

    PIFA is linear before its last normalisation, so that projecting the texts projects the label vectors: the wide
    label vectors, ten times as dense as the texts, are never formed.
    """
    weighted = counts.copy()
    weighted.data = weighted.data * inverse_document_frequency(counts)[weighted.indices]
    weighted = sparse.csr_array(normalize(weighted, copy=False))
    generator = numpy_generator(seed, "giant-xrt", "projection")
    signs = generator.choice(
        np.array([-1, 0, 1], dtype=np.float32), (counts.shape[1], DIMENSIONS), p=[1 / 6, 2 / 3, 1 / 6]
    )
    return np.asarray(weighted @ (signs * np.float32(math.sqrt(3 / DIMENSIONS))))


def measure(n: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return seconds and peak memory (MiB, as Python and NumPy allocate it) of each step at a size.

    Parameters
    ----------
    n
        Number of nodes.
    seed
        Of graph, projection and tree.
    """
    counts, adjacency = large_text_graph(n, seed)
    kept: dict[str, Any] = {}

    def vectors() -> None:
        kept["vectors"] = pifa(adjacency, projected(counts, seed))

    def tree() -> None:
        kept["tree"] = label_tree(kept["vectors"], MAX_LEAF, seed=seed)

    def targets() -> None:
        kept["shortlists"] = [teacher_forcing(one) for one in level_targets(adjacency, kept["tree"])]

    held = (counts.data.nbytes + counts.indices.nbytes + adjacency.data.nbytes + adjacency.indices.nbytes) / MEBIBYTE
    found = []
    for name, step in zip(STEPS, (vectors, tree, targets), strict=True):
        seconds, memory = _measured(step)
        found.append({"step": name, "seconds": seconds, "mebibytes": memory + held})
    return found


def _measured(step: Callable[[], None]) -> tuple[float, float]:
    tracemalloc.start()
    started = time.process_time()
    step()
    seconds = time.process_time() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return seconds, peak / MEBIBYTE


def extrapolated(seconds: float, n: int, wanted: float, *, tree: bool) -> float:
    """Return the time at a larger size: linear in the nodes and, for the tree, in its depth.

    Assumes that every level of the tree passes over all nodes as often as at the measured size, that edges grow with
    nodes, and that memory bandwidth stays what it is.
    """
    depths = (math.ceil(math.log2(size / MAX_LEAF)) for size in (wanted, n))
    deeper = next(depths) / next(depths) if tree else 1.0
    return seconds * wanted / n * deeper
