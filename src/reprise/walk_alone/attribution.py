"""Attribution of a value to players, whatever the value is: exact, by permutations, by the Shapley kernel, Banzhaf.

The one thing needed is a *value function* that takes many coalitions at once. It must be deterministic: where the value
needs noise (best of 20 samples), draw the noise once and use it for all coalitions. A player that changes nothing then
gets 0 (up to rounding).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reprise.walk_alone.coalitions import (
    MOST_ENUMERATED,
    Masks,
    Numbers,
    all_coalitions,
    antithetic_orders,
    banzhaf_weights,
    kernel_weights,
    prefixes,
    shapley_weights,
)

Value = Callable[[Masks], NDArray[np.floating[Any]]]
Method = Literal["auto", "exact", "permutation", "kernel", "banzhaf", "coin flips"]
N_JACKKNIFE_GROUPS = 10


@dataclass(frozen=True)
class Attribution:
    """Each player's share of a value.

    Attributes
    ----------
    values
        Shape ``(M,)``, or ``(n_games, M)`` for many games.
    standard_errors
        The same shape; of the estimate given the value function, 0 where all coalitions were evaluated.
    efficiency_gap
        Sum of the shares minus (value of all players − value of none); 0 for Shapley values, not for Banzhaf's.
    n_evaluations
        Coalitions evaluated per game.
    method
        The estimator that was used.
    """

    values: Numbers
    standard_errors: Numbers
    efficiency_gap: Numbers
    n_evaluations: int
    method: str


def shapley(
    value: Value,
    n_players: int,
    *,
    method: Method = "auto",
    budget: int = 4096,
    n_games: int | None = None,
    seed: int = 0,
) -> Attribution:
    """Attribute a value to the players.

    Parameters
    ----------
    value
        Takes masks ``(C, M)`` and returns ``(C,)``; with ``n_games`` it takes ``(n_games, C, M)`` and returns
        ``(n_games, C)``. Deterministic.
    n_players
        M, at least 1.
    method
        ``"exact"`` evaluates all 2^M coalitions; ``"permutation"`` averages marginals over antithetic pairs of orders;
        ``"kernel"`` is weighted least squares over complementary pairs of coalitions; ``"banzhaf"`` is the exact
        Banzhaf value; ``"coin flips"`` the sampled one of the paper's code (each other player present with
        probability ½);
        ``"auto"`` is exact where the budget allows, else permutation.
    budget
        Number of coalitions that may be evaluated per game. Coin flips take ``budget // (2 M)`` draws a player, two
        coalitions each, and two more coalitions for the efficiency gap; the paper's code has ten draws, ``20 M``.
    n_games
        Number of games that are played side by side, each with draws of its own; None for one.
    seed
        Of the draws.

    Returns
    -------
    Attribution
        Shares, standard errors and the efficiency gap.

    Raises
    ------
    ValueError
        If the method is unknown, M too large for enumeration, the budget too small for the method, or the value
        function returns another shape or values that are not finite.

    Examples
    --------
    >>> shapley(lambda masks: masks @ [1.0, 2.0], 2).values.tolist()
    [1.0, 2.0]
    """
    play = _checked(value, n_players, n_games)
    games = 1 if n_games is None else n_games
    enumerable = n_players <= MOST_ENUMERATED and 2**n_players <= budget
    chosen = ("exact" if enumerable else "permutation") if method == "auto" else method
    generator = np.random.default_rng(seed)
    if chosen == "exact":
        found = _enumerated(play, games, n_players, shapley_weights(n_players), "exact")
    elif chosen == "banzhaf":
        found = _enumerated(play, games, n_players, banzhaf_weights(n_players), "banzhaf")
    elif chosen == "permutation":
        found = _by_permutations(play, games, n_players, budget, generator)
    elif chosen == "kernel":
        found = _by_kernel(play, games, n_players, budget, generator)
    elif chosen == "coin flips":
        found = _by_coin_flips(play, games, n_players, budget, generator)
    else:
        raise ValueError(f"method={method!r} is unknown; use auto, exact, permutation, kernel, banzhaf or coin flips.")
    if n_games is not None:
        return found
    return Attribution(
        found.values[0], found.standard_errors[0], found.efficiency_gap[0], found.n_evaluations, found.method
    )


def _checked(value: Value, n_players: int, n_games: int | None) -> Callable[[Masks], Numbers]:
    if n_players < 1:
        raise ValueError(f"n_players={n_players}; a game needs at least one player.")

    def play(masks: Masks) -> Numbers:
        given = masks if n_games is not None else masks[0]
        values = np.asarray(value(given), dtype=np.float64)
        if values.shape != given.shape[:-1]:
            raise ValueError(
                f"the value function returned the shape {values.shape} for masks {given.shape}; it must return one "
                f"number a coalition, {given.shape[:-1]}."
            )
        if not np.isfinite(values).all():
            raise ValueError("the value function returned values that are not finite; bound the loss, e.g. by a clamp.")
        return values if n_games is not None else values[None]

    return play


def _enumerated(
    play: Callable[[Masks], Numbers], games: int, n_players: int, weights: Numbers, method: str
) -> Attribution:
    masks = all_coalitions(n_players)
    values = play(np.broadcast_to(masks, (games, *masks.shape)))
    shares = values @ weights
    gap = shares.sum(-1) - (values[:, -1] - values[:, 0])
    return Attribution(shares, np.zeros_like(shares), gap, len(masks), method)


def _ends(play: Callable[[Masks], Numbers], games: int, n_players: int) -> tuple[Numbers, Numbers]:
    values = play(np.broadcast_to(np.array([[False], [True]]), (games, 2, n_players)))
    return values[:, 0], values[:, 1]


def _by_permutations(
    play: Callable[[Masks], Numbers], games: int, n_players: int, budget: int, generator: np.random.Generator
) -> Attribution:
    n_pairs = (budget - 2) // (2 * max(n_players - 1, 1))
    if n_pairs < 1:
        raise ValueError(
            f"budget={budget} is too small for a pair of orders of {n_players} players; give at least {2 * n_players}."
        )
    orders = antithetic_orders(generator, games, n_pairs, n_players)
    masks = prefixes(orders)
    none, all_players = _ends(play, games, n_players)
    inner = play(masks.reshape(games, -1, n_players)).reshape(games, 2 * n_pairs, n_players - 1)
    marginals = marginals_along(orders, none, inner, all_players)
    of_pairs = marginals.reshape(games, n_pairs, 2, n_players).mean(2)
    shares = of_pairs.mean(1)
    spread = of_pairs.std(1, ddof=1) if n_pairs > 1 else np.full_like(shares, np.inf)
    gap = shares.sum(-1) - (all_players - none)
    evaluations = 2 + 2 * n_pairs * (n_players - 1)
    return Attribution(shares, spread / np.sqrt(n_pairs), gap, evaluations, "permutation")


def marginals_along(orders: NDArray[np.int64], none: Numbers, inner: Numbers, all_players: Numbers) -> Numbers:
    """Return what each player adds when it enters, per order.

    Parameters
    ----------
    orders
        Shape ``(n_games, n_orders, M)``.
    none, all_players
        Values of the empty and the full coalition, ``(n_games,)``.
    inner
        Values of the prefixes, ``(n_games, n_orders, M − 1)``.

    Returns
    -------
    numpy.ndarray
        Shape ``(n_games, n_orders, M)``, by player.
    """
    ends = np.broadcast_to(np.stack([none, all_players], -1)[:, None], (*orders.shape[:2], 2))
    path = np.concatenate([ends[..., :1], inner, ends[..., 1:]], axis=-1)
    return np.take_along_axis(np.diff(path, axis=-1), np.argsort(orders, axis=-1), axis=-1)


def _by_coin_flips(
    play: Callable[[Masks], Numbers], games: int, n_players: int, budget: int, generator: np.random.Generator
) -> Attribution:
    n_draws = budget // (2 * n_players)
    if n_draws < 1:
        raise ValueError(
            f"budget={budget} is too small: a draw for {n_players} players takes {2 * n_players} coalitions."
        )
    without = generator.random((games, n_draws, n_players, n_players)) < 0.5
    player = np.arange(n_players)
    without[:, :, player, player] = False
    with_player = without.copy()
    with_player[:, :, player, player] = True
    values = play(np.stack([with_player, without], 1).reshape(games, -1, n_players)).reshape(
        games, 2, n_draws, n_players
    )
    gains = values[:, 0] - values[:, 1]
    none, all_players = _ends(play, games, n_players)
    shares = gains.mean(1)
    spread = gains.std(1, ddof=1) if n_draws > 1 else np.full_like(shares, np.inf)
    gap = shares.sum(-1) - (all_players - none)
    return Attribution(shares, spread / np.sqrt(n_draws), gap, 2 + 2 * n_draws * n_players, "coin flips")


def _by_kernel(
    play: Callable[[Masks], Numbers], games: int, n_players: int, budget: int, generator: np.random.Generator
) -> Attribution:
    none, all_players = _ends(play, games, n_players)
    if n_players == 1:
        share = (all_players - none)[:, None]
        return Attribution(share, np.zeros_like(share), np.zeros(games), 2, "kernel")
    kernel = kernel_weights(n_players)
    if n_players <= MOST_ENUMERATED and 2**n_players <= budget:
        masks = np.broadcast_to(all_coalitions(n_players)[1:-1], (games, 2**n_players - 2, n_players))
        shares = _least_squares(masks, play(masks), kernel[masks.sum(-1)], none, all_players)
        return Attribution(shares, np.zeros_like(shares), shares.sum(-1) - (all_players - none), 2**n_players, "kernel")
    n_pairs = (budget - 2) // 2
    if n_pairs < N_JACKKNIFE_GROUPS * n_players:
        raise ValueError(
            f"budget={budget} is too small for least squares with {n_players} players; give at least "
            f"{2 * N_JACKKNIFE_GROUPS * n_players + 2}."
        )
    masks = _complementary_pairs(generator, games, n_pairs, n_players)
    values = play(masks)
    # Coalitions are drawn with the kernel as probability, so all draws weigh the same.
    shares = _least_squares(masks, values, np.ones(values.shape), none, all_players)
    group = np.arange(2 * n_pairs) // 2 % N_JACKKNIFE_GROUPS
    left_out = np.stack(
        [
            _least_squares(masks[:, group != g], values[:, group != g], np.ones(1), none, all_players)
            for g in range(N_JACKKNIFE_GROUPS)
        ]
    )
    errors = np.sqrt((N_JACKKNIFE_GROUPS - 1) * left_out.var(0))
    return Attribution(shares, errors, shares.sum(-1) - (all_players - none), 2 + 2 * n_pairs, "kernel")


def _complementary_pairs(generator: np.random.Generator, games: int, n_pairs: int, n_players: int) -> Masks:
    sizes = np.arange(1, n_players)
    by_size = 1.0 / (sizes * (n_players - sizes))
    size = generator.choice(sizes, size=(games, n_pairs, 1), p=by_size / by_size.sum())
    place = generator.permuted(np.tile(np.arange(n_players), (games, n_pairs, 1)), axis=-1)
    drawn = place < size
    return np.stack([drawn, ~drawn], axis=2).reshape(games, 2 * n_pairs, n_players)


def _least_squares(masks: Masks, values: Numbers, weights: Numbers, none: Numbers, all_players: Numbers) -> Numbers:
    """Solve the weighted regression with the last player eliminated by efficiency: Σ φ = ν(P) − ν(∅)."""
    total = (all_players - none)[:, None]
    last = masks[..., -1:].astype(float)
    design = masks[..., :-1] - last
    response = values - none[:, None] - last[..., 0] * total
    weighted = design * np.broadcast_to(weights, values.shape)[..., None]
    left = np.einsum("gcm,gcn->gmn", weighted, design)
    right = np.einsum("gcm,gc->gm", weighted, response)
    # The pseudo-inverse, because a small sample may never tell two players apart.
    shares = np.einsum("gmn,gn->gm", np.linalg.pinv(left), right)
    return np.concatenate([shares, total - shares.sum(-1, keepdims=True)], axis=-1)
