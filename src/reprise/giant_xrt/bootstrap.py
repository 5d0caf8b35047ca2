"""How the head of a level begins: drawn, fitted on the embeddings so far, or taken from the parent cluster."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

BOOTSTRAPS = ("linear", "ridge", "inherit", "none")
HEAD_DEVIATION = 0.02
SVM_COST = 100.0
RIDGE_PENALTY = 1.0


def first_head(
    bootstrap: str,
    dim: int,
    counts: sparse.csr_array,
    embeddings: Callable[[], np.ndarray],
    *,
    opened: sparse.csr_array | None,
    parents: np.ndarray,
    above: nn.Linear | None,
    generator: torch.Generator,
) -> nn.Linear:
    """Return the head of a level before its first step.

    Parameters
    ----------
    bootstrap
        ``"none"``: weights 0.02 N(0, 1), bias 0; ``"linear"``: a linear support vector machine a cluster (C = 100) on
        the instances whose shortlist opens it; ``"ridge"``: one ridge regression on ±1 for all clusters at once;
        ``"inherit"``: the parent cluster's weights.
    dim
        Width of the embeddings.
    counts
        Targets, ``(n, K_t)``.
    embeddings
        Gives the present embeddings, ``(n, dim)``.
    opened
        Shortlist over the level before, ``(n, K_{t−1})``; None: everything.
    parents, above
        Cluster above each cluster, and the head of that level.
    generator
        Of drawn weights.
    """
    head = nn.Linear(dim, counts.shape[1])
    weights, biases = (
        HEAD_DEVIATION * torch.randn(counts.shape[1], dim, generator=generator),
        torch.zeros(counts.shape[1]),
    )
    if bootstrap == "inherit" and above is not None and above.out_features == parents.max() + 1:
        weights, biases = above.weight.detach().cpu()[parents], above.bias.detach().cpu()[parents]
    elif bootstrap == "ridge":
        weights, biases = ridge_head(embeddings(), counts)
    elif bootstrap == "linear":
        weights, biases = svm_head(embeddings(), counts, opened, parents, weights)
    with torch.no_grad():
        head.weight.copy_(weights)
        head.bias.copy_(biases)
    return head


def ridge_head(
    embeddings: np.ndarray, counts: sparse.csr_array, penalty: float = RIDGE_PENALTY
) -> tuple[Tensor, Tensor]:
    """Return weights ``(K, dim)`` and biases of the ridge regression of ±1 on embeddings: one Cholesky for all."""
    signs = np.where(counts.toarray() > 0, 1.0, -1.0)
    mean, level = embeddings.mean(axis=0, dtype=np.float64), signs.mean(axis=0)
    centred = embeddings - mean
    gram = centred.T @ centred + penalty * np.eye(embeddings.shape[1])
    weights = np.linalg.solve(gram, centred.T @ (signs - level)).T
    return torch.from_numpy(weights).float(), torch.from_numpy(level - weights @ mean).float()


def svm_head(
    embeddings: np.ndarray,
    counts: sparse.csr_array,
    opened: sparse.csr_array | None,
    parents: np.ndarray,
    drawn: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return weights and biases of one-against-all L2-loss linear support vector machines, C = 100.

    Clusters whose instances are all of one kind keep the drawn weights.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    weights, biases = drawn.clone(), torch.zeros(len(drawn))
    by_cluster = counts.tocsc()
    allowed = None if opened is None else opened.tocsc()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for cluster in range(counts.shape[1]):
            own = by_cluster.indices[by_cluster.indptr[cluster] : by_cluster.indptr[cluster + 1]]
            positive = np.zeros(len(embeddings), dtype=bool)
            positive[own] = True
            chosen = np.ones(len(embeddings), dtype=bool)
            if allowed is not None:
                above = parents[cluster]
                chosen = positive.copy()
                chosen[allowed.indices[allowed.indptr[above] : allowed.indptr[above + 1]]] = True
            if positive[chosen].all() or not positive.any():
                continue
            machine = LinearSVC(C=SVM_COST, loss="squared_hinge", dual="auto", max_iter=200, random_state=0)
            machine.fit(embeddings[chosen], positive[chosen])
            weights[cluster] = torch.from_numpy(machine.coef_[0]).float()
            biases[cluster] = float(machine.intercept_[0])
    return weights, biases
