"""Errors of forecasts, aggregated over all series and steps as GluonTS' evaluator does."""

from __future__ import annotations

import torch
from torch import Tensor

from reprise.psa_gan.scaling import MinMaxScaler


def nrmse(forecast: Tensor, truth: Tensor) -> float:
    """Return the root mean squared error over the mean absolute value, of all series and steps together."""
    return float((forecast - truth).double().square().mean().sqrt() / truth.double().abs().mean())


def normalised_deviation(median: Tensor, truth: Tensor) -> float:
    """Return the sum of absolute errors of the median over the sum of absolute values."""
    return float((median - truth).double().abs().sum() / truth.double().abs().sum())


def errors(paths: Tensor, truth: Tensor, scaler: MinMaxScaler, series: Tensor | None = None) -> dict[str, float]:
    """Return all errors of scaled paths.

    Parameters
    ----------
    paths
        Shape ``(n_samples, n, horizon)``, scaled.
    truth
        Shape ``(n, horizon)``, on the original scale.
    scaler
        Takes paths to the original scale.
    series
        Which series they are of, ``(n,)``; by default all.

    Returns
    -------
    dict
        ``NRMSE`` and ``ND``; ``NRMSE, scaled`` is on the scaled range, where every series counts alike.
    """
    series = torch.arange(len(truth)) if series is None else series
    original = scaler.inverse_transform(paths, series)
    scaled = (truth - scaler.offset[series, None]) / scaler.scale[series, None]
    return {
        "NRMSE": nrmse(original.mean(0), truth),
        "ND": normalised_deviation(original.quantile(0.5, dim=0), truth),
        "NRMSE, scaled": nrmse(paths.mean(0), scaled),
    }
