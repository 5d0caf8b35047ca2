"""TimeGAN (Yoon, Jarrett and van der Schaar, 2019) in compact form: an adversarial game in a learnt latent space.

Five recurrent networks: an embedder and a recovery that undoes it, a generator of latent paths, a supervisor that says
the next latent step, and a discriminator. It is unconditional: neither series nor calendar is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from reprise.compute import torch_generator
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.sampling import CHUNK
from reprise.psa_gan.windows import WindowSampler


@dataclass(frozen=True)
class TimeGANRecipe:
    """Size and training of TimeGAN.

    Attributes
    ----------
    units, layers
        Of each recurrent network; the supervisor has one layer fewer.
    noise_channels
        Uniform numbers a time step that the generator takes.
    embedding_steps, supervisor_steps, joint_steps
        Steps of the three phases.
    batch_size
        Windows of a step.
    lr
        Learning rate of Adam.
    seed
        Of weights, batches and noise.
    """

    units: int = 24
    layers: int = 3
    noise_channels: int = 8
    embedding_steps: int = 300
    supervisor_steps: int = 300
    joint_steps: int = 300
    batch_size: int = 64
    lr: float = 1e-3
    seed: int = 0


RECONSTRUCTION_WEIGHT = 10
SUPERVISOR_WEIGHT = 100
MOMENT_WEIGHT = 100
EMBEDDER_SUPERVISOR_WEIGHT = 0.1
LEAST_DISCRIMINATOR_LOSS = 0.15  # below it the discriminator rests
GENERATOR_STEPS = 2  # to one of the discriminator


class Recurrent(nn.Module):
    """A stack of GRUs and a linear map of each step, with a sigmoid or without.

    Parameters
    ----------
    n_in, n_out
        Channels.
    units, layers
        Of the GRU.
    squash
        Whether outputs pass a sigmoid.
    """

    def __init__(self, n_in: int, n_out: int, units: int, layers: int, *, squash: bool = True) -> None:
        super().__init__()
        self.recurrent = nn.GRU(n_in, units, layers, batch_first=True)
        self.out = nn.Linear(units, n_out)
        self.squash = squash

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(n, length, n_in)`` to ``(n, length, n_out)``."""
        y: Tensor = self.out(self.recurrent(x)[0])
        return y.sigmoid() if self.squash else y


class TimeGAN(nn.Module):
    """The five networks; as a callable it makes windows.

    Parameters
    ----------
    window
        Length of a window.
    recipe
        Size.
    """

    def __init__(self, window: int, recipe: TimeGANRecipe) -> None:
        super().__init__()
        size = recipe.units, recipe.layers
        self.window, self.noise_channels = window, recipe.noise_channels
        self.embedder = Recurrent(1, recipe.units, *size)
        self.recovery = Recurrent(recipe.units, 1, *size)
        self.generator = Recurrent(recipe.noise_channels, recipe.units, *size)
        self.supervisor = Recurrent(recipe.units, recipe.units, recipe.units, max(recipe.layers - 1, 1))
        self.discriminator = Recurrent(recipe.units, 1, *size, squash=False)

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw uniform noise, ``(n, window, noise_channels)``."""
        return torch.rand(n, self.window, self.noise_channels, generator=generator).to(self.recovery.out.weight.device)

    @torch.no_grad()
    def sample(self, series: Tensor, start: Tensor, seed: int = 0, context: Tensor | None = None) -> Tensor:
        """Return a window ``(n, window)`` for each condition, whatever the condition is."""
        noise = self.noise(len(series), torch_generator(seed, "psa-gan", "timegan", "sampling"))
        parts = [self.recovery(self.supervisor(self.generator(part)))[:, :, 0] for part in noise.split(CHUNK)]
        return torch.cat(parts)


def next_step_loss(latent: Tensor, said: Tensor) -> Tensor:
    """Return the mean squared error of the supervisor, whose output at a step says the next latent step."""
    return mse_loss(said[:, :-1], latent[:, 1:])


def batch_moment_loss(fake: Tensor, real: Tensor) -> Tensor:
    """Return the mean distance of means and standard deviations over the batch, by step, of windows ``(n, l, 1)``."""
    level = (fake.mean(0) - real.mean(0)).abs().mean()
    spread = ((fake.var(0, correction=0) + 1e-6).sqrt() - (real.var(0, correction=0) + 1e-6).sqrt()).abs().mean()
    return level + spread


def train_timegan(panel: TimeSeriesPanel, window: int, recipe: TimeGANRecipe) -> TimeGAN:
    """Train TimeGAN on the windows of a scaled panel, in its three phases.

    Parameters
    ----------
    panel
        The training part, scaled to [0, 1].
    window
        Length of a window.
    recipe
        Size and training.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_generator(recipe.seed, "psa-gan", "timegan", "weights").initial_seed())
        model = TimeGAN(window, recipe).to(panel.device)
    trainer = _Trainer(model, panel, recipe)
    for _ in range(recipe.embedding_steps):
        trainer.embed(supervised=False)
    for _ in range(recipe.supervisor_steps):
        trainer.supervise()
    for _ in range(recipe.joint_steps):
        for _ in range(GENERATOR_STEPS):
            trainer.generate()
            trainer.embed(supervised=True)
        trainer.discriminate()
    return model.eval()


class _Trainer:
    """Batches, noise and one optimiser for each group of networks that learns together."""

    def __init__(self, model: TimeGAN, panel: TimeSeriesPanel, recipe: TimeGANRecipe) -> None:
        self.model, self.panel, self.recipe = model, panel, recipe
        self.sampler = WindowSampler(panel, model.window)
        self.batches = torch_generator(recipe.seed, "psa-gan", "timegan", "batches")
        self.noises = torch_generator(recipe.seed, "psa-gan", "timegan", "noise")
        self.step_embedder = self._stepper(model.embedder, model.recovery)
        self.step_supervisor = self._stepper(model.supervisor)
        self.step_generator = self._stepper(model.generator, model.supervisor)
        self.step_discriminator = self._stepper(model.discriminator)

    def _stepper(self, *networks: nn.Module) -> Callable[[Tensor], None]:
        weights = [weight for network in networks for weight in network.parameters()]
        optimiser = torch.optim.Adam(weights, lr=self.recipe.lr)

        def step(loss: Tensor) -> None:
            # Gradients of these weights only: networks that rest in this step get none.
            for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                weight.grad = gradient
            optimiser.step()

        return step

    def _real(self) -> Tensor:
        series, start = self.sampler.draw(self.recipe.batch_size, self.batches)
        return self.panel.windows(series, start, self.model.window)[:, :, None]

    def embed(self, *, supervised: bool) -> None:
        """Train embedder and recovery to reconstruct; later also to make latents whose next step can be said."""
        m, real = self.model, self._real()
        latent = m.embedder(real)
        loss = RECONSTRUCTION_WEIGHT * (mse_loss(m.recovery(latent), real) + 1e-12).sqrt()
        if supervised:
            loss = loss + EMBEDDER_SUPERVISOR_WEIGHT * next_step_loss(latent, m.supervisor(latent))
        self.step_embedder(loss)

    def supervise(self) -> None:
        """Train the supervisor on real latents."""
        with torch.no_grad():
            latent = self.model.embedder(self._real())
        self.step_supervisor(next_step_loss(latent, self.model.supervisor(latent)))

    def generate(self) -> None:
        """Train generator and supervisor against the discriminator, on the next step, and on the batch's moments."""
        m, real = self.model, self._real()
        with torch.no_grad():
            latent = m.embedder(real)
        direct = m.generator(m.noise(len(real), self.noises))
        # Recurrent steps cost the same for twice the windows: what goes through one network goes together.
        said, said_of_real = m.supervisor(torch.cat([direct, latent])).chunk(2)
        fooled = 2 * _taken_as(m.discriminator(torch.cat([said, direct])), 1.0)
        supervised = SUPERVISOR_WEIGHT * (next_step_loss(latent, said_of_real) + 1e-12).sqrt()
        self.step_generator(fooled + supervised + MOMENT_WEIGHT * batch_moment_loss(m.recovery(said), real))

    def discriminate(self) -> None:
        """Train the discriminator, unless it is too good already."""
        m, real = self.model, self._real()
        with torch.no_grad():
            latent, direct = m.embedder(real), m.generator(m.noise(len(real), self.noises))
            said = m.supervisor(direct)
        of_real, of_fakes = m.discriminator(torch.cat([latent, said, direct])).split([len(real), 2 * len(real)])
        loss = _taken_as(of_real, 1.0) + 2 * _taken_as(of_fakes, 0.0)
        if float(loss.detach()) > LEAST_DISCRIMINATOR_LOSS:
            self.step_discriminator(loss)


def _taken_as(logits: Tensor, label: float) -> Tensor:
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
