"""Predicting neighbours from text, the label-free check of the pre-training, and its measures."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

RIDGE_PENALTY = 1.0
ROWS_AT_A_TIME = 1024


def ridge_neighbours(embeddings: np.ndarray, adjacency: Any, penalty: float = RIDGE_PENALTY) -> np.ndarray:
    """Return W of the one-against-all ridge regression of the adjacency matrix on features, ``(dim, n_labels)``.

    W = (ΦᵀΦ + λI)⁻¹ΦᵀA: one solve for all labels.
    """
    features = embeddings.astype(np.float64)
    gram = features.T @ features + penalty * np.eye(features.shape[1])
    return np.linalg.solve(gram, (sparse.csr_array(adjacency).T @ features).T)


def top_rows(features: Any, weights: Any, k: int, *, exclude_self: bool = False) -> sparse.csr_array:
    """Return the ``k`` largest entries of each row of features @ weights, sparse.

    Parameters
    ----------
    features, weights
        ``(n, d)`` and ``(d, n_labels)``, dense or sparse.
    exclude_self
        Whether label i is no answer for row i.
    """
    n, n_labels = features.shape[0], weights.shape[1]
    k = min(k, n_labels - exclude_self)
    places = np.empty((n, k), dtype=np.int64)
    values = np.empty((n, k))
    for start in range(0, n, ROWS_AT_A_TIME):
        scores = features[start : start + ROWS_AT_A_TIME] @ weights
        scores = scores.toarray() if sparse.issparse(scores) else np.array(scores)
        rows = np.arange(len(scores))
        if exclude_self:
            scores[rows, start + rows] = -np.inf
        chosen = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        places[start : start + len(scores)] = chosen
        values[start : start + len(scores)] = scores[rows[:, None], chosen]
    return sparse.csr_array((values.ravel(), places.ravel(), np.arange(n + 1) * k), shape=(n, n_labels))


def cosine_neighbours(features: Any, k: int) -> sparse.csr_array:
    """Return each node's ``k`` nearest others by cosine: the yardstick without any training."""
    unit = normalize(features)
    return top_rows(unit, unit.T, k, exclude_self=True)


def without_known(scores: np.ndarray, known: sparse.csr_array, start: int = 0) -> np.ndarray:
    """Return scores with the node itself and its known neighbours set to −∞: only unseen neighbours can be found."""
    rows = np.arange(len(scores))
    scores[rows, start + rows] = -np.inf
    here = known[start : start + len(scores)].tocoo()
    scores[here.coords] = -np.inf
    return scores


def held_out_hits(scores_of: Any, known: sparse.csr_array, held_out: sparse.csr_array, k: int) -> tuple[float, float]:
    """Return precision@k and recall@k (%) over the nodes that have held-out neighbours.

    Parameters
    ----------
    scores_of
        Function of rows (a slice) that returns dense scores ``(n_rows, n_labels)``.
    known
        Edges of the pre-training, no answers.
    held_out
        The edges to be found, symmetric.
    k
        How many guesses a node has.
    """
    n = known.shape[0]
    hits, wanted = [], []
    for start in range(0, n, ROWS_AT_A_TIME):
        scores = without_known(np.array(scores_of(slice(start, start + ROWS_AT_A_TIME))), known, start)
        here = held_out[start : start + len(scores)]
        asked = np.flatnonzero(np.diff(here.indptr))
        if not len(asked):
            continue
        chosen = np.argpartition(-scores[asked], k - 1, axis=1)[:, :k]
        true = here[asked].toarray()
        hits.append(true[np.arange(len(asked))[:, None], chosen].sum(axis=1))
        wanted.append(true.sum(axis=1))
    found, total = np.concatenate(hits), np.concatenate(wanted)
    return 100 * float((found / k).mean()), 100 * float((found / total).mean())


def precision_at(scores: np.ndarray, truth: sparse.csr_array, k: int) -> float:
    """Return the share (%) of the ``k`` highest-scored columns that are true, over the rows with a true one.

    Parameters
    ----------
    scores
        Dense ``(n, K)``.
    truth
        Positive where true, ``(n, K)``.
    k
        Guesses a row; K at most.

    Examples
    --------
    >>> precision_at(np.array([[3.0, 2, 1], [1, 2, 3]]), sparse.csr_array([[1, 0, 2], [5, 0, 0]]), 2)
    25.0
    """
    asked = np.flatnonzero(np.diff(truth.indptr))
    k = min(k, scores.shape[1])
    hits = 0
    for start in range(0, len(asked), ROWS_AT_A_TIME):
        rows = asked[start : start + ROWS_AT_A_TIME]
        chosen = np.argpartition(-scores[rows], k - 1, axis=1)[:, :k]
        hits += int(np.take_along_axis(truth[rows].toarray() > 0, chosen, axis=1).sum())
    return 100 * hits / (k * len(asked))


def precision_recall(
    predicted: sparse.csr_array, truth: sparse.csr_array, ks: tuple[int, ...]
) -> dict[int, tuple[float, float]]:
    """Return precision@k and recall@k (%) of ranked predictions over the rows with a true label, by k.

    Parameters
    ----------
    predicted
        Scores of predicted labels, ``(n, n_labels)``; unequal scores rank them.
    truth
        0/1, ``(n, n_labels)``.
    ks
        Numbers of guesses.
    """
    rows = np.flatnonzero(np.diff(truth.indptr))
    most = max(ks)
    right = np.zeros((len(rows), most))
    for place, row in enumerate(rows):
        own = slice(predicted.indptr[row], predicted.indptr[row + 1])
        ranked = predicted.indices[own][np.argsort(-predicted.data[own], kind="stable")][:most]
        right[place, : len(ranked)] = np.isin(ranked, truth.indices[truth.indptr[row] : truth.indptr[row + 1]])
    degree = np.diff(truth.indptr)[rows]
    found = np.cumsum(right, axis=1)
    return {k: (100 * float((found[:, k - 1] / k).mean()), 100 * float((found[:, k - 1] / degree).mean())) for k in ks}
