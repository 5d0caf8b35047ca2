"""RIM on a DataFrame of events: items for users, users for items, and how many events to expect of a user.

>>> import pandas as pd
>>> events = pd.DataFrame({"user": list("aabbab"), "item": list("xyxyxy"), "time": [0, 1, 1, 2, 3, 4]})
>>> model = HawkesPoisson(horizon=1.0, n_windows=2).fit(events)
>>> model.predict(["a", "b", "somebody new"]).ge(0).all().item()
True
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from reprise.compute import resolve_device
from reprise.errors import unknown_name
from reprise.rim import hawkes
from reprise.rim.activity import PAPERS_MODELS, poisson_weights
from reprise.rim.events import Events, Numbers, Requests, from_frame
from reprise.rim.input_checks import COLUMNS, RimInputError, check_capacity, check_whole
from reprise.rim.kernel_features import features
from reprise.rim.marks import NETWORKS, MarkOptions, Network, train_mark
from reprise.rim.ranking import intensity_scores, item_rec, user_rec
from reprise.rim.splits import Split, check_targets, temporal_split
from reprise.rim.times import Moment, Span, as_horizon, as_present

if TYPE_CHECKING:
    import pandas as pd

Factor = Literal["none", "UserPop", "EMA", "Hawkes", "HP"]


def _split(events: Events, at: float, horizon: float, n_windows: int) -> Split:
    """Return the split at a time; windows of targets must not all be empty."""
    split = temporal_split(events, at, horizon, n_windows=n_windows)
    if split.validation and not any(window.targets.nnz for window in split.validation):
        check_targets(split.validation[0])
    return split


def _identifiers(name: str, given: Iterable[Any]) -> list[Any]:
    """Return users or items as a list.

    Raises
    ------
    RimInputError
        If it is a single identifier, or none, or holds lists.
    """
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise RimInputError(f"{name}={given!r} is one identifier; give a list of them.")
    found = list(given)
    if not found:
        raise RimInputError(f"{name} are empty; give at least one, or None for all.")
    if odd := [one for one in found if not isinstance(one, Hashable)]:
        raise RimInputError(f"{name} hold {odd[0]!r}, which is no identifier; give a flat list.")
    return found


def _requests(split: Split, users: Sequence[Any] | None) -> tuple[pd.Index, Requests]:
    """Return users with their present states; somebody unknown has an empty history."""
    import pandas as pd

    identifiers = split.train.users if users is None else np.asarray(_identifiers("users", users))
    place_of = {user: place for place, user in enumerate(split.train.users[split.test.user].tolist())}
    places = np.array([place_of.get(user, -1) for user in identifiers.tolist()], dtype=np.int64)
    known = np.flatnonzero(places >= 0)
    if users is not None and (unknown := len(places) - len(known)):
        first = identifiers.tolist()[int(np.flatnonzero(places < 0)[0])]
        warnings.warn(
            f"{unknown} of {len(places)} users have no events before the present and get what is left without a "
            f"history, e.g. {first!r}; are they of the type that the events' users have?",
            stacklevel=3,
        )
    chosen = split.test.only(places[known])
    n_past = np.zeros(len(places), dtype=np.int64)
    n_past[known] = chosen.n_past
    indptr = np.concatenate([[0], np.cumsum(n_past)])
    shape = (len(places), len(split.train.items))
    end = np.full(len(places), split.test.end[0] if len(split.test) else np.inf)
    none = sparse.csr_array(shape, dtype=np.float64)
    index = pd.Index(identifiers, name="user")
    return index, Requests(places, end, split.horizon, indptr, chosen.item, chosen.time, none)


def _without_items(events: Events) -> Events:
    """Return the events with one item for all; done after they are read, so that a basket's lines are no duplicates."""
    return replace(events, item=np.zeros_like(events.item), items=np.zeros(1, dtype=np.int64))


def _with_single_columns(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events, refused if one of their columns is there twice."""
    names = list(getattr(events, "columns", ()))
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        raise RimInputError(f"events have the column {twice[0]!r} {names.count(twice[0])} times; keep one of them.")
    return events


class _EventsModel(BaseEstimator):
    """What is fitted to the events before a time: a subclass says how it reads them, and learns from their split."""

    horizon: Span
    n_windows: int

    def fit(self, events: pd.DataFrame, until: Moment = None) -> Self:
        """Fit on events before a time, by default on all of them.

        Parameters
        ----------
        events
            Columns ``user``, ``item``, ``time`` (numbers or dates), one event a row, in any order; `HawkesPoisson` does
            without ``item``.
        until
            T, the present: a number in the unit of the times, or a date where these are dates.

        Raises
        ------
        RimInputError
            For events, a horizon, a present or options that cannot be used.
        UnknownNameError
            For a mark or activity model that does not exist.

        Warns
        -----
        UserWarning
            If rows are equal in all three columns, or a horizon of seconds can hardly be meant.
        """
        self._check_options()
        read = self._read(events)
        dates = not is_numeric_dtype(events["time"])
        horizon = as_horizon(self.horizon, read, dates=dates)
        self._split = _split(read, as_present(until, read, horizon, dates=dates), horizon, int(self.n_windows))
        self._learn(self._split)
        return self

    def _check_options(self) -> None:
        """Refuse options that make no sense, before work starts."""
        check_whole("n_windows", self.n_windows, least=0)

    def _read(self, events: pd.DataFrame) -> Events:
        return from_frame(_with_single_columns(events))

    def _learn(self, split: Split) -> None:
        raise NotImplementedError


class HawkesPoisson(_EventsModel):
    """Expected number of a user's events within a horizon, from when the user was active before (HP).

    Parameters
    ----------
    horizon
        h: a number in the unit of the events' times (seconds for dates), or a timedelta for dates.
    n_windows
        Number of windows of length h just before the present, on whose counts the regression is fitted.

    Attributes
    ----------
    weights_
        w ≥ 0 of 50 kernels of past events, of 50 of the first event, and the constant, (101,).
    """

    weights_: NDArray[np.float64]

    def __init__(self, horizon: Span, *, n_windows: int = 3) -> None:
        self.horizon = horizon
        self.n_windows = n_windows

    def _read(self, events: pd.DataFrame) -> Events:
        columns = getattr(_with_single_columns(events), "columns", ())
        frame = events if "item" in columns or not len(columns) else events.assign(item=np.arange(len(events)))
        return _without_items(from_frame(frame))

    def _learn(self, split: Split) -> None:
        self.weights_ = poisson_weights(split)

    def predict(self, users: Sequence[Any] | None = None) -> pd.Series:
        """Return the expected number of events in [T, T + h) of users, by default of all; new ones get a baseline."""
        import pandas as pd

        check_is_fitted(self, "weights_")
        index, requests = _requests(self._split, users)
        return pd.Series(features(requests) @ self.weights_, index=index, name="expected")


class RecurrentIntensityModel(_EventsModel):
    """Items for users and users for items from one intensity λ(x) p(y | x).

    Parameters
    ----------
    horizon
        h, the window for which users are wanted: a number in the unit of the events' times (seconds for dates), or a
        timedelta for dates.
    mark
        ``"GRU"`` or ``"Transformer"``.
    activity
        ``"HP"``, or ``"none"``, ``"UserPop"``, ``"EMA"``, ``"Hawkes"``.
    width, epochs, batch
        Of the mark model, each >= 1; the paper: 128, 20, 64. A Transformer's width is even.
    n_windows
        Windows before the present on which HP is fitted, >= 0.
    exclude_past
        Whether items that a user took before are not recommended again.
    random_state
        Seed of initialisation, validation users and batches.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"``.

    Attributes
    ----------
    users_, items_
        Identifiers of all users, and of the items that can be recommended.
    mark_loss_
        Validation loss of the mark model after each epoch.
    """

    items_: NDArray[Any]

    def __init__(
        self,
        horizon: Span,
        *,
        mark: Network = "GRU",
        activity: Factor = "HP",
        width: int = 64,
        epochs: int = 20,
        batch: int = 64,
        n_windows: int = 3,
        exclude_past: bool = False,
        random_state: int = 0,
        device: str = "auto",
    ) -> None:
        self.horizon = horizon
        self.mark = mark
        self.activity = activity
        self.width = width
        self.epochs = epochs
        self.batch = batch
        self.n_windows = n_windows
        self.exclude_past = exclude_past
        self.random_state = random_state
        self.device = device

    def _check_options(self) -> None:
        super()._check_options()
        for name in ("width", "epochs", "batch"):
            check_whole(name, getattr(self, name))
        check_whole("random_state", self.random_state, least=0)
        if self.mark == "Transformer" and self.width % 2:
            raise RimInputError(f"width={self.width} must be even for a Transformer, which has two heads.")
        for kind, name, known in (
            ("mark model", self.mark, list(NETWORKS)),
            ("activity model", self.activity, list(PAPERS_MODELS)),
        ):
            if name not in known:
                raise unknown_name(kind, name, known)

    def _learn(self, split: Split) -> None:
        self._activity = PAPERS_MODELS[self.activity](split)
        options = MarkOptions(self.mark, int(self.width), int(self.epochs), int(self.batch))
        device = resolve_device(self.device)
        self._mark = train_mark(split.train, options, int(self.random_state), "own data", device=device)
        self.users_, self.items_ = split.train.users, split.train.items[split.candidates]
        self.mark_loss_ = np.array(self._mark.path)

    def expected_activity(self, users: Sequence[Any] | None = None) -> pd.Series:
        """Return λ(x) of users, by default of all; somebody unknown gets what is left without a history."""
        import pandas as pd

        check_is_fitted(self, "items_")
        index, requests = _requests(self._split, users)
        return pd.Series(self._intensity(requests), index=index, name="activity")

    def scores(self, users: Sequence[Any] | None = None) -> pd.DataFrame:
        """Return λ(x) p(y | x), users in rows and items in columns: what `DualMatcher` takes. −∞ for excluded pairs."""
        import pandas as pd

        check_is_fitted(self, "items_")
        index, requests = _requests(self._split, users)
        return pd.DataFrame(self._scores(requests), index=index, columns=self.items_)

    def recommend_items(self, users: Sequence[Any] | None = None, k: int = 10) -> pd.DataFrame:
        """Return each user's k best items: columns user, item, rank, score."""
        scores = self.scores(users)
        chosen = item_rec(scores.to_numpy(), check_capacity("k", k, scores.shape[1], "items"))
        return _listed(scores, chosen, by="user")

    def recommend_users(self, items: Sequence[Any] | None = None, k: int = 10) -> pd.DataFrame:
        """Return each item's k best users: columns item, user, rank, score.

        Raises
        ------
        RimInputError
            If no item is known, or k is no number of users.

        Warns
        -----
        UserWarning
            If an item is unknown; it is left out.
        """
        scores = self.scores()
        wanted = list(self.items_) if items is None else _identifiers("items", items)
        if unknown := [item for item in wanted if item not in scores.columns]:
            warnings.warn(
                f"{len(unknown)} items have no training events and are left out, e.g. {unknown[0]!r}.", stacklevel=2
            )
        if len(unknown) == len(wanted):
            raise RimInputError("none of the items has training events; see `items_` for those that have.")
        scores = scores[[item for item in wanted if item in scores.columns]]
        chosen = user_rec(scores.to_numpy(), check_capacity("k", k, scores.shape[0], "users"))
        return _listed(scores, chosen, by="item")

    def _intensity(self, requests: Requests) -> Numbers:
        return hawkes.positive(self._activity(requests))

    def _scores(self, requests: Requests) -> Numbers:
        p = self._mark.scores(requests, self._split.candidates).probabilities()
        past = requests.past_counts(len(self._split.train.items))[:, self._split.candidates].toarray() > 0
        return intensity_scores(p, self._intensity(requests), past if self.exclude_past else None)


def _listed(scores: pd.DataFrame, chosen: NDArray[np.bool_], *, by: str) -> pd.DataFrame:
    """Return the chosen pairs as lines, best first within each user or item."""
    import pandas as pd

    rows, columns = np.nonzero(chosen)
    found = pd.DataFrame(
        {"user": scores.index[rows], "item": scores.columns[columns], "score": scores.to_numpy()[rows, columns]}
    )
    place = pd.Series(rows if by == "user" else columns)
    found = found.assign(place=place).sort_values(["place", "score"], ascending=[True, False], kind="stable")
    found["rank"] = found.groupby("place").cumcount() + 1
    order = ["user", "item", "rank", "score"] if by == "user" else ["item", "user", "rank", "score"]
    return found[order].reset_index(drop=True)
