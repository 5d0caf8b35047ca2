"""What the chapter says in words: each direction that a computed sentence can take, on made rows."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import permutation_test, spearmanr
from tests.cold_brew.made_rows import FALLING, RISING, noisy, ratios, row, seeds

from reprise.cold_brew import rules, sentences
from reprise.cold_brew.ladder import METHOD_OF
from reprise.cold_brew.rules import GCN
from reprise.cold_brew.summaries import CHANGED, SHARE
from reprise.rows import tidy

FEATURES = (rules.MLP, "GraphMLP")


def on_isolation(data_set, student, others, make=seeds):
    lines = make(data_set, "isolation", rules.STUDENT, student)
    for name, value in others.items():
        lines += seeds(data_set, "isolation", name, value, spread=0.0)
    return lines


def test_a_graph_on_which_the_student_is_behind_contradicts_every_data_set():
    cora = on_isolation("cora", 50, {rules.GCN: 60, rules.MLP: 40, "GraphMLP": 40})
    said = sentences.contradicted(tidy(cora + on_isolation("texas", 70, {rules.GCN: 60})))
    assert "C1 is contradicted on cora (student − GCN −10.0 [−11.2, −8.8])" in said
    assert "no data set contradicts C2" in said
    assert "texas" not in said


@pytest.mark.parametrize(("behind", "expected"), [(FEATURES[:1], 1), (FEATURES, 2)])
def test_each_comparison_that_contradicts_is_named(behind, expected):
    others = {name: 90 if name in behind else 40 for name in (rules.GCN, *FEATURES)}
    said = sentences.contradicted(tidy(on_isolation("cora", 50, others)))
    assert said.count("student − ") == expected
    assert said.count("C2 is contradicted on cora (student − MLP −40.0 [") == 1
    assert "no data set contradicts C1" in said


def test_an_interval_that_reaches_zero_contradicts_nothing():
    lines = on_isolation("cora", 55, {rules.GCN: 60}, make=noisy)
    assert "no data set contradicts C1" in sentences.contradicted(tidy(lines))


def test_the_generator_is_no_data_set_of_the_paper():
    lines = on_isolation(rules.GENERATOR, 50, {rules.GCN: 60})
    assert sentences.contradicted(tidy(lines)) == "C1 and C2 speak of real graphs; this run has none."


def sizes(low=3, high=11):
    return [
        row(name, split, "graph", "test nodes", size, seed=seed)
        for name in sentences.WEB_GRAPHS
        for split in ("isolation", "tail", "head")
        for seed, size in enumerate((low, high))
    ]


@pytest.mark.parametrize(
    ("cora", "expected"), [(30, "holds"), (0, "is reversed"), (10, "is neither confirmed nor reversed")]
)
def test_the_papers_own_example_is_read_with_its_interval(cora, expected):
    gaps = (cora, 25, 10, 8, 6, 4, 2, 0)
    said = sentences.beside_ratio_and_gap(tidy(ratios(RISING, FALLING, gaps) + sizes()))
    assert f"example for C7 {expected}: " in said
    assert "have 3 to 11 test nodes in a group" in said


def test_the_gap_of_the_plain_gcn_stands_beside_that_of_the_teacher():
    lines = ratios(RISING, FALLING, (0, 25, 10, 8, 6, 4, 2, 0)) + sizes()
    assert "plain GCN" not in sentences.beside_ratio_and_gap(tidy(lines))
    for name, gap in (("cora", 9), ("chameleon", -16)):
        lines += seeds(name, "head", rules.GCN, 50 + gap, spread=0.0)
        lines += seeds(name, "isolation", rules.GCN, 50, spread=0.0)
    said = sentences.beside_ratio_and_gap(tidy(lines))
    assert "example for C7 is reversed: " in said
    assert "With the plain GCN in the teacher's place it is +25.0 [25.0, 25.0]. " in said


def test_without_the_web_graphs_the_correlations_are_those_of_the_other_five():
    gaps = (30, 25, 10, 0, 0, 0, 8, 2)
    said = sentences.beside_ratio_and_gap(tidy(ratios(RISING, FALLING, gaps) + sizes()))
    kept = [0, 1, 2, 6, 7]  # Cora, Citeseer, Chameleon, Actor, DBLP
    rank = spearmanr([RISING[i] for i in kept], [gaps[i] for i in kept])[0]
    assert f"ratio and gap (C7) is {rank:.2f} (p = 0.02, all orders of 5 graphs)".replace("-", "−") in said
    assert "r of ratio and homophily (C6) is −1.00" in said


def test_too_few_graphs_have_no_correlation():
    undefined = float("nan")
    some = (RISING[0], undefined, RISING[2], *RISING[3:6], undefined, undefined)
    said = sentences.beside_ratio_and_gap(tidy(ratios(some, FALLING, (30, 25, 10, 8, 6, 4, 2, 0)) + sizes()))
    assert said.endswith("fewer than four graphs are left, too few for a correlation.")
    lacking = sentences.beside_ratio_and_gap(tidy(on_isolation("cora", 50, {})))
    assert lacking.endswith("this run lacks some.")


@pytest.mark.parametrize("y", [(1.0, 2, 3, 4, 5), (2.0, 1, 4, 3, 5), (1.0, 1, 2, 2, 3), (3.0, 3, 3, 3, 3)])
def test_the_share_of_orders_is_scipys_exact_permutation_test(y):
    x = (3.0, 1.0, 2.0, 5.0, 4.0)
    ours = sentences._permutation_p(x, y)
    if len(set(y)) == 1:
        assert ours == 1.0  # no order is stronger than another
        return

    def strength(order):
        return abs(spearmanr(order, y)[0])

    exact = permutation_test((np.array(x),), strength, permutation_type="pairings", alternative="greater")
    assert ours == pytest.approx(exact.pvalue)


LEVELS = {
    "MLP": 50, "GLNN": 60, "ê only": 55, "ẽ and ê": 58, "ẽ by softmax": 57, "ẽ by mean": 57,
    "ẽ and ê, output only": 58, "ẽ and ê, SE teacher": 58, "distilled on training nodes": 50,
}  # fmt: skip
N_RUN = 8  # of the comparisons; the other rungs are not in these rows


def ladder(data_set, levels=LEVELS, spread=1.0, metric="accuracy on the ladder"):
    """Rungs of which only one varies over the seeds, so that differences from it have an interval."""
    lines = []
    for name, value in levels.items():
        method = METHOD_OF.get(name)
        how = {"method": name} if method is None else {"method": method, "setting": name}
        varies = spread if name == "ẽ and ê" else 0.0
        lines += seeds(data_set, "isolation", value=value, metric=metric, spread=varies, **how)
    return lines


def test_parts_are_named_that_help_and_that_harm():
    said = sentences.which_part(tidy(ladder("cora") + ladder(rules.GENERATOR)), ["cora", "chameleon", rules.GENERATOR])
    assert "**cora**: helps: distillation +10.0 [10.0, 10.0], look-up beside the guess +3.0 [1.8, 4.2] and " in said
    assert "; harms: a guess of the embedding −5.0 [−5.0, −5.0] and all of Cold Brew −2.0" in said
    assert "**sub-topics** (the generator): helps" in said
    assert "chameleon" not in said  # it has no ladder
    assert f"corrected for the {2 * N_RUN} that" in said


def test_rungs_that_keep_a_former_choice_are_read_like_the_others():
    levels = {**LEVELS, "ẽ and ê, not scaled": 40, "MLP, x scaled": 47, rules.TEACHER: 60, "E from noise": 30}
    said = sentences.which_part(tidy(ladder("cora", levels)), ["cora"])
    assert "one size for ξ₂'s inputs +18.0 [16.8, 19.2]" in said
    assert "size of the features in the MLP −3.0 [−3.0, −3.0]" in said
    assert "start of E in the teacher +30.0 [30.0, 30.0]" in said
    assert f"corrected for the {N_RUN + 3} that" in said


def test_the_ladder_with_few_labels_is_read_beside_the_whole_one():
    few = ladder("cora", {**LEVELS, "GLNN": 80}, metric="accuracy with few labels")
    said = sentences.which_part(tidy(ladder("cora") + few), ["cora"])
    whole, scarce = said.split(" With few labels: ")
    assert "distillation +10.0" in whole
    assert scarce.startswith("**cora**: helps: distillation +30.0")
    assert f"corrected for the {2 * N_RUN} that" in whole


def test_no_part_is_named_where_every_interval_reaches_zero():
    said = sentences.which_part(tidy(ladder("cora", dict.fromkeys(LEVELS, 60), spread=20.0)), ["cora"])
    assert said.endswith("**cora**: no part's interval lies above 0.")
    assert sentences.which_part(tidy(on_isolation("cora", 50, {})), ["cora"]).endswith("climbed no ladder.")


@pytest.mark.parametrize(
    ("gain", "make", "expected"), [(9, seeds, "helps"), (-9, seeds, "harms"), (-9, noisy, "is told apart neither")]
)
def test_the_second_half_of_c4_is_read_with_its_interval(gain, make, expected):
    lines = make("cora", "isolation", rules.TEACHER, 40 + gain, "accuracy at 32 layers", at=32.0)
    lines += seeds("cora", "isolation", GCN, 40, "accuracy at 32 layers", spread=0.0, at=32.0)
    lines += seeds("cora", "overall", rules.TEACHER, 0.5, "mean pairwise cosine", at=32.0)
    said = sentences.second_half_of_c4(tidy(lines))
    assert f"at 32 layers their effect there is {'+' if gain > 0 else '−'}9.0 [" in said
    assert expected in said
    assert sentences.second_half_of_c4(tidy(on_isolation("cora", 50, {}))) == ""


def test_no_effect_at_all_is_said_to_be_none():
    lines = seeds("cora", "isolation", rules.TEACHER, 40, "accuracy at 32 layers", at=32.0)
    lines += seeds("cora", "isolation", GCN, 40, "accuracy at 32 layers", at=32.0)
    lines += seeds("cora", "overall", rules.TEACHER, 0.5, "mean pairwise cosine", at=32.0)
    assert "0.0 [0.0, 0.0] points over 3 seeds, which is none" in sentences.second_half_of_c4(tidy(lines))


def test_nodes_that_no_label_reaches_are_counted():
    lines = seeds("cora", "overall", "Label propagation", 11.5, "test nodes that no label reaches")
    lines += seeds("dblp", "overall", "Label propagation", 0, "test nodes that no label reaches", spread=0.0)
    said = sentences.unreached(tidy(lines))
    assert "cora 11.5 %. They count as its first class" in said
    assert "dblp" not in said
    assert sentences.unreached(tidy(on_isolation("cora", 50, {}))) == ""


def test_cells_far_from_the_paper_are_named_in_either_direction():
    paper = pd.DataFrame(
        [
            {"dataset": name, "split": "isolation", "method": method, "metric": "accuracy", "value": value}
            for name, method, value in (("cora", GCN, 58.0), ("cora", "MLP", 68.0), ("chameleon", GCN, 67.0))
        ]
    )
    lines = on_isolation("cora", 50, {GCN: 73, "MLP": 82.9}) + on_isolation("chameleon", 50, {GCN: 35})
    said = sentences.far_from_the_paper(tidy(lines), paper)
    assert "**chameleon**: GCN on isolation 35 (67); **cora**: GCN on isolation 73 (58). Of the" in said
    assert "MLP" not in said
    assert sentences.far_from_the_paper(tidy(on_isolation("cora", 50, {GCN: 72.9})), paper) == ""


def teacher_notes(data_set, penalties, changed):
    lines = [
        row(data_set, "overall", rules.TEACHER, "structural penalty", value, seed=seed)
        for seed, value in enumerate(penalties)
    ]
    lines += seeds(data_set, "overall", rules.TEACHER, changed, CHANGED, spread=0.1)
    return lines + seeds(data_set, "overall", rules.TEACHER, 0.25, SHARE, spread=0.1)


def test_embeddings_that_change_nothing_are_said_to_be_idle():
    rows = tidy(teacher_notes("cora", (0, 1000, 1000), 0.3) + teacher_notes("chameleon", (10, 10, 10), 12))
    said = sentences.embeddings_at_work(rows, ["cora", "chameleon", "citeseer"])
    assert "η: cora 0 (1), 1000 (2); chameleon 10 (on the mean square" in said
    assert "Size of *E* over that of *XW*: cora 0.25, chameleon 0.25." in said
    assert "change without *E*: cora 0.3 %, chameleon 12.0 %." in said
    assert "On cora the teacher is nearly a plain GCN" in said
    assert "citeseer" not in said


def test_embeddings_at_work_are_not_called_idle():
    said = sentences.embeddings_at_work(tidy(teacher_notes("cora", (0, 10, 10), 5)), ["cora"])
    assert "nearly a plain GCN" not in said
    bare = tidy(line for line in teacher_notes("cora", (0, 10, 10), 5) if line["metric"] == "structural penalty")
    assert "A large η makes a teacher that is nearly a plain GCN" in sentences.embeddings_at_work(bare, ["cora"])
    assert sentences.embeddings_at_work(bare, ["dblp"]) == "Structural embeddings were not trained in this run."


PRINTED = pd.DataFrame(
    [
        {"dataset": "cora", "split": "isolation", "method": method, "metric": "mean reciprocal rank", "value": value}
        for method, value in ((rules.GCN, 34.1), (rules.STUDENT, 44.59))
    ]
)


@pytest.mark.parametrize(
    ("gcn", "student", "level"), [(20, 30, "far below"), (40, 50, "at or above"), (20, 50, "partly below")]
)
def test_ranks_are_said_to_lie_where_they_lie(gcn, student, level):
    lines = seeds("cora", "isolation", rules.GCN, gcn, "mean reciprocal rank", spread=0.0)
    lines += seeds("cora", "isolation", rules.STUDENT, student, "mean reciprocal rank")
    lines += seeds(rules.GENERATOR, "isolation", rules.GCN, gcn, "mean reciprocal rank")
    said = sentences.links_beside_the_paper(tidy(lines), PRINTED)
    assert f"Our ranks lie {level} the printed ones: cora, GCN: {gcn} against 34; " in said
    assert f"cora +{student - gcn}.0 [{student - gcn - 1.2:.1f}, {student - gcn + 1.2:.1f}], printed +10.5." in said
    assert "sub-topics" not in said


def test_without_printed_ranks_there_is_nothing_to_compare():
    lines = seeds(rules.GENERATOR, "isolation", rules.GCN, 30, "mean reciprocal rank")
    assert "this run ranked no edges of theirs" in sentences.links_beside_the_paper(tidy(lines), PRINTED)


def released(data_set, off, on, off_input, on_input):
    lines = seeds(data_set, "isolation", rules.GCN, off, mode="code")
    lines += seeds(data_set, "isolation", rules.GCN, on, "accuracy with dropout on", mode="code")
    how = {"mode": "code", "setting": "input dropout"}
    lines += seeds(data_set, "isolation", rules.GCN, off_input, "accuracy with dropout off", **how)
    return lines + seeds(data_set, "isolation", rules.GCN, on_input, "accuracy with dropout on", **how)


def test_a_printed_figure_between_ours_with_dropout_off_and_on_may_come_from_it():
    paper = pd.DataFrame(
        [
            {"dataset": name, "split": "isolation", "method": rules.GCN, "metric": "accuracy", "value": value}
            for name, value in (("cora", 58.02), ("citeseer", 47.09), ("chameleon", 57.28))
        ]
    )
    lines = released("cora", 72, 66, 73, 52) + released("chameleon", 38, 36, 39, 30)
    said = sentences.dropout_beside_the_paper(tidy(lines), paper)
    assert "chameleon 57 beside 38 → 36 and 39 → 30; cora 58 beside 72 → 66 and 73 → 52. On cora" in said
    assert "On cora it lies between: " in said
    assert said.endswith("On chameleon it lies outside: dropout left on does not account for it.")
    assert "was not run" in sentences.dropout_beside_the_paper(tidy(released("dblp", 72, 66, 73, 52)), paper)
