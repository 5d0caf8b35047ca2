"""One (graph, seed) of the study: every method is trained at most once, when a part of the study first asks for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from reprise.cold_brew.data import EMBEDDED
from reprise.cold_brew.methods import (
    spread_labels,
    train_distilled_mlp,
    train_graph_mlp,
    train_graph_model,
    train_mlp,
    train_nearest_neighbour_gcn,
    train_sage,
)
from reprise.cold_brew.outcome import (
    GCN,
    GLNN,
    GRAPH_MLP,
    NEAREST,
    PROPAGATION,
    SAGE,
    SIMPLE_MLP,
    STUDENT,
    TEACHER,
    Outcome,
)
from reprise.cold_brew.problem import Problem
from reprise.cold_brew.settings import Settings
from reprise.cold_brew.student_variants import (
    StudentOptions,
    TrainedGuess,
    student_options,
    train_guess,
    train_student,
)

MAIN_METHODS = (GCN, SAGE, SIMPLE_MLP, PROPAGATION, GLNN, TEACHER, STUDENT)
Row = dict[str, Any]


def methods_of(dataset: str, settings: Settings) -> tuple[str, ...]:
    """Return the methods that are compared on a graph."""
    if dataset not in settings.full_study_datasets:
        return MAIN_METHODS
    # GraphMLP is the costliest model; no claim compares it on the generator.
    return (*MAIN_METHODS, NEAREST) if dataset == EMBEDDED else (*MAIN_METHODS, NEAREST, GRAPH_MLP)


class Cell:
    """The methods trained on one problem, each when first asked for.

    Every method draws from a random stream of its own, so that the order of asking does not matter.

    Parameters
    ----------
    problem
        Graph, groups and masks.
    settings
        The study's settings.
    like
        A cell whose choice of η this one takes over, because it is a variant of that problem. ``None``: η is chosen
        on this problem's own validation nodes.
    """

    def __init__(self, problem: Problem, settings: Settings, *, like: Cell | None = None) -> None:
        self.problem, self.settings, self._like = problem, settings, like
        self._chosen: Outcome | None = None
        self._outcomes: dict[str, Outcome] = {}
        self._guesses: dict[tuple[str, str, str], TrainedGuess] = {}
        self._students: dict[tuple[str, StudentOptions], Outcome] = {}
        self._trainers: Mapping[str, Callable[[], Outcome]] = {
            GCN: lambda: train_graph_model(problem, settings),
            TEACHER: self._train_teacher,
            SAGE: lambda: train_sage(problem, settings),
            SIMPLE_MLP: lambda: train_mlp(problem, settings),
            GRAPH_MLP: lambda: train_graph_mlp(problem, settings),
            PROPAGATION: lambda: spread_labels(problem, settings),
            NEAREST: lambda: train_nearest_neighbour_gcn(problem, settings),
            GLNN: lambda: train_distilled_mlp(problem, settings, self.outcome(GCN)),
            STUDENT: self._train_student,
        }

    def outcome(self, method: str) -> Outcome:
        """Return a method's outcome."""
        if method not in self._outcomes:
            self._outcomes[method] = self._trainers[method]()
        return self._outcomes[method]

    def better(self, *methods: str) -> Outcome:
        """Return the outcome of best validation accuracy, the first of equals; the last where none can be told."""
        outcomes = [self.outcome(method) for method in methods]
        if any(outcome.validation != outcome.validation for outcome in outcomes):
            return outcomes[-1]
        return max(outcomes, key=lambda outcome: outcome.validation)

    def guess(self, teacher: str, options: StudentOptions) -> TrainedGuess:
        """Return ξ₁ trained on a teacher's embeddings."""
        key = (teacher, options.distil_on, options.handover)
        if key not in self._guesses:
            self._guesses[key] = train_guess(self.problem, self.settings, self.outcome(teacher), options)
        return self._guesses[key]

    def student(self, teacher: str, options: StudentOptions | None = None) -> Outcome:
        """Return a student with some choices of its own."""
        chosen = options or student_options(self.settings)
        key = (teacher, chosen)
        if key not in self._students:
            self._students[key] = train_student(self.problem, self.settings, self.guess(teacher, chosen), chosen)
        return self._students[key]

    @cached_property
    def se_penalty(self) -> float:
        """η: of the grid, the value of best accuracy on this seed's validation nodes, the smallest of equals."""
        if self._like is not None:
            return self._like.se_penalty
        if len(self.settings.se_penalties) == 1 or not bool(self.problem.masks.validation.any()):
            return self.settings.se_penalties[0]
        tried = [
            train_graph_model(self.problem, self.settings, method=TEACHER, se="first", se_penalty=penalty)
            for penalty in self.settings.se_penalties
        ]
        reached = [-math.inf if math.isnan(outcome.validation) else outcome.validation for outcome in tried]
        best = reached.index(max(reached))
        self._chosen = tried[best]
        return self.settings.se_penalties[best]

    def _train_teacher(self) -> Outcome:
        penalty = self.se_penalty
        # The choice of η has trained the chosen one already.
        outcome = self._chosen or train_graph_model(
            self.problem, self.settings, method=TEACHER, se="first", se_penalty=penalty
        )
        outcome.notes["structural penalty"] = penalty
        return outcome

    def _train_student(self) -> Outcome:
        """Train a student from each teacher and keep the better on validation; the SE teacher's if undecided."""
        candidates = [(teacher, self.student(teacher)) for teacher in (TEACHER, GCN)]
        undecided = any(outcome.validation != outcome.validation for _, outcome in candidates)
        teacher, best = candidates[0] if undecided else max(candidates, key=lambda pair: pair[1].validation)
        best.notes["teacher has structural embeddings"] = float(teacher == TEACHER)
        return best

    def row(
        self, split: str, method: str, metric: str, value: float, *, setting: str | None = None, at: float | None = None
    ) -> Row:
        """Return one tidy row of this cell."""
        return {
            "dataset": self.problem.dataset,
            "split": split,
            "method": method,
            "seed": self.problem.seed,
            "metric": metric,
            "value": value,
            "mode": self.problem.mode,
            "setting": setting,
            "at": float("nan") if at is None else float(at),
        }

    def group_rows(
        self, outcome: Outcome, metric: str, *, setting: str | None = None, at: float | None = None
    ) -> list[Row]:
        """Return the accuracy on the test nodes of each group."""
        return [
            self.row(split, outcome.method, metric, outcome.accuracy(self.problem.y, mask), setting=setting, at=at)
            for split, mask in self.problem.test_groups().items()
        ]
