"""What the calendar tells of each time step: the features that the networks are conditioned on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from reprise.psa_gan.input_checks import PSAGANInputError, as_time

if TYPE_CHECKING:
    import pandas as pd

# Each runs from −0.5 to 0.5 over its period.
_CALENDAR: dict[str, Callable[[pd.DatetimeIndex], pd.Index]] = {
    "minute": lambda times: times.minute / 59 - 0.5,
    "hour": lambda times: times.hour / 23 - 0.5,
    "weekday": lambda times: times.dayofweek / 6 - 0.5,
    "day of month": lambda times: (times.day - 1) / 30 - 0.5,
    "day of year": lambda times: (times.dayofyear - 1) / 365 - 0.5,
}
# Unit of a frequency → how many of the calendar's features, the finest first, say nothing at that frequency.
_LEFT_OUT = {"min": 0, "h": 1, "D": 2, "B": 2, "C": 2, "W": 3, "ME": 4, "MS": 4, "M": 4, "QE": 4, "QS": 4, "Q": 4}
AGE = "age"


def feature_names(freq: str) -> tuple[str, ...]:
    """Return the names of the features at a frequency, age last.

    Parameters
    ----------
    freq
        A frequency in pandas' words: minutes, hours, days, business days, weeks, months or quarters.

    Raises
    ------
    PSAGANInputError
        If pandas does not know it, or it is none of these.

    Examples
    --------
    >>> feature_names("h")
    ('hour', 'weekday', 'day of month', 'day of year', 'age')
    """
    from pandas.tseries.frequencies import to_offset

    try:
        offset = to_offset(freq)
    except (TypeError, ValueError) as error:
        raise PSAGANInputError(f"freq={freq!r} is unknown to pandas; use e.g. '5min', 'h', 'D' or 'B'.") from error
    if offset is None or offset.n < 1:
        raise PSAGANInputError(f"freq={freq!r} is no step forward; use e.g. '5min', 'h', 'D' or 'B'.")
    try:
        unit = offset.name.split("-")[0]
    except NotImplementedError as error:
        raise PSAGANInputError(
            f"freq={freq!r} is an offset without a name; give a name, e.g. 'MS' for months by their first day."
        ) from error
    if unit not in _LEFT_OUT:
        raise PSAGANInputError(
            f"freq={freq!r} has no calendar features here; use minutes, hours, days, business days, weeks, months or "
            "quarters ('5min', 'h', 'D', 'B', 'W', 'MS', 'QS')."
        )
    return (*tuple(_CALENDAR)[_LEFT_OUT[unit] :], AGE)


def canonical_freq(freq: str) -> str:
    """Return the one name of a frequency: ``"h"`` for ``"1h"``, too.

    Examples
    --------
    >>> canonical_freq("1h"), canonical_freq("W")
    ('h', 'W-SUN')
    """
    from pandas.tseries.frequencies import to_offset

    return str(to_offset(freq).freqstr)


def on_offset(time: Any, freq: str) -> pd.Timestamp:
    """Return a time as that of a step at a frequency; a period's step is the one that lies in it.

    Raises
    ------
    PSAGANInputError
        If it is no time, or no step can lie there: its calendar would be that of the next step.
    """
    import pandas as pd
    from pandas.tseries.frequencies import to_offset

    offset, found = to_offset(freq), as_time(time, "start")
    if offset.is_on_offset(found):
        return found
    later = offset.rollforward(found)
    if not isinstance(time, pd.Period):
        raise PSAGANInputError(f"start={time!r} is no step at freq={freq!r}; the next one is {later}.")
    return later


def on_clock(time: pd.Timestamp, zone: Any) -> pd.Timestamp:
    """Return a time without a zone as one on the clock of a zone, or as it is for None.

    Raises
    ------
    PSAGANInputError
        If the clock shows it twice or never, because it is put back or forward then.
    """
    import pandas as pd

    if zone is None:
        return time
    found = time.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    if found is not pd.NaT:
        return found
    later = time.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    if later.tz_localize(None) != time:
        raise PSAGANInputError(
            f"start={str(time)!r} does not exist in {zone}, where clocks are put forward then; the next time is "
            f"{later}."
        )
    raise PSAGANInputError(
        f"start={str(time)!r} is there twice in {zone}, where clocks are put back then; give the offset, e.g. "
        f"{str(later)!r}."
    )


def regular_times(start: pd.Timestamp, freq: str, **until: Any) -> pd.DatetimeIndex:
    """Return the times of steps from a start on.

    Parameters
    ----------
    start, freq
        First step, and frequency.
    until
        ``periods``, how many, or ``end``, the last time.

    Raises
    ------
    PSAGANInputError
        If they go beyond the times that pandas can hold (to 2262).
    """
    import pandas as pd

    try:
        return pd.date_range(start, freq=freq, **until)
    except pd.errors.OutOfBoundsDatetime as error:
        raise PSAGANInputError(
            f"steps from start={start} on at freq={freq!r} lie beyond the times that pandas can hold, from 1677 to "
            "2262; give an earlier start."
        ) from error


def time_features(times: pd.DatetimeIndex, freq: str, first_index: int = 0) -> np.ndarray:
    """Return the features of consecutive time steps.

    Hour/23, weekday/6, (day of month − 1)/30 and (day of year − 1)/365, each minus one half, and the age
    log₁₀(2 + index); minutes/59 besides where the frequency has minutes, no hour where it is a day.

    Parameters
    ----------
    times
        The time steps.
    freq
        Their frequency.
    first_index
        Age of the first of them, in steps.

    Returns
    -------
    numpy.ndarray
        float32, shape ``(D, len(times))``: D = 5 for hours, 6 for minutes, 4 for days.
    """
    calendar = [np.asarray(_CALENDAR[name](times), dtype=np.float64) for name in feature_names(freq)[:-1]]
    age = np.log10(2.0 + first_index + np.arange(len(times)))
    return np.stack([*calendar, age]).astype(np.float32)
