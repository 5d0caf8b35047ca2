"""From and to the forms in which readers keep series: long and wide frames, data sets of GluonTS."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from reprise.psa_gan.input_checks import PSAGANInputError, name_some

if TYPE_CHECKING:
    import pandas as pd

    from reprise.psa_gan.panel import TimeSeriesPanel

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def from_long(frame: pd.DataFrame, id: str, time: str, target: str, freq: str | None = None) -> dict[str, Any]:
    """Return the arguments of `TimeSeriesPanel` for a frame with one row for each series and time.

    Parameters
    ----------
    frame
        The frame; each series' rows in the order of time.
    id, time, target
        Its columns: name of the series, time, value.
    freq
        Frequency; by default found from the times of the first series with three.

    Raises
    ------
    PSAGANInputError
        If a column is missing, or the times of a series are unsorted, doubled, or leave a step out.
    """
    import pandas as pd

    for column in (id, time, target):
        if column not in frame.columns:
            raise PSAGANInputError(f"the frame has no column {column!r}; its columns are {list(frame.columns)}.")
    parts = list(frame.groupby(id, sort=False))
    if not parts:
        raise PSAGANInputError("the frame has no rows; give at least one series.")
    times = [(name, pd.DatetimeIndex(part[time])) for name, part in parts]
    freq = freq or _inferred(next((one for _, one in times if len(one) > 2), times[0][1]))
    for name, one in times:
        _check_regular(one, freq, f"series {name!r}")
    return {
        "values": [part[target].to_numpy(dtype=np.float64) for _, part in parts],
        "start": [one[0] for _, one in times],
        "freq": freq,
        "item_ids": [name for name, _ in parts],
    }


def from_wide(frame: pd.DataFrame, freq: str | None = None) -> dict[str, Any]:
    """Return the arguments of `TimeSeriesPanel` for a frame whose rows are series and whose columns are times.

    A series ends with its last value that is not missing.

    Raises
    ------
    PSAGANInputError
        If the columns are no regular times, or a series has no value at all.
    """
    import pandas as pd

    if not isinstance(frame.columns, pd.DatetimeIndex):
        hint = "; its rows do: transpose it, frame.T" if isinstance(frame.index, pd.DatetimeIndex) else ""
        raise PSAGANInputError(f"the frame's columns are no times (a DatetimeIndex){hint}.")
    freq = freq or frame.columns.freqstr or _inferred(frame.columns)
    _check_regular(frame.columns, freq, "the frame's columns")
    values = frame.to_numpy(dtype=np.float64)
    empty = np.isnan(values).all(axis=1)
    if empty.any():
        raise PSAGANInputError(f"series {frame.index[empty][0]!r} has no value; drop it.")
    ends = values.shape[1] - np.isfinite(values[:, ::-1]).argmax(axis=1)
    return {
        "values": [row[:end] for row, end in zip(values, ends, strict=True)],
        "start": frame.columns[0],
        "freq": freq,
        "item_ids": list(frame.index),
    }


def from_gluonts(data_set: Iterable[dict[str, Any]], freq: str | None = None) -> dict[str, Any]:
    """Return the arguments of `TimeSeriesPanel` for a data set of GluonTS (entries with target and start).

    ``feat_static_cat`` (its first number) becomes the embedding's row, ``feat_dynamic_real`` the known features.

    Raises
    ------
    PSAGANInputError
        If an entry has no target or start, no frequency is known, or an entry has another than the rest.
    """
    entries = list(data_set)
    if not entries or not all(isinstance(one, dict) and {"target", "start"} <= set(one) for one in entries):
        raise PSAGANInputError(
            "expected a panel, a frame of series by time, or a data set of GluonTS whose entries have 'target' and "
            "'start'."
        )
    freq = freq or getattr(entries[0]["start"], "freqstr", None)
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
    if all("feat_static_cat" in one for one in entries):
        arguments["static_cat"] = [int(np.atleast_1d(one["feat_static_cat"])[0]) for one in entries]
    if all("feat_dynamic_real" in one for one in entries):
        arguments["feat_dynamic"] = np.stack([np.asarray(one["feat_dynamic_real"]) for one in entries])
    return arguments


def _check_one_frequency(starts: list[Any], names: list[Any], freq: str) -> None:
    """Refuse entries whose period has another frequency than the panel is to have."""
    import pandas as pd

    periods = [(name, start) for name, start in zip(names, starts, strict=True) if isinstance(start, pd.Period)]
    if not periods:
        return
    wanted = _as_period(freq)
    others = [f"{name!r} ({start.freqstr})" for name, start in periods if start.freq != wanted]
    if others:
        raise PSAGANInputError(
            f"a panel has one frequency, here freq={freq!r}, and {len(others)} of {len(starts)} entries have another: "
            f"series {name_some(others)}; make one panel a frequency, or bring all to one."
        )


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
            "target": row[:length],
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
    if unit == "QS":  # named by the month in which a quarter begins, and a period by that in which it ends
        anchor = _MONTHS[(_MONTHS.index(anchor) + 2) % 12]
    # A period of a month or quarter has no end or beginning in its frequency's name.
    name = {"ME": "M", "MS": "M", "QE": "Q", "QS": "Q"}.get(unit, unit)
    return f"{offset.n}{name}-{anchor}" if anchor else f"{offset.n}{name}"


def _inferred(times: pd.DatetimeIndex) -> str:
    import pandas as pd

    freq = pd.infer_freq(times) if len(times) > 2 else None
    if freq is None:
        problem = "are not sorted" if not times.is_monotonic_increasing else "have no regular step"
        raise PSAGANInputError(
            f"the times {problem}, so that no frequency can be found; sort them, put missing steps in as NaN, and "
            "give freq, e.g. freq='h'."
        )
    return str(freq)


def _check_regular(times: pd.DatetimeIndex, freq: str, what: str) -> None:
    import pandas as pd

    from reprise.psa_gan.time_features import feature_names

    feature_names(freq)
    if not times.is_monotonic_increasing:
        raise PSAGANInputError(f"{what}: times are not sorted; sort the rows by time first.")
    expected = pd.date_range(times[0], periods=len(times), freq=freq)
    if not expected.equals(times) and not (expected == times).all():
        place = int(np.flatnonzero(np.asarray(expected != times))[0])
        raise PSAGANInputError(
            f"{what}: {times[place]} stands where {expected[place]} is expected at freq={freq!r}; put missing steps in "
            "as NaN (reindex), and drop doubled ones."
        )
