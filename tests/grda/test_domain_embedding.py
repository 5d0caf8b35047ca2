import math

import numpy as np
import pytest
import torch

from reprise.grda.domain_embedding import edge_loss, fit_domain_embedding, scale_embedding
from reprise.grda.graphs import chain_graph, clique_graph

CHAIN = chain_graph(8)


def test_the_loss_of_the_zero_embedding_is_log_two():
    loss = edge_loss(torch.zeros(8, 2), torch.from_numpy(CHAIN).float())
    assert loss.item() == pytest.approx(math.log(2))


def test_the_loss_is_the_plain_mean_over_pairs():
    z = np.random.default_rng(0).normal(size=(5, 2))
    adjacency = chain_graph(5)
    terms = []
    for i in range(5):
        for j in range(i):
            p = 1 / (1 + math.exp(-z[i] @ z[j]))
            terms.append(-math.log(p if adjacency[i, j] else 1 - p))
    assert edge_loss(torch.from_numpy(z), torch.from_numpy(adjacency)).item() == pytest.approx(np.mean(terms))


def test_the_fit_is_the_same_for_every_seed_up_to_rotation():
    first, second = (fit_domain_embedding(CHAIN, seed=seed) for seed in (0, 1))
    assert not np.allclose(first, second, atol=0.1)
    np.testing.assert_allclose(first @ first.T, second @ second.T, atol=0.05)


def test_adjacent_domains_have_larger_products():
    z = fit_domain_embedding(CHAIN)
    scores = z @ z.T
    assert scores[CHAIN == 1].mean() > 0.5 > scores[(CHAIN == 0) & ~np.eye(8, dtype=bool)].mean()


def test_the_penalty_keeps_the_norms_small():
    free, held = fit_domain_embedding(CHAIN, penalty=0.0), fit_domain_embedding(CHAIN)
    assert np.linalg.norm(held, axis=1).max() < np.linalg.norm(free, axis=1).max()


def test_the_caller_may_change_what_it_got():
    fit_domain_embedding(CHAIN)[:] = 0
    assert fit_domain_embedding(CHAIN).any()


def test_scaling_standardises_every_coordinate():
    z = scale_embedding(np.random.default_rng(0).normal(3, 5, size=(20, 4)), 0.3)
    np.testing.assert_allclose(z.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(z.std(0), 0.3)


def test_no_scale_leaves_the_embedding_as_it_is_and_a_constant_coordinate_becomes_zero():
    z = np.ones((3, 2))
    assert scale_embedding(z, None) is not None
    assert np.array_equal(scale_embedding(z, None), z)
    assert not scale_embedding(z, 1.0).any()


def test_a_clique_gives_all_domains_the_same_neighbours_and_so_the_same_place():
    z = fit_domain_embedding(clique_graph(6))
    np.testing.assert_allclose(z, z[:1].repeat(6, 0), atol=0.05)
