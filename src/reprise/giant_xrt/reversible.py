"""Reversible graph attention as the authors use it on ogbn-arxiv (RevGAT), at the width of the chapter's networks."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn.models import GroupAddRev

N_LAYERS, N_GROUPS = 5, 2
DROPOUT, INPUT_DROPOUT, EDGE_DROPOUT = 0.75, 0.25, 0.3
SHOWN_SHARE = 0.5
SLOPE = 0.2


def sparse_tensor(matrix: sparse.csr_array) -> Tensor:
    """Return a sparse matrix as a tensor, float32 in rows."""
    rows, columns = (torch.from_numpy(part.astype(np.int64)) for part in (matrix.indptr, matrix.indices))
    return _in_rows(rows, columns, torch.from_numpy(matrix.data.astype(np.float32)), matrix.shape)


def _in_rows(rows: Tensor, columns: Tensor, values: Tensor, shape: tuple[int, ...]) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(rows, columns, values, size=shape, check_invariants=False)


class ReversibleAttention(nn.Module):
    """RevGAT: five group-wise reversible layers of attention, with known classes as inputs.

    A layer's two groups of channels are each a residual block of normalisation, ReLU, dropout and attention. Dropout
    0.75, of inputs 0.25, of edges 0.3. Class labels are inputs, too: in training those of a random half of the training
    nodes, the loss being that of the other half; then, once, the classes just predicted for all other nodes, too
    (one "reuse iteration"). The paper's width is 256; self-distillation is left out.

    Parameters
    ----------
    n_inputs, n_classes
        Width of inputs and outputs.
    adjacency
        Symmetric, without self-loops, ``(n, n)``.
    known
        Numbers and classes of the training nodes.
    width
        Of the hidden layers.
    """

    def __init__(
        self,
        n_inputs: int,
        n_classes: int,
        adjacency: sparse.csr_array,
        known: tuple[Tensor, Tensor],
        *,
        width: int,
    ) -> None:
        super().__init__()
        self.known, self.n_classes, self.graph = known, n_classes, Neighbourhoods(adjacency)
        self.first, self.out = nn.Linear(n_inputs + n_classes, width), nn.Linear(width, n_classes)
        blocks = [_Block(width // N_GROUPS) for _ in range(N_LAYERS)]
        # On graphs that fit, activations are kept: computing them again backwards would save memory and cost time.
        self.layers = nn.ModuleList(GroupAddRev(block, num_groups=N_GROUPS, disable=True) for block in blocks)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, ``(n, C)``, knowing the classes of all training nodes."""
        return self._reusing(x, *self.known)

    def loss(self, nodes: Any) -> Tensor:
        """Return the cross-entropy of a random half of the training nodes, the classes of the others being shown."""
        shown = torch.rand(len(nodes.rows)) < SHOWN_SHARE
        logits = self._reusing(nodes.inputs, nodes.rows[shown], nodes.classes[shown])
        return functional.cross_entropy(logits[nodes.rows[~shown]], nodes.classes[~shown])

    def _reusing(self, x: Tensor, rows: Tensor, classes: Tensor) -> Tensor:
        given = functional.one_hot(classes, self.n_classes).to(x.dtype)
        labels = torch.zeros(len(x), self.n_classes, dtype=x.dtype).index_copy(0, rows, given)
        with torch.no_grad():
            predicted = self._once(x, labels).softmax(dim=1)
        return self._once(x, predicted.index_copy(0, rows, given))

    def _once(self, x: Tensor, labels: Tensor) -> Tensor:
        inputs = functional.dropout(torch.cat([x, labels], dim=1), INPUT_DROPOUT, self.training)
        hidden = self.first(inputs)
        part = torch.ones_like(hidden[:, : hidden.shape[1] // N_GROUPS])
        mask = functional.dropout(part, DROPOUT, self.training)  # one for all layers, as reversing them would need
        for layer in self.layers:
            hidden = layer(hidden, self.graph, mask)
        return self.out(functional.dropout(torch.relu(self.norm(hidden)), DROPOUT, self.training))


class Neighbourhoods:
    """Each node's neighbours and itself, from which some edges can be left out.

    Attributes
    ----------
    graph
        A + I, sparse ``(n, n)``.
    root
        √d of each node, ``(n, 1)``.
    """

    def __init__(self, adjacency: sparse.csr_array) -> None:
        with_self = sparse.csr_array(adjacency + sparse.eye_array(adjacency.shape[0], dtype=np.float32, format="csr"))
        with_self.sort_indices()
        self.graph = sparse_tensor(with_self)
        rows, columns = with_self.tocoo().coords
        self.is_loop = torch.from_numpy(rows == columns)
        self.root = torch.from_numpy(np.sqrt(np.diff(with_self.indptr)).astype(np.float32))[:, None]

    def present(self, training: bool) -> Tensor:
        """Return the graph, in training without a random 30 % of the edges; loops stay."""
        if not training:
            return self.graph
        kept = (torch.rand(len(self.is_loop)) >= EDGE_DROPOUT) | self.is_loop
        return _in_rows(self.graph.crow_indices(), self.graph.col_indices(), kept.float(), tuple(self.graph.shape))


class Attention(nn.Module):
    """Attention without the destination, on the normalised adjacency matrix.

    √d_i Σ_j α_ij W x_j/√d_j with α_ij = e_j/Σ_k e_k over i and its neighbours, e_j = exp(LeakyReLU⟨a, W x_j⟩). A weight
    depends on the source only, so that a layer is one sparse product. With equal e_j it is the graph convolution
    D^(−1/2)(A + I)D^(−1/2).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.map = nn.Linear(width, width, bias=False)
        self.source = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor, neighbourhoods: Neighbourhoods) -> Tensor:
        """Return ``(n, width)``."""
        mapped = self.map(x)
        scores = functional.leaky_relu(self.source(mapped), SLOPE)
        weights = torch.exp(scores - scores.detach().max())
        inputs = torch.cat([mapped / neighbourhoods.root * weights, weights], dim=1)
        sums = neighbourhoods.present(self.training) @ inputs
        return neighbourhoods.root * sums[:, :-1] / sums[:, -1:]


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(width), Attention(width)

    def reset_parameters(self) -> None:
        """Draw the weights anew: PyG copies a block for each group of channels."""
        for layer in (self.norm, self.attention.map, self.attention.source):
            layer.reset_parameters()

    def forward(self, x: Tensor, neighbourhoods: Neighbourhoods, mask: Tensor) -> Tensor:
        return self.attention(torch.relu(self.norm(x)) * mask, neighbourhoods)
