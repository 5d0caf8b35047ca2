"""Problems: which windows are trained on, which are tested, and where strangers come from, per data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reprise.compute import numpy_generator
from reprise.walk_alone.basketball import load_nba_sportvu
from reprise.walk_alone.pedestrians import load_eth_ucy, load_sdd
from reprise.walk_alone.settings import Settings
from reprise.walk_alone.states import BASKETBALL, PEDESTRIAN, Scale
from reprise.walk_alone.training import Symmetry
from reprise.walk_alone.windows import Windows
from reprise.walk_alone.worlds import world_windows

WORLDS = ("alone", "repel", "follow")
N_PANELS = 6


@dataclass(frozen=True)
class Problem:
    """One data set, split.

    Attributes
    ----------
    name, split
        Name of the data set; name of the tested part.
    train, test
        Windows.
    pool
        Windows from whose neighbours strangers are drawn.
    scale
        Divisors of the states.
    symmetry
        Of the augmentation.
    """

    name: str
    split: str
    train: Windows
    test: Windows
    pool: Windows
    scale: Scale = PEDESTRIAN
    symmetry: Symmetry = "rotations"


def load_problems(settings: Settings, dataset: str) -> Iterator[Problem]:
    """Yield the problems of a data set: one per fold of ETH-UCY, else one."""
    if dataset == "eth-ucy":
        for fold in settings.folds:
            yield load_problem(settings, dataset, fold)
    else:
        yield load_problem(settings, dataset)


def load_problem(settings: Settings, dataset: str, fold: str = "zara1") -> Problem:
    """Load a data set as the study uses it.

    The tested fold of ETH-UCY may be a single scene; its strangers come from the other scenes, which are its training
    files. Elsewhere they come from other scenes of the tested part.
    """
    if dataset in WORLDS:
        n_train = settings.train_scenes // (1 if dataset == "follow" else 2)
        test = world_windows(dataset, settings.test_scenes, split="test")  # type: ignore[arg-type]
        return Problem(dataset, "test", world_windows(dataset, n_train), test, test)  # type: ignore[arg-type]
    if dataset == "eth-ucy":
        train = load_eth_ucy(fold, "train")
        test = load_eth_ucy(fold, "test")
        return Problem(dataset, fold, train.take(slice(None, None, settings.train_every)), test, train)
    if dataset == "sdd":
        test = load_sdd("test")
        return Problem(dataset, "test", load_sdd("train"), test, test)
    test = load_nba_sportvu("test")
    train = load_nba_sportvu("train", settings.clip_every)
    return Problem(dataset, "test", train, test, test, BASKETBALL, "mirrors")


def chosen_targets(problem: Problem, n: int) -> np.ndarray:
    """Return the test windows that are attributed: the same for all seeds and networks."""
    draw = numpy_generator(0, "walk_alone", problem.name, "targets")
    return np.sort(draw.permutation(len(problem.test))[:n])


def shown_windows(problem: Problem) -> np.ndarray:
    """Return the windows of the figures with arrows.

    Basketball: one player of the first clip at evenly spaced times, the one that is nearest to the ball at first. Else:
    the targets with most neighbours, from different clusters.
    """
    test = problem.test
    if problem.name == "nba-sportvu":
        clip = np.flatnonzero(test.scene == 0)
        start = clip[test.frame[clip] == test.frame[clip].min()]
        distance = np.linalg.norm(test.neighbours[start, 9, -1] - test.past[start, -1], axis=-1)
        own = clip[int(distance.argmin()) :: 10]
        return own[np.linspace(0, len(own) - 1, N_PANELS).round().astype(int)]
    order = np.argsort(-test.counts, kind="stable")
    _, first = np.unique(test.cluster[order], return_index=True)
    return order[np.sort(first)[:N_PANELS]]
