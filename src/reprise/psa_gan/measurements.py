"""What is measured of a trained model: scores on its way, losses, spectra, spread, memory, and windows to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from reprise.compute import torch_generator
from reprise.psa_gan.audits import autocorrelation, conditional_spread, memorisation, octave_band_powers
from reprise.psa_gan.cell import Cell, Row
from reprise.psa_gan.fid import compare_embeddings
from reprise.psa_gan.filling import WindowSource
from reprise.psa_gan.models import SPECTRA, Trained, curve_steps
from reprise.psa_gan.names import ENCODER, REAL
from reprise.psa_gan.windows import WindowSampler

SPECTRUM_WINDOWS = 256
SPREAD_CONDITIONS, SPREAD_SAMPLES = 64, 32
MEMORY_WINDOWS = 256
SHOWN = 6  # windows that are kept to be looked at
GROWN = 2
HISTORY_POINTS = 25


def curve_rows(cell: Cell, trained: Trained) -> Iterator[Row]:
    """Yield the Context-FID of early generators, at full length throughout."""
    for step in curve_steps(trained.steps, cell.settings.curve_points):
        if step in trained.snapshots:
            result, _ = cell.score(trained.early(cell, step), trained.window)
            columns = {"part": "curve", "window": trained.window, "step": step}
            yield cell.row(trained.method, "context FID", result.mean, **columns)
            yield cell.row(trained.method, "floor", result.floor, **columns)
    for step in () if trained.schedule is None else trained.schedule.growth_steps:
        yield cell.row(trained.method, "grows", 1, part="curve", window=trained.window, step=step)


def training_rows(cell: Cell, trained: Trained) -> Iterator[Row]:
    """Yield losses and gates, thinned out."""
    names, history = trained.history
    every = max(1, trained.steps // HISTORY_POINTS)
    for values in history[::every]:
        step, columns = int(values[0]), {"part": "training", "window": trained.window}
        for name, value in zip(names[3:], values[3:], strict=True):
            metric, _, block = name.partition("_")
            at = int(block) if block else None
            yield cell.row(trained.method, metric, value, split="train", step=step, at=at, **columns)


def spectrum_rows(cell: Cell, trained: Trained) -> Iterator[Row]:
    """Yield |log(Ŝ/S)| of each octave band during training, for windows on the same conditions."""
    series, start = (one[:SPECTRUM_WINDOWS] for one in cell.conditions(trained.window))
    real = octave_band_powers(cell.panel.windows(series, start, trained.window))
    for step in curve_steps(trained.steps, min(SPECTRA, trained.steps)):
        powers = octave_band_powers(trained.early(cell, step)(series, start, cell.seed))
        errors = (powers.clamp(min=1e-12) / real.clamp(min=1e-12)).log().abs()
        for band, error in enumerate(errors.tolist()):
            columns = {"part": "spectrum", "window": trained.window, "step": step, "at": band}
            yield cell.row(trained.method, "log error of power", error, **columns)


def likeness_rows(cell: Cell, method: str, windows: Tensor) -> Iterator[Row]:
    """Yield mean periodogram and autocorrelation of windows on the scored conditions."""
    window = windows.shape[1]
    columns = {"part": "likeness", "window": window}
    centred = windows - windows.mean(dim=1, keepdim=True)
    power = torch.fft.rfft(centred).abs().square().mean(dim=0) / window
    for frequency, value in enumerate(power.tolist()[1:], 1):
        yield cell.row(method, "power", value, place=frequency, **columns)
    for lag, value in enumerate(autocorrelation(windows, window // 2).tolist(), 1):
        yield cell.row(method, "autocorrelation", value, place=lag, **columns)


def spread_rows(cell: Cell, trained: Trained) -> Iterator[Row]:
    """Yield how much samples of one condition differ, against the real windows' distance from them."""
    series, start = (one[:SPREAD_CONDITIONS] for one in cell.conditions(trained.window))
    drawn = trained.source(series.repeat(SPREAD_SAMPLES), start.repeat(SPREAD_SAMPLES), seed=cell.seed)
    samples = drawn.view(SPREAD_SAMPLES, len(series), trained.window)
    real = cell.panel.windows(series, start, trained.window)
    for metric, value in conditional_spread(samples, real).items():
        yield cell.row(trained.method, metric, value, part="spread", window=trained.window)


def encoder_rows(cell: Cell) -> Iterator[Row]:
    """Yield the encoder's loss over its first and last steps: untrained, all embeddings alike, it is 3 ln 2."""
    losses = cell.scorer.losses_
    few = max(len(losses) // 10, 1)
    for at, part in enumerate((losses[:few], losses[-few:])):
        yield cell.row(ENCODER, "loss", sum(part) / few, split="train", part="encoder", at=at)


def further_encoder_rows(cell: Cell, sources: Mapping[str, WindowSource], window: int) -> Iterator[Row]:
    """Yield the scores of the same windows under several encoders: ``at`` is its number, 0 the seed's own."""
    real = cell.real(window)
    made = {method: source(*cell.conditions(window), seed=cell.seed) for method, source in sources.items()}
    for number in range(cell.settings.further_encoders + 1):
        scorer = cell.scorer if number == 0 else cell.new_scorer(number)
        embedded = scorer.embed(real)
        for method, windows in made.items():
            result = compare_embeddings(embedded, scorer.embed(windows), cell.settings.fid_draws)
            columns = {"part": "encoders", "window": window, "at": number}
            yield cell.row(method, "context FID", result.mean, **columns)
            yield cell.row(method, "floor", result.floor, **columns)


def memory_rows(cell: Cell, trained: Trained) -> Iterator[Row]:
    """Yield distances to the nearest training window, of samples and of held-out windows."""
    series, start = (one[:MEMORY_WINDOWS] for one in cell.conditions(trained.window))
    fake = trained.source(series, start, seed=cell.seed)
    held_out = cell.panel.windows(series, start, trained.window)
    sampler = WindowSampler(cell.train, trained.window)
    drawn = sampler.draw(16 * MEMORY_WINDOWS, torch_generator(cell.seed, "psa-gan", "memory"))
    for metric, value in memorisation(fake, cell.train.windows(*drawn, trained.window), held_out).items():
        yield cell.row(trained.method, metric, value, part="memory", window=trained.window)


def shown_rows(cell: Cell, trained: Trained) -> Iterator[Row]:
    """Yield some synthetic and real windows of the same series and hours; step is the number of the pair."""
    series, start = (one[:SHOWN] for one in cell.conditions(trained.window))
    shown = {trained.method: trained.source(series, start, seed=cell.seed)}
    shown[REAL] = cell.panel.windows(series, start, trained.window)
    for method, windows in shown.items():
        for number, values in enumerate(windows.tolist()):
            for place, value in enumerate(values):
                columns = {"part": "shown", "window": trained.window, "step": number, "place": place}
                yield cell.row(method, "window", value, **columns)
    for number, first in enumerate(start.tolist()):
        yield cell.row(REAL, "first step", first, part="shown", window=trained.window, step=number)


def growth_rows(cell: Cell, trained: Trained) -> Iterator[Row]:
    """Yield what the generator said at the end of each stage, from the same noise and condition; step is the length."""
    assert trained.schedule is not None
    series, start = (one[:GROWN] for one in cell.conditions(trained.window))
    ends = (*trained.schedule.growth_steps, trained.steps)
    lengths = [trained.window // 2**halvings for halvings in reversed(range(len(ends)))]
    for end, length in zip(ends, lengths, strict=True):
        windows = trained.early(cell, end)(series, start, cell.seed)
        for number, values in enumerate(windows[:, :: trained.window // length].tolist()):
            for place, value in enumerate(values):
                columns = {"part": f"growth {number}", "window": trained.window, "step": length, "place": place}
                yield cell.row(trained.method, "window", value, **columns)
