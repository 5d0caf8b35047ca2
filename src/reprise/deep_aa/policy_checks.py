"""The checks of policies, each with a remedy in its message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.errors import nearest

if TYPE_CHECKING:
    from reprise.deep_aa.policy import Policy
    from reprise.deep_aa.space import AugmentationSpace

FARTHEST_FROM_ONE, ROUNDING = 1e-3, 1e-12


def check_probabilities(probabilities: Any, n_transformations: int) -> Tensor:
    """Return the probabilities of a policy as doubles that sum to 1 in each layer.

    Parameters
    ----------
    probabilities
        (K, T).
    n_transformations
        T of the space.

    Raises
    ------
    DeepAAInputError
        If the shape is another, or a layer is no distribution; names the layer (from 1) and its sum.
    """
    try:
        values = torch.as_tensor(np.array(probabilities) if isinstance(probabilities, Sequence) else probabilities)
        values = values.detach().to(torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DeepAAInputError(f"probabilities must be numbers of shape (K, T); {error}.") from error
    if values.ndim != 2 or not len(values):
        raise DeepAAInputError(
            f"probabilities must have the shape (K, {n_transformations}), one line for each layer, not "
            f"{tuple(values.shape)}."
        )
    if values.shape[1] != n_transformations:
        raise DeepAAInputError(
            f"probabilities have {values.shape[1]} transformations a layer, but the space has {n_transformations}; "
            "give the space that the policy was made for."
        )
    for layer, line in enumerate(values, start=1):
        _check_layer(layer, line)
    totals = values.sum(1, keepdim=True)
    # what is rounded is divided; what was divided before stays to the last bit
    return torch.where((totals - 1).abs() > ROUNDING, values / totals, values)


def _check_layer(layer: int, line: Tensor) -> None:
    if not torch.isfinite(line).all():
        place = int((~torch.isfinite(line)).nonzero()[0])
        raise DeepAAInputError(f"layer {layer} has {float(line[place])} at transformation {place}; drop or mend it.")
    if line.min() < 0:
        raise DeepAAInputError(
            f"layer {layer} has a negative probability, {float(line.min()):.3g}; give the softmax of logits."
        )
    total = float(line.sum())
    if abs(total - 1) > FARTHEST_FROM_ONE:
        raise DeepAAInputError(
            f"the probabilities of layer {layer} sum to {total:.4g}, not to 1; divide each layer by its sum."
        )


def check_depth(n_layers: Any, most: int | None = None) -> int:
    """Return a number of layers.

    Raises
    ------
    DeepAAInputError
        If it is no whole number from 1 on (to the greatest, if there is one).
    """
    whole = isinstance(n_layers, int | np.integer) and not isinstance(n_layers, bool)
    if not whole or n_layers < 1 or n_layers > (most or n_layers):
        limit = f"1 to {most}, the layers there are" if most else "1 on"
        raise DeepAAInputError(f"n_layers={n_layers!r} must be a whole number from {limit}.")
    return int(n_layers)


def check_choice(argument: str, value: Any, known: Sequence[str]) -> None:
    """Refuse what is none of the known names.

    Raises
    ------
    DeepAAInputError
        If so, with the nearest one.
    """
    if value not in known:
        close = nearest(value, known)
        hint = f"; did you mean {close!r}?" if close else "."
        raise DeepAAInputError(f"{argument}={value!r} is unknown{hint} Known: {', '.join(known)}.")


def check_space(space: Any) -> AugmentationSpace:
    """Return an augmentation space.

    Raises
    ------
    DeepAAInputError
        If it is none.
    """
    from reprise.deep_aa.space import AugmentationSpace

    if not isinstance(space, AugmentationSpace):
        raise DeepAAInputError(
            f"space={space!r} must be an AugmentationSpace, such as AugmentationSpace(image_size=32)."
        )
    return space


def check_policy(other: Any) -> Policy:
    """Return a policy.

    Raises
    ------
    DeepAAInputError
        If it is none.
    """
    from reprise.deep_aa.policy import Policy

    if not isinstance(other, Policy):
        raise DeepAAInputError(f"other={other!r} must be a Policy.")
    return other


def check_same_space(first: AugmentationSpace, second: AugmentationSpace) -> None:
    """Refuse two spaces that number their transformations differently.

    Raises
    ------
    DeepAAInputError
        If so.
    """
    if first.names != second.names:
        apart = sorted(set(first.operations) ^ set(second.operations))
        raise DeepAAInputError(
            f"the policies are of different spaces: only one of them has {', '.join(apart)}; give both the same ops."
        )


def check_can_follow(first: Policy, second: Policy) -> None:
    """Refuse a policy that cannot stand behind another one, since both would be applied in the first one's way.

    Raises
    ------
    DeepAAInputError
        If the second is none, or their transformations, the size of their images, fill, cutout, padding of crops or
        signs differ; names which.
    """
    check_policy(second)
    check_same_space(first.space, second.space)
    for name in ("image_size", "fill", "cutout", "crop_pad"):
        ours, theirs = getattr(first.space, name), getattr(second.space, name)
        if ours != theirs:
            raise DeepAAInputError(
                f"the policies are of spaces with {name}={ours!r} and {name}={theirs!r}; make the second one anew for "
                "the first one's: Policy(second.probabilities, first.space)."
            )
    if first.mirror_signed != second.mirror_signed:
        raise DeepAAInputError(
            f"mirror_signed is {first.mirror_signed} in the first policy and {second.mirror_signed} in the second; "
            f"give both the same: Policy(second.probabilities, first.space, mirror_signed={first.mirror_signed})."
        )
