"""Data of graph-relational domain adaptation: rows that belong to domains, and the graph over these domains."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from reprise.errors import unknown_name
from reprise.grda.graphs import DomainsError, check_adjacency, check_sample_domain, domain_hops, levels

__all__ = [
    "DATASETS",
    "DomainsError",
    "GraphDomains",
    "domain_hops",
    "hold_out_sources",
    "levels",
    "load",
    "permute_rows_within_domains",
    "row_label_agreement",
    "shuffle",
]


@dataclass(frozen=True, eq=False)
class GraphDomains:
    """Rows of several domains, the graph over the domains, and which domains have labels.

    Letters: n rows, d features, N domains, h outputs, k numbers per domain embedding.

    Parameters
    ----------
    name
        Name of the data set, e.g. ``"dg-15"``.
    task
        ``"classification"`` or ``"regression"``.
    features
        Inputs, float64, shape ``(n, d)``.
    targets
        Class numbers, int64, shape ``(n,)``; or outputs, float64, shape ``(n, h)``. Those of target domains are
        for scoring only.
    domain
        Domain of each row, int64 in ``[0, N)``, shape ``(n,)``.
    adjacency
        Domain graph, symmetric zeros and ones with zero diagonal, int8, shape ``(N, N)``.
    source
        Whether a domain has labels at training, bool, shape ``(N,)``.
    domain_names
        One name per domain.
    positions
        Where to draw the domains, float64, shape ``(N, 2)``.
    embedding
        Domain embedding that ships with the data, float64, shape ``(N, k)``; else ``None``.
    adaptation
        Rows whose inputs training may use, bool, shape ``(n,)``.
    evaluation
        Rows that are scored, bool, shape ``(n,)``.
    target_scale
        Factor from the targets' unit to their natural one (standard deviation in °F for the temperatures, else 1).
    angle
        Angle of each domain's class boundary in radians where known (the DG sets), shape ``(N,)``; else ``None``.
    phase
        Calendar month (0 for January) of each row's first input where rows are windows of a series, int64, shape
        ``(n,)``; else ``None``.
    notes
        What was changed when the data were read, a sentence each.

    Raises
    ------
    DomainsError
        If shapes disagree, a number is not finite, the graph is not valid, or a domain has no row.
    """

    name: str
    task: Literal["classification", "regression"]
    features: np.ndarray
    targets: np.ndarray
    domain: np.ndarray
    adjacency: np.ndarray
    source: np.ndarray
    domain_names: tuple[str, ...]
    positions: np.ndarray
    embedding: np.ndarray | None
    adaptation: np.ndarray
    evaluation: np.ndarray
    target_scale: float = 1.0
    angle: np.ndarray | None = None
    phase: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the parts against one another."""
        if self.task not in ("classification", "regression"):
            raise DomainsError(f"task is {self.task!r}; it must be 'classification' or 'regression'.")
        self._expect("features", (self.n_rows, self.features.shape[-1]), "f")
        integer = self.task == "classification"
        self._expect("targets", (self.n_rows,) if integer else (self.n_rows, -1), "iu" if integer else "f")
        check_sample_domain(self.domain, self.n_rows, self.n_domains)
        check_adjacency(self.adjacency, self.n_domains)
        for name in ("adaptation", "evaluation"):
            self._expect(name, (self.n_rows,), "b")
        self._expect("source", (self.n_domains,), "b")
        self._expect("positions", (self.n_domains, 2), "f")
        if self.embedding is not None:
            self._expect("embedding", (self.n_domains, -1), "f")
        if self.angle is not None:
            self._expect("angle", (self.n_domains,), "f")
        if self.phase is not None:
            self._expect("phase", (self.n_rows,), "iu")
        if not self.source.any():
            raise DomainsError("source marks no domain; at least one domain must have labels.")
        if not (np.isfinite(self.target_scale) and self.target_scale > 0):
            raise DomainsError(f"target_scale is {self.target_scale}; it must be a positive number.")

    def _expect(self, name: str, shape: tuple[int, ...], kinds: str) -> None:
        array = getattr(self, name)
        fits = array.ndim == len(shape) and all(b in (-1, a) for a, b in zip(array.shape, shape, strict=True))
        if not fits:
            raise DomainsError(
                f"{name} has the shape {array.shape}; expected {shape} for {self.n_rows} rows and {self.n_domains} "
                "domains (-1: any)."
            )
        if array.dtype.kind not in kinds:
            raise DomainsError(f"{name} has the type {array.dtype}; expected a kind among {', '.join(kinds)}.")
        if not np.isfinite(array).all():
            raise DomainsError(f"{name} has entries that are NaN or infinite; remove or fill those rows first.")

    @property
    def n_rows(self) -> int:
        """Number of rows n."""
        return len(self.features)

    @property
    def n_domains(self) -> int:
        """Number of domains N."""
        return len(self.domain_names)

    @property
    def n_outputs(self) -> int:
        """Number of classes, or of regression outputs h."""
        return int(self.targets.max()) + 1 if self.task == "classification" else self.targets.shape[1]

    @property
    def hops(self) -> np.ndarray:
        """Hops of each domain to the nearest source, int64, shape ``(N,)``; -1 where unreachable."""
        return domain_hops(self.adjacency, self.source)

    @property
    def labelled(self) -> np.ndarray:
        """Rows whose targets training may use (those of the sources), bool, shape ``(n,)``."""
        return self.source[self.domain] & self.adaptation

    def rows_of(self, domain: int) -> np.ndarray:
        """Return the row numbers of one domain, in their order, int64."""
        return np.flatnonzero(self.domain == domain)

    def take(self, rows: np.ndarray) -> "GraphDomains":
        """Return the same domains with the rows in another order, or repeated.

        Parameters
        ----------
        rows
            Row numbers, int64, shape ``(m,)``.

        Returns
        -------
        GraphDomains
            With ``m`` rows.
        """
        names = ("features", "targets", "domain", "adaptation", "evaluation", "phase")
        present = [name for name in names if getattr(self, name) is not None]
        return replace(self, **{name: getattr(self, name)[rows] for name in present})


def permute_rows_within_domains(domains: GraphDomains, generator: np.random.Generator) -> GraphDomains:
    """Permute the rows inside every domain; which places belong to which domain stays.

    It is the control for the row-paired loss: the data are the same, but row k of one domain no longer tells
    anything about row k of another.

    Parameters
    ----------
    domains
        The data.
    generator
        Source of randomness.

    Returns
    -------
    GraphDomains
        The same rows in another order.
    """
    rows = np.arange(domains.n_rows)
    for index in range(domains.n_domains):
        places = domains.rows_of(index)
        rows[places] = generator.permutation(places)
    return domains.take(rows)


def shuffle(domains: GraphDomains, generator: np.random.Generator) -> GraphDomains:
    """Permute all rows, over the bounds of the domains.

    Parameters
    ----------
    domains
        The data.
    generator
        Source of randomness.

    Returns
    -------
    GraphDomains
        The same rows in another order.
    """
    return domains.take(generator.permutation(domains.n_rows))


def hold_out_sources(domains: GraphDomains, share: float = 1 / 3) -> GraphDomains:
    """Make pseudo-targets of the sources nearest to the targets, so that settings can be selected on source labels.

    Pseudo-targets get the role of targets: only their rows of the targets' phases remain, training sees no label of
    them, and they alone are scored. The real targets stay as unlabelled domains of the same graph, their labels erased.

    Parameters
    ----------
    domains
        The data.
    share
        Share of the sources to hold out: those with the fewest hops to a target, among equals those with more
        neighbouring targets, then the first.

    Returns
    -------
    GraphDomains
        The same domains with fewer sources.

    Raises
    ------
    DomainsError
        If there is no target, or a single source.
    """
    candidates, is_target = np.flatnonzero(domains.source), ~domains.source
    if not is_target.any() or len(candidates) < 2:
        raise DomainsError(f"source marks {len(candidates)} of {domains.n_domains} domains; needed: two, but not all.")
    hops = domain_hops(domains.adjacency, is_target)[candidates]
    neighbours = domains.adjacency[np.ix_(candidates, is_target)].sum(1, dtype=np.int64)
    nearest = candidates[np.lexsort((-neighbours, np.where(hops < 0, domains.n_domains, hops)))]
    held = np.isin(np.arange(domains.n_domains), nearest[: min(max(1, round(share * len(nearest))), len(nearest) - 1)])
    kept = np.ones(domains.n_rows, dtype=bool)
    if domains.phase is not None:
        kept = ~held[domains.domain] | np.isin(domains.phase, domains.phase[is_target[domains.domain]])
    rows = domains.take(np.flatnonzero(kept))
    erased = rows.targets.copy()
    erased[is_target[rows.domain]] = 0
    return replace(rows, source=domains.source & ~held, targets=erased, evaluation=held[rows.domain])


def row_label_agreement(targets: np.ndarray, domain: np.ndarray) -> tuple[float, float]:
    """Measure how much the order of the rows tells about the labels when rows are paired by their number.

    Parameters
    ----------
    targets
        Class numbers, shape ``(n,)``.
    domain
        Domain of each row, int64 in ``[0, N)``, shape ``(n,)``.

    Returns
    -------
    paired : float
        Share of equal labels among the pairs (row k of domain i, row k of domain j), i ≠ j.
    independent : float
        The same share for rows drawn independently. The two agree where the order is uninformative.

    Examples
    --------
    >>> row_label_agreement(np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]))
    (1.0, 0.5)
    """
    groups = [targets[domain == index] for index in range(int(domain.max()) + 1)]
    classes = np.unique(targets)
    equal = total = expected = 0.0
    for i, first in enumerate(groups):
        for second in groups[i + 1 :]:
            length = min(len(first), len(second))
            equal += float((first[:length] == second[:length]).sum())
            total += length
            expected += length * sum(float((first == c).mean() * (second == c).mean()) for c in classes)
    return (equal / total, expected / total) if total else (0.0, 0.0)


def _dg_shipped(n_domains: int) -> Callable[[int], GraphDomains]:
    def read(seed: int) -> GraphDomains:
        from reprise.grda.shipped import read_dg

        return read_dg(n_domains)

    return read


def _dg_generated(n_domains: int) -> Callable[[int], GraphDomains]:
    def make(seed: int) -> GraphDomains:
        from reprise.grda.generators import make_dg

        return make_dg(n_domains, seed=seed)

    return make


def _tpt(task: str) -> Callable[[int], GraphDomains]:
    def read(seed: int) -> GraphDomains:
        from reprise.grda.shipped import read_tpt

        return read_tpt(task)

    return read


def _digits(equal_priors: bool) -> Callable[[int], GraphDomains]:
    def make(seed: int) -> GraphDomains:
        from reprise.grda.generators import make_digits_grid

        return make_digits_grid(equal_priors=equal_priors, seed=seed)

    return make


_LOADERS: dict[str, Callable[[int], GraphDomains]] = {
    "dg-15-generated": _dg_generated(15),
    "dg-60-generated": _dg_generated(60),
    "dg-15": _dg_shipped(15),
    "dg-60": _dg_shipped(60),
    "tpt-48-east-west": _tpt("east-west"),
    "tpt-48-north-south": _tpt("north-south"),
    "digits-grid": _digits(True),
    "digits-grid-unequal": _digits(False),
}
DATASETS: tuple[str, ...] = tuple(_LOADERS)


def load(name: str, seed: int = 0) -> GraphDomains:
    """Load a data set by its name.

    Parameters
    ----------
    name
        One of :data:`DATASETS`. The generated ones need no download; ``dg-15``, ``dg-60`` and ``tpt-48-…`` are read
        from the data cache and keep the order of the published files.
    seed
        Seed of the generated data sets; the real ones do not depend on it.

    Returns
    -------
    GraphDomains
        The data.

    Raises
    ------
    UnknownNameError
        If there is no data set of that name.
    """
    if name not in _LOADERS:
        raise unknown_name("data set", name, list(DATASETS))
    return _LOADERS[name](seed)


def describe(domains: GraphDomains) -> dict[str, Any]:
    """Return the figures that describe the domains and their graph.

    Parameters
    ----------
    domains
        The data.

    Returns
    -------
    dict
        Domains, sources, rows, edges, diameter (-1 if disconnected) and target domains per hop.
    """
    every = np.eye(domains.n_domains, dtype=bool)
    distances = np.array([domain_hops(domains.adjacency, one) for one in every])
    hops = domains.hops[~domains.source]
    return {
        "domains": domains.n_domains,
        "sources": int(domains.source.sum()),
        "rows": domains.n_rows,
        "edges": int(domains.adjacency.sum(dtype=np.int64)) // 2,
        "diameter": int(distances.max()) if (distances >= 0).all() else -1,
        "targets_per_hop": {int(h): int((hops == h).sum()) for h in np.unique(hops)},
    }
