"""The four train/test splits: random, composition, interpolation, extrapolation.

The rules are those of the authors' supplementary code. A split is a matter of the factors alone; it never looks at an
image.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, floor
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from reprise.errors import unknown_name
from reprise.in_domain.grid import Factors, IntegerArray

SplitKind = Literal["random", "composition", "interpolation", "extrapolation"]
KINDS: tuple[SplitKind, ...] = get_args(SplitKind)
SYSTEMATIC: tuple[SplitKind, ...] = ("composition", "interpolation", "extrapolation")


@dataclass(frozen=True)
class Split:
    """A partition of a grid's points.

    Attributes
    ----------
    grid
        The grid that was split.
    kind
        Which of the four rules.
    train_index, test_index
        Grid points in ascending order.
    ood_values
        For each cut factor, the value indices that no training image has (interpolation, extrapolation).
    corners
        For each cut factor, c_i: training images of the composition split have an index below it in some factor.
    """

    grid: Factors
    kind: SplitKind
    train_index: IntegerArray
    test_index: IntegerArray
    ood_values: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    corners: Mapping[str, int] = field(default_factory=dict)

    def is_ood(self, index: IntegerArray) -> NDArray[np.bool_]:
        """Tell for each point and cut factor whether the value never occurs in training; shape (n, n_cut)."""
        factors = self.grid.factors(index)
        columns = [
            np.isin(factors[:, self.grid.position(name)], self.ood_values.get(name, ()))
            for name in self.grid.cut_factors
        ]
        return np.stack(columns, axis=1)

    def number_ood(self, index: IntegerArray) -> IntegerArray:
        """Return how many factors are out of distribution at each point."""
        return self.is_ood(index).sum(1)

    @cached_property
    def train_mean(self) -> NDArray[np.float64]:
        """Mean target of the training set, shape (n_factors,)."""
        return self.grid.targets(self.train_index).mean(0)

    @property
    def one_factor_ood(self) -> dict[str, IntegerArray]:
        """For each cut factor, the test points where it alone is out of distribution."""
        outside = self.is_ood(self.test_index)
        alone = outside.sum(1) == 1
        return {name: self.test_index[alone & outside[:, j]] for j, name in enumerate(self.grid.cut_factors)}


def make_split(grid: Factors, kind: str, cut: float | None = None, seed: int = 0) -> Split:
    """Split a grid.

    Parameters
    ----------
    grid
        A factor grid, or the factors of a reader's own images (`reprise.in_domain.table.FactorTable`).
    kind
        ``"random"``, ``"composition"``, ``"interpolation"`` or ``"extrapolation"``.
    cut
        The share of a cut factor's values that is held out; None: the grid's own.
    seed
        Of the random split's permutation; the supplement's is 0.

    Returns
    -------
    Split
        The partition.

    Raises
    ------
    ValueError
        If the kind is unknown, the cut is no share, no factor can be cut, or one keeps fewer than two values in
        interpolation or extrapolation.

    Notes
    -----
    For a factor with m values, extrapolation holds out the last k = ceil(q m); interpolation keeps round(linspace(0,
    m - 1, m - k)). Composition trains where at least one of n factors has an index below c = floor(q_c m), with
    q_c = 1 - (1 - (1 - q)^n)^(1/n). Random has as many test points as extrapolation.
    """
    if kind not in KINDS:
        raise unknown_name("split", kind, list(KINDS))
    if cut is not None and not 0 < cut < 1:
        raise ValueError(f"cut={cut} is no share; give a number between 0 and 1, exclusive.")
    if not grid.cut_factors:
        raise ValueError("both= names every factor: none is left to cut; leave at least one out.")
    share = grid.cut if cut is None else cut
    if kind == "composition":
        return _composition(grid, share, None if cut is not None else grid.composition_cut)
    if kind == "random":
        return _split(grid, kind, ~_shuffled_mask(len(grid), _number_tested(grid, share), seed))
    ood = {name: ood_values(grid, name, kind, share) for name in grid.cut_factors}
    inside = _mask(grid, {name: _kept(grid, name, values) for name, values in ood.items()})
    return _split(grid, kind, inside, ood_values=ood)


def _number_tested(grid: Factors, cut: float) -> int:
    """Return how many points extrapolation tests.

    The random split holds nothing out, so it may ask for this where extrapolation itself cannot be: a factor that would
    keep fewer than two values then keeps as many as it can, one at least.
    """
    kept = {}
    for name in grid.cut_factors:
        size = grid.sizes[grid.position(name)]
        kept[name] = np.arange(size) < max(size - number_out(size, cut), 1)
    return int((~_mask(grid, kept)).sum())


def number_out(size: int, cut: float) -> int:
    """Return how many of a factor's values interpolation and extrapolation hold out: ceil(cut size)."""
    return ceil(cut * size - 1e-9)  # 0.15 * 20 is a trifle above 3 in floating point


def ood_values(grid: Factors, name: str, kind: str, cut: float) -> tuple[int, ...]:
    """Return the value indices of a factor that interpolation or extrapolation holds out."""
    size = grid.sizes[grid.position(name)]
    n_out = number_out(size, cut)
    if size - n_out < 2:
        raise ValueError(
            f"cut={cut} leaves factor {name!r} {size - n_out} of {size} values for training; it needs two: lower cut, "
            "or name the factor in both=."
        )
    if kind == "extrapolation":
        return tuple(range(size - n_out, size))
    kept = set(np.round(np.linspace(0, size - 1, size - n_out)).astype(int).tolist())
    return tuple(value for value in range(size) if value not in kept)


def _shuffled_mask(n_points: int, n_test: int, seed: int) -> NDArray[np.bool_]:
    """Return which points are tested in the random split, by the supplement's rule; shape (n_points,)."""
    is_test = np.zeros(n_points, dtype=bool)
    is_test[:n_test] = True
    np.random.RandomState(seed).shuffle(is_test)
    return is_test


def _composition(grid: Factors, cut: float, by_hand: float | None) -> Split:
    n_cut = len(grid.cut_factors)
    share = 1 - (1 - (1 - cut) ** n_cut) ** (1 / n_cut) if by_hand is None else by_hand
    corners = {name: floor(share * grid.sizes[grid.position(name)] + 1e-9) for name in grid.cut_factors}
    if not any(corners.values()):
        raise ValueError(
            f"cut={cut} makes every corner of the composition split 0: the training set is empty: raise cut."
        )
    outside = {name: np.arange(grid.sizes[grid.position(name)]) >= corner for name, corner in corners.items()}
    return _split(grid, "composition", ~_mask(grid, outside), corners=corners)


def _kept(grid: Factors, name: str, values: tuple[int, ...]) -> NDArray[np.bool_]:
    return ~np.isin(np.arange(grid.sizes[grid.position(name)]), values)


def _mask(grid: Factors, allowed: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return the points at which every factor has an allowed value, shape (n_points,)."""
    factors = grid.factors(np.arange(len(grid)))
    columns = [values[factors[:, grid.position(name)]] for name, values in allowed.items()]
    return np.logical_and.reduce(columns)


def _split(grid: Factors, kind: str, is_train: NDArray[np.bool_], **further: object) -> Split:
    train, test = np.flatnonzero(is_train), np.flatnonzero(~is_train)
    return Split(grid, kind, train, test, **further)  # type: ignore[arg-type]
