"""Windows made without any training: what a GAN has to beat. All of them know the training part alone.

Each is a `reprise.psa_gan.filling.WindowSource`: called with series, starts and a seed it returns windows on the scaled
range; like a generator it can be scored and can fill gaps.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from reprise.compute import numpy_generator, torch_generator
from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.windows import WindowSampler


def steps_of(freq: str, unit: str) -> int:
    """Return how many steps of a frequency a day or a week has; business days have weeks of five.

    Parameters
    ----------
    freq
        Frequency in pandas' words.
    unit
        ``"day"`` or ``"week"``.

    Raises
    ------
    PSAGANInputError
        If the unit is no whole number of steps.

    Examples
    --------
    >>> steps_of("h", "week"), steps_of("5min", "day"), steps_of("B", "week")
    (168, 288, 5)
    """
    start = pd.Timestamp("2000-01-03")  # a Monday
    end = start + pd.Timedelta(days=1 if unit == "day" else 7)
    times = pd.date_range(start, end, freq=freq)
    if len(times) < 2 or times[-1] != end or (unit == "week" and len(times) < 3):
        raise PSAGANInputError(f"a {unit} is no whole number of steps at freq={freq!r}; give season, in steps.")
    return len(times) - 1


def season_of(panel: TimeSeriesPanel) -> int:
    """Return the season that can be repeated: a week, or a day where a series has less than two weeks."""
    week = steps_of(panel.freq, "week")
    return week if int(panel.lengths.min()) >= 2 * week else steps_of(panel.freq, "day")


class LastSeason:
    """The same series one season before; where that is not known, the nearest season that is (seasonal naive).

    Earlier seasons count as nearer than later ones.

    Parameters
    ----------
    known
        The part that may be looked at: windows begin anywhere on its calendar, also beyond its end.
    window
        Length of a window.
    season
        Steps of a season; a week by default, or a day where there is less than two weeks.
    """

    def __init__(self, known: TimeSeriesPanel, window: int, season: int | None = None) -> None:
        self.known, self.window = known, window
        self.season = season_of(known) if season is None else season
        if not 1 <= self.season <= int(known.lengths.min()):
            raise PSAGANInputError(
                f"season={self.season} must lie between 1 and the shortest series, {int(known.lengths.min())} steps."
            )

    def __call__(self, series: Tensor, start: Tensor, seed: int = 0, context: Tensor | None = None) -> Tensor:
        """Return windows ``(n, window)``; without randomness.

        Steps within the first season have none before them, and take the one after.
        """
        steps = start[:, None] + torch.arange(self.window, device=start.device)
        length = self.known.lengths.to(start.device)[series, None]
        back = ((steps - length) // self.season + 1).clamp(min=1)
        source = steps - back * self.season
        source = torch.minimum(torch.where(source < 0, steps + self.season, source), length - 1)
        found = self.known.values[series[:, None], source]
        for way in (-self.season, self.season):
            place = source
            while True:
                place = place + way
                open_ = torch.isnan(found) & (place >= 0) & (place < length) & (place != steps)
                if not open_.any():
                    break
                further = self.known.values[series[:, None], place.clamp(min=0).minimum(length - 1)]
                found = torch.where(open_, further, found)
        return found


class LastKnownDay:
    """The last season of each series again and again, backwards from its end: what is left of a cold start.

    Parameters
    ----------
    known
        The part that may be looked at; the last season of each series has no missing value.
    window
        Length of a window.
    season
        Steps of a season; a day by default.
    """

    def __init__(self, known: TimeSeriesPanel, window: int, season: int | None = None) -> None:
        self.known, self.window = known, window
        self.season = steps_of(known.freq, "day") if season is None else season

    def __call__(self, series: Tensor, start: Tensor, seed: int = 0, context: Tensor | None = None) -> Tensor:
        """Return windows ``(n, window)``; without randomness."""
        steps = start[:, None] + torch.arange(self.window, device=start.device)
        begin = self.known.lengths.to(start.device)[series, None] - self.season
        return self.known.values[series[:, None], begin + (steps - begin) % self.season]


class RollingMean:
    """What GluonTS' imputation fills in, to be taken as observed: means of the last values, a missing one as the last.

    Within a gap the mean runs over fewer and fewer known values, and is the last known one in the end.

    Parameters
    ----------
    window
        Length of a window: at least twice that of the context, so that the next window continues it.
    """

    def __init__(self, window: int) -> None:
        self.window = window

    def __call__(self, series: Tensor, start: Tensor, seed: int = 0, context: Tensor | None = None) -> Tensor:
        """Return windows ``(n, window)`` after the values ``(n, k)`` of the context, each the mean of k before it.

        Raises
        ------
        PSAGANInputError
            Without a context.
        """
        if context is None:
            raise PSAGANInputError("a rolling mean needs the values before the window; give context.")
        last = context[:, -1:].expand(-1, self.window - 1)
        return torch.cat([context, last], dim=1).unfold(1, context.shape[1], 1).mean(2)


class ResampledWindows:
    """Windows of the same series from the training part, at random: perfect memory, no calendar.

    Parameters
    ----------
    known
        The training part.
    window
        Length of a window.
    """

    def __init__(self, known: TimeSeriesPanel, window: int) -> None:
        self.known, self.window = known, window
        sampler = WindowSampler(known, window, allow_nan=True)
        self.starts, self.counts = sampler.starts, sampler.counts
        self.first = sampler.counts.cumsum(0) - sampler.counts

    def __call__(self, series: Tensor, start: Tensor, seed: int = 0, context: Tensor | None = None) -> Tensor:
        """Return windows ``(n, window)``."""
        if bool((self.counts[series] == 0).any()):
            raise PSAGANInputError(f"a series has no whole window of {self.window} steps in the training part.")
        generator = torch_generator(seed, "psa-gan", "resampled windows")
        share = torch.rand(len(series), generator=generator, dtype=torch.float64).to(series.device)
        place = self.first[series] + (share * self.counts[series]).long()
        return self.known.windows(series, self.starts[place], self.window)


class BlockBootstrap:
    """The stationary bootstrap (Politis and Romano, 1994) of each series' training part, by ``arch``.

    Parameters
    ----------
    known
        The training part.
    window
        Length of a window.
    block
        Mean length of a block in steps; a day by default (five business days).
    """

    def __init__(self, known: TimeSeriesPanel, window: int, block: int | None = None) -> None:
        day = steps_of(known.freq, "day")
        self.known, self.window = known, window
        self.block = (day if day > 1 else steps_of(known.freq, "week")) if block is None else block

    def __call__(self, series: Tensor, start: Tensor, seed: int = 0, context: Tensor | None = None) -> Tensor:
        """Return windows ``(n, window)``: the beginnings of bootstrap series."""
        from arch.bootstrap import StationaryBootstrap

        values = self.known.values.cpu().numpy()
        wanted = series.cpu().numpy()
        found = np.empty((len(wanted), self.window), dtype=np.float32)
        for one in np.unique(wanted):
            rows = np.flatnonzero(wanted == one)
            own = values[one, : int(self.known.lengths[one])]
            own = own[np.isfinite(own)]
            # A bootstrap series is as long as its source: several one after the other, if that is short.
            n_parts = -(-self.window // len(own))
            generator = numpy_generator(seed, "psa-gan", "block bootstrap", int(one))
            bootstrap = StationaryBootstrap(self.block, own, seed=generator)
            drawn = [data[0][0] for data in bootstrap.bootstrap(len(rows) * n_parts)]
            found[rows] = np.concatenate(drawn).reshape(len(rows), -1)[:, : self.window]
        return torch.from_numpy(found).to(series.device)


class SeasonalMeanAR:
    """The mean at each step of the season (hour of the week) and an autoregression of order 1 around it, by series.

    Parameters
    ----------
    known
        The training part.
    window
        Length of a window.
    season
        Steps of a season; a week by default, or a day where there is less than two weeks.
    """

    def __init__(self, known: TimeSeriesPanel, window: int, season: int | None = None) -> None:
        self.window, self.season = window, season_of(known) if season is None else season
        values = known.values.double()
        n_seasons = -(-values.shape[1] // self.season)
        padded = torch.nn.functional.pad(values, (0, n_seasons * self.season - values.shape[1]), value=torch.nan)
        by_season = padded.view(len(values), n_seasons, self.season)
        # A step of the season that a short series never sees has the series' mean.
        self.mean = torch.where(by_season.isnan().all(1), values.nanmean(1, keepdim=True), by_season.nanmean(1))
        residual = (by_season - self.mean[:, None]).view(len(values), -1)
        self.coefficient = _lag_one(residual)
        # Each step of the season has a mean of its own, which takes as many degrees of freedom.
        freedom = (residual.isfinite().sum(1) - self.season).clamp(min=1)
        self.deviation = (residual.square().nansum(1) / freedom).sqrt()

    def __call__(self, series: Tensor, start: Tensor, seed: int = 0, context: Tensor | None = None) -> Tensor:
        """Return windows ``(n, window)``: the mean and a stationary path around it."""
        noise = torch.randn(
            len(series), self.window, generator=torch_generator(seed, "psa-gan", "seasonal AR"), dtype=torch.float64
        ).to(series.device)
        coefficient, deviation = self.coefficient[series], self.deviation[series]
        path = [noise[:, 0]]
        for step in range(1, self.window):
            path.append(coefficient * path[-1] + (1 - coefficient**2).sqrt() * noise[:, step])
        steps = (start[:, None] + torch.arange(self.window, device=start.device)) % self.season
        return (self.mean[series[:, None], steps] + deviation[:, None] * torch.stack(path, 1)).float()


def _lag_one(residual: Tensor) -> Tensor:
    """Return the autocorrelation at lag 1 of rows that may hold NaN, ``(N,)``."""
    product = (residual[:, 1:] * residual[:, :-1]).nanmean(1)
    found = product / residual.square().nanmean(1)
    return found.nan_to_num(0.0).clamp(-0.999, 0.999)
