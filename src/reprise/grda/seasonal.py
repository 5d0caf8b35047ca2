"""Linear yardsticks of the temperature task: what a straight line and a calendar reach without any adaptation.

The targets are all windows from January–June to July–December, the sources windows of every phase. A linear map on
the sources' windows *of the same phase* is below every number of Table 2, so that the task's difficulty comes in
large part from training on all phases.
"""

from typing import Any

import numpy as np

from reprise.grda.data import GraphDomains
from reprise.grda.graphs import DomainsError
from reprise.grda.self_training import source_only_linear


def _fit_per_phase(domains: GraphDomains, estimator: Any) -> np.ndarray:
    if domains.task != "regression" or domains.phase is None:
        raise DomainsError(f"domains is {domains.name!r}; the yardsticks need a regression task with phases (TPT-48).")
    predictions = np.empty_like(domains.targets)
    for month in np.unique(domains.phase):
        here = domains.phase == month
        rows = domains.labelled & here
        predictions[here] = estimator.fit(domains.features[rows], domains.targets[rows]).predict(domains.features[here])
    return predictions


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

    Raises
    ------
    DomainsError
        If the task is another one.
    """
    from sklearn.linear_model import LinearRegression

    return _fit_per_phase(domains, LinearRegression())


def source_climatology(domains: GraphDomains) -> np.ndarray:
    """Predict the sources' mean of the calendar month, whatever the inputs; as `seasonal_linear_map` otherwise."""
    from sklearn.dummy import DummyRegressor

    return _fit_per_phase(domains, DummyRegressor())


YARDSTICKS = {
    "Linear map": source_only_linear,
    "Seasonal linear map": seasonal_linear_map,
    "Climatology": source_climatology,
}
"""The yardsticks by the name of their row, each a function from the task to predictions for all rows."""
