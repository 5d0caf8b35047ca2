"""Domain adaptation over a domain graph as scikit-learn estimators: GRDA and, through `baselines`, its rivals.

>>> import numpy as np
>>> chain = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
>>> rows = np.random.default_rng(0).normal(size=(60, 2))
>>> domain = np.repeat([0, 1, 2], 20)
>>> labels = np.where(domain == 0, rows[:, 0] > 0, -1)
>>> model = GRDAClassifier(chain, n_steps=20, hidden_width=16, random_state=0)
>>> model.fit(rows, labels, sample_domain=domain).predict(rows, sample_domain=domain).shape
(60,)
"""

from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from reprise.compute import resolve_device
from reprise.grda.batches import Pairing, Problem
from reprise.grda.discriminator import SelfPairs
from reprise.grda.domain_embedding import fit_domain_embedding, scale_embedding
from reprise.grda.graphs import DomainsError, domain_numbers
from reprise.grda.input_checks import (
    PARAMETER_CONSTRAINTS,
    check_domains,
    check_embedding,
    check_graph,
    check_marks,
    check_row_order,
    classes_of,
    numbers_of,
    refuse_one_class,
    refuse_overflow,
    refuse_unlabelled,
    seed_from,
    warn_of_no_target,
    warn_of_small_domains,
    weights_among,
)
from reprise.grda.objectives import MethodName, Task
from reprise.grda.training import Trained, TrainingOptions, train

DOMAIN_REQUEST = {"sample_domain": True}


class GraphDomainEstimator(BaseEstimator):
    """What all estimators here share: checks, the domain embedding, training, encoding.

    Not for use by itself; see `GRDAClassifier` and `GRDARegressor` for the parameters.
    """

    _method: MethodName = "grda"
    _task: Task
    # Where scikit-learn routes metadata (`enable_metadata_routing`), every method asks for the rows' domains.
    __metadata_request__fit: ClassVar[dict[str, bool]] = DOMAIN_REQUEST
    __metadata_request__transform: ClassVar[dict[str, bool]] = DOMAIN_REQUEST
    __metadata_request__predict: ClassVar[dict[str, bool]] = DOMAIN_REQUEST
    __metadata_request__score: ClassVar[dict[str, bool]] = DOMAIN_REQUEST
    _parameter_constraints: ClassVar[dict[str, Any]] = PARAMETER_CONSTRAINTS

    def __init__(
        self,
        adjacency: Any,
        *,
        hidden_width: int = 128,
        embedding_width: int = 2,
        discriminator_width: int = 2,
        adversarial_weight: float = 0.5,
        learning_rate: float = 1e-3,
        half_life_steps: float = 1000,
        n_steps: int = 1500,
        batch_per_domain: int = 10,
        n_sampled_domains: int | None = None,
        pairing: Pairing = "independent",
        self_pairs: SelfPairs = "exclude",
        balance: bool = True,
        embedding: np.ndarray | None = None,
        embedding_scale: float | None = None,
        allow_label_leak: bool = False,
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
    ):
        self.adjacency = adjacency
        self.hidden_width = hidden_width
        self.embedding_width = embedding_width
        self.discriminator_width = discriminator_width
        self.adversarial_weight = adversarial_weight
        self.learning_rate = learning_rate
        self.half_life_steps = half_life_steps
        self.n_steps = n_steps
        self.batch_per_domain = batch_per_domain
        self.n_sampled_domains = n_sampled_domains
        self.pairing = pairing
        self.self_pairs = self_pairs
        self.balance = balance
        self.embedding = embedding
        self.embedding_scale = embedding_scale
        self.allow_label_leak = allow_label_leak
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: Any, *, sample_domain: Any) -> Self:
        """Train on the labelled rows of the source domains and the inputs of all domains.

        Parameters
        ----------
        X
            Inputs, finite floats of shape (n, d).
        y
            Targets, (n,), or (n, h) in regression. NaN marks rows without label, and for classes -1 or, beside names,
            None. A domain is a source if it has a labelled row; its unlabelled rows are not used.
        sample_domain
            Domain of each row, integers 0 .. N-1, (n,).

        Returns
        -------
        Self
            The fitted estimator.

        Raises
        ------
        ValueError
            For each input that cannot be used, and for a training that diverges; the message says what to change. The
            model then stays as it was.
        """
        fitted = copy(self)  # A fit that fails leaves the model as it was.
        fitted._fit(X, y, sample_domain)
        self.__dict__ = fitted.__dict__
        return self

    def _fit(self, X: Any, y: Any, sample_domain: Any) -> None:
        self._validate_params()
        device, options = resolve_device(self.device), self._options()
        X = validate_data(self, X, dtype=np.float64)
        refuse_overflow(X, "X")
        domain, self.adjacency_ = check_domains(sample_domain, len(X), self.adjacency)
        targets, labelled = self._check_targets(y, len(X))
        source = np.bincount(domain, weights=labelled) > 0
        check_marks(self._task, y, domain, source)
        check_graph(options, self.adjacency_, source)
        warn_of_no_target(source, int((~labelled).sum()))
        if self._task == "classification" and not self.allow_label_leak:
            check_row_order(options, targets[labelled], domain[labelled])
        used = labelled | ~source[domain]
        warn_of_small_domains(options, domain[used])
        self.n_domains_, self.source_ = len(source), source
        self.domain_embedding_ = self._embedding()
        problem = Problem(
            features=X[used],
            targets=targets[used],
            domain=domain[used],
            adjacency=self.adjacency_,
            source=source,
            embedding=self.domain_embedding_,
            n_outputs=self._n_outputs,
            task=self._task,
            seed=seed_from(self.random_state),
        )
        self._trained = train([problem], options, device)
        self._refuse_divergence(problem)
        self.history_ = {
            "prediction_loss": self._trained.prediction_loss[:, 0],
            "adversarial_loss": self._trained.adversarial_loss[:, 0],
        }
        self.discriminator_loss_ratio_ = self._trained.discriminator_loss_ratio[:, 0]

    def _refuse_divergence(self, problem: Problem) -> None:
        losses = self._trained.prediction_loss + self._trained.adversarial_loss
        outputs = self._trained.predict(problem.features, problem.domain)
        if np.isfinite(losses).all() and np.isfinite(outputs).all():
            return
        finite = int(np.isfinite(losses).all(1).cumprod().sum())
        raise DomainsError(
            f"the training diverged after {finite} of {self.n_steps} steps with learning_rate={self.learning_rate:g} "
            f"and adversarial_weight={self.adversarial_weight:g}; lower one of them, or give embedding_scale=0.3."
        )

    def transform(self, X: Any, *, sample_domain: Any) -> np.ndarray:
        """Encode rows: E's output, float32 of shape (n, hidden_width)."""
        X, domain = self._check_new_rows(X, sample_domain)
        return self._trained.encode(X, domain)[0]

    def _outputs(self, X: Any, sample_domain: Any) -> np.ndarray:
        X, domain = self._check_new_rows(X, sample_domain)
        outputs = self._trained.predict(X, domain)[0]
        if not np.isfinite(outputs).all():
            row = int(np.flatnonzero(~np.isfinite(outputs).all(1))[0])
            raise DomainsError(f"X has rows too far from the training rows for a prediction, first {row}; check units.")
        return outputs

    @property
    def trained_(self) -> Trained:
        """The trained networks and their history."""
        check_is_fitted(self, "_trained")
        return self._trained

    def _options(self) -> TrainingOptions:
        names = set(TrainingOptions.__dataclass_fields__) - {"method", "initialisation"}
        return TrainingOptions(method=self._method, **{name: getattr(self, name) for name in names})

    def _embedding(self) -> np.ndarray:
        if self.embedding is None:
            embedding = fit_domain_embedding(self.adjacency_, self.embedding_width)
        else:
            embedding = check_embedding(self.embedding, self.n_domains_)
        return scale_embedding(embedding, self.embedding_scale)

    def _check_new_rows(self, X: Any, sample_domain: Any) -> tuple[np.ndarray, np.ndarray]:
        check_is_fitted(self, "_trained")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return X, domain_numbers(sample_domain, len(X), self.n_domains_)

    @property
    def _n_outputs(self) -> int:
        raise NotImplementedError

    def _check_targets(self, y: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the targets as training needs them and which rows have one; set what prediction needs to know."""
        raise NotImplementedError


class GraphDomainClassifier(ClassifierMixin, GraphDomainEstimator):
    """Base of the classifiers; labels may be text, whole numbers >= 0, or booleans."""

    _task: Task = "classification"
    __metadata_request__predict_proba: ClassVar[dict[str, bool]] = DOMAIN_REQUEST

    @property
    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _labels(self, y: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the labels, (n,), and which rows have one."""
        y, labelled = classes_of(y)
        if len(y) != n_rows:
            raise DomainsError(f"y has {len(y)} labels for {n_rows} rows; give one for each row of X.")
        refuse_unlabelled(labelled)
        if y.dtype.kind == "f" and np.isinf(y[labelled]).any():
            raise DomainsError("y has infinity among its labels; mark rows without label by NaN or -1.")
        check_classification_targets(y[labelled])
        return y, labelled

    def _check_targets(self, y: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        y, labelled = self._labels(y, n_rows)
        self.classes_ = np.unique(y[labelled])
        refuse_one_class(self.classes_)
        targets = np.zeros(n_rows, np.int64)
        targets[labelled] = np.searchsorted(self.classes_, y[labelled])
        return targets, labelled

    def predict_proba(self, X: Any, *, sample_domain: Any) -> np.ndarray:
        """Predict class probabilities, (n, C), columns as `classes_`."""
        return self._outputs(X, sample_domain)

    def predict(self, X: Any, *, sample_domain: Any) -> np.ndarray:
        """Predict classes, (n,)."""
        probabilities = self.predict_proba(X, sample_domain=sample_domain)
        return self.classes_[probabilities.argmax(1)]

    def score(self, X: Any, y: Any, sample_weight: Any = None, *, sample_domain: Any = None) -> float:
        """Return the accuracy on the rows that have a label; NaN, -1 and None mean none."""
        predictions = self.predict(X, sample_domain=sample_domain)
        y, labelled = self._labels(y, len(predictions))
        return float(
            accuracy_score(y[labelled], predictions[labelled], sample_weight=weights_among(sample_weight, labelled))
        )


class GraphDomainRegressor(RegressorMixin, GraphDomainEstimator):
    """Base of the regressors; targets are standardised for training."""

    _task: Task = "regression"

    @property
    def _n_outputs(self) -> int:
        return len(self._target_mean)

    def _targets(self, y: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the targets, (n,) or (n, h), and which rows have all of theirs."""
        y = numbers_of(y)
        if y.ndim not in (1, 2) or len(y) != n_rows or 0 in y.shape:
            raise DomainsError(f"y has the shape {y.shape}; give one target (or row of targets) per row of X.")
        labelled = ~np.isnan(y.reshape(n_rows, -1)).any(1)
        refuse_unlabelled(labelled)
        if not np.isfinite(y[labelled]).all():
            raise DomainsError("y has infinite targets; drop or clip them.")
        return y, labelled

    def _check_targets(self, y: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        y, labelled = self._targets(y, n_rows)
        self._is_flat = y.ndim == 1
        y = y.reshape(n_rows, -1)
        refuse_overflow(y[labelled], "y")
        self._target_mean, deviation = y[labelled].mean(0), y[labelled].std(0)
        self._target_deviation = np.where(deviation > 0, deviation, 1)
        standardised = (y - self._target_mean) / self._target_deviation
        return np.where(labelled[:, None], standardised, 0), labelled

    def predict(self, X: Any, *, sample_domain: Any) -> np.ndarray:
        """Predict targets, shaped like the ``y`` of `fit`."""
        outputs = self._outputs(X, sample_domain) * self._target_deviation + self._target_mean
        return outputs[:, 0] if self._is_flat else outputs

    def score(self, X: Any, y: Any, sample_weight: Any = None, *, sample_domain: Any = None) -> float:
        """Return R² on the rows that have targets; NaN means none."""
        predictions = self.predict(X, sample_domain=sample_domain)
        y, labelled = self._targets(y, len(predictions))
        return float(r2_score(y[labelled], predictions[labelled], sample_weight=weights_among(sample_weight, labelled)))


class GRDAClassifier(GraphDomainClassifier):
    """Classify the rows of unlabelled domains by graph-relational domain adaptation.

    Parameters
    ----------
    adjacency
        The domain graph: 0/1 array (N, N), symmetric with zero diagonal; scipy sparse, ``networkx.Graph``, or a PyG
        ``edge_index``.
    hidden_width
        H, units of every layer; the paper's 512.
    embedding_width
        k, coordinates of the domain embedding z.
    discriminator_width
        Coordinates of the discriminator's ẑ (GRDA only).
    adversarial_weight
        λ_d, how hard the encoder works against the discriminator; 0: not at all.
    learning_rate, half_life_steps
        Adam's learning rate at the start, and the steps in which it halves.
    n_steps
        Training steps; the networks of the last step are kept.
    batch_per_domain
        B, rows of every domain in a step.
    n_sampled_domains
        Domains that the graph discriminator compares in a step, 2 .. N; None: two thirds.
    pairing
        Which rows of two domains are compared: ``"independent"`` draws (the formula), ``"crossed"`` (all pairs of
        independently drawn rows), or the same ``"row"`` numbers (the released loader; refused if the rows' order
        tells their labels).
    self_pairs
        ``"exclude"``, or ``"nonedge"``: compare a domain's rows with one another as not adjacent, as in the theory.
    balance
        Whether edges and non-edges weigh the same together.
    embedding
        A domain embedding of your own, (N, k), instead of the pre-trained one.
    embedding_scale
        Standardise the embedding's coordinates to this deviation (0.3 helps in regression); None: leave it.
    allow_label_leak
        Let ``pairing="row"`` pass on rows whose order tells their labels.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"``, …
    random_state
        Seed, or NumPy's ``RandomState`` to draw it from; None: a new one at each fit.

    Attributes
    ----------
    domain_embedding_
        z, (N, k).
    history_
        Losses at each step: ``prediction_loss`` and ``adversarial_loss``, (n_steps,).
    discriminator_loss_ratio_
        L_d over the loss of a discriminator that knows nothing (N log 2), (n_steps,).
    adjacency_, source_, n_domains_, n_features_in_, feature_names_in_
        What was fitted; the names only where X had some.
    classes_
        The classes, as they stand in y.

    Examples
    --------
    For cross-validation and search scikit-learn has to be told to pass the domains on; the folds are shuffled, since
    each training needs rows of every domain. The score is that of the labelled rows. What was found predicts as
    ``search.best_estimator_.predict(rows, sample_domain=domain)``.

    >>> import numpy as np
    >>> import sklearn
    >>> from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
    >>> rows, domain = np.random.default_rng(0).normal(size=(60, 2)), np.repeat([0, 1, 2], 20)
    >>> labels = np.where(domain == 0, np.where(rows[:, 0] > 0, "high", "low"), None)
    >>> model = GRDAClassifier([[0, 1, 0], [1, 0, 1], [0, 1, 0]], n_steps=20, hidden_width=8, random_state=0)
    >>> folds = KFold(4, shuffle=True, random_state=0)
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     scores = cross_val_score(model, rows, labels, params={"sample_domain": domain}, cv=folds)
    ...     search = GridSearchCV(model, {"adversarial_weight": [0.0, 0.5]}, cv=folds)
    ...     best = search.fit(rows, labels, sample_domain=domain).best_params_
    >>> scores.shape, list(best)
    ((4,), ['adversarial_weight'])

    To leave a domain out keep its rows, which adaptation needs, and hide its labels: ``np.where(domain == 1, -1, y)``.
    """


class GRDARegressor(GraphDomainRegressor):
    """Predict real targets in unlabelled domains by graph-relational domain adaptation.

    Parameters and attributes are those of `GRDAClassifier`, without ``classes_``. Rows without target have NaN, not -1.
    """
