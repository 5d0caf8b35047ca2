"""The blog's case: small hearts and large squares in training, large hearts and small squares at test."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reprise.compute import numpy_generator
from reprise.in_domain.grid import FactorGrid, IntegerArray
from reprise.in_domain.images import RenderedGrid
from reprise.in_domain.scores import Floats
from reprise.in_domain.sprites import sprite_renderer

# Sprites with the orientation fixed at 0.
GRID = FactorGrid((3, 6, 32, 32), ("shape", "scale", "x", "y"), ("shape",), ("shape",))
SQUARE, HEART = 0, 2
FIRST_LARGE = 3


@dataclass(frozen=True)
class BlogCase:
    """Two training sets of equal size and the test images that neither holds.

    Attributes
    ----------
    held_out, control
        Grid points to train on: without large hearts and small squares; drawn from everything but the test images.
    test
        Large hearts and small squares.
    """

    held_out: IntegerArray
    control: IntegerArray
    test: IntegerArray

    def training_sets(self) -> dict[str, IntegerArray]:
        """Return the two training sets by name."""
        return {"held out": self.held_out, "control": self.control}


def is_held_out(factors: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Tell which points are large hearts or small squares."""
    shape, large = factors[:, 0], factors[:, 1] >= FIRST_LARGE
    return ((shape == HEART) & large) | ((shape == SQUARE) & ~large)


def make_blog_case(n_train: int, n_test: int, seed: int = 0) -> BlogCase:
    """Draw the case's training sets and test images."""
    generator = numpy_generator(seed, "in_domain", "blog case")
    everything = np.arange(len(GRID))
    excluded = is_held_out(GRID.factors(everything))
    test = generator.choice(everything[excluded], n_test, replace=False)
    held_out = generator.choice(everything[~excluded], n_train, replace=False)
    control = generator.choice(np.setdiff1d(everything, test), n_train, replace=False)
    return BlogCase(*(np.sort(part) for part in (held_out, control, test)))


def blog_images(image_side: int, device: str | torch.device = "cpu") -> RenderedGrid:
    """Return the case's images, rendered on the fly."""
    render = sprite_renderer(image_side)

    def with_orientation(factors: Tensor) -> Tensor:
        unturned = torch.zeros_like(factors[:, :1])
        return render(torch.cat([factors[:, :2], unturned, factors[:, 2:]], dim=1))

    return RenderedGrid(with_orientation, GRID, device)


def shape_accuracy(index: IntegerArray, predicted: Floats) -> float:
    """Return the share of images whose predicted shape, rounded to 0, 1/2 or 1, is right."""
    nearest = np.clip(np.round(predicted[:, 0] * 2), 0, 2)
    return float(np.mean(nearest == GRID.factors(index)[:, 0]))
