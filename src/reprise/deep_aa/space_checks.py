"""The checks of what makes an augmentation space, each with a remedy in its message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.deep_aa.transformations import OPERATION_NAMES
from reprise.errors import nearest

SMALLEST_SIDE = 8


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_size(image_size: Any) -> tuple[int, int]:
    """Return the images' height and width.

    Raises
    ------
    DeepAAInputError
        If it is neither one whole number nor two, or a side is shorter than 8 pixels.
    """
    size = (image_size, image_size) if _is_whole(image_size) else image_size
    if not (isinstance(size, Sequence) and len(size) == 2 and all(_is_whole(side) for side in size)):
        raise DeepAAInputError(
            f"image_size={image_size!r} must be the side in pixels, or (height, width), in whole numbers."
        )
    if min(size) < SMALLEST_SIDE:
        raise DeepAAInputError(
            f"image_size={image_size!r} is too small for these operations; enlarge the images to at least "
            f"{SMALLEST_SIDE} pixels a side."
        )
    return (int(size[0]), int(size[1]))


def check_colour(fill: Any) -> tuple[int, int, int]:
    """Return the fill colour.

    Raises
    ------
    DeepAAInputError
        If it is not three whole numbers from 0 to 255.
    """
    values = list(fill) if isinstance(fill, Sequence | np.ndarray) and not isinstance(fill, str) else []
    if len(values) != 3 or not all(_is_whole(value) and 0 <= value <= 255 for value in values):
        raise DeepAAInputError(
            f"fill={fill!r} must be three whole numbers from 0 to 255 (red, green, blue), such as the mean colour of "
            "the data; grey images use its luminance."
        )
    return (int(values[0]), int(values[1]), int(values[2]))


def check_length(name: str, length: Any, side: int, least: int = 0) -> int:
    """Return a length in pixels.

    Raises
    ------
    DeepAAInputError
        If it is no whole number from the least one to the shorter side.
    """
    if not _is_whole(length) or not least <= length <= side:
        raise DeepAAInputError(
            f"{name}={length!r} must be a whole number of pixels from {least} to the shorter side of the images, "
            f"{side}."
        )
    return int(length)


def check_operations(ops: Any, known: Sequence[str] = OPERATION_NAMES) -> tuple[str, ...]:
    """Return the names of the operations in the space's order; None stands for all.

    Raises
    ------
    DeepAAInputError
        If one is unknown, or Identity is missing.
    """
    if ops is None:
        return tuple(known)
    if isinstance(ops, str) or not isinstance(ops, Iterable):
        raise DeepAAInputError(f"ops={ops!r} is no list; give a list of names.")
    ops = tuple(ops)
    for name in ops:
        if name not in known:
            close = nearest(name, known)
            hint = f"; did you mean {close!r}?" if close else "."
            raise DeepAAInputError(f"operation {name!r} is unknown{hint} Known: {', '.join(known)}.")
    if "Identity" not in ops:
        raise DeepAAInputError(f"ops={list(ops)!r} lacks 'Identity', which says that a layer does nothing; add it.")
    return tuple(name for name in known if name in ops)
