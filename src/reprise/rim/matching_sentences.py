"""Sentences on matching, computed from the rows of the run: solvers, delivery, exposure, and prices that grow old."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reprise.numerals import difference, number
from reprise.plots import measured
from reprise.rim.comparisons import matched
from reprise.rim.drift import FRESH
from reprise.rim.figures import title_of
from reprise.rim.matched import EXACT, LOOP, OTHER_PRICES, bounds_of
from reprise.rows import MissingRowsError, per_seed
from reprise.stats import paired_differences, t_interval

if TYPE_CHECKING:
    import pandas as pd

_PRICES = {EXACT: "with the items' own prices", OTHER_PRICES: "with those of other items"}
THIRDS = {1.0: "rarest", 2.0: "middle", 3.0: "most popular"}
FREE = {"multiplier": 0.0, "served": "offline", "solver": "none"}
BOUND = {"multiplier": 0.7, "served": "online", "solver": EXACT}


def loop_against_exact(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say what the released loop leaves undelivered on its own fitting matrix, beside the exact solver."""
    for name in data_sets:
        how = {
            "dataset": name, "part": "matching", "split": "fitted", "metric": "shortfall (%)", "multiplier": 0.7,
            "method": "GRU × HP", "served": "online",
        }  # fmt: skip
        loop, exact = (measured(rows, solver=s, **how) for s in (LOOP, EXACT))
        if loop is None or exact is None:
            continue
        return (
            f"On {title_of(name)} at m = 0.7 the released loop leaves {number(float(loop.mean()), 1)} % of the lower "
            "bounds undelivered on the very matrix that it was fitted on, the exact solver "
            f"{number(float(exact.mean()), 2)} %."
        )
    return "This run has no matching with both solvers."


def precision_tells_no_prices_apart(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say that precision online over offline passes with prices of other items too, and what these leave undone."""
    for name in data_sets:
        words = []
        for multiplier, metric, what in ((0.7, "shortfall (%)", "undelivered"), (1.0, "excess (%)", "too much")):
            how = {"multiplier": multiplier, "served": "online", "split": "test", "method": "GRU × HP"}
            precision = {"dataset": name, "part": "matching", "metric": "precision (%)", **how}
            best = measured(rows, solver=EXACT, **{**precision, "served": "offline"})
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


def who_is_hit(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say what an exposure of each third of the items hits, without a bound and with a minimum, without and with HP."""
    for name in data_sets:
        words = []
        for third, label in THIRDS.items():
            sides = []
            for bound, side in ((FREE, "without a minimum"), (BOUND, "with it")):
                how = {"dataset": name, "part": "matching", "at": third, **bound}
                if measured(rows, metric="exposures", **how) is None:
                    continue
                rates = [_hits(rows, method=method, **how) for method in ("GRU", "GRU × HP")]
                sides.append(f"{' and '.join(rates)} {side}")
            if sides:
                words.append(f"{label} third {', '.join(sides)}")
        if words:
            return f"Hits in a hundred exposures on {title_of(name)}, by the GRU and by GRU × HP: {'; '.join(words)}."
    return "This run has no matching."


def _hits(rows: pd.DataFrame, **how: object) -> str:
    """Write hits per exposure; a third of the items that nobody is shown has none."""
    values = measured(rows, metric="hits per exposure (%)", **how)
    return "none (nobody is shown one)" if values is None else number(float(values.mean()), 2)


def how_prices_age(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say what prices of one window leave undelivered at each later one, beside prices learnt at the served time."""
    words = []
    for name in data_sets:
        how = {"dataset": name, "part": "drift", "metric": "shortfall (%)"}
        ages = [age for age in range(1, 20) if measured(rows, at=age, **how) is not None]
        if not ages:
            continue
        levels = {
            solver: [per_seed(rows, at=age, solver=solver, **how) for age in (ages[0], ages[-1])]
            for solver in (EXACT, FRESH)
        }
        parts = [
            f"{number(float(first.mean()), 1)} % at an age of {ages[0]}, {number(float(last.mean()), 1)} % at "
            f"{ages[-1]} ({difference(t_interval(paired_differences(last, first)), 1)} points)"
            for first, last in levels.values()
        ]
        words.append(
            f"on {title_of(name)} {parts[0]}, and prices learnt from as many users of the served time {parts[1]}"
        )
    if not words:
        return ""
    return (
        "What old prices of GRU × HP leave undelivered of lower bounds (m = 0.7), with ages in horizons and intervals "
        f"over paired seeds: {'; '.join(words)}."
    )


def how_samples_err(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say what sampling error alone would do to prices from few users; nothing if the run did not measure it."""
    if all(measured(rows, dataset=name, part="sample size") is None for name in data_sets):
        return ""
    return (
        "Prices learnt from a sample err like quantiles, as one over the square root of its size, if those who come "
        "are drawn like those before. A flatter line says that something else moves the prices: other users, a later "
        "time, or the mark model itself, which has seen the validation targets."
    )
