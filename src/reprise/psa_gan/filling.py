"""Filling gaps of any length with generated windows, from left to right."""

from __future__ import annotations

import warnings
from typing import Protocol

import torch
from torch import Tensor

from reprise.compute import seed_sequence
from reprise.psa_gan.input_checks import name_some
from reprise.psa_gan.panel import TimeSeriesPanel


class WindowSource(Protocol):
    """Whatever makes windows for series and starts; one that looks at the past takes it as context."""

    def __call__(self, series: Tensor, start: Tensor, seed: int = 0, context: Tensor | None = None) -> Tensor:
        """Return windows ``(n, τ)`` for series and starts ``(n,)``."""
        ...


def fill_gaps(
    panel: TimeSeriesPanel, source: WindowSource, window: int, context: int = 0, *, n_samples: int = 10, seed: int = 0
) -> Tensor:
    """Return the panel's values with every missing one replaced by a generated one.

    At the first gap of a series a window is generated; of it those values are kept that fall on missing ones. Then
    comes the next gap, and so on, so that a window with context sees what has been filled before. All series and
    samples go together.

    Parameters
    ----------
    panel
        Scaled panel; missing values are NaN before a series' end. Its features must reach ``window`` steps beyond the
        last gap's beginning (`TimeSeriesPanel.extended`).
    source
        Makes the windows from the panel's conditions.
    window, context
        τ, and how many values before a window the source sees; before a series' beginning its first value is
        repeated, or 0.5 where it has none.
    n_samples
        Fillings of each gap.
    seed
        Seed of the windows.

    Returns
    -------
    torch.Tensor
        ``(n_samples, N, T)``; NaN beyond a series' end alone.
    """
    n_series, n_steps = panel.values.shape
    values = panel.values.repeat(n_samples, 1)
    series = torch.arange(n_series, device=values.device).repeat(n_samples)
    inside = torch.arange(n_steps)[None, :] < panel.lengths[:, None]
    inside = inside.to(values.device).repeat(n_samples, 1)
    first_known = _first_known(panel.values).repeat(n_samples)
    for turn in range(n_steps):
        missing = torch.isnan(values) & inside
        rows = torch.nonzero(missing.any(dim=1)).ravel()
        if not len(rows):
            break
        start = missing[rows].int().argmax(dim=1)
        past = _past(values[rows], start, context, first_known[rows]) if context else None
        own_seed = int(seed_sequence(seed, "filling", turn).generate_state(1)[0])
        windows = source(series[rows], start, own_seed, past)
        steps = start[:, None] + torch.arange(window, device=values.device)
        # A last column takes what falls beyond the panel.
        target = torch.cat([values[rows], values.new_zeros(len(rows), 1)], dim=1)
        wanted = torch.cat([missing[rows], missing.new_zeros(len(rows), 1)], dim=1)
        steps = steps.clamp(max=n_steps)
        target.scatter_(1, steps, torch.where(wanted.gather(1, steps), windows, target.gather(1, steps)))
        values[rows] = target[:, :n_steps]
    return values.view(n_samples, n_series, n_steps)


def warn_of_short_past(panel: TimeSeriesPanel, context: int) -> None:
    """Warn of series in which fewer values than a context come before the first that is missing.

    Parameters
    ----------
    panel
        What is to be filled: missing values are NaN before a series' end.
    context
        How many values before a window the source sees.
    """
    inside = torch.arange(panel.n_steps)[None, :] < panel.lengths[:, None]
    missing = torch.isnan(panel.values.cpu()) & inside
    first = missing.int().argmax(dim=1)
    short = torch.nonzero(missing.any(dim=1) & (first < context)).ravel().tolist()
    if short:
        names = name_some([f"{panel.item_ids[place]!r} ({int(first[place])})" for place in short])
        warnings.warn(
            f"{len(short)} series have fewer than the {context} values of context: {names} before the first missing "
            "one; for the rest the first known value is repeated (the middle of the fit's range where there is none), "
            "so that these windows are conditioned on what was not observed.",
            stacklevel=4,
        )


def _first_known(values: Tensor) -> Tensor:
    """Return each series' first value that is not missing, ``(N,)``; 0.5 where all are."""
    known = ~torch.isnan(values)
    first = values.gather(1, known.int().argmax(dim=1, keepdim=True))[:, 0]
    return torch.where(known.any(dim=1), first, torch.full_like(first, 0.5))


def _past(values: Tensor, start: Tensor, context: int, before: Tensor) -> Tensor:
    """Return the values before each start, ``(n, context)``."""
    steps = start[:, None] - context + torch.arange(context, device=values.device)
    return torch.where(steps < 0, before[:, None], values.gather(1, steps.clamp(min=0)))
