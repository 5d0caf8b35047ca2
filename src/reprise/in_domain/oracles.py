"""Two oracles in closed form: perfect reading that never leaves the training values, and a constant.

In interpolation and extrapolation the training set is a product set, so that within a group of test images (which
factors are out of distribution) every factor is uniform over its seen or its held-out values. The scores follow from
the sizes alone.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reprise.errors import unknown_name
from reprise.in_domain.grid import FactorGrid
from reprise.in_domain.scores import mean_r2
from reprise.in_domain.splits import KINDS, ood_values

if TYPE_CHECKING:
    import pandas as pd

CLAMP, TRAIN_MEAN = "Clamp oracle", "Training mean"
MEAN, MEAN_ORDERED = "mean", "mean without categorical"
Group = tuple[str, ...]


def oracle_scores(grid: FactorGrid, kind: str, cut: float | None = None) -> "pd.DataFrame":
    """Score the oracles on all test images of a split.

    Parameters
    ----------
    grid
        The factor grid.
    kind
        ``"interpolation"`` or ``"extrapolation"``; with ``"composition"`` or ``"random"`` every value is seen, and the
        clamp oracle has 1 by construction (the only row then).
    cut
        As in `make_split`.

    Returns
    -------
    pandas.DataFrame
        Columns oracle, subset, factor, r2; subsets as in `Evaluation`.

    Raises
    ------
    ValueError
        If the kind is unknown, or the factors are no full grid, whose sizes alone give the scores.
    """
    import pandas as pd

    if kind not in KINDS:
        raise unknown_name("split", kind, list(KINDS))
    if not isinstance(grid, FactorGrid):
        raise ValueError(
            "oracle_scores needs a FactorGrid; for a table score the predictions of "
            "reprise.in_domain.scores.clamp_predictions(split, index)."
        )
    if kind not in ("interpolation", "extrapolation"):
        ones = np.ones(len(grid.names))
        return pd.DataFrame(_lines(grid, CLAMP, "test", ones))
    share = grid.cut if cut is None else cut
    held = {name: ood_values(grid, name, kind, share) for name in grid.cut_factors}
    groups = {group: _size(grid, held, group) for group in _groups(grid.cut_factors)}
    lines: list[dict[str, Any]] = []
    for oracle in (CLAMP, TRAIN_MEAN):
        errors = [_errors(size, held.get(name, ()), oracle) for name, size in zip(grid.names, grid.sizes, strict=True)]
        for subset, members in _subsets(grid.cut_factors):
            weights = np.array([groups[group] for group in members], dtype=np.float64)
            mse = [
                np.average([seen_out[name in group] for group in members], weights=weights)
                for name, seen_out in zip(grid.names, errors, strict=True)
            ]
            lines += _lines(grid, oracle, subset, 1 - np.array(mse) / grid.variances)
    return pd.DataFrame(lines)


def _groups(names: Group) -> Iterator[Group]:
    """Yield every non-empty set of factors that can be out of distribution together."""
    for number in range(1, len(names) + 1):
        yield from combinations(names, number)


def _subsets(names: Group) -> Iterator[tuple[str, list[Group]]]:
    yield "test", list(_groups(names))
    for name in names:
        yield f"only {name}", [(name,)]
    for number in range(1, len(names) + 1):
        yield f"{number} out", list(combinations(names, number))


def _size(grid: FactorGrid, held: dict[str, tuple[int, ...]], group: Group) -> int:
    """Return the number of images in which exactly these factors are out of distribution."""
    size = 1
    for name, n_values in zip(grid.names, grid.sizes, strict=True):
        n_held = len(held.get(name, ()))
        size *= n_held if name in group else n_values - n_held
    return size


def _errors(size: int, held: tuple[int, ...], oracle: str) -> tuple[float, float]:
    """Return the mean squared error on seen and on held-out values of one factor."""
    targets = np.arange(size) / (size - 1)
    out = np.isin(np.arange(size), held)
    seen = targets[~out]
    if oracle == CLAMP:
        gaps: NDArray[np.float64] = np.abs(targets[:, None] - seen).min(1)
    else:
        gaps = targets - seen.mean()
    squares = np.square(gaps)
    return float(squares[~out].mean()), float(squares[out].mean()) if out.any() else 0.0


def _lines(grid: FactorGrid, oracle: str, subset: str, scores: NDArray[np.float64]) -> list[dict[str, Any]]:
    values = dict(zip(grid.names, scores.tolist(), strict=True))
    values[MEAN], values[MEAN_ORDERED] = mean_r2(grid, scores)
    return [{"oracle": oracle, "subset": subset, "factor": name, "r2": value} for name, value in values.items()]
