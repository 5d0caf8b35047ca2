"""What DIVA is compared with: reweighted softmax heads, and other ways to find wrong labels.

The heads (uniform weights, Ren et al. 2018, Chang et al. 2017) are linear with softmax, trained by momentum descent on
the same features, batches and number of steps. Several learning rates and weight decays are trained at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from reprise.compute import numpy_generator

Weighting = Literal["uniform", "L2RW", "Active Bias"]
MOMENTUM = 0.9
N_UNIFORM_EPOCHS = 10


@dataclass(frozen=True)
class HeadOptions:
    """How a softmax head is trained.

    Attributes
    ----------
    weighting
        ``"uniform"``; ``"L2RW"``: a row weighs as much as its gradient agrees with that of a validation batch, not less
        than 0 (Ren et al.); ``"Active Bias"``: as its label's probability over the past epochs was undecided (Chang et
        al., threshold closeness).
    learning_rates, weight_decays
        All combinations are trained at once.
    n_epochs, batch_size
        Length of training; rows a step, and of a validation batch.
    """

    weighting: Weighting = "uniform"
    learning_rates: tuple[float, ...] = (3.0,)
    weight_decays: tuple[float, ...] = (0.0,)
    n_epochs: int = 50
    batch_size: int = 100

    def grid(self) -> list[tuple[float, float]]:
        """Return all combinations of learning rate and weight decay, in the order of the trained heads."""
        return [(rate, decay) for rate in self.learning_rates for decay in self.weight_decays]


def train_heads(
    train: tuple[Tensor, Tensor], validation: tuple[Tensor, Tensor] | None, options: HeadOptions, stream: tuple
) -> Tensor:
    """Train softmax heads, one for each learning rate and weight decay.

    Parameters
    ----------
    train
        Features (N, m), float32, and labels (N,).
    validation
        The same for the validation batches of L2RW; else None.
    options
        How.
    stream
        Seed and names of the random stream of the batches; equal streams give equal batches, whatever the weighting.

    Returns
    -------
    Tensor
        Weights of the heads, (heads, m, k).
    """
    features, labels = train
    grid = options.grid()
    n_classes = int(labels.max()) + 1
    device = features.device
    rate = torch.tensor([one for one, _ in grid], device=device)[:, None, None]
    decay = torch.tensor([one for _, one in grid], device=device)[:, None, None]
    heads = torch.zeros(len(grid), features.shape[1], n_classes, device=device)
    speed = torch.zeros_like(heads)
    targets = torch.nn.functional.one_hot(labels, n_classes).float()
    history = _History(len(grid), len(labels), device)
    batches, others = numpy_generator(*stream, "batches"), numpy_generator(*stream, "validation batches")
    for epoch in range(options.n_epochs):
        weigh = history.weights() if options.weighting == "Active Bias" and epoch >= N_UNIFORM_EPOCHS else None
        order = torch.from_numpy(batches.permutation(len(labels))).to(device)
        for rows in order.split(options.batch_size):
            own, wanted = features[rows], targets[rows]
            errors = torch.softmax(own @ heads, 2) - wanted
            if options.weighting == "L2RW":
                assert validation is not None
                row_weights = _agreement(own, errors, heads, validation, others, options.batch_size)
            elif weigh is None:
                row_weights = torch.full_like(errors[..., 0], 1 / len(rows))
            else:
                chosen = weigh[:, rows]
                row_weights = chosen / chosen.sum(1, keepdim=True)
            history.record(rows, 1 + (errors * wanted).sum(2))
            gradient = own.T @ (row_weights[..., None] * errors) + decay * heads
            speed = MOMENTUM * speed + gradient
            heads = heads - rate * speed
    return heads


def _agreement(own, errors, heads, validation, generator, batch_size) -> Tensor:  # type: ignore[no-untyped-def]
    """Weights of L2RW: max(0, gradient of a row · mean gradient of a validation batch), summing to 1."""
    features, labels = validation
    rows = torch.from_numpy(generator.choice(len(labels), min(batch_size, len(labels)), replace=False)).to(own.device)
    new = features[rows]
    outer = torch.softmax(new @ heads, 2) - torch.nn.functional.one_hot(labels[rows], heads.shape[2])
    weights = ((own @ (new.T @ outer)) * errors).sum(2).clamp(min=0)
    total = weights.sum(1, keepdim=True)
    return weights / torch.where(total > 0, total, 1.0)


class _History:
    """The probability of each row's label, as mean over the past epochs, and the weights of Active Bias."""

    def __init__(self, n_heads: int, n_rows: int, device: torch.device) -> None:
        self._sum = torch.zeros(n_heads, n_rows, device=device)
        self._n = torch.zeros(n_rows, device=device)

    def record(self, rows: Tensor, probabilities: Tensor) -> None:
        self._sum[:, rows] += probabilities
        self._n[rows] += 1

    def weights(self) -> Tensor:
        mean = self._sum / self._n
        undecided = mean * (1 - mean)
        return undecided + undecided.mean(1, keepdim=True)


def knn_shapley_values(features: Tensor, labels: Tensor, n_neighbours: int = 10, chunk: int = 256) -> Tensor:
    """Return the Shapley value of each row for nearest-neighbour classification of all other rows (Jia et al. 2019).

    Parameters
    ----------
    features
        Of shape (N, m); distances are Euclidean.
    labels
        Given labels: one vector (N,), or several that share the features, (variants, N).
    n_neighbours
        K.
    chunk
        Validation rows a time.

    Returns
    -------
    Tensor
        Mean value over the other rows as validation, of the shape of ``labels``.

    Notes
    -----
    The value for one validation row is exact: with training rows ordered by distance and ``a_j = 1`` where label j is
    the right one, ``s_N = a_N/N`` and ``s_j = s_{j+1} + (a_j − a_{j+1}) min(K, j)/(K j)``. O(N² log N).
    """
    variants = torch.atleast_2d(labels)
    n_rows = len(features)
    features = features.float()
    lengths = features.square().sum(1)
    place = torch.arange(1, n_rows, device=features.device, dtype=torch.float32)
    factor = place.clamp(max=n_neighbours) / (n_neighbours * place)
    values = torch.zeros(variants.shape, device=features.device, dtype=torch.float64)
    for rows in torch.arange(n_rows, device=features.device).split(chunk):
        distances = lengths - 2 * features[rows] @ features.T
        distances[torch.arange(len(rows)), rows] = -torch.inf  # the row itself comes first and is cut off
        order = torch.argsort(distances, dim=1, stable=True)[:, 1:]
        for variant, own in enumerate(variants):
            matches = (own[order] == own[rows, None]).float()
            steps = matches * factor
            steps[:, :-1] -= matches[:, 1:] * factor[:-1]
            shapley = steps.flip(1).cumsum(1).flip(1)
            values[variant].scatter_add_(0, order.flatten(), shapley.flatten().double())
    return (values / (n_rows - 1)).reshape(labels.shape)


def confident_learning(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return cleanlab's suspicion of each label (1 − label quality) and which it calls wrong.

    Parameters
    ----------
    labels
        Given labels, (N,).
    probabilities
        Of models that did not see the row, (N, k); the leave-one-out predictions serve, so that nothing is refitted.

    Returns
    -------
    tuple of numpy.ndarray
        Suspicion (N,), higher is worse, and truth values (N,).
    """
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    suspicion = 1 - get_label_quality_scores(labels, probabilities)
    return suspicion, np.asarray(find_label_issues(labels, probabilities, n_jobs=1))
