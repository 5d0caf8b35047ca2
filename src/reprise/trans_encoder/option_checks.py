"""The checks of an estimator's options, before anything is loaded."""

from __future__ import annotations

import json
from numbers import Integral
from pathlib import Path

from reprise.trans_encoder.distillation import DistillConfig
from reprise.trans_encoder.input_checks import TransEncoderInputError, shown
from reprise.trans_encoder.saving import HEAD_FILE
from reprise.trans_encoder.training import Recipe

CLASSIFIER = "ForSequenceClassification"
PATHS_BEGIN = ("/", "./", "../", "~")


def check_source(argument: str, source: object) -> str:
    """Return the name of a model on the hub, or the path of a folder with one, written out.

    Raises
    ------
    TransEncoderInputError
        If it is neither.
    """
    if not isinstance(source, str | Path) or not str(source).strip():
        raise TransEncoderInputError(f"{argument}={source!r} must be the name of a model or of a folder.")
    path = Path(source).expanduser()
    if path.is_dir() and not (path / "config.json").is_file():
        raise TransEncoderInputError(
            f"{argument}={str(source)!r} is a folder without config.json; give one that save_pretrained wrote."
        )
    is_path = isinstance(source, Path) or source.startswith(PATHS_BEGIN)
    if is_path and not path.is_dir():
        raise TransEncoderInputError(f"{argument}={str(source)!r}: there is no such folder; look at the path.")
    return str(path) if is_path else str(source)


def check_bi_encoder(start: str) -> None:
    """Refuse a folder whose model is a classifier: a cross-encoder's vectors were never trained to be compared.

    Raises
    ------
    TransEncoderInputError
        If so, or if its configuration is no JSON.
    """
    file = Path(start) / "config.json"
    if not file.is_file():
        return
    try:
        architectures = json.loads(file.read_text(encoding="utf-8")).get("architectures") or ()
    except (ValueError, AttributeError) as error:
        raise TransEncoderInputError(
            f"start={start!r} has an unreadable config.json ({error}); give a folder that save_pretrained wrote."
        ) from error
    if (Path(start) / HEAD_FILE).is_file() or any(name.endswith(CLASSIFIER) for name in architectures):
        raise TransEncoderInputError(
            f"start={start!r} is a cross-encoder, which has no vectors of single sentences; give a bi-encoder, such as "
            "the folder above it that TransEncoder.save wrote."
        )


def check_whole(argument: str, value: object, *, least: int) -> None:
    """Refuse what is no whole number, or too small a one.

    Raises
    ------
    TransEncoderInputError
        If so.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise TransEncoderInputError(f"{argument}={value!r} must be a whole number, {least} or more.")


def check_config(config: object) -> None:
    """Refuse what is no configuration, or one whose parts are of other kinds.

    Raises
    ------
    TransEncoderInputError
        If so; names the part.
    """
    if not isinstance(config, DistillConfig):
        raise TransEncoderInputError(f"config={shown(config)} must be a DistillConfig, or None for the paper's.")
    for name in ("cross", "bi"):
        if not isinstance(getattr(config, name), Recipe):
            raise TransEncoderInputError(
                f"config.{name}={getattr(config, name)!r} must be a Recipe(lr, batch_size, …)."
            )
    for name in ("symmetric", "label_stretch", "freeze_embeddings"):
        if not isinstance(getattr(config, name), bool):
            raise TransEncoderInputError(f"config.{name}={getattr(config, name)!r} must be True or False.")
    check_whole("config.frozen_layers", config.frozen_layers, least=0)
    check_whole("config.seed", config.seed, least=0)
