"""The same transformations on one Pillow image: what the batched operations have to equal, and are timed against.

Random operations take their draw as an argument, so that both sides can be given the same one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

_ENHANCERS = {
    "Contrast": ImageEnhance.Contrast,
    "Color": ImageEnhance.Color,
    "Brightness": ImageEnhance.Brightness,
    "Sharpness": ImageEnhance.Sharpness,
}


def with_pillow(image: Image.Image, operation: str, magnitude: float = 0.0) -> Image.Image:
    """Apply an operation that is not random to one image by Pillow.

    Parameters
    ----------
    image
        Of mode ``"L"`` or ``"RGB"``.
    operation
        Name in the transformation set, e.g. ``"ShearX"``.
    magnitude
        Its value in the operation's own unit (`AugmentationSpace.magnitude`).

    Raises
    ------
    ValueError
        If no such operation exists.
    """
    width, height = image.size
    matrices = {
        "ShearX": (1, magnitude, 0, 0, 1, 0),
        "ShearY": (1, 0, 0, magnitude, 1, 0),
        "TranslateX": (1, 0, magnitude * width, 0, 1, 0),
        "TranslateY": (1, 0, 0, 0, 1, magnitude * height),
    }
    if operation in matrices:
        return image.transform(image.size, Image.Transform.AFFINE, matrices[operation])
    if operation in _ENHANCERS:
        return _ENHANCERS[operation](image).enhance(magnitude)
    others = {
        "Identity": lambda: image,
        "Rotate": lambda: image.rotate(magnitude),
        "AutoContrast": lambda: ImageOps.autocontrast(image),
        "Invert": lambda: ImageOps.invert(image),
        "Equalize": lambda: ImageOps.equalize(image),
        "Solarize": lambda: ImageOps.solarize(image, magnitude),  # type: ignore[arg-type]
        "Posterize": lambda: ImageOps.posterize(image, int(magnitude)),
    }
    if operation not in others:
        raise ValueError(f"operation={operation!r} is none of Pillow's; known: {', '.join([*matrices, *others])}.")
    return others[operation]()


def flip_with_pillow(image: Image.Image) -> Image.Image:
    """Mirror one image left to right."""
    return ImageOps.mirror(image)


def cut_out_with_pillow(image: Image.Image, centre: tuple[float, float], size: int, fill: Sequence[int]) -> Image.Image:
    """Paint a square around (x, y) over one image; Pillow's rectangles include their last row and column."""
    width, height = image.size
    x, y = centre
    corners = (
        math.floor(max(0.0, x - size / 2)),
        math.floor(max(0.0, y - size / 2)),
        math.floor(min(width, x + size / 2)),
        math.floor(min(height, y + size / 2)),
    )
    image = image.copy()
    ImageDraw.Draw(image).rectangle(corners, fill=_colour(image, fill))
    return image


def crop_with_pillow(image: Image.Image, corner: tuple[int, int], pad: int, fill: Sequence[int]) -> Image.Image:
    """Pad one image and cut a window of its size out, whose corner is (x, y) in the padded image."""
    x, y = corner
    padded = ImageOps.expand(image, border=pad, fill=_colour(image, fill))
    return padded.crop((x, y, x + image.size[0], y + image.size[1]))


def _colour(image: Image.Image, fill: Sequence[int]) -> int | tuple[int, ...]:
    return int(fill[0]) if image.mode == "L" else tuple(int(value) for value in fill)


def to_pillow(image: np.ndarray) -> Image.Image:
    """Return one image (C, H, W) of uint8 values as Pillow's."""
    return Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))


def from_pillow(image: Image.Image) -> np.ndarray:
    """Return a Pillow image as uint8 values (C, H, W)."""
    values = np.asarray(image)
    return values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
