"""Training, step by step, with a state that can be stored and taken up again to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from reprise.compute import torch_generator
from reprise.psa_gan.architecture import Architecture
from reprise.psa_gan.blocks import pool
from reprise.psa_gan.discriminator import Discriminator
from reprise.psa_gan.generator import Generator
from reprise.psa_gan.input_checks import PSAGANInputError, check_number, check_whole
from reprise.psa_gan.losses import discriminator_loss, generator_loss, moment_loss
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.schedule import Schedule
from reprise.psa_gan.windows import WindowSampler

LOSSES = ("discriminator", "generator", "moment")


@dataclass(frozen=True)
class Recipe:
    """How both networks are trained.

    Attributes
    ----------
    lr
        Learning rate of Adam for both; the released script has 5e-5 for some 10⁵ steps.
    batch_size
        Windows of a batch; paper: 128 to 512.
    n_critic
        Discriminator steps to each generator step; paper: 2.
    moment_weight
        λ of the moment loss; paper: 1, ablation 0.
    warmup_steps, warmup_critic
        First generator steps that take more discriminator steps, and how many; paper: 25 and 50.
    seed
        Seed of weights, batches and noise.

    Raises
    ------
    PSAGANInputError
        If one is no number, no whole number where it must be, or too small.
    """

    lr: float = 1e-3
    batch_size: int = 128
    n_critic: int = 2
    moment_weight: float = 1.0
    warmup_steps: int = 0
    warmup_critic: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        wholes = (("batch_size", 2), ("n_critic", 1), ("warmup_steps", 0), ("warmup_critic", 1), ("seed", 0))
        for name, least in wholes:
            check_whole(name, getattr(self, name), least)
        check_number("lr", self.lr, 0, open_end=True, hint="; 5e-4 to 2e-3 for some thousand steps")
        check_number("moment_weight", self.moment_weight, 0)


def drawn_networks(architecture: Architecture, seed: int) -> tuple[Generator, Discriminator]:
    """Return both networks with PyTorch's default weights from a seed; torch's own generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_generator(seed, "psa-gan", "weights").initial_seed())
        return Generator(architecture), Discriminator(architecture)


class Trainer:
    """Both networks, their optimisers, and the streams of batches and noise.

    Growing creates nothing: all stages exist from the start, so that neither Adam's state nor that of the spectral
    norm is reset.

    Parameters
    ----------
    panel
        The scaled training part; it lies on the device where training runs.
    architecture, schedule, recipe
        What is trained, when it grows, and how.
    allow_nan
        Whether windows beside missing values may be drawn.
    """

    def __init__(
        self,
        panel: TimeSeriesPanel,
        architecture: Architecture,
        schedule: Schedule,
        recipe: Recipe,
        *,
        allow_nan: bool = False,
    ) -> None:
        self.panel, self.architecture, self.schedule, self.recipe = panel, architecture, schedule, recipe
        self.sampler = WindowSampler(panel, architecture.window, architecture.context, allow_nan=allow_nan)
        generator, discriminator = drawn_networks(architecture, recipe.seed)
        self.generator, self.discriminator = generator.to(panel.device), discriminator.to(panel.device)
        self.generator_optimiser = torch.optim.Adam(self.generator.parameters(), lr=recipe.lr)
        self.discriminator_optimiser = torch.optim.Adam(self.discriminator.parameters(), lr=recipe.lr)
        # Drawn on the CPU, so that every device sees the same batches and noise.
        self.batches = torch_generator(recipe.seed, "psa-gan", "batches")
        self.noises = torch_generator(recipe.seed, "psa-gan", "noise")
        self.categories = panel.static_cat.to(panel.device)
        self.step = 0
        self.history: list[list[float]] = []

    @property
    def history_columns(self) -> tuple[str, ...]:
        """Names of the numbers kept of each step."""
        gammas = [f"gamma_{name}" for name, _ in _gammas(self.generator)] if self.architecture.attention else []
        return ("step", "depth", "alpha", *LOSSES, *gammas)

    def run(self, until: int | None = None, callback: Callable[[Trainer], None] | None = None) -> None:
        """Train up to a step, by default the schedule's last; the callback is called after every step."""
        last = self.schedule.max_steps if until is None else min(until, self.schedule.max_steps)
        while self.step < last:
            self._take_step()
            if callback is not None:
                callback(self)

    def _take_step(self) -> None:
        depth, alpha = self.schedule.at(self.step)
        is_warmup = self.step < self.recipe.warmup_steps
        losses = self.one_step(depth, alpha, self.recipe.warmup_critic if is_warmup else self.recipe.n_critic)
        self.history.append([self.step, depth, alpha, *losses.cpu().tolist()])
        self.step += 1

    def check_finite(self) -> None:
        """Refuse to go on where the last step's losses are not finite.

        Raises
        ------
        PSAGANInputError
            If one is not; names the step, the loss and its value.
        """
        last = dict(zip(self.history_columns, self.history[-1], strict=True))
        broken = [f"{name} {last[name]}" for name in LOSSES if not math.isfinite(last[name])]
        if broken:
            raise PSAGANInputError(
                f"training diverged at step {self.step} (losses: {', '.join(broken)}); take a lower rate than "
                f"lr={self.recipe.lr}."
            )

    def one_step(self, depth: int, alpha: float, n_critic: int) -> Tensor:
        """Take discriminator steps and a generator step at a depth; return the losses, and γ of each block."""
        for _ in range(n_critic):
            critic = self._discriminator_step(depth, alpha)
        fooled, moments = self._generator_step(depth, alpha)
        return torch.stack([critic, fooled, moments, *(gamma for _, gamma in _gammas(self.generator))]).detach()

    def _batch(self, depth: int) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        """Return real windows at a depth, what the networks are told of them, and noise."""
        a, n = self.architecture, self.recipe.batch_size
        series, start = self.sampler.draw(n, self.batches)
        real = pool(self.panel.windows(series, start, a.window)[:, None], a.lengths[depth])[:, 0]
        told = {
            "category": self.categories[series],
            "features": self.panel.window_features(series, start, a.window),
        }
        if a.context:
            told["context"] = self.panel.windows(series, start - a.context, a.context)
        noise = torch.randn(n, a.noise_size, generator=self.noises).to(self.panel.device)
        return real, told, noise

    def _discriminator_step(self, depth: int, alpha: float) -> Tensor:
        real, told, noise = self._batch(depth)
        with torch.no_grad():
            fake = self.generator(noise, **told, depth=depth, alpha=alpha)
        scores = self.discriminator(torch.cat([real, fake]), told["category"], told["features"], alpha=alpha)
        loss = discriminator_loss(*scores.chunk(2))
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimiser.step()
        return loss

    def _generator_step(self, depth: int, alpha: float) -> tuple[Tensor, Tensor]:
        real, told, noise = self._batch(depth)
        fake = self.generator(noise, **told, depth=depth, alpha=alpha)
        _require_gradients(self.discriminator, False)
        loss = generator_loss(self.discriminator(fake, told["category"], told["features"], alpha=alpha))
        moments = moment_loss(fake, real)
        self.generator_optimiser.zero_grad(set_to_none=True)
        (loss + self.recipe.moment_weight * moments).backward()
        self.generator_optimiser.step()
        _require_gradients(self.discriminator, True)
        return loss, moments

    def state_dict(self) -> dict[str, Any]:
        """Return all that later steps depend on; `torch.load` reads it with ``weights_only=True``."""
        return {
            "step": self.step,
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "generator_optimiser": self.generator_optimiser.state_dict(),
            "discriminator_optimiser": self.discriminator_optimiser.state_dict(),
            "batches": self.batches.get_state(),
            "noises": self.noises.get_state(),
            "history": self.history,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up training where a state was stored."""
        for name in ("generator", "discriminator", "generator_optimiser", "discriminator_optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.batches.set_state(state["batches"].cpu())
        self.noises.set_state(state["noises"].cpu())
        self.step, self.history = state["step"], list(state["history"])


def _gammas(module: nn.Module) -> list[tuple[str, Tensor]]:
    return [(name.split(".")[1], parameter) for name, parameter in module.named_parameters() if name.endswith(".gamma")]


def _require_gradients(module: nn.Module, wanted: bool) -> None:
    for parameter in module.parameters():
        parameter.requires_grad_(wanted)
