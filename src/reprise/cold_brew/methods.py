"""Every method of the comparison, trained by the same recipe on a `Problem`; the result of each is an `Outcome`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from reprise.cold_brew.baselines import (
    GraphMLP,
    GraphSAGE,
    averaged_features,
    distillation_loss,
    nearest_neighbour_edges,
    neighbourhood_contrastive_loss,
    neighbourhood_power,
)
from reprise.cold_brew.label_propagation import propagate_labels
from reprise.cold_brew.layers import MLP, SEGCN, Placement, SEConv
from reprise.cold_brew.outcome import (
    GCN,
    GLNN,
    GRAPH_CHANNELS,
    GRAPH_MLP,
    NEAREST,
    PROPAGATION,
    SAGE,
    SIMPLE_MLP,
    TEACHER,
    Outcome,
    outcome_of,
    own_stream,
    recipe_of,
    validation_accuracy,
)
from reprise.cold_brew.problem import Problem
from reprise.cold_brew.sparse import Features, take_rows
from reprise.cold_brew.teacher import fit_graph_model
from reprise.cold_brew.training import History, Recipe, accuracy_and_loss, fit
from reprise.compute import numpy_generator

if TYPE_CHECKING:
    from reprise.cold_brew.settings import Settings

EMBEDDING_SHARE = "embedding share"  # root mean square of E over that of XW, first layer
CHANGED_WITHOUT = "test predictions that change without embeddings"  # in %

MLP_CHANNELS = 128  # both hidden layers (paper: 128 or 256)
SE_STD = 0.0  # structural embeddings start at zero (official code: at N(0, 1), see SEConv)
NOISE_SE_STD = 0.1  # … in the ablation that starts them from noise
GRAPH_MLP_CHANNELS, GRAPH_MLP_NODES = 256, 2000  # as in its paper; the nodes are drawn anew for each step
PROPAGATION_ALPHAS, PROPAGATION_STEPS = (0.1, 0.5, 0.9), 50  # α is chosen on validation (paper: .01 to .99)


def train_graph_model(
    problem: Problem,
    settings: Settings,
    *,
    method: str = GCN,
    se: Placement = "none",
    se_penalty: float = 0.0,
    num_layers: int = 2,
    **changes: float,
) -> Outcome:
    """Train a GCN, with or without structural embeddings; ``changes`` are of the recipe."""
    recipe = recipe_of(settings, problem, **changes)
    _, outcome = _train(problem, recipe, method=method, se=se, se_penalty=se_penalty, num_layers=num_layers)
    return outcome


def train_teacher_from_noise(problem: Problem, settings: Settings, se_penalty: float) -> tuple[Outcome, Outcome]:
    """Train the teacher with embeddings that start from noise (ablation).

    Returns
    -------
    as_trained, masked : Outcome
        The same teacher twice: as it is, and with the embedding left out at inference where nothing trains it, on
        nodes without an edge and without a training label.
    """
    recipe = recipe_of(settings, problem)
    model, outcome = _train(problem, recipe, method=TEACHER, se="first", se_penalty=se_penalty, se_std=NOISE_SE_STD)
    with torch.no_grad(), embeddings_left_out(model, ~problem.connected & ~problem.masks.train):
        masked = Outcome(TEACHER, [model(problem.x, problem.edges)])
    return outcome, masked


def _train(
    problem: Problem,
    recipe: Recipe,
    *,
    method: str,
    se: Placement,
    se_penalty: float,
    num_layers: int = 2,
    se_std: float = SE_STD,
) -> tuple[SEGCN, Outcome]:
    with own_stream(problem, method, "graph model", num_layers):
        model = SEGCN(
            problem.x.shape[1],
            GRAPH_CHANNELS,
            problem.n_classes,
            num_layers,
            problem.n_nodes,
            se=se,
            dropout=recipe.dropout,
            input_dropout=recipe.input_dropout,
            se_std=se_std,
        ).to(problem.y.device)
        masks = (problem.masks.train, problem.masks.validation)
        history = fit_graph_model(
            model, problem.x, problem.edges, problem.y, masks, recipe=recipe, se_penalty=se_penalty
        )
    outcome = outcome_of(method, model, history, lambda: model(problem.x, problem.edges), problem)
    with torch.no_grad():
        outcome.states = model.states(problem.x, problem.edges)
    outcome.hidden = outcome.states.hidden
    outcome.notes |= _embedding_notes(model, problem, outcome.final)
    return model, outcome


@contextmanager
def embeddings_left_out(model: SEGCN, nodes: Tensor) -> Iterator[None]:
    """Let the structural embeddings of the masked nodes ``(N,)`` be zero for a while, in every layer that owns some."""
    owned = [embedding for embedding in model.structural_embeddings() if embedding is not None]
    kept = [embedding.detach().clone() for embedding in owned]
    try:
        with torch.no_grad():
            for embedding in owned:
                embedding[nodes] = 0.0
        yield
    finally:
        with torch.no_grad():
            for embedding, values in zip(owned, kept, strict=True):
                embedding.copy_(values)


@torch.no_grad()
def _embedding_notes(model: SEGCN, problem: Problem, scores: Tensor) -> dict[str, float]:
    """Tell how large structural embeddings are, and how many test predictions change without them."""
    first = model.convolutions[0]
    if not isinstance(first, SEConv) or first.structural is None:
        return {}
    share = first.structural.square().mean().sqrt() / first.linear(problem.x).square().mean().sqrt()
    with embeddings_left_out(model, torch.ones_like(problem.masks.test)):
        changed = model(problem.x, problem.edges).argmax(1) != scores.argmax(1)
    tested = changed[problem.masks.test]
    return {
        EMBEDDING_SHARE: float(share),
        CHANGED_WITHOUT: 100.0 * float(tested.double().mean()) if tested.numel() else float("nan"),
    }


def train_nearest_neighbour_gcn(problem: Problem, settings: Settings) -> Outcome:
    """Train a GCN on the graph in which isolated nodes are tied to the five connected ones of most similar features."""
    added = nearest_neighbour_edges(problem.x, ~problem.connected, problem.connected)
    tied = problem.on_edges(torch.cat([problem.edge_index, added], dim=1))
    return train_graph_model(tied, settings, method=NEAREST)


def train_sage(problem: Problem, settings: Settings) -> Outcome:
    """Train GraphSAGE."""
    recipe = recipe_of(settings, problem)
    averaged = averaged_features(problem.x, problem.mean_edges)
    with own_stream(problem, SAGE):
        model = GraphSAGE(problem.x.shape[1], GRAPH_CHANNELS, problem.n_classes, dropout=recipe.dropout).to(
            problem.y.device
        )

        def predict() -> Tensor:
            return model(problem.x, averaged, problem.mean_edges)

        history = _fit_labels(model, predict, problem, recipe)
    outcome = outcome_of(SAGE, model, history, predict, problem)
    with torch.no_grad():
        outcome.hidden = model.hidden(problem.x, averaged)
    return outcome


def _fit_labels(model: nn.Module, predict: Callable[[], Tensor], problem: Problem, recipe: Recipe) -> History:
    train, validation, y = problem.masks.train, problem.masks.validation, problem.y
    return fit(
        model,
        lambda: functional.cross_entropy(predict()[train], y[train]),
        recipe,
        validate=lambda: accuracy_and_loss(predict()[validation], y[validation]),
        predict=predict,
    )


def _rows(x: Features, mask: Tensor) -> Features:
    return take_rows(x, torch.nonzero(mask).flatten())


def train_mlp(problem: Problem, settings: Settings) -> Outcome:
    """Train the plain MLP: two hidden layers, features only."""
    recipe = recipe_of(settings, problem)
    masks, y = problem.masks, problem.y
    with own_stream(problem, SIMPLE_MLP):
        model = MLP(problem.x.shape[1], [MLP_CHANNELS, MLP_CHANNELS], problem.n_classes, recipe.dropout).to(y.device)
        learnt, checked = _rows(problem.x, masks.train), _rows(problem.x, masks.validation)
        history = fit(
            model,
            lambda: functional.cross_entropy(model(learnt), y[masks.train]),
            recipe,
            validate=lambda: accuracy_and_loss(model(checked), y[masks.validation]),
            predict=lambda: model(problem.x),
        )
    return _with_hidden(outcome_of(SIMPLE_MLP, model, history, lambda: model(problem.x), problem), model, problem.x)


def _with_hidden(outcome: Outcome, model: MLP | GraphMLP, x: Features) -> Outcome:
    with torch.no_grad():
        outcome.hidden = model.hidden(x)
    return outcome


def train_distilled_mlp(problem: Problem, settings: Settings, teacher: Outcome) -> Outcome:
    """Train GLNN: an MLP on the labels and on the teacher's outputs for all connected nodes."""
    recipe = recipe_of(settings, problem)
    masks, y, connected = problem.masks, problem.y, problem.connected
    taught = teacher.final
    with own_stream(problem, GLNN, teacher.method):
        model = MLP(problem.x.shape[1], [MLP_CHANNELS, MLP_CHANNELS], problem.n_classes, recipe.dropout).to(y.device)
        checked = _rows(problem.x, masks.validation)
        history = fit(
            model,
            lambda: distillation_loss(model(problem.x), taught, y, masks.train, connected),
            recipe,
            validate=lambda: accuracy_and_loss(model(checked), y[masks.validation]),
            predict=lambda: model(problem.x),
        )
    return _with_hidden(outcome_of(GLNN, model, history, lambda: model(problem.x), problem), model, problem.x)


def train_graph_mlp(problem: Problem, settings: Settings, *, weight: float = 10.0, temperature: float = 1.0) -> Outcome:
    """Train GraphMLP with the official code's shared setting: weight 10, τ = 1, third power of the adjacency.

    It is by far the costliest model of a step, and gets half of the epochs.
    """
    recipe = recipe_of(settings, problem).shorter(max(settings.epochs // 2, 1))
    power = neighbourhood_power(problem.edges)
    generator = numpy_generator(problem.seed, "cold_brew", problem.dataset, problem.mode, GRAPH_MLP, "batches")
    n_drawn = min(GRAPH_MLP_NODES, problem.n_nodes)
    train, validation, y = problem.masks.train, problem.masks.validation, problem.y
    with own_stream(problem, GRAPH_MLP):
        model = GraphMLP(problem.x.shape[1], GRAPH_MLP_CHANNELS, problem.n_classes).to(y.device)

        def loss() -> Tensor:
            drawn = np.sort(generator.choice(problem.n_nodes, n_drawn, replace=False))
            nodes = torch.as_tensor(drawn, device=y.device)
            z = model.hidden(take_rows(problem.x, nodes))
            near = torch.as_tensor(power[drawn][:, drawn].toarray(), device=y.device)
            contrast = neighbourhood_contrastive_loss(z, near, temperature)
            labelled = train[nodes]
            if not bool(labelled.any()):
                return weight * contrast
            return functional.cross_entropy(model.head(z[labelled]), y[nodes][labelled]) + weight * contrast

        history = fit(
            model,
            loss,
            recipe,
            validate=lambda: accuracy_and_loss(model(problem.x)[validation], y[validation]),
            predict=lambda: model(problem.x),
        )
    return _with_hidden(outcome_of(GRAPH_MLP, model, history, lambda: model(problem.x), problem), model, problem.x)


def spread_labels(problem: Problem, settings: Settings) -> Outcome:
    """Run label propagation; α is chosen on validation (the paper's 0.5 where there are no validation nodes)."""
    y, validation = problem.y, problem.masks.validation
    alphas = PROPAGATION_ALPHAS if bool(validation.any()) else (0.5,)
    runs = [
        propagate_labels(
            problem.edge_index,
            y,
            problem.masks.train,
            n_classes=problem.n_classes,
            alpha=alpha,
            n_steps=PROPAGATION_STEPS,
        )
        for alpha in alphas
    ]
    reached = [validation_accuracy(run.scores, problem) for run in runs]
    best = int(np.argmax(reached)) if bool(validation.any()) else 0
    unreached = 100.0 * float((runs[best].unreached & problem.masks.test).sum()) / max(int(problem.masks.test.sum()), 1)
    notes = {"alpha": alphas[best], "test nodes that no label reaches": unreached}
    return Outcome(PROPAGATION, [runs[best].scores], validation=reached[best], notes=notes)
