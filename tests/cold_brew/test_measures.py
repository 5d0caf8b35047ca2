import math

import numpy as np
import pytest
import torch

from reprise.cold_brew.measures import (
    degree_bins,
    label_agreement,
    mean_pairwise_cosine,
    paired_bootstrap,
    purity,
)


def test_the_paired_bootstrap_agrees_with_drawing_nodes_and_equal_models_have_no_difference():
    generator = np.random.default_rng(0)
    first, second = generator.random(400) < 0.7, generator.random(400) < 0.6
    found = paired_bootstrap(first, second, n_draws=4000, generator=generator)
    gaps = first.astype(float) - second
    plain = [100 * gaps[generator.integers(400, size=400)].mean() for _ in range(4000)]
    np.testing.assert_allclose(found, [100 * gaps.mean(), *np.quantile(plain, [0.025, 0.975])], atol=0.8)
    assert paired_bootstrap(first, first, n_draws=10, generator=generator) == (0, 0, 0)
    assert np.isnan(paired_bootstrap(first[:0], first[:0], n_draws=10, generator=generator)).all()


def test_the_mean_cosine_equals_the_mean_over_all_pairs():
    torch.manual_seed(0)
    rows = torch.randn(9, 4, dtype=torch.float64)
    pairs = [torch.cosine_similarity(rows[i], rows[j], dim=0) for i in range(9) for j in range(9) if i != j]
    assert mean_pairwise_cosine(rows) == pytest.approx(float(torch.stack(pairs).mean()))


def test_equal_rows_are_completely_smoothed_and_one_row_has_no_pair():
    assert mean_pairwise_cosine(torch.ones(5, 3)) == pytest.approx(1)
    assert math.isnan(mean_pairwise_cosine(torch.ones(1, 3)))


def test_purity_is_the_share_of_neighbours_of_the_same_label():
    y = torch.tensor([0, 0, 1, 1])
    assert purity(torch.tensor([[1, 2], [3, 3]]), torch.tensor([0, 1]), y) == 75
    assert math.isnan(purity(torch.empty(0, 2, dtype=torch.long), y[:0], y))


def test_label_agreement_is_full_for_separated_classes_and_never_counts_the_node_itself():
    y = torch.arange(60) % 2
    separated = torch.nn.functional.one_hot(y, 2).float() + 0.01 * torch.rand(60, 2)
    everyone = torch.ones(60, dtype=torch.bool)
    assert label_agreement(separated, everyone, everyone, y) == 100
    # Two far nodes of a class among others: each one's nearest are the other class's, apart from its twin.
    lonely = torch.eye(12)
    assert label_agreement(lonely, torch.arange(12) == 0, torch.ones(12, dtype=torch.bool), torch.arange(12), k=1) == 0


def test_every_degree_falls_into_one_range():
    degrees = torch.arange(200)
    masks = [mask for _, mask in degree_bins(degrees).values()]
    assert torch.equal(torch.stack(masks).sum(0), torch.ones(200, dtype=torch.long))
