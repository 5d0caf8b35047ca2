"""ResNets and DenseNet from MONAI, pre-trained ones from the Hugging Face hub: for a GPU."""

from typing import Any

import torch
from torch import Tensor, nn

from reprise.in_domain.models import ModelError
from reprise.in_domain.networks import check_side

STANDARD_WIDTH = 64


def resnet(in_channels: int, n_factors: int, image_side: int, *, depth: int, width: int = STANDARD_WIDTH) -> nn.Module:
    """Return a ResNet of 18, 50 or 101 layers with ImageNet's layout; at 32 pixels the first layer keeps the side.

    ``width``: maps after the first layer; 64 in the original. 18 layers with 16 maps fit on a CPU, as a stand-in.
    """
    from monai.networks.nets import ResNet

    check_side(image_side)
    blocks = {18: [2, 2, 2, 2], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3]}[depth]
    small = image_side < STANDARD_WIDTH
    return ResNet(
        "basic" if depth == 18 else "bottleneck",
        blocks,
        [width, 2 * width, 4 * width, 8 * width],
        spatial_dims=2,
        n_input_channels=in_channels,
        num_classes=n_factors,
        conv1_t_size=3 if small else 7,
        conv1_t_stride=1 if small else 2,
    )


def densenet(in_channels: int, n_factors: int, image_side: int) -> nn.Module:
    """Return DenseNet-121."""
    from monai.networks.nets import DenseNet121

    check_side(image_side)
    return DenseNet121(spatial_dims=2, in_channels=in_channels, out_channels=n_factors)


class _Transferred(nn.Module):
    """A pre-trained network, all of it fine-tuned, with one new linear layer."""

    def __init__(self, backbone: Any, width: int, n_factors: int) -> None:
        super().__init__()
        self.backbone, self.head = backbone, nn.Linear(width, n_factors)

    def forward(self, images: Tensor) -> Tensor:
        colour = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
        return self.head(self.backbone(colour * 2 - 1).pooler_output.flatten(1))


def big_transfer(in_channels: int, n_factors: int, image_side: int, *, checkpoint: str) -> nn.Module:
    """Return a network pre-trained on ImageNet, fetched from the Hugging Face hub.

    Raises
    ------
    ModelError
        If the library is missing or the checkpoint cannot be fetched.
    """
    check_side(image_side)
    if in_channels not in (1, 3):
        raise ValueError(f"in_channels={in_channels}: pre-trained networks take 1 (repeated) or 3.")
    try:
        from transformers import AutoModel

        backbone = AutoModel.from_pretrained(checkpoint)
    except (ImportError, OSError) as error:
        raise ModelError(
            f"{checkpoint} needs the library transformers and the Hugging Face hub (or its local cache): {error}. "
            "Leave the transfer models out to run without."
        ) from error
    with torch.no_grad():
        probe = backbone(torch.zeros(1, 3, image_side, image_side)).pooler_output
    return _Transferred(backbone, probe.flatten(1).shape[1], n_factors)
