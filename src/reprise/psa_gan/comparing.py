"""Real windows of a reader's own panel with a synthetic one for each, as scores take them."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from reprise.compute import torch_generator
from reprise.psa_gan.alignment import aligned
from reprise.psa_gan.estimator import PSAGAN
from reprise.psa_gan.filling import WindowSource
from reprise.psa_gan.input_checks import PSAGANInputError, check_whole
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.sampling import WindowGenerator
from reprise.psa_gan.windows import WindowSampler


def paired_windows(
    model: PSAGAN,
    data: Any = None,
    n: int = 5120,
    *,
    first: int = 0,
    source: WindowSource | None = None,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """Draw real windows of a panel, and generate one of the same series and time for each.

    Parameters
    ----------
    model
        A fitted model.
    data
        The panel of the fit, longer or with other values: a panel, a frame of series by time, or a data set of GluonTS,
        with the same series in the same order. By default that of the fit, which the model has seen.
    n
        Number of pairs.
    first
        Windows begin at this step or later: give the first held-out step, so that the model has not seen them.
    source
        Makes the synthetic windows instead of the model, for a comparison on the same real ones: one of
        `reprise.psa_gan.controls`, say.
    seed
        Of the choice of windows and of the noise.

    Returns
    -------
    (Tensor, Tensor)
        Real and synthetic windows ``(n, window)``, scaled as the model scales each series: `context_fid`,
        `ContextFID.score` and the functions of `reprise.psa_gan.audits` take them.

    Raises
    ------
    PSAGANInputError
        If the model is not fitted or its settings were changed since, a number is no whole one, the series are others,
        no window lies behind ``first``, or the source makes windows of another shape.
    """
    if not isinstance(model, PSAGAN):
        raise PSAGANInputError(f"model={model!r} is no PSAGAN; give a fitted one.")
    model.check_fitted()
    for name, value, least in (("n", n, 1), ("first", first, 0), ("seed", seed, 0)):
        check_whole(name, value, least)
    if source is not None and not callable(source):
        raise PSAGANInputError(f"source={source!r} cannot be called; give one of reprise.psa_gan.controls, or None.")
    panel = model.panel_ if data is None else TimeSeriesPanel.of(data)
    room = int(panel.lengths.max()) - first
    if room < model.window:
        raise PSAGANInputError(
            f"first={first} leaves {max(room, 0)} steps of the longest series, and a window has {model.window}; give "
            "an earlier step."
        )
    if panel.item_ids != model.panel_.item_ids or panel.freq != model.panel_.freq:
        raise PSAGANInputError(
            f"the panel has {panel.n_series} series at freq={panel.freq!r} that are not those of the fit "
            f"({model.panel_.n_series} at {model.panel_.freq!r}); give the same series in the same order."
        )
    device = next(model.generator_.parameters()).device
    known, scaler = aligned(panel, model.panel_, model.scaler_)
    scaled = scaler.transform(known).to(device)
    sampler = WindowSampler(scaled, model.window, model.context, first=first, allow_nan=True)
    series, start = sampler.draw(n, torch_generator(seed, "psa-gan", "paired windows"))
    fake = (WindowGenerator(model.generator_, scaled) if source is None else source)(series, start, seed)
    if fake.shape != (n, model.window):
        raise PSAGANInputError(f"source made windows of the shape {tuple(fake.shape)}, not {(n, model.window)}.")
    return scaled.windows(series, start, model.window).cpu(), fake.cpu()


def scaled_panel(model: PSAGAN) -> TimeSeriesPanel:
    """Return the panel of the fit as the model scales it: what `ContextFID.fit` takes.

    Raises
    ------
    PSAGANInputError
        If the model is not fitted, or its settings were changed since.
    """
    model.check_fitted()
    return model.scaler_.transform(model.panel_)
