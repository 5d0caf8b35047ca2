"""The checks of images and of indices of transformations, each with a remedy in its message."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from reprise.errors import RepriseError


class DeepAAInputError(RepriseError, ValueError):
    """Input that the method cannot use; the message says what to change."""


def check_images(images: Any, size: tuple[int, int] | None = None) -> Tensor:
    """Return images as they are, if they can be augmented.

    Parameters
    ----------
    images
        uint8, or floating point in [0, 1]; of shape (B, C, H, W), C = 1 or 3.
    size
        Height and width that they must have, in pixels.

    Raises
    ------
    DeepAAInputError
        If they are no such images, or were normalised already.
    """
    if not isinstance(images, Tensor):
        raise DeepAAInputError(
            f"images must be a tensor (B, C, H, W), not {type(images).__name__}; torch.from_numpy makes one."
        )
    shape = tuple(images.shape)
    if images.ndim != 4 or shape[1] not in (1, 3):
        raise DeepAAInputError(
            f"images must have the shape (B, C, H, W) with C = 1 or 3, not {shape}; {_remedy(shape)}"
        )
    if size is not None and shape[2:] != size:
        raise DeepAAInputError(
            f"images are {shape[2]} x {shape[3]} pixels, but the space was made for {size[0]} x {size[1]}; "
            f"make it with AugmentationSpace(image_size={shape[2] if shape[2] == shape[3] else shape[2:]})."
        )
    if images.dtype != torch.uint8:
        _check_floats(images)
    return images


def _remedy(shape: tuple[int, ...]) -> str:
    if len(shape) == 4 and shape[-1] in (1, 3):
        return "channels come last here: images.permute(0, 3, 1, 2) puts them first."
    if len(shape) == 3 and shape[0] in (1, 3):
        return "for a single image give images[None]."
    if len(shape) == 3:
        return "for grey images give images[:, None]."
    if len(shape) == 4:
        return f"{shape[1]} channels are neither grey (1) nor red, green and blue (3)."
    return "stack the images along a first dimension."


def _check_floats(images: Tensor) -> None:
    if not images.is_floating_point():
        remedy = "images.float()" if images.dtype == torch.bool else "images.to(torch.uint8) if they run from 0 to 255"
        raise DeepAAInputError(
            f"images are of dtype {str(images.dtype).removeprefix('torch.')}; give uint8 or floating point in [0, 1]: "
            f"{remedy}."
        )
    if images.numel() == 0:
        return
    low, high = float(images.min()), float(images.max())
    if not (low >= 0 and high <= 1):
        raise DeepAAInputError(
            f"augmentation needs raw images in [0, 1] or uint8; min={low:.3g}, max={high:.3g}. Augment before "
            "normalising; divide by 255 what runs from 0 to 255."
        )


def to_bytes(images: Tensor) -> Tensor:
    """Return images as uint8: what is floating point in [0, 1] is multiplied by 255 and rounded."""
    return images if images.dtype == torch.uint8 else (images * 255).round().to(torch.uint8)


def like(augmented: Tensor, images: Tensor) -> Tensor:
    """Return 8-bit images in the dtype that came in: floating point is in [0, 1] again."""
    return augmented if images.dtype == torch.uint8 else augmented.to(images.dtype) / 255


def check_index(index: Any, n_images: int, n_transformations: int, device: torch.device) -> Tensor:
    """Return the transformation of each image as a long tensor on the images' device.

    Raises
    ------
    DeepAAInputError
        If it is not one integer an image, in [0, n_transformations).
    """
    index = torch.as_tensor(index, device=device)
    if index.shape != (n_images,) or index.is_floating_point() or index.dtype == torch.bool:
        raise DeepAAInputError(
            f"index must be {n_images} integers, one for each image, not {str(index.dtype).removeprefix('torch.')} of "
            f"shape {tuple(index.shape)}."
        )
    wrong = ((index < 0) | (index >= n_transformations)).nonzero()
    if len(wrong):
        place = int(wrong[0])
        raise DeepAAInputError(
            f"index[{place}] = {int(index[place])} is no transformation of this space; "
            f"they are numbered 0 to {n_transformations - 1}."
        )
    return index.long()
