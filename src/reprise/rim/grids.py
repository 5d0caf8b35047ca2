"""Whether the grid of time scales is long enough: both fits that have one, judged on users that they did not see."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from reprise.rim import hawkes
from reprise.rim.activity import training_histories, validation_counts
from reprise.rim.events import Codes, Numbers, Requests
from reprise.rim.kernel_features import LONGER_SCALES, SCALES, features, moments
from reprise.rim.splits import Split

PAPERS_GRID = "the paper's scales"
GRIDS = {PAPERS_GRID: SCALES, "longer scales": LONGER_SCALES}


def halves(n: int, draw: np.random.Generator) -> list[tuple[Codes, Codes]]:
    """Return two folds: places to fit on and places to judge on, each half once in both roles."""
    first, second = np.array_split(draw.permutation(n), 2)
    return [(first, second), (second, first)]


def losses_of_hp(split: Split, draw: np.random.Generator) -> dict[str, float]:
    """Return the mean Poisson loss of HP on the halves of the validation requests left out, by grid.

    All windows of a user go into the same half.
    """
    _, owner = np.unique(np.concatenate([window.user for window in split.validation]), return_inverse=True)
    folds = halves(int(owner.max()) + 1, draw)
    found = {}
    for name, scales in GRIDS.items():
        stacked, counts = validation_counts(split, partial(features, scales=scales))
        found[name] = float(np.mean([_loss_of_hp(stacked, counts, owner, *fold) for fold in folds]))
    return found


def _loss_of_hp(stacked: Numbers, counts: Numbers, owner: Codes, fitted: Codes, judged: Codes) -> float:
    seen, left_out = np.isin(owner, fitted), np.isin(owner, judged)
    weights = hawkes.fit_poisson(stacked[seen], counts[seen])
    return hawkes.poisson_loss(stacked[left_out], counts[left_out], weights)[0]


def losses_of_hawkes(split: Split, draw: np.random.Generator) -> dict[str, float]:
    """Return the mean least-squares contrast of the Hawkes process on the halves of the users left out, by grid."""
    histories = training_histories(split)
    folds = halves(len(histories), draw)
    return {name: float(np.mean(list(_contrasts(histories, folds, scales)))) for name, scales in GRIDS.items()}


def _contrasts(histories: Requests, folds: list[tuple[Codes, Codes]], scales: Numbers) -> Iterator[float]:
    for fitted, judged in folds:
        weights = hawkes.fit_hawkes(moments(histories.only(fitted), scales))
        yield hawkes.contrast(moments(histories.only(judged), scales), weights, strength=np.inf)
