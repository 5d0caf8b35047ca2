"""Keeping a fitted Trans-Encoder: both forms in one folder, the bi-encoder such that sentence-transformers loads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reprise.trans_encoder.encoders import BiEncoder, CrossEncoder
from reprise.trans_encoder.input_checks import TransEncoderInputError

CROSS_FOLDER, HEAD_FILE, FACTS_FILE = "cross-encoder", "head.safetensors", "trans_encoder.json"
POOLING_FILE = Path("1_Pooling") / "config.json"


def save_forms(bi: BiEncoder, cross: CrossEncoder, facts: dict[str, Any], path: str | Path) -> None:
    """Write both forms and what is known of them.

    Parameters
    ----------
    bi, cross
        Fitted encoders; the bi-encoder is written by its own `save`, the cross-encoder into a folder within.
    facts
        What else belongs to the fitted model, as JSON takes it.
    path
        Folder; made if it is not there.

    Raises
    ------
    TransEncoderInputError
        If the path is none, or that of a file.
    """
    from safetensors.torch import save_file

    if not isinstance(path, str | Path) or Path(path).is_file():
        raise TransEncoderInputError(f"path={path!r} must be a folder, new or not; give its name.")
    with _without_progress_bars():
        bi.save(path)
        folder = Path(path) / CROSS_FOLDER
        cross.transformer.save_pretrained(folder)
        cross.tokenizer.save_pretrained(folder)
    if cross.head is not None:
        save_file({name: weight.contiguous() for name, weight in cross.head.state_dict().items()}, folder / HEAD_FILE)
    own = {"pooling": bi.pooling, "sentence_length": bi.max_length, "pair_length": cross.max_length}
    text = json.dumps({**own, "precision": bi.precision, **facts}, indent=1)
    (Path(path) / FACTS_FILE).write_text(text, encoding="utf-8")


def load_forms(path: str | Path) -> tuple[BiEncoder, CrossEncoder, dict[str, Any]]:
    """Return the bi-encoder, the cross-encoder and the facts that `save_forms` wrote.

    Raises
    ------
    TransEncoderInputError
        If the folder is none of its.
    """
    from safetensors.torch import load_file

    file = Path(path) / FACTS_FILE
    if not file.is_file():
        raise TransEncoderInputError(
            f"path={str(path)!r} has no {FACTS_FILE}: give a folder that TransEncoder.save wrote."
        )
    facts = json.loads(file.read_text(encoding="utf-8"))
    folder, pooling, precision = Path(path) / CROSS_FOLDER, facts["pooling"], facts["precision"]
    bi = BiEncoder.from_pretrained(str(path), None, pooling, facts["sentence_length"], precision)
    cross = CrossEncoder.from_pretrained(str(folder), None, pooling, facts["pair_length"], precision)
    if cross.head is not None:
        cross.head.load_state_dict(load_file(folder / HEAD_FILE))
    return bi.eval(), cross.eval(), facts


def pooling_of_folder(source: str) -> str | None:
    """Return how a folder of sentence-transformers pools, ``"mean"`` or ``"cls"``; None if it does not say.

    Raises
    ------
    TransEncoderInputError
        If it pools in another way.
    """
    file = Path(source) / POOLING_FILE
    if not file.is_file():
        return None
    described = json.loads(file.read_text(encoding="utf-8"))
    mode = described.get("pooling_mode")
    chosen = {
        "mean": bool(described.get("pooling_mode_mean_tokens")),
        "cls": bool(described.get("pooling_mode_cls_token")),
    }
    modes = [mode] if isinstance(mode, str) else [name for name, wanted in chosen.items() if wanted]
    if len(modes) != 1 or modes[0] not in chosen:
        raise TransEncoderInputError(
            f"start={source!r} pools by {modes or 'none of mean and cls'}, which is not built; give pooling='mean' or "
            "'cls'."
        )
    return str(modes[0])


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    from transformers.utils import logging

    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if bars:
            logging.enable_progress_bar()
