"""How numbers are written, on every page and in every table: digits that follow the uncertainty, and proper signs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reprise.stats import Interval

MISSING = "—"


def decimals_for(half_width: float | None, fallback: int = 2) -> int:
    """Return how many decimals show two significant digits of an interval's half-width.

    Examples
    --------
    >>> decimals_for(3.4), decimals_for(0.034), decimals_for(120.0)
    (1, 3, 0)
    """
    if half_width is None or not math.isfinite(half_width) or half_width <= 0:
        return fallback
    return max(0, 1 - math.floor(math.log10(half_width)))


def number(value: float, decimals: int | None = None, *, signed: bool = False) -> str:
    """Write a number with a proper minus sign, to four significant digits unless decimals are given.

    What rounds to zero has no sign.

    Examples
    --------
    >>> number(-2.345, 1), number(-0.04, 1), number(0.7, 0, signed=True), number(12345.678)
    ('−2.3', '0.0', '+1', '1.235e+04')
    """
    text = f"{value:.4g}" if decimals is None else f"{value:.{decimals}f}"
    digits = text.lstrip("-")
    if not digits.strip("0."):
        return digits
    sign = "−" if text.startswith("-") else "+" if signed else ""
    mantissa, e, exponent = digits.partition("e")
    return f"{sign}{mantissa}{e}{exponent.replace('-', '−')}"


def with_interval(mean: float | None, low: float | None, high: float | None, fallback_decimals: int = 2) -> str:
    """Write a mean with the half-width of its 95 % interval.

    ``None`` is what was not measured; NaN what was measured and gave no number, since the training diverged.

    Examples
    --------
    >>> with_interval(71.234, 67.8, 74.6), with_interval(-0.0001, -0.05, 0.05)
    ('71.2 ± 3.4', '0.000 ± 0.050')
    >>> with_interval(None, None, None), with_interval(float("nan"), None, None)
    ('—', 'diverged')
    """
    if mean is None:
        return MISSING
    if math.isnan(mean):
        return "diverged"
    if low is None or high is None or not math.isfinite(high - low):
        return number(mean, fallback_decimals)
    half = (high - low) / 2
    if half == 0:
        return f"{number(mean, fallback_decimals)} ± 0"
    places = decimals_for(half, fallback_decimals)
    return f"{number(mean, places)} ± {half:.{places}f}"


def estimate(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Write an estimate with the ends of its interval, rounded to two significant digits of the half-width.

    Examples
    --------
    >>> estimate(12.3456, 10.1, 14.7), estimate(0.5), estimate(None)
    ('12.3 [10.1, 14.7]', '0.5', '—')
    """
    if value is None:
        return MISSING
    if low is None or high is None or not high > low or not math.isfinite(high - low):
        return number(value)
    decimals = decimals_for((high - low) / 2)
    return f"{number(value, decimals)} [{number(low, decimals)}, {number(high, decimals)}]"


def difference(interval: Interval, decimals: int = 1) -> str:
    """Write a difference, with its sign, and its interval, as the evidence of a verdict does.

    Examples
    --------
    >>> from reprise.stats import Interval
    >>> difference(Interval(3.14, -1.0, 7.28, 5)), difference(Interval(-3.0, float("-inf"), float("inf"), 1))
    ('+3.1 [−1.0, 7.3]', '−3.0 (one seed, no interval)')
    """
    estimate = number(interval.estimate, decimals, signed=True)
    if interval.n == 1:
        return f"{estimate} (one seed, no interval)"
    return f"{estimate} [{number(interval.low, decimals)}, {number(interval.high, decimals)}]"


def percent(interval: Interval, decimals: int = 0, *, signed: bool = True) -> str:
    """Write a share with its interval in per cent.

    Examples
    --------
    >>> from reprise.stats import Interval
    >>> percent(Interval(0.123, -0.1, 0.15, 1)), percent(Interval(0.123, 0.1, 0.15, 1), 1, signed=False)
    ('+12 % [−10, +15]', '12.3 % [10.0, 15.0]')
    """
    ends = (number(100 * end, decimals, signed=signed) for end in (interval.estimate, interval.low, interval.high))
    return "{} % [{}, {}]".format(*ends)


def in_steps_of_thousand(value: float, unit: str) -> str:
    """Write an amount with a decimal prefix.

    Examples
    --------
    >>> in_steps_of_thousand(1_234_567, "FLOP"), in_steps_of_thousand(950, "FLOP")
    ('1.23 MFLOP', '950 FLOP')
    """
    prefixes = ("", "k", "M", "G", "T", "P")
    step = min(len(prefixes) - 1, max(0, int(math.log10(max(value, 1)) // 3)))
    return f"{value / 1000**step:.3g} {prefixes[step]}{unit}"
