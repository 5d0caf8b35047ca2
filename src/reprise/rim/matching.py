"""Matching users with items under bounds on both: an exact solver of the smoothed dual, and the released loop.

Maximise Σ s π over 0 ≤ π ≤ 1 with Σ_y π ≤ k a user and c_lb ≤ Σ_x π ≤ c_ub an item. The dual has one number u(x) a user
and one v(y) an item (a price, or a subsidy if negative); with entropy smoothing ε, π = σ((s − u − v)/ε). Serving needs
v alone, because u(x) follows from the one row of x: that is what makes it online.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from reprise.rim.events import Numbers
from reprise.rim.input_checks import check_bounds, check_scores
from reprise.rim.roots import one_sided_root, two_sided_price

LEVELS = 7
RATIO = 4.0
STEPS_PER_LEVEL = 60
MEMORY = 20
GRADIENT_TOLERANCE = 0.05
EPOCHS = 100
LAST_SMOOTHING = 1e-10


@dataclass(frozen=True)
class Bounds:
    """How many items a user may get, and how many users an item must or may get; None where there is no bound."""

    per_user: float
    least: float | None = None
    most: float | None = None

    def scaled_to(self, n_fitted: int, n_served: int) -> Bounds:
        """Return the bounds with items' numbers of users in proportion to the number of requests."""
        share = n_served / n_fitted
        return Bounds(
            self.per_user,
            None if self.least is None else self.least * share,
            None if self.most is None else self.most * share,
        )


@dataclass(frozen=True)
class Prices:
    """What a matcher learnt.

    Attributes
    ----------
    values
        v on the scale of s / scale, (M,).
    scale
        The largest score of the matrix that it was fitted on.
    smoothing
        ε at which it ended.
    per_user
        k.
    n_evaluations
        Evaluations of the dual, or epochs of the loop.
    path
        Value of the smoothed dual after each level, (levels,); empty for the loop.
    """

    values: Numbers
    scale: float
    smoothing: float
    per_user: float
    n_evaluations: int = 0
    path: tuple[float, ...] = ()

    def serve(self, scores: Numbers) -> Numbers:
        """Return π of any users, (N, M): each row is solved alone, so one user may come at a time."""
        offers = torch.from_numpy(np.asarray(scores) / self.scale - self.values)
        users = _user_prices(offers, self.per_user, self.smoothing)
        return torch.sigmoid((offers - users[:, None]) / self.smoothing).numpy()


def _user_prices(offers: Tensor, per_user: float, smoothing: float, start: Tensor | None = None) -> Tensor:
    return one_sided_root(offers, per_user, smoothing, start).clamp(min=0)


def solve(scores: Numbers, bounds: Bounds, *, levels: int = LEVELS) -> Prices:
    """Solve the dual with u eliminated, by L-BFGS-B in w = v/ε over ε = 4⁻¹, 4⁻², …, 4^−levels.

    Parameters
    ----------
    scores
        s ≥ 0, (N, M); −∞ for pairs that must not be chosen.
    bounds
        In numbers of items and users.
    levels
        Seven for curves, nine for tables: smoothing costs at most ε N k (1 + ln(M/k)).

    Raises
    ------
    RimInputError
        For scores or bounds that cannot be used.
    """
    scores = check_scores(scores)
    check_bounds((scores.shape[0], scores.shape[1]), bounds.per_user, bounds.least, bounds.most)
    scale = float(scores.max())
    dual = _Dual(torch.from_numpy(scores / scale), bounds)
    weights, path = np.zeros(dual.n_weights), []
    for level in range(1, levels + 1):
        smoothing = RATIO**-level
        if dual.n_weights:
            weights, value = dual.minimise(weights * (RATIO if level > 1 else 1.0), smoothing)
            path.append(value)
    return Prices(dual.item_prices(weights * smoothing), scale, smoothing, bounds.per_user, dual.n_calls, tuple(path))


class _Dual:
    """D_ε(v) = Σ_x [k u_x + ε Σ_y softplus((s − u_x − v_y)/ε)] + c Σ_y v_y, with u the users' roots, in sums."""

    def __init__(self, scores: Tensor, bounds: Bounds) -> None:
        self.scores, self.bounds = scores, bounds
        n_items = scores.shape[1]
        # v = v⁺ + v⁻: first the prices of upper bounds, then the subsidies of lower ones.
        signs = [(1.0, bounds.most), (-1.0, bounds.least)]
        self.parts = [(sign, float(cost)) for sign, cost in signs if cost is not None and (sign > 0 or cost > 0)]
        self.n_items, self.n_weights = n_items, n_items * len(self.parts)
        self.users: Tensor | None = None
        self.n_calls = 0

    def item_prices(self, weights: Numbers) -> Numbers:
        return weights.reshape(len(self.parts), self.n_items).sum(0) if self.parts else np.zeros(self.n_items)

    def minimise(self, start: Numbers, smoothing: float) -> tuple[Numbers, float]:
        limits = [(0, None) if sign > 0 else (None, 0) for sign, _ in self.parts for _ in range(self.n_items)]
        options = {
            "maxiter": STEPS_PER_LEVEL,
            "maxcor": MEMORY,
            "gtol": GRADIENT_TOLERANCE,
            "ftol": 0.0,
            "maxfun": 4 * STEPS_PER_LEVEL,
        }
        found = minimize(
            self._value, start, args=(smoothing,), jac=True, method="L-BFGS-B", bounds=limits, options=options
        )
        return np.asarray(found.x), float(found.fun * smoothing)

    def _value(self, weights: Numbers, smoothing: float) -> tuple[float, Numbers]:
        """Return D/ε and its gradient in w: the same as the gradient of D in v."""
        self.n_calls += 1
        offers = self.scores - torch.from_numpy(self.item_prices(weights) * smoothing)
        users = _user_prices(offers, self.bounds.per_user, smoothing, self.users)
        self.users = users
        offers.sub_(users[:, None]).div_(smoothing)
        delivered = torch.sigmoid(offers).sum(0).numpy()
        value = self.bounds.per_user * float(users.sum()) / smoothing + float(_softplus_sum(offers))
        gradients = []
        for place, (_, cost) in enumerate(self.parts):
            own = weights[place * self.n_items : (place + 1) * self.n_items]
            value += cost * float(own.sum())
            gradients.append(cost - delivered)
        return value, np.concatenate(gradients)


def _softplus_sum(offers: Tensor) -> Tensor:
    # In place on a copy: log(1 + e^x) = max(x, 0) + log1p(e^−|x|)
    return offers.clamp(min=0).sum() + offers.abs().neg_().exp_().log1p_().sum()


@dataclass(frozen=True)
class Certificate:
    """How good an assignment is, without knowing the best one.

    Attributes
    ----------
    objective
        Σ s π in the unit of the scores.
    bound
        D₀(v) = Σ_x (sum of the k largest [s − v]₊) + Σ c v, which no feasible assignment exceeds.
    shortfall, excess
        Users that items lack below their lower bound, or have above their upper one, summed over items; as a share of
        all that the bounds ask for (allow).
    """

    objective: float
    bound: float
    shortfall: float
    excess: float

    @property
    def gap(self) -> float:
        """(bound − objective)/bound; negative only for an assignment that breaks its bounds."""
        return (self.bound - self.objective) / self.bound


def certify(scores: Numbers, assignment: Numbers, prices: Numbers, bounds: Bounds) -> Certificate:
    """Return objective, dual bound, and how far items are off their bounds.

    Parameters
    ----------
    scores
        s, (N, M); −∞ for masked pairs.
    assignment
        π, (N, M).
    prices
        v in the unit of the scores, (M,): ≤ 0 under a lower bound, ≥ 0 under an upper one.
    bounds
        In numbers of items and users.
    """
    offers = np.maximum(scores - prices, 0.0)
    k = min(int(np.ceil(bounds.per_user)), scores.shape[1])
    largest = -np.sort(-offers, axis=1)[:, :k] if k < scores.shape[1] else offers
    if k > bounds.per_user:
        largest[:, -1] *= 1 - (k - bounds.per_user)
    bound = float(largest.sum())
    bound += float(np.maximum(prices, 0).sum()) * (bounds.most or 0.0)
    bound += float(np.minimum(prices, 0).sum()) * (bounds.least or 0.0)
    delivered = assignment.sum(0)
    asked, allowed = (bounds.least or 0.0) * len(delivered), (bounds.most or 0.0) * len(delivered)
    missing = float(np.maximum((bounds.least or 0.0) - delivered, 0).sum()) / asked if asked else 0.0
    surplus = 0.0 if bounds.most is None else float(np.maximum(delivered - bounds.most, 0).sum()) / allowed
    objective = float((np.where(np.isfinite(scores), scores, 0.0) * assignment).sum())
    return Certificate(objective, bound, missing, surplus)


def alternate(scores: Numbers, bounds: Bounds, start: Numbers, *, epochs: int = EPOCHS) -> Prices:
    """Solve the dual as the released code does: one alternation of users and items at each ε from 1 down to 1e-10.

    Parameters
    ----------
    scores, bounds
        As in `solve`.
    start
        v to begin with, (M,): uniform on (0, 1) for upper bounds, its negative for lower ones.
    epochs
        100; ε falls geometrically.
    """
    scores = check_scores(scores)
    scale = float(scores.max())
    s, v = torch.from_numpy(scores / scale), torch.from_numpy(np.array(start, dtype=np.float64))
    decay, smoothing, users = LAST_SMOOTHING ** (1 / epochs), 1.0, None
    for _ in range(epochs):
        smoothing *= decay
        users = _user_prices(s - v, bounds.per_user, smoothing, users)
        v = two_sided_price((s - users[:, None]).T.contiguous(), bounds.least, bounds.most, smoothing, v)
    return Prices(v.numpy(), scale, smoothing, bounds.per_user, epochs)
