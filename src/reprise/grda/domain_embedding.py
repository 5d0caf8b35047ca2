"""The node embedding z of the domain graph: pre-trained with L_g, then frozen and given to the encoder."""

from functools import lru_cache

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from reprise.compute import torch_generator

START_DEVIATION = 0.1


def edge_loss(embedding: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
    """Return L_g: the mean binary cross-entropy of ``z_i·z_j`` against ``A_ij`` over all pairs i ≠ j.

    Parameters
    ----------
    embedding
        Floats of shape (N, k).
    adjacency
        0/1 floats of shape (N, N), symmetric.

    Returns
    -------
    torch.Tensor
        A scalar; log 2 for the zero embedding.
    """
    first, second = torch.triu_indices(len(adjacency), len(adjacency), 1)
    scores = (embedding[first] * embedding[second]).sum(-1)
    return binary_cross_entropy_with_logits(scores, adjacency[first, second].to(scores.dtype))


def fit_domain_embedding(
    adjacency: np.ndarray, width: int = 2, *, seed: int = 0, n_steps: int = 500, penalty: float = 0.01
) -> np.ndarray:
    """Pre-train the node embedding: minimise L_g + penalty · mean ‖z‖² with Adam (learning rate 0.05).

    Without the penalty the fit memorises random edges: norms reach 10 and differ by seed. With it they stay near 3
    and the result is the same for every seed up to rotation.

    Parameters
    ----------
    adjacency
        0/1 array of shape (N, N), symmetric.
    width
        k, the number of coordinates: the paper's code has 2 for DG; we use 4 for the states.
    seed
        Seed of the starting point N(0, 0.1²).
    n_steps
        Number of full-batch steps.
    penalty
        Weight of the mean squared norm.

    Returns
    -------
    numpy.ndarray
        Float64 of shape (N, k).
    """
    adjacency = np.ascontiguousarray(adjacency, dtype=np.int8)
    values = _fit(adjacency.tobytes(), len(adjacency), width, seed, (n_steps, penalty))
    return np.array(values)


@lru_cache(maxsize=64)
def _fit(edges: bytes, n_domains: int, width: int, seed: int, options: tuple[int, float]) -> np.ndarray:
    n_steps, penalty = options
    adjacency = torch.from_numpy(np.frombuffer(edges, np.int8).reshape(n_domains, n_domains).astype(np.float64))
    generator = torch_generator(seed, "domain embedding")
    start = torch.randn(n_domains, width, generator=generator, dtype=torch.float64) * START_DEVIATION
    embedding = start.requires_grad_()
    optimiser = torch.optim.Adam([embedding], lr=0.05)
    for _ in range(n_steps):
        optimiser.zero_grad()
        loss = edge_loss(embedding, adjacency) + penalty * embedding.square().sum(-1).mean()
        loss.backward()
        optimiser.step()
    return embedding.detach().numpy()


def scale_embedding(embedding: np.ndarray, scale: float | None) -> np.ndarray:
    """Standardise each coordinate over the domains and multiply by a scale; ``None`` leaves z as it is.

    Raw z has norms up to 10. In regression an unbounded head extrapolates on the z of unseen domains, so there z is
    standardised and scaled down (0.3).

    Parameters
    ----------
    embedding
        Floats of shape (N, k).
    scale
        Standard deviation that each coordinate gets, or None.

    Returns
    -------
    numpy.ndarray
        Float64 of shape (N, k).
    """
    embedding = np.asarray(embedding, dtype=np.float64)
    if scale is None:
        return embedding
    deviation = embedding.std(0)
    return scale * (embedding - embedding.mean(0)) / np.where(deviation > 0, deviation, 1)
