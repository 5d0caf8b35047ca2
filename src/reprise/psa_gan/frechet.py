"""The Fréchet distance of two samples, what sampling alone adds to it, and how to take that away again.

Between the Gaussians fitted to two samples the distance is ``|μ_a − μ_b|² + tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^½)``. Two
samples of one distribution are not at distance 0: the bias falls as 1/n and grows with the square of the dimension.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Moments:
    """Mean ``(dim,)`` and covariance ``(dim, dim)`` of a sample, float64."""

    mean: Tensor
    covariance: Tensor


def moments(sample: Tensor) -> Moments:
    """Return the moments of a sample ``(n, dim)``; the covariance is the unbiased one."""
    sample = sample.double()
    return Moments(sample.mean(0), torch.cov(sample.T).reshape(sample.shape[1], sample.shape[1]))


def frechet_of_moments(a: Moments, b: Moments) -> float:
    """Return the squared Fréchet distance of two Gaussians.

    The trace of ``(Σ_a Σ_b)^½`` is the sum of the roots of the eigenvalues of ``Σ_a^½ Σ_b Σ_a^½``, which is symmetric:
    faster and more stable than a matrix root of the product, and defined where a covariance is singular.
    """
    values, vectors = torch.linalg.eigh(a.covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    product = root @ b.covariance @ root
    shared = torch.linalg.eigvalsh((product + product.T) / 2).clamp(min=0).sqrt().sum()
    spread = a.covariance.trace() + b.covariance.trace() - 2 * shared
    return float((a.mean - b.mean).square().sum() + spread.clamp(min=0))


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Return the squared Fréchet distance of the Gaussians fitted to two samples ``(n, dim)``.

    Examples
    --------
    >>> import torch
    >>> round(frechet_distance(torch.tensor([[0.0], [2.0]]), torch.tensor([[3.0], [5.0]])), 6)
    9.0
    """
    return frechet_of_moments(moments(a), moments(b))


def expected_floor(covariance: Tensor, n: int) -> float:
    """Return the expected distance of two samples of n points from one Gaussian, to first order in 1/n.

    With eigenvalues λ of the covariance: ``2 Σ_i λ_i / n + (Σ_ij λ_i λ_j / (λ_i + λ_j) + Σ_i λ_i / 2) / n``. The first
    term is of the means; the second follows from the second-order expansion of the Bures distance, whose weights are
    ``1 / (2 (λ_i + λ_j))``, and the variance ``λ_i λ_j (1 + δ_ij) / n`` of a covariance's entries in its own basis. For
    λ = σ² it is ``σ² (d² / 2n + 2d / n + d / 2n)``.

    Parameters
    ----------
    covariance
        Shape ``(dim, dim)``.
    n
        Size of each of the two samples.
    """
    values = torch.linalg.eigvalsh(covariance.double()).clamp(min=0)
    values = values[values > values.max() * 1e-12]
    pairs = (values[:, None] * values / (values[:, None] + values)).sum()
    return float((2.5 * values.sum() + pairs) / n)


def block_distances(real: Tensor, fake: Tensor, n_blocks: int) -> list[float]:
    """Return the distance of each of n equal consecutive blocks of the real sample to the same block of the other."""
    size = len(real) // n_blocks
    blocks = (slice(place * size, (place + 1) * size) for place in range(n_blocks))
    return [frechet_distance(real[block], fake[block]) for block in blocks]


def floor_distances(real: Tensor, n_blocks: int) -> list[float]:
    """Return the distances of the real sample's blocks to one another, each to the next: what other real windows score.

    Two blocks give one distance, more give one each (the last to the first).
    """
    size = len(real) // n_blocks
    found = [moments(real[place * size : (place + 1) * size]) for place in range(n_blocks)]
    pairs = range(1) if n_blocks == 2 else range(n_blocks)
    return [frechet_of_moments(found[place], found[(place + 1) % n_blocks]) for place in pairs]


def extrapolated_distance(real: Tensor, fake: Tensor, most_blocks: int, least_size: int) -> float:
    """Return the distance at infinite n, by a line through the distances at several n against 1/n.

    All points are used at each size: for k = 1, …, ``most_blocks`` both samples are cut into k blocks and the distances
    of the blocks are averaged (Chong and Forsyth, 2020, draw subsets instead). The result may be below 0 by chance.

    Parameters
    ----------
    real, fake
        Samples ``(n, dim)`` of equal size.
    most_blocks
        Largest number of blocks.
    least_size
        Smallest size of a block: where it is near the dimension, the bias is no longer a line in 1/n.
    """
    counts = [k for k in range(1, most_blocks + 1) if len(real) // k >= least_size]
    if len(counts) < 2:
        return float("nan")
    inverse = torch.tensor([1 / (len(real) // k) for k in counts], dtype=torch.float64)
    values = torch.tensor(
        [sum(found) / len(found) for found in (block_distances(real, fake, k) for k in counts)], dtype=torch.float64
    )
    centred = inverse - inverse.mean()
    slope = (centred * values).sum() / centred.square().sum()
    return float(values.mean() - slope * inverse.mean())
