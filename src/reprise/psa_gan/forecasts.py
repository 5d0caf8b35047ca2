"""Rows of the forecasts of a cell: far ones (F1), direct ones (F4), and generators with score and error (C6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from reprise.compute import numpy_generator
from reprise.psa_gan.cell import Cell, Row
from reprise.psa_gan.controls import BlockBootstrap, LastSeason, RollingMean, SeasonalMeanAR
from reprise.psa_gan.data import HORIZON, N_DISTANCES
from reprise.psa_gan.deepar import MOVING_AVERAGE_STEPS, DeepARForecaster, ForecastRecipe
from reprise.psa_gan.filling import WindowSource
from reprise.psa_gan.forecasting import Filler, Score, Task, far_forecasting, generation
from reprise.psa_gan.models import Trained, curve_steps
from reprise.psa_gan.names import BOOTSTRAP, DEEPAR, LAST_SEASON, REAL, ROLLING_MEAN, SEASONAL_AR, TRUE_VALUES
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.sampling import WindowGenerator

RANKED_DISTANCES = (1, 3, 5)


def forecast_rows(cell: Cell, trained: Sequence[Trained]) -> Iterator[Row]:
    """Yield the forecasts' errors.

    Parameters
    ----------
    cell
        Panel and seed.
    trained
        The models of the main comparison, at one length.

    Yields
    ------
    dict
        ``part``: ``far`` (an arm, ``at`` its distance), ``direct`` (DeepAR, generators and last week with known
        history), ``ranked`` and ``ranked control`` (Context-FID and NRMSE of a generator, ``step`` its age).
    """
    bench = Bench(cell, trained[0].window)
    fillers = {one.method: bench.filler(one) for one in trained}
    fillers |= {**bench.controls(), ROLLING_MEAN: bench.rolling_mean()}
    far = bench.far(fillers)
    known = far_forecasting(bench.task, bench.forecaster, {}, bench.distances)
    for score in (*far, *(one for one in known if one["at"] > 0)):
        yield bench.row("far", score)
    for score in known:
        if score["method"] == TRUE_VALUES:
            yield bench.row("direct", {**score, "method": DEEPAR})
    for score in bench.last_season_known():
        yield bench.row("direct", score)
    yield bench.largest_share()
    for one in trained:
        if one.generator is not None:
            found = generation(bench.task, fillers[one.method], one.method, bench.distances, HORIZON, seed=cell.seed)
            yield from (bench.row("direct", score) for score in found)
    yield from _ranked_rows(bench, trained, far)


def _ranked_rows(bench: Bench, trained: Sequence[Trained], far: Sequence[Score]) -> Iterator[Row]:
    """Yield score and error of early and final generators, and of windows without a model."""
    cell, wanted = bench.cell, bench.cell.settings.ranked_generators
    if not wanted:
        return
    for one in trained:
        for step in ranked_steps(one, wanted):
            source = one.early(cell, step)
            errors = bench.far({one.method: bench.filler(one, source)}, RANKED_DISTANCES)
            yield from bench.ranked("ranked", one.method, source, errors, step)
    for method, filler in bench.controls(mapped=False).items():
        errors = [score for score in far if score["method"] == method and score["at"] in RANKED_DISTANCES]
        yield from bench.ranked("ranked control", method, filler.source, errors, None)


def ranked_steps(one: Trained, wanted: int) -> list[int]:
    """Return the steps of the generators that are ranked: equally far ones with the last, without the untrained."""
    kept = [step for step in curve_steps(one.steps, wanted) if step > 0]
    return [min(one.snapshots, key=lambda have: (abs(have - step), have)) for step in kept] if one.snapshots else []


@dataclass(frozen=True)
class Bench:
    """The chosen series of a cell, with a forecaster, and what fills their histories."""

    cell: Cell
    window: int

    @cached_property
    def chosen(self) -> Tensor:
        """Series that are forecast, in their order: equal for all seeds."""
        n = self.cell.panel.n_series
        generator = numpy_generator(0, "psa-gan", "forecast series")
        return torch.from_numpy(np.sort(generator.permutation(n)[: self.cell.settings.forecast_series]))

    @cached_property
    def task(self) -> Task:
        """The chosen series, scaled, on the CPU."""
        panel, scaler = self.cell.scaling
        own = panel.to("cpu").of_series(self.chosen)
        train_lengths = self.cell.split.train_lengths[self.chosen]
        return Task(own, scaler.of_series(self.chosen), train_lengths, self.cell.settings.forecast_samples)

    @cached_property
    def forecaster(self) -> DeepARForecaster:
        """DeepAR, trained on the training part of all series."""
        s = self.cell.settings
        # As long as all that is ever hidden and a window more: no history is without an observed value.
        context = HORIZON * len(self.distances)
        recipe = ForecastRecipe(HORIZON, context, epochs=s.deepar_epochs, n_samples=s.forecast_samples)
        return DeepARForecaster(self.cell.panel.freq, recipe, self.cell.seed).fit(self.cell.train)

    @cached_property
    def distances(self) -> tuple[int, ...]:
        """The w of forecasts: as many as the held-out part has room for, seven at most."""
        return tuple(range(min(self.cell.split.held_out // HORIZON, N_DISTANCES)))

    @cached_property
    def reaching(self) -> TimeSeriesPanel:
        """The cell's panel with a calendar of one window more: the last window of a gap may end beyond the panel."""
        return self.cell.panel.extended(self.window)

    def filler(self, one: Trained, source: WindowSource | None = None) -> Filler:
        """Return what fills by a model, or by an early generator of it."""
        context = one.generator.architecture.context if one.generator is not None else 0
        source = one.source if source is None else source
        return Filler(self.of_chosen(source), self.window, context, self.cell.settings.fillings)

    def controls(self, *, mapped: bool = True) -> dict[str, Filler]:
        """Return what fills without a model; unmapped sources take the cell's series instead of the chosen ones."""
        train, n = self.cell.train, self.cell.settings.fillings
        sources: dict[str, tuple[WindowSource, int]] = {
            LAST_SEASON: (LastSeason(train, self.window), 1),
            BOOTSTRAP: (BlockBootstrap(train, self.window), n),
            SEASONAL_AR: (SeasonalMeanAR(train, self.window), n),
        }
        return {
            name: Filler(self.of_chosen(source) if mapped else source, self.window, n_fillings=fillings)
            for name, (source, fillings) in sources.items()
        }

    def rolling_mean(self) -> Filler:
        """Return what fills by the mean of the last ten values, which then count as observed."""
        return Filler(RollingMean(self.window), self.window, MOVING_AVERAGE_STEPS, n_fillings=1)

    def far(self, fillers: dict[str, Filler], distances: Sequence[int] | None = None) -> list[Score]:
        """Return the errors of far forecasts; at distance 0 nothing is hidden, and all arms are alike."""
        wanted = self.distances[1:] if distances is None else [w for w in distances if w in self.distances]
        return far_forecasting(self.task, self.forecaster, fillers, wanted, seed=self.cell.seed, controls=False)

    def last_season_known(self) -> Iterator[Score]:
        """Yield the errors of the last season repeated with known history: what any forecast has to beat."""
        task = self.task
        for distance in self.distances:
            known = task.panel.until(task.train_lengths + distance * HORIZON)
            filler = Filler(LastSeason(known, self.window), self.window, n_fillings=1)
            yield from generation(task, filler, LAST_SEASON, [distance], HORIZON)

    def largest_share(self) -> Row:
        """Return how much of the sum of mean levels one series has: errors on the original scale are weighted so."""
        task, ends = self.task, self.task.train_lengths
        levels = task.truth(ends, int((task.panel.lengths - ends).min())).abs().mean(1)
        return self.cell.row(REAL, "largest share", float(levels.max() / levels.sum()), part="far", window=self.window)

    def row(self, part: str, score: Score) -> Row:
        """Return the row of one error."""
        return self.cell.row(
            score["method"], score["metric"], score["value"], part=part, window=self.window, at=score["at"]
        )

    def ranked(
        self, part: str, method: str, source: WindowSource, errors: Sequence[Score], step: int | None
    ) -> Iterator[Row]:
        """Yield a generator's Context-FID and its mean errors."""
        result, _ = self.cell.score(source, self.window)
        found = {"context FID": result.mean}
        for metric in ("NRMSE", "NRMSE, scaled"):
            found[metric] = float(np.mean([score["value"] for score in errors if score["metric"] == metric]))
        for metric, value in found.items():
            yield self.cell.row(method, metric, value, part=part, window=self.window, step=step)

    def of_chosen(self, source: WindowSource) -> WindowSource:
        """Return a source that takes places among the chosen series, and a generator's calendar a window longer."""
        if isinstance(source, WindowGenerator):
            source = WindowGenerator(source.generator, self.reaching, depth=source.depth, alpha=source.alpha)
        device = self.cell.device

        def of_chosen(series: Tensor, start: Tensor, seed: int = 0, context: Tensor | None = None) -> Tensor:
            past = None if context is None else context.to(device)
            return source(self.chosen[series].to(device), start.to(device), seed, past).cpu()

        return of_chosen
