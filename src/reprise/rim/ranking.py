"""Both recommendations from one intensity λ(x) p(y | x): items for a user, and users for an item."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reprise.rim.events import Numbers
from reprise.rim.input_checks import check_activity, check_capacity, check_probabilities

Chosen = NDArray[np.bool_]


def intensity_scores(
    probabilities: Numbers, activity: Numbers, excluded: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return λ(x) p(y | x), (N, M), −∞ where a pair must not be chosen.

    Raises
    ------
    RimInputError
        If the rows are no probabilities: logits cannot be compared between users; or the activity is no number >= 0 a
        row.
    """
    check_probabilities(probabilities)
    check_activity(activity, len(probabilities))
    scores = activity[:, None] * probabilities
    return scores if excluded is None else np.where(excluded, -np.inf, scores)


def item_rec(scores: Numbers, k: int) -> Chosen:
    """Return each user's k items of largest score, boolean (N, M).

    Ties go to the item that comes first, so that a factor per user changes nothing (the released code breaks ties by
    noise of 1e-10, which reorders real scores where λ is small). Masked pairs are never chosen.

    Raises
    ------
    RimInputError
        If k is not from 1 to the number of items.
    """
    return _largest(scores, check_capacity("k", k, scores.shape[1], "items"))


def user_rec(scores: Numbers, c: int) -> Chosen:
    """Return each item's c users of largest score, boolean (N, M); ties go to the user that comes first.

    Raises
    ------
    RimInputError
        If c is not from 1 to the number of users.
    """
    return np.ascontiguousarray(_largest(scores.T, check_capacity("c", c, scores.shape[0], "users")).T)


def _largest(scores: Numbers, k: int) -> Chosen:
    """Choose k entries of each row in linear time: all above the k-th largest, and of its equals the first ones."""
    scores = np.ascontiguousarray(scores)
    threshold = -np.partition(-scores, k - 1, axis=1)[:, k - 1 : k]
    above, level = scores > threshold, scores == threshold
    missing = k - above.sum(1, keepdims=True)
    return (above | (level & (np.cumsum(level, axis=1) <= missing))) & np.isfinite(scores)
