import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from reprise.cold_brew.link_prediction import (
    draw_non_edges,
    expected_reciprocal_rank,
    link_loss,
    mean_reciprocal_rank,
)


@given(st.floats(0, 1), st.integers(1, 60))
def test_the_closed_form_is_the_expectation_over_binomial_ranks(p, n):
    above = np.arange(n + 1)
    expected = float((binom.pmf(above, n, p) / (1 + above)).sum())
    assert float(expected_reciprocal_rank(torch.tensor(p, dtype=torch.float64), n)) == pytest.approx(expected, rel=1e-9)


def test_the_metric_is_what_drawing_twenty_negatives_gives_on_average():
    torch.manual_seed(0)
    queries, candidates = torch.randn(30, 4), torch.randn(30, 4)
    positives = torch.tensor([[0, 0, 1], [5, 9, 2]])
    generator = np.random.default_rng(0)
    drawn = []
    for node, target in positives.T.tolist():
        scores = (candidates @ queries[node]).numpy()
        own = {node, *positives[1, positives[0] == node].tolist()}
        others = scores[[v for v in range(30) if v not in own]]
        ranks = 1 + (generator.choice(others, (20_000, 20)) > scores[target]).sum(1)
        drawn.append((1 / ranks).mean())
    assert mean_reciprocal_rank(queries, candidates, positives) == pytest.approx(100 * np.mean(drawn), rel=0.01)


def test_a_perfect_query_has_rank_one_and_a_constant_one_counts_ties_half():
    candidates = torch.eye(6)
    positives = torch.tensor([[0], [3]])
    perfect = torch.zeros(6, 6)
    perfect[0, 3] = 1
    assert mean_reciprocal_rank(perfect, candidates, positives) == pytest.approx(100)
    chance = float(expected_reciprocal_rank(torch.tensor(0.5)))
    assert mean_reciprocal_rank(torch.zeros(6, 6), candidates, positives) == pytest.approx(100 * chance)


def test_no_removed_edge_gives_nan():
    assert math.isnan(mean_reciprocal_rank(torch.eye(2), torch.eye(2), torch.empty(2, 0, dtype=torch.long)))


def test_the_link_loss_is_the_binary_cross_entropy_of_dot_products():
    h = torch.randn(5, 3)
    positive, negative = torch.tensor([[0, 1], [2, 3]]), torch.tensor([[0], [4]])
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    expected = bce((h[:2] * h[2:4]).sum(1), torch.ones(2)) + bce((h[:1] * h[4:]).sum(1), torch.zeros(1))
    torch.testing.assert_close(link_loss(h, positive, negative), expected)


def test_drawn_pairs_are_no_edges_and_no_loops(small_graph):
    drawn = draw_non_edges(small_graph, 12, 500)
    edges = {tuple(pair) for pair in small_graph.T.tolist()}
    assert drawn.shape == (2, 500)
    assert not any(tuple(pair) in edges or pair[0] == pair[1] for pair in drawn.T.tolist())
    assert draw_non_edges(torch.empty(2, 0, dtype=torch.long), 4, 3).shape == (2, 3)


def test_a_complete_graph_has_no_non_edges():
    with pytest.raises(ValueError, match="complete"):
        draw_non_edges(torch.tensor([[0, 1], [1, 0]]), 2, 1)
