"""`shapley` as a reader calls it: what comes from outside is checked, then the study's own function does the work."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reprise.walk_alone import attribution
from reprise.walk_alone.attribution import Attribution, Method, Value
from reprise.walk_alone.coalitions import Masks, Numbers


def shapley(
    value: Value,
    n_players: int,
    *,
    method: Method = "auto",
    budget: int = 4096,
    n_games: int | None = None,
    seed: int = 0,
) -> Attribution:
    """Attribute a value to the players: Shapley values exact or sampled, or Banzhaf values.

    Parameters
    ----------
    value
        Takes boolean masks ``(C, M)`` of who is present and returns ``(C,)``, an array or a torch tensor; with
        ``n_games`` it takes ``(n_games, C, M)`` and returns ``(n_games, C)``. It must give equal values when called
        again: draw noise once and use it for all coalitions.
    n_players
        M, at least 1.
    method
        ``"exact"`` evaluates all 2^M coalitions; ``"permutation"`` averages over antithetic pairs of orders;
        ``"kernel"`` is weighted least squares over complementary pairs of coalitions; ``"banzhaf"`` is the exact
        Banzhaf value; ``"coin flips"`` the sampled one of the paper's code; ``"auto"`` is exact where the budget
        allows, else permutation.
    budget
        Coalitions that may be evaluated per game.
    n_games
        Games that are played side by side, each with draws of its own; None for one.
    seed
        Of the draws.

    Returns
    -------
    Attribution
        Shares, standard errors and the efficiency gap.

    Raises
    ------
    TypeError
        If ``value`` cannot be called, or a number is not whole.
    ValueError
        If the value function draws fresh noise at each call or returns another shape or values that are not finite,
        if the method is unknown, M is too large for enumeration, or the budget too small for the method.

    Examples
    --------
    >>> shapley(lambda masks: masks @ [1.0, 2.0], 2).values.tolist()
    [1.0, 2.0]
    """
    if not callable(value):
        raise TypeError(f"value is a {type(value).__name__}; give a function of masks (coalitions, players).")
    given = {"n_players": n_players, "budget": budget, "n_games": n_games, "seed": seed}
    numbers = {name: None if number is None else whole(name, number) for name, number in given.items()}
    players, games = numbers["n_players"], numbers["n_games"]
    if games is not None and games < 1:
        raise ValueError(f"n_games={games}; give at least one game, or None for a single one without that axis.")

    def play(masks: Masks) -> Numbers:
        values = as_array(value(masks.copy()))  # a writable copy: torch wants one
        if np.iscomplexobj(values):
            raise ValueError("the value function returned complex numbers; it must return real ones.")
        return values

    if players is not None and players >= 1:
        ends = np.repeat(np.array([[False], [True]]), players, axis=1)
        ends = ends if games is None else np.repeat(ends[None], games, axis=0)
        if not np.array_equal(play(ends), play(ends), equal_nan=True):
            raise ValueError(
                "the value function gives other values when called again, so that noise would be attributed; draw its "
                "noise once and use it for all coalitions."
            )
    return attribution.shapley(play, method=method, **numbers)  # type: ignore[arg-type]


def whole(name: str, number: object, error: type[Exception] = TypeError) -> int:
    """Return a whole number of any kind as an int, or raise the error, which names the argument."""
    try:
        return operator.index(number)  # type: ignore[arg-type]
    except TypeError:
        raise error(f"{name}={number!r} is no whole number.") from None


def as_array(values: Any) -> NDArray[Any]:
    """Return what a reader's function returned as an array; a torch tensor is detached and brought to the CPU."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
