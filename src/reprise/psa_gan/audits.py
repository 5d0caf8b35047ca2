"""What one distance does not tell of windows: spectrum, autocorrelation, spread within a condition, memory."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

COVERED = 0.9  # share of the interval whose coverage is told
NEAR = 0.05  # quantile of held-out windows' distances below which a window counts as near to training


def periodogram(windows: Tensor) -> Tensor:
    """Return the mean power at each frequency but zero, 1 to τ/2 cycles a window: ``(n, τ) -> (τ/2,)``.

    It is one-sided, and its sum is the mean variance within windows.
    """
    length = windows.shape[1]
    power = torch.fft.rfft(windows.double()).abs().square().mean(0)[1:] / length**2
    power[: (length - 1) // 2] *= 2  # all but the highest frequency of an even length stand for two
    return power


def octave_band_powers(windows: Tensor) -> Tensor:
    """Return the variance within windows by octave: frequencies 1, 2–3, 4–7, …; the last band ends with τ/2.

    Parameters
    ----------
    windows
        Shape ``(n, τ)``, τ a power of two.

    Returns
    -------
    torch.Tensor
        ``(log₂ τ − 1,)``, the lowest frequency first.
    """
    power = periodogram(windows)
    edges = [2**octave for octave in range(len(power).bit_length() - 1)] + [len(power) + 1]
    return torch.stack([power[low - 1 : high - 1].sum() for low, high in pairwise(edges)])


def autocorrelation(windows: Tensor, lags: int) -> Tensor:
    """Return the autocorrelation within windows at lags 1 to ``lags``, pooled over windows, ``(lags,)``.

    Each window is centred by its own mean, so that levels do not count; real and synthetic windows of one length have
    the same bias.
    """
    centred = windows.double() - windows.double().mean(1, keepdim=True)
    variance = centred.square().mean().clamp(min=1e-12)
    return torch.stack([(centred[:, lag:] * centred[:, :-lag]).mean() for lag in range(1, lags + 1)]) / variance


def conditional_spread(samples: Tensor, real: Tensor) -> dict[str, float]:
    """Tell whether samples of one condition differ as much as reality does from them.

    Parameters
    ----------
    samples
        Shape ``(k, n, τ)``: k samples for each of n conditions.
    real
        Shape ``(n, τ)``: the real window of each condition.

    Returns
    -------
    dict
        ``variance ratio``: variance of samples, times 1 + 1/k, over the mean squared distance of the real window from
        their mean: 1 if the real window is like one more sample, 0 if samples are all alike. ``CRPS``: continuous
        ranked probability score, corrected for k; lower is better. ``error of the mean``: what the CRPS would be if
        all samples were their mean. ``coverage``: share of real values within the central 90 % of the samples, 0.9 if
        the real window is like one more of 19 samples or more.
    """
    samples, real = samples.double(), real.double()
    k, mean = len(samples), samples.mean(0)
    squared = (real - mean).square().mean().clamp(min=1e-12)
    # Σᵢ<ⱼ |xᵢ − xⱼ| of sorted numbers is a weighted sum.
    weights = 2 * torch.arange(1, k + 1, dtype=torch.float64, device=samples.device) - k - 1
    pairs = (weights[:, None, None] * samples.sort(dim=0).values).sum(0) / (k * (k - 1) / 2)
    low, high = (samples.quantile(_level(end, k), dim=0) for end in ((1 - COVERED) / 2, (1 + COVERED) / 2))
    return {
        "variance ratio": float(samples.var(0).mean() * (1 + 1 / k) / squared),
        "CRPS": float(((samples - real).abs().mean(0) - pairs / 2).mean()),
        "error of the mean": float((real - mean).abs().mean()),
        "coverage": float(((real >= low) & (real <= high)).double().mean()),
    }


def _level(quantile: float, k: int) -> float:
    """Return the level at which `torch.quantile` of k draws lies above one more draw with a chance of ``quantile``.

    The i-th smallest of k draws does so with i / (k + 1), and is at the level (i − 1) / (k − 1).
    """
    return min(max(((k + 1) * quantile - 1) / (k - 1), 0.0), 1.0)


def memorisation(samples: Tensor, train: Tensor, held_out: Tensor) -> dict[str, float]:
    """Compare the distances of samples and of held-out windows to their nearest training window.

    Parameters
    ----------
    samples, train, held_out
        Windows ``(n, τ)``, ``(n_train, τ)`` and ``(m, τ)``.

    Returns
    -------
    dict
        ``distance`` and ``held-out distance``: medians, root mean square a step. ``ratio``: the first over the second;
        below 1, samples are nearer to training than reality is. ``near share``: share of samples nearer than 95 % of
        the held-out windows are; 5 % is what reality has.
    """
    steps = samples.shape[1] ** 0.5
    own, other = (torch.cdist(windows, train).amin(1) / steps for windows in (samples, held_out))
    return {
        "distance": float(own.median()),
        "held-out distance": float(other.median()),
        "ratio": float(own.median() / other.median().clamp(min=1e-12)),
        "near share": float((own < other.quantile(NEAR)).float().mean()),
    }
