"""The checks of events, times, capacities and scores, each with a remedy in its message."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reprise.errors import RepriseError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("user", "item", "time")


class RimInputError(RepriseError, ValueError):
    """Input that the method cannot use; the message says what to change."""


class LeakageError(RimInputError):
    """A validation window that reaches into the test window."""


def check_frame(events: pd.DataFrame) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    """Return users, items and times of a DataFrame of events; dates become seconds since 1970.

    Raises
    ------
    RimInputError
        If a column is missing, an identifier or a time is missing, or times are no numbers; names column and first row.
    """
    if missing := [column for column in COLUMNS if column not in getattr(events, "columns", ())]:
        raise RimInputError(
            f"events lack the column(s) {', '.join(missing)}; rename yours to {', '.join(COLUMNS)} "
            "(DataFrame.rename(columns=...))."
        )
    if not len(events):
        raise RimInputError("events are empty; give at least one row of user, item, time.")
    for column in COLUMNS:
        bad = np.flatnonzero(events[column].isna().to_numpy())
        if bad.size:
            raise RimInputError(
                f"column {column!r} has {bad.size} missing values, the first in row {bad[0]}; drop or fill those rows."
            )
    for column in ("user", "item"):
        if len(kinds := sorted({type(name).__name__ for name in events[column].unique().tolist()})) > 1:
            raise RimInputError(
                f"column {column!r} mixes {' and '.join(kinds)}; give all identifiers one type, for instance with "
                "astype(str)."
            )
    return events["user"].to_numpy(), events["item"].to_numpy(), _seconds(events["time"])


def _seconds(column: pd.Series) -> NDArray[np.float64]:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        stamps = column.dt.tz_convert(None) if column.dt.tz is not None else column
        return stamps.to_numpy().astype("datetime64[ns]").astype(np.int64) / 1e9
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        numbers = pd.to_numeric(column, errors="coerce")
        first = int(np.flatnonzero(numbers.isna().to_numpy())[0]) if numbers.isna().any() else 0
        raise RimInputError(
            f"column 'time' holds {column.iloc[first]!r} in row {first}, which is no time; convert it with "
            "pandas.to_datetime, or give seconds."
        )
    values = column.to_numpy().astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise RimInputError(f"column 'time' is not finite in row {bad[0]}; drop or mend that row.")
    return values


def warn_of_duplicates(n_duplicates: int, n_events: int) -> None:
    """Warn of rows that are equal in user, item and time."""
    if n_duplicates:
        warnings.warn(
            f"{n_duplicates} of {n_events} events ({n_duplicates / n_events:.1%}) repeat another one exactly; they are "
            "counted as often as they stand there.",
            stacklevel=3,
        )


def check_horizon(horizon: float) -> float:
    """Return the horizon as a float.

    Raises
    ------
    RimInputError
        If it is not a positive finite number.
    """
    try:
        value = float(horizon)
    except (TypeError, ValueError):
        value = float("nan")
    if not (np.isfinite(value) and value > 0):
        raise RimInputError(f"horizon={horizon!r} must be a finite time > 0, in the unit of the events' times.")
    return value


def check_capacity(name: str, value: float, limit: int, what: str) -> int:
    """Return a number to choose as an integer.

    Raises
    ------
    RimInputError
        If it is no whole number from 1 to the limit.
    """
    return check_whole(name, value, most=limit, where=f", the number of {what}")


def check_whole(name: str, value: object, *, least: int = 1, most: float = np.inf, where: str = "") -> int:
    """Return a whole number within its range.

    Raises
    ------
    RimInputError
        If it is none; names the range.
    """
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or not float(value).is_integer() or not least <= value <= most:  # type: ignore[arg-type, operator]
        reach = f"from {least} to {most:g}" if np.isfinite(most) else f">= {least}"
        raise RimInputError(f"{name}={value!r} must be a whole number {reach}{where}.")
    return int(value)  # type: ignore[call-overload, no-any-return]


def check_probabilities(probabilities: NDArray[np.float64]) -> None:
    """Refuse logits where probabilities are needed: negative entries, or rows that sum to more than 1.

    Raises
    ------
    RimInputError
        If so; the normaliser of each row is what makes rows comparable.
    """
    largest = float(probabilities.sum(1).max(initial=0.0))
    if not np.isfinite(probabilities).all() or probabilities.min(initial=0.0) < 0 or largest > 1 + 1e-3:
        raise RimInputError(
            f"expected probabilities × intensity: entries from {probabilities.min():.3g}, rows sum to {largest:.4g}. "
            "Normalise over all items first (softmax of logits); unnormalised rows cannot be compared between users."
        )


def check_activity(activity: NDArray[np.float64], n_rows: int) -> None:
    """Refuse an activity that is no finite number >= 0 for each row of probabilities.

    Raises
    ------
    RimInputError
        If so; a shorter array would be spread over all rows without a word.
    """
    if activity.shape != (n_rows,):
        raise RimInputError(f"activity has the shape {activity.shape}; give one number for each of the {n_rows} rows.")
    bad = np.flatnonzero(~np.isfinite(activity) | (activity < 0))
    if bad.size:
        raise RimInputError(
            f"expected probabilities × intensity: activity is {activity[bad[0]]} in row {bad[0]}; it must be finite "
            "and >= 0."
        )


def check_scores(scores: Any) -> NDArray[np.float64]:
    """Return the scores of a matcher as float64 of shape (N, M); −∞ marks pairs that must not be chosen.

    Raises
    ------
    RimInputError
        If they are no matrix, or hold NaN, +∞ or negative numbers.
    """
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise RimInputError(f"scores have the shape {array.shape}; give one row a user and one column an item.")
    check_entries(array)
    if not np.isfinite(array).any() or array.max() <= 0:
        raise RimInputError("all scores are 0 or masked; there is nothing to match.")
    return array


def check_entries(scores: NDArray[np.float64]) -> None:
    """Refuse scores that are NaN, +∞ or negative; −∞ is a mask.

    Raises
    ------
    RimInputError
        If there is one; names the first.
    """
    bad = np.isnan(scores) | (scores == np.inf) | ((scores < 0) & (scores != -np.inf))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise RimInputError(
            f"expected probabilities × intensity, found {scores[row, column]} for user row {row} and item column "
            f"{column}; scores are >= 0, or -inf for a pair that must not be chosen."
        )


def check_bounds(shape: tuple[int, int], per_user: float, least: float | None, most: float | None) -> None:
    """Refuse bounds that no assignment can meet.

    Raises
    ------
    RimInputError
        If a bound is negative, the lower one exceeds the upper one, or lower bounds ask for more than users can take.
    """
    n_users, n_items = shape
    if not per_user > 0:
        raise RimInputError(f"max_per_user={per_user} must be > 0; give at least the number of items for no bound.")
    for name, value in (("min_per_item", least), ("max_per_item", most)):
        if value is not None and not 0 <= value <= n_users:
            raise RimInputError(f"{name}={value} must lie between 0 and {n_users}, the number of users.")
    if least is not None and most is not None and least > most:
        raise RimInputError(f"min_per_item={least} exceeds max_per_item={most}.")
    capacity = n_users * min(per_user, n_items)
    if least is not None and n_items * least > capacity:
        raise RimInputError(
            f"min_per_item={least} cannot be met: {n_items} items × {least:g} = {n_items * least:g} > "
            f"{n_users} users × {min(per_user, n_items):g} = {capacity:g}; lower it or raise max_per_user."
        )
