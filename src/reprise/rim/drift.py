"""Prices that grow old: learnt from one window of a data set split at one time, and served at later and later ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reprise.compute import numpy_generator
from reprise.rim.cell import Cell, Row, method_name
from reprise.rim.data import load
from reprise.rim.events import Numbers, Requests, requests_at
from reprise.rim.matched import EXACT, NETWORK, ONLINE, shortfall
from reprise.rim.matching import Bounds, Prices, solve
from reprise.rim.ranking import intensity_scores

FACTOR, MULTIPLIER = "HP", 0.7
FRESH = "exact, fresh prices"
LARGEST_GAP_IN_HISTORY = 0.05


def drift_rows(cell: Cell) -> Iterator[Row]:
    """Yield what prices learnt one horizon before T leave undelivered at T, T + h, T + 2h, … while histories last.

    Models and prices stay as they are; histories, and with them states and activity, go on. ``at`` is the age of the
    prices in horizons. Beside them stand prices learnt from as many users of the served time itself: what a sample of
    that size costs without any ageing.
    """
    if cell.name not in cell.settings.drift_sets:
        return
    draw = numpy_generator(cell.seed, "rim", cell.name, "drift")
    old = _prices(cell, _scores(cell, cell.split.validation[0]), draw)
    for age, requests in enumerate(_later(cell), 1):
        scores = _scores(cell, requests)
        least = _least(cell, len(scores))
        how = {"part": "drift", "multiplier": MULTIPLIER, "served": ONLINE, "at": age}
        for solver, prices in ((EXACT, old), (FRESH, _prices(cell, scores, draw))):
            value = 100 * shortfall(prices.serve(scores).sum(0), least)
            yield cell.row(method_name(NETWORK, FACTOR), "shortfall (%)", value, solver=solver, **how)
        yield cell.row(FACTOR, "mean activity", cell.activity(FACTOR, requests).mean(), part="drift", at=age)


def _later(cell: Cell) -> Iterator[Requests]:
    """Yield the requests of all users at T, T + h, …, as long as events reach that far."""
    split, events = cell.split, load(cell.name, cell.seed)
    candidates = np.isin(np.arange(len(events.items)), split.candidates)
    known, everybody = events.only(candidates[events.item]), np.arange(len(events.users))
    time = float(split.test.end[0])
    while time <= float(events.time.max()) + LARGEST_GAP_IN_HISTORY * split.horizon:
        yield requests_at(known, everybody, np.full(len(everybody), time), split.horizon, candidates)
        time += split.horizon


def _scores(cell: Cell, requests: Requests) -> Numbers:
    p = cell.probabilities(NETWORK, requests)
    return intensity_scores(p, cell.activity(FACTOR, requests), cell.split.excluded(requests))


def _least(cell: Cell, n_users: int) -> float:
    """Return the lower bound of an item among some users: in proportion to their number."""
    return MULTIPLIER * cell.settings.share * n_users


def _prices(cell: Cell, scores: Numbers, draw: np.random.Generator) -> Prices:
    """Learn prices from a random sample of the users."""
    n = min(cell.settings.drift_users, len(scores))
    places = np.sort(draw.choice(len(scores), n, replace=False))
    return solve(scores[places], Bounds(cell.sizes[0], least=_least(cell, n)), levels=cell.settings.levels)
