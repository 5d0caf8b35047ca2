"""What an estimator's parameters may be, and the checks of its domains, each with a remedy in its message."""

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_array, column_or_1d
from sklearn.utils._param_validation import Interval, StrOptions

from reprise.grda.batches import PAIRINGS
from reprise.grda.data import row_label_agreement
from reprise.grda.graphs import DomainsError, check_adjacency, domain_hops, domain_numbers
from reprise.grda.training import TrainingOptions

LARGEST_CHANCE_AGREEMENT = 0.1
LEAST_ROWS_PER_BLOCK = 2
NAMES_OF_NOTHING = {"nan", "None", "-1", "-1.0", "<NA>"}
_POSITIVE_INTEGER = [Interval(Integral, 1, None, closed="left")]
_POSITIVE = Interval(Real, 0, None, closed="neither")
PARAMETER_CONSTRAINTS = {
    "adjacency": "no_validation",  # By check_adjacency, which knows the number of domains.
    "hidden_width": _POSITIVE_INTEGER,
    "embedding_width": _POSITIVE_INTEGER,
    "discriminator_width": _POSITIVE_INTEGER,
    "adversarial_weight": [Interval(Real, 0, None, closed="left")],
    "learning_rate": [_POSITIVE],
    "half_life_steps": [Interval(Real, 0, None, closed="right")],
    "n_steps": _POSITIVE_INTEGER,
    "batch_per_domain": _POSITIVE_INTEGER,
    "n_sampled_domains": [Interval(Integral, 2, None, closed="left"), None],
    "pairing": [StrOptions(set(PAIRINGS))],
    "self_pairs": [StrOptions({"exclude", "nonedge"})],
    "balance": ["boolean"],
    "embedding": "no_validation",  # By the estimator, once the number of domains is known.
    "embedding_scale": [_POSITIVE, None],
    "allow_label_leak": ["boolean"],
    "device": [str],
    "random_state": ["random_state"],
}
"""What each parameter of the estimators may be, in scikit-learn's terms."""


def check_domains(sample_domain: Any, n_rows: int, adjacency: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the domain of every row, (n,), and the graph, (N, N), after checking that each domain has rows."""
    domain = domain_numbers(sample_domain, n_rows)
    n_named = int(domain.max()) + 1
    # A graph of more nodes than the rows name has domains without rows; as an edge_index it tells its own number.
    checked = check_adjacency(adjacency, None if _n_nodes(adjacency) > n_named else n_named)
    if len(empty := np.setdiff1d(np.arange(len(checked)), domain)):
        numbers = ", ".join(map(str, empty[:5])) + (", …" if len(empty) > 5 else "")
        raise DomainsError(
            f"the graph has {len(checked)} domains, but domain {numbers} has no rows in sample_domain, and adaptation "
            "needs the inputs of each. To leave a domain out for a test keep its rows and set that domain's y to -1 "
            "instead (None for names, NaN in regression); else drop it from the graph and renumber."
        )
    if len(checked) == 1:
        raise DomainsError("sample_domain names one domain only: there is nothing to adapt to; use a usual estimator.")
    return domain, checked


def _n_nodes(adjacency: Any) -> int:
    """Return how many nodes a graph has; -1 where it does not say so itself or is no graph, which is told later."""
    try:
        return len(check_adjacency(adjacency))
    except DomainsError:
        return -1


def check_graph(options: TrainingOptions, adjacency: np.ndarray, source: np.ndarray) -> None:
    """Refuse a graph that the balanced loss cannot use; warn of domains that adaptation cannot reach."""
    n_domains, n_edges = len(source), int(adjacency.sum()) // 2
    n_pairs = n_domains * (n_domains - 1) // 2
    balanced = options.method == "grda" and options.balance
    if balanced and n_edges == 0:
        raise DomainsError(
            "adjacency is the empty graph, so the balanced loss has no edges to weigh; give the graph its edges, or "
            "use balance=False."
        )
    if balanced and n_edges == n_pairs and options.self_pairs == "exclude":
        two = "of two domains " if n_domains == 2 else ""
        raise DomainsError(
            f"adjacency is the complete graph {two}and the balanced loss has no non-edges to weigh; use "
            "self_pairs='nonedge', balance=False, or reprise.grda.DANNClassifier (DANNRegressor), which aligns all "
            "domains alike."
        )
    n_sampled = options.n_sampled_domains
    if n_sampled is not None and n_sampled > n_domains:
        raise DomainsError(
            f"n_sampled_domains={n_sampled} is above the number of domains, {n_domains}; None takes two thirds of them."
        )
    if (unreached := np.flatnonzero(domain_hops(adjacency, source) < 0)).size:
        warnings.warn(
            f"no path in the graph leads from a labelled domain to domain(s) {unreached.tolist()}.", stacklevel=4
        )


def warn_of_no_target(source: np.ndarray, n_unlabelled: int) -> None:
    """Warn where every domain has labels, so that none is adapted to."""
    if not source.all():
        return
    if n_unlabelled:
        warnings.warn(
            f"every domain has labelled rows, so that there is no domain to adapt to and the {n_unlabelled} rows "
            "without label are not used; unlabelled rows count in domains without any label.",
            stacklevel=4,
        )
    else:
        warnings.warn("all domains have labels: there is nothing to adapt to.", stacklevel=4)


def check_marks(task: str, y: Any, domain: np.ndarray, source: np.ndarray) -> None:
    """Refuse -1 as the mark of a missing target in regression; warn of it where it may be a class.

    Parameters
    ----------
    task
        ``"classification"`` or ``"regression"``.
    y, domain
        Targets as they were given, and the domain of each row, (n,).
    source
        Which domains have a labelled row, (N,).
    """
    y = np.asarray(y)
    if y.ndim != 1 or y.dtype.kind not in "biuf" or not (marked := y == -1).any():
        return
    rows, n_marked = np.bincount(domain), np.bincount(domain, weights=marked)
    if task == "regression" and 0 < (whole := n_marked == rows).sum() < len(rows):
        raise DomainsError(
            f"y is -1 in every row of domain(s) {np.flatnonzero(whole).tolist()}; in regression -1 is a target like "
            "any other: mark missing targets by NaN."
        )
    if task == "classification" and not source.all() and (unused := int(n_marked[source].sum())):
        warnings.warn(
            f"{unused} rows of labelled domains have the label -1, which means none, and are not used; if -1 is a "
            "class, number the classes from 0.",
            stacklevel=4,
        )


def check_embedding(embedding: Any, n_domains: int) -> np.ndarray:
    """Return a domain embedding that was given, (N, k), as floats."""
    try:
        checked = check_array(embedding, dtype=np.float64, input_name="embedding")
    except ValueError as error:
        raise DomainsError(f"embedding cannot be used: {error}") from error
    if len(checked) != n_domains:
        raise DomainsError(f"embedding has {len(checked)} rows; give one per domain, ({n_domains}, k), or None.")
    return checked


def seed_from(random_state: int | np.random.RandomState | None) -> int:
    """Return the seed of one fit: as given, drawn from NumPy's state, or a new one."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return int(random_state)


def check_row_order(options: TrainingOptions, targets: np.ndarray, domain: np.ndarray) -> None:
    """Refuse row pairing of labelled rows (classes, domains) whose order tells their labels."""
    if options.method != "grda" or options.pairing != "row":
        return
    names, compact = np.unique(domain, return_inverse=True)
    paired, independent = row_label_agreement(targets, compact) if len(names) > 1 else (0.0, 0.0)
    in_blocks = all(_is_in_blocks(targets[domain == name]) for name in names)
    if paired > independent + LARGEST_CHANCE_AGREEMENT or in_blocks:
        seen = "the rows are sorted by label" if in_blocks else f"{paired:.0%} of them, {independent:.0%} by chance"
        raise DomainsError(
            "pairing='row' compares row k of one domain with row k of the other, and in the labelled domains such "
            f"rows have equal labels ({seen}): if the target domains have that order too, the pairs leak their "
            "labels. Shuffle the rows, use pairing='independent', or allow_label_leak=True to study the leak."
        )


def _is_in_blocks(targets: np.ndarray) -> bool:
    n_classes = len(np.unique(targets))
    n_changes = int((targets[1:] != targets[:-1]).sum())
    return len(targets) > LEAST_ROWS_PER_BLOCK * n_classes and n_changes < n_classes


def warn_of_small_domains(options: TrainingOptions, domain: np.ndarray) -> None:
    """Warn once of domains with fewer rows than a step uses."""
    smallest = int(np.bincount(domain).min())
    if smallest < options.batch_per_domain:
        warnings.warn(
            f"batch_per_domain={options.batch_per_domain} exceeds the smallest domain's {smallest} rows; "
            "such domains are sampled with replacement.",
            stacklevel=4,
        )


def refuse_overflow(values: np.ndarray, name: str) -> None:
    """Refuse values that cannot be standardised."""
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.isfinite(values.std(0)).all():
            raise DomainsError(f"{name} has values so large that their variance overflows; rescale or clip them.")


def refuse_one_class(classes: np.ndarray) -> None:
    """Refuse labels that are all the same."""
    if len(classes) < 2:
        raise DomainsError(
            f"y has only the class {classes[0]} among the labelled rows; label rows of two classes (-1 means no label: "
            "if it is a class, number the classes from 0)."
        )


def refuse_unlabelled(labelled: np.ndarray) -> None:
    """Refuse targets of which none is known."""
    if not labelled.any():
        raise DomainsError(
            "y has no labelled row; give the labels of at least one domain (no label: -1, NaN, or None for names)."
        )


def numbers_of(y: Any) -> np.ndarray:
    """Return regression targets as floats."""
    y = np.asarray(y)
    try:
        numbers = y.astype(np.float64) if y.dtype.kind in "biufO" else None  # None among objects becomes NaN.
    except (TypeError, ValueError):
        numbers = None
    if numbers is None:
        raise DomainsError(f"y has the type {y.dtype}; give numbers (NaN: no target).")
    return numbers


def classes_of(y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return class labels, numbers or names, (n,), and which rows have one."""
    y = np.asarray(y)
    y = y.astype(object) if y.dtype.kind == "T" else y
    if y.dtype.kind not in "biufOU":
        raise DomainsError(f"y has the type {y.dtype}; give classes as numbers or text.")
    y = y if y.ndim == 1 else column_or_1d(y, warn=True)
    labelled = ~_is_missing(y)
    known = y[labelled].tolist()
    kinds = {_kind(label) for label in known}
    if len(kinds) > 1 or "other" in kinds:
        raise DomainsError("y mixes numbers and text, or has classes that are neither; use one kind (no label: None).")
    if kinds == {"text"}:
        _refuse_names_of_nothing(known)
        return y, labelled
    if y.dtype.kind == "O":
        numbers = np.asarray(known)
        y = np.zeros(len(y), numbers.dtype)
        y[labelled] = numbers
    return y, labelled & (y != -1)


def _is_missing(y: np.ndarray) -> np.ndarray:
    if y.dtype.kind == "O":
        import pandas as pd

        return np.asarray(pd.isna(y))
    return np.isnan(y) if y.dtype.kind == "f" else np.zeros(len(y), dtype=bool)


def _kind(label: Any) -> str:
    if isinstance(label, str):
        return "text"
    return "number" if isinstance(label, Real | np.bool_) else "other"


def _refuse_names_of_nothing(names: list[str]) -> None:
    """Refuse what NumPy makes of a missing label when it is put among names."""
    if taken := sorted(NAMES_OF_NOTHING & set(names)):
        raise DomainsError(
            f"y has the text {taken[0]!r} among its classes, which NumPy makes of a missing label; mark rows without "
            "label by None: np.where(known, y, None)."
        )


def weights_among(sample_weight: Any, labelled: np.ndarray) -> np.ndarray | None:
    """Return the weights of the labelled rows."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight)
    if weights.shape != labelled.shape:
        raise DomainsError(
            f"sample_weight has the shape {weights.shape}; give one weight for each of {len(labelled)} rows."
        )
    return weights[labelled]
