from functools import cache

import numpy as np
import pytest
from sklearn.metrics import r2_score

from reprise.in_domain.evaluation import Evaluation
from reprise.in_domain.grid import FactorGrid, find_grid
from reprise.in_domain.oracles import oracle_scores
from reprise.in_domain.scores import (
    check_finite,
    check_range,
    check_shape,
    clamp_predictions,
    mean_r2,
    r2_by_factor,
    rho,
    train_mean_predictions,
)
from reprise.in_domain.splits import make_split

# Clamp over all factors, without those kept in both parts, and the training mean, as computed with the official metric.
EXTRAPOLATION = {
    "dsprites": (0.873, 0.842, -0.388), "sprites-rot90": (0.867, 0.834, -0.388), "shapes3d": (0.916, 0.899, -0.302),
    "mpi3d": (0.782, 0.695, -0.302), "celebglow": (0.695, 0.594, -0.546), "turntable": (0.855, 0.818, -0.397),
}  # fmt: skip
INTERPOLATION = {
    "dsprites": (0.964, 0.016), "sprites-rot90": (0.957, 0.021), "shapes3d": (0.968, 0.029), "mpi3d": (0.784, 0.073),
    "celebglow": (0.878, 0.036), "turntable": (0.961, 0.024),
}  # fmt: skip
OWN_FACTOR = {
    "dsprites": {"scale": 0.143, "orientation": 0.809, "x": 0.765, "y": 0.765},
    "sprites-rot90": {"scale": 0.143, "orientation": 0.697, "x": 0.765, "y": 0.765},
    "shapes3d": {"floor hue": 0.697, "size": 0.524, "azimuth": 0.750},
    "mpi3d": {"colour": 0.657, "height": -0.5, "background": -0.5, "x": 0.944, "y": 0.944},
    "turntable": {"azimuth": 0.764, "scale": 0.143, "x": 0.647, "y": 0.647},
}


@cache
def scores_of(name, kind):
    table = oracle_scores(find_grid(name), kind)
    return table.set_index(["oracle", "subset", "factor"])["r2"]


@pytest.mark.parametrize("name", EXTRAPOLATION)
def test_the_oracles_have_the_values_of_the_official_metric_in_extrapolation(name):
    found, (clamp, cut_only, mean) = scores_of(name, "extrapolation"), EXTRAPOLATION[name]
    grid = find_grid(name)
    assert found["Clamp oracle", "test", "mean"] == pytest.approx(clamp, abs=5e-4)
    assert np.mean([found["Clamp oracle", "test", f] for f in grid.cut_factors]) == pytest.approx(cut_only, abs=5.1e-4)
    assert found["Training mean", "test", "mean"] == pytest.approx(mean, abs=5e-4)
    for factor, value in OWN_FACTOR.get(name, {}).items():
        assert found["Clamp oracle", f"only {factor}", factor] == pytest.approx(value, abs=5.1e-4)
        others = [g for g in grid.names if g != factor]
        assert [found["Clamp oracle", f"only {factor}", g] for g in others] == pytest.approx([1.0] * len(others))


@pytest.mark.parametrize("name", INTERPOLATION)
def test_the_oracles_have_the_values_of_the_official_metric_in_interpolation(name):
    found, (clamp, mean) = scores_of(name, "interpolation"), INTERPOLATION[name]
    assert found["Clamp oracle", "test", "mean"] == pytest.approx(clamp, abs=5.1e-4)
    assert found["Training mean", "test", "mean"] == pytest.approx(mean, abs=5.1e-4)


@pytest.mark.parametrize("kind", ["random", "composition"])
def test_the_clamp_oracle_is_perfect_where_every_value_was_seen(kind):
    assert scores_of("sprites-rot90", kind)["Clamp oracle", "test", "mean"] == 1


@pytest.mark.parametrize("kind", ["interpolation", "extrapolation"])
@pytest.mark.parametrize("name", ["sprites-rot90", "celebglow"])
def test_the_closed_form_equals_scoring_every_test_image(name, kind):
    split = make_split(find_grid(name), kind)
    few = split.train_index[:1]
    for oracle, predict in (("Clamp oracle", clamp_predictions), ("Training mean", train_mean_predictions)):
        found = Evaluation(split, few, split.test_index, predict(split, few), predict(split, split.test_index))
        for line in found.table().itertuples():
            if line.subset != "train":
                assert scores_of(name, kind)[oracle, line.subset, line.factor] == pytest.approx(line.r2, abs=1e-9)


def test_the_closed_form_of_the_clamp_oracle_by_hand():
    """Two values of six are held out: squared gaps (1/5)² and (2/5)², each a known share of the test points."""
    grid = find_grid("sprites-rot90")
    split = make_split(grid, "extrapolation")
    share = 30720 / len(split.test_index)  # images with one value of scale, all of them in the test set
    by_hand = 1 - share * (0.2**2 + 0.4**2) / (7 / 60)
    assert scores_of("sprites-rot90", "extrapolation")["Clamp oracle", "test", "scale"] == pytest.approx(by_hand)


def test_r2_divides_by_the_full_grids_variance():
    grid = FactorGrid((5, 4), ("a", "b"))
    everything = np.arange(len(grid))
    guess = np.random.default_rng(0).random((len(grid), 2))
    expected = r2_score(grid.targets(everything), guess, multioutput="raw_values")
    np.testing.assert_allclose(r2_by_factor(grid, everything, guess), expected)
    one_value = everything[:4]
    assert r2_by_factor(grid, one_value, grid.targets(one_value) + 0.1)[0] == pytest.approx(
        1 - 0.01 / grid.variances[0]
    )


def test_the_two_means_differ_by_the_categorical_factors():
    grid = FactorGrid((3, 3, 3), ("shape", "a", "b"), categorical=("shape",))
    assert mean_r2(grid, np.array([0.0, 0.5, 1.0])) == pytest.approx((0.5, 0.75))


def test_rho_is_one_for_perfect_below_one_for_clamped_and_negative_on_the_other_side():
    split = make_split(find_grid("sprites-rot90"), "extrapolation")
    points = split.one_factor_ood["x"]
    true, centre = split.grid.targets(points)[:, 3], split.train_mean[3]
    assert rho(true, true, centre) == pytest.approx(1.0)
    assert (rho(true, clamp_predictions(split, points)[:, 3], centre) < 1).all()
    assert (rho(true, np.zeros_like(true), centre) < 0).all()
    assert len(rho(np.array([centre]), np.array([0.3]), centre)) == 0


def test_bad_predictions_are_refused_with_what_was_expected():
    with pytest.raises(ValueError, match=r"expected \(4, 2\)"):
        check_shape(np.zeros(4), 4, 2)
    with pytest.raises(ValueError, match="NaN"):
        check_finite(np.full((4, 2), np.nan))
    with pytest.raises(ValueError, match="look like indices; expected index"):
        check_range(np.full((4, 2), 7.0))
