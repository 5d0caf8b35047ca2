"""Splits into training events, test requests and validation requests that know nothing of what comes after them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reprise.compute import numpy_generator
from reprise.rim.events import Codes, Events, Numbers, Requests, requests_at
from reprise.rim.input_checks import LeakageError, RimInputError, check_horizon


@dataclass(frozen=True)
class Split:
    """What a model may learn from, and what it is tested on.

    Attributes
    ----------
    train
        Events that every model may see.
    ends
        Time T of each user, (n_users,): infinite for those whose whole history is training data.
    test
        Test requests, with targets on the candidates.
    validation
        Validation requests, the window next to the test first, each with targets on items of its own past.
    candidates
        Codes of the items that are recommended, (M,): those with enough training events.
    exclude_past
        Whether items that a user took before are not recommended again.
    """

    train: Events
    ends: Numbers
    test: Requests
    validation: tuple[Requests, ...]
    candidates: Codes
    exclude_past: bool

    @property
    def horizon(self) -> float:
        """Length of the window of targets."""
        return self.test.horizon

    def item_counts(self) -> Numbers:
        """Return the number of training events of each candidate, n_y, (M,)."""
        return np.bincount(self.train.item, minlength=len(self.train.items))[self.candidates].astype(np.float64)

    def targets(self, requests: Requests) -> NDArray[np.float64]:
        """Return Y of some requests on the candidates, dense (N, M)."""
        return np.asarray(requests.targets[:, self.candidates].todense(), dtype=np.float64)

    def excluded(self, requests: Requests) -> NDArray[np.bool_] | None:
        """Return which pairs must not be chosen, dense (N, M); None if all may."""
        if not self.exclude_past:
            return None
        past = requests.past_counts(len(self.train.items))[:, self.candidates]
        return np.asarray(past.todense()) > 0


def _seen(events: Events, at_least: int = 1) -> NDArray[np.bool_]:
    return np.bincount(events.item, minlength=len(events.items)) >= at_least


def user_split(
    events: Events, seed: int, *, share: float = 0.5, exclude_past: bool = True, name: str = "events"
) -> Split:
    """Split by users: a random share trains with all it did, the others are cut at T = first event + r.

    r is the median span from first to last event of the *training* users, and the horizon is r, too. (The released code
    takes the median over all users, the test users' future included.) Validation requests are the training users at
    their own T; their targets are training data of the mark model, as in the released code.

    Parameters
    ----------
    events
        All events.
    seed
        Names the random stream of the draw.
    share
        Share of the users that trains.
    exclude_past
        As in `Split`.
    name
        Of the data set; part of the stream's name.
    """
    first = events.first_times()
    n_users = len(events.users)
    order = numpy_generator(seed, "rim", name, "user split").permutation(n_users)
    training = np.zeros(n_users, dtype=bool)
    training[order[: round(share * n_users)]] = True
    horizon = check_horizon(float(np.median((events.last_times() - first)[training])))
    cut = first + horizon
    ends = np.where(training, np.inf, cut)
    train = events.only(events.time < ends[events.user])
    candidates = _seen(train)
    test = requests_at(events, np.flatnonzero(~training), ends, horizon, candidates)
    known = _seen(events.only(events.time < cut[events.user]))
    own = events.only(training[events.user])
    validation = requests_at(own, np.flatnonzero(training), cut, horizon, known)
    return Split(train, ends, test, (validation,), np.flatnonzero(candidates), exclude_past)


def temporal_split(
    events: Events,
    at: float,
    horizon: float,
    *,
    n_windows: int = 1,
    least_item_events: int = 1,
    exclude_past: bool = False,
) -> Split:
    """Split at one time T for all users; validation windows of equal length lie just before it.

    Parameters
    ----------
    events
        All events.
    at
        T: events before it train, those in [T, T + h) are targets.
    horizon
        h, in the unit of the events' times.
    n_windows
        Number of validation windows, at T − h, T − 2h, …
    least_item_events
        Training events that an item needs to be a candidate, and to be trained on.
    exclude_past
        As in `Split`.

    Raises
    ------
    RimInputError
        If no event lies before T, or none in a window of targets.
    """
    horizon = check_horizon(horizon)
    before = events.only(events.time < at)
    if not len(before):
        raise RimInputError(f"no events before T={at:g}: the first is at {events.time.min():g}; give a later T.")
    kept = _seen(before, least_item_events)
    train = before.only(kept[before.item])
    if not len(train):
        raise RimInputError(f"no item has {least_item_events} events before T={at:g}; lower least_item_events.")
    everybody = np.arange(len(events.users))
    known = events.only(kept[events.item])
    ends = np.full(len(everybody), float(at))
    test = requests_at(known, everybody, ends, horizon, kept)
    windows = []
    for step in range(1, n_windows + 1):
        time = at - step * horizon
        allowed = _seen(train.only(train.time < time))
        windows.append(requests_at(train, everybody, np.full(len(everybody), time), horizon, allowed))
    split = Split(train, ends, test, tuple(w for w in windows if len(w)), np.flatnonzero(kept), exclude_past)
    check_windows(split.test, split.validation)
    return split


def check_targets(requests: Requests) -> None:
    """Refuse requests without a single target.

    Raises
    ------
    RimInputError
        If there is none: mostly the unit of T or the horizon is wrong.
    """
    if not requests.targets.nnz:
        raise RimInputError(
            f"no events in [T, T+h) with T={requests.end.min():g} and h={requests.horizon:g}: check units "
            "(seconds vs milliseconds)."
        )


def check_windows(test: Requests, validation: tuple[Requests, ...]) -> None:
    """Refuse validation windows that overlap the test window of the same user.

    Raises
    ------
    LeakageError
        If one does.
    """
    end_of = dict(zip(test.user.tolist(), test.end.tolist(), strict=True))
    for window in validation:
        for user, end in zip(window.user.tolist(), window.end.tolist(), strict=True):
            if user in end_of and end + window.horizon - end_of[user] > 1e-9 * max(abs(end), window.horizon):
                raise LeakageError(
                    f"leakage: a validation window [{end:g}, {end + window.horizon:g}) reaches beyond T="
                    f"{end_of[user]:g} of the same user; end it at T or before."
                )
