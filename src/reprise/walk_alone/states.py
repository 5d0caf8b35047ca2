"""States of agents as the Trajectron family sees them: position, velocity and acceleration, relative to the target.

Derivatives are backward differences inside the eight observed frames, so that no future frame can enter them (central
differences would use two of them).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reprise.walk_alone.windows import Windows

AXES = 2
STATE = 6  # position, velocity, acceleration, two axes each


@dataclass(frozen=True)
class Scale:
    """What positions, velocities and accelerations are divided by (Section 4.B; metres, or feet in basketball)."""

    position: float = 3.0
    velocity: float = 2.0
    acceleration: float = 1.0


PEDESTRIAN = Scale()
BASKETBALL = Scale(position=10.0, velocity=2.0, acceleration=3.0)


def kinematics(tracks: NDArray[np.floating[Any]], seconds: float) -> NDArray[np.float32]:
    """Return position, velocity and acceleration of tracks ``(..., frames, 2)`` as ``(..., frames, 3, 2)``.

    The first velocity repeats the second, the first acceleration likewise.
    """
    tracks = np.asarray(tracks, dtype=np.float32)
    velocity = _differences(tracks, seconds)
    return np.stack([tracks, velocity, _differences(velocity, seconds)], axis=-2)


def _differences(values: NDArray[np.float32], seconds: float) -> NDArray[np.float32]:
    steps = np.diff(values, axis=-2) / np.float32(seconds)
    return np.concatenate([steps[..., :1, :], steps], axis=-2)


@dataclass(frozen=True)
class States:
    """A batch of windows as tensors, with the target's last position as origin.

    Attributes
    ----------
    target
        Shape ``(B, 8, 3, 2)``: kinematics of the target.
    neighbours
        Shape ``(B, N, 8, 3, 2)``: kinematics of the neighbours; velocities are not yet relative.
    seen
        Shape ``(B, N, 8)``: 1 where a neighbour was really there.
    present
        Shape ``(B, N)``, bool.
    kind
        Shape ``(B, N)``.
    future
        Shape ``(B, 12, 2)``.
    """

    target: Tensor
    neighbours: Tensor
    seen: Tensor
    present: Tensor
    kind: Tensor
    future: Tensor

    @classmethod
    def of(cls, windows: Windows, device: torch.device | str = "cpu") -> Self:
        """Return the states of windows."""
        origin = windows.past[:, -1:]
        future = torch.from_numpy(windows.future - origin)
        tensors = [
            torch.from_numpy(kinematics(windows.past - origin, windows.seconds)),
            torch.from_numpy(kinematics(windows.neighbours - origin[:, None], windows.seconds)),
            torch.from_numpy(windows.seen.astype(np.float32)),
            torch.from_numpy(windows.present),
            torch.from_numpy(windows.kind),
            future,
        ]
        return cls(*(tensor.to(device) for tensor in tensors))

    def __len__(self) -> int:
        return len(self.target)

    def take(self, places: Tensor | slice) -> Self:
        """Return part of the batch, without slots that nobody in it uses."""
        present = self.present[places]
        used = torch.nonzero(present.any(0))
        slots = int(used[-1]) + 1 if len(used) else 0
        return replace(
            self,
            target=self.target[places],
            neighbours=self.neighbours[places][:, :slots],
            seen=self.seen[places][:, :slots],
            present=present[:, :slots],
            kind=self.kind[places][:, :slots],
            future=self.future[places],
        )

    def transformed(self, matrices: Tensor) -> Self:
        """Rotate or mirror each window by its own 2 × 2 matrix ``(B, 2, 2)``."""

        def apply(values: Tensor) -> Tensor:
            flat = values.reshape(len(values), -1, AXES)
            return torch.bmm(flat, matrices.transpose(1, 2)).reshape(values.shape)

        return replace(self, target=apply(self.target), neighbours=apply(self.neighbours), future=apply(self.future))

    def without_neighbours(self) -> Self:
        """Return the batch with every slot empty."""
        return replace(self, present=torch.zeros_like(self.present))

    def with_static_past(self) -> Self:
        """Return the batch with targets that stand still at their last position."""
        return replace(self, target=torch.zeros_like(self.target))


def target_features(target: Tensor, scale: Scale) -> Tensor:
    """Return the standardised states of targets, ``(..., 8, 6)``."""
    return (target / _divisors(scale, target)).flatten(-2)


def neighbour_features(states: States, scale: Scale, reference: Tensor) -> Tensor:
    """Return the standardised states of neighbours with a bit for validity, ``(B, N, 8, 7)``.

    Parameters
    ----------
    states
        The batch.
    scale
        Divisors.
    reference
        Shape ``(B, 3, 2)``: the target's last state, which is subtracted from the neighbours' (positions are relative
        already). Zero for a target that stands still: with the true one, a network whose target's past is dropped can
        still read the target's velocity off its neighbours.
    """
    relative = (states.neighbours - reference[:, None, None]) / _divisors(scale, reference)
    return torch.cat([relative.flatten(-2), states.seen[..., None]], dim=-1)


def _divisors(scale: Scale, like: Tensor) -> Tensor:
    return torch.tensor([scale.position, scale.velocity, scale.acceleration], device=like.device)[:, None]


def rotations(n: int, generator: torch.Generator, device: torch.device | str = "cpu") -> Tensor:
    """Draw rotations by multiples of 15 degrees, ``(n, 2, 2)``."""
    angle = torch.randint(0, 24, (n,), generator=generator) * (torch.pi / 12)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    return torch.stack([torch.stack([cosine, -sine], -1), torch.stack([sine, cosine], -1)], -2).to(device)


def court_mirrors(n: int, generator: torch.Generator, device: torch.device | str = "cpu") -> Tensor:
    """Draw the symmetries of a court, ``(n, 2, 2)``: each axis kept or reversed; baskets do not rotate."""
    return torch.diag_embed(torch.randint(0, 2, (n, 2), generator=generator) * 2.0 - 1.0).to(device)
