"""The models that Cold Brew is compared with, beyond the plain GCN (an `SEGCN` without structural embeddings).

GraphSAGE is PyG's layer; of its first layer, whose input is constant and sparse, the average is taken before training
once. GraphMLP and GLNN have no kept library.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import SAGEConv

from reprise.cold_brew.dropout import dropout
from reprise.cold_brew.graph import Propagation
from reprise.cold_brew.layers import MLP, PartsLinear
from reprise.cold_brew.sparse import Features, SparseMatrix, as_features, drop_features


class GraphSAGE(nn.Module):
    """Two GraphSAGE layers with mean aggregation and a weight of its own for the node itself.

    Parameters
    ----------
    in_channels, hidden_channels, out_channels
        F, H, C.
    dropout, input_dropout
        Share dropped before the second and the first layer.
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        *,
        dropout: float = 0.5,
        input_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.first = PartsLinear([in_channels, in_channels], hidden_channels)
        self.second = SAGEConv(hidden_channels, out_channels, aggr="mean")
        self.dropout, self.input_dropout = dropout, input_dropout

    def hidden(self, x: Features, averaged: Features) -> Tensor:
        """Return the first layer's state ``(N, H)``, given features and the neighbours' mean of them."""
        inputs = (drop_features(part, self.input_dropout, self.training) for part in (averaged, x))
        return torch.relu(self.first(*inputs))

    def forward(self, x: Features, averaged: Features, edges: SparseMatrix) -> Tensor:
        """Return logits ``(N, C)``; ``edges`` is `reprise.cold_brew.graph.mean_propagation`."""
        h = dropout(self.hidden(x, averaged), self.dropout, self.training)
        # SAGEConv's own order of operations, with the sparse product in the place of its message passing.
        return self.second.lin_l(edges @ h) + self.second.lin_r(h)


def averaged_features(x: Features, edges: SparseMatrix) -> Features:
    """Return the mean of the neighbours' features, ``(N, F)``, sparse if the features are."""
    if isinstance(x, SparseMatrix):
        return SparseMatrix(edges.to_scipy() @ x.to_scipy(), dtype=x.dtype, device=x.device)
    return edges @ x


def distillation_loss(
    scores: Tensor, teacher_scores: Tensor, y: Tensor, train_mask: Tensor, distil_mask: Tensor
) -> Tensor:
    """Return GLNN's loss: mean cross-entropy of the labels plus mean KL(teacher ‖ student), temperature 1.

    Parameters
    ----------
    scores, teacher_scores
        Logits ``(N, C)``.
    y
        ``(N,)``.
    train_mask, distil_mask
        Nodes whose labels and whose teacher's outputs are learnt.
    """
    labels = functional.cross_entropy(scores[train_mask], y[train_mask])
    divergence = functional.kl_div(
        functional.log_softmax(scores[distil_mask], 1),
        functional.log_softmax(teacher_scores[distil_mask], 1),
        reduction="batchmean",
        log_target=True,
    )
    return labels + divergence


def neighbourhood_contrastive_loss(z: Tensor, strength: Tensor, temperature: float = 1.0) -> Tensor:
    r"""Return GraphMLP's loss: embeddings of nodes that are near in the graph shall be alike.

    Parameters
    ----------
    z
        Embeddings ``(B, D)``.
    strength
        γ ``(B, B)``, the block of the r-th power of the normalised adjacency; its diagonal is not used.
    temperature
        τ > 0.

    Returns
    -------
    Tensor
        Minus the mean over nodes of :math:`\log\sum_{j≠i} γ_{ij} e^{s_{ij}/τ} / \sum_{j≠i} e^{s_{ij}/τ}`, s the
        cosine; nodes without a positive pair in the block are skipped (0 if all are).
    """
    unit = functional.normalize(z, dim=1)
    similar = torch.exp(unit @ unit.T / temperature)
    similar = similar - torch.diag(torch.diagonal(similar))
    near = (similar * strength).sum(1)
    paired = near > 0
    if not bool(paired.any()):
        return z.sum() * 0.0
    return -torch.log(near[paired] / similar.sum(1)[paired]).mean()


class GraphMLP(nn.Module):
    """An MLP whose hidden state is shaped by the graph in training, and that needs no edge afterwards.

    Parameters
    ----------
    in_channels, hidden_channels, out_channels
        F, H (two hidden layers), C.
    dropout
        Share of hidden values dropped in training (0.6 in its paper).
    """

    def __init__(self, in_channels: int, hidden_channels: int, out_channels: int, *, dropout: float = 0.6) -> None:
        super().__init__()
        self.body = MLP(in_channels, [hidden_channels], hidden_channels, dropout)
        self.head = nn.Linear(hidden_channels, out_channels)

    def hidden(self, x: Features) -> Tensor:
        """Return the embedding z, ``(N, H)``."""
        return self.body(x)

    def forward(self, x: Features) -> Tensor:
        """Return logits ``(N, C)``."""
        return self.head(self.hidden(x))


def neighbourhood_power(edges: Propagation, order: int = 3) -> sp.csr_matrix:
    """Return γ, the ``order``-th power of the normalised adjacency of the whole graph, ``(N, N)`` sparse."""
    base = edges.to_scipy().astype(np.float32)
    power = base
    for _ in range(order - 1):
        power = power @ base
    return power.tocsr()


def nearest_neighbour_edges(x: Features, isolated: Tensor, connected: Tensor, k: int = 5) -> Tensor:
    """Return edges from each isolated node to the k connected nodes of most similar features (cosine).

    Parameters
    ----------
    x
        ``(N, F)``.
    isolated, connected
        Boolean ``(N,)``.
    k
        Edges for each isolated node.

    Returns
    -------
    Tensor
        ``(2, 2 · k · n_isolated)``, both directions.
    """
    features = as_features(x)
    matrix = features.to_scipy() if isinstance(features, SparseMatrix) else sp.csr_matrix(features.numpy(force=True))
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(1)).ravel())
    unit = sp.diags(np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)) @ matrix
    queries, keys = (torch.nonzero(mask).flatten().numpy(force=True) for mask in (isolated, connected))
    k = min(k, keys.size)
    if k == 0 or queries.size == 0:
        return torch.empty(2, 0, dtype=torch.long, device=isolated.device)
    similar = (unit[queries] @ unit[keys].T).toarray()
    nearest = keys[np.argsort(-similar, axis=1, kind="stable")[:, :k]]
    one_way = np.stack([np.repeat(queries, k), nearest.ravel()])
    both = np.concatenate([one_way, one_way[::-1]], axis=1)
    return torch.as_tensor(both, dtype=torch.long, device=isolated.device)
