"""Rows of a search: what its layers hold, how it went, and how similar gradients become."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from reprise.deep_aa.cell import Cell, Row, Search
from reprise.deep_aa.names import (
    BASE,
    CIFAR,
    DEEP_TRIVIAL,
    HISTORY,
    LEVELS,
    NOISE,
    NONE,
    POLICY,
    PUBLISHED,
    REWARDS,
    SEARCHED,
    SEEN_COSINE,
    SIMILARITY,
    START,
)
from reprise.deep_aa.policy import Policy
from reprise.deep_aa.search import first_logits
from reprise.deep_aa.similarity import cosines, fresh_units, start_rewards
from reprise.deep_aa.units import Units

AUGMENTED_OF = 4  # test images, one is augmented
HISTORY_METRICS = ("cosine", "cosine std", "entropy", "identity", "objective", "largest |pᵀr|", "skipped")


def base_rows(cell: Cell) -> Iterator[Row]:
    """Yield all rows of the base search: masses, levels, history, cosines by depth, rewards at each layer's start."""
    found = cell.search()
    yield from mass_rows(cell, found, BASE)
    yield from level_rows(cell, found)
    for entry in found.history:
        columns = {"split": "search", "layer": int(entry["layer"]), "step": int(entry["step"])}
        for metric in HISTORY_METRICS:
            yield cell.row(HISTORY, SEARCHED, metric, entry[metric], **columns)
    units = fresh_units_of(cell, found)
    yield from gain_rows(cell, found, units, BASE)
    yield from other_layers_rows(cell, found, units)
    yield from depth_rows(cell, found, units)
    own_units = units_of(cell, found)
    yield from level_lines(cell, found, own_units)
    yield from reward_rows(cell, found, own_units)


def units_of(cell: Cell, found: Search) -> Units:
    """Return units drawn anew from the images that the search had."""
    data = (*cell.part("search"), *cell.part("validation"))
    return fresh_units(found.search, data, cell.settings.similarity_units)


def fresh_units_of(cell: Cell, found: Search) -> Units:
    """Return units of images that neither the search nor its network has seen: of the test images.

    Every fourth is augmented, the others are matched. Nothing is chosen by them.
    """
    images, labels = cell.part("test")
    augmented = torch.arange(len(labels), device=labels.device) % AUGMENTED_OF == 0
    data = (images[augmented], labels[augmented], images[~augmented], labels[~augmented])
    return fresh_units(found.search, data, cell.settings.similarity_units)


def mass_rows(cell: Cell, found: Search, variant: str) -> Iterator[Row]:
    """Yield each layer's probability of every operation, and its entropy in nats."""
    masses, entropies = found.policy.operation_mass(), found.policy.entropy()
    for layer, (mass, entropy) in enumerate(zip(masses, entropies, strict=True), start=1):
        how = {"split": "search", "variant": variant, "layer": layer}
        yield cell.row(POLICY, SEARCHED, "entropy", float(entropy), **how)
        for operation, value in zip(cell.space.operations, mass.tolist(), strict=True):
            yield cell.row(POLICY, SEARCHED, "mass", value, operation=operation, **how)


def level_rows(cell: Cell, found: Search) -> Iterator[Row]:
    """Yield the probability of every transformation of every layer: its operation, and its grid point as ``level``."""
    for layer, probabilities in enumerate(found.policy.probabilities, start=1):
        for place, value in enumerate(probabilities.tolist()):
            operation, level = cell.space.transformations[place]
            columns = {"split": "search", "layer": layer, "operation": operation.name, "level": level}
            yield cell.row(LEVELS, SEARCHED, "probability", value, **columns)


def gain_rows(cell: Cell, found: Search, units: Units, variant: str) -> Iterator[Row]:
    """Yield what layer 1 gains in cosine over identity on the same fresh images, with its standard error over them."""
    ours = cosines(found.search, cell.space, found.policy.probabilities[:1], units)
    gains = ours - identity_cosines(cell, found, units)
    gains = gains[np.isfinite(gains)]
    how = {"variant": variant, "layer": 1}
    yield cell.row(SIMILARITY, SEARCHED, "gain in cosine", float(gains.mean()), **how)
    error = float(gains.std(ddof=1) / np.sqrt(len(gains)))
    yield cell.row(SIMILARITY, SEARCHED, "standard error over units", error, **how)
    if variant != NOISE:
        return
    # Noise has no direction in which anything lies: the largest cosine that any policy reaches is of interest, too.
    yield cell.row(SIMILARITY, SEARCHED, "cosine", float(np.nanmean(ours)), **how)


def other_layers_rows(cell: Cell, found: Search, units: Units) -> Iterator[Row]:
    """Yield the same gain of two layers that nobody searched: a random one, and the one that the search starts from.

    A mixture of many gradients is nearer to a mean of many than a single one is, whatever was mixed.
    """
    start = first_logits(cell.space, cell.settings.init_identity).softmax(0)[None]
    identity = identity_cosines(cell, found, units)
    for method, variant, layer in (
        (DEEP_TRIVIAL, BASE, Policy.uniform(1, cell.space).probabilities),
        (SEARCHED, START, start),
    ):
        gains = cosines(found.search, cell.space, layer, units) - identity
        yield cell.row(SIMILARITY, method, "gain in cosine", float(np.nanmean(gains)), variant=variant, layer=1)


def level_lines(cell: Cell, found: Search, units: Units) -> Iterator[Row]:
    """Yield cosines without augmentation and under one random layer, on the images that the search had.

    What the cosines in the history of the search are to be compared with.
    """
    uniform = cosines(found.search, cell.space, Policy.uniform(1, cell.space).probabilities, units)
    for method, values in ((NONE, identity_cosines(cell, found, units)), (DEEP_TRIVIAL, uniform)):
        yield cell.row(SIMILARITY, method, SEEN_COSINE, float(np.nanmean(values)), split="search")


def identity_cosines(cell: Cell, found: Search, units: Units) -> np.ndarray:
    """Return the units' cosines without augmentation."""
    return cosines(found.search, cell.space, found.policy.probabilities[:0], units)


def depth_rows(cell: Cell, found: Search, units: Units) -> Iterator[Row]:
    """Yield the mean cosine over fresh images by depth: the policy found, the random stack, the published policy."""
    n_layers = cell.settings.n_layers
    policies = {SEARCHED: found.policy, DEEP_TRIVIAL: Policy.uniform(n_layers, cell.space)}
    if cell.dataset == CIFAR:
        policies[PUBLISHED] = Policy.published("cifar", space=cell.space)
    yield _cosine_row(cell, NONE, 0, identity_cosines(cell, found, units))
    for method, policy in policies.items():
        for depth in range(1, min(n_layers, policy.n_layers) + 1):
            layers = policy.probabilities[:depth]
            # All depths by sampling, one draw a sequence, so that a curve over depths compares like with like.
            sampled = torch.cat([layers, identity_layer(cell)]) if depth == 1 else layers
            values = cosines(found.search, cell.space, sampled, units, cell.settings.n_grad)
            yield _cosine_row(cell, method, depth, values)
            yield cell.row(SIMILARITY, method, "cosine std", float(np.nanstd(values)), layer=depth)


def identity_layer(cell: Cell) -> torch.Tensor:
    """Return a layer that does nothing, ``(1, T)``."""
    layer = torch.zeros(1, len(cell.space), dtype=torch.float64)
    layer[0, cell.space.identity] = 1.0
    return layer


def _cosine_row(cell: Cell, method: str, depth: int, values: np.ndarray) -> Row:
    return cell.row(SIMILARITY, method, "cosine", float(np.nanmean(values)), layer=depth)


def reward_rows(cell: Cell, found: Search, units: Units) -> Iterator[Row]:
    """Yield mean and standard deviation over units of all rewards at the start of each layer."""
    start = first_logits(cell.space, cell.settings.init_identity).softmax(0)
    layers = list(found.policy.probabilities)
    for number in range(len(layers)):
        mean, deviation = start_rewards(found.search, cell.space, [*layers[:number], start], units)
        for place, (operation, level) in enumerate(cell.space.transformations):
            columns = {"split": "search", "layer": number + 1, "operation": operation.name, "level": level}
            yield cell.row(REWARDS, SEARCHED, "reward mean", float(mean[place]), **columns)
            yield cell.row(REWARDS, SEARCHED, "reward std", float(deviation[place]), **columns)
