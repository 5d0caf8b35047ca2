"""Hop-by-hop self-training over the domain graph: no adversary, no neural network, no domain embedding.

Labels travel over the graph: the domain best surrounded by labelled domains gets the predictions of a small model
fitted on its three most similar labelled neighbours, counts as labelled from then on, and so forth. Each step is a
small shift even where the sum of steps turns the class boundary upside down.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from reprise.grda.data import GraphDomains


@dataclass(frozen=True, eq=False)
class Propagation:
    """What self-training found.

    Parameters
    ----------
    predictions
        Predicted classes, int64, shape ``(n,)``, or outputs, float64, shape ``(n, h)``; the given targets on the
        sources' rows.
    order
        Target domains in the order in which they were labelled, shape ``(n_reached,)``.
    teachers
        For each of them, the labelled neighbours that it learned from.
    """

    predictions: np.ndarray
    order: tuple[int, ...]
    teachers: tuple[tuple[int, ...], ...]


def neighbourhood_overlap(adjacency: np.ndarray) -> np.ndarray:
    """Return the Jaccard overlap of the neighbourhoods of every two domains (0 where both are empty).

    Parameters
    ----------
    adjacency
        Domain graph, shape ``(N, N)``.

    Returns
    -------
    ndarray of float64, shape (N, N)
        Common neighbours over neighbours of either, in [0, 1].

    Examples
    --------
    >>> neighbourhood_overlap(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]))[0].tolist()
    [1.0, 0.0, 1.0]
    """
    edges = np.asarray(adjacency, dtype=np.float64)
    common = edges @ edges
    degree = edges.sum(axis=1)
    either = degree[:, None] + degree[None, :] - common
    return np.divide(common, either, out=np.zeros_like(common), where=either > 0)


def schedule(adjacency: np.ndarray, source: np.ndarray, n_teachers: int = 3) -> list[tuple[int, tuple[int, ...]]]:
    """Return the order in which domains get labels, and each one's teachers; both follow from the graph alone.

    Parameters
    ----------
    adjacency
        Domain graph, shape ``(N, N)``.
    source
        Whether a domain has labels, bool, shape ``(N,)``.
    n_teachers
        Labelled neighbours to learn from, at most.

    Returns
    -------
    list of (int, tuple of int)
        Next the unlabelled domain with the largest share of labelled neighbours (the lowest number on ties), with
        its labelled neighbours of largest overlap; domains without a path to a source are missing.
    """
    edges = np.asarray(adjacency) != 0
    overlap = neighbourhood_overlap(adjacency)
    labelled = np.asarray(source, dtype=bool).copy()
    degree = np.maximum(edges.sum(axis=1), 1)
    steps: list[tuple[int, tuple[int, ...]]] = []
    while True:
        share = np.where(labelled, -1.0, (edges & labelled).sum(axis=1) / degree)
        chosen = int(share.argmax())
        if share[chosen] <= 0:
            return steps
        neighbours = np.flatnonzero(edges[chosen] & labelled)
        ranked = neighbours[np.argsort(-overlap[chosen, neighbours], kind="stable")]
        steps.append((chosen, tuple(int(index) for index in ranked[:n_teachers])))
        labelled[chosen] = True


def _predict(estimator: Any, features: np.ndarray, targets: np.ndarray, queries: np.ndarray) -> np.ndarray:
    from sklearn.base import clone

    if targets.ndim == 1 and len(np.unique(targets)) == 1:
        return np.full(len(queries), targets[0])  # A classifier cannot be fitted on one class.
    return clone(estimator).fit(features, targets).predict(queries)


def _default_estimator(task: str) -> Any:
    from sklearn.linear_model import LinearRegression, LogisticRegression

    return LogisticRegression(C=1.0) if task == "classification" else LinearRegression()


def standardised(domains: GraphDomains) -> np.ndarray:
    """Return all inputs, scaled to mean 0 and standard deviation 1 over the rows that training may use, ``(n, d)``.

    Those of target domains count too, which unsupervised adaptation allows. Constant columns become 0.
    """
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit(domains.features[domains.adaptation]).transform(domains.features)


def self_train(domains: GraphDomains, *, estimator: Any = None, n_teachers: int = 3) -> Propagation:
    """Carry the sources' labels hop by hop to all domains.

    Parameters
    ----------
    domains
        The data; targets of target domains are not read.
    estimator
        A scikit-learn estimator, cloned for every step; ``None``: logistic regression with C = 1, or least squares.
    n_teachers
        Labelled neighbours that a domain learns from, at most.

    Returns
    -------
    Propagation
        Predictions, order and teachers. Domains without a path to a source are predicted from all sources.

    Warns
    -----
    UserWarning
        If a domain has no path to a source.

    Notes
    -----
    Where rows have a ``phase``, a domain learns from rows of those phases only that it has itself; with the default
    estimator that is the seasonal linear map. One fit per target domain: about a second for 60 domains.
    """
    estimator = _default_estimator(domains.task) if estimator is None else estimator
    features = standardised(domains)
    steps = schedule(domains.adjacency, domains.source, n_teachers)
    reached = domains.source.copy()
    reached[[index for index, _ in steps]] = True
    sources = tuple(int(index) for index in np.flatnonzero(domains.source))
    cut_off = [(int(index), sources) for index in np.flatnonzero(~reached)]
    if cut_off:
        warnings.warn(
            f"{len(cut_off)} target domains have no path to any source in the graph (the first is {cut_off[0][0]}); "
            "they are predicted by a model of all sources.",
            stacklevel=2,
        )
    # Blank what training must not see, so that no slip of the order can leak a target domain's labels.
    given = domains.source[domains.domain]
    predictions = np.where(given if domains.task == "classification" else given[:, None], domains.targets, -1)
    for index, teachers in [*steps, *cut_off]:
        queries = domains.domain == index
        lessons = np.isin(domains.domain, teachers)
        if domains.phase is not None:
            lessons &= np.isin(domains.phase, domains.phase[queries])
        predictions[queries] = _predict(estimator, features[lessons], predictions[lessons], features[queries])
    return Propagation(predictions, tuple(index for index, _ in steps), tuple(t for _, t in steps))


def source_only_linear(domains: GraphDomains, *, estimator: Any = None) -> np.ndarray:
    """Predict all rows with one linear model of the sources, the row that ignores the graph.

    Parameters
    ----------
    domains
        The data.
    estimator
        As in :func:`self_train`.

    Returns
    -------
    ndarray
        Predicted classes, shape ``(n,)``, or outputs, shape ``(n, h)``.
    """
    estimator = _default_estimator(domains.task) if estimator is None else estimator
    features = standardised(domains)
    rows = domains.labelled
    return _predict(estimator, features[rows], domains.targets[rows], features)
