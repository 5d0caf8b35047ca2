"""One training recipe for every method: full batch, Adam, the epoch of best validation accuracy is kept.

Of epochs with equal accuracy the one of lower validation loss is better. On a small graph the accuracy of an untrained
model, which gives every node the largest class, may stand for many epochs while the loss falls; by accuracy alone
patience would run out and leave that model.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from reprise.cold_brew.checks import as_mask, check_dropout, check_real, check_whole
from reprise.compute import seed_sequence
from reprise.errors import RepriseError

Result = TypeVar("Result")


@dataclass(frozen=True)
class Recipe:
    """How long and how fast a model trains.

    Parameters
    ----------
    epochs
        Largest number of full-batch steps.
    patience
        Epochs without a better one on validation after which training ends; ``None`` never ends early.
    learning_rate, weight_decay
        Of Adam; the decay does not touch structural embeddings, which have a penalty of their own.
    dropout, input_dropout
        Share of hidden values and of input values dropped.
    keep_last
        If positive, nothing is selected: the scores of this many last epochs are kept instead, as a protocol
        without validation nodes needs.

    Raises
    ------
    ValueError
        For a number out of range; names it.
    """

    epochs: int = 200
    patience: int | None = 30
    learning_rate: float = 0.01
    weight_decay: float = 5e-4
    dropout: float = 0.5
    input_dropout: float = 0.0
    keep_last: int = 0

    def __post_init__(self) -> None:
        check_whole("epochs", self.epochs)
        if self.patience is not None:
            check_whole("patience", self.patience)
        check_real("learning_rate", self.learning_rate, above=True)
        check_real("weight_decay", self.weight_decay)
        check_dropout("dropout", self.dropout)
        check_dropout("input_dropout", self.input_dropout)
        check_whole("keep_last", self.keep_last, least=0)

    def shorter(self, epochs: int) -> Recipe:
        """Return the recipe with at most this many epochs."""
        return replace(self, epochs=min(epochs, self.epochs))


@dataclass
class History:
    """What training left: the best validation score, its epoch, and the scores of the last epochs if asked for."""

    best_score: float = -np.inf
    best_epoch: int = -1
    epochs: int = 0
    losses: list[float] = field(default_factory=list)
    last: list[Tensor] = field(default_factory=list)

    @property
    def diverged_at(self) -> int | None:
        """The first epoch, from 0, whose loss was no finite number; ``None`` if all were."""
        return next((epoch for epoch, loss in enumerate(self.losses) if not math.isfinite(loss)), None)


class DivergenceError(RepriseError, ValueError):
    """A training whose loss became NaN or infinite."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


def refuse_divergence(history: History, recipe: Recipe) -> History:
    """Return the history of a training, after checking that its loss stayed finite.

    Raises
    ------
    DivergenceError
        Names the epoch and the remedy.
    """
    if history.diverged_at is not None:
        raise DivergenceError(
            f"training diverged: the loss of epoch {history.diverged_at} is {history.losses[history.diverged_at]}. "
            f"Give a recipe with a learning_rate below {recipe.learning_rate:g}, or scale the features and targets.",
            history,
        )
    return history


def fit(
    model: nn.Module,
    loss: Callable[[], Tensor],
    recipe: Recipe,
    *,
    validate: Callable[[], float | tuple[float, float]] | None = None,
    predict: Callable[[], Tensor] | None = None,
) -> History:
    """Train a model in place and leave it, in evaluation mode, at its best epoch.

    Parameters
    ----------
    model
        Its parameters are trained; those whose name ends in ``structural`` without weight decay.
    loss
        The loss of one step; called in training mode.
    recipe
        Epochs, patience, rates.
    validate
        A score to be made large, called in evaluation mode without gradients, or a pair of scores, of which the
        second decides between epochs equal in the first; the first epoch of the best is kept. ``None``: the last
        epoch is kept. Patience counts the epochs since the last better one.
    predict
        Called in the last ``recipe.keep_last`` epochs, as ``validate``.

    Returns
    -------
    History
        Best (first) score and its epoch, losses, predictions of the last epochs. A loss that is no finite number does
        not end training; see `refuse_divergence`.
    """
    optimiser = adam(_parameter_groups(model, recipe.weight_decay), recipe.learning_rate)
    history = History()
    selects = validate is not None and recipe.keep_last == 0
    best: dict[str, Tensor] | None = None
    best_pair = (-math.inf, -math.inf)
    for epoch in range(recipe.epochs):
        model.train()
        optimiser.zero_grad(set_to_none=True)
        step = loss()
        step.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        history.losses.append(float(step.detach()))
        history.epochs = epoch + 1
        if selects and validate is not None:
            score = _evaluated(model, validate)
            pair = score if isinstance(score, tuple) else (score, 0.0)
            if pair > best_pair:
                best_pair = pair
                history.best_score, history.best_epoch = pair[0], epoch
                best = deepcopy(model.state_dict())
            elif recipe.patience is not None and epoch - history.best_epoch >= recipe.patience:
                break
        if predict is not None and epoch >= recipe.epochs - recipe.keep_last:
            history.last.append(_evaluated(model, predict))
    if best is not None:
        model.load_state_dict(best)
    model.eval()
    return history


def _evaluated(model: nn.Module, call: Callable[[], Result]) -> Result:
    model.eval()
    with torch.no_grad():
        return call()


def adam(groups: list[dict[str, Any]], learning_rate: float) -> torch.optim.Adam:
    """Return Adam over groups of parameters, in one pass over each of them where torch can: four times as fast."""
    kinds = {parameter.device.type for group in groups for parameter in group["params"]}
    return torch.optim.Adam(groups, lr=learning_rate, fused=kinds <= {"cpu", "cuda"} or None)


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    structural = [parameter for name, parameter in named if name.endswith("structural")]
    others = [parameter for name, parameter in named if not name.endswith("structural")]
    groups: list[dict[str, Any]] = [{"params": others, "weight_decay": weight_decay}]
    return [*groups, {"params": structural, "weight_decay": 0.0}] if structural else groups


@contextlib.contextmanager
def random_stream(seed: int, *names: object) -> Iterator[None]:
    """Let torch's global generator, which initialisation and dropout draw from, be one named stream for a while.

    What ran before, or runs beside, does not shift the stream; afterwards the global state is as it was.
    """
    state = int(seed_sequence(seed, "cold_brew", *names).generate_state(1, np.uint64)[0]) >> 1
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(state)
        yield


def accuracy(scores: Tensor, y: Tensor, mask: Tensor) -> float:
    """Return the share, in %, of the masked nodes whose largest score is their label.

    Warns
    -----
    UserWarning
        If the mask is empty: the accuracy is then NaN, not 0; so it is, in silence, for scores that are NaN.
    """
    if not bool(mask.any()):
        warnings.warn("a group has no node to test on; its accuracy is NaN.", stacklevel=2)
        return float("nan")
    chosen = scores[mask]
    if bool(chosen.isnan().any()):  # of a training that diverged; argmax would call the NaN a prediction
        return float("nan")
    return 100.0 * float((chosen.argmax(1) == y[mask]).double().mean())


def accuracy_and_loss(scores: Tensor, y: Tensor) -> tuple[float, float]:
    """Return accuracy in % and negative cross-entropy, by which `fit` selects: the loss decides between equals."""
    everyone = torch.ones_like(y, dtype=torch.bool)
    return accuracy(scores, y, everyone), -float(functional.cross_entropy(scores, y)) if y.numel() else float("nan")


def check_labels(y: Tensor, train_mask: Any, n_classes: int | None = None) -> int:
    """Return the number of classes, after checking that every one of them can be learnt.

    Raises
    ------
    ValueError
        If labels are not integers, a training node has none (−1), one is out of range, or a class that occurs has
        no training example; the message names it.
    """
    if y.is_floating_point() or y.dim() != 1:
        raise ValueError(f"y has shape {tuple(y.shape)} and type {y.dtype}; give integer classes (n_nodes,).")
    marked = as_mask("train_mask", train_mask, y.numel(), y.device)
    if not bool(marked.any()):
        raise ValueError("train_mask marks no node; mark the nodes whose labels may be used.")
    found = n_classes or int(y.max()) + 1
    trained = y[marked]
    if int(trained.min()) < 0:
        raise ValueError(f"{int((trained < 0).sum())} training nodes have the label −1 (unknown); unmark them.")
    if int(y.max()) >= found or int(y.min()) < -1:
        wrong = int(y.max()) if int(y.max()) >= found else int(y.min())
        raise ValueError(f"y holds the label {wrong}; classes are 0 … {found - 1}, and −1 stands for unknown.")
    absent = sorted(set(y[y >= 0].tolist()) - set(trained.tolist()))
    if absent:
        raise ValueError(f"class {absent[0]} has no training example; label one, or set its labels to −1.")
    return found
