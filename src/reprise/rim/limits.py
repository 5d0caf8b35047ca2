"""Sentences on what the verdicts leave open, computed from the rows: delivery, harm by activity, users resampled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reprise.numerals import difference, number
from reprise.plots import measured
from reprise.rim.comparisons import USER_REC, by_user, matched
from reprise.rim.data import EMBEDDED, RETAIL, load_split
from reprise.rim.events import Requests
from reprise.rim.figures import found, title_of
from reprise.rim.kernel_features import SCALES
from reprise.rim.matched import bounds_of
from reprise.rows import MissingRowsError

if TYPE_CHECKING:
    import pandas as pd

    from reprise.stats import Interval

OTHER_PRICES = "exact, prices of other items"
DIFFERENCES = (
    ("GRU × HP", "GRU"),
    ("GRU × EMA", "GRU × UserPop"),
    ("GRU × HP", "GRU × EMA"),
    ("GRU × HP", "GRU × Hawkes"),
)
MINUTE_S, DAY_S = 60.0, 86_400.0


def precision_tells_no_prices_apart(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say that precision online over offline passes with prices of other items too, and what these leave undone."""
    for name in data_sets:
        words = []
        for multiplier, metric, what in ((0.7, "shortfall (%)", "undelivered"), (1.0, "excess (%)", "too much")):
            how = {"multiplier": multiplier, "served": "online", "split": "test", "method": "GRU × HP"}
            precision = {"dataset": name, "part": "matching", "metric": "precision (%)", **how}
            best = measured(rows, solver="exact", **{**precision, "served": "offline"})
            levels = {s: measured(rows, solver=s, **precision) for s in _PRICES}
            if best is None or any(level is None for level in levels.values()):
                continue
            ratio = {s: float(level.mean() / best.mean()) for s, level in levels.items() if level is not None}
            off = {s: measured(rows, dataset=name, part="matching", metric=metric, solver=s, **how) for s in _PRICES}
            parts = [
                f"{number(ratio[s], 2)} {label}"
                + ("" if (share := off[s]) is None else f" ({number(float(share.mean()), 1)} % {what})")
                for s, label in _PRICES.items()
            ]
            words.append(f"at m = {multiplier:g} {' and '.join(parts)}")
        if words:
            return (
                "C7 compares precision only, which rises where bounds are missed, and so cannot tell good prices from "
                f"bad ones: on {title_of(name)} online over offline is {'; '.join(words)}. What tells them apart is "
                "delivery."
            )
    return ""


_PRICES = {"exact": "with the items' own prices", OTHER_PRICES: "with those of other items"}


def how_greedy_rounds(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say which bounds greedy drops, since it takes whole users only, and what a negative gap means."""
    for name in data_sets:
        greedy = measured(rows, dataset=name, part="matching", solver="greedy", multiplier=0.7)
        size = measured(rows, dataset=name, part="data", metric="users for an item")
        if greedy is None or size is None:
            continue
        least = bounds_of(0.7, 1, int(size.min()), 1).least or 0.0
        dropped = 100 * (1 - int(least) / least) if least else 0.0
        return (
            f"Greedy cuts bounds to whole users. At m = 0.7 on {title_of(name)} {number(least, 1)} becomes "
            f"{int(least)}: up to {number(dropped, 0)} % of a bound is dropped beforehand, and its precision is "
            "that of an easier problem. A negative gap means that bounds are not met."
        )
    return ""


def horizons_in_words(data_sets: Sequence[str], seeds: Sequence[int]) -> str:
    """Say how long the horizon is in minutes or days, and what of order and scales the clock does not resolve."""
    words = []
    for name in data_sets:
        if name == EMBEDDED:
            continue
        splits = [load_split(name, seed) for seed in (seeds[:1] if name == RETAIL else seeds)]
        spans = np.array([split.horizon for split in splits])
        tied = float(np.mean([_share_of_ties(split.test) for split in splits]))
        below = int((SCALES * spans.mean() < 1).sum())
        words.append(
            f"{span_in_words(spans)} on {title_of(name)}: {number(100 * tied, 0)} % of neighbouring past events carry "
            f"the same time, so that their order is unknown, and {below} of the {len(SCALES)} kernel scales lie below "
            "a second"
        )
    if not words:
        return ""
    return (
        f"The horizon lasts {'; '.join(words)}. Where it is minutes, a user who is active within it is mostly one "
        "whose session still runs."
    )


def span_in_words(seconds: np.ndarray) -> str:
    """Write one or several spans of time in minutes, or days from one day on."""
    unit, size = ("days", DAY_S) if seconds.min() >= DAY_S else ("minutes", MINUTE_S)
    ends = dict.fromkeys(number(float(end) / size, 0) for end in (seconds.min(), seconds.max()))
    return f"{' to '.join(ends)} {unit}"


def _share_of_ties(requests: Requests) -> float:
    """Return the share of neighbouring past events of a user that carry the same time."""
    inner = np.ones(max(len(requests.time) - 1, 0), dtype=bool)
    starts = requests.indptr[1:-1]
    inner[starts[(starts > 0) & (starts < len(requests.time))] - 1] = False
    return float((np.diff(requests.time) == 0)[inner].mean()) if inner.any() else 0.0


def what_activity_does_to_others(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say what HP does to the user recommendation of ALS, and how the GRU's product stands to that of popularity."""
    words = []
    for name in data_sets:
        methods = ("ALS × HP", "ALS", "GRU × HP", "ItemPop × HP")
        level = {method: found(rows, name, USER_REC, method) for method in methods}
        als, als_hp, gru, popular = (level[m] for m in ("ALS", "ALS × HP", "GRU × HP", "ItemPop × HP"))
        if als is None or als_hp is None or gru is None or popular is None:
            continue
        ratio, gain = als_hp.over(als).interval(), (gru - popular).interval()
        verb = "raises" if ratio.above(1) else "lowers" if ratio.below(1) else "leaves open"
        side = "ahead of" if gain.above(0) else "behind" if gain.below(0) else "level with"
        words.append(
            f"on {title_of(name)} HP {verb} the UserRec precision of ALS (ratio {_ends(ratio)}), and GRU × HP is "
            f"{side} ItemPop × HP ({difference(gain, 2)} points)"
        )
    if not words:
        return ""
    return f"C2, C4 and C8 are judged on the GRU. By items resampled, {'; '.join(words)}."


def _ends(interval: Interval) -> str:
    return f"{number(interval.estimate, 2)} [{number(interval.low, 2)}, {number(interval.high, 2)}]"


def differences_by_user(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say which differences of UserRec precision stand when users are resampled instead of items."""
    words = []
    for name in data_sets:
        try:
            parts = [
                f"{a} − {b} {difference((by_user(rows, name, a) - by_user(rows, name, b)).interval(), 2)}"
                for a, b in DIFFERENCES
            ]
        except MissingRowsError:
            continue
        words.append(f"On {title_of(name)}: {'; '.join(parts)}.")
    return f"Differences in points with users resampled. {' '.join(words)}" if words else ""


def who_is_hit_with_a_minimum(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say what an exposure hits in each third of the items when all get a minimum, without intensity and with HP."""
    thirds = {1.0: "rarest", 2.0: "middle", 3.0: "most popular"}
    for name in data_sets:
        how = {"dataset": name, "part": "matching", "multiplier": 0.7, "served": "online", "solver": "exact"}
        words = []
        for third, label in thirds.items():
            rates = [
                measured(rows, method=method, metric="hits per exposure (%)", at=third, **how)
                for method in ("GRU", "GRU × HP")
            ]
            if any(rate is None for rate in rates):
                continue
            without, with_hp = (number(float(rate.mean()), 2) for rate in rates if rate is not None)
            words.append(f"{label} third {without} without, {with_hp} with HP")
        if words:
            return f"Hits in a hundred exposures with the minimum, on {title_of(name)}: {'; '.join(words)}."
    return ""


def size_of_the_loss(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say that C6 judges the direction only, and the same difference where prices come from the served users."""
    for name in data_sets:
        try:
            lost = {
                m: matched(rows, name, m, 0.7, served="offline").lost_from(
                    matched(rows, name, m, 0.0, served="offline", solver="none")
                )
                for m in ("GRU", "GRU × HP")
            }
        except MissingRowsError:
            continue
        saved = (lost["GRU"] - lost["GRU × HP"]).interval()
        return (
            "C6 judges the direction, not the size of the losses. Online the two arms do not deliver alike; with "
            f"prices of the served users, where they do, the difference on {title_of(name)} is "
            f"{difference(saved, 1)} points."
        )
    return ""
