"""Horizon and present of a reader's own events as numbers, in the unit of the events' times: seconds for dates."""

from __future__ import annotations

import warnings
from datetime import date, timedelta

import numpy as np

from reprise.rim.events import Events
from reprise.rim.input_checks import RimInputError, check_horizon

Moment = float | str | date | np.datetime64 | None
Span = float | timedelta | np.timedelta64

LEAST_SHARE_OF_GAP = 0.01


def as_horizon(given: Span, events: Events, *, dates: bool) -> float:
    """Return a horizon as a number.

    Parameters
    ----------
    given
        A number in the unit of the times (seconds for dates), or a timedelta of any kind where times are dates.
    events
        The events that it is meant for.
    dates
        Whether their times were dates.

    Raises
    ------
    RimInputError
        If it is no positive span of time, or a timedelta for times that are numbers.

    Warns
    -----
    UserWarning
        If a plain number is a horizon of seconds hardly meant: below a hundredth of the median time between visits.
    """
    import pandas as pd

    if isinstance(given, timedelta | np.timedelta64):
        if not dates:
            raise RimInputError(
                f"horizon={given!r} is a span of dates, but times are numbers; give a number in their unit, or convert "
                "them with pandas.to_datetime."
            )
        return check_horizon(pd.Timedelta(given).total_seconds())
    if isinstance(given, bool):
        raise RimInputError(f"horizon={given} is no time; give a number or a timedelta.")
    horizon = check_horizon(given)
    if dates and horizon < LEAST_SHARE_OF_GAP * (gap := _median_gap(events)):
        warnings.warn(
            f"horizon={given!r} counts seconds, since times are dates, and the median time between visits of a user "
            f"is {pd.Timedelta(seconds=round(gap))}; give pandas.Timedelta(days=...) if you mean days.",
            stacklevel=3,
        )
    return horizon


def _median_gap(events: Events) -> float:
    """Return the median time between two different times of a user; 0 if nobody has two."""
    gaps = np.diff(events.time)[(np.diff(events.user) == 0) & (np.diff(events.time) > 0)]
    return float(np.median(gaps)) if gaps.size else 0.0


def as_present(until: Moment, events: Events, horizon: float, *, dates: bool) -> float:
    """Return T as a number; by default just behind the last event.

    Raises
    ------
    RimInputError
        If it is no time, before all events, or so late that no event lies within a horizon before it.
    """
    first, last = float(events.time.min()), float(events.time.max())
    if until is None:
        return float(np.nextafter(last, np.inf))
    at = _number(until)
    if at <= first:
        raise RimInputError(
            f"no events before until={until!r}: the first is at {_shown(first, dates)}; give a later time."
        )
    if at - horizon > last:
        raise RimInputError(
            f"no events in [T-h, T) with T={_shown(at, dates)} and h={horizon:g}: the last one is at "
            f"{_shown(last, dates)}; check units (seconds vs milliseconds), or give an earlier time."
        )
    return at


def _shown(time: float, dates: bool) -> str:
    """Write a time as the reader gave it: a date, or a number."""
    import pandas as pd

    return str(pd.Timestamp(time, unit="s").round("s")) if dates else f"{time:g}"


def _number(moment: float | str | date | np.datetime64) -> float:
    """Return a time as a number; dates count in seconds since 1970, as those of the events do."""
    import pandas as pd

    try:
        found = float(pd.Timestamp(moment).timestamp() if isinstance(moment, str | date | np.datetime64) else moment)
    except (TypeError, ValueError) as error:
        raise RimInputError(
            f"until={moment!r} is no time; give a number in the unit of the times, or a date."
        ) from error
    if not np.isfinite(found):
        raise RimInputError(f"until={moment!r} is not finite; give a time, or nothing for the last event.")
    return found
