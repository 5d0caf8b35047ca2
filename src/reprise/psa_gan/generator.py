"""The generator: noise, calendar and series in, a window out, at the length reached so far.

Shapes: n windows, D features, E numbers of a series' embedding, C channels, τ the full length, l that of a stage.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from reprise.psa_gan.architecture import Architecture
from reprise.psa_gan.blocks import LEAK, Block, normalised, pool, upsample
from reprise.psa_gan.input_checks import SHORTEST


class Conditions(nn.Module):
    """Stack of a series' embedding and the calendar, ``(n, E + D, τ)``."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.condition = architecture.condition
        self.embedding = nn.Embedding(architecture.n_categories, architecture.embed_dim)

    def forward(self, category: Tensor, features: Tensor) -> Tensor:
        """Return the stack for categories ``(n,)`` and features ``(n, D, τ)``."""
        embedded = self.embedding(category)[:, :, None].expand(-1, -1, features.shape[-1])
        stacked = torch.cat([embedded, features], dim=1)
        return stacked if self.condition else torch.zeros_like(stacked)


class ContextAdapter(nn.Module):
    """What the past adds to a stage of PSA-GAN-C: u + MLP(u, context), step by step.

    Parameters
    ----------
    context, channels
        L_C and C; the layer between has ⌊L_C/2⌋ + C units.
    """

    def __init__(self, context: int, channels: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(context + channels, context // 2 + channels)
        self.output = nn.Linear(context // 2 + channels, channels)

    def forward(self, values: Tensor, context: Tensor) -> Tensor:
        """Return u + MLP(u, context) for u ``(n, C, l)`` and a context ``(n, L_C)``."""
        # The context is the same at every step: its part of the first layer is computed once a window.
        weight = self.hidden.weight
        shared = torch.addmm(self.hidden.bias, context, weight[:, : context.shape[1]].T)
        hidden = torch.matmul(values.transpose(1, 2), weight[:, context.shape[1] :].T) + shared[:, None]
        added: Tensor = self.output(leaky_relu(hidden, LEAK)).transpose(1, 2)
        return values + added


class Generator(nn.Module):
    """G(n, φ(i), X): one block a stage, one output layer for all of them.

    Parameters
    ----------
    architecture
        Size and switches.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = a = architecture
        self.conditions = Conditions(a)
        noise_later = int(a.noise == "fresh")
        inputs = [a.conditions + 1] + [a.channels + a.conditions + noise_later] * (a.n_stages - 1)
        self.blocks = nn.ModuleList(
            Block(n, a.channels, a.key_dim, attention=a.attention, spectral=a.spectral_attention) for n in inputs
        )
        self.skips = nn.ModuleList(nn.Conv1d(a.channels, a.channels, 1) for _ in range(a.n_stages - 1))
        if a.fade == "identity":
            for skip in self.skips:
                nn.init.dirac_(skip.weight)  # type: ignore[arg-type]
                nn.init.zeros_(skip.bias)  # type: ignore[arg-type]
        n_adapters = a.n_stages - 1 if a.context else 0
        self.adapters = nn.ModuleList(ContextAdapter(a.context, a.channels) for _ in range(n_adapters))
        self.output = normalised(nn.Conv1d(a.channels, 1, 1))

    def forward(
        self,
        noise: Tensor,
        category: Tensor,
        features: Tensor,
        context: Tensor | None = None,
        *,
        depth: int | None = None,
        alpha: float = 1.0,
    ) -> Tensor:
        """Return windows at a depth.

        Parameters
        ----------
        noise
            Standard normals, ``(n, architecture.noise_size)``.
        category
            Row of the embedding, ``(n,)``.
        features
            Calendar of the window at full length, ``(n, D, τ)``.
        context
            Values before the window, ``(n, L_C)``; for PSA-GAN-C.
        depth
            Stage of the output, 0 for length 8; by default the last.
        alpha
            Weight of the newest stage against the fading path past it.

        Returns
        -------
        torch.Tensor
            ``(n, 8 · 2^depth)``.
        """
        depth = self.architecture.n_stages - 1 if depth is None else depth
        conditions = self.conditions(category, features)
        layers = self.noise_layers(noise)
        values = self.blocks[0](torch.cat([pool(conditions, SHORTEST), layers[0]], dim=1))
        for stage in range(1, depth + 1):
            before = upsample(values, self.architecture.upsampling)
            told = before if context is None or not self.adapters else self.adapters[stage - 1](before, context)
            parts = [told, pool(conditions, before.shape[-1]), *layers[stage : stage + 1]]
            values = self.blocks[stage](torch.cat(parts, dim=1))
            if stage == depth and alpha < 1:
                # The output layer is affine, so that blending before it blends the outputs.
                values = alpha * values + (1 - alpha) * self.skips[stage - 1](before)
        windows: Tensor = self.output(values)[:, 0]
        return windows

    def noise_layers(self, noise: Tensor) -> list[Tensor]:
        """Return the noise of each stage that has some, ``(n, 1, l)`` each: the first alone, except for fresh noise."""
        a = self.architecture
        if a.noise == "fresh":
            return list(noise[:, None].split(a.lengths, dim=-1))
        pooled = pool(noise[:, None], SHORTEST)
        return [pooled * (a.window / SHORTEST) ** 0.5 if a.noise == "unit" else pooled]
