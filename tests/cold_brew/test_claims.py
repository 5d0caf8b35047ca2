"""Every decision rule on made rows, one for each outcome that it can give."""

from functools import partial

import pytest
from tests.cold_brew.made_rows import FALLING, MIXED, RISING, noisy, ratios, row, seeds

from reprise.cold_brew import rules
from reprise.cold_brew.claims import CLAIMS, _appears_on_generator, _vanishes_with_noise
from reprise.judging import judge
from reprise.rows import MissingRowsError, tidy

SETS = rules.MAIN_SETS


def level(values, *, make=seeds, split="isolation", method=rules.STUDENT):
    """Rows of one method on the three main sets."""
    return [line for name, value in zip(SETS, values, strict=True) for line in make(name, split, method, value)]


def steady(value, method, split="isolation"):
    """The same value for every seed, so that only the other method varies."""
    return [line for name in SETS for line in seeds(name, split, method, value, spread=0.0)]


def outcome(rule, lines):
    return rule(tidy(lines)).outcome


beats_gcn = partial(rules.student_beats_on_isolation, others=(rules.GCN,))
beats_features = partial(rules.student_beats_on_isolation, others=(rules.MLP, "GraphMLP"))


@pytest.mark.parametrize(
    ("student", "make", "expected"),
    [
        ((70, 70, 70), seeds, "reproduced"),
        ((70, 50, 50), seeds, "partly reproduced"),
        ((50, 50, 50), seeds, "not reproduced"),
        ((50, 50, 60.2), seeds, "inconclusive"),
        ((61, 61, 61), noisy, "inconclusive"),
    ],
)
def test_the_student_must_beat_the_gcn_on_all_three_sets(student, make, expected):
    assert outcome(beats_gcn, level(student, make=make) + steady(60, rules.GCN)) == expected


def test_an_open_comparison_says_how_many_seeds_would_settle_it():
    finding = beats_gcn(tidy(level((61, 61, 61), make=noisy) + steady(60, rules.GCN)))
    assert finding.seeds_to_settle > 3


def test_rows_of_the_released_codes_protocol_do_not_count():
    code = [dict(line, mode="code") for line in level((10, 10, 10))]
    assert outcome(beats_gcn, level((70, 70, 70)) + steady(60, rules.GCN) + code) == "reproduced"


def test_beating_only_one_of_the_two_feature_methods_is_not_enough():
    both = level((70, 70, 70)) + steady(60, rules.MLP)
    assert outcome(beats_features, both + steady(60, "GraphMLP")) == "reproduced"
    assert outcome(beats_features, both + steady(80, "GraphMLP")) == "not reproduced"
    assert outcome(beats_features, both + level((80, 60, 60), method="GraphMLP")) == "partly reproduced"


def test_plain_distillation_stands_beside_without_a_verdict():
    lines = level((70, 70, 70)) + steady(60, rules.MLP) + steady(60, "GraphMLP")
    assert "GLNN" not in beats_features(tidy(lines)).evidence
    finding = beats_features(tidy(lines + steady(90, "GLNN")))
    assert (finding.outcome, "Student − GLNN: cora -20.0" in finding.evidence) == ("reproduced", True)


def cells(teacher, chameleon_overall=None):
    lines = []
    for split in ("tail", "head", "overall"):
        lines += steady(60, rules.GCN, split) + level(teacher, split=split, method=rules.TEACHER)
    if chameleon_overall is not None:
        lines = [x for x in lines if (x["dataset"], x["split"], x["method"]) != ("chameleon", "overall", rules.TEACHER)]
        lines += seeds("chameleon", "overall", rules.TEACHER, chameleon_overall)
    return lines


@pytest.mark.parametrize(
    ("teacher", "chameleon_overall", "expected"),
    [
        ((62, 62, 62), 65, "reproduced"),
        ((62, 62, 62), 60.5, "partly reproduced"),
        ((62, 62, 50), None, "partly reproduced"),
        ((62, 50, 50), None, "not reproduced"),
        ((62, 59, 50), None, "inconclusive"),
    ],
)
def test_the_teacher_must_be_as_good_in_nine_cells(teacher, chameleon_overall, expected):
    assert outcome(rules.teacher_is_as_good, cells(teacher, chameleon_overall)) == expected


def deep(overall, isolation, depth=32, make=seeds):
    metric = f"accuracy at {depth} layers"
    lines = [row("cora", "overall", rules.TEACHER, "mean pairwise cosine", 0.5, at=depth)]
    for split, gain in (("overall", overall), ("isolation", isolation)):
        lines += seeds("cora", split, rules.GCN, 30, metric, spread=0.0, at=depth)
        lines += make("cora", split, rules.TEACHER, 30 + gain, metric, at=depth)
    return lines


@pytest.mark.parametrize(
    ("overall", "isolation", "make", "expected"),
    [
        (34, 1, seeds, "reproduced"),
        (34, 30, seeds, "partly reproduced"),
        (2, 0, seeds, "not reproduced"),
        (12, 0, noisy, "inconclusive"),
    ],
)
def test_embeddings_must_rescue_depth_but_not_isolation(overall, isolation, make, expected):
    assert outcome(rules.embeddings_prevent_collapse, deep(overall, isolation, make=make)) == expected


def test_a_shallow_run_cannot_decide_about_depth():
    with pytest.raises(MissingRowsError, match="8 layers"):
        rules.embeddings_prevent_collapse(tidy(deep(34, 1, depth=8)))


def price(connected, train, make=seeds):
    lines = []
    for split in ("head", "tail"):
        lines += seeds("cora", split, rules.GCN, 85, spread=0.0)
        for way, loss in (("connected", connected), ("train", train)):
            how = {"setting": rules.DISTILLED_ON[way]}
            lines += make("cora", split, rules.STUDENT, 85 + loss, "accuracy on the ladder", **how)
    return lines


@pytest.mark.parametrize(
    ("connected", "train", "make", "expected"),
    [
        (-14, -14, seeds, "reproduced"),
        (0, -14, seeds, "partly reproduced"),
        (0, 0, seeds, "not reproduced"),
        (-6, -6, noisy, "inconclusive"),
        (0, -6, noisy, "inconclusive"),
    ],
)
def test_the_price_is_judged_for_both_ways_of_distilling(connected, train, make, expected):
    assert outcome(rules.student_pays_on_head_and_tail, price(connected, train, make)) == expected


@pytest.mark.parametrize(
    ("homophily", "expected"), [(FALLING, "reproduced"), (RISING, "not reproduced"), (MIXED, "inconclusive")]
)
def test_the_ratio_must_fall_with_homophily(homophily, expected):
    assert outcome(rules.ratio_falls_with_homophily, ratios(RISING, homophily)) == expected


def test_undefined_ratios_are_left_out_and_named():
    undefined = float("nan")
    some = (*RISING[:5], undefined, undefined, undefined)
    finding = rules.ratio_falls_with_homophily(tidy(ratios(some, FALLING)))
    assert finding.interval.n == 5
    assert "left out: cornell, actor, dblp" in finding.evidence
    few = (*RISING[:3], *[undefined] * 5)
    assert outcome(rules.ratio_falls_with_homophily, ratios(few, FALLING)) == "inconclusive"


def test_the_generators_sweep_is_the_second_line_of_evidence():
    sweep = [row(rules.GENERATOR, "generator", "graph", "fcr of the sweep", 100 - 80 * h, at=h) for h in (0.2, 0.8)]
    finding = rules.ratio_falls_with_homophily(tidy(ratios(RISING, FALLING) + sweep))
    assert "84 % at h = 0.2, 36 % at h = 0.8" in finding.evidence


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ((30, 25, 10, 8, 6, 4, 2, 0), "reproduced"),  # Cora is first, Chameleon third; the ratio rises
        ((30, 40, 10, 45, 50, 55, 60, 65), "partly reproduced"),
        ((0, 5, 10, 15, 20, 25, 30, 35), "not reproduced"),
        ((10, 5, 10, 15, 20, 25, 30, 35), "inconclusive"),
    ],
)
def test_a_low_ratio_must_go_with_a_wide_gap(gaps, expected):
    assert outcome(rules.low_ratio_means_a_wide_gap, ratios(RISING, FALLING, gaps)) == expected


def test_a_gap_without_test_nodes_is_left_out():
    lines = ratios(RISING, FALLING, (30, 25, 10, 8, 6, 4, 2, float("nan")))
    assert "left out: dblp" in rules.low_ratio_means_a_wide_gap(tidy(lines)).evidence


def clusters(isolation, tail, make=seeds):
    metric = "label agreement with the 10 nearest"
    lines = []
    for split, gain in (("isolation", isolation), ("tail", tail)):
        for other in (rules.GCN, rules.MLP):
            lines += seeds("cora", split, other, 60, metric, spread=0.0)
        lines += make("cora", split, rules.STUDENT, 60 + gain, metric)
    return lines


@pytest.mark.parametrize(
    ("isolation", "tail", "make", "expected"),
    [
        (10, 10, seeds, "reproduced"),
        (10, -10, seeds, "partly reproduced"),
        (-10, -10, seeds, "not reproduced"),
        (2, 2, noisy, "inconclusive"),
    ],
)
def test_clusters_are_judged_by_numbers_and_not_by_pictures(isolation, tail, make, expected):
    assert outcome(rules.fewer_nodes_in_wrong_clusters, clusters(isolation, tail, make)) == expected


@pytest.mark.parametrize(
    ("gcn", "mlp", "make", "expected"),
    [
        ((60, 60, 90), (60, 90, 60), seeds, "reproduced"),
        ((60, 60, 90), (90, 90, 60), seeds, "partly reproduced"),
        ((90, 60, 90), (90, 90, 60), seeds, "not reproduced"),
        ((70, 70, 70), (70, 70, 70), noisy, "inconclusive"),
    ],
)
def test_the_blogs_claim_needs_two_sets_in_both_comparisons(gcn, mlp, make, expected):
    lines = steady(70, rules.STUDENT) + level(gcn, method=rules.GCN, make=make)
    lines += level(mlp, method=rules.MLP, make=make) + steady(60, "GraphMLP")
    assert outcome(rules.improves_on_existing_ways, lines) == expected


def test_the_effect_must_appear_on_the_generator():
    lines = seeds(rules.GENERATOR, "isolation", rules.STUDENT, 70)
    lines += seeds(rules.GENERATOR, "isolation", rules.GCN, 55, spread=0.0)
    assert _appears_on_generator(tidy(lines), rules.GCN)[0]


@pytest.mark.parametrize(("accuracy", "holds"), [(22, True), (40, False)])
def test_features_of_noise_must_not_place_a_node(accuracy, holds):
    lines = seeds(rules.GENERATOR, "isolation", rules.STUDENT, accuracy, "accuracy with features of noise")
    lines += seeds(rules.GENERATOR, "isolation", "graph", 24, "share of the largest class", spread=0.0)
    assert _vanishes_with_noise(tidy(lines))[0] is holds


def test_what_was_not_run_is_said_and_not_guessed():
    made = tidy(clusters(10, 10))
    verdicts = {v.claim_id: v for v in judge(CLAIMS, made, reduced_scale=True)}
    assert verdicts["C9"].label == "reproduced (at reduced scale)"
    assert all(verdicts[name].outcome == "not testable here" for name in verdicts if name != "C9")
    assert "no kept implementation" in verdicts["C8"].evidence


def test_a_run_on_the_generator_rehearses_the_rules_of_cora():
    made = tidy(dict(line, dataset=rules.GENERATOR) for line in clusters(10, 10))
    verdicts = {v.claim_id: v for v in judge(CLAIMS, made, reduced_scale=True, embedded_twins={"sub-topics": "cora"})}
    assert verdicts["C9"].label == "quick run (the rule gives: reproduced)"
