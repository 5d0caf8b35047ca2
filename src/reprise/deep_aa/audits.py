"""What the paper does not ask: finite steps, last layer, noise, penalty, pretraining, repetition, depth, cost, fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from reprise.compute import torch_generator
from reprise.deep_aa.cell import Cell, Row
from reprise.deep_aa.gradient_rewards import WeightGradients, direction
from reprise.deep_aa.names import (
    AUDIT,
    CHOSEN_DEPTH,
    DEEP_TRIVIAL,
    DEFAULT,
    DEFAULT_CUTOUT,
    LAST_LAYER,
    NO_PENALTY,
    NOISE,
    NONE,
    SEARCHED,
    UNIFORM,
    longer_variant,
    penalty_variant,
    pretraining_variant,
    repetition_variant,
)
from reprise.deep_aa.policy import Policy
from reprise.deep_aa.policy_rows import fresh_units_of, gain_rows, identity_cosines, mass_rows, units_of
from reprise.deep_aa.search import first_logits
from reprise.deep_aa.similarity import cosines, rank_correlation, relative_error
from reprise.deep_aa.training import as_floats
from reprise.deep_aa.work import pretraining_operations, search_operations, training_operations

FINITE_STEPS = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 1e-7)
FINITE_UNITS = 8
OTHER_PENALTIES = (0.0, 0.5, 2.0)
PRETRAININGS = (NONE, DEFAULT_CUTOUT, UNIFORM)
REPETITIONS = (1,)
LONGER = (DEFAULT, DEEP_TRIVIAL, SEARCHED)  # trained longer, too


def finite_step_rows(cell: Cell) -> Iterator[Row]:
    """Yield how rewards by finite differences differ from those by forward mode, by the length of the step.

    Their relative error, and the rank correlation of the two.
    """
    found = cell.search()
    units = units_of(cell, found)
    exact = WeightGradients(found.search.model, method="jvp")
    start = first_logits(cell.space, cell.settings.init_identity).softmax(0)
    errors: dict[float, list[float]] = {step: [] for step in FINITE_STEPS}
    ranks: dict[float, list[float]] = {step: [] for step in FINITE_STEPS}
    for place in range(min(FINITE_UNITS, len(units))):
        generator = torch_generator(cell.seed, *cell.names, "finite step", place)
        tried = as_floats(cell.space.expand(units.images[place : place + 1], generator)[0])
        labels = units.labels[place].expand(len(tried))
        u = direction(units.targets[place], exact.mean_gradient(tried, labels, start))
        rewards = exact.rewards(tried, labels, u)
        for step in FINITE_STEPS:
            finite = WeightGradients(found.search.model, method="finite differences", finite_step=step)
            differences = finite.rewards(tried, labels, u)
            errors[step].append(relative_error(rewards, differences))
            ranks[step].append(rank_correlation(rewards.cpu(), differences.cpu()))
    for metric, values in (("relative error of rewards", errors), ("rank correlation of rewards", ranks)):
        for step, kept in values.items():
            yield cell.row(AUDIT, SEARCHED, metric, sum(kept) / len(kept), split="search", at=step)


def last_layer_rows(cell: Cell) -> Iterator[Row]:
    """Yield how the last layer's rewards rank against the full ones, what policy they give, and what they save."""
    found = cell.search()
    last = cell.search(params="last")
    yield from mass_rows(cell, last, LAST_LAYER)
    units, their_units = units_of(cell, found), units_of(cell, last)
    start = [first_logits(cell.space, cell.settings.init_identity).softmax(0)]

    def rewards(search: Any, drawn: Any) -> torch.Tensor:
        values: torch.Tensor = search.rewards(cell.space, drawn, start, torch_generator(cell.seed, "last layer")).values
        return values

    full, short = rewards(found.search, units), rewards(last.search, their_units)
    how = {"split": "search", "variant": LAST_LAYER, "layer": 1}
    single = [rank_correlation(a, b) for a, b in zip(full, short, strict=True)]
    yield cell.row(AUDIT, SEARCHED, "rank correlation, single units", sum(single) / len(single), **how)
    yield cell.row(AUDIT, SEARCHED, "rank correlation, means", rank_correlation(full.mean(0), short.mean(0)), **how)
    for metric, values in (("reward, all weights", full.mean(0)), ("reward, last layer", short.mean(0))):
        for (operation, level), value in zip(cell.space.transformations, values.tolist(), strict=True):
            yield cell.row(AUDIT, SEARCHED, metric, value, operation=operation.name, level=level, **how)
    gains = gain_of_other_policy(cell, last.policy)
    yield cell.row(AUDIT, SEARCHED, "gain in cosine of all weights", gains, **how)
    saved = search_operations(cell, params="all") / search_operations(cell, params="last")
    yield cell.row(AUDIT, SEARCHED, "operations of a step, all over last", saved, split="search", variant=LAST_LAYER)


def gain_of_other_policy(cell: Cell, policy: Policy) -> float:
    """Return what a policy's first layer gains in cosine over identity, by all weights of the base search's network."""
    found = cell.search()
    units = fresh_units_of(cell, found)
    gains = cosines(found.search, cell.space, policy.probabilities[:1], units) - identity_cosines(cell, found, units)
    return float(np.nanmean(gains))


def noise_rows(cell: Cell) -> Iterator[Row]:
    """Yield the gain in cosine of a search whose v are noise, on fresh images whose v are other noise."""
    found = cell.search(noise=True, n_layers=1)
    yield from gain_rows(cell, found, fresh_units_of(cell, found), NOISE)


def no_penalty_rows(cell: Cell) -> Iterator[Row]:
    """Yield the policy without a penalty of the rewards' spread."""
    yield from mass_rows(cell, cell.search(std_weight=0.0), NO_PENALTY)


def penalty_rows(cell: Cell) -> Iterator[Row]:
    """Yield policies with other weights of that penalty."""
    for weight in OTHER_PENALTIES:
        yield from mass_rows(cell, cell.search(std_weight=weight), penalty_variant(weight))


def pretraining_rows(cell: Cell) -> Iterator[Row]:
    """Yield policies of networks that were trained with other augmentations."""
    base = cell.settings.pretraining if cell.is_photographs else cell.settings.digit_pretraining
    for method in PRETRAININGS:
        found = cell.search() if method == base else cell.search(pretraining=method)
        yield from mass_rows(cell, found, pretraining_variant(method))


def repetition_rows(cell: Cell) -> Iterator[Row]:
    """Yield policies of searches with other draws, on the same network."""
    for number in REPETITIONS:
        yield from mass_rows(cell, cell.search(search_seed=number), repetition_variant(number))


def depth_accuracy_rows(cell: Cell) -> Iterator[Row]:
    """Yield the accuracy by depth, of the layers found and of the random stack."""
    found = cell.search().policy
    for depth in range(1, cell.settings.n_layers + 1):
        policies = {DEEP_TRIVIAL: Policy.uniform(depth, cell.space)}
        if depth <= found.n_layers:
            policies[SEARCHED] = found.first(depth)
        for method, policy in policies.items():
            network = cell.trained(policy)
            for split in ("test", "train"):
                value = cell.accuracy(network, split)
                yield cell.row(AUDIT, method, "accuracy", value, split=split, variant="by depth", layer=depth)


def equal_budget_rows(cell: Cell) -> Iterator[Row]:
    """Yield the accuracy of the random stack whose depth was chosen on validation images, and what both choices cost.

    Each depth is trained on all but the validation images; the best one is then trained on all, as every method is.
    """
    scores = {}
    for depth in range(1, cell.settings.n_layers + 1):
        network = cell.trained(Policy.uniform(depth, cell.space), parts=("pretraining", "search"))
        scores[depth] = cell.accuracy(network, "validation")
    best = max(scores, key=lambda depth: scores[depth])
    value = cell.accuracy(cell.trained(Policy.uniform(best, cell.space)), "test")
    yield cell.row(AUDIT, CHOSEN_DEPTH, "accuracy", value, layer=best)
    n_steps = cell.settings.steps * cell.search().policy.n_layers
    n_images = len(cell.problem.pretraining) + len(cell.problem.search)
    how = {"split": "search"}
    searching = search_operations(cell) * n_steps + pretraining_operations(cell) * len(cell.problem.pretraining)
    yield cell.row(AUDIT, SEARCHED, "operations of the choice", searching, **how)
    work = training_operations(cell) * n_images * len(scores)
    yield cell.row(AUDIT, CHOSEN_DEPTH, "operations of the choice", work, **how)


def longer_training_rows(cell: Cell) -> Iterator[Row]:
    """Yield accuracies after several times the passes: whether strong augmentation only wants a longer training.

    The policy is the one found already, and passes are the only thing that is changed.
    """
    times = cell.settings.longer
    for method in LONGER:
        network = cell.trained(cell.augmentation(method), times=times)
        for split in ("test", "train"):
            value = cell.accuracy(network, split)
            yield cell.row(AUDIT, method, "accuracy", value, split=split, variant=longer_variant(times))


AUDITS: dict[str, Callable[[Cell], Iterator[Row]]] = {
    "finite step": finite_step_rows,
    "last layer": last_layer_rows,
    "noise": noise_rows,
    "penalty": no_penalty_rows,
    "penalties": penalty_rows,
    "pretraining": pretraining_rows,
    "search seeds": repetition_rows,
    "depth": depth_accuracy_rows,
    "equal budget": equal_budget_rows,
    "longer training": longer_training_rows,
}
