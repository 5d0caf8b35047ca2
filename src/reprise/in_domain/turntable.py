"""Turntable: photographs of turning objects (COIL-20), placed and scaled on a canvas; stands for MPI3D.

Appearance, self-occlusion and azimuth are real, geometry in the picture is controlled. It is not MPI3D.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from reprise.data import fetch
from reprise.in_domain.images import Render, halve

PHOTOGRAPHS = "coil20/COIL20.mat"
N_OBJECTS, N_VIEWS, PHOTOGRAPH_SIDE = 20, 72, 32
# Objects that look different from every side; a half turn, so that the azimuth does not wrap around.
OBJECTS = (0, 1, 2, 3, 5, 6, 12, 17, 18)
N_AZIMUTHS = 36
SIDE = 64
NOISE_SIDE = 8
NOISE_LEVEL = 0.5


def read_photographs(path: Path | None = None) -> Tensor:
    """Read COIL-20.

    Parameters
    ----------
    path
        ``COIL20.mat``; None: the registered file.

    Returns
    -------
    Tensor
        float32 in [0, 1], shape (20 objects, 72 views of 5 degrees, 32, 32).

    Raises
    ------
    ValueError
        If the file does not hold 1440 images of 1024 pixels in the order of its labels.
    """
    from scipy.io import loadmat

    file = fetch(PHOTOGRAPHS) if path is None else path
    content = loadmat(file)
    pixels, labels = content["X"], content["Y"].ravel()
    expected = np.repeat(np.arange(1, N_OBJECTS + 1), N_VIEWS)
    if pixels.shape != (N_OBJECTS * N_VIEWS, PHOTOGRAPH_SIDE**2) or not np.array_equal(labels, expected):
        raise ValueError(f"{file}: X has the shape {pixels.shape}; expected (1440, 1024), sorted by object and view.")
    # Stored column by column.
    images = pixels.reshape(N_OBJECTS, N_VIEWS, PHOTOGRAPH_SIDE, PHOTOGRAPH_SIDE).swapaxes(-1, -2)
    return torch.from_numpy(np.ascontiguousarray(images, dtype=np.float32))


def turntable_renderer(photographs: Tensor, side: int, background: Literal["black", "noise"] = "black") -> Render:
    """Return the renderer of the Turntable.

    Parameters
    ----------
    photographs
        As `read_photographs` returns them.
    side
        64, or 32 (the mean over 2 x 2 pixels).
    background
        ``"black"``, or ``"noise"``: smooth grey noise, fixed by the image's place in the grid.

    Returns
    -------
    callable
        Value indices of object, azimuth, scale, x, y (n, 5) to uint8 images (n, 1, side, side).
    """
    if side not in (32, SIDE):
        raise ValueError(f"image_side={side}: the Turntable is rendered at 64, or at 32.")
    chosen = photographs[list(OBJECTS), :N_AZIMUTHS]

    def render(factors: Tensor) -> Tensor:
        images = _paste(chosen.to(factors.device), factors)
        if background == "noise":
            images = torch.maximum(images, _noise(factors))
        pixels = (images * 255).round_().clamp_(0, 255).to(torch.uint8)
        return pixels if side == SIDE else halve(pixels)

    return render


def _paste(photographs: Tensor, factors: Tensor) -> Tensor:
    """Draw each photograph, scaled by 0.5 + 0.1 s, with its centre at 16 + 32 i / 15; float, (n, 1, 64, 64)."""
    sources = photographs[factors[:, 0], factors[:, 1]][:, None]
    scale = 0.5 + 0.1 * factors[:, 2].float()
    centre = 16 + 32 * factors[:, 3:5].float() / 15
    pixels = torch.arange(SIDE, device=factors.device) + 0.5
    # Where each canvas pixel lies on the photograph, whose sides are at -1 and 1.
    offset = (pixels[None, None, :] - centre[:, :, None]) / (scale * PHOTOGRAPH_SIDE / 2)[:, None, None]
    across, down = offset[:, 0, None, :], offset[:, 1, :, None]
    places = torch.stack(torch.broadcast_tensors(across, down), dim=-1)
    return grid_sample(sources, places, mode="bilinear", padding_mode="zeros", align_corners=False)


def _noise(factors: Tensor) -> Tensor:
    """Smooth noise in [0, 0.5] that depends on the factors only: a hash of the grid point at coarse places."""
    weights = torch.tensor([55296.0, 1536.0, 256.0, 16.0, 1.0], device=factors.device, dtype=torch.float64)
    point = (factors.double() * weights).sum(1, keepdim=True)
    place = torch.arange(NOISE_SIDE**2, device=factors.device, dtype=torch.float64)
    hashed = torch.frac((point * 64 + place + 1) * 0.6180339887498949 * (place + 1)).abs()
    coarse = hashed.float().reshape(-1, 1, NOISE_SIDE, NOISE_SIDE) * NOISE_LEVEL
    return interpolate(coarse, size=SIDE, mode="bicubic", align_corners=False).clamp_(0, NOISE_LEVEL)
