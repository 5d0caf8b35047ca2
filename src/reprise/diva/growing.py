"""The study's Extend (Fig. 4) and class names as samples (Fig. 5): which rows of a pool to add, in which order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from reprise.diva.cell import Cell, Row, Split, with_wrong_labels
from reprise.diva.data import class_name_features
from reprise.diva.ridge import solve
from reprise.diva.weighting import choose_penalty, coefficients, extend

POOLS = ("clean", "noisy")
EXTEND_SETS = ("digits", "cub50", "flowers12")
SUBSET_SHARE = 0.7


def extend_rows(cell: Cell) -> Iterator[Row]:
    """Yield the test error by share of the pool added, for clean and noisy pools, chosen and at random.

    Every seed redraws training and test set (0: the given ones), the core, and the wrong labels of the noisy pool.
    """
    settings = cell.settings
    if cell.task.name not in EXTEND_SETS:
        return
    for seed in cell.seeds(settings.extend_seeds):
        split = cell.split(seed)
        core = draw_per_class(split.labels.cpu().numpy(), settings.core_per_class, cell.generator(seed, "core"))
        rest = np.setdiff1d(np.arange(len(split.labels)), core)
        for pool in POOLS:
            labels = split.labels.cpu().numpy().copy()
            if pool == "noisy":
                stream = cell.generator(seed, "pool labels")
                labels[rest] = with_wrong_labels(labels[rest], settings.pool_noise_rate, cell.task.n_classes, stream)
            ordered = _rows_of(split.with_labels(labels), np.concatenate([core, rest]))
            yield from _curve_rows(cell, "extend", seed, ordered, len(core), pool)


def draw_per_class(labels: np.ndarray, number: int, generator: np.random.Generator) -> np.ndarray:
    """Return the rows of a draw with the same number from every class (all, where a class has fewer)."""
    found = [generator.permutation(np.flatnonzero(labels == label))[:number] for label in np.unique(labels)]
    return np.sort(np.concatenate(found))


def _rows_of(split: Split, rows: np.ndarray) -> Split:
    chosen = torch.as_tensor(rows, device=split.labels.device)
    return replace(split, features=split.features[chosen], targets=split.targets[chosen], labels=split.labels[chosen])


def _curve_rows(cell: Cell, experiment: str, seed: int, split: Split, n_core: int, pool: str) -> Iterator[Row]:
    settings = cell.settings
    n_pool = len(split.labels) - n_core
    penalty = choose_penalty(split.features[:n_core], split.targets[:n_core])
    per_round = math.ceil(n_pool / settings.n_rounds)
    sizes = [min(per_round * number, n_pool) for number in range(settings.n_rounds + 1)]
    objective = cell.objective(settings.noise_temperature)
    # Past the point where no derivative is negative, and Extend would stop, the curve goes on in the same order.
    found = extend(split.features, split.targets, n_core, penalty, objective, per_round=per_round, only_negative=False)
    quota = None
    if experiment == "extend":
        # Large rounds take many rows of few classes; with a quota every class has its part in each round.
        per_class = math.ceil(per_round / split.targets.shape[1])
        quota = extend(
            split.features,
            split.targets,
            n_core,
            penalty,
            objective,
            per_round=per_round,
            per_class=per_class,
            only_negative=False,
        )
    generator = cell.generator(seed, experiment, "random order")
    random = [torch.from_numpy(generator.permutation(n_pool)) for _ in range(settings.n_random_orders)]

    def error(order: Tensor) -> float:
        weights = torch.zeros_like(split.features[:, 0])
        weights[:n_core] = 1.0
        weights[n_core + order.to(weights.device)] = 1.0
        return split.error(coefficients(solve(split.features, split.targets, weights, penalty), split.features))

    ends = {round(number / settings.n_rounds, 4): size for number, size in enumerate(sizes)}
    for share, size in ends.items():
        how = {"size": share, "setting": pool}
        yield cell.row(experiment, seed, "DIVA Extend", "error", error(found.order[:size]), **how)
        at_random = float(np.mean([error(order[:size]) for order in random]))
        yield cell.row(experiment, seed, "Random selection", "error", at_random, **how)
        if quota is not None:
            own = error(quota.order[:size])
            yield cell.row(experiment, seed, "DIVA Extend, class quota", "error", own, **how)
        if experiment == "names":
            backwards = error(found.order.flip(0)[:size])
            yield cell.row(experiment, seed, "DIVA's order reversed", "error", backwards, **how)
    if experiment == "extend":
        yield from _tuned_rows(cell, seed, split, n_core, found.order, pool)
    share = found.n_negative / n_pool
    yield cell.row(experiment, seed, "DIVA Extend", "share negative", share, split="training", setting=pool)


def _tuned_rows(cell: Cell, seed: int, split: Split, n_core: int, order: Tensor, pool: str) -> Iterator[Row]:
    """Yield errors of a chosen part and of the whole pool, each with the λ that leave-one-out chooses on these rows.

    The λ of the curves is the core's, for all sizes; a larger set, or one with wrong labels, may want another.
    """
    n_chosen = round(SUBSET_SHARE * len(order))
    for method, size, taken in (("DIVA Extend", SUBSET_SHARE, order[:n_chosen]), ("Whole pool", 1.0, order)):
        rows = torch.cat([torch.arange(n_core), n_core + taken]).to(split.features.device)
        features, targets = split.features[rows], split.targets[rows]
        penalty = choose_penalty(features, targets)
        error = split.error(coefficients(solve(features, targets, torch.ones_like(features[:, 0]), penalty), features))
        how = {"size": size, "setting": pool}
        yield cell.row("extend", seed, f"{method}, own λ", "error", error, **how)
        yield cell.row("extend", seed, f"{method}, own λ", "penalty", penalty, split="training", **how)


def name_rows(cell: Cell) -> Iterator[Row]:
    """Yield few-shot errors with class names, in the space of the sentences, added as samples."""
    if cell.task.name != "banking77":
        return
    names = torch.as_tensor(class_name_features(cell.task.name, str(cell.device)), device=cell.device)
    split = cell.split(0)
    n_classes = cell.task.n_classes
    for seed in cell.seeds(cell.settings.seeds):
        labels = split.labels.cpu().numpy()
        core = _rows_of(split, draw_per_class(labels, cell.settings.n_shots, cell.generator(seed, "shots")))
        both = replace(
            core,
            features=torch.cat([core.features, names]),
            targets=torch.cat([core.targets, torch.eye(n_classes).to(core.targets)]),
            labels=torch.cat([core.labels, torch.arange(n_classes, device=cell.device)]),
        )
        yield from _curve_rows(cell, "names", seed, both, len(core.labels), "names")
