"""What PSA-GAN refuses, before work starts: each message names the argument, its value and the remedy."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reprise.errors import RepriseError

if TYPE_CHECKING:
    import pandas as pd

SHORTEST = 8  # length of the first stage
LARGEST = float(np.finfo(np.float32).max)  # of a value: series are kept in 32 bits
LARGEST_CATEGORY = 1_000_000
NO_NUMBERS = {
    "U": "text",
    "S": "bytes",
    "c": "complex numbers",
    "M": "datetime64, times",
    "m": "timedelta64, lengths of time",
}
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


def check_names(item_ids: Any) -> tuple[Any, ...]:
    """Return the names of series as a tuple.

    Raises
    ------
    PSAGANInputError
        If they are no names, or one stands twice.
    """
    try:
        names = tuple(item_ids)
    except TypeError as error:
        raise PSAGANInputError(
            f"item_ids={item_ids!r} holds no names; give a list with one for each series."
        ) from error
    for name in names:
        try:
            hash(name)
        except TypeError as error:
            raise PSAGANInputError(
                f"item_ids holds {name!r}, which cannot be looked up; give text, a number or a tuple."
            ) from error
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise PSAGANInputError(f"item_ids has {name_some(list(map(repr, twice)))} twice; names must differ.")
    return names


def as_numbers(values: Any, what: str) -> np.ndarray:
    """Return values as float64; what reads as a number though it is none, is refused.

    Parameters
    ----------
    values
        An array or a list; None is a missing value.
    what
        Whose values they are, for the message.

    Raises
    ------
    PSAGANInputError
        For text, times, complex numbers, and rows of different lengths.
    """
    try:
        kind = NO_NUMBERS.get(np.asarray(values).dtype.kind)
        found = np.asarray(values, dtype=np.float64) if kind is None else None
    except (TypeError, ValueError, OverflowError) as error:
        raise PSAGANInputError(
            f"{what} holds what is no number ({error}); mark missing values by NaN, and give rows of one length."
        ) from error
    if found is None:
        raise PSAGANInputError(f"{what} holds what is no number ({kind}); convert it to real numbers first.")
    return found


def check_values(values: Any, names: Sequence[Any] | None = None) -> list[np.ndarray]:
    """Return the series as a list of float64 arrays of shape ``(length,)``; NaN stands for a missing value.

    Parameters
    ----------
    values
        A series each.
    names
        Their names, for the messages.

    Raises
    ------
    PSAGANInputError
        If there is none, one is empty, infinite or beyond 32 bits, or the input has channels or no numbers.
    """
    if hasattr(values, "columns"):
        raise PSAGANInputError("values is a frame; use TimeSeriesPanel.from_wide(frame), or from_long.")
    refusal = f"values={values!r} holds no series; give an array (series, time), or a list of series."
    if isinstance(values, str):
        raise PSAGANInputError(refusal)
    if isinstance(values, np.ndarray) and values.ndim != 2:
        more = "; windows are univariate: reshape M channels into M series" if values.ndim > 2 else ""
        raise PSAGANInputError(f"values has the shape {values.shape}, expected (series, time){more}.")
    try:
        given = list(values)
    except TypeError as error:
        raise PSAGANInputError(refusal) from error
    series = [_one_series(one, _which(place, names)) for place, one in enumerate(given)]
    if not series:
        raise PSAGANInputError("values holds no series; give at least one.")
    return series


def _which(place: int, names: Sequence[Any] | None) -> str:
    return f"series {names[place]!r}" if names is not None and place < len(names) else f"values[{place}]"


def _one_series(values: Any, what: str) -> np.ndarray:
    """Return a series as float64, shape ``(length,)``, if it can be kept in 32 bits."""
    one = as_numbers(values, what)
    if one.ndim != 1:
        raise PSAGANInputError(
            f"{what} has the shape {one.shape}, expected (time,); windows are univariate: reshape M channels into M "
            "series."
        )
    if not one.size or np.isinf(one).any():
        problem = "is empty" if not one.size else f"holds {int(np.isinf(one).sum())} infinite values"
        raise PSAGANInputError(f"{what} {problem}; drop the series, or mark missing values by NaN.")
    beyond = one[np.abs(one) > LARGEST]
    if beyond.size:
        raise PSAGANInputError(
            f"{what} reaches {beyond[0]:.4g}, and 32 bits hold no more than {LARGEST:.2g}; divide it by a number."
        )
    return one


def check_categories(static_cat: Any, n_series: int) -> np.ndarray:
    """Return which row of the embedding each series has, int64, shape ``(n_series,)``.

    Raises
    ------
    PSAGANInputError
        If they are not one whole number a series, from 0 on, or would make the embedding huge.
    """
    try:
        given = np.asarray(list(static_cat))
    except (TypeError, ValueError) as error:
        raise PSAGANInputError(
            f"static_cat={static_cat!r} must be a list of {n_series} integers ≥ 0, one a series."
        ) from error
    if given.shape != (n_series,) or not np.issubdtype(given.dtype, np.integer):
        raise PSAGANInputError(
            f"static_cat must be {n_series} integers ≥ 0, one a series; got {given.dtype} of the shape {given.shape}."
        )
    if given.min() < 0:
        raise PSAGANInputError(f"static_cat holds {given.min()}; give integers ≥ 0, counted from 0.")
    if given.max() >= LARGEST_CATEGORY:
        raise PSAGANInputError(
            f"static_cat reaches {given.max()}, and the embedding has a row for each number up to there; count the "
            "categories from 0 on."
        )
    return given.astype(np.int64)


def check_first_indices(first_index: Any, n_series: int) -> tuple[int, ...]:
    """Return the age of each series' first step.

    Raises
    ------
    PSAGANInputError
        If they are not one whole number for all, or one a series, from 0 on.
    """
    refusal = f"first_index={first_index!r} must be a whole number ≥ 0 for all, or {n_series} of them."
    try:
        given = np.asarray(first_index)
    except (TypeError, ValueError) as error:
        raise PSAGANInputError(refusal) from error
    if given.ndim == 0:
        given = np.broadcast_to(given, n_series)
    if given.shape != (n_series,) or not np.issubdtype(given.dtype, np.integer) or given.min() < 0:
        raise PSAGANInputError(refusal)
    return tuple(given.tolist())


def check_feat_dynamic(feat_dynamic: Any, n_series: int, length: int) -> np.ndarray:
    """Return known features, float32, shape ``(D, length)`` or ``(n_series, D, length)``.

    Raises
    ------
    PSAGANInputError
        If the shape is another, or a number is not finite.
    """
    with np.errstate(over="ignore"):  # refused below
        array = as_numbers(feat_dynamic, "feat_dynamic").astype(np.float32)
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
        raise PSAGANInputError(
            "feat_dynamic holds values that are not finite in 32 bits; known features have no gaps: fill or divide "
            "them."
        )
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


def split_future(
    feat_dynamic: Any, horizon: int, window: int, known: Any
) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """Return known features of a horizon, and those of the window behind it; none for a panel without.

    Parameters
    ----------
    feat_dynamic
        ``(D, horizon + window)`` or ``(N, D, horizon + window)``, like those of the panel; None if there are none.
    horizon, window
        Steps that are asked for, and τ.
    known
        Those of the panel, ``(D, T)`` or ``(N, D, T)``; None if it has none.

    Raises
    ------
    PSAGANInputError
        If they have another shape, or the panel has some and none are given, or the other way round.
    """
    if feat_dynamic is None and known is None:
        return None, None
    if known is None:
        raise PSAGANInputError(
            "the model was fitted without known features, and feat_dynamic is given; leave feat_dynamic out, or fit to "
            "a panel that has them."
        )
    wanted = (*known.shape[:-1], horizon + window)
    reach = f"the horizon of {horizon} and a window of {window} behind it, since windows have their full length"
    if feat_dynamic is None:
        raise PSAGANInputError(f"the panel has known features; give feat_dynamic of the shape {wanted}: {reach}.")
    array = as_numbers(feat_dynamic, "feat_dynamic")
    if array.shape != wanted:
        raise PSAGANInputError(
            f"feat_dynamic has the shape {array.shape}; give {wanted}, as many features as the panel has, for {reach}."
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
