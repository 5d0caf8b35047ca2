"""The study: settings in, tidy rows out.

Beyond the common columns, rows have ``experiment`` (the part of the study) and, where they apply, ``outer`` (the outer
loss of the derivative), ``penalty`` (``"leave-one-out"``: chosen by it, or λ), ``step`` (steps of Reweight),
``noise_rate`` (share of wrong labels), ``setting`` (the pool, what counts as validation, the layers linearised, a
combination tried), ``size`` (share of the pool added; centre of a bin), ``new_weight`` (of a changed sample) and
``sample`` (which one; the flip).

- ``split``: ``"test"``; ``"leave-one-out"`` (on the training rows, each by the model without it); ``"training"``;
  ``"selection"`` (the part of the training set on which rate and decay of the heads are selected).
- ``metric``: ``error`` (%), ``loss`` (mean over rows), ``f1``, ``auc``, ``penalty``, ``mean weight``, ``share``,
  ``count``, ``spearman``, ``predicted``, ``exact``, ``share negative``, ``multiply-adds``, and sizes of the data.

Rows without randomness have seed −1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reprise import rows
from reprise.compute import resolve_device, use_threads
from reprise.diva.cell import Cell, Row, task_of
from reprise.diva.copies import flip_rows
from reprise.diva.data import IMAGE_SETS
from reprise.diva.encoders import MOBILENETS, image_encoder
from reprise.diva.growing import extend_rows, name_rows
from reprise.diva.linearisation import linearisation_rows
from reprise.diva.mobilenet import MobileNet
from reprise.diva.reweighting import head_rows, reweight_rows
from reprise.diva.settings import Settings
from reprise.diva.small_changes import cost_rows, resnet34_multiply_adds, small_change_rows
from reprise.diva.wrong_labels import detection_rows

if TYPE_CHECKING:
    import pandas as pd

PARTS = {
    "reweight": reweight_rows,
    "heads": head_rows,
    "detection": detection_rows,
    "extend": extend_rows,
    "flips": flip_rows,
    "names": name_rows,
    "small changes": small_change_rows,
    "linearisation": linearisation_rows,
}


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
    return rows.tidy(row for name in settings.datasets for row in _rows_of(settings, name))


def _rows_of(settings: Settings, name: str) -> Iterator[Row]:
    device = resolve_device(settings.device)
    cell = Cell(settings, task_of(settings, name, str(device)), device)
    for experiment in settings.experiments:
        if experiment == "cost":
            yield from cost_rows(cell, _multiply_adds(settings, name))
        else:
            yield from PARTS[experiment](cell)


def _multiply_adds(settings: Settings, name: str) -> int | None:
    """Return those of the frozen network for one image, where they can be counted."""
    network = settings.small_network if name == "cifar10-4k" else settings.network
    if name not in IMAGE_SETS:
        return None
    if network == "resnet-34":
        return resnet34_multiply_adds()
    if network not in MOBILENETS:
        return None
    encoder, _ = image_encoder(network)
    assert isinstance(encoder, MobileNet)
    return encoder.multiply_adds
