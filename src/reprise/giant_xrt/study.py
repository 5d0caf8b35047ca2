"""The study: settings in, tidy rows out.

Beyond the common columns, rows have ``experiment`` (the part of the study) and, where they apply, ``model`` (what is
trained on the features; ``"ridge"`` is the closed form), ``labels`` (``"20 per class"``, ``"60 %"``, …), ``level``
(clusters of the last level trained), ``group`` (of nodes by degree), ``at`` (what a sweep varies: share of edges kept,
homophily, contrast δ, number of the split, nodes of a graph) and ``mean_degree``.

- ``split``: ``"test"``; ``"validation"`` (what the choice of a learning rate saw); ``"held-out edges"``; ``"labels"``
  (the clusters of the tree); ``"graphs"`` (the simulation); ``"synthetic"`` (the scale experiment).
- ``metric``: ``accuracy`` (%), ``precision@1``, ``precision@5``, ``recall@5`` (%), ``purity`` (%), ``gain`` (ratio of
  effect sizes), ``seconds``, ``memory`` (MiB), ``share`` (%).

Rows without randomness have seed −1. Those of the simulation and of the scale experiment have the data set
``"theory"`` and are made with the embedded data set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

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
from reprise.giant_xrt.minilm import minilm_rows
from reprise.giant_xrt.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

PARTS = {
    "comparison": comparison_rows,
    "levels": level_rows,
    "ablations": ablation_rows,
    "labels": label_rows,
    "variance": variance_rows,
    "degrees": degree_rows,
    "neighbours": neighbour_rows,
    "phase": phase_rows,
    "purity": purity_rows,
    "networks": network_rows,
    "self-supervision": self_supervision_rows,
    "minilm": minilm_rows,
}
EMBEDDED_PARTS = {"controls": control_rows}
COMPARED_PARTS = {"comparison": comparison_rows}
# What costs little on embedded data, where these parts say most.
COMPARED_EMBEDDED_PARTS = {
    "levels": level_rows,
    "ablations": ablation_rows,
    "labels": label_rows,
    "phase": phase_rows,
    "purity": purity_rows,
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


def _parts(full: bool, embedded: bool) -> dict[str, Callable[[Cell, int], Iterator[Row]]]:
    parts: dict[str, Callable[[Cell, int], Iterator[Row]]] = dict(PARTS if full else COMPARED_PARTS)
    if embedded:
        parts |= EMBEDDED_PARTS if full else {**COMPARED_EMBEDDED_PARTS, **EMBEDDED_PARTS}
    return parts


def _rows_of(settings: Settings, name: str) -> Iterator[Row]:
    cell = Cell.of(settings, name)
    embedded = name == "text-blocks"
    full = name in settings.full_study_datasets
    parts = _parts(full, embedded)
    for seed in settings.seeds:
        if not full and seed not in settings.other_seeds:
            continue
        for experiment in settings.experiments:
            if experiment in parts:
                yield from parts[experiment](cell, seed)
            elif experiment == "theory" and embedded:
                yield from theory_rows(settings, seed)
        # The features of a seed are of use to that seed only.
        cell.forget()
    if len(settings.learning_rates) > 1 and full and 0 in settings.seeds:
        yield from rate_rows(cell)
    if embedded and "theory" in settings.experiments:
        yield from formula_rows()
    if embedded and 0 in settings.seeds and "scale" in settings.experiments:
        yield from scale_rows(settings)
    if embedded and "ogbn-arxiv" in settings.experiments:
        yield from arxiv_rows(settings)
