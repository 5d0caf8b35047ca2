"""Depth, homophily, link prediction, and the control with features of noise."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from reprise.cold_brew.cell import Cell, Row
from reprise.cold_brew.data import sub_topic_world
from reprise.cold_brew.feature_contribution import feature_contribution_ratio
from reprise.cold_brew.graph import node_homophily
from reprise.cold_brew.link_prediction import link_reciprocal_ranks
from reprise.cold_brew.measures import mean_pairwise_cosine
from reprise.cold_brew.methods import train_graph_model
from reprise.cold_brew.outcome import GCN, PROPAGATION, SIMPLE_MLP, STUDENT, TEACHER
from reprise.cold_brew.problem import choose_masks, problem_from
from reprise.compute import numpy_generator

HOMOPHILIES = (1.0, 0.8, 0.6, 0.4, 0.2)  # of the generator's edges
# Not the two-layer choice of η, which can be large enough to leave no embedding.
DEPTH_SE_PENALTY = 0.0


def sweep_depth(cell: Cell) -> Iterable[Row]:
    """Accuracy of deep GCNs with structural embeddings in every layer and with none (Table 6); no other trick."""
    settings = cell.settings
    for depth in settings.depths:
        for method, se in ((GCN, "none"), (TEACHER, "all")):
            outcome = train_graph_model(
                cell.problem,
                settings,
                method=method,
                se=se,  # type: ignore[arg-type]
                se_penalty=DEPTH_SE_PENALTY,
                num_layers=depth,
                epochs=settings.depth_epochs,
                patience=settings.depth_epochs,
            )
            yield from cell.group_rows(outcome, f"accuracy at {depth} layers", at=depth)
            assert outcome.hidden is not None
            cosine = mean_pairwise_cosine(outcome.hidden)
            yield cell.row("overall", method, "mean pairwise cosine", cosine, at=depth)


def sweep_homophily(cell: Cell) -> Iterable[Row]:
    """The ratio against homophily on the generator, everything else being equal."""
    seed, settings = cell.problem.seed, cell.settings
    for homophily in HOMOPHILIES:
        data = sub_topic_world(seed, homophily=homophily)
        masks = choose_masks(data, seed, settings, mode="paper10", scarce=False)
        crafted = problem_from(data, masks, seed, settings)
        whole = Cell(crafted.on_edges(crafted.original_edge_index), settings)
        test, y = crafted.masks.test, crafted.y
        z = {method: whole.outcome(method).accuracy(y, test) for method in (GCN, SIMPLE_MLP, PROPAGATION)}
        for method, value in z.items():
            yield cell.row("generator", method, "accuracy of the sweep", value, at=homophily)
        ratio = feature_contribution_ratio(z[GCN], z[SIMPLE_MLP], z[PROPAGATION])
        yield cell.row("generator", "graph", "fcr of the sweep", ratio, at=homophily)
        measured = node_homophily(crafted.original_edge_index, y)
        yield cell.row("generator", "graph", "homophily of the sweep", measured, at=homophily)


def control_with_noise(cell: Cell) -> Iterable[Row]:
    """The control in which nothing may be found: with features of noise a cold node can only be guessed."""
    problem = cell.problem
    generator = numpy_generator(problem.seed, "cold_brew", problem.dataset, "noise features")
    noise = torch.as_tensor(generator.standard_normal((problem.n_nodes, 64)), dtype=torch.float32)
    blind = Cell(problem.with_features(noise.to(problem.y.device)), cell.settings, like=cell)
    yield from cell.group_rows(blind.outcome(STUDENT), "accuracy with features of noise")
    for split, mask in problem.test_groups().items():
        counts = torch.bincount(problem.y[mask], minlength=problem.n_classes)
        share = 100.0 * float(counts.max()) / max(int(mask.sum()), 1)
        yield cell.row(split, "graph", "share of the largest class", share)


def predict_links(cell: Cell) -> Iterable[Row]:
    """Mean reciprocal rank of the removed edges of isolated nodes (Table 4).

    η is the one chosen for the node labels; no choice of its own is made for the link loss.
    """
    for method, value in link_reciprocal_ranks(cell.problem, cell.settings, se_penalty=cell.se_penalty).items():
        yield cell.row("isolation", method, "mean reciprocal rank", value)
