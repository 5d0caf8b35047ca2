"""The checks of texts, adjacency and options, each with a remedy in its message."""

from __future__ import annotations

import logging
import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy import sparse

from reprise.errors import RepriseError

logger = logging.getLogger("reprise.giant_xrt")

N_LISTED = 5


class GiantInputError(RepriseError, ValueError):
    """Input that the pipeline cannot use; the message says what to change."""


def check_texts(texts: Any, n_nodes: int | None = None, on_empty: str = "error") -> list[str]:
    """Return texts as a list of strings, one a node.

    Parameters
    ----------
    texts
        Strings.
    n_nodes
        Size of the graph, if there is one.
    on_empty
        ``"error"``, or ``"keep"``: an empty text then has a TF-IDF vector of zeros.

    Raises
    ------
    GiantInputError
        If their number differs from the graph's, or some are empty or no text.
    """
    check_name("on_empty", on_empty, ("error", "keep"))
    if isinstance(texts, str):
        raise GiantInputError("texts is one string; give a sequence with one string for each node.")
    found = list(texts)
    if n_nodes is not None and len(found) != n_nodes:
        raise GiantInputError(
            f"texts has {len(found)} entries but adjacency is {n_nodes} x {n_nodes}; give one text for each node."
        )
    unusable = [place for place, text in enumerate(found) if text is not None and not isinstance(text, str)]
    if unusable:
        raise GiantInputError(f"texts[{unusable[0]}] is {found[unusable[0]]!r}; every text must be a string.")
    empty = [place for place, text in enumerate(found) if text is None or not text.strip()]
    if empty and on_empty == "error":
        listed = ", ".join(map(str, empty[:N_LISTED]))
        raise GiantInputError(
            f"texts has {len(empty)} empty entries, first at {listed}; drop these nodes, or pass on_empty='keep' to "
            "give them vectors of zeros."
        )
    return [text or "" for text in found]


def check_graph(
    texts: Any, adjacency: Any, directed: str = "symmetrize", on_empty: str = "error"
) -> tuple[list[str], sparse.csr_array]:
    """Return texts and adjacency matrix that belong together, one text a node.

    Parameters
    ----------
    texts, on_empty
        As in `check_texts`.
    adjacency, directed
        As in `check_adjacency`. An ``edge_index`` must name the last node, since it says nothing of nodes behind it.

    Raises
    ------
    GiantInputError
        If either is unusable, or their numbers of nodes differ.
    """
    given = texts if isinstance(texts, str) else list(texts)
    array = _plain(adjacency)
    if _is_edge_index(array, len(given)):
        last = int(array.max(initial=-1))
        if last >= len(given):
            raise GiantInputError(
                f"texts has {len(given)} entries but edge_index names node {last}; give one text for each node."
            )
        if last + 1 < len(given):
            raise GiantInputError(
                f"texts has {len(given)} entries but edge_index names nodes up to {last} only; drop the texts behind "
                f"it, or, if these nodes have no links, give the graph as a sparse {len(given)} x {len(given)} matrix."
            )
    graph = check_adjacency(array, len(given), directed)
    return check_texts(given, graph.shape[0], on_empty), graph


def check_adjacency(adjacency: Any, n_nodes: int | None = None, directed: str = "symmetrize") -> sparse.csr_array:
    """Return the adjacency matrix as the targets need it: 0/1, symmetric, without self-loops (Step 0).

    Parameters
    ----------
    adjacency
        Any sparse or dense matrix ``(n, n)``, or an ``edge_index`` of shape ``(2, n_edges)``.
    n_nodes
        Number of nodes; needed for an ``edge_index``.
    directed
        ``"symmetrize"`` (as in the paper; what is added is logged), or ``"error"``.

    Raises
    ------
    GiantInputError
        If it is not square, has unusable entries, names nodes that do not exist, or is directed where that is refused.
    """
    check_name("directed", directed, ("symmetrize", "error"))
    matrix = _as_matrix(adjacency, n_nodes)
    loops = int(np.count_nonzero(matrix.diagonal()))
    matrix.setdiag(0)
    matrix.eliminate_zeros()
    matrix.data = np.ones_like(matrix.data)
    both = matrix.maximum(matrix.T).tocsr()
    added = both.nnz - matrix.nnz
    if added and directed == "error":
        raise GiantInputError(
            f"adjacency is directed: {added} edges lack their reverse; pass directed='symmetrize' to add them."
        )
    if loops:
        logger.info("%d self-loops removed: a node's own text may not stand in its own label vector.", loops)
    if added:
        logger.info("%d reverse edges added to make the graph undirected.", added)
    both.sort_indices()
    return both


def _plain(adjacency: Any) -> Any:
    """Return an adjacency matrix or ``edge_index`` as NumPy or SciPy have it."""
    if hasattr(adjacency, "number_of_nodes"):
        raise GiantInputError(
            f"adjacency is a {type(adjacency).__name__}; pass networkx.to_scipy_sparse_array(graph, nodelist=…) with "
            "the nodes in the order of the texts."
        )
    if hasattr(adjacency, "detach"):
        adjacency = adjacency.detach().cpu()
        if adjacency.layout != torch.strided:
            raise GiantInputError(
                f"adjacency is a {adjacency.layout} tensor; pass its indices as an edge_index, or a SciPy matrix."
            )
        adjacency = adjacency.numpy()
    return adjacency if sparse.issparse(adjacency) else np.asarray(adjacency)


def _is_edge_index(adjacency: Any, n_nodes: int | None) -> bool:
    """Say whether an array is an ``edge_index``: two rows, and no square matrix of a graph of two nodes."""
    return (
        not sparse.issparse(adjacency)
        and adjacency.ndim == 2
        and adjacency.shape[0] == 2
        and (adjacency.shape[1] != 2 or n_nodes not in (None, 2))
    )


def _as_matrix(adjacency: Any, n_nodes: int | None) -> sparse.csr_array:
    adjacency = _plain(adjacency)
    if _is_edge_index(adjacency, n_nodes):
        return _from_edges(adjacency, n_nodes)
    if adjacency.ndim != 2 or adjacency.shape[0] != adjacency.shape[1]:
        hint = "; a list of edges must be transposed" if adjacency.shape[1:] == (2,) else ""
        raise GiantInputError(
            f"adjacency has the shape {tuple(adjacency.shape)}; it must be square, or (2, n_edges){hint}."
        )
    if not (np.issubdtype(adjacency.dtype, np.number) or adjacency.dtype == bool):
        raise GiantInputError(f"adjacency has the type {adjacency.dtype}; its entries must be numbers.")
    matrix = sparse.coo_array(adjacency)
    values = matrix.data.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if bad.size:
        row, column = (int(index[bad[0]]) for index in matrix.coords)
        raise GiantInputError(
            f"adjacency[{row}, {column}] is {values[bad[0]]:g}; entries must be finite and not negative."
        )
    return sparse.csr_array((values.astype(np.float32), matrix.coords), shape=matrix.shape)


def _from_edges(edges: np.ndarray, n_nodes: int | None) -> sparse.csr_array:
    if not np.issubdtype(edges.dtype, np.integer):
        raise GiantInputError(f"edge_index has the type {edges.dtype}; node numbers must be integers.")
    n = n_nodes if n_nodes is not None else int(edges.max(initial=-1)) + 1
    bad = np.flatnonzero((edges < 0).any(axis=0) | (edges >= n).any(axis=0))
    if bad.size:
        source, target = edges[:, bad[0]].tolist()
        raise GiantInputError(
            f"edge_index[:, {bad[0]}] is ({source}, {target}), but there are {n} nodes: use numbers from 0 to {n - 1}."
        )
    ones = np.ones(edges.shape[1], dtype=np.float32)
    return sparse.csr_array((ones, (edges[0], edges[1])), shape=(n, n))


def check_instances(adjacency: sparse.csr_array, max_degree: int) -> np.ndarray:
    """Return the nodes that pre-training learns from: those with a neighbour, and fewer than ``max_degree``.

    Raises
    ------
    GiantInputError
        If none is left.
    """
    degrees = np.diff(adjacency.indptr)
    instances = np.flatnonzero((degrees > 0) & (degrees < max_degree))
    if not degrees.any():
        raise GiantInputError("adjacency has no edges; there is no neighbour to predict.")
    if not instances.size:
        raise GiantInputError(
            f"all nodes with neighbours have max_degree = {max_degree} or more (the largest degree is "
            f"{degrees.max()}); raise max_degree."
        )
    return instances


def check_name(argument: str, value: object, known: Sequence[str]) -> None:
    """Refuse a name that is not among the known ones."""
    if value not in known:
        raise GiantInputError(f"{argument}={value!r} is unknown; use one of {', '.join(map(repr, known))}.")


def check_number(
    argument: str, value: Any, *, least: float | None = None, above: float | None = None, whole: bool = False
) -> None:
    """Refuse what is no number, or none of the range: at least, or above, a bound; whole where only such make sense."""
    kind = "a whole number" if whole else "a number"
    bound = f" of at least {least:g}" if least is not None else f" above {above:g}" if above is not None else ""
    right = isinstance(value, numbers.Integral if whole else numbers.Real) and not isinstance(value, bool)
    if not right or not (
        math.isfinite(value) and (least is None or value >= least) and (above is None or value > above)
    ):
        raise GiantInputError(f"{argument}={value!r} must be {kind}{bound}.")


def check_matrix(argument: str, value: Any, *, rows: str, negative: bool = True) -> Any:
    """Return a matrix as SciPy or NumPy have it, dense ones as floating-point numbers.

    Parameters
    ----------
    argument, rows
        What the matrix is called, and what a row of it is, for the message.
    value
        Sparse or dense, ``(n, d)``.
    negative
        Whether entries below 0 are allowed.

    Raises
    ------
    GiantInputError
        If it has not two dimensions, or an entry is no finite number, or negative where that is refused.
    """
    matrix = _numbers(argument, value, rows)
    if matrix.ndim != 2:
        raise GiantInputError(
            f"{argument} has the shape {matrix.shape}; it must have two dimensions, a row for {rows}."
        )
    values = matrix.data if sparse.issparse(matrix) else matrix
    bad = ~np.isfinite(values) if negative else ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        place = np.unravel_index(int(bad.argmax()), bad.shape)
        row, column = (int(index[place]) for index in matrix.tocoo().coords) if sparse.issparse(matrix) else place
        allowed = "finite" if negative else "finite and not negative"
        raise GiantInputError(f"{argument}[{row}, {column}] is {values[place]:g}; entries must be {allowed}.")
    return matrix


def _numbers(argument: str, value: Any, rows: str) -> Any:
    if sparse.issparse(value):
        return value if value.format in ("csr", "csc") else value.tocsr()
    try:
        found = np.asarray(value)
    except ValueError as error:
        raise GiantInputError(f"{argument} is no matrix ({error}); give one row for {rows}.") from error
    if not (np.issubdtype(found.dtype, np.number) or found.dtype == bool):
        raise GiantInputError(f"{argument} has entries of the type {found.dtype}; give numbers, one row for {rows}.")
    return found if np.issubdtype(found.dtype, np.floating) else found.astype(np.float64)


def check_power_of_two(argument: str, value: int) -> None:
    """Refuse a number of clusters that a binary tree cannot merge to."""
    check_number(argument, value, least=2, whole=True)
    if value & (value - 1):
        raise GiantInputError(f"{argument}={value} is no power of two above 1; the binary tree merges only to such.")


def refuse_labels(y: object) -> None:
    """Refuse class labels: pre-training is label-free by design."""
    if y is not None:
        raise GiantInputError(
            "class labels were passed to fit; pre-training learns from texts and edges only. Use the labels downstream."
        )
