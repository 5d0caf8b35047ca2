import numpy as np
import pytest

from reprise.errors import UnknownNameError
from reprise.in_domain.grid import FactorGrid, find_grid
from reprise.in_domain.splits import KINDS, make_split
from reprise.in_domain.table import FactorTable

# name: (out-of-distribution values in extrapolation, in interpolation, corners, train size, train size in composition)
TABLE = {
    "dsprites": (
        {"scale": [4, 5], "orientation": range(32, 40), "x": range(25, 32), "y": range(25, 32)},
        {"scale": [1, 4], "orientation": [2, 7, 12, 17, 22, 27, 32, 37], "x": [2, 7, 11, 15, 20, 24, 29],
         "y": [2, 7, 11, 15, 20, 24, 29]},
        {"scale": 0, "orientation": 4, "x": 3, "y": 3}, 240_000, 192_312,
    ),
    "sprites-rot90": (
        {"scale": [4, 5], "orientation": [8, 9], "x": range(25, 32), "y": range(25, 32)},
        {"scale": [1, 4], "orientation": [2, 7], "x": [2, 7, 11, 15, 20, 24, 29], "y": [2, 7, 11, 15, 20, 24, 29]},
        {"scale": 0, "orientation": 1, "x": 3, "y": 3}, 60_000, 48_078,
    ),
    "shapes3d": (
        {"floor hue": [8, 9], "wall hue": [8, 9], "object hue": [8, 9], "size": [6, 7], "azimuth": [12, 13, 14]},
        {"floor hue": [2, 7], "wall hue": [2, 7], "object hue": [2, 7], "size": [2, 5], "azimuth": [2, 7, 12]},
        {"floor hue": 1, "wall hue": 1, "object hue": 1, "size": 0, "azimuth": 1}, 147_456, 153_408,
    ),
    "mpi3d": (
        {"colour": [5], "height": [2], "background": [2], "x": range(36, 40), "y": range(36, 40)},
        {"colour": [3], "height": [1], "background": [1], "x": [5, 15, 24, 34], "y": [5, 15, 24, 34]},
        {"colour": 0, "height": 0, "background": 0, "x": 6, "y": 6}, 311_040, 287_712,
    ),
    "celebglow": (
        {"smile": [4, 5], "blond": [4, 5], "age": [4, 5]}, {"smile": [1, 4], "blond": [1, 4], "age": [1, 4]},
        {"smile": 1, "blond": 1, "age": 1}, 64_000, 91_000,
    ),
    "turntable": (
        {"azimuth": range(28, 36), "scale": [4, 5], "x": range(12, 16), "y": range(12, 16)},
        {"azimuth": [2, 7, 11, 15, 20, 24, 28, 33], "scale": [1, 4], "x": [2, 6, 9, 13], "y": [2, 6, 9, 13]},
        {"azimuth": 4, "scale": 0, "x": 1, "y": 1}, 145_152, 108_864,
    ),
}  # fmt: skip
every_grid = pytest.mark.parametrize("name", TABLE)


@every_grid
def test_held_out_values_corners_and_sizes_are_the_benchmarks(name):
    grid = find_grid(name)
    extrapolation, interpolation, corners, size, composed = TABLE[name]
    for kind, expected in (("extrapolation", extrapolation), ("interpolation", interpolation)):
        split = make_split(grid, kind)
        assert {k: list(v) for k, v in split.ood_values.items()} == {k: list(v) for k, v in expected.items()}
        assert len(split.train_index) == size
    assert len(make_split(grid, "random").train_index) == size
    composition = make_split(grid, "composition")
    assert dict(composition.corners) == corners
    assert len(composition.train_index) == composed


@every_grid
@pytest.mark.parametrize("kind", KINDS)
def test_train_and_test_are_disjoint_and_complete(name, kind):
    grid = find_grid(name)
    split = make_split(grid, kind)
    both = np.concatenate([split.train_index, split.test_index])
    assert len(both) == len(grid)
    assert np.bincount(both, minlength=len(grid)).max() == 1
    if kind != "composition":
        assert round(len(split.train_index) / len(grid), 1) == 0.3


def test_membership_follows_the_rule_point_by_point():
    grid = FactorGrid((2, 4, 18, 9), ("shape", "a", "b", "c"), both=("shape",), cut=0.3)
    for kind in ("extrapolation", "interpolation"):
        split = make_split(grid, kind)
        for point in range(len(grid)):
            values = dict(zip(grid.names, grid.factors([point])[0].tolist(), strict=True))
            outside = any(values[name] in held for name, held in split.ood_values.items())
            assert (point in split.test_index) == outside
    split = make_split(grid, "composition")
    assert max(split.corners.values()) > 0
    for point in range(len(grid)):
        values = dict(zip(grid.names, grid.factors([point])[0].tolist(), strict=True))
        assert (point in split.train_index) == any(values[name] < c for name, c in split.corners.items())


@every_grid
def test_every_value_occurs_in_composition_training_and_ends_stay_in_interpolation(name):
    grid = find_grid(name)
    factors = grid.factors(make_split(grid, "composition").train_index)
    assert [len(np.unique(column)) for column in factors.T] == list(grid.sizes)
    factors = grid.factors(make_split(grid, "interpolation").train_index)
    assert (factors.min(0) == 0).all()
    assert (factors.max(0) == np.asarray(grid.sizes) - 1).all()


@every_grid
@pytest.mark.parametrize("kind", ["interpolation", "extrapolation"])
def test_one_factor_ood_subsets_have_the_product_size_and_are_disjoint(name, kind):
    grid = find_grid(name)
    split = make_split(grid, kind)
    subsets = split.one_factor_ood
    for factor, points in subsets.items():
        size = 1
        for other, m in zip(grid.names, grid.sizes, strict=True):
            held = len(split.ood_values.get(other, ()))
            size *= held if other == factor else m - held
        assert len(points) == size
        assert (split.number_ood(points) == 1).all()
    everything = np.concatenate(list(subsets.values()))
    assert len(np.unique(everything)) == len(everything)
    assert (split.number_ood(split.train_index) == 0).all()
    assert (split.number_ood(split.test_index) >= 1).all()


def test_the_random_split_follows_the_supplements_rule_and_depends_on_the_seed():
    """As many test points as extrapolation, marked at the start of the grid, then shuffled with RandomState(0)."""
    grid = find_grid("sprites-rot90")
    order = np.arange(184_320)
    np.random.RandomState(0).shuffle(order)
    assert (make_split(grid, "random").test_index == np.flatnonzero(order < 124_320)).all()
    assert (make_split(grid, "random", seed=1).train_index != make_split(grid, "random").train_index).any()


def test_the_random_split_takes_factors_of_two_values_that_extrapolation_cannot_cut():
    grid = FactorGrid((2, 10), ("sex", "age"), cut=0.2)
    with pytest.raises(ValueError, match="factor 'sex' 1 of 2 values"):
        make_split(grid, "extrapolation")
    split = make_split(grid, "random")
    assert len(split.train_index) == 1 * 8  # one of two values and eight of ten would be left
    assert len(make_split(FactorTable([[0, 1], [1, 2], [0, 3], [1, 4]], ["sex", "age"]), "random").train_index) == 2


def test_bad_splits_are_refused_with_a_remedy():
    grid = find_grid("sprites-rot90")
    with pytest.raises(UnknownNameError, match="random, composition, interpolation, extrapolation"):
        make_split(grid, "extrapolate_all")
    with pytest.raises(ValueError, match="factor 'scale' 1 of 6"):
        make_split(grid, "extrapolation", cut=0.8)
    with pytest.raises(ValueError, match="between 0 and 1"):
        make_split(grid, "extrapolation", cut=1.5)
    with pytest.raises(ValueError, match="training set is empty: raise cut"):
        make_split(FactorGrid((2, 2), ("a", "b"), cut=0.4), "composition")
    with pytest.raises(ValueError, match="none is left to cut"):
        make_split(FactorGrid((3, 3), ("a", "b"), both=("a", "b")), "random")
