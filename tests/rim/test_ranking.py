"""Choosing, measuring and greedy matching against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reprise.rim import measures
from reprise.rim.greedy import greedy_assignment
from reprise.rim.input_checks import RimInputError
from reprise.rim.linear_programme import best_assignment
from reprise.rim.matching import Bounds
from reprise.rim.ranking import intensity_scores, item_rec, user_rec


@st.composite
def matrices(draw):
    n, m = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    values = draw(st.lists(st.integers(0, 4), min_size=n * m, max_size=n * m))
    scores = np.array(values, dtype=float).reshape(n, m)
    masked = np.array(draw(st.lists(st.booleans(), min_size=n * m, max_size=n * m))).reshape(n, m)
    return np.where(masked & (scores == 0), -np.inf, scores)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(matrices(), st.data())
def test_the_largest_are_chosen_and_ties_go_to_the_first(scores, data):
    k = data.draw(st.integers(1, scores.shape[1]))
    expected = np.zeros(scores.shape, dtype=bool)
    for row, values in enumerate(scores):
        best = sorted(range(len(values)), key=lambda y: (-values[y], y))[:k]
        expected[row, [y for y in best if np.isfinite(values[y])]] = True
    np.testing.assert_array_equal(item_rec(scores, k), expected)
    c = data.draw(st.integers(1, scores.shape[0]))
    np.testing.assert_array_equal(user_rec(scores, c), item_rec(np.ascontiguousarray(scores.T), c).T)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_a_positive_factor_per_user_changes_no_items_but_can_change_users(seed):
    draw = np.random.default_rng(seed)
    p = draw.dirichlet(np.ones(9), 12)
    activity = draw.exponential(size=12) + 1e-6
    plain, scaled = (intensity_scores(p, a) for a in (np.ones(12), activity))
    np.testing.assert_array_equal(item_rec(plain, 3), item_rec(scaled, 3))
    order = draw.permutation(12)
    np.testing.assert_array_equal(user_rec(scaled[order], 4), user_rec(scaled, 4)[order])


@pytest.mark.parametrize("activity", [[1.0], [1.0, -1.0], [1.0, np.nan], [1.0, np.inf], [[1.0], [1.0]]])
def test_an_activity_that_is_none_is_refused(activity):
    with pytest.raises(RimInputError, match="activity"):
        intensity_scores(np.full((2, 3), 0.1), np.array(activity))


def test_logits_are_refused_where_probabilities_are_needed():
    with pytest.raises(RimInputError, match="expected probabilities × intensity"):
        intensity_scores(np.array([[0.9, 0.8]]), np.ones(1))
    with pytest.raises(RimInputError, match="expected probabilities × intensity"):
        intensity_scores(np.array([[-0.1, 0.8]]), np.ones(1))
    assert np.isneginf(intensity_scores(np.array([[0.1, 0.8]]), np.ones(1), np.array([[True, False]]))[0, 0])


@pytest.mark.parametrize("k", [0, 4, 1.5, True, "2", None, np.nan])
def test_more_than_there_is_cannot_be_chosen(k):
    with pytest.raises(RimInputError, match=r"k=.* from 1 to 3"):
        item_rec(np.ones((2, 3)), k)
    with pytest.raises(RimInputError, match=r"c=.*users"):
        user_rec(np.ones((3, 2)), k)


def test_precision_and_recall_on_a_matrix_that_can_be_checked_by_hand():
    A = np.array([[1, 1, 0], [0, 1, 0]])
    Y = np.array([[2.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    assert measures.precision(A, Y) == pytest.approx(2 / 3)
    assert measures.precision(A, Y, least=4) == pytest.approx(2 / 4)
    assert measures.recall(A, Y) == pytest.approx((2 / 3 + 0) / 2)
    assert measures.recall(A, Y, axis=0) == pytest.approx((2 / 2 + 0 + 0) / 3)
    assert measures.coverage(A) == pytest.approx(2 / 3)
    assert measures.coverage(A, axis=1) == 1


def test_the_released_recall_is_not_the_recall():
    A, Y = np.array([[1, 0], [0, 1]]), np.array([[1.0, 0.0], [0.0, 4.0]])
    assert measures.recall(A, Y) == 1.0
    hits, ideal = np.array([[1.0], [4.0]]), np.array([1.0, 4.0])
    assert measures.released_item_recall(A, Y) == pytest.approx((hits / ideal).mean())
    assert measures.released_item_recall(A, Y) > 1.5


def test_perplexity_lies_between_one_and_the_number_of_items():
    draw = np.random.default_rng(0)
    for _ in range(20):
        A = draw.integers(0, 2, (6, 5))
        assert A.sum() == 0 or 1 - 1e-12 <= measures.perplexity(A) <= 5 + 1e-12
    assert measures.perplexity(np.zeros((2, 2))) == 0
    assert measures.perplexity(np.ones((6, 5)), axis=1) == pytest.approx(6)


def test_blocks_are_of_equal_size_and_sums_add_up():
    draw = np.random.default_rng(0)
    blocks = measures.blocks_of(np.arange(1000), 1000, draw)
    assert (np.bincount(blocks) == 20).all()
    values = draw.uniform(size=1000)
    assert measures.block_sums(values, blocks).sum() == pytest.approx(values.sum())
    assert (measures.block_weights(30, draw).sum(1) == 50).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("bounds", [Bounds(2, most=3), Bounds(2, least=3), Bounds(1, least=1), Bounds(99, most=4)])
def test_greedy_keeps_its_bounds_and_is_no_better_than_the_best(bounds, seed):
    scores = np.random.default_rng(seed).gamma(0.5, size=(20, 10))
    taken = greedy_assignment(scores, bounds)
    assert (taken.sum(1) <= min(bounds.per_user, 10)).all()
    if bounds.most is not None:
        assert (taken.sum(0) <= bounds.most).all()
    _, best = best_assignment(scores, bounds)
    total = (scores * taken).sum()
    short = np.maximum((bounds.least or 0) - taken.sum(0), 0).sum()
    assert total <= best + 1e-9 or short > 0
    assert total >= 0.5 * best


def test_greedy_takes_pairs_in_order():
    scores = np.array([[5.0, 4.0], [3.0, 2.0]])
    assert greedy_assignment(scores, Bounds(1, most=1)).tolist() == [[True, False], [False, True]]
    assert greedy_assignment(np.array([[5.0, -np.inf]]), Bounds(2, most=1)).tolist() == [[True, False]]
