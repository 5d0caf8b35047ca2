"""The study's full linearisation: gradients of all layers as features instead of the last layer only (Sec. 3.1).

A small network is trained on digits that are then left out of everything else. Around its weights w₀ it is linearised,
``f(x) = f_{w₀}(x) + ∇f_{w₀}(x)·(w − w₀)`` (Eq. 2), and the ridge regression of Eq. 3 and 4 fitted to the targets
``Y − f_{w₀}(X)``. With k outputs the exact Gram matrix is Nk × Nk; here all outputs share the kernel
``K(x, x') = (1/k) Σ_c ∇f_c(x)·∇f_c(x')``, which is an approximation and keeps DIVA's closed forms in their dual form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from reprise.compute import torch_generator
from reprise.diva.cell import Cell, Row, error_rate
from reprise.diva.data import digit_images, one_hot
from reprise.diva.leave_one_out import leave_one_out
from reprise.diva.ridge import DualRidge
from reprise.diva.weighting import PENALTIES, stepped

N_HIDDEN = 64
N_PART = 600
N_TRAINING_STEPS = 300
LAST_LAYER = ("2.weight", "2.bias")
Parameters = dict[str, Tensor]


def linearisation_rows(cell: Cell) -> Iterator[Row]:
    """Yield test errors of equal weights and of Reweight, for the last layer and for all layers (digits only)."""
    if cell.task.name != "digits":
        return
    for seed in cell.seeds(cell.settings.linearisation_seeds):
        parts = _parts(cell, seed)
        network, parameters = _trained(parts[0], seed)
        images = torch.cat([parts[1][0], parts[2][0]])
        outputs = functional_call(network, parameters, (images,))
        for setting, layers in (("last layer", LAST_LAYER), ("all layers", tuple(parameters))):
            kernel = shared_kernel(network, parameters, layers, (images, parts[1][0]))
            yield from _reweight_rows(cell, seed, setting, kernel, outputs.detach(), parts)


def _parts(cell: Cell, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Return images and labels for the network, for the linear model, and for testing."""
    images, labels, _ = digit_images()
    order = cell.generator(seed, "linearisation parts").permutation(len(labels))
    chosen = np.split(order, [N_PART, 2 * N_PART])
    rows = torch.from_numpy(images.reshape(len(images), -1))
    return [(rows[part], torch.from_numpy(labels[part])) for part in chosen]


def _trained(part: tuple[Tensor, Tensor], seed: int) -> tuple[torch.nn.Module, Parameters]:
    """Train a network of 64, 64 and 10 units with squared loss and leaky ReLU, as linear fine-tuning prefers."""
    images, labels = part
    layers = (torch.nn.Linear(images.shape[1], N_HIDDEN), torch.nn.LeakyReLU(0.1), torch.nn.Linear(N_HIDDEN, 10))
    network = torch.nn.Sequential(*layers).double()
    generator = torch_generator(seed, "diva", "linearisation", "weights")
    with torch.no_grad():
        for layer in (layers[0], layers[2]):
            layer.weight.normal_(0, layer.weight.shape[1] ** -0.5, generator=generator)
            layer.bias.zero_()
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    targets = torch.from_numpy(one_hot(labels.numpy(), 10))
    for _ in range(N_TRAINING_STEPS):
        optimiser.zero_grad()
        (network(images) - targets).square().sum(1).mean().backward()
        optimiser.step()
    return network, {name: value.detach() for name, value in network.named_parameters()}


def shared_kernel(
    network: torch.nn.Module, parameters: Parameters, layers: tuple[str, ...], images: tuple[Tensor, Tensor]
) -> Tensor:
    """Return (1/k) Σ_c ∇f_c(x)·∇f_c(x') over the parameters of the given layers, (n, n') for n and n' images."""

    def output(chosen: Parameters, image: Tensor, number: int) -> Tensor:
        return functional_call(network, {**parameters, **chosen}, (image[None],))[0, number]

    chosen = {name: parameters[name] for name in layers}
    n_outputs = functional_call(network, parameters, (images[0][:1],)).shape[1]
    kernel = torch.zeros(len(images[0]), len(images[1]), dtype=images[0].dtype)
    gradient: Callable[..., Parameters] = vmap(grad(output), in_dims=(None, 0, None))
    for number in range(n_outputs):
        first, second = (gradient(chosen, part, number) for part in images)
        for name in layers:
            kernel += first[name].flatten(1) @ second[name].flatten(1).T / n_outputs
    return kernel


def _reweight_rows(
    cell: Cell, seed: int, setting: str, kernel: Tensor, outputs: Tensor, parts: list[tuple[Tensor, Tensor]]
) -> Iterator[Row]:
    labels, test_labels = parts[1][1], parts[2][1]
    n_rows = len(labels)
    targets = torch.from_numpy(one_hot(labels.numpy(), 10)) - outputs[:n_rows]
    # Kernels of different layers differ in scale, penalties with them: λ is counted in units of the mean diagonal.
    kernel = kernel / kernel[:n_rows].diagonal().mean()
    own, cross = kernel[:n_rows], kernel[n_rows:]
    weights = torch.ones(n_rows, dtype=torch.float64)
    penalty = min(PENALTIES, key=lambda one: _squared_error(own, targets, weights, one))
    yield cell.row("linearisation", seed, "Uniform", "penalty", penalty, split="training", setting=setting)
    if setting == "last layer":
        yield cell.row("linearisation", seed, "Network", "error", error_rate(outputs[n_rows:], test_labels))
    for number in range(cell.settings.n_steps + 1):
        ridge = DualRidge(own, targets, weights, penalty)
        error = error_rate(outputs[n_rows:] + ridge.predict(cross), test_labels)
        method = "DIVA Reweight" if number else "Uniform"
        yield cell.row("linearisation", seed, method, "error", error, setting=setting, step=number)
        gradient = _gradient(ridge, outputs[:n_rows], cell.settings.temperature)
        weights = stepped(weights, gradient, cell.step())


def _squared_error(kernel: Tensor, targets: Tensor, weights: Tensor, penalty: float) -> float:
    return float(leave_one_out(DualRidge(kernel, targets, weights, penalty), "squared", gradient=False).loss)


def _gradient(ridge: DualRidge, outputs: Tensor, temperature: float) -> Tensor:
    """Return the derivative of the cross-entropy of f_{w₀} + leave-one-out prediction."""
    found = leave_one_out(ridge, "ce", temperature, offsets=outputs)
    assert found.gradient is not None
    return found.gradient
