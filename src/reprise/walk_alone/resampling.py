"""Intervals by resampling training seeds and clusters of windows together.

Windows overlap and share pedestrians or possessions, so whole clusters are drawn; and networks differ, so seeds are
drawn too. A *sample* is an array whose first entry is the estimate and whose others are bootstrap draws; samples of one
data set are paired, so that differences and ratios of samples are again samples.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reprise.compute import numpy_generator
from reprise.rows import MissingRowsError
from reprise.stats import Interval

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 600
LEVEL = 0.95
Sample = NDArray[np.float64]


@lru_cache(maxsize=256)
def _counts(name: str, n: int) -> Sample:
    """How often each of n units is drawn: first once each, then at random; ``(1 + draws, n)``."""
    draw = numpy_generator(0, "walk_alone", "resampling", name, n)
    return np.concatenate([np.ones((1, n)), draw.multinomial(n, np.full(n, 1 / n), DRAWS)])


def samples(
    rows: pd.DataFrame, metrics: tuple[str, ...], *, dataset: str, method: str, experiment: str, **conditions: str
) -> dict[str, Sample]:
    """Return a sample of the mean of each metric over windows and seeds.

    Parameters
    ----------
    rows
        Tidy rows with a ``cluster``; where there is a number of ``windows``, it weighs a row.
    metrics
        Names.
    dataset, method, experiment, conditions
        Which rows.

    Raises
    ------
    MissingRowsError
        If a metric has no rows.
    """
    wanted = {"dataset": dataset, "method": method, "experiment": experiment, **conditions}
    missing = [column for column in (*wanted, "cluster") if column not in rows.columns]
    kept = rows if not missing else rows.iloc[:0]
    for column, value in wanted.items() if not missing else ():
        kept = kept[(kept[column] == value).to_numpy()]
    found = {}
    for metric in metrics:
        one = kept[(kept["metric"] == metric).to_numpy()]
        if one.empty:
            raise MissingRowsError(
                f"no rows with {', '.join(f'{k} = {v}' for k, v in wanted.items())}, metric = {metric}."
            )
        found[metric] = _sample(one, dataset)
    return found


def _sample(rows: pd.DataFrame, name: str) -> Sample:
    seeds, seed = np.unique(rows["seed"].to_numpy(), return_inverse=True)
    clusters, cluster = np.unique(rows["cluster"].to_numpy(dtype=np.float64), return_inverse=True)
    weight = np.ones(len(rows))
    if "windows" in rows.columns and rows["windows"].notna().all():
        weight = rows["windows"].to_numpy(dtype=np.float64)
    cell = seed * len(clusters) + cluster
    shape = (len(seeds), len(clusters))
    sums = np.bincount(cell, weight * rows["value"].to_numpy(), minlength=shape[0] * shape[1]).reshape(shape)
    sizes = np.bincount(cell, weight, minlength=shape[0] * shape[1]).reshape(shape)
    drawn_seeds, drawn_clusters = _counts(f"{name} seeds", shape[0]), _counts(f"{name} clusters", shape[1])
    top = np.einsum("ds,sc,dc->d", drawn_seeds, sums, drawn_clusters)
    bottom = np.einsum("ds,sc,dc->d", drawn_seeds, sizes, drawn_clusters)
    return top / bottom  # type: ignore[no-any-return]


def interval_of(sample: Sample, n: int) -> Interval:
    """Return the estimate with its percentile interval; ``n`` is the number of seeds."""
    low, high = np.quantile(sample[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(sample[0]), float(low), float(high), n)


def number_of_seeds(rows: pd.DataFrame, dataset: str) -> int:
    """Return how many training seeds a data set has."""
    return int(rows.loc[(rows["dataset"] == dataset) & (rows["seed"] >= 0), "seed"].nunique())
