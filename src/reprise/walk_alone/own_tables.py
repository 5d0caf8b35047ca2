"""A reader's own tracks: from a long table, one row per agent and frame, to windows that know who is who."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from reprise.walk_alone.checked import whole
from reprise.walk_alone.windows import FUTURE, LENGTH, PAST, Windows, WindowsError, cut_windows, join

if TYPE_CHECKING:
    import pandas as pd

FASTEST = 12.0  # units a second; nobody walks that fast in metres
SLOWEST = 1e-3  # and hardly anybody so slowly, but for degrees of longitude and latitude
Names = NDArray[np.object_]


def _nobody() -> Names:
    return np.empty(0, dtype=object)


@dataclass(frozen=True)
class TableWindows(Windows):
    """Windows with the names of the table they come from.

    Attributes
    ----------
    agents
        Shape ``(n,)``: the targets.
    neighbour_agents
        Shape ``(n, N)``: who is in each slot, None where it is empty.
    frames
        Shape ``(n,)``: last observed frame, as in the table.
    scenes
        Shape ``(n,)``: scene, as in the table.
    """

    agents: Names = field(default_factory=_nobody)
    neighbour_agents: Names = field(default_factory=_nobody)
    frames: Names = field(default_factory=_nobody)
    scenes: Names = field(default_factory=_nobody)

    def take(self, places: Any) -> Self:
        """Return some of the windows, without the slots that none of them uses."""
        taken = super().take(places)
        return replace(taken, neighbour_agents=taken.neighbour_agents[:, : taken.present.shape[1]])


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
    every: int = 1,
) -> TableWindows:
    """Cut a long table, one row per agent and frame, into windows.

    Parameters
    ----------
    table
        The rows.
    frame, agent, x, y, scene
        Names of its columns; frames must be equally spaced. Positions are kept relative to the mean of their scene.
    radius
        Neighbours are the agents within this distance at the last observed frame, in the unit of x and y.
    seconds
        Time between the frames that are kept.
    every
        Keep every so many frames: 10 makes 2.5 Hz out of 25 Hz.

    Returns
    -------
    TableWindows
        One per agent and 20 consecutive frames.

    Raises
    ------
    WindowsError
        If a column or a name is missing, an agent stands twice in a frame, a position is not finite, frames are
        unevenly spaced, a number is out of range, or nobody is seen in 20 consecutive frames.
    """
    if not hasattr(table, "columns") or not hasattr(table, "groupby"):
        raise WindowsError(f"table is a {type(table).__name__}; give a pandas DataFrame, one row per agent and frame.")
    for name, value in (("radius", radius), ("seconds", seconds)):
        if not isinstance(value, int | float | np.number) or not (math.isfinite(value) and value > 0):
            raise WindowsError(f"{name}={value!r} must be a number above 0.")
    every = whole("every", every, WindowsError)
    if every < 1:
        raise WindowsError(f"every={every} must be a whole number from 1.")
    names = [frame, agent, x, y, *([scene] if scene else [])]
    if missing := [name for name in names if name not in table.columns]:
        raise WindowsError(f"the table has no column {missing[0]!r}; it has {', '.join(map(str, table.columns))}.")
    if not len(table):
        raise WindowsError("the table has no rows.")
    for name in (frame, agent, *([scene] if scene else [])):
        if (unknown := table[name].isna().to_numpy()).any():
            row = table.index[unknown].tolist()[0]
            raise WindowsError(f"row {row!r} has no {name}; fill it in or leave the row out.")
    groups = table.groupby(scene, sort=True) if scene else [(0, table)]
    scenes = [(which, _Tracks.of(rows, (frame, agent, x, y), every)) for which, rows in groups]
    windows = _joined([tracks.windows(place, which, radius, seconds) for place, (which, tracks) in enumerate(scenes)])
    if not len(windows):
        longest = max(tracks.longest() for _, tracks in scenes)
        raise WindowsError(
            f"no agent is seen in {LENGTH} consecutive frames ({PAST} observed, {FUTURE} future); the longest track "
            f"has {longest[0]}: {longest[1]}."
        )
    _warn_of_units(windows, table[[x, y]].to_numpy(dtype=np.float64), seconds)
    return windows


@dataclass(frozen=True)
class _Tracks:
    """One scene on a grid: positions ``(frames, agents, 2)`` relative to their mean, NaN where an agent is absent."""

    positions: NDArray[np.float32]
    agents: NDArray[Any]
    frames: NDArray[np.float64]

    @classmethod
    def of(cls, rows: pd.DataFrame, names: tuple[str, str, str, str], every: int) -> _Tracks:
        frame, agent, x, y = names
        try:
            at = rows[frame].to_numpy(dtype=np.float64)
            places = rows[[x, y]].to_numpy(dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise WindowsError(f"the columns {frame}, {x} and {y} must hold numbers: {error}.") from None
        doubled = rows.duplicated([frame, agent])
        if doubled.any():
            first = rows[doubled].iloc[0]
            raise WindowsError(f"agent {first[agent]} stands twice in frame {first[frame]}; keep one row.")
        broken = ~np.isfinite(places).all(1)
        if broken.any():
            first = rows[broken].iloc[0]
            raise WindowsError(
                f"agent {first[agent]} has no finite position in frame {first[frame]}; interpolate it first."
            )
        step = _step_of(np.unique(at))
        index = np.rint((at - at.min()) / step).astype(int)
        agents, column = np.unique(rows[agent].to_numpy(), return_inverse=True)
        positions = np.full((index.max() + 1, len(agents), 2), np.nan)
        # Relative to the mean before they become single precision: coordinates of a map would lose centimetres.
        positions[index, column] = places - places.mean(0)
        frames = at.min() + step * np.arange(len(positions))
        return cls(positions[::every].astype(np.float32), agents, frames[::every])

    def windows(self, number: int, scene: Any, radius: float, seconds: float) -> TableWindows:
        plain = cut_windows(self.positions, radius=radius, scene=number, seconds=seconds, unit="units")
        targets = plain.cluster - 100_000 * number
        here = self.positions[plain.frame]
        distance = np.linalg.norm(here - here[np.arange(len(plain)), targets][:, None], axis=-1)
        distance[np.arange(len(plain)), targets] = np.inf
        nearest = np.argsort(np.where(distance <= radius, distance, np.inf), axis=1, kind="stable")
        nearest = nearest[:, : plain.present.shape[1]]
        names = self.agents.astype(object)
        who = names[nearest]
        who[~plain.present] = None
        last = self.frames[plain.frame]
        whole = last.astype(np.int64)
        return TableWindows(
            **{f.name: getattr(plain, f.name) for f in fields(Windows)},
            agents=names[targets],
            neighbour_agents=who,
            frames=(whole if (whole == last).all() else last).astype(object),
            scenes=np.full(len(plain), scene, dtype=object),
        )

    def longest(self) -> tuple[int, str]:
        """Return the length of the longest unbroken track, and whose it is."""
        run = np.zeros(len(self.agents), dtype=int)
        best = (0, "")
        seen = np.asarray(np.isfinite(self.positions).all(-1))
        for place in range(len(seen)):
            there = seen[place]
            run = np.where(there, run + 1, 0)
            agent = int(run.argmax())
            if run[agent] > best[0]:
                first, last = self.frames[place - run[agent] + 1], self.frames[place]
                best = (int(run[agent]), f"agent {self.agents[agent]}, frames {first:g} to {last:g}")
        return best


def _step_of(frames: NDArray[np.float64]) -> float:
    steps = np.diff(frames)
    step = float(steps.min()) if len(steps) else 1.0
    odd = np.flatnonzero(np.abs(steps / step - np.rint(steps / step)) > 1e-6)
    if len(odd):
        raise WindowsError(
            f"frame {frames[odd[0] + 1]:g} comes {steps[odd[0]]:g} after the one before, the smallest step is "
            f"{step:g}; resample to equal steps, e.g. by numpy.interp."
        )
    return step


def _joined(parts: list[TableWindows]) -> TableWindows:
    joined = join(parts)
    assert isinstance(joined, TableWindows)
    slots = joined.present.shape[1]
    who = [
        np.concatenate([part.neighbour_agents, np.full((len(part), slots - part.present.shape[1]), None)], axis=1)
        for part in parts
    ]
    return replace(
        joined,
        neighbour_agents=np.concatenate(who),
        agents=np.concatenate([part.agents for part in parts]),
        frames=np.concatenate([part.frames for part in parts]),
        scenes=np.concatenate([part.scenes for part in parts]),
    )


def _warn_of_units(windows: Windows, places: NDArray[np.float64], seconds: float) -> None:
    speed = float(np.median(np.linalg.norm(np.diff(windows.past, axis=1), axis=-1)) / seconds)
    if speed > FASTEST:
        warnings.warn(
            f"the median speed is {speed:.0f} units a second; if x and y are pixels or feet, give radius in that unit; "
            "if the table has more frames a second than one in `seconds`, thin it by every=.",
            stacklevel=3,
        )
    degrees = bool((np.abs(places) <= 180.0).all())
    if degrees and 0 < speed < SLOWEST:
        warnings.warn(
            f"the median speed is {speed:.1e} units a second; if x and y are longitude and latitude, project them to "
            "metres first, for radius is in the unit of x and y.",
            stacklevel=3,
        )
