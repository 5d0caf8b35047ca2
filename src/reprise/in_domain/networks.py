"""The small supervised networks: MLP, CNN, CoordConv, SetEncoder, spatial transformer; each maps images to all factors.

Widths at 64 pixels are the paper's (the authors' code, or our reconstruction of it). At 32 pixels each network loses
one layer that halves the side.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

# Widths of the strided convolutions, each halving the side down to 4, then of the layer that sees the whole 4 x 4 map.
WIDTHS = {64: (32, 32, 64, 64, 256), 32: (16, 32, 64, 128)}
FLATTENED_SIDE = 4


def check_side(image_side: int) -> None:
    """Refuse a side for which the last convolution would not see a 4 x 4 map."""
    if image_side not in WIDTHS:
        halvings = len(WIDTHS[64]) - 1
        raise ValueError(
            f"image_side={image_side}: the last convolution expects a 4 x 4 map, and {halvings} halvings leave "
            f"{image_side / 2**halvings:g} x {image_side / 2**halvings:g}; resize the images to 64 or 32."
        )


def strided_convolutions(in_channels: int, image_side: int) -> tuple[nn.Sequential, int]:
    """Return the convolutions of the "vanilla" CNN with a flat output, and how many numbers this has."""
    check_side(image_side)
    layers: list[nn.Module] = []
    *strided, top = WIDTHS[image_side]
    for width in strided:
        layers += [nn.Conv2d(in_channels, width, 4, stride=2, padding=1), nn.ReLU()]
        in_channels = width
    return nn.Sequential(*layers, nn.Conv2d(in_channels, top, FLATTENED_SIDE), nn.ReLU(), nn.Flatten()), top


class _Checked(nn.Module):
    """A network for one side of images; another one raises before a layer fails without a word."""

    def __init__(self, image_side: int) -> None:
        super().__init__()
        check_side(image_side)
        self.image_side = image_side

    def check(self, images: Tensor) -> Tensor:
        if images.shape[-2:] != (self.image_side, self.image_side):
            raise ValueError(
                f"images of {tuple(images.shape[-2:])} pixels given to a network for {self.image_side} x "
                f"{self.image_side}; build it with image_side={images.shape[-1]} or resize the images."
            )
        return images


class CNN(_Checked):
    """The benchmark's own network: strided convolutions and one linear layer; 379 077 weights for (1, 5, 64)."""

    def __init__(self, in_channels: int, n_factors: int, image_side: int) -> None:
        super().__init__(image_side)
        self.features, width = strided_convolutions(in_channels, image_side)
        self.head = nn.Linear(width, n_factors)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, channels, side, side) to (n, n_factors)."""
        return self.head(self.features(self.check(images)))


class MLP(_Checked):
    """Six linear layers on the flat image (widths 90, 90, 90, 90, 22)."""

    def __init__(self, in_channels: int, n_factors: int, image_side: int) -> None:
        super().__init__(image_side)
        widths = (in_channels * image_side**2, 90, 90, 90, 90, 22)
        layers: list[nn.Module] = [nn.Flatten()]
        for a, b in pairwise(widths):
            layers += [nn.Linear(a, b), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], n_factors))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, channels, side, side) to (n, n_factors)."""
        return self.layers(self.check(images))


def coordinates(side: int) -> Tensor:
    """Return x (to the right) and y (downwards) of each pixel in [-1, 1], shape (2, side, side)."""
    line = torch.linspace(-1, 1, side)
    down, across = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([across, down])


class CoordConv(_Checked):
    """The CNN whose first convolution also sees each pixel's x and y."""

    def __init__(self, in_channels: int, n_factors: int, image_side: int) -> None:
        super().__init__(image_side)
        self.inner = CNN(in_channels + 2, n_factors, image_side)
        self.register_buffer("places", coordinates(image_side))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, channels, side, side) to (n, n_factors)."""
        places = self.places.expand(len(images), -1, -1, -1)  # type: ignore[operator]
        return self.inner(torch.cat([self.check(images), places], dim=1))


class SetEncoder(_Checked):
    """A set of pixels (x, y, colour): a network per pixel, their mean, a network on top.

    Parameters
    ----------
    in_channels, n_factors, image_side
        As everywhere.
    width
        Units of the wide layers (our choice).

    Notes
    -----
    The network per pixel sees nothing but place and colour. Images of one channel have few grey levels (sprites: five),
    so that a batch holds few different elements: each is computed once and counted, which changes nothing but the time.
    """

    def __init__(self, in_channels: int, n_factors: int, image_side: int, *, width: int = 256) -> None:
        super().__init__(image_side)
        self.register_buffer("places", coordinates(image_side).flatten(1).T)
        self.pixel = nn.Sequential(
            nn.Linear(2 + in_channels, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, width), nn.ReLU()
        )
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, n_factors))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, channels, side, side) to (n, n_factors)."""
        pixels = self.check(images).flatten(2).transpose(1, 2)
        if pixels.shape[2] == 1:
            levels = pixels.unique()
            if len(levels) < len(pixels):
                return self.head(self._mean_by_level(pixels[..., 0], levels))
        return self.head(self.mean(pixels))

    def mean(self, pixels: Tensor) -> Tensor:
        """Return the mean over all pixels, element by element; (n, pixels, channels) to (n, width)."""
        places: Tensor = self.places  # type: ignore[assignment]
        return self.pixel(torch.cat([places.expand(len(pixels), -1, -1), pixels], dim=-1)).mean(1)

    def _mean_by_level(self, pixels: Tensor, levels: Tensor) -> Tensor:
        """Return the same from the features of every place at every level; (n, pixels) to (n, width)."""
        grey = levels[:, None, None].expand(-1, pixels.shape[1], 1)
        places: Tensor = self.places  # type: ignore[assignment]
        features = self.pixel(torch.cat([places.expand(len(levels), -1, -1), grey], dim=-1))
        shown = pixels[:, None] == levels[:, None]
        return shown.flatten(1).to(features.dtype) @ features.flatten(0, 1) / pixels.shape[1]


class SpatialTransformer(_Checked):
    """The CNN behind a learned affine warp, whose six numbers the head sees too.

    Without them the transformer could remove the position that it has to report.
    """

    def __init__(self, in_channels: int, n_factors: int, image_side: int) -> None:
        super().__init__(image_side)
        maps = nn.Sequential(
            nn.Conv2d(in_channels, 8, 7), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(8, 10, 5), nn.MaxPool2d(2), nn.ReLU(),
            nn.Flatten(),
        )  # fmt: skip
        flat = maps(torch.zeros(1, in_channels, image_side, image_side)).shape[1]
        self.locate = nn.Sequential(maps, nn.Linear(flat, 32), nn.ReLU(), nn.Linear(32, 6))
        last = self.locate[-1]
        nn.init.zeros_(last.weight)  # type: ignore[arg-type]
        with torch.no_grad():
            last.bias.copy_(torch.tensor([1.0, 0, 0, 0, 1, 0]))  # type: ignore[operator, union-attr]
        self.features, width = strided_convolutions(in_channels, image_side)
        self.head = nn.Linear(width + 6, n_factors)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, channels, side, side) to (n, n_factors)."""
        affine = self.locate(self.check(images))
        places = affine_grid(affine.reshape(-1, 2, 3), list(images.shape), align_corners=False)
        warped = grid_sample(images, places, align_corners=False)
        return self.head(torch.cat([self.features(warped), affine], dim=1))


class SoftArgmaxCNN(_Checked):
    """A remedy: position factors are read as the mean place of a heat map, so that they extrapolate by construction.

    Parameters
    ----------
    in_channels, n_factors, image_side
        As everywhere.
    horizontal, vertical
        Columns of the output that hold the horizontal and the vertical position.
    """

    def __init__(
        self, in_channels: int, n_factors: int, image_side: int, *, horizontal: int = 3, vertical: int = 4
    ) -> None:
        super().__init__(image_side)
        if horizontal == vertical or not all(0 <= place < n_factors for place in (horizontal, vertical)):
            raise ValueError(
                f"horizontal={horizontal}, vertical={vertical}: give two different places among {n_factors} factors."
            )
        self.columns = (horizontal, vertical)
        self.inner = CNN(in_channels, n_factors, image_side)
        self.heat = nn.Sequential(
            nn.Conv2d(in_channels, 16, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 5, padding=2), nn.ReLU(),
            nn.Conv2d(16, 2, 1),
        )  # fmt: skip
        self.register_buffer("places", coordinates(image_side // 2).flatten(1))
        # The centre moves over half the canvas: places from -1/2 to 1/2 are targets from 0 to 1.
        self.slope, self.offset = nn.Parameter(torch.ones(2)), nn.Parameter(torch.full((2,), 0.5))

    def forward(self, images: Tensor) -> Tensor:
        """Map images (n, channels, side, side) to (n, n_factors)."""
        weights = self.heat(self.check(images)).flatten(2).softmax(-1)
        position = (weights * self.places).sum(-1) * self.slope + self.offset
        columns = list(self.inner(images).unbind(1))
        for column, value in zip(self.columns, position.unbind(1), strict=True):
            columns[column] = value
        return torch.stack(columns, dim=1)
