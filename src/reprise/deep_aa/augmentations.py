"""From the name of a method, as it stands in rows, to what it does to images."""

from __future__ import annotations

from collections.abc import Callable

from reprise.deep_aa import baselines
from reprise.deep_aa.names import (
    AUTOAUGMENT,
    DEEP_TRIVIAL,
    DEFAULT,
    DEFAULT_CUTOUT,
    NONE,
    PUBLISHED,
    RANDAUGMENT,
    TRIVIAL,
    UNIFORM,
)
from reprise.deep_aa.policy import Policy
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.training import Augmentation
from reprise.errors import unknown_name

_MADE_FROM: dict[str, Callable[[AugmentationSpace], Augmentation]] = {
    NONE: baselines.no_augmentation,
    DEFAULT: baselines.default,
    DEFAULT_CUTOUT: baselines.default_with_cutout,
    TRIVIAL: baselines.trivial_augment,
    RANDAUGMENT: baselines.rand_augment,
    AUTOAUGMENT: baselines.AutoAugment,
    UNIFORM: lambda space: Policy.uniform(1, space),
    PUBLISHED: lambda space: Policy.published("cifar", space=space),
}


def augmentation(method: str, space: AugmentationSpace, *, n_layers: int = 4) -> Augmentation:
    """Return what a method does to images in training.

    Parameters
    ----------
    method
        Name of a baseline or of the published policy; a searched policy is none of them.
    space
        The transformations.
    n_layers
        Layers of the random stack.

    Raises
    ------
    UnknownNameError
        If there is no such method.
    """
    if method == DEEP_TRIVIAL:
        return baselines.deep_trivial_augment(space, n_layers)
    if method not in _MADE_FROM:
        raise unknown_name("method", method, [*_MADE_FROM, DEEP_TRIVIAL])
    return _MADE_FROM[method](space)
