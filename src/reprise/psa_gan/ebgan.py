"""EBGAN (Zhao, Mathieu and LeCun, 2017): the discriminator is an auto-encoder, its error the energy of a window.

The generator is PSA-GAN's without attention, at full depth from the first step; both networks are told series and
calendar as there. Loss of the auto-encoder: ``E(Z) + [m − E(Ẑ)]₊``; of the generator: ``E(Ẑ)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from reprise.compute import torch_generator
from reprise.psa_gan.architecture import Architecture
from reprise.psa_gan.blocks import LEAK
from reprise.psa_gan.generator import Conditions, Generator
from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.training import Recipe
from reprise.psa_gan.windows import WindowSampler

CODE_CHANNELS = 4
WINDOWS_OF_MARGIN = 4096


class AutoEncoder(nn.Module):
    """Three convolutions of stride 2 on the window with series and calendar, and their mirror to the window alone.

    Parameters
    ----------
    architecture
        Gives width, embedding and features; the window's length is at least 8.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = architecture
        widths = [1 + a.conditions, a.channels, a.channels, CODE_CHANNELS]
        self.conditions = Conditions(a)
        self.down = nn.ModuleList(nn.Conv1d(n_in, n_out, 3, stride=2, padding=1) for n_in, n_out in pairwise(widths))
        widths = [CODE_CHANNELS, a.channels, a.channels, 1]
        self.up = nn.ModuleList(
            nn.ConvTranspose1d(n_in, n_out, 3, stride=2, padding=1, output_padding=1)
            for n_in, n_out in pairwise(widths)
        )

    def reconstruct(self, windows: Tensor, category: Tensor, features: Tensor) -> Tensor:
        """Return the windows ``(k·n, τ)`` as decoded from a code of τ/8 steps of 4 channels.

        Parameters
        ----------
        windows
            k groups of windows on the same n conditions.
        category, features
            ``(n,)`` and ``(n, D, τ)``.
        """
        told = self.conditions(category, features).repeat(len(windows) // len(category), 1, 1)
        values = torch.cat([windows[:, None], told], dim=1)
        for layer in self.down:
            values = leaky_relu(layer(values), LEAK)
        for layer in self.up[:-1]:
            values = leaky_relu(layer(values), LEAK)
        decoded: Tensor = self.up[-1](values)[:, 0]
        return decoded

    def forward(self, windows: Tensor, category: Tensor, features: Tensor) -> Tensor:
        """Return the energy of each window, ``(k·n,)``: its mean squared error over time."""
        return (windows - self.reconstruct(windows, category, features)).square().mean(1)


def train_ebgan(
    panel: TimeSeriesPanel,
    architecture: Architecture,
    recipe: Recipe,
    max_steps: int,
    callback: Callable[[int, Generator], None] | None = None,
) -> Generator:
    """Train a generator against an auto-encoder.

    Parameters
    ----------
    panel
        The scaled training part.
    architecture
        As for PSA-GAN; attention and context are left out.
    recipe
        Learning rate, batch, discriminator steps and seed, as for PSA-GAN; no moment loss, no warm-up.
    max_steps
        Steps of the generator.
    callback
        Called with the number of steps taken, 0 before the first, and the generator.

    Returns
    -------
    Generator
        In evaluation mode.
    """
    if max_steps < 1:
        raise PSAGANInputError(f"max_steps={max_steps} must be at least 1.")
    architecture = replace(architecture, attention=False, context=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_generator(recipe.seed, "psa-gan", "ebgan", "weights").initial_seed())
        generator, energy = Generator(architecture).to(panel.device), AutoEncoder(architecture).to(panel.device)
    game = _Game(panel, generator, energy, recipe)
    if callback is not None:
        callback(0, generator)
    for step in range(1, max_steps + 1):
        for _ in range(recipe.n_critic):
            game.energy_step()
        game.generator_step()
        if callback is not None:
            callback(step, generator)
    return generator.eval()


class _Game:
    """Batches, noise and optimisers of both networks; the streams are PSA-GAN's, so that both see the same batches."""

    def __init__(self, panel: TimeSeriesPanel, generator: Generator, energy: AutoEncoder, recipe: Recipe) -> None:
        self.panel, self.generator, self.energy, self.recipe = panel, generator, energy, recipe
        self.window = generator.architecture.window
        self.sampler = WindowSampler(panel, self.window)
        self.batches = torch_generator(recipe.seed, "psa-gan", "batches")
        self.noises = torch_generator(recipe.seed, "psa-gan", "noise")
        self.generator_optimiser = torch.optim.Adam(generator.parameters(), lr=recipe.lr)
        self.energy_optimiser = torch.optim.Adam(energy.parameters(), lr=recipe.lr)
        self.margin = self._margin()

    def _margin(self) -> float:
        """Return the mean variance within real windows: the energy of a window decoded as its mean."""
        generator = torch_generator(self.recipe.seed, "psa-gan", "ebgan", "margin")
        windows = self.panel.windows(*self.sampler.draw(WINDOWS_OF_MARGIN, generator), self.window)
        return float(windows.var(1).mean())

    def _batch(self) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        n = self.recipe.batch_size
        series, start = self.sampler.draw(n, self.batches)
        told = {
            "category": self.panel.static_cat.to(self.panel.device)[series],
            "features": self.panel.window_features(series, start, self.window),
        }
        noise = torch.randn(n, self.generator.architecture.noise_size, generator=self.noises).to(self.panel.device)
        return self.panel.windows(series, start, self.window), told, noise

    def energy_step(self) -> None:
        """Lower the energy of real windows, and raise that of synthetic ones up to the margin."""
        real, told, noise = self._batch()
        with torch.no_grad():
            fake = self.generator(noise, **told)
        of_real, of_fake = self.energy(torch.cat([real, fake]), **told).chunk(2)
        loss = of_real.mean() + (self.margin - of_fake).relu().mean()
        self.energy_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.energy_optimiser.step()

    def generator_step(self) -> None:
        """Lower the energy of synthetic windows."""
        _, told, noise = self._batch()
        self.energy.requires_grad_(False)
        loss = self.energy(self.generator(noise, **told), **told).mean()
        self.generator_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.generator_optimiser.step()
        self.energy.requires_grad_(True)
