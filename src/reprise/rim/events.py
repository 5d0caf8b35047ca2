"""Events: who took which item when, coded as integers and sorted by user and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from reprise.rim.input_checks import check_frame, warn_of_duplicates

if TYPE_CHECKING:
    import pandas as pd

Codes = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Events:
    """Events sorted by user, then time; ties keep the order in which they were given.

    Attributes
    ----------
    users, items
        Identifiers, (n_users,) and (n_items,); the codes below are places in them.
    user, item
        Codes of each event, (n,).
    time
        Time of each event, (n,), in any unit.
    """

    users: NDArray[Any]
    items: NDArray[Any]
    user: Codes
    item: Codes
    time: Numbers

    def __len__(self) -> int:
        return len(self.user)

    @property
    def indptr(self) -> Codes:
        """Where the events of each user begin, (n_users + 1,)."""
        return np.searchsorted(self.user, np.arange(len(self.users) + 1))

    def only(self, kept: NDArray[np.bool_]) -> Events:
        """Return the events of a mask, with the same identifiers."""
        return Events(self.users, self.items, self.user[kept], self.item[kept], self.time[kept])

    def first_times(self) -> Numbers:
        """Return the time of each user's first event, NaN without one."""
        starts = self.indptr
        found = np.full(len(self.users), np.nan)
        some = starts[1:] > starts[:-1]
        found[some] = self.time[starts[:-1][some]]
        return found

    def last_times(self) -> Numbers:
        """Return the time of each user's last event, NaN without one."""
        starts = self.indptr
        found = np.full(len(self.users), np.nan)
        some = starts[1:] > starts[:-1]
        found[some] = self.time[starts[1:][some] - 1]
        return found


def make_events(user: NDArray[Any], item: NDArray[Any], time: Numbers) -> Events:
    """Return events of identifiers and times in any order.

    Examples
    --------
    >>> events = make_events(np.array(["b", "a", "a"]), np.array([7, 7, 9]), np.array([1.0, 5.0, 2.0]))
    >>> events.user.tolist(), events.item.tolist(), events.time.tolist()
    ([0, 0, 1], [1, 0, 0], [2.0, 5.0, 1.0])
    """
    users, user_codes = np.unique(user, return_inverse=True)
    items, item_codes = np.unique(item, return_inverse=True)
    order = np.lexsort((time, user_codes))
    return Events(users, items, user_codes[order], item_codes[order], np.asarray(time, dtype=np.float64)[order])


def from_frame(events: pd.DataFrame) -> Events:
    """Return the events of a DataFrame with the columns ``user``, ``item``, ``time``, in any order of rows.

    Raises
    ------
    RimInputError
        If it cannot be used; the message names column and first bad row.

    Warns
    -----
    UserWarning
        If rows are equal in all three; with their rate.
    """
    user, item, time = check_frame(events)
    warn_of_duplicates(int(events[["user", "item", "time"]].duplicated().sum()), len(events))
    return make_events(user, item, time)


@dataclass(frozen=True)
class Requests:
    """States x = (u, T): users observed strictly before their time T, and what they did within the horizon after it.

    Attributes
    ----------
    user
        Code of each request's user, (N,).
    end
        T of each, (N,); infinite for a user who is not cut.
    horizon
        Length h of the window [T, T + h) of the targets.
    indptr, item, time
        Past events of request i in places indptr[i]:indptr[i + 1], in time order.
    targets
        Y, counts of events within the horizon, sparse (N, n_items).
    """

    user: Codes
    end: Numbers
    horizon: float
    indptr: Codes
    item: Codes
    time: Numbers
    targets: sparse.csr_array

    def __len__(self) -> int:
        return len(self.user)

    @property
    def n_past(self) -> Codes:
        """Number of past events of each request, (N,)."""
        return np.diff(self.indptr)

    @property
    def n_future(self) -> Numbers:
        """Number of events within the horizon, Y_x = Σ_y Y_xy, (N,)."""
        return np.asarray(self.targets.sum(axis=1), dtype=np.float64).ravel()

    @property
    def owner(self) -> Codes:
        """Place of the request that each past event belongs to."""
        return np.repeat(np.arange(len(self)), self.n_past)

    def past_counts(self, n_items: int) -> sparse.csr_array:
        """Return how often each request's user took each item before, sparse (N, n_items)."""
        return _counts(self.owner, self.item, (len(self), n_items))

    def only(self, places: Codes) -> Requests:
        """Return some of the requests, in the order given."""
        taken = np.concatenate([np.arange(self.indptr[p], self.indptr[p + 1]) for p in places] or [np.empty(0, int)])
        indptr = np.concatenate([[0], np.cumsum(self.n_past[places])])
        return Requests(
            self.user[places], self.end[places], self.horizon, indptr, self.item[taken], self.time[taken],
            self.targets[places],
        )  # fmt: skip

    def share_of_ties(self) -> float:
        """Return the share of neighbouring past events of a user that carry the same time: their order is unknown."""
        inner = np.diff(self.owner) == 0
        return float((np.diff(self.time) == 0)[inner].mean()) if inner.any() else 0.0

    def by_visit(self) -> Requests:
        """Return the same requests with events at one time counted once, as for lines of an invoice."""
        fresh = np.ones(len(self.time), dtype=bool)
        fresh[1:] = (np.diff(self.time) > 0) | (np.diff(self.owner) > 0)
        kept = np.bincount(self.owner[fresh], minlength=len(self))
        indptr = np.concatenate([[0], np.cumsum(kept)])
        return Requests(
            self.user, self.end, self.horizon, indptr, self.item[fresh], self.time[fresh], self.targets
        )  # fmt: skip


def requests_at(
    events: Events, users: Codes, ends: Numbers, horizon: float, allowed: NDArray[np.bool_] | None = None
) -> Requests:
    """Return the requests of users at their times, those with at least one past event.

    Parameters
    ----------
    events
        All events known to whoever asks; what lies behind a user's time becomes a target or is ignored.
    users
        Codes of the users, (N,).
    ends
        Time of each user of ``events``, (n_users,).
    horizon
        Length of the window of targets.
    allowed
        Items on which targets count, (n_items,); all of them by default.
    """
    end_of = ends[events.user]
    past = events.only(events.time < end_of)
    starts = past.indptr
    users = users[starts[users + 1] > starts[users]]
    place_of = np.full(len(events.users), -1)
    place_of[users] = np.arange(len(users))
    future = (events.time >= end_of) & (events.time < end_of + horizon) & (place_of[events.user] >= 0)
    if allowed is not None:
        future &= allowed[events.item]
    targets = _counts(place_of[events.user[future]], events.item[future], (len(users), len(events.items)))
    taken = np.concatenate([np.arange(starts[u], starts[u + 1]) for u in users] or [np.empty(0, int)])
    indptr = np.concatenate([[0], np.cumsum(starts[users + 1] - starts[users])])
    return Requests(users, ends[users], float(horizon), indptr, past.item[taken], past.time[taken], targets)


def _counts(row: Codes, column: Codes, shape: tuple[int, int]) -> sparse.csr_array:
    return sparse.coo_array((np.ones(len(row)), (row, column)), shape=shape).tocsr()
