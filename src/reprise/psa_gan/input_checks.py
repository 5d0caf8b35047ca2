"""What PSA-GAN refuses, before work starts: each message names the argument, its value and the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reprise.errors import RepriseError

SHORTEST = 8  # length of the first stage
NAMED_AT_MOST = 5  # series named in a message


class PSAGANInputError(RepriseError, ValueError):
    """Series, windows or settings that PSA-GAN cannot work with."""


def check_window(window: int) -> int:
    """Return the window's length if the networks can grow to it: a power of two, 8 at least.

    Raises
    ------
    PSAGANInputError
        If not; names the nearest two that fit.
    """
    whole = isinstance(window, int | np.integer) and not isinstance(window, bool)
    if whole and window >= SHORTEST and window & (window - 1) == 0:
        return int(window)
    below = SHORTEST
    while whole and below * 2 <= window:
        below *= 2
    raise PSAGANInputError(f"window must be a power of two ≥ {SHORTEST} (got {window}); try {below} or {2 * below}.")


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


def name_some(names: Sequence[object]) -> str:
    """Return the first names as text, and how many more there are.

    Examples
    --------
    >>> name_some(["a", "b"])
    'a, b'
    """
    shown = ", ".join(map(str, names[:NAMED_AT_MOST]))
    return shown if len(names) <= NAMED_AT_MOST else f"{shown} and {len(names) - NAMED_AT_MOST} more"
