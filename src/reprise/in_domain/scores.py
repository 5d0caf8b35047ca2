"""The benchmark's metric, the ratio rho, and closed-form oracles: all from factors and predictions, without images."""

import numpy as np
from numpy.typing import NDArray

from reprise.in_domain.grid import Factors, IntegerArray
from reprise.in_domain.splits import Split

Floats = NDArray[np.float64]
# Where a target lies closer than this to the training mean, the ratio rho says nothing.
LEAST_DISTANCE = 0.05
OUTSIDE_SHARE = 0.01
# Bars of the histogram of rho; what lies beyond is counted in the first and the last one.
RHO_EDGES = np.linspace(-1, 2, 25)


def r2_by_factor(grid: Factors, index: IntegerArray, predicted: Floats) -> Floats:
    """Return R² of each factor: 1 - MSE on these points / variance over the **full** grid; shape (n_factors,).

    The denominator is that of the benchmark's code. With the points' own variance, as in scikit-learn's ``r2_score``,
    the number would mean something else on every subset, and nothing where one value is left.
    """
    return 1 - np.square(predicted - grid.targets(index)).mean(0) / grid.variances


def mean_r2(grid: Factors, by_factor: Floats) -> tuple[float, float]:
    """Return the unweighted mean of R² over all factors, and over those that are not categorical."""
    ordered = [grid.position(name) for name in grid.names if name not in grid.categorical]
    return float(by_factor.mean()), float(by_factor[ordered].mean())


def check_shape(predicted: Floats, n_images: int, n_factors: int) -> None:
    """Refuse predictions of a wrong shape.

    Raises
    ------
    ValueError
        With what was found and what is expected.
    """
    if predicted.shape != (n_images, n_factors):
        raise ValueError(
            f"predict returned the shape {predicted.shape} for {n_images} images; expected ({n_images}, {n_factors}), "
            "one column a factor."
        )


def check_finite(predicted: Floats) -> None:
    """Refuse predictions that hold NaN or infinity."""
    if not np.isfinite(predicted).all():
        raise ValueError("predictions hold NaN or infinity; the model diverged: lower its learning rate.")


def check_range(predicted: Floats) -> None:
    """Refuse predictions that look like value indices.

    To be asked of all predictions at once: in grid order a part of them can be one corner of the grid, where even a
    sound model may be far off.
    """
    outside = np.mean((predicted < -1) | (predicted > 2))
    if outside > OUTSIDE_SHARE:
        raise ValueError(
            f"{outside:.0%} of the predictions lie outside [-1, 2]: they look like indices; expected index/(size-1) on "
            "a grid, (value - min)/(max - min) of a table (FactorTable.scale)."
        )


def rho(true: Floats, predicted: Floats, centre: float) -> Floats:
    """Return the signed ratio of predicted to true distance of one factor from its training mean, shape (m,).

    Below 1: pulled towards the training range; negative: on its other side. Points nearer than 0.05 to the mean are
    left out.
    """
    distance = true - centre
    far = np.abs(distance) >= LEAST_DISTANCE
    return (predicted[far] - centre) / distance[far]


def rho_histogram(ratios: Floats) -> tuple[list[float], list[float]]:
    """Return the middles of the bars from -1 to 2, and the share of ratios in each; the end bars hold what is beyond.

    NaN is in no bar.
    """
    counts = np.histogram(np.clip(ratios, RHO_EDGES[0], RHO_EDGES[-1]), RHO_EDGES)[0]
    middles = (RHO_EDGES[1:] + RHO_EDGES[:-1]) / 2
    return middles.tolist(), (counts / len(ratios)).tolist()


def clamp_predictions(split: Split, index: IntegerArray) -> Floats:
    """Predict like an oracle that reads every factor perfectly but never leaves the values it was trained on."""
    train, targets = split.grid.targets(split.train_index), split.grid.targets(index)
    return np.stack([_nearest(np.unique(a), b) for a, b in zip(train.T, targets.T, strict=True)], axis=1)


def train_mean_predictions(split: Split, index: IntegerArray) -> Floats:
    """Predict the mean target of the training set for every image."""
    return np.broadcast_to(split.train_mean, (len(index), len(split.train_mean))).copy()


def _nearest(known: Floats, wanted: Floats) -> Floats:
    right = np.clip(np.searchsorted(known, wanted), 1, len(known) - 1)
    left = right - 1
    return np.where(wanted - known[left] <= known[right] - wanted, known[left], known[right])
