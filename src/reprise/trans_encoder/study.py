"""The study: settings in, tidy rows out.

Beyond the common columns, rows have ``part`` (levels, resampling, groups, single pairs, training, selection, scores,
data, two backbones, audit), ``backbone``, ``variant`` (how the run differs from the paper's recipe), ``cycle`` (0
before the first), ``group`` (of test pairs) and ``at`` (a step, a quantile's level, a pair's place).

- ``split``: ``"test"``, and within it ``"test, in the pool"`` and ``"test, held out"``; ``"validation"``;
  ``"validation, leak-free"``; ``"pool"``; ``"all"`` for counts of whole data sets.
- ``metric``: ``spearman`` and ``auc`` in points (× 100), standard errors of them; ranks from 0 to 100.

All data sets of a family (the seven STS sets; MRPC; the drawn pairs) are tests of the same trained models.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reprise import rows
from reprise.compute import resolve_device, use_threads
from reprise.trans_encoder.audits import audit_rows
from reprise.trans_encoder.cell import Cell, Row
from reprise.trans_encoder.data import FAMILIES
from reprise.trans_encoder.self_distilled import self_rows, untrained_baselines
from reprise.trans_encoder.settings import Settings
from reprise.trans_encoder.variants import RUNS

if TYPE_CHECKING:
    import pandas as pd


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
    families = [name for name, members in FAMILIES.items() if set(members) & set(settings.datasets)]
    found = {
        _identity(row): row
        for name in families
        for seed in settings.seeds
        if settings.is_run(name, seed)
        for row in _rows_of(settings, name, seed)
    }
    return rows.tidy(found.values())


def _identity(row: Row) -> tuple[object, ...]:
    # Counts without randomness come once a seed; they are kept once.
    return tuple(value for name, value in sorted(row.items()) if name != "value")


def _rows_of(settings: Settings, family: str, seed: int) -> Iterator[Row]:
    cell = Cell(settings, family, seed, resolve_device(settings.device))
    found = [*audit_rows(cell), *self_rows(cell)]
    untrained_baselines(cell)
    for variant in settings.variants:
        if settings.is_run(family, seed, variant):
            found += RUNS[variant](cell)
    found += cell.test_rows()
    # Pool and development pairs are reported under one data set of the family: a run without it leaves them out.
    return (row for row in found if row["dataset"] in settings.datasets)
