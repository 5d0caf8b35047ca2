"""Batches by index, pairs and rendering at once, against loaders and loops item by item; equal results are asserted.

Run: ``python benchmarks/in_domain.py``
"""

import argparse
import math
import time
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from reprise.compute import use_threads
from reprise.in_domain.grid import FactorGrid, find_grid
from reprise.in_domain.images import RenderedGrid, StoredPoints, render_points
from reprise.in_domain.models import build_model
from reprise.in_domain.networks import SetEncoder
from reprise.in_domain.pairs import PairSampler
from reprise.in_domain.splits import make_split
from reprise.in_domain.sprites import sprite_renderer
from reprise.in_domain.training import TrainingOptions, initial_weights, train_regressor, train_stacked
from reprise.timing import seconds_per_call

BATCH = 64
SIDE = 32
# So small that rounding does not grow while seeds are compared.
SMALL_RATE = 3e-4
# Processor time, so that other work on the machine does not count; a GPU works beside the processor.
clock = time.perf_counter if torch.cuda.is_available() else time.process_time
seconds = partial(seconds_per_call, clock=clock)


class ItemByItem(Dataset[tuple[Tensor, Tensor]]):
    """The usual loader: an image at a time, through PIL to a float tensor."""

    def __init__(self, images: StoredPoints, grid: FactorGrid) -> None:
        self.pixels = images.images[:, 0].numpy()
        self.targets = grid.targets(images.points.numpy()).astype(np.float32)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        from PIL import Image

        picture = np.asarray(Image.fromarray(self.pixels[place]), dtype=np.float32) / 255
        return torch.from_numpy(picture)[None], torch.from_numpy(self.targets[place])


def compare_batches(images: StoredPoints, grid: FactorGrid, n_batches: int) -> tuple[float, float]:
    """Return seconds per batch: item by item, by index."""
    order = torch.randperm(len(images.points), generator=torch.Generator().manual_seed(0))[: n_batches * BATCH]
    loader = DataLoader(ItemByItem(images, grid), batch_size=BATCH, sampler=order.tolist())
    targets = torch.from_numpy(grid.targets(images.points.numpy())).float()

    def plain() -> list[list[Tensor]]:
        return list(loader)

    def fast() -> list[tuple[Tensor, Tensor]]:
        return [(images.batch(images.points[part]), targets[part]) for part in order.split(BATCH)]

    for one, other in zip(plain(), fast(), strict=True):
        torch.testing.assert_close(one[0], other[0])
        torch.testing.assert_close(one[1], other[1])
    return seconds(plain) / n_batches, seconds(fast) / n_batches


def pair_by_pair(grid: FactorGrid, is_train: np.ndarray, points: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Draw Laplace partners as published: image by image, factor by factor, from the values that training has."""
    partners = []
    for place, point in enumerate(points):
        factors = grid.factors([point])[0]
        for number, (name, size) in enumerate(zip(grid.names, grid.sizes, strict=True)):
            if name in grid.categorical:
                continue
            weights = np.zeros(size)
            for value in range(size):
                changed = factors.copy()
                changed[number] = value
                if is_train[int(changed @ grid.strides)]:
                    weights[value] = np.float32(math.exp(-abs(value - factors[number]) / math.log(size)))
            cumulative = weights.cumsum()
            factors[number] = np.searchsorted(cumulative, uniform[number, place] * cumulative[-1], side="right")
        partners.append(int(factors @ grid.strides))
    return np.array(partners)


def compare_pairs(kind: str) -> tuple[float, float]:
    """Return seconds to draw a batch's partners: pair by pair, all at once."""
    grid = find_grid("sprites-rot90")
    split = make_split(grid, kind)
    points = np.random.default_rng(0).choice(split.train_index, BATCH)
    sampler, start = PairSampler(grid, split.train_index), torch.from_numpy(points)
    is_train = np.zeros(len(grid), dtype=bool)
    is_train[split.train_index] = True
    generator = torch.Generator().manual_seed(0)
    uniform = np.zeros((len(grid.sizes), BATCH))
    for number in range(1, len(grid.sizes)):
        uniform[number] = torch.rand(BATCH, 1, generator=generator)[:, 0].double().numpy()

    def fast() -> Tensor:
        return sampler.laplace(start, torch.Generator().manual_seed(0))

    def plain() -> np.ndarray:
        return pair_by_pair(grid, is_train, points, uniform)

    agreeing = (fast().numpy() == plain()).mean()
    assert agreeing > 0.98, f"{agreeing:.0%} of the pairs agree"  # rounding at the border of two values apart
    return seconds(plain), seconds(fast)


def compare_rendering(grid: FactorGrid) -> tuple[float, float]:
    """Return seconds to render an image: one by one, in a batch."""
    source = RenderedGrid(sprite_renderer(SIDE), grid)
    index = torch.from_numpy(np.random.default_rng(0).choice(len(grid), 256, replace=False))

    def plain() -> Tensor:
        return torch.cat([source.uint8(index[i : i + 1]) for i in range(len(index))])

    def fast() -> Tensor:
        return source.uint8(index)

    assert torch.equal(plain(), fast())
    return seconds(plain) / len(index), seconds(fast) / len(index)


def compare_sets(images: StoredPoints, width: int = 64) -> tuple[float, float]:
    """Return seconds of the SetEncoder's mean over pixels, with gradients: element by element, by grey level."""
    model = SetEncoder(1, len(images.grid.names), SIDE, width=width)
    batch = images.batch(images.points[:BATCH])

    def plain() -> Tensor:
        found: Tensor = model.head(model.mean(batch.flatten(2).transpose(1, 2)))
        torch.autograd.grad(found.sum(), list(model.parameters()))
        return found

    def fast() -> Tensor:
        found: Tensor = model(batch)
        torch.autograd.grad(found.sum(), list(model.parameters()))
        return found

    torch.testing.assert_close(plain(), fast())
    return seconds(plain), seconds(fast)


def compare_seeds(images: StoredPoints, name: str, n_seeds: int, n_steps: int) -> tuple[float, float]:
    """Return seconds of training: seed by seed, stacked. The weights must agree."""
    index = images.points.numpy()
    options = TrainingOptions(n_steps, BATCH, SMALL_RATE)

    def build(seed: int) -> torch.nn.Module:
        with initial_weights(seed, name):
            return build_model(name, 1, len(images.grid.names), SIDE)

    start = clock()
    alone = [train_regressor(build(seed), images, index, options, seed=seed) for seed in range(n_seeds)]
    middle = clock()
    together = train_stacked([build(s) for s in range(n_seeds)], images, [index] * n_seeds, options, range(n_seeds))
    end = clock()
    for one, other in zip(alone, together, strict=True):
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-2)
    return middle - start, end - middle


def report(what: str, plain: float, fast: float, unit: str = "ms") -> None:
    """Print one line: the two times and their ratio."""
    print(f"{what}: plain {plain * 1e3:.3f} {unit}, fast {fast * 1e3:.3f} {unit}, ratio {plain / fast:.1f}, equal")


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60, help="training steps of the comparison by seeds")
    n_steps = parser.parse_args().steps
    use_threads(1)
    grid = find_grid("sprites-rot90")
    index = np.random.default_rng(0).choice(len(grid), 4000, replace=False)
    images = render_points(RenderedGrid(sprite_renderer(SIDE), grid), index)
    report(f"a batch of {BATCH} images and targets", *compare_batches(images, grid, 20))
    for kind in ("extrapolation", "random"):
        report(f"partners of {BATCH} images, {kind} split", *compare_pairs(kind))
    report("rendering one image", *compare_rendering(grid))
    report(f"the SetEncoder on {BATCH} images", *compare_sets(images))
    # On a CPU, stacking helps only where one network's products are too small for the core.
    for name in ("MLP", "CNN") if torch.cuda.is_available() else ("MLP",):
        alone, together = compare_seeds(images, name, 3, n_steps)
        report(f"a step of 3 seeds of the {name}", alone / n_steps, together / n_steps)


if __name__ == "__main__":
    main()
