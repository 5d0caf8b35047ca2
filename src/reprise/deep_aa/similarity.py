"""Cosines of policies on fresh units: how near an augmented image's gradient comes to that of real images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reprise.compute import torch_generator
from reprise.deep_aa.gradient_rewards import cosine
from reprise.deep_aa.search import DeepAASearch, through
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.training import as_floats
from reprise.deep_aa.units import Units, UnitSource

FRESH = 1_000_000  # added to a seed: draws that no search has made


def fresh_units(search: DeepAASearch, data: Sequence[Tensor], n_units: int) -> Units:
    """Return units drawn anew; equal for all policies of a seed. They are fresh images if the data are.

    Parameters
    ----------
    search
        Whose network, options and seed are used.
    data
        Images to be augmented and their labels, images to be matched and their labels. A class that one of them lacks
        is left out; v is the mean over as many images as the rarest other one has, if that is less than the search's.
    n_units
        How many.
    """
    x, y, x_matched, y_matched = data
    n_classes = int(max(y.max(), y_matched.max())) + 1
    counts = torch.stack([torch.bincount(labels, minlength=n_classes) for labels in (y, y_matched)])
    classes = (counts > 0).all(0).nonzero()[:, 0].tolist()
    n_validation = min(search.config.n_validation, int(counts[1, classes].min()))
    source = UnitSource(
        search.gradients, x, y, x_matched, y_matched, classes, n_validation, 0, search.seed + FRESH,
        search.config.noise,
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
