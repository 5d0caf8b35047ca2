"""What is put on top of node features: ridge, MLP, GraphSAGE, SGC, SIGN, reversible attention, propagation."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import normalize
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.nn import SAGEConv
from torch_geometric.nn.models import LabelPropagation

from reprise.compute import numpy_generator
from reprise.giant_xrt.baselines import edge_index_of, propagated
from reprise.giant_xrt.data import Split
from reprise.giant_xrt.reversible import ReversibleAttention, sparse_tensor

RIDGE_ALPHA = 0.3
DROPOUT = 0.5
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
        return sparse_tensor(sparse.csr_array(features)) if sparse.issparse(features) else _dense_tensor(features)
    if sparse.issparse(features):
        matrix = sparse.csr_array(features).astype(np.float64)
        mean = np.asarray(matrix.mean(axis=0)).ravel()
        deviation = np.sqrt(np.maximum(np.asarray(matrix.power(2).mean(axis=0)).ravel() - mean**2, 0))
        return sparse_tensor(sparse.csr_array(matrix @ sparse.diags_array(1 / np.where(deviation > 0, deviation, 1))))
    array = np.asarray(features, dtype=np.float64)
    deviation = array.std(axis=0)
    return _dense_tensor((array - array.mean(axis=0)) / np.where(deviation > 0, deviation, 1))


def _dense_tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))


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


@dataclass(frozen=True)
class _Nodes:
    """Nodes with a known class, as a network is fed them: its input, which rows of its output are theirs, classes."""

    inputs: Tensor
    rows: Tensor
    classes: Tensor


def _fit(
    model: str, inputs: Tensor, labels: np.ndarray, adjacency: sparse.csr_array, split: Split, training: Training
) -> Scores:
    n_inputs, n_classes = inputs.shape[1], int(labels.max()) + 1
    classes, reads_graph = torch.from_numpy(labels), model in ("GraphSAGE", "RevGAT-like")

    def fed(nodes: np.ndarray) -> _Nodes:
        """A network without a graph is fed the nodes in question only: nothing else need pass through."""
        own = torch.from_numpy(nodes)
        if reads_graph:
            return _Nodes(inputs, own, classes[own])
        return _Nodes(_rows(inputs, nodes), torch.arange(len(nodes)), classes[own])

    trained = fed(split.train)
    loss: Callable[[Any, Any], Tensor] = _cross_entropy
    network: nn.Module
    if model == "SGC":
        network = nn.Linear(n_inputs, n_classes)
    elif model == "GraphSAGE":
        network = Sage(n_inputs, n_classes, sparse_tensor(adjacency), training)
    elif model == "RevGAT-like":
        known = (trained.rows, trained.classes)
        network = ReversibleAttention(n_inputs, n_classes, adjacency, known, width=training.width)
        loss = ReversibleAttention.loss
    else:
        network = Perceptron(n_inputs, n_classes, training)
    _train(network, trained, fed(split.validation), training, loss)
    with torch.no_grad():
        predicted = network(inputs).argmax(1).numpy()
    return scores_of(predicted, labels, split)


def _rows(inputs: Tensor, rows: np.ndarray) -> Tensor:
    if inputs.layout != torch.sparse_csr:
        return inputs[torch.from_numpy(rows)]
    parts = (inputs.values().numpy(), inputs.col_indices().numpy(), inputs.crow_indices().numpy())
    return sparse_tensor(sparse.csr_array(parts, shape=tuple(inputs.shape))[rows])


def _cross_entropy(network: nn.Module, nodes: _Nodes) -> Tensor:
    return functional.cross_entropy(network(nodes.inputs)[nodes.rows], nodes.classes)


def _train(
    network: nn.Module,
    trained: _Nodes,
    validation: _Nodes,
    training: Training,
    loss: Callable[[nn.Module, _Nodes], Tensor],
) -> None:
    """Train full-batch; leave the network in evaluation mode, as it was at the best validation accuracy."""
    rate, decay = training.learning_rate, training.weight_decay
    optimiser = torch.optim.Adam(network.parameters(), lr=rate, weight_decay=decay, fused=True)
    best, best_state, since = (-1.0, -np.inf), copy.deepcopy(network.state_dict()), 0
    for _ in range(training.max_epochs):
        network.train()
        optimiser.zero_grad(set_to_none=True)
        loss(network, trained).backward()
        optimiser.step()
        network.eval()
        with torch.no_grad():
            logits = network(validation.inputs)[validation.rows]
        right = float((logits.argmax(1) == validation.classes).float().mean())
        # Ties of validation accuracy go to the lower loss, so that an untrained constant cannot win by being first.
        now = (right, -float(functional.cross_entropy(logits, validation.classes)))
        since = 0 if now > best else since + 1
        if now > best:
            best, best_state = now, copy.deepcopy(network.state_dict())
        if since >= training.patience:
            break
    network.load_state_dict(best_state)
    network.eval()


def propagation_scores(labels: np.ndarray, adjacency: sparse.csr_array, split: Split) -> Scores:
    """Return the scores of PyG's label propagation, which reads no text."""
    mask = torch.zeros(len(labels), dtype=torch.bool)
    mask[torch.from_numpy(split.train)] = True
    model = LabelPropagation(num_layers=50, alpha=0.9)
    found = model(torch.from_numpy(labels), edge_index_of(adjacency), mask)
    return scores_of(found.argmax(1).numpy(), labels, split)
