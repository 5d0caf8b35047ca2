"""The feature contribution ratio (Eq. 5): how much of a graph's accuracy comes from features, how much from structure.

Also the arithmetic that shows which data set each printed column of Table 11 belongs to.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from reprise.compute import numpy_generator

if TYPE_CHECKING:
    import pandas as pd


def feature_contribution_ratio(
    z_gnn: float, z_mlp: float, z_lp: float, *, scale: Literal["fraction", "percent"] | None = None
) -> float:
    """Return the feature contribution ratio in %, Eq. 5.

    Parameters
    ----------
    z_gnn, z_mlp, z_lp
        Accuracies of the GNN (features and structure), the MLP (features) and label propagation (structure) on the
        same test nodes; all three in [0, 1] or all three in %.
    scale
        Which of the two they are. ``None``: fractions if none is above 1, else percentages, of which none may then lie
        in (0, 1]: beside 90 and 80, a 1.0 could be one per cent or all of the nodes. With ``"percent"`` it is one.

    Returns
    -------
    float
        Below 50: structure carries the labels, cold start is hard. 50 to 100: features carry them. Above 100:
        aggregation harms. NaN, with a warning, where the ratio means nothing.

    Raises
    ------
    ValueError
        If an accuracy is no number or outside its scale, or fractions and percentages are, or may be, mixed.

    Notes
    -----
    With :math:`δ_{MLP} = z_{GNN} - z_{MLP}` and :math:`δ_{LP} = z_{GNN} - z_{LP}`, it is
    :math:`δ_{LP} / (δ_{MLP} + δ_{LP})` if :math:`z_{MLP} ≤ z_{GNN}`, else
    :math:`1 + |δ_{MLP}| / (|δ_{MLP}| + δ_{LP})`. A ratio of two differences: noise of half a point in an accuracy
    may move it by ten.

    Examples
    --------
    >>> round(feature_contribution_ratio(86.96, 69.02, 78.18), 2)
    32.86
    """
    z_gnn, z_mlp, z_lp = (_as_number(z) for z in (z_gnn, z_mlp, z_lp))
    if any(_checked_accuracies({"z_gnn": z_gnn, "z_mlp": z_mlp, "z_lp": z_lp}, scale)):
        warnings.warn("the feature contribution ratio is undefined: an accuracy is NaN.", stacklevel=2)
        return math.nan
    mlp_gap, lp_gap = z_gnn - z_mlp, z_gnn - z_lp
    if lp_gap < 0:
        warnings.warn(
            f"the feature contribution ratio is undefined: label propagation ({z_lp}) beats the GNN ({z_gnn}).",
            stacklevel=2,
        )
        return math.nan
    if abs(mlp_gap) + lp_gap == 0:
        warnings.warn("the feature contribution ratio is undefined: the three accuracies are equal.", stacklevel=2)
        return math.nan
    if mlp_gap >= 0:
        return 100.0 * lp_gap / (mlp_gap + lp_gap)
    return 100.0 * (1.0 + abs(mlp_gap) / (abs(mlp_gap) + lp_gap))


def _as_number(value: Any) -> Any:
    """Return a scalar tensor or array as a number, of 32 bits with the digits it prints; leave all else as it is."""
    if getattr(value, "shape", None) != () or not hasattr(value, "item"):
        return value
    return float(str(np.float32(value.item()))) if str(value.dtype).endswith("float32") else value.item()


def _checked_accuracies(accuracies: Mapping[str, float], scale: str | None) -> list[bool]:
    """Tell which accuracies are NaN; refuse those that are none, and mixtures of the two scales."""
    if scale not in (None, "fraction", "percent"):
        raise ValueError(f"scale={scale!r} is unknown; use 'fraction', 'percent' or None.")
    top, words = (1, "fractions in [0, 1]") if scale == "fraction" else (100, "percentages in [0, 100]")
    words = words if scale else f"fractions in [0, 1] or {words}"
    missing = []
    for name, value in accuracies.items():
        missing.append(bool(value != value))
        if not isinstance(value, Real) or not (missing[-1] or 0 <= value <= top):
            raise ValueError(f"{name}={value} is no accuracy; give {words}.")
    if scale is None and any(value > 1 for value in accuracies.values()):
        doubtful = [f"{name}={value}" for name, value in accuracies.items() if 0 < value <= 1]
        if doubtful:
            text = ", ".join(f"{name}={value}" for name, value in accuracies.items())
            raise ValueError(
                f"{text} mixes fractions and percentages, or {doubtful[0]} is a percentage below one: give all three "
                "on one scale, and say scale='percent' if it is so."
            )
    return missing


@dataclass(frozen=True)
class ContributionInterval:
    """A feature contribution ratio with its 95 % bootstrap interval over test nodes (all in %).

    ``undefined`` is the share of draws in which the ratio has no meaning; they are left out of the interval.
    """

    value: float
    low: float
    high: float
    undefined: float


def bootstrap_ratio(
    gnn: np.ndarray, mlp: np.ndarray, lp: np.ndarray, *, n_draws: int = 2000, seed: int = 0
) -> ContributionInterval:
    """Return the ratio with an interval from drawing test nodes anew, the same ones for all three models.

    Parameters
    ----------
    gnn, mlp, lp
        Boolean ``(n_test,)``: which test nodes each model gets right, in one order.
    n_draws, seed
        Number of bootstrap draws, with 0 none and no interval, and their seed.

    Raises
    ------
    ValueError
        If the three differ in length, or the number of draws is negative.
    """
    if not np.shape(gnn) == np.shape(mlp) == np.shape(lp) or np.ndim(gnn) != 1:
        shapes = ", ".join(str(np.shape(part)) for part in (gnn, mlp, lp))
        raise ValueError(f"gnn, mlp and lp have shapes {shapes}; give one truth value for each of the same test nodes.")
    if n_draws < 0:
        raise ValueError(f"n_draws={n_draws}; give 0 or more.")
    correct = np.stack([gnn, mlp, lp]).astype(np.float64)
    n_test = correct.shape[1]
    if n_test == 0:
        return ContributionInterval(math.nan, math.nan, math.nan, 1.0)
    # Only the number of nodes of each of the eight patterns of right and wrong matters: draw the counts.
    patterns, counts = np.unique(correct, axis=1, return_counts=True)
    generator = numpy_generator(seed, "cold_brew", "fcr bootstrap")
    drawn = generator.multinomial(n_test, counts / n_test, size=n_draws) @ patterns.T / n_test
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = feature_contribution_ratio(*correct.mean(1), scale="fraction")
        ratios = np.array([feature_contribution_ratio(*z, scale="fraction") for z in np.minimum(drawn, 1.0)])
    defined = ratios[~np.isnan(ratios)]
    undefined = 1 - defined.size / n_draws if n_draws else math.nan
    if math.isnan(value):
        # The few draws in which the ratio happens to exist say nothing about a ratio that does not.
        return ContributionInterval(value, math.nan, math.nan, undefined)
    low, high = np.quantile(defined, [0.025, 0.975]) if defined.size else (math.nan, math.nan)
    return ContributionInterval(value, float(low), float(high), undefined)


# The unrounded GNN accuracies of Table 11's last five columns, as the official code lists them, under the names
# that the paper prints above them.
UNROUNDED_GNN = {
    "squirrel": 31.947368,
    "actor": 59.788665,
    "cornell": 65.098039,
    "texas": 61.081081,
    "wisconsin": 81.621622,
}
# Test nodes in each of the ten Geom-GCN splits.
TEST_SIZES = {"actor": 1520, "squirrel": 1041, "wisconsin": 51, "cornell": 37, "texas": 37}
# Which data set each of these columns belongs to; Cornell and Texas have equally many test nodes, and the order of
# the sets in the official code tells them apart.
TRUE_NAMES = {
    "squirrel": "actor",
    "actor": "squirrel",
    "cornell": "wisconsin",
    "texas": "cornell",
    "wisconsin": "texas",
}


def whole_counts(
    accuracy: float, test_sizes: Mapping[str, int], *, n_splits: int = 10, tolerance: float = 5e-6
) -> dict[str, int]:
    """Return the data sets of whose test nodes an accuracy is a whole number, with that number.

    An accuracy averaged over splits of equal size is a whole count divided by (size × splits). With enough digits
    only the right data set's size gives a whole number.

    Parameters
    ----------
    accuracy
        In %, unrounded.
    test_sizes
        Test nodes of one split, by data set.
    n_splits
        Number of splits averaged over.
    tolerance
        Of the accuracy's last printed digit, in percentage points.

    Examples
    --------
    >>> whole_counts(31.947368, {"squirrel": 1041, "actor": 1520})
    {'actor': 4856}
    """
    found = {}
    for name, size in test_sizes.items():
        count = round(accuracy / 100 * size * n_splits)
        if abs(100 * count / (size * n_splits) - accuracy) < tolerance:
            found[name] = count
    return found


def corrected_names(names: Sequence[str]) -> list[str]:
    """Return the data sets that columns of Table 11 belong to, given the names printed above them."""
    return [TRUE_NAMES.get(name, name) for name in names]


def mislabelling_table() -> pd.DataFrame:
    """Return, for each mislabelled column, the printed name, the unrounded accuracy, and the sizes that explain it."""
    import pandas as pd

    rows = []
    for printed, accuracy in UNROUNDED_GNN.items():
        counts = whole_counts(accuracy, TEST_SIZES)
        fits = "; ".join(f"{name}: {count} of {10 * TEST_SIZES[name]}" for name, count in counts.items())
        own = accuracy / 100 * 10 * TEST_SIZES[printed]
        rows.append(
            {
                "printed": printed,
                "accuracy": accuracy,
                "nodes if the name were right": round(own, 2),
                "whole number for": fits,
                "belongs to": TRUE_NAMES[printed],
            }
        )
    return pd.DataFrame(rows)
