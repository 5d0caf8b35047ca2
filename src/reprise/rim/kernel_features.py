"""The state of a Hawkes process with many exponential kernels: features of a request, and their Gram matrix.

Time is counted per user from the first event, in horizons: s = (t − t₁)/h. The first event is no event of the process
but an external impulse at 0. With rates β_k = 1/τ_k and S = (T − t₁)/h the state is

    φ(s) = [Σ_{i ≥ 2, s_i < s} β_k exp(−β_k (s − s_i)) for all k,  β_k exp(−β_k s) for all k,  1].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reprise.rim.events import Codes, Numbers, Requests
from reprise.rim.input_checks import check_horizon

SCALES = np.logspace(-6, 1, 50)
# The paper's scales and fourteen longer ones at the same distance: up to a thousand horizons instead of ten.
LONGER_SCALES = np.logspace(-6, 3, 64)
CHUNK_JUMPS = 20_000


def n_features(scales: Numbers = SCALES) -> int:
    """Return the length of the state, 2K + 1."""
    return 2 * len(scales) + 1


def features(requests: Requests, scales: Numbers = SCALES) -> Numbers:
    """Return φ of each request at its time T, (N, 2K + 1).

    A request without past events, or with T infinite, gets [0, 0, 1]: what is left when all excitation has died away.
    """
    horizon = check_horizon(requests.horizon)
    rates = 1.0 / scales
    found = np.zeros((len(requests), n_features(scales)))
    found[:, -1] = 1.0
    if not len(requests.time):
        return found
    owner, k = requests.owner, len(scales)
    delay = (requests.end[owner] - requests.time) / horizon
    first = np.zeros(len(delay), dtype=bool)
    first[requests.indptr[:-1][requests.n_past > 0]] = True
    for column, rate in enumerate(rates):
        excited = rate * np.exp(-rate * delay)
        found[:, column] = np.bincount(owner, weights=np.where(first, 0.0, excited), minlength=len(requests))
        found[owner[first], k + column] = excited[first]
    return found


@dataclass(frozen=True)
class Moments:
    """What the least-squares fit of an intensity needs of the data.

    Attributes
    ----------
    gram
        G = Σ_u ∫₀^S φφᵀ ds, (2K + 1, 2K + 1).
    jumps
        r = Σ_u Σ_{0 < s_i < S} φ(s_i⁻), (2K + 1,).
    weight
        n: number of events plus two a user.
    """

    gram: Numbers
    jumps: Numbers
    weight: float


def moments(requests: Requests, scales: Numbers = SCALES) -> Moments:
    """Return Gram matrix and jumps of the histories of requests, in closed form.

    Between two events every entry of the state decays exponentially, so that its integral telescopes: with φ⁺ just
    after an event and φ⁻ the same state just before the next, ∫ φ_k φ_l = (φ⁺_k φ⁺_l − φ⁻_k φ⁻_l)/(β_k + β_l). Events
    at one time count as often as they are there, and do not excite one another.
    """
    size, rates = n_features(scales), np.concatenate([1 / scales, 1 / scales, [0.0]])
    products, duration, jumps = np.zeros((size, size)), 0.0, np.zeros(size)
    chosen = np.flatnonzero((requests.n_past > 0) & np.isfinite(requests.end))
    order = chosen[np.argsort(-requests.n_past[chosen], kind="stable")]
    for places in _chunks(requests.n_past[order]):
        walked = _walk(requests.only(order[places]), 1 / scales)
        products += walked.after.T @ walked.after - walked.before.T @ walked.before
        duration += walked.gap.sum()
        jumps += walked.multiplicity @ walked.before
    sums = rates[:, None] + rates
    sums[-1, -1] = 1.0
    gram = products / sums
    gram[-1, -1] = duration
    return Moments(gram, jumps, float(requests.n_past[chosen].sum() + 2 * len(chosen)))


@dataclass(frozen=True)
class _Walk:
    """All intervals between distinct times of some users: the state at both ends, and the events at the later end."""

    after: Numbers
    before: Numbers
    gap: Numbers
    multiplicity: Numbers


def _chunks(lengths: Codes) -> list[slice]:
    """Cut users, longest first, into runs whose padded size stays bounded."""
    chunks, start = [], 0
    while start < len(lengths):
        step = max(1, CHUNK_JUMPS // max(int(lengths[start]), 1))
        chunks.append(slice(start, start + step))
        start += step
    return chunks


def _walk(requests: Requests, rates: Numbers) -> _Walk:
    """Follow users in step, one distinct time after the other; those with most of them come first."""
    times, counts, n_times = _distinct_times(requests)
    order = np.argsort(-n_times, kind="stable")
    times, counts, n_times = times[order], counts[order], n_times[order]
    ends = (requests.end[order] - requests.time[requests.indptr[:-1]][order]) / requests.horizon
    state = np.zeros((len(requests), len(rates)))
    parts: list[tuple[NDArray[np.float64], ...]] = []
    for place in range(times.shape[1]):
        n = int((n_times > place).sum())
        now, arrived = times[:n, place], counts[:n, place] - (place == 0)
        last = n_times[:n] == place + 1
        later = np.where(last, ends[:n], times[:n, min(place + 1, times.shape[1] - 1)])
        state = state[:n] + arrived[:, None] * rates
        decayed = state * np.exp(-(later - now)[:, None] * rates)
        impulse, faded = rates * np.exp(-now[:, None] * rates), rates * np.exp(-later[:, None] * rates)
        one = np.ones((n, 1))
        following = np.where(last, 0.0, counts[:n, min(place + 1, times.shape[1] - 1)])
        parts.append((np.hstack([state, impulse, one]), np.hstack([decayed, faded, one]), later - now, following))
        state = decayed
    after, before, gap, multiplicity = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return _Walk(after, before, gap, multiplicity)


def _distinct_times(requests: Requests) -> tuple[Numbers, Numbers, Codes]:
    """Return distinct times (in horizons since the first), their numbers of events, both padded, and how many."""
    owner = requests.owner
    s = (requests.time - requests.time[requests.indptr[:-1]][owner]) / requests.horizon
    fresh = np.ones(len(s), dtype=bool)
    fresh[1:] = (np.diff(owner) > 0) | (np.diff(s) > 0)
    which = np.cumsum(fresh) - 1
    multiplicity = np.bincount(which).astype(np.float64)
    rows = owner[fresh]
    n_times = np.bincount(rows, minlength=len(requests))
    columns = np.arange(len(rows)) - np.concatenate([[0], np.cumsum(n_times)])[rows]
    times, counts = (np.zeros((len(requests), int(n_times.max()))) for _ in range(2))
    times[rows, columns], counts[rows, columns] = s[fresh], multiplicity
    return times, counts, n_times
