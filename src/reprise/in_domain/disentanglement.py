"""DCI: how disentangled, complete and informative a representation is (Eastwood and Williams, ICLR 2018)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reprise.compute import numpy_generator

N_TREES = 40
DEPTH = 4


@dataclass(frozen=True)
class DCI:
    """The three scores, each 1 at best.

    Attributes
    ----------
    disentanglement
        1 if every code matters for one factor only (codes weighted by importance).
    completeness
        1 if every factor is captured by one code only.
    informativeness
        R² of predicting the factors from the codes on held-out images, mean over factors.
    """

    disentanglement: float
    completeness: float
    informativeness: float


def dci(codes: ArrayLike, targets: ArrayLike, seed: int = 0) -> DCI:
    """Compute DCI with gradient-boosted trees; a random third of the images is held out.

    Parameters
    ----------
    codes
        Representations, shape (n, n_codes).
    targets
        Factors, shape (n, n_factors).
    seed
        Of the trees and of the images held out.

    Raises
    ------
    ValueError
        If codes or targets are no tables of equally many rows, at least six, or a factor is constant.
    """
    from sklearn.ensemble import GradientBoostingRegressor

    x, y = np.asarray(codes, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2:
        raise ValueError(f"codes have the shape {x.shape} and targets {y.shape}; give tables, one row an image.")
    if len(x) != len(y) or len(x) < 6:
        raise ValueError(f"codes have {len(x)} rows and targets {len(y)}; give the same number, at least 6.")
    if (np.ptp(y, axis=0) == 0).any():
        raise ValueError("a factor of targets is constant: nothing can be learned about it; drop it.")
    # Images come in grid order: a cut of the last third would hold out values of the first factor, not images.
    order = numpy_generator(seed, "in_domain", "dci images").permutation(len(x))
    x, y, n_fit = x[order], y[order], 2 * len(x) // 3
    importances, scores = [], []
    for target in y.T:
        trees = GradientBoostingRegressor(n_estimators=N_TREES, max_depth=DEPTH, subsample=0.5, random_state=seed)
        trees.fit(x[:n_fit], target[:n_fit])
        importances.append(trees.feature_importances_)
        scores.append(trees.score(x[n_fit:], target[n_fit:]))
    matrix = np.array(importances).T
    return DCI(disentanglement(matrix), disentanglement(matrix.T), float(np.mean(scores)))


def disentanglement(importance: NDArray[np.float64]) -> float:
    """Return the weighted mean over rows of 1 - entropy, base: the number of columns; importance (n_codes, n_factors).

    Of the transposed matrix it is the completeness. With a single column there is nothing to mix up: the score is 1.

    Examples
    --------
    >>> disentanglement(np.eye(3)), disentanglement(np.ones((3, 3)))
    (1.0, 0.0)
    """
    total = importance.sum()
    if total == 0:
        return 0.0
    share = importance / np.maximum(importance.sum(1, keepdims=True), 1e-12)
    entropy = -(share * np.log(np.maximum(share, 1e-12))).sum(1) / np.log(max(importance.shape[1], 2))
    return round(float(((1 - entropy) * importance.sum(1)).sum() / total), 12)
