"""Sentences of the chapter whose numbers, and whose direction, are computed from the rows of the run."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from reprise.numerals import difference, number
from reprise.plots import measured
from reprise.rows import MissingRowsError, select
from reprise.stats import paired_differences, t_interval
from reprise.trans_encoder.comparisons import resampling_error
from reprise.trans_encoder.lookups import home_of, levels, name_of_average, sets_of, told_from_start
from reprise.trans_encoder.names import (
    ALL_LAYERS,
    BASE,
    FORMS,
    HOME,
    MRPC,
    MUTUAL_BI,
    MUTUAL_CROSS,
    RAW_LABELS,
    SELF_BI,
    SELF_CROSS,
    SHARED_WORDS,
    SHORT_NAMES,
    SICK,
    SIMCSE,
    START,
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd

    from reprise.trans_encoder.settings import Settings

MINILM = "minilm"
Further = ParamSpec("Further")


def _nothing_without_rows(
    say: Callable[Concatenate[pd.DataFrame, Further], str],
) -> Callable[Concatenate[pd.DataFrame, Further], str]:
    """Make a sentence empty where the run has no rows for it: one cell of a fan-out, another task alone."""

    @wraps(say)
    def said(rows: pd.DataFrame, *further: Further.args, **named: Further.kwargs) -> str:
        try:
            return say(rows, *further, **named)
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
def two_starts(rows: pd.DataFrame) -> str:
    """Say how alike the errors of both starts of mutual distillation are, and how its forms stand to the second."""
    ranks = _mean(rows, part="two backbones", metric="rank correlation of both starts")
    errors = _mean(rows, part="two backbones", metric="correlation of both starts' errors")
    if ranks is None or errors is None:
        return ""
    alike = (
        f"**Two starts.** They rank the test pairs alike at {number(ranks / 100, 2)}, and their errors against gold "
        f"correlate at {number(errors / 100, 2)}."
    )
    first, second = levels(rows, START), levels(rows, SIMCSE)
    ahead = [
        f"{method} {difference(t_interval(paired_differences(after, second)))}"
        for method in (MUTUAL_CROSS, MUTUAL_BI)
        if second is not None and (after := levels(rows, method, cycle=1)) is not None
    ]
    if first is None or second is None or not ahead:
        return alike
    better = difference(t_interval(paired_differences(second, first)))
    return (
        f"{alike} The second is the first one after SimCSE's training: minus the first it is {better} points, and "
        f"mutual distillation minus this second start, on the same seeds, {'; '.join(ahead)}. Self-distillation has "
        "the first start alone; what it would make of the second, and what the plain mean of both starts scores, was "
        "not run."
    )


@_nothing_without_rows
def what_came_of_it(rows: pd.DataFrame) -> str:
    """Say what one cycle gives over the start, beside SimCSE's training on the same sentences."""
    start, simcse = levels(rows, START), levels(rows, SIMCSE)
    words, apart = [], []
    for method, name in ((SELF_CROSS, "cross-encoder"), (SELF_BI, "bi-encoder")):
        after = levels(rows, method, cycle=1)
        if after is None or start is None:
            continue
        words.append(f"the {name} {told_from_start(t_interval(paired_differences(after, start)))}")
        if simcse is not None:
            apart.append(f"{difference(t_interval(paired_differences(simcse, after)))} over the {name}")
    if not words or start is None:
        return ""
    said = (
        f"**In points of rank correlation ({name_of_average(sets_of(rows))})**, one cycle of the loop leaves "
        f"{' and '.join(words)}."
    )
    if simcse is None:
        return said
    return (
        f"{said} SimCSE's training on the same sentences, which has no cross-encoder and no second form, ends "
        f"{told_from_start(t_interval(paired_differences(simcse, start)))}: {', '.join(apart)}."
    )


@_nothing_without_rows
def which_sets_gain_least(rows: pd.DataFrame) -> str:
    """Say, for C9, on which sets each form gains and which set lags most behind the others; empty for one set."""
    sets, said = sets_of(rows), []
    if SICK not in sets or len(sets) < 2:
        return ""
    for method in FORMS:
        change = {}
        for name in sets:
            after, before = (levels(rows, m, cycle=c, sets=[name]) for m, c in ((method, 1), (START, 0)))
            if after is None or before is None:
                return ""
            change[name] = after - before
        lag = {
            name: t_interval(own - sum(change[other] for other in sets if other != name) / (len(sets) - 1))
            for name, own in change.items()
        }
        worst = min(lag, key=lambda name: lag[name].estimate)
        gaining = [SHORT_NAMES[name] for name in sets if float(change[name].mean()) > 0]
        said.append(
            f"{method}, cycle 1, gains on {', '.join(gaining) or 'no set'}; furthest behind the mean of the others is "
            f"{SHORT_NAMES[worst]} ({difference(lag[worst])}; SICK-R {difference(lag[SICK])})"
        )
    return f"**The exception (C9), set by set.** {'. '.join(said)}."


@_nothing_without_rows
def what_was_tested(rows: pd.DataFrame) -> str:
    """Say how large the sample of test pairs is and how far the start's level moves with it."""
    sets = sets_of(rows)
    errors = [
        value
        for name in sets
        if (value := _mean(rows, dataset=name, part="resampling", metric="standard error", method=START)) is not None
    ]
    pairs = _mean(rows, dataset=sets[0], method="data", metric="pairs", split="test")
    if not errors or pairs is None:
        return ""
    low, high = (number(1.96 * value, 1) for value in (min(errors), max(errors)))
    return (
        f"Levels are those of {number(pairs, 0)} test pairs a set, the same for all seeds; another sample would move "
        f"the start's level by ± {low} to {high} points on a set. Intervals in the table are over seeds alone, and "
        "what no seed changes has none; gains are paired and move less."
    )


@_nothing_without_rows
def what_the_second_cycle_adds(rows: pd.DataFrame) -> str:
    """Say, for C4, whether the second cycle adds, takes away or leaves; empty without one."""
    means = []
    for cycle in (1, 2):
        found = [levels(rows, method, cycle=cycle) for method in FORMS]
        if found[0] is None or found[1] is None:
            return ""
        means.append((found[0] + found[1]) / 2)
    change = t_interval(paired_differences(means[1], means[0]))
    told = "adds to" if change.above(0) else "takes from" if change.below(0) else "is not told to change"
    return (
        f"**The second cycle (C4)** {told} the first, mean of both forms: {difference(change)} points. The rule asks "
        "whether the first cycle gives most, and not that later ones keep it."
    )


@_nothing_without_rows
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


@_nothing_without_rows
def binary_in_words(rows: pd.DataFrame) -> str:
    """Say what one cycle does to the area under the curve on MRPC, and what shared words alone reach."""
    how = {"dataset": MRPC, "part": "levels", "metric": "auc", "split": "test", "variant": BASE}
    start, overlap = (measured(rows, method=method, **how) for method in (START, SHARED_WORDS))
    steps = _mean(rows, dataset=MRPC, part="training", metric="steps", method=SELF_CROSS, cycle=1)
    if start is None or overlap is None or steps is None:
        return ""
    words = [
        f"{method} {told_from_start(t_interval(paired_differences(after, start)))}"
        for method in FORMS
        if (after := measured(rows, method=method, cycle=1, **how)) is not None
    ]
    return (
        f"After one cycle, with {number(steps, 0)} steps of the cross-encoder: {'; '.join(words)}. Words in common "
        f"alone stand at {number(float(overlap.mean()), 1)}, the start at {number(float(start.mean()), 1)}."
    )


@_nothing_without_rows
def ties_in_words(rows: pd.DataFrame) -> str:
    """Say how many single test pairs have a score that no other has, by the start and by the cross-encoder."""
    words = []
    for method, name in ((START, "start"), (SELF_CROSS, "cross-encoder")):
        ranks = select(rows, part="single pairs", metric="rank", dataset=home_of(rows), method=method)
        distinct = ranks.groupby("seed", observed=True)["value"].nunique().mean()
        words.append(f"{number(float(distinct), 0)} different scores by the {name}")
        n = len(ranks) / ranks["seed"].nunique()
    return f"These {number(n, 0)} pairs have {' and '.join(words)}, mean over seeds: what is equal shares a rank."


@_nothing_without_rows
def what_verdicts_rest_on(rows: pd.DataFrame, settings: Settings) -> str:
    """Say which start and which labels all verdicts are of, and what the paper's own labels gave."""
    scale = " at reduced scale" if settings.reduced_scale else ""
    start = ", from a start that was tuned with labels" if settings.start == MINILM else ""
    said = f"**All verdicts are of this chapter's recipe{scale}{start}.**"
    if not settings.label_stretch:
        return said
    said += " Cross-encoders learn stretched labels, which those of the paper do not."
    raw, begun = levels(rows, SELF_CROSS, variant=RAW_LABELS, cycle=1), levels(rows, START)
    if raw is None or begun is None:
        return said
    return (
        f"{said} On labels as the paper takes them, the first cross-encoder of this short schedule is "
        f"{told_from_start(t_interval(paired_differences(raw, begun)))}: "
        f"{', '.join(number(float(value), 1) for value in raw)}, seed by seed, where the start has "
        f"{number(float(begun.mean()), 1)}."
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
