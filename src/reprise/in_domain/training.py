"""Training: batches are drawn by index from images that live on the device; nothing is loaded item by item.

The batches of a seed are the same for every model, so that models are compared on the same stream.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from reprise.compute import torch_generator
from reprise.in_domain.grid import IntegerArray
from reprise.in_domain.images import Images
from reprise.in_domain.pairs import PairSampler, interleave
from reprise.in_domain.representations import Representation

# Images and targets of a batch, changed together.
Augment = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]
CODE_CHUNK = 1000
WARM_UP = 0.05


@dataclass(frozen=True)
class TrainingOptions:
    """How long and how fast a network is trained.

    Attributes
    ----------
    n_steps
        Steps of Adam; the paper: about 500 000.
    batch_size
        Images a step (pairs count as two); the paper: 64.
    learning_rate
        The largest: it is reached linearly in the first twentieth of the steps, which keeps deep networks from dying at
        a high one, and falls linearly to zero. The paper's defaults: 1e-4, constant.
    """

    n_steps: int = 1500
    batch_size: int = 64
    learning_rate: float = 2e-3

    def __post_init__(self) -> None:
        whole = all(isinstance(value, int | np.integer) and value >= 1 for value in (self.n_steps, self.batch_size))
        if not whole or not self.learning_rate > 0:
            raise ValueError(f"{self}: n_steps and batch_size must be whole numbers from 1, learning_rate above 0.")


@contextmanager
def initial_weights(seed: int, *names: object) -> Iterator[None]:
    """Let torch's own generator start from a named stream inside the block, and leave it as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_generator(seed, "in_domain", *names).initial_seed())
        yield


def regression_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the squared error, summed over factors and averaged over the batch.

    Raises
    ------
    ValueError
        If the shapes differ: a single output would be compared with every factor.
    """
    if predicted.shape != target.shape:
        raise ValueError(
            f"the model returned the shape {tuple(predicted.shape)} for targets of {tuple(target.shape)}; give it one "
            "output a factor (build_model's n_factors)."
        )
    return (predicted - target).square().sum(-1).mean()


def checked_index(index: ArrayLike, n_points: int) -> IntegerArray:
    """Return grid points as an array of integers, or say why they are none.

    Raises
    ------
    ValueError
        If there are none, they are no whole numbers (or a mask of another length), or one lies outside.
    """
    points = np.asarray(index)
    if points.size == 0:
        raise ValueError("train_index is empty; there is nothing to train on.")
    if points.dtype == bool and points.shape == (n_points,):
        points = np.flatnonzero(points)
        if not len(points):
            raise ValueError("train_index is a mask without a single True; there is nothing to train on.")
    if points.ndim != 1 or not np.issubdtype(points.dtype, np.integer):
        raise ValueError(
            f"train_index is {points.dtype} of shape {points.shape}; give grid points, e.g. split.train_index, or a "
            f"mask of {n_points} images."
        )
    if points.min() < 0 or points.max() >= n_points:
        raise ValueError(f"train_index goes from {points.min()} to {points.max()}; the images are 0 to {n_points - 1}.")
    return points.astype(np.int64)


class Batches:
    """Draws batches of training points, with replacement, from a stream named by the seed alone."""

    def __init__(self, images: Images, train_index: IntegerArray, batch_size: int, seed: int) -> None:
        train_index = checked_index(train_index, len(images.grid))
        self._generator = torch_generator(seed, "in_domain", "batches")
        self._points = torch.from_numpy(train_index)
        self._targets = torch.from_numpy(images.grid.targets(train_index)).float().to(images.device)
        self._batch_size, self._images = batch_size, images

    def points(self) -> Tensor:
        """Return grid points of a new batch, on the images' device."""
        return self._points[self._draw()].to(self._images.device)

    def images_and_targets(self) -> tuple[Tensor, Tensor]:
        """Return images and targets of a new batch."""
        drawn = self._draw()
        points = self._points[drawn].to(self._images.device)
        return self._images.batch(points), self._targets[drawn.to(self._images.device)]

    def _draw(self) -> Tensor:
        return torch.randint(len(self._points), (self._batch_size,), generator=self._generator)


def rate_at(step: int, n_steps: int) -> float:
    """Return the learning rate of a step over the largest one: up in the first twentieth, then down to zero."""
    warm = max(round(WARM_UP * n_steps), 1)
    return min((step + 1) / warm, (n_steps - step) / (n_steps - warm + 1))


def _optimiser(
    parameters: Sequence[Tensor], options: TrainingOptions
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]:
    adam = torch.optim.Adam(parameters, lr=options.learning_rate, fused=True)
    return adam, torch.optim.lr_scheduler.LambdaLR(adam, partial(rate_at, n_steps=options.n_steps))


def _step(loss: Tensor, adam: torch.optim.Optimizer, decay: torch.optim.lr_scheduler.LambdaLR) -> None:
    adam.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    adam.step()
    decay.step()


def train_regressor(
    model: nn.Module,
    images: Images,
    train_index: IntegerArray,
    options: TrainingOptions | None = None,
    *,
    seed: int = 0,
    augment: Augment | None = None,
) -> nn.Module:
    """Train a network to regress all factors at once.

    Parameters
    ----------
    model
        Maps images (n, channels, side, side) to (n, n_factors); trained in place, on the images' device.
    images
        The images.
    train_index
        Grid points to train on.
    options
        Steps, batch size, learning rate.
    seed
        Of the batches.
    augment
        Changes a batch's images and targets together, with the generator it is given.

    Returns
    -------
    torch.nn.Module
        The same network, in evaluation mode.
    """
    options = options or TrainingOptions()
    if not isinstance(model, nn.Module):
        raise ValueError(f"model is a {type(model).__name__}; give a torch module, e.g. of build_model.")
    model = model.to(images.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    batches = Batches(images, train_index, options.batch_size, seed)
    adam, decay = _optimiser(list(model.parameters()), options)
    changes = torch_generator(seed, "in_domain", "augmentation")
    with initial_weights(seed, "layers with randomness"):
        for _ in range(options.n_steps):
            pictures, targets = batches.images_and_targets()
            if augment is not None:
                pictures, targets = augment(pictures, targets, changes)
            pictures = pictures.contiguous(memory_format=torch.channels_last)
            _step(regression_loss(model(pictures), targets), adam, decay)
    return model.eval()


def train_stacked(
    models: Sequence[nn.Module],
    images: Images,
    train_indices: Sequence[IntegerArray],
    options: TrainingOptions,
    seeds: Sequence[int],
) -> list[nn.Module]:
    """Train several networks of one architecture in one pass: seeds, splits, or both.

    Each sees the batches that it would see alone. Worth it where one network is too small for the device.

    Parameters
    ----------
    models
        Networks without running statistics, alike but for their weights.
    images
        Images of all points of all training sets.
    train_indices, seeds
        One training set and one seed a network.
    options
        Common options.
    """
    if not len(models) == len(train_indices) == len(seeds):
        raise ValueError(f"{len(models)} models, {len(train_indices)} training sets, {len(seeds)} seeds: give as many.")
    models = [model.to(images.device).train() for model in models]
    base = models[0]
    parameters, buffers = stack_module_state(list(models))
    stacked = {name: value.detach().clone().requires_grad_() for name, value in parameters.items()}
    adam, decay = _optimiser(list(stacked.values()), options)
    streams = [
        Batches(images, index, options.batch_size, seed) for index, seed in zip(train_indices, seeds, strict=True)
    ]

    def predict(weights: dict[str, Tensor], state: dict[str, Tensor], pictures: Tensor) -> Tensor:
        return cast(Tensor, functional_call(base, (weights, state), (pictures,)))

    for _ in range(options.n_steps):
        drawn = [stream.images_and_targets() for stream in streams]
        pictures, targets = (torch.stack(part) for part in zip(*drawn, strict=True))
        predicted = vmap(predict)(stacked, buffers, pictures)
        _step((predicted - targets).square().sum(-1).mean(1).sum(), adam, decay)
    for place, model in enumerate(models):
        model.load_state_dict({name: value[place] for name, value in {**stacked, **buffers}.items()})
    return [model.eval() for model in models]


def train_representation(
    model: Representation,
    images: Images,
    train_index: IntegerArray,
    options: TrainingOptions | None = None,
    *,
    read_out: TrainingOptions | None = None,
    seed: int = 0,
) -> Representation:
    """Train an encoder by its own loss, then, on frozen codes of the training set, the read-out by the regression loss.

    Parameters
    ----------
    model
        The representation; trained in place, on the images' device.
    images, train_index, seed
        As in `train_regressor`.
    options, read_out
        Steps of the encoder and of the read-out.

    Returns
    -------
    Representation
        The same model, in evaluation mode.
    """
    options = options or TrainingOptions(learning_rate=5e-4)
    if not isinstance(model, Representation):
        raise ValueError(f"model is a {type(model).__name__}, no representation; train it by train_regressor.")
    train_index = checked_index(train_index, len(images.grid))
    model = model.to(images.device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    _train_encoder(model, images, train_index, options, seed)
    model.eval()
    codes = encode(model, images, train_index)
    targets = torch.from_numpy(images.grid.targets(train_index)).float().to(images.device)
    read_out = read_out or TrainingOptions(options.n_steps, options.batch_size, 1e-3)
    adam, decay = _optimiser(list(model.read_out.parameters()), read_out)
    generator = torch_generator(seed, "in_domain", "read-out")
    for _ in range(read_out.n_steps):
        drawn = torch.randint(len(codes), (read_out.batch_size,), generator=generator).to(images.device)
        _step(regression_loss(model.read_out(codes[drawn]), targets[drawn]), adam, decay)
    return model


def _train_encoder(
    model: Representation, images: Images, train_index: IntegerArray, options: TrainingOptions, seed: int
) -> None:
    if model.pairs is not None and options.batch_size % 2:
        raise ValueError(f"batch_size={options.batch_size} is odd; models of pairs need an even one.")
    sampler = PairSampler(images.grid, train_index, images.device) if model.pairs else None
    n_drawn = options.batch_size // 2 if sampler else options.batch_size
    batches = Batches(images, train_index, n_drawn, seed)
    weights = [value for name, value in model.named_parameters() if not name.startswith("read_out")]
    adam, decay = _optimiser(weights, options)
    pairs, noise = (torch_generator(seed, "in_domain", name) for name in ("pairs", "noise"))
    for _ in range(options.n_steps):
        points = batches.points()
        if sampler is not None:
            draw = sampler.laplace if model.pairs == "laplace" else sampler.one_factor
            points = interleave(points, draw(points, pairs))
        _step(model.loss(images.batch(points), noise), adam, decay)


def encode(model: Representation, images: Images, index: IntegerArray) -> Tensor:
    """Return the codes of grid points, shape (n, 10)."""
    parts = torch.from_numpy(np.asarray(index)).to(images.device).split(CODE_CHUNK)
    with torch.no_grad():
        return torch.cat([model.codes(images.batch(part)) for part in parts])
