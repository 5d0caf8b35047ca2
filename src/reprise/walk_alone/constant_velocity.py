"""Predictors that look at nobody, single and with best of 20: constant velocity (Schöller et al. 2020), standing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reprise.compute import numpy_generator
from reprise.walk_alone.windows import FUTURE, Windows

DEVIATION_DEGREES = 25.0


def constant_velocity_paths(past: NDArray[np.floating], turns: NDArray[np.floating]) -> NDArray[np.float64]:
    """Continue with the last velocity, turned.

    Parameters
    ----------
    past
        Shape ``(n, frames, 2)``; the last two frames are used.
    turns
        Shape ``(n, samples)``: angles in radians.

    Returns
    -------
    numpy.ndarray
        Shape ``(n, samples, 12, 2)``.
    """
    velocity = past[:, -1] - past[:, -2]
    cosine, sine = np.cos(turns), np.sin(turns)
    x, y = velocity[:, None, 0], velocity[:, None, 1]
    turned = np.stack([cosine * x - sine * y, sine * x + cosine * y], -1)
    steps = np.arange(1, FUTURE + 1)[:, None]
    return past[:, None, None, -1] + turned[:, :, None] * steps  # type: ignore[no-any-return]


def constant_velocity_errors(windows: Windows, samples: int = 20, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Return ADE and FDE of the single prediction and of the best of some turned ones, ``(n,)`` each."""
    turns = np.deg2rad(
        numpy_generator(seed, "walk_alone", "turns").normal(0, DEVIATION_DEGREES, (len(windows), samples))
    )
    found = {}
    for name, angles in (("", np.zeros((len(windows), 1))), ("min_", turns)):
        distance = np.linalg.norm(constant_velocity_paths(windows.past, angles) - windows.future[:, None], axis=-1)
        found[f"{name}ade"] = distance.mean(-1).min(1)
        found[f"{name}fde"] = distance[..., -1].min(1)
    return found


def standing_still_errors(
    windows: Windows, train: Windows, samples: int = 20, seed: int = 0
) -> dict[str, NDArray[np.float64]]:
    """Return ADE and FDE of standing still and of the best of some spread around it, ``(n,)`` each.

    A sample leaves along a straight line: one draw from a Gaussian, times the root mean square displacement (per
    coordinate) that the training windows have at each step. Where agents turn all the time, as on a court, this is the
    harder baseline to beat.
    """
    spread = np.sqrt(np.square(train.future - train.past[:, -1:]).mean((0, 2)))  # (12,)
    draws = numpy_generator(seed, "walk_alone", "standing").normal(size=(len(windows), samples, 1, 2))
    moved = windows.future - windows.past[:, -1:]
    found = {}
    for name, away in (("", np.zeros((len(windows), 1, 1, 2))), ("min_", draws)):
        distance = np.linalg.norm(away * spread[:, None] - moved[:, None], axis=-1)
        found[f"{name}ade"] = distance.mean(-1).min(1)
        found[f"{name}fde"] = distance[..., -1].min(1)
    return found


def shared_velocity(
    past: NDArray[np.floating], neighbours: NDArray[np.floating], present: NDArray[np.bool_]
) -> NDArray[np.floating]:
    """Continue with the mean of the target's and its neighbours' last velocities: the simplest social predictor.

    Parameters
    ----------
    past
        Shape ``(B, frames, 2)``.
    neighbours
        Shape ``(B, N, frames, 2)``.
    present
        Shape ``(B, N)``; absent neighbours are not looked at.

    Returns
    -------
    numpy.ndarray
        Shape ``(B, 12, 2)``.
    """
    own = past[:, -1] - past[:, -2]
    others = np.where(present[..., None], neighbours[:, :, -1] - neighbours[:, :, -2], 0.0)
    velocity = (own + others.sum(1)) / (1 + present.sum(1))[:, None]
    return past[:, -1:] + velocity[:, None] * np.arange(1, FUTURE + 1)[:, None]  # type: ignore[no-any-return]
