"""Factor grids: all combinations of the values of a few independent factors, in a fixed order, and their targets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reprise.errors import unknown_name

IntegerArray = NDArray[np.int64]


class Factors(Protocol):
    """What splits and scores ask of factors: those of a grid, or of a reader's own table."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the factors."""
        ...

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of values (or of quantile bins) of each factor."""
        ...

    @property
    def categorical(self) -> tuple[str, ...]:
        """Names of the factors without an order."""
        ...

    @property
    def cut(self) -> float:
        """The share of a cut factor's values that is held out."""
        ...

    @property
    def composition_cut(self) -> float | None:
        """The same for the composition split, where set by hand."""
        ...

    @property
    def cut_factors(self) -> tuple[str, ...]:
        """Names of the factors that a systematic split cuts."""
        ...

    @property
    def variances(self) -> NDArray[np.float64]:
        """Variance of each target over everything."""
        ...

    def __len__(self) -> int: ...

    def position(self, name: str) -> int:
        """Return the place of a factor."""
        ...

    def factors(self, index: ArrayLike) -> IntegerArray:
        """Return value (or bin) numbers, shape (n, n_factors)."""
        ...

    def targets(self, index: ArrayLike) -> NDArray[np.float64]:
        """Return targets in [0, 1], shape (n, n_factors)."""
        ...


def as_tuple(argument: str, value: Sequence[Any]) -> tuple[Any, ...]:
    """Return a sequence as a tuple; a single text or number is refused, which would be taken apart or fail."""
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise ValueError(f"{argument}={value!r} must be a sequence: write ({value!r},).")
    return tuple(value)


def check_names(names: Sequence[str], listed: Sequence[str]) -> None:
    """Refuse a list that names an unknown factor."""
    for name in listed:
        if name not in names:
            raise unknown_name("factor", name, list(names))


@dataclass(frozen=True)
class FactorGrid:
    """The Cartesian grid of the factors' values; the last factor varies fastest.

    Parameters
    ----------
    sizes
        Number of values of each factor, each at least 2.
    names
        One name a factor.
    both
        Factors that keep all their values in training and test; they are never cut.
    categorical
        Factors without an order: left out of the mean "without categorical" and kept when pairs of images are drawn.
        This is a second list, not the same as ``both``.
    cut
        The share of a cut factor's values that is held out, in (0, 1).
    composition_cut
        The same for the composition split, where the paper sets it by hand; None: derived from ``cut``.

    Raises
    ------
    ValueError
        If names and sizes do not match, a factor is constant, or a list names an unknown factor.

    Examples
    --------
    >>> grid = FactorGrid((2, 3), ("shape", "size"), both=("shape",))
    >>> len(grid), grid.factors([4]).tolist(), grid.targets([4]).tolist()
    (6, [[1, 1]], [[1.0, 0.5]])
    """

    sizes: tuple[int, ...]
    names: tuple[str, ...]
    both: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    cut: float = 0.2
    composition_cut: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("sizes", "names", "both", "categorical"):
            object.__setattr__(self, name, as_tuple(name, getattr(self, name)))
        if not all(isinstance(size, int | np.integer) for size in self.sizes):
            raise ValueError(f"sizes={list(self.sizes)} must be whole numbers, one a factor.")
        if len(self.sizes) != len(self.names) or len(set(self.names)) != len(self.names):
            raise ValueError(f"names={list(self.names)} must be {len(self.sizes)} different names, one a factor.")
        for name, size in zip(self.names, self.sizes, strict=True):
            if size < 2:
                raise ValueError(f"factor {name!r} has {size} value(s): a constant factor has no target; drop it.")
        check_names(self.names, (*self.both, *self.categorical))
        for value in (self.cut, self.composition_cut):
            if value is not None and not (isinstance(value, float | int) and 0 < value < 1):
                raise ValueError(f"cut={value} is no share; give a number between 0 and 1, exclusive.")

    def __len__(self) -> int:
        return int(np.prod(self.sizes))

    @property
    def n_factors(self) -> int:
        """Number of factors."""
        return len(self.sizes)

    @property
    def cut_factors(self) -> tuple[str, ...]:
        """Names of the factors that a systematic split cuts."""
        return tuple(name for name in self.names if name not in self.both)

    def position(self, name: str) -> int:
        """Return the place of a factor, or raise and name the known ones."""
        check_names(self.names, [name])
        return self.names.index(name)

    @cached_property
    def strides(self) -> IntegerArray:
        """Steps in the grid from one value of a factor to its next, shape (n_factors,)."""
        return np.cumprod((1, *self.sizes[:0:-1]), dtype=np.int64)[::-1].copy()

    def factors(self, index: ArrayLike) -> IntegerArray:
        """Return the factors' value indices of grid points, shape (n, n_factors); points outside are refused."""
        points = np.asarray(index, dtype=np.int64)
        if points.ndim != 1 or (len(points) and not 0 <= points.min() <= points.max() < len(self)):
            raise ValueError(f"index must be a list of grid points from 0 to {len(self) - 1}, got {index!r}.")
        return points[:, None] // self.strides % np.asarray(self.sizes)

    def index(self, factors: ArrayLike) -> IntegerArray:
        """Return the grid points of factor values of shape (n, n_factors): the inverse of `factors`.

        Raises
        ------
        ValueError
            If the shape is another, a value is no whole number, or one lies outside its factor; names the factor.
        """
        values = np.asarray(factors)
        if values.ndim != 2 or values.shape[1] != self.n_factors or not np.issubdtype(values.dtype, np.integer):
            raise ValueError(
                f"factors: {values.dtype} of shape {values.shape}; give whole numbers of shape (n, {self.n_factors})."
            )
        for name, size, column in zip(self.names, self.sizes, values.T, strict=True):
            if len(column) and not 0 <= column.min() <= column.max() < size:
                raise ValueError(
                    f"factor {name!r} goes from {column.min()} to {column.max()}; its values are 0 to {size - 1} "
                    "(counted from 0)."
                )
        return values.astype(np.int64) @ self.strides

    def targets(self, index: ArrayLike) -> NDArray[np.float64]:
        """Return index / (size - 1) of every factor, in [0, 1], categorical ones too; shape (n, n_factors)."""
        return self.factors(index) / (np.asarray(self.sizes) - 1)

    @cached_property
    def variances(self) -> NDArray[np.float64]:
        """Variance of each target over the full grid, (m + 1) / (12 (m - 1)): the denominator of the metric."""
        sizes = np.asarray(self.sizes, dtype=np.float64)
        return (sizes + 1) / (12 * (sizes - 1))


def _grid(factors: dict[str, int], both: Sequence[str], categorical: Sequence[str], cut: float) -> FactorGrid:
    return FactorGrid(tuple(factors.values()), tuple(factors), tuple(both), tuple(categorical), cut)


_SPRITES = {"shape": 3, "scale": 6, "orientation": 40, "x": 32, "y": 32}
_ROOMS = {"floor hue": 10, "wall hue": 10, "object hue": 10, "size": 8, "shape": 4, "azimuth": 15}
_MPI3D = {"colour": 6, "shape": 6, "size": 2, "height": 3, "background": 3, "x": 40, "y": 40}
_TURNTABLE = {"object": 9, "azimuth": 36, "scale": 6, "x": 16, "y": 16}

# Sizes as in the official loader; what is kept in both parts, and q, as in the authors' supplementary code.
GRIDS = {
    "dsprites": _grid(_SPRITES, ["shape"], ["shape"], 0.2),
    # The first 10 orientations, 0 to 83 degrees: a square looks the same after 90, so that more would make the target
    # no function of the image.
    "sprites-rot90": _grid({**_SPRITES, "orientation": 10}, ["shape"], ["shape"], 0.2),
    # dSprites' own orientations, re-rendered.
    "sprites-40": _grid(_SPRITES, ["shape"], ["shape"], 0.2),
    "shapes3d": _grid(_ROOMS, ["shape"], ["shape"], 0.15),
    "rooms": _grid(_ROOMS, ["shape"], ["shape"], 0.15),
    "mpi3d": _grid(_MPI3D, ["shape", "size"], ["colour", "shape", "background"], 0.1),
    "celebglow": FactorGrid(
        (1000, 6, 6, 6), ("person", "smile", "blond", "age"), ("person",), ("person",), 0.3, composition_cut=0.2
    ),
    "turntable": _grid(_TURNTABLE, ["object"], ["object"], 0.2),
}


def find_grid(name: str) -> FactorGrid:
    """Return the grid of a data set by its name."""
    if name not in GRIDS:
        raise unknown_name("factor grid", name, sorted(GRIDS))
    return GRIDS[name]
