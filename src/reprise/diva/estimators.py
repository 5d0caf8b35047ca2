"""DIVA as scikit-learn estimators: a reweighted ridge classifier, and the extension of a training set from a pool.

>>> import numpy as np
>>> rows = np.random.default_rng(0).normal(size=(60, 3))
>>> labels = (rows[:, 0] > 0).astype(int)
>>> model = DivaReweight().fit(rows, labels)
>>> model.sample_weight_.shape, model.path_.shape
((60,), (4,))
"""

from __future__ import annotations

import warnings
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from reprise.diva.data import one_hot, prepared
from reprise.diva.input_checks import (
    DivaInputError,
    check_features,
    check_groups,
    check_labels,
    check_loss,
    check_positive,
    check_whole,
    classes_of,
    mask_of_single_samples,
    warn_of_duplicates,
)
from reprise.diva.leave_one_out import stacked_groups
from reprise.diva.outer_loss import LossName
from reprise.diva.penalties import penalty_of
from reprise.diva.ridge import solve
from reprise.diva.weighting import Objective, Step, StepName, coefficients, extend, follow


class _RidgeClassifier(ClassifierMixin, BaseEstimator):
    """What both share: preparing features and labels, and predicting."""

    coef_: np.ndarray
    classes_: np.ndarray
    lam: float | str
    normalise: bool

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the outputs of the linear model, (n, k); their first minus second column where k = 2."""
        check_is_fitted(self, "coef_")
        _refuse_what_is_no_matrix(X)
        X = validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite=False)
        outputs = self._prepared(check_features(X)) @ self.coef_
        return outputs[:, 1] - outputs[:, 0] if len(self.classes_) == 2 else outputs

    def predict(self, X: Any) -> np.ndarray:
        """Return the class with the largest output, (n,)."""
        outputs = self.decision_function(X)
        codes = (outputs > 0).astype(int) if outputs.ndim == 1 else outputs.argmax(1)
        return self.classes_[codes]

    def _prepared(self, features: np.ndarray) -> np.ndarray:
        return prepared(features) if self.normalise else np.hstack([features, np.ones((len(features), 1))])

    def _problem(self, X: Any, y: Any, groups: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Check what is given; return prepared features and codes of the classes."""
        if not isinstance(self.normalise, bool | np.bool_):
            raise DivaInputError(f"normalise must be True or False; got {self.normalise!r}.")
        _refuse_what_is_no_matrix(X)
        if y is None:
            raise DivaInputError("requires y to be passed, but the target y is None; give one label a sample.")
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=2)
        features = check_features(X)
        self.classes_, codes = classes_of(check_labels(y, len(features)))
        rows = self._prepared(features)
        warn_of_duplicates(features, groups, rows if self.normalise else None)
        return rows, codes


def _refuse_what_is_no_matrix(X: Any) -> None:
    if getattr(X, "ndim", 2) > 2:
        check_features(X)


class DivaReweight(_RidgeClassifier):
    """Ridge classification with sample weights that lower the leave-one-out loss (Reweight, Sec. 3.4).

    Parameters
    ----------
    lam
        Penalty λ, or ``"loo"``: the one with the least squared leave-one-out error (see `penalty_of`).
    loss, temperature
        Outer loss. Cross-entropy at τ = 10 for clean labels. Where labels may be wrong it depends on the number of
        classes: with about ten of them wrong labels come to dominate at τ = 10, the weights get worse than none, and
        τ = 1 is safer; with fifty and more (birds, bank questions) τ = 10 remained the better one.
    step, eta, n_steps
        ``"max"``: the largest derivative moves a weight by η = 0.5; ``"raw"``: the paper's, η about 0.1 times the
        derivative. 1 to 3 steps; many overfit.
    normalise
        Whether rows are scaled to length 1, as suits features of a frozen network; for a table of measurements
        standardise the columns and set it to False. A constant is appended in any case.

    Attributes
    ----------
    sample_weight_
        Weights, (N,); usable as ``sample_weight=`` of other estimators.
    coef_
        W, (m + 1, k): not scikit-learn's shape. Rows belong to features (scaled to length 1 where ``normalise``), the
        last to the constant: the intercept, penalised as the rest.
    lam_
        λ used.
    path_
        Leave-one-out loss before the first and after each step, (n_steps + 1,).
    """

    def __init__(
        self,
        *,
        lam: float | str = "loo",
        loss: LossName = "ce",
        temperature: float = 10.0,
        step: StepName = "max",
        eta: float = 0.5,
        n_steps: int = 3,
        normalise: bool = True,
    ) -> None:
        self.lam = lam
        self.loss = loss
        self.temperature = temperature
        self.step = step
        self.eta = eta
        self.n_steps = n_steps
        self.normalise = normalise

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Find the weights and fit the ridge classifier with them.

        Parameters
        ----------
        X
            Features, (N, m).
        y
            Labels, (N,).
        groups
            Group of each sample; equal ones are left out together, (N,).

        Raises
        ------
        ValueError
            For input that cannot be used; the message says what to change.
        """
        check_loss(self.loss, self.temperature)
        if self.step not in ("max", "raw"):
            raise DivaInputError(f"step={self.step!r} is unknown; use 'max' or 'raw'.")
        check_positive("eta", self.eta, "use 0.5 with step='max', 0.1 with step='raw'")
        check_whole("n_steps", self.n_steps, 0)
        rows, codes = self._problem(X, y, groups)
        together = check_groups(groups, len(rows))
        mask = mask_of_single_samples(codes, self.classes_.tolist(), together)
        features, targets = torch.from_numpy(rows), torch.from_numpy(one_hot(codes, len(self.classes_)))
        self.lam_ = penalty_of(self.lam, features, targets)
        objective = Objective(
            self.loss,
            self.temperature,
            None if mask is None else torch.from_numpy(mask),
            None if together is None else stacked_groups(torch.from_numpy(together)),
        )
        path = list(follow(features, targets, self.lam_, objective, Step(self.step, self.eta, self.n_steps)))
        self.path_ = np.array([float(found.loss) for _, found in path])
        self.sample_weight_ = path[-1][0].weights.numpy()
        self.coef_ = coefficients(path[-1][0], features).numpy()
        return self


class DivaExtend(_RidgeClassifier):
    """Ridge classification on a training set extended from a pool (Extend, Sec. 3.4).

    As ``fit`` takes a pool, scikit-learn's ``check_estimator`` does not apply; its other conventions do.

    Parameters
    ----------
    per_round
        Pool samples moved in a round; None: a tenth of the pool.
    budget
        Largest number moved; None: until no derivative in the pool is negative.
    per_class
        Largest number of one class in a round; large rounds without it pick many samples of few classes.
    lam, loss, temperature, normalise
        As in `DivaReweight`; λ is chosen on the core. τ = 1, since a pool's labels may be wrong.

    Attributes
    ----------
    selected_
        Positions in the pool, from 0, in the order in which they were moved; for a DataFrame
        ``X_pool.iloc[selected_]``.
    curve_
        Leave-one-out loss on the core before each round.
    coef_, lam_
        Of the classifier on core and selected samples.
    """

    def __init__(
        self,
        *,
        per_round: int | None = None,
        budget: int | None = None,
        per_class: int | None = None,
        lam: float | str = "loo",
        loss: LossName = "ce",
        temperature: float = 1.0,
        normalise: bool = True,
    ) -> None:
        self.per_round = per_round
        self.budget = budget
        self.per_class = per_class
        self.lam = lam
        self.loss = loss
        self.temperature = temperature
        self.normalise = normalise

    def fit(self, X: Any, y: Any, X_pool: Any, y_pool: Any) -> Self:
        """Choose samples of the pool and fit the ridge classifier on core and chosen ones.

        Parameters
        ----------
        X, y
            Features (N, m) and labels (N,) of the core: these alone count as validation.
        X_pool, y_pool
            The same of the pool.

        Raises
        ------
        ValueError
            For input that cannot be used; the message says what to change.
        """
        check_loss(self.loss, self.temperature)
        for name in ("per_round", "budget", "per_class"):
            check_whole(name, getattr(self, name), 1, optional=True)
        core, codes = self._problem(X, y)
        pool, labels = self._pool(X_pool, y_pool)
        _warn_of_what_the_core_lacks(core, pool, codes, self.classes_)
        every = np.concatenate([codes, np.searchsorted(self.classes_, labels)])
        targets = torch.from_numpy(one_hot(every, len(self.classes_)))
        features = torch.from_numpy(np.concatenate([core, pool]))
        n_core = len(core)
        self.lam_ = penalty_of(self.lam, features[:n_core], targets[:n_core])
        found = extend(
            features,
            targets,
            n_core,
            self.lam_,
            Objective(self.loss, self.temperature),
            per_round=self.per_round or max(1, len(pool) // 10),
            budget=self.budget,
            per_class=self.per_class,
        )
        self.selected_, self.curve_ = found.order.numpy(), np.array(found.losses)
        chosen = np.concatenate([np.arange(n_core), n_core + self.selected_])
        used = features[chosen]
        ridge = solve(used, targets[chosen], torch.ones(len(chosen), dtype=torch.float64), self.lam_)
        self.coef_ = coefficients(ridge, used).numpy()
        return self

    def _pool(self, X_pool: Any, y_pool: Any) -> tuple[np.ndarray, np.ndarray]:
        """Check the pool, whose columns must be those of the core; return prepared features, and labels."""
        _refuse_what_is_no_matrix(X_pool)
        given = check_features(X_pool, "X_pool")
        if given.shape[1] != self.n_features_in_:
            raise DivaInputError(f"X_pool has {given.shape[1]} features but X has {self.n_features_in_}.")
        validate_data(self, X_pool, reset=False, dtype=np.float64)
        labels = check_labels(y_pool, len(given), "y_pool", "X_pool")
        if unknown := sorted(set(labels.tolist()) - set(self.classes_.tolist()), key=str):
            raise DivaInputError(f"pool contains labels not in the core set: {unknown}; give the core some of each.")
        return self._prepared(given), labels


def _warn_of_what_the_core_lacks(core: np.ndarray, pool: np.ndarray, codes: np.ndarray, classes: np.ndarray) -> None:
    """Warn of pool rows that repeat rows of the core, and of classes of which the core has a single sample."""
    n_known = len(np.unique(core, axis=0))
    pool_rows = np.unique(pool, axis=0)
    n_repeated = n_known + len(pool_rows) - len(np.unique(np.concatenate([core, pool]), axis=0))
    if n_repeated:
        warnings.warn(
            f"{n_repeated} rows of the pool are in the core, too: drop them, or they win by giving answers away.",
            stacklevel=3,
        )
    for place in np.flatnonzero(np.bincount(codes, minlength=len(classes)) == 1).tolist():
        warnings.warn(
            f"class {classes.tolist()[place]!r} has 1 sample in the core; its leave-one-out prediction cannot know the "
            "class, so that the pool is judged by the others: give the core more of it.",
            stacklevel=3,
        )
