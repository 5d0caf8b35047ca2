"""The greedy offline matching: pairs by falling score, as long as both sides have room."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from reprise.rim.events import Codes, Numbers
from reprise.rim.matching import Bounds


def greedy_assignment(scores: Numbers, bounds: Bounds) -> NDArray[np.bool_]:
    """Return a greedy assignment, boolean (N, M).

    With an upper bound c, a pair is taken if its user has fewer than k items and its item fewer than c users. With a
    lower bound a first pass fills users up to ⌈R/N⌉ and items up to ⌈R/M⌉, R = min(Nk, cM), a second one the rest of
    the users' room, or else of the items'. Bounds are cut to whole numbers.
    """
    n_users, n_items = scores.shape
    order = np.argsort(-scores, axis=None, kind="stable")
    order = order[np.isfinite(scores.ravel()[order])]
    k = min(int(bounds.per_user), n_items)
    taken = np.zeros((n_users, n_items), dtype=bool)
    if bounds.least is None:
        most = n_users if bounds.most is None else int(bounds.most)
        return _fill(taken, order, np.full(n_users, k), np.full(n_items, most))
    c = int(bounds.least)
    total = min(n_users * k, c * n_items)
    k_first, c_first = min(k, math.ceil(total / n_users)), min(c, math.ceil(total / n_items))
    taken = _fill(taken, order, np.full(n_users, k_first), np.full(n_items, c_first))
    if k > k_first:
        return _fill(taken, order, k - taken.sum(1), np.full(n_items, n_users))
    return _fill(taken, order, np.full(n_users, n_items), c - taken.sum(0))


def _fill(taken: NDArray[np.bool_], order: Codes, user_room: Codes, item_room: Codes) -> NDArray[np.bool_]:
    """Take pairs in order while both sides have room; pairs taken before are passed over."""
    taken = taken.copy()
    n_items = taken.shape[1]
    left = min(int(np.maximum(user_room, 0).sum()), int(np.maximum(item_room, 0).sum()))
    users, items = user_room.tolist(), item_room.tolist()
    for pair in order.tolist():
        if left <= 0:
            break
        user, item = divmod(pair, n_items)
        if users[user] > 0 and items[item] > 0 and not taken[user, item]:
            taken[user, item] = True
            users[user] -= 1
            items[item] -= 1
            left -= 1
    return taken
