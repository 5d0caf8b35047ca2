"""Images of a factor grid: one uint8 tensor on the device, or rendered from the factors; no per-item loader."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from reprise.compute import resolve_device
from reprise.in_domain.grid import FactorGrid, Factors, IntegerArray

# Factors' value indices, shape (n, n_factors), to images, uint8, shape (n, channels, side, side).
Render = Callable[[Tensor], Tensor]


class Images(Protocol):
    """What training and evaluation ask of images: those of some grid points, as floats in [0, 1]."""

    grid: Factors
    device: torch.device

    def batch(self, index: Tensor) -> Tensor:
        """Return images of grid points of shape (n,): float32, shape (n, channels, side, side), in [0, 1]."""
        ...


class GridImages:
    """All images of a grid in one uint8 tensor on the device.

    Parameters
    ----------
    images
        uint8, shape (n_points, channels, side, side) or (n_points, side, side), in grid order: last factor fastest.
    grid
        The grid.
    device
        Where the tensor lives.
    labels
        Value indices of every image, shape (n_points, n_factors), where there are some: they tell whether the images
        are in grid order, which cannot be seen from the images.

    Raises
    ------
    ValueError
        If the number of images is not the grid's, they are no uint8 images, their sides differ, or their labels are
        not the grid's.
    """

    def __init__(
        self,
        images: NDArray[np.uint8] | Tensor,
        grid: Factors,
        device: str | torch.device = "cpu",
        *,
        labels: ArrayLike | None = None,
    ) -> None:
        if labels is not None and isinstance(grid, FactorGrid):
            check_labels(np.asarray(labels), grid)
        tensor = torch.as_tensor(images)
        if tensor.ndim == 3:
            tensor = tensor[:, None]
        _check_images(tensor, grid)
        self.grid = grid
        self.device = resolve_device(device)
        self._images = tensor.to(self.device)

    def batch(self, index: Tensor) -> Tensor:
        """Return images of grid points (see `Images`)."""
        return self._images[index].float().div_(255)


class RenderedGrid:
    """Images made from the factors whenever they are asked for: any grid in no memory.

    Parameters
    ----------
    render
        Function of value indices (n, n_factors) to uint8 images (n, channels, side, side), on the same device.
    grid
        The grid.
    device
        Where to render.

    Raises
    ------
    ValueError
        If the factors are no full grid; when images are asked for, if the function does not return bytes.
    """

    def __init__(self, render: Render, grid: FactorGrid, device: str | torch.device = "cpu") -> None:
        if not isinstance(grid, FactorGrid):
            raise ValueError(f"grid is a {type(grid).__name__}; images are rendered from the values of a FactorGrid.")
        self.grid = grid
        self.device = resolve_device(device)
        self._render = render
        self._strides = torch.from_numpy(grid.strides).to(self.device)
        self._sizes = torch.tensor(grid.sizes, device=self.device)

    def batch(self, index: Tensor) -> Tensor:
        """Return images of grid points (see `Images`)."""
        return self.uint8(index).float().div_(255)

    def uint8(self, index: Tensor) -> Tensor:
        """Return the same images as bytes."""
        images = self._render(index[:, None] // self._strides % self._sizes)
        if not isinstance(images, Tensor) or images.dtype != torch.uint8 or len(images) != len(index):
            kind = f"{images.dtype}, {tuple(images.shape)}" if isinstance(images, Tensor) else type(images).__name__
            raise ValueError(
                f"render returned {kind}; give a uint8 tensor of shape ({len(index)}, channels, side, side)."
            )
        return images


@dataclass
class StoredPoints:
    """Images of some grid points, rendered once: what a training that draws from a few points needs.

    Attributes
    ----------
    grid, device
        As in `Images`.
    points
        The stored grid points, ascending.
    images
        Their images, uint8.
    """

    grid: Factors
    device: torch.device
    points: Tensor
    images: Tensor

    def batch(self, index: Tensor) -> Tensor:
        """Return images of stored grid points (see `Images`); asking for others is an error."""
        places = torch.searchsorted(self.points, index).clamp_(max=len(self.points) - 1)
        if not torch.equal(self.points[places], index):
            raise ValueError("index names grid points that were not stored; render_points them first.")
        return self.images[places].float().div_(255)


def render_points(source: RenderedGrid, index: IntegerArray, chunk: int = 512) -> StoredPoints:
    """Render some grid points once and keep them."""
    points = torch.from_numpy(np.unique(index)).to(source.device)
    images = torch.cat([source.uint8(part) for part in points.split(chunk)])
    return StoredPoints(source.grid, source.device, points, images)


def halve(images: Tensor) -> Tensor:
    """Halve the side of uint8 images by the mean over 2 x 2 pixels, rounded."""
    return torch.nn.functional.avg_pool2d(images.float(), 2).round_().to(torch.uint8)


def _check_images(images: Tensor, grid: Factors) -> None:
    if len(images) != len(grid):
        if not isinstance(grid, FactorGrid):
            raise ValueError(f"the table of factors has {len(grid)} rows, got {len(images)} images: give one a row.")
        raise ValueError(
            f"the grid {list(grid.sizes)} has {len(grid)} images, got {len(images)}: images must be in grid order, "
            "last factor fastest."
        )
    if images.dtype in (torch.bool, torch.int16, torch.int32, torch.int64):
        raise ValueError(f"images are {images.dtype}; give uint8 from 0 to 255 (NumPy: images.astype(np.uint8)).")
    if images.dtype != torch.uint8:
        low, high = float(images.min()), float(images.max())
        raise ValueError(
            f"images are {images.dtype} with values from {low:g} to {high:g}; give uint8 from 0 to 255 "
            "(floats in [0, 1]: multiply by 255 and round)."
        )
    if images.ndim == 4 and images.shape[-1] in (1, 3) and images.shape[1] == images.shape[2]:
        raise ValueError(f"images of shape {tuple(images.shape)} have channels last: images.transpose(0, 3, 1, 2).")
    if images.ndim != 4 or images.shape[-1] != images.shape[-2]:
        raise ValueError(f"images have the shape {tuple(images.shape)}; give (n, channels, side, side).")


def check_labels(labels: NDArray[np.integer], grid: FactorGrid) -> None:
    """Refuse labels that are not the grid's value indices in grid order.

    Raises
    ------
    ValueError
        If they begin at 1, or the first or last row is not the grid's.
    """
    rows = np.asarray(labels)
    if rows.shape != (len(grid), grid.n_factors):
        raise ValueError(f"labels have the shape {rows.shape}; the grid needs {(len(grid), grid.n_factors)}.")
    if rows.min() == 1 and (rows.max(0) == np.asarray(grid.sizes)).all():
        raise ValueError("labels count from 1; give value indices from 0 (subtract 1).")
    expected = grid.factors([0, 1, len(grid) - 1])
    if not np.array_equal(rows[[0, 1, -1]], expected):
        raise ValueError(
            f"labels are not in grid order: rows 0, 1 and the last are {rows[[0, 1, -1]].tolist()}, expected "
            f"{expected.tolist()}; sort them with the last factor fastest."
        )
