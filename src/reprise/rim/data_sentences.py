"""Sentences on the data sets, computed from the rows of the run: how long a horizon lasts, what the clock resolves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reprise.numerals import number
from reprise.plots import measured
from reprise.rim.data import EMBEDDED
from reprise.rim.figures import title_of
from reprise.rim.kernel_features import SCALES

if TYPE_CHECKING:
    import pandas as pd

MINUTE_S, DAY_S = 60.0, 86_400.0
CLOCK_S = 1.0


def horizons_in_words(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say how long the horizon is in minutes or days, and what of order and scales the clock does not resolve."""
    words = []
    for name in data_sets:
        spans = measured(rows, dataset=name, part="data", metric="horizon")
        tied = measured(rows, dataset=name, part="data", metric="neighbouring events at one time (%)")
        if name == EMBEDDED or spans is None or tied is None:
            continue
        below = int((SCALES * float(spans.mean()) < CLOCK_S).sum())
        words.append(
            f"{span_in_words(spans.to_numpy())} on {title_of(name)}: {number(float(tied.mean()), 0)} % of neighbouring "
            f"past events carry the same time, so that their order is unknown, and {below} of the {len(SCALES)} kernel "
            "scales lie below a second"
        )
    if not words:
        return ""
    return (
        f"The horizon lasts {'; '.join(words)}. Where it is minutes, a user who is active within it is mostly one "
        "whose session still runs."
    )


def span_in_words(seconds: np.ndarray) -> str:
    """Write one or several spans of time in minutes, or days from one day on."""
    unit, size = ("days", DAY_S) if seconds.min() >= DAY_S else ("minutes", MINUTE_S)
    ends = dict.fromkeys(number(float(end) / size, 0) for end in (seconds.min(), seconds.max()))
    return f"{' to '.join(ends)} {unit}"
