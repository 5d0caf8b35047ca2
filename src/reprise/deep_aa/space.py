"""The augmentation space: the 139 transformations, numbered, applied to batches of images."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Generator, Tensor

from reprise.deep_aa.application import N_DRAWS, Tables, apply_each, expand_all, make_tables, mirror_images
from reprise.deep_aa.image_checks import check_images, check_index, like, to_bytes
from reprise.deep_aa.space_checks import check_colour, check_length, check_operations, check_size
from reprise.deep_aa.transformations import OPERATIONS, Operation

CIFAR_FILL = (125, 123, 114)


@dataclass(frozen=True, init=False)
class AugmentationSpace:
    """The transformations that a policy chooses from, for images of one size.

    They are ordered by operation (as in the paper's table), then by rising magnitude.

    Parameters
    ----------
    image_size
        Side in pixels, or (height, width); 32 in the paper. At least 8.
    fill
        Colour of cutouts and of the padding of crops, 0 to 255. Images of one channel take its luminance.
    ops
        Names of the operations to keep; all 18 by default. Identity has to stay.
    cutout
        Side of RandCutout in pixels; half the shorter side by default (16 in the paper, of 32).
    crop_pad
        Padding of RandCrop in pixels; an eighth of the shorter side by default (4 in the paper, of 32).

    Attributes
    ----------
    names
        What each transformation is called, e.g. ``"ShearX -0.3"``.
    operations
        The names of the operations.
    op_index
        Long (T,): the operation of each transformation.
    level
        Long (T,): its grid point, 0 to 12; 6 where it has no magnitude.
    magnitude
        Double (T,): its value in the operation's own unit.

    Raises
    ------
    DeepAAInputError
        If an argument makes no sense; names the remedy.

    Examples
    --------
    >>> space = AugmentationSpace()
    >>> len(space), space.names[1], space.operations[-1]
    (139, 'ShearX -0.3', 'RandCrop')
    >>> images = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    >>> space.apply(images, torch.tensor([0, 61])).shape
    torch.Size([2, 3, 32, 32])
    """

    image_size: tuple[int, int]
    fill: tuple[int, int, int]
    operations: tuple[str, ...]
    cutout: int
    crop_pad: int
    _tables: dict[torch.device, Tables] = field(repr=False, compare=False)

    def __init__(
        self,
        image_size: int | tuple[int, int] = 32,
        fill: Sequence[int] = CIFAR_FILL,
        ops: Sequence[str] | None = None,
        *,
        cutout: int | None = None,
        crop_pad: int | None = None,
    ) -> None:
        size = check_size(image_size)
        values: dict[str, Any] = {
            "image_size": size,
            "fill": check_colour(fill),
            "operations": check_operations(ops),
            "cutout": check_length("cutout", min(size) // 2 if cutout is None else cutout, min(size), least=1),
            "crop_pad": check_length("crop_pad", min(size) // 8 if crop_pad is None else crop_pad, min(size)),
            "_tables": {},
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def transformations(self) -> tuple[tuple[Operation, int], ...]:
        """The operation and the grid point of each transformation."""
        kept = [operation for operation in OPERATIONS if operation.name in self.operations]
        return tuple((operation, level) for operation in kept for level in operation.levels)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each transformation is called."""
        return tuple(
            operation.name if operation.idle_level is None else f"{operation.name} {operation.magnitude(level):.4g}"
            for operation, level in self.transformations
        )

    @cached_property
    def op_index(self) -> Tensor:
        """The operation of each transformation, long (T,)."""
        return torch.tensor([self.operations.index(operation.name) for operation, _ in self.transformations])

    @cached_property
    def level(self) -> Tensor:
        """The grid point of each transformation, long (T,)."""
        return torch.tensor([level for _, level in self.transformations])

    @cached_property
    def magnitude(self) -> Tensor:
        """The value of each transformation in its operation's unit, double (T,)."""
        values = [operation.magnitude(level) for operation, level in self.transformations]
        return torch.tensor(values, dtype=torch.float64)

    @cached_property
    def mirrored(self) -> Tensor:
        """The transformation of opposite sign, long (T,); itself where there is no sign."""
        return mirror_images(self.transformations)

    @property
    def identity(self) -> int:
        """The number of the transformation that does nothing."""
        return self.slice_of("Identity").start

    def slice_of(self, operation: str) -> slice:
        """Return where an operation's transformations stand in all vectors over transformations.

        Raises
        ------
        DeepAAInputError
            If the space does not have it.
        """
        check_operations([operation, "Identity"], self.operations)
        at = [place for place, (one, _) in enumerate(self.transformations) if one.name == operation]
        return slice(at[0], at[-1] + 1)

    def apply(
        self, images: Tensor, index: Tensor, generator: Generator | None = None, *, mirror_signed: bool = False
    ) -> Tensor:
        """Apply one transformation to each image.

        Parameters
        ----------
        images
            (B, C, H, W), C = 1 or 3: uint8, or floating point in [0, 1] (which is rounded to 8 bits).
        index
            Long (B,), the transformation of each image, in [0, T).
        generator
            Source of what the random operations draw; torch's own by default. What is drawn for an image depends on
            its place in the batch only, not on the transformations.
        mirror_signed
            Whether shears, translations and rotations turn their sign with probability 1/2, as the paper's training
            does and its search does not.

        Returns
        -------
        Tensor
            Images of the same shape and dtype.

        Raises
        ------
        DeepAAInputError
            If images or index cannot be used.
        """
        pixels = self._pixels(images)
        tables = self._tables_on(images.device)
        index = check_index(index, len(images), len(self), images.device)
        draws = _draws(images, generator)
        if mirror_signed:
            index = torch.where(draws[:, 0] < 0.5, tables.mirrored[index], index)
        return like(apply_each(tables, pixels, index, draws), images)

    def expand(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """Apply every transformation to every image, with the work shared that they have in common.

        Parameters
        ----------
        images
            (N, C, H, W), as in `apply`.
        generator
            As in `apply`; each random operation draws once an image.

        Returns
        -------
        Tensor
            (N, T, C, H, W), in the order of the space; ``flatten(0, 1)`` makes a batch of it.

        Raises
        ------
        DeepAAInputError
            If the images cannot be used.
        """
        pixels = self._pixels(images)
        return like(expand_all(self._tables_on(images.device), pixels, _draws(images, generator)), images)

    def _pixels(self, images: Tensor) -> Tensor:
        check_images(images, self.image_size)
        if images.shape[1] == 1 and "Color" in self.operations:
            warnings.warn(
                "Color does nothing to images of one channel; AugmentationSpace(ops=...) without it spares 12 "
                "transformations.",
                stacklevel=3,
            )
        return to_bytes(images.detach())

    def _tables_on(self, device: torch.device) -> Tables:
        if device not in self._tables:
            values = (self.transformations, self.image_size, self.fill, self.cutout, self.crop_pad)
            self._tables[device] = make_tables(*values).to(device)
        return self._tables[device]


def _draws(images: Tensor, generator: Generator | None) -> Tensor:
    """Return the uniform numbers in [0, 1) that the random operations use: double (B, 6)."""
    where = images.device if generator is None else generator.device
    draws = torch.rand(len(images), N_DRAWS, generator=generator, dtype=torch.float64, device=where)
    return draws.to(images.device)
