"""A remedy that knows the mechanism: images are shifted and zoomed, and their labels with them.

It shows what knowing how position and scale act on an image is worth; orientation and shape are left alone.
"""

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from reprise.in_domain.grid import Factors

# Sprites: the centre moves over half the canvas, from -1/2 to 1/2 of its half side; the scale from 0.5 to 1.
TRAVEL = 0.5
LEAST_SCALE, SCALE_RANGE = 0.5, 0.5


class MoveAndZoom:
    """Draws a new position and scale for each image of a batch of sprites, uniformly, and warps the image to them.

    Parameters
    ----------
    grid
        A grid with the factors scale, x and y of `reprise.in_domain.sprites`.
    """

    def __init__(self, grid: Factors) -> None:
        self._scale, self._x, self._y = (grid.position(name) for name in ("scale", "x", "y"))

    def __call__(self, images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return images and targets with new positions and scales.

        Parameters
        ----------
        images, targets
            Shapes (n, channels, side, side) and (n, n_factors).
        generator
            On the CPU.
        """
        columns = [self._scale, self._x, self._y]
        new = torch.rand(len(images), 3, generator=generator).to(images.device)
        changed = targets.clone()
        changed[:, columns] = new
        return warp_sprites(images, targets[:, columns], new), changed


def warp_sprites(images: Tensor, old: Tensor, new: Tensor) -> Tensor:
    """Warp sprites from old to new (scale, x, y), each in [0, 1], shape (n, 3)."""
    zoom = (LEAST_SCALE + SCALE_RANGE * old[:, 0]) / (LEAST_SCALE + SCALE_RANGE * new[:, 0])
    place_old, place_new = ((2 * where[:, 1:] - 1) * TRAVEL for where in (old, new))
    # A point p of the new image shows the point old + zoom (p - new) of the old one.
    affine = torch.zeros(len(images), 2, 3, device=images.device)
    affine[:, 0, 0] = affine[:, 1, 1] = zoom
    affine[:, :, 2] = place_old - zoom[:, None] * place_new
    places = affine_grid(affine, list(images.shape), align_corners=False)
    return grid_sample(images, places, align_corners=False)
