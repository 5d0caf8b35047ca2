"""The teacher: an SE-GCN, trained with the labels, that hands its embeddings to the student (§3.1)."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Literal, Self, get_args

import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from torch import Tensor, nn
from torch.nn import functional
from torch_geometric.data import Data

from reprise.cold_brew.checks import (
    as_mask,
    check_choice,
    check_fields,
    check_real,
    check_whole,
    features_of,
    labels_of,
)
from reprise.cold_brew.graph import Propagation, checked_edges
from reprise.cold_brew.layers import (
    SEGCN,
    LayerStates,
    Norm,
    Placement,
    Residual,
    Scaling,
    check_graph_options,
)
from reprise.cold_brew.sparse import Features
from reprise.cold_brew.training import (
    History,
    Recipe,
    accuracy_and_loss,
    check_labels,
    fit,
    random_stream,
    refuse_divergence,
)

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
    check_choice("what", what, get_args(Handover))
    if what == "output":
        return states.output
    return torch.cat([states.output, *states.before] if what == "states" else states.after, dim=1)


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

    def validate() -> tuple[float, float]:
        return accuracy_and_loss(model(x, edges)[validation], y[validation])

    return fit(
        model,
        loss,
        recipe,
        validate=validate if bool(validation.any()) else None,
        predict=lambda: model(x, edges),
    )


class ColdBrewTeacher(BaseEstimator, nn.Module):
    """A GCN with structural embeddings for one graph, as an estimator on PyG ``Data``.

    The options are read and set as in scikit-learn (``get_params``, ``set_params``, ``sklearn.base.clone``); ``fit``
    takes a graph and masks in the place of a table and targets.

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
        The training recipe; ``None`` is `Recipe` as it stands.
    norm, residual, residual_share, se_scaling, se_std
        As in `SEGCN`.
    seed
        Of initialisation and dropout: equal seed, equal teacher. ``None`` draws from torch's global generator.

    Raises
    ------
    ValueError
        For an option out of range or an unknown word; names it.

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
        se: Placement = "first",
        se_penalty: float = 100.0,
        recipe: Recipe | None = None,
        norm: Norm | None = None,
        residual: Residual | None = None,
        residual_share: float = 0.1,
        se_scaling: Scaling = "paper",
        se_std: float = 0.0,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self.hidden_channels, self.num_layers, self.se, self.se_penalty = hidden_channels, num_layers, se, se_penalty
        self.recipe, self.norm, self.residual, self.residual_share = recipe, norm, residual, residual_share
        self.se_scaling, self.se_std, self.seed = se_scaling, se_std, seed
        self._network_options()
        self.model: SEGCN | None = None
        self.history: History | None = None

    def _network_options(self) -> dict[str, Any]:
        """Return the options that an `SEGCN` has too, all options checked."""
        names = ("hidden_channels", "num_layers", "se", "norm", "residual", "residual_share", "se_scaling", "se_std")
        options = {name: getattr(self, name) for name in names}
        check_graph_options(**options)
        check_real("se_penalty", self.se_penalty)
        check_recipe(self.recipe)
        if self.seed is not None:
            check_whole("seed", self.seed, least=0)
        return options

    def fit(self, data: Data, train_mask: Tensor, val_mask: Tensor | None = None) -> Self:
        """Train on a graph; nodes without edges take part through their self-loop.

        Raises
        ------
        ValueError
            For options, edges, features, labels or masks that cannot be used.
        DivergenceError
            If the loss became NaN or infinite; names the epoch.
        """
        options, recipe = self._network_options(), self.recipe or Recipe()
        x, edges = graph_inputs(data)
        y = labels_of(data)
        n_classes = check_labels(y, train_mask)
        train = as_mask("train_mask", train_mask, y.numel(), y.device)
        validation = torch.zeros_like(train)
        if val_mask is not None:
            validation = as_mask("val_mask", val_mask, y.numel(), y.device)
        masks = (train, validation)
        with random_stream(self.seed, "ColdBrewTeacher") if self.seed is not None else nullcontext():
            model = SEGCN(
                x.shape[1],
                out_channels=n_classes,
                num_nodes=x.shape[0],
                dropout=recipe.dropout,
                input_dropout=recipe.input_dropout,
                **options,
            ).to(y.device)
            history = fit_graph_model(model, x, edges, y, masks, recipe=recipe, se_penalty=self.se_penalty)
        self.model, self.history = model, refuse_divergence(history, recipe)
        with torch.no_grad():
            self._states = self.model.states(x, edges)
        return self

    def _fitted(self) -> SEGCN:
        if self.model is None:
            raise NotFittedError("the teacher is not fitted; call fit(data, train_mask, val_mask) first.")
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


def check_recipe(recipe: object) -> None:
    """Refuse what is no `Recipe`; None stands for the default."""
    if recipe is not None and not isinstance(recipe, Recipe):
        raise ValueError(f"recipe={recipe!r} is a {type(recipe).__name__}; give a Recipe(epochs=…, …).")


def graph_inputs(data: Data) -> tuple[Features, Propagation]:
    """Return features and normalised adjacency of a PyG graph, checked.

    Raises
    ------
    ValueError
        If a field is missing, the number of feature rows is not that of nodes, or features or edges cannot be used.
    """
    x = features_of(check_fields(data, "x", "edge_index"))
    edge_index: Any = data.edge_index
    n_nodes = x.shape[0]
    if data.num_nodes != n_nodes:
        raise ValueError(f"x has {n_nodes} rows, but num_nodes={data.num_nodes}; one row per node is needed.")
    if data.y is not None and len(data.y) != n_nodes:  # type: ignore[arg-type]
        raise ValueError(f"x has {n_nodes} rows, but y has {len(data.y)}; one row per node is needed.")  # type: ignore
    return x, Propagation.from_edges(checked_edges(edge_index, n_nodes), n_nodes)
