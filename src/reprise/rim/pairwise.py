"""Rivals that learn from pairs: BPR with negative users and items, and GraphConv, whose user is the sum of its items.

Both are trained by the pairwise logistic loss: a pair that was taken must score above the same user with a random item,
and above a random user with the same item. Users and items are drawn in proportion to (count + 0.1)^0.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, logsigmoid

from reprise.compute import numpy_generator, torch_generator
from reprise.rim.events import Codes, Numbers, Requests, requests_at

if TYPE_CHECKING:
    from reprise.rim.splits import Split

FACTORS, EPOCHS, BATCH, N_NEGATIVES = 32, 50, 10_000, 10
RATE, EPSILON, DECAY = 1.0, 1e-3, 1e-5
PRIOR_OFFSET, PRIOR_POWER = 0.1, 0.5
GAPS = (0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True)
class Pairs:
    """Pairs that were taken: places of users (or requests) and items, (n,) each, and how many of both there are."""

    user: Codes
    item: Codes
    shape: tuple[int, int]


class FactorisedUsers(nn.Module):
    """A vector and a bias for each user and item (BPR)."""

    def __init__(self, shape: tuple[int, int]) -> None:
        super().__init__()
        self.users = nn.Parameter(_small(shape[0], FACTORS))
        self.items = nn.Parameter(_small(shape[1], FACTORS))
        self.user_bias, self.item_bias = nn.Parameter(torch.zeros(shape[0])), nn.Parameter(torch.zeros(shape[1]))

    def sides(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return vectors and biases of all users, then of all items."""
        return self.users, self.user_bias, self.items, self.item_bias


class GraphConvolution(nn.Module):
    """A user is LayerNorm(W Σ vectors of past items), with a bias by how long ago the last event was.

    Items keep one table of vectors for both roles, and a bias of their own: our reading, since the paper prints the
    name only. A user without a vector of its own can be new.
    """

    def __init__(self, n_items: int, past: Tensor, recency: Tensor) -> None:
        super().__init__()
        self.items, self.item_bias = nn.Parameter(_small(n_items, FACTORS)), nn.Parameter(torch.zeros(n_items))
        self.turn, self.level = nn.Linear(FACTORS, FACTORS, bias=False), nn.LayerNorm(FACTORS)
        self.recency_bias = nn.Parameter(torch.zeros(len(GAPS) + 1))
        self.past, self.recency = past, recency

    def sides(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return vectors and biases of all requests, then of all items."""
        users = self.level(self.turn(torch.sparse.mm(self.past, self.items)))
        return users, self.recency_bias[self.recency], self.items, self.item_bias

    def asked(self, past: Tensor, recency: Tensor) -> GraphConvolution:
        """Return the model turned to other requests."""
        self.past, self.recency = past, recency
        return self


def _small(*shape: int) -> Tensor:
    return torch.empty(*shape).uniform_(-0.1, 0.1)


def bpr_scores(split: Split, requests: Requests, seed: int, *names: object) -> Numbers:
    """Return the scores of BPR with both kinds of negatives, trained on the training events, (N, M), all > 0."""
    pairs = Pairs(split.train.user, split.train.item, (len(split.train.users), len(split.train.items)))
    model = _trained(lambda: FactorisedUsers(pairs.shape), pairs, seed, *names, "BPR, both kinds of negatives")
    return _scores(model, requests.user, split.candidates)


def graph_scores(split: Split, requests: Requests, seed: int, *names: object, extra: bool = False) -> Numbers:
    """Return the scores of GraphConv, trained on the targets of the validation requests next to the test, (N, M).

    Parameters
    ----------
    split
        Its first validation window is trained on.
    requests
        Whose scores are wanted.
    seed, names
        Name the random streams.
    extra
        Whether a second window is added: the next validation window or, with only one, all users at half their first
        horizon with the targets of its second half (GraphConv-Extra).
    """
    windows = [split.validation[0], *([_second_window(split)] if extra else [])]
    n_items = len(split.train.items)
    sizes = np.cumsum([0, *map(len, windows)])
    taken = [window.targets.tocoo() for window in windows]
    repeats = [part.data.astype(np.int64) for part in taken]
    rows, columns = (
        np.concatenate(
            [np.repeat(getattr(part, side) + at, n) for part, n, at in zip(taken, repeats, start, strict=True)]
        )
        for side, start in (("row", sizes[:-1]), ("col", [0] * len(taken)))
    )
    seen = [_seen(window, n_items) for window in windows]
    past, recency = torch.cat([s[0] for s in seen]), torch.cat([s[1] for s in seen])
    pairs = Pairs(rows, columns, (int(sizes[-1]), n_items))
    name = "GraphConv-Extra" if extra else "GraphConv"
    model = _trained(lambda: GraphConvolution(n_items, past, recency), pairs, seed, *names, name)
    return _scores(model.asked(*_seen(requests, n_items)), np.arange(len(requests)), split.candidates)  # type: ignore[operator]


def _second_window(split: Split) -> Requests:
    if len(split.validation) > 1:
        return split.validation[1]
    train, half = split.train, split.horizon / 2
    return requests_at(train, np.arange(len(train.users)), train.first_times() + half, half)


def _seen(requests: Requests, n_items: int) -> tuple[Tensor, Tensor]:
    """Return past counts, sparse (N, M), and the bucket of the time since the last event, (N,)."""
    past = requests.past_counts(n_items).tocoo()
    counts = torch.sparse_coo_tensor(
        torch.from_numpy(np.stack([past.row, past.col]).astype(np.int64)),
        torch.from_numpy(past.data.astype(np.float32)),
        past.shape,
        check_invariants=True,
    ).coalesce()
    since = (requests.end - requests.time[requests.indptr[1:] - 1]) / requests.horizon
    return counts, torch.from_numpy(np.digitize(since, GAPS))


def _trained(build: Callable[[], nn.Module], pairs: Pairs, seed: int, *names: object) -> nn.Module:
    """Train by Adagrad at the paper's rate, in batches of 10,000 pairs with ten negatives of each kind a pair."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_generator(seed, "rim", *names, "initialisation").initial_seed())
        model = build()
    draw = numpy_generator(seed, "rim", *names, "batches")
    optimiser = torch.optim.Adagrad(model.parameters(), lr=RATE, eps=EPSILON, weight_decay=DECAY)
    priors = [_prior(codes, n) for codes, n in zip((pairs.user, pairs.item), pairs.shape, strict=True)]
    for _ in range(EPOCHS):
        for places in np.array_split(draw.permutation(len(pairs.user)), max(1, round(len(pairs.user) / BATCH))):
            others = [_drawn(prior, (len(places), N_NEGATIVES), draw) for prior in priors]
            loss = pair_loss(model.sides(), pairs.user[places], pairs.item[places], *others)  # type: ignore[operator]
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return model


def _prior(codes: Codes, n: int) -> Numbers:
    """Return cumulated probabilities, in proportion to (count + 0.1)^0.5."""
    weights = (np.bincount(codes, minlength=n) + PRIOR_OFFSET) ** PRIOR_POWER
    return np.cumsum(weights / weights.sum())


def _drawn(prior: Numbers, shape: tuple[int, int], draw: np.random.Generator) -> Codes:
    return np.minimum(np.searchsorted(prior, draw.random(shape)), len(prior) - 1)


def pair_loss(
    sides: tuple[Tensor, Tensor, Tensor, Tensor], user: Codes, item: Codes, other_users: Codes, other_items: Codes
) -> Tensor:
    """Return the mean of −log σ(s(u, y) − s(u, y′)) and of −log σ(s(u, y) − s(u′, y)), s = ⟨p, q⟩ + both biases.

    Parameters
    ----------
    sides
        Vectors (n, d) and biases (n,) of users, then of items.
    user, item
        Places of the pairs that were taken, (B,).
    other_users, other_items
        Places of the negatives, (B, 10).
    """
    users, user_bias, items, item_bias = sides
    u, y, v, z = (torch.from_numpy(codes) for codes in (user, item, other_users, other_items))
    own_user, own_item = embedding(u, users), embedding(y, items)
    own = (own_user * own_item).sum(1)
    by_item = (own_user[:, None] * embedding(z, items)).sum(2) + item_bias[z] - (own + item_bias[y])[:, None]
    by_user = (own_item[:, None] * embedding(v, users)).sum(2) + user_bias[v] - (own + user_bias[u])[:, None]
    return -(logsigmoid(-by_item).mean() + logsigmoid(-by_user).mean())


@torch.no_grad()
def _scores(model: nn.Module, users: Codes, items: Codes) -> Numbers:
    """Return softplus of the scores, the paper's link: > 0, in the same order."""
    vectors, bias, item_vectors, item_bias = (side.double().numpy() for side in model.sides())  # type: ignore[operator]
    products = vectors[users] @ item_vectors[items].T + bias[users][:, None] + item_bias[items]
    return np.logaddexp(0, products)
