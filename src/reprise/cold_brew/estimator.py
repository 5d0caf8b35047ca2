"""Cold Brew on a reader's own graph: fit once, then predict for nodes with edges, without, or not yet seen."""

from __future__ import annotations

import warnings
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import torch
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from torch import Tensor
from torch.nn import functional
from torch_geometric.data import Data

from reprise.cold_brew.checks import check_choice, check_whole, features_of, labels_of
from reprise.cold_brew.feature_contribution import bootstrap_ratio, feature_contribution_ratio
from reprise.cold_brew.input_checks import (
    OWN_MASKS,
    check_classes,
    check_graph,
    check_masks,
    connected_nodes,
    degree_of,
    edges_of,
    masks_to_fit,
    one_way_edges_already_said,
    own_mask,
    refuse_divergence,
    signature,
    warn_of_other_nodes,
)
from reprise.cold_brew.label_propagation import propagate_labels
from reprise.cold_brew.latent_neighbours import Similarity, check_student_options
from reprise.cold_brew.layers import MLP, Norm, Placement, Residual
from reprise.cold_brew.sparse import Features
from reprise.cold_brew.splits import Masks
from reprise.cold_brew.student import ColdBrewStudent
from reprise.cold_brew.teacher import ColdBrewTeacher, Handover, check_recipe
from reprise.cold_brew.training import Recipe, accuracy, accuracy_and_loss, fit, random_stream

if TYPE_CHECKING:
    import pandas as pd

OF_RECIPE = "recipe__"


class ColdBrew(BaseEstimator):
    """Teacher and student in one estimator, on PyG ``Data``.

    The options are read and set as in scikit-learn (``get_params``, ``set_params``, ``sklearn.base.clone``), those of
    the recipe as ``recipe__epochs``; ``fit`` takes a graph and masks in the place of a table and targets. As there,
    ``predict`` gives classes, ``predict_proba`` probabilities, ``decision_function`` logits, ``score`` the accuracy.

    Parameters
    ----------
    hidden_channels
        Width of the teacher.
    k, temperature, similarity
        Of the student's look-up.
    se
        Layers of the teacher that own structural embeddings; ``"none"`` distils a plain GCN.
    se_penalty, num_layers, norm, residual
        Of the teacher, as in `ColdBrewTeacher`.
    student_channels
        Width of the student's two MLPs (official code: 256).
    distil_on
        Nodes from which the student learns the teacher's embedding: ``"connected"`` (the paper's text) or ``"train"``
        (the released code).
    handover
        What the teacher hands over, see `reprise.cold_brew.teacher.hand_over`.
    recipe
        The training recipe of all networks; ``None`` is `Recipe` as it stands.
    seed
        Of initialisation and dropout: equal seed, equal model.

    Raises
    ------
    ValueError
        For an option out of range or an unknown word; names it.

    Examples
    --------
    >>> from reprise.cold_brew import sub_topic_world, ColdBrew, Recipe
    >>> from reprise.cold_brew.splits import label_scarce_masks
    >>> data = sub_topic_world(0, n_nodes=300)
    >>> masks = label_scarce_masks(data.y, 0, per_class=8, validation_per_class=8)
    >>> model = ColdBrew(recipe=Recipe(epochs=5)).fit(data, masks.train, masks.validation)
    >>> model.predict(data.x[:2]).shape  # features alone
    torch.Size([2])
    """

    def __init__(
        self,
        hidden_channels: int = 64,
        *,
        k: int = 3,
        temperature: float = 1.0,
        similarity: Similarity = "dot",
        se: Placement = "first",
        se_penalty: float = 100.0,
        num_layers: int = 2,
        norm: Norm | None = None,
        residual: Residual | None = None,
        student_channels: int = 256,
        distil_on: Literal["connected", "train"] = "connected",
        handover: Handover = "layers",
        recipe: Recipe | None = None,
        seed: int = 0,
    ) -> None:
        self.hidden_channels, self.k, self.temperature, self.similarity = hidden_channels, k, temperature, similarity
        self.se, self.se_penalty, self.num_layers, self.norm, self.residual = se, se_penalty, num_layers, norm, residual
        self.student_channels, self.distil_on, self.handover = student_channels, distil_on, handover
        self.recipe, self.seed = recipe, seed
        self._new_teacher()
        self.teacher: ColdBrewTeacher | None = None
        self.student: ColdBrewStudent | None = None

    def _new_teacher(self) -> ColdBrewTeacher:
        """Check all options; return the teacher that they describe."""
        check_student_options(k=self.k, temperature=self.temperature, similarity=self.similarity, inputs=())
        check_whole("student_channels", self.student_channels)
        check_choice("distil_on", self.distil_on, ("connected", "train"))
        check_choice("handover", self.handover, get_args(Handover))
        check_whole("seed", self.seed, least=0)
        return ColdBrewTeacher(
            self.hidden_channels,
            self.num_layers,
            se=self.se,
            se_penalty=self.se_penalty,
            recipe=self.recipe,
            norm=self.norm,
            residual=self.residual,
        )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the options; with ``deep`` those of the recipe too, as ``recipe__epochs``."""
        options: dict[str, Any] = super().get_params(deep)
        recipe = self.recipe or Recipe()
        if deep and isinstance(recipe, Recipe):
            options |= {f"{OF_RECIPE}{field.name}": getattr(recipe, field.name) for field in fields(recipe)}
        return options

    def set_params(self, **options: Any) -> Self:
        """Set options; ``recipe__epochs=50`` changes one of the recipe and keeps the others.

        Raises
        ------
        ValueError
            For an option that does not exist, or a recipe's number out of range.
        """
        known = {field.name for field in fields(Recipe)}
        changes = {n.removeprefix(OF_RECIPE): value for n, value in options.items() if n.startswith(OF_RECIPE)}
        if unknown := sorted(set(changes) - known):
            raise ValueError(f"the recipe has no {unknown[0]}; it has {', '.join(sorted(known))}.")
        super().set_params(**{n: value for n, value in options.items() if not n.startswith(OF_RECIPE)})
        if changes:
            check_recipe(self.recipe)
            self.recipe = replace(self.recipe or Recipe(), **changes)
        return self

    def fit(self, data: Data, train_mask: Tensor | None = None, val_mask: Tensor | None = None) -> Self:
        """Train the teacher on the graph and the student on what it learnt.

        Parameters
        ----------
        data
            ``x (N, F)``, ``edge_index (2, E)``, ``y (N,)`` with −1 for unknown labels.
        train_mask, val_mask
            Boolean ``(N,)``, without a node in common; with validation nodes the best epoch is kept, else the last.
            Without ``train_mask`` both are the graph's own, ``data.train_mask`` and, if there is one,
            ``data.val_mask``; beside a ``train_mask`` no mask of the graph is used.

        Raises
        ------
        ValueError
            For missing fields, for features, edges, labels or masks that cannot be used, for graphs without an
            edge or with fewer connected nodes than the look-up needs, and for a training that diverges. The model
            then stays as it was.

        Warns
        -----
        UserWarning
            If edges have weights or attributes, which are not used, or go one way only.
        """
        with random_stream(self.seed, "ColdBrew"):
            teacher, recipe = self._new_teacher(), self.recipe or Recipe()
            y = check_graph(data)
            train, validation = masks_to_fit(data, y, train_mask, val_mask)
            with one_way_edges_already_said():
                connected = connected_nodes(data, self.k)
                teacher.fit(data, train, validation)
                refuse_divergence(recipe, teacher.embeddings(self.handover), teacher.predict(data))
            student = self._fit_student(teacher, data, (train, validation), connected)
            with torch.no_grad():
                refuse_divergence(recipe, student.eval()(features_of(data)))
            self.teacher, self.student, self._nodes = teacher, student, signature(features_of(data))
        return self

    def _fit_student(
        self, teacher: ColdBrewTeacher, data: Data, masks: tuple[Tensor, Tensor | None], connected: Tensor
    ) -> ColdBrewStudent:
        x, y, recipe = features_of(data), labels_of(data), self.recipe or Recipe()
        embeddings = teacher.embeddings(self.handover)
        student = ColdBrewStudent(
            x.shape[1],
            embeddings.shape[1],
            int(y.max()) + 1,
            self.k,
            self.temperature,
            similarity=self.similarity,
            hidden_channels=self.student_channels,
            dropout=recipe.dropout,
        ).to(y.device)
        learnt = connected if self.distil_on == "connected" else connected & masks[0]
        student.fit_embedding(x, embeddings, learnt, recipe)
        student.build_bank(embeddings, connected)
        student.fit_classifier(x, y, *masks, recipe)
        return student

    def predict(self, data: Data | Features, *, switch_degree: int | None = None) -> Tensor:
        """Return classes ``(M,)``; see `decision_function`."""
        return self.decision_function(data, switch_degree=switch_degree).argmax(1)

    def predict_proba(self, data: Data | Features, *, switch_degree: int | None = None) -> Tensor:
        """Return class probabilities ``(M, C)``; see `decision_function`."""
        return self.decision_function(data, switch_degree=switch_degree).softmax(1)

    def decision_function(self, data: Data | Features, *, switch_degree: int | None = None) -> Tensor:
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
            If the model is not fitted, or ``switch_degree`` is given without a graph or is no degree.

        Warns
        -----
        UserWarning
            If the switch is asked for nodes with other features than those fitted on.
        """
        if self.student is None or self.teacher is None:
            raise NotFittedError("the model is not fitted; call fit(data, train_mask, val_mask) first.")
        if switch_degree is not None:
            check_whole("switch_degree", switch_degree, least=0)
        if not isinstance(data, Data):
            if switch_degree is not None:
                raise ValueError("switch_degree needs a graph; give a PyG Data with edge_index.")
            return self.student.predict(data)
        answers = self.student.predict(features_of(data))
        if switch_degree is None:
            return answers
        warn_of_other_nodes(self._nodes, features_of(data))
        with one_way_edges_already_said():
            high = degree_of(data) >= switch_degree
            return torch.where(high.unsqueeze(1), self.teacher.predict(data), answers)

    def score(self, data: Data, mask: Tensor | None = None, *, switch_degree: int | None = None) -> float:
        """Return the accuracy, between 0 and 1, on the labelled ones of some nodes of a graph.

        Parameters
        ----------
        data
            ``x`` and ``y``, and ``edge_index`` for the switch.
        mask
            Boolean ``(N,)``; ``None``: ``data.test_mask``.
        switch_degree
            As in `decision_function`.

        Raises
        ------
        ValueError
            If there is no mask, or it marks no labelled node.
        """
        name = "mask" if mask is not None else "data.test_mask"
        y = labels_of(data)
        (tested,) = check_masks(y, **{name: own_mask(data, "test_mask") if mask is None else mask})
        tested = tested & (y >= 0)
        if not bool(tested.any()):
            raise ValueError(f"{name} marks no labelled node; mark nodes whose labels are known.")
        return float((self.predict(data, switch_degree=switch_degree) == y)[tested].double().mean())


def fcr_report(
    data: Data,
    masks: Masks | tuple[Tensor, Tensor, Tensor] | None = None,
    *,
    n_boot: int = 1000,
    recipe: Recipe | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Tell how much of a graph's accuracy comes from features, before any cold-start method is tried.

    Trains a GCN, a GCN with structural embeddings and an MLP, and runs label propagation, all on the same nodes; the
    better GCN and α are chosen on validation.

    Parameters
    ----------
    data
        The graph, with all its edges.
    masks
        Training, validation and test nodes, boolean ``(N,)`` each, without a node in common; ``None``: the graph's
        own, ``data.train_mask``, ``data.val_mask`` and ``data.test_mask``.
    n_boot
        Bootstrap draws of test nodes; with 0 the interval is NaN.
    recipe, seed
        Training recipe and seed.

    Returns
    -------
    pandas.DataFrame
        Columns ``quantity, value, low, high`` in %: the three accuracies and the ratio with its 95 % interval.

    Raises
    ------
    ValueError
        For a graph, masks or options that cannot be used.

    Warns
    -----
    UserWarning
        If no test node has a label; the values are then NaN.
    """
    import pandas as pd

    check_whole("n_boot", n_boot, least=0)
    check_recipe(recipe)
    y = check_graph(data)
    checked = _checked_masks(masks, data, y)
    with one_way_edges_already_said():
        scores = _three_models(data, checked, recipe or Recipe(), seed)
    refuse_divergence(recipe or Recipe(), *scores.values())
    tested = checked.test & (y >= 0)  # a node without a label can be neither right nor wrong
    if not bool(tested.any()):
        warnings.warn("masks.test marks no labelled node; the report is NaN.", stacklevel=2)
    correct = {name: (s.argmax(1) == y)[tested].numpy(force=True) for name, s in scores.items()}
    interval = bootstrap_ratio(*correct.values(), n_draws=n_boot, seed=seed)
    if interval.value != interval.value and bool(tested.any()):  # NaN: the formula warns, and says why
        feature_contribution_ratio(*(right.mean() for right in correct.values()), scale="fraction")
    lines = [
        {"quantity": f"accuracy of {name}", "value": 100.0 * right.mean() if right.size else float("nan")}
        for name, right in correct.items()
    ]
    ratio = {"value": interval.value, "low": interval.low, "high": interval.high}
    lines.append({"quantity": "feature contribution ratio", **ratio})
    return pd.DataFrame(lines, columns=["quantity", "value", "low", "high"])


def _checked_masks(masks: Any, data: Data, y: Tensor) -> Masks:
    if masks is None:
        masks = [own_mask(data, name) for name in OWN_MASKS]
    elif isinstance(masks, Masks):
        masks = [masks.train, masks.validation, masks.test]
    elif not isinstance(masks, tuple | list) or len(masks) != 3:
        raise ValueError("masks are no three; give (train, validation, test), booleans for each node.")
    checked = Masks(*check_masks(y, **dict(zip(("masks.train", "masks.validation", "masks.test"), masks, strict=True))))
    check_classes(y, checked.train)
    return checked


def _three_models(data: Data, masks: Masks, recipe: Recipe, seed: int) -> dict[str, Tensor]:
    """Return the scores ``(N, C)`` of the better GCN, the MLP and the best label propagation."""
    x, y = features_of(data), labels_of(data)
    n_classes = int(y.max()) + 1
    validation = masks.validation
    has_validation = bool(validation.any())

    def reached(scores: Tensor) -> float:
        return accuracy(scores, y, validation) if has_validation else 0.0

    with random_stream(seed, "fcr report"):
        places: tuple[Placement, ...] = ("none", "first")
        teachers = [ColdBrewTeacher(se=se, recipe=recipe).fit(data, masks.train, validation) for se in places]
        mlp = MLP(x.shape[1], [128, 128], n_classes, recipe.dropout).to(y.device)
        fit(
            mlp,
            lambda: functional.cross_entropy(mlp(x)[masks.train], y[masks.train]),
            recipe,
            validate=(lambda: accuracy_and_loss(mlp(x)[validation], y[validation])) if has_validation else None,
        )
    with torch.no_grad():
        features_only = mlp(x)
    edges = edges_of(data)
    alphas = (0.1, 0.5, 0.9) if has_validation else (0.5,)
    spread = [propagate_labels(edges, y, masks.train, n_classes=n_classes, alpha=a).scores for a in alphas]
    return {
        "GNN": max((teacher.predict(data) for teacher in teachers), key=reached),
        "MLP": features_only,
        "Label propagation": max(spread, key=reached),
    }
