"""Keeping a fitted Trans-Encoder: both forms in one folder, the bi-encoder such that sentence-transformers loads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from reprise.trans_encoder.distillation import DistillConfig
from reprise.trans_encoder.encoders import BiEncoder, CrossEncoder
from reprise.trans_encoder.input_checks import TransEncoderInputError
from reprise.trans_encoder.training import Recipe

CROSS_FOLDER, HEAD_FILE, FACTS_FILE = "cross-encoder", "head.safetensors", "trans_encoder.json"
POOLING_FILE, MODULES_FILE = Path("1_Pooling") / "config.json", "modules.json"
KNOWN_MODULES = ("Transformer", "Pooling", "Normalize")


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

    if not isinstance(path, str | Path) or any(one.is_file() for one in (Path(path), *Path(path).parents)):
        raise TransEncoderInputError(f"path={path!r} must be a folder, new or not; give its name.")
    with _without_progress_bars():
        bi.save(path)
        folder = Path(path) / CROSS_FOLDER
        cross.transformer.save_pretrained(folder)
        cross.tokenizer.save_pretrained(folder)
    if cross.head is not None:
        save_file({name: weight.contiguous() for name, weight in cross.head.state_dict().items()}, folder / HEAD_FILE)
    own = {"pooling": bi.pooling, "sentence_length": bi.max_length, "pair_length": cross.max_length}
    facts = {**own, "precision": bi.precision, **facts}
    text = json.dumps(facts, indent=1, default=lambda value: value.item())  # numbers of numpy
    (Path(path) / FACTS_FILE).write_text(text, encoding="utf-8")


def load_forms(path: str | Path) -> tuple[BiEncoder, CrossEncoder, dict[str, Any]]:
    """Return the bi-encoder, the cross-encoder and the facts that `save_forms` wrote.

    Raises
    ------
    TransEncoderInputError
        If the folder is none of its.
    """
    from safetensors.torch import load_file

    if not isinstance(path, str | Path) or not (Path(path) / FACTS_FILE).is_file():
        raise TransEncoderInputError(
            f"path={str(path)!r} has no {FACTS_FILE}: give a folder that TransEncoder.save wrote."
        )
    folder = Path(path) / CROSS_FOLDER
    try:
        facts = json.loads((Path(path) / FACTS_FILE).read_text(encoding="utf-8"))
        pooling, precision = facts["pooling"], facts["precision"]
        bi = BiEncoder.from_pretrained(str(path), None, pooling, facts["sentence_length"], precision)
        cross = CrossEncoder.from_pretrained(str(folder), None, pooling, facts["pair_length"], precision)
        if cross.head is not None:
            cross.head.load_state_dict(load_file(folder / HEAD_FILE))
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        if isinstance(error, TransEncoderInputError):
            raise
        raise TransEncoderInputError(
            f"path={str(path)!r} is damaged ({type(error).__name__}: {error}); save the model anew."
        ) from error
    return bi.eval(), cross.eval(), facts


def config_of(saved: dict[str, Any]) -> DistillConfig:
    """Return the configuration that `dataclasses.asdict` made this of."""
    return DistillConfig(**{**saved, "cross": Recipe(**saved["cross"]), "bi": Recipe(**saved["bi"])})


def pooling_of_folder(source: str) -> str | None:
    """Return how a folder of sentence-transformers pools, ``"mean"`` or ``"cls"``; None if it does not say.

    Raises
    ------
    TransEncoderInputError
        If it pools in another way, or has a module after the pooling that would be left out.
    """
    _check_modules(source)
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


def _check_modules(source: str) -> None:
    file = Path(source) / MODULES_FILE
    if not file.is_file():
        return
    kinds = [str(module["type"]).rpartition(".")[2] for module in json.loads(file.read_text(encoding="utf-8"))]
    if further := [kind for kind in kinds if kind not in KNOWN_MODULES]:
        raise TransEncoderInputError(
            f"start={source!r} has the module {further[0]}, which is not built: its vectors would be others. Give an "
            f"encoder of {', '.join(KNOWN_MODULES)} alone."
        )


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
