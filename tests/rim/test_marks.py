"""Networks and training: causality, padding, tied weights, chunks against whole sequences, a planted cycle."""

import math

import numpy as np
import pytest
import torch

from reprise.rim.events import make_events, requests_at
from reprise.rim.marks import MarkOptions, _chunks_of, _whole, buckets, train_mark, validation_loss
from reprise.rim.networks import GRUMark, TransformerMark, sinusoids

BOTH = pytest.mark.parametrize("kind", [GRUMark, TransformerMark])


def tokens(rows=3, length=9, n_tokens=8, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(1, n_tokens, (rows, length)))


@BOTH
def test_states_do_not_see_the_future(kind):
    network = kind(8, 6).eval()
    first = tokens()
    second = first.clone()
    second[:, 5:] = 7
    torch.testing.assert_close(network(first)[0][:, :5], network(second)[0][:, :5])
    assert not torch.allclose(network(first)[0][:, 5:], network(second)[0][:, 5:])


@BOTH
def test_padding_on_the_right_changes_nothing(kind):
    network = kind(8, 6).eval()
    padded = torch.cat([tokens(), torch.zeros(3, 4, dtype=torch.long)], 1)
    torch.testing.assert_close(network(padded)[0][:, :9], network(tokens())[0])


@BOTH
def test_the_output_weight_is_the_embedding(kind):
    network = kind(8, 6)
    states = torch.randn(2, 6)
    expected = torch.stack([states @ e for e in network.embedding.weight], 1) + network.bias
    torch.testing.assert_close(network.logits(states), expected)
    assert network.embedding.weight.abs().max() <= 0.1


def test_sinusoids_are_those_of_the_formula():
    table = sinusoids(5, 6)
    for position in range(5):
        for i in range(3):
            angle = position / 10_000 ** (2 * i / 6)
            assert float(table[position, 2 * i]) == pytest.approx(math.sin(angle), abs=1e-6)
            assert float(table[position, 2 * i + 1]) == pytest.approx(math.cos(angle), abs=1e-6)


def test_chunks_of_a_sequence_carry_the_state():
    network = GRUMark(9, 5)
    long = tokens(4, 80, 9)
    long[1, 50:] = long[2, 33:] = long[3, 20:] = 0
    weights, total = [], 0.0
    for loss, start in zip(_chunks_of(network, long), range(0, 79, 32), strict=True):
        n = int((long[:, start + 1 : start + 33] > 0).sum())
        weights.append(n)
        total += float(loss) * n
    assert total / sum(weights) == pytest.approx(validation_loss(network, [long]), rel=1e-5)
    assert float(next(_whole(network, long))) == pytest.approx(validation_loss(network, [long]), rel=1e-5)


def test_buckets_hold_every_sequence_once_sorted_by_length():
    draw = np.random.default_rng(0)
    sequences = [np.arange(1, 2 + n) for n in draw.integers(1, 30, 50)]
    batches = buckets(sequences, 8, draw)
    found = sorted(int((row > 0).sum()) for batch in batches for row in batch)
    assert found == sorted(len(s) for s in sequences)
    for batch in batches:
        lengths = (batch > 0).sum(1).tolist()
        assert lengths == sorted(lengths, reverse=True)
        assert batch.shape[1] == lengths[0]


def cyclic_events(n_users=120, n_items=10, length=12, seed=0):
    """Return users who walk around a ring of items."""
    start = np.random.default_rng(seed).integers(0, n_items, n_users)
    user = np.repeat(np.arange(n_users), length)
    step = np.tile(np.arange(length), n_users)
    return make_events(user, (start[user] + step) % n_items, step.astype(float))


@pytest.mark.parametrize("network", ["GRU", "Transformer"])
def test_a_planted_cycle_is_learnt_and_a_seed_repeats_it(network):
    events = cyclic_events()
    options = MarkOptions(network, width=16, epochs=12, batch=16)
    model = train_mark(events, options, 0, "ring")
    requests = requests_at(events, np.arange(120), np.full(120, 11.0), 1.0)
    scores = model.scores(requests, np.arange(10))
    p = scores.probabilities()
    following = requests.targets.indices
    assert p[np.arange(120), following].mean() > 0.8
    assert model.path[-1] < model.path[0]
    again = train_mark(events, options, 0, "ring")
    assert again.path == model.path
    assert train_mark(events, options, 1, "ring").path != model.path


def test_probabilities_are_normalised_over_all_tokens_and_unseen_items_get_none():
    events = cyclic_events()
    kept = events.only(events.item != 3)
    model = train_mark(kept, MarkOptions("GRU", 8, 1, 32), 0, "ring")
    requests = requests_at(kept, np.arange(120), np.full(120, 11.0), 1.0)
    scores = model.scores(requests, np.arange(10))
    p = scores.probabilities()
    assert (p[:, 3] == 0).all()
    assert (p.sum(1) < 1).all()
    padding = np.exp(scores.states @ model.network.embedding.weight[0].detach().numpy().astype(float)
                     + float(model.network.bias[0].detach()) - scores.log_normaliser)  # fmt: skip
    np.testing.assert_allclose(p.sum(1) + padding, 1, rtol=1e-5)


def test_the_weights_kept_are_those_of_the_best_epoch():
    events = cyclic_events(20, 10, 6)
    model = train_mark(events, MarkOptions("GRU", 16, 15, 4), 0, "ring")
    assert len(model.path) == 15
    held = train_mark(events, MarkOptions("GRU", 16, 1 + int(np.argmin(model.path)), 4), 0, "ring")
    for one, other in zip(model.network.parameters(), held.network.parameters(), strict=True):
        torch.testing.assert_close(one, other)
