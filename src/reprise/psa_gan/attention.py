"""What self-attention does in a trained generator: how even its weights are, how far they reach, what they add.

Shapes: n windows, C channels, l time steps of a stage.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from reprise.psa_gan.blocks import Block, SelfAttention
from reprise.psa_gan.cell import Cell, Row
from reprise.psa_gan.models import Trained

LOOKED_AT = 64  # conditions behind each mean
MAPPED = 2  # conditions whose whole map is kept


def attention_rows(cell: Cell, trained: Trained) -> Iterator[Row]:
    """Yield what the attention of a trained generator does, on the first scored conditions.

    Parameters
    ----------
    cell
        Panel and seed.
    trained
        The model.

    Yields
    ------
    dict
        ``part`` is ``attention``. ``entropy share`` and ``added share`` by stage (``at``); ``weight by lag`` of the
        last stage (``place`` the lag); with queries and keys of one channel, ``query`` and ``key`` of the last stage by
        time step (``place``) for some conditions (``step``), of which `weights_of` makes the whole map. Nothing for a
        generator that does not attend.
    """
    if trained.generator is None or not trained.generator.architecture.attention:
        return
    series, start = (one[:LOOKED_AT] for one in cell.conditions(trained.window))
    with inputs_of_attention(trained.generator.blocks) as seen:
        trained.source(series, start, seed=cell.seed)
    columns = {"part": "attention", "window": trained.window}
    for stage, (layer, values) in enumerate(seen):
        with torch.no_grad():
            weights, added = layer.weights(values), added_share(layer, values)
        yield cell.row(trained.method, "entropy share", entropy_share(weights), at=stage, **columns)
        yield cell.row(trained.method, "added share", added, at=stage, **columns)
    for lag, weight in enumerate(weight_by_lag(weights).tolist()):
        yield cell.row(trained.method, "weight by lag", weight, place=lag, **columns)
    if layer.key_dim == 1:
        for metric, found in zip(("query", "key"), queries_and_keys(layer, values[:MAPPED]), strict=True):
            for pair, numbers in enumerate(found.tolist()):
                for place, number in enumerate(numbers):
                    yield cell.row(trained.method, metric, number, step=pair, place=place, **columns)


@contextmanager
def inputs_of_attention(blocks: torch.nn.ModuleList) -> Iterator[list[tuple[SelfAttention, Tensor]]]:
    """Collect what reaches the attention of each block, ``(n, C, l)``, during one call of a network."""
    seen: list[tuple[SelfAttention, Tensor]] = []

    def keep(layer: SelfAttention, inputs: tuple[Tensor], output: Tensor) -> None:
        seen.append((layer, inputs[0].detach()))

    layers = [block.attention for block in blocks if isinstance(block, Block)]
    hooks = [one.register_forward_hook(keep) for one in layers if isinstance(one, SelfAttention)]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def entropy_share(weights: Tensor) -> float:
    """Return the mean entropy of the lines of weights ``(n, l, l)`` over ln l: 1 where all steps count alike.

    Examples
    --------
    >>> entropy_share(torch.full((1, 4, 4), 0.25)), entropy_share(torch.eye(4)[None])
    (1.0, 0.0)
    """
    entropy = torch.special.entr(weights.double()).sum(-1)
    return float(entropy.mean()) / math.log(weights.shape[-1])


@torch.no_grad()
def added_share(layer: SelfAttention, values: Tensor) -> float:
    """Return the root mean square of what attention adds, γ Wₒ SA(y), over that of y, ``(n, C, l)``."""
    added = layer(values) - values
    return float(added.square().mean().sqrt() / values.square().mean().sqrt().clamp(min=1e-12))


def weight_by_lag(weights: Tensor) -> Tensor:
    """Return the mean weight of steps that lie a lag apart, either way, times l: 1 where all steps count alike.

    Parameters
    ----------
    weights
        Shape ``(n, l, l)``.

    Returns
    -------
    torch.Tensor
        ``(l,)``, from lag 0 on.
    """
    length = weights.shape[-1]
    mean = weights.double().mean(0)
    both = mean + mean.T
    return torch.stack([both.diagonal(lag).mean() for lag in range(length)]) * length / 2


@torch.no_grad()
def queries_and_keys(layer: SelfAttention, values: Tensor) -> tuple[Tensor, Tensor]:
    """Return queries and keys of one channel, ``(n, l)`` each, for values ``(n, C, l)``."""
    projected = torch.cat([one(values) for one in layer.projections], dim=1)
    return projected[:, 0], projected[:, 1]


def weights_of(queries: Tensor, keys: Tensor) -> Tensor:
    """Return the map ``(…, l, l)`` that queries and keys of one channel make, ``(…, l)`` each."""
    return torch.softmax(queries[..., :, None] * keys[..., None, :], dim=-1)
