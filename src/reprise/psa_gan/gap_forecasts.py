"""Rows of the experiments whose generators are trained anew: missing stretches (F2) and cold starts (F3).

Generators have the variants' length and steps. DeepAR is trained for fewer epochs than in far forecasting, equally many
in all arms, with a context longer than any gap.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import torch

from reprise.compute import numpy_generator
from reprise.psa_gan.cell import Cell, Row
from reprise.psa_gan.controls import BlockBootstrap, LastKnownDay, LastSeason, RollingMean, SeasonalMeanAR, steps_of
from reprise.psa_gan.data import HORIZON
from reprise.psa_gan.deepar import MOVING_AVERAGE_STEPS, DeepARForecaster, ForecastRecipe
from reprise.psa_gan.filling import WindowSource
from reprise.psa_gan.forecasting import (
    Filler,
    Score,
    Task,
    cold_panel,
    cold_start,
    missing_stretches,
    with_missing_stretches,
)
from reprise.psa_gan.forecasts import Bench
from reprise.psa_gan.models import estimator
from reprise.psa_gan.names import BOOTSTRAP, COLD, LAST_DAY, LAST_SEASON, MISSING, PSA, PSA_C, ROLLING_MEAN, SEASONAL_AR
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.sampling import WindowGenerator
from reprise.psa_gan.scaling import MinMaxScaler


def gap_rows(cell: Cell) -> Iterator[Row]:
    """Yield the errors of forecasts at the end of training.

    Yields
    ------
    dict
        ``part``: ``missing`` (``at``: steps of a stretch) and ``cold`` (``at``: per cent of series that are cold).
    """
    s, window = cell.settings, cell.settings.ablation_window
    for length in s.gap_lengths if s.runs(MISSING, cell.seed) else ():
        yield from _rows(cell, "missing", window, length, missing_scores(cell, length))
    for share in s.cold_shares if s.runs(COLD, cell.seed) else ():
        yield from _rows(cell, "cold", window, round(100 * share), cold_scores(cell, share))


def missing_scores(cell: Cell, length: int) -> list[Score]:
    """Return the errors when a stretch of each series is missing in the second half of the training range (F2).

    The generators learn from the first half of all series; the forecasters from the chosen ones, as filled. What is
    missing is unknown to the scaler, too.
    """
    s, window, ends = cell.settings, cell.settings.ablation_window, cell.split.train_lengths
    bench = Bench(cell, window)
    untouched, known = with_missing_stretches(cell.split.train, length, cell.seed)
    scaler = MinMaxScaler.fit(known)
    learnt_from = scaler.transform(untouched)
    first, hidden = (panel.of_series(bench.chosen) for panel in (learnt_from, scaler.transform(known)))
    chosen = scaler.transform(cell.split.panel).of_series(bench.chosen)
    task = Task(chosen, scaler.of_series(bench.chosen), ends[bench.chosen], s.forecast_samples)
    fillers = {
        name: Filler(bench.of_chosen(_generator(cell, learnt_from, context)), window, context, s.fillings)
        for name, context in _contexts(cell)
    }
    fillers |= {
        LAST_SEASON: Filler(LastSeason(hidden, window), window, n_fillings=1),
        BOOTSTRAP: Filler(BlockBootstrap(first, window), window, n_fillings=s.fillings),
        SEASONAL_AR: Filler(SeasonalMeanAR(first, window), window, n_fillings=s.fillings),
        ROLLING_MEAN: Filler(RollingMean(window), window, MOVING_AVERAGE_STEPS, n_fillings=1),
    }
    return missing_stretches(task, hidden, lambda: _forecaster(cell, length), fillers, seed=cell.seed)


def cold_scores(cell: Cell, share: float) -> list[Score]:
    """Return the errors on series of which the last day before T₀ alone is known (F3).

    Generators and forecaster learn from the other series; a cold series is scaled by its day, and its embedding stays
    as it was drawn.
    """
    s, window, ends = cell.settings, cell.settings.ablation_window, cell.split.train_lengths
    drawn = numpy_generator(cell.seed, "psa-gan", "cold series").permutation(cell.panel.n_series)
    n_cold = max(round(share * len(drawn)), 1)
    cold, warm = (torch.from_numpy(part).sort().values for part in (drawn[:n_cold], drawn[n_cold:]))
    n_known = steps_of(cell.panel.freq, "day")
    known = cold_panel(cell.split.panel, ends, cold, n_known)
    scaler = MinMaxScaler.fit(known.until(ends))
    task = Task(scaler.transform(known), scaler, ends, s.forecast_samples)
    fillers = {
        name: Filler(_generator(cell, task.train, context), window, context, s.fillings)
        for name, context in _contexts(cell)
    }
    fillers |= {
        LAST_DAY: Filler(LastKnownDay(task.train, window, n_known), window, n_fillings=1),
        ROLLING_MEAN: Filler(RollingMean(window), window, MOVING_AVERAGE_STEPS, n_fillings=1),
    }
    forecaster = _forecaster(cell, 0).fit(task.train.of_series(warm))
    whole = scaler.transform(cell.split.panel)
    return cold_start(task, forecaster, fillers, cold, whole, seed=cell.seed)


def _contexts(cell: Cell) -> Iterator[tuple[str, int]]:
    """Yield the two models and how many values before a window they see: at most as many as it has."""
    yield PSA, 0
    yield PSA_C, min(cell.settings.context, cell.settings.ablation_window)


def _generator(cell: Cell, learnt_from: TimeSeriesPanel, context: int) -> WindowSource:
    """Train a generator on what is left of a panel; series without a whole window are never drawn."""
    s = cell.settings
    model = estimator(cell, s.ablation_window, s.ablation_steps, {"context": context, "allow_nan": True})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        trainer = model.trainer(learnt_from.to(cell.device))
    trainer.run()
    return WindowGenerator(trainer.generator.eval(), cell.panel.extended(s.ablation_window))


def _forecaster(cell: Cell, longest_gap: int) -> DeepARForecaster:
    s = cell.settings
    context = HORIZON * (1 + -(-longest_gap // HORIZON))
    recipe = ForecastRecipe(HORIZON, context, epochs=s.gap_epochs, n_samples=s.forecast_samples)
    return DeepARForecaster(cell.panel.freq, recipe, cell.seed)


def _rows(cell: Cell, part: str, window: int, at: int, scores: list[Score]) -> Iterator[Row]:
    for score in scores:
        yield cell.row(score["method"], score["metric"], score["value"], part=part, window=window, at=at)
