"""The teacher: an SE-GCN, trained with the labels, that hands its embeddings to the student (§3.1)."""

from __future__ import annotations

from typing import Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.data import Data

from reprise.cold_brew.graph import Propagation, checked_edges
from reprise.cold_brew.layers import SEGCN, LayerStates
from reprise.cold_brew.sparse import Features, as_features
from reprise.cold_brew.training import History, Recipe, accuracy, check_labels, fit

Handover = Literal["layers", "output", "states"]


def hand_over(states: LayerStates, what: Handover = "layers") -> Tensor:
    """Return the embedding Ē that the student learns from, ``(N, D)``.

    Parameters
    ----------
    states
        Of the teacher, in evaluation mode.
    what
        ``"output"``: the paper's option (a), :math:`X^{(L)}`. ``"states"``: its option (b), the output and the states
        before aggregation of all layers. ``"layers"``: the official code's, every layer's state after aggregation and
        before the activation (Cora: 64 + 7 columns).
    """
    if what == "output":
        return states.output
    if what == "states":
        return torch.cat([states.output, *states.before], dim=1)
    if what == "layers":
        return torch.cat(states.after, dim=1)
    raise ValueError(f"what={what!r} is unknown; use 'layers', 'output' or 'states'.")


def fit_graph_model(
    model: SEGCN,
    x: Features,
    edges: Propagation,
    y: Tensor,
    masks: tuple[Tensor, Tensor],
    *,
    recipe: Recipe,
    se_penalty: float = 0.0,
) -> History:
    """Train an SE-GCN on the labels of its training nodes, Eq. 3.

    Parameters
    ----------
    model
        Trained in place.
    x, edges, y
        Features, normalised adjacency, labels.
    masks
        Training and validation nodes; without validation nodes the last epoch is kept.
    recipe
        The training recipe.
    se_penalty
        η, weight of the mean square of the structural embeddings.
    """
    train, validation = masks

    def loss() -> Tensor:
        value = functional.cross_entropy(model(x, edges)[train], y[train])
        return value + se_penalty * model.structural_penalty() if se_penalty else value

    def validate() -> float:
        return accuracy(model(x, edges), y, validation)

    return fit(
        model,
        loss,
        recipe,
        validate=validate if bool(validation.any()) else None,
        predict=lambda: model(x, edges),
    )


class ColdBrewTeacher(nn.Module):
    """A GCN with structural embeddings for one graph, as an estimator on PyG ``Data``.

    Parameters
    ----------
    hidden_channels
        H (the paper's figures: 64 to 256).
    num_layers
        L.
    se
        Layers that own structural embeddings: ``"first"``, ``"all"`` or ``"none"``.
    se_penalty
        η of Eq. 3, on the mean square: it is divided by the N × H values, so that 1 is next to nothing and 1000 strong.
    recipe
        The training recipe.
    options
        Further options of `SEGCN`: ``norm``, ``residual``, ``residual_share``, ``se_scaling``, ``se_std``.

    Examples
    --------
    >>> from reprise.cold_brew.data import sub_topic_world
    >>> from reprise.cold_brew.splits import label_scarce_masks
    >>> data = sub_topic_world(0, n_nodes=200)
    >>> masks = label_scarce_masks(data.y, 0, per_class=5, validation_per_class=5)
    >>> teacher = ColdBrewTeacher(recipe=Recipe(epochs=5)).fit(data, masks.train, masks.validation)
    >>> teacher.embeddings().shape
    torch.Size([200, 69])
    """

    def __init__(
        self,
        hidden_channels: int = 64,
        num_layers: int = 2,
        *,
        se: Literal["none", "first", "all"] = "first",
        se_penalty: float = 100.0,
        recipe: Recipe | None = None,
        **options: object,
    ) -> None:
        super().__init__()
        if se_penalty < 0:
            raise ValueError(f"se_penalty={se_penalty} is negative; give 0 or more.")
        self.hidden_channels, self.num_layers, self.se, self.se_penalty = hidden_channels, num_layers, se, se_penalty
        self.recipe = recipe or Recipe()
        self.options = options
        self.model: SEGCN | None = None
        self.history: History | None = None

    def fit(self, data: Data, train_mask: Tensor, val_mask: Tensor | None = None) -> Self:
        """Train on a graph; nodes without edges take part through their self-loop.

        Raises
        ------
        ValueError
            For edges, features or labels that cannot be used.
        """
        x, edges = graph_inputs(data)
        y = torch.as_tensor(data.y)
        n_classes = check_labels(y, train_mask)
        validation = torch.zeros_like(train_mask) if val_mask is None else val_mask
        self.model = SEGCN(
            x.shape[1],
            self.hidden_channels,
            n_classes,
            self.num_layers,
            x.shape[0],
            se=self.se,
            dropout=self.recipe.dropout,
            input_dropout=self.recipe.input_dropout,
            **self.options,  # type: ignore[arg-type]
        ).to(y.device)
        masks = (train_mask, validation)
        self.history = fit_graph_model(self.model, x, edges, y, masks, recipe=self.recipe, se_penalty=self.se_penalty)
        with torch.no_grad():
            self._states = self.model.states(x, edges)
        return self

    def _fitted(self) -> SEGCN:
        if self.model is None:
            raise ValueError("the teacher is not fitted; call fit(data, train_mask, val_mask) first.")
        return self.model

    @torch.no_grad()
    def predict(self, data: Data) -> Tensor:
        """Return logits ``(N, C)`` for the nodes of the graph it was built for (its edges may have changed).

        Raises
        ------
        ValueError
            If the graph has another number of nodes: structural embeddings belong to nodes.
        """
        return self._fitted().eval()(*graph_inputs(data))

    def embeddings(self, what: Handover = "layers") -> Tensor:
        """Return Ē of the fitted graph, ``(N, D)``; see `hand_over`."""
        self._fitted()
        return hand_over(self._states, what)


def graph_inputs(data: Data) -> tuple[Features, Propagation]:
    """Return features and normalised adjacency of a PyG graph, checked.

    Raises
    ------
    ValueError
        If the number of feature rows is not the number of nodes, or features or edges cannot be used.
    """
    x = as_features(torch.as_tensor(data.x))
    edge_index = data.edge_index
    assert edge_index is not None
    n_nodes = x.shape[0]
    if data.num_nodes != n_nodes:
        raise ValueError(f"x has {n_nodes} rows, but num_nodes={data.num_nodes}; one row per node is needed.")
    if data.y is not None and len(data.y) != n_nodes:  # type: ignore[arg-type]
        raise ValueError(f"x has {n_nodes} rows, but y has {len(data.y)}; one row per node is needed.")  # type: ignore
    return x, Propagation.from_edges(checked_edges(edge_index, n_nodes), n_nodes)
