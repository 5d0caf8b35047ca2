"""The study: settings in, tidy rows out.

Beyond the common columns, rows have ``part`` (data, ranking, identity, resampled users, new pairs, activity,
calibration, kernel, matching, spread over items, sample size, drift) and, where they apply, ``task`` (ItemRec or
UserRec), ``multiplier`` (m of the bounds on items), ``served`` (offline: prices fitted on the test's own scores;
online: on those of other requests), ``solver``, ``block`` (of 50 random blocks of users or items: sums within a block,
from which rules draw intervals) and ``at`` (a decile, a third of the items, a time scale, a number of requests, an age
in horizons).

- ``split``: ``"test"``; ``"fitted"`` (the matrix that prices were fitted on); ``"validation"``.
- ``metric``: precision, recall and their like in per cent; perplexities; ``hits``, ``recommended`` and ``delivered``,
  which are sums; certificates; sizes of the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reprise import rows
from reprise.compute import resolve_device, use_threads
from reprise.rim.cell import Cell, Row
from reprise.rim.drift import drift_rows
from reprise.rim.matched import matching_rows
from reprise.rim.ranked import activity_rows, data_rows, ranking_rows
from reprise.rim.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

PARTS = (data_rows, ranking_rows, activity_rows, matching_rows, drift_rows)


def run(settings: Settings) -> pd.DataFrame:
    """Run the study.

    Parameters
    ----------
    settings
        What to run.

    Returns
    -------
    pandas.DataFrame
        Tidy rows. Those of one data set and seed do not depend on which others are run.
    """
    use_threads(settings.threads)
    return rows.tidy(
        row for name in settings.datasets for seed in settings.seeds for row in _rows_of(settings, name, seed)
    )


def _rows_of(settings: Settings, name: str, seed: int) -> Iterator[Row]:
    cell = Cell(settings, name, seed, resolve_device(settings.device))
    for part in PARTS:
        yield from part(cell)
