"""Leave-one-out predictions and the dataset derivative in closed form (Prop. 2 and 3), with masks and groups.

The paper's appendix states the leave-one-out gradient; what stands here was derived anew. With the ridge solution at
weights α (see `reprise.diva.ridge`), ``q_i = 1 − α_i h_i`` and ``r_i = e_i / q_i``, the prediction for row i by the
model trained without it is ``y_i − r_i``. Unlike the printed form it is defined at α_i = 0, where the row leaves
nothing out. From ``∂E/∂α_j = −H_{:j} e_j`` and ``∂h_i/∂α_j = −H_ij²`` follows, with ``g_i`` the gradient of the outer
loss at the prediction, ``U = G/q``, ``s_i = g_i·r_i``, ``v = αs/q``,

    ∇L = rowsum(E ∘ HU) + diag(H diag(v) H) − h ∘ s / q.

The last term removes a row's influence on its own prediction, which is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reprise.diva.outer_loss import LossName, gradients, losses
from reprise.diva.ridge import PrimalRidge, Ridge, RidgeError

SMALLEST_REMAINDER = 1e-8


@dataclass(frozen=True)
class LeaveOneOut:
    """What leaving each row out says at the present weights.

    Attributes
    ----------
    loss
        Sum of the outer loss over the rows that count.
    gradient
        ∂loss/∂α, (N,); None if it was not asked for.
    predictions
        Of each row by the model trained without it (without its group), (N, k).
    residuals
        Targets minus predictions, (N, k).
    """

    loss: Tensor
    gradient: Tensor | None
    predictions: Tensor
    residuals: Tensor


def leave_one_out(
    ridge: Ridge,
    loss: LossName = "ce",
    temperature: float = 1.0,
    *,
    mask: Tensor | None = None,
    groups: list[Tensor] | None = None,
    offsets: Tensor | None = None,
    gradient: bool = True,
) -> LeaveOneOut:
    """Return leave-one-out loss, predictions and derivative of a ridge solution.

    Parameters
    ----------
    ridge
        The solution at the present weights.
    loss, temperature
        The outer loss (see `reprise.diva.outer_loss`).
    mask
        1 for rows that count as validation, 0 for those that only train, (N,). None: all count.
    groups
        Rows that are left out together, as tensors of shape (groups, size), one a size; rows in none are left out
        alone. See `stacked_groups`.
    offsets
        Outputs f_{w₀} of the network that the linear model is added to (Eq. 4), (N, k); the loss judges their sum.
        None: zero, as where only a new last layer is fitted.
    gradient
        Whether the derivative is wanted.

    Raises
    ------
    RidgeError
        If a row's leverage is 1, so that without it the model is not determined.
    """
    remainder = ridge.remainders
    grouped = list(groups or ())
    alone = torch.ones_like(remainder, dtype=torch.bool)
    for members in grouped:
        alone[members] = False
    _check_remainder(remainder[alone], ridge.penalty)
    residuals = ridge.residuals / torch.where(alone, remainder, 1.0)[:, None]
    blocks = [_Block(ridge, members) for members in grouped]
    for block in blocks:
        residuals[block.members] = block.residuals
    predictions = ridge.targets - residuals
    judged, wanted = (
        (predictions, ridge.targets) if offsets is None else (predictions + offsets, ridge.targets + offsets)
    )
    each = losses(judged, wanted, loss, temperature)
    total = each.sum() if mask is None else (mask * each).sum()
    if not gradient:
        return LeaveOneOut(total, None, predictions, residuals)
    outer = gradients(judged, wanted, loss, temperature)
    outer = outer if mask is None else outer * mask[:, None]
    return LeaveOneOut(total, _derivative(ridge, outer, residuals, remainder, blocks), predictions, residuals)


def _derivative(ridge: Ridge, outer: Tensor, residuals: Tensor, remainder: Tensor, blocks: list[_Block]) -> Tensor:
    pull = outer / remainder[:, None]
    agreement = (outer * residuals).sum(1)
    curvature = ridge.weights * agreement / remainder
    own = ridge.leverages * agreement / remainder
    for block in blocks:
        pull[block.members] = block.pull(outer)
        curvature[block.members] = 0.0
    moments = [block.moment(pull) for block in blocks]

    def multiply(rows: Tensor) -> Tensor:
        product = curvature[:, None] * rows
        for block, moment in zip(blocks, moments, strict=True):
            product[block.members] = moment @ rows[block.members]
        return product

    for block, moment in zip(blocks, moments, strict=True):
        own[block.members] = block.own(pull, moment)
    return (ridge.residuals * ridge.hat_times(pull)).sum(1) + ridge.hat_diagonal_of(multiply) - own


class _Block:
    """All groups of one size: H_BB, Q_B = I − H_BB D_B and R_B = Q_B⁻¹ E_B, batched over the groups."""

    def __init__(self, ridge: Ridge, members: Tensor) -> None:
        self.members = members
        self.hat = ridge.hat_blocks(members)
        self.weights = ridge.weights[members]
        self.in_sample = ridge.residuals[members]
        size = members.shape[1]
        remainder = torch.eye(size, dtype=self.hat.dtype, device=self.hat.device) - self.hat * self.weights[:, None]
        self._factors, self._pivots, failed = torch.linalg.lu_factor_ex(remainder)
        pivots = self._factors.diagonal(dim1=1, dim2=2).abs().amin(1)
        _check_remainder(torch.where(failed > 0, 0.0, pivots), ridge.penalty)
        self.residuals = torch.linalg.lu_solve(self._factors, self._pivots, self.in_sample)

    def pull(self, outer: Tensor) -> Tensor:
        """Return U_B = Q_B⁻ᵀ G_B."""
        return torch.linalg.lu_solve(self._factors, self._pivots, outer[self.members], adjoint=True)

    def moment(self, pull: Tensor) -> Tensor:
        """Return M_B = U_B (D_B R_B)ᵀ."""
        return pull[self.members] @ (self.weights[:, :, None] * self.residuals).mT

    def own(self, pull: Tensor, moment: Tensor) -> Tensor:
        """Return the group's influence on its own predictions, which the derivative must not contain."""
        through_residuals = ((self.hat @ pull[self.members]) * self.in_sample).sum(-1)
        return through_residuals + (self.hat @ moment @ self.hat).diagonal(dim1=1, dim2=2)


def _check_remainder(remainder: Tensor, penalty: float) -> None:
    undefined = int((remainder < SMALLEST_REMAINDER).sum())
    if undefined:
        raise RidgeError(f"leave-one-out undefined for {undefined} samples (leverage 1): raise lam (now {penalty:g}).")


def stacked_groups(labels: Tensor) -> list[Tensor]:
    """Return the groups of more than one row, stacked by size: tensors of shape (groups, size).

    Parameters
    ----------
    labels
        Group of each row, any integers, (N,).

    Examples
    --------
    >>> stacked_groups(torch.tensor([7, 3, 7, 5]))
    [tensor([[0, 2]])]
    """
    _, compact, counts = torch.unique(labels, return_inverse=True, return_counts=True)
    order = torch.argsort(compact, stable=True)
    starts = torch.cumsum(counts, 0) - counts
    return [
        order[starts[counts == size][:, None] + torch.arange(int(size), device=labels.device)]
        for size in torch.unique(counts)
        if size > 1
    ]


def validation_derivative(
    ridge: PrimalRidge, features: Tensor, targets: Tensor, loss: LossName = "ce", temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Return the loss on a validation set and its derivative with respect to the training weights (Prop. 2).

    ``∇L = rowsum(E ∘ (Z C (Zᵥᵀ G)))`` with G the gradient of the loss at the validation outputs; the shapes printed in
    the paper do not fit together.

    Parameters
    ----------
    ridge
        The solution at the present weights.
    features, targets
        Zᵥ (n, m) and one-hot Yᵥ (n, k).

    Returns
    -------
    tuple of Tensor
        The sum of the loss over the validation rows, and the derivative, (N,).
    """
    predictions = ridge.predict(features)
    outer = gradients(predictions, targets, loss, temperature)
    derivative = (ridge.residuals * ridge.cross_hat_times(features, outer)).sum(1)
    return losses(predictions, targets, loss, temperature).sum(), derivative


def change_of_weights(
    ridge: Ridge, rows: Tensor, new_weight: float, loss: LossName, temperature: float, mask: Tensor | None = None
) -> Tensor:
    """Return the exact leave-one-out loss after giving one row another weight, for each of several rows, (n,).

    ``mask`` is 1 for rows that count, 0 for those that only train (or may come to), as in `leave_one_out`.

    By the rank-1 update of C: with ``δ = new − α_i``, ``E' = E − δ H_{:i} e_i / (1 + δh_i)`` and
    ``h' = h − δ H_{:i}² / (1 + δh_i)``. Nothing is retrained.
    """
    columns = ridge.hat_columns(rows)
    totals = []
    for place, row in enumerate(rows.tolist()):
        change = new_weight - ridge.weights[row]
        scale = change / (1 + change * ridge.leverages[row])
        residuals = ridge.residuals - scale * columns[:, place, None] * ridge.residuals[row]
        leverages = ridge.leverages - scale * columns[:, place].square()
        weights = ridge.weights.clone()
        weights[row] = new_weight
        predictions = ridge.targets - residuals / (1 - weights * leverages)[:, None]
        each = losses(predictions, ridge.targets, loss, temperature)
        totals.append(each.sum() if mask is None else (mask * each).sum())
    return torch.stack(totals)


def change_of_weights_elsewhere(
    ridge: PrimalRidge, rows: Tensor, new_weight: float, validation: tuple[Tensor, Tensor], temperature: float
) -> Tensor:
    """Return the exact cross-entropy on a validation set after giving one row another weight, for several rows, (n,).

    By the same update as in `change_of_weights`: ``ZᵥW' = ZᵥW + δ (ZᵥCz_i) e_iᵀ / (1 + δh_i)``.
    """
    features, targets = validation
    outputs = ridge.predict(features)
    pulls = ridge.cross_hat(features, rows)
    totals = []
    for place, row in enumerate(rows.tolist()):
        change = new_weight - ridge.weights[row]
        scale = change / (1 + change * ridge.leverages[row])
        moved = outputs + scale * pulls[:, place, None] * ridge.residuals[row]
        totals.append(losses(moved, targets, "ce", temperature).sum())
    return torch.stack(totals)
