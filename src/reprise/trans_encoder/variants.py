"""What is trained beside self-distillation: controls, ablations, other pools, and mutual distillation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from reprise.compute import numpy_generator
from reprise.trans_encoder import baselines
from reprise.trans_encoder.cell import Cell, Row
from reprise.trans_encoder.data import key, longest, supervised_pairs, unlabelled_pool
from reprise.trans_encoder.distillation import Backbone, DistillConfig, Scores, half_steps, train_student
from reprise.trans_encoder.input_checks import Pair
from reprise.trans_encoder.measures import relative_ranks, spearman
from reprise.trans_encoder.names import (
    ALL_LAYERS,
    BI_TO_BI,
    CHAINED,
    DISJOINT_POOL,
    DOUBLE_POOL,
    FROM_SECOND,
    MEAN_OF_STARTS,
    MUTUAL_BOTH,
    MUTUAL_SECOND,
    OTHER_POOL,
    RAW_LABELS,
    SECOND_START,
    SHUFFLED,
    SIMCSE,
    SMALL_POOL,
    START,
    SUPERVISED,
    depth_name,
    losses_name,
    method_of,
)
from reprise.trans_encoder.objectives import prepared
from reprise.trans_encoder.self_distilled import development_rows
from reprise.trans_encoder.training import Recipe

SIMCSE_BATCH = 64
TOP_GOLD = {"templated": 5.0, "sts": 5.0, "mrpc": 1.0}


def bi_to_bi(cell: Cell) -> Iterator[Row]:
    """Train the control without a cross-encoder."""
    model, _ = baselines.bi_to_bi(
        cell.backbone, cell.problem.pool, cell.labels, cell.config, evaluate=cell.evaluate, names=cell.names
    )
    cell.test(model, BI_TO_BI)
    yield from ()


def simcse(cell: Cell) -> Iterator[Row]:
    """Train the start further by contrast on the pool's sentences."""
    recipe = Recipe(cell.settings.simcse_lr, SIMCSE_BATCH)
    model, _ = baselines.simcse(
        cell.backbone, cell.problem.sentences(), recipe, cell.config, evaluate=cell.evaluate, names=cell.names
    )
    cell.test(model, SIMCSE)
    cell.found["SimCSE weights"] = {name: value.cpu() for name, value in model.state_dict().items()}
    yield from ()


def shuffled_labels(cell: Cell) -> Iterator[Row]:
    """Train a cross-encoder on labels that belong to other pairs: it must not rank."""
    order = numpy_generator(cell.seed, *cell.names, SHUFFLED).permutation(len(cell.labels))
    _cross_half(cell, cell.labels[order], cell.config, SHUFFLED)
    yield from ()


def _cross_half(cell: Cell, labels: Scores, config: DistillConfig, variant: str) -> Scores:
    """Train the first cross-encoder in another way; return its scores of the pool."""
    stream = (*cell.names, 1, "cross", 0)
    student = cell.backbone.cross(config.seed, *stream)
    targets, _ = prepared(labels, config.cross_loss, stretch=config.label_stretch)
    train_student(student, cell.problem.pool, targets, config, stream=stream, evaluate=cell.evaluate)
    cell.test(student, method_of("cross"), variant, 1)
    return student.score(cell.problem.pool)


def _bi_half(cell: Cell, labels: Scores, config: DistillConfig, variant: str) -> None:
    student = cell.backbone.bi()
    targets, _ = prepared(labels, config.bi_loss)
    stream = (*cell.names, 1, "bi", 0)
    train_student(student, cell.problem.pool, targets, config, stream=stream, evaluate=cell.evaluate)
    cell.test(student, method_of("bi"), variant, 1)


def losses(cell: Cell) -> Iterator[Row]:
    """Train the other three combinations of losses for one cycle, with the same random streams."""
    scores = {"bce": cell.found["first cross scores"]}
    scores["mse"] = _cross_half(cell, cell.labels, replace(cell.config, cross_loss="mse"), losses_name("mse", "mse"))
    for cross_loss, bi_loss in (("bce", "bce"), ("mse", "mse"), ("mse", "bce")):
        config = replace(cell.config, cross_loss=cross_loss, bi_loss=bi_loss)
        _bi_half(cell, scores[cross_loss], config, losses_name(cross_loss, bi_loss))
    yield from ()


def _loop(
    cell: Cell, pool: Sequence[Pair], config: DistillConfig, variant: str, *, backbone: Backbone | None = None
) -> None:
    steps = half_steps([backbone or cell.backbone], pool, config, evaluate=cell.evaluate, names=cell.names)
    for step in steps:
        cell.test(step.models[0], method_of(step.form), variant, step.cycle, backbone)


def chained(cell: Cell) -> Iterator[Row]:
    """Run the loop with every student beginning where the model before it ended."""
    _loop(cell, cell.problem.pool, replace(cell.config, init="chained"), CHAINED)
    yield from ()


def raw_labels(cell: Cell) -> Iterator[Row]:
    """Train the first cross-encoder, and bi → bi, on the start's cosines as the paper takes them: not stretched."""
    config = replace(cell.config, label_stretch=False)
    _cross_half(cell, cell.labels, config, RAW_LABELS)
    model, _ = baselines.bi_to_bi(
        cell.backbone, cell.problem.pool, cell.labels, config, evaluate=cell.evaluate, names=cell.names
    )
    cell.test(model, BI_TO_BI, RAW_LABELS)
    yield from ()


def small_pool(cell: Cell) -> Iterator[Row]:
    """Run one cycle on a quarter of the pool: a quarter of the steps, too."""
    _loop(cell, cell.problem.pool[::4], replace(cell.config, cycles=1), SMALL_POOL)
    yield from ()


def double_pool(cell: Cell) -> Iterator[Row]:
    """Run one cycle on twice as many pairs of the task, the seed's own among them: twice the steps, too."""
    own = set(cell.problem.pool)
    kept_out = {key(p) for name, one in cell.problem.tests.items() for p in one.take(cell.problem.held_out[name]).pairs}
    others = [pair for pair in _fitting(cell, cell.family, kept_out) if pair not in own]
    _loop(cell, [*cell.problem.pool, *_drawn(cell, others, DOUBLE_POOL)], replace(cell.config, cycles=1), DOUBLE_POOL)
    yield from ()


def disjoint_pool(cell: Cell) -> Iterator[Row]:
    """Run one cycle on as many pairs of the task of which none is tested on."""
    tested = {key(pair) for one in cell.problem.tests.values() for pair in one.pairs}
    yield from _on_pool_of(cell, cell.family, tested, DISJOINT_POOL)


def other_pool(cell: Cell) -> Iterator[Row]:
    """Run one cycle on as many pairs of another task, MRPC for STS, STS for MRPC, without those that are in both."""
    other = {"sts": "mrpc", "mrpc": "sts", "templated": "sts"}[cell.family]
    yield from _on_pool_of(cell, other, {key(pair) for pair in unlabelled_pool(cell.family)}, OTHER_POOL)


def _on_pool_of(cell: Cell, family: str, kept_out: set[frozenset[str]], variant: str) -> Iterator[Row]:
    pool = _drawn(cell, _fitting(cell, family, kept_out), variant)
    _loop(cell, pool, replace(cell.config, cycles=1), variant)
    yield cell.row("data", "pairs", len(pool), split="pool", part="data", variant=variant)


def _fitting(cell: Cell, family: str, kept_out: set[frozenset[str]]) -> list[Pair]:
    """Return the unlabelled pairs of a family that are short enough and not to be kept out."""
    limit = cell.settings.mrpc_max_words if family == "mrpc" else cell.settings.max_words
    return [p for p in unlabelled_pool(family) if (limit is None or longest(p) <= limit) and key(p) not in kept_out]


def _drawn(cell: Cell, pairs: Sequence[Pair], variant: str) -> list[Pair]:
    """Return as many of the pairs as the seed's own pool has."""
    order = numpy_generator(cell.seed, *cell.names, variant).permutation(len(pairs))
    return [pairs[place] for place in order[: len(cell.problem.pool)]]


def all_layers(cell: Cell) -> Iterator[Row]:
    """Run one cycle from the whole model, whose last layer was tuned with labels: a strong start."""
    _from_depth(cell, None, ALL_LAYERS)
    yield from ()


def fewer_layers(cell: Cell) -> Iterator[Row]:
    """Run one cycle from a start of one layer less: a weaker one."""
    n_layers = cell.backbone.bi().trunk.config.num_hidden_layers - 1
    _from_depth(cell, n_layers, depth_name(n_layers))
    yield from ()


def _from_depth(cell: Cell, n_layers: int | None, variant: str) -> None:
    backbone = replace(cell.backbone, num_layers=n_layers)
    cell.test(backbone.bi(), START, variant, backbone=backbone)
    _loop(cell, cell.problem.pool, replace(cell.config, cycles=1), variant, backbone=backbone)


def gold_labels(cell: Cell) -> Iterator[Row]:
    """Train a cross-encoder on gold scores of as many training pairs: what labels would give at this scale."""
    limit = cell.settings.mrpc_max_words if cell.family == "mrpc" else cell.settings.max_words
    pairs = supervised_pairs(cell.family, limit, len(cell.problem.pool), cell.seed)
    student = cell.backbone.cross(cell.seed, *cell.names, SUPERVISED)
    targets = np.clip(pairs.gold / TOP_GOLD[cell.family], 0, 1)
    train_student(student, pairs.pairs, targets, cell.config, stream=(*cell.names, SUPERVISED), evaluate=cell.evaluate)
    cell.test(student, SUPERVISED)
    yield cell.row("data", "pairs", len(pairs), split="training", part="data", variant=None)


def mutual(cell: Cell) -> Iterator[Row]:
    """Run mutual distillation with a second backbone; tell how alike the errors of both starts and students are.

    The levels of mutual distillation are those of the first backbone. Beside them stand the second start and the
    students of the second backbone, the plain mean of both starts' scores, and that of both students' scores.
    """
    second = second_backbone(cell)
    starts = [cell.scores(one.bi()) for one in (cell.backbone, second)]
    cell.keep(starts[1], SECOND_START, backbone=second)
    cell.keep(_mean(starts), MEAN_OF_STARTS)
    yield from _likeness(cell, starts, START, "starts")
    config = replace(cell.config, cycles=cell.settings.mutual_cycles or cell.settings.cycles)
    both = [cell.backbone, second]
    for step in half_steps(both, cell.problem.pool, config, evaluate=cell.evaluate, names=cell.names):
        method, students = method_of(step.form, "Mutual"), [cell.scores(model) for model in step.models]
        cell.keep(students[0], method, cycle=step.cycle)
        cell.keep(students[1], MUTUAL_SECOND[method], cycle=step.cycle, backbone=second)
        cell.keep(_mean(students), MUTUAL_BOTH[method], cycle=step.cycle)
        yield from _likeness(cell, students, method, "students", cycle=step.cycle)
        yield from development_rows(cell, method, step.cycle, step.models[0])


def _mean(both: Sequence[dict[str, Scores]]) -> dict[str, Scores]:
    return {name: (both[0][name] + both[1][name]) / 2 for name in both[0]}


def _likeness(
    cell: Cell, both: Sequence[dict[str, Scores]], method: str, of: str, cycle: int | None = None
) -> Iterator[Row]:
    """Yield how alike two models rank the test pairs, and how alike they are wrong in rank."""
    for name, pairs in cell.tests.items():
        gold = relative_ranks(pairs.gold)
        ranks = [relative_ranks(one[name]) for one in both]
        for metric, values in (
            (f"rank correlation of both {of}", ranks),
            (f"correlation of both {of}' errors", [rank - gold for rank in ranks]),
        ):
            yield cell.row(method, metric, spearman(*values), dataset=name, part="two backbones", cycle=cycle)


def second_start(cell: Cell) -> Iterator[Row]:
    """Run one cycle of self-distillation from the second backbone of mutual distillation alone."""
    second = second_backbone(cell)
    _loop(cell, cell.problem.pool, replace(cell.config, cycles=1), FROM_SECOND, backbone=second)
    yield from ()


def second_backbone(cell: Cell) -> Backbone:
    """Return the second backbone: the one of the settings, or the first one after SimCSE's training."""
    s = cell.settings
    if s.second_start:
        return replace(cell.backbone, start=s.second_start, plm=s.second_plm or s.second_start)
    if "SimCSE weights" not in cell.found:
        list(simcse(cell))
        cell.tested.pop()
    return replace(cell.backbone, start_weights=cell.found["SimCSE weights"])


RUNS: dict[str, Callable[[Cell], Iterator[Row]]] = {
    "bi to bi": bi_to_bi,
    "SimCSE": simcse,
    "shuffled labels": shuffled_labels,
    "losses": losses,
    "raw labels": raw_labels,
    "chained": chained,
    "small pool": small_pool,
    "double pool": double_pool,
    "disjoint pool": disjoint_pool,
    "other pool": other_pool,
    "all layers": all_layers,
    "fewer layers": fewer_layers,
    "gold labels": gold_labels,
    "mutual": mutual,
    "second start": second_start,
}
