"""The loss by which leave-one-out or validation predictions are judged: squared, or cross-entropy at a temperature.

The paper leaves it open. Outputs of squared-loss heads live in [0, 1], so that at temperature 1 the softmax is nearly
flat: a good detector of wrong labels and a poor guide for weights. At temperature 10 it is a good guide for weights on
clean labels. Where labels are wrong, temperature 10 depends on the number of classes: with about ten, the few wrong
labels that count as validation dominate and the derivative's sign turns; with fifty or more it finds them, too.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

LossName = Literal["ce", "squared"]


def losses(predictions: Tensor, targets: Tensor, loss: LossName, temperature: float) -> Tensor:
    """Return the loss of each row, (N,).

    Parameters
    ----------
    predictions, targets
        Outputs f and one-hot targets y, (N, k).
    loss
        ``"ce"``: cross-entropy of softmax(τ f); ``"squared"``: ‖f − y‖².
    temperature
        τ > 0; not used by the squared loss.
    """
    if loss == "squared":
        return (predictions - targets).square().sum(1)
    return -(targets * torch.log_softmax(temperature * predictions, 1)).sum(1)


def gradients(predictions: Tensor, targets: Tensor, loss: LossName, temperature: float) -> Tensor:
    """Return the gradient of each row's loss with respect to its outputs, (N, k)."""
    if loss == "squared":
        return 2 * (predictions - targets)
    mass = targets.sum(1, keepdim=True)
    return temperature * (mass * torch.softmax(temperature * predictions, 1) - targets)
