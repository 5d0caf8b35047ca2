"""ogbn-arxiv as in the paper, for those with the hardware and a network; the authors' own features where they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from reprise.compute import resolve_device
from reprise.data import DataError
from reprise.giant_xrt.data import arxiv_published_features, arxiv_split, load
from reprise.giant_xrt.downstream import ARXIV, trained_scores
from reprise.giant_xrt.estimators import GiantFeaturizer
from reprise.giant_xrt.pretraining import Recipe

if TYPE_CHECKING:
    from reprise.giant_xrt.cell import Row
    from reprise.giant_xrt.settings import Settings


def arxiv_rows(settings: Settings) -> Iterator[Row]:
    """Yield test accuracy of MLP and GraphSAGE on plain features, on ours and, if present, on the authors' features.

    Seeds are those of the downstream networks; one pre-training serves all, as in the paper.

    Raises
    ------
    DataError
        If ogbn-arxiv, or what reads it, is not there.
    """
    graph, split = load("ogbn-arxiv"), arxiv_split()
    assert graph.words is not None
    features: dict[str, np.ndarray] = {"OGB features": graph.words.toarray()}
    recipe = Recipe(steps_per_level=settings.arxiv_steps, batch_size=settings.arxiv_batch, amp=True)
    device = str(resolve_device(settings.device))
    made = GiantFeaturizer(settings.arxiv_encoder, max_leaf=100, recipe=recipe, device=device, random_state=0)
    features["GIANT"] = made.fit_transform(graph.texts, graph.adjacency)
    with suppress(DataError):
        features["GIANT, authors' features"] = arxiv_published_features()
    for seed in settings.seeds:
        for name, matrix in features.items():
            for model, training in ARXIV.items():
                options: dict[str, Any] = {"seed": seed, "training": training, "scalings": ("columns",)}
                scores = trained_scores(model, matrix, graph.labels, graph.adjacency, split, **options)
                common = {"dataset": "ogbn-arxiv", "split": "test", "method": name, "seed": seed, "metric": "accuracy"}
                yield {**common, "value": scores.test, "experiment": "comparison", "model": model, "labels": "official"}
