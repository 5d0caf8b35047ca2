"""PSA-GAN as a library: fit to a panel, then sample, fill gaps, or forecast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reprise.psa_gan.alignment import aligned
from reprise.psa_gan.architecture import Fade, Noise
from reprise.psa_gan.blocks import Upsampling
from reprise.psa_gan.checkpoints import Sink, resumed, watched
from reprise.psa_gan.filling import fill_gaps, warn_of_short_past
from reprise.psa_gan.generator import Generator
from reprise.psa_gan.input_checks import check_whole, split_future
from reprise.psa_gan.model_checks import checked_device
from reprise.psa_gan.model_settings import ModelSettings
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.places import places_of, steps_of_windows
from reprise.psa_gan.sampling import WindowGenerator
from reprise.psa_gan.scaling import MinMaxScaler
from reprise.psa_gan.stored import (
    StoredWeights,
    check_path,
    check_storable,
    packed_panel,
    packed_parameters,
    read_model,
    unpacked_panel,
    warn_of_storing,
    write,
)
from reprise.psa_gan.training import Trainer

if TYPE_CHECKING:
    import pandas as pd


class PSAGAN(StoredWeights, ModelSettings):
    """A progressive self-attention GAN for windows of a panel of time series.

    Parameters
    ----------
    window
        τ, a power of two from 8 on; the paper: 16 to 256.
    context
        Values before a window that the generator sees; 0 is PSA-GAN, the paper's PSA-GAN-C has min(64, τ). More than
        the window is possible: its weights grow with the square.
    channels, embed_dim, key_dim
        Feature maps, size of a series' embedding, channels of queries and keys; the paper: 32, 10, 1.
    attention, moment_weight, progressive, fade
        The switches of the ablation: self-attention, weight of the moment loss, growing, and the share of a stage over
        which it is faded in (0 for no fade-in).
    upsample, noise, condition, spectral_attention, fade_kind
        See `reprise.psa_gan.architecture.Architecture`.
    n_critic, warmup_steps, warmup_critic, lr, batch_size
        See `reprise.psa_gan.training.Recipe`.
    max_steps, early_share
        Generator steps in all (the paper: some 10⁵), and the share of each stage but the last (the paper: 1/7).
    clip_quantile
        Scale by this quantile and its mirror instead of by smallest and largest value.
    allow_nan
        Whether to train on a panel with missing values, from windows without any.
    seed, device
        Seed of weights, batches and noise; ``"auto"``, ``"cpu"``, ``"cuda"``, …

    Attributes
    ----------
    generator_
        The trained generator.
    panel_, scaler_
        What it was fitted to, on the original scale, and how that is scaled.
    history_
        One row a step: depth, α, losses, and γ of each block of the generator.

    Raises
    ------
    PSAGANInputError
        For a setting that cannot work, before any training.
    DeviceError
        If this machine has no such device.

    Examples
    --------
    >>> from reprise.psa_gan.generators import make_panel
    >>> model = PSAGAN(window=16, channels=4, batch_size=8, max_steps=4).fit(make_panel(3, days=7))
    >>> model.sample(2, series=[0, 2], start=48).shape
    (2, 2, 16)
    """

    def __init__(
        self,
        window: int = 64,
        *,
        context: int = 0,
        channels: int = 32,
        embed_dim: int = 10,
        key_dim: int = 1,
        attention: bool = True,
        moment_weight: float = 1.0,
        progressive: bool = True,
        fade: float = 0.4,
        upsample: Upsampling = "nearest",
        noise: Noise = "pooled",
        condition: bool = True,
        spectral_attention: bool = False,
        fade_kind: Fade = "identity",
        n_critic: int = 2,
        warmup_steps: int = 0,
        warmup_critic: int = 50,
        lr: float = 1e-3,
        batch_size: int = 128,
        max_steps: int = 2000,
        early_share: float | None = None,
        clip_quantile: float = 0.0,
        allow_nan: bool = False,
        seed: int = 0,
        device: str = "auto",
    ) -> None:
        for name, value in list(locals().items()):
            if name not in ("self", "__class__"):
                setattr(self, name, value)
        self._check_settings()
        checked_device(device)

    def fit(
        self,
        data: TimeSeriesPanel | pd.DataFrame | Any,
        callback: Sink | None = None,
        *,
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 500,
    ) -> Self:
        """Train both networks.

        Parameters
        ----------
        data
            A panel, a frame of series by time, or a data set of GluonTS.
        callback
            Called with the `Trainer` after every generator step.
        checkpoint
            A file to store the state of training in; if it is there already, training goes on from it and ends as if
            it had never stopped. One file belongs to one training: its settings and panel are compared.
        checkpoint_every
            Generator steps between two storings.

        Raises
        ------
        PSAGANInputError
            If no window fits, values are missing, the checkpoint cannot be written or is of another model or another
            panel, the callback cannot be called, or a loss is no longer finite. An earlier fit is left as it was.
        DeviceError
            If this machine has no such device.

        Warns
        -----
        UserWarning
            If `save` will refuse the model for the names of its series or its time zone.
        """
        self._check_settings()
        check_whole("checkpoint_every", checkpoint_every, 1)
        after = watched(callback)
        if checkpoint is not None:
            check_path("checkpoint", checkpoint)
        panel = TimeSeriesPanel.of(data)
        warn_of_storing(panel)
        scaler = MinMaxScaler.fit(panel, self.clip_quantile)
        trainer = self.trainer(scaler.transform(panel).to(checked_device(self.device)))
        if checkpoint is not None:
            after = resumed(trainer, panel, self.get_params(), checkpoint, checkpoint_every, after)
        trainer.run(callback=after)
        # Only now: what is refused or interrupted leaves an earlier fit whole.
        self.panel_, self.scaler_ = panel, scaler
        self.generator_: Generator = trainer.generator.eval()
        self._history = (trainer.history_columns, trainer.history)
        return self

    def trainer(self, scaled: TimeSeriesPanel) -> Trainer:
        """Return what trains these networks on a scaled panel, before its first step."""
        architecture = self._architecture(scaled.n_features, int(scaled.static_cat.max()) + 1)
        return Trainer(scaled, architecture, self._schedule(architecture), self._recipe(), allow_nan=self.allow_nan)

    @property
    def history_(self) -> pd.DataFrame:
        """One row a generator step."""
        import pandas as pd

        self.check_fitted()
        columns, rows = self._history
        return pd.DataFrame(rows, columns=list(columns)).astype({"step": int, "depth": int})

    def sample(
        self,
        n: int = 1,
        *,
        series: Any = None,
        start: Any = None,
        panel: TimeSeriesPanel | pd.DataFrame | Any = None,
        seed: int | None = None,
    ) -> NDArray[np.float32]:
        """Generate windows.

        Parameters
        ----------
        n
            Windows of each condition.
        series
            Names of series, as in the panel; by default all. One name stands for itself.
        start
            First step of the windows, as a number of steps or a time, one for all or one a series; by default the last
            whole window of each.
        panel
            Where context and calendar come from; by default the panel of the fit.
        seed
            Seed of the noise; by default the model's.

        Returns
        -------
        numpy.ndarray
            ``(n, series, window)``, on the original scale.

        Raises
        ------
        PSAGANInputError
            If a series was not seen in fit, a start lies before the context's end, the context has missing values, a
            number is no whole one, or settings were changed after the fit.
        """
        check_whole("n", n, 1)
        own_seed = self._own_seed(seed)
        known, scaler = self._aligned(panel)
        places = places_of(known, series)
        starts = steps_of_windows(known, places, start, self.window, self.context)
        ready = known.reaching(int(starts.max()) + self.window)
        source = WindowGenerator(self.generator_, scaler.transform(ready).to(self._device))
        windows = source(places.repeat(n), starts.repeat(n), own_seed).cpu()
        found = scaler.inverse_transform(windows.view(n, len(places), self.window), places)
        return found.numpy()

    def impute(
        self,
        panel: TimeSeriesPanel | pd.DataFrame | Any = None,
        n_samples: int = 10,
        *,
        seed: int | None = None,
    ) -> list[TimeSeriesPanel]:
        """Fill missing values, from left to right; in a frame also those behind a series' last value.

        Parameters
        ----------
        panel
            What to fill; by default the panel of the fit.
        n_samples
            Fillings.
        seed
            Seed of the noise; by default the model's.

        Returns
        -------
        list of TimeSeriesPanel
            One panel without gaps for each filling; values that were there are left as they are in float32, 24 bits of
            each. Windows that reach beyond the panel's end are told its last known features there. Before a series'
            beginning its first known value is repeated as context, with a warning that names the series.

        Raises
        ------
        PSAGANInputError
            If a series was not seen in fit, a number is no whole one, or settings were changed after the fit.
        """
        known, scaler = self._aligned(panel)
        known = known if not hasattr(panel, "columns") else known.up_to(len(panel.columns))
        filled = self._filled(known, scaler, n_samples, seed, known.last_features(self.window))[..., : known.n_steps]
        missing = torch.isnan(known.values)
        return [known.with_values(torch.where(missing, one, known.values)) for one in filled]

    def forecast(
        self,
        panel: TimeSeriesPanel | pd.DataFrame | Any = None,
        horizon: int = 32,
        n_samples: int = 100,
        *,
        feat_dynamic: Any = None,
        seed: int | None = None,
    ) -> NDArray[np.float32]:
        """Generate what comes after the end of each series: where they end at different times, each from its own.

        Parameters
        ----------
        panel
            The known past; by default the panel of the fit.
        horizon
            Steps.
        n_samples
            Paths; their mean is the point forecast.
        feat_dynamic
            Known features of the horizon, where the panel has some: ``(features, horizon + window)``, or such a matrix
            a series where the panel has them so (from GluonTS it has), since windows have their full length.
        seed
            Seed of the noise; by default the model's.

        Returns
        -------
        numpy.ndarray
            ``(n_samples, series, horizon)``, on the original scale. Where the past is shorter than the context, its
            first value is repeated before it, with a warning that names the series. The embedding of a series that the
            fit left out, as too short, is as it was drawn.

        Raises
        ------
        PSAGANInputError
            If a series was not seen in fit, known features of the horizon are not given, a number is no whole one, or
            settings were changed after the fit.
        """
        check_whole("horizon", horizon, 1)
        known, scaler = self._aligned(panel)
        known_features = split_future(feat_dynamic, horizon, self.window, known.feat_dynamic)
        longer = known.extended(horizon, known_features[0])
        longer = longer.with_values(longer.values, known.lengths + horizon)
        filled = self._filled(longer, scaler, n_samples, seed, known_features[1])
        steps = known.lengths[:, None] + torch.arange(horizon)
        return filled.gather(2, steps.expand(n_samples, -1, -1)).numpy()

    def save(self, path: str | Path) -> None:
        """Store the fitted model with its panel in one file.

        Raises
        ------
        PSAGANInputError
            If the file cannot be written, the model's settings were changed after the fit to others that do not go with
            it, or the names of series or the time zone would be others in the loaded model.
        """
        self.check_fitted()
        self._check_settings()
        check_path("path", path)
        check_storable(self.panel_)
        state = {
            "parameters": packed_parameters(self.get_params()),
            "panel": packed_panel(self.panel_),
            "scaler": [self.scaler_.offset, self.scaler_.scale],
            "generator": self.generator_.state_dict(),
            "history": [list(self._history[0]), self._history[1]],
        }
        write(state, path)

    @classmethod
    def load(cls, path: str | Path, device: str = "auto") -> Self:
        """Return a model that `save` stored; no code from the file is run.

        Raises
        ------
        PSAGANInputError
            If there is no such file, or it holds no model.
        DeviceError
            If this machine has no such device.
        """
        state = read_model(path)
        model = cls(**{**state["parameters"], "device": device})
        model.panel_ = unpacked_panel(state["panel"])
        model.scaler_ = MinMaxScaler(*state["scaler"])
        architecture = model._architecture(model.panel_.n_features, int(model.panel_.static_cat.max()) + 1)
        model.generator_ = Generator(architecture)
        model.generator_.load_state_dict(state["generator"])
        model.generator_.to(checked_device(device)).eval()
        model._history = (tuple(state["history"][0]), state["history"][1])
        return model

    @property
    def _device(self) -> torch.device:
        return next(self.generator_.parameters()).device

    def _aligned(self, data: Any) -> tuple[TimeSeriesPanel, MinMaxScaler]:
        """Return a panel with the fit's embeddings, and its series' scaling."""
        self.check_fitted()
        if data is None:
            return self.panel_, self.scaler_
        return aligned(TimeSeriesPanel.of(data), self.panel_, self.scaler_)

    def _filled(
        self,
        panel: TimeSeriesPanel,
        scaler: MinMaxScaler,
        n_samples: int,
        seed: int | None,
        feat_dynamic: Any = None,
    ) -> Tensor:
        """Return ``(n_samples, N, T)`` without gaps, on the original scale."""
        check_whole("n_samples", n_samples, 1)
        own_seed = self._own_seed(seed)
        warn_of_short_past(panel, self.context)
        scaled = scaler.transform(panel.extended(self.window, feat_dynamic)).to(self._device)
        source = WindowGenerator(self.generator_, scaled)
        filled = fill_gaps(scaled, source, self.window, self.context, n_samples=n_samples, seed=own_seed).cpu()
        return scaler.inverse_transform(filled, torch.arange(panel.n_series))
