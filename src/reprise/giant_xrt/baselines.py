"""Features to compare with: graph-agnostic ones, averaged over neighbours, link prediction, graph self-supervision."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import nn
from torch.nn import functional

from reprise.compute import numpy_generator, torch_generator
from reprise.giant_xrt.encoders import LinearEncoder, encode

N_HOPS = 3


def mean_over_neighbours(adjacency: sparse.csr_array, features: Any) -> np.ndarray:
    """Return the mean of each node's features with its neighbours', ``(n, d)``: (I + A) with rows summing to 1."""
    with_self = sparse.csr_array(adjacency + sparse.eye_array(adjacency.shape[0], dtype=np.float32, format="csr"))
    degree = np.asarray(with_self.sum(axis=1)).ravel()
    return np.asarray(sparse.diags_array(1 / degree) @ with_self @ features, dtype=np.float32)


def propagated(adjacency: sparse.csr_array, features: np.ndarray, n_hops: int = N_HOPS) -> list[np.ndarray]:
    """Return S^0 X … S^K X with S = D^(−1/2)(A + I)D^(−1/2): the inputs of SIGN; the last is SGC's."""
    with_self = sparse.csr_array(adjacency + sparse.eye_array(adjacency.shape[0], dtype=np.float32, format="csr"))
    scale = sparse.diags_array(1 / np.sqrt(np.asarray(with_self.sum(axis=1)).ravel()))
    step = sparse.csr_array(scale @ with_self @ scale)
    found = [np.asarray(features, dtype=np.float32)]
    for _ in range(n_hops):
        found.append(np.asarray(step @ found[-1], dtype=np.float32))
    return found


def link_prediction_features(
    matrix: Any, adjacency: sparse.csr_array, *, n_steps: int, learning_rate: float, seed: int, batch_size: int = 128
) -> np.ndarray:
    """Return the features of the linear encoder fine-tuned to predict links, float32 ``(n, 128)``.

    The logit of a pair is a learnt scale and bias on ⟨Φ_i, Φ_j⟩; binary cross-entropy, one random negative an edge.

    Parameters
    ----------
    matrix
        TF-IDF of the texts, ``(n, d)``: the same as the other pre-training reads.
    adjacency
        Undirected graph.
    n_steps, learning_rate, batch_size
        Updates of Adam, its rate, and edges in each.
    seed
        Of weights (those of the other pre-training), edges and negatives.
    """
    encoder = LinearEncoder(generator=torch_generator(seed, "giant-xrt", "encoder"))
    texts = encoder.prepare_matrix(matrix)
    scale, shift = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))
    optimiser = torch.optim.Adam([*encoder.parameters(), scale, shift], lr=learning_rate, fused=True)
    edges = np.stack(sparse.triu(adjacency).tocoo().coords, axis=1)
    generator = numpy_generator(seed, "giant-xrt", "link prediction")
    order: np.ndarray = np.empty(0, dtype=np.int64)
    for _ in range(n_steps):
        if len(order) < batch_size:
            order = np.concatenate([order, generator.permutation(len(edges))])
        chosen, order = edges[order[:batch_size]], order[batch_size:]
        negatives = generator.integers(0, adjacency.shape[0], len(chosen))
        source, near, far = encoder(texts[np.concatenate([chosen[:, 0], chosen[:, 1], negatives])]).chunk(3)
        products = torch.cat([(source * near).sum(1), (source * far).sum(1)])
        target = torch.cat([torch.ones(len(chosen)), torch.zeros(len(chosen))])
        loss = functional.binary_cross_entropy_with_logits(scale * products + shift, target)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    return encode(encoder, texts)


def closed_form_features(
    matrix: Any, targets: list[sparse.csr_array], *, dim: int = 128, penalty: float = 10.0
) -> np.ndarray:
    """Return what a linear encoder with squared loss learns, without a step: reduced-rank ridge regression.

    All levels' targets stand side by side, T = [Y^(1) … Y^(T)]. With the ridge coefficients B of T on X, the best
    encoder of rank r is X B V_r, V_r the first eigenvectors of TᵀXB.

    Parameters
    ----------
    matrix
        X, TF-IDF ``(n, d)``.
    targets
        One a level, ``(n, K_t)`` (rows of nodes that are no instances may be empty).
    dim
        r; fewer if there are fewer targets.
    penalty
        λ.
    """
    stacked = sparse.csr_array(sparse.hstack(targets)).astype(np.float64)
    fitted = ridge_fit(sparse.csr_array(matrix), stacked, penalty)
    _, vectors = np.linalg.eigh(_symmetric(stacked.T @ fitted))
    return np.asarray(fitted @ vectors[:, ::-1][:, :dim], dtype=np.float32)


def ridge_fit(matrix: sparse.csr_array, targets: sparse.csr_array, penalty: float) -> np.ndarray:
    """Return the fitted values X(XᵀX + λI)⁻¹XᵀT of ridge regression, ``(n, k)``, by the smaller of the two systems."""
    from scipy.linalg import cho_factor, cho_solve

    n, d = matrix.shape
    wide = matrix.astype(np.float64)
    if n <= d:
        gram = (wide @ wide.T).toarray()
        factor = cho_factor(gram + penalty * np.eye(n), overwrite_a=True)
        return gram @ cho_solve(factor, targets.toarray())
    factor = cho_factor((wide.T @ wide).toarray() + penalty * np.eye(d), overwrite_a=True)
    return np.asarray(wide @ cho_solve(factor, (wide.T @ targets).toarray()))


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return (matrix + matrix.T) / 2


def self_supervised_features(
    kind: str, features: np.ndarray, adjacency: sparse.csr_array, *, seed: int, n_epochs: int = 150, dim: int = 128
) -> np.ndarray:
    """Return what PyG's graph self-supervision makes of features, ``(n, dim)``.

    Parameters
    ----------
    kind
        ``"DGI"`` (deep graph infomax) or ``"GAE"`` (graph auto-encoder), each on one graph convolution.
    features, adjacency
        Dense ``(n, d)``, and the graph.
    seed, n_epochs, dim
        Seed, full-batch updates of Adam at 0.001, and width.
    """
    x, edges = torch.from_numpy(np.asarray(features, dtype=np.float32)), edge_index_of(adjacency)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(numpy_generator(seed, "giant-xrt", kind).integers(2**31)))
        model = _self_supervised(kind, x.shape[1], dim)
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
        for _ in range(n_epochs):
            optimiser.zero_grad()
            if kind == "DGI":
                loss = model.loss(*model(x, edges))
            else:
                # PyG's own negatives come from Python's generator, which nobody seeds.
                negatives = torch.randint(len(x), edges.shape)
                loss = model.recon_loss(model(x, edges), edges, negatives)
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            found = model(x, edges)
    return np.asarray((found[0] if kind == "DGI" else found).numpy())


class _Convolution(nn.Module):
    def __init__(self, n_inputs: int, dim: int) -> None:
        from torch_geometric.nn import GCNConv

        super().__init__()
        self.convolution = GCNConv(n_inputs, dim, cached=True)

    def forward(self, x: torch.Tensor, edge_index: torch.Tensor) -> torch.Tensor:
        return functional.leaky_relu(self.convolution(x, edge_index), 0.25)


def _self_supervised(kind: str, n_inputs: int, dim: int) -> Any:
    from torch_geometric.nn import GAE, DeepGraphInfomax

    if kind == "GAE":
        return GAE(_Convolution(n_inputs, dim))
    return DeepGraphInfomax(
        dim,
        _Convolution(n_inputs, dim),
        summary=lambda z, *_: z.mean(dim=0).sigmoid(),
        corruption=lambda x, edge_index: (x[torch.randperm(len(x))], edge_index),
    )


def edge_index_of(adjacency: sparse.csr_array) -> torch.Tensor:
    """Return the graph as PyG's ``edge_index``, int64 ``(2, n_edges)``."""
    return torch.from_numpy(np.stack(adjacency.tocoo().coords).astype(np.int64))
