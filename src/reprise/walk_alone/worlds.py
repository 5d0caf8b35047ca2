"""Simulated worlds of six agents, in which it is known whose movement depends on whom.

``alone``: nobody looks at anybody. ``repel``: agents keep a distance. ``follow``: two leaders wander, four agents each
follow one of them at a hidden offset and with a delay, so that exactly one neighbour matters.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from reprise.compute import numpy_generator
from reprise.errors import unknown_name
from reprise.walk_alone.windows import PAST, Windows

Regime = Literal["alone", "repel", "follow"]

AGENTS, LEADERS = 6, 2
STEP_S = 0.1
STEPS_A_FRAME = 4
BURN_IN_FRAMES, FRAMES = 15, 20
RELAXATION_S = 0.5
NOISE, FOLLOWER_NOISE = 0.14, 0.07
PULL, ALIGNMENT = 1.0, 1.5
OFFSET_M = 1.5
WANDER, WANDER_DECAY = 0.9, 0.3
LONGEST_DELAY = 12  # internal steps: 1.2 s
Array = NDArray[np.float64]


def simulate(regime: Regime, n_scenes: int, seed: int = 0, split: str = "train") -> tuple[Array, NDArray[np.int64]]:
    """Simulate scenes.

    Parameters
    ----------
    regime
        ``"alone"``, ``"repel"`` or ``"follow"``.
    n_scenes
        Number of scenes.
    seed, split
        Name the stream of random numbers.

    Returns
    -------
    tuple
        Positions in metres, ``(scenes, 6, 20, 2)``, every 0.4 s; the agent that each agent follows,
        ``(scenes, 6)``, −1 for none.
    """
    if regime not in get_args(Regime):
        raise unknown_name("regime", regime, list(get_args(Regime)))
    draw = numpy_generator(seed, "walk_alone", regime, split)
    n_steps = (BURN_IN_FRAMES + FRAMES) * STEPS_A_FRAME
    position = draw.uniform(-5, 5, (n_scenes, AGENTS, 2))
    heading = draw.uniform(0, 2 * np.pi, (n_scenes, AGENTS))
    speed = draw.normal(1.3, 0.2, (n_scenes, AGENTS, 1))
    preferred = speed * np.stack([np.cos(heading), np.sin(heading)], -1)
    velocity = preferred.copy()
    leader = np.full((n_scenes, AGENTS), -1)
    leader[:, LEADERS:] = draw.integers(0, LEADERS, (n_scenes, AGENTS - LEADERS))
    offset = draw.normal(0, OFFSET_M, (n_scenes, AGENTS, 2))
    delay = draw.integers(8, LONGEST_DELAY + 1, (n_scenes, AGENTS))
    positions, velocities = [position], [velocity]
    for step in range(n_steps - 1):
        acceleration = (preferred - velocity) / RELAXATION_S + _kick(draw, NOISE, velocity.shape)
        if regime == "repel":
            acceleration += _repulsion(position)
        if regime == "follow":
            preferred = (
                preferred
                - WANDER_DECAY * preferred * STEP_S
                + WANDER * np.sqrt(STEP_S) * draw.normal(size=preferred.shape)
            )
            seen = np.maximum(step - delay, 0)
            past = [_at(values, seen, leader) for values in (positions, velocities)]
            acceleration[:, LEADERS:] = (
                PULL * (past[0] + offset - position) + ALIGNMENT * (past[1] - velocity)
            )[:, LEADERS:] + _kick(draw, FOLLOWER_NOISE, velocity[:, LEADERS:].shape)  # fmt: skip
        velocity = velocity + STEP_S * acceleration
        position = position + STEP_S * velocity
        positions.append(position)
        velocities.append(velocity)
    recorded = np.stack(positions, 2)[:, :, BURN_IN_FRAMES * STEPS_A_FRAME :: STEPS_A_FRAME]
    return recorded, leader if regime == "follow" else np.full_like(leader, -1)


def _kick(draw: np.random.Generator, strength: float, shape: tuple[int, ...]) -> Array:
    return strength / np.sqrt(STEP_S) * draw.normal(size=shape)


def _repulsion(position: Array) -> Array:
    """3 exp((0.6 − d) / 0.5) m/s² along the line between two agents nearer than 4 m."""
    between = position[:, :, None] - position[:, None]
    distance = np.linalg.norm(between, axis=-1, keepdims=True)
    strength = np.where((distance > 0) & (distance < 4), 3 * np.exp((0.6 - distance) / 0.5), 0)
    return (strength * between / np.maximum(distance, 1e-9)).sum(2)


def _at(history: list[Array], step: NDArray[np.int64], agent: NDArray[np.int64]) -> Array:
    """Return the state of each agent's leader at its own step; agents without one get anything."""
    scene = np.arange(len(step))[:, None]
    recent = np.stack(history[-LONGEST_DELAY - 2 :])
    return recent[step - (len(history) - len(recent)), scene, np.maximum(agent, 0)]  # type: ignore[no-any-return]


def world_windows(regime: Regime, n_scenes: int, seed: int = 0, split: str = "train") -> Windows:
    """Return windows of the agents 2 to 5 (the followers) of each scene; ``influencer`` is the slot of the leader."""
    positions, leader = simulate(regime, n_scenes, seed, split)
    targets = range(LEADERS, AGENTS)
    others = np.array([[other for other in range(AGENTS) if other != target] for target in targets])
    n = n_scenes * len(targets)
    chosen = positions[:, LEADERS:].reshape(n, FRAMES, 2)
    scene = np.repeat(np.arange(n_scenes), len(targets))
    return Windows(
        past=chosen[:, :PAST].astype(np.float32),
        future=chosen[:, PAST:].astype(np.float32),
        neighbours=positions[:, others, :PAST].reshape(n, AGENTS - 1, PAST, 2).astype(np.float32),
        seen=np.ones((n, AGENTS - 1, PAST), dtype=bool),
        present=np.ones((n, AGENTS - 1), dtype=bool),
        kind=np.zeros((n, AGENTS - 1), dtype=np.int64),
        scene=scene,
        cluster=scene,
        frame=np.full(n, PAST - 1),
        # Leaders are the first two agents, so that the slot of a leader is its own number.
        influencer=leader[:, LEADERS:].reshape(n),
    )
