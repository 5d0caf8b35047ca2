"""What is measured besides accuracy: purity of neighbours, over-smoothing, clusters, accuracy by exact degree."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

DEGREE_BINS = (0, 1, 2, 3, 5, 9, 17, 33)


def paired_bootstrap(
    first: np.ndarray, second: np.ndarray, *, n_draws: int, generator: np.random.Generator
) -> tuple[float, float, float]:
    """Return a difference of accuracies on the same test nodes with its 95 % interval over nodes, in points.

    Parameters
    ----------
    first, second
        Boolean ``(n_test,)``: which nodes each model gets right.
    n_draws
        Number of draws.
    generator
        Source of the draws.

    Returns
    -------
    tuple of float
        Difference, low end, high end; NaN without test nodes.
    """
    n_test = first.size
    if n_test == 0:
        return float("nan"), float("nan"), float("nan")
    # A node counts −1, 0 or 1: drawing nodes is drawing how many of each there are.
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    shares = np.array([only_first, only_second, n_test - only_first - only_second]) / n_test
    counts = generator.multinomial(n_test, shares, size=n_draws)
    drawn = 100.0 * (counts[:, 0] - counts[:, 1]) / n_test
    low, high = np.quantile(drawn, [0.025, 0.975])
    return 100.0 * (only_first - only_second) / n_test, float(low), float(high)


def purity(index: Tensor, labels: Tensor, y: Tensor) -> float:
    """Return the share, in %, of found neighbours that have the query's label.

    Parameters
    ----------
    index
        ``(M, K)`` node numbers of the neighbours.
    labels
        ``(M,)`` labels of the queries.
    y
        ``(N,)`` labels of all nodes.
    """
    if labels.numel() == 0:
        return float("nan")
    return 100.0 * float((y[index] == labels.unsqueeze(1)).double().mean())


def mean_pairwise_cosine(embeddings: Tensor) -> float:
    """Return the mean cosine over all pairs of different rows; 1 is complete over-smoothing.

    Rows of zeros are left out. The mean over pairs is the squared length of the sum of unit rows, less its diagonal:
    O(N D) instead of O(N² D).

    Examples
    --------
    >>> mean_pairwise_cosine(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
    0.0
    """
    rows = embeddings.double()
    rows = functional.normalize(rows[rows.norm(dim=1) > 0], dim=1)
    n_rows = rows.shape[0]
    if n_rows < 2:
        return float("nan")
    return float((rows.sum(0).square().sum() - n_rows) / (n_rows * (n_rows - 1)))


def label_agreement(embeddings: Tensor, queries: Tensor, references: Tensor, y: Tensor, k: int = 10) -> float:
    """Return the share, in %, of queries whose label is the majority among their k most similar reference nodes.

    The number behind "fewer isolated nodes fall into wrong clusters" (Fig. 4 of the paper), without t-SNE.

    Parameters
    ----------
    embeddings
        ``(N, H)``; compared by cosine.
    queries, references
        Boolean ``(N,)``; a node is never its own reference.
    y
        ``(N,)`` labels; of equally frequent ones the smallest counts as the majority.
    k
        Number of reference nodes.
    """
    asked = torch.nonzero(queries).flatten()
    known = torch.nonzero(references & (y >= 0)).flatten()
    if asked.numel() == 0 or known.numel() <= k:
        return float("nan")
    unit = functional.normalize(embeddings, dim=1)
    similar = unit[asked] @ unit[known].T
    similar[asked.unsqueeze(1) == known.unsqueeze(0)] = -2.0
    nearest = y[known[similar.topk(k, dim=1).indices]]
    votes = functional.one_hot(nearest, int(y.max()) + 1).sum(1)
    return 100.0 * float((votes.argmax(1) == y[asked]).double().mean())


def degree_bins(degree: Tensor) -> Mapping[str, tuple[int, Tensor]]:
    """Return the nodes of each range of degrees: name, smallest degree, mask.

    Examples
    --------
    >>> list(degree_bins(torch.tensor([0, 3, 40])))
    ['0', '1', '2', '3–4', '5–8', '9–16', '17–32', '33+']
    """
    bins: dict[str, tuple[int, Tensor]] = {}
    for low, following in zip(DEGREE_BINS, [*DEGREE_BINS[1:], None], strict=True):
        if following is None:
            bins[f"{low}+"] = (low, degree >= low)
        else:
            name = str(low) if following == low + 1 else f"{low}–{following - 1}"
            bins[name] = (low, (degree >= low) & (degree < following))
    return bins
