"""What the derivative is used for (Sec. 3.3, 3.4): Reweight, Extend, augmentation weights; on tensors.

Weights start at 1 for what is in the training set and at 0 for what may join it. All steps need one ridge solution and
one derivative each; nothing is retrained by descent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from reprise.diva.leave_one_out import LeaveOneOut, leave_one_out
from reprise.diva.outer_loss import LossName
from reprise.diva.ridge import DualRidge, PrimalRidge, Ridge, leave_one_out_errors, solve

StepName = Literal["max", "raw"]
PENALTIES: tuple[float, ...] = tuple(10.0 ** (-3 + 0.5 * place) for place in range(9))


@dataclass(frozen=True)
class Objective:
    """The leave-one-out loss that weights are to lower.

    Attributes
    ----------
    loss, temperature
        Outer loss. The paper leaves it open; cross-entropy at 10 suits Reweight on clean labels, and on wrong ones
        where classes are many (fifty and more in the study); at 1 it finds wrong labels whatever their number.
    mask
        1 for rows that count as validation, (N,); None: all.
    groups
        Rows that are left out together (see `reprise.diva.leave_one_out.stacked_groups`).
    """

    loss: LossName = "ce"
    temperature: float = 10.0
    mask: Tensor | None = None
    groups: list[Tensor] | None = None


@dataclass(frozen=True)
class Step:
    """How weights move along the derivative g.

    Attributes
    ----------
    kind
        ``"max"``: α ← max(0, α − η g / max|g|), whatever the scale of the loss; ``"raw"``: α ← max(0, α − η g), the
        paper's, where the loss is a sum.
    size
        η; the paper: about 0.1 with raw steps.
    number
        Of steps; the paper: 1 to 3.
    """

    kind: StepName = "max"
    size: float = 0.5
    number: int = 3


def choose_penalty(features: Tensor, targets: Tensor, penalties: tuple[float, ...] = PENALTIES) -> float:
    """Return the λ with the least squared leave-one-out error at α = 1."""
    errors = leave_one_out_errors(features, targets, list(penalties))
    return penalties[int(torch.nan_to_num(errors, nan=torch.inf).argmin())]


def judge(ridge: Ridge, objective: Objective, *, gradient: bool = True) -> LeaveOneOut:
    """Return the objective at a ridge solution, with its derivative with respect to the weights."""
    return leave_one_out(
        ridge,
        objective.loss,
        objective.temperature,
        mask=objective.mask,
        groups=objective.groups,
        gradient=gradient,
    )


def stepped(weights: Tensor, gradient: Tensor, step: Step) -> Tensor:
    """Return the weights after one projected step; a vanishing derivative moves nothing."""
    largest = gradient.abs().max()
    scale = torch.where(largest > 0, largest, 1.0) if step.kind == "max" else 1.0
    return (weights - step.size * gradient / scale).clamp(min=0)


def follow(
    features: Tensor, targets: Tensor, penalty: float, objective: Objective, step: Step
) -> Iterator[tuple[Ridge, LeaveOneOut]]:
    """Follow the derivative from equal weights (Reweight): yield the solution before the first and after each step.

    Parameters
    ----------
    features, targets
        Z (N, m) and one-hot Y (N, k).
    penalty
        λ.
    objective, step
        What is lowered, and how.

    Yields
    ------
    tuple
        The ridge solution (its ``weights`` are α) and the objective there; the last without derivative.
    """
    weights = torch.ones_like(features[:, 0])
    for number in range(step.number + 1):
        ridge = solve(features, targets, weights, penalty)
        found = judge(ridge, objective, gradient=number < step.number)
        yield ridge, found
        if found.gradient is not None:
            weights = stepped(weights, found.gradient, step)


def coefficients(ridge: Ridge, features: Tensor) -> Tensor:
    """Return W, (m, k), of a solution in either form; ``features`` are those that it was made from."""
    if isinstance(ridge, PrimalRidge):
        return ridge.coefficients
    assert isinstance(ridge, DualRidge)
    return features.T @ ridge.dual_coefficients


@dataclass(frozen=True)
class Extension:
    """The pool's rows that Extend took.

    Attributes
    ----------
    order
        Places in the pool, in the order in which they were moved.
    n_negative
        How many of them had a negative derivative when they were moved.
    losses
        Of the objective before each round.
    """

    order: Tensor
    n_negative: int
    losses: tuple[float, ...]


def extend(
    features: Tensor,
    targets: Tensor,
    n_core: int,
    penalty: float,
    objective: Objective,
    *,
    per_round: int,
    budget: int | None = None,
    per_class: int | None = None,
    only_negative: bool = True,
) -> Extension:
    """Move the pool's rows with the most negative derivative into the training set, round by round (Extend).

    It ends when the budget is spent or no derivative in the pool is negative. A row of the pool that was moved trains
    from then on, but never counts as validation.

    Parameters
    ----------
    features, targets
        Of the core, then of the pool.
    n_core
        Number of core rows, which come first.
    penalty, objective
        λ, and the loss on the core (its mask is set here).
    per_round
        Rows moved in a round.
    budget
        Largest number of rows moved; None: the whole pool.
    per_class
        Largest number of rows of one class moved in a round; None: no limit.
    only_negative
        Whether to stop when no derivative is negative; else the least ones are moved on, up to the budget.

    Returns
    -------
    Extension
        Places in the pool.
    """
    n_rows = len(features)
    in_core = torch.arange(n_rows, device=features.device) < n_core
    weights = in_core.to(features.dtype)
    on_core = Objective(objective.loss, objective.temperature, in_core.to(features.dtype))
    order: list[int] = []
    totals: list[float] = []
    n_negative = 0
    budget = n_rows - n_core if budget is None else min(budget, n_rows - n_core)
    while len(order) < budget:
        found = judge(solve(features, targets, weights, penalty), on_core)
        assert found.gradient is not None
        totals.append(float(found.loss))
        gradient = torch.where(weights > 0, torch.inf, found.gradient)
        taken = _least(gradient, targets, per_class, 0.0 if only_negative else torch.inf)
        taken = taken[: min(per_round, budget - len(order))]
        if not taken:
            break
        n_negative += int((gradient[taken] < 0).sum())
        weights[taken] = 1.0
        order += taken
    return Extension(torch.tensor(order, dtype=torch.long) - n_core, n_negative, tuple(totals))


def _least(gradient: Tensor, targets: Tensor, per_class: int | None, below: float) -> list[int]:
    """Return the rows with derivatives below a bound, the least first, with at most some of each class."""
    ranked = torch.argsort(gradient, stable=True)
    rows: list[int] = ranked[gradient[ranked] < below].tolist()
    if per_class is None:
        return rows
    labels, counts = targets.argmax(1).tolist(), [0] * targets.shape[1]
    kept = []
    for row in rows:
        counts[labels[row]] += 1
        if counts[labels[row]] <= per_class:
            kept.append(row)
    return kept


def shares_of_copies(weights: Tensor, n_copies: int) -> Tensor:
    """Return the share of all weight that each of several stacked copies of a data set has (Sec. 3.4), (copies,).

    The paper reads them as probabilities with which to apply the transform that made the copy.
    """
    sums = weights.reshape(n_copies, -1).sum(1)
    return sums / sums.sum()
