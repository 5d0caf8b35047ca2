"""What a reader's own graph has to be before a `ColdBrew` is trained on it, and what is said of what it ignores."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.utils import is_undirected

from reprise.cold_brew.checks import as_mask, check_fields, features_of, labels_of
from reprise.cold_brew.graph import checked_edges
from reprise.cold_brew.sparse import Features, multiply
from reprise.cold_brew.training import check_labels

UNUSED_FIELDS = ("edge_weight", "edge_attr")
OWN_MASKS = ("train_mask", "val_mask", "test_mask")


def check_graph(data: Any, *, stacklevel: int = 3) -> Tensor:
    """Return the labels of a graph to train on, ``(N,)``; say once what of the graph is not as the paper has it.

    Raises
    ------
    ValueError
        If it is no graph, a field is missing, or its edges or labels cannot be used.

    Warns
    -----
    UserWarning
        If edges have weights or attributes, which are not used, or go one way only.
    """
    check_fields(data, "x", "edge_index", "y")
    names = np.asarray(data.y) if not isinstance(data.y, Tensor) else None
    if names is not None and names.dtype.kind in "OSUT":
        raise ValueError(
            f"y has the type {names.dtype} (first: {str(names.flat[0])!r}); give the classes' numbers, as "
            "names, numbers = np.unique(y, return_inverse=True) makes them, and −1 where unknown."
        )
    y = labels_of(data)
    n_nodes = features_of(data).shape[0]
    if y.numel() != n_nodes:
        raise ValueError(f"x has {n_nodes} rows, but y has {y.numel()}; one row per node is needed.")
    for name in UNUSED_FIELDS:
        if getattr(data, name, None) is not None:
            warnings.warn(f"data.{name} is not used: all edges count alike.", stacklevel=stacklevel)
    with one_way_edges_already_said():
        edges = edges_of(data)
    if not is_undirected(edges, num_nodes=n_nodes):
        warnings.warn(
            "data.edge_index has edges that go one way only; the paper's graphs are undirected: for that give "
            "torch_geometric.utils.to_undirected(data.edge_index).",
            stacklevel=stacklevel,
        )
    return y


def edges_of(data: Data) -> Tensor:
    """Return the edges of a graph as the models want them, ``(2, n_edges)``."""
    edge_index: Any = check_fields(data, "edge_index").edge_index
    return checked_edges(edge_index, features_of(data).shape[0])


def degree_of(data: Data) -> Tensor:
    """Return the nodes' degrees ``(N,)``, without self-loops."""
    return torch.bincount(edges_of(data)[0], minlength=features_of(data).shape[0])


def connected_nodes(data: Data, k: int) -> Tensor:
    """Return the mask ``(N,)`` of nodes that have an edge, after checking that a look-up of k others is possible.

    Raises
    ------
    ValueError
        If there are none or too few.
    """
    connected = degree_of(data) > 0
    n_connected = int(connected.sum())
    if n_connected == 0:
        raise ValueError("the graph has no edges: there is nothing to distil; use an MLP.")
    if k > n_connected - 1:
        raise ValueError(
            f"k={k}, but a node has only {n_connected - 1} other connected nodes; give k from 1 to {n_connected - 1}."
        )
    return connected


@contextmanager
def one_way_edges_already_said() -> Iterator[None]:
    """Keep the models below from saying again what `check_graph` says once."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="edge_index is directed", category=UserWarning)
        yield


def check_classes(y: Tensor, train: Tensor) -> int:
    """Return the number of classes, after checking that there are several and each can be learnt.

    Raises
    ------
    ValueError
        For a class without a training example, a single class, and numbers that leave a class out.
    """
    found = check_labels(y, train)
    present = y[y >= 0].unique().tolist()
    if len(present) < 2:
        raise ValueError(f"y has only the class {present[0]} among the labelled nodes; label nodes of two classes.")
    if len(present) < found:
        missing = min(set(range(found)) - set(present))
        raise ValueError(
            f"y has {len(present)} classes but numbers up to {present[-1]}, class {missing} has no node; number the "
            f"classes 0 … {len(present) - 1}: y[y >= 0] = y[y >= 0].unique(return_inverse=True)[1]."
        )
    return found


def check_masks(y: Tensor, **masks: Any) -> list[Tensor]:
    """Return masks as boolean tensors ``(N,)``, after checking that no two of them share a node.

    Raises
    ------
    ValueError
        If one cannot be used, or two share nodes; names them.
    """
    checked = {name: _mask(name, mask, y) for name, mask in masks.items()}
    for (one, first), (other, second) in combinations(checked.items(), 2):
        if shared := int((first & second).sum()):
            raise ValueError(
                f"{one} and {other} share {shared} nodes, so that a score on {other} would be one of nodes already "
                "learnt from or chosen by; unmark them in one of the two."
            )
    return list(checked.values())


def _mask(name: str, mask: Any, y: Tensor) -> Tensor:
    if isinstance(mask, Tensor) and mask.dim() == 2 and mask.shape[0] == y.numel():
        raise ValueError(
            f"{name} has {mask.shape[1]} columns, one for each of several splits; give one of them, {name}[:, 0]."
        )
    return as_mask(name, mask, y.numel(), y.device)


def masks_to_fit(data: Any, y: Tensor, train_mask: Any, val_mask: Any) -> tuple[Tensor, Tensor | None]:
    """Return training and validation nodes as given, or else the graph's own, with labels that can be learnt.

    Raises
    ------
    ValueError
        For masks or classes that cannot be used.
    """
    if train_mask is None:
        train_mask = own_mask(data, "train_mask")
        val_mask = getattr(data, "val_mask", None) if val_mask is None else val_mask
    given = {"train_mask": train_mask} if val_mask is None else {"train_mask": train_mask, "val_mask": val_mask}
    train, *validation = check_masks(y, **given)
    check_classes(y, train)
    return train, validation[0] if validation else None


def signature(x: Features) -> Tensor:
    """Return a number for each node ``(N,)`` by which its features are known again, dense or sparse."""
    weight = torch.randn(x.shape[1], 1, generator=torch.Generator().manual_seed(0))
    return multiply(x, weight.to(device=x.device, dtype=x.dtype)).flatten()


def warn_of_other_nodes(known: Tensor, x: Features) -> None:
    """Warn if nodes have other features than those that a teacher was fitted on.

    Warns
    -----
    UserWarning
        Structural embeddings belong to nodes: on another graph, or in another order, they are those of other nodes.
    """
    found = signature(x)
    if found.shape != known.shape:
        return  # the teacher refuses another number of nodes itself
    same = torch.isclose(found, known, rtol=1e-4, atol=1e-4 * float(known.abs().max()))
    if not bool(same.all()):
        warnings.warn(
            f"{int((~same).sum())} of {same.numel()} nodes have other features than in fit, and the teacher answers by "
            "the node's number: give the fitted graph, its nodes in that order (edges may differ), or leave out "
            "switch_degree.",
            stacklevel=4,
        )


def own_mask(data: Any, name: str) -> Any:
    """Return a mask that a graph carries.

    Raises
    ------
    ValueError
        If it carries none of this name.
    """
    mask = getattr(check_fields(data, "y"), name, None)
    if mask is None:
        raise ValueError(f"data has no {name}; set it, or give the mask: booleans, one for each node.")
    return mask


def refuse_divergence(recipe: Any, *outputs: Tensor) -> None:
    """Refuse a training whose outputs on the training graph are not finite.

    Raises
    ------
    ValueError
        Names the learning rate.
    """
    if not all(bool(torch.isfinite(part).all()) for part in outputs):
        raise ValueError(
            f"the training diverged: with learning_rate={recipe.learning_rate:g} the outputs are not finite; lower "
            "it, recipe=Recipe(learning_rate=0.01), or rescale features that are very large."
        )
