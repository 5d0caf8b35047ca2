"""One training loop for both forms: bucketed batches, AdamW with warm-up and decay, selection of the best weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reprise.compute import numpy_generator, seed_sequence
from reprise.trans_encoder.encoders import Encoder
from reprise.trans_encoder.input_checks import TransEncoderInputError, check_positive
from reprise.trans_encoder.tokens import shuffled_batches

WEIGHT_DECAY, EPSILON, LARGEST_NORM = 0.01, 1e-6, 1.0


@dataclass(frozen=True)
class Recipe:
    """How one student is trained.

    Attributes
    ----------
    lr
        Highest learning rate.
    batch_size
        Pairs (or sentences) a step.
    epochs
        Passes over the data.
    warmup
        Share of the steps in which the rate rises linearly; then it falls linearly to 0.
    head_rate
        Rate of a new head over that of the transformer (paper: 1).
    """

    lr: float
    batch_size: int
    epochs: int = 1
    warmup: float = 0.0
    head_rate: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot train, before any work starts."""
        check_positive("lr", self.lr)
        check_positive("batch_size", self.batch_size, whole=True)
        check_positive("epochs", self.epochs, whole=True)
        check_positive("head_rate", self.head_rate)
        if not isinstance(self.warmup, Real) or not 0 <= self.warmup < 1:
            raise TransEncoderInputError(f"warmup={self.warmup!r} must be a share of the steps, from 0 to below 1.")


@dataclass(frozen=True)
class Training:
    """What a training showed.

    Attributes
    ----------
    losses
        Of every step.
    evaluations
        Step to score on the development pairs.
    best_step
        The step whose weights were kept: that of the best score, or the last one.
    """

    losses: tuple[float, ...]
    evaluations: dict[int, float]
    best_step: int

    @property
    def best(self) -> float:
        """The best score on the development pairs; NaN if there are none."""
        return self.evaluations.get(self.best_step, float("nan"))


def rate_factor(step: int, n_steps: int, warmup: float) -> float:
    """Return the factor of the learning rate before step ``step`` (from 0): linear warm-up, linear decay to 0."""
    n_warmup = int(warmup * n_steps)
    if step < n_warmup:
        return (step + 1) / (n_warmup + 1)
    return (n_steps - step) / max(1, n_steps - n_warmup)


def optimizer_of(model: Encoder, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW without decay of biases and layer norms; a head may have another rate."""
    trunk = {id(weight) for weight in model.trunk.parameters()}
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for weight in model.parameters():
        if weight.requires_grad:
            decay = WEIGHT_DECAY if weight.ndim > 1 else 0.0  # vectors are biases and layer norms, in every family
            rate = recipe.lr if id(weight) in trunk else recipe.lr * recipe.head_rate
            groups.setdefault((decay, rate), []).append(weight)
    settings = [
        {"params": weights, "weight_decay": decay, "highest": rate} for (decay, rate), weights in groups.items()
    ]
    return torch.optim.AdamW(settings, lr=recipe.lr, eps=EPSILON, fused=True)


def train(
    model: Encoder,
    loss_of: Callable[[NDArray[np.int64]], Tensor],
    lengths: NDArray[np.int64],
    recipe: Recipe,
    stream: tuple[Any, ...],
    *,
    evaluate: Callable[[], float] | None = None,
    evaluate_every: int = 200,
) -> Training:
    """Train a student in place; afterwards it has the weights with the best score.

    Parameters
    ----------
    model
        The student.
    loss_of
        Loss of a batch, given by its positions.
    lengths
        Word pieces of each example, by which batches are formed.
    recipe
        Rate, batch size, epochs, warm-up.
    stream
        Seed and names of the random streams of batches and dropout.
    evaluate
        Score on development pairs, higher is better; None keeps the last weights.
    evaluate_every
        Steps between evaluations (paper: 200); one more follows the last step of each epoch.
    """
    generator = numpy_generator(*stream, "batches")
    optimizer = optimizer_of(model, recipe)
    n_steps = recipe.epochs * -(-len(lengths) // recipe.batch_size)
    losses: list[float] = []
    found: dict[int, float] = {}
    best: tuple[int, dict[str, Tensor]] | None = None
    model.train()
    with torch.random.fork_rng(devices=_devices(model)):
        torch.manual_seed(int(seed_sequence(*stream, "dropout").generate_state(1)[0]))
        for step, (rows, ends) in enumerate(_epochs(lengths, recipe, generator)):
            for group in optimizer.param_groups:
                group["lr"] = group["highest"] * rate_factor(step, n_steps, recipe.warmup)
            losses.append(_step(model, loss_of, rows, optimizer))
            if evaluate is not None and (ends or (step + 1) % evaluate_every == 0):
                found[step + 1] = evaluate()
                # No number (all scores are alike) is worse than any, wherever it stands.
                if best is None or found[step + 1] > found[best[0]] or np.isnan(found[best[0]]):
                    best = step + 1, _trained_weights(model)
    if best is not None:
        model.load_state_dict(best[1], strict=False)
    model.eval()
    return Training(tuple(losses), found, n_steps if best is None else best[0])


def _epochs(
    lengths: NDArray[np.int64], recipe: Recipe, generator: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], bool]]:
    for _ in range(recipe.epochs):
        batches = shuffled_batches(lengths, recipe.batch_size, generator)
        for place, rows in enumerate(batches):
            yield rows, place + 1 == len(batches)


def _step(
    model: Encoder, loss_of: Callable[[NDArray[np.int64]], Tensor], rows: Any, optimizer: torch.optim.AdamW
) -> float:
    loss = loss_of(rows)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_NORM)
    optimizer.step()
    return float(loss.detach())


def _trained_weights(model: Encoder) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in model.named_parameters() if weight.requires_grad}


def _devices(model: Encoder) -> list[torch.device]:
    return [model.device] if model.device.type == "cuda" else []
