"""Shapley values against brute force, axioms and two independent libraries."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprise.walk_alone.attribution import shapley
from reprise.walk_alone.coalitions import (
    all_coalitions,
    antithetic_orders,
    banzhaf_weights,
    kernel_weights,
    prefixes,
    shapley_weights,
)

METHODS = ("exact", "permutation", "kernel", "banzhaf", "coin flips")


def index_of(masks):
    return masks @ (1 << np.arange(masks.shape[-1]))


def table_game(table):
    return lambda masks: table[index_of(masks)]


def random_table(n_players, seed):
    return np.random.default_rng(seed).normal(size=2**n_players)


def by_all_orders(table, n_players):
    shares = np.zeros(n_players)
    orders = list(permutations(range(n_players)))
    for order in orders:
        present = 0
        for player in order:
            shares[player] += table[present | 1 << player] - table[present]
            present |= 1 << player
    return shares / len(orders)


games = st.integers(1, 6).flatmap(
    lambda m: st.tuples(st.just(m), st.lists(st.floats(-10, 10), min_size=2**m, max_size=2**m).map(np.array))
)


@pytest.mark.parametrize("n_players", [1, 2, 3, 5, 6])
def test_exact_values_equal_the_mean_over_all_orders(n_players):
    table = random_table(n_players, 0)
    found = shapley(table_game(table), n_players, method="exact")
    np.testing.assert_allclose(found.values, by_all_orders(table, n_players), atol=1e-12)
    assert found.n_evaluations == 2**n_players


@given(games)
@settings(max_examples=60, deadline=None)
def test_exact_and_permutation_values_are_efficient(game):
    n_players, table = game
    total = table[-1] - table[0]
    for method in ("exact", "permutation"):
        found = shapley(table_game(table), n_players, method=method, budget=80)
        assert found.values.sum() == pytest.approx(total, abs=1e-9)
        assert found.efficiency_gap == pytest.approx(0, abs=1e-9)


@given(games, st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_a_dummy_gets_nothing_from_any_estimator(game, place):
    n_players, table = game
    place = min(place, n_players)

    def value(masks):
        return table[index_of(np.delete(masks, place, axis=-1))]

    for method in METHODS:
        found = shapley(value, n_players + 1, method=method, budget=200)
        assert found.values[place] == pytest.approx(0, abs=1e-7), method


@given(games)
@settings(max_examples=60, deadline=None)
def test_players_that_are_interchangeable_get_the_same(game):
    n_players, table = game

    def value(masks):
        twins = np.concatenate([masks[..., :1] & masks[..., 1:2], masks[..., 2:]], axis=-1)
        return table[index_of(twins)]

    for method in ("exact", "banzhaf"):
        found = shapley(value, n_players + 1, method=method).values
        assert found[0] == pytest.approx(found[1], abs=1e-9)


@given(games, st.floats(-3, 3))
@settings(max_examples=40, deadline=None)
def test_shares_are_linear_in_the_game(game, factor):
    n_players, table = game
    other = random_table(n_players, 1)
    for method in METHODS:
        how = {"method": method, "budget": 200, "seed": 3}
        of_sum = shapley(table_game(table + factor * other), n_players, **how).values
        parts = [shapley(table_game(t), n_players, **how).values for t in (table, other)]
        np.testing.assert_allclose(of_sum, parts[0] + factor * parts[1], atol=1e-6)


def test_banzhaf_values_are_plain_means_of_marginals_and_not_efficient():
    table = random_table(4, 2)
    found = shapley(table_game(table), 4, method="banzhaf")
    masks = all_coalitions(4)
    for player in range(4):
        with_player = index_of(masks[masks[:, player]])
        assert found.values[player] == pytest.approx(np.mean(table[with_player] - table[with_player - 2**player]))
    assert abs(found.efficiency_gap) > 0.1


def test_the_kernel_with_all_coalitions_is_exact():
    table = random_table(6, 3)
    exact = shapley(table_game(table), 6, method="exact").values
    np.testing.assert_allclose(shapley(table_game(table), 6, method="kernel", budget=64).values, exact, atol=1e-9)


@pytest.mark.parametrize(("method", "truth"), [("permutation", "exact"), ("coin flips", "banzhaf")])
def test_sampled_values_are_within_their_standard_errors_of_the_truth(method, truth):
    games, n_players = 200, 7
    tables = np.random.default_rng(4).normal(size=(games, 2**n_players))

    def value(masks):
        return np.take_along_axis(tables, index_of(masks), axis=1)

    exact = shapley(value, n_players, method=truth, n_games=games).values
    found = shapley(value, n_players, method=method, budget=126, n_games=games, seed=1)
    scores = (found.values - exact) / found.standard_errors
    assert abs(scores.mean()) < 0.15
    assert 0.8 < scores.std() < 1.5


def test_the_sampled_kernel_is_near_the_truth():
    table = random_table(12, 5)
    exact = shapley(table_game(table), 12, method="exact").values
    found = shapley(table_game(table), 12, method="kernel", budget=2000)
    assert np.all(np.abs(found.values - exact) < 4.5 * found.standard_errors)
    assert found.values.sum() == pytest.approx(table[-1] - table[0])


def test_auto_is_exact_where_the_budget_allows():
    table = random_table(5, 0)
    assert shapley(table_game(table), 5, budget=32).method == "exact"
    assert shapley(table_game(table), 5, budget=31).method == "permutation"


def test_orders_come_with_their_reverse_and_prefixes_grow_by_one():
    orders = antithetic_orders(np.random.default_rng(0), 2, 3, 5)
    np.testing.assert_array_equal(orders[:, 1::2], orders[:, ::2, ::-1])
    sizes = prefixes(orders).sum(-1)
    np.testing.assert_array_equal(sizes, np.broadcast_to([1, 2, 3, 4], sizes.shape))
    assert prefixes(orders)[0, 0, 0, orders[0, 0, 0]]


@pytest.mark.parametrize("n_players", [2, 5, 9])
def test_weights_have_the_known_sums(n_players):
    weights = shapley_weights(n_players)
    np.testing.assert_allclose(weights.clip(min=0).sum(0), 1)
    np.testing.assert_allclose(weights.sum(0), 0, atol=1e-12)
    np.testing.assert_allclose(banzhaf_weights(n_players).clip(min=0).sum(0), 1)
    assert kernel_weights(n_players)[0] == kernel_weights(n_players)[-1] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_players": 17, "method": "exact"}, "131072 coalitions.*permutation"),
        ({"n_players": 3, "method": "guess"}, "method='guess' is unknown"),
        ({"n_players": 0}, "at least one player"),
        ({"n_players": 6, "method": "permutation", "budget": 8}, "give at least 12"),
        ({"n_players": 6, "method": "coin flips", "budget": 8}, "budget=8 is too small"),
        ({"n_players": 6, "method": "kernel", "budget": 60}, "give at least 122"),
    ],
)
def test_impossible_requests_say_what_to_do(arguments, words):
    with pytest.raises(ValueError, match=words):
        shapley(lambda masks: masks.sum(-1).astype(float), **arguments)


def test_a_value_function_of_the_wrong_shape_or_with_nan_is_refused():
    with pytest.raises(ValueError, match=r"returned the shape \(\) for masks \(8, 3\)"):
        shapley(lambda masks: np.float64(1), 3)
    with pytest.raises(ValueError, match="not finite"):
        shapley(lambda masks: np.where(masks[:, 0], np.nan, 1.0), 3)


def test_games_side_by_side_have_draws_of_their_own():
    table = random_table(6, 6)
    found = shapley(lambda masks: table[index_of(masks)], 6, method="permutation", budget=22, n_games=2)
    assert not np.allclose(found.values[0], found.values[1])


def test_exact_values_equal_those_of_shap():
    shap = pytest.importorskip("shap")
    table = random_table(6, 7)
    value = table_game(table)
    explainer = shap.explainers.ExactExplainer(lambda x: value(x > 0.5), np.zeros((1, 6)))
    theirs = explainer(np.ones((1, 6))).values[0]
    np.testing.assert_allclose(shapley(value, 6, method="exact").values, theirs, atol=1e-6)


def test_sampled_values_agree_with_shaps_permutation_and_kernel_explainers():
    shap = pytest.importorskip("shap")
    table = random_table(6, 8)
    value = table_game(table)
    ours = shapley(value, 6, method="permutation", budget=500)
    theirs = shap.explainers.PermutationExplainer(lambda x: value(x > 0.5), np.zeros((1, 6)), seed=0)
    their_values = theirs(np.ones((1, 6)), max_evals=1300).values[0]
    assert np.all(np.abs(ours.values - their_values) < 4 * ours.standard_errors + 0.15)
    kernel = shap.KernelExplainer(lambda x: value(x > 0.5), np.zeros((1, 6)))
    np.testing.assert_allclose(
        shapley(value, 6, method="kernel").values, kernel.shap_values(np.ones((1, 6)), silent=True)[0], atol=1e-5
    )


def test_exact_values_equal_those_of_captum():
    attr = pytest.importorskip("captum.attr")
    import torch

    table = random_table(4, 9)
    value = table_game(table)

    def forward(x):
        return torch.from_numpy(np.atleast_1d(value(x.numpy() > 0.5)))

    theirs = attr.ShapleyValues(forward).attribute(torch.ones(1, 4), baselines=torch.zeros(1, 4))
    np.testing.assert_allclose(shapley(value, 4, method="exact").values, theirs[0].numpy(), atol=1e-6)
