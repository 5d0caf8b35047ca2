"""The networks: Wide ResNets for photographs, a small convolutional one for the digits.

All take images as floats in [0, 1], of shape ``(B, C, H, W)``: mean and standard deviation of the data are part of the
network, so that augmentation never meets normalised values. No module works in place, which forward-mode
differentiation forbids. What cannot be such an image is refused, lest it is broadcast or trained on unnoticed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.deep_aa.policy_checks import check_choice
from reprise.deep_aa.search_checks import check_counts

Initialisation = Literal["he", "default"]
DIGIT_SIDE = 16


class Normalise(nn.Module):
    """Subtracts the data's mean and divides by their standard deviation, channel by channel.

    Parameters
    ----------
    mean, deviation
        Of images in [0, 1], one number a channel; deviations are above 0.

    Raises
    ------
    DeepAAInputError
        If they are not as many numbers, or make no sense.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        _check_statistics(mean, deviation)
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("deviation", torch.tensor(deviation, dtype=torch.float32).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Return normalised images, the shape unchanged.

        Raises
        ------
        DeepAAInputError
            If they have other channels than mean and deviation, or are no floats.
        """
        _check_batch(images, self.mean.numel())
        return (images - self.mean) / self.deviation


class Block(nn.Module):
    """A pre-activation block: BN, ReLU, convolution, BN, ReLU, convolution (with the stride), plus the shortcut.

    The shortcut is a 1×1 convolution of the *raw* input where the number of channels changes, else the identity.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int, epsilon: float) -> None:
        super().__init__()
        self.first_norm = nn.BatchNorm2d(channels_in, eps=epsilon)
        self.first = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.second_norm = nn.BatchNorm2d(channels_out, eps=epsilon)
        self.second = nn.Conv2d(channels_out, channels_out, 3, padding=1, stride=stride)
        changes = channels_in != channels_out
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1, stride=stride) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, ``(B, channels_out, H / stride, W / stride)``."""
        out = self.first(functional.relu(self.first_norm(x)))
        out = self.second(functional.relu(self.second_norm(out)))
        return out + self.shortcut(x)


class WideResNet(nn.Module):
    """Wide ResNet of any depth and width (the search uses 40-2, the evaluation 28-10).

    Parameters
    ----------
    depth
        6n + 4 layers: 10, 16, 22, 28, 34, 40, …
    width
        Factor k of the widths 16k, 32k and 64k of the three groups.
    n_classes
        Number of logits.
    mean, deviation
        Of the training images in [0, 1], one number a channel, as many as images have.
    stem_stride
        Stride of the first convolution; the paper: 1. 2 makes the network about four times cheaper.
    epsilon
        Of batch normalisation: 1e-3 in the paper's search code, 1e-5 in its training code.
    initialisation
        Weights of convolutions: ``"he"`` (search) or torch's ``"default"`` (training).
    generator
        Source of the weights; equal state, equal network.

    Raises
    ------
    DeepAAInputError
        If the depth is not 6n + 4 with n ≥ 1, another number is none from 1 on, or mean and deviation make no sense.
    """

    def __init__(
        self,
        depth: int = 28,
        width: int = 10,
        n_classes: int = 10,
        *,
        mean: Sequence[float],
        deviation: Sequence[float],
        stem_stride: int = 1,
        epsilon: float = 1e-5,
        initialisation: Initialisation = "default",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_counts(depth=depth, width=width, n_classes=n_classes, stem_stride=stem_stride)
        n_blocks, rest = divmod(depth - 4, 6)
        if rest or n_blocks < 1:
            raise DeepAAInputError(f"depth={depth} is not 6n + 4; give 10, 16, 22, 28, 34 or 40.")
        check_choice("initialisation", initialisation, get_args(Initialisation))
        self.normalise = Normalise(mean, deviation)
        self.stem = nn.Conv2d(len(mean), 16, 3, padding=1, stride=stem_stride)
        widths, blocks = (16 * width, 32 * width, 64 * width), []
        channels = 16
        for group, channels_out in enumerate(widths):
            for number in range(n_blocks):
                blocks.append(Block(channels, channels_out, 2 if group and not number else 1, epsilon))
                channels = channels_out
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(channels, eps=epsilon)
        self.head = nn.Linear(channels, n_classes)
        initialise(self, generator, initialisation)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(B, n_classes)`` of images ``(B, C, H, W)`` in [0, 1]."""
        x = self.blocks(self.stem(self.normalise(images)))
        return self.head(functional.relu(self.norm(x)).mean((2, 3)))


class DigitNetwork(nn.Module):
    """Three convolutions and a dense layer, without batch normalisation, for images of 16 × 16 pixels.

    Parameters
    ----------
    n_classes
        Number of logits.
    mean, deviation, generator
        As in `WideResNet`.

    Raises
    ------
    DeepAAInputError
        If the number is none from 1 on, or mean and deviation make no sense.
    """

    def __init__(
        self,
        n_classes: int = 10,
        *,
        mean: Sequence[float],
        deviation: Sequence[float],
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        check_counts(n_classes=n_classes)
        self.normalise = Normalise(mean, deviation)
        self.first = nn.Conv2d(len(mean), 16, 3, padding=1, stride=2)
        self.second = nn.Conv2d(16, 32, 3, padding=1, stride=2)
        self.third = nn.Conv2d(32, 32, 3, padding=1)
        self.head = nn.Linear(32 * 16, n_classes)
        initialise(self, generator, "he")

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(B, n_classes)`` of images ``(B, C, 16, 16)`` in [0, 1].

        Raises
        ------
        DeepAAInputError
            If they are of another size.
        """
        x = self.normalise(images)
        if tuple(images.shape[2:]) != (DIGIT_SIDE, DIGIT_SIDE):
            size = " x ".join(str(side) for side in images.shape[2:])
            raise DeepAAInputError(f"images are {size} pixels; this network takes {DIGIT_SIDE} x {DIGIT_SIDE}.")
        x = functional.relu(self.first(x))
        x = functional.relu(self.third(functional.relu(self.second(x))))
        return self.head(x.flatten(1))


def initialise(model: nn.Module, generator: torch.Generator | None, initialisation: Initialisation) -> None:
    """Draw all weights anew: He's normal ones, or torch's default, and biases as torch draws them (0 with He's)."""
    for module in model.modules():
        if not isinstance(module, nn.Conv2d | nn.Linear):
            continue
        if initialisation == "he":
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        else:
            nn.init.kaiming_uniform_(module.weight, a=5**0.5, generator=generator)
            bound = module.weight[0].numel() ** -0.5
            nn.init.uniform_(module.bias, -bound, bound, generator=generator)  # type: ignore[arg-type]


def _check_statistics(mean: Sequence[float], deviation: Sequence[float]) -> None:
    if len(mean) != len(deviation) or not len(mean):
        raise DeepAAInputError(
            f"mean has {len(mean)} numbers and deviation {len(deviation)}; give one of each a channel of the images."
        )
    if not all(math.isfinite(value) for value in mean):
        raise DeepAAInputError(f"mean={list(mean)!r} must be finite numbers, of images in [0, 1].")
    if not all(math.isfinite(value) and value > 0 for value in deviation):
        raise DeepAAInputError(
            f"deviation={list(deviation)!r} must be numbers above 0; for a channel that never varies give 1."
        )


def _check_batch(images: Tensor, n_channels: int) -> None:
    if images.ndim != 4 or images.shape[1] != n_channels:
        raise DeepAAInputError(
            f"images have the shape {tuple(images.shape)}; this network takes (B, {n_channels}, H, W), a channel for "
            "each number of mean and deviation."
        )
    if not images.is_floating_point():
        raise DeepAAInputError(
            f"images are of dtype {str(images.dtype).removeprefix('torch.')}; give floats in [0, 1]: images / 255."
        )
