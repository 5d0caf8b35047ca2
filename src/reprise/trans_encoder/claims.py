"""The claims of the paper and the rules that decide them, fixed before the first published run.

C3's was amended after it, before any run had mutual distillation (``claims.lock``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reprise.claims import Claim, Control, Finding, Outcome
from reprise.numerals import difference, number
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval, paired_differences, seeds_to_settle, t_interval
from reprise.trans_encoder.comparisons import (
    chosen_cycles,
    cycles_of,
    gain,
    is_there,
    level,
    of_chosen_cycles,
    resampling_error,
    start_level,
)
from reprise.trans_encoder.names import (
    ALL_LAYERS,
    BI_TO_BI,
    CHAINED,
    FORMS,
    MUTUAL_BI,
    MUTUAL_CROSS,
    OTHER_LOSSES,
    OTHER_POOL,
    SELF_BI,
    SELF_CROSS,
    SEVEN_SETS,
    SHUFFLED,
    SICK,
    SMALL_POOL,
    START,
)

if TYPE_CHECKING:
    import pandas as pd

MOST_ALIKE = 90.0  # correlation × 100 of two starts' errors above which averaging them can hardly help
MARGIN = 0.5  # points within which a fresh start counts as no worse
LEAST_FALL = 20.0  # points that labels of other pairs must cost
PAPERS_LARGEST = 5.0


def _one_sided(interval: Interval) -> Outcome:
    if interval.above(0):
        return "reproduced"
    return "not reproduced" if interval.below(0) else "inconclusive"


def _settle(outcome: Outcome, after: pd.Series, before: pd.Series) -> int | None:
    return seeds_to_settle(paired_differences(after, before)) if outcome == "inconclusive" else None


def _gain_over_the_start(rows: pd.DataFrame, method: str) -> Finding:
    after, before = of_chosen_cycles(rows, method), start_level(rows)
    found = gain(after, before)
    outcome = _one_sided(found)
    cycle = int(chosen_cycles(rows, method).mode().iloc[0])
    error = resampling_error(rows, method, cycle)
    evidence = (
        f"{method} minus start, average of the seven sets: {difference(found)} points over seeds; resampling the test "
        f"pairs gives a standard error of {number(error, 1)}. Start {number(float(before.mean()), 1)}."
    )
    quantity = f"{method} − start, average Spearman, points"
    return Finding(outcome, evidence, found, _settle(outcome, after, before), quantity)


def self_distillation_lifts_the_bi_encoder(rows: pd.DataFrame) -> Finding:
    """Judge the bi-encoder.

    Average Spearman over the seven sets of the self-distilled bi-encoder, at the cycle that its development pairs
    chose, minus that of the start, with the 95 % t interval over seeds. Above 0: reproduced; below 0: not
    reproduced; else inconclusive.
    """
    return _gain_over_the_start(rows, SELF_BI)


def the_cross_encoder_beats_the_start(rows: pd.DataFrame) -> Finding:
    """Judge the cross-encoder.

    Average Spearman over the seven sets of the self-distilled cross-encoder, at the cycle that its development
    pairs chose, minus that of the start, with the 95 % t interval over seeds. Above 0: reproduced; below 0: not
    reproduced; else inconclusive.
    """
    return _gain_over_the_start(rows, SELF_CROSS)


def mutual_beats_self(rows: pd.DataFrame) -> Finding:
    """Judge mutual against self-distillation.

    Where the errors of both starts (in rank, mean over the sets) correlate above 0.9, averaging has little to
    average and nothing is judged. Else mutual minus self, average of the seven sets at the cycles that development
    pairs chose, among those that mutual distillation was run for, for the cross- and the bi-encoder of the first
    backbone. Both intervals above 0: reproduced; one: partly; both below 0: not reproduced; else inconclusive.
    """
    how = {"part": "two backbones", "metric": "correlation of both starts' errors"}
    alike = sum(float(per_seed(rows, dataset=name, **how).mean()) for name in SEVEN_SETS) / len(SEVEN_SETS)
    same = rows[~(rows["cycle"] > max(cycles_of(rows, MUTUAL_BI)))]  # rows of no cycle stay
    found = {
        own: gain(of_chosen_cycles(same, own), of_chosen_cycles(same, other))
        for own, other in ((MUTUAL_CROSS, SELF_CROSS), (MUTUAL_BI, SELF_BI))
    }
    words = "; ".join(f"{name}: {difference(one)}" for name, one in found.items())
    evidence = f"Minus self, points: {words}. The starts' errors correlate at {number(alike / 100, 2)}."
    n_above = sum(one.above(0) for one in found.values())
    outcome: Outcome = "inconclusive"
    if alike > MOST_ALIKE:
        outcome = "not testable here"
    elif n_above:
        outcome = "reproduced" if n_above == len(found) else "partly reproduced"
    elif all(one.below(0) for one in found.values()):
        outcome = "not reproduced"
    return Finding(outcome, evidence, found[MUTUAL_BI], quantity="mutual − self, bi-encoder, average Spearman, points")


def the_first_cycle_gives_most(rows: pd.DataFrame) -> Finding:
    """Judge the shape over cycles.

    Mean of the cross- and the bi-encoder's average Spearman after each cycle. The gain of the first cycle over the
    start is above 0, and it exceeds what the second cycle adds by an interval above 0: reproduced; one of the two:
    partly; the first gain below 0: not reproduced; else inconclusive.
    """
    after = {cycle: sum(level(rows, method, cycle=cycle) for method in FORMS) / len(FORMS) for cycle in (1, 2)}
    start = start_level(rows)
    first = gain(after[1], start)
    second = gain(after[2], after[1])
    less = t_interval(paired_differences(after[1], start) - paired_differences(after[2], after[1]))
    outcome: Outcome = "inconclusive"
    if first.below(0):
        outcome = "not reproduced"
    elif first.above(0) or less.above(0):
        outcome = "reproduced" if first.above(0) and less.above(0) else "partly reproduced"
    evidence = (
        f"First cycle {difference(first)}, second {difference(second)} points; first minus second {difference(less)}."
    )
    return Finding(outcome, evidence, less, quantity="first cycle's gain − second cycle's, average Spearman, points")


def cross_entropy_then_squared_error_is_best(rows: pd.DataFrame) -> Finding:
    """Judge the losses.

    Average Spearman of the bi-encoder after one cycle with cross-entropy for bi → cross and squared error for cross
    → bi, minus that of the three other combinations. All three intervals above 0: reproduced; one below 0: not
    reproduced; one above 0: partly; else inconclusive.
    """
    own = level(rows, SELF_BI, cycle=1)
    found = {name: gain(own, level(rows, SELF_BI, variant=name, cycle=1)) for name in OTHER_LOSSES}
    outcome: Outcome = "inconclusive"
    if any(one.below(0) for one in found.values()):
        outcome = "not reproduced"
    elif any(one.above(0) for one in found.values()):
        outcome = "reproduced" if all(one.above(0) for one in found.values()) else "partly reproduced"
    words = "; ".join(f"minus {name.removeprefix('losses ')}: {difference(one, 2)}" for name, one in found.items())
    nearest = min(found, key=lambda name: found[name].estimate)
    quantity = f"losses bce, mse − {nearest.removeprefix('losses ')} (its nearest rival), average Spearman, points"
    return Finding(outcome, f"Bi-encoder after one cycle, points: {words}.", found[nearest], quantity=quantity)


def fresh_weights_are_no_worse(rows: pd.DataFrame) -> Finding:
    """Judge the initialisation.

    Average Spearman with fresh weights in every half-step minus that with chained ones after the last cycle, for
    the cross- and the bi-encoder. Both intervals above −0.5 points: reproduced; one of them below −0.5: not
    reproduced; one above: partly; else inconclusive.
    """
    found = {}
    for method in FORMS:
        last = max(cycles_of(rows, method, CHAINED))
        found[method] = gain(level(rows, method, cycle=last), level(rows, method, variant=CHAINED, cycle=last))
    outcome: Outcome = "inconclusive"
    if any(one.below(-MARGIN) for one in found.values()):
        outcome = "not reproduced"
    elif any(one.above(-MARGIN) for one in found.values()):
        outcome = "reproduced" if all(one.above(-MARGIN) for one in found.values()) else "partly reproduced"
    words = "; ".join(f"{name}: {difference(one)}" for name, one in found.items())
    quantity = "fresh − chained, bi-encoder, average Spearman, points"
    return Finding(outcome, f"Fresh minus chained, points: {words}.", found[SELF_BI], quantity=quantity)


def alternation_is_what_helps(rows: pd.DataFrame) -> Finding:
    """Judge the control without a cross-encoder.

    Average Spearman of the bi-encoder after the first cycle minus that of a bi-encoder trained on the start's own
    cosines with equal steps and equally stretched labels. Interval above 0, and the bi-encoder not below its start:
    reproduced; above 0 but below the start: partly; below 0: not reproduced; else inconclusive.
    """
    own, control = level(rows, SELF_BI, cycle=1), level(rows, BI_TO_BI)
    found, over_start = gain(own, control), gain(own, start_level(rows))
    outcome = _one_sided(found)
    if outcome == "reproduced" and over_start.below(0):
        outcome = "partly reproduced"
    itself = gain(control, start_level(rows))
    evidence = (
        f"{SELF_BI} minus bi → bi: {difference(found, 2)} points; bi → bi minus start: {difference(itself, 2)}; "
        f"{SELF_BI} minus start: {difference(over_start, 2)}."
    )
    quantity = "bi → cross → bi − bi → bi, average Spearman, points"
    return Finding(outcome, evidence, found, _settle(outcome, own, control), quantity)


def pools_of_the_task_help_more(rows: pd.DataFrame) -> Finding:
    """Judge pools.

    Mean of the cross- and the bi-encoder's average Spearman after one cycle. Three intervals: the whole pool minus
    a quarter of it; as many pairs of another task minus the start; the task's own pool minus the other task's. All
    above 0: reproduced; the second or third below 0: not reproduced; two above 0: partly; else inconclusive.
    """

    def both(variant: str | None = None) -> pd.Series:
        chosen = {} if variant is None else {"variant": variant}
        return sum(level(rows, method, cycle=1, **chosen) for method in FORMS) / len(FORMS)

    found = {
        "whole − quarter": gain(both(), both(SMALL_POOL)),
        "other task − start": gain(both(OTHER_POOL), start_level(rows)),
        "own − other task": gain(both(), both(OTHER_POOL)),
    }
    n_above = sum(one.above(0) for one in found.values())
    outcome: Outcome = "inconclusive"
    if found["other task − start"].below(0) or found["own − other task"].below(0):
        outcome = "not reproduced"
    elif n_above >= len(found) - 1:
        outcome = "reproduced" if n_above == len(found) else "partly reproduced"
    words = "; ".join(f"{name}: {difference(one)}" for name, one in found.items())
    quantity = "own pool − other task's, average Spearman, points"
    return Finding(outcome, f"Points: {words}.", found["own − other task"], quantity=quantity)


def sick_gains_less(rows: pd.DataFrame) -> Finding:
    """Judge the exception.

    Gain over the start on SICK-R minus the mean gain on the six other sets, at the cycles that development pairs
    chose, for the cross- and the bi-encoder. Both intervals below 0: reproduced; one: partly; one above 0: not
    reproduced; else inconclusive.
    """
    others = [name for name in SEVEN_SETS if name != SICK]
    found = {}
    for method in FORMS:
        sick = of_chosen_cycles(rows, method, sets=[SICK]) - start_level(rows, sets=[SICK])
        rest = of_chosen_cycles(rows, method, sets=others) - start_level(rows, sets=others)
        found[method] = gain(sick, rest)
    outcome: Outcome = "inconclusive"
    if any(one.above(0) for one in found.values()):
        outcome = "not reproduced"
    elif any(one.below(0) for one in found.values()):
        outcome = "reproduced" if all(one.below(0) for one in found.values()) else "partly reproduced"
    words = "; ".join(f"{name}: {difference(one)}" for name, one in found.items())
    quantity = "gain on SICK-R − mean gain on the other sets, bi-encoder, points"
    return Finding(outcome, f"Points: {words}.", found[SELF_BI], quantity=quantity)


def up_to_five_points(rows: pd.DataFrame) -> Finding:
    """Judge the size named in the blog post.

    It speaks of unsupervised starts: from a start that was tuned with labels (MiniLM) nothing is judged. Else the
    largest gain of any final form over its start, average of the seven sets. Interval above 0 and reaching 5
    points: reproduced; above 0 only: partly; below 0: not reproduced; else inconclusive.
    """
    finals = [method for method in (*FORMS, MUTUAL_CROSS, MUTUAL_BI) if is_there(rows, method)]
    if not finals:
        raise MissingRowsError("no final form in this run")
    found = {method: gain(of_chosen_cycles(rows, method), start_level(rows)) for method in finals}
    best = max(found, key=lambda method: found[method].estimate)
    one = found[best]
    backbones = sorted(set(select(rows, part="levels", method=START)["backbone"].dropna().astype(str)))
    evidence = f"Largest gain: {best} with {difference(one)} points, from {', '.join(backbones)}."
    outcome: Outcome = _one_sided(one)
    if any(name.startswith("MiniLM") for name in backbones):
        outcome = "not testable here"
        evidence += " This start was tuned with labels, and the claim is about starts that were not."
    elif outcome == "reproduced" and one.high < PAPERS_LARGEST:
        outcome = "partly reproduced"
    return Finding(outcome, evidence, one, quantity="largest gain over the start, average Spearman, points")


def _shuffled_labels_rank_nothing(rows: pd.DataFrame) -> tuple[bool, str]:
    found = gain(level(rows, SELF_CROSS, variant=SHUFFLED, cycle=1), start_level(rows))
    return (
        found.estimate < -LEAST_FALL,
        f"With labels of other pairs the cross-encoder changes by {difference(found)} points.",
    )


def _a_strong_start_gains_nothing(rows: pd.DataFrame) -> tuple[bool, str]:
    start = level(rows, START, variant=ALL_LAYERS)
    found = {method: gain(level(rows, method, variant=ALL_LAYERS, cycle=1), start) for method in FORMS}
    words = "; ".join(f"{method}: {difference(one)}" for method, one in found.items())
    return not any(one.above(0) for one in found.values()), f"From the whole model, points: {words}."


SHUFFLED_CONTROL = Control("labels shuffled over pairs", _shuffled_labels_rank_nothing)
STRONG_CONTROL = Control("the whole model as start: no gain", _a_strong_start_gains_nothing)
CLAIMS = (
    Claim(
        "C1",
        "Self-distillation lifts the bi-encoder above its unsupervised start, on average over seven STS sets.",
        "main table of STS",
        "ordering",
        "76.21 → 78.65 (BERT-base)",
        self_distillation_lifts_the_bi_encoder,
        SEVEN_SETS,
        controls=(STRONG_CONTROL,),
    ),
    Claim(
        "C2",
        "The cross-encoder, which saw no label but the bi-encoder's scores, is better than that bi-encoder.",
        "main table of STS",
        "ordering",
        "76.21 → 78.32 (BERT-base), 76.10 → 78.86 (RoBERTa-base)",
        the_cross_encoder_beats_the_start,
        SEVEN_SETS,
        controls=(SHUFFLED_CONTROL,),
    ),
    Claim(
        "C3",
        "Two backbones that teach each other by the mean of their scores end above one that teaches itself.",
        "main table of STS",
        "ordering",
        "78.65 → 80.41 (bi), 78.32 → 79.90 (cross), BERT-base",
        mutual_beats_self,
        SEVEN_SETS,
    ),
    Claim(
        "C4",
        "Scores rise over the cycles and flatten: the first cycle gives most.",
        "figure of the cycles",
        "shape of a curve",
        "",
        the_first_cycle_gives_most,
        SEVEN_SETS,
    ),
    Claim(
        "C5",
        "Cross-entropy from bi to cross and squared error from cross to bi is the best pair of losses.",
        "ablation of losses",
        "ordering",
        "",
        cross_entropy_then_squared_error_is_best,
        SEVEN_SETS,
    ),
    Claim(
        "C6",
        "Beginning every student from the original weights is at least as good as going on from the last model.",
        "ablation of initialisation",
        "ordering",
        "",
        fresh_weights_are_no_worse,
        SEVEN_SETS,
    ),
    Claim(
        "C7",
        "Training a bi-encoder on its own scores does not give the gain: the change of form does.",
        "discussion of self-training",
        "ordering",
        "",
        alternation_is_what_helps,
        SEVEN_SETS,
    ),
    Claim(
        "C8",
        "Pairs of another task help as well, but less than the task's own, and more pairs help more.",
        "study of domains and pool sizes",
        "ordering",
        "",
        pools_of_the_task_help_more,
        SEVEN_SETS,
    ),
    Claim(
        "C9",
        "SICK-R is the exception: BERT does not improve there, while it does on the six other sets.",
        "main table of STS",
        "ordering",
        "72.22 → 71.84 (bi), 71.16 (cross), BERT-base",
        sick_gains_less,
        SEVEN_SETS,
    ),
    Claim(
        "C10",
        "Better than unsupervised sentence encoders by up to five points.",
        "Amazon Science blog",
        "effect size",
        "up to 5 %; 76.10 → 81.15 (RoBERTa-base, mutual, cross)",
        up_to_five_points,
        SEVEN_SETS,
    ),
)
