"""The units of a search step: one image each, its class, and the gradient of real images that it is matched with."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from reprise.compute import torch_generator
from reprise.deep_aa.gradient_rewards import LastLayerGradients, WeightGradients
from reprise.deep_aa.training import as_floats

AnyGradients = WeightGradients | LastLayerGradients


@dataclass(frozen=True)
class Units:
    """Units of one step: ``images`` uint8 ``(U, C, H, W)``, ``labels`` ``(U,)``, and v of each, ``(U, D)``."""

    images: Tensor
    labels: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass
class UnitSource:
    """Draws units: a class uniformly, an image of it, and a batch of its validation images, whose mean gradient is v.

    Parameters
    ----------
    gradients
        Of the frozen network.
    x_search, y_search, x_validation, y_validation
        uint8 images and labels.
    classes
        The classes to draw from.
    n_validation
        Validation images behind a v (paper's code: 64).
    n_cached
        How many v a class has. The network is frozen, so that each is computed once; 0 draws a new one every time.
    seed
        Of the random streams.
    noise
        Replaces each v by Gaussian noise of its norm: a control, in which nothing can be gained.
    """

    gradients: AnyGradients
    x_search: Tensor
    y_search: Tensor
    x_validation: Tensor
    y_validation: Tensor
    classes: list[int]
    n_validation: int = 64
    n_cached: int = 0
    seed: int = 0
    noise: bool = False
    _kept: dict[tuple[int, int], Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._to_search = {c: (self.y_search == c).nonzero()[:, 0] for c in self.classes}
        self._to_validate = {c: (self.y_validation == c).nonzero()[:, 0] for c in self.classes}

    def draw(self, n_units: int, generator: torch.Generator) -> Units:
        """Return units drawn by a generator on the CPU."""
        chosen = torch.randint(len(self.classes), (n_units,), generator=generator)
        # 2^31 numbers, folded: every unit draws the same amount whatever the size of its class.
        places = torch.randint(2**31, (n_units, 2), generator=generator)
        images, targets = [], []
        for number, (first, second) in zip(chosen.tolist(), places.tolist(), strict=True):
            label = self.classes[number]
            images.append(self._to_search[label][first % len(self._to_search[label])])
            targets.append(self.target(label, second % self.n_cached if self.n_cached else second))
        at = torch.stack(images)
        return Units(self.x_search[at], self.y_search[at], torch.stack(targets))

    def target(self, label: int, number: int) -> Tensor:
        """Return the v of a class and number, ``(D,)``: the mean gradient of validation images drawn by that number."""
        if (label, number) in self._kept:
            return self._kept[label, number]
        generator = torch_generator(self.seed, "deep-aa", "validation", label, number)
        pool = self._to_validate[label]
        at = pool[torch.randperm(len(pool), generator=generator)[: self.n_validation].to(pool.device)]
        v = self.gradients.mean_gradient(as_floats(self.x_validation[at]), self.y_validation[at])
        if self.noise:
            drawn = torch.randn(len(v), generator=generator, dtype=v.dtype).to(v.device)
            v = drawn * v.norm() / drawn.norm()
        if self.n_cached:
            self._kept[label, number] = v
        return v
