"""The 320 original frames of dSprites' animation, with the factors they show: the proof that the renderer is right."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reprise.data import fetch
from reprise.in_domain.grid import IntegerArray

FRAMES = "dsprites/dsprites.gif"
N_FRAMES = 320
SQUARE, ELLIPSE, HEART = 0, 1, 2


def frame_factors() -> IntegerArray:
    """Return the factors (shape, scale, orientation, x, y) of the animation's frames in order, shape (320, 5)."""
    return np.array([*_heart_frames(), *_turning_frames(ELLIPSE), *_turning_frames(SQUARE)], dtype=np.int64)


def _heart_frames() -> Iterator[tuple[int, ...]]:
    yield from ((HEART, s, 0, 0, 0) for s in (*range(6), *range(5, -1, -1), *range(6)))
    yield from ((HEART, 5, o, 0, 0) for o in range(40))
    yield from ((HEART, 5, 0, 0, j) for j in range(32))
    yield from ((HEART, 5, 0, i, 31) for i in range(32))
    yield from ((HEART, 5, 0, 31, j) for j in range(31, -1, -1))
    yield from ((HEART, 5, 0, i, 0) for i in range(31, -1, -1))
    yield from ((HEART, s, 0, 0, 0) for s in range(5, -1, -1))


def _turning_frames(shape: int) -> Iterator[tuple[int, ...]]:
    yield from ((shape, s, 0, 0, 0) for s in (*range(6), *range(5, -1, -1), *range(6)))
    yield from ((shape, 5, o, 0, 0) for o in range(40))
    yield from ((shape, s, 0, 0, 0) for s in range(5, -1, -1))


def read_frames(path: Path | None = None) -> NDArray[np.uint8]:
    """Read the original frames.

    Parameters
    ----------
    path
        The animation; None: the registered file.

    Returns
    -------
    numpy.ndarray
        uint8, 0 or 255, shape (320, 64, 64).

    Raises
    ------
    ValueError
        If the file has another number of frames or size: the renderer itself needs no file.
    """
    from PIL import Image, ImageSequence

    file = fetch(FRAMES) if path is None else path
    with Image.open(file) as animation:
        frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(animation)]
    if len(frames) != N_FRAMES or any(frame.shape != (64, 64) for frame in frames):
        raise ValueError(f"{file} holds {len(frames)} frames of {frames[0].shape}; the original has 320 of 64 x 64.")
    return np.where(np.stack(frames) > 127, 255, 0).astype(np.uint8)


def agreement(ours: NDArray[np.uint8], original: NDArray[np.uint8]) -> tuple[IntegerArray, NDArray[np.float64]]:
    """Return wrong pixels and intersection over union of binary images, each of shape (n,)."""
    a, b = ours.reshape(len(ours), -1) > 0, original.reshape(len(original), -1) > 0
    return (a ^ b).sum(1), (a & b).sum(1) / (a | b).sum(1)
