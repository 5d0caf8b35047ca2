"""Scores per domain: the paper averages them over the target domains with equal weight."""

import numpy as np

from reprise.grda.data import GraphDomains


def _mean_by_domain(domains: GraphDomains, per_row: np.ndarray) -> np.ndarray:
    counts = np.bincount(domains.domain, weights=domains.evaluation, minlength=domains.n_domains)
    scored = np.where(domains.evaluation, per_row, 0.0)
    sums = np.bincount(domains.domain, weights=scored, minlength=domains.n_domains)
    return np.divide(sums, counts, out=np.full(domains.n_domains, np.nan), where=counts > 0)


def accuracy_by_domain(domains: GraphDomains, predictions: np.ndarray) -> np.ndarray:
    """Return each scored domain's accuracy in percent.

    Parameters
    ----------
    domains
        A classification task.
    predictions
        Class numbers, shape ``(n,)``.

    Returns
    -------
    ndarray of float64, shape (N,)
        NaN for domains without scored rows (the sources).
    """
    return 100 * _mean_by_domain(domains, predictions == domains.targets)


def squared_error_by_domain(
    domains: GraphDomains, predictions: np.ndarray, *, summed: bool = False, degrees: bool = False
) -> np.ndarray:
    """Return each scored domain's squared error.

    Parameters
    ----------
    domains
        A regression task.
    predictions
        Shape ``(n, h)``; rows that are not scored may hold anything.
    summed
        Sum the squared errors over the outputs (very likely the unit of Table 2) instead of averaging them.
    degrees
        Return °F² instead of normalised units.

    Returns
    -------
    ndarray of float64, shape (N,)
        NaN for domains without scored rows (the sources).
    """
    squared = (predictions - domains.targets) ** 2
    per_row = squared.sum(axis=1) if summed else squared.mean(axis=1)
    means = _mean_by_domain(domains, per_row)
    return means * domains.target_scale**2 if degrees else means
