"""How much arithmetic a training step of each mark model is."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from reprise.flops import floating_point_operations, parameter_count
from reprise.rim.data import load_split
from reprise.rim.marks import CHUNK, NETWORKS
from reprise.rim.settings import Settings


def operations_of_the_models(settings: Settings) -> dict[str, float]:
    """Return counted operations on the first data set.

    One step of each mark model, forward and backward, on a full batch of 32 positions.
    """
    name = settings.datasets[0]
    split = load_split(name, settings.seeds[0])
    n_tokens = len(np.unique(split.train.item)) + 1
    work: dict[str, float] = {}
    for network, batch in (("GRU", settings.gru_batch), ("Transformer", settings.transformer_batch)):
        model = NETWORKS[network](n_tokens, settings.width)
        tokens = torch.randint(1, n_tokens, (batch, CHUNK + 1), generator=torch.Generator().manual_seed(0))

        def step(model: torch.nn.Module = model, tokens: torch.Tensor = tokens) -> None:
            states, _ = model(tokens[:, :-1])
            loss = cross_entropy(model.logits(states).flatten(0, 1), tokens[:, 1:].flatten())  # type: ignore[operator]
            loss.backward()

        counted = float(floating_point_operations(step))
        if network == "GRU":  # its gates are one fused operation that is not counted
            counted += 3 * 2 * batch * CHUNK * 2 * 6 * settings.width**2
        millions = parameter_count(model) / 1e6
        what = f"one step of the {network} on {name}, {batch} users × {CHUNK} events, {millions:.2f} million parameters"
        work[what] = counted
    return work
