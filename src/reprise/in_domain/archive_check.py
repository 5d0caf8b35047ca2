"""Check of the re-rendered sprites against dSprites' own archive, for those who have it."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from reprise.compute import numpy_generator
from reprise.in_domain.frames import agreement
from reprise.in_domain.grid import IntegerArray, find_grid
from reprise.in_domain.sprites import N_ORIENTATIONS, render_sprites

LEAST_OVERLAP = 0.97


class Archive(Protocol):
    """All images in grid order, indexed by an array of places: an array, or a memory map."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any) -> Any: ...


@dataclass(frozen=True)
class ArchiveCheck:
    """How the renderer agrees with a sample of the archive.

    Attributes
    ----------
    n
        Images compared.
    exact_share
        Share of them met in every pixel.
    mean_wrong_pixels, most_wrong_pixels
        Of 4096.
    lowest_overlap
        Smallest intersection over union.
    unlike
        Places of the archive whose overlap is below 0.97.
    unequal_ends
        Sampled places whose first and last orientation (0 and 360 degrees) differ in the archive.
    """

    n: int
    exact_share: float
    mean_wrong_pixels: float
    most_wrong_pixels: int
    lowest_overlap: float
    unlike: tuple[int, ...]
    unequal_ends: tuple[int, ...]

    @property
    def passed(self) -> bool:
        """Whether every image overlaps by at least 0.97 and the first and last orientation are the same image."""
        return not self.unlike and not self.unequal_ends


def check_sprites(images: Archive, n: int = 1000, seed: int = 0) -> ArchiveCheck:
    """Compare the renderer with random images of the archive.

    Parameters
    ----------
    images
        All 737 280 images of dSprites in grid order, as ``read_original("dsprites", path)`` returns them, or the
        archive's own ``imgs``; what is above zero is the shape.
    n
        Images to compare.
    seed
        Of the draw.

    Returns
    -------
    ArchiveCheck
        What was found; it does not raise where the images differ.

    Raises
    ------
    ValueError
        If there are not 737 280 images, or n is not between 1 and that.
    """
    grid = find_grid("dsprites")
    if len(images) != len(grid):
        raise ValueError(f"images holds {len(images)}, dSprites has {len(grid)} (3 x 6 x 40 x 32 x 32, in grid order).")
    if not 1 <= n <= len(grid):
        raise ValueError(f"n={n}: compare between 1 and {len(grid)} images.")
    places = np.sort(numpy_generator(seed, "in_domain", "archive check").choice(len(grid), n, replace=False))
    ours = render_sprites(torch.from_numpy(grid.factors(places)))[:, 0].numpy()
    wrong, overlap = agreement(ours, _pixels(images, places))
    first, last = grid.factors(places), grid.factors(places)
    first[:, 2], last[:, 2] = 0, N_ORIENTATIONS - 1
    ends = (_pixels(images, grid.index(end)).reshape(n, -1) > 0 for end in (first, last))
    differ = np.not_equal(*ends).any(1)
    return ArchiveCheck(
        n=n,
        exact_share=float((wrong == 0).mean()),
        mean_wrong_pixels=float(wrong.mean()),
        most_wrong_pixels=int(wrong.max()),
        lowest_overlap=float(overlap.min()),
        unlike=tuple(places[overlap < LEAST_OVERLAP].tolist()),
        unequal_ends=tuple(places[differ].tolist()),
    )


def _pixels(images: Archive, places: IntegerArray) -> np.ndarray:
    return np.asarray(images[places]).reshape(len(places), 64, 64)
