import numpy as np
import pytest

from reprise.in_domain.bootstrap import mean_r2_interval
from reprise.in_domain.grid import FactorGrid
from reprise.in_domain.scores import mean_r2, r2_by_factor, rho_histogram

GRID = FactorGrid((3, 20, 20), ("shape", "x", "y"), ("shape",), ("shape",))
INDEX = np.arange(len(GRID))


def noisy(seed, spread=0.1):
    generator = np.random.default_rng(seed)
    return GRID.targets(INDEX) + spread * generator.standard_normal((len(GRID), 3))


def test_the_interval_of_equal_errors_is_a_point():
    low, high = mean_r2_interval(GRID, INDEX, GRID.targets(INDEX) + 0.1)
    assert low == pytest.approx(high) == pytest.approx(float((1 - 0.01 / GRID.variances).mean()))


def test_the_interval_holds_the_score_and_is_the_same_each_time():
    predicted = noisy(0)
    low, high = mean_r2_interval(GRID, INDEX, predicted)
    assert low < mean_r2(GRID, r2_by_factor(GRID, INDEX, predicted))[0] < high
    assert (low, high) == mean_r2_interval(GRID, INDEX, predicted)


def test_an_error_that_hangs_on_a_factors_value_widens_it_more_than_one_that_hangs_on_images():
    by_value = GRID.targets(INDEX)
    by_value[:, 0] += 0.3 * (GRID.factors(INDEX)[:, 1] < 5)
    by_image = GRID.targets(INDEX)
    by_image[:, 0] += 0.3 * np.random.default_rng(0).permutation(GRID.factors(INDEX)[:, 1] < 5)
    widths = [np.diff(mean_r2_interval(GRID, INDEX, p))[0] for p in (by_value, by_image)]
    assert widths[0] > 2 * widths[1]


def test_its_width_is_near_that_of_the_mean_over_values_drawn_anew():
    # The error is 1 at x values with a coin's head, for the first factor alone: its mean over n values has the
    # standard error sqrt(p (1 - p) / n).
    heads = np.arange(20) % 2 == 0
    predicted = GRID.targets(INDEX)
    predicted[:, 0] += heads[GRID.factors(INDEX)[:, 1]]
    low, high = mean_r2_interval(GRID, INDEX, predicted, n_draws=2000)
    expected = 2 * 1.96 * np.sqrt(0.25 / 20) / GRID.variances[0] / 3
    assert high - low == pytest.approx(expected, rel=0.1)


def test_a_prediction_that_is_nan_gives_nan():
    predicted = noisy(0)
    predicted[0, 0] = np.nan
    assert np.isnan(mean_r2_interval(GRID, INDEX, predicted)).all()


def test_the_histogram_counts_each_ratio_once_with_those_beyond_in_the_end_bars():
    middles, shares = rho_histogram(np.array([-5.0, -0.99, 0.51, 1.99, 7.0]))
    assert len(middles) == 24
    assert (shares[0], shares[12], shares[-1]) == (0.4, 0.2, 0.4)
    assert sum(shares) == pytest.approx(1)
