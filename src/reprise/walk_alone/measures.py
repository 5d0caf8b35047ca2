"""Measures: from trained predictors to numbers per target, grouped so that all games of a batch have equal size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from reprise.compute import numpy_generator, seed_sequence, torch_generator
from reprise.walk_alone.attribution import shapley
from reprise.walk_alone.coalitions import Masks, Numbers, all_coalitions, banzhaf_weights, shapley_weights
from reprise.walk_alone.games import Loss, Noise, TrajectronGame
from reprise.walk_alone.interaction import LEAST_STRANGERS, Shares, attribute, with_strangers
from reprise.walk_alone.pecnet import Groups, PECNet, PECNetGame
from reprise.walk_alone.problems import Problem
from reprise.walk_alone.states import States
from reprise.walk_alone.trajectron import TrajectronCVAE
from reprise.walk_alone.windows import Windows

Game = Callable[[Masks], Numbers]
MakeGame = Callable[[Windows], Game]
RELEASED_DRAWS = 10
MOST_GAMES = 50
MOST_AUDITED_PLAYERS = 12


def groups(windows: Windows, places: np.ndarray) -> Iterator[tuple[np.ndarray, Windows]]:
    """Yield the places whose windows have equally many neighbours, and these windows, at most 50 at a time."""
    counts = windows.counts[places]
    for n in np.unique(counts):
        same = np.flatnonzero(counts == n)
        for start in range(0, len(same), MOST_GAMES):
            chosen = same[start : start + MOST_GAMES]
            yield chosen, windows.take(places[chosen])


def trajectron_game(
    model: TrajectronCVAE,
    *,
    loss: Loss = "nll",
    leak: bool = False,
    fresh: bool = False,
    mask_strangers_from: int | None = None,
) -> MakeGame:
    """Return a function that makes games of windows.

    ``mask_strangers_from`` makes slots from this one on invisible, as the released attention does with strangers.
    """
    device = next(model.parameters()).device

    def make(windows: Windows) -> Game:
        states = States.of(windows, device)
        if mask_strangers_from is not None:
            present = states.present.clone()
            present[:, mask_strangers_from:] = False
            states = replace(states, present=present)
        draw = torch_generator(0, "walk_alone", "common noise", windows.frame.sum(), windows.cluster.sum())
        noise = None if loss == "nll" or fresh else Noise.draw(len(windows), draw, device)
        return TrajectronGame(model, states, loss=loss, noise=noise, leak=leak, fresh_noise_seed=0 if fresh else None)

    return make


def pecnet_game(model: PECNet) -> MakeGame:
    """Return a function that makes games of windows whose value is minus PECNet's minADE."""
    device = next(model.parameters()).device
    return lambda windows: PECNetGame(model, Groups.of(windows, device), 0)


def shares_of(
    make: MakeGame, problem: Problem, places: np.ndarray, *, pairs: int, strangers: bool = True
) -> Iterator[tuple[np.ndarray, Windows, Shares]]:
    """Yield positions in ``places``, their windows and their shares."""
    draw = numpy_generator(0, "walk_alone", problem.name, "strangers")
    for chosen, windows in groups(problem.test, places):
        n = windows.present.shape[1]
        n_strangers = max(LEAST_STRANGERS, n) if strangers else 0
        filled = with_strangers(windows, problem.pool, n_strangers, draw) if strangers else windows
        seed = _seed_of(problem, places[chosen], "orders")
        yield chosen, windows, attribute(make(filled), n, n_strangers, len(windows), pairs=pairs, seed=seed)


def per_target(shares: Shares, windows: Windows) -> dict[str, Numbers]:
    """Return the measures of each target, ``(B,)`` each."""
    n = windows.present.shape[1]
    found = {
        "past": shares.past,
        "interaction": shares.interaction,
        "random": shares.random,
        "random max": shares.random_max,
        "real over random": (shares.neighbours.mean(1) if n else np.zeros(len(windows))) - shares.random,
    }
    if len(windows.kinds) > 1:
        roles = by_role(shares.neighbours, windows)
        few = np.mean([roles["ball"], roles["opponent 1"], roles["team mate 1"]], axis=0)
        found["few over others"] = few - (shares.neighbours.sum(1) - 3 * few) / (n - 3)
    if (windows.influencer >= 0).all():
        rows = np.arange(len(windows))
        leader = shares.neighbours[rows, windows.influencer]
        found["leader is first"] = (shares.neighbours.argmax(1) == windows.influencer).astype(np.float64)
        found["leader over others"] = leader - (shares.neighbours.sum(1) - leader) / (n - 1)
    return found


def by_role(values: Numbers, windows: Windows) -> dict[str, Numbers]:
    """Return shares by role on a court: ``"opponent 1"`` is the nearest at the last observed frame."""
    distance = np.linalg.norm(windows.neighbours[:, :, -1] - windows.past[:, None, -1], axis=-1)
    found = {}
    for index, kind in enumerate(windows.kinds):
        slots = np.flatnonzero(windows.kind[0] == index)
        order = slots[np.argsort(distance[:, slots], axis=1, kind="stable")]
        for rank in range(len(slots)):
            name = kind if len(slots) == 1 else f"{kind} {rank + 1}"
            found[name] = np.take_along_axis(values, order[:, rank : rank + 1], 1)[:, 0]
    return found


def enumerated(make: MakeGame, problem: Problem, places: np.ndarray) -> dict[str, dict[str, Numbers]]:
    """Attribute with all coalitions evaluated: ``"corrected"`` (Shapley) and ``"exact Banzhaf"`` of the same values.

    Beyond twelve players both are sampled with as many coalitions as twelve have.
    """
    found = {name: _nothing(len(places)) for name in ("corrected", "exact Banzhaf")}
    for chosen, windows in groups(problem.test, places):
        n_players, game = 1 + windows.present.shape[1], make(windows)
        if n_players <= MOST_AUDITED_PLAYERS:
            masks = all_coalitions(n_players)
            values = game(np.broadcast_to(masks, (len(windows), *masks.shape)))
            both = values @ shapley_weights(n_players), values @ banzhaf_weights(n_players)
            gap = both[1].sum(1) - (values[:, -1] - values[:, 0])
        else:
            how = {"budget": 2**MOST_AUDITED_PLAYERS, "n_games": len(windows)}
            how["seed"] = _seed_of(problem, places[chosen], "audit")
            sampled = shapley(game, n_players, method="coin flips", **how)
            both = shapley(game, n_players, method="permutation", **how).values, sampled.values
            gap = sampled.efficiency_gap
        for name, shares, left in zip(found, both, (np.zeros_like(gap), gap), strict=True):
            _note(found[name], chosen, shares, left)
    return {name: found[name] for name in ("exact Banzhaf", "corrected")}


def _nothing(n: int) -> dict[str, Numbers]:
    return {metric: np.zeros(n) for metric in ("past", "interaction", "efficiency gap")}


def _note(found: dict[str, Numbers], chosen: np.ndarray, shares: Numbers, gap: Numbers) -> None:
    found["past"][chosen] = shares[:, 0]
    found["interaction"][chosen] = shares[:, 1:].max(1) if shares.shape[1] > 1 else 0.0
    found["efficiency gap"][chosen] = np.abs(gap)


def _seed_of(problem: Problem, places: np.ndarray, name: str) -> int:
    """Return a seed of the targets of one group, so that no two groups share their draws."""
    drawn = seed_sequence(0, "walk_alone", problem.name, problem.split, name, int(places[0]), len(places))
    return int(drawn.generate_state(1)[0])


def coin_flips(make: MakeGame, problem: Problem, places: np.ndarray) -> dict[str, Numbers]:
    """Attribute as the released code does: ten coalitions per player, each other player present with probability ½."""
    noted = _nothing(len(places))
    for chosen, windows in groups(problem.test, places):
        n_players = 1 + windows.present.shape[1]
        seed = _seed_of(problem, places[chosen], "coin flips")
        how = {"budget": 2 * RELEASED_DRAWS * n_players, "n_games": len(windows), "seed": seed}
        found = shapley(make(windows), n_players, method="coin flips", **how)
        _note(noted, chosen, found.values, found.efficiency_gap)
    return noted
