"""What PSA-GAN refuses, before work starts: each message names the argument, its value and the remedy."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reprise.errors import RepriseError

if TYPE_CHECKING:
    import pandas as pd

SHORTEST = 8  # length of the first stage
NAMED_AT_MOST = 5  # series named in a message
FEW_LEVELS = 256  # distinct values of a series below which its shape is lost to rounding


class PSAGANInputError(RepriseError, ValueError):
    """Series, windows or settings that PSA-GAN cannot work with."""


def check_window(window: int) -> int:
    """Return the window's length if the networks can grow to it: a power of two, 8 at least.

    Raises
    ------
    PSAGANInputError
        If it is no whole number, or another; names the nearest two that fit.
    """
    if isinstance(window, bool) or not isinstance(window, int | np.integer):
        raise PSAGANInputError(
            f"window={window!r} must be a whole number, and a power of two ≥ {SHORTEST} such as 8, 16 or 32."
        )
    if window >= SHORTEST and window & (window - 1) == 0:
        return int(window)
    below = SHORTEST
    while below * 2 <= window:
        below *= 2
    raise PSAGANInputError(f"window must be a power of two ≥ {SHORTEST} (got {window}); try {below} or {2 * below}.")


def check_whole(name: str, value: Any, least: int, *, hint: str = "") -> None:
    """Refuse what is no whole number of a least size.

    Raises
    ------
    PSAGANInputError
        If it is a fraction, text, or too small.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise PSAGANInputError(f"{name}={value!r} must be a whole number of at least {least}{hint}.")


def check_switch(name: str, value: Any) -> None:
    """Refuse what is neither True nor False: any text, "no" too, would count as True.

    Raises
    ------
    PSAGANInputError
        If it is something else.
    """
    if not isinstance(value, bool | np.bool_):
        raise PSAGANInputError(f"{name}={value!r} must be True or False.")


def check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    """Refuse what is none of some choices.

    Raises
    ------
    PSAGANInputError
        If it is unknown; names the choices.
    """
    if not isinstance(value, str) or value not in choices:
        raise PSAGANInputError(f"{name}={value!r} is unknown; use {' or '.join(choices)}.")


def check_number(name: str, value: Any, least: float, *, open_end: bool = False, hint: str = "") -> None:
    """Refuse what is no finite number from a least one on, or, with an open end, above it.

    Raises
    ------
    PSAGANInputError
        If it is text, infinite, or too small.
    """
    known = isinstance(value, int | float | np.number) and not isinstance(value, bool) and bool(np.isfinite(value))
    if not known or value < least or (open_end and value == least):
        where = "above" if open_end else "of at least"
        raise PSAGANInputError(f"{name}={value!r} must be a number {where} {least:g}{hint}.")


def check_clip_quantile(clip_quantile: Any) -> None:
    """Refuse a quantile that is none to scale by.

    Raises
    ------
    PSAGANInputError
        If it lies outside [0, 0.5).
    """
    if not isinstance(clip_quantile, int | float | np.number) or not 0 <= clip_quantile < 0.5:
        raise PSAGANInputError(f"clip_quantile={clip_quantile!r} must lie in [0, 0.5); 0 takes smallest and largest.")


def check_values(values: Any) -> list[np.ndarray]:
    """Return the series as a list of float64 arrays of shape ``(length,)``; NaN stands for a missing value.

    Raises
    ------
    PSAGANInputError
        If there is none, one is empty or infinite, or the input has channels.
    """
    if isinstance(values, np.ndarray) and values.ndim != 2:
        more = "; windows are univariate: reshape M channels into M series" if values.ndim > 2 else ""
        raise PSAGANInputError(f"values has the shape {values.shape}, expected (series, time){more}.")
    series = [np.asarray(one, dtype=np.float64) for one in values]
    if not series:
        raise PSAGANInputError("values holds no series; give at least one.")
    for place, one in enumerate(series):
        if one.ndim != 1:
            raise PSAGANInputError(
                f"values[{place}] has the shape {one.shape}, expected (time,); windows are univariate: reshape M "
                "channels into M series."
            )
        if not one.size or np.isinf(one).any():
            what = "is empty" if not one.size else f"holds {int(np.isinf(one).sum())} infinite values"
            raise PSAGANInputError(f"values[{place}] {what}; drop the series, or mark missing values by NaN.")
    return series


def check_feat_dynamic(feat_dynamic: Any, n_series: int, length: int) -> np.ndarray:
    """Return known features, float32, shape ``(D, length)`` or ``(n_series, D, length)``.

    Raises
    ------
    PSAGANInputError
        If the shape is another, or a number is not finite.
    """
    array = np.asarray(feat_dynamic, dtype=np.float32)
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[0] != n_series):
        raise PSAGANInputError(
            f"feat_dynamic has the shape {array.shape}; give (features, time) or ({n_series}, features, time)."
        )
    if array.shape[-1] != length:
        raise PSAGANInputError(
            f"feat_dynamic has T={array.shape[-1]}, target has T={length} (shapes {array.shape} and "
            f"{(n_series, length)}); give one column for each time step."
        )
    if not np.isfinite(array).all():
        raise PSAGANInputError("feat_dynamic holds values that are not finite; known features have no gaps.")
    return array


def as_time(time: Any, argument: str) -> pd.Timestamp:
    """Return a time, whatever stands for it; a period's is its beginning.

    Raises
    ------
    PSAGANInputError
        If it is none.
    """
    import pandas as pd

    if isinstance(time, pd.Period):
        return time.to_timestamp()
    try:
        # A number would be read as nanoseconds since 1970.
        found = pd.NaT if isinstance(time, int | float | np.number) else pd.Timestamp(time)
    except (TypeError, ValueError, OverflowError) as error:
        raise PSAGANInputError(f"{argument}={time!r} is no time; give e.g. '2024-01-31 17:00'.") from error
    if found is pd.NaT:
        raise PSAGANInputError(f"{argument}={time!r} is no time; give e.g. '2024-01-31 17:00'.")
    return found


def warn_of_rounding(series: Sequence[np.ndarray], names: Sequence[Any]) -> None:
    """Warn of series that move so little around so large a value that float32 keeps few levels of them."""
    coarse = []
    for one, name in zip(series, names, strict=True):
        known = one[~np.isnan(one)]
        spread = float(np.ptp(known)) if known.size else 0.0
        levels = spread / float(np.spacing(np.float32(np.abs(known).max()))) if spread else FEW_LEVELS
        if levels < FEW_LEVELS:
            coarse.append(f"{name!r} ({levels:.0f})")
    if coarse:
        warnings.warn(
            f"{len(coarse)} series move so little around a large value that fewer than {FEW_LEVELS} levels of them are "
            f"left in 32 bits: {name_some(coarse)}; subtract an offset first.",
            stacklevel=3,
        )


def split_future(feat_dynamic: Any, horizon: int, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return known features of a horizon, and those of the window behind it.

    Parameters
    ----------
    feat_dynamic
        ``(D, horizon + window)`` or ``(N, D, horizon + window)``.
    horizon, window
        Steps that are asked for, and τ.

    Raises
    ------
    PSAGANInputError
        If they do not reach so far.
    """
    array = np.asarray(feat_dynamic)
    if array.ndim < 2 or array.shape[-1] != horizon + window:
        raise PSAGANInputError(
            f"feat_dynamic has the shape {array.shape}; give (features, {horizon + window}): the horizon of {horizon} "
            f"and a window of {window} behind it, since windows have their full length."
        )
    return array[..., :horizon], array[..., horizon:]


def name_some(names: Sequence[object]) -> str:
    """Return the first names as text, and how many more there are.

    Examples
    --------
    >>> name_some(["a", "b"])
    'a, b'
    """
    shown = ", ".join(map(str, names[:NAMED_AT_MOST]))
    return shown if len(names) <= NAMED_AT_MOST else f"{shown} and {len(names) - NAMED_AT_MOST} more"
