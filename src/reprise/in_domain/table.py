"""Factors of a reader's own labelled images: no full grid, columns of numbers, continuous ones too."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reprise.in_domain.grid import IntegerArray, as_tuple, check_names

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
        Bins of a column with more distinct values than this; bins hold equally many images, as far as equal values
        allow, which stay together.

    Raises
    ------
    ValueError
        If a column is constant or holds NaN or text, a list names an unknown factor, or cut or n_bins is out of range.

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
        self.names = tuple(map(str, as_tuple("names", columns)))
        self.both, self.categorical = as_tuple("both", both), as_tuple("categorical", categorical)
        self.values = _numbers(values, self.names)
        if not 0 < cut < 1:
            raise ValueError(f"cut={cut} is no share; give a number between 0 and 1, exclusive.")
        if not isinstance(n_bins, int | np.integer) or n_bins < 2:
            raise ValueError(f"n_bins={n_bins} must be a whole number from 2.")
        self.cut, self.composition_cut = cut, None
        check_names(self.names, (*self.both, *self.categorical))
        self.low, self.high = self.values.min(0), self.values.max(0)
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
        return self.scale(self.values[np.asarray(index, dtype=np.int64)])

    def scale(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return values in the table's own units, shape (n, n_factors), as targets; so may predictions be given."""
        return (np.asarray(values, dtype=np.float64) - self.low) / (self.high - self.low)

    def unscale(self, targets: ArrayLike) -> NDArray[np.float64]:
        """Return targets, shape (n, n_factors), in the table's own units: the inverse of `scale`."""
        return np.asarray(targets, dtype=np.float64) * (self.high - self.low) + self.low

    @cached_property
    def variances(self) -> NDArray[np.float64]:
        """Variance of each target over the whole table."""
        return self.targets(np.arange(len(self))).var(0)


def _numbers(values: ArrayLike, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the columns as numbers, or name the one that holds none."""
    if len(set(names)) < len(names):
        raise ValueError(f"names={list(names)} must differ.")
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"values hold what is no number ({error}); code categories as numbers from 0.") from None
    if numbers.ndim != 2 or numbers.shape[1] != len(names):
        hint = " (of one column: values[:, None])" if numbers.ndim == 1 else ""
        raise ValueError(f"values have the shape {numbers.shape}; give (n_images, {len(names)}){hint}.")
    missing = ~np.isfinite(numbers)
    if missing.any():
        column = int(missing.any(0).argmax())
        raise ValueError(
            f"values hold NaN or infinity: {int(missing[:, column].sum())} in {names[column]!r}, the first in row "
            f"{int(missing[:, column].argmax())}; drop those images."
        )
    return numbers


def _bins(column: NDArray[np.float64], n_bins: int) -> IntegerArray:
    """Return the number of each value's quantile bin, or of the value itself where there are few; none is empty.

    Equal values are in one bin, so that a value which many images share fills one that is larger than the others.
    """
    distinct, places = np.unique(column, return_inverse=True)
    if len(distinct) <= n_bins:
        return places.astype(np.int64)
    edges = np.quantile(column, np.linspace(0, 1, n_bins + 1)[1:-1])
    edges = np.unique(edges[edges > column.min()])
    found = np.searchsorted(edges if len(edges) else distinct[1:2], column, side="right")
    return np.unique(found, return_inverse=True)[1].astype(np.int64)
