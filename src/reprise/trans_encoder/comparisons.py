"""Levels and gains read from rows: averages over the seven sets, per seed, of the cycle that development chose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval, paired_differences, t_interval
from reprise.trans_encoder.names import BASE, HOME, SEVEN_SETS, START

if TYPE_CHECKING:
    import pandas as pd


def level(
    rows: pd.DataFrame,
    method: str,
    *,
    variant: str = BASE,
    cycle: int = 0,
    sets: Sequence[str] = SEVEN_SETS,
    split: str = "test",
) -> pd.Series:
    """Return a method's Spearman × 100 per seed, the plain mean over sets.

    Raises
    ------
    MissingRowsError
        If a set has no rows of it.
    """
    how = {"part": "levels", "metric": "spearman", "split": split, "method": method, "variant": variant, "cycle": cycle}
    each = [per_seed(rows, dataset=name, **how) for name in sets]
    total = each[0]
    for one in each[1:]:
        total = total + one
    return total / len(each)


def cycles_of(rows: pd.DataFrame, method: str, variant: str = BASE) -> list[int]:
    """Return the cycles after which a method was tested."""
    chosen = select(rows, part="levels", metric="spearman", split="test", method=method, variant=variant)
    return sorted({int(cycle) for cycle in chosen["cycle"]})


def chosen_cycles(rows: pd.DataFrame, method: str, *, split: str = "validation", home: str = HOME) -> pd.Series:
    """Return the cycle with the best development score, per seed; the earlier one of equals."""
    import pandas as pd

    how = {"part": "selection", "metric": "spearman", "dataset": home, "method": method, "split": split}
    cycles = sorted({int(cycle) for cycle in select(rows, **how)["cycle"]})
    scores = pd.concat({cycle: per_seed(rows, cycle=cycle, **how) for cycle in cycles}, axis=1)
    return scores.idxmax(axis=1)


def of_chosen_cycles(
    rows: pd.DataFrame,
    method: str,
    *,
    selection: str = "validation",
    sets: Sequence[str] = SEVEN_SETS,
    split: str = "test",
) -> pd.Series:
    """Return a method's level per seed, each at the cycle that its development pairs chose (paper's protocol)."""
    import pandas as pd

    chosen = chosen_cycles(rows, method, split=selection)
    levels = {cycle: level(rows, method, cycle=int(cycle), sets=sets, split=split) for cycle in set(chosen)}
    return pd.Series({seed: float(levels[cycle].loc[seed]) for seed, cycle in chosen.items()}).rename_axis("seed")


def start_level(rows: pd.DataFrame, *, sets: Sequence[str] = SEVEN_SETS, split: str = "test") -> pd.Series:
    """Return the level of the first bi-encoder per seed."""
    return level(rows, START, sets=sets, split=split)


def gain(after: pd.Series, before: pd.Series) -> Interval:
    """Return the paired difference with its t interval over seeds."""
    return t_interval(paired_differences(after, before))


def resampling_error(
    rows: pd.DataFrame, method: str, cycle: int, *, variant: str = BASE, sets: Sequence[str] = SEVEN_SETS
) -> float:
    """Return the standard error of the mean gain over the sets, test pairs resampled; mean over seeds.

    The sets are resampled independently: the variance of their mean is the sum of theirs over the squared number.
    """
    how = {"part": "resampling", "metric": "standard error of the gain", "method": method, "variant": variant}
    errors = [float(per_seed(rows, dataset=name, cycle=cycle, **how).mean()) for name in sets]
    return float(np.sqrt(np.sum(np.square(errors))) / len(sets))


def is_there(rows: pd.DataFrame, method: str, variant: str = BASE) -> bool:
    """Tell whether the run has levels of a method."""
    try:
        return bool(cycles_of(rows, method, variant))
    except MissingRowsError:
        return False
