"""How much arithmetic one derivative is, beside a fit and a forward pass of the frozen network."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from reprise.diva.data import load, one_hot
from reprise.diva.leave_one_out import leave_one_out
from reprise.diva.ridge import PrimalRidge
from reprise.flops import floating_point_operations


def operations_of_a_derivative(data_sets: Sequence[str]) -> dict[str, float]:
    """Return the counted operations of one ridge fit, and of its leave-one-out derivative, on the first data set.

    Cholesky factor and triangular solves, ``m³/3 + Nm²``, are not among what is counted by the machine and are added.
    """
    name = data_sets[0]
    network = "mobilenet-v1-0.25" if name == "cifar10-4k" else "mobilenet-v1-0.5"
    task = load(name, network)
    features = torch.from_numpy(task.features[: task.n_train])
    targets = torch.from_numpy(one_hot(task.labels[: task.n_train], task.n_classes))
    ones = torch.ones_like(features[:, 0])
    n_rows, width = features.shape
    products = floating_point_operations(PrimalRidge, features, targets, ones, 0.1)
    fit = products + width**3 / 3 + n_rows * width**2
    derivative = floating_point_operations(leave_one_out, PrimalRidge(features, targets, ones, 0.1))
    return {f"one ridge fit on {name}": fit, f"all its leave-one-out derivatives on {name}": derivative}
