"""The chapter's method on a reader's own data: explain any predictor, and cut windows from a table.

A predictor is a function ``predict(past, neighbours, present)`` of arrays ``(B, 8, 2)``, ``(B, N, 8, 2)`` and
``(B, N)`` that returns paths ``(B, 12, 2)``, or samples ``(B, K, 12, 2)``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from reprise.walk_alone.attribution import Attribution, Method, shapley
from reprise.walk_alone.coalitions import Masks, Numbers
from reprise.walk_alone.windows import FUTURE, LENGTH, PAST, Windows, WindowsError, check_neighbours, cut_windows, join

if TYPE_CHECKING:
    import pandas as pd

Predict = Callable[[NDArray[Any], NDArray[Any], NDArray[np.bool_]], NDArray[Any]]
Loss = Literal["min_ade", "min_fde"]
FASTEST = 12.0  # units a second; nobody walks that fast in metres
CHUNK_ROWS = 4096


@dataclass(frozen=True)
class Explanation:
    """Shares of one target's performance.

    Attributes
    ----------
    past
        What the target's own past adds.
    neighbours
        Shape ``(agents − 1,)``: what each other agent adds, in the order of the scene without the target.
    attribution
        The estimate with standard errors.
    """

    past: float
    neighbours: Numbers
    attribution: Attribution

    @property
    def interaction(self) -> float:
        """Contribution of the most influential neighbour; 0 without neighbours."""
        return float(self.neighbours.max(initial=-np.inf)) if self.neighbours.size else 0.0


def explain(
    predict: Predict,
    scenes: Sequence[NDArray[Any]] | NDArray[Any] | Windows,
    *,
    target: int = 0,
    loss: Loss = "min_ade",
    method: Method = "auto",
    budget: int = 4096,
    seed: int = 0,
) -> tuple[Explanation, ...]:
    """Attribute a predictor's performance on scenes to the target's past and to the other agents.

    Parameters
    ----------
    predict
        The predictor; it must heed ``present`` and give the same paths when called again.
    scenes
        Arrays ``(agents, 20, 2)``: eight observed frames and twelve to be predicted. Only the target's future is
        used; that of the others may be NaN. Or `Windows`, e.g. of `from_dataframe`: one explanation each.
    target
        Which agent is predicted; of windows it is always their own target, 0.
    loss
        The value is minus this.
    method, budget, seed
        As in `reprise.walk_alone.attribution.shapley`.

    Returns
    -------
    tuple of Explanation
        One per scene, or per window.

    Raises
    ------
    WindowsError
        If a scene has another shape or NaN where a position is needed, if ``target`` is given with windows, or the
        predictor ignores ``present`` or draws fresh noise.

    Examples
    --------
    >>> walk = np.stack([np.arange(20.0), np.zeros(20)], -1)
    >>> def stand(past, neighbours, present):
    ...     return np.repeat(past[:, -1:], 12, axis=1)
    >>> explain(stand, [np.stack([walk, walk + 1])])[0].neighbours.tolist()
    [0.0]
    """
    if isinstance(scenes, Windows):
        if target != 0:
            raise WindowsError(f"target={target}, but each window has a target of its own; leave target at 0.")
        scenes = _scenes_of(scenes)
    found = []
    for place, scene in enumerate(scenes):
        tracks = _checked_scene(np.asarray(scene, dtype=np.float64), place, target)
        game = PredictorGame(predict, tracks, target, loss)
        game.probe()
        attribution = shapley(game, len(tracks), method=method, budget=budget, seed=seed)
        found.append(Explanation(float(attribution.values[0]), attribution.values[1:], attribution))
    return tuple(found)


def _scenes_of(windows: Windows) -> list[NDArray[np.float64]]:
    """Return one scene a window, ``(1 + its neighbours, 20, 2)``; what the neighbours do later is NaN."""
    scenes = []
    for past, future, neighbours, present in zip(
        windows.past, windows.future, windows.neighbours, windows.present, strict=True
    ):
        scene = np.full((1 + int(present.sum()), LENGTH, 2), np.nan)
        scene[0] = np.concatenate([past, future])
        scene[1:, :PAST] = neighbours[present]
        scenes.append(scene)
    return scenes


def _checked_scene(tracks: NDArray[np.float64], place: int, target: int) -> NDArray[np.float64]:
    if tracks.ndim != 3 or tracks.shape[1:] != (LENGTH, 2):
        raise WindowsError(
            f"scene {place} has the shape {tracks.shape}; expected (agents, {LENGTH}, 2): {PAST} observed and "
            f"{FUTURE} future frames, time on the second axis, x and y on the third."
        )
    if not -len(tracks) <= target < len(tracks):
        raise WindowsError(f"target={target}, but scene {place} has {len(tracks)} agents.")
    needed = np.zeros(tracks.shape[:2], dtype=bool)
    needed[:, :PAST] = needed[target] = True
    missing = np.argwhere(needed[..., None] & ~np.isfinite(tracks))
    if len(missing):
        agent, frame, _ = missing[0]
        raise WindowsError(
            f"scene {place} has no finite position for agent {agent} in frame {frame}; interpolate it first."
        )
    return tracks


class PredictorGame:
    """Coalitions of any predictor: no cache, one flat batch of rows.

    Parameters
    ----------
    predict
        The predictor.
    tracks
        Shape ``(agents, 20, 2)``.
    target
        The agent predicted; player 0 is its past, the other agents follow in order.
    loss
        ``"min_ade"`` or ``"min_fde"``.
    """

    def __init__(self, predict: Predict, tracks: NDArray[np.float64], target: int = 0, loss: Loss = "min_ade") -> None:
        self.predict, self.loss = predict, loss
        self.past, self.future = tracks[target, :PAST], tracks[target, PAST:]
        self.neighbours = np.delete(tracks, target, axis=0)[:, :PAST]

    def __call__(self, masks: Masks) -> Numbers:
        """Return minus the loss of coalitions ``(C, M)``, shape ``(C,)``."""
        parts = [self._values(masks[start : start + CHUNK_ROWS]) for start in range(0, len(masks), CHUNK_ROWS)]
        return np.concatenate(parts)

    def _values(self, masks: Masks) -> Numbers:
        static = np.broadcast_to(self.past[-1], self.past.shape)
        past = np.where(masks[:, :1, None], self.past, static)
        neighbours = np.broadcast_to(self.neighbours, (len(masks), *self.neighbours.shape))
        return -self._losses(self._paths(past, neighbours, masks[:, 1:]))

    def _paths(self, past: NDArray[Any], neighbours: NDArray[Any], present: Masks) -> NDArray[Any]:
        paths = np.asarray(self.predict(past, neighbours, present), dtype=np.float64)
        paths = paths[:, None] if paths.ndim == 3 else paths
        if paths.ndim != 4 or (len(paths), *paths.shape[2:]) != (len(past), *self.future.shape):
            raise WindowsError(
                f"the predictor returned the shape {paths.shape}; expected ({len(past)}, {len(self.future)}, 2) or "
                f"({len(past)}, samples, {len(self.future)}, 2)."
            )
        return paths

    def _losses(self, paths: NDArray[Any]) -> Numbers:
        distance = np.linalg.norm(paths - self.future, axis=-1)
        return distance.mean(-1).min(1) if self.loss == "min_ade" else distance[..., -1].min(1)

    def probe(self) -> None:
        """Refuse a predictor that looks at absent neighbours, or that draws fresh noise at each call."""
        past = self.past[None]
        absent = np.zeros((1, len(self.neighbours)), dtype=bool)
        once = self._paths(past, self.neighbours[None], absent)
        if not np.array_equal(once, self._paths(past, self.neighbours[None], absent)):
            raise WindowsError(
                "the predictor gives other paths when called again, so that noise would be attributed; draw its noise "
                "once and pass the same for every coalition."
            )
        if len(self.neighbours) and not np.allclose(once, self._paths(past, self.neighbours[None] + 7.3, absent)):
            raise WindowsError(
                "the predictor's paths change with neighbours that are absent, so it ignores present; an attribution "
                "would be meaningless."
            )


def from_dataframe(
    table: pd.DataFrame,
    *,
    frame: str = "frame",
    agent: str = "agent",
    x: str = "x",
    y: str = "y",
    scene: str | None = None,
    radius: float = 3.0,
    seconds: float = 0.4,
) -> Windows:
    """Cut a long table, one row per agent and frame, into windows.

    Parameters
    ----------
    table
        The rows.
    frame, agent, x, y, scene
        Names of its columns; frames must be equally spaced.
    radius
        Neighbours are the agents within this distance at the last observed frame, in the unit of x and y.
    seconds
        Time between frames.

    Returns
    -------
    Windows
        One per agent and 20 consecutive frames.

    Raises
    ------
    WindowsError
        If a column is missing, an agent stands twice in a frame, a position is not finite, frames are unevenly spaced,
        or nobody is seen in 20 consecutive frames.
    """
    names = [frame, agent, x, y, *([scene] if scene else [])]
    if missing := [name for name in names if name not in table.columns]:
        raise WindowsError(f"the table has no column {missing[0]!r}; it has {', '.join(map(str, table.columns))}.")
    parts = []
    groups = table.groupby(scene, sort=True) if scene else [(0, table)]
    for number, (_, rows) in enumerate(groups):
        parts.append(_scene_windows(rows, number, (frame, agent, x, y), radius, seconds))
    windows = join(parts)
    if not len(windows):
        raise WindowsError(
            f"no agent is seen in {LENGTH} consecutive frames ({PAST} observed, {LENGTH - PAST} future)."
        )
    speed = float(np.median(np.linalg.norm(np.diff(windows.past, axis=1), axis=-1)) / seconds)
    if speed > FASTEST:
        warnings.warn(
            f"the median speed is {speed:.0f} units a second; if x and y are pixels or feet, give radius in that unit.",
            stacklevel=2,
        )
    check_neighbours(windows)
    return windows


def _scene_windows(
    rows: pd.DataFrame, number: int, names: tuple[str, str, str, str], radius: float, seconds: float
) -> Windows:
    frame, agent, x, y = names
    doubled = rows.duplicated([frame, agent])
    if doubled.any():
        first = rows[doubled].iloc[0]
        raise WindowsError(f"agent {first[agent]} stands twice in frame {first[frame]}; keep one row.")
    broken = ~np.isfinite(rows[[x, y]].to_numpy(dtype=np.float64)).all(1)
    if broken.any():
        first = rows[broken].iloc[0]
        raise WindowsError(
            f"agent {first[agent]} has no finite position in frame {first[frame]}; interpolate it first."
        )
    frames = np.unique(rows[frame].to_numpy(dtype=np.float64))
    steps = np.diff(frames)
    step = steps.min() if len(steps) else 1.0
    odd = np.flatnonzero(np.abs(steps / step - np.rint(steps / step)) > 1e-6)
    if len(odd):
        raise WindowsError(
            f"frame {frames[odd[0] + 1]:g} comes {steps[odd[0]]:g} after the one before, the smallest step is "
            f"{step:g}; resample to equal steps."
        )
    place = np.rint((rows[frame].to_numpy(dtype=np.float64) - frames[0]) / step).astype(int)
    agents, column = np.unique(rows[agent].to_numpy(), return_inverse=True)
    positions = np.full((place.max() + 1, len(agents), 2), np.nan)
    positions[place, column] = rows[[x, y]].to_numpy(dtype=np.float64)
    return cut_windows(positions, radius=radius, scene=number, seconds=seconds, unit="units")
