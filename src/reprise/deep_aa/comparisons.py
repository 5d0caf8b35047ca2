"""Values that rules, tables and figures look up, and intervals of gaps over folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from reprise.deep_aa.names import ACCURACY, BASE, DEFAULT_OPERATIONS, POLICY, SEARCHED
from reprise.rows import per_seed, select
from reprise.stats import Interval, paired_differences, t_interval

if TYPE_CHECKING:
    import pandas as pd

# One fold of five: 1,000 test images to 4,000 training images.
TEST_OVER_TRAIN = 1 / 4


def accuracies(rows: pd.DataFrame, method: str, *, split: str = "test") -> pd.Series:
    """Return a method's accuracy in per cent, one value a seed."""
    return per_seed(rows, part=ACCURACY, metric="accuracy", method=method, split=split)


def gap(rows: pd.DataFrame, first: str, second: str) -> tuple[Interval, Interval]:
    """Return first − second in points: Student's interval over folds, and the one corrected for their overlap."""
    differences = paired_differences(accuracies(rows, first), accuracies(rows, second))
    return t_interval(differences), corrected_interval(differences)


def corrected_interval(differences: ArrayLike, test_over_train: float = TEST_OVER_TRAIN) -> Interval:
    """Return Student's interval of a mean over folds, wider because their training sets overlap (Nadeau and Bengio).

    The variance of the mean is s² (1/n + test/train), in the place of s²/n.

    Parameters
    ----------
    differences
        One value a fold.
    test_over_train
        Size of a test set over that of a training set.

    Examples
    --------
    >>> plain, corrected = t_interval([1, 2, 3, 4, 5]), corrected_interval([1, 2, 3, 4, 5])
    >>> round(corrected.half_width / plain.half_width, 3)
    1.5
    """
    plain = t_interval(differences)
    factor = float(np.sqrt(1 + plain.n * test_over_train))
    half = plain.half_width * factor
    return Interval(plain.estimate, plain.estimate - half, plain.estimate + half, plain.n)


def masses(rows: pd.DataFrame, *, variant: str = BASE) -> pd.DataFrame:
    """Return the mass of operations: one line a seed and layer, one column an operation."""
    found = select(rows, part=POLICY, metric="mass", method=SEARCHED, variant=variant)
    return found.pivot(index=["seed", "layer"], columns="operation", values="value")


def leading_defaults(rows: pd.DataFrame, layers: tuple[int, ...] = (2, 3, 4)) -> pd.Series:
    """Return how many of cutout, crop and flip are the heaviest operation of one of these layers, one value a seed."""
    import pandas as pd

    table = masses(rows)
    chosen = table[table.index.get_level_values("layer").isin(layers)]
    heaviest = chosen.idxmax(axis=1)
    found = {seed: 0 for seed in table.index.get_level_values("seed").unique()}
    for seed, names in heaviest.groupby(level="seed", observed=True):
        found[seed] = len(set(names) & set(DEFAULT_OPERATIONS))
    return pd.Series(found, dtype="float64", name="value").rename_axis("seed").sort_index()


def random_mass(rows: pd.DataFrame, *, variant: str = BASE) -> pd.Series:
    """Return the mass of cutout, crop and flip, mean over the layers from the second on, one value a seed."""
    table = masses(rows, variant=variant)
    deeper = table[table.index.get_level_values("layer") >= 2]
    return deeper[list(DEFAULT_OPERATIONS)].sum(axis=1).groupby(level="seed", observed=True).mean()
