r"""Sparse features and sparse graphs as one operator, whose product with a dense matrix has a cheap gradient.

Bag-of-words features and adjacency matrices are constants: only the dense factor of their products is trained. The
gradient of :math:`SW` with respect to :math:`W` is :math:`S^\top G`; keeping the transpose in compressed rows makes
it as fast as the product itself (torch converts the transpose anew in every step, about four times slower).
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from reprise.cold_brew.dropout import dropout


class _Product(torch.autograd.Function):
    """Product of a constant sparse matrix with a dense one; the gradient flows to the dense one only."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, transpose: Tensor, dense: Tensor) -> Tensor:
        ctx.transpose = transpose
        return matrix @ dense

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, None, Tensor]:
        return None, None, ctx.transpose @ gradients[0].contiguous()


class SparseMatrix:
    """A constant sparse matrix in compressed rows, together with its transpose.

    Parameters
    ----------
    matrix
        Any SciPy sparse matrix ``(n_rows, n_columns)``; explicit zeros are dropped.
    dtype
        Floating type of the values.
    device
        Where the values live.

    Examples
    --------
    >>> eye = SparseMatrix(sp.eye(2))
    >>> (eye @ torch.ones(2, 1)).tolist()
    [[1.0], [1.0]]
    """

    def __init__(self, matrix: Any, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> None:
        rows = sp.csr_matrix(matrix, copy=True)
        rows.sum_duplicates()
        rows.eliminate_zeros()
        places = sp.csr_matrix((np.arange(rows.nnz, dtype=np.int64), rows.indices, rows.indptr), shape=rows.shape)
        columns = places.T.tocsr()
        self.shape: tuple[int, int] = (int(rows.shape[0]), int(rows.shape[1]))
        self._scipy = rows
        self._values = torch.as_tensor(rows.data, dtype=dtype).to(device)
        self._order = torch.as_tensor(columns.data, dtype=torch.long, device=device)
        self._rows = _layout(rows.indptr, rows.indices, device)
        self._columns = _layout(columns.indptr, columns.indices, device)
        with warnings.catch_warnings():
            # Said once in each process; the operations used here are those that the tests compare with dense ones.
            warnings.filterwarnings("ignore", message="Sparse CSR tensor support", category=UserWarning)
            self._forward, self._backward = self._pair(self._values)

    @classmethod
    def from_torch(cls, matrix: Tensor) -> SparseMatrix:
        """Return the operator of a torch tensor, dense or sparse."""
        return cls(to_scipy(matrix), dtype=matrix.dtype, device=matrix.device)

    def _pair(self, values: Tensor) -> tuple[Tensor, Tensor]:
        forward = torch.sparse_csr_tensor(*self._rows, values, self.shape, check_invariants=False)
        backward = torch.sparse_csr_tensor(
            *self._columns, values[self._order], self.shape[::-1], check_invariants=False
        )
        return forward, backward

    @property
    def device(self) -> torch.device:
        """Where the values live."""
        return self._values.device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the values."""
        return self._values.dtype

    @property
    def n_nonzero(self) -> int:
        """Number of stored values."""
        return int(self._values.numel())

    def __matmul__(self, dense: Tensor) -> Tensor:
        """Return the product with a dense matrix ``(n_columns, width)``."""
        return _Product.apply(self._forward, self._backward, dense)

    def dropout(self, probability: float) -> SparseMatrix:
        """Return the matrix with stored values dropped at random and the kept ones scaled up."""
        dropped = object.__new__(SparseMatrix)
        dropped.__dict__.update(self.__dict__)
        dropped._values = dropout(self._values, probability)
        dropped._forward, dropped._backward = dropped._pair(dropped._values)
        return dropped

    def scaled(self, factor: float) -> SparseMatrix:
        """Return the matrix with every value multiplied by a number."""
        return SparseMatrix(self._scipy * factor, dtype=self.dtype, device=self.device)

    def take(self, rows: Tensor) -> SparseMatrix:
        """Return the matrix of the given rows (indices or a boolean mask)."""
        return SparseMatrix(self._scipy[rows.cpu().numpy()], dtype=self.dtype, device=self.device)

    def to(self, device: torch.device | str) -> SparseMatrix:
        """Return the matrix on a device."""
        return SparseMatrix(self._scipy, dtype=self.dtype, device=device)

    def to_scipy(self) -> sp.csr_matrix:
        """Return a copy as a SciPy matrix."""
        return self._scipy.copy()

    def to_dense(self) -> Tensor:
        """Return the dense tensor."""
        return torch.as_tensor(self._scipy.toarray(), dtype=self.dtype, device=self.device)


Features = Tensor | SparseMatrix
"""Node features: a dense tensor or a `SparseMatrix`, ``(n_nodes, n_features)``."""


def _layout(pointers: np.ndarray, indices: np.ndarray, device: torch.device | str) -> tuple[Tensor, Tensor]:
    # Of 32 bits where they suffice: from longer ones torch makes such a copy in every product.
    fits = indices.size <= np.iinfo(np.int32).max
    dtype = torch.int32 if fits else torch.long
    return (
        torch.as_tensor(pointers, dtype=dtype, device=device),
        torch.as_tensor(indices, dtype=dtype, device=device),
    )


def to_scipy(matrix: Tensor) -> sp.csr_matrix:
    """Return a torch matrix, dense, COO or CSR, as a SciPy matrix."""
    if matrix.layout == torch.strided:
        return sp.csr_matrix(matrix.detach().cpu().numpy())
    coo = matrix.detach().cpu().to_sparse_coo().coalesce()
    row, column = coo.indices().numpy()
    return sp.csr_matrix((coo.values().numpy(), (row, column)), shape=tuple(matrix.shape))


def as_features(x: Any, dtype: torch.dtype = torch.float32) -> Features:
    """Return features in the form that the models take: a dense tensor, or a `SparseMatrix` for sparse ones.

    Parameters
    ----------
    x
        ``(n_nodes, n_features)``: a tensor, dense or sparse, a NumPy array, a SciPy sparse matrix or a `SparseMatrix`,
        of floating-point or whole numbers of any width (counts of words are whole numbers).
    dtype
        What the values are converted to: the type of the model's parameters.

    Raises
    ------
    ValueError
        If the features are not a matrix of finite real numbers.
    """
    if isinstance(x, SparseMatrix):
        return x if x.dtype == dtype else SparseMatrix(x.to_scipy(), dtype=dtype, device=x.device)
    if sp.issparse(x) and x.dtype.kind in NUMBERS:
        _check_finite(torch.as_tensor(x.tocsr().data))
        return SparseMatrix(x, dtype=dtype)
    if not isinstance(x, Tensor):
        x = _as_tensor(x)
    if x.dim() != 2:
        one = "; for a single node x[None]" if x.dim() == 1 else ""
        raise ValueError(f"x has shape {tuple(x.shape)}; give a matrix (n_nodes, n_features){one}.")
    if x.is_complex():
        raise ValueError(f"x has the type {x.dtype}; give real numbers.")
    x = x.to(dtype)
    values = x if x.layout == torch.strided else x.to_sparse_coo().coalesce().values()
    _check_finite(values)
    return x if x.layout == torch.strided else SparseMatrix.from_torch(x)


NUMBERS = "fiub"  # NumPy's kinds of floating-point, whole and truth values


def _as_tensor(x: Any) -> Tensor:
    array = np.asarray(x)
    if array.dtype.kind not in NUMBERS:
        raise ValueError(f"x is a {type(x).__name__}; give a matrix (n_nodes, n_features) of numbers, tensor or array.")
    return torch.as_tensor(array if array.flags.writeable else array.copy())


def _check_finite(values: Tensor) -> None:
    count = int((~torch.isfinite(values)).sum())
    if count:
        raise ValueError(f"x has {count} values that are NaN or infinite; replace them before fitting.")


def multiply(x: Features, weight: Tensor) -> Tensor:
    """Return :math:`XW` for dense or sparse features."""
    return x @ weight


def scale_features(x: Features, factor: float) -> Features:
    """Return features of which every value is multiplied by one number."""
    return x.scaled(factor) if isinstance(x, SparseMatrix) else x * factor


def mean_square_norm(x: Features) -> float:
    """Return the mean over rows of the squared Euclidean norm of features ``(N, F)``; in double precision."""
    values = torch.as_tensor(x.to_scipy().data) if isinstance(x, SparseMatrix) else x
    return float(values.double().square().sum()) / x.shape[0]


def factor_to_norm(x: Features, square: float) -> float:
    """Return the factor that makes the mean square norm of the rows a given number; 1 where all of them are zero."""
    norm = mean_square_norm(x)
    return (square / norm) ** 0.5 if norm else 1.0


def drop_features(x: Features, probability: float, training: bool) -> Features:
    """Apply dropout to features; of sparse ones only the stored values are touched, the zeros stay zero anyway."""
    if not training or probability == 0:
        return x
    if isinstance(x, SparseMatrix):
        return x.dropout(probability)
    return dropout(x, probability)


def take_rows(x: Features, rows: Tensor) -> Features:
    """Return some rows of dense or sparse features."""
    return x.take(rows) if isinstance(x, SparseMatrix) else x[rows]


def zero_rows(x: Features) -> Tensor:
    """Return the boolean mask ``(n_nodes,)`` of the nodes whose features are all zero."""
    if isinstance(x, SparseMatrix):
        return torch.as_tensor(np.diff(x.to_scipy().indptr) == 0, device=x.device)
    return (x == 0).all(dim=1)
