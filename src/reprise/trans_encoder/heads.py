"""Heads of cross-encoders, in single precision whatever the transformer beneath is computed in.

A score in half precision has eight significant bits: pairs would share ranks that have none in common.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from reprise.trans_encoder.architectures import head_dropout


class MeanHead(nn.Module):
    """Mean over word pieces, dense layer, tanh, dropout, one output: the classification head without its [CLS]."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(head_dropout(config))
        self.out = nn.Linear(config.hidden_size, 1)
        for layer in (self.dense, self.out):
            nn.init.normal_(layer.weight, std=getattr(config, "initializer_range", 0.02))
            nn.init.zeros_(layer.bias)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return logits, ``(n,)``, of states ``(n, length, d)``."""
        weights = mask[:, :, None].to(states.dtype)
        mean = (states * weights).sum(1) / weights.sum(1)
        return self.out(self.dropout(torch.tanh(self.dense(mean))))[:, 0]


def keep_head_in_single_precision(transformer: Any, trunk: Any) -> None:
    """Let all that a classifier puts on its transformer, the pooler within it included, compute in float32."""
    heads = [part for part in transformer.children() if part is not trunk]
    pooler = getattr(trunk, "pooler", None)
    for part in [*heads, *([] if pooler is None else [pooler])]:
        part.forward = partial(_in_single_precision, part)  # a partial can be copied and pickled with its module


def _in_single_precision(part: nn.Module, states: Tensor, *further: Any, **named: Any) -> Any:
    with torch.autocast(states.device.type, enabled=False):
        return type(part).forward(part, states.float(), *further, **named)
