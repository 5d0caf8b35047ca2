"""Vectors for labels that have no features of their own (Step 2): PIFA, and the variants of the ablation."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from reprise.giant_xrt.input_checks import GiantInputError, check_matrix, check_name

LabelVectors = Literal["pifa", "pii", "text"]
KINDS: tuple[LabelVectors, ...] = ("pifa", "pii", "text")


def pifa(Y: Any, X: Any, normalize_rows: bool = True) -> Any:
    """Positive instance feature aggregation: the label vector is the mean direction of the instances that have it.

    z_l = v_l/‖v_l‖ with v_l = Σ_i Ŷ_il x_i and ŷ_i = y_i/‖y_i‖: one step of graph convolution on the features.

    Parameters
    ----------
    Y
        Targets, sparse ``(n_instances, n_labels)``; for a graph the rows of the adjacency matrix.
    X
        Features of the instances, sparse or dense ``(n_instances, d)``.
    normalize_rows
        Whether targets are scaled to rows of length 1 (the released code) or taken as they are (the paper's text).

    Returns
    -------
    sparse.csr_array or numpy.ndarray
        ``(n_labels, d)``, rows of length 1; a label without instances keeps a row of zeros.

    Raises
    ------
    GiantInputError
        If Y or X is no matrix of finite numbers, Y has negative entries, or the numbers of instances differ.
    """
    Y, X = check_matrix("Y", Y, rows="each instance", negative=False), check_matrix("X", X, rows="each instance")
    if Y.shape[0] != X.shape[0]:
        raise GiantInputError(f"Y has {Y.shape[0]} rows but X has {X.shape[0]}; both need one row for each instance.")
    targets = sparse.csr_array(Y)
    if normalize_rows:
        targets = sparse.csr_array(normalize(targets))
    return _unit_rows(targets.T @ X)


def label_vectors(kind: LabelVectors, Y: Any, X: Any, X_labels: Any | None = None) -> Any:
    """Return label vectors: ``pifa``; ``pii``, the label's column of targets, no text; ``text``, its own features.

    Parameters
    ----------
    kind
        One of ``KINDS``.
    Y, X
        As in `pifa`.
    X_labels
        Features of the labels themselves, needed for ``text``.
    """
    check_name("kind", kind, KINDS)
    if kind == "pifa":
        return pifa(Y, X)
    if kind == "pii":
        return _unit_rows(sparse.csr_array(Y).T)
    if X_labels is None:
        raise GiantInputError("kind='text' needs X_labels, the features of the labels themselves.")
    return _unit_rows(X_labels)


def reduced(vectors: Any, n_dimensions: int, seed: int) -> np.ndarray:
    """Return vectors in fewer dimensions by truncated singular value decomposition, for a fast tree; float32."""
    most = min(vectors.shape) - 1
    if n_dimensions > most:
        return np.asarray(vectors.todense() if sparse.issparse(vectors) else vectors, dtype=np.float32)
    model = TruncatedSVD(n_dimensions, algorithm="randomized", n_iter=4, random_state=seed)
    return np.ascontiguousarray(model.fit_transform(vectors), dtype=np.float32)


def tree_vectors(vectors: Any, n_dimensions: int, seed: int) -> np.ndarray:
    """Return label vectors in fewer dimensions and of length 1 again, as spherical 2-means takes them; float32."""
    return np.asarray(_unit_rows(reduced(vectors, n_dimensions, seed)), dtype=np.float32)


def _unit_rows(matrix: Any) -> Any:
    return sparse.csr_array(normalize(matrix.tocsr())) if sparse.issparse(matrix) else normalize(np.asarray(matrix))
