"""A network that is exactly equivariant under quarter turns (the group C4): four turned copies of every filter."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d

from reprise.in_domain.networks import check_side

N_TURNS = 4
FIELDS = (6, 9, 12, 12, 19)
FIRST_KERNEL, KERNEL = 7, 5


class Lifting(nn.Module):
    """A convolution with four turned copies of each filter: (n, c, h, w) to (n, fields, 4, h, w)."""

    def __init__(self, in_channels: int, fields: int, kernel: int) -> None:
        super().__init__()
        self.inner = nn.Conv2d(in_channels, fields, kernel, padding="same")

    def forward(self, images: Tensor) -> Tensor:
        """Apply the filters."""
        weight = torch.stack([torch.rot90(self.inner.weight, turn, (-2, -1)) for turn in range(N_TURNS)], dim=1)
        return _convolve(images, weight, self.inner)


class GroupConvolution(nn.Module):
    """A convolution over places and turns: turned filters with their input turns shifted cyclically."""

    def __init__(self, in_fields: int, fields: int, kernel: int) -> None:
        super().__init__()
        self.inner = nn.Conv2d(in_fields * N_TURNS, fields, kernel, padding="same")

    def forward(self, features: Tensor) -> Tensor:
        """Map (n, in_fields, 4, h, w) to (n, fields, 4, h, w)."""
        fields, _, *kernel = self.inner.weight.shape
        by_turn = self.inner.weight.reshape(fields, -1, N_TURNS, *kernel)
        turned = [torch.rot90(by_turn, turn, (-2, -1)).roll(turn, 2).flatten(1, 2) for turn in range(N_TURNS)]
        return _convolve(features.flatten(1, 2), torch.stack(turned, dim=1), self.inner)


def _convolve(images: Tensor, weight: Tensor, inner: nn.Conv2d) -> Tensor:
    assert inner.bias is not None
    out = conv2d(images, weight.flatten(0, 1), inner.bias.repeat_interleave(N_TURNS), padding="same")
    return out.unflatten(1, (-1, N_TURNS))


class RotationEquivariantCNN(nn.Module):
    """Lifting, group convolutions and 2 x 2 mean pooling down to a 4 x 4 map, one linear layer on all of it.

    There is no pooling over the group: it would remove the orientation that has to be reported.

    Parameters
    ----------
    in_channels, n_factors, image_side
        As everywhere.
    width
        Factor on the number of fields; the big variant has 2.
    """

    def __init__(self, in_channels: int, n_factors: int, image_side: int, *, width: int = 1) -> None:
        super().__init__()
        check_side(image_side)
        n_pools = {64: 4, 32: 3}[image_side]
        fields = [width * number for number in FIELDS[-n_pools - 1 :]]
        self.layers = nn.ModuleList([Lifting(in_channels, fields[0], FIRST_KERNEL)])
        self.layers.extend(GroupConvolution(a, b, KERNEL) for a, b in pairwise(fields))
        self.head = nn.Linear(fields[-1] * N_TURNS * 16, n_factors)

    def features(self, images: Tensor) -> Tensor:
        """Return the last map, shape (n, fields, 4, 4, 4): it turns, and its turns shift, as the image turns."""
        features = images
        for place, layer in enumerate(self.layers):
            features = layer(features).relu()
            if place < len(self.layers) - 1:
                features = avg_pool2d(features.flatten(1, 2), 2).unflatten(1, (-1, N_TURNS))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, channels, side, side) to (n, n_factors)."""
        return self.head(self.features(images).flatten(1))
