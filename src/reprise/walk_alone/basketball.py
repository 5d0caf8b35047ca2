"""Basketball: SportVU tracking of scoring possessions, ball and ten players, feet on a court of 94 × 50.

Every third frame is taken (0.36 s; the paper has 0.40 s). The target is always a player; its neighbours are four team
mates, five opponents and the ball, in this order.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from reprise.data import fetch_all
from reprise.walk_alone.windows import LENGTH, PAST, Windows, WindowsError, join

STRIDE = 3
SECONDS = 0.36
AGENTS = 11
KINDS = ("team mate", "opponent", "ball")
KIND_OF_SLOT = np.array([0] * 4 + [1] * 5 + [2])


def read_clip(text: str) -> NDArray[np.float64]:
    """Read one clip.

    Parameters
    ----------
    text
        Lines ``frame id x y group``; in each frame the ball, five home players, five away players.

    Returns
    -------
    numpy.ndarray
        Shape ``(frames, 11, 2)``: ball, home, away.

    Raises
    ------
    WindowsError
        If a frame does not have eleven rows with the ball first.
    """
    rows = [line.split() for line in text.splitlines()]
    if len(rows) % AGENTS or any(row[1] != "-1" for row in rows[::AGENTS]):
        raise WindowsError("a clip needs eleven rows a frame, the ball (id -1) first; this one has another order.")
    return np.array([[float(row[2]), float(row[3])] for row in rows]).reshape(-1, AGENTS, 2)


def neighbours_of(player: int) -> NDArray[np.int64]:
    """Return the agents that surround a player (1 to 10): team mates, opponents, ball."""
    home = np.arange(1, 6)
    away = np.arange(6, 11)
    own, other = (home, away) if player in home else (away, home)
    return np.concatenate([own[own != player], other, [0]])


def clip_windows(clip: NDArray[np.float64], scene: int, every: int = 1) -> Windows:
    """Cut a clip, already at the frame rate of the study, into windows of all ten players.

    Parameters
    ----------
    clip
        Shape ``(frames, 11, 2)``.
    scene
        Number of the clip; also the cluster.
    every
        Take every so many window starts.
    """
    clip = clip.astype(np.float32)
    starts = np.arange(0, len(clip) - LENGTH + 1, every)
    order = np.stack([neighbours_of(player) for player in range(1, AGENTS)])  # (10, 10)
    observed = starts[:, None] + np.arange(PAST)
    later = starts[:, None] + np.arange(PAST, LENGTH)
    past = clip[observed][:, :, 1:].transpose(0, 2, 1, 3)  # (starts, players, frames, 2)
    future = clip[later][:, :, 1:].transpose(0, 2, 1, 3)
    neighbours = clip[observed].transpose(0, 2, 1, 3)[:, order]  # (starts, players, 10, frames, 2)
    n = len(starts) * 10
    return Windows(
        past=past.reshape(n, PAST, 2),
        future=future.reshape(n, LENGTH - PAST, 2),
        neighbours=neighbours.reshape(n, 10, PAST, 2),
        seen=np.ones((n, 10, PAST), dtype=bool),
        present=np.ones((n, 10), dtype=bool),
        kind=np.tile(KIND_OF_SLOT, (n, 1)),
        scene=np.full(n, scene),
        cluster=np.full(n, scene),
        frame=np.repeat(starts + PAST - 1, 10),
        influencer=np.full(n, -1),
        kinds=KINDS,
        seconds=SECONDS,
        unit="ft",
    )


@cache
def load_clips(split: str) -> tuple[NDArray[np.float64], ...]:
    """Read all clips of ``"train"`` or ``"test"`` (no game is in both) at the frame rate of the study."""
    files = fetch_all(f"nba_sportvu/{split}/*", progress=False)
    return tuple(read_clip(path.read_text(encoding="utf-8"))[::STRIDE] for path in files.values())


def load_nba_sportvu(split: str, every: int = 1) -> Windows:
    """Load SportVU windows; ``every`` thins the window starts of each clip."""
    return join([clip_windows(clip, scene, every) for scene, clip in enumerate(load_clips(split))])
