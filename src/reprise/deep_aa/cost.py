"""What the page says of cost: the arithmetic of pieces of this run, and of a search of the paper's size."""

from __future__ import annotations

import torch

from reprise.deep_aa.cell import Cell
from reprise.deep_aa.networks import WideResNet
from reprise.deep_aa.search import SearchConfig
from reprise.deep_aa.settings import Settings
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.work import search_operations, training_operations
from reprise.flops import floating_point_operations


def operations_of_a_run(settings: Settings) -> dict[str, float]:
    """Return the operations of a search step, of a final training, and of a search of the paper's size."""
    cell = Cell(settings, settings.datasets[0], settings.seeds[0])
    epochs, n_train = cell.recipe(searching=False).epochs, len(cell.problem.train)
    return {
        f"one step behind the first layer, {settings.units} units, {cell.network_name}": search_operations(cell),
        f"the final training, {epochs} passes over {n_train} images": training_operations(cell) * n_train,
        f"a whole search, {settings.n_layers} layers of {settings.steps} steps": search_operations(cell)
        * settings.steps
        * settings.n_layers,
        "a search of the paper's size": paper_search_operations(),
    }


def paper_search_operations(n_layers: int = 6, steps: int = 512) -> float:
    """Return the operations of a search with WRN-40-2 on CIFAR as the paper's code makes it.

    A forward-mode product counts as two forward passes, a gradient as three; the first layer has one prefix, and its
    gradient is over all 139 transformations.
    """
    network = WideResNet(40, 2, 10, mean=(0.5,) * 3, deviation=(0.25,) * 3).eval()
    images = torch.zeros(1, 3, 32, 32)
    forward = floating_point_operations(network, images)
    config = SearchConfig()
    n_transformations = len(AugmentationSpace())
    first = 3 * (config.n_validation + n_transformations) + 2 * n_transformations
    deeper = 3 * (config.n_validation + config.n_grad) + 2 * config.n_prefix * n_transformations
    return forward * config.units * steps * (first + (n_layers - 1) * deeper)
