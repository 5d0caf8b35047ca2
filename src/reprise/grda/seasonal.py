"""Linear yardsticks of the temperature task: what a straight line and a calendar reach without any adaptation.

The targets are all windows from January–June to July–December, the sources windows of every phase. A linear map on
the sources' windows *of the same phase* is below every number of Table 2, so that the task's difficulty comes in
large part from training on all phases.
"""

import numpy as np

from reprise.grda.data import GraphDomains
from reprise.grda.graphs import DomainsError


def _linear_predictions(inputs: np.ndarray, outputs: np.ndarray, queries: np.ndarray) -> np.ndarray:
    from sklearn.linear_model import LinearRegression

    return LinearRegression().fit(inputs, outputs).predict(queries)


def _check(domains: GraphDomains) -> np.ndarray:
    if domains.task != "regression" or domains.phase is None:
        raise DomainsError(f"domains is {domains.name!r}; the yardsticks need a regression task with phases (TPT-48).")
    return domains.phase


def pooled_linear_map(domains: GraphDomains) -> np.ndarray:
    """Predict with one least-squares map fitted on the sources' windows of all phases.

    Parameters
    ----------
    domains
        A regression task.

    Returns
    -------
    ndarray of float64, shape (n, h)
        Predictions for all rows.
    """
    _check(domains)
    rows = domains.labelled
    return _linear_predictions(domains.features[rows], domains.targets[rows], domains.features)


def seasonal_linear_map(domains: GraphDomains) -> np.ndarray:
    """Predict with a least-squares map per phase, fitted on the sources' windows that start in the same month.

    Parameters
    ----------
    domains
        A regression task whose rows have a ``phase``.

    Returns
    -------
    ndarray of float64, shape (n, h)
        Predictions for all rows.
    """
    phase = _check(domains)
    predictions = np.empty_like(domains.targets)
    for month in np.unique(phase):
        here = phase == month
        rows = domains.labelled & here
        predictions[here] = _linear_predictions(domains.features[rows], domains.targets[rows], domains.features[here])
    return predictions


def source_climatology(domains: GraphDomains) -> np.ndarray:
    """Predict the sources' mean of the calendar month, whatever the inputs.

    Parameters
    ----------
    domains
        A regression task whose rows have a ``phase``.

    Returns
    -------
    ndarray of float64, shape (n, h)
        Predictions for all rows.
    """
    phase = _check(domains)
    predictions = np.empty_like(domains.targets)
    for month in np.unique(phase):
        predictions[phase == month] = domains.targets[domains.labelled & (phase == month)].mean(axis=0)
    return predictions


YARDSTICKS = {
    "Linear map": pooled_linear_map,
    "Seasonal linear map": seasonal_linear_map,
    "Climatology": source_climatology,
}
"""The yardsticks by the name of their row, each a function from the task to predictions for all rows."""
