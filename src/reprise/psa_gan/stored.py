"""Files of a model or of a training's state: plain tensors, numbers and text, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reprise.psa_gan.generator import Generator
from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.panel import TimeSeriesPanel

if TYPE_CHECKING:
    import pandas as pd


class StoredWeights:
    """What lets `pickle`, `joblib` and `copy` keep a fitted model: its weights instead of its networks."""

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes; of the generator what it is made of."""
        state = dict(self.__dict__)
        if "generator_" in state:
            weights = {name: tensor.cpu() for name, tensor in state["generator_"].state_dict().items()}
            state["generator_"] = (state["generator_"].architecture, weights)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the attributes up; the generator is made anew, on the CPU."""
        self.__dict__.update(state)
        if "generator_" in state:
            architecture, weights = state["generator_"]
            generator = Generator(architecture)
            generator.load_state_dict(weights)
            self.generator_ = generator.eval()


def write(state: dict[str, Any], path: str | Path) -> None:
    """Write a state; a process that is killed leaves the file that was there before."""
    target = Path(path)
    partial = target.with_name(f"{target.name}.partial")
    torch.save(state, partial)
    os.replace(partial, target)


def read(path: str | Path) -> dict[str, Any]:
    """Read a state; nothing in the file is run as code.

    Raises
    ------
    PSAGANInputError
        If there is no such file, or it holds something else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise PSAGANInputError(f"there is no file {path}.") from error
    except Exception as error:  # a damaged archive fails in many ways
        raise PSAGANInputError(f"{path} holds no stored PSA-GAN ({type(error).__name__}).") from error
    if not isinstance(state, dict) or "parameters" not in state:
        raise PSAGANInputError(f"{path} holds no stored PSA-GAN.")
    return state


def read_model(path: str | Path) -> dict[str, Any]:
    """Return the state of a fitted model.

    Raises
    ------
    PSAGANInputError
        If the file holds something else.
    """
    state = read(path)
    if "generator" not in state:
        raise PSAGANInputError(f"{path} holds the state of a training, not a model; give it to fit(checkpoint=…).")
    return state


def check_folder(path: str | Path) -> None:
    """Refuse a file that could not be written, before anything is computed for it.

    Raises
    ------
    PSAGANInputError
        If its folder is not there.
    """
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise PSAGANInputError(f"{path} cannot be written: there is no folder {folder}; make it first.")


def read_training(path: str | Path, parameters: Mapping[str, Any], prints: Mapping[str, str]) -> dict[str, Any]:
    """Return the state of a training that was stored with these settings on this panel.

    Parameters
    ----------
    path
        The checkpoint.
    parameters, prints
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
    others = [name for name, value in prints.items() if stored["fingerprints"].get(name) != value]
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


def packed_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as plain numbers and text, whatever library they come from."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in parameters.items()}


def packed_panel(panel: TimeSeriesPanel) -> dict[str, Any]:
    """Return a panel as plain tensors, numbers and text."""
    return {
        "values": panel.values,
        "lengths": panel.lengths,
        "starts": [_packed_time(start) for start in panel.starts],
        "freq": panel.freq,
        "static_cat": panel.static_cat,
        "feat_dynamic": panel.feat_dynamic,
        "item_ids": [_packed_name(name) for name in panel.item_ids],
        "first_index": list(panel.first_index),
    }


def unpacked_panel(packed: dict[str, Any]) -> TimeSeriesPanel:
    """Return the panel that `packed_panel` packed."""
    rows = zip(packed["values"].numpy(), packed["lengths"].tolist(), strict=True)
    known = packed["feat_dynamic"]
    return TimeSeriesPanel(
        [row[:length] for row, length in rows],
        [_unpacked_time(*start) for start in packed["starts"]],
        packed["freq"],
        static_cat=packed["static_cat"].tolist(),
        feat_dynamic=None if known is None else known.numpy(),
        item_ids=packed["item_ids"],
        first_index=packed["first_index"],
    )


def _packed_time(time: pd.Timestamp) -> tuple[str, str | None]:
    """Return a time, with a zone in universal time, so that no hour is there twice, and the zone's name."""
    return (time.isoformat(), None) if time.tz is None else (time.tz_convert("UTC").isoformat(), str(time.tz))


def _unpacked_time(time: str, zone: str | None) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(time) if zone is None else pd.Timestamp(time).tz_convert(zone)


def _packed_name(name: Any) -> Any:
    """Return the name of a series as text or a number, whatever library it comes from; of pairs, each part."""
    if isinstance(name, tuple):
        return tuple(_packed_name(part) for part in name)
    plain = name.item() if isinstance(name, np.generic) else name
    return plain if isinstance(plain, int | float | str) else str(plain)
