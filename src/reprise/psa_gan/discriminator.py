"""The discriminator: a window at its current length, with calendar and series, in; a score out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from reprise.psa_gan.architecture import Architecture
from reprise.psa_gan.blocks import LEAK, Block, normalised, pool
from reprise.psa_gan.generator import Conditions
from reprise.psa_gan.input_checks import SHORTEST


class Discriminator(nn.Module):
    """D: one input layer for all stages, a block and a pooling by stage, a block and a dense layer at length 8.

    Parameters
    ----------
    architecture
        Size and switches, as for the generator.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = a = architecture
        self.conditions = Conditions(a)
        self.input = normalised(nn.Conv1d(1 + a.conditions, a.channels, 1))
        self.blocks = nn.ModuleList(
            Block(a.channels, a.channels, a.key_dim, attention=a.attention, spectral=a.spectral_attention)
            for _ in range(a.n_stages)
        )
        self.output = normalised(nn.Conv1d(a.channels, 1, 1))
        self.score = normalised(nn.Linear(SHORTEST, 1))

    def forward(self, windows: Tensor, category: Tensor, features: Tensor, *, alpha: float = 1.0) -> Tensor:
        """Return scores.

        Parameters
        ----------
        windows
            ``(k·n, l)`` for k groups of windows on the same n conditions (real and synthetic ones, say); l tells the
            depth.
        category, features
            ``(n,)`` and ``(n, D, τ)``.
        alpha
            Weight of the newest stage against the path past it.

        Returns
        -------
        torch.Tensor
            ``(k·n,)``; near 1 for windows taken as real.
        """
        length = windows.shape[-1]
        conditions = pool(self.conditions(category, features), length)
        stacked = torch.cat([windows[:, None], conditions.repeat(len(windows) // len(category), 1, 1)], dim=1)
        fading = alpha < 1 and length > SHORTEST
        if fading:
            # One call for both paths, so that the power iteration advances once.
            both = leaky_relu(self.input(torch.cat([stacked, pool(stacked, length // 2)], dim=-1)), LEAK)
            values, past = both[..., :length], both[..., length:]
        else:
            values = leaky_relu(self.input(stacked), LEAK)
        newest = length.bit_length() - SHORTEST.bit_length()
        for stage in range(newest, 0, -1):
            values = pool(self.blocks[stage](values), values.shape[-1] // 2)
            if fading and stage == newest:
                values = alpha * values + (1 - alpha) * past
        values = leaky_relu(self.output(self.blocks[0](values)), LEAK)
        score: Tensor = self.score(values[:, 0])[:, 0]
        return score
