"""Pairs of training images for the weakly supervised methods, drawn for a whole batch at once.

Partners come from the training set only: one with a held-out value would leak test images.
"""

import math

import torch
from torch import Tensor

from reprise.in_domain.grid import FactorGrid, Factors, IntegerArray


class PairSampler:
    """Draws a partner for each image of a batch.

    Parameters
    ----------
    grid
        The factor grid.
    train_index
        Grid points that may be partners.
    device
        Where indices live.

    Raises
    ------
    ValueError
        If the factors are no full grid.
    """

    def __init__(self, grid: Factors, train_index: IntegerArray, device: str | torch.device = "cpu") -> None:
        if not isinstance(grid, FactorGrid):
            raise ValueError("pairs are drawn on a full grid, and a FactorTable is none; use a supervised model.")
        self.grid = grid
        self.device = torch.device(device)
        allowed = torch.zeros(len(self.grid), dtype=torch.bool)
        allowed[torch.from_numpy(train_index)] = True
        self._is_train = allowed.to(device)
        self._strides = self.grid.strides.tolist()

    def laplace(self, index: Tensor, generator: torch.Generator) -> Tensor:
        """Draw each ordered factor anew, one after the other, with probability proportional to a Laplace density.

        Location: the present value; scale: log(number of values). Categorical factors stay.
        """
        partner = index.clone()
        for name, size, stride in zip(self.grid.names, self.grid.sizes, self._strides, strict=True):
            if name in self.grid.categorical:
                continue
            candidates, distance = self._candidates(partner, size, stride)
            weights = torch.exp(-distance.abs() / math.log(size)) * self._is_train[candidates]
            partner = _draw(candidates, weights, generator)
        return partner

    def one_factor(self, index: Tensor, generator: torch.Generator) -> Tensor:
        """Change one factor, drawn at random, to another of its values that training has; k = 1 of "Ada-GVAE"."""
        which = torch.randint(len(self.grid.sizes), (len(index),), generator=generator).to(self.device)
        partner = index.clone()
        for place, (size, stride) in enumerate(zip(self.grid.sizes, self._strides, strict=True)):
            chosen = which == place
            if not chosen.any():
                continue
            candidates, distance = self._candidates(index[chosen], size, stride)
            weights = ((distance != 0) & self._is_train[candidates]).float()
            # Where training has no other value of this factor the image is its own partner.
            alone = weights.sum(1, keepdim=True) == 0
            weights = torch.where(alone, (distance == 0).float(), weights)
            partner[chosen] = _draw(candidates, weights, generator)
        return partner

    def _candidates(self, index: Tensor, size: int, stride: int) -> tuple[Tensor, Tensor]:
        """Return the points with every value of one factor, and how far each value is; both (n, size)."""
        value = index // stride % size
        distance = torch.arange(size, device=index.device)[None] - value[:, None]
        return index[:, None] + distance * stride, distance


def _draw(candidates: Tensor, weights: Tensor, generator: torch.Generator) -> Tensor:
    """Draw one candidate a row; uniform numbers come from the CPU, so that a GPU draws the same pairs."""
    uniform = torch.rand(len(weights), 1, generator=generator).to(weights.device)
    cumulative = weights.double().cumsum(1)
    chosen = torch.searchsorted(cumulative, uniform.double() * cumulative[:, -1:], right=True)
    return candidates.gather(1, chosen.clamp_(max=candidates.shape[1] - 1))[:, 0]


def interleave(first: Tensor, second: Tensor) -> Tensor:
    """Return a0, b0, a1, b1, …: the order in which pairs travel."""
    return torch.stack([first, second], dim=1).flatten(0, 1)


def separate(interleaved: Tensor) -> tuple[Tensor, Tensor]:
    """Undo `interleave`.

    Raises
    ------
    ValueError
        If the number of rows is odd.
    """
    if len(interleaved) % 2:
        raise ValueError(f"{len(interleaved)} images are no pairs; give an even number: a0, b0, a1, b1, ….")
    return interleaved[0::2], interleaved[1::2]
