"""Windows: eight observed frames of a target and its neighbours, and the target's next twelve.

All families of data become `Windows`; predictors, games and studies see nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from reprise.errors import RepriseError

PAST, FUTURE = 8, 12
LENGTH = PAST + FUTURE


class WindowsError(RepriseError, ValueError):
    """Trajectories that cannot be cut into windows, or windows that contradict themselves."""


@dataclass(frozen=True)
class Windows:
    """Windows of one data set.

    Attributes
    ----------
    past
        Shape ``(n, 8, 2)``: observed positions of the targets.
    future
        Shape ``(n, 12, 2)``: what is to be predicted.
    neighbours
        Shape ``(n, N, 8, 2)``: observed positions of the neighbours, nearest first (basketball: team mates, opponents,
        ball); before a neighbour is first seen, its first position is held. Unused slots hold zeros.
    seen
        Shape ``(n, N, 8)``, bool: frames in which a neighbour was really there.
    present
        Shape ``(n, N)``, bool: slots that hold a neighbour.
    kind
        Shape ``(n, N)``, integer: index into ``kinds``.
    scene
        Shape ``(n,)``: file, clip or simulated scene.
    cluster
        Shape ``(n,)``: windows of one cluster are not independent (pedestrian, clip).
    frame
        Shape ``(n,)``: index of the last observed frame in its scene.
    kinds
        Names of the kinds of neighbours.
    seconds
        Time between frames.
    unit
        Of the positions: ``"m"``, ``"px"`` or ``"ft"``.
    influencer
        Shape ``(n,)``: slot of the one neighbour that truly matters, −1 where unknown.
    """

    past: NDArray[np.float32]
    future: NDArray[np.float32]
    neighbours: NDArray[np.float32]
    seen: NDArray[np.bool_]
    present: NDArray[np.bool_]
    kind: NDArray[np.int64]
    scene: NDArray[np.int64]
    cluster: NDArray[np.int64]
    frame: NDArray[np.int64]
    influencer: NDArray[np.int64]
    kinds: tuple[str, ...] = ("agent",)
    seconds: float = 0.4
    unit: str = "m"

    def __post_init__(self) -> None:
        n, slots = self.present.shape
        expected: dict[str, tuple[int, ...]] = {
            "past": (n, PAST, 2), "future": (n, FUTURE, 2), "neighbours": (n, slots, PAST, 2), "seen": (n, slots, PAST),
            "kind": (n, slots), "scene": (n,), "cluster": (n,), "frame": (n,), "influencer": (n,),
        }  # fmt: skip
        for name, shape in expected.items():
            if (found := getattr(self, name).shape) != shape:
                raise WindowsError(f"{name} has the shape {found}; expected {shape} (windows, slots, frames, axes).")
        for name in ("past", "future", "neighbours"):
            if not np.isfinite(getattr(self, name)).all():
                where = np.argwhere(~np.isfinite(getattr(self, name)))[0]
                raise WindowsError(f"{name} has a value that is not finite at {tuple(where)}; interpolate it first.")

    def __len__(self) -> int:
        return len(self.past)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of neighbours, shape ``(n,)``."""
        return self.present.sum(1)

    def take(self, places: Any) -> Self:
        """Return some of the windows, without the slots that none of them uses."""
        n = len(self)
        taken = {f.name: getattr(self, f.name)[places] for f in fields(self) if _has_rows(getattr(self, f.name), n)}
        used = np.flatnonzero(taken["present"].any(0))
        slots = int(used[-1]) + 1 if used.size else 0
        for name in ("neighbours", "seen", "present", "kind"):
            taken[name] = taken[name][:, :slots]
        return replace(self, **taken)

    def scaled(self, factors: NDArray[np.floating[Any]], unit: str) -> Self:
        """Return the windows in another unit; ``factors`` has one entry a window."""
        by = np.asarray(factors, dtype=np.float32)
        return replace(
            self,
            past=self.past * by[:, None, None],
            future=self.future * by[:, None, None],
            neighbours=self.neighbours * by[:, None, None, None],
            unit=unit,
        )


def _has_rows(value: Any, n: int) -> bool:
    return isinstance(value, np.ndarray) and value.shape[:1] == (n,)


def join(parts: Sequence[Windows]) -> Windows:
    """Join windows of several scenes; the number of slots becomes the largest one."""
    slots = max(part.present.shape[1] for part in parts)

    def padded(values: NDArray[Any]) -> NDArray[Any]:
        return np.pad(values, [(0, 0), (0, slots - values.shape[1]), *[(0, 0)] * (values.ndim - 2)])

    joined: dict[str, Any] = {}
    for field in fields(Windows):
        values = [getattr(part, field.name) for part in parts]
        if not isinstance(values[0], np.ndarray):
            continue
        slotted = field.name in ("neighbours", "seen", "present", "kind")
        joined[field.name] = np.concatenate([padded(v) if slotted else v for v in values])
    return replace(parts[0], **joined)


def cut_windows(
    positions: NDArray[np.floating[Any]], *, radius: float, scene: int = 0, seconds: float = 0.4, unit: str = "m"
) -> Windows:
    """Cut one scene into all its windows.

    Parameters
    ----------
    positions
        Shape ``(frames, agents, 2)``, NaN where an agent is absent.
    radius
        Neighbours are the agents present at the last observed frame within this distance of the target.
    scene
        Number of the scene.
    seconds, unit
        Time between frames; unit of the positions.

    Returns
    -------
    Windows
        One for every agent and every 20 consecutive frames in which it is present; clusters are the agents.
    """
    positions = np.asarray(positions, dtype=np.float32)
    there = np.isfinite(positions).all(-1)
    n_frames, n_agents = there.shape
    whole = np.lib.stride_tricks.sliding_window_view(there, LENGTH, axis=0).all(-1) if n_frames >= LENGTH else there[:0]
    starts, targets = np.nonzero(whole)
    last = starts + PAST - 1
    here = positions[last]  # (n, agents, 2)
    distance = np.linalg.norm(here - here[np.arange(len(last)), targets][:, None], axis=-1)
    near = (distance <= radius) & (np.arange(n_agents) != targets[:, None])
    slots = int(near.sum(1).max(initial=0))
    order = np.argsort(np.where(near, distance, np.inf), axis=1, kind="stable")[:, :slots]
    present = np.take_along_axis(near, order, axis=1)
    observed = starts[:, None, None] + np.arange(PAST)
    tracks = np.nan_to_num(positions)[observed, order[..., None]]
    seen = there[observed, order[..., None]] & present[..., None]
    # A track that begins inside the window is held from its first frame there, not from an earlier visit.
    tracks = _hold_first_seen(tracks, seen)
    n = len(starts)
    return Windows(
        past=positions[starts[:, None] + np.arange(PAST), targets[:, None]],
        future=positions[starts[:, None] + np.arange(PAST, LENGTH), targets[:, None]],
        neighbours=np.where(present[..., None, None], tracks, 0).astype(np.float32),
        seen=seen,
        present=present,
        kind=np.zeros((n, slots), dtype=np.int64),
        scene=np.full(n, scene),
        cluster=targets + 100_000 * scene,
        frame=last,
        influencer=np.full(n, -1),
        seconds=seconds,
        unit=unit,
    )


def _hold_first_seen(tracks: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Hold the latest seen position through gaps, and the first one before it; (..., frames, 2) and (..., frames)."""
    frames = np.arange(seen.shape[-1])
    latest = np.maximum.accumulate(np.where(seen, frames, -1), axis=-1)
    source = np.where(latest < 0, seen.argmax(-1)[..., None], latest)
    return np.take_along_axis(tracks, source[..., None], axis=-2)


def check_neighbours(windows: Windows) -> None:
    """Refuse windows whose slots hold padding or the target itself: the user's own data, not the book's.

    Raises
    ------
    WindowsError
        If a slot marked present is all zeros, or equals its moving target in all frames.
    """
    moving = np.ptp(windows.past, axis=1).max(-1) > 0
    empty = np.abs(windows.neighbours).max((-1, -2), initial=0) == 0
    ghosts = windows.present & empty & (np.abs(windows.past).max((-1, -2)) > 0)[:, None]
    if ghosts.any():
        i, j = np.argwhere(ghosts)[0]
        raise WindowsError(f"present is true for slot {j} of window {i}, whose track is all zeros: that is padding.")
    own = windows.present & (np.abs(windows.neighbours - windows.past[:, None]).max((-1, -2), initial=0) == 0)
    if (own & moving[:, None]).any():
        i, j = np.argwhere(own & moving[:, None])[0]
        raise WindowsError(f"slot {j} of window {i} holds the target itself (distance 0 in all frames); leave it out.")
