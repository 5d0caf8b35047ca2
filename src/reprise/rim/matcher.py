"""The matching as an estimator: prices learnt from scores, users served one at a time.

>>> import numpy as np
>>> scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])
>>> matcher = DualMatcher(max_per_user=1, min_per_item=1).fit(scores)
>>> matcher.transform(scores).sum(axis=0).round(1).tolist()
[2.0, 1.0]
"""

from __future__ import annotations

import warnings
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from reprise.compute import numpy_generator
from reprise.rim.input_checks import RimInputError, check_bounds, check_entries, check_scores, check_whole
from reprise.rim.matching import LEVELS, Bounds, alternate, certify, solve

Solver = Literal["exact", "alternating"]

LARGEST_SHORTFALL = 0.01


def _bound(name: str, value: object) -> float:
    """Return a bound as a float.

    Raises
    ------
    RimInputError
        If it is no number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise RimInputError(f"{name}={value!r} must be a number.")
    return float(value)


def _numbers(scores: Any) -> NDArray[np.float64]:
    """Return scores as float64.

    Raises
    ------
    RimInputError
        If they are none, or sparse.
    """
    if issparse(scores):
        raise RimInputError("scores are sparse; give them dense (toarray()): a missing entry is no score of 0.")
    try:
        return np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise RimInputError(f"scores are no numbers ({error}); give one row a user and one column an item.") from error


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
            For scores that are no intensities, bounds that cannot be met, levels that are no whole number, or an
            unknown solver.

        Warns
        -----
        UserWarning
            If more than 1 % of the lower bounds is not delivered, because of the loop or because pairs are masked.
        """
        if self.solver not in ("exact", "alternating"):
            raise RimInputError(f"solver={self.solver!r} is unknown; use 'exact' or 'alternating'.")
        check_whole("levels", self.levels)
        check_whole("random_state", self.random_state, least=0)
        columns = getattr(scores, "columns", None)
        if columns is not None and columns.has_duplicates:
            raise RimInputError(f"item {columns[columns.duplicated()][0]!r} has more than one column; keep one.")
        matrix = check_scores(_numbers(scores))
        bounds = self._bounds(matrix)
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
        if self.shortfall_ > LARGEST_SHORTFALL:
            warnings.warn(
                f"{self.shortfall_:.1%} of the lower bounds are not delivered: use solver='exact', or, where masked "
                "pairs leave items too few users, lower min_per_item.",
                stacklevel=2,
            )
        return self

    def _bounds(self, matrix: NDArray[np.float64]) -> Bounds:
        """Return the bounds as numbers that can be met; both solvers are held to them."""
        per_user = _bound("max_per_user", self.max_per_user)
        least = None if self.min_per_item is None else _bound("min_per_item", self.min_per_item)
        most = None if self.max_per_item is None else _bound("max_per_item", self.max_per_item)
        check_bounds(matrix.shape, per_user, least, most)
        allowed = np.isfinite(matrix).sum(0)
        if least is not None and allowed.min() < least:
            raise RimInputError(
                f"min_per_item={least:g} cannot be met: item column {allowed.argmin()} is masked for all but "
                f"{allowed.min()} users; lower it or leave that item out."
            )
        return Bounds(min(per_user, matrix.shape[1]), least, most)

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
        check_entries(matrix)
        return self._found.serve(matrix)

    def online(self, request: Any) -> NDArray[np.float64]:
        """Return π of one user, (M,), in the order of the fitted items, from this user's scores alone.

        A Series is put in that order by its index, if the matcher was fitted on a DataFrame.
        """
        check_is_fitted(self, "prices_")
        if self.items_ is not None and hasattr(request, "to_frame"):
            return self.transform(request.to_frame().T)[0]
        row = _numbers(request)
        if row.ndim != 1:
            raise RimInputError(
                f"a request has the shape {row.shape}; give the scores of one user, as scores.loc[user]."
            )
        return self.transform(row[None])[0]

    def _ordered(self, scores: Any) -> NDArray[np.float64]:
        """Return a matrix whose columns are in the fitted order, by name where both have names."""
        columns = getattr(scores, "columns", None)
        if columns is None or self.items_ is None:
            return np.atleast_2d(_numbers(scores))
        if odd := set(columns) ^ set(self.items_):
            raise RimInputError(
                f"items differ from the fitted ones: {sorted(map(str, odd))[:5]} are in one of both only; give the "
                "same items."
            )
        return scores[self.items_].to_numpy(dtype=np.float64)
