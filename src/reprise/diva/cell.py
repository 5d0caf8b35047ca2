"""What all parts of the study share: one data set as tensors, splits, errors, and the first columns of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reprise.compute import numpy_generator
from reprise.diva.data import Task, load, one_hot
from reprise.diva.settings import Settings
from reprise.diva.weighting import Objective, Step

Row = dict[str, Any]


@dataclass(frozen=True)
class Split:
    """Training and test rows as tensors: features, one-hot targets, labels."""

    features: Tensor
    targets: Tensor
    labels: Tensor
    test_features: Tensor
    test_targets: Tensor
    test_labels: Tensor

    def error(self, coefficients: Tensor) -> float:
        """Return the test error of linear outputs, in percent."""
        return error_rate(self.test_features @ coefficients, self.test_labels)

    def with_labels(self, labels: np.ndarray) -> Split:
        """Return the same split with other training labels."""
        given = torch.as_tensor(labels, device=self.labels.device)
        targets = torch.nn.functional.one_hot(given, self.targets.shape[1]).to(self.targets)
        return Split(self.features, targets, given, self.test_features, self.test_targets, self.test_labels)


def error_rate(outputs: Tensor, labels: Tensor) -> float:
    """Return the share of rows whose largest output is not their label's, in percent."""
    return 100 * float((outputs.argmax(1) != labels).double().mean())


@dataclass(frozen=True)
class Cell:
    """One data set of a run."""

    settings: Settings
    task: Task
    device: torch.device

    def split(self, seed: int, features: np.ndarray | None = None) -> Split:
        """Return a resplit (0: the given split); ``features`` replace the task's."""
        train, test = self.task.resplit(seed)
        rows = self.task.features if features is None else features
        targets = one_hot(self.task.labels, self.task.n_classes)
        parts = [part[chosen] for chosen in (train, test) for part in (rows, targets, self.task.labels)]
        return Split(*(torch.as_tensor(part, device=self.device) for part in parts))

    def generator(self, seed: int, *names: object) -> np.random.Generator:
        """Return the random stream of this data set and purpose."""
        return numpy_generator(seed, "diva", self.task.name, *names)

    def row(self, experiment: str, seed: int, method: str, metric: str, value: float, **columns: Any) -> Row:
        """Return one tidy row."""
        return {
            "dataset": self.task.name,
            "split": columns.pop("split", "test"),
            "method": method,
            "seed": seed,
            "metric": metric,
            "value": float(value),
            "experiment": experiment,
            **columns,
        }

    def objective(self, temperature: float, **options: Any) -> Objective:
        """Return cross-entropy at a temperature as outer loss."""
        return Objective("ce", temperature, **options)

    def step(self, number: int | None = None) -> Step:
        """Return the step of the settings."""
        return Step("max", self.settings.step_size, self.settings.n_steps if number is None else number)

    def seeds(self, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """Return those of the run's seeds that are wanted."""
        return tuple(seed for seed in self.settings.seeds if seed in wanted)


def outer_name(objective: Objective) -> str:
    """Return how an outer loss is named in rows: ``"squared"`` or ``"cross-entropy, τ = 10"``."""
    return "squared" if objective.loss == "squared" else f"cross-entropy, τ = {objective.temperature:g}"


def task_of(settings: Settings, name: str, device: str, flip: str = "none") -> Task:
    """Load a data set with the network that the settings give it."""
    network = settings.small_network if name == "cifar10-4k" else settings.network
    return load(name, network, flip, device)


def with_wrong_labels(labels: np.ndarray, share: float, n_classes: int, generator: np.random.Generator) -> np.ndarray:
    """Replace a share of the labels, each by one of the k − 1 other classes, drawn uniformly.

    The paper replaces "at random", which may redraw the right class; here every replaced label is wrong.
    """
    chosen = generator.choice(len(labels), round(share * len(labels)), replace=False)
    wrong = labels.copy()
    wrong[chosen] = (labels[chosen] + generator.integers(1, n_classes, len(chosen))) % n_classes
    return wrong
