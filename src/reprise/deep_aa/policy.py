"""Policies: the probabilities of every layer's transformations, as a module that augments batches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor, nn

from reprise.deep_aa.image_checks import DeepAAInputError, check_images, like, to_bytes
from reprise.deep_aa.policy_checks import (
    check_can_follow,
    check_choice,
    check_depth,
    check_policy,
    check_probabilities,
    check_same_space,
    check_space,
)
from reprise.deep_aa.space import AugmentationSpace

if TYPE_CHECKING:
    import pandas as pd

OVER = ("operation", "transformation")


def draw_index(probabilities: Tensor, count: int, generator: Generator | None = None) -> Tensor:
    """Draw transformations of one layer, independently of one another.

    Parameters
    ----------
    probabilities
        (T,).
    count
        How many.
    generator
        Source of the draws, on the probabilities' device; torch's own by default.

    Returns
    -------
    Tensor
        Long (count,), in [0, T).
    """
    if count == 0:
        return torch.zeros(0, dtype=torch.long, device=probabilities.device)
    return torch.multinomial(probabilities, count, replacement=True, generator=generator)


class Policy(nn.Module):
    """A policy of K layers: each image passes them in order, and each draws one of T transformations for it.

    As a module it augments in training mode and passes images through unchanged in evaluation mode, as dropout does;
    so it can stand first in a network.

    Parameters
    ----------
    probabilities
        (K, T), in the order of the space; each layer sums to 1.
    space
        The transformations; `AugmentationSpace()`, that of CIFAR, by default.
    mirror_signed
        Whether shears, translations and rotations turn their sign with probability 1/2. The paper's training does
        (default), its search does not.

    Attributes
    ----------
    probabilities
        Double (K, T), a buffer; ``.half()`` and the like round it as they do all buffers.
    space, mirror_signed
        As given.

    Raises
    ------
    DeepAAInputError
        If the probabilities are none, or belong to another space.

    Examples
    --------
    >>> policy = Policy.published("cifar")
    >>> policy.n_layers, round(float(policy.mass_of("RandCutout")[1]), 2)
    (6, 0.92)
    >>> policy(torch.zeros(2, 3, 32, 32, dtype=torch.uint8)).shape
    torch.Size([2, 3, 32, 32])
    """

    probabilities: Tensor

    def __init__(
        self, probabilities: Tensor, space: AugmentationSpace | None = None, *, mirror_signed: bool = True
    ) -> None:
        super().__init__()
        self.space = AugmentationSpace() if space is None else check_space(space)
        self.mirror_signed = mirror_signed
        self.register_buffer("probabilities", check_probabilities(probabilities, len(self.space)))

    # ---- use

    def forward(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """Augment a batch.

        Parameters
        ----------
        images
            (B, C, H, W): uint8, or floating point in [0, 1] and not yet normalised. Between layers they are 8-bit.
        generator
            Source of all draws; torch's own by default.

        Returns
        -------
        Tensor
            Images of the same shape and dtype, on the same device, detached: no gradient goes back through a policy.
            Floating-point images are rounded to multiples of 1/255, drawn identities included.

        Raises
        ------
        DeepAAInputError
            If the images cannot be used.
        """
        if not self.training:
            return images
        check_images(images, self.space.image_size)
        pixels = to_bytes(images.detach())
        for index in self.sample(len(images), generator).T:
            pixels = self.space.apply(pixels, index, generator, mirror_signed=self.mirror_signed)
        return like(pixels, images)

    def sample(self, count: int, generator: Generator | None = None) -> Tensor:
        """Draw sequences of transformations: long (count, K)."""
        device = self.probabilities.device if generator is None else generator.device
        return torch.stack([draw_index(one, count, generator) for one in self.probabilities.to(device)], dim=1)

    # ---- other policies

    @classmethod
    def uniform(
        cls,
        n_layers: int,
        space: AugmentationSpace | None = None,
        *,
        over: str = "operation",
        without: tuple[str, ...] | None = None,
        mirror_signed: bool = True,
    ) -> Policy:
        """Return the policy that draws at random.

        Parameters
        ----------
        n_layers
            K, at least 1.
        space
            As in `Policy`.
        over
            ``"operation"``: an operation first, then a magnitude, as the paper's random control does.
            ``"transformation"``: one of the T, which gives operations without magnitude 1 / T each.
        without
            Operations that are never drawn; by default Invert over operations, as in the control, and none over
            transformations.
        mirror_signed
            As in `Policy`.

        Raises
        ------
        DeepAAInputError
            If ``over`` or an operation is unknown, or none is left.
        """
        space = AugmentationSpace() if space is None else check_space(space)
        check_choice("over", over, OVER)
        left_out = [name for name in ("Invert",) if over == "operation" and name in space.operations]
        layer = uniform_layer(space, left_out if without is None else without, over=over)
        return cls(layer.expand(check_depth(n_layers), -1), space, mirror_signed=mirror_signed)

    @classmethod
    def published(cls, data: str = "cifar", *, run: int = 1, space: AugmentationSpace | None = None) -> Policy:
        """Return a policy that the authors found, from its published probabilities.

        Parameters
        ----------
        data
            ``"cifar"``.
        run
            Which of the two searches, 1 or 2.
        space
            As in `Policy`; it needs all operations.

        Raises
        ------
        DeepAAInputError
            If no such policy is published.
        """
        from reprise.deep_aa.published_policies import published_probabilities

        space = AugmentationSpace() if space is None else check_space(space)
        return cls(published_probabilities(data, run, space), space)

    def first(self, n_layers: int) -> Policy:
        """Return the policy of the first layers."""
        check_depth(n_layers, self.n_layers)
        return Policy(self.probabilities[:n_layers], self.space, mirror_signed=self.mirror_signed)

    def then(self, other: Policy) -> Policy:
        """Return the policy of these layers and the other's after them.

        Raises
        ------
        DeepAAInputError
            If they are of different transformations, for different images, or only one of them turns signs.
        """
        check_can_follow(self, other)
        both = torch.cat([self.probabilities, other.probabilities.to(self.probabilities.device)])
        return Policy(both, self.space, mirror_signed=self.mirror_signed)

    # ---- what it is like

    @property
    def n_layers(self) -> int:
        """The number of layers, K."""
        return len(self.probabilities)

    def operation_mass(self) -> Tensor:
        """Return the probability of each operation: double (K, operations), in the order of ``space.operations``."""
        index = self.space.op_index.to(self.probabilities.device).expand(self.n_layers, -1)
        empty = self.probabilities.new_zeros(self.n_layers, len(self.space.operations))
        return empty.scatter_add_(1, index, self.probabilities)

    def mass_of(self, operation: str) -> Tensor:
        """Return the probability of one operation in each layer: double (K,)."""
        return self.probabilities[:, self.space.slice_of(operation)].sum(1)

    def identity_mass(self) -> Tensor:
        """Return the probability of doing nothing in each layer: double (K,); close to 1, the layer is superfluous."""
        return self.mass_of("Identity")

    def entropy(self) -> Tensor:
        """Return each layer's entropy over transformations, in nats: double (K,)."""
        return -torch.special.xlogy(self.probabilities, self.probabilities).sum(1)

    def total_variation(self, other: Policy, *, over: str = "operation") -> Tensor:
        """Return how far two policies are apart in each layer, from 0 (equal) to 1 (nothing in common): double (K,).

        Parameters
        ----------
        other
            Of the same space and depth.
        over
            ``"operation"``, or ``"transformation"`` to tell magnitudes apart, too.

        Raises
        ------
        DeepAAInputError
            If depth or space differ.
        """
        check_choice("over", over, OVER)
        check_policy(other)
        check_same_space(self.space, other.space)
        if self.n_layers != other.n_layers:
            raise DeepAAInputError(
                f"the policies have {self.n_layers} and {other.n_layers} layers; shorten one with .first(K)."
            )
        if over == "operation":
            return (self.operation_mass() - other.operation_mass()).abs().sum(1) / 2
        return (self.probabilities - other.probabilities).abs().sum(1) / 2

    def to_frame(self) -> pd.DataFrame:
        """Return a line for each layer (from 1) and transformation: its operation, level, magnitude, probability."""
        import pandas as pd

        space = self.space
        layer = {
            "operation": [operation.name for operation, _ in space.transformations],
            "level": space.level.numpy(),
            "magnitude": space.magnitude.numpy(),
        }
        frames = [pd.DataFrame({"layer": at + 1, **layer}) for at in range(self.n_layers)]
        frame = pd.concat(frames, ignore_index=True)
        return frame.assign(probability=self.probabilities.cpu().flatten().numpy())

    def extra_repr(self) -> str:
        """Return what is printed: each layer's heaviest operation."""
        heaviest = [
            f"{self.space.operations[int(at)]} {float(mass):.2f}"
            for mass, at in zip(*self.operation_mass().max(1), strict=True)
        ]
        return ", ".join(heaviest)

    # ---- files

    def save(self, path: str | Path) -> None:
        """Write the policy with its space: as JSON, or as npz with the authors' key names, by the file's ending."""
        from reprise.deep_aa.policy_files import write_policy

        write_policy(self, Path(path))

    @classmethod
    def load(cls, path: str | Path, space: AugmentationSpace | None = None) -> Policy:
        """Read a policy that `save` wrote, or an npz file of the authors.

        Parameters
        ----------
        path
            A ``.json`` or ``.npz`` file.
        space
            To use in the place of the file's, which the authors' files lack: those are read for 32 x 32 pixels.

        Raises
        ------
        DeepAAInputError
            If the file is no policy, or the space lacks one of its transformations.
        """
        from reprise.deep_aa.policy_files import read_policy

        return read_policy(Path(path), None if space is None else check_space(space))


def uniform_layer(
    space: AugmentationSpace, without: tuple[str, ...] | list[str] = (), *, over: str = "operation"
) -> Tensor:
    """Return the probabilities of one layer that draws operations, or transformations, at random: double (T,)."""
    if isinstance(without, str):
        raise DeepAAInputError(f"without={without!r} is a single string; give a list of names.")
    for name in without:
        space.slice_of(name)
    kept = [name for name in space.operations if name not in without]
    if not kept:
        raise DeepAAInputError(f"without={list(without)!r} leaves no operation to draw from; leave out fewer.")
    layer = torch.zeros(len(space), dtype=torch.float64)
    for name in kept:
        part = space.slice_of(name)
        layer[part] = 1.0 if over == "transformation" else 1.0 / (part.stop - part.start)
    return layer / layer.sum()
