"""What PIFA does under a contextual block model: the effect size of neighbour means, in closed form and simulated."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.stats import poisson

MEAN_DEGREES = (5, 10, 20, 60)
CONTRASTS = (0.1, 0.25, 0.5, 0.8)
SIGNAL = 0.2
N_NODES = 2000


def mean_inverse_degree(mean_degree: float) -> float:
    """Return κ = E[1/d | d ≥ 1] for d ~ Poisson(D); close to 1/D where D is large."""
    degrees = np.arange(1, int(mean_degree + 12 * np.sqrt(mean_degree) + 30))
    shares = poisson.pmf(degrees, mean_degree)
    return float((shares / degrees).sum() / shares.sum())


def gain(mean_degree: float, contrast: float, signal: float = SIGNAL) -> float:
    """Return effect(z)/effect(x) = δ/√(κ(1 + (1 − δ²)‖μ‖²/σ²)) for z the mean of the neighbours' x.

    Parameters
    ----------
    mean_degree
        D = n(p + q)/2.
    contrast
        δ = (p − q)/(p + q), from the edge probabilities inside and across classes.
    signal
        ‖μ‖/σ of the features x = ±μ + N(0, σ²I).

    Examples
    --------
    >>> round(gain(20, 0.5), 2), round(gain(5, 0.5), 2)
    (2.14, 0.97)
    """
    spread = mean_inverse_degree(mean_degree) * (1 + (1 - contrast**2) * signal**2)
    return float(contrast / np.sqrt(spread))


def effect_size(values: np.ndarray, classes: np.ndarray) -> float:
    """Return Cohen's d: distance of the class means over the pooled deviation within classes.

    Examples
    --------
    >>> effect_size(np.array([0.0, 2.0, 4.0, 6.0]), np.array([0, 0, 1, 1]))
    4.0
    """
    first, second = values[classes == 0], values[classes == 1]
    return float(abs(second.mean() - first.mean()) / np.sqrt((first.var() + second.var()) / 2))


def simulate(
    mean_degree: float,
    contrast: float,
    generator: np.random.Generator,
    *,
    signal: float = SIGNAL,
    n: int = N_NODES,
    weighting: str = "mean",
) -> float:
    """Draw one graph with features and return the measured effect(z)/effect(x).

    All is linear, so that only the component of x along μ matters: it alone is drawn, with σ = 1.

    Parameters
    ----------
    mean_degree, contrast, signal
        As in `gain`.
    generator
        Source of the draw.
    n
        Number of nodes, half in each class.
    weighting
        ``"mean"`` over neighbours, as in the formula; ``"rows"``: neighbours weigh 1/√degree, as in the released PIFA.
    """
    classes = np.arange(n) % 2
    x = signal * (2 * classes - 1) + generator.normal(size=n)
    inside, across = mean_degree / n * (1 + contrast), mean_degree / n * (1 - contrast)
    upper = np.triu(
        generator.random((n, n), dtype=np.float32) < np.where(classes[:, None] == classes, inside, across), 1
    )
    graph = sparse.csr_array(upper, dtype=np.float64)
    graph = sparse.csr_array(graph + graph.T)
    degree = np.diff(graph.indptr)
    own = x if weighting == "mean" else x / np.sqrt(np.maximum(degree, 1))
    shares = degree if weighting == "mean" else graph @ (1 / np.sqrt(np.maximum(degree, 1)))
    linked = degree > 0
    z = (graph @ own)[linked] / shares[linked]
    return effect_size(z, classes[linked]) / effect_size(x, classes)
