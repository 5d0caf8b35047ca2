"""Rank correlation, area under the curve, and their bootstrap over test pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from reprise.trans_encoder.input_checks import TransEncoderInputError, shown

Numbers = NDArray[np.float64]
DRAWS = 1000


def spearman(gold: ArrayLike, scores: ArrayLike) -> float:
    """Return Spearman's rank correlation × 100: Pearson's of average ranks; NaN if either is constant or has a NaN.

    Raises
    ------
    TransEncoderInputError
        If they are no numbers, or not equally many.
    """
    try:
        first, second = (np.asarray(values, dtype=np.float64) for values in (gold, scores))
    except (TypeError, ValueError) as error:
        raise TransEncoderInputError(f"gold = {shown(gold)} and scores = {shown(scores)} must be numbers.") from error
    if first.ndim != 1 or first.shape != second.shape:
        raise TransEncoderInputError(
            f"gold has the shape {first.shape} and scores {second.shape}; give one number of each for every pair."
        )
    return float(rank_correlations(first[None, :], second[None, :])[0])


def rank_correlations(first: Numbers, second: Numbers) -> Numbers:
    """Return the rank correlations × 100 of the rows of two matrices, ``(m, n)`` each."""
    a, b = (rankdata(values, axis=1) - (values.shape[1] + 1) / 2 for values in (first, second))
    norms = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(norms > 0, 100 * (a * b).sum(1) / norms, np.nan)


def areas(labels: NDArray[np.bool_], scores: Numbers) -> Numbers:
    """Return the areas under the ROC curves × 100 of the rows: share of (positive, negative) pairs in order, ties half.

    By ranks (Mann and Whitney): (sum of the positives' ranks − n₊(n₊ + 1)/2)/(n₊ n₋).
    """
    positives = labels.sum(1)
    negatives = labels.shape[1] - positives
    sums = (rankdata(scores, axis=1) * labels).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return 100 * (sums - positives * (positives + 1) / 2) / (positives * negatives)


def area_under_curve(gold: Numbers, scores: Numbers) -> float:
    """Return the area under the ROC curve × 100 of binary gold."""
    return float(areas(gold[None, :] > 0, scores[None, :])[0])


def measure(kind: str, gold: Numbers, scores: Numbers) -> float:
    """Return ``"spearman"`` or ``"auc"``, × 100."""
    return spearman(gold, scores) if kind == "spearman" else area_under_curve(gold, scores)


def bootstrap(
    kind: str, gold: Numbers, scores: Sequence[Numbers], generator: np.random.Generator, draws: int = DRAWS
) -> Numbers:
    """Return the measure of several methods on the same resampled test pairs, ``(methods, draws)``."""
    places = generator.integers(0, len(gold), (draws, len(gold)))
    drawn = gold[places]
    if kind == "spearman":
        return np.stack([rank_correlations(drawn, one[places]) for one in scores])
    return np.stack([areas(drawn > 0, one[places]) for one in scores])


def relative_ranks(values: Numbers) -> Numbers:
    """Return average ranks between 0 and 100."""
    return 100 * (rankdata(values) - 0.5) / len(values)
