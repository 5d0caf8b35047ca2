"""The chapter's panels, each with the end of its training part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from reprise.data.entries import DataError
from reprise.data.fetching import fetch
from reprise.errors import unknown_name
from reprise.psa_gan.generators import START, make_panel
from reprise.psa_gan.names import GLUONTS_SETS
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.scaling import MinMaxScaler

HORIZON = 32  # steps of a forecast
N_DISTANCES = 7  # forecasts one after the other in the held-out part
HELD_OUT = HORIZON * N_DISTANCES
_LOS_LOOP_DAY = 288
_EIGHT_WEEKS = 8 * 7 * 24
_EXCHANGE_NIPS = "exchange-rate/exchange_rate_nips.tar.gz"


@dataclass(frozen=True)
class SplitPanel:
    """A panel whose last steps are held out.

    Attributes
    ----------
    name
        Name of the data set.
    panel
        All of it, on the original scale.
    held_out
        Steps at the end of each series that neither scaler nor any model sees.
    """

    name: str
    panel: TimeSeriesPanel
    held_out: int

    @property
    def train_lengths(self) -> Tensor:
        """First held-out step of each series, ``(N,)``."""
        return self.panel.lengths - self.held_out

    @property
    def train(self) -> TimeSeriesPanel:
        """The training part, on the original scale."""
        return self.panel.until(self.train_lengths)

    def scaled(self, clip_quantile: float = 0.0) -> tuple[TimeSeriesPanel, MinMaxScaler]:
        """Return the whole panel scaled by the training part's smallest and largest values, and the scaler."""
        scaler = MinMaxScaler.fit(self.train, clip_quantile)
        return scaler.transform(self.panel), scaler


def load(name: str, seed: int = 0, n_series: int | None = None) -> SplitPanel:
    """Read or draw a data set.

    Parameters
    ----------
    name
        One of the catalogue's data sets of this paper, or ``gluonts:`` and the name of one of GluonTS' sets.
    seed
        Seed of an embedded panel.
    n_series
        Keep this many series, the first ones; None for all.

    Raises
    ------
    UnknownNameError
        If there is no such data set.
    DataError
        If a file is absent and cannot be fetched.
    """
    if name.startswith("gluonts:"):
        found = _read_gluonts(name.removeprefix("gluonts:"))
    elif name in _READERS:
        found = _READERS[name](seed)
    else:
        raise unknown_name("data set", name, [*_READERS, *(f"gluonts:{one}" for one in GLUONTS_SETS)])
    return found if n_series is None else SplitPanel(name, _first(found.panel, n_series), found.held_out)


def _first(panel: TimeSeriesPanel, n_series: int) -> TimeSeriesPanel:
    rows = panel.values.numpy()[:n_series]
    values = [row[:length] for row, length in zip(rows, panel.lengths.tolist(), strict=False)]
    return TimeSeriesPanel(values, panel.starts[:n_series], panel.freq, item_ids=panel.item_ids[:n_series])


def _draw_daily(seed: int) -> SplitPanel:
    return SplitPanel("daily-panel", make_panel(seed=seed), HELD_OUT)


def _read_m4(_: int) -> SplitPanel:
    """Join the official training and test part: 748 or 1008 hours, of which the last 224 are held out.

    The set has no clock; every series is taken to begin on the same Monday at midnight.
    """
    parts = [pd.read_csv(fetch(f"m4-hourly/Hourly-{part}.csv"), index_col=0) for part in ("train", "test")]
    if not parts[0].index.equals(parts[1].index):
        raise DataError("M4-hourly's training and test file do not list the same series in the same order.")
    rows = zip(*(part.to_numpy(dtype=np.float64) for part in parts), strict=True)
    values = [np.concatenate([one[np.isfinite(one)] for one in both]) for both in rows]
    return SplitPanel("m4-hourly", TimeSeriesPanel(values, START, "h", item_ids=list(parts[0].index)), HELD_OUT)


def _read_exchange(_: int) -> SplitPanel:
    values = np.loadtxt(fetch("exchange-rate/exchange_rate.txt.gz"), delimiter=",").T
    return SplitPanel("exchange-rate", TimeSeriesPanel(values, "1990-01-01", "B"), HELD_OUT)


def _read_ett(_: int) -> SplitPanel:
    frame = pd.read_csv(fetch("ett-small/ETTh1.csv"), index_col="date", parse_dates=True)
    return SplitPanel("ett-small", TimeSeriesPanel.from_wide(frame.T.set_axis(frame.index, axis=1)), _EIGHT_WEEKS)


def _read_los_loop(_: int) -> SplitPanel:
    """Five-minute speeds of one week; the last day is held out."""
    frame = pd.read_csv(fetch("los-loop/los_speed.csv"))
    panel = TimeSeriesPanel(frame.to_numpy().T, "2012-03-01", "5min", item_ids=list(frame.columns))
    return SplitPanel("los-loop", panel, _LOS_LOOP_DAY)


def _read_solar(_: int) -> SplitPanel:
    frame = pd.read_csv(fetch("gefcom2014-solar/solar.csv"), index_col=0, parse_dates=True)
    wide = frame[["POWER"]].T.set_axis(frame.index, axis=1)
    return SplitPanel("gefcom2014-solar", TimeSeriesPanel.from_wide(wide, freq="h"), _EIGHT_WEEKS)


def _read_gluonts(name: str) -> SplitPanel:
    """Read a set with GluonTS' own split: the held-out part begins where its training part ends.

    Its test part holds each series several times, up to the end of one forecast after another: the longest counts.
    """
    if name not in GLUONTS_SETS:
        raise unknown_name("data set of GluonTS", name, list(GLUONTS_SETS))
    train, test, freq = _read_exchange_nips() if name == "exchange_rate_nips" else _download_gluonts(name)
    longest = test[-len(train) :]  # forecasts follow in time, each for all series
    ends = [(len(whole["target"]), len(known["target"])) for whole, known in zip(longest, train, strict=True)]
    held_out = {whole - known for whole, known in ends}
    if len(held_out) > 1 or min(held_out) < HORIZON:
        raise DataError(
            f"GluonTS' set {name!r} holds out {sorted(held_out)} steps of its series, not one number of {HORIZON} or "
            "more."
        )
    return SplitPanel(f"gluonts:{name}", TimeSeriesPanel.from_gluonts(longest, freq=freq), held_out.pop())


def _download_gluonts(name: str) -> tuple[list[Any], list[Any], str]:
    from gluonts.dataset.repository import get_dataset

    try:
        data_set = get_dataset(name)
        return list(data_set.train), list(data_set.test), data_set.metadata.freq
    except Exception as error:  # whatever a download can raise: there are several clients behind it
        raise DataError(
            f"GluonTS could not provide {name!r} ({error or type(error).__name__}). It downloads its sets from their "
            "sources: connect to the internet, or choose data sets of the registry ('m4-hourly', 'ett-small', "
            "'los-loop', 'gefcom2014-solar', 'exchange-rate') or 'exchange_rate_nips', which is registered, too."
        ) from error


def _read_exchange_nips() -> tuple[list[Any], list[Any], str]:
    """Read GluonTS' split of the exchange rates from the registered archive, without unpacking it."""
    import json
    import tarfile

    parts: dict[str, list[Any]] = {"train": [], "test": []}
    with tarfile.open(fetch(_EXCHANGE_NIPS)) as archive:
        for member in archive:
            part = PurePosixPath(member.name).parent.name
            if member.isfile() and part in parts and PurePosixPath(member.name).suffix == ".json":
                lines = archive.extractfile(member)
                assert lines is not None
                parts[part] += [json.loads(line) for line in lines.read().splitlines() if line.strip()]
    return parts["train"], parts["test"], "B"


_READERS: dict[str, Callable[[int], SplitPanel]] = {
    "daily-panel": _draw_daily,
    "m4-hourly": _read_m4,
    "exchange-rate": _read_exchange,
    "ett-small": _read_ett,
    "los-loop": _read_los_loop,
    "gefcom2014-solar": _read_solar,
}
