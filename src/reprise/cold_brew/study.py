"""The study: from settings to tidy rows.

A cell is one graph with one seed; its rows depend on no other cell. Within a cell the parts of the study share the
trained methods. Accuracies are in %, on test nodes; the model of the epoch of best accuracy over all validation nodes
is used for all groups (selection rule ``val-all``), in mode ``code`` the mean over the last 20 epochs.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from reprise.cold_brew import audits, sweeps
from reprise.cold_brew.cell import Cell, Row, methods_of
from reprise.cold_brew.data import EMBEDDED
from reprise.cold_brew.feature_contribution import bootstrap_ratio
from reprise.cold_brew.graph import node_homophily
from reprise.cold_brew.measures import degree_bins, paired_bootstrap
from reprise.cold_brew.outcome import (
    GCN,
    GLNN,
    GRAPH_MLP,
    PROPAGATION,
    SAGE,
    SIMPLE_MLP,
    STUDENT,
    TEACHER,
    Outcome,
)
from reprise.cold_brew.problem import Problem, make_problem
from reprise.cold_brew.settings import Part, Settings
from reprise.compute import numpy_generator, use_deterministic_algorithms, use_threads
from reprise.rows import tidy

if TYPE_CHECKING:
    import pandas as pd

GRAPH = "graph"
ORIGINAL = "original graph"
DIFFERENCES = ("difference", "difference, low end over test nodes", "difference, high end over test nodes")
BOOTSTRAP_DRAWS = 500  # of test nodes
# Graphs run in the released code's protocol, too; graphs of the link prediction (Table 4).
CODE_MODE_DATASETS = ("cora", "citeseer", "chameleon")
LINK_DATASETS = (EMBEDDED, "cora", "citeseer", "pubmed")
CODE_METHODS = (GCN, SAGE, SIMPLE_MLP, GRAPH_MLP, TEACHER, STUDENT)  # those of Table 3


def run(settings: Settings) -> pd.DataFrame:
    """Run the study.

    Parameters
    ----------
    settings
        What to run.

    Returns
    -------
    pandas.DataFrame
        Tidy rows; besides the common columns ``mode`` (protocol), ``setting`` (variant of a method) and ``at`` (the
        number that a sweep varies).
    """
    use_threads(settings.threads)
    use_deterministic_algorithms()
    rows: list[Row] = []
    for dataset in settings.datasets:
        for seed in settings.seeds:
            if settings.runs(dataset, seed):
                rows.extend(run_cell(dataset, seed, settings))
    return tidy(rows)


def run_cell(dataset: str, seed: int, settings: Settings) -> list[Row]:
    """Run all parts of the study on one graph with one seed."""
    cell = Cell(make_problem(dataset, seed, settings), settings)
    rows: list[Row] = []
    with warnings.catch_warnings():
        # An undefined ratio and an empty group are reported as NaN; the warnings are for users of the library.
        warnings.filterwarnings("ignore", message="the feature contribution ratio is undefined")
        warnings.filterwarnings("ignore", message="a group has no node to test on")
        for part in settings.parts:
            if applies(part, dataset, seed, settings):
                rows.extend(_PARTS[part](cell))
    return rows


def applies(part: Part, dataset: str, seed: int, settings: Settings) -> bool:
    """Tell whether a part of the study is run on a graph with a seed."""
    if not settings.runs(part, seed):
        return False
    if part in ("groups", "contribution"):
        return True
    only = {"depth": settings.depth_datasets, "homophily": (EMBEDDED,), "links": LINK_DATASETS}
    return dataset in only.get(part, settings.full_study_datasets)


def compare_groups(cell: Cell) -> Iterable[Row]:
    """Accuracy of every method on isolation, tail, head and all nodes (Tables 3 and 10), and by exact degree."""
    problem, settings = cell.problem, cell.settings
    for split, mask in problem.test_groups().items():
        yield cell.row(split, GRAPH, "test nodes", float(mask.sum()))
        yield cell.row(split, GRAPH, "nodes", float(problem.split.groups()[split].sum()))
    for method in methods_of(problem.dataset, settings):
        outcome = cell.outcome(method)
        yield from cell.group_rows(outcome, "accuracy")
        if method != PROPAGATION:  # which hands them their labels
            fitted = outcome.accuracy(problem.y, problem.masks.train)
            yield cell.row("overall", method, audits.ON_TRAINING_NODES, fitted)
        predicted = outcome.final[problem.masks.test].argmax(1).unique().numel()
        yield cell.row("overall", method, "predicted classes", float(predicted))
        for metric, value in outcome.notes.items():
            yield cell.row("overall", method, metric, value)
    yield from by_degree(cell)
    yield from paired_differences(cell)
    if problem.dataset in CODE_MODE_DATASETS:
        yield from compare_in_code_mode(cell)


def by_degree(cell: Cell) -> Iterable[Row]:
    """Accuracy on test nodes by their degree in the crafted graph (not in the paper)."""
    problem = cell.problem
    for name, (low, mask) in degree_bins(problem.split.degree).items():
        tested = mask & problem.masks.test
        if not bool(tested.any()):
            continue
        split = f"degree {name}"
        yield cell.row(split, GRAPH, "test nodes", float(tested.sum()), at=low)
        for method in (GCN, SIMPLE_MLP, GLNN, TEACHER, STUDENT):
            value = cell.outcome(method).accuracy(problem.y, tested)
            yield cell.row(split, method, "accuracy by degree", value, at=low)


def paired_differences(cell: Cell) -> Iterable[Row]:
    """The student minus each other method, with a bootstrap interval over the test nodes of a group."""
    problem = cell.problem
    student = (cell.outcome(STUDENT).final.argmax(1) == problem.y).numpy(force=True)
    generator = numpy_generator(problem.seed, "cold_brew", problem.dataset, "paired bootstrap")
    for method in methods_of(problem.dataset, cell.settings):
        if method == STUDENT:
            continue
        other = (cell.outcome(method).final.argmax(1) == problem.y).numpy(force=True)
        for split, mask in problem.test_groups().items():
            tested = mask.numpy(force=True)
            ends = paired_bootstrap(student[tested], other[tested], n_draws=BOOTSTRAP_DRAWS, generator=generator)
            for metric, value in zip(DIFFERENCES, ends, strict=True):
                yield cell.row(split, STUDENT, metric, value, setting=f"minus {method}")


def compare_in_code_mode(cell: Cell) -> Iterable[Row]:
    """The same comparison in the released code's protocol, evaluated with dropout off and on."""
    problem = make_problem(cell.problem.dataset, cell.problem.seed, cell.settings, mode="code")
    other = Cell(problem, cell.settings, like=cell)  # no validation nodes to choose η on
    for split, mask in problem.test_groups().items():
        yield other.row(split, GRAPH, "test nodes", float(mask.sum()))
    for method in CODE_METHODS:
        yield from other.group_rows(other.outcome(method), "accuracy")
        yield from audits.dropout_rows(other, other.outcome(method))
    yield from audits.input_dropout_rows(other)


def measure_contribution(cell: Cell) -> Iterable[Row]:
    """Feature contribution ratio (Tables 2 and 11): three models, the original graph, the same test nodes."""
    settings = cell.settings
    whole = cell.problem.on_edges(cell.problem.original_edge_index)
    original = Cell(whole, settings, like=cell)
    gnn = original.better(GCN, TEACHER)
    outcomes = {"GNN": gnn, SIMPLE_MLP: cell.outcome(SIMPLE_MLP), PROPAGATION: original.outcome(PROPAGATION)}
    for name, outcome in outcomes.items():
        value = outcome.accuracy(whole.y, whole.masks.test)
        yield cell.row(ORIGINAL, name, "accuracy on the original graph", value)
    yield cell.row(ORIGINAL, GRAPH, "homophily", node_homophily(whole.edge_index, whole.y))
    yield cell.row(ORIGINAL, GRAPH, "the GNN has structural embeddings", float(gnn.method == TEACHER))
    yield from ratio_rows(cell, whole, outcomes)


def ratio_rows(cell: Cell, problem: Problem, outcomes: Mapping[str, Outcome]) -> Iterable[Row]:
    """The ratio with its bootstrap interval over test nodes."""
    test, y = problem.masks.test, problem.y
    correct = {name: (o.final.argmax(1) == y)[test].numpy(force=True) for name, o in outcomes.items()}
    interval = bootstrap_ratio(
        correct["GNN"],
        correct[SIMPLE_MLP],
        correct[PROPAGATION],
        n_draws=BOOTSTRAP_DRAWS,
        seed=problem.seed,
    )
    yield cell.row(ORIGINAL, GRAPH, "fcr", interval.value)
    yield cell.row(ORIGINAL, GRAPH, "fcr, low end over test nodes", interval.low)
    yield cell.row(ORIGINAL, GRAPH, "fcr, high end over test nodes", interval.high)


_PARTS: Mapping[Part, Callable[[Cell], Iterable[Row]]] = {
    "groups": compare_groups,
    "contribution": measure_contribution,
    "dropout": audits.audit_dropout,
    "ladder": audits.climb_ladder,
    "retrieval": audits.sweep_retrieval,
    "switch": audits.switch_by_degree,
    "noise": audits.add_noisy_edges,
    "clusters": audits.measure_clusters,
    "depth": sweeps.sweep_depth,
    "links": sweeps.predict_links,
    "homophily": sweeps.sweep_homophily,
    "control": sweeps.control_with_noise,
}
