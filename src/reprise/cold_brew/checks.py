"""Options and graphs checked before anything is trained: a refusal names the argument, its value and the remedy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data

from reprise.cold_brew.sparse import Features, as_features


def check_whole(name: str, value: Any, least: int = 1) -> None:
    """Refuse what is no integer of at least ``least``.

    Raises
    ------
    ValueError
        Names the option and its value.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name}={value!r} is no such number; give an integer, at least {least}.")


def check_real(
    name: str, value: Any, *, low: float = 0.0, high: float = math.inf, above: bool = False, below: bool = False
) -> None:
    """Refuse what is no number between two bounds, which ``above`` and ``below`` leave out.

    Raises
    ------
    ValueError
        Names the option, its value and the range.
    """
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    fits = low <= number <= high and math.isfinite(number)
    if not fits or (above and number == low) or (below and number == high):
        opening, closing = "(" if above else "[", ")" if below or high == math.inf else "]"
        raise ValueError(f"{name}={value!r} is out of range; give a number in {opening}{low:g}, {high:g}{closing}.")


def check_dropout(name: str, value: Any) -> None:
    """Refuse a share of dropped values outside [0, 1)."""
    check_real(name, value, high=1.0, below=True)


def check_choice(name: str, value: Any, known: Sequence[Any]) -> None:
    """Refuse a word that is none of the known ones; they may include None.

    Raises
    ------
    ValueError
        Names the option, its value and the known words.
    """
    if not any(value is word or (isinstance(value, str) and value == word) for word in known):
        *others, last = [repr(word) for word in known]
        raise ValueError(f"{name}={value!r} is unknown; use {', '.join(others)} or {last}.")


def check_fields(data: Any, *names: str) -> Data:
    """Return a PyG graph, after checking that it has these fields.

    Raises
    ------
    ValueError
        If it is no ``torch_geometric.data.Data``, or a field is missing or None; names the field.
    """
    if not isinstance(data, Data):
        raise ValueError(f"data is a {type(data).__name__}; give a torch_geometric.data.Data with {', '.join(names)}.")
    for name in names:
        if getattr(data, name, None) is None:
            raise ValueError(f"data has no {name}; set data.{name} ({_FIELDS[name]}).")
    return data


_FIELDS = {
    "x": "floats, (n_nodes, n_features)",
    "edge_index": "integers, (2, n_edges)",
    "y": "integer classes, (n_nodes,), −1 where unknown",
}


def features_of(data: Data) -> Features:
    """Return a graph's features, as the models take them."""
    x: Any = check_fields(data, "x").x
    return as_features(x)


def labels_of(data: Data) -> Tensor:
    """Return a graph's labels as long integers ``(N,)``; arrays are accepted.

    Raises
    ------
    ValueError
        If they are no integers.
    """
    y = torch.as_tensor(check_fields(data, "y").y)
    if y.is_floating_point() or y.is_complex() or y.dim() != 1:
        raise ValueError(f"y has shape {tuple(y.shape)} and type {y.dtype}; give integer classes (n_nodes,).")
    return y.long()


def as_mask(name: str, mask: Any, n_nodes: int, device: torch.device | str | None = None) -> Tensor:
    """Return a mask as a boolean tensor; arrays are accepted.

    Raises
    ------
    ValueError
        If there is none, it has another shape, or holds numbers: zeros and ones would be taken as the numbers of two
        nodes.
    """
    if mask is None:
        raise ValueError(f"{name} is None; give booleans, one for each of the {n_nodes} nodes.")
    found = torch.as_tensor(np.asarray(mask) if isinstance(mask, list | tuple) else mask)
    if found.shape != (n_nodes,) or found.dtype != torch.bool:
        raise ValueError(
            f"{name} has shape {tuple(found.shape)} and type {found.dtype}; give booleans, one for each of the "
            f"{n_nodes} nodes (mask.bool())."
        )
    return found.to(device) if device is not None else found
