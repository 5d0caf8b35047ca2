"""Cosines of policies on fresh units: how near an augmented image's gradient comes to that of real images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from reprise.compute import torch_generator
from reprise.deep_aa.gradient_rewards import cosine
from reprise.deep_aa.search import DeepAASearch, through
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.training import as_floats
from reprise.deep_aa.units import Units, UnitSource

FRESH = 1_000_000  # added to a seed: units that no search has drawn


def fresh_units(search: DeepAASearch, data: Sequence[Tensor], n_units: int) -> Units:
    """Return units with validation batches that the search never drew; equal for all policies of a seed.

    Parameters
    ----------
    search
        Whose network, options and seed are used.
    data
        Search images and labels, validation images and labels.
    n_units
        How many.
    """
    own = search.source(*data)
    source = UnitSource(
        own.gradients, own.x_search, own.y_search, own.x_validation, own.y_validation, own.classes, own.n_validation,
        0, search.seed + FRESH, own.noise,
    )  # fmt: skip
    return source.draw(n_units, torch_generator(search.seed, "deep-aa", "fresh units"))


def cosines(
    search: DeepAASearch, space: AugmentationSpace, layers: Tensor, units: Units, n_grad: int = 64
) -> NDArray[np.float64]:
    """Return cos(v, g) of each unit under a policy, ``(U,)``.

    One layer is exact, g = G p with one draw of the random operations; no layer is the image itself; behind more layers
    g is the mean over sampled sequences.

    Parameters
    ----------
    search
        Whose network is used.
    space
        The transformations.
    layers
        Probabilities ``(K, T)``; K = 0 for no augmentation.
    units
        Images and their v.
    n_grad
        Sequences sampled an image, if K > 1.
    """
    found = []
    for place in range(len(units)):
        generator = torch_generator(search.seed, "deep-aa", "cosines", place)
        image, weights = units.images[place : place + 1], None
        if len(layers) == 1:
            image, weights = space.expand(image, generator)[0], layers[0]
        elif len(layers):
            image = through(space, list(layers), image.expand(n_grad, -1, -1, -1), generator)
        label = units.labels[place].expand(len(image))
        g = search.gradients.mean_gradient(as_floats(image), label, weights)
        # A cosine of a zero gradient does not exist: such an image is fitted perfectly under every policy alike.
        found.append(float(cosine(units.targets[place], g)) if g.norm() > 0 else float("nan"))
    return np.array(found, dtype=np.float64)


def start_rewards(
    search: DeepAASearch, space: AugmentationSpace, layers: Sequence[Tensor], units: Units
) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation over units of the last layer's rewards, each ``(T,)``."""
    generator = torch_generator(search.seed, "deep-aa", "start rewards", len(layers))
    values = search.rewards(space, units, layers, generator).values
    return values.mean(0), values.std(0, correction=0)


def relative_error(exact: Tensor, found: Tensor) -> float:
    """Return ‖found − exact‖ / ‖exact‖."""
    return float((found - exact).norm() / exact.norm())


def rank_correlation(first: Tensor, second: Tensor) -> float:
    """Return Spearman's correlation of two vectors."""
    from scipy.stats import spearmanr

    return float(spearmanr(first.numpy(), second.numpy()).statistic)
