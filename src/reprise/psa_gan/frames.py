"""From and to the forms in which readers keep series: long and wide frames, data sets of GluonTS."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from reprise.psa_gan.input_checks import NO_NUMBERS, PSAGANInputError, as_numbers, name_some

if TYPE_CHECKING:
    import pandas as pd

    from reprise.psa_gan.panel import TimeSeriesPanel

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def from_long(frame: pd.DataFrame, id: str, time: str, target: str, freq: str | None = None) -> dict[str, Any]:
    """Return the arguments of `TimeSeriesPanel` for a frame with one row for each series and time.

    Parameters
    ----------
    frame
        The frame; each series' rows in the order of time. A value that is missing in its last rows is a gap, to be
        filled, while a wide frame's series ends with its last value: drop rows that are no part of a series.
    id, time, target
        Its columns: name of the series, time, value.
    freq
        Frequency; by default found from the times of the first series with three.

    Raises
    ------
    PSAGANInputError
        If it is no frame, a column is missing or doubled, a row has no name, values are no numbers, or the times of a
        series are none, unsorted, doubled, or leave a step out.
    """
    _check_is_frame(frame)
    for column in (id, time, target):
        if column not in frame.columns:
            raise PSAGANInputError(f"the frame has no column {column!r}; its columns are {list(frame.columns)}.")
        if list(frame.columns).count(column) > 1:
            raise PSAGANInputError(f"the frame has the column {column!r} more than once; drop or rename one.")
    if frame[id].isna().any():
        raise PSAGANInputError(f"{int(frame[id].isna().sum())} rows have no name in {id!r}; fill it in or drop them.")
    parts = list(frame.groupby(id, sort=False, observed=True))
    if not parts:
        raise PSAGANInputError("the frame has no rows; give at least one series.")
    sort = f"frame.sort_values([{id!r}, {time!r}])"
    times = [(name, _as_times(part[time], f"series {name!r}, the column {time!r}", sort)) for name, part in parts]
    freq = freq or _inferred(next((one for _, one in times if len(one) > 2), times[0][1]))
    for name, one in times:
        _check_regular(one, freq, f"series {name!r}")
    return {
        "values": [_numbers(part[target], f"series {name!r}, column {target!r}") for name, part in parts],
        "start": [one[0] for _, one in times],
        "freq": freq,
        "item_ids": [name for name, _ in parts],
    }


def from_wide(frame: pd.DataFrame, freq: str | None = None) -> dict[str, Any]:
    """Return the arguments of `TimeSeriesPanel` for a frame whose rows are series and whose columns are times.

    A series ends with its last value that is not missing; one without any value, which a model that knows it can
    `impute`, ends with the frame.

    Raises
    ------
    PSAGANInputError
        If it is no frame, has no rows, or its columns are no regular times.
    """
    import pandas as pd

    _check_is_frame(frame)
    for axis, found in (("rows", len(frame.index)), ("columns", len(frame.columns))):
        if not found:
            raise PSAGANInputError(f"the frame has no {axis}; give a row for each series and a column for each time.")
    if not isinstance(frame.columns, pd.DatetimeIndex):
        raise PSAGANInputError(f"the frame's columns are no times (a DatetimeIndex){_hint_for_columns(frame)}.")
    _check_sorted(frame.columns, "the frame's columns", "frame.sort_index(axis=1)")
    freq = freq or frame.columns.freqstr or _inferred(frame.columns)
    _check_regular(frame.columns, freq, "the frame's columns")
    values = np.stack([_numbers(row, f"series {name!r}") for name, row in frame.iterrows()])
    # A series without any value has all its steps: argmax is 0.
    ends = values.shape[1] - (~np.isnan(values[:, ::-1])).argmax(axis=1)
    return {
        "values": [row[:end] for row, end in zip(values, ends, strict=True)],
        "start": frame.columns[0],
        "freq": freq,
        "item_ids": list(frame.index),
    }


def from_gluonts(data_set: Iterable[dict[str, Any]], freq: str | None = None) -> dict[str, Any]:
    """Return the arguments of `TimeSeriesPanel` for a data set of GluonTS (entries with target and start).

    ``feat_static_cat`` (its first number) becomes the embedding's row, ``feat_dynamic_real`` the known features. Of
    features that go on beyond the targets, as GluonTS wants them for a prediction, the steps beyond the longest target
    are left out: give those to `PSAGAN.forecast`.

    Raises
    ------
    PSAGANInputError
        If an entry has no target or start, no frequency is known, or an entry has another than the rest.
    """
    try:
        entries = list(data_set)
    except TypeError:
        entries = []
    if not entries or not all(isinstance(one, dict) and {"target", "start"} <= set(one) for one in entries):
        raise PSAGANInputError(
            "expected a panel, a frame of series by time, or a data set of GluonTS whose entries have 'target' and "
            f"'start', not {type(data_set).__name__}."
        )
    if freq is None:
        freq = _freq_of_period(getattr(entries[0]["start"], "freq", None))
    if freq is None:
        raise PSAGANInputError("the entries' start is no period; give freq, e.g. freq='h'.")
    names = [one.get("item_id", place) for place, one in enumerate(entries)]
    _check_one_frequency([one["start"] for one in entries], names, freq)
    arguments: dict[str, Any] = {
        "values": [np.asarray(one["target"]) for one in entries],
        "start": [one["start"] for one in entries],
        "freq": freq,
        "item_ids": names,
    }
    if _all_have("feat_static_cat", entries, names):
        arguments["static_cat"] = [
            _category(one["feat_static_cat"], name) for name, one in zip(names, entries, strict=True)
        ]
    if _all_have("feat_dynamic_real", entries, names):
        longest = max(map(np.size, arguments["values"]))
        arguments["feat_dynamic"] = _known_features([one["feat_dynamic_real"] for one in entries], names, longest)
    return arguments


def _known_features(given: list[Any], names: list[Any], longest: int) -> np.ndarray:
    """Return the known features of all entries, ``(N, D, T)``, up to the end of the longest target."""
    whole = [as_numbers(one, f"feat_dynamic_real of series {name!r}") for name, one in zip(names, given, strict=True)]
    flat = next((place for place, one in enumerate(whole) if one.ndim != 2), None)
    if flat is not None:
        raise PSAGANInputError(
            f"feat_dynamic_real of series {names[flat]!r} has the shape {whole[flat].shape}; give (features, time)."
        )
    known = [one[:, :longest] for one in whole]
    others = [f"{name!r} {one.shape}" for name, one in zip(names, known, strict=True) if one.shape != known[0].shape]
    if others:
        raise PSAGANInputError(
            f"feat_dynamic_real has the shape {known[0].shape} in series {names[0]!r} and other ones in "
            f"{name_some(others)}; give all series features of as many steps as the longest has."
        )
    return np.stack(known)


def _all_have(field: str, entries: list[dict[str, Any]], names: list[Any]) -> bool:
    """Tell whether entries have a field; refuse some that have it and others that lack it."""
    lacking = [repr(name) for name, one in zip(names, entries, strict=True) if field not in one]
    if lacking and len(lacking) < len(entries):
        raise PSAGANInputError(
            f"{len(lacking)} of {len(entries)} entries have no {field}: series {name_some(lacking)}; give it to all or "
            "to none."
        )
    return not lacking


def _category(given: Any, name: Any) -> int:
    try:
        first = np.atleast_1d(given)[0]
        if int(first) != first:
            raise ValueError("a fraction")
        return int(first)
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise PSAGANInputError(
            f"feat_static_cat of series {name!r} is {given!r}; give a whole number, counted from 0."
        ) from error


def _check_one_frequency(starts: list[Any], names: list[Any], freq: str) -> None:
    """Refuse entries whose period has another frequency than the panel is to have."""
    import pandas as pd

    periods = [(name, start) for name, start in zip(names, starts, strict=True) if isinstance(start, pd.Period)]
    if not periods:
        return
    wanted = _beginnings(_as_period(freq))
    others = [f"{name!r} ({start.freqstr})" for name, start in periods if _beginnings(start.freq) != wanted]
    if others:
        raise PSAGANInputError(
            f"a panel has one frequency, here freq={freq!r}, and {len(others)} of {len(starts)} entries have another: "
            f"series {name_some(others)}; make one panel a frequency, or bring all to one."
        )


def _beginnings(offset: Any) -> tuple[Any, int | None]:
    """Return what two frequencies of periods share whose periods begin at the same times.

    A quarter is named by one of the months in which it may end: Q-MAR is Q-DEC.
    """
    unit, _, anchor = offset.name.partition("-")
    month = _MONTHS.index(anchor) % 3 if unit == "Q" or unit.startswith("QE") else None
    return (offset, None) if month is None else (offset.n, month)


def _as_period(freq: str) -> Any:
    import pandas as pd

    from reprise.psa_gan.time_features import feature_names

    feature_names(freq)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # business days
        return pd.PeriodDtype(_period_freq(freq)).freq


def to_gluonts(panel: TimeSeriesPanel) -> list[dict[str, Any]]:
    """Return entries with target, start, item_id and feat_static_cat; each target ends where its series does."""
    import pandas as pd

    from reprise.psa_gan.time_features import feature_names

    feature_names(panel.freq)
    values = panel.values.cpu().numpy()
    rows = zip(values, panel.lengths.tolist(), panel.starts, panel.item_ids, panel.static_cat.tolist(), strict=True)
    return [
        {
            "target": row[:length].copy(),
            "start": pd.Period(start, freq=_period_freq(panel.freq)),
            "item_id": str(name),
            "feat_static_cat": np.array([category]),
        }
        for row, length, start, name, category in rows
    ]


def _period_freq(freq: str) -> str:
    from pandas.tseries.frequencies import to_offset

    offset = to_offset(freq)
    unit, _, anchor = offset.name.partition("-")
    if unit == "C":
        raise PSAGANInputError(f"freq={freq!r} knows holidays, and GluonTS has no period for it; use freq='B'.")
    if unit == "QS":  # named by a month in which a quarter begins, and a period by one in which it ends
        anchor = _MONTHS[_MONTHS.index(anchor) - 1]
    # A period of a month or quarter has no end or beginning in its frequency's name.
    name = {"ME": "M", "MS": "M", "QE": "Q", "QS": "Q"}.get(unit, unit)
    return f"{offset.n}{name}-{anchor}" if anchor else f"{offset.n}{name}"


def _freq_of_period(offset: Any) -> str | None:
    """Return the frequency of a period's beginnings, under which a panel goes on from its first step."""
    if offset is None:
        return None
    unit, _, anchor = offset.name.partition("-")
    many = "" if offset.n == 1 else str(offset.n)
    if unit in ("M", "ME"):
        return f"{many}MS"
    if unit in ("Q", "QE"):
        return f"{many}QS-{_MONTHS[(_MONTHS.index(anchor) + 1) % 12]}"
    return str(offset.freqstr)


def _check_is_frame(frame: Any) -> None:
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise PSAGANInputError(f"frame is a {type(frame).__name__}; give a DataFrame of pandas.")


def _as_times(column: pd.Series, what: str, sort: str) -> pd.DatetimeIndex:
    """Return a column as times; refuse numbers, periods, unreadable text, missing and unsorted ones."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype):
        raise PSAGANInputError(f"{what} holds numbers, not times; convert it, e.g. by pd.to_datetime(…, unit='s').")
    if isinstance(column.dtype, pd.PeriodDtype):
        raise PSAGANInputError(f"{what} holds periods; convert it: frame[…].dt.to_timestamp().")
    try:
        times = pd.DatetimeIndex(column)
    except (TypeError, ValueError, OverflowError) as error:
        raise PSAGANInputError(f"{what} cannot be read as times ({error}); convert it by pd.to_datetime.") from error
    _check_sorted(times, what, sort)
    return times


def _check_sorted(times: pd.DatetimeIndex, what: str, remedy: str) -> None:
    if times.hasnans:
        raise PSAGANInputError(f"{what} has {int(times.isna().sum())} missing times (NaT); fill them in or drop them.")
    if not times.is_monotonic_increasing:
        raise PSAGANInputError(f"{what}: times are not sorted; sort them first: {remedy}.")


def _hint_for_columns(frame: pd.DataFrame) -> str:
    import pandas as pd

    if isinstance(frame.index, pd.DatetimeIndex):
        return "; its rows are: transpose it, frame.T"
    if isinstance(frame.columns, pd.PeriodIndex):
        return "; convert them, frame.columns.to_timestamp()"
    if len(frame.columns) and all(isinstance(one, str) for one in frame.columns):
        return "; if they are times as text, convert them: pd.to_datetime(frame.columns)"
    return ""


def _numbers(values: pd.Series, what: str) -> np.ndarray:
    """Return values as float64, NaN for missing ones."""
    if getattr(values.dtype, "kind", "O") in NO_NUMBERS:
        as_numbers(values, what)  # refuses them
    try:
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise PSAGANInputError(f"{what} holds what is no number ({error}); mark missing values by NaN.") from error


def _inferred(times: pd.DatetimeIndex) -> str:
    import pandas as pd

    freq = pd.infer_freq(times) if len(times) > 2 else None
    if freq is None:
        problem = "have no regular step" if times.is_unique else f"hold {times[times.duplicated()][0]} twice"
        raise PSAGANInputError(
            f"the times {problem}, so that no frequency can be found; put missing steps in as NaN, drop doubled ones, "
            "and give freq, e.g. freq='h'."
        )
    return str(freq)


def _check_regular(times: pd.DatetimeIndex, freq: str, what: str) -> None:
    import pandas as pd

    from reprise.psa_gan.time_features import feature_names

    feature_names(freq)
    expected = pd.date_range(times[0], periods=len(times), freq=freq)
    if not expected.equals(times) and not (expected == times).all():
        place = int(np.flatnonzero(np.asarray(expected != times))[0])
        raise PSAGANInputError(
            f"{what}: {times[place]} stands where {expected[place]} is expected at freq={freq!r}; put missing steps in "
            "as NaN (reindex), and drop doubled ones."
        )
