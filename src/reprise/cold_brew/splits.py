"""Who is cold: head, tail and isolation by degree, the crafted graph, and the masks of labelled nodes.

Two protocols with names. ``paper10`` follows the paper's text (the top and the bottom 10 % of the degree
distribution), with ties broken by a seeded draw. ``code`` follows the released code, whose thresholds are repeated
medians and whose isolation holds about a fifth of Cora rather than the text's 10 % (or Table 1's 3 %).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data
from torch_geometric.utils import degree

from reprise.cold_brew.checks import as_mask, check_fields, check_real, check_whole, labels_of
from reprise.cold_brew.graph import checked_edges
from reprise.compute import numpy_generator

Mode = Literal["paper10", "code"]
GROUPS = ("isolation", "tail", "head", "overall")


@dataclass(frozen=True)
class ColdStartSplit:
    """The crafted graph and its groups of nodes.

    Parameters
    ----------
    edge_index
        ``(2, n_edges)``: the edges left after all edges of isolated nodes were removed.
    isolation, tail, head
        Boolean masks ``(N,)``, disjoint in mode ``paper10``.
    degree
        ``(N,)``, of the crafted graph, without self-loops.
    removed_edges
        ``(2, n_removed)``: the edges taken away, each in both directions.
    """

    edge_index: Tensor
    isolation: Tensor
    tail: Tensor
    head: Tensor
    degree: Tensor
    removed_edges: Tensor

    @property
    def connected(self) -> Tensor:
        """Mask ``(N,)`` of the nodes that have an edge in the crafted graph."""
        return self.degree > 0

    def groups(self) -> Mapping[str, Tensor]:
        """Return the masks by name, ``overall`` (every node) included."""
        return {
            "isolation": self.isolation,
            "tail": self.tail,
            "head": self.head,
            "overall": torch.ones_like(self.head),
        }


def cold_start_split(
    edge_index: Tensor,
    num_nodes: int,
    *,
    isolation: float = 0.1,
    tail: float = 0.1,
    head: float = 0.1,
    mode: Mode = "paper10",
    seed: int = 0,
) -> ColdStartSplit:
    """Divide a graph by degree and remove the edges of the isolated nodes (Section 4.1 of the paper).

    Parameters
    ----------
    edge_index
        ``(2, n_edges)``, undirected.
    num_nodes
        N.
    isolation, tail, head
        Shares of N, in (0, 1), together at most 1; ``mode="code"`` has thresholds of its own and ignores them.
    mode
        ``"paper10"`` or ``"code"``.
    seed
        Breaks ties of degree in ``paper10``; ``code`` breaks them by node number, as a stable sort does.

    Returns
    -------
    ColdStartSplit
        Crafted graph and groups.

    Raises
    ------
    ValueError
        For bad edges, shares or modes.
    """
    check_whole("num_nodes", num_nodes)
    shares = {"isolation": isolation, "tail": tail, "head": head}
    for name, share in shares.items():
        if not 0 < share < 1:
            raise ValueError(f"{name}={share} is not a share of the nodes; give a number between 0 and 1.")
    if sum(shares.values()) > 1 + 1e-9:
        raise ValueError(f"isolation + tail + head = {sum(shares.values()):g} is above 1; make them smaller.")
    edges = checked_edges(edge_index, num_nodes)
    degrees = degree(edges[0], num_nodes).long()
    if mode == "paper10":
        return _by_shares(edges, degrees, shares, seed)
    if mode == "code":
        return _by_repeated_medians(edges, degrees)
    raise ValueError(f"mode={mode!r} is unknown; use 'paper10' or 'code'.")


def _by_shares(edges: Tensor, degrees: Tensor, shares: Mapping[str, float], seed: int) -> ColdStartSplit:
    n_nodes = degrees.numel()
    order = _seeded_order(degrees, seed, "isolation")
    isolated = degrees == 0
    isolated[order[: int(shares["isolation"] * n_nodes)]] = True
    kept, removed = _without(edges, isolated)
    left = degree(kept[0], n_nodes).long()
    # Neighbours of isolated nodes may have lost their last edge: they are cold, too.
    isolated = isolated | (left == 0)
    order = _seeded_order(left, seed, "tail and head")
    order = order[~isolated[order]]
    n_tail = min(int(shares["tail"] * n_nodes), order.numel())
    n_head = min(int(shares["head"] * n_nodes), order.numel() - n_tail)
    return ColdStartSplit(
        kept,
        isolated,
        _mask(order[:n_tail], n_nodes),
        _mask(order[order.numel() - n_head :], n_nodes),
        left,
        removed,
    )


def _by_repeated_medians(edges: Tensor, degrees: Tensor) -> ColdStartSplit:
    n_nodes = degrees.numel()
    counted = (degrees + 1).numpy(force=True)  # the code counts the self-loop
    low = high = counted
    for _ in range(4):
        low = low[low <= np.median(low)]
    for _ in range(5):
        high = high[high >= np.median(high)]
    low_nodes = torch.as_tensor(np.flatnonzero(counted <= low.max()), device=degrees.device)
    low_nodes = low_nodes[torch.argsort(degrees[low_nodes], stable=True)]
    half = low_nodes.numel() // 2
    isolated = _mask(low_nodes[:half], n_nodes)
    kept, removed = _without(edges, isolated)
    head = torch.as_tensor(counted >= high.min(), device=degrees.device)
    left = degree(kept[0], n_nodes).long()
    return ColdStartSplit(kept, isolated, _mask(low_nodes[half:], n_nodes), head, left, removed)


def _seeded_order(degrees: Tensor, seed: int, purpose: str) -> Tensor:
    draw = numpy_generator(seed, "cold_brew", "ties", purpose).random(degrees.numel())
    return torch.as_tensor(np.lexsort((draw, degrees.numpy(force=True))), device=degrees.device)


def _without(edges: Tensor, isolated: Tensor) -> tuple[Tensor, Tensor]:
    touched = isolated[edges[0]] | isolated[edges[1]]
    return edges[:, ~touched], edges[:, touched]


def _mask(nodes: Tensor, n_nodes: int) -> Tensor:
    mask = torch.zeros(n_nodes, dtype=torch.bool, device=nodes.device)
    mask[nodes] = True
    return mask


def degree_splits(
    data: Data, *, mode: Mode = "paper10", seed: int = 0, share: float = 0.1, train_mask: Tensor | None = None
) -> ColdStartSplit:
    """Divide a PyG graph by degree: `cold_start_split` on ``data``, with equal shares.

    Parameters
    ----------
    data
        With ``edge_index`` and, for the check of ``train_mask``, ``y``.
    mode, seed
        As in `cold_start_split`.
    share
        Share of the nodes in each of isolation, tail and head, in (0, 1/3].
    train_mask
        If given, a split that isolates all training nodes of a class is refused.

    Raises
    ------
    ValueError
        If a field is missing, the share is none, or a class has training nodes and all of them would be isolated; the
        message names the class.
    """
    edges: Any = check_fields(data, "edge_index").edge_index
    check_real("share", share, high=1 / 3, above=True)
    n_nodes = int(data.num_nodes or 0)
    split = cold_start_split(edges, n_nodes, isolation=share, tail=share, head=share, mode=mode, seed=seed)
    if train_mask is not None:
        labels = labels_of(data)
        train_mask = as_mask("train_mask", train_mask, n_nodes, labels.device)
        for label in labels[train_mask & (labels >= 0)].unique().tolist():
            if not bool((train_mask & split.connected & (labels == label)).any()):
                raise ValueError(
                    f"isolation would take all training nodes of class {label}; lower share={share}, give another "
                    "seed, or label more nodes of that class."
                )
    return split


@dataclass(frozen=True)
class Masks:
    """Which nodes train, validate and test; boolean ``(N,)`` each, disjoint."""

    train: Tensor
    validation: Tensor
    test: Tensor


def stratified_masks(y: Tensor, seed: int, fractions: tuple[float, float] = (0.48, 0.32)) -> Masks:
    """Return train and validation shares of every class, the rest as test; nodes with y = −1 belong to none.

    Examples
    --------
    >>> masks = stratified_masks(torch.arange(100) % 2, seed=0)
    >>> int(masks.train.sum()), int(masks.validation.sum()), int(masks.test.sum())
    (48, 32, 20)
    """
    train_share, validation_share = fractions
    if not (train_share > 0 and validation_share >= 0 and train_share + validation_share < 1):
        raise ValueError(f"fractions={fractions}; give shares above 0 that leave something to test.")
    counts = {
        label: (round(train_share * size), round((train_share + validation_share) * size))
        for label, size in _class_sizes(y).items()
    }
    return _masks_by_class(y, seed, counts)


def label_scarce_masks(y: Tensor, seed: int, *, per_class: int = 20, validation_per_class: int = 30) -> Masks:
    """Return a fixed number of training and validation nodes per class, the rest as test."""
    check_whole("per_class", per_class)
    check_whole("validation_per_class", validation_per_class, least=0)
    counts = {label: (per_class, per_class + validation_per_class) for label in _class_sizes(y)}
    return _masks_by_class(y, seed, counts)


def first_nodes_masks(y: Tensor, n_train: int = 600) -> Masks:
    """Return the official code's split of Cora: the first nodes in file order train, all others test."""
    train = torch.arange(y.numel()) < n_train
    return Masks(train & (y >= 0), torch.zeros_like(train), ~train & (y >= 0))


def _class_sizes(y: Tensor) -> dict[int, int]:
    labels, sizes = y[y >= 0].unique(return_counts=True)
    return dict(zip(labels.tolist(), sizes.tolist(), strict=True))


def _masks_by_class(y: Tensor, seed: int, counts: Mapping[int, tuple[int, int]]) -> Masks:
    train, validation, test = (torch.zeros(y.numel(), dtype=torch.bool) for _ in range(3))
    generator = numpy_generator(seed, "cold_brew", "masks")
    for label, (n_train, n_seen) in counts.items():
        nodes = torch.as_tensor(generator.permutation(torch.nonzero(y == label).flatten().numpy()))
        train[nodes[:n_train]] = True
        validation[nodes[n_train:n_seen]] = True
        test[nodes[n_seen:]] = True
    return Masks(train, validation, test)
