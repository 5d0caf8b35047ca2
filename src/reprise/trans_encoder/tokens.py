"""Word pieces of many texts in one flat array, and batches of texts of about equal length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CHUNK = 20  # batches whose texts are sorted by length together


@dataclass(frozen=True)
class TokenTable:
    """Word pieces of texts, tokenised once.

    Attributes
    ----------
    ids
        All word pieces one text after the other, int32.
    types
        Segment of each piece (0 the first sentence, 1 the second), int8; None for models without segments.
    offsets
        Where each text begins, ``(n + 1,)``.
    padding
        Identifier that fills up a batch.
    n_cut
        How many texts were longer than the greatest length.
    """

    ids: NDArray[np.int32]
    types: NDArray[np.int8] | None
    offsets: NDArray[np.int64]
    padding: int
    n_cut: int = 0

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of word pieces of each text."""
        return np.diff(self.offsets)

    def batch(self, rows: NDArray[np.int64], device: Any = "cpu") -> dict[str, Tensor]:
        """Return some texts as the keyword arguments of a transformer, padded to the longest among them."""
        lengths = self.lengths[rows]
        inside = np.arange(lengths.max())[None, :] < lengths[:, None]
        places = (self.offsets[rows, None] + np.arange(lengths.max())[None, :])[inside]
        ids = np.full(inside.shape, self.padding, dtype=np.int64)
        ids[inside] = self.ids[places]
        found = {"input_ids": ids, "attention_mask": inside.astype(np.int64)}
        if self.types is not None:
            types = np.zeros(inside.shape, dtype=np.int64)
            types[inside] = self.types[places]
            found["token_type_ids"] = types
        return {name: torch.from_numpy(values).to(device) for name, values in found.items()}


def tokenise(
    tokenizer: Any, first: list[str], second: list[str] | None, max_length: int, *, segments: bool = True
) -> TokenTable:
    """Return the word pieces of sentences, or of pairs in one sequence each, cut to a greatest length.

    Parameters
    ----------
    tokenizer
        Of transformers.
    first, second
        Sentences; with the second ones given, ``[CLS] first [SEP] second [SEP]``, the longer sentence cut first.
    max_length
        Greatest length with the special tokens.
    segments
        Whether the model takes the segment of each piece; its tokenizer has to give it, too.
    """
    found = tokenizer(first, second, truncation=True, max_length=max_length, return_overflowing_tokens=False)
    ids = found["input_ids"]
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in ids])]).astype(np.int64)
    types = found.get("token_type_ids") if segments else None
    return TokenTable(
        np.fromiter((i for one in ids for i in one), dtype=np.int32, count=int(offsets[-1])),
        None if types is None else np.fromiter((t for one in types for t in one), np.int8, int(offsets[-1])),
        offsets,
        int(tokenizer.pad_token_id or 0),
        _n_cut(found, offsets, max_length),
    )


def _n_cut(found: Any, offsets: NDArray[np.int64], max_length: int) -> int:
    if found.encodings is None:  # a tokenizer written in Python keeps nothing of what it cut
        return int((np.diff(offsets) >= max_length).sum())
    return sum(bool(one.overflowing) for one in found.encodings)


def by_length(lengths: NDArray[np.int64], batch_size: int) -> Iterator[NDArray[np.int64]]:
    """Yield batches of positions, short ones first: for scoring, where order does not matter."""
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def shuffled_batches(
    lengths: NDArray[np.int64], batch_size: int, generator: np.random.Generator, *, bucketed: bool = True
) -> list[NDArray[np.int64]]:
    """Return one epoch of batches in random order; within chunks of 20 batches, texts of like length go together.

    Parameters
    ----------
    lengths
        Of each text, ``(n,)``.
    batch_size
        Texts a batch; the last one of an epoch may be smaller.
    generator
        Source of the order.
    bucketed
        False gives plain random batches.
    """
    order = generator.permutation(len(lengths))
    if bucketed:
        step = CHUNK * batch_size
        chunks = [order[start : start + step] for start in range(0, len(order), step)]
        order = np.concatenate([chunk[np.argsort(lengths[chunk], kind="stable")] for chunk in chunks])
    batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return [batches[place] for place in generator.permutation(len(batches))] if bucketed else batches
