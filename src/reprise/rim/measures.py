"""Measures of an assignment, and their intervals by resampling blocks of users or items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reprise.rim.events import Codes, Numbers

N_BLOCKS = 50
Assignment = NDArray[np.bool_] | NDArray[np.int64] | NDArray[np.float64]


def precision(assignment: Assignment, targets: Numbers, least: float = 0.0) -> float:
    """Return Σ A Y / max(Σ A, R): hits per recommendation; R > 0 punishes an assignment that under-delivers."""
    return float((assignment * targets).sum() / max(float(assignment.sum()), least))


def recall(assignment: Assignment, targets: Numbers, axis: int = 1) -> float:
    """Return the mean over users (axis 1) or items (axis 0) of hits / max(1, targets)."""
    hits = (assignment * targets).sum(axis)
    return float(np.mean(hits / np.maximum(targets.sum(axis), 1)))


def released_item_recall(assignment: Assignment, targets: Numbers) -> float:
    """Return what the released code prints as ItemRec recall.

    It divides a column of N hits by a vector of N ideals, which broadcasts to N × N: the mean is
    mean(hits) · mean(1/ideal), whatever belongs together.
    """
    hits = (assignment * targets).sum(1, keepdims=True)
    ideal = np.maximum(targets.sum(1), 1)
    return float(np.mean(hits) * np.mean(1 / ideal))


def perplexity(assignment: Assignment, axis: int = 0) -> float:
    """Return exp of the entropy of who is recommended: of items for axis 0, of users for axis 1; 0 if nobody is.

    Examples
    --------
    >>> round(perplexity(np.eye(4)), 6), round(perplexity(np.array([[1, 0], [1, 0]])), 6)
    (4.0, 1.0)
    """
    totals = np.asarray(assignment.sum(axis), dtype=np.float64)
    share = totals[totals > 0] / totals.sum() if totals.sum() > 0 else totals[:0]
    return float(np.exp(-(share * np.log(share)).sum())) if share.size else 0.0


def coverage(assignment: Assignment, axis: int = 0) -> float:
    """Return the share of items (axis 0) or users (axis 1) recommended at least once, or with a sum of at least 1/2."""
    return float(np.mean(assignment.sum(axis) >= 0.5))


def block_sums(values: Numbers, blocks: Codes) -> Numbers:
    """Return the sum of the values of each block, (50,)."""
    return np.bincount(blocks, weights=values, minlength=N_BLOCKS)  # type: ignore[return-value]


def blocks_of(codes: Codes, n_codes: int, draw: np.random.Generator) -> Codes:
    """Return the random block, of 50 of equal size, of each user or item; the same in every seed of a study."""
    place = draw.permutation(n_codes)
    return (place % N_BLOCKS)[codes]


def block_weights(draws: int, draw: np.random.Generator) -> Numbers:
    """Return how often each block is drawn in each bootstrap draw, (draws, 50)."""
    return draw.multinomial(N_BLOCKS, np.full(N_BLOCKS, 1 / N_BLOCKS), size=draws).astype(np.float64)
