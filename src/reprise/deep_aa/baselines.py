"""The augmentations that Deep AutoAugment is compared with, in the same transformation set.

All but AutoAugment draw their layers independently of one another: they are policies with fixed probabilities.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import torch
from torch import Generator, Tensor, nn

from reprise.deep_aa.application import N_DRAWS, apply_each, make_tables
from reprise.deep_aa.image_checks import DeepAAInputError, check_images, like, to_bytes
from reprise.deep_aa.policy import Policy, uniform_layer
from reprise.deep_aa.search_checks import check_counts
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.transformations import DEFAULTS, OPERATIONS, Operation

STRONGEST = 6  # of the magnitudes of RandAugment: half the grid, since magnitudes have a sign
DEFAULT_STEPS = ("RandCrop", "RandFlip")


def fixed_sequence(space: AugmentationSpace, *names: str) -> Policy:
    """Return the policy that always applies the same operations without magnitude, in this order."""
    layers = torch.zeros(len(names), len(space), dtype=torch.float64)
    for layer, name in enumerate(names):
        part = space.slice_of(name)
        if part.stop - part.start > 1:
            raise DeepAAInputError(f"{name!r} has magnitudes; a fixed sequence takes operations without.")
        layers[layer, part] = 1.0
    return Policy(layers, space)


def no_augmentation(space: AugmentationSpace) -> Policy:
    """Return the policy that does nothing."""
    return fixed_sequence(space, "Identity")


def default(space: AugmentationSpace) -> Policy:
    """Return the policy that crops, then flips: the paper's baseline."""
    return fixed_sequence(space, *DEFAULT_STEPS)


def default_with_cutout(space: AugmentationSpace) -> Policy:
    """Return the policy that crops, flips, and cuts a square out: what other methods add to theirs."""
    return fixed_sequence(space, *DEFAULT_STEPS, "RandCutout")


def trivial_augment(space: AugmentationSpace) -> Policy:
    """Return TrivialAugment: an operation and a magnitude at random, then `default_with_cutout`.

    The operation is one of 14: without Invert, and without those that come afterwards anyhow.
    """
    without = [name for name in ("Invert", *DEFAULTS) if name in space.operations]
    return Policy(uniform_layer(space, without)[None], space).then(default_with_cutout(space))


def deep_trivial_augment(space: AugmentationSpace, n_layers: int) -> Policy:
    """Return the paper's random control: K layers, each an operation (not Invert) and a magnitude at random."""
    return Policy.uniform(n_layers, space)


def rand_augment(space: AugmentationSpace, n_operations: int = 2, strength: int = 3) -> Policy:
    """Return RandAugment: so many operations at random, all of one strength, then `default_with_cutout`.

    Parameters
    ----------
    space
        The transformations.
    n_operations
        How many are applied in a row.
    strength
        From 1 (weak) to 6: grid points away from doing nothing, to either side where there are two; twice as many where
        there is one side (Solarize, Posterize).

    Raises
    ------
    DeepAAInputError
        If the number of operations is none from 1 on, or the strength none from 1 to 6.
    """
    check_counts(n_operations=n_operations)
    if strength not in range(1, STRONGEST + 1):
        raise DeepAAInputError(f"strength={strength!r} must be a whole number from 1 to {STRONGEST}.")
    without = ("Invert", *DEFAULTS)
    layer = torch.zeros(len(space), dtype=torch.float64)
    for name in space.operations:
        if name not in without:
            part = space.slice_of(name)
            levels = [level for _, level in space.transformations[part]]
            chosen = [level in _levels_of_strength(name, strength) for level in levels]
            layer[part] = torch.tensor(chosen, dtype=torch.float64) / sum(chosen)
    layers = (layer / layer.sum()).expand(n_operations, -1)
    return Policy(layers, space).then(default_with_cutout(space))


def _levels_of_strength(name: str, strength: int) -> tuple[int, ...]:
    operation = next(one for one in OPERATIONS if one.name == name)
    if operation.idle_level is None:
        return operation.levels
    if operation.idle_level == STRONGEST:
        return (STRONGEST - strength, STRONGEST + strength)
    return (operation.idle_level - 2 * strength,)


# ---- AutoAugment --------------------------------------------------------------------------------------------------


@cache
def autoaugment_table() -> list[tuple[int, int, str, float, int | None]]:
    """Return AutoAugment's policy for CIFAR-10: sub-policy, step, operation, probability, level from 0 to 9.

    Source: Cubuk et al. (2019), AutoAugment, appendix.
    """
    lines = resources.files("reprise.deep_aa").joinpath("autoaugment_cifar.csv").read_text(encoding="utf-8").split()[1:]
    cells = [line.split(",") for line in lines]
    return [(int(s), int(step), name, float(p), int(at) if at else None) for s, step, name, p, at in cells]


class AutoAugment(nn.Module):
    """AutoAugment's policy for CIFAR-10 in the transformations of a space, then `default_with_cutout`.

    Each image draws one of 25 sub-policies; each of its two steps is applied with its probability. Levels run from 0 to
    9 over the range of the operation's strength, bits to keep rounded; shears, translations and rotations turn their
    sign with probability 1/2. Passes images through unchanged in evaluation mode.

    Parameters
    ----------
    space
        For the size of the images, and colours.
    """

    def __init__(self, space: AugmentationSpace) -> None:
        super().__init__()
        self.space = space
        self.afterwards = default_with_cutout(space)
        table = autoaugment_table()
        n_sub_policies = max(line[0] for line in table)
        forward = [_fixed_strength(name, level, sign) for sign in (1, -1) for _, _, name, _, level in table]
        # make_tables wants one operation after the other
        names = list(dict.fromkeys(operation.name for operation, _ in forward))
        order = sorted(range(len(forward)), key=lambda at: names.index(forward[at][0].name))
        number = torch.empty(len(order), dtype=torch.long)
        number[order] = torch.arange(len(order))
        self.register_buffer("number", number.view(2, n_sub_policies, 2))
        self.register_buffer("chance", torch.tensor([line[3] for line in table]).view(n_sub_policies, 2))
        sizes = (space.image_size, space.fill, space.cutout, space.crop_pad)
        self._tables = make_tables([forward[at] for at in order], *sizes)

    number: Tensor
    chance: Tensor

    def forward(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """Augment a batch; arguments and result as in `Policy`."""
        if not self.training:
            return images
        check_images(images, self.space.image_size)
        pixels, tables = to_bytes(images.detach()), self._tables.to(images.device)
        where = images.device if generator is None else generator.device
        draws = torch.rand(len(images), 5, generator=generator, device=where).to(images.device)
        chosen = (draws[:, 0] * len(self.chance)).long()
        for step in range(2):
            index = self.number[(draws[:, 1 + step] < 0.5).long(), chosen, step]
            meant = (draws[:, 3 + step] < self.chance[chosen, step]).nonzero()[:, 0]
            unused = draws.new_empty(len(meant), N_DRAWS)
            pixels = pixels.index_copy(0, meant, apply_each(tables, pixels[meant], index[meant], unused))
        return like(self.afterwards(pixels, generator), images)


def _fixed_strength(name: str, level: int | None, sign: int) -> tuple[Operation, int]:
    """Return the operation at AutoAugment's level, as (operation, level) for `make_tables`."""
    operation = next(one for one in OPERATIONS if one.name == name)
    if level is None:
        return operation, operation.levels[0]
    share = level / 9
    if operation.signed:
        value = sign * share * operation.high
    elif name == "Solarize":
        value = operation.high - share * (operation.high - operation.low)
    elif name == "Posterize":
        value = float(round(operation.high - share * (operation.high - operation.low)))
    else:
        value = operation.low + share * (operation.high - operation.low)
    return Operation(name, value, value, signed=False), 0
