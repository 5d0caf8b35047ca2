"""What the units of a search step give, and what is made of it: the objective, and a line of the history."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.deep_aa.space import AugmentationSpace

MOST_SKIPPED, FEWEST_UNITS = 0.5, 2


@dataclass(frozen=True)
class Rewards:
    """What the units of a step give: cosines, rewards ``(U, T)`` (float64), and how many units were left out."""

    cosines: list[float]
    values: Tensor
    n_skipped: int = 0

    def objective(self, std_weight: float) -> Tensor:
        """Return R = mean − c · std of the rewards over units, with the population's std, ``(T,)``."""
        return self.values.mean(0) - std_weight * self.values.std(0, correction=0)

    def summary(self, probabilities: Tensor, objective: Tensor, space: AugmentationSpace) -> dict[str, float]:
        """Return what is kept of a step."""
        cosines = torch.tensor(self.cosines, dtype=torch.float64)
        entropy = -torch.special.xlogy(probabilities, probabilities).sum()
        return {
            "cosine": float(cosines.mean()),
            "cosine std": float(cosines.std(correction=0)),
            "reward mean": float(torch.dot(probabilities, self.values.mean(0))),
            "reward std": float(self.values.std(0, correction=0).mean()),
            "objective": float(torch.dot(probabilities, objective)),
            "largest |pᵀr|": float((self.values @ probabilities).abs().max()),
            "entropy": float(entropy),
            "identity": float(probabilities[space.identity]),
            "skipped": float(self.n_skipped),
        }


def stacked(rewards: list[Tensor], n_units: int) -> Tensor:
    """Return the rewards of the units that have any, ``(U, T)``.

    Raises
    ------
    DeepAAInputError
        If fewer than half of the units have, or fewer than two, which leave no spread to penalise.
    """
    if len(rewards) < max(FEWEST_UNITS, n_units * (1 - MOST_SKIPPED)):
        raise DeepAAInputError(
            f"{n_units - len(rewards)} of {n_units} units have a zero gradient: the network fits these images "
            "perfectly, and too few are left to compare. Train it for fewer epochs, search on images that it was not "
            "trained on, or give more units."
        )
    return torch.stack(rewards)
