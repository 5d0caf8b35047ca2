"""Intervals of what the study compares: paired differences over resplits that overlap, and plain ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

from reprise.rows import per_seed
from reprise.stats import LEVEL, Interval, paired_differences, t_interval

if TYPE_CHECKING:
    import pandas as pd

CHOSEN = "leave-one-out"
CROSS_ENTROPY = "cross-entropy, τ = "
SHARP, FLAT = "cross-entropy, τ = 10", "cross-entropy, τ = 1"
N_STEPS = 3
INNER_SIZES = tuple(round(0.1 * place, 4) for place in range(1, 10))


def temperature_of(outer: str) -> float | None:
    """Return τ of an outer loss by its name in rows; None for the squared loss."""
    return float(outer.removeprefix(CROSS_ENTROPY)) if outer.startswith(CROSS_ENTROPY) else None


def resampled_interval(values: ArrayLike, test_to_train: float, level: float = LEVEL) -> Interval:
    """Return Student's t interval of a mean over resplits, corrected for their overlap (Nadeau and Bengio, 2003).

    The variance of the mean is ``s² (1/n + n_test/n_train)`` instead of ``s²/n``.

    Parameters
    ----------
    values
        One value a resplit, (n,).
    test_to_train
        n_test / n_train.
    level
        Confidence level.

    Examples
    --------
    >>> interval = resampled_interval([1.0, 2.0, 3.0], 0.0)
    >>> round(interval.low, 4), round(interval.high, 4)
    (-0.4841, 4.4841)
    """
    array = np.asarray(values, dtype=np.float64)
    mean = float(array.mean())
    if array.size < 2:
        return Interval(mean, -math.inf, math.inf, int(array.size))
    error = float(array.std(ddof=1)) * math.sqrt(1 / array.size + test_to_train)
    half = float(student.ppf((1 + level) / 2, array.size - 1)) * error
    return Interval(mean, mean - half, mean + half, int(array.size))


def ratio_of_test_to_training(rows: pd.DataFrame, data_set: str) -> float:
    """Return the ratio of test to training rows of a data set."""
    test, train = (
        float(per_seed(rows, dataset=data_set, experiment="cost", metric=metric).iloc[0])
        for metric in ("test rows", "training rows")
    )
    return test / train


def uniform_error(rows: pd.DataFrame, data_set: str, penalty: str = CHOSEN) -> pd.Series:
    """Return the test error of equal weights by resplit."""
    how = {"experiment": "reweight", "split": "test", "metric": "error", "penalty": penalty}
    return per_seed(rows, dataset=data_set, method="Uniform", step=0, **how)


def reweighted_error(
    rows: pd.DataFrame, data_set: str, *, step: int = N_STEPS, outer: str = SHARP, penalty: str = CHOSEN
) -> pd.Series:
    """Return the test error after some steps of Reweight by resplit."""
    how = {"experiment": "reweight", "split": "test", "metric": "error", "penalty": penalty}
    return per_seed(rows, dataset=data_set, method="DIVA Reweight", step=step, outer=outer, **how)


def reweight_difference(rows: pd.DataFrame, data_set: str, **how: Any) -> Interval:
    """Return reweighted − uniform test error, in points, with the interval of overlapping resplits."""
    uniform = uniform_error(rows, data_set, how.get("penalty", CHOSEN))
    differences = paired_differences(reweighted_error(rows, data_set, **how), uniform)
    return resampled_interval(differences, ratio_of_test_to_training(rows, data_set))


def head_difference(rows: pd.DataFrame, data_set: str, method: str, against: str = "Softmax head") -> Interval:
    """Return a reweighted softmax head's test error minus that of a head with equal weights, in points.

    ``against`` is that head: ``"Softmax head"`` trains on all rows, ``"Softmax head, 80 %"`` on those that L2RW trains
    on.
    """
    how = {"dataset": data_set, "experiment": "heads", "split": "test", "metric": "error"}
    differences = paired_differences(per_seed(rows, method=method, **how), per_seed(rows, method=against, **how))
    return resampled_interval(differences, ratio_of_test_to_training(rows, data_set))


def softmax_difference(rows: pd.DataFrame, data_set: str) -> Interval:
    """Return a softmax head's test error with equal weights minus that of the reweighted ridge head, in points.

    Over the resplits that both have: heads may be trained on fewer.
    """
    how = {"dataset": data_set, "experiment": "heads", "split": "test", "metric": "error"}
    softmax, reweighted = per_seed(rows, method="Softmax head", **how), reweighted_error(rows, data_set)
    common = softmax.index.intersection(reweighted.index)
    differences = paired_differences(softmax[common], reweighted[common])
    return resampled_interval(differences, ratio_of_test_to_training(rows, data_set))


def overfit_difference(rows: pd.DataFrame, data_set: str) -> tuple[Interval, bool, int]:
    """Return test error at the last step − at step 3, whether the leave-one-out loss fell between, the last step."""
    own = rows[(rows["experiment"] == "reweight") & (rows["dataset"] == data_set)]
    last = int(own["step"].max())
    differences = paired_differences(reweighted_error(rows, data_set, step=last), reweighted_error(rows, data_set))
    how = {"experiment": "reweight", "split": "leave-one-out", "metric": "loss", "penalty": CHOSEN, "outer": SHARP}
    late, early = (per_seed(own, method="DIVA Reweight", step=step, **how) for step in (last, N_STEPS))
    fell = bool((late < early).all())
    return resampled_interval(differences, ratio_of_test_to_training(rows, data_set)), fell, last


def detection(rows: pd.DataFrame, data_set: str, metric: str, method: str = "DIVA derivative", **how: Any) -> Interval:
    """Return F1 or AUC of a detector over draws of wrong labels."""
    how = {"noise_rate": 0.2, **how}
    if method == "DIVA derivative":
        how = {"outer": FLAT, **how}
    return t_interval(per_seed(rows, dataset=data_set, experiment="detection", metric=metric, method=method, **how))


def extend_difference(rows: pd.DataFrame, data_set: str, pool: str) -> Interval:
    """Return Extend − random selection, test error in points, as mean over the sizes between none and all."""
    how = {"dataset": data_set, "experiment": "extend", "metric": "error", "setting": pool, "size": INNER_SIZES}
    chosen, random = (per_seed(rows, method=method, **how) for method in ("DIVA Extend", "Random selection"))
    return resampled_interval(paired_differences(chosen, random), ratio_of_test_to_training(rows, data_set))


def subset_difference(rows: pd.DataFrame, data_set: str) -> Interval:
    """Return the test error with 70 % chosen from the noisy pool minus that with all of it, each at its own λ.

    At one λ for both, the chosen part would also gain where the whole pool only wants a larger penalty.
    """
    how = {"dataset": data_set, "experiment": "extend", "metric": "error", "setting": "noisy"}
    chosen, whole = (per_seed(rows, method=f"{method}, own λ", **how) for method in ("DIVA Extend", "Whole pool"))
    return resampled_interval(paired_differences(chosen, whole), ratio_of_test_to_training(rows, data_set))


def share_of(rows: pd.DataFrame, data_set: str, flip: str, counting: str = "originals") -> pd.Series:
    """Return a flip's share of all weight by seed."""
    how = {"experiment": "flips", "metric": "share", "setting": counting, "sample": flip}
    return per_seed(rows, dataset=data_set, **how)


def largest_deviation(rows: pd.DataFrame, data_set: str) -> Interval:
    """Return how far the share of any kind of copy is from a third: the largest of the three, as mean over resplits."""
    shares = [share_of(rows, data_set, flip) for flip in ("none", "horizontal", "vertical")]
    largest = np.max([np.abs(share.to_numpy() - 1 / 3) for share in shares], axis=0)
    return resampled_interval(largest, ratio_of_test_to_training(rows, data_set))


def agreement(
    rows: pd.DataFrame, data_set: str, outer: str, *, method: str = "DIVA derivative", new_weight: float = 0.0
) -> Interval:
    """Return the rank correlation of predicted with exact change of the leave-one-out loss, over draws of samples."""
    how = {"experiment": "small changes", "split": "leave-one-out", "metric": "spearman", "new_weight": new_weight}
    return t_interval(per_seed(rows, dataset=data_set, method=method, outer=outer, **how))
