"""Which windows a reader means: series by name, starts by time or by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reprise.psa_gan.input_checks import PSAGANInputError, name_some
from reprise.psa_gan.panel import TimeSeriesPanel


def places_of(panel: TimeSeriesPanel, series: Any) -> Tensor:
    """Return the places of named series in a panel, ``(n,)``; None stands for all, one name for itself.

    Raises
    ------
    PSAGANInputError
        If the panel has no such series.
    """
    if series is None:
        return torch.arange(panel.n_series)
    names = [series] if isinstance(series, str) or not isinstance(series, Sequence | np.ndarray) else list(series)
    known = {name: place for place, name in enumerate(panel.item_ids)}
    unseen = [name for name in names if name not in known]
    if unseen:
        raise PSAGANInputError(
            f"series {name_some(unseen)} was not seen in fit; known are {name_some(panel.item_ids)}."
        )
    return torch.tensor([known[name] for name in names])


def steps_of_windows(panel: TimeSeriesPanel, places: Tensor, start: Any, window: int, context: int) -> Tensor:
    """Return the first steps of windows, ``(n,)``.

    Parameters
    ----------
    panel, places
        The panel, and which of its series.
    start
        A number of steps or a time, one for all or one a series; None for the last whole window of each.
    window, context
        τ, and how many values before a window are needed.

    Raises
    ------
    PSAGANInputError
        If a start is no step of its series, or the context does not lie within it or has missing values.
    """
    if start is None:
        starts = (panel.lengths[places] - window).clamp(min=context)
    else:
        single = isinstance(start, str) or not isinstance(start, Sequence | np.ndarray)
        given = [start] * len(places) if single else list(start)
        if len(given) != len(places):
            raise PSAGANInputError(f"start has {len(given)} entries for {len(places)} series; give one, or one each.")
        starts = torch.tensor([panel.step_of(place, one) for place, one in zip(places.tolist(), given, strict=True)])
    if int(starts.min()) < context:
        raise PSAGANInputError(
            f"start={int(starts.min())} leaves fewer than the {context} values of context before the window; begin at "
            f"step {context} or later."
        )
    if context and bool((starts > panel.lengths[places]).any()):
        raise PSAGANInputError("a window with context cannot begin beyond its series' end; use forecast for that.")
    _check_context(panel, places, starts, context)
    return starts


def _check_context(panel: TimeSeriesPanel, places: Tensor, starts: Tensor, context: int) -> None:
    """Refuse windows before which a value is missing: of it the generator would make a window of missing values."""
    missing = torch.isnan(panel.windows(places, starts - context, context)).sum(dim=1)
    broken = torch.nonzero(missing).ravel().tolist()
    if broken:
        names = name_some(
            [f"{panel.item_ids[places[one]]!r} ({int(missing[one])} before step {int(starts[one])})" for one in broken]
        )
        raise PSAGANInputError(
            f"values are missing among the {context} before the window, which are its context, of series {names}; fill "
            "them by `impute` first, or give another start."
        )
