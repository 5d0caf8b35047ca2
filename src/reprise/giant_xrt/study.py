"""The study: settings in, tidy rows out.

Beyond the common columns, rows have ``experiment`` (the part of the study) and, where they apply, ``model`` (what is
trained on the features; ``"ridge"`` is the closed form), ``labels`` (``"20 per class"``, ``"60 %"``, …), ``level``
(clusters of the last level trained), ``group`` (of nodes by degree), ``at`` (what a sweep varies: share of edges kept,
homophily, contrast δ, number of the split, nodes of a graph) and ``mean_degree``.

- ``split``: ``"test"``; ``"validation"`` (what the choice of a learning rate saw); ``"held-out edges"``; ``"labels"``
  (the clusters of the tree); ``"graphs"`` (the simulation); ``"synthetic"`` (the scale experiment).
- ``metric``: ``accuracy`` (%), ``precision@1``, ``precision@5``, ``recall@5`` (%), ``purity`` (%), ``gain`` (ratio of
  effect sizes), ``seconds``, ``memory`` (MiB), ``homophily`` (share of edges), ``told apart`` (%, of linked pairs that
  lie nearer than pairs of the same classes without a link).

Rows without randomness have seed −1. Those of the simulation and of the scale experiment have the data set
``"theory"`` and are made with the embedded data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reprise import rows
from reprise.compute import use_threads
from reprise.giant_xrt.arxiv import arxiv_rows
from reprise.giant_xrt.audits import (
    control_rows,
    degree_rows,
    formula_rows,
    label_rows,
    neighbour_rows,
    phase_rows,
    purity_rows,
    scale_rows,
    theory_rows,
    variance_rows,
)
from reprise.giant_xrt.cell import Cell, Row
from reprise.giant_xrt.comparison import (
    ablation_rows,
    comparison_rows,
    level_rows,
    network_rows,
    rate_rows,
    self_supervision_rows,
)
from reprise.giant_xrt.minilm import LANGUAGE_SETS, minilm_rows
from reprise.giant_xrt.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

EMBEDDED = "text-blocks"


@dataclass(frozen=True)
class Part:
    """A part of the study: what makes its rows, on which data sets, and the setting that names its seeds (None: all).

    ``"full"``: the sets of all parts; ``"full and embedded"``; ``"embedded"``; ``"language"``, the sets whose texts a
    language model can read; ``"every"``.
    """

    rows: Callable[[Cell, int], Iterator[Row]]
    where: Literal["full", "full and embedded", "embedded", "language", "every"]
    seeds: str | None = None

    def is_run(self, settings: Settings, name: str, seed: int) -> bool:
        """Say whether the part is run on a data set with a seed."""
        full = name in settings.full_study_datasets
        places = {
            "full": full,
            "full and embedded": full or name == EMBEDDED,
            "embedded": name == EMBEDDED,
            "language": name in LANGUAGE_SETS,
            "every": True,
        }
        return places[self.where] and (self.seeds is None or seed in getattr(settings, self.seeds))


# What costs little is run on embedded data, too, where these parts say most.
PARTS = {
    "comparison": Part(comparison_rows, "every"),
    "levels": Part(level_rows, "full and embedded"),
    "ablations": Part(ablation_rows, "full and embedded", "ablation_seeds"),
    "labels": Part(label_rows, "full and embedded"),
    "variance": Part(variance_rows, "full"),
    "degrees": Part(degree_rows, "full"),
    "neighbours": Part(neighbour_rows, "full", "neighbour_seeds"),
    "phase": Part(phase_rows, "full and embedded", "phase_seeds"),
    "purity": Part(purity_rows, "full and embedded"),
    "networks": Part(network_rows, "full", "network_seeds"),
    "self-supervision": Part(self_supervision_rows, "full", "network_seeds"),
    "minilm": Part(minilm_rows, "language"),
    "controls": Part(control_rows, "embedded"),
    "theory": Part(theory_rows, "embedded"),
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
    cell = Cell.of(settings, name)
    for seed in settings.seeds:
        if not cell.is_full and seed not in settings.other_seeds:
            continue
        for experiment in settings.experiments:
            part = PARTS.get(experiment)
            if part is not None and part.is_run(settings, name, seed):
                yield from part.rows(cell, seed)
        # The features of a seed are of use to that seed only.
        cell.forget()
    if len(settings.learning_rates) > 1 and 0 in settings.seeds:
        yield from rate_rows(cell)
    if name != EMBEDDED:
        return
    if "theory" in settings.experiments:
        yield from formula_rows()
    if 0 in settings.seeds and "scale" in settings.experiments:
        yield from scale_rows(settings)
    if "ogbn-arxiv" in settings.experiments:
        yield from arxiv_rows(settings)
