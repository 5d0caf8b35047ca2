"""What a trained method says about every node of a problem, and what all methods share: names, recipe, streams."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from reprise.cold_brew.layers import LayerStates
from reprise.cold_brew.problem import Problem
from reprise.cold_brew.student import ColdBrewStudent
from reprise.cold_brew.training import History, Recipe, accuracy, random_stream

if TYPE_CHECKING:
    from reprise.cold_brew.settings import Settings

GCN, TEACHER, STUDENT = "GCN", "Cold Brew teacher", "Cold Brew student"
SAGE, SIMPLE_MLP, GRAPH_MLP, GLNN = "GraphSAGE", "MLP", "GraphMLP", "GLNN"
PROPAGATION, NEAREST = "Label propagation", "k-NN-GCN"

# The recipe that all methods share; the official code has a rate of 0.001 or 0.005 and the same decay.
LEARNING_RATE, WEIGHT_DECAY = 0.01, 5e-4
LAST_EPOCHS = 20  # averaged where no validation node can choose one
GRAPH_CHANNELS = 64  # GCN, GraphSAGE (official code: 64 to 256)


@dataclass
class Outcome:
    """What a trained method says about every node.

    Attributes
    ----------
    method
        Its name.
    scores
        Logits ``(N, C)`` in evaluation mode: of the selected epoch, or one for each of the last epochs where the
        protocol has no validation nodes.
    hidden
        Input of the last linear map ``(N, H)``.
    states
        Layer states, of graph convolutions.
    with_dropout
        Scores of one pass with dropout left on.
    validation
        Accuracy on the validation nodes, in %.
    notes
        Further figures to report, by metric.
    """

    method: str
    scores: list[Tensor]
    hidden: Tensor | None = None
    states: LayerStates | None = None
    with_dropout: Callable[[], Tensor] | None = None
    validation: float = float("nan")
    student: ColdBrewStudent | None = None
    notes: dict[str, float] = field(default_factory=dict)

    @property
    def final(self) -> Tensor:
        """The scores of the selected, or last, epoch."""
        return self.scores[-1]

    def accuracy(self, y: Tensor, mask: Tensor) -> float:
        """Return the accuracy on masked nodes in %, the mean over the kept epochs; NaN for an empty mask."""
        return float(np.mean([accuracy(scores, y, mask) for scores in self.scores]))


def recipe_of(settings: Settings, problem: Problem, **changes: float) -> Recipe:
    """Return the study's recipe; without validation nodes the last 20 epochs are averaged instead of selecting."""
    recipe = Recipe(
        epochs=settings.epochs,
        patience=settings.patience,
        learning_rate=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY,
        dropout=settings.dropout,
        keep_last=0 if bool(problem.masks.validation.any()) else min(LAST_EPOCHS, settings.epochs),
    )
    return replace(recipe, **changes)  # type: ignore[arg-type]


def own_stream(problem: Problem, *names: object) -> AbstractContextManager[None]:
    """Return the random stream of one method on one cell; no other cell or method shifts it."""
    return random_stream(problem.seed, problem.dataset, problem.mode, *names)


def outcome_of(
    method: str, model: nn.Module, history: History, predict: Callable[[], Tensor], problem: Problem
) -> Outcome:
    """Return what a trained model says; ``predict`` gives its logits for all nodes."""
    model.eval()
    with torch.no_grad():
        final = predict()

    @torch.no_grad()
    def with_dropout() -> Tensor:
        model.train()
        scores = predict()
        model.eval()
        return scores

    return Outcome(
        method,
        history.last or [final],
        with_dropout=with_dropout,
        validation=validation_accuracy(final, problem),
        notes={"epochs": float(history.epochs)},
    )


def validation_accuracy(scores: Tensor, problem: Problem) -> float:
    """Return the accuracy on the validation nodes in %, NaN without any."""
    mask = problem.masks.validation
    return accuracy(scores, problem.y, mask) if bool(mask.any()) else float("nan")
