"""The social interaction score, and strangers: agents pasted in from other scenes as a null for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import factorial

import numpy as np
from numpy.typing import NDArray

from reprise.walk_alone.attribution import marginals_along
from reprise.walk_alone.coalitions import Masks, Numbers, all_coalitions, antithetic_orders, prefixes, shapley_weights
from reprise.walk_alone.windows import Windows, WindowsError

MOST_EXACT_PLAYERS = 9
LEAST_STRANGERS = 5


def with_strangers(windows: Windows, pool: Windows, n_strangers: int, generator: np.random.Generator) -> Windows:
    """Append strangers as further slots (Section 3.1).

    A stranger is a neighbour of another target in another scene. Its track keeps its position relative to that target:
    it is only moved, so that distance and speed are plausible and the context is wrong.

    Parameters
    ----------
    windows
        The recipients.
    pool
        Where strangers come from.
    n_strangers
        Per target.
    generator
        Source of the draws.

    Returns
    -------
    Windows
        With ``n_strangers`` more slots, all present.

    Raises
    ------
    WindowsError
        If some recipient's scene is the only one in the pool that has neighbours.
    """
    donors = np.flatnonzero(pool.counts > 0)
    scenes = np.unique(pool.scene[donors])
    if len(scenes) == 0 or (len(scenes) == 1 and (windows.scene == scenes[0]).any()):
        raise WindowsError(
            f"the pool has neighbours in {len(scenes)} scene(s); a stranger must come from another scene: give a pool "
            "with at least two."
        )
    chosen = generator.choice(donors, (len(windows), n_strangers))
    while (same := pool.scene[chosen] == windows.scene[:, None]).any():
        chosen[same] = generator.choice(donors, int(same.sum()))
    slot = (generator.random(chosen.shape) * pool.counts[chosen]).astype(np.int64)
    slot = np.take_along_axis(np.argsort(~pool.present[chosen], axis=-1, kind="stable"), slot[..., None], -1)[..., 0]
    moved = windows.past[:, None, -1] - pool.past[chosen, -1]
    tracks = pool.neighbours[chosen, slot] + moved[:, :, None]
    return replace(
        windows,
        neighbours=np.concatenate([windows.neighbours, tracks], 1),
        seen=np.concatenate([windows.seen, pool.seen[chosen, slot]], 1),
        present=np.concatenate([windows.present, np.ones(chosen.shape, dtype=bool)], 1),
        kind=np.concatenate([windows.kind, pool.kind[chosen, slot]], 1),
    )


@dataclass(frozen=True)
class Shares:
    """Shapley values of a batch of targets that all have the same number of neighbours.

    An empty slot would count as a neighbour worth 0 in the maxima: group targets by their number of neighbours first,
    as `reprise.walk_alone.own_predictors.interaction_score` does.

    Attributes
    ----------
    past
        Shape ``(B,)``.
    neighbours
        Shape ``(B, N)``, without strangers in the game.
    strangers
        Shape ``(B, D)``: each in a game of its own, with all real players and no other stranger.
    gap
        Shape ``(B,)``: value of all real players minus that of none.
    """

    past: Numbers
    neighbours: Numbers
    strangers: Numbers
    gap: Numbers

    @property
    def interaction(self) -> Numbers:
        """Contribution of the most influential neighbour, 0 where there is none (Eq. 4 before averaging)."""
        return self.neighbours.max(1) if self.neighbours.shape[1] else np.zeros(len(self.past))

    @property
    def random(self) -> Numbers:
        """Mean contribution of a stranger."""
        return self.strangers.mean(1)

    @property
    def random_max(self) -> Numbers:
        """Largest contribution among as many strangers as there are neighbours: the fair null for a maximum."""
        n = self.neighbours.shape[1]
        return self.strangers[:, :n].max(1) if n else np.zeros(len(self.past))


def attribute(
    value: Callable[[Masks], Numbers],
    n_neighbours: int,
    n_strangers: int,
    n_games: int,
    *,
    pairs: int = 12,
    seed: int = 0,
) -> Shares:
    """Attribute values to past, neighbours and strangers.

    Exact up to nine real players, else by antithetic pairs of orders. A stranger needs only ν(S ∪ r) on top of the
    real players' table; when sampled, it enters each order behind a uniformly drawn prefix, and the reverse order
    behind the complement of that prefix. So it gets as many marginals as a real neighbour, in antithetic pairs too, and
    both maxima carry about equal noise. What remains unequal: a stranger plays in a game of one player more, behind
    up to all real players. Where neighbours stand in for one another that lowers its share, which favours real ones.

    Parameters
    ----------
    value
        Takes masks ``(n_games, C, 1 + n_neighbours + n_strangers)``.
    n_neighbours, n_strangers, n_games
        Sizes, the same for all games of the batch; at least one stranger if `Shares.random` is read.
    pairs
        Antithetic pairs of orders per game, where sampled.
    seed
        Of the orders.
    """
    if 1 + n_neighbours <= MOST_EXACT_PLAYERS:
        return _exact(value, 1 + n_neighbours, n_strangers, n_games)
    return _sampled(value, 1 + n_neighbours, n_strangers, n_games, pairs, np.random.default_rng(seed))


def _exact(value: Callable[[Masks], Numbers], n_players: int, n_strangers: int, n_games: int) -> Shares:
    base = all_coalitions(n_players)
    masks = np.zeros((1 + n_strangers, len(base), n_players + n_strangers), dtype=bool)
    masks[:, :, :n_players] = base
    for stranger in range(n_strangers):
        masks[1 + stranger, :, n_players + stranger] = True
    flat = masks.reshape(-1, n_players + n_strangers)
    values = value(np.broadcast_to(flat, (n_games, *flat.shape))).reshape(n_games, 1 + n_strangers, len(base))
    shares = values[:, 0] @ shapley_weights(n_players)
    joins = np.array([_joining(size, n_players + 1) for size in base.sum(1)])
    strangers = (values[:, 1:] - values[:, :1]) @ joins
    return Shares(shares[:, 0], shares[:, 1:], strangers, values[:, 0, -1] - values[:, 0, 0])


def _joining(size: int, n_players: int) -> float:
    return factorial(size) * factorial(n_players - size - 1) / factorial(n_players)


def _sampled(
    value: Callable[[Masks], Numbers],
    n_players: int,
    n_strangers: int,
    n_games: int,
    pairs: int,
    generator: np.random.Generator,
) -> Shares:
    orders = antithetic_orders(generator, n_games, pairs, n_players)
    ends = np.broadcast_to(np.array([[False], [True]]), (n_games, 2, n_players))
    inner = prefixes(orders)
    real = np.concatenate([ends, inner.reshape(n_games, -1, n_players)], 1)
    half = generator.integers(0, n_players + 1, (n_games, pairs, n_strangers))
    length = np.stack([half, n_players - half], 2).reshape(n_games, 2 * pairs, n_strangers)
    place = np.argsort(orders, axis=-1)
    joined = place[:, :, None, :] < length[..., None]  # (games, orders, strangers, players)
    entering = np.broadcast_to(np.eye(n_strangers, dtype=bool), (*length.shape, n_strangers))
    strange = np.concatenate([joined, entering], -1).reshape(n_games, -1, n_players + n_strangers)
    padded = np.concatenate([real, np.zeros((*real.shape[:2], n_strangers), dtype=bool)], -1)
    values = value(np.concatenate([padded, strange], 1))
    none, everyone = values[:, 0], values[:, 1]
    path = values[:, 2 : real.shape[1]].reshape(n_games, 2 * pairs, n_players - 1)
    shares = marginals_along(orders, none, path, everyone).mean(1)
    return Shares(
        shares[:, 0],
        shares[:, 1:],
        _stranger_marginals(values[:, real.shape[1] :], path, none, everyone, length),
        everyone - none,
    )


def _stranger_marginals(
    with_stranger: Numbers, path: Numbers, none: Numbers, everyone: Numbers, length: NDArray[np.int64]
) -> Numbers:
    n_games, n_orders, _ = length.shape
    first = np.broadcast_to(none[:, None, None], (n_games, n_orders, 1))
    last = np.broadcast_to(everyone[:, None, None], (n_games, n_orders, 1))
    before = np.take_along_axis(np.concatenate([first, path, last], -1), length, -1)
    return (with_stranger.reshape(length.shape) - before).mean(1)  # type: ignore[no-any-return]
