"""One panel and one seed of the study: its data, its encoder, its trained models, and how results become rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from reprise.compute import resolve_device, seed_sequence, torch_generator
from reprise.psa_gan.data import SplitPanel, load
from reprise.psa_gan.fid import (
    SMALL_RECIPE,
    WINDOWS_PER_DRAW,
    ContextFID,
    FIDResult,
    compare_embeddings,
    raw_window_fid,
)
from reprise.psa_gan.filling import WindowSource
from reprise.psa_gan.forecasting import with_missing_stretches
from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.names import COLD, MISSING
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.scaling import MinMaxScaler
from reprise.psa_gan.settings import Settings
from reprise.psa_gan.window_checks import check_panel
from reprise.psa_gan.windows import WindowSampler

Row = dict[str, Any]
Conditions = tuple[Tensor, Tensor]
COLUMNS = ("part", "window", "at", "step", "place")
HELD_OUT, TRAINING = "test", "train"
LEAST_STARTS = 64  # first steps that the longest window can have in the held-out part, at least
_QUICK_RECIPE = {"dim": 20, "depth": 3, "channels": 16, "reduced": 32, "batch_size": 16, "n_negatives": 5,
                 "max_length": 64, "learning_rate": 5e-3}  # fmt: skip
_RECIPES: dict[str, dict[str, Any]] = {"quick": _QUICK_RECIPE, "small": vars(SMALL_RECIPE), "paper": {}}


@dataclass(frozen=True)
class Cell:
    """A panel and seed; what is asked for twice is computed once."""

    settings: Settings
    dataset: str
    seed: int
    found: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def device(self) -> torch.device:
        """Where the models are trained."""
        return resolve_device(self.settings.device)

    @cached_property
    def split(self) -> SplitPanel:
        """The panel on its own scale, with the end of its training part.

        More is held out than the data set says where its held-out part has no room for windows of all lengths.
        """
        found = load(self.dataset, self.seed)
        least = max(self.lengths) + LEAST_STARTS
        return found if found.held_out >= least else replace(found, held_out=least)

    @property
    def lengths(self) -> tuple[int, ...]:
        """All τ of windows that are scored, or generated to fill gaps."""
        s = self.settings
        further = (s.ablation_window,) if s.variants or s.gap_lengths or s.cold_shares else ()
        return tuple(dict.fromkeys((*s.windows, *further)))

    def check(self) -> None:
        """Refuse what the panel has no room for, before anything is trained.

        Raises
        ------
        PSAGANInputError
            If a length has no window to train on or to be scored, there are too few series for the encoder, a stretch
            that is to be missing has no room, or so many series are cold that fewer than two are left.
        """
        s, n_series = self.settings, self.panel.n_series
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                for window in self.lengths:
                    WindowSampler(self.train, window, s.context)
                    for split in (HELD_OUT, TRAINING):
                        self.conditions(window, split)
                check_panel(self.train, SMALL_RECIPE.max_length)
                for length in s.gap_lengths if s.runs(MISSING, self.seed) else ():
                    with_missing_stretches(self.train, length, self.seed)
        except PSAGANInputError as error:
            raise PSAGANInputError(f"{self.dataset}: {error}") from error
        for share in s.cold_shares if s.runs(COLD, self.seed) else ():
            if n_series - max(round(share * n_series), 1) < 2:
                raise PSAGANInputError(
                    f"{self.dataset}: cold_shares has {share:g}, which leaves fewer than 2 of {n_series} series to "
                    "learn from; take a smaller share, or leave the data set out."
                )

    @cached_property
    def scaling(self) -> tuple[TimeSeriesPanel, MinMaxScaler]:
        """The whole panel, scaled by its training part, and the scaler."""
        panel, scaler = self.split.scaled()
        return panel.to(self.device), scaler

    @property
    def panel(self) -> TimeSeriesPanel:
        """The whole scaled panel: conditions and contexts of what is scored come from it."""
        return self.scaling[0]

    @cached_property
    def train(self) -> TimeSeriesPanel:
        """The scaled training part: all that any model learns from."""
        return self.panel.until(self.split.train_lengths)

    @cached_property
    def scorer(self) -> ContextFID:
        """Context-FID with this seed's encoder, trained on the training part."""
        return self.new_scorer(0)

    def new_scorer(self, number: int) -> ContextFID:
        """Return Context-FID with another encoder of the same recipe and panel; number 0 is the seed's own."""
        recipe = {**_RECIPES[self.settings.encoder], "n_steps": self.settings.encoder_steps}
        seed = (
            self.seed
            if number == 0
            else int(seed_sequence(self.seed, "psa-gan", "encoder", number).generate_state(1)[0])
        )
        return ContextFID(seed=seed, device=self.settings.device, **recipe).fit(self.train)

    def conditions(self, window: int, split: str = HELD_OUT) -> Conditions:
        """Return series and starts of all windows that scores rest on: equal for all models of a seed."""
        key = ("conditions", window, split)
        if key not in self.found:
            first = self.split.train_lengths if split == HELD_OUT else 0
            stop = None if split == HELD_OUT else self.split.train_lengths
            # Every model is scored where the longest context lies in the panel.
            context = self.settings.context
            sampler = WindowSampler(self.panel, window, context, first=first, stop=stop)
            n = self.settings.fid_draws * WINDOWS_PER_DRAW
            self.found[key] = sampler.draw(n, torch_generator(self.seed, "psa-gan", "scoring", split))
        chosen: Conditions = self.found[key]
        return chosen

    def real(self, window: int, split: str = HELD_OUT) -> Tensor:
        """Return the real windows of the conditions, ``(n, window)``."""
        return self.panel.windows(*self.conditions(window, split), window)

    def score(self, source: WindowSource, window: int, split: str = HELD_OUT) -> tuple[FIDResult, Tensor]:
        """Return the Context-FID of a source of windows, and the windows."""
        key = ("embedded", window, split)
        if key not in self.found:
            self.found[key] = self.scorer.embed(self.real(window, split))
        fake = source(*self.conditions(window, split), seed=self.seed)
        result = compare_embeddings(self.found[key], self.scorer.embed(fake), self.settings.fid_draws)
        return result, fake

    def row(self, method: str, metric: str, value: float, **columns: Any) -> Row:
        """Return one row of the held-out part, unless told otherwise."""
        common: Row = dict.fromkeys(COLUMNS)
        common |= {"dataset": self.dataset, "split": HELD_OUT, "seed": self.seed, "method": method, "metric": metric}
        # As floats, whatever they were: a column is of one type then, in every run.
        numbers = {name: float(columns[name]) for name in COLUMNS[1:] if columns.get(name) is not None}
        return {**common, **columns, **numbers, "value": float(value)}

    def level_rows(self, method: str, source: WindowSource, window: int) -> Iterator[Row]:
        """Yield the scores of a source on the held-out part, draw by draw, and on the training part."""
        for split in (HELD_OUT, TRAINING):
            result, fake = self.score(source, window, split)
            columns = {"part": "level", "window": window, "split": split}
            for metric, values in (("context FID", result.values), ("floor", result.floors)):
                for draw, value in enumerate(values):
                    yield self.row(method, metric, value, place=draw, **columns)
            yield self.row(method, "corrected", result.corrected, **columns)
            raw = raw_window_fid(self.real(window, split), fake, self.settings.fid_draws)
            yield self.row(method, "raw FID", raw.mean, **columns)
            yield self.row(method, "raw floor", raw.floor, **columns)
