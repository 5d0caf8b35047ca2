"""Sentences of the chapter whose numbers, and whose direction, are computed from the rows of the run."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from reprise.numerals import difference, number
from reprise.plots import measured
from reprise.rows import MissingRowsError
from reprise.stats import paired_differences, t_interval
from reprise.trans_encoder.comparisons import resampling_error
from reprise.trans_encoder.lookups import home_of, levels, name_of_average, sets_of
from reprise.trans_encoder.names import (
    ALL_LAYERS,
    FORMS,
    HOME,
    RAW_LABELS,
    SELF_BI,
    SELF_CROSS,
    SHARED_WORDS,
    SHORT_NAMES,
    START,
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd


def _nothing_without_rows(say: Callable[[pd.DataFrame], str]) -> Callable[[pd.DataFrame], str]:
    """Make a sentence empty where the run has no rows for it: one cell of a fan-out, another task alone."""

    @wraps(say)
    def said(rows: pd.DataFrame) -> str:
        try:
            return say(rows)
        except MissingRowsError:
            return ""

    return said


def _mean(rows: pd.DataFrame, **how: object) -> float | None:
    values = measured(rows, **how)
    return None if values is None else float(values.mean())


@_nothing_without_rows
def pool_in_words(rows: pd.DataFrame) -> str:
    """Say how large the pool of a seed is, and of which whole it is drawn."""
    home = home_of(rows)
    how = {"dataset": home, "method": "data"}
    own = _mean(rows, metric="pairs", split="pool", variant=None, **how)
    whole = _mean(rows, metric="pairs of the whole pool", **how)
    distinct = _mean(rows, metric="distinct sentences", split="pool", **how)
    repeated = _mean(rows, metric="share of repeated sentences (%)", **how)
    if own is None or whole is None or distinct is None or repeated is None:
        return ""
    return (
        f"Each seed distils on {number(own, 0)} of {number(whole, 0)} unlabelled pairs, with {number(distinct, 0)} "
        f"distinct "
        f"sentences. In the whole pool {number(repeated, 0)} % of the sentences are repeats, which are encoded once."
    )


@_nothing_without_rows
def overlap_in_words(rows: pd.DataFrame) -> str:
    """Say how many pairs of the STS benchmark are gold-scored test pairs of STS 2012 to 2016."""
    words = []
    for part in ("train", "dev", "test"):
        how = {"dataset": HOME, "part": "audit"}
        n = _mean(rows, metric=f"benchmark {part} pairs", **how)
        shared = _mean(rows, metric=f"benchmark {part} pairs in gold-scored STS 2012 to 2016", **how)
        if n is None or shared is None:
            return ""
        words.append(f"{number(shared, 0)} of {number(n, 0)} {part} pairs")
    return (
        f"Of the STS benchmark, {', '.join(words)} stand among the gold-scored test pairs of STS 2012 to 2016, in "
        f"one order "
        "or the other. A selection by the development pairs therefore reads gold scores of pairs that are tested."
    )


@_nothing_without_rows
def words_alone(rows: pd.DataFrame) -> str:
    """Say how far shared words alone go, and on which sets they come nearest to the start."""
    overlap, start = levels(rows, SHARED_WORDS), levels(rows, START)
    if overlap is None or start is None:
        return ""
    left = {}
    for name in sets_of(rows):
        own, begun = levels(rows, SHARED_WORDS, sets=[name]), levels(rows, START, sets=[name])
        if own is not None and begun is not None:
            left[name] = float(begun.mean() - own.mean())
    nearest = min(left, key=lambda name: left[name])
    return (
        f"The share of words in common reaches {number(float(overlap.mean()), 1)} "
        f"({name_of_average(sets_of(rows))}), the "
        f"start {number(float(start.mean()), 1)}; they are nearest on {SHORT_NAMES[nearest]}, "
        f"{number(left[nearest], 1, signed=True)} points apart."
    )


@_nothing_without_rows
def seeds_and_pairs(rows: pd.DataFrame) -> str:
    """Say how much of a gain's uncertainty comes from seeds and how much from the test pairs."""
    words = []
    for method in FORMS:
        after, before = levels(rows, method, cycle=1), levels(rows, START)
        if after is None or before is None:
            continue
        found = t_interval(paired_differences(after, before))
        try:
            error = resampling_error(rows, method, 1, sets=sets_of(rows))
        except MissingRowsError:
            continue
        words.append(f"{method} {difference(found)}, ± {number(1.96 * error, 1)} by resampled test pairs")
    return f"Gain of the first cycle (points): {'; '.join(words)}." if words else ""


@_nothing_without_rows
def what_students_keep(rows: pd.DataFrame) -> str:
    """Say how nearly students rank the pool as their teachers do."""
    home, words = home_of(rows), []
    for method in (SELF_CROSS, SELF_BI):
        value = _mean(rows, dataset=home, method=method, metric="rank correlation with the teacher", cycle=1)
        if value is not None:
            words.append(f"{method} at {number(value / 100, 2)}")
    orders = _mean(rows, dataset=home, method=SELF_CROSS, metric="difference of both orders", cycle=1)
    if not words or orders is None:
        return ""
    return (
        f"After the first cycle students rank the pool like their teachers: {', '.join(words)} (rank correlation). "
        f"Swapping "
        f"the sentences of a pair moves the cross-encoder's score by {number(orders, 3)} on average."
    )


@_nothing_without_rows
def starts_alike(rows: pd.DataFrame) -> str:
    """Say how alike the errors of both starts of mutual distillation are; empty without such rows."""
    ranks = _mean(rows, part="two backbones", metric="rank correlation of both starts")
    errors = _mean(rows, part="two backbones", metric="correlation of both starts' errors")
    if ranks is None or errors is None:
        return ""
    return (
        f"Both starts rank the test pairs alike at {number(ranks / 100, 2)}, and their errors against gold "
        f"correlate at "
        f"{number(errors / 100, 2)}."
    )


@_nothing_without_rows
def stretching_in_words(rows: pd.DataFrame) -> str:
    """Say what the first cross-encoder is worth on labels that are not stretched; empty without such rows."""
    raw, own = levels(rows, SELF_CROSS, variant=RAW_LABELS, cycle=1), levels(rows, SELF_CROSS, cycle=1)
    if raw is None or own is None:
        return ""
    each = ", ".join(f"{number(float(raw[seed]), 1)} instead of {number(float(own[seed]), 1)}" for seed in raw.index)
    return (
        f"**Label stretching.** On cosines as they are, the first cross-encoder reaches {each} "
        f"({name_of_average(sets_of(rows))}; seed by seed), with the same pool, batches, head and steps."
    )


@_nothing_without_rows
def strong_start_in_words(rows: pd.DataFrame) -> str:
    """Say what the loop does to the whole model, whose start was tuned with labels; empty without such rows."""
    start = levels(rows, START, variant=ALL_LAYERS)
    words = []
    for method in FORMS:
        after = levels(rows, method, variant=ALL_LAYERS, cycle=1)
        if start is not None and after is not None:
            words.append(f"{method}: {difference(t_interval(paired_differences(after, start)))}")
    if start is None or not words:
        return ""
    return f"From the whole model, at {number(float(start.mean()), 1)}, one cycle changes (points): {'; '.join(words)}."
