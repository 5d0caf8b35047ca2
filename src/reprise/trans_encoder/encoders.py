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

from reprise.trans_encoder.checkpoints import load_model, load_tokenizer
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
        positions = getattr(transformer.config, "max_position_embeddings", None)
        if not 3 <= max_length <= (positions or max_length):
            raise TransEncoderInputError(
                f"max_length={max_length} must be from 3 to {positions}, the model's positions."
            )
        self.transformer, self.tokenizer = transformer, tokenizer
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
        """Return the context in which to compute: mixed precision with bfloat16, or nothing."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bfloat16")

    def freeze(self, *, embeddings: bool, n_layers: int = 0) -> None:
        """Keep the embeddings and the lowest layers as they are while training.

        Raises
        ------
        TransEncoderInputError
            If that leaves neither embeddings nor a layer to train.
        """
        trunk = self.trunk
        if embeddings:
            trunk.embeddings.requires_grad_(False)
        trunk.encoder.layer[:n_layers].requires_grad_(False)
        if embeddings and n_layers >= len(trunk.encoder.layer):
            raise TransEncoderInputError(
                f"frozen_layers={n_layers} leaves nothing to train in a model of {len(trunk.encoder.layer)} layers; "
                "freeze fewer."
            )

    def take_trunk_of(self, other: Encoder) -> None:
        """Take over the weights of another encoder's transformer, without its head."""
        self.trunk.load_state_dict(other.trunk.state_dict(), strict=False)

    @contextmanager
    def _scoring(self) -> Iterator[None]:
        was_training = self.training
        self.eval()
        try:
            with torch.inference_mode(), self.arithmetic():
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

    greatest_length = SENTENCE_LENGTH

    def tokenise(self, sentences: Sequence[str]) -> TokenTable:
        """Return the word pieces of sentences."""
        return tokenise(self.tokenizer, list(sentences), None, self.max_length)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return unit vectors, float32 of shape ``(n, d)``."""
        states = self.transformer(**batch).last_hidden_state.float()
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
                found[rows] = self(table.batch(rows, self.device)).float().cpu()
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


class MeanHead(nn.Module):
    """Mean over word pieces, dense layer, tanh, dropout, one output: the classification head without its [CLS]."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.out = nn.Linear(config.hidden_size, 1)
        for layer in (self.dense, self.out):
            nn.init.normal_(layer.weight, std=config.initializer_range)
            nn.init.zeros_(layer.bias)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Return logits, ``(n,)``, of states ``(n, length, d)``."""
        weights = mask[:, :, None].to(states.dtype)
        mean = (states * weights).sum(1) / weights.sum(1)
        return self.out(self.dropout(torch.tanh(self.dense(mean))))[:, 0]


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

    greatest_length = PAIR_LENGTH

    def _new_head(self) -> MeanHead | None:
        return MeanHead(self.transformer.config) if self.pooling == "mean" else None

    @staticmethod
    def _is_classifier(pooling: str) -> bool:
        return pooling == "cls"

    def tokenise(self, pairs: Sequence[tuple[str, str]]) -> TokenTable:
        """Return the word pieces of pairs, both sentences in one sequence."""
        return tokenise(self.tokenizer, [a for a, _ in pairs], [b for _, b in pairs], self.max_length)

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Return logits, float32 of shape ``(n,)``."""
        found = self.transformer(**batch)
        if self.head is None:
            return found.logits[:, 0].float()
        return self.head(found.last_hidden_state, batch["attention_mask"]).float()

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
