"""Pictures that need no study: the transformations on one image, and what a policy makes of it layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import Tensor

from reprise.deep_aa.image_checks import DeepAAInputError, to_bytes
from reprise.deep_aa.policy import Policy
from reprise.deep_aa.space import AugmentationSpace
from reprise.plots import TEXT_WIDTH, Drawing, new_figure, state_finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACROSS = 6


def draw_transformations(image: Tensor, space: AugmentationSpace, *, seed: int = 6) -> Drawing:
    """Draw one image under the strongest transformation of every operation.

    Parameters
    ----------
    image
        (C, H, W): uint8, or floating point in [0, 1].
    space
        The transformations, for images of this size.
    seed
        Of what the random operations draw.

    Raises
    ------
    DeepAAInputError
        If it is no single image.
    """
    images = _single(image)
    numbers = [_strongest(space, name) for name in space.operations]
    shown = space.apply(images.expand(len(numbers), -1, -1, -1), torch.tensor(numbers), _seeded(seed))
    rows = -(-len(numbers) // ACROSS)
    figure, axes = new_figure(rows=rows, columns=ACROSS, height=1.22 * TEXT_WIDTH / ACROSS * rows + 0.3, squeeze=False)
    for one in axes.flat:
        one.axis("off")
    for one, number, pixels in zip(axes.flat, numbers, shown, strict=False):
        _show(one, pixels)
        one.set_title(space.names[number].replace("-", "−"), fontsize=7.5, fontweight="normal")
    changed = (shown != images).flatten(1).any(1)
    data = pd.DataFrame(
        {
            "transformation": [space.names[number] for number in numbers],
            "share of values changed": (shown != images).flatten(1).float().mean(1).tolist(),
        }
    )
    shares = data["share of values changed"]
    state_finding(
        figure,
        f"{int(changed.sum())} of {len(numbers)} operations change this image, in "
        f"{100 * shares[shares > 0].min():.0f} to {100 * shares.max():.0f} % of its values",
    )
    return Drawing(
        figure,
        "transformations",
        f"One image under each of {len(space.operations)} operations; {int(changed.sum())} change it.",
        f"One image under every operation at one end of its magnitudes, of {len(space)} transformations, "
        f"{space.image_size[0]} x {space.image_size[1]} pixels, exactly as Pillow computes them.",
        data,
    )


def _strongest(space: AugmentationSpace, operation: str) -> int:
    """Return the operation's transformation that is farthest from doing nothing; the highest where two are as far."""
    part = space.slice_of(operation)
    kind, _ = space.transformations[part.start]
    first_is_strongest = kind.idle_level is not None and kind.idle_level > kind.levels[-1]
    return part.start if first_is_strongest else part.stop - 1


def draw_draws(image: Tensor, policy: Policy, *, n_draws: int = 8, seed: int = 0) -> Drawing:
    """Draw what becomes of one image in several draws, layer by layer.

    Parameters
    ----------
    image
        (C, H, W): uint8, or floating point in [0, 1].
    policy
        Whose layers are shown, one line each below the image itself.
    n_draws
        Columns.
    seed
        Of all draws.

    Raises
    ------
    DeepAAInputError
        If it is no single image.
    """
    generator, space = _seeded(seed), policy.space
    pixels = _single(image).expand(n_draws, -1, -1, -1)
    drawn = policy.sample(n_draws, generator)
    cell = TEXT_WIDTH / (n_draws + 0.6)
    height = (policy.n_layers + 1) * (cell + 0.17) + 0.35
    figure, axes = new_figure(rows=policy.n_layers + 1, columns=n_draws, height=height, squeeze=False)
    lines: list[dict[str, Any]] = []
    for layer in range(policy.n_layers + 1):
        if layer:
            index = drawn[:, layer - 1]
            pixels = space.apply(pixels, index, generator, mirror_signed=policy.mirror_signed)
            names = [space.operations[int(space.op_index[at])] for at in index]
            lines += [{"layer": layer, "draw": at + 1, "operation": name} for at, name in enumerate(names)]
        for place, one in enumerate(axes[layer]):
            _show(one, pixels[place])
            if layer:
                one.set_title(names[place], fontsize=6.5, fontweight="normal", loc="center", pad=2)
        axes[layer][0].set_ylabel(f"layer {layer}" if layer else "image", fontsize=8)
    data = pd.DataFrame(lines)
    idle = float((data["operation"] == "Identity").mean())
    distinct = len(torch.unique(pixels, dim=0))
    differ = f"{distinct} of {n_draws} draws differ after {policy.n_layers} layers"
    finding = f"{differ}; {100 * idle:.0f} % of what was drawn here is identity"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "draws",
        f"{finding}.",
        "One image (top line) after each layer of a policy, each column one draw; the name is the operation that was "
        "drawn.",
        data,
    )


def _single(image: Tensor) -> Tensor:
    if not isinstance(image, Tensor) or image.ndim != 3:
        shape = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise DeepAAInputError(f"image must be a single one of shape (C, H, W), not {shape}; take images[0].")
    return to_bytes(image[None])


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _show(axes: Axes, pixels: Tensor) -> None:
    axes.imshow(pixels.permute(1, 2, 0).numpy(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
