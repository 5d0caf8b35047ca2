"""Every rule on made-up rows: each outcome that it can give, and the controls."""

import pytest

from reprise.rows import MissingRowsError, tidy
from reprise.trans_encoder import claims, comparisons, names
from reprise.trans_encoder.names import (
    ALL_LAYERS,
    BASE,
    BI_TO_BI,
    CHAINED,
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
)  # fmt: skip

SEEDS = range(4)
WOBBLE = (0.0, 0.3, -0.3, 0.1)
COLUMNS = ("part", "backbone", "variant", "cycle", "group", "at")


def row(method, value, seed, **columns):
    common = dict.fromkeys(COLUMNS) | {"split": "test", "metric": "spearman", "backbone": "MiniLM, 5 layers"}
    return {**common, "variant": BASE, "method": method, "seed": seed, "value": value, **columns}


def levels(method, value, cycle=0, variant=BASE, wobble=1.0, **by_set):
    """Rows of a method on the seven sets; students wobble over seeds, the start does not."""
    wide = 0.0 if method == START else wobble
    rows = []
    for seed in SEEDS:
        for name in SEVEN_SETS:
            own = by_set.get(name, value) + wide * WOBBLE[seed]
            rows.append(row(method, own, seed, dataset=name, part="levels", cycle=cycle, variant=variant))
            rows.append(
                row(method, 1.0, seed, dataset=name, part="resampling", cycle=cycle, variant=variant)
                | {"metric": "standard error of the gain"}
            )
    return rows


def development(method, values):
    return [
        row(method, value, seed, dataset=names.HOME, part="selection", split="validation", cycle=cycle)
        for cycle, value in values.items()
        for seed in SEEDS
    ]


def outcome(rule, records):
    return rule(tidy(records)).outcome


@pytest.mark.parametrize(
    ("rule", "method"),
    [
        (claims.self_distillation_lifts_the_bi_encoder, SELF_BI),
        (claims.the_cross_encoder_beats_the_start, SELF_CROSS),
    ],
)
@pytest.mark.parametrize(("value", "expected"), [(72, "reproduced"), (70.1, "inconclusive"), (68, "not reproduced")])
def test_gains_over_the_start_at_the_chosen_cycle(rule, method, value, expected):
    rows = levels(START, 70) + levels(method, value, 1) + levels(method, 90, 2)
    assert outcome(rule, rows + development(method, {1: 80, 2: 79})) == expected
    assert outcome(rule, rows + development(method, {1: 79, 2: 80})) == "reproduced"


def test_the_cycle_is_chosen_seed_by_seed_and_the_earlier_of_equals():
    rows = levels(SELF_BI, 70, 1) + levels(SELF_BI, 80, 2)
    chosen = [
        row(SELF_BI, value, seed, dataset=names.HOME, part="selection", split="validation", cycle=cycle)
        for seed, by_cycle in ((0, (1, 2)), (1, (2, 1)), (2, (1, 1)), (3, (0, 1)))
        for cycle, value in zip((1, 2), by_cycle, strict=True)
    ]
    found = comparisons.of_chosen_cycles(tidy(rows + chosen), SELF_BI)
    assert found.round(1).tolist() == [80.0, 70.3, 69.7, 80.1]


def test_evidence_holds_the_resampling_error_of_the_mean():
    rows = levels(START, 70) + levels(SELF_BI, 72, 1) + development(SELF_BI, {1: 80})
    found = claims.self_distillation_lifts_the_bi_encoder(tidy(rows))
    assert "standard error of 0.4" in found.evidence  # sqrt(7)/7


@pytest.mark.parametrize(
    ("cross", "bi", "alike", "expected"),
    [
        (76, 76, 50, "reproduced"),
        (76, 74, 50, "partly reproduced"),
        (72, 72, 50, "not reproduced"),
        (74, 74, 50, "inconclusive"),
        (76, 76, 95, "not testable here"),
    ],
)
def test_mutual_against_self(cross, bi, alike, expected):
    rows = mutual_rows(cross, bi, alike)
    assert outcome(claims.mutual_beats_self, rows) == expected
    # Self-distillation's second cycle is far better, by development and on the test, but mutual has only one.
    for method in (SELF_CROSS, SELF_BI):
        rows += levels(method, 94, 2) + development(method, {2: 99})
    assert outcome(claims.mutual_beats_self, rows) == expected


def mutual_rows(cross, bi, alike):
    rows = levels(SELF_CROSS, 74, 1) + levels(SELF_BI, 74, 1)
    rows += levels(MUTUAL_CROSS, cross, 1, wobble=-1) + levels(MUTUAL_BI, bi, 1, wobble=-1)
    for method in (SELF_CROSS, SELF_BI, MUTUAL_CROSS, MUTUAL_BI):
        rows += development(method, {1: 80})
    rows += [
        row(START, alike, seed, dataset=name, part="two backbones", metric="correlation of both starts' errors")
        for name in SEVEN_SETS
        for seed in SEEDS
    ]
    return rows


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (75, 76, "reproduced"),
        (72, 76, "partly reproduced"),
        (68, 70, "not reproduced"),
        (70, 70, "inconclusive"),
    ],
)
def test_the_shape_over_cycles(first, second, expected):
    rows = levels(START, 70)
    for method in (SELF_CROSS, SELF_BI):
        rows += levels(method, first, 1) + levels(method, second, 2, wobble=-0.5)
    assert outcome(claims.the_first_cycle_gives_most, rows) == expected


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ((70, 71, 72), "reproduced"),
        ((70, 75, 75), "partly reproduced"),
        ((70, 71, 78), "not reproduced"),
        ((75, 75, 75), "inconclusive"),
    ],
)
def test_losses(others, expected):
    rows = levels(SELF_BI, 75, 1)
    for name, value in zip(OTHER_LOSSES, others, strict=True):
        rows += levels(SELF_BI, value, 1, variant=name, wobble=-1)
    assert outcome(claims.cross_entropy_then_squared_error_is_best, rows) == expected


@pytest.mark.parametrize(
    ("cross", "bi", "expected"),
    [
        (74, 74, "reproduced"),
        (74, 75.5, "partly reproduced"),
        (74, 78, "not reproduced"),
        (75.5, 75.5, "inconclusive"),
    ],
)
def test_fresh_against_chained_weights(cross, bi, expected):
    rows = levels(SELF_CROSS, 75, 2) + levels(SELF_BI, 75, 2)
    rows += levels(SELF_CROSS, cross, 2, variant=CHAINED, wobble=-1) + levels(
        SELF_BI, bi, 2, variant=CHAINED, wobble=-1
    )
    assert outcome(claims.fresh_weights_are_no_worse, rows) == expected


@pytest.mark.parametrize(
    ("own", "control", "expected"),
    [
        (72, 70, "reproduced"),
        (68, 65, "partly reproduced"),
        (72, 74, "not reproduced"),
        (72, 72, "inconclusive"),
    ],
)
def test_alternation_against_self_training(own, control, expected):
    rows = levels(START, 70) + levels(SELF_BI, own, 1) + levels(BI_TO_BI, control, wobble=-1)
    found = claims.alternation_is_what_helps(tidy(rows))
    assert found.outcome == expected
    if expected == "inconclusive":
        assert found.seeds_to_settle is None or found.seeds_to_settle > len(SEEDS)


@pytest.mark.parametrize(
    ("quarter", "other", "expected"),
    [
        (73, 73, "reproduced"),
        (75, 73, "partly reproduced"),
        (73, 68, "not reproduced"),
        (73, 78, "not reproduced"),
        (75, 75, "inconclusive"),
    ],
)
def test_pools(quarter, other, expected):
    rows = levels(START, 70)
    for method in (SELF_CROSS, SELF_BI):
        rows += levels(method, 75, 1) + levels(method, quarter, 1, variant=SMALL_POOL, wobble=-1)
        rows += levels(method, other, 1, variant=OTHER_POOL, wobble=-1)
    assert outcome(claims.pools_of_the_task_help_more, rows) == expected


@pytest.mark.parametrize(
    ("cross", "bi", "expected"),
    [
        (70, 70, "reproduced"),
        (70, 74, "partly reproduced"),
        (78, 70, "not reproduced"),
        (74, 74, "inconclusive"),
    ],
)
def test_the_exception(cross, bi, expected):
    rows = levels(START, 70)
    for method, value in ((SELF_CROSS, cross), (SELF_BI, bi)):
        varied = levels(method, 74, 1, **{SICK: value})
        for one in varied:  # seeds move SICK alone, else all differences are exact
            one["value"] += WOBBLE[one["seed"]] if one["dataset"] == SICK and one["part"] == "levels" else 0
        rows += varied + development(method, {1: 80})
    assert outcome(claims.sick_gains_less, rows) == expected


def test_the_size_in_the_blog_is_judged_from_unsupervised_starts_only():
    rows = levels(START, 70) + levels(SELF_BI, 75, 1) + levels(SELF_CROSS, 72, 1)
    rows += development(SELF_BI, {1: 80}) + development(SELF_CROSS, {1: 80})
    assert outcome(claims.up_to_five_points, rows) == "not testable here"
    hub = [{**one, "backbone": "unsup-simcse-bert-base-uncased"} for one in rows]
    assert outcome(claims.up_to_five_points, hub) == "reproduced"
    less = [{**one, "value": one["value"] - 3 * (one["method"] == SELF_BI and one["part"] == "levels")} for one in hub]
    assert outcome(claims.up_to_five_points, less) == "partly reproduced"


def test_controls_hold_and_fail():
    rows = levels(START, 70) + levels(SELF_CROSS, 5, 1, variant=SHUFFLED)
    assert claims.SHUFFLED_CONTROL.check(tidy(rows))[0]
    rows = levels(START, 70) + levels(SELF_CROSS, 69, 1, variant=SHUFFLED)
    assert not claims.SHUFFLED_CONTROL.check(tidy(rows))[0]
    strong = levels(START, 85, variant=ALL_LAYERS)
    for value, holds in ((84, True), (88, False)):
        rows = strong + levels(SELF_CROSS, 84, 1, variant=ALL_LAYERS) + levels(SELF_BI, value, 1, variant=ALL_LAYERS)
        assert claims.STRONG_CONTROL.check(tidy(rows))[0] == holds


def test_what_a_run_lacks_is_said():
    with pytest.raises(MissingRowsError):
        claims.the_first_cycle_gives_most(tidy(levels(START, 70)))
    seven = [one for one in levels(START, 70) if one["dataset"] != SICK]
    with pytest.raises(MissingRowsError):
        comparisons.start_level(tidy(seven))
