"""Training a classifier with an augmentation, and the brief training of the search network."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from reprise.compute import torch_generator
from reprise.deep_aa.gradient_rewards import normalisation_weights
from reprise.deep_aa.policy_checks import check_choice

Optimiser = Literal["sgd", "adamw"]
# Takes uint8 images (B, C, H, W) and a generator, gives uint8 images of the same shape.
Augmentation = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the defaults are the paper's for WRN-28-10 on CIFAR.

    Attributes
    ----------
    epochs
        Passes over the training images.
    batch_size
        Images a step; an incomplete batch at the end of a pass is left out.
    learning_rate
        Largest rate, reached after the warm-up; then a half cosine to 0, step by step.
    warmup
        Share of all steps over which the rate rises from 0 (paper: 5 of 200 epochs; none in pretraining).
    weight_decay
        L2 decay of all weights but those of normalisation layers.
    optimiser
        ``"sgd"``: Nesterov momentum of 0.9; ``"adamw"``: decoupled decay.
    clip
        Largest norm of the whole gradient.
    """

    epochs: int = 200
    batch_size: int = 128
    learning_rate: float = 0.1
    warmup: float = 0.025
    weight_decay: float = 5e-4
    optimiser: Optimiser = "sgd"
    clip: float = 5.0


def as_floats(images: Tensor) -> Tensor:
    """Return uint8 images as floats in [0, 1], in the memory order that convolutions run fastest on."""
    return images.float().div_(255).contiguous(memory_format=torch.channels_last)


def rate_at(step: int, n_steps: int, recipe: Recipe) -> float:
    """Return the learning rate of a step, 0-based.

    Examples
    --------
    >>> recipe = Recipe(learning_rate=1.0, warmup=0.5)
    >>> [round(rate_at(step, 4, recipe), 2) for step in range(4)]
    [0.5, 1.0, 1.0, 0.5]
    """
    n_warm = int(recipe.warmup * n_steps)
    if step < n_warm:
        return recipe.learning_rate * (step + 1) / n_warm
    progress = (step - n_warm) / max(1, n_steps - n_warm)
    return recipe.learning_rate * (1 + math.cos(math.pi * progress)) / 2


def make_optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimiser, without decay on normalisation layers.

    Raises
    ------
    DeepAAInputError
        If the recipe names an unknown one.
    """
    check_choice("optimiser", recipe.optimiser, get_args(Optimiser))
    excluded = normalisation_weights(model)
    named = list(model.named_parameters())
    groups = [
        {"params": [p for n, p in named if n not in excluded], "weight_decay": recipe.weight_decay},
        {"params": [p for n, p in named if n in excluded], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.learning_rate)
    return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=0.9, nesterov=True)


def train(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    augmentation: Augmentation,
    recipe: Recipe,
    *,
    seed: int,
    names: tuple[object, ...] = (),
) -> nn.Module:
    """Train a network in place on augmented images, and return it in evaluation mode.

    Every image is augmented anew in every pass. The order of the images depends on seed and names only, so that
    trainings with different augmentations are paired.

    Parameters
    ----------
    model
        Network that takes floats in [0, 1].
    images, labels
        uint8 ``(N, C, H, W)`` and ``(N,)``.
    augmentation
        Maps 8-bit images and a generator to 8-bit images.
    recipe
        Passes, rates, decay.
    seed, names
        Of the random streams.
    """
    model = model.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimiser = make_optimiser(model, recipe)
    per_epoch = max(1, len(images) // recipe.batch_size)
    n_steps, step = per_epoch * recipe.epochs, 0
    for epoch in range(recipe.epochs):
        drawn = augmentation(images, torch_generator(seed, *names, "augmentation", epoch))
        order = torch.randperm(len(images), generator=torch_generator(seed, *names, "order", epoch))
        for batch in order[: per_epoch * recipe.batch_size].split(recipe.batch_size):
            for group in optimiser.param_groups:
                group["lr"] = rate_at(step, n_steps, recipe)
            loss = functional.cross_entropy(model(as_floats(drawn[batch])), labels[batch])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimiser.step()
            step += 1
    return model.eval()


def accuracy(model: nn.Module, images: Tensor, labels: Tensor, batch_size: int = 500) -> float:
    """Return the share of images classified correctly, in per cent; NaN if the network diverged."""
    with torch.no_grad():
        logits = torch.cat([model(as_floats(batch)) for batch in images.split(batch_size)])
    if not bool(torch.isfinite(logits).all()):
        return float("nan")
    return 100 * float((logits.argmax(1) == labels).double().mean())


def nothing(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return the images as they are: training without augmentation."""
    del generator
    return images
