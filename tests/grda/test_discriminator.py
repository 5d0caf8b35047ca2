import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits

from reprise.grda.discriminator import graph_discriminator_loss, pair_weights, sample_domains
from reprise.grda.graphs import chain_graph, clique_graph, empty_graph, star_graph


def random_graph(n_domains, generator):
    upper = np.triu(generator.random((n_domains, n_domains)) < 0.5, 1).astype(np.int8)
    return upper + upper.T


def pair_loop(codes, adjacency, subset):
    """The published formulation: a double loop over the pairs of domains."""
    by_kind = {0: [], 1: []}
    for place, i in enumerate(subset):
        for j in subset[place + 1 :]:
            scores = (codes[i] * codes[j]).sum(-1)
            answer = float(adjacency[i, j])
            loss = binary_cross_entropy_with_logits(scores, torch.full_like(scores, answer))
            by_kind[int(answer)].append(loss)
    means = [torch.stack(losses).mean() for losses in by_kind.values() if losses]
    return len(adjacency) * torch.stack(means).mean()


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(2, 9), st.integers(1, 5), st.integers(1, 4))
def test_the_product_form_is_the_published_loop_over_pairs(seed, n_domains, n_rows, width):
    generator = np.random.default_rng(seed)
    adjacency = random_graph(n_domains, generator)
    codes = torch.from_numpy(generator.normal(size=(n_domains, n_rows, width)))
    subset = generator.permutation(n_domains)[: generator.integers(2, n_domains + 1)]
    loss = graph_discriminator_loss(codes, torch.from_numpy(adjacency).double(), subset=torch.from_numpy(subset))
    torch.testing.assert_close(loss, pair_loop(codes, adjacency, subset.tolist()))


@pytest.mark.parametrize("graph", [chain_graph(15), star_graph(6), clique_graph(5), empty_graph(5)])
@pytest.mark.parametrize("self_pairs", ["exclude", "nonedge"])
@pytest.mark.parametrize("balance", [True, False])
@pytest.mark.parametrize("pairing", ["matched", "crossed"])
def test_the_loss_of_an_uninformative_discriminator_is_n_log_two(graph, self_pairs, balance, pairing):
    codes = torch.zeros(2, len(graph), 3, 2)
    options = {"self_pairs": self_pairs, "balance": balance, "pairing": pairing}
    loss = graph_discriminator_loss(codes, torch.from_numpy(graph).float(), **options)
    torch.testing.assert_close(loss, torch.full((2,), len(graph) * math.log(2)))


def test_the_papers_constants_for_15_and_60_domains():
    for n_domains, constant in ((15, 10.397), (60, 41.589)):
        codes = torch.zeros(n_domains, 10, 2)
        loss = graph_discriminator_loss(codes, torch.from_numpy(chain_graph(n_domains)).float())
        assert loss.item() == pytest.approx(constant, abs=1e-3)


@pytest.mark.parametrize("graph", [clique_graph(4), empty_graph(4)])
def test_a_missing_kind_of_pairs_is_dropped_instead_of_giving_nan(graph):
    codes = torch.randn(4, 3, 2, requires_grad=True)
    loss = graph_discriminator_loss(codes, torch.from_numpy(graph).float())
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(codes.grad).all()
    unbalanced = graph_discriminator_loss(codes, torch.from_numpy(graph).float(), balance=False)
    torch.testing.assert_close(loss, unbalanced)


def test_a_single_domain_has_no_pairs_and_no_loss():
    assert graph_discriminator_loss(torch.randn(1, 3, 2), torch.zeros(1, 1)).item() == 0


def test_balanced_weights_give_each_kind_one_half():
    adjacency = torch.from_numpy(chain_graph(5)).float()
    pairs = pair_weights(adjacency)
    assert pairs.weights[adjacency == 1].sum().item() == pytest.approx(0.5)
    assert pairs.weights.sum().item() == pytest.approx(1)
    assert not pairs.weights.diagonal().any()


def test_self_pairs_as_nonedges_compare_a_row_with_another_row():
    codes = torch.zeros(2, 2, 1)
    codes[0, 0] = 5.0
    adjacency = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    loss = graph_discriminator_loss(codes, adjacency, self_pairs="nonedge")
    # Row 0 against itself would give softplus(25); against row 1 it gives log 2.
    assert loss.item() == pytest.approx(2 * math.log(2))


def test_crossed_rows_are_the_mean_over_all_matchings():
    generator = np.random.default_rng(0)
    codes, adjacency = torch.from_numpy(generator.normal(size=(4, 3, 2))), torch.from_numpy(chain_graph(4)).double()
    crossed = graph_discriminator_loss(codes, adjacency, pairing="crossed")
    total = 0.0
    pairs = pair_weights(adjacency)
    for i in range(4):
        for j in range(4):
            for b in range(3):
                for c in range(3):
                    score = -pairs.answers[i, j] * (codes[i, b] @ codes[j, c])
                    total += float(pairs.weights[i, j] * torch.nn.functional.softplus(score)) / 9
    assert crossed.item() == pytest.approx(4 * total)


def test_the_loss_does_not_depend_on_the_order_of_the_domains():
    generator = np.random.default_rng(1)
    adjacency = random_graph(7, generator)
    codes, order = torch.from_numpy(generator.normal(size=(7, 4, 2))), generator.permutation(7)
    plain = graph_discriminator_loss(codes, torch.from_numpy(adjacency).double(), self_pairs="nonedge")
    turned = graph_discriminator_loss(
        codes[order], torch.from_numpy(adjacency[np.ix_(order, order)]).double(), self_pairs="nonedge"
    )
    torch.testing.assert_close(plain, turned)


def test_the_gradient_is_that_of_finite_differences():
    codes = torch.randn(4, 3, 2, dtype=torch.float64, requires_grad=True)
    adjacency = torch.from_numpy(chain_graph(4)).double()
    for pairing in ("matched", "crossed"):
        assert torch.autograd.gradcheck(
            lambda c, p=pairing: graph_discriminator_loss(c, adjacency, pairing=p, self_pairs="nonedge"), codes
        )


@pytest.mark.parametrize("options", [{"self_pairs": "edge"}, {"pairing": "row"}])
def test_an_unknown_option_is_refused(options):
    with pytest.raises(ValueError, match="is unknown; use"):
        graph_discriminator_loss(torch.zeros(3, 2, 1), torch.zeros(3, 3), **options)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10**6), st.integers(2, 12), st.data())
def test_sampled_domains_are_different_and_as_many_as_asked_for(seed, n_domains, data):
    n_sampled = data.draw(st.integers(1, n_domains))
    generator = np.random.default_rng(seed)
    chosen = sample_domains(random_graph(n_domains, generator), n_sampled, generator)
    assert len(set(chosen.tolist())) == n_sampled
    assert set(chosen.tolist()) <= set(range(n_domains))


def test_half_of_the_samples_are_walks_along_edges():
    generator = np.random.default_rng(0)
    chain = chain_graph(30)
    connected = []
    for _ in range(400):
        chosen = sample_domains(chain, 5, generator)
        connected.append(chain[np.ix_(chosen, chosen)].sum() // 2 >= 3)
    assert 0.35 < np.mean(connected) < 0.65


def test_every_domain_is_sampled_equally_often_by_the_coins_first_side_at_least():
    generator = np.random.default_rng(0)
    counts = np.bincount(np.concatenate([sample_domains(chain_graph(6), 3, generator) for _ in range(2000)]))
    assert counts.min() > 0.6 * counts.max()


@pytest.mark.parametrize("n_sampled", [0, 4])
def test_more_domains_than_there_are_cannot_be_sampled(n_sampled):
    with pytest.raises(ValueError, match="between 1 and the number of domains, 3"):
        sample_domains(chain_graph(3), n_sampled, np.random.default_rng(0))
