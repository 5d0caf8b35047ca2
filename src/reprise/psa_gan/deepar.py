"""GluonTS' DeepAR as the forecaster of all experiments: quiet, seeded, writing to a temporary folder alone."""

from __future__ import annotations

import logging
import random
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import Tensor

from reprise.compute import seed_sequence
from reprise.psa_gan.controls import steps_of
from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.panel import TimeSeriesPanel

if TYPE_CHECKING:
    from gluonts.torch.model.predictor import PyTorchPredictor

MOVING_AVERAGE_STEPS = 10  # GluonTS' own default
_LOGGERS = ("lightning", "lightning.pytorch", "lightning.fabric", "gluonts")


@dataclass(frozen=True)
class ForecastRecipe:
    """Size and training of DeepAR; the defaults are GluonTS'.

    Attributes
    ----------
    horizon
        Steps of a forecast (paper: 32).
    context
        Steps that the network is unrolled over before a forecast, and by whose observed values a series is scaled; None
        for as many as the horizon, GluonTS' default. With all of them missing the scale is 0, and so is the forecast.
    epochs, batches_per_epoch, batch_size, learning_rate
        Of the training.
    layers, cells
        Of the recurrent network.
    n_samples
        Paths of a forecast; their mean is the point forecast.
    lags
        Which earlier values the network sees, in steps; None: the last three, and those around the same step one, two
        and three days and a week earlier. GluonTS' own go back a month, longer than some series.
    """

    horizon: int = 32
    context: int | None = None
    epochs: int = 100
    batches_per_epoch: int = 50
    batch_size: int = 32
    learning_rate: float = 1e-3
    layers: int = 2
    cells: int = 40
    n_samples: int = 100
    lags: tuple[int, ...] | None = None

    @property
    def training_window(self) -> int:
        """Steps of context and horizon together."""
        return self.horizon + (self.horizon if self.context is None else self.context)


def lags_for(freq: str, shortest: int, training_window: int) -> tuple[int, ...]:
    """Return the lags that the shortest series has room for, beside context and horizon of one training window.

    Examples
    --------
    >>> lags_for("h", 524, 256)
    (1, 2, 3, 23, 24, 25, 47, 48, 49, 71, 72, 73, 167, 168, 169)
    """
    seasons = [k * steps_of(freq, "day") for k in (1, 2, 3)] + [steps_of(freq, "week")]
    wanted = {1, 2, 3, *(season + aside for season in seasons for aside in (-1, 0, 1))}
    return tuple(sorted(lag for lag in wanted if 1 <= lag <= shortest - training_window))


class DeepARForecaster:
    """DeepAR on scaled series; missing values are moving averages, marked as unobserved.

    Parameters
    ----------
    freq
        Frequency of the series.
    recipe
        Size and training.
    seed
        Of weights, training windows and paths.
    """

    def __init__(self, freq: str, recipe: ForecastRecipe | None = None, seed: int = 0) -> None:
        self.freq, self.recipe, self.seed = freq, ForecastRecipe() if recipe is None else recipe, seed
        self._predictor: PyTorchPredictor | None = None
        self.lags_: tuple[int, ...] = ()

    def fit(self, panel: TimeSeriesPanel) -> Self:
        """Train on a scaled panel, all of it.

        Raises
        ------
        PSAGANInputError
            If a series is too short for a context and a horizon.
        """
        r, shortest = self.recipe, int(panel.lengths.min())
        if shortest < r.training_window + 2:
            raise PSAGANInputError(
                f"the shortest series has {shortest} steps; DeepAR needs more than its context and horizon, "
                f"{r.training_window} together."
            )
        self.lags_ = r.lags or lags_for(self.freq, shortest, r.training_window)
        values = panel.values.cpu().numpy()
        entries = entries_of(values, panel.lengths.tolist(), panel.starts, self.freq)
        # Libraries are imported within: one of them draws from Python's generator when it is.
        with _seeded(self.seed, "training"), _quiet(), tempfile.TemporaryDirectory() as folder:
            from gluonts.dataset.common import ListDataset
            from gluonts.torch.model.deepar import DeepAREstimator
            from gluonts.transform.feature import RollingMeanValueImputation

            estimator = DeepAREstimator(
                freq=self.freq,
                prediction_length=r.horizon,
                context_length=r.context,
                num_layers=r.layers,
                hidden_size=r.cells,
                lr=r.learning_rate,
                batch_size=r.batch_size,
                num_batches_per_epoch=r.batches_per_epoch,
                lags_seq=list(self.lags_),
                imputation_method=RollingMeanValueImputation(MOVING_AVERAGE_STEPS),
                trainer_kwargs={
                    "max_epochs": r.epochs,
                    "enable_progress_bar": False,
                    "enable_model_summary": False,
                    "logger": False,
                    "default_root_dir": folder,
                    "accelerator": panel.device.type,
                    "devices": 1,
                },
            )
            self._predictor = estimator.train(ListDataset(entries, freq=self.freq), cache_data=True)
        return self

    def sample(self, histories: Sequence[np.ndarray], starts: Sequence[Any], n_samples: int | None = None) -> Tensor:
        """Return paths after the end of each history, ``(n_samples, n, horizon)``.

        Parameters
        ----------
        histories
            Scaled values up to where each forecast begins, ``(length,)`` each; NaN is a missing value.
        starts
            Time of each history's first step.
        n_samples
            Paths; by default the recipe's.
        """
        if self._predictor is None:
            raise PSAGANInputError("this forecaster is not fitted; call fit(panel) first.")
        entries = entries_of(histories, [len(one) for one in histories], starts, self.freq)
        with _quiet(), _seeded(self.seed, "paths"):
            found = list(self._predictor.predict(entries, num_samples=n_samples or self.recipe.n_samples))
        return torch.from_numpy(np.stack([one.samples for one in found], axis=1))


def entries_of(
    histories: Sequence[np.ndarray] | np.ndarray, lengths: Sequence[int], starts: Sequence[Any], freq: str
) -> list[dict[str, Any]]:
    """Return one entry a history in the form that GluonTS takes."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of business days, which GluonTS takes as periods alone
        periods = {start: pd.Period(start, freq=freq) for start in set(starts)}
    rows = zip(histories, lengths, starts, strict=True)
    return [
        {"target": np.asarray(row[:length], dtype=np.float32), "start": periods[start], "item_id": str(place)}
        for place, (row, length, start) in enumerate(rows)
    ]


@contextmanager
def _seeded(seed: int, *names: str) -> Iterator[None]:
    """Seed the global generators that GluonTS draws from, and leave them as they were."""
    python, numpy = random.getstate(), np.random.get_state()
    state = int(seed_sequence(seed, "psa-gan", "deepar", *names).generate_state(1)[0])
    with torch.random.fork_rng():
        random.seed(state)
        np.random.seed(state)
        torch.manual_seed(state)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning and GluonTS from telling of devices, checkpoints and data loaders."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import gluonts.torch  # noqa: F401  (sets its loggers' levels when it is imported)

        levels = {name: logging.getLogger(name).level for name in _LOGGERS}
        try:
            for name in _LOGGERS:
                logging.getLogger(name).setLevel(logging.ERROR)
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
