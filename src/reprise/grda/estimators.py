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

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from reprise.compute import resolve_device
from reprise.grda.batches import Pairing, Problem
from reprise.grda.discriminator import SelfPairs
from reprise.grda.domain_embedding import fit_domain_embedding, scale_embedding
from reprise.grda.graphs import DomainsError, check_adjacency, check_sample_domain
from reprise.grda.input_checks import check_graph, check_options, check_row_order, warn_of_small_domains
from reprise.grda.objectives import MethodName, Task
from reprise.grda.training import Trained, TrainingOptions, train


class GraphDomainEstimator(BaseEstimator):
    """What all estimators here share: checks, the domain embedding, training, encoding.

    Not for use by itself; see `GRDAClassifier` and `GRDARegressor` for the parameters.
    """

    _method: MethodName = "grda"
    _task: Task

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
        random_state: int | None = None,
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
            Targets, (n,), or (n, h) in regression; NaN (or -1 for classes) marks rows without label. A domain is a
            source if it has a labelled row; its unlabelled rows are not used.
        sample_domain
            Domain of each row, integers 0 .. N-1, (n,).

        Returns
        -------
        Self
            The fitted estimator.

        Raises
        ------
        ValueError
            For each input that cannot be used; the message says what to change.
        """
        options = self._options()
        check_options(options)
        X = self._check_features(X)
        domain = check_sample_domain(sample_domain, len(X))
        self.adjacency_ = check_adjacency(self.adjacency, int(domain.max()) + 1)
        targets, labelled = self._check_targets(y, len(X))
        source = np.bincount(domain, weights=labelled) > 0
        check_graph(options, self.adjacency_, source)
        if self._task == "classification" and not self.allow_label_leak:
            check_row_order(options, targets[labelled], domain[labelled])
        used = labelled | ~source[domain]
        warn_of_small_domains(options, domain[used])
        self.n_features_in_, self.n_domains_, self.source_ = X.shape[1], len(source), source
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
            seed=self._seed(),
        )
        self._trained = train([problem], options, resolve_device(self.device))
        self.history_ = {
            "prediction_loss": self._trained.prediction_loss[:, 0],
            "adversarial_loss": self._trained.adversarial_loss[:, 0],
        }
        self.discriminator_loss_ratio_ = self._trained.discriminator_loss_ratio[:, 0]
        return self

    def transform(self, X: Any, *, sample_domain: Any) -> np.ndarray:
        """Encode rows: E's output, float32 of shape (n, hidden_width)."""
        X, domain = self._check_new_rows(X, sample_domain)
        return self._trained.encode(X, domain)[0]

    def _outputs(self, X: Any, sample_domain: Any) -> np.ndarray:
        X, domain = self._check_new_rows(X, sample_domain)
        return self._trained.predict(X, domain)[0]

    @property
    def trained_(self) -> Trained:
        """The trained networks and their history."""
        check_is_fitted(self, "_trained")
        return self._trained

    def _options(self) -> TrainingOptions:
        names = set(TrainingOptions.__dataclass_fields__) - {"method", "initialisation"}
        return TrainingOptions(method=self._method, **{name: getattr(self, name) for name in names})

    def _seed(self) -> int:
        if self.random_state is None:
            return int(np.random.SeedSequence().generate_state(1)[0])
        return self.random_state

    def _embedding(self) -> np.ndarray:
        if self.embedding_width < 1:
            raise DomainsError(f"embedding_width={self.embedding_width} is below 1; give a positive integer.")
        if self.embedding is None:
            embedding = fit_domain_embedding(self.adjacency_, self.embedding_width)
        else:
            embedding = np.asarray(self.embedding, dtype=np.float64)
        if embedding.ndim != 2 or len(embedding) != self.n_domains_ or not np.isfinite(embedding).all():
            raise DomainsError(
                f"embedding has the shape {embedding.shape} or is not finite; "
                f"give one finite row per domain, ({self.n_domains_}, k), or None."
            )
        return scale_embedding(embedding, self.embedding_scale)

    def _check_features(self, X: Any) -> np.ndarray:
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] == 0:
            raise DomainsError(f"X has the shape {X.shape}; give rows of features, (n, d).")
        if not np.isfinite(X).all():
            rows = np.flatnonzero(~np.isfinite(X).all(1))
            raise DomainsError(f"X has NaN or infinity in {len(rows)} rows, first {rows[0]}; drop or impute them.")
        return X

    def _check_new_rows(self, X: Any, sample_domain: Any) -> tuple[np.ndarray, np.ndarray]:
        check_is_fitted(self, "_trained")
        X = self._check_features(X)
        if X.shape[1] != self.n_features_in_:
            raise DomainsError(
                f"X has {X.shape[1]} features, but the estimator was fitted with {self.n_features_in_}; "
                "give the same columns."
            )
        domain = np.asarray(sample_domain)
        if domain.shape != (len(X),) or domain.dtype.kind not in "iu":
            raise DomainsError(f"sample_domain has the shape {domain.shape}; give one integer for each row of X.")
        unseen = domain[(domain < 0) | (domain >= self.n_domains_)]
        if unseen.size:
            raise DomainsError(
                f"sample_domain names the unseen domain {unseen[0]}; the estimator knows 0 .. "
                f"{self.n_domains_ - 1}: fit again with a graph that contains it."
            )
        return X, domain

    @property
    def _n_outputs(self) -> int:
        raise NotImplementedError

    def _check_targets(self, y: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError


class GraphDomainClassifier(ClassifierMixin, GraphDomainEstimator):
    """Base of the classifiers; labels may be any integers >= 0, floats or (with -1 or NaN unlabelled) booleans."""

    _task: Task = "classification"

    @property
    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _check_targets(self, y: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        y = np.asarray(y)
        if y.shape != (n_rows,) or y.dtype.kind not in "biuf":
            raise DomainsError(f"y has the shape {y.shape} and type {y.dtype}; give one number for each row of X.")
        labelled = ~np.isnan(y.astype(np.float64)) & (y.astype(np.float64) != -1)
        if not labelled.any():
            raise DomainsError("y has no labelled row; label the rows of at least one domain (NaN or -1: no label).")
        self.classes_ = np.unique(y[labelled])
        if len(self.classes_) < 2:
            raise DomainsError(
                f"y has only the class {self.classes_[0]} among the labelled rows; label rows of two classes."
            )
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
        """Return the accuracy on rows with known labels."""
        hits = self.predict(X, sample_domain=sample_domain) == np.asarray(y)
        return float(np.average(hits, weights=sample_weight))


class GraphDomainRegressor(RegressorMixin, GraphDomainEstimator):
    """Base of the regressors; targets are standardised for training."""

    _task: Task = "regression"

    @property
    def _n_outputs(self) -> int:
        return len(self._target_mean)

    def _check_targets(self, y: Any, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        y = np.asarray(y, dtype=np.float64)
        if y.ndim not in (1, 2) or len(y) != n_rows:
            raise DomainsError(f"y has the shape {y.shape}; give one target (or row of targets) per row of X.")
        self._is_flat = y.ndim == 1
        y = y.reshape(n_rows, -1)
        labelled = ~np.isnan(y).any(1)
        if not labelled.any():
            raise DomainsError("y has no labelled row; give targets for at least one domain (NaN: no label).")
        if not np.isfinite(y[labelled]).all():
            raise DomainsError("y has infinite targets; drop or clip them.")
        self._target_mean, deviation = y[labelled].mean(0), y[labelled].std(0)
        self._target_deviation = np.where(deviation > 0, deviation, 1)
        standardised = (y - self._target_mean) / self._target_deviation
        return np.where(labelled[:, None], standardised, 0), labelled

    def predict(self, X: Any, *, sample_domain: Any) -> np.ndarray:
        """Predict targets, shaped like the ``y`` of `fit`."""
        outputs = self._outputs(X, sample_domain) * self._target_deviation + self._target_mean
        return outputs[:, 0] if self._is_flat else outputs

    def score(self, X: Any, y: Any, sample_weight: Any = None, *, sample_domain: Any = None) -> float:
        """Return R² on rows with known targets."""
        from sklearn.metrics import r2_score

        return float(r2_score(y, self.predict(X, sample_domain=sample_domain), sample_weight=sample_weight))


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
        Seed; None: a new one at each fit.

    Attributes
    ----------
    domain_embedding_
        z, (N, k).
    history_
        Losses at each step: ``prediction_loss`` and ``adversarial_loss``, (n_steps,).
    discriminator_loss_ratio_
        L_d over the loss of a discriminator that knows nothing (N log 2), (n_steps,).
    adjacency_, source_, n_domains_, n_features_in_
        What was fitted.
    classes_
        The classes.
    """


class GRDARegressor(GraphDomainRegressor):
    """Predict real targets in unlabelled domains by graph-relational domain adaptation.

    Parameters and attributes are those of `GRDAClassifier`, without ``classes_``.
    """
