"""Files of a model or of a training's state: plain tensors, numbers and text, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.panel import TimeSeriesPanel


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


def check_same(stored: dict[str, Any], wanted: dict[str, Any], path: str | Path) -> None:
    """Refuse a checkpoint of other settings.

    Raises
    ------
    PSAGANInputError
        If a parameter differs; names it with both values.
    """
    for name, value in wanted.items():
        if stored.get(name) != value:
            raise PSAGANInputError(
                f"the checkpoint {path} was made with {name}={stored.get(name)!r}, not {value!r}; delete it or name "
                "another."
            )


def packed_panel(panel: TimeSeriesPanel) -> dict[str, Any]:
    """Return a panel as plain tensors, numbers and text."""
    return {
        "values": panel.values,
        "lengths": panel.lengths,
        "starts": [str(start) for start in panel.starts],
        "freq": panel.freq,
        "static_cat": panel.static_cat,
        "feat_dynamic": panel.feat_dynamic,
        "item_ids": [name if isinstance(name, int) else str(name) for name in panel.item_ids],
        "first_index": panel.first_index,
    }


def unpacked_panel(packed: dict[str, Any]) -> TimeSeriesPanel:
    """Return the panel that `packed_panel` packed."""
    rows = zip(packed["values"].numpy(), packed["lengths"].tolist(), strict=True)
    known = packed["feat_dynamic"]
    return TimeSeriesPanel(
        [row[:length] for row, length in rows],
        packed["starts"],
        packed["freq"],
        static_cat=packed["static_cat"].tolist(),
        feat_dynamic=None if known is None else known.numpy(),
        item_ids=packed["item_ids"],
        first_index=packed["first_index"],
    )
