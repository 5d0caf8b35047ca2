"""Cold Brew on a reader's own graph: fit once, then predict for nodes with edges, without, or not yet seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import torch
from torch import Tensor
from torch.nn import functional
from torch_geometric.data import Data

from reprise.cold_brew.feature_contribution import bootstrap_ratio
from reprise.cold_brew.graph import checked_edges
from reprise.cold_brew.label_propagation import propagate_labels
from reprise.cold_brew.layers import MLP, Placement
from reprise.cold_brew.sparse import Features, as_features
from reprise.cold_brew.splits import Masks
from reprise.cold_brew.student import ColdBrewStudent, Similarity
from reprise.cold_brew.teacher import ColdBrewTeacher, Handover
from reprise.cold_brew.training import Recipe, accuracy, check_labels, check_mask, fit, random_stream

if TYPE_CHECKING:
    import pandas as pd


class ColdBrew:
    """Teacher and student in one estimator, on PyG ``Data``.

    Parameters
    ----------
    hidden_channels
        Width of the teacher.
    k, temperature, similarity
        Of the student's look-up.
    se
        Layers of the teacher that own structural embeddings; ``"none"`` distils a plain GCN.
    distil_on
        Nodes from which the student learns the teacher's embedding: ``"connected"`` (the paper's text) or ``"train"``
        (the released code).
    handover
        What the teacher hands over, see `reprise.cold_brew.teacher.hand_over`.
    recipe
        The training recipe.
    seed
        Of initialisation and dropout: equal seed, equal model.

    Examples
    --------
    >>> from reprise.cold_brew import sub_topic_world, ColdBrew, Recipe
    >>> from reprise.cold_brew.splits import label_scarce_masks
    >>> data = sub_topic_world(0, n_nodes=300)
    >>> masks = label_scarce_masks(data.y, 0, per_class=8, validation_per_class=8)
    >>> model = ColdBrew(recipe=Recipe(epochs=5)).fit(data, masks.train, masks.validation)
    >>> model.predict(data.x[:2]).shape  # features alone
    torch.Size([2, 5])
    """

    def __init__(
        self,
        hidden_channels: int = 64,
        *,
        k: int = 3,
        temperature: float = 1.0,
        similarity: Similarity = "dot",
        se: Placement = "first",
        distil_on: Literal["connected", "train"] = "connected",
        handover: Handover = "layers",
        recipe: Recipe | None = None,
        seed: int = 0,
    ) -> None:
        if distil_on not in ("connected", "train"):
            raise ValueError(f"distil_on={distil_on!r} is unknown; use 'connected' or 'train'.")
        self.hidden_channels, self.k, self.temperature, self.similarity = hidden_channels, k, temperature, similarity
        self.se, self.distil_on, self.handover, self.seed = se, distil_on, handover, seed
        self.recipe = recipe or Recipe()
        self.teacher: ColdBrewTeacher | None = None
        self.student: ColdBrewStudent | None = None

    def fit(self, data: Data, train_mask: Tensor, val_mask: Tensor | None = None) -> Self:
        """Train the teacher on the graph and the student on what it learnt.

        Parameters
        ----------
        data
            ``x (N, F)``, ``edge_index (2, E)``, ``y (N,)`` with −1 for unknown labels.
        train_mask, val_mask
            Boolean ``(N,)``; with validation nodes the best epoch is kept, else the last.

        Raises
        ------
        ValueError
            For features, edges, labels or masks that cannot be used, and for graphs without an edge.
        """
        y = torch.as_tensor(data.y)
        n_classes = check_labels(y, train_mask)
        if val_mask is not None:
            check_mask("val_mask", val_mask, y.numel())
        x = as_features(torch.as_tensor(data.x))
        connected = self._degree(data) > 0
        if not bool(connected.any()):
            raise ValueError("the graph has no edges: there is nothing to distil; use an MLP.")
        with random_stream(self.seed, "ColdBrew"):
            self.teacher = ColdBrewTeacher(self.hidden_channels, se=self.se, recipe=self.recipe)
            self.teacher.fit(data, train_mask, val_mask)
            embeddings = self.teacher.embeddings(self.handover)
            self.student = ColdBrewStudent(
                x.shape[1], embeddings.shape[1], n_classes, self.k, self.temperature, similarity=self.similarity
            ).to(y.device)
            learnt = connected if self.distil_on == "connected" else connected & train_mask
            self.student.fit_embedding(x, embeddings, learnt, self.recipe)
            self.student.build_bank(embeddings, connected)
            self.student.fit_classifier(x, y, train_mask, val_mask, self.recipe)
        self._n_nodes = y.numel()
        return self

    @staticmethod
    def _degree(data: Data) -> Tensor:
        n_nodes = len(torch.as_tensor(data.x))
        edge_index = data.edge_index
        assert edge_index is not None
        return torch.bincount(checked_edges(edge_index, n_nodes)[0], minlength=n_nodes)

    def predict(self, data: Data | Features, *, switch_degree: int | None = None) -> Tensor:
        """Return logits ``(M, C)``.

        Parameters
        ----------
        data
            Features ``(M, F)`` of any nodes, new ones included: the student answers, and no edge is read. Or the
            graph: then the student answers from its features in the same way.
        switch_degree
            Only with a graph: nodes of at least this degree are answered by the teacher, which must have been fitted
            on these nodes (the paper names this switch as future work).

        Raises
        ------
        ValueError
            If the model is not fitted, or ``switch_degree`` is given without a graph.
        """
        if self.student is None or self.teacher is None:
            raise ValueError("the model is not fitted; call fit(data, train_mask, val_mask) first.")
        if not isinstance(data, Data):
            if switch_degree is not None:
                raise ValueError("switch_degree needs a graph; give a PyG Data with edge_index.")
            return self.student.predict(data)
        answers = self.student.predict(as_features(torch.as_tensor(data.x)))
        if switch_degree is None:
            return answers
        high = self._degree(data) >= switch_degree
        return torch.where(high.unsqueeze(1), self.teacher.predict(data), answers)


def fcr_report(
    data: Data, masks: Masks, *, n_boot: int = 1000, recipe: Recipe | None = None, seed: int = 0
) -> pd.DataFrame:
    """Tell how much of a graph's accuracy comes from features, before any cold-start method is tried.

    Trains a GCN, a GCN with structural embeddings and an MLP, and runs label propagation, all on the same nodes; the
    better GCN and α are chosen on validation.

    Parameters
    ----------
    data
        The graph, with all its edges.
    masks
        Training, validation and test nodes.
    n_boot
        Bootstrap draws of test nodes.
    recipe, seed
        Training recipe and seed.

    Returns
    -------
    pandas.DataFrame
        Columns ``quantity, value, low, high`` in %: the three accuracies and the ratio with its 95 % interval.
    """
    import pandas as pd

    y = torch.as_tensor(data.y)
    n_classes = check_labels(y, masks.train)
    chosen = recipe or Recipe()
    x = as_features(torch.as_tensor(data.x))
    with random_stream(seed, "fcr report"):
        gcns = []
        for se in ("none", "first"):
            teacher = ColdBrewTeacher(se=se, recipe=chosen).fit(data, masks.train, masks.validation)  # type: ignore
            gcns.append(teacher.predict(data))
        mlp = MLP(x.shape[1], [128, 128], n_classes, chosen.dropout).to(y.device)
        fit(
            mlp,
            lambda: functional.cross_entropy(mlp(x)[masks.train], y[masks.train]),
            chosen,
            validate=lambda: accuracy(mlp(x), y, masks.validation),
        )
        with torch.no_grad():
            features_only = mlp(x)
    edges = checked_edges(torch.as_tensor(data.edge_index), y.numel())
    spread = [propagate_labels(edges, y, masks.train, n_classes=n_classes, alpha=a).scores for a in (0.1, 0.5, 0.9)]
    scores = {
        "GNN": max(gcns, key=lambda s: accuracy(s, y, masks.validation)),
        "MLP": features_only,
        "Label propagation": max(spread, key=lambda s: accuracy(s, y, masks.validation)),
    }
    tested = masks.test & (y >= 0)  # a node without a label can be neither right nor wrong
    correct = {name: (s.argmax(1) == y)[tested].numpy(force=True) for name, s in scores.items()}
    interval = bootstrap_ratio(*correct.values(), n_draws=n_boot, seed=seed)
    lines = [{"quantity": f"accuracy of {name}", "value": 100.0 * right.mean()} for name, right in correct.items()]
    ratio = {
        "quantity": "feature contribution ratio",
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
    }
    return pd.DataFrame([*lines, ratio], columns=["quantity", "value", "low", "high"])
