"""Every method of the comparison, trained by the same recipe on a `Problem`; the result of each is an `Outcome`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
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
from reprise.cold_brew.latent_neighbours import Input, Similarity
from reprise.cold_brew.layers import MLP, SEGCN, LayerStates, Placement, SEConv
from reprise.cold_brew.problem import Problem
from reprise.cold_brew.sparse import Features, take_rows
from reprise.cold_brew.student import ColdBrewStudent
from reprise.cold_brew.teacher import Handover, fit_graph_model, hand_over
from reprise.cold_brew.training import (
    DivergenceError,
    History,
    Recipe,
    accuracy,
    accuracy_and_loss,
    fit,
    random_stream,
)
from reprise.compute import numpy_generator

if TYPE_CHECKING:
    from reprise.cold_brew.settings import Settings

GCN, TEACHER, STUDENT = "GCN", "Cold Brew teacher", "Cold Brew student"
SAGE, SIMPLE_MLP, GRAPH_MLP, GLNN = "GraphSAGE", "MLP", "GraphMLP", "GLNN"
PROPAGATION, NEAREST = "Label propagation", "k-NN-GCN"

EMBEDDING_SHARE = "embedding share"  # root mean square of E over that of XW, first layer
CHANGED_WITHOUT = "test predictions that change without embeddings"  # in %

# The recipe that all methods share; the official code has a rate of 0.001 or 0.005 and the same decay.
LEARNING_RATE, WEIGHT_DECAY = 0.01, 5e-4
LAST_EPOCHS = 20  # averaged where no validation node can choose one
GRAPH_CHANNELS = 64  # GCN, GraphSAGE (official code: 64 to 256)
MLP_CHANNELS = 128  # both hidden layers (paper: 128 or 256)
STUDENT_CHANNELS = 256  # both MLPs (official code)
SE_STD = 0.1  # initial structural embeddings (official code: 1, see SEConv)
GRAPH_MLP_CHANNELS, GRAPH_MLP_NODES = 256, 2000  # as in its paper; the nodes are drawn anew for each step
PROPAGATION_ALPHAS, PROPAGATION_STEPS = (0.1, 0.5, 0.9), 50  # α is chosen on validation (paper: .01 to .99)


@dataclass
class Outcome:
    """What a trained method says about every node.

    Attributes
    ----------
    method
        Its name.
    scores
        Logits ``(N, C)`` in evaluation mode: of the selected epoch, or one for each of the last epochs where the
        protocol has no validation nodes.
    hidden
        Input of the last linear map ``(N, H)``.
    states
        Layer states, of graph convolutions.
    with_dropout
        Scores of one pass with dropout left on.
    validation
        Accuracy on the validation nodes, in %.
    notes
        Further figures to report, by metric.
    """

    method: str
    scores: list[Tensor]
    hidden: Tensor | None = None
    states: LayerStates | None = None
    with_dropout: Callable[[], Tensor] | None = None
    validation: float = float("nan")
    student: ColdBrewStudent | None = None
    notes: dict[str, float] = field(default_factory=dict)

    @property
    def final(self) -> Tensor:
        """The scores of the selected, or last, epoch."""
        return self.scores[-1]

    def accuracy(self, y: Tensor, mask: Tensor) -> float:
        """Return the accuracy on masked nodes in %, the mean over the kept epochs; NaN for an empty mask."""
        return float(np.mean([accuracy(scores, y, mask) for scores in self.scores]))


def recipe_of(settings: Settings, problem: Problem, **changes: float) -> Recipe:
    """Return the study's recipe; without validation nodes the last 20 epochs are averaged instead of selecting."""
    recipe = Recipe(
        epochs=settings.epochs,
        patience=settings.patience,
        learning_rate=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY,
        dropout=settings.dropout,
        keep_last=0 if bool(problem.masks.validation.any()) else min(LAST_EPOCHS, settings.epochs),
    )
    return replace(recipe, **changes)  # type: ignore[arg-type]


def _own_stream(problem: Problem, *names: object) -> AbstractContextManager[None]:
    """Return the random stream of one method on one cell; no other cell or method shifts it."""
    return random_stream(problem.seed, problem.dataset, problem.mode, *names)


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
    """Train a GCN, with or without structural embeddings."""
    recipe = recipe_of(settings, problem, **changes)
    with _own_stream(problem, method, "graph model", num_layers):
        model = SEGCN(
            problem.x.shape[1],
            GRAPH_CHANNELS,
            problem.n_classes,
            num_layers,
            problem.n_nodes,
            se=se,
            dropout=recipe.dropout,
            input_dropout=recipe.input_dropout,
            se_std=SE_STD,
        ).to(problem.y.device)
        masks = (problem.masks.train, problem.masks.validation)
        history = fit_graph_model(
            model, problem.x, problem.edges, problem.y, masks, recipe=recipe, se_penalty=se_penalty
        )
    outcome = _outcome(method, model, history, lambda: model(problem.x, problem.edges), problem)
    with torch.no_grad():
        outcome.states = model.states(problem.x, problem.edges)
    outcome.hidden = outcome.states.hidden
    outcome.notes |= _embedding_notes(model, problem, outcome.final)
    return outcome


@torch.no_grad()
def _embedding_notes(model: SEGCN, problem: Problem, scores: Tensor) -> dict[str, float]:
    """Tell how large structural embeddings are, and how many test predictions change without them."""
    first = model.convolutions[0]
    owned = [embedding for embedding in model.structural_embeddings() if embedding is not None]
    if not owned or not isinstance(first, SEConv) or first.structural is None:
        return {}
    share = first.structural.square().mean().sqrt() / first.linear(problem.x).square().mean().sqrt()
    kept = [embedding.clone() for embedding in owned]
    for embedding in owned:
        embedding.zero_()
    changed = model(problem.x, problem.edges).argmax(1) != scores.argmax(1)
    for embedding, values in zip(owned, kept, strict=True):
        embedding.copy_(values)
    tested = changed[problem.masks.test]
    return {
        EMBEDDING_SHARE: float(share),
        CHANGED_WITHOUT: 100.0 * float(tested.double().mean()) if tested.numel() else float("nan"),
    }


def _outcome(
    method: str, model: nn.Module, history: History, predict: Callable[[], Tensor], problem: Problem
) -> Outcome:
    model.eval()
    with torch.no_grad():
        final = predict()

    @torch.no_grad()
    def with_dropout() -> Tensor:
        model.train()
        scores = predict()
        model.eval()
        return scores

    return Outcome(
        method,
        history.last or [final],
        with_dropout=with_dropout,
        validation=_validation_accuracy(final, problem),
        notes={"epochs": float(history.epochs)},
    )


def _validation_accuracy(scores: Tensor, problem: Problem) -> float:
    mask = problem.masks.validation
    return accuracy(scores, problem.y, mask) if bool(mask.any()) else float("nan")


def train_nearest_neighbour_gcn(problem: Problem, settings: Settings) -> Outcome:
    """Train a GCN on the graph in which isolated nodes are tied to the five connected ones of most similar features."""
    added = nearest_neighbour_edges(problem.x, ~problem.connected, problem.connected)
    tied = problem.on_edges(torch.cat([problem.edge_index, added], dim=1))
    return train_graph_model(tied, settings, method=NEAREST)


def train_sage(problem: Problem, settings: Settings) -> Outcome:
    """Train GraphSAGE."""
    recipe = recipe_of(settings, problem)
    averaged = averaged_features(problem.x, problem.mean_edges)
    with _own_stream(problem, SAGE):
        model = GraphSAGE(problem.x.shape[1], GRAPH_CHANNELS, problem.n_classes, dropout=recipe.dropout).to(
            problem.y.device
        )

        def predict() -> Tensor:
            return model(problem.x, averaged, problem.mean_edges)

        history = _fit_labels(model, predict, problem, recipe)
    outcome = _outcome(SAGE, model, history, predict, problem)
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
    with _own_stream(problem, SIMPLE_MLP):
        model = MLP(problem.x.shape[1], [MLP_CHANNELS, MLP_CHANNELS], problem.n_classes, recipe.dropout).to(y.device)
        learnt, checked = _rows(problem.x, masks.train), _rows(problem.x, masks.validation)
        history = fit(
            model,
            lambda: functional.cross_entropy(model(learnt), y[masks.train]),
            recipe,
            validate=lambda: accuracy_and_loss(model(checked), y[masks.validation]),
            predict=lambda: model(problem.x),
        )
    return _with_hidden(_outcome(SIMPLE_MLP, model, history, lambda: model(problem.x), problem), model, problem.x)


def _with_hidden(outcome: Outcome, model: MLP | GraphMLP, x: Features) -> Outcome:
    with torch.no_grad():
        outcome.hidden = model.hidden(x)
    return outcome


def train_distilled_mlp(problem: Problem, settings: Settings, teacher: Outcome) -> Outcome:
    """Train GLNN: an MLP on the labels and on the teacher's outputs for all connected nodes."""
    recipe = recipe_of(settings, problem)
    masks, y, connected = problem.masks, problem.y, problem.connected
    taught = teacher.final
    with _own_stream(problem, GLNN, teacher.method):
        model = MLP(problem.x.shape[1], [MLP_CHANNELS, MLP_CHANNELS], problem.n_classes, recipe.dropout).to(y.device)
        checked = _rows(problem.x, masks.validation)
        history = fit(
            model,
            lambda: distillation_loss(model(problem.x), taught, y, masks.train, connected),
            recipe,
            validate=lambda: accuracy_and_loss(model(checked), y[masks.validation]),
            predict=lambda: model(problem.x),
        )
    return _with_hidden(_outcome(GLNN, model, history, lambda: model(problem.x), problem), model, problem.x)


def train_graph_mlp(problem: Problem, settings: Settings, *, weight: float = 10.0, temperature: float = 1.0) -> Outcome:
    """Train GraphMLP with the official code's shared setting: weight 10, τ = 1, third power of the adjacency.

    It is by far the costliest model of a step, and gets half of the epochs.
    """
    recipe = recipe_of(settings, problem).shorter(max(settings.epochs // 2, 1))
    power = neighbourhood_power(problem.edges)
    generator = numpy_generator(problem.seed, "cold_brew", problem.dataset, problem.mode, GRAPH_MLP, "batches")
    n_drawn = min(GRAPH_MLP_NODES, problem.n_nodes)
    train, validation, y = problem.masks.train, problem.masks.validation, problem.y
    with _own_stream(problem, GRAPH_MLP):
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
    return _with_hidden(_outcome(GRAPH_MLP, model, history, lambda: model(problem.x), problem), model, problem.x)


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
    reached = [_validation_accuracy(run.scores, problem) for run in runs]
    best = int(np.argmax(reached)) if bool(validation.any()) else 0
    unreached = 100.0 * float((runs[best].unreached & problem.masks.test).sum()) / max(int(problem.masks.test.sum()), 1)
    notes = {"alpha": alphas[best], "test nodes that no label reaches": unreached}
    return Outcome(PROPAGATION, [runs[best].scores], validation=reached[best], notes=notes)


@dataclass(frozen=True)
class StudentOptions:
    """The choices that the ablation ladder varies; the defaults are the study's student."""

    k: int = 3
    temperature: float = 1.0
    similarity: Similarity = "dot"
    inputs: tuple[Input, ...] = ("neighbours", "guess")
    distil_on: str = "connected"
    handover: Handover = "layers"


def student_options(settings: Settings) -> StudentOptions:
    """Return the study's choices."""
    return StudentOptions(settings.k, settings.temperature, distil_on=settings.distil_on)


@dataclass(frozen=True)
class TrainedGuess:
    """A student whose ξ₁ is trained, with the bank's embeddings; several ξ₂ can be built on it."""

    student: ColdBrewStudent
    embeddings: Tensor
    teacher: str
    distil_on: str


def train_guess(problem: Problem, settings: Settings, teacher: Outcome, options: StudentOptions) -> TrainedGuess:
    """Train ξ₁ to guess the teacher's embedding from the features, and fill the bank with the connected nodes."""
    assert teacher.states is not None
    embeddings = hand_over(teacher.states, options.handover)
    learnt = problem.connected if options.distil_on == "connected" else problem.masks.train & problem.connected
    with _own_stream(problem, STUDENT, "guess", teacher.method, options.distil_on, options.handover):
        student = _new_student(problem, settings, embeddings.shape[1], options)
        # ξ₁ holds out nodes of its own, so that it is selected in either protocol.
        recipe = recipe_of(settings, problem, keep_last=0)
        with suppress(DivergenceError):  # the rows of this student are then NaN
            student.fit_embedding(problem.x, embeddings, learnt, recipe)
    student.build_bank(embeddings, problem.connected)
    return TrainedGuess(student, embeddings, teacher.method, options.distil_on)


def _new_student(problem: Problem, settings: Settings, width: int, options: StudentOptions) -> ColdBrewStudent:
    return ColdBrewStudent(
        problem.x.shape[1],
        width,
        problem.n_classes,
        options.k,
        options.temperature,
        similarity=options.similarity,
        inputs=options.inputs,
        hidden_channels=STUDENT_CHANNELS,
        dropout=settings.dropout,
    ).to(problem.y.device)


def train_student(problem: Problem, settings: Settings, guess: TrainedGuess, options: StudentOptions) -> Outcome:
    """Train ξ₂ on a trained ξ₁; many variants share one ξ₁."""
    masks = problem.masks
    with _own_stream(problem, STUDENT, "classifier", guess.teacher, guess.distil_on, *map(str, options.inputs)):
        student = _new_student(problem, settings, guess.embeddings.shape[1], options)
        student.guesser.load_state_dict(guess.student.guesser.state_dict())
        student.centre, student.scale = guess.student.centre, guess.student.scale
        student.build_bank(guess.embeddings, problem.connected)
        recipe = recipe_of(settings, problem)
        try:
            history = student.fit_classifier(problem.x, problem.y, masks.train, masks.validation, recipe)
        except DivergenceError as error:
            history = error.history
    nodes = torch.arange(problem.n_nodes, device=problem.y.device)
    extra = student.extra_inputs(problem.x, nodes)

    def predict() -> Tensor:
        return student.classifier(problem.x, *extra)

    outcome = _outcome(STUDENT, student.classifier, history, predict, problem)
    with torch.no_grad():
        outcome.hidden = student.classifier.hidden(problem.x, *extra)
    outcome.student = student

    @torch.no_grad()
    def with_dropout() -> Tensor:
        # ξ₁ drops values, too: the guess and the look-up are made anew in every pass.
        student.train()
        scores = student.classifier(problem.x, *student.extra_inputs(problem.x, nodes, dropout=True))
        student.eval()
        return scores

    outcome.with_dropout = with_dropout
    return outcome
