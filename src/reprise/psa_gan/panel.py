"""A panel of time series: values, calendar, and its windows in one gather.

Letters: N series, T time steps, D features, n windows, τ the windows' length.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import Tensor

from reprise.psa_gan.input_checks import (
    PSAGANInputError,
    as_time,
    check_categories,
    check_feat_dynamic,
    check_first_indices,
    check_names,
    check_values,
    warn_of_rounding,
)
from reprise.psa_gan.time_features import (
    canonical_freq,
    feature_names,
    on_clock,
    on_offset,
    regular_times,
    time_features,
)

if TYPE_CHECKING:
    import pandas as pd


class TimeSeriesPanel:
    """Several series of one frequency, of equal or different length.

    Parameters
    ----------
    values
        Array of shape ``(N, T)`` or N arrays of shape ``(T_i,)``; NaN is a missing value. They are kept in float32, 24
        bits of each.
    start
        Time of the first step: one for all, or one a series.
    freq
        Frequency in pandas' words, e.g. ``"h"``, ``"5min"``, ``"B"``.
    static_cat
        Which row of the embedding a series has, ``(N,)`` integers; by default each has its own.
    feat_dynamic
        Known features beside the calendar's, ``(D', T)`` or ``(N, D', T)``.
    item_ids
        Names of the series; by default 0 to N − 1.
    first_index
        Age of the first step in steps, one for all or one a series; above 0 for a part cut out of a longer panel.

    Raises
    ------
    PSAGANInputError
        For no or empty series, values that are infinite or beyond 32 bits, channels, an unknown frequency, features of
        another length, a name or a start that is none or stands twice.

    Warns
    -----
    UserWarning
        If a series moves so little around so large a value that float32 keeps few levels of it.

    Examples
    --------
    >>> panel = TimeSeriesPanel([[1.0, 2.0, 3.0], [4.0, 5.0]], "2000-01-03", "h")
    >>> panel.values.shape, panel.lengths.tolist(), panel.features.shape
    (torch.Size([2, 3]), [3, 2], torch.Size([5, 3]))
    """

    _axis_names: tuple[tuple[Any, ...], Any] = ((None,), None)  # of the frame it was read from: rows, columns

    def __init__(
        self,
        values: Any,
        start: Any,
        freq: str,
        *,
        static_cat: Iterable[int] | None = None,
        feat_dynamic: Any = None,
        item_ids: Sequence[Any] | None = None,
        first_index: int | Sequence[int] = 0,
    ) -> None:
        names = None if item_ids is None else check_names(item_ids)
        series = check_values(values, names)
        feature_names(freq)
        self.freq = canonical_freq(freq)
        self.lengths = torch.tensor([len(one) for one in series])
        self.values = _padded(series)
        self.item_ids = tuple(range(self.n_series)) if names is None else names
        self.starts = _starts(start, self.n_series, freq)
        self.first_index = check_first_indices(first_index, self.n_series)
        chosen = range(self.n_series) if static_cat is None else static_cat
        self.static_cat = torch.from_numpy(check_categories(chosen, self.n_series))
        given = feat_dynamic is not None
        self.feat_dynamic = (
            torch.from_numpy(check_feat_dynamic(feat_dynamic, self.n_series, self.n_steps)) if given else None
        )
        if len(self.item_ids) != self.n_series:
            raise PSAGANInputError(f"item_ids has {len(self.item_ids)} names for {self.n_series} series.")
        warn_of_rounding(series, self.item_ids)

    @classmethod
    def from_long(cls, frame: pd.DataFrame, id: str, time: str, target: str, freq: str | None = None) -> Self:
        """Read a frame with one row for each series and time; see `reprise.psa_gan.frames.from_long`."""
        from reprise.psa_gan.frames import from_long

        return cls(**from_long(frame, id, time, target, freq))

    @classmethod
    def from_wide(cls, frame: pd.DataFrame, freq: str | None = None) -> Self:
        """Read a frame of series by time; see `reprise.psa_gan.frames.from_wide`."""
        from reprise.psa_gan.frames import from_wide

        panel = cls(**from_wide(frame, freq))
        panel._axis_names = (tuple(frame.index.names), frame.columns.name)
        return panel

    @classmethod
    def from_gluonts(cls, data_set: Iterable[dict[str, Any]], freq: str | None = None) -> Self:
        """Read a data set of GluonTS; see `reprise.psa_gan.frames.from_gluonts`."""
        from reprise.psa_gan.frames import from_gluonts

        return cls(**from_gluonts(data_set, freq))

    @classmethod
    def of(cls, data: Any) -> Self:
        """Return a panel of what a reader has: a panel, a frame of series by time, or a data set of GluonTS."""
        import pandas as pd

        if isinstance(data, TimeSeriesPanel):
            return data  # type: ignore[return-value]
        if isinstance(data, pd.DataFrame):
            return cls.from_wide(data)
        if isinstance(data, np.ndarray | Tensor):
            raise PSAGANInputError("an array has no calendar; give TimeSeriesPanel(array, start=…, freq=…).")
        return cls.from_gluonts(data)

    @property
    def n_series(self) -> int:
        """Number of series, N."""
        return self.values.shape[0]

    @property
    def n_steps(self) -> int:
        """Number of time steps of the longest series, T."""
        return self.values.shape[1]

    @property
    def device(self) -> torch.device:
        """Where the values lie."""
        return self.values.device

    @cached_property
    def features(self) -> Tensor:
        """Calendar and known features, float32: ``(D, T)`` if all series share them, else ``(N, D, T)``."""
        begins = list(zip(self.starts, self.first_index, strict=True))
        found = {
            (start, age): torch.from_numpy(
                time_features(regular_times(start, self.freq, periods=self.n_steps), self.freq, age)
            )
            for start, age in dict.fromkeys(begins)
        }
        calendar = found[begins[0]] if len(found) == 1 else torch.stack([found[one] for one in begins])
        calendar = calendar.to(self.device)
        if self.feat_dynamic is None:
            return calendar
        known = self.feat_dynamic.to(self.device)
        if calendar.ndim != known.ndim:
            size = (self.n_series, -1, -1)
            calendar, known = (one if one.ndim == 3 else one.expand(*size) for one in (calendar, known))
        return torch.cat([calendar, known], dim=-2)

    @property
    def n_features(self) -> int:
        """Number of features of a time step, D."""
        return self.features.shape[-2]

    def step_of(self, series: int, time: Any) -> int:
        """Return the step of a time in a series; a number of steps is returned as it is.

        A time without a zone is one on the panel's own clock.

        Raises
        ------
        PSAGANInputError
            If it is neither, the time lies before the series or between two steps, has a zone and the panel none, or
            is there twice or not at all where clocks are put back or forward.
        """
        if isinstance(time, int | np.integer) and not isinstance(time, bool):
            return int(time)
        start, wanted = self.starts[series], as_time(time, "start")
        if start.tz is None and wanted.tz is not None:
            raise PSAGANInputError(f"start={time!r} has a time zone and the panel has none; leave it out.")
        wanted = on_clock(wanted, start.tz) if wanted.tz is None else wanted.tz_convert(start.tz)
        times = regular_times(start, self.freq, end=max(start, wanted))
        if wanted not in times:
            raise PSAGANInputError(
                f"start={time!r} is no step of series {self.item_ids[series]!r}, which begins at {start} with "
                f"freq={self.freq!r}."
            )
        return len(times) - 1

    def windows(self, series: Tensor, start: Tensor, length: int) -> Tensor:
        """Return windows of values, ``(n, length)``: row j is series ``series[j]`` from step ``start[j]`` on."""
        return self.values[series[:, None], start[:, None] + torch.arange(length, device=self.device)]

    def window_features(self, series: Tensor, start: Tensor, length: int) -> Tensor:
        """Return the features of windows, ``(n, D, length)``."""
        steps = start[:, None] + torch.arange(length, device=self.device)
        if self.features.ndim == 2:
            return self.features[:, steps].transpose(0, 1)
        return self.features[series[:, None], :, steps].transpose(1, 2)

    def with_values(self, values: Tensor, lengths: Tensor | None = None) -> TimeSeriesPanel:
        """Return a panel with other values of shape ``(N, T)`` on the same calendar."""
        if values.shape != self.values.shape:
            raise PSAGANInputError(f"values has the shape {tuple(values.shape)}, not {tuple(self.values.shape)}.")
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.values = values
        other.lengths = self.lengths if lengths is None else lengths
        return other

    def last_features(self, n: int) -> Tensor | None:
        """Return the known features of the last step, n times; None if there are none."""
        known = self.feat_dynamic
        return None if known is None else known[..., -1:].repeat_interleave(n, dim=-1)

    def up_to(self, n_steps: int) -> TimeSeriesPanel:
        """Return the panel with all series of a number of steps, those behind a series' end missing."""
        longer = self.extended(n_steps - self.n_steps) if n_steps > self.n_steps else self
        return longer.with_values(longer.values, torch.full_like(self.lengths, n_steps))

    def until(self, stops: Tensor) -> TimeSeriesPanel:
        """Return the panel without what comes after a step of each series.

        Parameters
        ----------
        stops
            First step that is left out, ``(N,)``.
        """
        stops = torch.minimum(stops, self.lengths)
        beyond = torch.arange(self.n_steps)[None, :] >= stops[:, None]
        hidden = self.with_values(self.values.masked_fill(beyond.to(self.device), float("nan")), stops)
        return hidden._cut(int(stops.max()))

    def of_series(self, places: Tensor) -> TimeSeriesPanel:
        """Return a panel of some of the series, in the given order, with their categories, features and missing values.

        Parameters
        ----------
        places
            Which ones, ``(n,)`` integers.
        """
        known = self.feat_dynamic
        chosen = object.__new__(type(self))
        chosen.__dict__.update(self.__dict__)
        chosen.__dict__.pop("features", None)
        chosen.values, chosen.lengths = self.values[places.to(self.device)], self.lengths[places]
        chosen.static_cat = self.static_cat[places]
        chosen.starts = tuple(self.starts[place] for place in places.tolist())
        chosen.first_index = tuple(self.first_index[place] for place in places.tolist())
        chosen.item_ids = tuple(self.item_ids[place] for place in places.tolist())
        chosen.feat_dynamic = known if known is None or known.dim() < 3 else known[places]
        return chosen

    def extended(self, horizon: int, feat_dynamic: Any = None) -> TimeSeriesPanel:
        """Return the panel with a horizon of empty steps at its end.

        Parameters
        ----------
        horizon
            Steps to add.
        feat_dynamic
            Known features of the added steps, ``(D', horizon)`` or ``(N, D', horizon)``.

        Raises
        ------
        PSAGANInputError
            If the panel has known features and those of the future are not given, or the other way round.
        """
        if self.feat_dynamic is None and feat_dynamic is not None:
            raise PSAGANInputError(
                f"the panel has no known features, and {horizon} steps of them are given; leave feat_dynamic out."
            )
        longer = object.__new__(type(self))
        longer.__dict__.update(self.__dict__)
        longer.__dict__.pop("features", None)
        empty = self.values.new_full((self.n_series, horizon), float("nan"))
        longer.values = torch.cat([self.values, empty], dim=1)
        if self.feat_dynamic is not None:
            shape = (*self.feat_dynamic.shape[:-1], horizon)
            if feat_dynamic is None:
                raise PSAGANInputError(
                    f"the panel has known features up to T={self.n_steps}, and {horizon} steps beyond are asked for; "
                    f"give feat_dynamic for them, of the shape {shape}, or a panel that reaches further."
                )
            future = torch.from_numpy(check_feat_dynamic(feat_dynamic, self.n_series, horizon))
            if future.shape[:-1] != self.feat_dynamic.shape[:-1]:
                raise PSAGANInputError(
                    f"feat_dynamic has the shape {tuple(future.shape)}, and that of the panel is "
                    f"{tuple(self.feat_dynamic.shape)}; give as many features, {shape}."
                )
            longer.feat_dynamic = torch.cat([self.feat_dynamic, future], dim=-1)
        return longer

    def reaching(self, n_steps: int) -> TimeSeriesPanel:
        """Return the panel with a calendar up to a step, `extended` if it ends before."""
        more = n_steps - self.n_steps
        return self if more <= 0 else self.extended(more)

    def to(self, device: torch.device | str) -> TimeSeriesPanel:
        """Return the panel with values and features on a device."""
        moved = self.with_values(self.values.to(device))
        moved.__dict__["features"] = self.features.to(device)
        return moved

    def to_frame(self) -> pd.DataFrame:
        """Return the values as a frame of series by time, float32.

        The names of its axes, and an index of several levels, are those of the wide frame that the panel was read from;
        a stored model keeps neither.

        Raises
        ------
        PSAGANInputError
            If the series begin at different times.
        """
        import pandas as pd

        if len(set(self.starts)) > 1:
            raise PSAGANInputError("the series begin at different times; use to_gluonts() instead of to_frame().")
        times = regular_times(self.starts[0], self.freq, periods=self.n_steps)
        rows, columns = self._axis_names
        ids = list(self.item_ids)
        # Pairs are an index of several levels only where a frame had one.
        several = len(rows) > 1
        index = (
            pd.MultiIndex.from_tuples(ids, names=rows) if several else pd.Index(ids, name=rows[0], tupleize_cols=False)
        )
        return pd.DataFrame(self.values.cpu().numpy(), index=index, columns=times.rename(columns), copy=True)

    def to_gluonts(self) -> list[dict[str, Any]]:
        """Return one entry a series in the form that GluonTS' estimators take; see `reprise.psa_gan.frames`."""
        from reprise.psa_gan.frames import to_gluonts

        return to_gluonts(self)

    def _cut(self, n_steps: int) -> TimeSeriesPanel:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.__dict__.pop("features", None)
        other.values = self.values[:, :n_steps]
        other.feat_dynamic = None if self.feat_dynamic is None else self.feat_dynamic[..., :n_steps]
        return other


def _padded(series: list[np.ndarray]) -> Tensor:
    values = np.full((len(series), max(map(len, series))), np.nan, dtype=np.float32)
    for row, one in zip(values, series, strict=True):
        row[: len(one)] = one
    return torch.from_numpy(values)


def _starts(start: Any, n_series: int, freq: str) -> tuple[pd.Timestamp, ...]:
    single = isinstance(start, str) or not isinstance(start, Iterable)
    given = [start] * n_series if single else list(start)
    if len(given) != n_series:
        raise PSAGANInputError(
            f"start has {len(given)} times for {n_series} series; give one for all, or one a series."
        )
    return tuple(on_offset(one, freq) for one in given)
