import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reprise.errors import UnknownNameError
from reprise.in_domain.grid import GRIDS, FactorGrid, find_grid


@given(st.lists(st.integers(2, 6), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_index_and_factors_are_inverse_and_the_last_factor_varies_fastest(sizes, random):
    grid = FactorGrid(tuple(sizes), tuple(f"factor {i}" for i in range(len(sizes))))
    everything = np.arange(len(grid))
    factors = grid.factors(everything)
    assert (grid.index(factors) == everything).all()
    assert (factors == np.stack(np.unravel_index(everything, sizes), 1)).all()
    assert factors.tolist() == sorted(factors.tolist())


@pytest.mark.parametrize("name", ["sprites-rot90", "turntable", "rooms"])
def test_the_variances_are_those_of_the_targets_over_the_full_grid(name):
    grid = find_grid(name)
    np.testing.assert_allclose(grid.targets(np.arange(len(grid))).var(0), grid.variances, rtol=1e-9)


@pytest.mark.parametrize(
    ("size", "variance"), [(2, 0.25), (3, 0.1667), (4, 0.1389), (6, 0.1167), (8, 0.1071), (10, 0.1019), (40, 0.0876)]
)
def test_the_variance_of_a_factor_depends_on_its_number_of_values(size, variance):
    assert FactorGrid((size,), ("a",)).variances[0] == pytest.approx(variance, abs=5e-5)


def test_the_grids_have_the_sizes_of_the_originals():
    sizes = {name: len(grid) for name, grid in GRIDS.items()}
    assert sizes == {
        "dsprites": 737_280, "sprites-rot90": 184_320, "sprites-40": 737_280, "shapes3d": 480_000,
        "rooms": 480_000, "mpi3d": 1_036_800,
        "celebglow": 216_000, "turntable": 497_664,
    }  # fmt: skip


def test_size_is_not_categorical_on_mpi3d_though_it_is_never_cut():
    grid = find_grid("mpi3d")
    assert set(grid.both) == {"shape", "size"}
    assert set(grid.categorical) == {"colour", "shape", "background"}


def test_bad_grids_are_refused_with_a_remedy():
    with pytest.raises(ValueError, match="constant factor"):
        FactorGrid((1, 3), ("colour", "shape"))
    with pytest.raises(UnknownNameError, match="did you mean 'shape'"):
        FactorGrid((3, 3), ("shape", "size"), both=("shap",))
    with pytest.raises(ValueError, match="2 different names"):
        FactorGrid((3, 3), ("shape", "shape"))
    with pytest.raises(ValueError, match="between 0 and 1"):
        FactorGrid((3, 3), ("shape", "size"), cut=1.0)


def test_values_outside_the_grid_have_no_point():
    grid = FactorGrid((4, 5, 6), ("a", "b", "c"))
    assert grid.index([[3, 4, 5]]).tolist() == [119]
    assert grid.index(np.zeros((0, 3), dtype=int)).tolist() == []
    with pytest.raises(ValueError, match=r"factor 'b' goes from 5 to 5; its values are 0 to 4 \(counted from 0\)"):
        grid.index([[3, 5, 5]])
    with pytest.raises(ValueError, match="factor 'a' goes from -1 to 0"):
        grid.index([[0, 0, 0], [-1, 0, 0]])
    with pytest.raises(ValueError, match=r"float64 of shape \(1, 3\); give whole numbers of shape \(n, 3\)"):
        grid.index([[0.5, 0, 0]])
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        grid.index([1, 1, 1])
