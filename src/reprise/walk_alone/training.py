"""Training of the Trajectron family: the loss of Section 4.B, its two annealed weights, and the augmentations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp
from typing import Literal

import torch
from torch import Tensor

from reprise.compute import seed_sequence, torch_generator
from reprise.walk_alone.gaussians import LARGEST_LOG_DENSITY, log_densities
from reprise.walk_alone.states import STATE, States, court_mirrors, rotations, target_features
from reprise.walk_alone.trajectron import Shape, TrajectronCVAE
from reprise.walk_alone.windows import FUTURE

Symmetry = Literal["rotations", "mirrors"]
SYMMETRIES: dict[Symmetry, Callable[..., Tensor]] = {"rotations": rotations, "mirrors": court_mirrors}
PAPER_ITERATIONS = 14_800
FREE_KL = 0.07
LARGEST_GRADIENT = 1.0
FINAL_RATE = 0.1


@dataclass(frozen=True)
class TrainingOptions:
    """How a network is trained; the defaults are the paper's for ETH-UCY.

    Attributes
    ----------
    epochs
        Passes over the training windows.
    batch
        Windows per step.
    learning_rate
        Adam's, decaying linearly to a tenth.
    symmetry
        Random transformations of whole windows.
    neighbour_dropout
        Whether each window draws a rate u ~ U(0, 1) at which its neighbours are cut; the paper: no.
    neighbours
        Whether there are neighbours at all in training.
    """

    epochs: int = 100
    batch: int = 256
    learning_rate: float = 1e-3
    symmetry: Symmetry = "rotations"
    neighbour_dropout: bool = False
    neighbours: bool = True


@dataclass(frozen=True)
class Anneal:
    """A weight that rises along a sigmoid: ``low + (high − low) σ((step − centre) / width)``."""

    low: float
    high: float
    centre: float
    width: float

    def at(self, step: int) -> float:
        """Return the weight at a step."""
        return self.low + (self.high - self.low) / (1 + exp(-(step - self.centre) / self.width))


def schedules(n_steps: int) -> tuple[Anneal, Anneal]:
    """Return the schedules of the KL weight (0 → 100) and of the clip of the logits (0.05 → 5).

    The paper's count steps of a run of about 14 800; a shorter one reaches the centres after a tenth of its steps,
    because otherwise the KL weight would still be rising at its end.
    """
    if n_steps >= PAPER_ITERATIONS:
        return Anneal(0, 100, 400, 100), Anneal(0.05, 5, 300, 60)
    centre = max(30.0, 0.1 * n_steps)
    return Anneal(0, 100, centre, centre / 4), Anneal(0.05, 5, centre, centre / 5)


def loss(model: TrajectronCVAE, states: States, noise: Tensor, kl_weight: float, clip: float) -> Tensor:
    """Return the training loss of Section 4.B.

    −[mean over windows of Σ_k min(log p_k(y_k), 6) − w max(KL(q ‖ p), 0.07) + I], where I is the mutual information of
    z and x under p, and the mixture has the weights q.
    """
    context = model.context(states)
    prior = model.prior_logits(context).clamp(-clip, clip).log_softmax(-1)
    posterior = model.posterior_logits(context, states).clamp(-clip, clip).log_softmax(-1)
    last = target_features(states.target[:, -1:], model.shape.scale)[:, 0]
    velocities = model.decode(context, last, noise=noise)
    log_density = log_densities(velocities, posterior, states.future, model.shape.seconds)
    fit = log_density.clamp_max(LARGEST_LOG_DENSITY).sum(-1).mean()
    divergence = (posterior.exp() * (posterior - prior)).sum(-1).mean().clamp_min(FREE_KL)
    return -(fit - kl_weight * divergence + mutual_information(prior))


def mutual_information(log_probabilities: Tensor) -> Tensor:
    """Return H(mean p) − mean H(p) over a batch ``(B, K)``."""
    probabilities = log_probabilities.exp()
    mean = probabilities.mean(0)
    return (probabilities * log_probabilities).sum(-1).mean() - (mean * mean.clamp_min(1e-12).log()).sum()


def train(shape: Shape, states: States, options: TrainingOptions, seed: int, name: str) -> TrajectronCVAE:
    """Train one network.

    Parameters
    ----------
    shape, options
        What and how.
    states
        All training windows, on the device of the training.
    seed, name
        Name the streams of random numbers; ``name`` is the data set's, so that both modes see the same batches.

    Returns
    -------
    TrajectronCVAE
        In evaluation mode.
    """
    device = states.target.device
    draw = torch_generator(seed, "walk_alone", name, "batches")
    n_batches = -(-len(states) // options.batch)
    n_steps = options.epochs * n_batches
    kl_schedule, clip_schedule = schedules(n_steps)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        # Initial weights and dropout come from torch's own stream.
        torch.manual_seed(int(seed_sequence(seed, "walk_alone", name, "network").generate_state(1)[0]))
        model = TrajectronCVAE(shape).to(device).train()
        optimiser = torch.optim.Adam(model.parameters(), lr=options.learning_rate, foreach=True)
        decay = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, FINAL_RATE, n_steps)
        for step in range(n_steps):
            if step % n_batches == 0:
                order = torch.randperm(len(states), generator=draw).to(device)
            places = order[step % n_batches * options.batch :][: options.batch]
            batch = augmented(states.take(places), options, draw)
            noise = torch.randn(len(batch), shape.latents, FUTURE, 2, generator=draw).to(device)
            optimiser.zero_grad(set_to_none=True)
            loss(model, batch, noise, kl_schedule.at(step), clip_schedule.at(step)).backward()
            torch.nn.utils.clip_grad_value_(model.parameters(), LARGEST_GRADIENT)
            optimiser.step()
            decay.step()
    return model.eval()


def augmented(states: States, options: TrainingOptions, draw: torch.Generator) -> States:
    """Transform a batch at random, and cut neighbours where the options say so."""
    n, device = len(states), states.target.device
    states = states.transformed(SYMMETRIES[options.symmetry](n, draw, device))
    if not options.neighbours:
        return states.without_neighbours()
    if options.neighbour_dropout:
        rate = torch.rand(n, 1, generator=draw)
        kept = torch.rand(states.present.shape, generator=draw) >= rate
        return replace(states, present=states.present & kept.to(device))
    return states


def last_features(model: TrajectronCVAE, states: States) -> Tensor:
    """Return the targets' standardised last states, ``(B, 6)``."""
    return target_features(states.target[:, -1:], model.shape.scale).reshape(-1, STATE)
