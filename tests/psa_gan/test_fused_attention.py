"""Attention takes the fused kernel, and gives what the published formulation gives."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from reprise.psa_gan.blocks import SelfAttention


@pytest.mark.parametrize("key_dim", [1, 3])
def test_the_fused_kernel_is_taken_and_agrees_with_the_published_product(key_dim):
    torch.manual_seed(0)
    layer = SelfAttention(8, key_dim)
    layer.gamma.data.fill_(0.7)
    values = torch.randn(3, 8, 32)
    query, key, value = layer.projections[0](values).view(3, 3, key_dim, 32).unbind(1)
    weights = torch.softmax(query.transpose(1, 2) @ key / key_dim**0.5, dim=-1)
    published = layer.gamma * layer.output(value @ weights.transpose(1, 2)) + values
    # Within, any other kernel is refused: one that stores l × l numbers would raise.
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        torch.testing.assert_close(layer(values), published, atol=1e-5, rtol=1e-5)
