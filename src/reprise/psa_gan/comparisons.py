"""What the rules compare: scores of two methods paired by seed, rank correlations, settling steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reprise.compute import numpy_generator
from reprise.psa_gan.names import PSA
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import LEVEL, Interval, paired_differences, t_interval

if TYPE_CHECKING:
    import pandas as pd

SETTLED = 0.25  # share of the error at step 0 below which a band has to stay
DRAWS = 1000


def score(rows: pd.DataFrame, method: str, window: int) -> pd.Series:
    """Return a method's Context-FID per seed on the held-out part, the mean over draws."""
    return per_seed(rows, part="level", split="test", metric="context FID", method=method, window=window)


def windows_of(rows: pd.DataFrame, method: str) -> list[int]:
    """Return the lengths at which a method was scored, the shortest first; empty if it was not."""
    try:
        found = select(rows, part="level", split="test", metric="context FID", method=method)
    except MissingRowsError:
        return []
    return sorted({int(window) for window in found["window"]})


def main_window(rows: pd.DataFrame, methods: tuple[str, ...]) -> int:
    """Return the longest window at which all methods were scored.

    Raises
    ------
    MissingRowsError
        If there is none.
    """
    shared = set.intersection(*(set(windows_of(rows, method)) for method in methods))
    if not shared:
        raise MissingRowsError(f"no length at which {' and '.join(methods)} were scored.")
    return max(shared)


def log_ratio(rows: pd.DataFrame, worse: str, better: str, window: int) -> Interval:
    """Return ln(Context-FID of one / of another), paired by seed, with its t interval; above 0 for a higher first.

    A ratio, since each seed has its own encoder and so its own scale.
    """
    first, second = (np.log(score(rows, method, window)) for method in (worse, better))
    return t_interval(paired_differences(first, second))


def ranked(rows: pd.DataFrame) -> dict[int, NDArray[np.float64]]:
    """Return by seed one line for each generator: Context-FID and NRMSE of forecasts from what it filled in."""
    found = select(rows, part="ranked")
    tables = {}
    for seed, part in found.groupby("seed", observed=True):
        wide = part.pivot_table(index=["method", "step"], columns="metric", values="value", observed=True)
        tables[int(seed)] = wide[["context FID", "NRMSE"]].dropna().to_numpy(dtype=np.float64)
    return tables


def mean_rank_correlation(tables: list[NDArray[np.float64]], name: str) -> Interval:
    """Return the mean over seeds of Spearman's correlation, with the bootstrap interval over each seed's generators."""
    generator = numpy_generator(0, "psa-gan", "rank correlation", name)
    drawn = np.zeros(DRAWS)
    for table in tables:
        places = generator.integers(0, len(table), (DRAWS, len(table)))
        drawn += _spearman(table[places, 0], table[places, 1]) / len(tables)
    estimate = float(np.mean([_spearman(table[None, :, 0], table[None, :, 1])[0] for table in tables]))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(estimate, float(low), float(high), min(len(table) for table in tables))


def _spearman(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Spearman's correlation of each line, 0 where one is constant."""
    from scipy.stats import rankdata

    a, b = (rankdata(one, axis=1) for one in (x, y))
    a, b = (one - one.mean(axis=1, keepdims=True) for one in (a, b))
    scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return np.divide((a * b).sum(axis=1), scale, out=np.zeros(len(a)), where=scale > 0)


def settling_steps(errors: ArrayLike, steps: ArrayLike) -> NDArray[np.float64]:
    """Return for each band the first step from which its error stays below a quarter of that at the first.

    Parameters
    ----------
    errors
        ``(n_steps, n_bands)``.
    steps
        ``(n_steps,)``, rising.

    Returns
    -------
    numpy.ndarray
        ``(n_bands,)``; the last step for a band that never settles.

    Examples
    --------
    >>> settling_steps([[4, 4], [0.5, 3], [2, 0.5], [0.5, 0.5]], [0, 10, 20, 30])
    array([30., 20.])
    """
    found, at = np.asarray(errors, dtype=np.float64), np.asarray(steps, dtype=np.float64)
    above = found >= SETTLED * found[0]
    last_above = len(at) - 1 - above[::-1].argmax(axis=0)
    return at[np.minimum(last_above + 1, len(at) - 1)]


def order_of_bands(rows: pd.DataFrame, method: str, window: int) -> pd.Series:
    """Return by seed Spearman's correlation of octave band and settling step; above 0 where low bands settle first."""
    import pandas as pd

    found = select(rows, part="spectrum", method=method, window=window)
    by_seed = {}
    for seed, part in found.groupby("seed", observed=True):
        wide = part.pivot_table(index="step", columns="at", values="value", observed=True).sort_index()
        settled = settling_steps(wide.to_numpy(), wide.index.to_numpy())
        bands = wide.columns.to_numpy(dtype=np.float64)
        by_seed[int(seed)] = float(_spearman(bands[None], settled[None])[0])
    return pd.Series(by_seed, name="value").rename_axis("seed")


def variants_in(rows: pd.DataFrame, variants: tuple[str, ...]) -> dict[str, int]:
    """Return which variants were scored, by method name, with the longest length that PSA-GAN shares."""
    names = [f"{PSA}, {variant}" for variant in variants]
    base = set(windows_of(rows, PSA))
    shared = {name: base & set(windows_of(rows, name)) for name in names}
    return {name: max(windows) for name, windows in shared.items() if windows}
