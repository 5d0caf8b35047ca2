"""Intervals, paired comparisons and correlations: every number of the book that carries an uncertainty.

The rules of which interval belongs where: Student's t for the mean over few seeds, bias-corrected bootstrap for
twenty values or more and for statistics without a formula, Wilson for a proportion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats as distributions

if TYPE_CHECKING:
    import pandas as pd

LEVEL = 0.95
BOOTSTRAP_DRAWS = 10_000


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes
    ----------
    estimate
        The point estimate, e.g. a mean.
    low, high
        Ends of the interval; infinite where a single value gives none.
    n
        Number of independent values behind it, mostly seeds.
    """

    estimate: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.estimate:.2f} [{self.low:.2f}, {self.high:.2f}] (n = {self.n})"

    @property
    def half_width(self) -> float:
        """Half the length of the interval."""
        return (self.high - self.low) / 2

    def above(self, threshold: float) -> bool:
        """Tell whether the whole interval lies above a threshold."""
        return self.low > threshold

    def below(self, threshold: float) -> bool:
        """Tell whether the whole interval lies below a threshold."""
        return self.high < threshold


def _values(values: ArrayLike, name: str = "values") -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64).ravel()
    if array.size == 0:
        raise ValueError(f"{name} is empty; an interval needs at least one value.")
    return array


def t_interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """Student's t interval of the mean.

    Parameters
    ----------
    values
        Shape ``(n,)``; a NaN (a diverged run) makes the whole interval NaN: it is never dropped.
    level
        Confidence level in (0, 1).

    Returns
    -------
    Interval
        With one value the interval is infinite; with equal values it has no length.

    Examples
    --------
    >>> interval = t_interval([1.0, 2.0, 3.0])
    >>> round(interval.low, 4), round(interval.high, 4)
    (-0.4841, 4.4841)
    """
    array = _values(values)
    mean = float(array.mean())
    if array.size == 1:
        return Interval(mean, float("-inf"), float("inf"), 1)
    error = float(array.std(ddof=1)) / np.sqrt(array.size)
    half = float(distributions.t.ppf((1 + level) / 2, array.size - 1) * error)
    return Interval(mean, mean - half, mean + half, int(array.size))


def bootstrap_interval(
    values: ArrayLike,
    generator: np.random.Generator,
    statistic: Callable[..., NDArray[np.float64]] = np.mean,
    level: float = LEVEL,
    draws: int = BOOTSTRAP_DRAWS,
) -> Interval:
    """Bias-corrected and accelerated bootstrap interval of a statistic over the first axis.

    Parameters
    ----------
    values
        Shape ``(n, ...)``: independent units along the first axis (seeds, users, graphs).
    generator
        Source of the draws: equal state, equal interval.
    statistic
        Function with an ``axis`` argument.
    level, draws
        Confidence level and number of bootstrap draws.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.shape[0] < 2:
        raise ValueError(f"values has {array.shape[0]} unit(s); a bootstrap needs at least two.")
    estimate = float(statistic(array, axis=0))
    if np.ptp(array) == 0:
        return Interval(estimate, estimate, estimate, array.shape[0])
    result = distributions.bootstrap(
        (array,), statistic, n_resamples=draws, confidence_level=level, method="BCa", rng=generator, axis=0
    )
    ends = result.confidence_interval
    return Interval(estimate, float(ends.low), float(ends.high), array.shape[0])


def wilson_interval(successes: int, trials: int, level: float = LEVEL) -> Interval:
    """Wilson's interval of a proportion.

    Examples
    --------
    >>> interval = wilson_interval(8, 10)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.49, 0.943)
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"successes = {successes} and trials = {trials}; need 0 <= successes <= trials > 0.")
    ends = distributions.binomtest(successes, trials).proportion_ci(level, method="wilson")
    return Interval(successes / trials, float(ends.low), float(ends.high), trials)


def stratified_bootstrap_interval(
    values_by_task: Mapping[str, ArrayLike],
    generator: np.random.Generator,
    statistic: Callable[..., NDArray[np.float64]] = np.mean,
    level: float = LEVEL,
    draws: int = BOOTSTRAP_DRAWS,
) -> Interval:
    """Percentile bootstrap over runs within each task; the tasks themselves are kept.

    ``statistic`` takes an array of shape ``(draws, n_values)`` and ``axis=1``; all runs of all tasks are pooled.
    """
    strata = [_values(values, name) for name, values in values_by_task.items()]
    drawn = np.concatenate([s[generator.integers(0, s.size, (draws, s.size))] for s in strata], axis=1)
    low, high = np.quantile(statistic(drawn, axis=1), [(1 - level) / 2, (1 + level) / 2])
    pooled = np.concatenate(strata)
    return Interval(float(statistic(pooled, axis=0)), float(low), float(high), pooled.size)


def interquartile_mean(values: NDArray[np.float64], axis: int = 0) -> NDArray[np.float64]:
    """Mean of the middle half of the values: robust as a median, precise as a mean."""
    return np.asarray(distributions.trim_mean(values, 0.25, axis=axis))


def paired_differences(first: pd.Series, second: pd.Series) -> NDArray[np.float64]:
    """Return first − second on the seeds that both have, in the order of the seeds.

    Raises
    ------
    ValueError
        If they share no seed.
    """
    common = first.index.intersection(second.index).sort_values()
    if common.empty:
        raise ValueError(
            f"no common seeds: {sorted(first.index)} against {sorted(second.index)}; paired comparisons need some."
        )
    return np.asarray(first.loc[common], dtype=np.float64) - np.asarray(second.loc[common], dtype=np.float64)


def sign_flip_p_value(differences: ArrayLike, seed: int = 0, draws: int = 20_000) -> float:
    """Two-sided sign-flip permutation test that the mean paired difference is zero.

    Exact (all 2ⁿ signs) up to n = 14, random flips with the observed one counted in beyond. With n pairs the
    smallest possible p is 2/2ⁿ: five seeds cannot reach 0.05.

    Examples
    --------
    >>> sign_flip_p_value([1.0, 2.0, 3.0])
    0.25
    """
    array = _values(differences)
    n = array.size
    if n <= 14:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        means = np.abs(signs @ array)
        return float(np.mean(means >= abs(array.sum()) - 1e-12))
    flips = np.random.default_rng(seed).choice([-1, 1], size=(draws, n))
    hits = int(np.sum(np.abs(flips @ array) >= abs(array.sum()) - 1e-12))
    return (hits + 1) / (draws + 1)


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Adjust p-values of several claims by Holm's step-down rule.

    Examples
    --------
    >>> [round(float(p), 6) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    p = _values(p_values, "p_values")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(np.minimum(1.0, p[order] * (p.size - np.arange(p.size))))
    adjusted = np.empty_like(stepped)
    adjusted[order] = stepped
    return adjusted


def probability_of_improvement(first: ArrayLike, second: ArrayLike) -> float:
    """Probability that a random run of the first beats a random run of the second; ties count half."""
    a, b = _values(first, "first"), _values(second, "second")
    return float(np.mean((a[:, None] > b) + 0.5 * (a[:, None] == b)))


def pearson_interval(x: ArrayLike, y: ArrayLike, level: float = LEVEL) -> Interval:
    """Pearson's correlation with Fisher's interval; needs at least four pairs."""
    a, b = _values(x, "x"), _values(y, "y")
    if a.size != b.size or a.size < 4:
        raise ValueError(f"x has {a.size} and y {b.size} values; Fisher's interval needs four pairs or more.")
    result = distributions.pearsonr(a, b)
    ends = result.confidence_interval(level)
    return Interval(float(result.statistic), float(ends.low), float(ends.high), a.size)


def spearman_interval(x: ArrayLike, y: ArrayLike, level: float = LEVEL) -> Interval:
    """Spearman's rank correlation with Fisher's interval in the form of Bonett and Wright (2000).

    The standard error of atanh(r) is sqrt((1 + r²/2)/(n − 3)).
    """
    a, b = _values(x, "x"), _values(y, "y")
    if a.size != b.size or a.size < 4:
        raise ValueError(f"x has {a.size} and y {b.size} values; the interval needs four pairs or more.")
    r = float(distributions.spearmanr(a, b).statistic)
    if not abs(r) < 1:
        return Interval(r, r, r, a.size)
    half = float(distributions.norm.ppf((1 + level) / 2)) * np.sqrt((1 + r**2 / 2) / (a.size - 3))
    return Interval(r, float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half)), a.size)


def seeds_to_settle(
    differences: ArrayLike, threshold: float = 0.0, level: float = LEVEL, most: int = 100_000
) -> int | None:
    """Return how many seeds would take the t interval off a threshold, if mean and spread stay as observed.

    Returns
    -------
    int or None
        None if the observed mean is the threshold itself, or more than ``most`` seeds would be needed, or there are
        fewer than two differences.
    """
    array = _values(differences)
    distance = abs(float(array.mean()) - threshold)
    if array.size < 2 or distance == 0:
        return None
    spread = float(array.std(ddof=1))

    def settled(n: int) -> bool:
        return distance > distributions.t.ppf((1 + level) / 2, n - 1) * spread / np.sqrt(n)

    if not settled(most):
        return None
    low, high = 1, most  # settled(n) is monotone in n: the half-width shrinks with every seed
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if settled(middle) else (middle, high)
    return high
