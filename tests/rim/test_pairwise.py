"""BPR with both kinds of negatives and GraphConv: the loss, the sum over items, and what they may know."""

import numpy as np
import pytest
import torch

from reprise.rim import pairwise
from reprise.rim.events import make_events
from reprise.rim.pairwise import FactorisedUsers, GraphConvolution, Pairs, pair_loss
from reprise.rim.splits import temporal_split, user_split


def random_events(seed=0, n=400):
    draw = np.random.default_rng(seed)
    return make_events(draw.integers(0, 30, n), draw.integers(0, 12, n), draw.uniform(0, 10, n))


def test_the_loss_is_that_of_a_loop_over_pairs():
    draw, torch_draw = np.random.default_rng(1), torch.Generator().manual_seed(1)
    sides = [torch.randn(5, 3, generator=torch_draw), torch.randn(5, generator=torch_draw)]
    sides += [torch.randn(7, 3, generator=torch_draw), torch.randn(7, generator=torch_draw)]
    user, item = draw.integers(0, 5, 4), draw.integers(0, 7, 4)
    other_users, other_items = draw.integers(0, 5, (4, 10)), draw.integers(0, 7, (4, 10))

    def score(u, y):
        return float(sides[0][u] @ sides[2][y] + sides[1][u] + sides[3][y])

    terms = {"user": [], "item": []}
    for u, y, vs, zs in zip(user, item, other_users, other_items, strict=True):
        terms["item"] += [np.log1p(np.exp(score(u, z) - score(u, y))) for z in zs]
        terms["user"] += [np.log1p(np.exp(score(v, y) - score(u, y))) for v in vs]
    expected = np.mean(terms["user"]) + np.mean(terms["item"])
    assert float(pair_loss(sides, user, item, other_users, other_items)) == pytest.approx(expected, rel=1e-5)


def test_a_user_of_the_graph_is_the_normalised_sum_of_past_items():
    split = temporal_split(random_events(), 8.0, 2.0)
    n_items = len(split.train.items)
    model = GraphConvolution(n_items, *pairwise._seen(split.test, n_items))
    users, bias, items, _ = model.sides()
    with torch.no_grad():
        for place in (0, 3):
            taken = split.test.item[split.test.indptr[place] : split.test.indptr[place + 1]]
            expected = model.level(model.turn(items[taken].sum(0)))
            torch.testing.assert_close(users[place], expected, rtol=1e-4, atol=1e-5)
        model.recency_bias.copy_(torch.arange(6.0))
    since = (split.test.end - split.test.time[split.test.indptr[1:] - 1]) / split.horizon
    assert model.sides()[1].tolist() == [sum(gap >= edge for edge in pairwise.GAPS) for gap in since]
    assert bias.shape == (len(split.test),)


def test_negatives_follow_the_square_root_of_counts():
    codes = np.repeat([0, 1, 2], [1, 100, 0])
    prior = np.diff(pairwise._prior(codes, 3), prepend=0)
    np.testing.assert_allclose(prior / prior[1], np.sqrt([1.1, 100.1, 0.1]) / np.sqrt(100.1))
    drawn = pairwise._drawn(pairwise._prior(codes, 3), (20_000,), np.random.default_rng(0))
    assert np.bincount(drawn, minlength=3) / 20_000 == pytest.approx(prior, abs=0.02)


@pytest.mark.parametrize("extra", [False, True])
def test_graph_scores_know_nothing_of_the_future(extra):
    for split_of in (
        lambda e: temporal_split(e, 8.0, 1.0, n_windows=2),
        lambda e: user_split(e, 0, exclude_past=False),
    ):
        events = random_events()
        split = split_of(events)
        future = events.time >= split.ends[events.user]
        assert future.any()
        items = np.where(future, (events.item + 1) % 12, events.item)
        other = split_of(make_events(events.user, items, events.time))
        found = [pairwise.graph_scores(s, s.test, 0, "future", extra=extra) for s in (split, other)]
        np.testing.assert_array_equal(*found)


def test_a_second_window_ends_where_the_test_begins():
    split = user_split(random_events(), 0)
    window = pairwise._second_window(split)
    first = split.train.first_times()
    np.testing.assert_allclose(window.end, first[window.user] + split.horizon / 2)
    assert (window.end + window.horizon <= first[window.user] + split.horizon + 1e-12).all()
    of_windows = temporal_split(random_events(), 8.0, 1.0, n_windows=2)
    assert pairwise._second_window(of_windows) is of_windows.validation[1]


def test_training_lowers_the_loss():
    draw = np.random.default_rng(0)
    user = np.repeat(np.arange(20), 10)
    pairs = Pairs(user, draw.integers(0, 5, len(user)) + 5 * (user % 2), (20, 10))
    model = pairwise._trained(lambda: FactorisedUsers(pairs.shape), pairs, 0, "groups")
    others = draw.integers(0, 20, (len(user), 10)), draw.integers(0, 10, (len(user), 10))
    with torch.no_grad():
        assert float(pair_loss(model.sides(), pairs.user, pairs.item, *others)) < 2 * np.log(2)
