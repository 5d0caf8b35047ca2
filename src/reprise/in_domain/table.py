"""Factors of a reader's own labelled images: no full grid, columns of numbers, continuous ones too."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reprise.in_domain.grid import IntegerArray, check_names

MOST_VALUES = 10


class FactorTable:
    """Arbitrary factor columns, cut at quantiles, so that `make_split` and `evaluate` work on them as on a grid.

    Parameters
    ----------
    values
        Numbers, shape (n_images, n_factors), e.g. a DataFrame.
    names
        Names of the columns; None: the columns of a DataFrame.
    both, categorical
        As in `FactorGrid`.
    cut
        Share of the quantile bins (or of the distinct values, where there are few) that is held out.
    n_bins
        Bins of a column with more distinct values than this; bins hold equally many images.

    Raises
    ------
    ValueError
        If a column is constant or holds NaN, or a list names an unknown factor.

    Examples
    --------
    >>> table = FactorTable([[0.0, 5.0], [1.0, 6.0], [4.0, 5.0]], ["angle", "size"])
    >>> table.targets([1]).tolist(), table.sizes
    ([[0.25, 1.0]], (3, 2))
    """

    def __init__(
        self,
        values: ArrayLike,
        names: Sequence[str] | None = None,
        *,
        both: Sequence[str] = (),
        categorical: Sequence[str] = (),
        cut: float = 0.2,
        n_bins: int = MOST_VALUES,
    ) -> None:
        columns = names if names is not None else getattr(values, "columns", None)
        if columns is None:
            raise ValueError("names=None: give one name a column, or a DataFrame.")
        self.values = np.asarray(values, dtype=np.float64)
        self.names = tuple(map(str, columns))
        self.both, self.categorical = tuple(both), tuple(categorical)
        self.cut, self.composition_cut = cut, None
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise ValueError(f"values have the shape {self.values.shape}; give (n_images, {len(self.names)}).")
        check_names(self.names, (*self.both, *self.categorical))
        if not np.isfinite(self.values).all():
            raise ValueError("values hold NaN or infinity; drop those images.")
        for name, column in zip(self.names, self.values.T, strict=True):
            if np.ptp(column) == 0:
                raise ValueError(f"factor {name!r} has one value only: a constant factor has no target; drop it.")
        binned = [_bins(column, n_bins) for column in self.values.T]
        self._bins = np.stack(binned, axis=1)
        self.sizes = tuple(int(column.max()) + 1 for column in binned)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def n_factors(self) -> int:
        """Number of factors."""
        return len(self.names)

    @property
    def cut_factors(self) -> tuple[str, ...]:
        """Names of the factors that a systematic split cuts."""
        return tuple(name for name in self.names if name not in self.both)

    def position(self, name: str) -> int:
        """Return the place of a factor, or raise and name the known ones."""
        check_names(self.names, [name])
        return self.names.index(name)

    def factors(self, index: ArrayLike) -> IntegerArray:
        """Return the bins of images, shape (n, n_factors)."""
        return self._bins[np.asarray(index, dtype=np.int64)]

    def targets(self, index: ArrayLike) -> NDArray[np.float64]:
        """Return the values scaled to [0, 1] over the whole table, shape (n, n_factors)."""
        low, high = self.values.min(0), self.values.max(0)
        return (self.values[np.asarray(index, dtype=np.int64)] - low) / (high - low)

    @cached_property
    def variances(self) -> NDArray[np.float64]:
        """Variance of each target over the whole table."""
        return self.targets(np.arange(len(self))).var(0)


def _bins(column: NDArray[np.float64], n_bins: int) -> IntegerArray:
    """Return the number of each value's quantile bin, or of the value itself where there are few."""
    distinct, places = np.unique(column, return_inverse=True)
    if len(distinct) <= n_bins:
        return places.astype(np.int64)
    edges = np.unique(np.quantile(column, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return np.searchsorted(edges, column, side="right").astype(np.int64)
