"""One cell of the study made ready: a graph, its groups, its masks, and the operators that the models need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch_geometric.data import Data

from reprise.cold_brew.data import EMBEDDED, load_graph
from reprise.cold_brew.graph import Propagation, mean_propagation
from reprise.cold_brew.sparse import Features, SparseMatrix, as_features
from reprise.cold_brew.splits import (
    ColdStartSplit,
    Masks,
    Mode,
    cold_start_split,
    first_nodes_masks,
    label_scarce_masks,
    stratified_masks,
)
from reprise.compute import resolve_device

if TYPE_CHECKING:
    from reprise.cold_brew.settings import Settings

N_SHIPPED_SPLITS = 10
SHARE = 0.1  # of the nodes, for isolation, tail and head each (paper: 10 %)
EMBEDDED_LABELS, SCARCE_LABELS = 10, 20  # training labels of each class on embedded graphs; in the label-scarce variant


@dataclass(frozen=True)
class Problem:
    """A graph on which models are trained and compared.

    Attributes
    ----------
    dataset, seed, mode
        Which graph, split and protocol.
    x, y, n_classes
        Features ``(N, F)``, labels ``(N,)``, C.
    masks
        Training, validation and test nodes.
    split
        Groups by degree, and the crafted graph.
    edge_index, edges, mean_edges
        The graph that models see, ``(2, n_edges)``, and its two normalised forms.
    original_edge_index
        The graph before edges were removed.
    overall
        Test nodes of the group ``overall``; all of them but in the released code's protocol on a graph with a public
        split, where they are that split's.
    """

    dataset: str
    seed: int
    mode: Mode
    x: Features
    y: Tensor
    n_classes: int
    masks: Masks
    split: ColdStartSplit
    edge_index: Tensor
    edges: Propagation
    mean_edges: SparseMatrix
    original_edge_index: Tensor
    overall: Tensor

    @property
    def n_nodes(self) -> int:
        """N."""
        return self.y.numel()

    @property
    def connected(self) -> Tensor:
        """Mask ``(N,)`` of the nodes with an edge in the graph that models see."""
        mask = torch.zeros(self.n_nodes, dtype=torch.bool, device=self.y.device)
        mask[self.edge_index.flatten()] = True
        return mask

    def test_groups(self) -> Mapping[str, Tensor]:
        """Return the test nodes of each group."""
        groups = {name: mask & self.masks.test for name, mask in self.split.groups().items()}
        return {**groups, "overall": self.overall}

    def on_edges(self, edge_index: Tensor) -> Problem:
        """Return the same problem with another graph shown to the models."""
        return replace(
            self,
            edge_index=edge_index,
            edges=Propagation.from_edges(edge_index, self.n_nodes),
            mean_edges=mean_propagation(edge_index, self.n_nodes),
        )

    def with_features(self, x: Features) -> Problem:
        """Return the same problem with other features."""
        return replace(self, x=x)


def make_problem(
    dataset: str, seed: int, settings: Settings, *, mode: Mode = "paper10", scarce: bool = False
) -> Problem:
    """Return one cell of the study.

    Parameters
    ----------
    dataset, seed
        Which graph and which seed; embedded graphs are drawn anew for each seed.
    settings
        The study's settings.
    mode
        ``"paper10"`` or ``"code"``, see `reprise.cold_brew.splits`.
    scarce
        Whether only a few nodes per class train.
    """
    data = load_graph(dataset, seed=seed)
    masks = choose_masks(data, seed, settings, mode=mode, scarce=scarce)
    return problem_from(data, masks, seed, settings, mode=mode)


def problem_from(data: Data, masks: Masks, seed: int, settings: Settings, *, mode: Mode = "paper10") -> Problem:
    """Return the problem of a graph and its masks."""
    device = resolve_device(settings.device)
    original = torch.as_tensor(data.edge_index).to(device)
    y = torch.as_tensor(data.y).to(device)
    split = cold_start_split(original, y.numel(), isolation=SHARE, tail=SHARE, head=SHARE, mode=mode, seed=seed)
    x = as_features(data.x).to(device)
    overall = masks.test
    if mode == "code" and data.name != "cora" and "public_test_mask" in data:
        overall = masks.test & data.public_test_mask
    return Problem(
        dataset=str(data.name),
        seed=seed,
        mode=mode,
        x=x,
        y=y,
        n_classes=int(y.max()) + 1,
        masks=Masks(masks.train.to(device), masks.validation.to(device), masks.test.to(device)),
        split=split,
        edge_index=split.edge_index,
        edges=Propagation.from_edges(split.edge_index, y.numel()),
        mean_edges=mean_propagation(split.edge_index, y.numel()),
        original_edge_index=original,
        overall=overall.to(device),
    )


def choose_masks(data: Data, seed: int, settings: Settings, *, mode: Mode, scarce: bool) -> Masks:
    """Return the masks of a protocol.

    ``paper10``: the split that the graph ships, by number; 48/32/20 of each class where it ships none; ten labels of
    each class on embedded graphs. ``code``: the released code's (first 600 of Cora, the public split of Citeseer,
    the shipped splits otherwise, whose validation nodes then count as test nodes).
    """
    y = torch.as_tensor(data.y)
    number = seed % N_SHIPPED_SPLITS
    if mode == "code" and data.name == "cora":
        return first_nodes_masks(y)
    if mode == "code" and "public_train_mask" in data:
        train = data.public_train_mask
        return Masks(train, torch.zeros_like(train), ~train & (y >= 0))
    if scarce:
        return label_scarce_masks(y, seed, per_class=SCARCE_LABELS)
    if data.name == EMBEDDED:
        return label_scarce_masks(y, seed, per_class=EMBEDDED_LABELS)
    if "train_mask" not in data:
        return stratified_masks(y, seed)
    train, validation, test = (data[name][:, number] for name in ("train_mask", "val_mask", "test_mask"))
    if mode == "code":
        return Masks(train, torch.zeros_like(train), ~train)
    return Masks(train, validation, test)
