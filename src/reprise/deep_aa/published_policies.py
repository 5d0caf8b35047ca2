"""The two policies for CIFAR that the authors published, as numbers.

``published_policies.csv`` has each operation's probability by run and layer, ``published_magnitudes.csv`` the shares of
an operation's levels (run 1); both as rounded when they were read from the authors' files. Of run 2 only the operations
named there are known, with run 1's magnitudes; each layer is divided by its sum.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.deep_aa.policy_checks import check_choice

if TYPE_CHECKING:
    import pandas as pd

    from reprise.deep_aa.space import AugmentationSpace

PUBLISHED = ("cifar",)
RUNS = (1, 2)


@cache
def _table(name: str) -> pd.DataFrame:
    import pandas as pd

    with resources.files("reprise.deep_aa").joinpath(name).open(encoding="utf-8") as file:
        return pd.read_csv(file)


def published_masses() -> pd.DataFrame:
    """Return the published probabilities: columns run, layer, operation, mass."""
    return _table("published_policies.csv").copy()


def published_magnitudes() -> pd.DataFrame:
    """Return the published shares of levels within an operation: columns layer, operation, level, share."""
    return _table("published_magnitudes.csv").copy()


def published_probabilities(data: str, run: int, space: AugmentationSpace) -> Tensor:
    """Return a published policy in the order of a space: double (K, T).

    Levels that are not listed have probability 0; an operation without any listed level is spread evenly over its own.

    Raises
    ------
    DeepAAInputError
        If no such policy is published, or the space lacks one of its operations.
    """
    check_choice("data", data, PUBLISHED)
    if run not in RUNS:
        raise DeepAAInputError(f"run={run!r} must be 1 or 2: the authors published two searches.")
    masses = published_masses().query("run == @run and mass > 0")
    probabilities = torch.zeros(masses["layer"].max(), len(space), dtype=torch.float64)
    for layer, operation, mass in masses[["layer", "operation", "mass"]].itertuples(index=False):
        part = space.slice_of(operation)
        probabilities[layer - 1, part] = mass * _level_shares(layer, operation, space.level[part])
    return probabilities / probabilities.sum(1, keepdim=True)


def _level_shares(layer: int, operation: str, levels: Tensor) -> Tensor:
    listed = published_magnitudes().query("layer == @layer and operation == @operation").set_index("level")["share"]
    if listed.empty:
        return torch.full((len(levels),), 1 / len(levels), dtype=torch.float64)
    shares = torch.tensor([float(listed.get(int(level), 0.0)) for level in levels], dtype=torch.float64)
    return shares / shares.sum()
