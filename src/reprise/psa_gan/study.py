"""The study: settings in, tidy rows out.

Beyond the common columns, rows have ``part``, ``window`` (τ), ``at`` (band, block, stage, distance of a forecast,
number of an encoder), ``step`` (generator steps, or what the part says) and ``place`` (draw, frequency, lag, place in a
window). The record's summary takes means over ``step`` and ``place``: lines for each of them would be most of it.

- ``level``: Context-FID and its floor by draw, bias-corrected value, raw-window FID; ``split`` is ``"test"`` for the
  held-out range and ``"train"`` for the range that training saw.
- ``degraded``: scores of real windows that were damaged in known ways (`reprise.psa_gan.degradations`).
- ``curve``: Context-FID of early generators; ``equal operations``: growing against full depth at equal arithmetic.
- ``training``, ``spectrum``, ``likeness``, ``spread``, ``memory``, ``shown``, ``growth``: see
  `reprise.psa_gan.measurements`.
- ``attention``: see `reprise.psa_gan.attention`; ``encoder``, ``encoders``: the encoder's loss, and the scores of the
  same windows under further encoders.
- ``far``, ``direct``, ``ranked``: forecasts (`reprise.psa_gan.forecasts`); ``missing``, ``cold``: those after gaps
  (`reprise.psa_gan.gap_forecasts`).
- ``cost``: floating-point operations.

All models of a seed share its panel, its encoder, its forecaster and the conditions that are scored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reprise import rows
from reprise.compute import use_threads
from reprise.psa_gan.attention import attention_rows
from reprise.psa_gan.cell import Cell, Row
from reprise.psa_gan.controls import BlockBootstrap, LastSeason, ResampledWindows, SeasonalMeanAR
from reprise.psa_gan.degradations import degradation_rows
from reprise.psa_gan.filling import WindowSource
from reprise.psa_gan.forecasts import forecast_rows
from reprise.psa_gan.gap_forecasts import gap_rows
from reprise.psa_gan.measurements import (
    curve_rows,
    encoder_rows,
    further_encoder_rows,
    growth_rows,
    likeness_rows,
    memory_rows,
    shown_rows,
    spectrum_rows,
    spread_rows,
    training_rows,
)
from reprise.psa_gan.models import (
    Trained,
    main_model,
    step_operations,
    steps_of_equal_operations,
    variant_model,
)
from reprise.psa_gan.names import (
    BOOTSTRAP,
    ENCODERS,
    FRESH_NOISE,
    LAST_SEASON,
    NO_GROWING,
    PSA,
    REAL,
    RESAMPLED,
    SEASONAL_AR,
    UNIT_NOISE,
)
from reprise.psa_gan.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


def run(settings: Settings) -> pd.DataFrame:
    """Run the study.

    Parameters
    ----------
    settings
        What to run.

    Returns
    -------
    pandas.DataFrame
        Tidy rows. Those of one data set and seed do not depend on which others are run.

    Raises
    ------
    PSAGANInputError
        If a panel has no room for what is asked, before anything is trained.
    """
    use_threads(settings.threads)
    waiting = list(cells(settings))
    for cell in waiting:
        cell.check()
    found: dict[tuple[object, ...], Row] = {}
    while waiting:
        found |= {_identity(row): row for row in _rows_of(waiting.pop(0))}  # its models are let go with it
    return rows.tidy(found.values())


def cells(settings: Settings) -> Iterator[Cell]:
    """Yield panels and seeds; side panels have settings and seeds of their own."""
    for dataset in settings.all_datasets:
        chosen = settings.of_side() if dataset in settings.side_datasets else settings
        for seed in settings.seeds:
            if settings.runs(dataset, seed):
                yield Cell(chosen, dataset, seed)


def _identity(row: Row) -> tuple[object, ...]:
    # Where the variants' length is the main one, the full model stands in both comparisons and is kept once.
    return tuple(value for name, value in sorted(row.items()) if name != "value")


def _rows_of(cell: Cell) -> Iterator[Row]:
    s = cell.settings
    models = [name for name in s.models if s.runs(name, cell.seed)]
    trained = [main_model(cell, name, window) for window in s.windows for name in models]
    for one in trained:
        yield from _main_rows(cell, one)
    yield from encoder_rows(cell)
    for window in s.windows:
        yield from likeness_rows(cell, REAL, cell.real(window))
        yield from degradation_rows(cell, window)
    if s.variants:
        yield from _ablation_rows(cell)
    if s.controls:
        yield from _control_rows(cell)
    if s.forecast_series:
        yield from forecast_rows(cell, [one for one in trained if one.window == s.window])
    yield from gap_rows(cell)
    if s.further_encoders and s.runs(ENCODERS, cell.seed):
        sources = {one.method: one.source for one in trained if one.window == s.window}
        yield from further_encoder_rows(cell, {**sources, **_controls(cell, s.window)}, s.window)
    for depth, cost in enumerate(step_operations(cell, s.window)):
        yield cell.row(PSA, "operations a step", cost, part="cost", window=s.window, at=depth)


def _main_rows(cell: Cell, one: Trained) -> Iterator[Row]:
    yield from cell.level_rows(one.method, one.source, one.window)
    yield from spread_rows(cell, one)
    yield from memory_rows(cell, one)
    yield from likeness_rows(cell, one.method, one.source(*cell.conditions(one.window), seed=cell.seed))
    if one.generator is not None:
        yield from curve_rows(cell, one)
    if one.history[1]:
        yield from training_rows(cell, one)
    if one.method == PSA:
        yield from shown_rows(cell, one)
        yield from growth_rows(cell, one)
        yield from attention_rows(cell, one)
        yield from spectrum_rows(cell, one)


def _ablation_rows(cell: Cell) -> Iterator[Row]:
    run = [variant for variant in cell.settings.variants if cell.settings.runs(variant, cell.seed)]
    for variant in (None, *run):
        one = variant_model(cell, variant)
        yield from cell.level_rows(one.method, one.source, one.window)
        if variant is None:
            yield from training_rows(cell, one)
        if variant in (None, UNIT_NOISE, FRESH_NOISE):
            yield from spread_rows(cell, one)
        if variant in (None, NO_GROWING):
            yield from spectrum_rows(cell, one)
        if variant == NO_GROWING:
            yield from _equal_operations_rows(cell, one)


def _equal_operations_rows(cell: Cell, fixed: Trained) -> Iterator[Row]:
    """Yield the scores of both when full depth from the start may take no more operations than growing does."""
    grown = variant_model(cell, None)
    step = steps_of_equal_operations(cell, fixed.window, fixed.steps)
    sources: dict[str, tuple[int, WindowSource]] = {
        grown.method: (grown.steps, grown.source),
        fixed.method: (step, fixed.early(cell, step)),
    }
    for method, (steps, source) in sources.items():
        result, _ = cell.score(source, fixed.window)
        columns = {"part": "equal operations", "window": fixed.window}
        yield cell.row(method, "context FID", result.mean, **columns)
        yield cell.row(method, "steps", steps, **columns)


def _control_rows(cell: Cell) -> Iterator[Row]:
    lengths = (
        (*cell.settings.windows, cell.settings.ablation_window) if cell.settings.variants else cell.settings.windows
    )
    for window in dict.fromkeys(lengths):
        for method, source in _controls(cell, window).items():
            yield from cell.level_rows(method, source, window)


def _controls(cell: Cell, window: int) -> dict[str, WindowSource]:
    return {
        LAST_SEASON: LastSeason(cell.train, window),
        BOOTSTRAP: BlockBootstrap(cell.train, window),
        SEASONAL_AR: SeasonalMeanAR(cell.train, window),
        RESAMPLED: ResampledWindows(cell.train, window),
    }
