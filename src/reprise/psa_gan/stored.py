"""Files of a model or of a training's state: plain tensors, numbers and text, written whole or not at all."""

from __future__ import annotations

import datetime
import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reprise.psa_gan.generator import Generator
from reprise.psa_gan.input_checks import PSAGANInputError, name_some
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
    """Write a state; a process that fails or is killed leaves the file that was there before."""
    partial = Path(path).with_name(f"{Path(path).name}.partial")
    try:
        torch.save(state, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


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


def check_path(argument: str, path: Any) -> None:
    """Refuse a file that could not be written, before anything is computed for it.

    Raises
    ------
    PSAGANInputError
        If it is no path, its folder is not there or cannot be written to, or something else than a file has its name.
    """
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(name, str) or not name or "\0" in name:
        raise PSAGANInputError(f"{argument}={path!r} is no path of a file; give one such as 'model.pt'.")
    refused = f"{argument}={str(path)!r} cannot be written: "
    target = Path(path).absolute()
    try:
        if not target.parent.is_dir():
            raise PSAGANInputError(f"{refused}there is no folder {target.parent}; make it first.")
        if target.exists() and not target.is_file():
            raise PSAGANInputError(f"{refused}it is no file; give the name of one.")
        tempfile.TemporaryFile(dir=target.parent).close()
    except OSError as error:
        raise PSAGANInputError(f"{refused}{error}; name another file.") from error


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


def check_storable(panel: TimeSeriesPanel) -> None:
    """Refuse a panel whose names or time zones would be others when it is read back.

    Raises
    ------
    PSAGANInputError
        If the name of a series is neither text nor a number, or a time zone has no name that pandas knows.
    """
    changed = [repr(name) for name in panel.item_ids if not _is_plain(name)]
    if changed:
        raise PSAGANInputError(
            f"series {name_some(changed)} has a name that is neither text nor a whole or real number; rename it before "
            "the fit, e.g. by frame.index = frame.index.astype(str)."
        )
    for start, name in zip(panel.starts, panel.item_ids, strict=True):
        if start.tz is not None and not _is_readable(start, _zone_name(start, start.tz)):
            raise PSAGANInputError(
                f"the time zone {start.tz} of series {name!r} cannot be read back; bring the times to one that has a "
                "name before the fit, e.g. by frame.tz_convert('Europe/Berlin', axis=1)."
            )


def warn_of_storing(panel: TimeSeriesPanel) -> None:
    """Warn, before a training, of a panel that `check_storable` will refuse after it."""
    try:
        check_storable(panel)
    except PSAGANInputError as error:
        warnings.warn(f"this model cannot be saved: {error}", stacklevel=3)


def _is_plain(name: Any) -> bool:
    """Return whether a name is found again once it is stored. NaN is not: it does not even equal itself."""
    if isinstance(name, tuple):
        return all(map(_is_plain, name))
    known = name.item() if isinstance(name, np.number | np.bool_ | np.str_) else name
    return type(known) in (str, bool, int, float) and known == known


def _packed_time(time: pd.Timestamp) -> tuple[str, str | None]:
    """Return a time, with a zone in universal time, so that no hour is there twice, and the zone's name."""
    return (
        (time.isoformat(), None) if time.tz is None else (time.tz_convert("UTC").isoformat(), _zone_name(time, time.tz))
    )


def _zone_name(time: pd.Timestamp, zone: datetime.tzinfo) -> str:
    """Return the name of a time's zone; of one that pandas does not know, its distance from UTC where that is fixed."""
    fixed = zone.utcoffset(None)
    if fixed is None or _is_readable(time, str(zone)):
        return str(zone)
    return str(datetime.timezone(fixed))


def _is_readable(time: pd.Timestamp, zone: str) -> bool:
    """Return whether pandas makes of a zone's name one that shows the same time."""
    try:
        return time.tz_convert(zone).isoformat() == time.isoformat()
    except Exception:  # pandas and the libraries of zones have several for a name that they do not know
        return False


def _unpacked_time(time: str, zone: str | None) -> pd.Timestamp:
    import pandas as pd

    return pd.Timestamp(time) if zone is None else pd.Timestamp(time).tz_convert(zone)


def _packed_name(name: Any) -> Any:
    """Return the name of a series as text or a number, whatever library it comes from; of pairs, each part."""
    if isinstance(name, tuple):
        return tuple(_packed_name(part) for part in name)
    plain = name.item() if isinstance(name, np.generic) else name
    return plain if isinstance(plain, int | float | str) else str(plain)
