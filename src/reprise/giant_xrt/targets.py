"""Targets of every level and the shortlists on which a level is trained (Step 4)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from reprise.giant_xrt.trees import LabelTree


def level_targets(Y: Any, tree: LabelTree) -> list[sparse.csr_array]:
    """Push targets up the tree, counts kept: Y^(T) = Y C^(T+1), Y^(t) = Y^(t+1) C^(t+1).

    Parameters
    ----------
    Y
        Targets, sparse ``(n_instances, n_labels)``.
    tree
        Over the labels.

    Returns
    -------
    list of sparse.csr_array
        Coarse to fine, float32 ``(n_instances, K_t)``: how many neighbours of an instance lie in a cluster.
    """
    chain = tree.chain
    found = [sparse.csr_array(Y).astype(np.float32)]
    for membership in reversed(chain[1:]):
        found.append(sparse.csr_array(found[-1] @ membership))
    return found[:0:-1]


def teacher_forcing(counts: sparse.csr_array) -> sparse.csr_array:
    """Return TFN, teacher-forcing negatives: the clusters of a level that hold a true neighbour, as 0/1."""
    found = counts.copy()
    found.data = np.ones_like(found.data)
    return found


def matcher_aware(scores: sparse.csr_array) -> sparse.csr_array:
    """Return MAN, matcher-aware negatives: the clusters that the level before predicts, as 0/1."""
    return teacher_forcing(scores)


def shortlist(negatives: str, counts: sparse.csr_array, scores: sparse.csr_array | None) -> sparse.csr_array | None:
    """Return which clusters of the level before are opened for each instance, 0/1; None opens all.

    Parameters
    ----------
    negatives
        ``"tfn"``, ``"man"``, ``"tfn+man"`` (the paper's), or ``"all"``.
    counts
        Targets of the level before.
    scores
        Its predictions (`path_scores`).
    """
    if negatives == "all":
        return None
    if negatives == "tfn" or scores is None:
        return teacher_forcing(counts)
    if negatives == "man":
        return matcher_aware(scores)
    return teacher_forcing(sparse.csr_array(counts + scores))


def active_clusters(opened: np.ndarray, parents: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return the clusters that take part in the loss: children of opened ones, and always the positives.

    Parameters
    ----------
    opened
        Bool, ``(n, K_{t−1})``.
    parents
        Cluster above each cluster, ``(K_t,)``.
    positive
        Bool, ``(n, K_t)``.
    """
    return opened[:, parents] | positive


def at_most(active: np.ndarray, positive: np.ndarray, most: int, generator: np.random.Generator) -> np.ndarray:
    """Return active clusters with negatives dropped at random where there are more than ``most``; positives stay."""
    if not (active.sum(axis=1) > most).any():
        return active
    priority = np.where(positive, -1.0, generator.random(active.shape))
    priority[~active] = np.inf
    kept = np.zeros_like(active)
    np.put_along_axis(kept, np.argpartition(priority, most - 1, axis=1)[:, :most], True, axis=1)
    return (kept & active) | positive


def own_value(logits: Tensor) -> Tensor:
    """Return how plausible a cluster is among its siblings, "l3-hinge": π(s) = exp(−max(0, 1 − s)³)."""
    return torch.exp(-(torch.clamp(1 - logits, min=0) ** 3))


def path_scores(logits: Tensor, above: sparse.csr_array | None, parents: np.ndarray, top_k: int) -> sparse.csr_array:
    """Return the best clusters of a level: own value times the parent's, along the path from the root.

    Parameters
    ----------
    logits
        ``(n, K_t)``.
    above
        Scores of the level before, ``(n, K_{t−1})``; None at the top. Clusters whose parent was not kept have none.
    parents
        Cluster above each cluster, ``(K_t,)``.
    top_k
        How many are kept (paper: 20).
    """
    values = own_value(logits)
    if above is not None:
        values = values * torch.as_tensor(above.toarray()[:, parents], dtype=values.dtype, device=values.device)
    best, places = values.topk(min(top_k, values.shape[1]), dim=1)
    n, k = best.shape
    indptr = np.arange(n + 1) * k
    kept = sparse.csr_array(
        (best.cpu().numpy().ravel(), places.cpu().numpy().ravel(), indptr), shape=(n, values.shape[1])
    )
    kept.sort_indices()
    kept.eliminate_zeros()
    return kept


def weighted_squared_hinge(
    logits: Tensor, counts: Tensor, active: Tensor | None = None, weighted: bool = True
) -> Tensor:
    """Return the loss of each instance, ``(n,)``: mean over its active clusters of r max(0, 1 − σs)².

    Parameters
    ----------
    logits
        s, ``(n, K)``.
    counts
        Targets Y, ``(n, K)``; σ = 1 where positive, else −1; r = Y on positives, 1 on negatives.
    active
        Bool, ``(n, K)``; None: all clusters.
    weighted
        Whether positives weigh by their count ("weighted-squared-hinge", the paper's) or 1.

    Notes
    -----
    The divisor is the number of active clusters of the instance. The released code divides by the padded width of the
    batch, which changes the scale of an instance, not its direction.
    """
    positive = counts > 0
    signs = torch.where(positive, 1.0, -1.0).to(logits.dtype)
    weights = torch.where(positive, counts, torch.ones_like(counts)) if weighted else torch.ones_like(counts)
    terms = weights.to(logits.dtype) * torch.clamp(1 - signs * logits, min=0) ** 2
    if active is None:
        return terms.mean(dim=1)
    mask = active.to(terms.dtype)
    return (terms * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
