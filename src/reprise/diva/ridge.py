"""Weighted ridge regression in closed form: what leave-one-out predictions and all derivatives are made of (Sec. 3.1).

With features ``Z`` (N, m), targets ``Y`` (N, k), weights ``α`` >= 0 (N,), ``D = diag(α)`` and penalty ``λ``,

    C = (ZᵀDZ + λI)⁻¹,   W = CZᵀDY (Eq. 6),   H = ZCZᵀ,   E = Y − ZW = Y − HDY.

Everything that DIVA needs is a product with ``H``, its diagonal, or diag(HMH) for a block-diagonal ``M``. The primal
form never holds an N × N matrix: with the Cholesky factor ``ZᵀDZ + λI = LLᵀ`` and the whitened rows ``T = ZL⁻ᵀ`` it is
``H = TTᵀ``. The dual form holds ``H`` and is the cheaper one where m > N, or where only a kernel ``K = ZZᵀ`` is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from reprise.errors import RepriseError

Multiply = Callable[[Tensor], Tensor]


class RidgeError(RepriseError, ValueError):
    """Features, targets, weights or a penalty for which the ridge solution, or a derivative of it, does not exist."""


class Ridge(Protocol):
    """A ridge solution at fixed weights: what both forms offer.

    Attributes
    ----------
    weights, targets
        α (N,) and Y (N, k).
    penalty
        λ.
    residuals
        E = Y − ZW, (N, k).
    leverages
        h, the diagonal of H, (N,).
    remainders
        q = 1 − αh, in (0, 1], (N,).
    """

    weights: Tensor
    targets: Tensor
    penalty: float
    residuals: Tensor
    leverages: Tensor
    remainders: Tensor

    def hat_times(self, vectors: Tensor) -> Tensor:
        """Return H V, (N, columns of V)."""
        ...

    def hat_diagonal_of(self, multiply: Multiply) -> Tensor:
        """Return diag(H M H), (N,), for the linear map ``multiply``: V ↦ M V on rows."""
        ...

    def hat_blocks(self, members: Tensor) -> Tensor:
        """Return H restricted to groups of rows: ``members`` (groups, size) gives (groups, size, size)."""
        ...

    def hat_columns(self, rows: Tensor) -> Tensor:
        """Return the columns of H of the given rows, (N, number of rows)."""
        ...


class PrimalRidge:
    """The ridge solution through the m × m normal matrix; time O(Nm² + Nmk), memory O(Nm).

    Parameters
    ----------
    features
        Z, float64 of shape (N, m).
    targets
        Y, (N, k).
    weights
        α >= 0, (N,).
    penalty
        λ > 0 (0 only where the normal matrix is regular).

    Raises
    ------
    RidgeError
        If the normal matrix is singular.
    """

    def __init__(self, features: Tensor, targets: Tensor, weights: Tensor, penalty: float) -> None:
        weighted = features * weights.sqrt()[:, None]
        normal = weighted.T @ weighted
        normal.diagonal().add_(penalty)
        self.factor = _cholesky(normal, penalty, features.shape)
        self.features, self.targets, self.weights, self.penalty = features, targets, weights, penalty
        self.whitened = torch.linalg.solve_triangular(self.factor, features.T, upper=False).T.contiguous()
        self._moment = self.whitened.T @ (weights[:, None] * targets)
        self.residuals = targets - self.whitened @ self._moment
        self.leverages = self.whitened.square().sum(1)
        self.remainders = 1 - weights * self.leverages

    @property
    def coefficients(self) -> Tensor:
        """W, (m, k): Eq. 6."""
        return torch.linalg.solve_triangular(self.factor.T, self._moment, upper=True)

    def predict(self, features: Tensor) -> Tensor:
        """Return the outputs of new rows, (n, k)."""
        return features @ self.coefficients

    def hat_times(self, vectors: Tensor) -> Tensor:
        """Return H V, (N, columns of V)."""
        return self.whitened @ (self.whitened.T @ vectors)

    def cross_hat_times(self, features: Tensor, vectors: Tensor) -> Tensor:
        """Return Z C Zₙᵀ V for new rows Zₙ (n, m) and V (n, columns)."""
        return self.whitened @ torch.linalg.solve_triangular(self.factor, features.T @ vectors, upper=False)

    def cross_hat(self, features: Tensor, rows: Tensor) -> Tensor:
        """Return Zₙ C z_i for new rows Zₙ (n, m) and some training rows i, (n, number of rows)."""
        return torch.linalg.solve_triangular(self.factor, features.T, upper=False).T @ self.whitened[rows].T

    def hat_diagonal_of(self, multiply: Multiply) -> Tensor:
        """Return diag(H M H) = rowsum((T [TᵀMT]) ∘ T), (N,)."""
        return ((self.whitened @ (self.whitened.T @ multiply(self.whitened))) * self.whitened).sum(1)

    def hat_blocks(self, members: Tensor) -> Tensor:
        """Return H restricted to groups of rows, (groups, size, size)."""
        rows = self.whitened[members]
        return rows @ rows.mT

    def hat_columns(self, rows: Tensor) -> Tensor:
        """Return the columns of H of the given rows, (N, number of rows)."""
        return self.whitened @ self.whitened[rows].T


class DualRidge:
    """The ridge solution through the N × N kernel; time O(N³ + N²k), memory O(N²).

    ``H = [K − K√D (λI + √DK√D)⁻¹ √DK] / λ``.

    Parameters
    ----------
    kernel
        K = ZZᵀ, float64 of shape (N, N), positive semidefinite.
    targets, weights
        As in `PrimalRidge`.
    penalty
        λ > 0.
    """

    def __init__(self, kernel: Tensor, targets: Tensor, weights: Tensor, penalty: float) -> None:
        if penalty <= 0:
            raise RidgeError(f"lam must be > 0 where there are more features than samples; got {penalty}.")
        root = weights.sqrt()
        inner = root[:, None] * kernel * root
        inner.diagonal().add_(penalty)
        factor = _cholesky(inner, penalty, kernel.shape)
        spread = torch.linalg.solve_triangular(factor, root[:, None] * kernel, upper=False)
        self.targets, self.weights, self.penalty = targets, weights, penalty
        self.hat = (kernel - spread.T @ spread) / penalty
        self.dual_coefficients = root[:, None] * torch.cholesky_solve(root[:, None] * targets, factor)
        # With B = (λI + √DK√D)⁻¹ it is √D E = λB√DY and 1 − αh = λ diag(B): no differences of near numbers.
        weight = weights[:, None]
        direct = targets - kernel @ self.dual_coefficients
        self.residuals = torch.where(weight > 0, penalty * self.dual_coefficients / weight.clamp(min=1e-300), direct)
        self.leverages = self.hat.diagonal()
        self.remainders = penalty * torch.cholesky_inverse(factor).diagonal()

    def predict(self, cross_kernel: Tensor) -> Tensor:
        """Return the outputs of new rows, (n, k), from their kernel with the training rows, (n, N)."""
        return cross_kernel @ self.dual_coefficients

    def hat_times(self, vectors: Tensor) -> Tensor:
        """Return H V, (N, columns of V)."""
        return self.hat @ vectors

    def hat_diagonal_of(self, multiply: Multiply) -> Tensor:
        """Return diag(H M H), (N,)."""
        return (self.hat * multiply(self.hat)).sum(0)

    def hat_blocks(self, members: Tensor) -> Tensor:
        """Return H restricted to groups of rows, (groups, size, size)."""
        return self.hat[members[:, :, None], members[:, None, :]]

    def hat_columns(self, rows: Tensor) -> Tensor:
        """Return the columns of H of the given rows, (N, number of rows)."""
        return self.hat[:, rows]


def solve(features: Tensor, targets: Tensor, weights: Tensor, penalty: float) -> Ridge:
    """Return the ridge solution in the cheaper form: primal for m <= N, else dual."""
    n_rows, n_features = features.shape
    if n_features <= n_rows:
        return PrimalRidge(features, targets, weights, penalty)
    return DualRidge(features @ features.T, targets, weights, penalty)


def _cholesky(matrix: Tensor, penalty: float, shape: torch.Size) -> Tensor:
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if failed.item():
        raise RidgeError(
            f"lam must be > 0: {shape[1]} features for {shape[0]} samples make the normal matrix singular (lam is "
            f"{penalty:g}); raise lam."
        )
    return factor


def leave_one_out_errors(features: Tensor, targets: Tensor, penalties: list[float]) -> Tensor:
    """Return the mean squared leave-one-out error at α = 1 for every penalty, from one eigendecomposition.

    With ``ZᵀZ = V diag(s) Vᵀ`` and ``A = ZV`` the leverages are ``h = A² (s + λ)⁻¹`` for every λ at once, and the
    residuals ``r_i = e_i / (1 − h_i)``. With more features than rows the same comes from ``ZZᵀ = U diag(s) Uᵀ``:
    ``E = U diag(λ/(s + λ)) UᵀY`` and ``1 − h = U² (λ/(s + λ))``, without a difference of near numbers.

    Parameters
    ----------
    features, targets
        Z (N, m) and Y (N, k).
    penalties
        Values of λ > 0.

    Returns
    -------
    Tensor
        Squared error summed over the k outputs, mean over rows; shape (number of penalties,).
    """
    wide = features.shape[1] > features.shape[0]
    values, vectors = torch.linalg.eigh(features @ features.T if wide else features.T @ features)
    values = values.clamp(min=0)
    rotated = vectors if wide else features @ vectors
    moment, squares, errors = rotated.T @ targets, rotated.square(), []
    for penalty in penalties:
        if wide:
            shrunk = penalty / (values + penalty)
            in_sample, remainder = rotated @ (shrunk[:, None] * moment), squares @ shrunk
        else:
            shrunk = 1 / (values + penalty)
            in_sample, remainder = targets - rotated @ (shrunk[:, None] * moment), 1 - squares @ shrunk
        errors.append((in_sample / remainder[:, None]).square().sum(1).mean())
    return torch.stack(errors)
