"""What an estimator's parameters may be, and the checks of its domains, each with a remedy in its message."""

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from reprise.grda.batches import PAIRINGS
from reprise.grda.data import row_label_agreement
from reprise.grda.graphs import DomainsError, domain_hops
from reprise.grda.training import TrainingOptions

LARGEST_CHANCE_AGREEMENT = 0.1
LEAST_ROWS_PER_BLOCK = 2
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
        raise DomainsError(
            "adjacency is the complete graph, so the balanced loss has no non-edges to weigh; use "
            "self_pairs='nonedge', balance=False, or DANN, which aligns all domains alike."
        )
    n_sampled = options.n_sampled_domains
    if n_sampled is not None and n_sampled > n_domains:
        raise DomainsError(
            f"n_sampled_domains={n_sampled} is above the number of domains, {n_domains}; None takes two thirds of them."
        )
    if source.all():
        warnings.warn("all domains have labels: there is nothing to adapt to.", stacklevel=4)
    elif (unreached := np.flatnonzero(domain_hops(adjacency, source) < 0)).size:
        warnings.warn(
            f"no path in the graph leads from a labelled domain to domain(s) {unreached.tolist()}.", stacklevel=4
        )


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


def refuse_unlabelled(labelled: np.ndarray) -> None:
    """Refuse targets of which none is known."""
    if not labelled.any():
        raise DomainsError(
            "y has no labelled row; give the labels of at least one domain (NaN, or -1 for a class: no label)."
        )


def numbers_of(y: Any) -> np.ndarray:
    """Return targets as an array of numbers."""
    y = np.asarray(y)
    if y.dtype.kind not in "biuf":
        raise DomainsError(
            f"y has the type {y.dtype}; give numbers (NaN, or -1 for a class: no label), names through "
            "sklearn.preprocessing.LabelEncoder."
        )
    return y


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
