"""The matching as an estimator: prices learnt from scores, users served one at a time.

>>> import numpy as np
>>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])
>>> matcher = DualMatcher(max_per_user=1, min_per_item=1).fit(scores)
>>> matcher.transform(scores).sum(axis=0).round(1).tolist()
[2.0, 1.0]
"""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from reprise.compute import numpy_generator
from reprise.rim.input_checks import RimInputError, check_scores
from reprise.rim.matching import LEVELS, Bounds, alternate, certify, solve

Solver = Literal["exact", "alternating"]


class DualMatcher(BaseEstimator):
    """Match users with items so that relevance is largest under bounds on both sides.

    Parameters
    ----------
    max_per_user
        k, items a user may get; the number of items or more is no bound.
    min_per_item, max_per_item
        Users that an item must get, and may get, among those of the fitted scores; None for no bound.
    solver
        ``"exact"``, or ``"alternating"``, the released loop, which misses its bounds.
    levels
        Levels of smoothing of the exact solver: 7 for curves, 9 for tables.
    random_state
        Of the loop's start.

    Attributes
    ----------
    prices_
        v, in the unit of the scores, (M,): a price of items that are in demand, negative as a subsidy of the others.
    gap_
        (bound − objective)/bound of the dual on the fitted scores: 0 is optimal.
    shortfall_, excess_
        Share of the lower bounds that is not delivered, and by which the upper ones are exceeded, on the fitted scores.
    """

    prices_: NDArray[np.float64]

    def __init__(
        self,
        max_per_user: float,
        *,
        min_per_item: float | None = None,
        max_per_item: float | None = None,
        solver: Solver = "exact",
        levels: int = LEVELS,
        random_state: int = 0,
    ) -> None:
        self.max_per_user = max_per_user
        self.min_per_item = min_per_item
        self.max_per_item = max_per_item
        self.solver = solver
        self.levels = levels
        self.random_state = random_state

    def fit(self, scores: Any, y: None = None) -> Self:
        """Learn prices.

        Parameters
        ----------
        scores
            λ(x) p(y | x) of users in rows and items in columns, array or DataFrame; −∞ for pairs that must not be
            chosen.

        Raises
        ------
        RimInputError
            For scores that are no intensities, bounds that cannot be met, or an unknown solver.
        """
        if self.solver not in ("exact", "alternating"):
            raise RimInputError(f"solver={self.solver!r} is unknown; use 'exact' or 'alternating'.")
        columns = getattr(scores, "columns", None)
        matrix = check_scores(scores)
        bounds = Bounds(float(self.max_per_user), self.min_per_item, self.max_per_item)
        if self.solver == "exact":
            found = solve(matrix, bounds, levels=self.levels)
        else:
            low, high = -float(bounds.least is not None), float(bounds.most is not None)
            generator = numpy_generator(self.random_state, "rim", "DualMatcher")
            found = alternate(matrix, bounds, generator.uniform(low, high, (matrix.shape[1],)))
        self.items_ = None if columns is None else list(columns)
        self.n_items_ = matrix.shape[1]
        self._found = found
        self.prices_ = found.values * found.scale
        certificate = certify(matrix, found.serve(matrix), self.prices_, bounds)
        self.gap_, self.shortfall_, self.excess_ = certificate.gap, certificate.shortfall, certificate.excess
        return self

    def transform(self, scores: Any) -> NDArray[np.float64]:
        """Return π of users, the fitted ones or others, (N, M): probabilities, nearly all of them 0 or 1.

        At the optimum some pairs tie, and these are shared. Draw with them (``generator.random(π.shape) < π``): to cut
        at one half would deliver too little.

        Raises
        ------
        RimInputError
            If the items are others than the fitted ones.
        """
        check_is_fitted(self, "prices_")
        matrix = self._ordered(scores)
        if matrix.shape[1] != self.n_items_:
            raise RimInputError(f"scores have {matrix.shape[1]} items, the matcher was fitted on {self.n_items_}.")
        if np.isnan(matrix).any() or (matrix == np.inf).any() or ((matrix < 0) & (matrix != -np.inf)).any():
            raise RimInputError("expected probabilities × intensity: scores are >= 0, or -inf where masked.")
        return self._found.serve(matrix)

    def online(self, request: Any) -> NDArray[np.float64]:
        """Return π of one user, (M,), from this user's scores alone."""
        return self.transform(np.asarray(request, dtype=np.float64)[None])[0]

    def _ordered(self, scores: Any) -> NDArray[np.float64]:
        """Return a matrix whose columns are in the fitted order, by name where both have names."""
        columns = getattr(scores, "columns", None)
        if columns is None or self.items_ is None:
            return np.atleast_2d(np.asarray(scores, dtype=np.float64))
        if odd := set(columns) ^ set(self.items_):
            raise RimInputError(
                f"items differ from the fitted ones: {sorted(map(str, odd))[:5]} are in one of both only; give the "
                "same items."
            )
        return scores[self.items_].to_numpy(dtype=np.float64)
