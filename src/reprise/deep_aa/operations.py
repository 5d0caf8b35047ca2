"""The pixel operations on batches of 8-bit images, equal to Pillow's on every pixel.

Images are tensors (B, C, H, W) of dtype uint8 with C = 1 (grey) or 3 (red, green, blue). Nothing here is random and
nothing loops over images: geometry is one gather by a table of source pixels, point operations are lookup tables of 256
entries, the enhancements are one blend. Each image can have its own strength.

Source: the transformation set of Deep AutoAugment, whose released code applies it by Pillow.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

GREY_WEIGHTS = (19595, 38470, 7471)  # 0.299, 0.587, 0.114 in units of 2^-16, as ITU-R 601 is rounded
_FIXED_POINT = 1 << 16
Affine = tuple[float, float, float, float, float, float]

# ---- geometry ------------------------------------------------------------------------------------------------------


def shear_matrix(amount_x: float = 0.0, amount_y: float = 0.0) -> Affine:
    """Return the output-to-input map of a shear about the top left corner."""
    return (1.0, amount_x, 0.0, amount_y, 1.0, 0.0)


def translation_matrix(pixels_x: float = 0.0, pixels_y: float = 0.0) -> Affine:
    """Return the output-to-input map of a translation; positive moves the content to the left, or up."""
    return (1.0, 0.0, pixels_x, 0.0, 1.0, pixels_y)


def rotation_matrix(degrees: float, height: int, width: int) -> Affine:
    """Return the output-to-input map of a counter-clockwise rotation about the centre.

    Cosine and sine are rounded to 15 decimals, so that quarter turns are exact.
    """
    angle = -math.radians(degrees % 360.0)
    cosine, sine = round(math.cos(angle), 15), round(math.sin(angle), 15)
    x, y = width / 2, height / 2
    return (cosine, sine, cosine * -x + sine * -y + x, -sine, cosine, -sine * -x + cosine * -y + y)


def source_pixels(matrix: Affine, height: int, width: int) -> Tensor:
    """Return which input pixel each output pixel shows, by nearest neighbour.

    Output pixel (x, y) reads the input pixel that contains (a(x+.5) + b(y+.5) + c, d(x+.5) + e(y+.5) + f). As Pillow
    does, coordinates are integers in units of 2^-16, rounded once; maps without shear or rotation are computed in
    floating point.

    Parameters
    ----------
    matrix
        (a, b, c, d, e, f), from output to input coordinates.
    height, width
        Size of input and output, in pixels.

    Returns
    -------
    Tensor
        Long, of shape (height * width,): flat index of the input pixel; ``height * width`` where it is outside.
    """
    a, b, c, d, e, f = matrix
    x, y = torch.arange(width), torch.arange(height)[:, None]
    if b == 0 and d == 0:
        # Pillow adds a up from pixel to pixel, which for a = 1 gives these sums.
        x_source = (c + a * 0.5 + a * x.double()).floor().long().expand(height, width)
        y_source = (f + e * 0.5 + e * y.double()).floor().long().expand(height, width)
    else:
        a, b, d, e, start_x, start_y = (
            math.floor(value * _FIXED_POINT + 0.5) for value in (a, b, d, e, c + (a + b) * 0.5, f + (d + e) * 0.5)
        )
        x_source = (a * x + b * y + start_x) >> 16
        y_source = (d * x + e * y + start_y) >> 16
    inside = (x_source >= 0) & (x_source < width) & (y_source >= 0) & (y_source < height)
    return torch.where(inside, y_source * width + x_source, height * width).flatten()


def with_black_pixel(images: Tensor) -> Tensor:
    """Return images as (B, C, H * W + 1): their pixels, then a black one for all that lies outside."""
    flat = images.flatten(2)
    return torch.cat([flat, flat.new_zeros(*flat.shape[:2], 1)], dim=2)


def move_pixels(images: Tensor, sources: Tensor) -> Tensor:
    """Apply a geometric operation of its own to each image; black where the source is outside.

    Parameters
    ----------
    images
        uint8 (B, C, H, W).
    sources
        Long (B, H * W), of `source_pixels`.

    Returns
    -------
    Tensor
        uint8 (B, C, H, W).
    """
    sources = sources[:, None].expand(-1, images.shape[1], -1)
    return with_black_pixel(images).gather(2, sources).view_as(images)


def crop(images: Tensor, corner: Tensor, pad: int, fill: Tensor) -> Tensor:
    """Pad each image on all sides with a colour and cut a window of the original size out.

    Parameters
    ----------
    images
        uint8 (B, C, H, W).
    corner
        Long (B, 2): x and y of the window's corner in the padded image, in 0..2 pad.
    pad
        Width of the padding in pixels.
    fill
        uint8 (C,): its colour.
    """
    count, channels, height, width = images.shape
    padded = fill[:, None, None].expand(count, -1, height + 2 * pad, width + 2 * pad).contiguous()
    padded[:, :, pad : pad + height, pad : pad + width] = images
    rows = corner[:, 1, None] + torch.arange(height, device=images.device)
    columns = corner[:, 0, None] + torch.arange(width, device=images.device)
    flat = (rows[:, :, None] * padded.shape[3] + columns[:, None, :]).flatten(1)
    return padded.flatten(2).gather(2, flat[:, None].expand(-1, channels, -1)).view_as(images)


def cut_out(images: Tensor, centre: Tensor, size: int, fill: Tensor) -> Tensor:
    """Paint a rectangle over each image, from int(max(0, x - size/2)) to int(min(W, x + size/2)), both ends included.

    So it is up to ``size + 1`` pixels wide, and less at the border.

    Parameters
    ----------
    images
        uint8 (B, C, H, W).
    centre
        Double (B, 2): x in [0, W) and y in [0, H).
    size
        Side of the square in pixels.
    fill
        uint8 (C,): its colour.
    """
    height, width = images.shape[2:]
    inside = []
    for axis, length in enumerate((width, height)):
        middle = centre[:, axis, None]
        first, last = (middle - size / 2).clamp(min=0).floor(), (middle + size / 2).clamp(max=length).floor()
        places = torch.arange(length, device=images.device)
        inside.append((places >= first) & (places <= last))
    covered = inside[1][:, None, :, None] & inside[0][:, None, None, :]
    return torch.where(covered, fill[:, None, None], images)


# ---- point operations: lookup tables -------------------------------------------------------------------------------


def look_up(images: Tensor, tables: Tensor) -> Tensor:
    """Replace each value by its entry in a table.

    Parameters
    ----------
    images
        uint8 (B, C, H, W).
    tables
        uint8 (B, 256), one for each image, or (B, C, 256), one for each channel.
    """
    if tables.ndim == 2:
        return tables.gather(1, images.flatten(1).long()).view_as(images)
    return tables.gather(2, images.flatten(2).long()).view_as(images)


def _values() -> Tensor:
    return torch.arange(256)


def inversion_table() -> Tensor:
    """Return the table of 255 - p: uint8 (256,)."""
    return (255 - _values()).to(torch.uint8)


def solarization_table(threshold: float) -> Tensor:
    """Return the table that inverts all values from the threshold on: low thresholds are strong."""
    return torch.where(_values() < threshold, _values(), 255 - _values()).to(torch.uint8)


def posterization_table(bits: float) -> Tensor:
    """Return the table that keeps the top int(bits) bits: few bits are strong."""
    return (_values() & ~((1 << (8 - int(bits))) - 1)).to(torch.uint8)


def brightness_table(factor: float) -> Tensor:
    """Return the table of a blend between black and the value."""
    values = _values().to(torch.uint8)
    return blend(torch.zeros_like(values), values, torch.tensor(factor))


def stretching_tables(images: Tensor) -> Tensor:
    """Return the tables that stretch each channel's range to 0..255 (AutoContrast): uint8 (B, C, 256).

    A channel of one value stays.
    """
    flat = images.flatten(2)
    low, high = flat.amin(2).double()[..., None], flat.amax(2).double()[..., None]
    # a number divided by a tensor would be multiplied by a rounded reciprocal
    scale = torch.where(high > low, torch.full_like(low, 255.0) / (high - low), 1.0)
    offset = torch.where(high > low, -low * scale, 0.0)
    values = _values().to(images.device)
    # In double precision and truncated, as Pillow does: the largest value can come out as 254.
    return (values * scale + offset).clamp(0, 255).to(torch.uint8)


def equalization_tables(images: Tensor) -> Tensor:
    """Return the tables that equalise each channel's histogram: uint8 (B, C, 256).

    As Pillow does it: with step = (pixels - pixels of the largest value) // 255, value v becomes
    (step // 2 + pixels below v) // step; a channel with step 0 stays.
    """
    count, channels = images.shape[:2]
    values = images.flatten(2).long()
    histogram = torch.zeros(count, channels, 256, dtype=torch.long, device=images.device)
    histogram.scatter_add_(2, values, torch.ones_like(values))
    largest = values.amax(2, keepdim=True)
    step = (values.shape[2] - histogram.gather(2, largest)).div(255, rounding_mode="floor")
    below = histogram.cumsum(2) - histogram
    divisor = step.clamp(min=1)
    equalised = (divisor.div(2, rounding_mode="floor") + below).div(divisor, rounding_mode="floor").clamp(max=255)
    return torch.where(step > 0, equalised, _values().to(images.device)).to(torch.uint8)


# ---- enhancements: blends ------------------------------------------------------------------------------------------


def blend(degenerate: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    """Return degenerate + factor (images - degenerate), cut to 0..255 and truncated, in single precision.

    Factor 0 gives the degenerate image, 1 the image, more than 1 exaggerates. The three must broadcast.
    """
    start = degenerate.float()
    return (start + factor.float() * (images.float() - start)).clamp_(0, 255).to(torch.uint8)


def grey(images: Tensor) -> Tensor:
    """Return the grey images, uint8 (B, 1, H, W): luminance by ITU-R 601, rounded; images of one channel themselves."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.int().unbind(1)
    weights = GREY_WEIGHTS
    luminance = (red * weights[0] + green * weights[1] + blue * weights[2] + _FIXED_POINT // 2) >> 16
    return luminance.to(torch.uint8)[:, None]


def mean_grey(images: Tensor) -> Tensor:
    """Return the mean of each grey image rounded to an integer, uint8 (B, 1, 1, 1): what contrast 0 leaves."""
    pixels = images.shape[2] * images.shape[3]
    total = grey(images).flatten(1).sum(1, dtype=torch.long)
    return (2 * total + pixels).div(2 * pixels, rounding_mode="floor").to(torch.uint8)[:, None, None, None]


def smooth(images: Tensor) -> Tensor:
    """Return the images filtered by [1 1 1; 1 5 1; 1 1 1] / 13 and rounded, border pixels as they are."""
    if min(images.shape[2:]) < 3:
        return images.clone()
    values = images.to(torch.int16)
    rows = values[..., :-2, :] + values[..., 1:-1, :] + values[..., 2:, :]
    total = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:] + 4 * values[..., 1:-1, 1:-1]
    smoothed = images.clone()
    # total / 13 never ends in .5, so that rounding needs no care
    smoothed[..., 1:-1, 1:-1] = ((total.float() + 6.5) / 13).to(torch.uint8)
    return smoothed
