"""Sentences on what a model gains over the plain CNN in extrapolation, by pairs of the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from reprise.in_domain.convergence import converged_scores, convergence
from reprise.in_domain.grid import GRIDS
from reprise.in_domain.lookups import conditions, methods_of
from reprise.in_domain.rules import ADVANTAGE, BIASED
from reprise.in_domain.settings import MAIN_DATA_SET
from reprise.numerals import number
from reprise.rows import MissingRowsError, per_seed
from reprise.stats import Interval, paired_differences, t_interval

if TYPE_CHECKING:
    import pandas as pd

PLAIN = "CNN"
POSITION = ("x", "y")


def what_the_biases_buy(rows: pd.DataFrame) -> str:
    """Say what equivariant and weakly supervised models that converged gain over the CNN, and what others gain."""
    try:
        converged = convergence(rows)[0]
        gains = {name: _converged_gain(rows, name) for name in converged if name != PLAIN}
    except MissingRowsError:
        return f"On C6: the {PLAIN} has not converged with all seeds of the others; there is nothing to compare with."
    biased = [name for name in BIASED if name in gains]
    if not biased:
        return f"On C6: none of {', '.join(BIASED)} has converged in this run."
    words = [f"{name} {_written(gains[name])}{_most_gained(rows, name)}" for name in biased]
    others = sorted((name for name in gains if name not in BIASED), key=lambda name: -gains[name].estimate)
    return (
        f"On C6, R² in extrapolation minus that of the {PLAIN} of the same seeds: {'; '.join(words)}."
        f"{_as_the_rule_compares(rows, biased)}{_without_bias(gains, others)}"
    )


def _as_the_rule_compares(rows: pd.DataFrame, biased: Sequence[str]) -> str:
    """Say how far the best of the biased models lies above the CNN by the means that the rule of C6 compares."""
    means = {name: float(converged_scores(rows, name, "extrapolation").mean()) for name in (*biased, PLAIN)}
    best = max(biased, key=means.__getitem__)
    lead = means[best] - means[PLAIN]
    return (
        f" The rule compares means over all converged seeds: {best} has {number(lead, 3, signed=True)}, and more than "
        f"{number(2 * ADVANTAGE, 2)} would decide against the claim."
    )


def _converged_gain(rows: pd.DataFrame, method: str, factor: str = "mean") -> Interval:
    own, plain = (converged_scores(rows, name, "extrapolation", factor=factor) for name in (method, PLAIN))
    return _paired(own, plain)


def _paired(first: pd.Series, second: pd.Series) -> Interval:
    """Return the interval of the differences over the seeds that both have."""
    seeds = first.index.intersection(second.index)
    if seeds.empty:
        raise MissingRowsError("the two have no seed in common.")
    return t_interval(paired_differences(first[seeds], second[seeds]))


def _most_gained(rows: pd.DataFrame, method: str) -> str:
    gains = {factor: _converged_gain(rows, method, factor) for factor in GRIDS[MAIN_DATA_SET].names}
    most = max(gains, key=lambda factor: gains[factor].estimate)
    return f", most in {most}, {_written(gains[most])}"


def _without_bias(gains: dict[str, Interval], others: Sequence[str]) -> str:
    if not others:
        return ""
    listed = "; ".join(f"{name} {_written(gains[name])}" for name in others)
    better = [name for name in others if gains[name].above(0)]
    drawn = f" Above zero without a bias: {'; '.join(better)}; a gain alone is no mark of one." if better else ""
    return f" Of models without such a bias: {listed}.{drawn}"


def _written(gain: Interval) -> str:
    """Write a difference with its sign, interval and number of seeds."""
    if gain.n == 1:
        return f"{number(gain.estimate, 2, signed=True)} (one seed)"
    ends = f"[{number(gain.low, 2)}, {number(gain.high, 2)}]"
    return f"{number(gain.estimate, 2, signed=True)} {ends} ({gain.n} seeds)"


def what_the_remedies_buy(rows: pd.DataFrame) -> str:
    """Say how R² of position, and of all factors, changes by each remedy in extrapolation, and how the two compare."""
    try:
        remedies = methods_of(rows, MAIN_DATA_SET, "remedies")
    except MissingRowsError:
        return "The remedies are part of the `standard` profile."
    plain = {factors: _in_extrapolation(rows, PLAIN, "comparison", factors) for factors in (POSITION, ("mean",))}
    found = {
        method: {factors: _in_extrapolation(rows, method, "remedies", factors) for factors in plain}
        for method in remedies
    }
    words = []
    for method, scores in found.items():
        position, everything = (_written(_paired(scores[factors], plain[factors])) for factors in plain)
        words.append(f"with {_short(method)} {position} for position and {everything} for all factors")
    between = [
        f" {_short(first).capitalize()} minus {_short(second)}, all factors: "
        f"{_written(_paired(found[first]['mean',], found[second]['mean',]))}."
        for first, second in combinations(remedies, 2)
    ]
    return f"R² in extrapolation minus that of the plain CNN of the same seeds: {'; '.join(words)}.{''.join(between)}"


def _short(method: str) -> str:
    return method.removeprefix(f"{PLAIN}, ")


def _in_extrapolation(rows: pd.DataFrame, method: str, experiment: str, factors: tuple[str, ...]) -> pd.Series:
    """Return one value per seed, mean over the factors named."""
    where = conditions(MAIN_DATA_SET, method, "extrapolation", experiment)
    return per_seed(rows, **where, subset="test", metric="r2", factor=list(factors))
