"""The claims of the paper and the rules that decide them, fixed before the first published run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reprise.claims import Claim, Control, Finding, Outcome
from reprise.deep_aa.comparisons import accuracies, gap, leading_defaults, random_mass
from reprise.deep_aa.names import (
    BASE,
    CIFAR,
    DEEP_TRIVIAL,
    DEFAULT,
    NO_PENALTY,
    NOISE,
    NONE,
    PRINTED,
    PUBLISHED,
    SEARCHED,
    SIMILARITY,
    TRIVIAL,
)
from reprise.numerals import difference, number
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval, paired_differences, seeds_to_settle, t_interval

if TYPE_CHECKING:
    import pandas as pd


def _in_words(first: str, second: str, plain: Interval, corrected: Interval) -> str:
    """Write a gap with its interval, and with the one that allows for overlapping training sets."""
    words = f"{first} − {second}: {difference(plain)} points"
    if plain.n == 1:
        return words
    return f"{words}, corrected for overlapping folds [{number(corrected.low, 1)}, {number(corrected.high, 1)}]"


def searched_beats_earlier_methods(rows: pd.DataFrame) -> Finding:
    """Decide C1.

    Two gaps in top-1 accuracy, paired by fold, with 95 % t intervals: searched − default and searched − TrivialAugment.
    Both above 0: reproduced; one below 0: not reproduced; else inconclusive.
    """
    found = {other: gap(rows, SEARCHED, other) for other in (DEFAULT, TRIVIAL)}
    outcome: Outcome = "inconclusive"
    if any(plain.below(0) for plain, _ in found.values()):
        outcome = "not reproduced"
    elif all(plain.above(0) for plain, _ in found.values()):
        outcome = "reproduced"
    evidence = "; ".join(_in_words(SEARCHED, other, *one) for other, one in found.items()) + "."
    decisive = min(found, key=lambda other: found[other][0].estimate)
    settle = None
    if outcome == "inconclusive":
        settle = seeds_to_settle(paired_differences(accuracies(rows, SEARCHED), accuracies(rows, decisive)))
    quantity = f"{SEARCHED} − {decisive} (the smaller gap), points of accuracy"
    return Finding(outcome, evidence, found[decisive][0], settle, quantity)


def searched_beats_random_stacking(rows: pd.DataFrame) -> Finding:
    """Decide C3.

    Searched − DeepTA in top-1 accuracy at equal depth, paired by fold, with the 95 % t interval. Above 0: partly
    reproduced, since the other half of the claim, that DeepTA falls with depth, is not tested on photographs; below 0:
    not reproduced; else inconclusive.
    """
    plain, corrected = gap(rows, SEARCHED, DEEP_TRIVIAL)
    outcome: Outcome = "partly reproduced" if plain.above(0) else "not reproduced" if plain.below(0) else "inconclusive"
    evidence = f"{_in_words(SEARCHED, DEEP_TRIVIAL, plain, corrected)}."
    try:
        published = gap(rows, PUBLISHED, DEEP_TRIVIAL)
        evidence += f" {_in_words(PUBLISHED, DEEP_TRIVIAL, *published)}."
    except MissingRowsError:
        pass
    settle = None
    if outcome == "inconclusive":
        settle = seeds_to_settle(paired_differences(accuracies(rows, SEARCHED), accuracies(rows, DEEP_TRIVIAL)))
    return Finding(outcome, evidence, plain, settle, f"{SEARCHED} − {DEEP_TRIVIAL}, points of accuracy")


def the_defaults_are_rediscovered(rows: pd.DataFrame) -> Finding:
    """Decide C5.

    For each fold, how many of RandCutout, RandCrop and RandFlip are the heaviest operation of one of layers 2 to 4,
    from 0 to 3. All three in more than half of the folds: reproduced; else at least one of them on average: partly;
    less than that: not reproduced.
    """
    found = leading_defaults(rows)
    whole = int((found == 3).sum())
    outcome: Outcome = "not reproduced"
    if whole > len(found) / 2:
        outcome = "reproduced"
    elif found.mean() >= 1:
        outcome = "partly reproduced"
    interval = t_interval(found)
    evidence = (
        f"All three lead a layer of their own in {whole} of {len(found)} searches; on average "
        f"{number(interval.estimate, 1)} of the three do."
    )
    return Finding(outcome, evidence, interval, quantity="defaults that lead one of layers 2 to 4, of three")


def the_objective_works(rows: pd.DataFrame) -> Finding:
    """Decide C6.

    Two parts. First, cos(v, g) under the layer 1 found minus that of identity on the same fresh units, with the 95 % t
    interval over searches, lies above 0. Second, where a search without penalty (c = 0) was run, it puts more mass on
    cutout, crop and flip in the layers from the second on than the search with it does, on average over the same seeds.
    Both: reproduced; one of them, or only the first one run: partly; the first interval below 0: not reproduced; else
    inconclusive.
    """
    gains = _gains(rows, BASE)
    interval = t_interval(gains)
    errors = per_seed(rows, part=SIMILARITY, metric="standard error over units", variant=BASE, method=SEARCHED)
    n_sure = int((gains - 1.96 * errors > 0).sum())
    evidence = f"Gain in cosine {difference(interval, 3)}; above 0 over units in {n_sure} of {len(gains)} searches."
    try:
        more = t_interval(paired_differences(random_mass(rows, variant=NO_PENALTY), random_mass(rows)))
        evidence += f" Mass of cutout, crop and flip per deeper layer, c = 0 minus c = 1: {difference(more, 2)}."
        penalty_holds = more.estimate > 0
    except MissingRowsError:
        evidence += " No search without the penalty in this run."
        penalty_holds = False
    outcome: Outcome = "inconclusive"
    if interval.below(0):
        outcome = "not reproduced"
    elif interval.above(0) and penalty_holds:
        outcome = "reproduced"
    elif interval.above(0) or penalty_holds:
        outcome = "partly reproduced"
    return Finding(outcome, evidence, interval, quantity="gain of layer 1 over identity in cos(v, g)")


def better_than_ten_in_four_columns(rows: pd.DataFrame) -> Finding:
    """Decide C9.

    Arithmetic on Table 1: the printed accuracy of DeepAA minus that of each of the ten other rows, in each of the four
    columns. All leads above 0: reproduced; more than half of them: partly reproduced; else not reproduced.
    """
    leads = select(rows, dataset="theory", part=PRINTED, metric="lead of DeepAA")
    ranks = []
    for column, own in leads.groupby("variant", observed=True):
        better = own.loc[own["value"] < 0, "method"].tolist()
        behind = f" (behind {' and '.join(better)})" if better else ""
        ranks.append(f"{column}: {1 + len(better)} of {1 + len(own)}{behind}")
    n_ahead = int((leads["value"] > 0).sum())
    outcome: Outcome = "not reproduced"
    if n_ahead == len(leads):
        outcome = "reproduced"
    elif n_ahead > len(leads) / 2:
        outcome = "partly reproduced"
    return Finding(outcome, f"Ahead in {n_ahead} of {len(leads)} comparisons. Rank by column: {'; '.join(ranks)}.")


def _gains(rows: pd.DataFrame, variant: str) -> pd.Series:
    return per_seed(rows, part=SIMILARITY, metric="gain in cosine", variant=variant, method=SEARCHED)


def _augmentation_helps(rows: pd.DataFrame) -> tuple[bool, str]:
    plain, _ = gap(rows, DEFAULT, NONE)
    return plain.estimate > 0, f"{DEFAULT} − {NONE}: {difference(plain)} points."


def _noise_gains_nothing(rows: pd.DataFrame) -> tuple[bool, str]:
    gain, error = (
        float(per_seed(rows, part=SIMILARITY, metric=metric, variant=NOISE, method=SEARCHED).mean())
        for metric in ("gain in cosine", "standard error over units")
    )
    words = f"Gain in cosine with noise in the place of v: {number(gain, 4)}, standard error over units "
    return gain <= 2 * error, f"{words}{number(error, 4)}."


HELPS_CONTROL = Control("augmentation helps at all: default − none above 0", _augmentation_helps)
NOISE_CONTROL = Control("noise in the place of v: no gain", _noise_gains_nothing)
CLAIMS = (
    Claim(
        "C1",
        "With nothing picked by hand, DeepAA equals or beats every earlier method in the same space.",
        "Table 1",
        "ordering",
        "97.56 % (default 96.1 %, TrivialAugment in the same space 97.46 %), CIFAR-10, WRN-28-10",
        searched_beats_earlier_methods,
        (CIFAR,),
        controls=(HELPS_CONTROL,),
    ),
    Claim(
        "C2",
        "Accuracy rises with the number of layers and saturates at five; the sixth layer is nearly all identity.",
        "table of layers",
        "shape of a curve",
        "96.3, 96.6, 96.9, 97.4, 97.56, 97.6 % for K = 1 to 6, CIFAR-10",
        untestable_because=(
            "Differences of a fifth of a point between depths need the paper's networks and passes. Shown without a "
            "verdict: cosines and identity's probability by layer, and accuracy by depth on coloured digits."
        ),
    ),
    Claim(
        "C3",
        "At equal depth the searched policy beats uniform stacking, whose accuracy falls with depth.",
        "figure of DeepTA",
        "ordering",
        "",
        searched_beats_random_stacking,
        (CIFAR,),
        controls=(HELPS_CONTROL,),
    ),
    Claim(
        "C4",
        "One searched layer in front of the default augmentation rivals Fast AutoAugment and DADA.",
        "figure of DeepAA-simple",
        "ordering",
        "",
        untestable_because="Neither Fast AutoAugment nor DADA has an implementation to compare with, here or kept up.",
    ),
    Claim(
        "C5",
        "The search finds the hand-picked defaults again: cutout, crop and flip dominate layers 2 to 4 or 5.",
        "figure of the policy",
        "shape of a curve",
        "cutout .92 in layer 2, crop .90 in layer 3, flip .73 in layer 4",
        the_defaults_are_rediscovered,
        (CIFAR,),
    ),
    Claim(
        "C6",
        "The objective works: gradients become more similar, and the penalty keeps high variance out of deeper layers.",
        "Section 3 and ablation of the penalty",
        "effect size",
        "",
        the_objective_works,
        (CIFAR,),
        controls=(NOISE_CONTROL,),
    ),
    Claim(
        "C7",
        "Eight augmented copies a batch lift DeepAA further.",
        "table of Batch Augmentation",
        "effect size",
        "98.21 % on CIFAR-10, 85.61 % on CIFAR-100",
        untestable_because="Batch Augmentation multiplies the cost of training by eight; it is not built.",
    ),
    Claim(
        "C8",
        "A search costs hours, not thousands of hours.",
        "table of search costs",
        "cost",
        "9 GPU hours on CIFAR, 96 on ImageNet; AutoAugment 5000 and 15000",
        untestable_because=(
            "The claim counts GPU hours at the paper's scale, and none was at hand. The page counts the "
            "operations of a search here, and of one of the paper's size."
        ),
    ),
    Claim(
        "C9",
        "It improved on ten other data augmentation techniques across four sets of real data.",
        "Amazon Science blog",
        "ordering",
        "ten other rows and four columns of Table 1: two data sets with two networks each",
        better_than_ten_in_four_columns,
        always_full_scale=True,
    ),
)
