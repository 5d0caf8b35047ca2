"""Targets, shortlists and loss against hand values, brute force and gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from reprise.giant_xrt.targets import (
    active_clusters,
    at_most,
    level_targets,
    own_value,
    path_scores,
    shortlist,
    weighted_squared_hinge,
)
from reprise.giant_xrt.trees import LabelTree

TREE = LabelTree(np.array([0, 0, 1, 1, 2, 2, 3, 3]), 2, (1, 0))


def test_the_loss_has_the_values_of_the_released_one():
    logits = torch.tensor([[0.5, -0.2, 1.5, -2.0]])
    assert torch.allclose(weighted_squared_hinge(logits, torch.tensor([[1.0, 0, 2, 0]])), torch.tensor([0.2225]))
    logits, counts = torch.tensor([[0, 0.3, -0.7, 0.9]]), torch.tensor([[0.0, 3, 0, 0]])
    assert torch.allclose(weighted_squared_hinge(logits, counts), torch.tensor([1.5425]))
    assert torch.allclose(weighted_squared_hinge(logits, counts, weighted=False), torch.tensor([1.2975]))


@given(st.integers(1, 5), st.integers(1, 9), st.integers(0, 10**6))
def test_masked_dense_loss_is_the_mean_over_gathered_clusters(n, k, seed):
    generator = np.random.default_rng(seed)
    logits, counts = generator.normal(size=(n, k)), generator.integers(0, 3, (n, k)).astype(float)
    active = (generator.random((n, k)) < 0.5) | (counts > 0)
    found = weighted_squared_hinge(*(torch.from_numpy(a) for a in (logits, counts, active)))
    for row in range(n):
        terms = [
            (counts[row, c] or 1.0) * max(0.0, 1 - (1 if counts[row, c] else -1) * logits[row, c]) ** 2
            for c in np.flatnonzero(active[row])
        ]
        assert float(found[row]) == pytest.approx(np.mean(terms) if terms else 0.0)


def test_the_gradient_of_the_loss_is_right():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 6, dtype=torch.float64, generator=generator, requires_grad=True)
    counts = torch.randint(0, 3, (3, 6), generator=generator).double()
    active = torch.rand(3, 6, generator=generator) < 0.7
    assert torch.autograd.gradcheck(lambda s: weighted_squared_hinge(s, counts, active), logits)


def test_targets_count_neighbours_at_every_level():
    Y = sparse.csr_array(np.array([[0, 1, 1, 1, 0, 0, 0, 1], [1, 1, 0, 0, 0, 0, 0, 0]], dtype=float))
    coarse, fine = level_targets(Y, TREE)
    assert coarse.toarray().tolist() == [[3, 1], [2, 0]]
    assert fine.toarray().tolist() == [[1, 2, 0, 1], [2, 0, 0, 0]]
    assert (fine @ TREE.chain[1]).toarray().tolist() == coarse.toarray().tolist()


def test_shortlists_join_true_and_predicted_clusters_and_positives_are_always_active():
    counts = sparse.csr_array(np.array([[2.0, 0, 0], [0, 0, 1]]))
    scores = sparse.csr_array(np.array([[0, 0.3, 0], [0, 0, 0.9]]))
    assert shortlist("all", counts, scores) is None
    assert shortlist("tfn", counts, scores).toarray().tolist() == [[1, 0, 0], [0, 0, 1]]
    assert shortlist("man", counts, scores).toarray().tolist() == [[0, 1, 0], [0, 0, 1]]
    assert shortlist("tfn+man", counts, scores).toarray().tolist() == [[1, 1, 0], [0, 0, 1]]
    opened = np.array([[True, False]])
    positive = np.array([[False, False, True, False]])
    assert active_clusters(opened, np.array([0, 0, 1, 1]), positive).tolist() == [[True, True, True, False]]


def test_the_most_active_clusters_keep_all_positives():
    generator = np.random.default_rng(0)
    active = generator.random((20, 30)) < 0.8
    positive = active & (generator.random((20, 30)) < 0.1)
    kept = at_most(active, positive, 6, generator)
    assert (kept >= positive).all()
    assert (kept <= active).all()
    assert (kept.sum(axis=1) == np.maximum(np.minimum(active.sum(axis=1), 6), positive.sum(axis=1))).all()
    assert at_most(active, positive, 30, generator) is active


def test_a_level_is_scored_along_its_path():
    assert own_value(torch.tensor([2.0, 1.0])).tolist() == [1.0, 1.0]
    assert float(own_value(torch.tensor(0.0))) == pytest.approx(np.exp(-1))
    parents = np.array([0, 0, 1, 1])
    above = path_scores(torch.tensor([[0.0, 2.0]]), None, np.zeros(2, dtype=int), 2)
    assert above.toarray()[0].tolist() == pytest.approx([np.exp(-1), 1.0])
    below = path_scores(torch.tensor([[2.0, -9.0, 0.5, 0.2]]), above, parents, 2).toarray()[0]
    values = [np.exp(-1), 0, np.exp(-0.125), np.exp(-(0.8**3))]
    best = sorted(range(4), key=lambda c: -values[c])[:2]
    assert below == pytest.approx([values[c] if c in best else 0 for c in range(4)], abs=1e-6)


def test_children_of_clusters_that_were_not_kept_have_no_score():
    above = path_scores(torch.tensor([[3.0, 0.9]]), None, np.zeros(2, dtype=int), 1)
    below = path_scores(torch.tensor([[-5.0, -5.0, 3.0, 3.0]]), above, np.array([0, 0, 1, 1]), 4)
    assert not below.toarray()[0, 2:].any()
