"""Values that tables, figures and sentences look up in the rows of a run, None where it has none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reprise.plots import printed
from reprise.rows import MissingRowsError
from reprise.trans_encoder.comparisons import level
from reprise.trans_encoder.names import (
    BASE,
    BI_TO_BI,
    EMBEDDED,
    HOME,
    MUTUAL_BI,
    MUTUAL_CROSS,
    SELF_BI,
    SELF_CROSS,
    SEVEN_SETS,
    START,
)  # fmt: skip

if TYPE_CHECKING:
    import pandas as pd

AVERAGE = "average of seven sets"


def sets_of(rows: pd.DataFrame) -> list[str]:
    """Return the sets whose average is shown: the STS sets of the run, else the drawn pairs.

    Raises
    ------
    MissingRowsError
        If the run has none of them.
    """
    present = set(rows["dataset"])
    found = [name for name in SEVEN_SETS if name in present] or [name for name in (EMBEDDED,) if name in present]
    if not found:
        raise MissingRowsError("this run has neither STS sets nor drawn pairs.")
    return found


def home_of(rows: pd.DataFrame) -> str:
    """Return the data set under which pool and development pairs are reported."""
    return HOME if HOME in sets_of(rows) else sets_of(rows)[0]


def levels(
    rows: pd.DataFrame,
    method: str,
    *,
    variant: str = BASE,
    cycle: int = 0,
    sets: Sequence[str] | None = None,
    split: str = "test",
) -> pd.Series | None:
    """Return a method's level per seed, the mean over sets; None where the run has none."""
    try:
        chosen = sets_of(rows) if sets is None else sets
        return level(rows, method, variant=variant, cycle=cycle, sets=chosen, split=split)
    except MissingRowsError:
        return None


def name_of_average(sets: Sequence[str]) -> str:
    """Return what the mean over sets is called."""
    if list(sets) == [EMBEDDED]:
        return "templated pairs"
    return AVERAGE if len(sets) == len(SEVEN_SETS) else f"average of {len(sets)} sets"


def papers_gain(published: pd.DataFrame, method: str, name: str, backbone: str = "BERT-base") -> float | None:
    """Return the paper's gain over its start on a set, or on the average; None where one of the two is not printed."""
    how = {"dataset": name, "metric": "spearman", "backbone": backbone}
    after, before = printed(published, method=method, **how), printed(published, method=START, **how)
    return None if after is None or before is None else after - before


def half_step_of(method: str, cycle: int) -> int:
    """Return the place of a model in the loop: 0 the start, 1 the first cross-encoder, 2 the bi-encoder after it."""
    if method in (SELF_CROSS, MUTUAL_CROSS):
        return 2 * cycle - 1
    return 2 * cycle if method in (SELF_BI, MUTUAL_BI) else 0


def half_step_name(place: int) -> str:
    """Return what a half-step's model is called: ``start``, ``cross 1``, ``bi 1``, ``cross 2``."""
    if place == 0:
        return "start"
    return f"{'cross' if place % 2 else 'bi'} {(place + 1) // 2}"


def title_of(method: str, cycle: int = 0) -> str:
    """Return how a method is called on the page, with its cycle if it has one."""
    shown = {BI_TO_BI: "Bi → bi"}.get(method, method)
    return f"{shown}, cycle {cycle}" if cycle else shown


def seeds_in_words(values: pd.Series) -> str:
    """Return which seeds values are of: ``seeds 0 to 2``, ``seeds 0, 3``, ``seed 4``."""
    seeds = sorted({int(seed) for seed in values.index})
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    if seeds == list(range(seeds[0], seeds[-1] + 1)):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    return f"seeds {', '.join(map(str, seeds))}"
