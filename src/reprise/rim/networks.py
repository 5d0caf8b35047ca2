"""The two networks that read a sequence of items and predict the next one: a GRU and a Transformer."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LAYERS = 2
HEADS = 2
INITIAL_RANGE = 0.1


class MarkNetwork(nn.Module):
    """What both share: an embedding that is also the output's weight, and a free output bias.

    Parameters
    ----------
    n_tokens
        Number of items plus one: token 0 starts a sequence and pads it.
    width
        d of embedding and state; the paper: 128.
    """

    def __init__(self, n_tokens: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_tokens, width)
        self.bias = nn.Parameter(torch.empty(n_tokens))
        nn.init.uniform_(self.embedding.weight, -INITIAL_RANGE, INITIAL_RANGE)
        nn.init.uniform_(self.bias, -1 / math.sqrt(width), 1 / math.sqrt(width))

    def logits(self, states: Tensor) -> Tensor:
        """Return (…, n_tokens) of states (…, d)."""
        return states @ self.embedding.weight.T + self.bias


class GRUMark(MarkNetwork):
    """Two GRU layers of the embedding's width ("RNN" in the paper)."""

    def __init__(self, n_tokens: int, width: int) -> None:
        super().__init__(n_tokens, width)
        self.recurrent = nn.GRU(width, width, LAYERS, batch_first=True)

    def forward(self, tokens: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the state at each position (B, L, d), and the memory after the last, (layers, B, d)."""
        states, memory = self.recurrent(self.embedding(tokens), memory)
        return states, memory


class TransformerMark(MarkNetwork):
    """Two post-norm encoder layers with a causal mask, ReLU, d units in the feed-forward part, no dropout."""

    def __init__(self, n_tokens: int, width: int) -> None:
        super().__init__(n_tokens, width)
        layer = nn.TransformerEncoderLayer(width, HEADS, width, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)

    def forward(self, tokens: Tensor, memory: None = None) -> tuple[Tensor, None]:
        """Return the state at each position, (B, L, d); there is no memory."""
        length, width = tokens.shape[1], self.embedding.embedding_dim
        mask = torch.full((length, length), -math.inf, device=tokens.device).triu(1)
        inputs = self.embedding(tokens) * math.sqrt(width) + sinusoids(length, width).to(tokens.device)
        return self.encoder(inputs, mask=mask, is_causal=True), None


def sinusoids(length: int, width: int) -> Tensor:
    """Return sin and cos of position over 10000^(2i/d) in turn, (length, d)."""
    position = torch.arange(length)[:, None]
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    table = torch.zeros(length, width)
    table[:, 0::2] = torch.sin(position * rates)
    table[:, 1::2] = torch.cos(position * rates)[:, : width // 2]
    return table
