"""Coalitions as rows of booleans: all of them, and those that random orders of the players pass through.

Masks have the shape ``(..., n_players)``; ``True`` means that the player is present.
"""

from __future__ import annotations

from math import comb, factorial

import numpy as np
from numpy.typing import NDArray

Masks = NDArray[np.bool_]
Numbers = NDArray[np.float64]

MOST_ENUMERATED = 16


def all_coalitions(n_players: int) -> Masks:
    """Return all coalitions; row k holds the binary digits of k, player 0 being the lowest.

    Parameters
    ----------
    n_players
        Number of players M, 1 to 16.

    Returns
    -------
    numpy.ndarray
        Shape ``(2**M, M)``; the first row is empty, the last one full.

    Raises
    ------
    ValueError
        If M is out of range; says how many coalitions there would be and what to use instead.
    """
    if not 1 <= n_players <= MOST_ENUMERATED:
        raise ValueError(
            f"n_players={n_players} would mean {2.0**n_players:.0f} coalitions; enumeration takes 1 to "
            f"{MOST_ENUMERATED} players: use method='permutation'."
        )
    return (np.arange(2**n_players)[:, None] >> np.arange(n_players) & 1).astype(bool)


def shapley_weights(n_players: int) -> Numbers:
    r"""Return the matrix that turns the values of all coalitions into Shapley values.

    Section 3.1: |S|! (M − |S| − 1)! / M! for a coalition S that player k joins; with k inside, the weight of S \\ {k}
    counts positively, with k outside, that of S negatively.

    Returns
    -------
    numpy.ndarray
        Shape ``(2**M, M)``; rows in the order of `all_coalitions`.
    """
    masks = all_coalitions(n_players)
    joins = np.array([factorial(s) * factorial(n_players - s - 1) / factorial(n_players) for s in range(n_players)])
    size = masks.sum(1, keepdims=True)
    return np.where(masks, joins[np.maximum(size - 1, 0)], -joins[np.minimum(size, n_players - 1)])


def banzhaf_weights(n_players: int) -> Numbers:
    """Return the matrix that turns the values of all coalitions into Banzhaf values: all coalitions weigh the same."""
    return np.where(all_coalitions(n_players), 1.0, -1.0) / 2 ** (n_players - 1)


def kernel_weights(n_players: int) -> Numbers:
    """Return the Shapley kernel by size of the coalition, (M − 1) / (C(M, s) s (M − s)); 0 for none and all."""
    weights = np.zeros(n_players + 1)
    for s in range(1, n_players):
        weights[s] = (n_players - 1) / (comb(n_players, s) * s * (n_players - s))
    return weights


def antithetic_orders(generator: np.random.Generator, n_games: int, n_pairs: int, n_players: int) -> NDArray[np.int64]:
    """Draw orders of the players in pairs: one order and its reverse.

    Returns
    -------
    numpy.ndarray
        Shape ``(n_games, 2 * n_pairs, n_players)``; orders 2r and 2r + 1 are a pair.
    """
    drawn = generator.permuted(np.tile(np.arange(n_players), (n_games, n_pairs, 1)), axis=-1)
    return np.stack([drawn, drawn[..., ::-1]], axis=2).reshape(n_games, 2 * n_pairs, n_players)


def prefixes(orders: NDArray[np.int64]) -> Masks:
    """Return the coalitions that orders pass through, from one player to all but one.

    Parameters
    ----------
    orders
        Shape ``(n_games, n_orders, M)``.

    Returns
    -------
    numpy.ndarray
        Shape ``(n_games, n_orders, M − 1, M)``; entry l holds the first l + 1 players of the order.
    """
    place = np.argsort(orders, axis=-1)
    lengths = np.arange(1, orders.shape[-1])
    return place[:, :, None, :] < lengths[:, None]
