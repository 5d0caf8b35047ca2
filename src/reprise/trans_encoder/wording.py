"""What the chapter's sentences share: looked-up means, written differences, and silence where a run has no rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from reprise.numerals import difference
from reprise.plots import measured
from reprise.rows import MissingRowsError
from reprise.stats import paired_differences, t_interval

if TYPE_CHECKING:
    import pandas as pd

Further = ParamSpec("Further")


def nothing_without_rows(
    say: Callable[Concatenate[pd.DataFrame, Further], str],
) -> Callable[Concatenate[pd.DataFrame, Further], str]:
    """Make a sentence empty where the run has no rows for it: one cell of a fan-out, another task alone."""

    @wraps(say)
    def said(rows: pd.DataFrame, *further: Further.args, **named: Further.kwargs) -> str:
        try:
            return say(rows, *further, **named)
        except MissingRowsError:
            return ""

    return said


def mean_of(rows: pd.DataFrame, **how: object) -> float | None:
    """Return the mean over seeds of what rows have, None where they have nothing."""
    values = measured(rows, **how)
    return None if values is None else float(values.mean())


def apart(after: pd.Series, before: pd.Series) -> str:
    """Write the paired difference of two levels with its interval over seeds."""
    return difference(t_interval(paired_differences(after, before)))
