"""Which windows a reader means: series by name, starts by time or by step."""

from __future__ import annotations

from typing import Any

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
    known = {name: place for place, name in enumerate(panel.item_ids)}
    # The name of a series may be a pair, which stands for itself.
    names = [series] if isinstance(series, tuple) and series in known else _listed(series)
    if not names:
        raise PSAGANInputError(f"series={series!r} names no series; leave it out for all.")
    unseen = [name for name in names if name not in known]
    if unseen:
        raise PSAGANInputError(
            f"series {name_some([repr(one) for one in unseen])} was not seen in fit; known are "
            f"{name_some([repr(one) for one in panel.item_ids])}."
        )
    return torch.tensor([known[name] for name in names])


def _listed(given: Any) -> list[Any]:
    """Return what is given as a list: a container's items, or the one thing itself."""
    import pandas as pd

    given = given.tolist() if isinstance(given, Tensor) else given
    return list(given) if pd.api.types.is_list_like(given) else [given]


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
        given = _listed(start)
        given = given * len(places) if len(given) == 1 else given
        if len(given) != len(places):
            raise PSAGANInputError(f"start has {len(given)} entries for {len(places)} series; give one, or one each.")
        starts = torch.tensor([panel.step_of(place, one) for place, one in zip(places.tolist(), given, strict=True)])
    if int(starts.min()) < 0:
        raise PSAGANInputError(f"start={int(starts.min())} lies before the series; steps count from 0.")
    if int(starts.min()) < context:
        raise PSAGANInputError(
            f"start={int(starts.min())} leaves fewer than the {context} values of context before the window; begin at "
            f"step {context} or later."
        )
    beyond = torch.nonzero(starts > panel.lengths[places]).ravel().tolist()
    if context and beyond:
        names = name_some(
            [f"{panel.item_ids[places[one]]!r} ({int(panel.lengths[places[one]])} steps)" for one in beyond]
        )
        raise PSAGANInputError(
            f"a window with {context} values of context cannot begin beyond the end of its series, as that of {names} "
            "does; leave it out, or use forecast for it."
        )
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
