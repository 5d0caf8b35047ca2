"""A training that is stored on its way, and goes on from there with the same settings on the same panel."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.stored import packed_panel, packed_parameters, read, write
from reprise.psa_gan.training import Trainer

Sink = Callable[[Trainer], None]


def watched(callback: Sink | None) -> Sink:
    """Return what looks at the losses after each step, and then calls the callback, where there is one.

    Raises
    ------
    PSAGANInputError
        If the callback cannot be called.
    """
    if callback is not None and not callable(callback):
        raise PSAGANInputError(f"callback={callback!r} cannot be called; give a function of the trainer.")

    def watch(one: Trainer) -> None:
        one.check_finite()
        if callback is not None:
            callback(one)

    return watch


def resumed(
    trainer: Trainer, panel: TimeSeriesPanel, settings: Mapping[str, Any], path: str | Path, every: int, after: Sink
) -> Sink:
    """Take up a stored training, and return what stores it on its way.

    Parameters
    ----------
    trainer
        Before its first step; it is brought to where the stored training was.
    panel, settings
        What it is trained on, on the original scale, and the model's settings.
    path, every
        The checkpoint, and generator steps between two storings.
    after
        What else is called after each step, before it is stored.

    Raises
    ------
    PSAGANInputError
        If the file that is there holds another training, or none.
    """
    parameters = packed_parameters({**settings, "device": "auto"})
    expected = fingerprints(panel)
    if os.path.exists(path):
        trainer.load_state_dict(read_training(path, parameters, expected))

    def store(one: Trainer) -> None:
        after(one)
        if one.step % every == 0 or one.step == one.schedule.max_steps:
            write({"parameters": parameters, "fingerprints": expected, "training": one.state_dict()}, path)

    return store


def read_training(path: str | Path, parameters: Mapping[str, Any], expected: Mapping[str, str]) -> dict[str, Any]:
    """Return the state of a training that was stored with these settings on this panel.

    Parameters
    ----------
    path
        The checkpoint.
    parameters, expected
        Settings of the model, and `fingerprints` of the panel, that are to go on.

    Raises
    ------
    PSAGANInputError
        If the file holds no training, or one of other settings or of another panel; names what differs.
    """
    stored = read(path)
    if not {"training", "fingerprints"} <= set(stored):
        raise PSAGANInputError(
            f"checkpoint={str(path)!r} holds no training to go on with (a model stored by save, or by an older "
            "version); name another file."
        )
    remedy = "delete it or name another"
    for name, value in parameters.items():
        if stored["parameters"].get(name) != value:
            raise PSAGANInputError(
                f"checkpoint={str(path)!r} was made with {name}={stored['parameters'].get(name)!r}, not {value!r}; "
                f"{remedy}."
            )
    others = [name for name, value in expected.items() if stored["fingerprints"].get(name) != value]
    if others:
        raise PSAGANInputError(
            f"checkpoint={str(path)!r} was made on another panel, with other {', '.join(others)}; {remedy}, or fit to "
            "the panel that it belongs to."
        )
    training: dict[str, Any] = stored["training"]
    return training


def fingerprints(panel: TimeSeriesPanel) -> dict[str, str]:
    """Return the SHA-256 of each thing that a training on a panel depends on, by its name in words."""
    packed = packed_panel(panel)
    known = packed["feat_dynamic"]
    times = [packed[name] for name in ("starts", "freq", "first_index")]
    return {
        "values": _digest(_bytes(packed["values"]), _bytes(packed["lengths"])),
        "times": _digest(json.dumps(times).encode()),
        "series": _digest(json.dumps([str(name) for name in packed["item_ids"]]).encode()),
        "categories": _digest(_bytes(packed["static_cat"])),
        "known features": _digest(b"" if known is None else _bytes(known)),
    }


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _bytes(tensor: torch.Tensor) -> bytes:
    return f"{tuple(tensor.shape)}".encode() + tensor.cpu().numpy().tobytes()
