"""Batched augmentation against Pillow image by image, and rewards by directional derivatives against backward passes.

Equal outputs are asserted: the same pixels for the same draws; the same rewards up to rounding.

Run: ``python benchmarks/deep_aa.py``
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from reprise.compute import use_threads
from reprise.deep_aa.application import N_DRAWS
from reprise.deep_aa.gradient_rewards import LastLayerGradients, WeightGradients, cross_entropy, direction
from reprise.deep_aa.networks import WideResNet
from reprise.deep_aa.pillow_operations import (
    crop_with_pillow,
    cut_out_with_pillow,
    flip_with_pillow,
    from_pillow,
    to_pillow,
    with_pillow,
)
from reprise.deep_aa.policy import Policy
from reprise.deep_aa.space import AugmentationSpace
from reprise.timing import seconds_per_call

SPACE = AugmentationSpace()


def seconds(function: Callable[[], object]) -> float:
    """Return the processor's seconds of a call; all here runs in one thread."""
    return seconds_per_call(function, clock=time.process_time)


def drawn_images(count: int) -> Tensor:
    """Return smooth pictures with noise, uint8 (count, 3, 32, 32)."""
    numbers = np.random.default_rng(0)
    y, x = np.mgrid[:32, :32]
    waves = numbers.uniform(0.05, 0.5, (count, 3, 2, 1, 1))
    pictures = 120 + 70 * np.sin(waves[:, :, 0] * x + waves[:, :, 1] * y) + numbers.normal(0, 12, (count, 3, 32, 32))
    return torch.from_numpy(pictures.clip(0, 255).astype(np.uint8))


def one_by_pillow(image: np.ndarray, transformation: int, draws: np.ndarray) -> np.ndarray:
    """Return one image under one transformation, with the given draws in place of random numbers."""
    operation, level = SPACE.transformations[transformation]
    given = to_pillow(image)
    if operation.name == "RandFlip":
        return from_pillow(flip_with_pillow(given) if draws[1] < 0.5 else given)
    if operation.name == "RandCutout":
        return from_pillow(cut_out_with_pillow(given, (draws[2] * 32, draws[3] * 32), SPACE.cutout, SPACE.fill))
    if operation.name == "RandCrop":
        corner = (int(draws[4] * 9), int(draws[5] * 9))
        return from_pillow(crop_with_pillow(given, corner, SPACE.crop_pad, SPACE.fill))
    return from_pillow(with_pillow(given, operation.name, operation.magnitude(level)))


def draws_of(seed: int, count: int) -> np.ndarray:
    """Return the numbers that a generator of this seed gives to the random operations."""
    return torch.rand(count, N_DRAWS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).numpy()


def compare_expansion(count: int) -> tuple[float, float]:
    """Return seconds of all 139 transformations of each image: by Pillow, batched. The pixels must be equal."""
    images = drawn_images(count)
    single, draws = images.numpy(), draws_of(0, count)

    def plain() -> np.ndarray:
        return np.stack(
            [[one_by_pillow(i, t, d) for t in range(len(SPACE))] for i, d in zip(single, draws, strict=True)]
        )

    def batched() -> Tensor:
        return SPACE.expand(images, torch.Generator().manual_seed(0))

    assert np.array_equal(plain(), batched().numpy())
    return seconds(plain), seconds(batched)


def compare_policy(count: int, n_layers: int) -> tuple[float, float]:
    """Return seconds of a batch through the first layers of the published policy: by Pillow, batched."""
    images = drawn_images(count)
    policy = Policy(Policy.published().probabilities[:n_layers], SPACE, mirror_signed=False)
    sequences = policy.sample(count, torch.Generator().manual_seed(0))
    draws = [draws_of(layer, count) for layer in range(n_layers)]

    def plain() -> np.ndarray:
        augmented = images.numpy()
        for index, drawn in zip(sequences.T.tolist(), draws, strict=True):
            augmented = np.stack([one_by_pillow(*one) for one in zip(augmented, index, drawn, strict=True)])
        return augmented

    def batched() -> Tensor:
        augmented = images
        for layer, index in enumerate(sequences.T):
            augmented = SPACE.apply(augmented, index, torch.Generator().manual_seed(layer))
        return augmented

    assert np.array_equal(plain(), batched().numpy())
    return seconds(plain), seconds(batched)


def one_by_backward(model: nn.Module, images: Tensor, labels: Tensor, u: Tensor) -> Tensor:
    """Return the rewards by one backward pass for each transformation, as the gradients' products with u."""
    gradients = WeightGradients(model)
    return torch.stack([gradients.mean_gradient(images[n : n + 1], labels[n : n + 1]) @ u for n in range(len(images))])


def compare_rewards(width: int) -> dict[str, float]:
    """Return seconds of the rewards of the 139 transformations of one image, by method."""
    generator = torch.Generator().manual_seed(0)
    size = {"mean": (0.49, 0.48, 0.45), "deviation": (0.2, 0.2, 0.2), "stem_stride": 2, "generator": generator}
    model = WideResNet(10, width, **size).eval()
    images = SPACE.expand(drawn_images(1), generator)[0] / 255
    labels, others = torch.zeros(len(images), dtype=torch.long), drawn_images(32) / 255
    exact, stepwise, last = (
        WeightGradients(model),
        WeightGradients(model, method="finite differences"),
        LastLayerGradients(model),
    )
    v = exact.mean_gradient(others, labels[:32])
    u = direction(v, exact.mean_gradient(images, labels))
    u_last = direction(last.mean_gradient(others, labels[:32]), last.mean_gradient(images, labels))
    methods = {
        "one backward pass each": lambda: one_by_backward(model, images, labels, u),
        "Jacobian-vector product": lambda: exact.rewards(images, labels, u),
        "finite differences": lambda: stepwise.rewards(images, labels, u),
        "last layer only": lambda: last.rewards(images, labels, u_last),
    }
    plain, product = (methods[name]() for name in list(methods)[:2])
    size_of_rewards = float(plain.std())
    assert float((product - plain).abs().max()) < 1e-3 * size_of_rewards
    assert float((methods["finite differences"]() - plain).abs().max()) < 0.03 * size_of_rewards
    weights = last.mean_gradient(images[:1], labels[:1])
    assert torch.allclose(weights @ u_last, methods["last layer only"]()[0], rtol=1e-3, atol=1e-6)
    assert torch.allclose(cross_entropy(model(images), labels), exact.losses(images, labels, exact._flat), atol=1e-5)
    return {name: seconds(method) for name, method in methods.items()}


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=4, help="images whose 139 transformations are made")
    count = parser.parse_args().images
    use_threads(1)
    plain, fast = compare_expansion(count)
    each = 1e6 / count / len(SPACE)
    print(
        f"all 139 transformations of {count} images: Pillow {plain * each:.0f} µs an image, "
        f"batched {fast * each:.1f} µs, ratio {plain / fast:.1f}, equal pixels"
    )
    for size in (128, 1024):
        plain, fast = compare_policy(size, n_layers=5)
        print(
            f"published policy, 5 layers, batch of {size}: Pillow {plain / size * 1e6:.0f} µs an image, "
            f"batched {fast / size * 1e6:.0f} µs, ratio {plain / fast:.1f}, equal pixels"
        )
    of_rewards = compare_rewards(width=1)
    slowest = of_rewards["one backward pass each"]
    for name, one in of_rewards.items():
        print(f"139 rewards of one image, {name}: {one * 1e3:.1f} ms, ratio {slowest / one:.1f}")


if __name__ == "__main__":
    main()
