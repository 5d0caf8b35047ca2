"""The closed form of PIFA's gain against the specification's values and a simulation."""

import numpy as np
import pytest

from reprise.giant_xrt.effect_size import effect_size, gain, mean_inverse_degree, simulate


@pytest.mark.parametrize(
    ("degree", "contrast", "signal", "expected"),
    [(20, 0.5, 0.2, 2.14), (20, 0.8, 0.2, 3.46), (20, 0.5, 1, 1.65), (60, 0.25, 0.2, 1.89), (20, 0.1, 0.2, 0.43)],
)  # fmt: skip
def test_the_closed_form_has_the_tabulated_values(degree, contrast, signal, expected):
    assert gain(degree, contrast, signal) == pytest.approx(expected, abs=0.006)


def test_the_mean_inverse_degree_tends_to_one_over_the_mean():
    drawn = np.random.default_rng(0).poisson(5, 200_000)
    assert mean_inverse_degree(5) == pytest.approx((1 / drawn[drawn > 0]).mean(), rel=0.01)
    assert mean_inverse_degree(2000) * 2000 == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(("degree", "contrast", "signal"), [(20, 0.5, 0.5), (10, 0.8, 1.0)])
def test_the_simulation_agrees_with_the_closed_form(degree, contrast, signal):
    drawn = [simulate(degree, contrast, np.random.default_rng(s), signal=signal) for s in range(8)]
    assert np.mean(drawn) == pytest.approx(gain(degree, contrast, signal), rel=0.07)


def test_label_vectors_hurt_where_contrast_times_root_degree_is_below_one():
    assert gain(5, 0.25) < 1 < gain(60, 0.25)


def test_the_effect_size_is_cohens_d_and_does_not_change_with_scale():
    generator = np.random.default_rng(0)
    classes = np.arange(1000) % 2
    values = generator.normal(size=1000) + 2 * classes
    assert effect_size(values, classes) == pytest.approx(2, abs=0.2)
    assert effect_size(5 * values + 3, classes) == pytest.approx(effect_size(values, classes))
