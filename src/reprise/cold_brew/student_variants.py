"""Cold Brew's student on a `Problem`: ξ₁ is trained once for each teacher, and many variants of ξ₂ are built on it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from reprise.cold_brew.latent_neighbours import Input, Similarity
from reprise.cold_brew.outcome import STUDENT, Outcome, outcome_of, own_stream, recipe_of
from reprise.cold_brew.problem import Problem
from reprise.cold_brew.student import ColdBrewStudent
from reprise.cold_brew.teacher import Handover, hand_over
from reprise.cold_brew.training import DivergenceError

if TYPE_CHECKING:
    from reprise.cold_brew.settings import Settings

STUDENT_CHANNELS = 256  # both MLPs (official code)


@dataclass(frozen=True)
class StudentOptions:
    """The choices that the ablation ladder varies; the defaults are the study's student."""

    k: int = 3
    temperature: float = 1.0
    similarity: Similarity = "dot"
    inputs: tuple[Input, ...] = ("neighbours", "guess")
    distil_on: str = "connected"
    handover: Handover = "layers"
    scale_parts: bool = True
    exclude_self: bool = True
    classify_on: Literal["all", "cold"] = "all"


def labelled_nodes(problem: Problem, options: StudentOptions) -> Tensor:
    """Return the mask ``(N,)`` of the nodes that ξ₂ learns from.

    All training nodes, as in the released code, or with ``"cold"`` those in isolation and tail, as in the paper's text.
    """
    train = problem.masks.train
    return train & (problem.split.isolation | problem.split.tail) if options.classify_on == "cold" else train


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
    with own_stream(problem, STUDENT, "guess", teacher.method, options.distil_on, options.handover):
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
        scale_parts=options.scale_parts,
        exclude_self=options.exclude_self,
    ).to(problem.y.device)


def train_student(problem: Problem, settings: Settings, guess: TrainedGuess, options: StudentOptions) -> Outcome:
    """Train ξ₂ on a trained ξ₁; many variants share one ξ₁."""
    train, validation = labelled_nodes(problem, options), problem.masks.validation
    with own_stream(problem, STUDENT, "classifier", guess.teacher, guess.distil_on, *map(str, options.inputs)):
        student = _new_student(problem, settings, guess.embeddings.shape[1], options)
        student.guesser.load_state_dict(guess.student.guesser.state_dict())
        student.centre, student.scale = guess.student.centre, guess.student.scale
        student.build_bank(guess.embeddings, problem.connected)
        recipe = recipe_of(settings, problem)
        try:
            history = student.fit_classifier(problem.x, problem.y, train, validation, recipe)
        except DivergenceError as error:
            history = error.history
    nodes = torch.arange(problem.n_nodes, device=problem.y.device)
    parts = student.classifier_inputs(problem.x, nodes)
    outcome = outcome_of(STUDENT, student.classifier, history, lambda: student.classifier(*parts), problem)
    with torch.no_grad():
        outcome.hidden = student.classifier.hidden(*parts)
    outcome.student = student

    @torch.no_grad()
    def with_dropout() -> Tensor:
        # ξ₁ drops values, too: the guess and the look-up are made anew in every pass.
        student.train()
        scores = student.classifier(*student.classifier_inputs(problem.x, nodes, dropout=True))
        student.eval()
        return scores

    outcome.with_dropout = with_dropout
    return outcome
