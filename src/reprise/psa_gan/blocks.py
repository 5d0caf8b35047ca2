"""What both networks are built of: a convolution, and a gated residual self-attention over all time steps.

Shapes: n windows, C channels, l time steps, time last.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, interpolate, leaky_relu, scaled_dot_product_attention
from torch.nn.utils.parametrizations import spectral_norm

LEAK = 0.01
Upsampling = Literal["nearest", "linear"]


def normalised(layer: nn.Module, spectral: bool = True) -> nn.Module:
    """Return a layer with spectral normalisation: one power iteration for each forward pass in training.

    The present form of the normalisation iterates at construction, so that a stage which joins late is of norm 1 at
    its first use.
    """
    return spectral_norm(layer) if spectral else layer


def pool(values: Tensor, length: int) -> Tensor:
    """Average neighbouring steps, ``(n, C, l) -> (n, C, length)``; the length divides l."""
    return values if values.shape[-1] == length else avg_pool1d(values, values.shape[-1] // length)


def upsample(values: Tensor, how: Upsampling = "nearest") -> Tensor:
    """Double the length, ``(n, C, l) -> (n, C, 2l)``: repeat each step (the code), or interpolate (the paper)."""
    if how == "nearest":
        return values.repeat_interleave(2, dim=-1)
    return interpolate(values, scale_factor=2, mode="linear", align_corners=False)


class SelfAttention(nn.Module):
    """m(y) = γ Wₒ SA(y) + y with SA(y) = V softmax(QᵀK/√d_k)ᵀ.

    Q, K and V come from one 1 × 1 convolution, the attention from PyTorch's fused kernel: no array of l × l numbers is
    stored.

    Parameters
    ----------
    channels
        C; 32 in the paper.
    key_dim
        d_k = d_v; 1 in the paper.
    spectral
        Whether the convolutions are normalised, as the paper says; the released code does not.
    """

    def __init__(self, channels: int, key_dim: int = 1, *, spectral: bool = False) -> None:
        super().__init__()
        self.key_dim = key_dim
        # A norm is one matrix's own, so that normalised Q, K and V need a layer each.
        n_layers = 3 if spectral else 1
        self.projections = nn.ModuleList(
            normalised(nn.Conv1d(channels, 3 * key_dim // n_layers, 1), spectral) for _ in range(n_layers)
        )
        self.output = normalised(nn.Conv1d(key_dim, channels, 1), spectral)
        self.gamma = nn.Parameter(torch.zeros(()))

    def attend(self, values: Tensor) -> Tensor:
        """Return SA(y), ``(n, C, l) -> (n, d_v, l)``."""
        n, _, length = values.shape
        projected = torch.cat([layer(values) for layer in self.projections], dim=1)
        # A copy with time next to last: the fused kernel takes no other strides, and `contiguous` leaves those of a
        # single channel as they are.
        heads = projected.view(n, 3, self.key_dim, length).transpose(2, 3)
        query, key, value = heads.clone(memory_format=torch.contiguous_format).unbind(dim=1)
        attended = scaled_dot_product_attention(query[:, None], key[:, None], value[:, None])
        return attended[:, 0].transpose(1, 2)

    def weights(self, values: Tensor) -> Tensor:
        """Return the attention weights, ``(n, l, l)``: row i is what step i attends to. For pictures."""
        n, _, length = values.shape
        projected = torch.cat([layer(values) for layer in self.projections], dim=1)
        query, key, _ = projected.view(n, 3, self.key_dim, length).unbind(dim=1)
        return torch.softmax(query.transpose(1, 2) @ key / self.key_dim**0.5, dim=-1)

    def forward(self, values: Tensor) -> Tensor:
        """Return m(y), ``(n, C, l)``."""
        mixed: Tensor = self.gamma * self.output(self.attend(values)) + values
        return mixed


class Block(nn.Module):
    """m ∘ f with f(x) = LReLU(SN(Conv₃(x))): ``(n, C_in, l) -> (n, C, l)``.

    Parameters
    ----------
    inputs, channels
        C_in and C.
    key_dim, spectral
        As in `SelfAttention`.
    attention
        Whether there is m; the ablation is f alone.
    """

    def __init__(
        self, inputs: int, channels: int, key_dim: int = 1, *, attention: bool = True, spectral: bool = False
    ) -> None:
        super().__init__()
        self.convolution = normalised(nn.Conv1d(inputs, channels, 3, padding=1))
        self.attention = SelfAttention(channels, key_dim, spectral=spectral) if attention else nn.Identity()

    def forward(self, values: Tensor) -> Tensor:
        """Return m(f(x))."""
        mixed: Tensor = self.attention(leaky_relu(self.convolution(values), LEAK))
        return mixed
