"""The study: settings in, tidy rows out.

Beyond the common columns, rows have ``part`` (accuracy, policy, levels of operations, history, similarity, rewards,
audit, printed table), ``network``, ``variant`` (how a search differs from the paper's), ``layer`` (also: depth),
``operation`` and ``at`` (the length of a finite step). The record's summary takes means over ``level`` (a grid point of
an operation's strength) and ``step`` (of a search), since lines a transformation or step would be most of it.

- ``split``: ``"test"`` and ``"train"`` for accuracies, ``"test"`` for cosines; ``"search"`` for what comes of search
  and validation images.
- ``metric``: ``accuracy`` in per cent; ``mass`` and ``probability`` from 0 to 1; ``cosine``; ``entropy`` in nats.
- ``seed``: of cifar10-4k, seed s tests on the s-th of the five sheets, cyclically, so that pairs of a seed are pairs of
  a fold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reprise import rows
from reprise.compute import use_threads
from reprise.deep_aa.audits import AUDITS
from reprise.deep_aa.cell import Cell, Row
from reprise.deep_aa.data import TEST_SHEETS
from reprise.deep_aa.names import ACCURACY, CIFAR, MIRRORED, PUBLISHED
from reprise.deep_aa.policy_rows import base_rows
from reprise.deep_aa.printed_ranks import printed_rows
from reprise.deep_aa.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

# The digits whose mirror image is a class have one question of their own.
MIRRORED_AUDITS = ("pretraining",)


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
    cells = [Cell(settings, name, seed) for name in settings.datasets for seed in seeds_of(settings, name)]
    return rows.tidy([*printed_rows(), *(row for cell in cells for row in cell_rows(cell))])


def cell_rows(cell: Cell) -> Iterator[Row]:
    """Yield all rows of a data set and seed."""
    yield from base_rows(cell)
    for method in methods_of(cell):
        network = cell.trained(cell.augmentation(method))
        for split in ("test", "train"):
            yield cell.row(ACCURACY, method, "accuracy", cell.accuracy(network, split), split=split)
    for audit in audits_of(cell):
        yield from AUDITS[audit](cell)


def seeds_of(settings: Settings, dataset: str) -> list[int]:
    """Return the seeds that a data set is run with."""
    return [seed for seed in settings.seeds if dataset == CIFAR or seed in settings.digit_seeds]


def methods_of(cell: Cell) -> list[str]:
    """Return the augmentations that a data set and seed is trained with; the published policy is for photographs."""
    once = cell.settings.methods_once if not cell.is_photographs or cell.seed % len(TEST_SHEETS) == 0 else ()
    methods = [*cell.settings.methods, *(method for method in once if method not in cell.settings.methods)]
    return [method for method in methods if method != PUBLISHED or cell.is_photographs]


def audits_of(cell: Cell) -> list[str]:
    """Return the audits of a data set and seed."""
    if cell.dataset != CIFAR and cell.seed not in cell.settings.audit_seeds:
        return []
    if cell.dataset != CIFAR:
        return [audit for audit in cell.settings.audits if cell.dataset != MIRRORED or audit in MIRRORED_AUDITS]
    return [audit for audit, seeds in cell.settings.photograph_audits.items() if cell.seed in seeds]
