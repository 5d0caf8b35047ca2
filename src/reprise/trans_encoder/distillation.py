"""Self- and mutual distillation: bi- and cross-encoder label a pool of pairs for each other in turn.

Both are one procedure. Every half-step averages the scores of all current models and trains one student of the other
form for each backbone on them; with one backbone that is self-distillation, with two it is mutual distillation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reprise.compute import seed_sequence
from reprise.trans_encoder import objectives
from reprise.trans_encoder.encoders import PAIR_LENGTH, SENTENCE_LENGTH, BiEncoder, CrossEncoder, Encoder
from reprise.trans_encoder.input_checks import Pair, check_name, check_positive
from reprise.trans_encoder.objectives import LOSSES, prepared
from reprise.trans_encoder.training import Recipe, Training, train

Scores = NDArray[np.float64]
Form = Literal["bi", "cross"]
Evaluate = Callable[[Encoder], float]
INITIALISATIONS = ("fresh", "chained")
CROSS_RECIPE = Recipe(lr=2e-5, batch_size=32, epochs=1, warmup=0.1)
BI_RECIPE = Recipe(lr=5e-5, batch_size=128, epochs=10)


@dataclass(frozen=True)
class Backbone:
    """Where the two forms of one backbone begin.

    Attributes
    ----------
    start
        Source of the unsupervised bi-encoder (paper: SimCSE's checkpoints).
    plm
        Source of the cross-encoder's trunk: the plain language model (paper: ``"bert-base-uncased"``).
    num_layers
        Keeps that many of the lowest layers of both; None keeps all.
    pooling, sentence_length, pair_length, precision
        As of the encoders.
    device
        Where to compute.
    start_weights
        Weights put into the start after loading, e.g. of a start that was trained here.
    """

    start: str
    plm: str
    num_layers: int | None = None
    pooling: str = "cls"
    sentence_length: int = SENTENCE_LENGTH
    pair_length: int = PAIR_LENGTH
    precision: str = "float32"
    device: Any = "cpu"
    start_weights: dict[str, Tensor] | None = field(default=None, compare=False, repr=False)

    def bi(self) -> BiEncoder:
        """Return a fresh copy of the start."""
        encoder = BiEncoder.from_pretrained(
            self.start, self.num_layers, self.pooling, self.sentence_length, self.precision
        )
        if self.start_weights is not None:
            encoder.load_state_dict(self.start_weights)
        return encoder.to(self.device).eval()

    def cross(self, seed: int, *names: object) -> CrossEncoder:
        """Return a fresh copy of the language model with a head drawn from a named stream."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(seed_sequence(seed, *names, "head").generate_state(1)[0]))
            encoder = CrossEncoder.from_pretrained(
                self.plm, self.num_layers, self.pooling, self.pair_length, self.precision
            )
        return encoder.to(self.device).eval()


@dataclass(frozen=True)
class DistillConfig:
    """The loop's options; the defaults are the paper's.

    Attributes
    ----------
    cycles
        Rounds of bi → cross → bi.
    cross, bi
        How students are trained.
    cross_loss, bi_loss
        ``"bce"`` or ``"mse"`` each.
    init
        ``"fresh"``: every student begins from the original weights; ``"chained"``: from the model before it, only the
        cross-encoder's head being new.
    symmetric
        Whether a cross-encoder is trained on both orders of a pair.
    label_stretch
        Whether a bi-encoder's cosines are stretched to [0, 1] by their 2 % and 98 % quantiles (the paper: not).
    freeze_embeddings, frozen_layers
        What stays as it is in every student.
    evaluate_every
        Steps between looks at the development pairs.
    seed
        Of batches, dropout and heads.
    """

    cycles: int = 3
    cross: Recipe = CROSS_RECIPE
    bi: Recipe = BI_RECIPE
    cross_loss: str = "bce"
    bi_loss: str = "mse"
    init: str = "fresh"
    symmetric: bool = True
    label_stretch: bool = False
    freeze_embeddings: bool = False
    frozen_layers: int = 0
    evaluate_every: int = 200
    seed: int = 2021

    def __post_init__(self) -> None:
        check_name("cross_loss", self.cross_loss, LOSSES)
        check_name("bi_loss", self.bi_loss, LOSSES)
        check_name("init", self.init, INITIALISATIONS)
        check_positive("cycles", self.cycles, whole=True)
        check_positive("evaluate_every", self.evaluate_every, whole=True)


@dataclass(frozen=True)
class HalfStep:
    """One half of a cycle: what the students were taught, and what became of them.

    Attributes
    ----------
    cycle
        From 1.
    form
        ``"cross"`` after bi → cross, ``"bi"`` after cross → bi.
    models
        One student a backbone.
    labels
        Mean score of the teachers on the pool, before any stretching or clipping, ``(n,)``.
    trainings
        Losses and evaluations of each student.
    clipped
        Share of the labels that was clipped.
    pool
        The pairs.
    """

    cycle: int
    form: Form
    models: tuple[Encoder, ...]
    labels: Scores
    trainings: tuple[Training, ...]
    clipped: float
    pool: Sequence[Pair]

    @cached_property
    def pool_scores(self) -> Scores:
        """Mean score of the students on the pool, ``(n,)``: the labels of the next half-step."""
        return mean_score(self.models, self.pool)


def mean_score(models: Sequence[Encoder], pairs: Sequence[Pair]) -> Scores:
    """Return the plain average of the models' scores of pairs."""
    scores: list[Scores] = [model.score(pairs) for model in models]  # type: ignore[operator]
    return np.mean(scores, axis=0)


def half_steps(
    backbones: Sequence[Backbone],
    pool: Sequence[Pair],
    config: DistillConfig,
    *,
    evaluate: Evaluate | None = None,
    names: tuple[object, ...] = (),
    start_labels: Scores | None = None,
) -> Iterator[HalfStep]:
    """Yield the half-steps of all cycles: cross, bi, cross, bi and so on.

    Parameters
    ----------
    backbones
        One for self-distillation, two for mutual distillation.
    pool
        Unlabelled pairs.
    config
        The loop's options.
    evaluate
        Score of a model on development pairs, by which each half-step keeps its best weights; None keeps the last ones.
    names
        Names of the random streams.
    start_labels
        Labels of the first half-step, if they are known or should not be the starts' own scores.
    """
    current: tuple[Encoder, ...] = tuple(backbone.bi() for backbone in backbones)
    labels = mean_score(current, pool) if start_labels is None else start_labels
    for cycle in range(1, config.cycles + 1):
        for form in ("cross", "bi"):
            targets, clipped = _targets(form, labels, config)
            students, trainings = [], []
            for place, backbone in enumerate(backbones):
                stream = (*names, cycle, form, place)
                student = _new_student(form, backbone, current[place], config, stream)
                trainings.append(train_student(student, pool, targets, config, stream=stream, evaluate=evaluate))
                students.append(student)
            current = tuple(students)
            step = HalfStep(cycle, form, current, labels, tuple(trainings), clipped, pool)  # type: ignore[arg-type]
            yield step
            if (cycle, form) != (config.cycles, "bi"):
                labels = step.pool_scores


def _targets(form: str, labels: Scores, config: DistillConfig) -> tuple[Scores, float]:
    if form == "cross":
        return prepared(labels, config.cross_loss, stretch=config.label_stretch)
    return prepared(labels, config.bi_loss)


def _new_student(
    form: str, backbone: Backbone, before: Encoder, config: DistillConfig, stream: tuple[object, ...]
) -> Encoder:
    student: Encoder = backbone.cross(config.seed, *stream) if form == "cross" else backbone.bi()
    if config.init == "chained":
        student.take_trunk_of(before)
    return student


def train_student(
    student: Encoder,
    pool: Sequence[Pair],
    targets: Scores,
    config: DistillConfig,
    *,
    stream: tuple[object, ...] = (),
    evaluate: Evaluate | None = None,
) -> Training:
    """Train a bi- or cross-encoder on scores of pairs, with the configuration's recipe and loss for its form.

    Parameters
    ----------
    student
        Trained in place.
    pool, targets
        Pairs and what they should score, ``(n,)``.
    config
        Recipe, loss, what is frozen, whether both orders are shown.
    stream
        Names of the random streams.
    evaluate
        Score of a model on development pairs; None keeps the last weights.
    """
    student.freeze(embeddings=config.freeze_embeddings, n_layers=config.frozen_layers)
    if isinstance(student, CrossEncoder):
        lengths, loss_of, recipe = _cross_task(student, pool, targets, config)
    else:
        assert isinstance(student, BiEncoder)
        lengths, loss_of, recipe = _bi_task(student, pool, targets, config)
    return train(
        student,
        loss_of,
        lengths,
        recipe,
        (config.seed, *stream),
        evaluate=None if evaluate is None else lambda: evaluate(student),
        evaluate_every=config.evaluate_every,
    )


def _cross_task(student: CrossEncoder, pool: Sequence[Pair], targets: Scores, config: DistillConfig) -> Any:
    pairs = [*pool, *((b, a) for a, b in pool)] if config.symmetric else list(pool)
    table = student.tokenise(pairs)
    wanted = torch.as_tensor(np.resize(targets, len(pairs)), dtype=torch.float32).to(student.device)

    def loss_of(rows: NDArray[np.int64]) -> Tensor:
        logits = student(table.batch(rows, student.device))
        return objectives.cross_loss(logits, wanted[torch.from_numpy(rows)], config.cross_loss)

    return table.lengths, loss_of, config.cross


def _bi_task(student: BiEncoder, pool: Sequence[Pair], targets: Scores, config: DistillConfig) -> Any:
    # The two sentences of a pair lie next to each other, so that one forward pass takes both.
    table = student.tokenise([sentence for pair in pool for sentence in pair])
    wanted = torch.as_tensor(targets, dtype=torch.float32).to(student.device)

    def loss_of(rows: NDArray[np.int64]) -> Tensor:
        vectors = student(table.batch(np.concatenate([2 * rows, 2 * rows + 1]), student.device))
        first, second = vectors.chunk(2)
        return objectives.bi_loss(first, second, wanted[torch.from_numpy(rows)], config.bi_loss)

    return table.lengths.reshape(-1, 2).max(axis=1), loss_of, config.bi
