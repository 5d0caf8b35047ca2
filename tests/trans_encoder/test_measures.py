"""Measures against SciPy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from reprise.trans_encoder import measures

numbers = st.lists(st.tuples(st.integers(0, 5), st.integers(-3, 3)), min_size=3, max_size=40)


@given(numbers)
def test_spearman_is_scipys_with_ties(values):
    gold, scores = (np.array(column, dtype=float) for column in zip(*values, strict=True))
    found = measures.spearman(gold, scores)
    if np.ptp(gold) == 0 or np.ptp(scores) == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(100 * spearmanr(gold, scores).statistic, abs=1e-9)


@given(numbers)
def test_the_area_is_scikit_learns_with_ties(values):
    gold, scores = (np.array(column, dtype=float) for column in zip(*values, strict=True))
    gold = (gold > 2).astype(float)
    if 0 < gold.sum() < len(gold):
        assert measures.area_under_curve(gold, scores) == pytest.approx(100 * roc_auc_score(gold, scores))


def test_ranks_do_not_see_a_monotone_change():
    generator = np.random.default_rng(0)
    gold, scores = generator.normal(size=(2, 50))
    assert measures.spearman(gold, scores) == pytest.approx(measures.spearman(gold, np.exp(scores)))


def test_one_spearman_over_joined_sets_differs_from_the_mean():
    gold = np.array([0, 1, 2, 3, 4, 5.0])
    scores = np.array([5, 6, 7, 0, 1, 2.0])  # each half in order, the halves not
    halves = [measures.spearman(gold[part], scores[part]) for part in (slice(0, 3), slice(3, 6))]
    assert np.mean(halves) == pytest.approx(100)
    assert measures.spearman(gold, scores) < 0


@pytest.mark.parametrize("kind", ["spearman", "auc"])
def test_the_bootstrap_pairs_methods_and_centres_on_the_measure(kind):
    generator = np.random.default_rng(1)
    gold = generator.integers(0, 2, 300).astype(float)
    scores = gold + generator.normal(size=300)
    found = measures.bootstrap(kind, gold, [scores, scores, -scores], np.random.default_rng(2), draws=300)
    np.testing.assert_array_equal(found[0], found[1])
    assert found[0].mean() == pytest.approx(measures.measure(kind, gold, scores), abs=1)
    assert found.shape == (3, 300)


def test_relative_ranks_lie_between_0_and_100():
    np.testing.assert_allclose(measures.relative_ranks(np.array([3.0, 1.0, 3.0, 2.0])), [75, 12.5, 75, 37.5])


def test_spearman_takes_lists():
    assert measures.spearman([1, 2, 3], [0.1, 0.2, 0.9]) == pytest.approx(100)
