"""Pedestrians: ETH-UCY with its five leave-one-scene-out folds, and SDD with the TrajNet split.

Positions are metres at 2.5 Hz. A neighbour is whoever stands within 3 m (ETH-UCY) or 100 px (SDD) at the last observed
frame.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reprise.data import fetch, select
from reprise.errors import unknown_name
from reprise.walk_alone.windows import Windows, WindowsError, cut_windows, join

FOLDS: dict[str, tuple[str, ...]] = {
    "eth": ("biwi_eth",),
    "hotel": ("biwi_hotel",),
    "univ": ("students001", "students003"),
    "zara1": ("crowds_zara01",),
    "zara2": ("crowds_zara02",),
}
FILES = (
    "biwi_eth", "biwi_hotel", "crowds_zara01", "crowds_zara02", "crowds_zara03", "students001", "students003",
    "uni_examples",
)  # fmt: skip
ETH_UCY_RADIUS_M, ETH_UCY_STEP = 3.0, 10
SDD_RADIUS_PX, SDD_STEP = 100.0, 12
TRAIN_SHARE = 0.8


def read_tracks(path: Path, frame_step: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Read ``frame id x y`` rows, whatever blanks separate them.

    Parameters
    ----------
    path
        The file.
    frame_step
        Difference between consecutive frame numbers.

    Returns
    -------
    tuple
        Positions ``(frames, agents, 2)`` on the regular grid of frames, NaN where absent; the distinct frames that
        have rows, as indices of that grid.

    Raises
    ------
    WindowsError
        If a frame is off the grid, or an agent stands twice in a frame.
    """
    table = np.loadtxt(path, usecols=(0, 1, 2, 3), ndmin=2)
    frames = np.rint(table[:, 0]).astype(np.int64)
    grid = (frames - frames.min()) / frame_step
    if (off := np.abs(grid - np.rint(grid)) > 1e-6).any():
        raise WindowsError(
            f"{path.name} has frame {frames[off][0]}, which is not a multiple of {frame_step} after the first."
        )
    rows = np.rint(grid).astype(np.int64)
    agents, columns = np.unique(table[:, 1], return_inverse=True)
    if len(np.unique(rows * len(agents) + columns)) < len(rows):
        raise WindowsError(f"{path.name} has two rows for the same frame and agent; keep one.")
    positions = np.full((rows.max() + 1, len(agents), 2), np.nan)
    positions[rows, columns] = table[:, 2:4]
    return positions, np.unique(rows)


def load_eth_ucy(fold: str, split: str) -> Windows:
    """Load one fold of ETH-UCY.

    Parameters
    ----------
    fold
        Name of the scene held out: eth, hotel, univ, zara1, zara2.
    split
        ``"train"``: of every other file the first 80 % of the distinct frames; ``"validation"``: their rest;
        ``"test"``: the held-out scene.

    Returns
    -------
    Windows
        All windows of 20 consecutive frames; clusters are pedestrians.
    """
    if fold not in FOLDS:
        raise unknown_name("fold", fold, sorted(FOLDS))
    parts = []
    for scene, name in enumerate(FILES):
        held_out = name in FOLDS[fold]
        if held_out != (split == "test"):
            continue
        parts.append(_file_windows(scene, name, split))
    return join(parts)


@cache
def _file_windows(scene: int, name: str, split: str) -> Windows:
    positions, frames = read_tracks(fetch(f"eth_ucy/{name}.txt"), ETH_UCY_STEP)
    border = frames[int(TRAIN_SHARE * len(frames))]
    part = {"train": slice(None, border), "validation": slice(border, None), "test": slice(None)}[split]
    return cut_windows(positions[part], radius=ETH_UCY_RADIUS_M, scene=scene)


def metres_per_pixel() -> dict[str, float]:
    """Return the scale of every SDD scene, e.g. 0.028 for ``coupa_0``: the last column of its row of version A."""
    scales = {}
    for line in fetch("sdd/H_SDD.txt").read_text(encoding="utf-8").splitlines()[1:]:
        columns = line.split("\t")
        if len(columns) > 3 and columns[3].strip() == "A":
            scales[columns[0].strip().removesuffix(".jpg")] = float(columns[-1])
    return scales


@cache
def load_sdd(split: str) -> Windows:
    """Load the TrajNet split of SDD in pixels, in which PECNet works.

    Parameters
    ----------
    split
        ``"train"`` (30 files) or ``"test"`` (17).

    Returns
    -------
    Windows
        One per tracklet of 20 frames; neighbours are aligned in time, unlike the groups of the released data.
        Clusters are files.
    """
    scales = metres_per_pixel()
    parts = []
    for scene, entry in enumerate(select(f"sdd/{split}/*")):
        name = Path(entry.path).stem
        positions, _ = read_tracks(fetch(entry.path), SDD_STEP)
        part = cut_windows(positions / scales[name], radius=SDD_RADIUS_PX, scene=scene, unit="px")
        part.cluster[:] = scene
        parts.append(part)
    return join(parts)
