"""What is put on top of node features: ridge, MLP, GraphSAGE, SGC, SIGN, reversible attention, propagation."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import normalize
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import GATConv, SAGEConv
from torch_geometric.nn.models import GroupAddRev, LabelPropagation

from reprise.compute import numpy_generator
from reprise.giant_xrt.baselines import edge_index_of, propagated
from reprise.giant_xrt.data import Split

RIDGE_ALPHA = 0.3
DROPOUT = 0.5
REVERSIBLE_LAYERS, REVERSIBLE_GROUPS = 3, 2
SCALINGS = ("columns", "rows")


@dataclass(frozen=True)
class Training:
    """How a downstream network is built and trained.

    Attributes
    ----------
    width, n_layers
        Of the hidden layers, and how many layers with weights.
    learning_rate, weight_decay
        Of Adam.
    max_epochs, patience
        Full-batch epochs at most, and without a better validation accuracy.
    """

    width: int = 128
    n_layers: int = 2
    learning_rate: float = 0.01
    weight_decay: float = 5e-4
    max_epochs: int = 200
    patience: int = 50


SMALL = Training()
ARXIV = {
    "MLP": Training(256, 3, 0.01, 0.0, 500, 500),
    "GraphSAGE": Training(256, 3, 8e-4, 0.0, 500, 500),
}
"""The authors' downstream networks on ogbn-arxiv."""


@dataclass(frozen=True)
class Scores:
    """Accuracy (%) on validation and test nodes, and the classes given to all nodes."""

    validation: float
    test: float
    predicted: np.ndarray


def scores_of(predicted: np.ndarray, labels: np.ndarray, split: Split) -> Scores:
    """Return the scores of predicted classes, ``(n,)``."""
    right = predicted == labels
    return Scores(100 * float(right[split.validation].mean()), 100 * float(right[split.test].mean()), predicted)


def ridge_scores(features: Any, labels: np.ndarray, split: Split) -> Scores:
    """Ridge classifier on rows of length 1, α = 0.3: closed form, for curves and ablations."""
    unit = normalize(features)
    model = RidgeClassifier(alpha=RIDGE_ALPHA).fit(unit[split.train], labels[split.train])
    return scores_of(model.predict(unit), labels, split)


def scaled(features: Any, scaling: str) -> Tensor:
    """Return features as a tensor: ``"columns"`` of mean 0 and deviation 1, or ``"rows"`` of length 1.

    Sparse ones stay sparse, and their columns are not centred: the batch normalisation behind the first layer takes any
    shift of a column out again.
    """
    if scaling == "rows":
        features = normalize(features)
        return _sparse_tensor(sparse.csr_array(features)) if sparse.issparse(features) else _dense_tensor(features)
    if sparse.issparse(features):
        matrix = sparse.csr_array(features).astype(np.float64)
        mean = np.asarray(matrix.mean(axis=0)).ravel()
        deviation = np.sqrt(np.maximum(np.asarray(matrix.power(2).mean(axis=0)).ravel() - mean**2, 0))
        return _sparse_tensor(sparse.csr_array(matrix @ sparse.diags_array(1 / np.where(deviation > 0, deviation, 1))))
    array = np.asarray(features, dtype=np.float64)
    deviation = array.std(axis=0)
    return _dense_tensor((array - array.mean(axis=0)) / np.where(deviation > 0, deviation, 1))


def _dense_tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


def _sparse_tensor(matrix: sparse.csr_array) -> Tensor:
    rows, columns = (torch.from_numpy(part.astype(np.int64)) for part in (matrix.indptr, matrix.indices))
    values = torch.from_numpy(matrix.data.astype(np.float32))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(rows, columns, values, size=matrix.shape, check_invariants=False)


class Perceptron(nn.Module):
    """Linear layers with batch normalisation, ReLU and dropout 0.5 between."""

    def __init__(self, n_inputs: int, n_classes: int, training: Training = SMALL) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_inputs, training.width))
        nn.init.kaiming_uniform_(self.weight.T, a=5**0.5)
        widths = [training.width] * (training.n_layers - 1)
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in widths)
        self.further = nn.ModuleList(nn.Linear(training.width, out) for out in (*widths[1:], n_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, ``(n, C)``, of dense or sparse features."""
        hidden = x @ self.weight
        for norm, layer in zip(self.norms, self.further, strict=True):
            hidden = layer(functional.dropout(torch.relu(norm(hidden)), DROPOUT, self.training))
        return hidden


class Sage(nn.Module):
    """Layers of GraphSAGE with mean aggregation; batch normalisation, ReLU and dropout 0.5 between.

    ``graph`` is an ``edge_index``, or faster the adjacency matrix as a sparse tensor.
    """

    def __init__(self, n_inputs: int, n_classes: int, graph: Tensor, training: Training = SMALL) -> None:
        super().__init__()
        self.graph = graph
        widths = [training.width] * (training.n_layers - 1)
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in widths)
        ends = zip((n_inputs, *widths), (*widths, n_classes), strict=True)
        self.layers = nn.ModuleList(SAGEConv(one, other) for one, other in ends)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, ``(n, C)``."""
        hidden = self.layers[0](x, self.graph)
        for norm, layer in zip(self.norms, self.layers[1:], strict=True):
            hidden = layer(functional.dropout(torch.relu(norm(hidden)), DROPOUT, self.training), self.graph)
        return hidden


class ReversibleAttention(nn.Module):
    """Reversible graph attention as in RevGAT, smaller: group-wise residual blocks of normalisation, ReLU, attention.

    The paper's has 5 layers of width 256, labels as inputs, edge dropout and self-distillation; here 3 of width 128.
    """

    def __init__(self, n_inputs: int, n_classes: int, edge_index: Tensor, training: Training = SMALL) -> None:
        super().__init__()
        width = training.width
        self.edge_index = edge_index
        self.first, self.out = nn.Linear(n_inputs, width), nn.Linear(width, n_classes)
        part = width // REVERSIBLE_GROUPS
        self.blocks = nn.ModuleList(
            GroupAddRev(_AttentionBlock(part), num_groups=REVERSIBLE_GROUPS) for _ in range(REVERSIBLE_LAYERS)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, ``(n, C)``."""
        hidden = self.first(functional.dropout(x, 0.25, self.training))
        keep = torch.ones_like(hidden[:, : hidden.shape[1] // REVERSIBLE_GROUPS])
        # One mask for all layers: what is recomputed backwards must meet the same dropout.
        mask = functional.dropout(keep, DROPOUT, self.training)
        for block in self.blocks:
            hidden = block(hidden, self.edge_index, mask)
        return self.out(functional.dropout(torch.relu(self.norm(hidden)), DROPOUT, self.training))


class _AttentionBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.convolution = nn.LayerNorm(width), GATConv(width, width)

    def forward(self, x: Tensor, edge_index: Tensor, mask: Tensor) -> Tensor:
        return self.convolution(torch.relu(self.norm(x)) * mask, edge_index)


def trained_scores(
    model: str,
    features: Any,
    labels: np.ndarray,
    adjacency: sparse.csr_array,
    split: Split,
    *,
    seed: int,
    training: Training = SMALL,
    scalings: Sequence[str] = SCALINGS,
) -> Scores:
    """Train a network full-batch and return its scores at the epoch of best validation accuracy.

    Features come on different scales, and which scaling suits them differs: every feature is tried with both, and the
    validation nodes choose.

    Parameters
    ----------
    model
        ``"MLP"``, ``"GraphSAGE"``, ``"SGC"``, ``"SIGN"`` or ``"RevGAT-like"``.
    features
        ``(n, d)``; sparse ones for the MLP only.
    labels, adjacency, split
        Classes, graph, and which nodes have which part.
    seed
        Of initialisation and dropout.
    training
        Size and optimiser.
    scalings
        Which of ``SCALINGS`` are tried.
    """
    hops = propagated(adjacency, features) if model in ("SGC", "SIGN") else []
    inputs = hops[-1] if model == "SGC" else np.hstack(hops) if model == "SIGN" else features
    tried = []
    for scaling in scalings:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(numpy_generator(seed, "giant-xrt", "downstream").integers(2**31)))
            tried.append(_fit(model, scaled(inputs, scaling), labels, adjacency, split, training))
    return max(tried, key=lambda one: one.validation)


def _fit(
    model: str, inputs: Tensor, labels: np.ndarray, adjacency: sparse.csr_array, split: Split, training: Training
) -> Scores:
    n_inputs, n_classes = inputs.shape[1], int(labels.max()) + 1
    network: nn.Module
    if model in ("MLP", "SIGN", "SGC"):
        network = nn.Linear(n_inputs, n_classes) if model == "SGC" else Perceptron(n_inputs, n_classes, training)
        # A network without a graph sees the training rows only: nothing else need pass through.
        return _train(network, _rows(inputs, split.train), inputs, labels, split, split.train, training)
    if model == "GraphSAGE":
        network = Sage(n_inputs, n_classes, _sparse_tensor(adjacency), training)
    else:
        network = ReversibleAttention(n_inputs, n_classes, edge_index_of(adjacency), training)
    return _train(network, inputs, inputs, labels, split, np.arange(len(labels)), training)


def _rows(inputs: Tensor, rows: np.ndarray) -> Tensor:
    if inputs.layout != torch.sparse_csr:
        return inputs[torch.from_numpy(rows)]
    parts = (inputs.values().numpy(), inputs.col_indices().numpy(), inputs.crow_indices().numpy())
    return _sparse_tensor(sparse.csr_array(parts, shape=tuple(inputs.shape))[rows])


def _train(
    network: nn.Module,
    seen: Tensor,
    inputs: Tensor,
    labels: np.ndarray,
    split: Split,
    seen_rows: np.ndarray,
    training: Training,
) -> Scores:
    classes = torch.from_numpy(labels)
    trained = torch.from_numpy(np.flatnonzero(np.isin(seen_rows, split.train)))
    wanted = classes[torch.from_numpy(seen_rows)][trained]
    whole_graph = len(seen_rows) == len(labels)
    checked = inputs if whole_graph else _rows(inputs, split.validation)
    rows = torch.from_numpy(split.validation) if whole_graph else torch.arange(len(split.validation))
    target = classes[torch.from_numpy(split.validation)]
    rate, decay = training.learning_rate, training.weight_decay
    optimiser = torch.optim.Adam(network.parameters(), lr=rate, weight_decay=decay)
    best, best_state, since = (-1.0, -np.inf), copy.deepcopy(network.state_dict()), 0
    for _ in range(training.max_epochs):
        network.train()
        optimiser.zero_grad(set_to_none=True)
        functional.cross_entropy(network(seen)[trained], wanted).backward()
        optimiser.step()
        network.eval()
        with torch.no_grad():
            logits = network(checked)[rows]
        # Ties of validation accuracy go to the lower loss, so that an untrained constant cannot win by being first.
        now = (float((logits.argmax(1) == target).float().mean()), -float(functional.cross_entropy(logits, target)))
        since = 0 if now > best else since + 1
        if now > best:
            best, best_state = now, copy.deepcopy(network.state_dict())
        if since >= training.patience:
            break
    network.load_state_dict(best_state)
    network.eval()
    with torch.no_grad():
        predicted = network(inputs).argmax(1).numpy()
    return scores_of(predicted, labels, split)


def propagation_scores(labels: np.ndarray, adjacency: sparse.csr_array, split: Split) -> Scores:
    """Return the scores of PyG's label propagation, which reads no text."""
    mask = torch.zeros(len(labels), dtype=torch.bool)
    mask[torch.from_numpy(split.train)] = True
    model = LabelPropagation(num_layers=50, alpha=0.9)
    found = model(torch.from_numpy(labels), edge_index_of(adjacency), mask)
    return scores_of(found.argmax(1).numpy(), labels, split)
