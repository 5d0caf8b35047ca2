"""Embedded panels: hourly series drawn by rule, with what the method exploits, or with nothing to learn."""

from __future__ import annotations

from typing import Literal

import numpy as np

from reprise.compute import numpy_generator
from reprise.errors import unknown_name
from reprise.psa_gan.panel import TimeSeriesPanel

HOURS = 24
START = "2000-01-03"  # a Monday
Kind = Literal["daily", "constant", "white_noise", "regime_switch"]
KINDS: tuple[Kind, ...] = ("daily", "constant", "white_noise", "regime_switch")
_SWITCH = 1 / 72  # probability that the regime changes, an hour


def make_panel(n_series: int = 48, days: int = 60, seed: int = 0, kind: Kind = "daily") -> TimeSeriesPanel:
    """Draw an hourly panel.

    Series i has an amplitude aᵢ in [0.2, 1], a phase pᵢ in [−2, 2] hours and a weekend factor wᵢ in [0.3, 1];
    its level ℓ is a random walk of its logarithm from day to day (0.09 a day):

    z = (0.3 + aᵢ max(0, sin 2π(t + pᵢ − 6)/24)^1.5) · wᵢ on weekends · ℓ + 0.03 ε.

    The phase is known to the series' embedding, day and weekend to the calendar, the level to the past alone.

    Parameters
    ----------
    n_series, days
        Size of the panel.
    seed
        Seed of the draw.
    kind
        ``"daily"`` as above; ``"constant"``: aᵢ throughout; ``"white_noise"``: ε alone; ``"regime_switch"``: the
        hump times a level that jumps between 0.25 and 1 every three days in the mean, seen in the past alone.

    Examples
    --------
    >>> make_panel(2, days=3).values.shape
    torch.Size([2, 72])
    """
    if kind not in KINDS:
        raise unknown_name("kind of panel", kind, list(KINDS))
    generator = numpy_generator(seed, "psa-gan panel", kind)
    amplitude = generator.uniform(0.2, 1, (n_series, 1))
    phase = generator.uniform(-2, 2, (n_series, 1))
    weekend = generator.uniform(0.3, 1, (n_series, 1))
    level = np.exp(np.cumsum(generator.normal(0, 0.09, (n_series, days)), axis=1)).repeat(HOURS, axis=1)
    hour = np.arange(days * HOURS)
    noise = 0.03 * generator.standard_normal((n_series, len(hour)))
    if kind == "constant":
        return TimeSeriesPanel(np.broadcast_to(amplitude, noise.shape), START, "h")
    if kind == "white_noise":
        return TimeSeriesPanel(noise, START, "h")
    if kind == "regime_switch":
        odd = np.cumsum(generator.random(noise.shape) < _SWITCH, axis=1) % 2
        level = np.where(odd, 0.25, 1.0)
    hump = 0.3 + amplitude * np.maximum(0, np.sin(2 * np.pi * (hour + phase - 6) / HOURS)) ** 1.5
    on_weekends = np.where(hour // HOURS % 7 >= 5, weekend, 1)
    return TimeSeriesPanel(hump * on_weekends * level + noise, START, "h")
