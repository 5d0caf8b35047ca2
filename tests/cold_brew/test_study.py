from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from reprise.cold_brew import audits, methods, student_variants, study, sweeps
from reprise.cold_brew.cell import Cell, methods_of
from reprise.cold_brew.outcome import GCN, GRAPH_MLP, STUDENT, TEACHER, recipe_of
from reprise.cold_brew.problem import make_problem
from reprise.cold_brew.settings import PARTS, Settings
from reprise.cold_brew.student_variants import STUDENT_CHANNELS
from reprise.cold_brew.study import applies, run

SMALL = {
    "epochs": 12,
    "se_penalties": (100.0,),
    "k_sweep": (1, 3),
    "noise_shares": (0.0, 1.0),
    "depths": (2,),
    "depth_epochs": 3,
}


@pytest.fixture(scope="module", autouse=True)
def small_constants():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audits, "TEMPERATURES", (1.0, audits.INFINITE))
        patch.setattr(audits, "DROPOUT_PASSES", 2)
        patch.setattr(sweeps, "HOMOPHILIES", (0.8,))
        patch.setattr(study, "BOOTSTRAP_DRAWS", 20)
        patch.setattr(student_variants, "STUDENT_CHANNELS", 16)
        yield


@pytest.fixture(scope="module")
def rows():
    return run(Settings(seeds=(0, 1), **SMALL))


def test_the_study_twice_gives_equal_rows(rows):
    pd.testing.assert_frame_equal(run(Settings(seeds=(0, 1), **SMALL)), rows)


def test_a_cell_alone_gives_the_same_rows_as_in_company(rows):
    alone = run(Settings(seeds=(1,), **SMALL))
    together = rows[rows.seed == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, together)


def test_a_part_alone_gives_the_same_rows_as_with_the_others(rows):
    alone = run(Settings(seeds=(0,), parts=("clusters",), **SMALL))
    same = rows[(rows.seed == 0) & (rows.metric == "label agreement with the 10 nearest")].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone[same.columns], same)


def test_every_part_leaves_rows_and_every_accuracy_is_a_percentage(rows):
    metrics = {
        "groups": "accuracy", "contribution": "fcr", "dropout": "accuracy with dropout on",
        "ladder": "accuracy on the ladder", "retrieval": "purity of latent neighbours",
        "switch": "degree of the switch",
        "noise": "accuracy with noisy tail edges", "depth": "accuracy at 2 layers", "links": "mean reciprocal rank",
        "homophily": "fcr of the sweep", "control": "accuracy with features of noise",
        "clusters": "label agreement with the 10 nearest",
    }  # fmt: skip
    assert set(metrics) == set(PARTS)
    assert set(metrics.values()) <= set(rows.metric)
    shares = rows[rows.metric.str.startswith("accuracy")].value
    assert shares.between(0, 100).all()
    assert list(rows.columns[:5]) == ["dataset", "split", "method", "seed", "metric"]


def test_overall_is_the_mean_over_degrees_weighted_by_their_nodes(rows):
    one = rows[(rows.seed == 0) & rows.split.str.startswith("degree")]
    counts = one[one.metric == "test nodes"].set_index("split").value
    values = one[(one.metric == "accuracy by degree") & (one.method == GCN)].set_index("split").value
    overall = rows[(rows.seed == 0) & (rows.split == "overall") & (rows.method == GCN) & (rows.metric == "accuracy")]
    assert np.average(values, weights=counts[values.index]) == pytest.approx(overall.value.item())


def test_costly_parts_run_for_the_first_seeds_only(rows):
    assert set(rows[rows.metric == "mean reciprocal rank"].seed) == {0}
    assert not applies("homophily", "cora", 0, Settings())


@pytest.fixture(scope="module")
def problem():
    return make_problem("sub-topics", 0, Settings())


def test_isolated_nodes_are_cut_off_before_anything_is_trained(problem):
    isolated = problem.split.isolation
    assert not bool(isolated[problem.edge_index].any())
    assert torch.equal(problem.connected, ~isolated)


def test_rewiring_keeps_edges_away_from_the_tail_and_replaces_the_asked_share(problem):
    tail = problem.split.tail

    def codes(edges, touching):
        own = edges[:, (tail[edges[0]] | tail[edges[1]]) == touching]
        return set((own[0] * 10_000 + own[1]).tolist())

    none, half, everything = (audits.rewire_tail(problem, share) for share in (0.0, 0.5, 1.0))
    assert torch.equal(none, problem.edge_index)
    for edges in (half, everything):
        assert codes(problem.edge_index, False) <= codes(edges, False) | codes(edges, True)
        assert not bool(problem.split.isolation[edges].any())
    before = codes(problem.edge_index, True)
    assert 0.35 < len(before & codes(half, True)) / len(before) < 0.65
    assert len(before & codes(everything, True)) / len(before) < 0.1


def test_the_switch_is_the_student_below_the_degree_and_the_teacher_above():
    teacher, student = torch.ones(4, 2), torch.zeros(4, 2)
    mixed = audits.choose_by_degree(teacher, student, torch.tensor([0, 1, 2, 3]), 2)
    assert mixed[:, 0].tolist() == [0, 0, 1, 1]
    everywhere = audits.choose_by_degree(teacher, student, torch.tensor([0, 1, 2, 3]), audits.SWITCH_DEGREES[-1])
    assert torch.equal(everywhere, student)


def test_a_student_with_equal_options_is_trained_once(problem):
    cell = Cell(problem, Settings(**SMALL))
    base = student_variants.student_options(cell.settings)
    assert cell.student(GCN) is cell.student(GCN, replace(base, inputs=("neighbours", "guess")))
    assert cell.student(GCN) is not cell.student(GCN, replace(base, k=1))


def test_graphmlp_trains_and_is_compared_on_the_real_graphs_of_the_full_study(problem):
    settings = Settings(**SMALL)
    assert GRAPH_MLP in methods_of("cora", settings)
    assert GRAPH_MLP not in (*methods_of("sub-topics", settings), *methods_of("actor", settings))
    outcome = Cell(problem, settings).outcome(GRAPH_MLP)
    assert outcome.accuracy(problem.y, problem.masks.test) > 15


def test_the_ladder_has_all_its_rungs_and_the_teacher_from_noise(rows):
    found = rows[(rows.metric == "accuracy on the ladder") & (rows.seed == 0) & (rows.split == "isolation")]
    rungs = set(found.setting.dropna())
    options = student_variants.student_options(Settings(**SMALL))
    assert rungs == {*audits.ladder_rungs(options), *SCALED, "E from noise", MASKED}
    assert not found.duplicated(["method", "setting"]).any()
    assert set(found[found.setting.isna()].method) == {"MLP", "GLNN", GCN, TEACHER}


MASKED = "E from noise, masked"
SCALED = ("MLP, x scaled", "GLNN, x scaled", "GCN, x scaled")


def test_one_rung_leaves_the_parts_of_the_second_mlp_unscaled(problem):
    cell = Cell(problem, Settings(**SMALL))
    rungs = audits.ladder_rungs(student_variants.student_options(cell.settings))
    plain, scaled = (cell.student(*rungs[name]) for name in ("ẽ and ê, not scaled", "ẽ and ê"))
    nodes = torch.arange(problem.n_nodes)
    assert torch.equal(plain.student.classifier_inputs(problem.x, nodes)[0], problem.x)
    assert not torch.equal(scaled.student.classifier_inputs(problem.x, nodes)[0], problem.x)
    assert not torch.equal(plain.final, scaled.final)


def test_the_second_mlp_may_learn_from_cold_nodes_only(problem):
    base = student_variants.student_options(Settings(**SMALL))
    cold = student_variants.labelled_nodes(problem, replace(base, classify_on="cold"))
    assert torch.equal(cold, problem.masks.train & (problem.split.isolation | problem.split.tail))
    assert torch.equal(student_variants.labelled_nodes(problem, base), problem.masks.train)
    assert 0 < int(cold.sum()) < int(problem.masks.train.sum())


def test_embeddings_of_nodes_that_nothing_trains_stay_zero_and_their_answer_is_the_features(problem):
    settings = Settings(**SMALL)
    recipe = recipe_of(settings, problem)
    for penalty in (0.0, 100.0):
        model, outcome = methods._train(problem, recipe, method=TEACHER, se="first", se_penalty=penalty)
        structural = model.convolutions[0].structural.detach()
        untrained = ~problem.connected & ~problem.masks.train
        assert bool(untrained.any())
        assert float(structural[untrained].abs().max()) == 0
        assert float(structural[problem.masks.train].abs().min(1).values.max()) > 0
        with methods.embeddings_left_out(model, untrained), torch.no_grad():
            assert torch.equal(model(problem.x, problem.edges), outcome.final)


def test_embeddings_from_noise_stay_there_and_masking_them_changes_the_nodes_that_nothing_trains_only(problem):
    noisy, masked = methods.train_teacher_from_noise(problem, Settings(**SMALL), 0.0)
    untrained = ~problem.connected & ~problem.masks.train
    changed = (noisy.final != masked.final).any(1)
    assert torch.equal(changed, untrained)


def test_embeddings_left_out_come_back(problem):
    recipe = recipe_of(Settings(**SMALL), problem)
    model, outcome = methods._train(problem, recipe, method=TEACHER, se="all", se_penalty=0.0)
    with torch.no_grad(), methods.embeddings_left_out(model, torch.ones_like(problem.connected)):
        assert all(float(e.abs().max()) == 0 for e in model.structural_embeddings())
        bare = model(problem.x, problem.edges)
    with torch.no_grad():
        assert torch.equal(model(problem.x, problem.edges), outcome.final)
    assert not torch.equal(bare, outcome.final)


def test_the_accuracy_on_training_nodes_is_recorded_of_methods_and_rungs(rows):
    found = rows[(rows.metric == audits.ON_TRAINING_NODES) & (rows.seed == 0)]
    assert {GCN, STUDENT, TEACHER, "MLP"} <= set(found.method)
    assert "Label propagation" not in set(found.method)
    rungs = rows[(rows.metric == "accuracy on the ladder") & (rows.split == "training nodes") & (rows.seed == 0)]
    assert {"ẽ and ê", "ẽ and ê, finds itself"} <= set(rungs.setting)


def test_dropout_at_evaluation_is_left_as_it_was_found(problem):
    cell = Cell(problem, Settings(**SMALL))
    outcome = cell.outcome(GCN)
    before = outcome.final.clone()
    noisy = [outcome.with_dropout() for _ in range(2)]
    assert not torch.equal(noisy[0], noisy[1])
    assert torch.equal(cell.outcome(GCN).final, before)


def test_the_penalty_is_chosen_on_each_seeds_own_validation_nodes_and_variants_take_it_over():
    grid = Settings(**{**SMALL, "se_penalties": (0.0, 1000.0)})
    for seed in (0, 1):
        problem = make_problem("sub-topics", seed, grid)
        cell = Cell(problem, grid)
        reached = [
            methods.train_graph_model(problem, grid, method=TEACHER, se="first", se_penalty=penalty).validation
            for penalty in grid.se_penalties
        ]
        assert cell.se_penalty == grid.se_penalties[int(np.argmax(reached))]
        assert cell.outcome(TEACHER).validation == max(reached)
        assert Cell(problem, grid, like=cell).se_penalty == cell.se_penalty


def test_the_student_with_dropout_on_drops_values_in_both_of_its_networks(problem):
    outcome = Cell(problem, Settings(**SMALL)).student(GCN)
    student = outcome.student
    before, nodes = student.guess(problem.x), torch.arange(problem.n_nodes)
    student.classifier.dropout = 0.0  # all that is left to vary is ξ₁
    noisy = [outcome.with_dropout() for _ in range(2)]
    assert not torch.equal(noisy[0], noisy[1])
    assert not student.training
    assert torch.equal(student.guess(problem.x), before)
    torch.testing.assert_close(student(problem.x, nodes), outcome.final)


def test_how_much_a_teacher_owes_to_its_embeddings_is_reported(rows):
    for metric in (methods.EMBEDDING_SHARE, methods.CHANGED_WITHOUT, "predicted classes"):
        found = rows[(rows.metric == metric) & (rows.method == TEACHER)]
        assert sorted(found.seed) == [0, 1]
        assert (found.value >= 0).all()
    assert set(rows[rows.metric == methods.EMBEDDING_SHARE].method) == {TEACHER}


def test_a_training_that_diverges_leaves_nan_in_the_study():
    settings = Settings(**SMALL)
    problem = make_problem("sub-topics", 0, settings)
    blown = problem.with_features(torch.sign(problem.x) * 1e38)  # finite, but no sum of them is
    cell = Cell(blown, settings)
    for outcome in (cell.outcome(GCN), cell.student(GCN)):
        assert np.isnan(outcome.accuracy(blown.y, blown.masks.test))


def test_the_planted_effect_appears_on_the_generators_isolation(monkeypatch):
    monkeypatch.setattr(student_variants, "STUDENT_CHANNELS", STUDENT_CHANNELS)  # the study's width
    settings = Settings(parts=("groups",), full_study_datasets=(), se_penalties=(100.0,))
    cell = Cell(make_problem("sub-topics", 0, settings), settings)
    mask = cell.problem.test_groups()["isolation"]
    reached = {m: cell.outcome(m).accuracy(cell.problem.y, mask) for m in (GCN, "MLP", STUDENT)}
    assert reached[STUDENT] > reached[GCN] + 5
    assert reached[STUDENT] > reached["MLP"] + 10


def test_with_features_of_noise_a_cold_node_is_only_guessed():
    settings = Settings(parts=("control",), se_penalties=(100.0,))
    rows = run(settings)
    isolated = rows[rows.split == "isolation"]
    found = isolated[isolated.metric == "accuracy with features of noise"].value.mean()
    chance = isolated[isolated.metric == "share of the largest class"].value.mean()
    assert abs(found - chance) < 5


@pytest.mark.real_data
def test_code_mode_has_no_validation_nodes_and_averages_the_last_epochs():
    settings = Settings(datasets=("cora",), **SMALL)
    problem = make_problem("cora", 0, settings, mode="code")
    assert int(problem.masks.train.sum()) == 600
    assert int(problem.masks.test.sum()) == 2108
    assert not bool(problem.masks.validation.any())
    outcome = Cell(problem, settings).outcome("MLP")
    assert len(outcome.scores) == 12


@pytest.mark.real_data
def test_code_mode_tests_all_of_citeseer_on_the_public_split_and_groups_on_all_other_nodes():
    problem = make_problem("citeseer", 0, Settings(datasets=("citeseer",)), mode="code")
    groups = problem.test_groups()
    assert int(problem.masks.train.sum()) == 120
    assert int(groups["overall"].sum()) == 1000
    assert torch.equal(groups["isolation"], problem.split.isolation & problem.masks.test)
    assert int(problem.masks.test.sum()) == 3327 - 15 - 120


@pytest.mark.real_data
def test_citeseers_blank_nodes_are_in_no_mask():
    problem = make_problem("citeseer", 0, Settings(datasets=("citeseer",)))
    blank = problem.y < 0
    assert int(blank.sum()) == 15
    for mask in (problem.masks.train, problem.masks.validation, problem.masks.test):
        assert not bool((mask & blank).any())
