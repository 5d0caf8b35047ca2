"""Mixtures of Gaussians over positions that integrate Gaussians over velocities."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

LARGEST_LOG_DENSITY = 6.0
LEAST_SHARE_OF_DETERMINANT = 1e-4
LOG_TWO_PI = 1.8378770664093453


@dataclass(frozen=True)
class Velocities:
    """Gaussians over velocity per component and step.

    Attributes
    ----------
    mean
        Shape ``(B, K, 12, 2)``, metres (feet) per second.
    log_deviation
        Shape ``(B, K, 12, 2)``.
    correlation
        Shape ``(B, K, 12)``, between −1 and 1.
    fed
        Shape ``(B, K, 12, 2)``: the velocities that the decoder was fed: samples, or the means.
    """

    mean: Tensor
    log_deviation: Tensor
    correlation: Tensor
    fed: Tensor


def log_densities(velocities: Velocities, log_weights: Tensor, future: Tensor, seconds: float) -> Tensor:
    """Return the log density of the true position at every step under the mixture of its marginals.

    Section 4.B: mean p_t + Δt Σ μ, covariance Σ_k = Σ_{k−1} + Δt² Σ, components mixed anew at every step.

    Parameters
    ----------
    velocities
        Of K components.
    log_weights
        Shape ``(B, K)``.
    future
        Shape ``(B, 12, 2)``, relative to the last observed position.
    seconds
        Δt.

    Returns
    -------
    Tensor
        Shape ``(B, 12)``, not clamped.
    """
    position = seconds * velocities.mean.cumsum(2)
    deviation = velocities.log_deviation.exp()
    variance = (seconds * deviation).square().cumsum(2)
    covariance = (seconds**2 * velocities.correlation * deviation.prod(-1)).cumsum(2)
    product = variance.prod(-1)
    determinant = (product - covariance.square()).clamp_min(0) + LEAST_SHARE_OF_DETERMINANT * product
    x, y = (future[:, None] - position).unbind(-1)
    squared = variance[..., 1] * x.square() - 2 * covariance * x * y + variance[..., 0] * y.square()
    log_components = -LOG_TWO_PI - 0.5 * determinant.log() - 0.5 * squared / determinant
    return torch.logsumexp(log_weights[..., None] + log_components, dim=1)


def negative_log_likelihood(log_density: Tensor) -> Tensor:
    """Return the NLL metric, ``(B,)``: minus the mean over steps of the log density, clamped at 6 per step."""
    return -log_density.clamp_max(LARGEST_LOG_DENSITY).mean(-1)


def displacement_errors(paths: Tensor, future: Tensor) -> tuple[Tensor, Tensor]:
    """Return the best ADE and the best FDE among sampled paths, chosen independently.

    Parameters
    ----------
    paths
        Shape ``(B, samples, 12, 2)``.
    future
        Shape ``(B, 12, 2)``.

    Returns
    -------
    tuple of Tensor
        minADE and minFDE, ``(B,)`` each.
    """
    distance = (paths - future[:, None]).square().sum(-1).sqrt()
    return distance.mean(-1).amin(1), distance[..., -1].amin(1)
