import math

import numpy as np
import pytest
import torch

from reprise.in_domain.grid import FactorGrid, find_grid
from reprise.in_domain.pairs import PairSampler
from reprise.in_domain.splits import KINDS, make_split
from reprise.in_domain.table import FactorTable


def draw(sampler, name, points, seed=0):
    return getattr(sampler, name)(torch.from_numpy(points), torch.Generator().manual_seed(seed)).numpy()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["laplace", "one_factor"])
def test_partners_are_training_images_only(kind, name):
    grid = find_grid("sprites-rot90")
    split = make_split(grid, kind)
    points = np.random.default_rng(0).choice(split.train_index, 2000)
    partners = draw(PairSampler(grid, split.train_index), name, points)
    assert np.isin(partners, split.train_index).all()


def test_one_factor_changes_exactly_one_factor_to_another_value_each_alike():
    grid = FactorGrid((3, 4, 5), ("a", "b", "c"))
    everything = np.arange(len(grid))
    points = np.full(12_000, 7)
    partners = draw(PairSampler(grid, everything), "one_factor", points)
    changed = grid.factors(partners) != grid.factors(points)
    assert (changed.sum(1) == 1).all()
    assert changed.mean(0) == pytest.approx([1 / 3] * 3, abs=0.02)
    counts = np.bincount(grid.factors(partners)[changed[:, 2], 2], minlength=5)
    others = np.delete(counts, grid.factors([7])[0, 2])
    assert others / others.sum() == pytest.approx([0.25] * 4, abs=0.03)


def test_laplace_draws_follow_the_density_and_keep_categorical_factors():
    grid = FactorGrid((3, 7), ("shape", "a"), categorical=("shape",))
    points = np.full(40_000, 7 + 2)
    partners = draw(PairSampler(grid, np.arange(len(grid))), "laplace", points)
    factors = grid.factors(partners)
    assert (factors[:, 0] == 1).all()
    density = np.exp(-np.abs(np.arange(7) - 2) / math.log(7))
    assert np.bincount(factors[:, 1], minlength=7) / len(points) == pytest.approx(density / density.sum(), abs=0.01)


def test_an_image_without_another_training_value_is_its_own_partner():
    grid = FactorGrid((2, 2), ("a", "b"))
    partners = draw(PairSampler(grid, np.array([0])), "one_factor", np.zeros(10, dtype=np.int64))
    assert (partners == 0).all()


def test_a_table_has_no_pairs():
    with pytest.raises(ValueError, match="use a supervised model"):
        PairSampler(FactorTable([[0.0], [1.0]], ["a"]), np.array([0]))
