"""The chapter's method on a reader's own data: explain any predictor.

A predictor is a function ``predict(past, neighbours, present)`` of arrays ``(B, 8, 2)``, ``(B, N, 8, 2)`` and
``(B, N)`` that returns paths ``(B, 12, 2)``, or samples ``(B, K, 12, 2)``. It never sees the future, and it is given
copies that it may change.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from reprise.errors import unknown_name
from reprise.walk_alone.attribution import Attribution, Method
from reprise.walk_alone.checked import as_array, shapley, whole
from reprise.walk_alone.coalitions import Masks, Numbers
from reprise.walk_alone.own_tables import TableWindows
from reprise.walk_alone.windows import FUTURE, LENGTH, PAST, Windows, WindowsError

if TYPE_CHECKING:
    import pandas as pd

Predict = Callable[[NDArray[Any], NDArray[Any], NDArray[np.bool_]], Any]
Loss = Literal["min_ade", "min_fde"]
CHUNK_ROWS = 4096
PROBE_METRES = 5.0


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
    scene, frame
        Number of the scene, and None; of `from_dataframe`'s windows the table's scene and last observed frame.
    target, others
        Which agent is predicted, and who the neighbours are: places in the scene, or names in the table.
    """

    past: float
    neighbours: Numbers
    attribution: Attribution
    scene: Any = 0
    frame: Any = None
    target: Any = 0
    others: tuple[Any, ...] = ()

    @property
    def interaction(self) -> float:
        """Contribution of the most influential neighbour; 0 without neighbours."""
        return float(self.neighbours.max()) if self.neighbours.size else 0.0


def to_frame(explanations: Sequence[Explanation]) -> pd.DataFrame:
    """Return explanations as a table: one line per target and player, with names where there are some."""
    import pandas as pd

    lines = []
    for found in explanations:
        where = {"scene": found.scene, "frame": found.frame, "target": found.target}
        for player, share, error in zip(
            ("past", *found.others), found.attribution.values, found.attribution.standard_errors, strict=True
        ):
            lines.append({**where, "player": player, "share": float(share), "standard error": float(error)})
    return pd.DataFrame(lines, columns=["scene", "frame", "target", "player", "share", "standard error"])


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
        The predictor; it must heed ``present`` and give the same paths when called again. Torch tensors are taken as
        arrays are; a module must be in evaluation mode.
    scenes
        Arrays ``(agents, 20, 2)``, or a single one: eight observed frames and twelve to be predicted. Only the target's
        future is used; that of the others may be NaN. Or `Windows`, e.g. of `from_dataframe`: one explanation each.
    target
        Which agent is predicted; of windows it is always their own target, 0.
    loss
        The value is minus this: ``"min_ade"`` or ``"min_fde"``, of the best of the samples.
    method, budget, seed
        As in `reprise.walk_alone.shapley`.

    Returns
    -------
    tuple of Explanation
        One per scene, or per window; `to_frame` makes a table of them.

    Raises
    ------
    WindowsError
        If a scene has another shape, NaN where a position is needed, a neighbour that is all zeros or the target, if
        ``target`` is given with windows, or if the predictor is in training mode, ignores ``present``, draws fresh
        noise, or returns another shape or values that are not finite.
    UnknownNameError
        If the loss is unknown.

    Examples
    --------
    >>> walk = np.stack([np.arange(20.0), np.zeros(20)], -1)
    >>> def stand(past, neighbours, present):
    ...     return np.repeat(past[:, -1:], 12, axis=1)
    >>> explain(stand, [np.stack([walk, walk + 1])])[0].neighbours.tolist()
    [0.0]
    """
    _check_predictor(predict)
    if loss not in get_args(Loss):
        raise unknown_name("loss", loss, list(get_args(Loss)))
    target = whole("target", target, WindowsError)
    found = []
    for place, (tracks, who) in enumerate(_scenes(scenes, target)):
        _check_scene(tracks, place, target, padding=not isinstance(scenes, Windows))
        game = PredictorGame(predict, tracks, target, loss)
        game.probe()
        attribution = shapley(game, len(tracks), method=method, budget=budget, seed=seed)
        found.append(Explanation(float(attribution.values[0]), attribution.values[1:], attribution, **who))
    return tuple(found)


def _check_predictor(predict: object) -> None:
    if not callable(predict):
        raise WindowsError(f"predict={predict!r} cannot be called; give a function of past, neighbours and present.")
    if getattr(getattr(predict, "__self__", predict), "training", False) is True:
        raise WindowsError(
            "predict is in training mode, its dropout would be attributed to players; call eval() on it."
        )


def _scenes(scenes: Any, target: int) -> list[tuple[NDArray[np.float64], dict[str, Any]]]:
    """Return each scene as an array, with what is known of who is in it."""
    if isinstance(scenes, Windows):
        if target != 0:
            raise WindowsError(f"target={target}, but each window has a target of its own; leave target at 0.")
        return _scenes_of(scenes)
    if hasattr(scenes, "columns"):
        raise WindowsError("scenes is a table; make windows of it first: explain(predict, from_dataframe(table)).")
    if isinstance(scenes, np.ndarray) and scenes.ndim == 3:
        scenes = [scenes]
    try:
        listed = list(scenes)
    except TypeError:
        raise WindowsError(f"scenes={scenes!r} is no list of arrays (agents, {LENGTH}, 2).") from None
    return [(_numbers(scene, place), _places(scene, place, target)) for place, scene in enumerate(listed)]


def _numbers(scene: Any, place: int) -> NDArray[np.float64]:
    try:
        if np.iscomplexobj(scene):
            raise TypeError
        tracks = np.array(scene, dtype=np.float64)
    except (TypeError, ValueError):
        raise WindowsError(f"scene {place} holds no real numbers; expected (agents, {LENGTH}, 2).") from None
    if tracks.ndim != 3 or tracks.shape[1:] != (LENGTH, 2):
        raise WindowsError(
            f"scene {place} has the shape {tracks.shape}; expected (agents, {LENGTH}, 2): {PAST} observed and "
            f"{FUTURE} future frames, time on the second axis, x and y on the third. Cut or resample longer tracks, "
            "e.g. tracks[:, :20]; give scenes in a list."
        )
    return tracks


def _places(scene: Any, place: int, target: int) -> dict[str, Any]:
    agents = range(len(scene))
    at = target % len(agents) if len(agents) else 0
    return {"scene": place, "target": target, "others": tuple(agent for agent in agents if agent != at)}


def _scenes_of(windows: Windows) -> list[tuple[NDArray[np.float64], dict[str, Any]]]:
    """Return one scene a window, ``(1 + its neighbours, 20, 2)``; what the neighbours do later is NaN."""
    scenes = []
    for row in range(len(windows)):
        present = windows.present[row]
        scene = np.full((1 + int(present.sum()), LENGTH, 2), np.nan)
        scene[0] = np.concatenate([windows.past[row], windows.future[row]])
        scene[1:, :PAST] = windows.neighbours[row, present]
        who: dict[str, Any] = {"scene": int(windows.scene[row]), "frame": int(windows.frame[row])}
        who["others"] = tuple(np.flatnonzero(present).tolist())
        if isinstance(windows, TableWindows):
            who = {"scene": windows.scenes[row], "frame": windows.frames[row], "target": windows.agents[row]}
            who["others"] = tuple(windows.neighbour_agents[row, present])
        scenes.append((scene, who))
    return scenes


def _check_scene(tracks: NDArray[np.float64], place: int, target: int, *, padding: bool) -> None:
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
    if not padding:
        return
    past = tracks[:, :PAST]
    others = np.arange(len(tracks)) != target % len(tracks)
    empty = others & ~past.any((1, 2)) & past[target].any()
    if empty.any():
        agent = int(np.flatnonzero(empty)[0])
        raise WindowsError(f"scene {place}: the observed track of agent {agent} is all zeros: padding; leave it out.")
    doubled = others & (past == past[target]).all((1, 2)) & (np.ptp(past[target], axis=0).max() > 0)
    if doubled.any():
        agent = int(np.flatnonzero(doubled)[0])
        raise WindowsError(
            f"scene {place}: agent {agent} is the target itself (distance 0 in all frames); leave it out."
        )


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
        return -self._losses(self._paths(past, self._repeated(self.neighbours, len(masks)), masks[:, 1:].copy()))

    def _repeated(self, tracks: NDArray[np.float64], n: int) -> NDArray[np.float64]:
        return np.repeat(tracks[None], n, axis=0)  # a copy: a predictor may work in place

    def _paths(self, past: NDArray[Any], neighbours: NDArray[Any], present: Masks) -> NDArray[np.float64]:
        n, n_present = len(past), present.sum(-1)
        torch = sys.modules.get("torch")
        with torch.no_grad() if torch is not None else nullcontext():
            returned = self.predict(past, neighbours, present)
        paths = np.asarray(as_array(returned), dtype=np.float64)
        paths = paths[:, None] if paths.ndim == 3 else paths
        if paths.ndim != 4 or (len(paths), *paths.shape[2:]) != (n, *self.future.shape):
            raise WindowsError(
                f"the predictor returned the shape {paths.shape}; expected ({n}, {len(self.future)}, 2) or "
                f"({n}, samples, {len(self.future)}, 2)."
            )
        broken = ~np.isfinite(paths).all((1, 2, 3))
        if broken.any():
            raise WindowsError(
                "the predictor returned values that are not finite for a coalition with "
                f"{n_present[broken][0]} of {len(self.neighbours)} neighbours; it must take any number, or none."
            )
        return paths

    def _losses(self, paths: NDArray[Any]) -> Numbers:
        distance = np.linalg.norm(paths - self.future, axis=-1)
        return distance.mean(-1).min(1) if self.loss == "min_ade" else distance[..., -1].min(1)

    def probe(self) -> None:
        """Refuse a predictor that looks at absent neighbours, or that draws fresh noise at each call.

        Tried with nobody present and with each neighbour alone; absent tracks are replaced by noise.
        """
        n = len(self.neighbours)
        present = np.concatenate([np.zeros((1, n), dtype=bool), np.eye(n, dtype=bool)])
        true = self._repeated(self.neighbours, n + 1)
        noise = np.random.default_rng(0).normal(scale=PROBE_METRES, size=true.shape)

        def once(neighbours: NDArray[np.float64]) -> NDArray[np.float64]:
            return self._paths(self._repeated(self.past, n + 1), neighbours.copy(), present.copy())

        before = once(true)
        if not np.array_equal(before, once(true)):
            raise WindowsError(
                "the predictor gives other paths when called again, so that noise would be attributed; draw its noise "
                "once and pass the same for every coalition."
            )
        if n and not np.allclose(before, once(np.where(present[..., None, None], true, true + noise))):
            raise WindowsError(
                "the predictor's paths change with neighbours that are absent, so it ignores present; an attribution "
                "would be meaningless."
            )
