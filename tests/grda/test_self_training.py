from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from reprise.grda.data import load, permute_rows_within_domains
from reprise.grda.generators import make_dg
from reprise.grda.graphs import chain_graph, star_graph
from reprise.grda.scores import accuracy_by_domain
from reprise.grda.self_training import (
    neighbourhood_overlap,
    schedule,
    self_train,
    source_only_linear,
    standardised,
)


def target_accuracy(domains, predictions):
    return np.nanmean(accuracy_by_domain(domains, predictions))


def test_overlap_is_common_neighbours_over_all_neighbours():
    graph = star_graph(4)
    graph[1, 2] = graph[2, 1] = 1
    overlap = neighbourhood_overlap(graph)
    assert overlap[1, 2] == pytest.approx(1 / 3)
    assert overlap[0, 3] == 0
    assert overlap[3, 3] == 1
    np.testing.assert_array_equal(overlap, overlap.T)


def test_labels_travel_along_a_chain_one_hop_at_a_time():
    source = np.array([True, True, False, False, False])
    assert schedule(chain_graph(5), source) == [(2, (1,)), (3, (2,)), (4, (3,))]


def test_the_domain_with_the_largest_share_of_labelled_neighbours_comes_first():
    # Domain 2 has one of two neighbours labelled, domain 3 its only one.
    graph = np.zeros((5, 5), dtype=np.int8)
    for i, j in [(0, 2), (2, 4), (1, 3)]:
        graph[i, j] = graph[j, i] = 1
    source = np.array([True, True, False, False, False])
    assert [index for index, _ in schedule(graph, source)] == [3, 2, 4]


def test_a_domain_learns_from_at_most_three_neighbours():
    source = np.arange(7) > 0
    assert schedule(star_graph(7), source) == [(0, (1, 2, 3))]
    assert schedule(star_graph(7), source, n_teachers=5) == [(0, (1, 2, 3, 4, 5))]


def test_the_schedule_is_empty_without_targets_or_paths():
    assert schedule(chain_graph(3), np.ones(3, dtype=bool)) == []
    assert schedule(np.zeros((3, 3)), np.array([True, False, False])) == []


def test_target_labels_are_never_read():
    domains = make_dg(15, seed=2)
    scrambled = np.where(domains.evaluation, 1 - domains.targets, domains.targets)
    blind = self_train(replace(domains, targets=scrambled)).predictions
    np.testing.assert_array_equal(self_train(domains).predictions, blind)


def test_the_order_of_the_rows_does_not_matter():
    domains = make_dg(15, seed=3, ordered=True)
    permuted = permute_rows_within_domains(domains, np.random.default_rng(0))
    assert target_accuracy(domains, self_train(domains).predictions) == pytest.approx(
        target_accuracy(permuted, self_train(permuted).predictions)
    )


@pytest.mark.parametrize("n_domains", [15, 60])
def test_the_graph_alone_solves_the_generated_sets_and_a_pooled_model_does_not(n_domains):
    domains = make_dg(n_domains, seed=0)
    found = self_train(domains)
    assert target_accuracy(domains, found.predictions) > 98
    assert target_accuracy(domains, source_only_linear(domains)) < 90
    assert sorted(found.order) == np.flatnonzero(~domains.source).tolist()
    assert len(found.teachers) == len(found.order)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "pooled"), [("dg-15", 49.1), ("dg-60", 37.6)])
def test_the_graph_alone_solves_the_published_sets(name, pooled):
    domains = load(name)
    assert target_accuracy(domains, self_train(domains).predictions) == 100
    assert target_accuracy(domains, source_only_linear(domains)) == pytest.approx(pooled, abs=0.06)


def test_any_classifier_can_be_the_model():
    domains = make_dg(15, seed=0)
    found = self_train(domains, estimator=KNeighborsClassifier(5), n_teachers=2)
    assert target_accuracy(domains, found.predictions) > 90
    assert max(map(len, found.teachers)) == 2


def test_domains_without_a_path_are_predicted_from_all_sources_with_a_warning():
    domains = make_dg(15, seed=0)
    graph = domains.adjacency.copy()
    lonely = int(np.flatnonzero(~domains.source)[0])
    graph[lonely] = graph[:, lonely] = 0
    with pytest.warns(UserWarning, match=f"1 target domains have no path.*{lonely}"):
        found = self_train(replace(domains, adjacency=graph))
    assert lonely not in found.order
    rows = domains.domain == lonely
    np.testing.assert_array_equal(found.predictions[rows], source_only_linear(domains)[rows])


def test_teachers_of_one_class_pass_that_class_on():
    domains = make_dg(6, n_sources=2, seed=0)
    found = self_train(replace(domains, targets=np.where(domains.source[domains.domain], 1, domains.targets)))
    assert (found.predictions == 1).all()


def test_inputs_are_scaled_by_the_rows_that_training_may_use_and_constant_ones_become_zero():
    domains = make_dg(6, n_sources=3, seed=0)
    seen = np.arange(domains.n_rows) != 7
    features = np.column_stack((np.where(seen, domains.features[:, 0], 1e6), np.full(domains.n_rows, 5.0)))
    scaled = standardised(replace(domains, features=features, adaptation=seen))
    np.testing.assert_allclose((scaled[seen, 0].mean(), scaled[seen, 0].std()), (0, 1), atol=1e-12)
    assert (scaled[:, 1] == 0).all()


@pytest.mark.real_data
@pytest.mark.parametrize(("task", "error"), [("east-west", 0.056), ("north-south", 0.160)])
def test_hop_by_hop_the_seasonal_map_loses_accuracy_but_beats_the_pooled_one(task, error):
    from reprise.grda.scores import squared_error_by_domain

    domains = load(f"tpt-48-{task}")
    found = np.nanmean(squared_error_by_domain(domains, self_train(domains).predictions))
    pooled = np.nanmean(squared_error_by_domain(domains, source_only_linear(domains)))
    assert found == pytest.approx(error, abs=0.001)
    assert found < pooled / 2
