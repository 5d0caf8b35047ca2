"""Roots, dual, certificate and both solvers against bisection, finite differences and the exact linear programme."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import expit

from reprise.rim.input_checks import RimInputError
from reprise.rim.linear_programme import best_assignment
from reprise.rim.matching import Bounds, _Dual, alternate, certify, solve
from reprise.rim.roots import one_sided_root, two_sided_price


def random_scores(n_users=40, n_items=12, seed=0):
    """Return softmax rows of rank three times Gamma activity, as a recommender's intensities look."""
    draw = np.random.default_rng(seed)
    logits = 2 * draw.normal(size=(n_users, 3)) @ draw.normal(size=(3, n_items))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return probabilities * draw.gamma(0.7, 1.0, (n_users, 1))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.integers(2, 9),
    st.floats(0.05, 0.95),
    st.floats(-6, 0.5),
    st.integers(0, 10_000),
)
def test_newtons_root_is_that_of_brent(n, share, exponent, seed):
    z = np.random.default_rng(seed).normal(size=n)
    smoothing, bound = 10.0**exponent, share * n
    found = float(one_sided_root(torch.from_numpy(z[None]), bound, smoothing)[0])
    assert abs(expit((z - found) / smoothing).sum() - bound) < 2e-4
    expected = brentq(lambda u: expit((z - u) / smoothing).sum() - bound, z.min() - 60, z.max() + 60, xtol=1e-14)
    # Where the sum is flat at the bound any root does; where it is not, both agree.
    assert (
        abs(found - expected) < 1e-3 * max(1, smoothing) or abs(expit((z - expected) / smoothing).sum() - bound) < 2e-4
    )


def test_roots_of_bounds_that_cannot_bind_are_infinite():
    z = torch.zeros(2, 3, dtype=torch.float64)
    assert one_sided_root(z, 0, 0.1).tolist() == [np.inf] * 2
    assert one_sided_root(z, 3, 0.1).tolist() == [-np.inf] * 2
    assert two_sided_price(z, None, 4.0, 0.1).tolist() == [0, 0]


def test_masked_pairs_take_no_part_in_a_root():
    z = torch.tensor([[0.3, -torch.inf, 0.1, 0.7]], dtype=torch.float64)
    without = torch.tensor([[0.3, 0.1, 0.7]], dtype=torch.float64)
    torch.testing.assert_close(one_sided_root(z, 1.5, 0.05), one_sided_root(without, 1.5, 0.05))
    assert one_sided_root(z, 3, 0.05).tolist() == [-np.inf]


def test_a_start_far_off_gives_the_same_root():
    z = torch.from_numpy(random_scores())
    plain = one_sided_root(z, 3, 1e-3)
    far = one_sided_root(z, 3, 1e-3, start=torch.full((40,), 99.0, dtype=torch.float64))
    share = [torch.sigmoid((z - u[:, None]) / 1e-3).sum(1) for u in (plain, far)]
    torch.testing.assert_close(share[0], share[1], atol=3e-4, rtol=0)


@pytest.mark.parametrize(
    "bounds", [Bounds(2, least=3.0), Bounds(2, most=5.0), Bounds(3, 4.0, 12.0), Bounds(99, most=4.0)]
)
def test_the_duals_gradient_is_that_of_its_value(bounds):
    dual = _Dual(torch.from_numpy(random_scores() / random_scores().max()), bounds)
    weights = np.random.default_rng(1).uniform(0, 2, dual.n_weights)
    signs = np.repeat([sign for sign, _ in dual.parts], dual.n_items)
    weights, smoothing, step = weights * signs, 0.05, 1e-4
    _, gradient = dual._value(weights, smoothing)
    for place in (0, 5, dual.n_weights - 1):
        moved = [
            dual._value(weights + sign * step * (np.arange(dual.n_weights) == place), smoothing)[0] for sign in (1, -1)
        ]
        assert (moved[0] - moved[1]) / (2 * step) == pytest.approx(gradient[place], abs=2e-3)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "bounds", [Bounds(2, least=4.0), Bounds(2, most=5.0), Bounds(3, 4.0, 12.0), Bounds(99, most=4.0)]
)
def test_the_exact_solver_reaches_the_linear_programme(bounds, seed):
    scores = random_scores(seed=seed)
    _, best = best_assignment(scores, bounds)
    prices = solve(scores, bounds, levels=10)
    found = certify(scores, prices.serve(scores), prices.values * prices.scale, bounds)
    assert found.bound >= best * (1 - 1e-9), "weak duality"
    assert found.objective == pytest.approx(best, rel=2e-3)
    assert found.shortfall < 5e-3
    assert found.excess < 5e-3
    assert abs(found.gap) < 5e-3


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_no_prices_certify_less_than_the_best_assignment(seed):
    draw = np.random.default_rng(seed)
    scores = random_scores(8, 5, seed)
    for bounds, sign in ((Bounds(1.5, least=1.0), -1), (Bounds(2, most=2.5), 1)):
        assignment, best = best_assignment(scores, bounds)
        prices = sign * draw.exponential(0.3, 5)
        found = certify(scores, assignment, prices, bounds)
        assert found.bound >= best - 1e-9
        assert found.objective == pytest.approx(best)
        assert max(found.shortfall, found.excess) < 1e-9


def test_masked_pairs_are_never_chosen_and_bounds_still_hold():
    scores = random_scores()
    scores[::2, 3] = scores[::5, 7] = -np.inf
    bounds = Bounds(2, least=4.0)
    prices = solve(scores, bounds, levels=9)
    served = prices.serve(scores)
    assert (served[np.isneginf(scores)] == 0).all()
    _, best = best_assignment(scores, bounds)
    found = certify(scores, served, prices.values * prices.scale, bounds)
    assert found.objective == pytest.approx(best, rel=5e-3)
    assert found.shortfall < 5e-3


def test_users_are_served_alone_as_they_are_together():
    scores = random_scores()
    prices = solve(scores, Bounds(2, least=4.0))
    together = prices.serve(scores)
    for row in (0, 17, 39):
        np.testing.assert_allclose(prices.serve(scores[row : row + 1])[0], together[row], atol=1e-3)
    assert (together.sum(1) <= 2 + 1e-3).all()


def test_prices_follow_the_scale_and_the_order_of_users_and_items():
    scores = random_scores()
    served = solve(scores, Bounds(2, least=4.0), levels=9).serve
    other = solve(7 * scores[::-1, ::-1], Bounds(2, least=4.0), levels=9)
    np.testing.assert_allclose(other.serve(7 * scores[::-1, ::-1])[::-1, ::-1], served(scores), atol=0.05)


def test_without_item_bounds_users_get_their_best_items():
    scores = random_scores()
    prices = solve(scores, Bounds(3), levels=12)
    assert (prices.values == 0).all()
    chosen = prices.serve(scores) > 0.5
    best = -np.sort(-scores, axis=1)[:, 2]
    np.testing.assert_array_equal(chosen, scores >= best[:, None])


def test_without_a_user_bound_items_get_their_best_users():
    scores = random_scores()
    prices = solve(scores, Bounds(12, most=4.0), levels=10)
    np.testing.assert_allclose(prices.serve(scores).sum(0), 4.0, atol=0.1)


def test_the_released_loop_leaves_more_undelivered_than_the_exact_solver():
    """At the released schedule the alternation freezes before it is optimal; seen on larger matrices."""
    scores = random_scores(200, 60, 3)
    bounds = Bounds(2, least=0.9 * 2 * 200 / 60)
    start = -np.random.default_rng(0).uniform(size=60)
    loop = alternate(scores, bounds, start)
    exact = solve(scores, bounds, levels=9)
    found = [certify(scores, p.serve(scores), p.values * p.scale, bounds) for p in (loop, exact)]
    _, best = best_assignment(scores, bounds)
    assert found[1].shortfall < 2e-3
    assert found[1].objective == pytest.approx(best, rel=5e-3)
    assert found[0].shortfall > 5 * found[1].shortfall or found[0].objective < 0.99 * best


def test_given_enough_epochs_the_loop_comes_close_to_the_optimum():
    scores = random_scores()
    bounds = Bounds(2, least=4.0)
    slow = alternate(scores, bounds, -np.random.default_rng(0).uniform(size=12), epochs=3000)
    found = certify(scores, slow.serve(scores), slow.values * slow.scale, bounds)
    _, best = best_assignment(scores, bounds)
    assert found.objective == pytest.approx(best, rel=0.02)
    assert found.shortfall < 0.02


@pytest.mark.parametrize(
    ("scores", "bounds", "message"),
    [
        (np.array([[-0.1, 0.2]]), Bounds(1, most=1.0), "expected probabilities × intensity, found -0.1"),
        (np.array([[np.nan, 0.2]]), Bounds(1, most=1.0), "expected probabilities × intensity, found nan"),
        (np.array([[np.inf, 0.2]]), Bounds(1, most=1.0), "expected probabilities × intensity, found inf"),
        (np.zeros((2, 2)), Bounds(1, most=1.0), "nothing to match"),
        (np.ones(3), Bounds(1, most=1.0), "shape"),
        (np.ones((4, 3)), Bounds(1, least=2.0), r"3 items × 2 = 6 > 4 users × 1 = 4"),
        (np.ones((4, 3)), Bounds(0, most=2.0), "max_per_user=0"),
        (np.ones((4, 3)), Bounds(1, most=9.0), "max_per_item=9"),
        (np.ones((4, 3)), Bounds(1, least=1.0, most=0.5), "exceeds"),
    ],
)
def test_what_cannot_be_matched_is_refused(scores, bounds, message):
    with pytest.raises(RimInputError, match=message):
        solve(scores, bounds)
