"""The matching without smoothing, by SciPy's HiGHS: the judge of both solvers on small matrices."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from reprise.rim.events import Numbers
from reprise.rim.input_checks import RimInputError
from reprise.rim.matching import Bounds


def best_assignment(scores: Numbers, bounds: Bounds) -> tuple[Numbers, float]:
    """Return an optimal π, (N, M), and Σ s π.

    Raises
    ------
    RimInputError
        If HiGHS finds no optimum, e.g. because masked pairs make the bounds infeasible.
    """
    n_users, n_items = scores.shape
    allowed = np.isfinite(scores).ravel()
    per_user = sparse.kron(sparse.eye_array(n_users), np.ones((1, n_items)), format="csr")
    per_item = sparse.kron(np.ones((1, n_users)), sparse.eye_array(n_items), format="csr")
    blocks, limits = [per_user], [np.full(n_users, float(bounds.per_user))]
    if bounds.most is not None:
        blocks.append(per_item)
        limits.append(np.full(n_items, float(bounds.most)))
    if bounds.least is not None:
        blocks.append(-per_item)
        limits.append(np.full(n_items, -float(bounds.least)))
    matrix = sparse.vstack(blocks, format="csc")[:, allowed]
    found = linprog(
        -scores.ravel()[allowed], A_ub=matrix, b_ub=np.concatenate(limits), bounds=(0, 1), method="highs-ds"
    )
    if found.status != 0:
        raise RimInputError(f"the linear programme has no optimum ({found.message}); loosen the bounds.")
    assignment = np.zeros(n_users * n_items)
    assignment[allowed] = found.x
    return assignment.reshape(n_users, n_items), float(-found.fun)
