"""Text encoders: a linear one that starts from nothing, and transformers of Hugging Face's form.

An encoder is a torch module with ``prepare(texts)``, which makes whatever `forward` reads, ``forward(batch)`` for a
selection ``prepared[rows]`` of it, and ``dim``, the width of what comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from reprise.giant_xrt.input_checks import check_number
from reprise.giant_xrt.tfidf import MAX_WORDS, word_matrix

BAG_DEVIATION = 0.1


class Prepared(Protocol):
    """Texts made ready; rows are selected by number."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: np.ndarray) -> Any: ...


@runtime_checkable
class Encoder(Protocol):
    """What `NeighborhoodXMC` asks of an encoder, besides being a torch module."""

    dim: int

    def prepare(self, texts: Sequence[str]) -> Prepared:
        """Make texts ready for `forward`."""
        ...

    def __call__(self, batch: Any) -> Tensor:
        """Return the pooled embedding of a selection of prepared texts, ``(n, dim)``."""
        ...


class SparseTexts:
    """Rows of a TF-IDF matrix as bags: word numbers, weights, and where each row begins."""

    def __init__(self, matrix: Any) -> None:
        self.matrix = sparse.csr_array(matrix)

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def __getitem__(self, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        starts, ends = self.matrix.indptr[rows], self.matrix.indptr[np.asarray(rows) + 1]
        offsets = np.concatenate([[0], np.cumsum(ends - starts)])
        places = np.repeat(starts - offsets[:-1], ends - starts) + np.arange(offsets[-1])
        words = torch.from_numpy(self.matrix.indices[places].astype(np.int64))
        return words, torch.from_numpy(self.matrix.data[places]), torch.from_numpy(offsets.astype(np.int64))


class LinearEncoder(nn.Module):
    """Bag of TF-IDF words → linear → tanh, from random weights: what training adds to them comes from the graph alone.

    Parameters
    ----------
    dim
        Width of the embedding.
    max_words
        Most words.
    generator
        Of the initial weights, N(0, 0.1²).
    """

    def __init__(self, dim: int = 128, max_words: int = MAX_WORDS, generator: torch.Generator | None = None) -> None:
        super().__init__()
        check_number("dim", dim, least=1, whole=True)
        check_number("max_words", max_words, least=1, whole=True)
        self.dim, self.max_words, self.generator = dim, max_words, generator
        self.words: Any = None
        self.bag: nn.Parameter | None = None
        self.shift = nn.Parameter(torch.zeros(dim))

    def prepare(self, texts: Sequence[str]) -> SparseTexts:
        """Return bags; the first call learns the vocabulary and draws the weights."""
        if self.words is None:
            self.words, matrix = word_matrix(texts, self.max_words)
            return self.prepare_matrix(matrix)
        return self.prepare_matrix(self.words.transform(texts))

    def prepare_matrix(self, matrix: Any) -> SparseTexts:
        """Return bags of a TF-IDF matrix made elsewhere."""
        if self.bag is None:
            drawn = torch.randn(matrix.shape[1], self.dim, generator=self.generator)
            self.bag = nn.Parameter(BAG_DEVIATION * drawn.to(self.shift.device))
        return SparseTexts(matrix)

    def forward(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """Return tanh(Σ_w tfidf_w B_w + b), ``(n, dim)``."""
        assert self.bag is not None
        words, weights, offsets = (part.to(self.bag.device) for part in batch)
        pooled = functional.embedding_bag(
            words, self.bag, offsets, mode="sum", per_sample_weights=weights, include_last_offset=True
        )
        return torch.tanh(pooled + self.shift)


@torch.no_grad()
def encode(encoder: Any, prepared: Prepared, batch_size: int = 1024) -> np.ndarray:
    """Return the embeddings of all prepared texts in evaluation mode, float32 ``(n, dim)``; not normalised.

    Texts of like length go together where the prepared texts know their lengths, so that little is padded.
    """
    was_training = encoder.training
    encoder.eval()
    lengths = getattr(prepared, "lengths", None)
    order = np.arange(len(prepared)) if lengths is None else np.argsort(lengths, kind="stable")
    found = np.empty((len(prepared), encoder.dim), dtype=np.float32)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        found[rows] = encoder(prepared[rows]).float().cpu().numpy()
    encoder.train(was_training)
    return found


@dataclass(frozen=True)
class TrainedRows:
    """A selection of prepared texts, by number: the prepared texts of the instances of a training run."""

    prepared: Prepared
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray) -> Any:
        return self.prepared[self.rows[rows]]
