"""Link prediction for isolated nodes (Table 4): finding again the edges that were taken away.

The released code ranks each positive among 20 negatives drawn at random. The mean of the reciprocal rank over all
such draws has a closed form, so that no draw is needed and the metric has no noise of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from reprise.cold_brew.layers import SEGCN
from reprise.cold_brew.methods import SE_STD
from reprise.cold_brew.outcome import GCN, GRAPH_CHANNELS, STUDENT, TEACHER, Outcome, recipe_of
from reprise.cold_brew.problem import Problem
from reprise.cold_brew.student_variants import student_options, train_guess
from reprise.cold_brew.training import fit, random_stream

if TYPE_CHECKING:
    from reprise.cold_brew.settings import Settings

N_NEGATIVES = 20


def expected_reciprocal_rank(share_above: Tensor, n_negatives: int = N_NEGATIVES) -> Tensor:
    r"""Return the expected reciprocal rank of a positive among negatives drawn with replacement.

    Parameters
    ----------
    share_above
        Share p of the candidate negatives that score above the positive (ties count half), any shape, in [0, 1].
    n_negatives
        Number n of negatives drawn.

    Returns
    -------
    Tensor
        :math:`E[1/(1+X)]` for :math:`X \sim B(n, p)`, which is :math:`(1 - (1-p)^{n+1}) / ((n+1) p)`, and 1 for p = 0.

    Examples
    --------
    >>> expected_reciprocal_rank(torch.tensor([0.0, 1.0]), 1).tolist()
    [1.0, 0.5]
    """
    p = share_above.double()
    safe = p.clamp(min=1e-12)
    # expm1 and log1p keep the digits that 1 − (1−p)^(n+1) loses for small p.
    hit = -torch.expm1((n_negatives + 1) * torch.log1p(-safe.clamp(max=1 - 1e-15)))
    return torch.where(p < 1e-12, torch.ones_like(p), hit / ((n_negatives + 1) * safe))


def mean_reciprocal_rank(
    queries: Tensor, candidates: Tensor, positives: Tensor, *, n_negatives: int = N_NEGATIVES
) -> float:
    """Return the mean over positive edges of their expected reciprocal rank, in %.

    Parameters
    ----------
    queries
        Embeddings of the source nodes ``(N, D)``; only the rows of ``positives[0]`` are read.
    candidates
        Embeddings of the target nodes ``(N, D)``.
    positives
        ``(2, M)`` edges to be found. A node's negatives are all nodes but itself and its own positives.
    n_negatives
        Negatives drawn for each positive.

    Returns
    -------
    float
        In %; NaN without positives.
    """
    if positives.shape[1] == 0:
        return float("nan")
    values = []
    for node in positives[0].unique().tolist():
        targets = positives[1, positives[0] == node]
        scores = candidates @ queries[node]
        negative = torch.ones(scores.numel(), dtype=torch.bool, device=scores.device)
        negative[targets] = False
        negative[node] = False
        others = scores[negative]
        if others.numel() == 0:
            continue
        above = (others > scores[targets].unsqueeze(1)).double().mean(1)
        equal = (others == scores[targets].unsqueeze(1)).double().mean(1)
        values.append(expected_reciprocal_rank(above + equal / 2, n_negatives))
    return 100.0 * float(torch.cat(values).mean()) if values else float("nan")


def draw_non_edges(edge_index: Tensor, num_nodes: int, count: int) -> Tensor:
    """Return ``(2, count)`` pairs of different nodes that are no edge, drawn from torch's global generator.

    PyG's ``negative_sampling`` draws from Python's generator, which the streams of this study do not govern.
    """
    edges = torch.unique(edge_index[0] * num_nodes + edge_index[1])
    if edges.numel() >= num_nodes * (num_nodes - 1):
        raise ValueError(f"the graph of {num_nodes} nodes is complete; there is no pair without an edge.")
    found = torch.empty(0, dtype=torch.long, device=edges.device)
    while found.numel() < count:
        drawn = torch.randint(num_nodes**2, (2 * (count - found.numel()),)).to(edges.device)
        place = torch.searchsorted(edges, drawn).clamp(max=max(edges.numel() - 1, 0))
        is_edge = edges[place] == drawn if edges.numel() else torch.zeros_like(drawn, dtype=torch.bool)
        found = torch.cat([found, drawn[~is_edge & (drawn // num_nodes != drawn % num_nodes)]])
    return torch.stack([found[:count] // num_nodes, found[:count] % num_nodes])


def link_loss(embeddings: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Return the binary logistic loss of dot products: edges ``positive`` (2, M) exist, ``negative`` (2, M') do not."""

    def logits(pairs: Tensor) -> Tensor:
        return (embeddings[pairs[0]] * embeddings[pairs[1]]).sum(1)

    return functional.softplus(-logits(positive)).mean() + functional.softplus(logits(negative)).mean()


def train_link_teacher(
    problem: Problem, settings: Settings, *, with_embeddings: bool, se_penalty: float = 0.0
) -> Outcome:
    """Train a GCN, with structural embeddings or without, to tell edges of the crafted graph from other pairs.

    A tenth of the edges is held out of the loss (not of the aggregation, which needs them) and decides when to stop.
    """
    method = TEACHER if with_embeddings else GCN
    recipe = recipe_of(settings, problem, keep_last=0)
    edges = problem.edge_index[:, problem.edge_index[0] < problem.edge_index[1]]
    with random_stream(problem.seed, problem.dataset, problem.mode, "links", method):
        order = torch.randperm(edges.shape[1]).to(edges.device)
        n_held_out = max(edges.shape[1] // 10, 1)
        held_out, learnt = edges[:, order[:n_held_out]], edges[:, order[n_held_out:]]
        others = draw_non_edges(problem.edge_index, problem.n_nodes, held_out.shape[1])
        width = GRAPH_CHANNELS
        model = SEGCN(
            problem.x.shape[1],
            width,
            width,
            2,
            problem.n_nodes,
            se="first" if with_embeddings else "none",
            dropout=recipe.dropout,
            se_std=SE_STD,
        ).to(edges.device)

        def loss() -> Tensor:
            negative = draw_non_edges(problem.edge_index, problem.n_nodes, learnt.shape[1])
            value = link_loss(model(problem.x, problem.edges), learnt, negative)
            return value + se_penalty * model.structural_penalty()

        fit(
            model,
            loss,
            recipe,
            validate=lambda: -float(link_loss(model(problem.x, problem.edges), held_out, others)),
        )
        with torch.no_grad():
            states = model.states(problem.x, problem.edges)
    return Outcome(method, [states.output], hidden=states.hidden, states=states)


def link_reciprocal_ranks(problem: Problem, settings: Settings, *, se_penalty: float = 0.0) -> Mapping[str, float]:
    """Return the mean reciprocal rank, in %, of the removed edges of isolated nodes, by method.

    A GCN's query is its own output for the node, which has only a self-loop left. The student's query is built from
    features alone: the attended latent neighbours' output embeddings (Eq. 4).
    """
    removed = problem.split.removed_edges
    positives = removed[:, problem.split.isolation[removed[0]]]
    ranks: dict[str, float] = {}
    for with_embeddings in (False, True):
        teacher = train_link_teacher(problem, settings, with_embeddings=with_embeddings, se_penalty=se_penalty)
        ranks[teacher.method] = mean_reciprocal_rank(teacher.final, teacher.final, positives)
    options = student_options(settings)
    guess = train_guess(problem, settings, teacher, options)
    nodes = torch.arange(problem.n_nodes, device=removed.device)
    index, weight = guess.student.latent_neighbours(problem.x, nodes)
    attended = (weight.unsqueeze(2) * teacher.final[index]).sum(1)
    ranks[STUDENT] = mean_reciprocal_rank(attended, teacher.final, positives)
    return ranks
