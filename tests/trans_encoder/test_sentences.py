"""Sentences on made-up rows: each holds the numbers that were put there, and says the way that they point."""

import pytest

from reprise.rows import tidy
from reprise.trans_encoder import claim_sentences, sentences, summaries
from reprise.trans_encoder.lookups import papers_gain, seeds_in_words
from reprise.trans_encoder.names import (
    ALL_LAYERS,
    BASE,
    BI_TO_BI,
    CHAINED,
    HOME,
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
    SEVEN_SETS,
    SHARED_WORDS,
    SICK,
    SIMCSE,
    SMALL_POOL,
    START,
)  # fmt: skip
from reprise.trans_encoder.settings import Settings
from reprise.verification import published_numbers

COLUMNS = ("part", "backbone", "variant", "cycle", "group", "at")
PUBLISHED = published_numbers("trans_encoder")


def row(method, metric, value, seed=0, dataset=HOME, **columns):
    common = dict.fromkeys(COLUMNS) | {"split": "test", "variant": BASE, "method": method, "metric": metric}
    return {**common, "dataset": dataset, "seed": seed, "value": float(value), **columns}


def levels(method, value, cycle=0, variant=BASE, seeds=(0, 1), error=0.1, **by_set):
    """Rows of a method on the seven sets; seeds lie 0.1 points below and above, but for what has no randomness."""
    rows = []
    for place, seed in enumerate(seeds):
        wide = 0.0 if method in (START, SHARED_WORDS) else 0.1 * (2 * place - 1)
        for name in SEVEN_SETS:
            how = {"variant": variant, "cycle": cycle}
            rows.append(row(method, "spearman", by_set.get(name, value) + wide, seed, name, part="levels", **how))
            if method != START:
                metric = "standard error of the gain"
                rows.append(row(method, metric, error, seed, name, part="resampling", **how))
    return rows


BEGUN = levels(START, 60) + levels(SHARED_WORDS, 50, **{SICK: 58}) + levels(SELF_CROSS, 63, 1) + levels(SELF_BI, 58, 1)


def test_the_nearest_set_of_shared_words_is_named():
    said = sentences.words_alone(tidy(BEGUN))
    assert "reaches 51.1 (average of seven sets), the start 60.0" in said
    assert "nearest on SICK-R, +2.0 points apart" in said


def test_what_came_of_the_loop_stands_beside_simcse():
    said = sentences.what_came_of_it(tidy(BEGUN + levels(SIMCSE, 64)))
    assert "the cross-encoder above the start (+3.0" in said
    assert "the bi-encoder below the start (−2.0" in said
    assert "ends above the start (+4.0" in said
    assert "+1.0 [1.0, 1.0] over the cross-encoder, +6.0 [6.0, 6.0] over the bi-encoder" in said


def test_uncertainties_of_seeds_and_of_pairs_are_told_apart():
    said = sentences.seeds_and_pairs(tidy(levels(START, 60) + levels(SELF_CROSS, 63, 1, error=7**0.5)))
    assert "Self, cross +3.0 [1.7, 4.3], ± 2.0 by resampled test pairs" in said


def test_test_pairs_are_counted_and_their_error_is_the_starts():
    rows = BEGUN + [row("data", "pairs", 250, dataset=name, part="data", variant=None) for name in SEVEN_SETS]
    rows.append(row("data", "pairs", 3, dataset="sts-2012", part="groups", variant=None, group="one sentence negated"))
    rows += [
        row(START, "standard error", 1 + place, dataset=name, part="resampling")
        for place, name in enumerate(SEVEN_SETS)
    ]
    said = sentences.what_was_tested(tidy(rows))
    assert "250 test pairs a set" in said
    assert "± 2.0 to 13.7 points" in said


def test_tested_pairs_in_the_table_of_data_are_not_those_of_groups():
    how = {"dataset": SICK, "variant": None}
    rows = [
        row("data", "test pairs with gold", 4906, split="all", part="audit", **how),
        row("data", "pairs", 250, part="data", **how),
        row("data", "pairs", 63, part="groups", group="one sentence negated", **how),
        row("data", "cut sentences (%)", 1.5, part="data", **how),
    ]
    (line,) = summaries.data_table(tidy(rows), [SICK]).to_dict("records")
    assert list(line.values()) == ["SICK-R", "4906", "250", "1.5"]


def test_pairs_in_the_pool_and_held_out_are_not_swapped():
    rows = []
    for split, cross in (("test, in the pool", 70), ("test, held out", 64)):
        for method, cycle, value in ((START, 0, 60), (SELF_CROSS, 1, cross), (SELF_BI, 1, 61)):
            own = [one for one in levels(method, value, cycle) if one["part"] == "levels"]
            rows += [{**one, "split": split} for one in own]
    rows += levels(START, 60)
    said = sentences.seen_and_unseen(tidy(rows))
    assert "Self, cross's gain differs (+6.0 [6.0, 6.0])" in said
    assert "Self, bi's gain is not told apart (0.0 [0.0, 0.0])" in said


def test_two_starts_and_both_students_are_set_beside_what_needs_no_exchange():
    mutual = levels(SECOND_START, 65, seeds=(3, 4)) + levels(MEAN_OF_STARTS, 66, seeds=(3, 4))
    for method, value in ((MUTUAL_CROSS, 67), (MUTUAL_BI, 64)):
        mutual += levels(method, value, 1, seeds=(3, 4)) + levels(MUTUAL_SECOND[method], value + 2, 1, seeds=(3, 4))
        mutual += levels(MUTUAL_BOTH[method], value + 3, 1, seeds=(3, 4))
        how = {"part": "two backbones", "cycle": 1}
        mutual.append(row(method, "correlation of both students' errors", 80 + (method == MUTUAL_BI), 3, **how))
    for metric, value in (("rank correlation of both starts", 90), ("correlation of both starts' errors", 70)):
        mutual.append(row(START, metric, value, 3, part="two backbones"))
    mutual.append(row(START, "correlation of both starts' errors", 96, 4, "sts-2013", part="two backbones"))
    said = claim_sentences.two_starts(tidy(BEGUN + levels(START, 60, seeds=(3, 4)) + mutual))
    assert "alike at 0.90" in said
    assert "correlate at 0.83, from 0.70 (STS-B) to 0.96 (STS13): above 0.9" in said
    assert "on 1 of 2 sets; those of their students at 0.80 (Mutual, cross), 0.81 (Mutual, bi)" in said
    assert "Minus this one, the second is +5.0 [3.7, 6.3] points on seeds 3 to 4, and self-distillation" in said
    assert "without any training, minus the first start: +6.0" in said
    first, _, second = said.partition("Minus the second start: ")[2].partition("Minus the mean of both starts: ")
    assert "Mutual, cross +2.0 [2.0, 2.0]; Mutual, bi −1.0" in first
    assert "Mutual, cross, second +4.0 [4.0, 4.0]; Mutual, bi, second +1.0" in first
    assert "Mutual, cross, mean of both +4.0 [4.0, 4.0]; Mutual, bi, mean of both +1.0" in second


def test_the_control_is_told_from_the_start_in_both_forms():
    plain = levels(BI_TO_BI, 60, variant=RAW_LABELS)
    said = claim_sentences.what_the_control_does(tidy(BEGUN + levels(BI_TO_BI, 57) + plain))
    assert "first cycle is below the start (−2.0" in said
    assert "verdict rests on the fall of the control" in said
    gained = levels(START, 60) + levels(SELF_BI, 62, 1) + levels(BI_TO_BI, 57)
    assert "rests on the fall" not in claim_sentences.what_the_control_does(tidy(gained))
    assert "stretched, is below the start (−3.0" in said
    assert "it is not told from the start (0.0 [−1.3, 1.3]) on seeds 0 to 1" in said
    assert "minus this control is −2.0 [−2.0, −2.0]" in said
    assert "On cosines as they are" not in claim_sentences.what_the_control_does(tidy(BEGUN + levels(BI_TO_BI, 57)))


def test_chained_weights_that_are_the_same_at_first_are_called_so():
    said = claim_sentences.what_chaining_changes(tidy(BEGUN + levels(SELF_CROSS, 63, 1, variant=CHAINED)))
    assert "differ by 0.00 points at most" in said
    other = claim_sentences.what_chaining_changes(tidy(BEGUN + levels(SELF_CROSS, 64.5, 1, variant=CHAINED)))
    assert "differ by 1.50 points at most" in other
    assert claim_sentences.what_chaining_changes(tidy(BEGUN)) == ""


def test_pools_say_their_steps_and_lengths():
    rows = BEGUN + levels(SELF_CROSS, 62, 1, variant=SMALL_POOL)
    rows.append(row(SELF_CROSS, "steps", 150, split="pool", part="training", cycle=1))
    rows += [
        row("data", "pairs", n, split="pool", part="data", variant=name)
        for name, n in ((None, 2400), (OTHER_POOL, 2300))
    ]
    said = claim_sentences.what_other_pools_change(tidy(rows), Settings(max_words=12, mrpc_max_words=22))
    assert "The whole pool is 150 steps of the cross-encoder, a quarter of it 38" in said
    assert "2300 pairs (the own one 2400), with sentences of up to 22 words instead of 12" in said
    assert "words" not in claim_sentences.what_other_pools_change(tidy(rows), Settings(max_words=None))
    assert "Mean of both forms" not in said
    for method in (SELF_CROSS, SELF_BI):
        rows = rows + levels(method, 55, 1, variant=OTHER_POOL)
    said = claim_sentences.what_other_pools_change(tidy(rows), Settings())
    assert "other task's pool −5.0 [−6.3, −3.7], which decides" in said
    assert "on the same seeds, +0.5 [−0.8, 1.8], no gain with which" in said


def test_only_sets_with_an_interval_above_zero_are_said_to_gain():
    rows = levels(START, 60) + levels(SELF_BI, 60, 1)
    rows += levels(SELF_CROSS, 63, 1, **{SICK: 60.01, "sts-2012": 59})
    said = claim_sentences.which_sets_gain_least(tidy(rows)).partition("Self, bi")[0]
    assert "gains over seeds on STS13, STS14, STS15, STS16, STS-B; furthest behind" in said
    for least, neither in ((SICK, False), ("sts-2012", True)):
        lagging = levels(START, 60) + levels(SELF_CROSS, 61, 1, **{least: 50}) + levels(SELF_BI, 61, 1, **{least: 50})
        said = claim_sentences.which_sets_gain_least(tidy(lagging))
        assert ("SICK-R is not the exception here: in neither form" in said) == neither


def test_the_largest_gain_names_the_recipes_start_and_what_the_rule_leaves_out():
    rows = BEGUN + levels(MUTUAL_BOTH[MUTUAL_CROSS], 66, 1) + levels(START, 80, variant=ALL_LAYERS)
    rows = [{**one, "backbone": "whole" if one["variant"] == ALL_LAYERS else "five"} for one in rows]
    said = claim_sentences.where_the_largest_gain_is(tidy(rows))
    assert "(five)" in said
    assert "Mutual, cross, mean of both +6.0" in said
    assert claim_sentences.where_the_largest_gain_is(tidy(BEGUN)) == ""


def test_the_first_cycles_gain_takes_the_pairs_into_account():
    rows = levels(START, 60)
    for method in (SELF_CROSS, SELF_BI):
        rows += levels(method, 62, 1, error=4 * 7**0.5) + levels(method, 61, 2)
    said = claim_sentences.what_the_second_cycle_adds(tidy(rows))
    assert "takes from the first, mean of both forms: −1.0" in said
    assert "Self, bi changes by −1.0 [−1.0, −1.0] and is then" in said
    assert "rests on is above the start on these test pairs (+2.0 [0.7, 3.3]), not told from it on others" in said


def test_the_whole_models_start_is_its_own():
    strong = levels(START, 80, variant=ALL_LAYERS) + levels(SELF_CROSS, 78, 1, variant=ALL_LAYERS)
    said = sentences.strong_start_in_words(tidy(BEGUN + strong))
    assert "From the whole model, at 80.0, after one cycle Self, cross is below the start (−2.0" in said
    assert "tells nothing" not in said  # the weaker start gains
    flat = levels(START, 60) + levels(SELF_CROSS, 60, 1) + levels(SELF_BI, 58, 1)
    assert "C1's control tells nothing" in sentences.strong_start_in_words(tidy(flat + strong))


def test_labels_that_are_not_stretched_are_told_seed_by_seed():
    raw = levels(SELF_CROSS, 30, 1, variant=RAW_LABELS)
    assert "reaches 29.9 instead of 62.9, 30.1 instead of 63.1" in sentences.stretching_in_words(tidy(BEGUN + raw))
    said = claim_sentences.what_verdicts_rest_on(tidy(BEGUN + raw), Settings())
    assert "below the start (−30.0" in said
    assert "29.9, 30.1, seed by seed, where the start has 60.0" in said


@pytest.mark.parametrize(
    ("seconds", "profile", "said"),
    [(6000, "standard", "took 100 minutes, .* meant to take 25"), (1500, "standard", ""), (6000, "paper", "")],
)
def test_a_published_run_that_is_too_long_says_so(seconds, profile, said):
    found = sentences.what_it_took(seconds, profile)
    if not said:
        assert found == ""
    else:
        first, second = said.split(", .* ")
        assert first in found
        assert second in found


def test_seeds_are_named():
    import pandas as pd

    for seeds, said in (((0, 1, 2), "seeds 0 to 2"), ((0, 3), "seeds 0, 3"), ((4,), "seed 4")):
        assert seeds_in_words(pd.Series(1.0, index=list(seeds))) == said


def test_the_papers_gains_stand_beside_ours_in_the_line_of_the_last_cycle():
    rows = tidy(BEGUN + levels(SELF_BI, 61, 2))
    table = summaries.gains_table(rows, PUBLISHED).set_index("method")
    assert papers_gain(PUBLISHED, SELF_BI, SICK) == pytest.approx(71.84 - 72.22)
    assert table.loc["Self, bi, cycle 2", "SICK-R: paper, BERT-base"] == "−0.38"
    assert table.loc["Self, bi, cycle 2", "average of seven sets: paper, RoBERTa-base"] == "+2.26"
    assert table.loc["Self, bi, cycle 1", "SICK-R: paper, BERT-base"] == "—"
    assert table.loc["Self, cross, cycle 1", "average of seven sets: ours"].startswith("+3.0 [")
