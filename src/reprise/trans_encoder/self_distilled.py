"""Self-distillation of one family and seed, what it shows on the way, and the baselines that train nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reprise.trans_encoder import baselines
from reprise.trans_encoder.cell import Cell, Row, quantiles
from reprise.trans_encoder.distillation import HalfStep, Scores, half_steps
from reprise.trans_encoder.encoders import BiEncoder, CrossEncoder
from reprise.trans_encoder.measures import relative_ranks, spearman
from reprise.trans_encoder.names import (
    BASE,
    SELF_BI,
    SELF_CROSS,
    SHARED_WORDS,
    START,
    TFIDF,
    WORD_EMBEDDINGS,
    method_of,
)

LOSS_WINDOW = 10  # steps whose losses are averaged; fewer in very short trainings
SWAPPED_PAIRS, SCATTERED_PAIRS = 200, 120


def self_rows(cell: Cell) -> Iterator[Row]:
    """Train self-distillation, keep the scores of the tests, and yield what the half-steps show."""
    start = cell.backbone.bi()
    cell.test(start, START)
    labels = start.score(cell.problem.pool)
    cell.found["labels"] = labels
    yield from _data_rows(cell, start)
    yield from _pool_rows(cell, START, 0, labels)
    yield from development_rows(cell, START, 0, start)
    steps = half_steps(
        [cell.backbone],
        cell.problem.pool,
        cell.config,
        evaluate=cell.evaluate,
        names=cell.names,
        start_labels=labels,
    )
    for step in steps:
        if (step.cycle, step.form) == (1, "cross"):
            cell.found["first cross scores"] = step.pool_scores
        yield from _half_step_rows(cell, step)
    yield from _scatter_rows(cell)


def _half_step_rows(cell: Cell, step: HalfStep) -> Iterator[Row]:
    method, model, training = method_of(step.form), step.models[0], step.trainings[0]
    cell.test(model, method, cycle=step.cycle)
    yield from _pool_rows(cell, method, step.cycle, step.pool_scores)
    yield from development_rows(cell, method, step.cycle, model)
    how = {"cycle": step.cycle, "part": "training"}
    for at, value in training.evaluations.items():
        yield cell.row(method, cell.problem.kind, value, split="validation", at=at, **how)
    window = min(LOSS_WINDOW, -(-len(training.losses) // 2))
    for at in range(window, len(training.losses) + 1, window):
        loss = float(np.mean(training.losses[at - window : at]))
        yield cell.row(method, "loss", loss, split="pool", at=at, **how)
    for metric, value in (("steps", len(training.losses)), ("clipped labels (%)", 100 * step.clipped)):
        yield cell.row(method, metric, value, split="pool", **how)
    agreement = spearman(step.labels, step.pool_scores)
    yield cell.row(method, "rank correlation with the teacher", agreement, split="pool", **how)


def _pool_rows(cell: Cell, method: str, cycle: int, scores: Scores) -> Iterator[Row]:
    for level, value in quantiles(scores).items():
        yield cell.row(method, "score quantile", value, split="pool", cycle=cycle, part="scores", at=level)


def development_rows(cell: Cell, method: str, cycle: int, model: BiEncoder | object) -> Iterator[Row]:
    """Yield what a selection may look at: development pairs, those in no test set, and order swaps without any gold."""
    kind, how = cell.problem.kind, {"cycle": cycle, "part": "selection"}
    assert isinstance(model, BiEncoder | CrossEncoder)
    yield cell.row(method, kind, cell.evaluate(model), split="validation", **how)
    if cell.problem.leak_free is not None:
        value = cell.measured(model, cell.problem.leak_free)
        yield cell.row(method, kind, value, split="validation, leak-free", **how)
    if isinstance(model, CrossEncoder):
        # Evenly over the pool, which begins with the pairs that are tested.
        pairs = list(cell.problem.pool[:: -(-len(cell.problem.pool) // SWAPPED_PAIRS)])
        swapped = model.score([(b, a) for a, b in pairs])
        difference = float(np.abs(model.score(pairs) - swapped).mean())
        yield cell.row(method, "difference of both orders", difference, split="pool", **how)


def _data_rows(cell: Cell, start: BiEncoder) -> Iterator[Row]:
    problem = cell.problem
    sentences = problem.sentences()
    table = start.tokenise(sentences)
    facts = {
        "pairs": len(problem.pool),
        "distinct sentences": len(sentences),
        "word pieces a sentence": float(table.lengths.mean()),
        "cut sentences (%)": 100 * table.n_cut / len(table),
    }
    for metric, value in facts.items():
        yield cell.row("data", metric, value, split="pool", part="data", variant=None)
    for name, pairs in cell.tests.items():
        cut = start.tokenise([s for pair in pairs.pairs for s in pair])
        for metric, value in (("pairs", len(pairs)), ("cut sentences (%)", 100 * cut.n_cut / len(cut))):
            yield cell.row("data", metric, value, dataset=name, part="data", variant=None)


def _scatter_rows(cell: Cell) -> Iterator[Row]:
    """Yield ranks of single test pairs of the home data set: gold, teacher, student."""
    pairs = cell.tests.get(cell.problem.home)
    if pairs is None:
        return
    ranks = {"gold": relative_ranks(pairs.gold)}
    for one in cell.tested:
        if one.variant == BASE and one.cycle <= 1 and one.method in (START, SELF_CROSS, SELF_BI):
            ranks[one.method] = relative_ranks(one.scores[cell.problem.home])
    for method, values in ranks.items():
        for place, value in enumerate(values[:SCATTERED_PAIRS].tolist()):
            yield cell.row(method, "rank", value, part="single pairs", at=place)


def untrained_baselines(cell: Cell) -> None:
    """Score the tests by shared words, TF-IDF and word embeddings."""
    corpus = cell.problem.sentences()
    tests = cell.tests.items()
    cell.keep({name: baselines.word_overlap(one.pairs) for name, one in tests}, SHARED_WORDS)
    cell.keep({name: baselines.tfidf_scores(one.pairs, corpus) for name, one in tests}, TFIDF)
    cell.test(baselines.word_embedding_encoder(cell.backbone), WORD_EMBEDDINGS)
