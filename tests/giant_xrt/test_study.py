"""The study: equal rows from equal settings, seeds independent of one another, scale and audits."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from reprise.giant_xrt import audits, scale, study
from reprise.giant_xrt.cell import Cell
from reprise.giant_xrt.data import load
from reprise.giant_xrt.generators import without_edges
from reprise.giant_xrt.minilm import pairs_of_same_classes, told_apart
from reprise.giant_xrt.settings import Settings
from reprise.settings import SettingsError

SMALL = {
    "experiments": (
        "comparison",
        "levels",
        "labels",
        "variance",
        "degrees",
        "purity",
        "neighbours",
        "phase",
        "controls",
        "theory",
    ),
    "homophilies": (0.15, 0.6),
    "downstream_epochs": 4,
    "embedded_epochs": 1,
    "embedded_depths": (2, 4),
    "label_budgets": ("2 per class", "60 %"),
    "variance_splits": 2,
}


@pytest.fixture(scope="module")
def both():
    return study.run(Settings(seeds=(0, 1), **SMALL))


def test_rows_of_a_seed_do_not_depend_on_the_others(both):
    alone = study.run(Settings(seeds=(1,), **SMALL))
    of_one = both[both["seed"].isin([1, -1])].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_one, alone)


def test_every_part_leaves_rows_and_all_values_are_numbers(both):
    assert set(both["experiment"]) == {*SMALL["experiments"], "clusters"}
    assert np.isfinite(both["value"]).all()
    shares = both[both["metric"].isin(["accuracy", "purity"])]["value"]
    assert shares.between(0, 100).all()


def test_parts_are_run_for_the_seeds_asked_for(both):
    assert set(both[both["labels"].eq("60 %") & both["experiment"].eq("comparison")]["seed"]) == {0}


def test_sets_that_are_only_compared_have_few_labels_only():
    rows = study.run(Settings(seeds=(0, 7), full_study_datasets=(), other_seeds=(0,), **SMALL))
    assert set(rows[rows["seed"] >= 0]["seed"]) == {0}
    assert set(rows[rows["experiment"] == "comparison"]["labels"]) == {"20 per class"}


def test_rates_are_chosen_on_validation_nodes_of_the_first_split():
    short = {**SMALL, "experiments": ("purity",), "learning_rates": (1e-5, 2e-3)}
    rows = study.run(Settings(seeds=(0,), **short))
    tried = rows[rows["experiment"] == "rates"]
    assert set(tried["split"]) == {"validation"}
    assert len(tried[tried["model"] == "ridge"]) == len(tried[tried["model"] == "MLP"]) == 4


def test_rates_of_sets_that_are_only_compared_are_recorded_too():
    short = {**SMALL, "experiments": ("purity",), "learning_rates": (1e-5, 2e-3)}
    rows = study.run(Settings(seeds=(0,), full_study_datasets=(), **short))
    tried = rows[rows["experiment"] == "rates"]
    assert set(tried["method"]) == {"GIANT", "Link prediction"}
    assert set(tried["model"]) == {"ridge"}


def test_a_changed_graph_gets_as_many_updates_and_the_same_rate():
    cell = Cell.of(Settings(), "text-blocks")
    few = without_edges(cell.graph.adjacency, 0.95, np.random.default_rng(0))[0]
    other = cell.with_graph(few)
    assert len(other.instances) < 0.8 * len(cell.instances)
    assert other.n_updates == cell.n_updates
    assert other.recipe.steps(len(other.instances)) == cell.recipe.steps(len(cell.instances))
    assert other.learning_rate == cell.learning_rate
    assert other.tfidf is cell.tfidf


def test_the_phase_has_every_amount_of_labels_and_the_homophily_drawn(both):
    phase = both[both["experiment"] == "phase"]
    accuracies = phase[phase["metric"] == "accuracy"]
    assert set(accuracies["labels"]) == {"20 per class", "2 per class", "60 %"}
    homophily = phase[phase["metric"] == "homophily"].set_index("at")["value"]
    assert homophily[0.15] < 0.45 < homophily[0.6]


def test_clusters_of_held_out_neighbours_are_harder_to_tell_the_finer_they_are(both):
    clusters = both[(both["experiment"] == "clusters") & (both["metric"] == "precision@1")]
    assert set(clusters["split"]) == {"held-out edges"}
    means = clusters[clusters["method"] == "GIANT"].groupby("level")["value"].mean()
    assert means.is_monotonic_decreasing
    assert set(clusters["method"]) == {"GIANT, own heads", "Most linked clusters", *audits.ON_CLUSTERS}


def test_pairs_without_a_link_have_the_classes_of_linked_ones():
    graph = load("text-blocks")
    linked, others = pairs_of_same_classes(graph, np.random.default_rng(0))
    assert linked.shape == others.shape
    assert (linked[0] == others[0]).all()
    assert (graph.labels[linked[1]] == graph.labels[others[1]]).all()
    assert (graph.adjacency[linked[0], linked[1]] > 0).all()
    assert not (graph.adjacency[others[0], others[1]] > 0).any()
    assert linked.shape[1] > 0.9 * graph.adjacency.nnz


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_features_that_know_links_tell_pairs_apart_and_constant_ones_do_not(kind):
    linked, others = np.array([[0, 1, 2], [1, 0, 3]]), np.array([[0, 1, 2], [2, 2, 0]])
    knowing = np.array([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]])
    assert told_apart(kind(knowing), linked, others) == 1
    assert told_apart(kind(np.ones((4, 2))), linked, others) == 0.5
    assert told_apart(kind(knowing), linked, linked) == 0.5


def test_language_models_read_sets_with_language_only(monkeypatch):
    settings = Settings(seeds=(0,), experiments=("minilm",))
    assert study.run(Settings(seeds=(0,), experiments=("purity", "minilm")))["method"].str.contains("MiniLM").sum() == 0
    assert study.PARTS["minilm"].is_run(settings, "movie-plots", 0)
    assert not study.PARTS["minilm"].is_run(settings, "coauthor-cs", 0)


def test_purity_of_one_cluster_each_and_of_chance():
    labels = np.array([0, 0, 1, 1])
    assert audits.purity(np.arange(4), labels) == 1
    assert audits.purity(np.zeros(4, dtype=int), labels) == 0.5


def test_scale_is_measured_step_by_step_and_extrapolated_with_the_depth():
    found = scale.measure(1200)
    assert [one["step"] for one in found] == list(scale.STEPS)
    assert all(one["seconds"] >= 0 and one["mebibytes"] > 0 for one in found)
    assert scale.extrapolated(10, 10**6, 10**8, tree=False) == pytest.approx(1000)
    assert scale.extrapolated(14, 10**6, 10**8, tree=True) == pytest.approx(2000)


def test_unknown_experiments_are_refused():
    with pytest.raises(SettingsError, match="experiments"):
        Settings.checked({"experiments": ["comparisons"]})
