"""dSprites, re-rendered from its geometry: an offline data set of zero bytes, checked against 320 original frames.

A pixel is 1 if its centre lies inside the shape. The shapes' outlines were fitted to the original frames of the data
set's own animation; see `reprise.in_domain.frames`.
"""

import math
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reprise.in_domain.images import Render, halve

SIDE = 64
SHAPES = ("square", "ellipse", "heart")
N_ORIENTATIONS = 40
SQUARE_HALF_SIDE = 9.6
ELLIPSE_AXES = (12.8, 7.25)
ELLIPSE_VERTICES = 32
# Outline of the heart: angle from its top (degrees) and radius (pixels at scale 1); straight edges between.
HEART = (
    (0, 4.84), (2, 5.92), (4, 6.27), (6, 7.18), (8, 7.40), (10, 7.92), (15, 8.91), (20, 9.72), (25, 10.28),
    (30, 10.76), (36, 11.09), (42, 11.23), (48, 11.26), (54, 11.17), (60, 10.86), (66, 10.60), (72, 10.03), (78, 9.36),
    (84, 8.79), (90, 8.11), (98, 7.41), (106, 6.83), (114, 6.40), (122, 6.10), (130, 5.95), (138, 5.91), (145, 5.96),
    (152, 6.15), (158, 6.38), (164, 6.77), (168, 7.14), (172, 7.63), (175, 8.07), (177.5, 8.62), (180, 9.66),
)  # fmt: skip
N_RADII = 3601


def _radii(outline: list[tuple[float, float]]) -> NDArray[np.float64]:
    """Return the radius at equally spaced angles of the polygon through (degrees, radius), straight edges between."""
    angles = np.linspace(0, np.pi, N_RADII)
    corners = np.radians([angle for angle, _ in outline])
    lengths = np.array([radius for _, radius in outline])
    edge = np.clip(np.searchsorted(corners, angles, side="right") - 1, 0, len(corners) - 2)
    a0, a1, r0, r1 = corners[edge], corners[edge + 1], lengths[edge], lengths[edge + 1]
    return r0 * r1 * np.sin(a1 - a0) / (r0 * np.sin(angles - a0) + r1 * np.sin(a1 - angles))


def render_sprites(factors: Tensor) -> Tensor:
    """Render sprites.

    Parameters
    ----------
    factors
        Value indices of shape, scale, orientation (0 … 39), x, y; shape (n, 5).

    Returns
    -------
    Tensor
        uint8, 0 or 255, shape (n, 1, 64, 64).
    """
    numbers = factors.to(torch.float32)
    shape, scale = factors[:, 0], 0.5 + 0.1 * numbers[:, 1]
    angle = 2 * math.pi * numbers[:, 2] / (N_ORIENTATIONS - 1)
    centre = 16 + 32 * numbers[:, 3:5] / 31
    pixels = torch.arange(SIDE, device=factors.device) + 0.5
    dx = ((pixels - centre[:, :1]) / scale[:, None])[:, None, :]
    dy = ((pixels - centre[:, 1:]) / scale[:, None])[:, :, None]
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    u, v = cosine * dx - sine * dy, sine * dx + cosine * dy
    inside = torch.empty(u.shape, dtype=torch.bool, device=factors.device)
    for number, is_inside in enumerate((_in_square, _in_ellipse, _in_heart)):
        chosen = shape == number
        if chosen.any():
            inside[chosen] = is_inside(u[chosen], v[chosen])
    return inside[:, None].to(torch.uint8) * 255


def _in_square(u: Tensor, v: Tensor) -> Tensor:
    return (u.abs() < SQUARE_HALF_SIDE) & (v.abs() < SQUARE_HALF_SIDE)


def _in_ellipse(u: Tensor, v: Tensor) -> Tensor:
    """Tell what lies inside the regular 32-gon inscribed in the ellipse (scaled to the unit circle)."""
    a, b = u / ELLIPSE_AXES[0], v / ELLIPSE_AXES[1]
    sector = 2 * math.pi / ELLIPSE_VERTICES
    from_middle = torch.remainder(torch.atan2(b, a), sector) - sector / 2
    return torch.hypot(a, b) * from_middle.cos() < math.cos(sector / 2)


def _in_heart(u: Tensor, v: Tensor) -> Tensor:
    near = (u.abs() < 12) & (v.abs() < 12)  # the outline stays within; the angle is computed only there
    inside = torch.zeros_like(near)
    a, b = u[near].abs(), v[near]
    table = _heart_table(str(u.device))
    place = torch.atan2(a, -b) * ((N_RADII - 1) / math.pi)
    inside[near] = torch.hypot(a, b) < table[place.round().long().clamp_(0, N_RADII - 1)]
    return inside


@cache
def _heart_table(device: str) -> Tensor:
    return torch.from_numpy(_radii(list(HEART))).float().to(device)


def sprite_renderer(side: int) -> Render:
    """Return the renderer of 64 x 64 sprites, or of their 2 x 2 means at side 32."""
    if side not in (32, SIDE):
        raise ValueError(f"image_side={side}: sprites are rendered at 64, or at 32 by the mean over 2 x 2 pixels.")
    return render_sprites if side == SIDE else lambda factors: halve(render_sprites(factors))
