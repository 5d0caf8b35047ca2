"""What Trans-Encoder is compared with: bi → bi self-training, SimCSE, TF-IDF, shared words, and word embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reprise.trans_encoder.distillation import Backbone, DistillConfig, Evaluate, Scores, train_student
from reprise.trans_encoder.encoders import BiEncoder, Encoder
from reprise.trans_encoder.input_checks import Pair
from reprise.trans_encoder.objectives import TEMPERATURE, simcse_loss, stretched
from reprise.trans_encoder.training import Recipe, Training, train

if TYPE_CHECKING:
    from torch import Tensor


def bi_to_bi(
    backbone: Backbone,
    pool: Sequence[Pair],
    labels: Scores,
    config: DistillConfig,
    *,
    evaluate: Evaluate | None = None,
    names: tuple[object, ...] = (),
) -> tuple[BiEncoder, Training]:
    """Train a fresh start on its own cosines: the loop without a cross-encoder, with as many steps.

    The cosines are stretched if the configuration says so; on the raw ones the loss begins at zero.
    """
    student = backbone.bi()
    targets = stretched(labels) if config.label_stretch else labels
    training = train_student(student, pool, targets, config, stream=(*names, "bi to bi"), evaluate=evaluate)
    return student, training


def simcse(
    backbone: Backbone,
    sentences: Sequence[str],
    recipe: Recipe,
    config: DistillConfig,
    *,
    temperature: float = TEMPERATURE,
    evaluate: Evaluate | None = None,
    names: tuple[object, ...] = (),
) -> tuple[BiEncoder, Training]:
    """Train a start further by contrast (SimCSE): each sentence twice with independent dropout (rate 0.1).

    Parameters
    ----------
    backbone
        Its start is trained.
    sentences
        Unlabelled; only the configuration's freezing, seed and evaluations are used besides.
    recipe
        SimCSE's own for BERT-base: one epoch of a million sentences, batch 64, rate 3e-5.
    temperature
        Divides the cosines (0.05).
    """
    student = backbone.bi()
    student.freeze(embeddings=config.freeze_embeddings, n_layers=config.frozen_layers)
    table = student.tokenise(sentences)

    def loss_of(rows: NDArray[np.int64]) -> Tensor:
        first, second = student(table.batch(np.concatenate([rows, rows]), student.device)).chunk(2)
        return simcse_loss(first, second, temperature)

    training = train(
        student,
        loss_of,
        table.lengths,
        recipe,
        (config.seed, *names, "SimCSE"),
        evaluate=None if evaluate is None else lambda: evaluate(student),
        evaluate_every=config.evaluate_every,
    )
    return student, training


def tfidf_scores(pairs: Sequence[Pair], corpus: Sequence[str]) -> Scores:
    """Return the cosines of TF-IDF vectors, weighted by a corpus of sentences."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    weights = TfidfVectorizer(sublinear_tf=True).fit(corpus)
    first, second = (weights.transform([pair[side] for pair in pairs]) for side in (0, 1))
    return np.asarray(first.multiply(second).sum(axis=1), dtype=np.float64).ravel()


def words_of(sentence: str) -> frozenset[str]:
    """Return the distinct words of a sentence in lower case, without punctuation."""
    stripped = (word.strip(".,;:!?\"'()[]-").lower() for word in sentence.split())
    return frozenset(word for word in stripped if word)


def word_overlap(pairs: Sequence[Pair]) -> Scores:
    """Return the share of the words of both sentences that they share (Jaccard), ``(n,)``; 0 without words."""
    sets = [(words_of(first), words_of(second)) for first, second in pairs]
    return np.array([len(a & b) / max(1, len(a | b)) for a, b in sets])


def word_embedding_encoder(backbone: Backbone) -> Encoder:
    """Return a bi-encoder without layers: the mean of the start's input embeddings."""
    return replace(backbone, num_layers=0, pooling="mean", start_weights=None).bi()
