"""What synthetic windows are worth to a forecaster: the paper's four experiments with DeepAR.

- F1, far forecasting: the history between the end of training and each forecast is hidden and filled.
- F2, missing stretches: stretches of the training range are hidden and filled, for training and forecasts.
- F3, cold start: of some series the last day alone is known; the rest is filled.
- F4, forecasting by generation: the generator itself continues the history.

An *arm* is a way to fill. Forecasts are scored on the original scale, over all series and windows together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from reprise.compute import numpy_generator, seed_sequence
from reprise.psa_gan.deepar import DeepARForecaster
from reprise.psa_gan.filling import WindowSource, fill_gaps
from reprise.psa_gan.forecast_errors import errors
from reprise.psa_gan.input_checks import PSAGANInputError, name_some
from reprise.psa_gan.names import MOVING_AVERAGE, TRUE_VALUES
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.scaling import MinMaxScaler

Score = dict[str, Any]
FIRST_SHARE = 0.5  # of the training range: the part without missing stretches


@dataclass(frozen=True)
class Filler:
    """An arm that fills by windows.

    Attributes
    ----------
    source
        Makes the windows, on the scaled range; its own panel must have a calendar of one window beyond the last gap
        (`TimeSeriesPanel.extended`).
    window, context
        τ, and how many values before a window the source sees.
    n_fillings
        Fillings over which forecasts are averaged; 1 for a source without randomness.
    """

    source: WindowSource
    window: int
    context: int = 0
    n_fillings: int = 10


@dataclass(frozen=True)
class Task:
    """What all experiments start from.

    Attributes
    ----------
    panel
        All of the scaled panel.
    scaler
        Fitted on the training part.
    train_lengths
        End of the training part of each series, T₀, ``(N,)``.
    n_paths
        DeepAR's paths for a forecast, all fillings together.
    """

    panel: TimeSeriesPanel
    scaler: MinMaxScaler
    train_lengths: Tensor
    n_paths: int = 100

    @property
    def train(self) -> TimeSeriesPanel:
        """The scaled training part."""
        return self.panel.until(self.train_lengths)

    def truth(self, ends: Tensor, horizon: int) -> Tensor:
        """Return the values after the given steps, on the original scale, ``(N, horizon)``."""
        series = torch.arange(self.panel.n_series)
        return self.scaler.inverse_transform(self.panel.windows(series, ends, horizon), series)


# ---- F1: far forecasting -------------------------------------------------------------------------------------


def far_forecasting(
    task: Task,
    forecaster: DeepARForecaster,
    fillers: Mapping[str, Filler],
    distances: Sequence[int],
    *,
    seed: int = 0,
    controls: bool = True,
) -> list[Score]:
    """Forecast ``[T₀ + w·h, T₀ + (w + 1)·h)`` from histories whose part after T₀ is filled (F1).

    Parameters
    ----------
    task
        Panel, scaler, end of training.
    forecaster
        Fitted on the training part: one for all arms.
    fillers
        Name of an arm to what fills.
    distances
        The w; at w = 0 nothing is hidden.
    seed
        Of the fillings.
    controls
        Whether moving average and true values are forecast from, too.

    Returns
    -------
    list of dict
        ``method``, ``metric``, ``at`` (the distance) and ``value``.

    Raises
    ------
    PSAGANInputError
        If a distance reaches beyond a series' end.
    """
    horizon = forecaster.recipe.horizon
    hidden = hidden_future(task, horizon * max(distances), horizon)
    histories = {name: filled(hidden, one, seed) for name, one in fillers.items()}
    if controls:
        histories |= {MOVING_AVERAGE: hidden.values[None], TRUE_VALUES: task.panel.values[None]}
    return [
        score
        for name, values in histories.items()
        for distance in distances
        for score in _scores(task, forecaster, values, task.train_lengths + distance * horizon, name, distance)
    ]


def hidden_future(task: Task, n_hidden: int, horizon: int) -> TimeSeriesPanel:
    """Return the panel up to ``T₀ + n_hidden`` with its last ``n_hidden`` values missing."""
    ends = task.train_lengths + n_hidden
    if bool((ends + horizon > task.panel.lengths).any()):
        raise PSAGANInputError(
            f"a forecast of {horizon} steps after {n_hidden} hidden ones reaches beyond a series' end; hold out "
            f"{n_hidden + horizon} steps or more, or forecast at smaller distances."
        )
    beyond = torch.arange(task.panel.n_steps) >= task.train_lengths[:, None]
    return task.panel.with_values(task.panel.values.masked_fill(beyond.to(task.panel.device), torch.nan), ends)


def filled(hidden: TimeSeriesPanel, filler: Filler, seed: int) -> Tensor:
    """Return the values ``(n_fillings, N, T)`` of a panel with its gaps filled."""
    longer = hidden.extended(filler.window)
    found = fill_gaps(longer, filler.source, filler.window, filler.context, n_samples=filler.n_fillings, seed=seed)
    return found[..., : hidden.n_steps]


def forecast(forecaster: DeepARForecaster, values: Tensor, ends: Tensor, starts: Sequence[Any], n_paths: int) -> Tensor:
    """Return paths from each filling's history up to the ends, ``(n_paths, N, horizon)``.

    Parameters
    ----------
    values
        Fillings ``(n_fillings, N, T)``, which share the paths.
    ends, starts
        Step where each forecast begins, ``(N,)``, and time of each series' first step.
    n_paths
        Paths of all fillings together.
    """
    n_fillings, n_series, _ = values.shape
    rows = values.cpu().numpy().reshape(n_fillings * n_series, -1)
    histories = [row[:end] for row, end in zip(rows, ends.tolist() * n_fillings, strict=True)]
    found = forecaster.sample(histories, list(starts) * n_fillings, max(n_paths // n_fillings, 1))
    return found.reshape(-1, n_series, found.shape[-1])


def _scores(
    task: Task, forecaster: DeepARForecaster, values: Tensor, ends: Tensor, method: str, at: int | None
) -> list[Score]:
    paths = forecast(forecaster, values, ends, task.panel.starts, task.n_paths)
    found = errors(paths, task.truth(ends, forecaster.recipe.horizon), task.scaler)
    return [{"method": method, "metric": metric, "at": at, "value": value} for metric, value in found.items()]


# ---- F2: missing stretches -----------------------------------------------------------------------------------


def with_missing_stretches(
    train: TimeSeriesPanel, length: int, seed: int, first_share: float = FIRST_SHARE
) -> tuple[TimeSeriesPanel, TimeSeriesPanel]:
    """Hide one stretch of each series in the second part of the training range (F2).

    Parameters
    ----------
    train
        The training part, on any scale.
    length
        Steps of a stretch (paper: 50 and 110).
    seed
        Of the places.
    first_share
        Share of the range that stays untouched, on which generators are trained.

    Returns
    -------
    (TimeSeriesPanel, TimeSeriesPanel)
        The untouched first part, and the whole range with its stretches missing.

    Raises
    ------
    PSAGANInputError
        If the second part of a series is shorter than a stretch.
    """
    first = (train.lengths * first_share).long()
    room = train.lengths - first - length
    if bool((room < 0).any()):
        raise PSAGANInputError(
            f"stretches of {length} steps do not fit into the second part of series "
            f"{name_some([train.item_ids[place] for place in (room < 0).nonzero().ravel().tolist()])}; shorten them."
        )
    share = torch.from_numpy(numpy_generator(seed, "psa-gan", "missing stretches").random(train.n_series))
    begin = first + (share * (room + 1)).long()
    steps = torch.arange(train.n_steps)
    missing = (steps >= begin[:, None]) & (steps < begin[:, None] + length)
    return train.until(first), train.with_values(train.values.masked_fill(missing.to(train.device), torch.nan))


def missing_stretches(
    task: Task,
    hidden: TimeSeriesPanel,
    new_forecaster: Callable[[], DeepARForecaster],
    fillers: Mapping[str, Filler],
    *,
    seed: int = 0,
) -> list[Score]:
    """Train and forecast on histories whose missing stretches are filled, at ``T₀`` (F2).

    Parameters
    ----------
    task, fillers, seed
        As in `far_forecasting`; fillers are trained on the untouched first part.
    hidden
        The training range with missing stretches.
    new_forecaster
        Makes an untrained forecaster: each arm trains one, on its first filling.

    Returns
    -------
    list of dict
        ``method``, ``metric``, ``at`` (0) and ``value``.
    """
    histories = {name: filled(hidden, one, seed) for name, one in fillers.items()}
    histories |= {MOVING_AVERAGE: hidden.values[None], TRUE_VALUES: task.train.values[None]}
    scores = []
    for name, values in histories.items():
        forecaster = new_forecaster().fit(hidden.with_values(values[0]))
        scores += _scores(task, forecaster, values, task.train_lengths, name, 0)
    return scores


# ---- F3: cold start ------------------------------------------------------------------------------------------


def cold_panel(panel: TimeSeriesPanel, train_lengths: Tensor, cold: Tensor, n_known: int = 24) -> TimeSeriesPanel:
    """Return a panel in which of some series only the last values before T₀ are known (F3).

    Parameters
    ----------
    panel
        On the original scale: scalers are to be fitted on what is left.
    train_lengths
        T₀ of each series, ``(N,)``.
    cold
        Series that are cold.
    n_known
        Values that remain of them (paper: 24).
    """
    is_cold = torch.zeros(panel.n_series, dtype=torch.bool)
    is_cold[cold] = True
    early = torch.arange(panel.n_steps) < (train_lengths - n_known)[:, None]
    return panel.with_values(panel.values.masked_fill((early & is_cold[:, None]).to(panel.device), torch.nan))


def cold_start(
    task: Task,
    forecaster: DeepARForecaster,
    fillers: Mapping[str, Filler],
    cold: Tensor,
    whole: TimeSeriesPanel,
    *,
    seed: int = 0,
) -> list[Score]:
    """Forecast cold series at T₀ from a past that is filled (F3).

    Parameters
    ----------
    task
        Of a `cold_panel`, scaled.
    forecaster
        Fitted on the other series.
    fillers, seed
        As in `far_forecasting`.
    cold
        Series that are cold, ``(n,)``: errors are of these alone.
    whole
        The panel with nothing missing, on the task's scale: the arm of true values.

    Returns
    -------
    list of dict
        ``method``, ``metric``, ``at`` (0) and ``value``.
    """
    histories = {name: filled(task.train, one, seed)[:, cold] for name, one in fillers.items()}
    histories |= {MOVING_AVERAGE: task.train.values[None, cold], TRUE_VALUES: whole.values[None, cold]}
    ends = task.train_lengths[cold]
    starts = [task.panel.starts[place] for place in cold.tolist()]
    truth = task.truth(task.train_lengths, forecaster.recipe.horizon)[cold]
    scores = []
    for name, values in histories.items():
        found = errors(forecast(forecaster, values, ends, starts, task.n_paths), truth, task.scaler, cold)
        scores += [{"method": name, "metric": metric, "at": 0, "value": value} for metric, value in found.items()]
    return scores


# ---- F4: forecasting by generation ---------------------------------------------------------------------------


def generation(
    task: Task, filler: Filler, name: str, distances: Sequence[int], horizon: int, *, seed: int = 0
) -> list[Score]:
    """Take the first steps of generated windows for a forecast, with the history known (F4).

    Parameters
    ----------
    task
        Panel, scaler, end of training.
    filler
        The generator; it takes its context from its own panel, which must hold the true values.
    name
        Name of the method in the scores.
    distances
        The w: forecasts begin at ``T₀ + w·h``.
    horizon
        h, at most the window.
    seed
        Of the samples.

    Returns
    -------
    list of dict
        ``method``, ``metric``, ``at`` (the distance) and ``value``; compare with the arm of true values of
        `far_forecasting`.
    """
    if horizon > filler.window:
        raise PSAGANInputError(f"horizon={horizon} is longer than the window of {filler.window} steps; shorten it.")
    series = torch.arange(task.panel.n_series)
    scores = []
    for distance in distances:
        ends = task.train_lengths + distance * horizon
        n = task.n_paths
        own_seed = int(seed_sequence(seed, "psa-gan", "generation", distance).generate_state(1)[0])
        windows = filler.source(series.repeat(n), ends.repeat(n), own_seed).cpu()
        found = errors(windows.view(n, len(series), -1)[..., :horizon], task.truth(ends, horizon), task.scaler)
        scores += [{"method": name, "metric": metric, "at": distance, "value": v} for metric, v in found.items()]
    return scores
