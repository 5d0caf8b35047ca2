"""Policies as files: JSON, and npz with the key names of the authors' files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor

from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.transformations import HIGHEST_LEVEL, OPERATION_NAMES
from reprise.errors import nearest

if TYPE_CHECKING:
    from reprise.deep_aa.policy import Policy

KEYS = ("policy_probs", "ops", "mags", "op_names")
_SPACE_KEYS = ("image_size", "fill", "cutout", "crop_pad")
KNOWN = (*KEYS, *_SPACE_KEYS, "mirror_signed", "l_ops", "l_mags")  # the last two are only counts
MOST_DIMENSIONS, MOST_SHOWN = 2, 4


def write_policy(policy: Policy, path: Path) -> None:
    """Write a policy with its space; folders on the way are made.

    Raises
    ------
    DeepAAInputError
        If the ending is neither ``.json`` nor ``.npz``.
    """
    if path.suffix not in (".npz", ".json"):
        raise DeepAAInputError(f"path={str(path)!r} must end in .json or .npz.")
    path.parent.mkdir(parents=True, exist_ok=True)
    space = policy.space
    values: dict[str, Any] = {
        "policy_probs": policy.probabilities.cpu().numpy(),
        "ops": space.op_index.numpy(),
        "mags": space.level.numpy(),
        "l_ops": len(space.operations),
        "l_mags": HIGHEST_LEVEL + 1,
        "op_names": np.array(space.operations),
        "image_size": np.array(space.image_size),
        "fill": np.array(space.fill),
        "cutout": space.cutout,
        "crop_pad": space.crop_pad,
        "mirror_signed": policy.mirror_signed,
    }
    if path.suffix == ".npz":
        np.savez_compressed(path, **values)
    else:
        plain = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in values.items()}
        path.write_text(json.dumps(plain) + "\n", encoding="utf-8")


def read_policy(path: Path, space: AugmentationSpace | None = None) -> Policy:
    """Read a policy; see `Policy.load`."""
    from reprise.deep_aa.policy import Policy

    values = _values_of(path)
    missing = [key for key in KEYS if key not in values]
    if missing:
        raise DeepAAInputError(
            f"{path} is no policy: it lacks {', '.join(missing)}. Policy.save writes files that can be read."
        )
    for key in values:
        if path.suffix == ".json" and key not in KNOWN:
            raise DeepAAInputError(f"{path} has {key!r}, which is unknown; known: {', '.join(KNOWN)}.")
    names = [_operation_name(str(name)) for name in np.asarray(values["op_names"]).ravel()]
    space = _space_of(values, names) if space is None else space
    mirror_signed = np.asarray(values.get("mirror_signed", True))
    if mirror_signed.dtype != bool or mirror_signed.ndim:
        raise DeepAAInputError(f"mirror_signed={values['mirror_signed']!r} in the file must be true or false.")
    return Policy(_in_order(values, names, space), space, mirror_signed=bool(mirror_signed))


def _values_of(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise DeepAAInputError(f"path={str(path)!r} does not exist; give a file that Policy.save wrote.")
    try:
        if path.suffix == ".json":
            values = json.loads(path.read_text(encoding="utf-8"))
            return values if isinstance(values, dict) else {}
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (ValueError, BadZipFile, AttributeError, EOFError) as error:
        raise DeepAAInputError(f"{path} cannot be read as {path.suffix or 'npz'}: {error}.") from error


def _operation_name(name: str) -> str:
    """Return our name of an operation, whatever its capitals."""
    by_small_letters = {known.casefold(): known for known in OPERATION_NAMES}
    known = by_small_letters.get(name.casefold())
    if known is None:
        close = nearest(name, OPERATION_NAMES)
        hint = f"; the nearest is {close}" if close else ""
        raise DeepAAInputError(f"the file has the operation {name!r}, which is not implemented here{hint}.")
    return known


def _space_of(values: Mapping[str, Any], names: Sequence[str]) -> AugmentationSpace:
    whole: dict[str, Any] = {key: _whole(key, values[key]).tolist() for key in _SPACE_KEYS if key in values}
    return AugmentationSpace(**whole, ops=names)


def _whole(key: str, value: Any) -> Any:
    """Return an array of integers, lest what is none is cut to one unnoticed."""
    try:
        numbers = np.asarray(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise DeepAAInputError(f"{key} in the file must be whole numbers: {error}.") from error
    if not (numbers == np.round(numbers)).all():
        raise DeepAAInputError(f"{key} in the file must be whole numbers, not {numbers.ravel().tolist()[:MOST_SHOWN]}.")
    return numbers.astype(int)


def _probabilities(value: Any) -> Any:
    try:
        numbers = np.atleast_2d(np.asarray(value, dtype=float))
    except (TypeError, ValueError) as error:
        raise DeepAAInputError(f"policy_probs in the file must be numbers of shape (K, T): {error}.") from error
    if numbers.ndim > MOST_DIMENSIONS:
        raise DeepAAInputError(f"policy_probs in the file has the shape {numbers.shape}; it must be (K, T).")
    return numbers


def _in_order(values: Mapping[str, Any], names: Sequence[str], space: AugmentationSpace) -> Tensor:
    """Return the probabilities in the space's order; the file may number transformations otherwise."""
    probabilities = _probabilities(values["policy_probs"])
    operations, levels = (_whole(key, values[key]).reshape(-1) for key in ("ops", "mags"))
    if not len(operations) == len(levels) == probabilities.shape[-1]:
        raise DeepAAInputError(
            f"the file has {probabilities.shape[-1]} probabilities a layer, but {len(operations)} operations and "
            f"{len(levels)} magnitudes; they have to be as many."
        )
    place = {
        (operation.name, level if operation.idle_level is not None else None): at
        for at, (operation, level) in enumerate(space.transformations)
    }
    ordered, filled = np.zeros((len(probabilities), len(space))), set()
    for at, (number, level) in enumerate(zip(operations, levels, strict=True)):
        if not 0 <= number < len(names):
            raise DeepAAInputError(f"ops[{at}]={number} in the file has no name: op_names has {len(names)}.")
        name = names[number]
        target = place.get((name, int(level)), place.get((name, None)))
        if target in filled:
            raise DeepAAInputError(f"the file has {name} at level {level} twice; leave one out.")
        if target is not None:
            ordered[:, target] = probabilities[:, at]
            filled.add(target)
        elif probabilities[:, at].any():
            raise DeepAAInputError(f"the space lacks {name} at level {level}, which the file's policy draws.")
    return torch.from_numpy(ordered)
