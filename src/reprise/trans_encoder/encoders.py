"""The two forms of a sentence-pair model: the bi-encoder compares vectors, the cross-encoder reads both sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import normalize

from reprise.trans_encoder.architectures import (
    SINGLE_PRECISION_ALONE,
    beneath_the_layers,
    layers_of,
    tells_segments_apart,
    usable_positions,
)
from reprise.trans_encoder.checkpoints import load_model, load_tokenizer
from reprise.trans_encoder.heads import MeanHead, keep_head_in_single_precision
from reprise.trans_encoder.input_checks import TransEncoderInputError, check_name, check_pairs, check_sentences
from reprise.trans_encoder.tokens import TokenTable, by_length, tokenise

POOLINGS = ("cls", "mean")
PRECISIONS = ("float32", "bfloat16")
SENTENCE_LENGTH, PAIR_LENGTH = 32, 64
BATCH = 64


class Encoder(nn.Module):
    """What both forms share: a transformer, its tokenizer, the greatest length, and the precision of its arithmetic."""

    transformer: Any
    greatest_length: ClassVar[int]
    texts: ClassVar[int]  # sentences that it reads at once

    def __init__(
        self,
        transformer: Any,
        tokenizer: Any,
        pooling: str = "cls",
        max_length: int | None = None,
        precision: str = "float32",
    ) -> None:
        super().__init__()
        check_name("pooling", pooling, POOLINGS)
        check_name("precision", precision, PRECISIONS)
        max_length = self.greatest_length if max_length is None else max_length
        self.transformer, self.tokenizer = transformer, tokenizer
        positions = usable_positions(self.trunk)
        least = tokenizer.num_special_tokens_to_add(self.texts == 2) + self.texts
        if not least <= max_length <= (positions or max_length):
            raise TransEncoderInputError(
                f"max_length={max_length} must be from {least}, a word piece of each sentence, to {positions}, the "
                "model's positions."
            )
        if precision == "bfloat16" and transformer.config.model_type in SINGLE_PRECISION_ALONE:
            raise TransEncoderInputError(
                f"precision={precision!r} does not work with {transformer.config.model_type!r}, whose masks it cannot "
                "hold; give precision='float32'."
            )
        self.pooling, self.max_length, self.precision = pooling, max_length, precision
        self.head = self._new_head()

    @classmethod
    def from_pretrained(
        cls,
        source: str,
        num_layers: int | None = None,
        pooling: str = "cls",
        max_length: int | None = None,
        precision: str = "float32",
    ) -> Self:
        """Load from ``"minilm"``, a folder or the hub, cut to its lowest layers if asked for.

        A cross-encoder's head is new, drawn from torch's global generator.
        """
        transformer = load_model(source, num_layers, classifier=cls._is_classifier(pooling))
        return cls(transformer, load_tokenizer(source), pooling, max_length, precision)

    def _new_head(self) -> MeanHead | None:
        return None

    @staticmethod
    def _is_classifier(pooling: str) -> bool:
        """Tell whether the transformer itself brings a head with one output."""
        return False

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @property
    def trunk(self) -> Any:
        """The transformer without a head."""
        return getattr(self.transformer, self.transformer.base_model_prefix, self.transformer)

    def arithmetic(self) -> Any:
        """Return the context in which the transformer computes: mixed precision with bfloat16, or nothing.

        Heads, scores and losses stay in float32: in half precision many pairs would get the same score.
        """
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16")

    def freeze(self, *, embeddings: bool, n_layers: int = 0) -> None:
        """Keep the word embeddings, or the lowest layers with all that is beneath them, as they are while training.

        Parameters
        ----------
        embeddings
            Whether to freeze the embeddings of words; those of positions and segments are trained.
        n_layers
            Lowest layers to freeze; with one or more, all embeddings are frozen.

        Raises
        ------
        TransEncoderInputError
            If that leaves no layer to train, or layers share their weights.
        """
        if embeddings:
            self.trunk.get_input_embeddings().requires_grad_(False)
        if not n_layers:
            return
        layers = layers_of(self.trunk)
        if n_layers >= len(layers):
            raise TransEncoderInputError(
                f"frozen_layers={n_layers} leaves nothing to train in a model of {len(layers)} layers; freeze fewer."
            )
        for part in (*beneath_the_layers(self.trunk), *layers[:n_layers]):
            part.requires_grad_(False)

    def take_trunk_of(self, other: Encoder) -> None:
        """Take over the weights of another encoder's transformer, without head and pooler.

        Raises
        ------
        TransEncoderInputError
            If the transformers are of different kinds or sizes.
        """
        own, theirs = (
            {name: weight for name, weight in model.trunk.state_dict().items() if not name.startswith("pooler.")}
            for model in (self, other)
        )
        if {name: weight.shape for name, weight in own.items()} != {n: weight.shape for n, weight in theirs.items()}:
            raise TransEncoderInputError(
                f"init='chained' hands weights from form to form, but start and plm are not alike "
                f"({type(other.trunk).__name__} and {type(self.trunk).__name__}); give one model for both, or "
                "init='fresh'."
            )
        self.trunk.load_state_dict(theirs, strict=False)

    def _tokenised(self, first: list[str], second: list[str] | None) -> TokenTable:
        return tokenise(self.tokenizer, first, second, self.max_length, segments=tells_segments_apart(self.transformer))

    @contextmanager
    def _scoring(self) -> Iterator[None]:
        was_training = self.training
        self.eval()
        try:
            with torch.inference_mode():
                yield
        finally:
            self.train(was_training)


class BiEncoder(Encoder):
    """Maps a sentence to a vector; the score of a pair is the cosine of its vectors.

    Parameters
    ----------
    transformer, tokenizer
        Of transformers; `from_pretrained` loads them.
    pooling
        ``"cls"``: state of the first word piece in the last layer, before the pooler (paper); ``"mean"``: mean over
        word pieces, with which MiniLM was trained.
    max_length
        Word pieces of a sentence (paper: 32).
    precision
        ``"float32"``, or ``"bfloat16"`` for mixed precision (paper: half precision on GPUs).
    """

    greatest_length, texts = SENTENCE_LENGTH, 1

    def tokenise(self, sentences: Sequence[str]) -> TokenTable:
        """Return the word pieces of sentences."""
        return self._tokenised(list(sentences), None)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return unit vectors, float32 of shape ``(n, d)``."""
        with self.arithmetic():
            states = self.transformer(**batch).last_hidden_state
        states = states.float()
        if self.pooling == "cls":
            return normalize(states[:, 0], dim=-1)
        weights = batch["attention_mask"][:, :, None].to(states.dtype)
        return normalize((states * weights).sum(1), dim=-1)  # the norm takes the divisor out

    def encode(self, sentences: Sequence[str], batch_size: int = BATCH) -> Tensor:
        """Return the unit vectors of sentences, ``(n, d)``, on the CPU; sentences of like length share a batch."""
        return self.encode_table(self.tokenise(check_sentences(sentences)), batch_size)

    def encode_table(self, table: TokenTable, batch_size: int = BATCH) -> Tensor:
        """Return the unit vectors of tokenised sentences."""
        found = torch.empty(len(table), self.transformer.config.hidden_size)
        with self._scoring():
            for rows in by_length(table.lengths, batch_size):
                found[rows] = self(table.batch(rows, self.device)).cpu()
        return found

    def score(self, pairs: Any, batch_size: int = BATCH) -> NDArray[np.float64]:
        """Return the cosine of each pair; every distinct sentence is encoded once."""
        pairs = check_pairs(pairs)
        number = {sentence: place for place, sentence in enumerate(dict.fromkeys(s for pair in pairs for s in pair))}
        vectors = self.encode(list(number), batch_size)
        first, second = (torch.tensor([number[pair[side]] for pair in pairs], dtype=torch.long) for side in (0, 1))
        return (vectors[first] * vectors[second]).sum(1).double().numpy()

    def save(self, path: str | Path) -> None:
        """Write a folder that sentence-transformers loads by its path."""
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

        inner = Path(path) / "transformer"
        self.transformer.save_pretrained(inner)
        self.tokenizer.save_pretrained(inner)
        words = Transformer(str(inner), max_seq_length=self.max_length)
        pooling = Pooling(self.transformer.config.hidden_size, pooling_mode=self.pooling)
        SentenceTransformer(modules=[words, pooling, Normalize()], device="cpu").save(str(path))


class CrossEncoder(Encoder):
    """Reads both sentences at once and gives one number; it has no vectors of single sentences.

    Parameters
    ----------
    transformer, tokenizer
        Of transformers: a sequence classifier with one output for ``"cls"``, a plain one for ``"mean"``.
    pooling
        ``"cls"``: the classifier's own head on the first word piece (paper); ``"mean"``: the same head on the mean over
        word pieces, for models that were never trained to sum up in their first one.
    max_length
        Word pieces of both sentences together (paper: 64).
    precision
        As of the bi-encoder.
    """

    greatest_length, texts = PAIR_LENGTH, 2

    def _new_head(self) -> MeanHead | None:
        if self.pooling == "mean":
            return MeanHead(self.transformer.config)
        keep_head_in_single_precision(self.transformer, self.trunk)
        return None

    @staticmethod
    def _is_classifier(pooling: str) -> bool:
        return pooling == "cls"

    def tokenise(self, pairs: Sequence[tuple[str, str]]) -> TokenTable:
        """Return the word pieces of pairs, both sentences in one sequence."""
        return self._tokenised([a for a, _ in pairs], [b for _, b in pairs])

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return logits, float32 of shape ``(n,)``."""
        with self.arithmetic():
            found = self.transformer(**batch)
        if self.head is None:
            logits: Tensor = found.logits[:, 0]
            return logits
        scores: Tensor = self.head(found.last_hidden_state.float(), batch["attention_mask"])
        return scores

    def encode(self, sentences: Sequence[str]) -> Tensor:
        """Refuse: a cross-encoder has no vectors of sentences.

        Raises
        ------
        TransEncoderInputError
            Always.
        """
        raise TransEncoderInputError(
            "a cross-encoder reads two sentences at once and has no vector of one; use .score(pairs), or "
            ".encode(sentences) of the bi-encoder."
        )

    def score(self, pairs: Any, *, both_orders: bool = False, batch_size: int = BATCH) -> NDArray[np.float64]:
        """Return the score of each pair, in (0, 1), in the order given (paper), or the mean over both orders."""
        pairs = check_pairs(pairs)
        found = self.score_table(self.tokenise(pairs), batch_size)
        if not both_orders:
            return found
        return (found + self.score_table(self.tokenise([(b, a) for a, b in pairs]), batch_size)) / 2

    def score_table(self, table: TokenTable, batch_size: int = BATCH) -> NDArray[np.float64]:
        """Return the scores of tokenised pairs."""
        found = torch.empty(len(table), dtype=torch.float64)
        with self._scoring():
            for rows in by_length(table.lengths, batch_size):
                found[rows] = torch.sigmoid(self(table.batch(rows, self.device)).double()).cpu()
        return found.numpy()
