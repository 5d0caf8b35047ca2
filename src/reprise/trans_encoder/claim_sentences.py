"""Sentences beside the verdicts: what each claim's comparison holds apart, and what it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reprise.numerals import difference, number
from reprise.rows import select
from reprise.stats import paired_differences, t_interval
from reprise.trans_encoder.changes import Change, change_from_start
from reprise.trans_encoder.claims import MOST_ALIKE
from reprise.trans_encoder.lookups import home_of, levels, seeds_in_words, sets_of
from reprise.trans_encoder.names import (
    BASE,
    BI_TO_BI,
    CHAINED,
    FORMS,
    FROM_SECOND,
    MEAN_OF_STARTS,
    MUTUAL_BI,
    MUTUAL_BOTH,
    MUTUAL_CROSS,
    MUTUAL_SECOND,
    OTHER_POOL,
    RAW_LABELS,
    SECOND_START,
    SELF_BI,
    SELF_CROSS,
    SHORT_NAMES,
    SICK,
    SMALL_POOL,
    START,
)  # fmt: skip
from reprise.trans_encoder.wording import apart, mean_of, nothing_without_rows

if TYPE_CHECKING:
    import pandas as pd

    from reprise.trans_encoder.settings import Settings

MINILM = "minilm"


@nothing_without_rows
def two_starts(rows: pd.DataFrame) -> str:
    """Say, for C3, how mutual distillation stands to what needs no exchange: the better start, and plain means."""
    ranks = mean_of(rows, part="two backbones", metric="rank correlation of both starts")
    errors = mean_of(rows, part="two backbones", metric="correlation of both starts' errors")
    if ranks is None or errors is None:
        return ""
    said = f"**Two starts (C3).** {_better_of_two(rows)}"
    said += (
        f"Both rank the test pairs alike at {number(ranks / 100, 2)}, and their errors against gold correlate at "
        f"{number(errors / 100, 2)}{_where_alike(rows)}"
    )
    students = [
        f"{number(value / 100, 2)} ({method})"
        for method in (MUTUAL_CROSS, MUTUAL_BI)
        if (value := mean_of(rows, method=method, metric="correlation of both students' errors", cycle=1)) is not None
    ]
    said += f"; those of their students at {', '.join(students)}." if students else "."
    first, second, mean = (levels(rows, method) for method in (START, SECOND_START, MEAN_OF_STARTS))
    if first is None or second is None or mean is None:
        return said
    said += (
        f" The plain mean of both starts' scores, without any training, minus the first start: {apart(mean, first)} "
        "points."
    )
    for what, other in (("the second start", second), ("the mean of both starts", mean)):
        ahead = [
            f"{method} {apart(after, other)}"
            for method in _of_mutual(what == "the second start")
            if (after := levels(rows, method, cycle=1)) is not None
        ]
        if ahead:
            said += f" Minus {what}: {'; '.join(ahead)}."
    return said


def _better_of_two(rows: pd.DataFrame) -> str:
    """Say by how much the start differs that mutual distillation has beside the one of self-distillation."""
    first, second = levels(rows, START), levels(rows, SECOND_START)
    if first is None or second is None:
        return ""
    alone = levels(rows, SELF_BI, variant=FROM_SECOND, cycle=1)
    missing = ", and self-distillation from it was not run" if alone is None else ""
    return (
        f"Self-distillation, with which C3 compares, has the first start alone. Minus this one, the second is "
        f"{apart(second, first)} points on {seeds_in_words(second)}{missing}. "
    )


def _where_alike(rows: pd.DataFrame) -> str:
    """Say between which sets the correlation of both starts' errors lies, and on how many it is above the limit."""
    found = select(rows, part="two backbones", metric="correlation of both starts' errors", dataset=sets_of(rows))
    by_set = found.groupby("dataset", observed=True)["value"].mean()
    if len(by_set) < 2:
        return ""
    low, high = by_set.idxmin(), by_set.idxmax()
    return (
        f", from {number(by_set[low] / 100, 2)} ({SHORT_NAMES[low]}) to {number(by_set[high] / 100, 2)} "
        f"({SHORT_NAMES[high]}): above {MOST_ALIKE / 100:g}, up to which their mean lets the rule judge, on "
        f"{int((by_set > MOST_ALIKE).sum())} of {len(by_set)} sets"
    )


def _of_mutual(single: bool) -> tuple[str, ...]:
    """Return the students to be set beside a single start, or beside the mean of two."""
    if single:
        return (MUTUAL_CROSS, MUTUAL_BI, *MUTUAL_SECOND.values())
    return tuple(MUTUAL_BOTH.values())


@nothing_without_rows
def what_the_control_does(rows: pd.DataFrame) -> str:
    """Say, for C7, how the bi-encoder and both controls, on stretched cosines and on plain ones, stand to the start."""
    own, control = change_from_start(rows, SELF_BI, cycle=1), change_from_start(rows, BI_TO_BI)
    if own is None or control is None:
        return ""
    said = (
        f"**The control (C7).** The bi-encoder of the first cycle is {own.told()}. Bi → bi, which learns the start's "
        f"cosines stretched, is {control.told()}."
    )
    if not own.over_seeds.above(0) and control.over_seeds.below(0):
        said += " No gain is told that the change of form could give: the verdict rests on the fall of the control."
    plain, levelled = change_from_start(rows, BI_TO_BI, variant=RAW_LABELS), levels(rows, BI_TO_BI, variant=RAW_LABELS)
    after = levels(rows, SELF_BI, cycle=1)
    if plain is None or levelled is None or after is None:
        return said
    return (
        f"{said} On cosines as they are, where its loss begins at zero, it is {plain.told()} on "
        f"{seeds_in_words(levelled)}, and the bi-encoder minus this control is {apart(after, levelled)} points."
    )


@nothing_without_rows
def what_chaining_changes(rows: pd.DataFrame) -> str:
    """Say, for C6, by how much the first cross-encoders of both initialisations differ; empty without chained ones."""
    fresh, chained = (levels(rows, SELF_CROSS, variant=variant, cycle=1) for variant in (BASE, CHAINED))
    if fresh is None or chained is None:
        return ""
    most = float(abs(paired_differences(fresh, chained)).max())
    return (
        "**Fresh weights (C6).** In the paper a fresh cross-encoder begins with the plain language model and a chained "
        "one with SimCSE's weights. Here both begin with the start, for want of a plain one: the first cross-encoders "
        f"of both differ by {number(most, 2)} points at most, and only what follows them tests the claim."
    )


@nothing_without_rows
def what_other_pools_change(rows: pd.DataFrame, settings: Settings) -> str:
    """Say, for C8, what else differs with the pool: steps, and the length and number of the other task's pairs."""
    home = home_of(rows)
    steps = mean_of(rows, dataset=home, part="training", metric="steps", method=SELF_CROSS, cycle=1)
    own = mean_of(rows, dataset=home, part="data", metric="pairs", split="pool", variant=None)
    other = mean_of(rows, dataset=home, part="data", metric="pairs", split="pool", variant=OTHER_POOL)
    if steps is None or own is None or other is None or levels(rows, SELF_CROSS, variant=SMALL_POOL, cycle=1) is None:
        return ""
    lengths = (
        f", with sentences of up to {settings.mrpc_max_words} words instead of {settings.max_words}"
        if settings.max_words and settings.mrpc_max_words
        else ""
    )
    return (
        f"**Pools (C8).** {_what_the_other_pool_gives(rows)}"
        f"The whole pool is {number(steps, 0)} steps of the cross-encoder, a quarter of it "
        f"{number(steps / 4, 0)}: less training cannot be told from fewer pairs. The other task's pool, MRPC's, has "
        f"{number(other, 0)} pairs (the own one {number(own, 0)}){lengths}: another length cannot be told from another "
        "task."
    )


def _mean_of_forms(rows: pd.DataFrame, variant: str, cycle: int = 1) -> pd.Series | None:
    cross, bi = (levels(rows, method, variant=variant, cycle=cycle) for method in FORMS)
    return None if cross is None or bi is None else (cross + bi) / len(FORMS)


def _what_the_other_pool_gives(rows: pd.DataFrame) -> str:
    """Say how both pools stand to the start on the same seeds: the table's interval is of their difference."""
    other, own, start = _mean_of_forms(rows, OTHER_POOL), _mean_of_forms(rows, BASE), levels(rows, START)
    if other is None or own is None or start is None:
        return ""
    same = own[own.index.isin(other.index)]
    gained = t_interval(paired_differences(same, start))
    lost = t_interval(paired_differences(other, start))
    decides = ", which decides" if lost.below(0) else ""
    helps = "" if gained.above(0) else ", no gain with which the other's could be compared"
    return (
        f"Mean of both forms minus the start, points: with the other task's pool {difference(lost)}{decides}; with the "
        f"own one, on the same seeds, {difference(gained)}{helps}. The table has the interval of their difference. "
    )


@nothing_without_rows
def which_sets_gain_least(rows: pd.DataFrame) -> str:
    """Say, for C9, on which sets each form gains and which set lags most behind the others; empty for one set."""
    sets, said, lagging = sets_of(rows), [], set()
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
        lagging.add(worst)
        gaining = [SHORT_NAMES[name] for name in sets if t_interval(change[name]).above(0)]
        said.append(
            f"{method}, cycle 1, gains over seeds on {', '.join(gaining) or 'no set'}; furthest behind the mean of the "
            f"others is {SHORT_NAMES[worst]} ({difference(lag[worst])}; SICK-R {difference(lag[SICK])})"
        )
    but = "" if SICK in lagging else " SICK-R is not the exception here: in neither form does it lag most."
    return f"**The exception (C9), set by set.** {'. '.join(said)}.{but}"


@nothing_without_rows
def where_the_largest_gain_is(rows: pd.DataFrame) -> str:
    """Say, for C10, from which start its gain is and what the rule leaves out; empty without mutual distillation."""
    start = select(rows, part="levels", method=START, variant=BASE, dataset=sets_of(rows))
    means = {method: change_from_start(rows, method, cycle=1) for method in MUTUAL_BOTH.values()}
    told = [f"{method} {difference(change.over_seeds)}" for method, change in means.items() if change is not None]
    if not told:
        return ""
    backbone = ", ".join(sorted(set(start["backbone"].dropna().astype(str))))
    return (
        f"**The largest gain (C10)** is over the recipe's start ({backbone}); its evidence names all starts of the "
        f"run. The rule judges single models and leaves out means of two, which cost twice as much: {'; '.join(told)}."
    )


@nothing_without_rows
def what_the_second_cycle_adds(rows: pd.DataFrame) -> str:
    """Say, for C4, whether the second cycle adds, takes away or leaves; empty without one."""
    means = [_mean_of_forms(rows, BASE, cycle) for cycle in (1, 2)]
    if means[0] is None or means[1] is None:
        return ""
    change = t_interval(paired_differences(means[1], means[0]))
    first = [change_from_start(rows, method, cycle=1) for method in FORMS]
    errors = [one.error for one in first if one is not None and one.error is not None]
    start = levels(rows, START)
    told = "adds to" if change.above(0) else "takes from" if change.below(0) else "is not told to change"
    said = (
        f"**The second cycle (C4)** {told} the first, mean of both forms: {difference(change)} points. The rule asks "
        "whether the first cycle gives most, and not that later ones keep it."
    )
    for method in FORMS:
        after, before = (levels(rows, method, cycle=cycle) for cycle in (2, 1))
        second = change_from_start(rows, method, cycle=2)
        if after is not None and before is not None and second is not None:
            said += f" {method} changes by {apart(after, before)} and is then {second.told()}."
    if start is None or len(errors) < len(FORMS):
        return said
    # The error of a mean is at most the mean of the errors.
    whole = Change(t_interval(paired_differences(means[0], start)), sum(errors) / len(errors))
    return f"{said} The gain of the first that it rests on is {whole.told()}."


@nothing_without_rows
def what_verdicts_rest_on(rows: pd.DataFrame, settings: Settings) -> str:
    """Say which start and which labels all verdicts are of, and what the paper's own labels gave."""
    scale = " at reduced scale" if settings.reduced_scale else ""
    start = ", from a start that was tuned with labels" if settings.start == MINILM else ""
    said = f"**All verdicts are of this chapter's recipe{scale}{start}.**"
    if not settings.label_stretch:
        return said
    said += " Cross-encoders learn stretched labels, which those of the paper do not."
    raw, begun = levels(rows, SELF_CROSS, variant=RAW_LABELS, cycle=1), levels(rows, START)
    change = change_from_start(rows, SELF_CROSS, variant=RAW_LABELS, cycle=1)
    if raw is None or begun is None or change is None:
        return said
    return (
        f"{said} On labels as the paper takes them, the first cross-encoder of this short schedule is "
        f"{change.told()}: "
        f"{', '.join(number(float(value), 1) for value in raw)}, seed by seed, where the start has "
        f"{number(float(begun.mean()), 1)}."
    )
