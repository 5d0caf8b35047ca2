"""A panel that is given to a fitted model, as the model knows it: its embeddings, its scaling, its clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from reprise.psa_gan.input_checks import PSAGANInputError, name_some
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.scaling import MinMaxScaler
from reprise.psa_gan.time_features import regular_times

if TYPE_CHECKING:
    import datetime

    import pandas as pd


def aligned(
    panel: TimeSeriesPanel, fitted: TimeSeriesPanel, scaler: MinMaxScaler
) -> tuple[TimeSeriesPanel, MinMaxScaler]:
    """Return a panel with the embeddings and ages of a fit, and its series' scaling.

    The age of a step counts from the beginning of the series in the fit: a panel of the latest days alone goes on
    where these days lie in it.

    Parameters
    ----------
    panel
        What is asked about: some or all of the fit's series, at its frequency.
    fitted, scaler
        The panel of the fit, and how it is scaled.

    Raises
    ------
    PSAGANInputError
        If a series was not seen in fit, begins before it did there or between two of its steps, or if frequency,
        features or time zone are others.
    """
    places = _places_in(panel, fitted)
    if (panel.freq, panel.n_features) != (fitted.freq, fitted.n_features):
        raise PSAGANInputError(
            f"the panel has freq={panel.freq!r} and {panel.n_features} features, the fit had {fitted.freq!r} and "
            f"{fitted.n_features}, {_n_known(fitted)} of them known ones beside the calendar's; bring the panel to "
            "that frequency, and give as many in feat_dynamic."
        )
    found = panel.with_values(panel.values)
    found.__dict__.pop("features", None)  # they hold the ages
    found.static_cat = fitted.static_cat[places]
    found.first_index = _ages(panel, fitted, places.tolist())
    return found, scaler.of_series(places)


def _is_one_zone(one: datetime.tzinfo | None, other: datetime.tzinfo | None) -> bool:
    """Return whether two zones have one name, or one fixed distance from UTC: a loaded model may call it otherwise."""
    if one is None or other is None or str(one) == str(other):
        return one is other or str(one) == str(other)
    return one.utcoffset(None) is not None and one.utcoffset(None) == other.utcoffset(None)


def _n_known(panel: TimeSeriesPanel) -> int:
    """Return how many features a panel has beside the calendar's."""
    return 0 if panel.feat_dynamic is None else panel.feat_dynamic.shape[-2]


def _places_in(panel: TimeSeriesPanel, fitted: TimeSeriesPanel) -> torch.Tensor:
    known = {name: place for place, name in enumerate(fitted.item_ids)}
    unseen = [name for name in panel.item_ids if name not in known]
    if unseen:
        raise PSAGANInputError(f"series {name_some(unseen)} was not seen in fit; leave it out, or fit anew.")
    return torch.tensor([known[name] for name in panel.item_ids])


def _ages(panel: TimeSeriesPanel, fitted: TimeSeriesPanel, places: list[int]) -> tuple[int, ...]:
    """Return how old each series is at the panel's first step."""
    steps: dict[tuple[pd.Timestamp, pd.Timestamp], int] = {}
    ages = []
    for name, start, place in zip(panel.item_ids, panel.starts, places, strict=True):
        first = fitted.starts[place]
        if not _is_one_zone(start.tz, first.tz):
            raise PSAGANInputError(
                f"series {name!r} has the time zone {start.tz}, and the fit had {first.tz}; bring it to that "
                "(tz_convert, or tz_localize)."
            )
        if start < first:
            raise PSAGANInputError(
                f"series {name!r} begins at {start}, before its beginning in the fit ({first}); leave the earlier "
                "steps out, or fit anew."
            )
        if (first, start) not in steps:
            steps[first, start] = _steps_between(first, start, fitted.freq, f"series {name!r}")
        ages.append(fitted.first_index[place] + steps[first, start])
    return tuple(ages)


def _steps_between(first: pd.Timestamp, start: pd.Timestamp, freq: str, what: str) -> int:
    if start == first:
        return 0
    times = regular_times(first, freq, end=start)
    if times[-1] != start:
        raise PSAGANInputError(
            f"{what} begins at {start}, which is no step of the fit (from {first}, freq={freq!r}); the last one before "
            f"it is {times[-1]}."
        )
    return len(times) - 1
