"""Illustrations of attribution itself, independent of any study."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reprise.palette import BLUE, GREEN, VERMILION
from reprise.plots import Drawing, new_figure, state_finding
from reprise.walk_alone.attribution import Method, shapley
from reprise.walk_alone.coalitions import Masks, Numbers

ESTIMATORS: tuple[tuple[Method, str, str], ...] = (
    ("permutation", BLUE, "o"),
    ("kernel", GREEN, "v"),
    ("coin flips", VERMILION, "s"),
)
BUDGETS = (130, 258, 514, 1026, 2050)


def table_of_a_game(n_players: int, n_games: int, seed: int) -> Numbers:
    """Draw games in which a player's marginal changes with who else is there; ``(n_games, 2**M)``."""
    draw = np.random.default_rng(seed)
    masks = (np.arange(2**n_players)[:, None] >> np.arange(n_players)) & 1
    weights = draw.normal(size=(n_games, n_players))
    return np.tanh(masks @ weights.T).T + masks @ draw.normal(size=n_players) * 0.2  # type: ignore[no-any-return]


def draw_estimators(n_players: int = 11, n_games: int = 20) -> Drawing:
    """Draw the error of the estimators against the number of coalitions evaluated, exact values as truth."""
    tables = table_of_a_game(n_players, n_games, 0)

    def value(masks: Masks) -> Numbers:
        return np.take_along_axis(tables, masks @ (1 << np.arange(n_players)), axis=1)

    exact = shapley(value, n_players, method="exact", n_games=n_games).values
    figure, axes = new_figure(height=2.8)
    lines = []
    for method, colour, marker in ESTIMATORS:
        errors = []
        for budget in BUDGETS:
            if method == "kernel" and budget < 2 * 10 * n_players + 2:
                continue
            found = shapley(value, n_players, method=method, budget=min(budget, 2**n_players - 1), n_games=n_games)
            error = float(np.sqrt(np.mean((found.values - exact) ** 2)))
            errors.append((found.n_evaluations, error))
            lines.append({"estimator": method, "coalitions": found.n_evaluations, "error": error})
        axes.loglog(*zip(*errors, strict=True), color=colour, marker=marker, label=method)
    axes.set(xlabel="coalitions evaluated", ylabel="root mean square error")
    axes.legend(fontsize=8)
    data = pd.DataFrame(lines)
    last = data.groupby("estimator")["error"].last()
    state_finding(figure, f"Coin flips stop at an error of {last['coin flips']:.3f}: they estimate another value")
    alt = "; ".join(f"{name}: error {error:.4f} at the largest budget" for name, error in last.items()) + "."
    caption = f"{n_games} games of {n_players} players, past and neighbours on a court; truth: all coalitions."
    return Drawing(figure, "estimators", alt, caption, data)
