"""Sentences of the chapter whose numbers, and whose direction, are computed from the rows of the run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING

from scipy.stats import norm

from reprise.diva.comparisons import (
    INNER_SIZES,
    detection,
    ratio_of_test_to_training,
    resampled_interval,
    reweight_difference,
    reweighted_error,
    softmax_difference,
    uniform_error,
)
from reprise.diva.figures import noise_rate_of, sets_with, title_of
from reprise.numerals import difference, number
from reprise.rows import MissingRowsError, per_seed
from reprise.stats import LEVEL, paired_differences, t_interval

if TYPE_CHECKING:
    import pandas as pd

    Sentence = Callable[[pd.DataFrame, Sequence[str]], str]

OTHER_DETECTORS = ("Leave-one-out residual", "cleanlab", "KNN-Shapley")


def _if_measured(sentence: Sentence) -> Sentence:
    """Say nothing where the run lacks the rows: another part, or other parameters than those that the rules name."""

    @wraps(sentence)
    def found(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
        try:
            return sentence(rows, data_sets)
        except MissingRowsError:
            return ""

    return found


def _named(names: Sequence[str]) -> str:
    return ", ".join(title_of(name) for name in names) if names else "none"


@_if_measured
def softmax_beside_reweight(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say how an ordinary softmax head on the same features compares with the reweighted ridge head."""
    names = sets_with(rows, data_sets, experiment="heads")
    found = {name: softmax_difference(rows, name) for name in names}
    better = [name for name, one in found.items() if one.below(0)]
    words = ", ".join(f"{title_of(name)} {difference(one)}" for name, one in found.items())
    text = (
        "An ordinary softmax head on the same features with equal weights, minus "
        f"DIVA Reweight, in points of test error: {words}. By its 95 % interval it is better on: {_named(better)}."
    )
    bought = [name for name in better if reweight_difference(rows, name).below(0)]
    if bought:
        text += (
            f" On {_named(bought)} Reweight lowers the error of the ridge head, and an ordinary softmax head is better "
            "still: under a cross-entropy outer loss the weights may buy back a part of what squared loss had cost."
        )
    return text


@_if_measured
def other_detectors(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say on which data sets another detector has the better F1 at its own threshold."""
    names = sets_with(rows, data_sets, experiment="detection")
    rate = noise_rate_of(rows)

    def f1(name: str, method: str = "DIVA derivative") -> float:
        return detection(rows, name, "f1", method, noise_rate=rate).estimate

    ahead = {method: [name for name in names if f1(name, method) > f1(name)] for method in OTHER_DETECTORS}
    words = "; ".join(f"{method} on {_named(where)}" for method, where in ahead.items())
    beaten = [name for name in names if any(name in where for where in ahead.values())]
    return (
        f"At its own threshold another detector has the larger F1 on {len(beaten)} of {len(names)} data sets ({words})."
        " None of them needs the derivative."
    )


@_if_measured
def where_extend_stops(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say where Extend would stop by itself, and what a class quota changes in the mean over sizes."""
    names = sets_with(rows, data_sets, experiment="extend")
    stops, quotas = [], []
    for name in names:
        how = {"dataset": name, "experiment": "extend"}
        shares = [per_seed(rows, metric="share negative", setting=pool, **how).mean() for pool in ("clean", "noisy")]
        stops.append(f"{title_of(name)} {shares[0]:.0%} and {shares[1]:.0%}")
        for pool in ("clean", "noisy"):
            inner = {**how, "metric": "error", "setting": pool, "size": INNER_SIZES}
            quota, random = (
                per_seed(rows, method=method, **inner) for method in ("DIVA Extend, class quota", "Random selection")
            )
            one = resampled_interval(paired_differences(quota, random), ratio_of_test_to_training(rows, name))
            quotas.append(f"{title_of(name)}, {pool}: {difference(one)}")
    return (
        f"Left to itself Extend stops after this share of a clean and of a noisy pool: {'; '.join(stops)}. The "
        "verdict's mean over sizes, like the curves, goes on past it. With an even quota for each class, minus random "
        f"selection in points: {'; '.join(quotas)}."
    )


@_if_measured
def what_dropping_does(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say what following the derivative to its end, dropping all g > 0, does to unseen data."""
    names = sets_with(rows, data_sets, experiment="detection")
    found = {}
    for name in names:
        how = {"dataset": name, "experiment": "detection", "split": "test", "metric": "error"}
        dropped, given = (per_seed(rows, method=method, **how) for method in ("DIVA, suspects dropped", "Uniform"))
        found[name] = t_interval(paired_differences(dropped, given))
    raised = [name for name, one in found.items() if one.estimate > 0]
    words = ", ".join(f"{title_of(name)} {number(one.estimate, 1, signed=True)}" for name, one in found.items())
    return (
        "The correlation is with the change of the *same* leave-one-out loss on the same rows: it says that the "
        "derivative is right, not that following it helps on unseen data. Dropping every sample whose derivative is "
        f"positive changes the test error by {words} points (labels partly wrong), a rise on {len(raised)} of "
        f"{len(names)} data sets."
    )


@_if_measured
def what_more_resplits_would_do(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say on which undecided data sets no number of resplits would decide about Reweight.

    Resplits of the same rows overlap, so that the corrected interval keeps a half-width of at least
    ``1.96 s sqrt(n_test / n_train)``.
    """
    quantile = float(norm.ppf((1 + LEVEL) / 2))
    open_sets, hopeless = [], []
    for name in sets_with(rows, data_sets, experiment="reweight"):
        found = reweight_difference(rows, name)
        if found.below(0) or found.above(0):
            continue
        open_sets.append(name)
        changes = paired_differences(reweighted_error(rows, name), uniform_error(rows, name))
        floor = quantile * float(changes.std(ddof=1)) * math.sqrt(ratio_of_test_to_training(rows, name))
        if abs(found.estimate) < floor:
            hopeless.append(name)
    if not open_sets:
        return ""
    return (
        f"Undecided by their 95 % intervals: {_named(open_sets)}. As resplits of the same rows overlap, more of them "
        f"narrow an interval only so far; no number of them would decide on: {_named(hopeless)}."
    )
