"""Losses of both directions, and what is done to labels before a student sees them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, mse_loss

from reprise.trans_encoder.input_checks import check_name, check_share

LOSSES = ("bce", "mse")
STRETCH = (0.02, 0.98)  # quantiles of the labels that become 0 and 1
TEMPERATURE = 0.05
EDGE = 0.01  # distance from 0 and 1 within which a cosine's cross-entropy goes on as its tangent


def cross_loss(logits: Tensor, labels: Tensor, loss: str = "bce") -> Tensor:
    """Return the loss of a cross-encoder.

    ``"bce"``: soft binary cross-entropy of the logits (paper, bi → cross); ``"mse"``: squared error of the scores σ(z).
    """
    check_name("cross_loss", loss, LOSSES)
    return binary_cross_entropy_with_logits(logits, labels) if loss == "bce" else mse_loss(logits.sigmoid(), labels)


def bi_loss(first: Tensor, second: Tensor, labels: Tensor, loss: str = "mse") -> Tensor:
    """Return the loss of a bi-encoder from unit vectors, ``(n, d)`` each.

    ``"mse"``: squared error of the cosine (paper, cross → bi); ``"bce"``: binary cross-entropy with the cosine as the
    probability, so that both losses have their minimum where the cosine is the label. How the paper brings a cosine to
    a probability is not known to us. The cross-entropy is infinite at 0 and 1 and has no value beyond: within 0.01 of
    both ends, and for negative cosines, it is continued by its tangent.
    """
    check_name("bi_loss", loss, LOSSES)
    cosines = (first * second).sum(-1)
    if loss == "mse":
        return mse_loss(cosines, labels)
    inside = cosines.clamp(EDGE, 1 - EDGE).detach()
    slope = (inside - labels) / (inside * (1 - inside))
    return (binary_cross_entropy(inside, labels, reduction="none") + slope * (cosines - inside)).mean()


def simcse_loss(first: Tensor, second: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Return the contrastive loss of two unit vectors a sentence, made by independent dropout, ``(n, d)`` each.

    Each sentence has to find its own second vector among those of the batch (SimCSE; temperature 0.05).
    """
    similarity = first @ second.T / temperature
    return cross_entropy(similarity, torch.arange(len(first), device=first.device))


def stretched(labels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map the 2 % quantile of the labels to 0, the 98 % quantile to 1, and clip; ranks stay, but for ties there."""
    low, high = np.quantile(labels, STRETCH)
    return np.clip((labels - low) / max(high - low, 1e-12), 0.0, 1.0)


def prepared(labels: NDArray[np.float64], loss: str, *, stretch: bool = False) -> tuple[NDArray[np.float64], float]:
    """Return the labels that a student is trained on, and the share that was clipped to [0, 1].

    Only the cross-entropy needs the range: below 0 or above 1 it has no minimum.

    Raises
    ------
    TransEncoderInputError
        If more than a fifth would be clipped.
    """
    if stretch:
        return stretched(labels), 0.0
    if loss == "mse":
        return labels, 0.0
    share = float(((labels < 0) | (labels > 1)).mean())
    check_share(share)
    return np.clip(labels, 0.0, 1.0), share
