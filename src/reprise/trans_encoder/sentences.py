"""Sentences of the chapter whose numbers, and whose direction, are computed from the rows of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reprise.numerals import difference, number
from reprise.plots import measured
from reprise.rows import select
from reprise.stats import paired_differences, t_interval
from reprise.trans_encoder.changes import STANDARD_ERRORS, Change, change_from_start
from reprise.trans_encoder.comparisons import resampling_error
from reprise.trans_encoder.lookups import home_of, levels, name_of_average, sets_of, title_of
from reprise.trans_encoder.names import (
    ALL_LAYERS,
    BASE,
    FORMS,
    HOME,
    MRPC,
    RAW_LABELS,
    SELF_BI,
    SELF_CROSS,
    SHARED_WORDS,
    SHORT_NAMES,
    SIMCSE,
    START,
)  # fmt: skip
from reprise.trans_encoder.tuning import found_rates
from reprise.trans_encoder.wording import apart, mean_of, nothing_without_rows

if TYPE_CHECKING:
    import pandas as pd

LONGEST_MINUTES = 25  # of a standard profile on two cores


@nothing_without_rows
def pool_in_words(rows: pd.DataFrame) -> str:
    """Say how large the pool of a seed is, and of which whole it is drawn."""
    home = home_of(rows)
    how = {"dataset": home, "method": "data"}
    own = mean_of(rows, metric="pairs", split="pool", variant=None, **how)
    whole = mean_of(rows, metric="pairs of the whole pool", **how)
    distinct = mean_of(rows, metric="distinct sentences", split="pool", **how)
    repeated = mean_of(rows, metric="share of repeated sentences (%)", **how)
    if own is None or whole is None or distinct is None or repeated is None:
        return ""
    return (
        f"Each seed distils on {number(own, 0)} of {number(whole, 0)} unlabelled pairs, with {number(distinct, 0)} "
        f"distinct "
        f"sentences. In the whole pool {number(repeated, 0)} % of the sentences are repeats, which are encoded once."
    )


@nothing_without_rows
def overlap_in_words(rows: pd.DataFrame) -> str:
    """Say how many pairs of the STS benchmark are gold-scored test pairs of STS 2012 to 2016."""
    words = []
    for part in ("train", "dev", "test"):
        how = {"dataset": HOME, "part": "audit"}
        n = mean_of(rows, metric=f"benchmark {part} pairs", **how)
        shared = mean_of(rows, metric=f"benchmark {part} pairs in gold-scored STS 2012 to 2016", **how)
        if n is None or shared is None:
            return ""
        words.append(f"{number(shared, 0)} of {number(n, 0)} {part} pairs")
    return (
        f"Of the STS benchmark, {', '.join(words)} stand among the gold-scored test pairs of STS 2012 to 2016, in "
        f"one order "
        "or the other. A selection by the development pairs therefore reads gold scores of pairs that are tested."
    )


@nothing_without_rows
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
        f"The share of shared words reaches {number(float(overlap.mean()), 1)} "
        f"({name_of_average(sets_of(rows))}), the "
        f"start {number(float(start.mean()), 1)} on the tested pairs; they are nearest on {SHORT_NAMES[nearest]}, "
        f"{number(left[nearest], 1, signed=True)} points apart."
    )


@nothing_without_rows
def seeds_and_pairs(rows: pd.DataFrame) -> str:
    """Say how much of a gain's uncertainty comes from seeds and how much from the test pairs."""
    words = []
    for method in FORMS:
        change = change_from_start(rows, method, cycle=1)
        if change is not None and change.error is not None:
            pairs = number(STANDARD_ERRORS * change.error, 1)
            words.append(f"{method} {difference(change.over_seeds)}, ± {pairs} by resampled test pairs")
    if not words:
        return ""
    return (
        f"Gain of the first cycle (points): {'; '.join(words)}. *Above* and *below the start* are said where "
        "both uncertainties together leave it so; the brackets beside it, comparisons with anything else than "
        "the start, and the rules of the claims are of seeds alone."
    )


@nothing_without_rows
def what_students_keep(rows: pd.DataFrame) -> str:
    """Say how nearly students rank the pool as their teachers do."""
    home, words = home_of(rows), []
    for method in (SELF_CROSS, SELF_BI):
        value = mean_of(rows, dataset=home, method=method, metric="rank correlation with the teacher", cycle=1)
        if value is not None:
            words.append(f"{method} at {number(value / 100, 2)}")
    orders = mean_of(rows, dataset=home, method=SELF_CROSS, metric="difference of both orders", cycle=1)
    if not words or orders is None:
        return ""
    return (
        f"After the first cycle students rank the pool like their teachers: {', '.join(words)} (rank correlation). "
        f"Swapping "
        f"the sentences of a pair moves the cross-encoder's score by {number(orders, 3)} on average."
    )


@nothing_without_rows
def what_came_of_it(rows: pd.DataFrame) -> str:
    """Say what one cycle gives over the start, beside SimCSE's training on the same sentences."""
    simcse, contrastive = levels(rows, SIMCSE), change_from_start(rows, SIMCSE)
    words, ahead = [], []
    for method, name in ((SELF_CROSS, "cross-encoder"), (SELF_BI, "bi-encoder")):
        after, change = levels(rows, method, cycle=1), change_from_start(rows, method, cycle=1)
        if after is None or change is None:
            continue
        words.append(f"the {name} {change.told()}")
        if simcse is not None:
            ahead.append(f"{apart(simcse, after)} over the {name}")
    if not words:
        return ""
    said = (
        f"**In points of rank correlation ({name_of_average(sets_of(rows))})**, one cycle of the loop leaves "
        f"{' and '.join(words)}."
    )
    if contrastive is None:
        return said
    return (
        f"{said} SimCSE's training on the same sentences, which has no second form, ends "
        f"{contrastive.told()}: {', '.join(ahead)}."
    )


@nothing_without_rows
def what_was_tested(rows: pd.DataFrame) -> str:
    """Say how large the sample of test pairs is and how far the start's level moves with it."""
    sets = sets_of(rows)
    errors = [
        value
        for name in sets
        if (value := mean_of(rows, dataset=name, part="resampling", metric="standard error", method=START)) is not None
    ]
    pairs = mean_of(rows, dataset=sets[0], part="data", metric="pairs", split="test")
    if not errors or pairs is None:
        return ""
    low, high = (number(STANDARD_ERRORS * value, 1) for value in (min(errors), max(errors)))
    moved = low if len(errors) == 1 else f"{low} to {high}"
    return (
        f"Levels are those of {number(pairs, 0)} test pairs a set, the same for all seeds; another sample would move "
        f"the start's level by ± {moved} points on a set. Intervals in the table are over seeds alone, and "
        "what no seed changes has none; gains are paired and move less."
    )


@nothing_without_rows
def seen_and_unseen(rows: pd.DataFrame) -> str:
    """Say whether a gain differs between test pairs in the pool and held out, with the differences."""
    words = []
    for method in FORMS:
        gains = []
        for split in ("test, in the pool", "test, held out"):
            after, before = (levels(rows, m, cycle=c, split=split) for m, c in ((method, 1), (START, 0)))
            if after is None or before is None:
                return ""
            gains.append(after - before)
        found = t_interval(paired_differences(*gains))
        told = "differs" if found.above(0) or found.below(0) else "is not told apart"
        words.append(f"{method}'s gain {told} ({difference(found)})")
    return f"Between pairs in the pool and pairs held out, after the first cycle, {'; '.join(words)}."


@nothing_without_rows
def binary_in_words(rows: pd.DataFrame) -> str:
    """Say what one cycle does to the area under the curve on MRPC, and what shared words alone reach."""
    how = {"dataset": MRPC, "part": "levels", "metric": "auc", "split": "test", "variant": BASE}
    start, overlap = (measured(rows, method=method, **how) for method in (START, SHARED_WORDS))
    steps = mean_of(rows, dataset=MRPC, part="training", metric="steps", method=SELF_CROSS, cycle=1)
    if start is None or overlap is None or steps is None:
        return ""
    words = []
    for method in FORMS:
        after = measured(rows, method=method, cycle=1, **how)
        if after is not None:
            error = resampling_error(rows, method, 1, sets=[MRPC])
            words.append(f"{method} {Change(t_interval(paired_differences(after, start)), error).told()}")
    return (
        f"After one cycle, with {number(steps, 0)} steps of the cross-encoder: {'; '.join(words)}. Shared words "
        f"alone stand at {number(float(overlap.mean()), 1)} on these tested pairs, the start at "
        f"{number(float(start.mean()), 1)}."
    )


@nothing_without_rows
def ties_in_words(rows: pd.DataFrame) -> str:
    """Say how many scores the single test pairs have by the start and by the cross-encoder; empty without ties."""
    words, tied = [], False
    for method, name in ((START, "start"), (SELF_CROSS, "cross-encoder")):
        ranks = select(rows, part="single pairs", metric="rank", dataset=home_of(rows), method=method)
        distinct = ranks.groupby("seed", observed=True)["value"].nunique().mean()
        words.append(f"{number(float(distinct), 0)} different scores by the {name}")
        n = len(ranks) / ranks["seed"].nunique()
        tied = tied or distinct < n
    if not tied:
        return ""
    return f"These {number(n, 0)} pairs have {' and '.join(words)}, mean over seeds: what is equal shares a rank."


@nothing_without_rows
def stretching_in_words(rows: pd.DataFrame) -> str:
    """Say what the first cross-encoder is worth on labels that are not stretched; empty without such rows."""
    raw, own = levels(rows, SELF_CROSS, variant=RAW_LABELS, cycle=1), levels(rows, SELF_CROSS, cycle=1)
    if raw is None or own is None:
        return ""
    each = ", ".join(f"{number(float(raw[seed]), 1)} instead of {number(float(own[seed]), 1)}" for seed in raw.index)
    return (
        f"**Label stretching.** On cosines as they are, the first cross-encoder reaches {each} "
        f"({name_of_average(sets_of(rows))}; seed by seed), with the same pool, batches, head, steps and rate; "
        "the rate was chosen on stretched labels."
    )


@nothing_without_rows
def strong_start_in_words(rows: pd.DataFrame) -> str:
    """Say what the loop does to the whole model, whose start was tuned with labels; empty without such rows."""
    start = levels(rows, START, variant=ALL_LAYERS)
    changes = {method: change_from_start(rows, method, variant=ALL_LAYERS, cycle=1) for method in FORMS}
    words = [f"{method} is {change.told()}" for method, change in changes.items() if change is not None]
    if start is None or not words:
        return ""
    said = f"From the whole model, at {number(float(start.mean()), 1)}, after one cycle {'; '.join(words)}."
    own = [change_from_start(rows, method, cycle=1) for method in FORMS]
    if any(change is not None and change.whole.above(0) for change in own):
        return said
    return f"{said} The weaker start is not told to gain either, so that C1's control tells nothing in this run."


def rates_in_words() -> str:
    """Say which methods came above the start when rates were tried, and whose best rate is at an end of the list."""
    tried = found_rates()
    start = float(tried.loc[tried["method"] == START, "score"].iloc[0])
    above, at_end = [], []
    for method, own in tried[tried["method"] != START].groupby("method", sort=False):
        best = own.loc[own["score"].idxmax()]
        if best["score"] > start:
            above.append(f"{title_of(str(method))} ({number(best['score'] - start, 2, signed=True)})")
        if best["rate"] in (own["rate"].min(), own["rate"].max()):
            at_end.append(title_of(str(method)))
    return (
        f"At its best rate {', '.join(above) or 'no method'} came above the start on these pairs: one seed "
        "each and the best of its tries, so that small gains tell nothing. At an end of the "
        f"list stands the best rate of {', '.join(at_end) or 'no method'}."
    )


def what_it_took(seconds: float, profile: str) -> str:
    """Say whether the published run took longer than a `standard` profile is meant to; empty for other profiles."""
    if profile != "standard" or seconds <= 60 * LONGEST_MINUTES:
        return ""
    return (
        f"The rows of this run took {number(seconds / 60, 0)} minutes, cells added up, where a `standard` profile is "
        f"meant to take {LONGEST_MINUTES} at most: seeds and variants that the claims need were worth more than the "
        "rule. Fewer are a shorter list of `seeds` and `variants`."
    )
