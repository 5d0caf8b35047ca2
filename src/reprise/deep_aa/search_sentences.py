"""Sentences on what the searches did layer by layer, with numbers computed from the rows of a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reprise.deep_aa.figures import TITLES
from reprise.deep_aa.names import BASE, CUTOUT, DEFAULT_OPERATIONS, HISTORY, IDENTITY, LEVELS, REWARDS, SEARCHED
from reprise.numerals import difference, number
from reprise.rows import select
from reprise.stats import Interval, paired_differences, t_interval

PARTS_OF_A_LAYER = 4  # its first and its last quarter of steps are compared


def objective(rows: pd.DataFrame, dataset: str, std_weight: float) -> pd.DataFrame:
    """Return R = mean − c · std of every transformation at the start of each layer: c is 0 in the first one.

    Columns layer, operation, level, seed, mean, std, R.
    """
    found = _of_search(rows, dataset, part=REWARDS)
    keys = ["layer", "operation", "level", "seed"]
    wide = found.pivot(index=keys, columns="metric", values="value").reset_index()
    wide = wide.rename(columns={"reward mean": "mean", "reward std": "std"}).astype({"layer": int, "level": int})
    weight = np.where(wide["layer"] > 1, std_weight, 0.0)
    return wide.assign(R=wide["mean"] - weight * wide["std"])


def ranks_of(rows: pd.DataFrame, dataset: str, operation: str, std_weight: float) -> pd.DataFrame:
    """Return the rank by R of an operation without magnitudes at the start of each layer: columns layer, seed, rank."""
    table = objective(rows, dataset, std_weight)
    table["rank"] = table.groupby(["layer", "seed"])["R"].rank(ascending=False, method="min").astype(int)
    return table.loc[table["operation"] == operation, ["layer", "seed", "rank"]]


def leads_beside_identity(rows: pd.DataFrame, dataset: str, operation: str) -> pd.DataFrame:
    """Return whether an operation is a layer's most probable transformation beside identity: layer, seed, leads."""
    found = _of_search(rows, dataset, part=LEVELS).astype({"layer": int})
    others = found[found["operation"] != IDENTITY].reset_index(drop=True)
    heaviest = others.loc[others.groupby(["layer", "seed"])["value"].idxmax(), ["layer", "seed", "operation"]]
    return heaviest.assign(leads=heaviest["operation"] == operation)[["layer", "seed", "leads"]]


def cutout_in_words(rows: pd.DataFrame, dataset: str, std_weight: float) -> str:
    """Say where cutout stands among single transformations, which sums over an operation's magnitudes hide."""
    leads = leads_beside_identity(rows, dataset, CUTOUT)
    ranks = ranks_of(rows, dataset, CUTOUT, std_weight)
    n_seeds = leads["seed"].nunique()
    n_all = len(_of_search(rows, dataset, part=LEVELS, layer=1, seed=leads["seed"].iloc[0]))
    deeper = sorted(layer for layer in leads["layer"].unique() if layer > 1)
    if not deeper:
        return ""
    probable = ", ".join(
        f"{int(leads.loc[leads['layer'] == layer, 'leads'].sum())} (layer {layer})" for layer in deeper
    )
    first = ", ".join(
        f"{int((ranks.loc[ranks['layer'] == layer, 'rank'] == 1).sum())} (layer {layer})" for layer in deeper
    )
    return (
        f"Bars add up twelve magnitudes of most operations, and {CUTOUT} has one. Among single transformations on "
        f"{TITLES[dataset]} it is the most probable one beside identity in so many of {n_seeds} searches: {probable}. "
        f"By mean − {std_weight:g} · std of its reward when the layer begins, which is what the search climbs, it is "
        f"the first of {n_all} in {first}."
    )


def motion_in_words(rows: pd.DataFrame, dataset: str) -> str:
    """Say whether layers had come to rest when their steps ended: identity's way, and the cosine's."""
    history = _of_search(rows, dataset, part=HISTORY).astype({"layer": int, "step": int})
    means = history.groupby(["metric", "layer", "step"])["value"].mean()
    words, changes = [], []
    for layer, own in means["identity"].groupby(level="layer"):
        values = own.to_numpy()
        if layer > 1:
            changes.append(_cosine_change(history, layer))
            words.append(
                f"layer {layer} begins with {number(values[0], 2)}, has {number(values.max(), 2)} at most and ends "
                f"with {number(values[-1], 2)} ({difference(changes[-1], 3)})"
            )
    if not words:
        return ""
    n_steps = int(history["step"].max()) + 1
    n_sure = sum(one.above(0) or one.below(0) for one in changes)
    sure = f" Of these changes {n_sure or 'none'} leave{'s' * (n_sure == 1)} out 0." if changes[0].n > 1 else ""
    return (
        f"Identity's probability over the {n_steps} steps of a layer, mean over searches on {TITLES[dataset]}, and in "
        f"brackets the cosine's change from the first quarter of the steps to the last: {'; '.join(words)}.{sure} A "
        "layer that ends below its highest value was on its way from identity when its steps were over: what these "
        "searches would find with the paper's 512 steps stays open."
    )


def _cosine_change(history: pd.DataFrame, layer: int) -> Interval:
    own = history[(history["metric"] == "cosine") & (history["layer"] == layer)]
    table = own.pivot(index="seed", columns="step", values="value")
    quarter = max(1, table.shape[1] // PARTS_OF_A_LAYER)
    change = paired_differences(table.iloc[:, -quarter:].mean(axis=1), table.iloc[:, :quarter].mean(axis=1))
    return t_interval(change)


def spread_in_words(rows: pd.DataFrame, dataset: str, std_weight: float) -> str:
    """Say whether the defaults are what a penalty of spread keeps out: their rewards' deviations against identity's."""
    table = objective(rows, dataset, std_weight)
    layers = sorted(layer for layer in table["layer"].unique() if layer > 1)
    words = []
    for operation in DEFAULT_OPERATIONS:
        gaps = [f"{difference(_more_spread(table, operation, layer), 3)} (layer {layer})" for layer in layers]
        words.append(f"{operation} {', '.join(gaps)}")
    if not layers:
        return ""
    return (
        "The rule of C6 takes cutout, crop and flip for operations of high variance. Standard deviation over units of "
        f"the reward when the layer begins, minus identity's, {TITLES[dataset]}: {'; '.join(words)}. Below 0 the "
        "penalty favours the operation."
    )


def _more_spread(table: pd.DataFrame, operation: str, layer: int) -> Interval:
    own = table[table["layer"] == layer].set_index("seed")
    return t_interval(
        paired_differences(own.loc[own["operation"] == operation, "std"], own.loc[own["operation"] == IDENTITY, "std"])
    )


def _of_search(rows: pd.DataFrame, dataset: str, **conditions: Any) -> pd.DataFrame:
    return select(rows, method=SEARCHED, variant=BASE, dataset=dataset, **conditions)
