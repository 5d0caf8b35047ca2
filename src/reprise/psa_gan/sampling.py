"""Windows from a trained generator: for conditions of a panel, on the scaled range."""

from __future__ import annotations

import torch
from torch import Tensor

from reprise.compute import torch_generator
from reprise.psa_gan.generator import Generator
from reprise.psa_gan.panel import TimeSeriesPanel

CHUNK = 1024  # windows at a time, to bound memory


class WindowGenerator:
    """A generator with the panel that its conditions and context come from.

    Parameters
    ----------
    generator
        The network; it is put into evaluation mode for each call.
    panel
        The scaled panel; values before a window are the context of PSA-GAN-C.
    depth, alpha
        State of the growth; by default full-grown. Shorter windows are repeated up to full length.
    """

    def __init__(
        self, generator: Generator, panel: TimeSeriesPanel, *, depth: int | None = None, alpha: float = 1.0
    ) -> None:
        self.generator, self.panel, self.depth, self.alpha = generator, panel, depth, alpha

    @torch.no_grad()
    def __call__(self, series: Tensor, start: Tensor, seed: int = 0, context: Tensor | None = None) -> Tensor:
        """Return one window for each condition.

        Parameters
        ----------
        series, start
            Series and first step, ``(n,)`` integers each.
        seed
            Seed of the noise.
        context
            Values before the windows, ``(n, L_C)``; by default the panel's.

        Returns
        -------
        torch.Tensor
            ``(n, τ)``.
        """
        a, device = self.generator.architecture, self.panel.device
        series, start = series.to(device), start.to(device)
        noise = torch.randn(len(series), a.noise_size, generator=torch_generator(seed, "psa-gan", "sampling")).to(
            device
        )
        if a.context and context is None:
            context = self.panel.windows(series, start - a.context, a.context)
        training = self.generator.training
        self.generator.eval()
        parts = [
            self._part(series[rows], start[rows], noise[rows], None if context is None else context[rows])
            for rows in torch.arange(len(series)).split(CHUNK)
        ]
        self.generator.train(training)
        return torch.cat(parts)

    def _part(self, series: Tensor, start: Tensor, noise: Tensor, context: Tensor | None) -> Tensor:
        a = self.generator.architecture
        windows: Tensor = self.generator(
            noise,
            self.panel.static_cat.to(series.device)[series],
            self.panel.window_features(series, start, a.window),
            context,
            depth=self.depth,
            alpha=self.alpha,
        )
        return windows.repeat_interleave(a.window // windows.shape[1], dim=1)
