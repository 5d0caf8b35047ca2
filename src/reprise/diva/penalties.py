"""The penalty as readers give it: a number, or chosen by leave-one-out, with a warning at an end of what is tried."""

from __future__ import annotations

import warnings
from typing import Any

from torch import Tensor

from reprise.diva.input_checks import check_penalty
from reprise.diva.weighting import PENALTIES, choose_penalty


def penalty_of(lam: Any, features: Tensor, targets: Tensor) -> float:
    """Return λ: the number given, or for ``"loo"`` the one with the least squared leave-one-out error.

    Tried are 0.001 … 10, times half the mean squared length of a row: 1 for rows of length 1 with a constant, as in the
    chapter; so that features of another scale get penalties of theirs.

    Parameters
    ----------
    lam
        A number > 0, or ``"loo"``.
    features, targets
        Z (N, m) and Y (N, k) as the model sees them.

    Raises
    ------
    DivaInputError
        If it is neither.
    """
    if not (isinstance(lam, str) and lam == "loo"):
        return check_penalty(lam, *features.shape)
    scale = float(features.square().sum(1).mean()) / 2
    scale = 1.0 if abs(scale - 1) < 1e-9 or scale == 0 else scale
    tried = tuple(scale * penalty for penalty in PENALTIES)
    chosen = choose_penalty(features, targets, tried)
    ends = {tried[0]: ("least", "smaller"), tried[-1]: ("largest", "larger")}
    if chosen in ends:
        which, others = ends[chosen]
        warnings.warn(
            f"the {which} λ tried, {chosen:.3g}, has the least leave-one-out error; {others} ones may be better: give "
            "lam=.",
            stacklevel=3,
        )
    return chosen
