"""The checks of an estimator's parameters and of its domains, each with a remedy in its message."""

import warnings

import numpy as np

from reprise.grda.batches import PAIRINGS
from reprise.grda.data import row_label_agreement
from reprise.grda.graphs import DomainsError, domain_hops
from reprise.grda.training import TrainingOptions

LARGEST_CHANCE_AGREEMENT = 0.1
LEAST_ROWS_PER_BLOCK = 2
POSITIVE_INTEGERS = ("hidden_width", "discriminator_width", "n_steps", "batch_per_domain")


def check_options(options: TrainingOptions) -> None:
    """Refuse options that cannot be trained with."""
    if options.pairing not in PAIRINGS:
        raise DomainsError(f"pairing={options.pairing!r} is unknown; use one of {', '.join(PAIRINGS)}.")
    if options.self_pairs not in ("exclude", "nonedge"):
        raise DomainsError(f"self_pairs={options.self_pairs!r} is unknown; use 'exclude' or 'nonedge'.")
    if not options.adversarial_weight >= 0:
        raise DomainsError(
            f"adversarial_weight={options.adversarial_weight} is negative: the encoder would help the "
            "discriminator; give a number >= 0."
        )
    if not options.learning_rate > 0 or not options.half_life_steps > 0:
        raise DomainsError("learning_rate and half_life_steps must be positive; the defaults are 1e-3 and 1000.")
    for name in POSITIVE_INTEGERS:
        if getattr(options, name) < 1:
            raise DomainsError(f"{name}={getattr(options, name)} is below 1; give a positive integer.")


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
    if n_sampled is not None and not 2 <= n_sampled <= n_domains:
        raise DomainsError(
            f"n_sampled_domains={n_sampled} is not between 2 and the number of domains, {n_domains}; "
            "None takes two thirds of them."
        )
    if source.all():
        warnings.warn("all domains have labels: there is nothing to adapt to.", stacklevel=3)
    elif (unreached := np.flatnonzero(domain_hops(adjacency, source) < 0)).size:
        warnings.warn(
            f"no path in the graph leads from a labelled domain to domain(s) {unreached.tolist()}.", stacklevel=3
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
            stacklevel=3,
        )
