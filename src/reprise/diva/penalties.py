"""The penalty as readers give it: a number, or chosen by leave-one-out, with a warning at an end of what is tried."""

from __future__ import annotations

import warnings
from typing import Any

from torch import Tensor

from reprise.diva.input_checks import check_penalty
from reprise.diva.weighting import PENALTIES, choose_penalty


def penalty_of(lam: Any, features: Tensor, targets: Tensor) -> float:
    """Return λ: the number given, or for ``"loo"`` the one of 0.001 … 10 with the least squared leave-one-out error.

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
    chosen = choose_penalty(features, targets)
    if chosen == PENALTIES[0]:
        warnings.warn(
            f"the least λ tried, {chosen:g}, has the least leave-one-out error; smaller ones may be better: give lam=, "
            "or scale the features up.",
            stacklevel=3,
        )
    elif chosen == PENALTIES[-1]:
        warnings.warn(
            f"the largest λ tried, {chosen:g}, has the least leave-one-out error; larger ones may be better: give "
            "lam=, or scale the features down.",
            stacklevel=3,
        )
    return chosen
