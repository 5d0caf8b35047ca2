"""Activity models λ(x): how much a user, in the present state, will do; five of the paper and six to question them.

Each is a function of a split and requests. What it learns it learns from training events and validation requests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from reprise.rim import hawkes
from reprise.rim.events import Numbers, Requests, requests_at
from reprise.rim.input_checks import RimInputError, check_horizon
from reprise.rim.kernel_features import LONGER_SCALES, SCALES, features, moments

if TYPE_CHECKING:
    from reprise.rim.splits import Split

Activity = Callable[["Split"], Callable[[Requests], Numbers]]
POP_OFFSET = 0.01


def constant(split: Split) -> Callable[[Requests], Numbers]:
    """λ = 1: the sequence model as it is."""
    return lambda requests: np.ones(len(requests))


def user_popularity(split: Split) -> Callable[[Requests], Numbers]:
    """λ = 0.01 + number of past events (the released code adds uniform noise, left out here)."""
    return lambda requests: POP_OFFSET + requests.n_past.astype(np.float64)


def moving_average(split: Split) -> Callable[[Requests], Numbers]:
    """λ = Σ exp(−(T − t_i)/h) over past events (EMA)."""
    return recency


def recency(requests: Requests) -> Numbers:
    """Return Σ exp(−(T − t_i)/h) of each request, (N,)."""
    horizon = check_horizon(requests.horizon)
    owner = requests.owner
    return np.bincount(  # type: ignore[return-value]
        owner, weights=np.exp((requests.time - requests.end[owner]) / horizon), minlength=len(requests)
    )


def training_histories(split: Split) -> Requests:
    """Return the training events of all users with a finite T: what the Hawkes process is fitted to."""
    cut = np.flatnonzero(np.isfinite(split.ends))
    return requests_at(split.train, cut, split.ends, split.horizon)


def hawkes_weights(split: Split, scales: Numbers = SCALES) -> Numbers:
    """Return the weights of the Hawkes process fitted to the training histories."""
    return hawkes.fit_hawkes(moments(training_histories(split), scales))


def hawkes_at_the_time(split: Split, scales: Numbers = SCALES) -> Callable[[Requests], Numbers]:
    """λ of a Hawkes process *at* T, as in the released code: not integrated over the horizon."""
    weights = hawkes_weights(split, scales)
    return lambda requests: features(requests, scales) @ weights


def hawkes_over_the_horizon(split: Split) -> Callable[[Requests], Numbers]:
    """The mean number of events that the same process expects in [T, T + h)."""
    weights = hawkes.expected_count_weights(hawkes_weights(split))
    return lambda requests: features(requests) @ weights


def validation_counts(split: Split, columns: Callable[[Requests], Numbers]) -> tuple[Numbers, Numbers]:
    """Return columns of all validation requests, window under window, and their future counts Y.

    Raises
    ------
    RimInputError
        If there is no validation request.
    """
    if not sum(map(len, split.validation)):
        raise RimInputError("HP needs validation requests; give events long enough before T, or n_windows >= 1.")
    stacked = np.concatenate([columns(window) for window in split.validation])
    return stacked, np.concatenate([window.n_future for window in split.validation])


def hawkes_poisson(split: Split, scales: Numbers = SCALES) -> Callable[[Requests], Numbers]:
    """λ of the Hawkes–Poisson model (HP), fitted on all validation windows; the released code takes the first."""
    weights = poisson_weights(split, scales)
    return lambda requests: features(requests, scales) @ weights


def poisson_weights(split: Split, scales: Numbers = SCALES) -> Numbers:
    """Return the Hawkes–Poisson weights of a split; refused without validation requests."""
    return hawkes.fit_poisson(*validation_counts(split, lambda requests: features(requests, scales)))


def hawkes_poisson_of_visits(split: Split) -> Callable[[Requests], Numbers]:
    """HP whose state counts visits: events at one time, as the lines of an invoice, once."""
    weights = hawkes.fit_poisson(*validation_counts(split, _features_of_visits))
    return lambda requests: _features_of_visits(requests) @ weights


def _features_of_visits(requests: Requests) -> Numbers:
    return features(requests.by_visit())


def _simple(requests: Requests) -> Numbers:
    """Return four plain features: logs of past count, EMA, and time since the last and the first event."""
    horizon = requests.horizon
    last, first = requests.time[requests.indptr[1:] - 1], requests.time[requests.indptr[:-1]]
    return np.stack(
        [
            np.log1p(requests.n_past),
            np.log1p(recency(requests)),
            np.log1p((requests.end - last) / horizon),
            np.log1p((requests.end - first) / horizon),
        ],
        axis=1,
    )


def count_and_recency(split: Split) -> Callable[[Requests], Numbers]:
    """A Poisson regression with log link on four plain features: an honest rival of the Hawkes state."""
    from sklearn.linear_model import PoissonRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    stacked, counts = validation_counts(split, _simple)
    model = make_pipeline(StandardScaler(), PoissonRegressor(alpha=hawkes.RIDGE, max_iter=1000)).fit(stacked, counts)
    # Extreme features must not overflow the exponential: nobody does a hundred times what anybody has done.
    highest = 100 * max(float(counts.max()), 1.0)
    return lambda requests: np.minimum(model.predict(_simple(requests)), highest)


def boosted_counts(split: Split) -> Callable[[Requests], Numbers]:
    """Gradient boosting with Poisson loss on the Hawkes state and the plain features."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    def columns(requests: Requests) -> Numbers:
        return np.hstack([features(requests), _simple(requests)])

    model = HistGradientBoostingRegressor(
        loss="poisson", max_iter=50, learning_rate=0.1, max_leaf_nodes=8, early_stopping=False, random_state=0
    ).fit(*validation_counts(split, columns))
    return lambda requests: np.asarray(model.predict(columns(requests)), dtype=np.float64)


PAPERS_MODELS: dict[str, Activity] = {
    "none": constant,
    "UserPop": user_popularity,
    "EMA": moving_average,
    "Hawkes": hawkes_at_the_time,
    "HP": hawkes_poisson,
}
FURTHER_MODELS: dict[str, Activity] = {
    "Hawkes, integrated": hawkes_over_the_horizon,
    "HP, visits": hawkes_poisson_of_visits,
    "count and recency": count_and_recency,
    "boosted counts": boosted_counts,
    "Hawkes, longer scales": partial(hawkes_at_the_time, scales=LONGER_SCALES),
    "HP, longer scales": partial(hawkes_poisson, scales=LONGER_SCALES),
}
