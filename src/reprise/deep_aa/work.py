"""How much arithmetic a search step and a training are: floating-point operations, counted."""

from __future__ import annotations

import torch

from reprise.deep_aa.cell import Cell
from reprise.deep_aa.gradient_rewards import direction, gradients_of
from reprise.deep_aa.training import as_floats
from reprise.flops import floating_point_operations

COUNTED = 8  # images of which one call is counted


def search_operations(cell: Cell, *, params: str = "all") -> float:
    """Return the operations of one step of a layer behind the first, v included where it is drawn anew."""
    s, space = cell.settings, cell.space
    gradients = gradients_of(cell.pretrained(), params=params, method=s.rewards)
    images, labels = cell.part("search")
    images, labels = as_floats(images[:COUNTED]), labels[:COUNTED]
    v, g = gradients.mean_gradient(images, labels), gradients.mean_gradient(images[:1], labels[:1])
    u = direction(v, g)
    per_gradient = floating_point_operations(gradients.mean_gradient, images, labels) / COUNTED
    per_reward = floating_point_operations(gradients.rewards, images, labels, u) / COUNTED
    n_gradients = s.n_grad + (0 if s.n_cached else s.n_validation)
    return s.units * (n_gradients * per_gradient + s.n_prefix * len(space) * per_reward)


def training_operations(cell: Cell) -> float:
    """Return the operations of the final training, per image of the training set, over all passes."""
    return _of_all_passes(cell, searching=False)


def pretraining_operations(cell: Cell) -> float:
    """Return those of the search network's training, per image that it is trained on."""
    return _of_all_passes(cell, searching=True)


def _of_all_passes(cell: Cell, *, searching: bool) -> float:
    network = cell.new_network(searching=searching, name="counted")
    images, labels = cell.part("train")
    images, labels = as_floats(images[:COUNTED]), labels[:COUNTED]

    def step() -> None:
        torch.nn.functional.cross_entropy(network(images), labels).backward()

    return floating_point_operations(step) / COUNTED * cell.recipe(searching=searching).epochs
