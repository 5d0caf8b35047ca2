"""What the published protocol leaves open: evaluation with dropout on, ablations, retrieval, degree switch, noise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from reprise.cold_brew.cell import Cell, Row, methods_of
from reprise.cold_brew.latent_neighbours import Input
from reprise.cold_brew.measures import label_agreement, purity
from reprise.cold_brew.methods import (
    train_distilled_mlp,
    train_graph_model,
    train_mlp,
    train_teacher_from_noise,
)
from reprise.cold_brew.outcome import (
    GCN,
    GLNN,
    GRAPH_CHANNELS,
    GRAPH_MLP,
    SAGE,
    SIMPLE_MLP,
    STUDENT,
    TEACHER,
    Outcome,
)
from reprise.cold_brew.problem import SCARCE_LABELS, Problem, make_problem
from reprise.cold_brew.sparse import factor_to_norm, scale_features, take_rows
from reprise.cold_brew.student_variants import StudentOptions, labelled_nodes, student_options
from reprise.cold_brew.training import accuracy, random_stream
from reprise.compute import numpy_generator

SWITCH = "Degree switch"
INFINITE = float("inf")
SWITCH_DEGREES = (0, 1, 2, 3, 4, 6, 9, 17, 33, INFINITE)  # teacher for all … student for all
TEMPERATURES = (0.1, 1.0, 10.0, INFINITE)
INPUT_DROPOUT = 0.6  # share of input values (official code, Cora)
DROPOUT_PASSES = 5  # averaged over
WITH_DROPOUT = "accuracy with dropout on"
ON_TRAINING_NODES = "accuracy on training nodes"


def dropout_rows(cell: Cell, outcome: Outcome, *, setting: str | None = None) -> Iterable[Row]:
    """Accuracy in each group when dropout stays on at evaluation, the mean over some passes (Pitfall of the code)."""
    if outcome.with_dropout is None:
        return
    problem = cell.problem
    with random_stream(problem.seed, problem.dataset, problem.mode, "dropout on", outcome.method, setting):
        passes = [outcome.with_dropout() for _ in range(DROPOUT_PASSES)]
    for split, mask in problem.test_groups().items():
        value = float(np.mean([accuracy(scores, problem.y, mask) for scores in passes]))
        yield cell.row(split, outcome.method, WITH_DROPOUT, value, setting=setting)


def audit_dropout(cell: Cell) -> Iterable[Row]:
    """Every method with dropout left on at evaluation; GCN and teacher also with input dropout."""
    compared = set(methods_of(cell.problem.dataset, cell.settings))
    for method in sorted(compared & {GCN, SAGE, SIMPLE_MLP, GRAPH_MLP, TEACHER, STUDENT}):
        yield from dropout_rows(cell, cell.outcome(method))
    yield from input_dropout_rows(cell)


def input_dropout_rows(cell: Cell) -> Iterable[Row]:
    """GCN and teacher trained with input dropout, as the code has it, evaluated with dropout off and on."""
    for method, options in ((GCN, {}), (TEACHER, {"se": "first", "se_penalty": cell.se_penalty})):
        outcome = train_graph_model(
            cell.problem,
            cell.settings,
            method=method,
            input_dropout=INPUT_DROPOUT,
            **options,  # type: ignore[arg-type]
        )
        setting = "input dropout"
        yield from cell.group_rows(outcome, "accuracy with dropout off", setting=setting)
        yield from dropout_rows(cell, outcome, setting=setting)


def ladder_rungs(base: StudentOptions) -> dict[str, tuple[str, StudentOptions]]:
    """Return the rungs between GLNN and the full student: name, teacher, choices."""
    near: tuple[Input, ...] = ("neighbours",)
    guess: tuple[Input, ...] = ("guess",)
    both: tuple[Input, ...] = ("neighbours", "guess")
    connected = replace(base, distil_on="connected")
    return {
        "ê only": (GCN, replace(connected, inputs=guess)),
        "ẽ by mean": (GCN, replace(connected, inputs=near, temperature=INFINITE)),
        "ẽ by cosine": (GCN, replace(connected, inputs=near, similarity="cosine")),
        "ẽ by softmax": (GCN, replace(connected, inputs=near)),
        "ẽ and ê": (GCN, replace(connected, inputs=both)),
        "ẽ and ê, not scaled": (GCN, replace(connected, inputs=both, scale_parts=False)),
        "ẽ and ê, finds itself": (GCN, replace(connected, inputs=both, exclude_self=False)),
        "ẽ and ê, ξ₂ on cold nodes": (GCN, replace(connected, inputs=both, classify_on="cold")),
        "ẽ and ê, output only": (GCN, replace(connected, inputs=both, handover="output")),
        "ẽ and ê, SE teacher": (TEACHER, replace(connected, inputs=both)),
        "distilled on training nodes": (GCN, replace(base, inputs=both, distil_on="train")),
        "distilled on training nodes, SE teacher": (TEACHER, replace(base, inputs=both, distil_on="train")),
    }


def climb_ladder(cell: Cell) -> Iterable[Row]:
    """The ablation ladder, from MLP over plain distillation to the full student, and all of it with few labels."""
    yield from _rungs(cell, "accuracy on the ladder")
    if int(cell.problem.masks.train.sum()) > SCARCE_LABELS * cell.problem.n_classes:
        scarce = make_problem(cell.problem.dataset, cell.problem.seed, cell.settings, scarce=True)
        yield from _rungs(Cell(scarce, cell.settings), "accuracy with few labels")


def _rungs(cell: Cell, metric: str) -> Iterable[Row]:
    for method in (SIMPLE_MLP, GLNN, GCN, TEACHER):
        yield from cell.group_rows(cell.outcome(method), metric)
    for name, outcome in rescaled_baselines(cell).items():
        yield from cell.group_rows(outcome, metric, setting=name)
    noisy, masked = train_teacher_from_noise(cell.problem, cell.settings, cell.se_penalty)
    yield from cell.group_rows(noisy, metric, setting="E from noise")
    yield from cell.group_rows(masked, metric, setting="E from noise, masked")
    for name, (teacher, options) in ladder_rungs(student_options(cell.settings)).items():
        learnt = labelled_nodes(cell.problem, options)
        if not bool(learnt.any()):
            continue
        outcome = cell.student(teacher, options)
        yield from cell.group_rows(outcome, metric, setting=name)
        fitted = outcome.accuracy(cell.problem.y, learnt)
        yield cell.row("training nodes", STUDENT, metric, fitted, setting=name)


def rescaled_baselines(cell: Cell) -> dict[str, Outcome]:
    """Return MLP, GLNN and GCN on features of the size in which ξ₂ reads them: whether it is the size that helps."""
    problem = cell.problem
    width = GRAPH_CHANNELS + problem.n_classes  # of the embedding that all layers hand over
    learnt = take_rows(problem.x, torch.nonzero(problem.masks.train).flatten())
    rescaled = problem.with_features(scale_features(problem.x, factor_to_norm(learnt, width)))
    return {
        "MLP, x scaled": train_mlp(rescaled, cell.settings),
        "GLNN, x scaled": train_distilled_mlp(rescaled, cell.settings, cell.outcome(GCN)),
        "GCN, x scaled": train_graph_model(rescaled, cell.settings),
    }


def sweep_retrieval(cell: Cell) -> Iterable[Row]:
    """K and temperature of the look-up, and how many of the latent neighbours share the query's label."""
    settings, problem = cell.settings, cell.problem
    base = student_options(settings)
    connected = int(problem.connected.sum())
    for k in settings.k_sweep:
        if k < connected:
            outcome = cell.student(TEACHER, replace(base, k=k))
            yield from cell.group_rows(outcome, "accuracy by number of latent neighbours", at=k)
            yield from _purity_rows(cell, outcome, k)
    for temperature in TEMPERATURES:
        outcome = cell.student(TEACHER, replace(base, temperature=temperature))
        setting = "mean" if temperature == INFINITE else f"τ = {temperature:g}"
        yield from cell.group_rows(outcome, "accuracy by temperature", setting=setting)


def _purity_rows(cell: Cell, outcome: Outcome, k: int) -> Iterable[Row]:
    assert outcome.student is not None
    problem = cell.problem
    nodes = torch.arange(problem.n_nodes, device=problem.y.device)
    index, _ = outcome.student.latent_neighbours(problem.x, nodes)
    for split, mask in problem.test_groups().items():
        value = purity(index[mask], problem.y[mask], problem.y)
        yield cell.row(split, STUDENT, "purity of latent neighbours", value, at=k)


def switch_by_degree(cell: Cell) -> Iterable[Row]:
    """Teacher for nodes of high degree, student for the others; the degree is chosen on validation."""
    problem = cell.problem
    graph, student = cell.better(TEACHER, GCN), cell.outcome(STUDENT)
    candidates = {
        low: choose_by_degree(graph.final, student.final, problem.split.degree, low) for low in SWITCH_DEGREES
    }
    reached = {low: accuracy(scores, problem.y, problem.masks.validation) for low, scores in candidates.items()}
    best = max(reached, key=lambda low: reached[low])
    yield from cell.group_rows(Outcome(SWITCH, [candidates[best]]), "accuracy")
    # Where the student answers for all, the first degree that no node has: a row holds no infinity.
    highest = float(problem.split.degree.max()) + 1
    yield cell.row("overall", SWITCH, "degree of the switch", min(best, highest))
    for split, mask in problem.test_groups().items():
        value = max(accuracy(o.final, problem.y, mask) for o in (graph, student))
        yield cell.row(split, SWITCH, "accuracy of the better of the two", value)


def choose_by_degree(teacher: Tensor, student: Tensor, degree: Tensor, low: float) -> Tensor:
    """Return the teacher's scores for nodes of at least this degree, the student's for the others."""
    return torch.where((degree >= low).unsqueeze(1), teacher, student)


def add_noisy_edges(cell: Cell) -> Iterable[Row]:
    """Noisy instead of missing neighbours: a share of the tail's edges leads to random nodes."""
    metric = "accuracy with noisy tail edges"
    for share in cell.settings.noise_shares:
        edges = rewire_tail(cell.problem, share)
        noisy = cell if share == 0 else Cell(cell.problem.on_edges(edges), cell.settings, like=cell)
        for outcome in (noisy.outcome(GCN), noisy.outcome(TEACHER), cell.outcome(SIMPLE_MLP), noisy.student(GCN)):
            yield from cell.group_rows(outcome, metric, at=share)


def rewire_tail(problem: Problem, share: float) -> Tensor:
    """Return the graph in which a share of the tail's edges lead from the tail node to a random connected node.

    Parameters
    ----------
    problem
        Graph and groups.
    share
        Probability, for each edge that touches the tail, of being replaced.

    Returns
    -------
    Tensor
        ``(2, n_edges)``, undirected.
    """
    from torch_geometric.utils import coalesce, remove_self_loops, to_undirected

    generator = numpy_generator(problem.seed, "cold_brew", problem.dataset, "noisy edges")
    source, target = problem.edge_index[:, problem.edge_index[0] < problem.edge_index[1]]
    tail = problem.split.tail
    touched = tail[source] | tail[target]
    replaced = touched & torch.as_tensor(generator.random(source.numel()) < share, device=source.device)
    keeps = torch.where(tail[source], source, target)
    connected = torch.nonzero(problem.connected).flatten()
    drawn = torch.as_tensor(generator.integers(connected.numel(), size=source.numel()), device=source.device)
    new_source = torch.where(replaced, keeps, source)
    new_target = torch.where(replaced, connected[drawn], target)
    edges, _ = remove_self_loops(torch.stack([new_source, new_target]))
    return coalesce(to_undirected(edges, num_nodes=problem.n_nodes), num_nodes=problem.n_nodes)


def measure_clusters(cell: Cell) -> Iterable[Row]:
    """How many isolated and tail nodes lie among connected nodes of their own label (Fig. 4, as a number)."""
    problem = cell.problem
    compared = set(methods_of(problem.dataset, cell.settings))
    for method in sorted(compared & {GCN, SIMPLE_MLP, GRAPH_MLP, TEACHER, STUDENT}):
        hidden = cell.outcome(method).hidden
        assert hidden is not None
        for split in ("isolation", "tail"):
            queries = problem.test_groups()[split]
            value = label_agreement(hidden, queries, problem.connected, problem.y)
            yield cell.row(split, method, "label agreement with the 10 nearest", value)
