import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from reprise import stats

finite = st.floats(-1e3, 1e3, allow_nan=False)


def test_the_t_interval_agrees_with_scipy():
    values = np.array([3.1, 2.7, 4.4, 3.9, 2.2])
    ours = stats.t_interval(values)
    theirs = scipy_stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-12)


def test_one_value_gives_no_finite_interval():
    interval = stats.t_interval([2.0])
    assert interval.low == -np.inf
    assert interval.high == np.inf


def test_a_diverged_run_is_not_dropped():
    assert np.isnan(stats.t_interval([1.0, np.nan, 2.0]).estimate)


def test_no_values_are_refused():
    with pytest.raises(ValueError, match="is empty"):
        stats.t_interval([])


def test_the_t_interval_covers_at_its_level_where_the_percentile_bootstrap_does_not():
    generator = np.random.default_rng(0)
    samples = generator.normal(size=(4000, 3))
    hit = np.mean([stats.t_interval(s).low <= 0 <= stats.t_interval(s).high for s in samples])
    assert 0.93 < hit < 0.97


def test_the_bootstrap_interval_is_repeatable_and_holds_the_mean():
    values = np.random.default_rng(1).exponential(size=40)
    first = stats.bootstrap_interval(values, np.random.default_rng(2))
    second = stats.bootstrap_interval(values, np.random.default_rng(2))
    assert first == second
    assert first.low < values.mean() < first.high


def test_equal_values_have_a_bootstrap_interval_without_length():
    interval = stats.bootstrap_interval(np.ones(5), np.random.default_rng(0))
    assert (interval.low, interval.high) == (1.0, 1.0)


def test_a_bootstrap_needs_two_units():
    with pytest.raises(ValueError, match="at least two"):
        stats.bootstrap_interval([1.0], np.random.default_rng(0))


@given(st.integers(0, 30), st.integers(1, 30))
def test_the_wilson_interval_holds_the_proportion_and_stays_in_the_unit_interval(successes, trials):
    successes = min(successes, trials)
    interval = stats.wilson_interval(successes, trials)
    assert -1e-12 <= interval.low <= interval.estimate + 1e-12
    assert interval.estimate - 1e-12 <= interval.high <= 1 + 1e-12


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="successes = 3"):
        stats.wilson_interval(3, 2)


def test_stratified_resampling_keeps_each_task_at_its_size():
    interval = stats.stratified_bootstrap_interval({"a": [0.0, 0.0], "b": [1.0, 1.0]}, np.random.default_rng(0))
    assert (interval.low, interval.estimate, interval.high) == (0.5, 0.5, 0.5)


def test_the_interquartile_mean_ignores_the_outer_quarters():
    assert stats.interquartile_mean(np.array([-100.0, 1.0, 3.0, 500.0])) == pytest.approx(2.0)


def test_paired_differences_use_the_common_seeds_only():
    first = pd.Series([1.0, 2.0, 3.0], index=[0, 1, 2])
    second = pd.Series([0.5, 1.0], index=[2, 1])
    np.testing.assert_allclose(stats.paired_differences(first, second), [1.0, 2.5])


def test_paired_differences_without_common_seeds_are_refused():
    with pytest.raises(ValueError, match="no common seeds"):
        stats.paired_differences(pd.Series([1.0], index=[0]), pd.Series([1.0], index=[1]))


@given(st.lists(finite, min_size=2, max_size=8))
@settings(max_examples=40)
def test_the_sign_flip_test_agrees_with_counting_all_signs(values):
    array = np.array(values)
    signs = np.array(np.meshgrid(*[[-1, 1]] * array.size)).reshape(array.size, -1).T
    expected = np.mean(np.abs(signs @ array) >= abs(array.sum()) - 1e-12)
    assert stats.sign_flip_p_value(array) == pytest.approx(expected)


def test_five_pairs_cannot_reach_five_percent_and_six_can():
    assert stats.sign_flip_p_value(np.ones(5)) == pytest.approx(2 / 32)
    assert stats.sign_flip_p_value(np.ones(6)) == pytest.approx(2 / 64)


def test_many_pairs_are_flipped_at_random_and_never_give_zero():
    assert 0 < stats.sign_flip_p_value(np.ones(30), draws=500) <= 1 / 400


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_a_p_value_and_keeps_the_order(p_values):
    adjusted = stats.holm(p_values)
    assert np.all(adjusted >= np.array(p_values) - 1e-15)
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(adjusted[order]) >= 0)


def test_the_probability_of_improvement_counts_ties_half():
    assert stats.probability_of_improvement([1, 2], [1, 0]) == pytest.approx((0.5 + 1 + 1 + 1) / 4)


def test_pearsons_interval_agrees_with_fishers_formula():
    x, y = np.arange(8.0), np.array([0.0, 2, 1, 3, 5, 4, 7, 6])
    ours = stats.pearson_interval(x, y)
    half = scipy_stats.norm.ppf(0.975) / np.sqrt(5)
    assert ours.low == pytest.approx(np.tanh(np.arctanh(ours.estimate) - half))


def test_a_rank_correlation_ignores_monotone_changes_of_scale():
    x, y = np.arange(9.0), np.array([0.0, 2, 1, 3, 5, 4, 7, 6, 8])
    assert stats.spearman_interval(x, y) == stats.spearman_interval(np.exp(x), y**3)


def test_correlations_need_four_pairs():
    with pytest.raises(ValueError, match="four pairs"):
        stats.spearman_interval([1, 2, 3], [1, 2, 3])


@given(st.lists(st.floats(-5, 5, allow_subnormal=False), min_size=3, max_size=10))
@settings(max_examples=60)
def test_seeds_to_settle_is_the_smallest_number_that_takes_the_interval_off_the_threshold(values):
    array = np.array(values)
    needed = stats.seeds_to_settle(array, most=5000)
    if needed is None:
        return

    def settled(n):
        half = scipy_stats.t.ppf(0.975, n - 1) * array.std(ddof=1) / np.sqrt(n)
        return abs(array.mean()) > half

    assert settled(needed)
    assert needed == 2 or not settled(needed - 1)


def test_a_mean_on_the_threshold_is_never_settled():
    assert stats.seeds_to_settle([-1.0, 1.0]) is None
