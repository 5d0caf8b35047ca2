"""How a space's transformations are applied to batches: grouped by operation, one call for each group.

Everything that does not depend on the images is in `Tables`, made once for a space and device: source pixels of the
geometric transformations, lookup tables of the point operations, factors of the blends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from reprise.deep_aa import operations
from reprise.deep_aa.transformations import GEOMETRIC, HIGHEST_LEVEL, WITH_FIXED_TABLES, Operation

# Images in one call on a CPU: what it makes on the way then stays in the cache.
CHUNK, EXPANDED_AT_ONCE = 64, 2
N_DRAWS = 6  # uniform numbers an image: turn the sign?, flip?, place of the cutout (2), place of the crop (2)
Degenerate = Callable[[Tensor], Tensor]
_DEGENERATE: dict[str, Degenerate] = {
    "Contrast": operations.mean_grey,
    "Color": operations.grey,
    "Sharpness": operations.smooth,
}


@dataclass(frozen=True)
class Tables:
    """What the transformations of a space need, on one device; T transformations, S of them geometric.

    Attributes
    ----------
    operation_names
        The operations of the space, in order.
    parts
        Each operation's transformations, as a slice of 0..T.
    size
        (height, width) of the images.
    cutout, crop_pad
        As in `AugmentationSpace`.
    fill
        uint8 (3,), colour of cutouts and padding.
    kind
        Long (T,): which of `operation_names`, but geometric ones share the first's number, as do those with fixed
        tables: they are applied together.
    mirrored
        Long (T,): the transformation of opposite sign.
    row
        Long (T,): line of ``sources``.
    sources
        Long (S, H * W): `operations.source_pixels`.
    points
        uint8 (T, 256): lookup tables of the operations that have fixed ones.
    factor
        float (T,): factors of the blends.
    """

    operation_names: tuple[str, ...]
    parts: tuple[slice, ...]
    size: tuple[int, int]
    cutout: int
    crop_pad: int
    fill: Tensor
    kind: Tensor
    mirrored: Tensor
    row: Tensor
    sources: Tensor
    points: Tensor
    factor: Tensor

    def to(self, device: torch.device) -> Tables:
        """Return the same tables on a device."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        tensors: dict[str, Any] = {name: v.to(device) for name, v in values.items() if isinstance(v, Tensor)}
        return replace(self, **tensors)

    def fill_of(self, images: Tensor) -> Tensor:
        """Return the fill colour, uint8 (C,): its luminance for images of one channel."""
        if images.shape[1] == 3:
            return self.fill
        return operations.grey(self.fill[None, :, None, None]).flatten()


def make_tables(
    transformations: Sequence[tuple[Operation, int]],
    size: tuple[int, int],
    fill: Sequence[int],
    cutout: int,
    crop_pad: int,
) -> Tables:
    """Return the tables of (operation, level) pairs, ordered by operation."""
    names = tuple(dict.fromkeys(operation.name for operation, _ in transformations))
    of = [operation.name for operation, _ in transformations]
    geometric = [place for place, name in enumerate(of) if name in GEOMETRIC]
    row = torch.zeros(len(of), dtype=torch.long)
    row[geometric] = torch.arange(len(geometric))
    matrices = [_matrix(*transformations[place], size) for place in geometric]
    sources = [operations.source_pixels(matrix, *size) for matrix in matrices]
    return Tables(
        operation_names=names,
        parts=tuple(slice(of.index(name), of.index(name) + of.count(name)) for name in names),
        size=size,
        cutout=cutout,
        crop_pad=crop_pad,
        fill=torch.tensor(fill, dtype=torch.uint8),
        kind=torch.tensor([names.index(_representative(name, names)) for name in of]),
        mirrored=mirror_images(transformations),
        row=row,
        sources=torch.stack(sources) if sources else torch.zeros(0, size[0] * size[1], dtype=torch.long),
        points=torch.stack([_point_table(*one) for one in transformations]),
        factor=torch.tensor([operation.magnitude(level) for operation, level in transformations]),
    )


def mirror_images(transformations: Sequence[tuple[Operation, int]]) -> Tensor:
    """Return the transformation of opposite sign for each, long (T,); itself where there is no sign."""
    place = {(operation.name, level): at for at, (operation, level) in enumerate(transformations)}
    return torch.tensor(
        [place[one.name, HIGHEST_LEVEL - level if one.signed else level] for one, level in transformations]
    )


def _representative(name: str, names: Sequence[str]) -> str:
    """Return the first operation of the space that is applied by the same call."""
    for family in (GEOMETRIC, WITH_FIXED_TABLES):
        if name in family:
            return next(one for one in names if one in family)
    return name


def _matrix(operation: Operation, level: int, size: tuple[int, int]) -> operations.Affine:
    height, width = size
    amount = operation.magnitude(level)
    matrices = {
        "ShearX": operations.shear_matrix(amount_x=amount),
        "ShearY": operations.shear_matrix(amount_y=amount),
        "TranslateX": operations.translation_matrix(pixels_x=amount * width),
        "TranslateY": operations.translation_matrix(pixels_y=amount * height),
        "Rotate": operations.rotation_matrix(amount, height, width),
    }
    return matrices[operation.name]


def _point_table(operation: Operation, level: int) -> Tensor:
    amount = operation.magnitude(level)
    tables: dict[str, Callable[[], Tensor]] = {
        "Invert": operations.inversion_table,
        "Solarize": lambda: operations.solarization_table(amount),
        "Posterize": lambda: operations.posterization_table(amount),
        "Brightness": lambda: operations.brightness_table(amount),
    }
    return tables[operation.name]() if operation.name in tables else torch.arange(256).to(torch.uint8)


# ---- one transformation for each image ----------------------------------------------------------------------------


def apply_each(tables: Tables, images: Tensor, index: Tensor, draws: Tensor) -> Tensor:
    """Apply one transformation to each image.

    Parameters
    ----------
    tables
        Of the space, on the images' device.
    images
        uint8 (B, C, H, W).
    index
        Long (B,), in [0, T).
    draws
        Double (B, 6), uniform in [0, 1).
    """
    kind = tables.kind[index]
    groups = kind.argsort().split(torch.bincount(kind, minlength=len(tables.operation_names)).tolist())
    augmented = images.clone()
    for name, members in zip(tables.operation_names, groups, strict=True):
        if name != "Identity":
            for some in _chunks(members):
                # whole images are copied, which indexing with brackets does value by value
                group = images.index_select(0, some)
                augmented.index_copy_(0, some, apply_group(tables, name, group, index[some], draws[some]))
    return augmented


def _chunks(members: Tensor) -> Sequence[Tensor]:
    if not len(members):
        return ()
    return (members,) if members.is_cuda else members.split(CHUNK)


def apply_group(tables: Tables, name: str, images: Tensor, index: Tensor, draws: Tensor) -> Tensor:
    """Apply transformations of one operation, or of several that share a call, to one image each."""
    if name in GEOMETRIC:
        return operations.move_pixels(images, tables.sources.index_select(0, tables.row[index]))
    if name in WITH_FIXED_TABLES:
        return operations.look_up(images, tables.points.index_select(0, index))
    if name in _DEGENERATE:
        return operations.blend(_DEGENERATE[name](images), images, tables.factor[index][:, None, None, None])
    return _apply_without_magnitude(tables, name, images, draws)


def _apply_without_magnitude(tables: Tables, name: str, images: Tensor, draws: Tensor) -> Tensor:
    if name == "AutoContrast":
        return operations.look_up(images, operations.stretching_tables(images))
    if name == "Equalize":
        return operations.look_up(images, operations.equalization_tables(images))
    if name == "RandFlip":
        return torch.where(draws[:, 1, None, None, None] < 0.5, images.flip(-1), images)
    if name == "RandCutout":
        height, width = tables.size
        centre = draws[:, 2:4] * draws.new_tensor([width, height])
        return operations.cut_out(images, centre, tables.cutout, tables.fill_of(images))
    if name == "RandCrop":
        corner = (draws[:, 4:6] * (2 * tables.crop_pad + 1)).long()
        return operations.crop(images, corner, tables.crop_pad, tables.fill_of(images))
    return images


# ---- all transformations of each image ----------------------------------------------------------------------------


def expand_all(tables: Tables, images: Tensor, draws: Tensor) -> Tensor:
    """Apply every transformation to every image; what several of them need is computed once an image.

    Parameters
    ----------
    tables, images, draws
        As in `apply_each`.

    Returns
    -------
    Tensor
        uint8 (N, T, C, H, W).
    """
    expanded = images.new_empty(len(images), len(tables.kind), *images.shape[1:])
    at_once = len(images) if images.is_cuda else EXPANDED_AT_ONCE
    for start in range(0, len(images), max(1, at_once)):
        some = slice(start, start + at_once)
        for name, part in zip(tables.operation_names, tables.parts, strict=True):
            expanded[some, part] = _expand_operation(tables, name, part, images[some], draws[some])
    return expanded


def _expand_operation(tables: Tables, name: str, part: slice, images: Tensor, draws: Tensor) -> Tensor:
    count = part.stop - part.start
    if name in GEOMETRIC:
        sources = tables.sources[tables.row[part]].flatten()
        pixels = operations.with_black_pixel(images)
        moved = pixels.gather(2, sources.expand(*pixels.shape[:2], -1))
        return moved.view(*images.shape[:2], count, *images.shape[2:]).transpose(1, 2)
    if name in WITH_FIXED_TABLES:
        values = images.flatten().long().expand(count, -1)
        return tables.points[part].gather(1, values).view(count, *images.shape).transpose(0, 1)
    if name in _DEGENERATE:
        factor = tables.factor[part][:, None, None, None]
        return operations.blend(_DEGENERATE[name](images)[:, None], images[:, None], factor)
    return _apply_without_magnitude(tables, name, images, draws)[:, None]
