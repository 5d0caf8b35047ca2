"""What rules and figures compare: precisions with intervals from resampled blocks, paired over methods and seeds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reprise.compute import numpy_generator
from reprise.rim.measures import N_BLOCKS, block_weights
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 2000
ITEM_REC, USER_REC = "ItemRec", "UserRec"


@cache
def bootstrap_weights() -> NDArray[np.float64]:
    """Return the weights of the blocks: in the first line all 1, then one line a bootstrap draw."""
    drawn = block_weights(DRAWS, numpy_generator(0, "rim", "block bootstrap"))
    return np.concatenate([np.ones((1, N_BLOCKS)), drawn])


@dataclass(frozen=True)
class Resampled:
    """A quantity as measured, and in each draw of the blocks.

    Attributes
    ----------
    values
        Shape (1 + draws,): the first one is the measured one.
    n_seeds
        Seeds it is a mean over.
    """

    values: NDArray[np.float64]
    n_seeds: int

    def __sub__(self, other: Resampled) -> Resampled:
        return Resampled(self.values - other.values, min(self.n_seeds, other.n_seeds))

    def over(self, other: Resampled) -> Resampled:
        """Return the ratio; infinite where the divisor is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(other.values > 0, self.values / other.values, np.inf)
        return Resampled(ratio, min(self.n_seeds, other.n_seeds))

    def lost_from(self, other: Resampled) -> Resampled:
        """Return the relative loss against another one, in per cent."""
        return Resampled(100 * (1 - self.over(other).values), min(self.n_seeds, other.n_seeds))

    def interval(self) -> Interval:
        """Return estimate and 95 % interval, the percentiles of the draws."""
        low, high = np.quantile(self.values[1:], [0.025, 0.975])
        return Interval(float(self.values[0]), float(low), float(high), self.n_seeds)


def block_table(rows: pd.DataFrame, **conditions: Any) -> NDArray[np.float64]:
    """Return the sums of each seed and block, (n_seeds, 50).

    Raises
    ------
    MissingRowsError
        If the run has none of them, or some blocks are missing.
    """
    found = select(rows, **conditions)
    order = np.lexsort((found["block"].to_numpy(dtype=float), found["seed"].to_numpy()))
    n_seeds = found["seed"].nunique()
    if len(found) != n_seeds * N_BLOCKS:
        raise MissingRowsError(f"rows with {conditions} lack some blocks.")
    return found["value"].to_numpy()[order].reshape(n_seeds, N_BLOCKS)


def ranked(rows: pd.DataFrame, data_set: str, task: str, method: str) -> Resampled:
    """Return the precision in per cent of a ranking, mean over seeds: users resampled for ItemRec, items for UserRec.

    The assignment stays as it is, and what is drawn anew is whose hits count.
    """
    how = {"dataset": data_set, "part": "ranking", "task": task}
    hits = block_table(rows, metric="hits", method=method, **how)
    shown = block_table(rows, metric="recommended", method="data", **how)
    weights = bootstrap_weights()
    return Resampled((100 * (hits @ weights.T) / np.maximum(shown @ weights.T, 1e-12)).mean(0), len(hits))


def by_user(rows: pd.DataFrame, data_set: str, method: str) -> Resampled:
    """Return UserRec precision with users, not items, resampled: hits and recommendations of a block go together."""
    how = {"dataset": data_set, "part": "resampled users", "task": USER_REC, "method": method}
    hits, shown = (block_table(rows, metric=m, **how) for m in ("hits", "recommended"))
    weights = bootstrap_weights()
    return Resampled((100 * (hits @ weights.T) / np.maximum(shown @ weights.T, 1e-12)).mean(0), len(hits))


def matched(
    rows: pd.DataFrame,
    data_set: str,
    method: str,
    multiplier: float,
    *,
    served: str = "online",
    solver: str = "exact",
) -> Resampled:
    """Return the precision in per cent of a matching, mean over seeds, users resampled.

    A matching that delivers less than its bounds ask for is divided by what they ask for; what is missing is spread
    evenly over the blocks.
    """
    how = {
        "dataset": data_set, "part": "matching", "method": method, "multiplier": multiplier, "served": served,
        "solver": solver, "split": "test",
    }  # fmt: skip
    hits, delivered = (block_table(rows, metric=metric, **how) for metric in ("hits", "delivered"))
    asked = per_seed(rows, metric="asked", **how).to_numpy()
    missing = np.maximum(asked - delivered.sum(1), 0)[:, None] / N_BLOCKS
    weights = bootstrap_weights()
    return Resampled((100 * (hits @ weights.T) / ((delivered + missing) @ weights.T)).mean(0), len(hits))
