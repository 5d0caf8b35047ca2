"""Gains over the start with both of their uncertainties: over seeds, and over the sample of test pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reprise.numerals import difference, number
from reprise.rows import MissingRowsError
from reprise.stats import Interval, paired_differences, t_interval
from reprise.trans_encoder.comparisons import resampling_error
from reprise.trans_encoder.lookups import levels, sets_of
from reprise.trans_encoder.names import BASE, START

if TYPE_CHECKING:
    import pandas as pd

STANDARD_ERRORS = 1.96  # in half of a 95 % interval


@dataclass(frozen=True)
class Change:
    """A gain over the start, in points.

    All seeds are tested on one sample of pairs, which an interval over seeds knows nothing of.

    Attributes
    ----------
    over_seeds
        Paired difference with its 95 % t interval over seeds.
    error
        Standard error by resampled test pairs; None where the run has none.
    """

    over_seeds: Interval
    error: float | None = None

    @property
    def whole(self) -> Interval:
        """The interval with both uncertainties: half-widths add as variances do."""
        one = self.over_seeds
        if self.error is None or not math.isfinite(one.half_width):
            return one
        half = math.hypot(one.half_width, STANDARD_ERRORS * self.error)
        return Interval(one.estimate, one.estimate - half, one.estimate + half, one.n)

    def told(self, decimals: int = 1) -> str:
        """Say where it stands: above the start, below it, on these test pairs alone, or not told from it."""
        gain = difference(self.over_seeds, decimals)
        side = "above" if self.over_seeds.above(0) else "below" if self.over_seeds.below(0) else ""
        if not side:
            return f"not told from the start ({gain})"
        if self.whole.above(0) or self.whole.below(0):
            return f"{side} the start ({gain})"
        ends = f"[{number(self.whole.low, decimals)}, {number(self.whole.high, decimals)}]"
        return f"{side} the start on these test pairs ({gain}), not told from it on others ({ends})"


def change_from_start(
    rows: pd.DataFrame, method: str, *, variant: str = BASE, cycle: int = 0, sets: Sequence[str] | None = None
) -> Change | None:
    """Return a method's gain over the start of the same seeds, mean over sets; None where the run has none.

    A variant with a start of its own, as the whole model is, is compared with that one.
    """
    chosen = sets_of(rows) if sets is None else sets
    after = levels(rows, method, variant=variant, cycle=cycle, sets=chosen)
    before = levels(rows, START, variant=variant, sets=chosen)
    before = levels(rows, START, sets=chosen) if before is None else before
    if after is None or before is None:
        return None
    try:
        error = resampling_error(rows, method, cycle, variant=variant, sets=chosen)
    except MissingRowsError:
        error = None
    return Change(t_interval(paired_differences(after, before)), error)
