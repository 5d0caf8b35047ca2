"""Sentences whose numbers are computed from the rows of a run."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reprise.deep_aa.cell import Cell
from reprise.deep_aa.figures import TITLES
from reprise.deep_aa.names import (
    ACCURACY,
    AUDIT,
    BASE,
    DEEP_TRIVIAL,
    DEFAULT,
    HISTORY,
    LAST_LAYER,
    NONE,
    POLICY,
    PUBLISHED,
    SEARCHED,
    SIMILARITY,
    penalty_variant,
)
from reprise.deep_aa.settings import Settings
from reprise.flops import parameter_count
from reprise.numerals import difference, number
from reprise.plots import measured
from reprise.rows import MissingRowsError, select
from reprise.stats import paired_differences, t_interval

SURE = 0.5


def scale_in_words(settings: Settings) -> str:
    """Say what is trained in this run: networks with their weights, passes and images, for photographs and digits."""
    words = []
    for name in settings.datasets:
        cell = Cell(settings, name, settings.seeds[0])
        weights = parameter_count(cell.new_network(searching=False, name="counted"))
        epochs, n_images = cell.recipe(searching=False).epochs, len(cell.problem.train)
        words.append(
            f"on {TITLES[name]} {cell.network_name} with {weights:,} weights, {epochs} passes over {n_images:,} images"
        )
    return f"This run trains {'; '.join(words)}. Each search has {settings.n_layers} layers of {settings.steps} steps."


def search_in_words(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say what layer 1 gains, how exact pᵀr = 0 is in it, and how many units were left out."""
    words = []
    for name in data_sets:
        gains = measured(rows, dataset=name, part=SIMILARITY, method=SEARCHED, metric="gain in cosine", variant=BASE)
        if gains is None:
            continue
        history = select(rows, dataset=name, part=HISTORY, layer=1)
        rounding = float(select(history, metric="largest |pᵀr|")["value"].max())
        rewards = select(rows, dataset=name, part="rewards", metric="reward std", layer=1)["value"].mean()
        skipped = float(select(rows, dataset=name, part=HISTORY, metric="skipped")["value"].sum())
        words.append(
            f"On {TITLES[name]} layer 1 raises the cosine on fresh units by {difference(t_interval(gains), 3)}. In it "
            f"pᵀr is zero up to {number(rounding, 4)}, the error of the finite step, where single rewards have "
            f"a deviation of {number(rewards, 2)} over units. {number(skipped, 0)} units had no gradient."
        )
    return " ".join(words)


def identity_in_words(rows: pd.DataFrame, dataset: str) -> str:
    """Say how much each layer leaves to identity, and whether any search stopped by itself."""
    found = select(rows, dataset=dataset, part=POLICY, metric="mass", operation="Identity", variant=BASE)
    by_layer = found.groupby("layer", observed=True)["value"].mean()
    values = ", ".join(number(float(value), 2) for value in by_layer)
    stopped = int((found.groupby("seed", observed=True)["value"].last() > SURE).sum())
    n = found["seed"].nunique()
    return (
        f"Identity's probability by layer, mean over {n} searches on {TITLES[dataset]}: {values}. In {stopped} of them "
        "the last layer does nothing more often than not."
    )


def published_is_optimistic(rows: pd.DataFrame) -> str:
    """Say on which folds the published policy had seen the test images."""
    if measured(rows, part=ACCURACY, method=PUBLISHED) is None:
        return ""
    return (
        "The authors' search network was trained on the first 5,000 training images, among them four of the five "
        "sheets: where one of these is the test sheet the published policy is slightly favoured, and only the official "
        "split is clean. Our searches are run anew in every fold and never see its test sheet."
    )


def control_in_words(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say whether augmentation helps at all, on each data set."""
    words = []
    for name in data_sets:
        how = {"dataset": name, "part": ACCURACY, "split": "test", "metric": "accuracy"}
        for method in (DEFAULT, SEARCHED):
            own, base = measured(rows, method=method, **how), measured(rows, method=NONE, **how)
            if own is not None and base is not None and not own.index.intersection(base.index).empty:
                found = t_interval(paired_differences(own, base))
                words.append(f"{method} − {NONE.lower()} on {TITLES[name]}: {difference(found)} points")
    return f"{'; '.join(words)}." if words else ""


def fit_in_words(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say how well the networks fit their own training images, without and with strong augmentation."""
    words = []
    for name in data_sets:
        how = {"dataset": name, "part": ACCURACY, "split": "train", "metric": "accuracy"}
        found = {m: measured(rows, method=m, **how) for m in (NONE, DEFAULT, DEEP_TRIVIAL, SEARCHED, PUBLISHED)}
        shown = [f"{m} {number(float(v.mean()), 0)} %" for m, v in found.items() if v is not None]
        if shown:
            words.append(f"on {TITLES[name]}: {', '.join(shown)}")
    if not words:
        return ""
    return (
        f"Accuracy on the network's own training images, unaugmented, {'; '.join(words)}. Where it is low with strong "
        "augmentation, the network had neither the size nor the passes to learn what it was shown."
    )


def last_layer_in_words(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say what the last layer's rewards keep and save."""
    words = []
    for name in data_sets:
        how = {"dataset": name, "part": AUDIT, "variant": LAST_LAYER}
        single, mean, gain, saved = (
            measured(rows, metric=metric, **how)
            for metric in (
                "rank correlation, single units",
                "rank correlation, means",
                "gain in cosine of all weights",
                "operations of a step, all over last",
            )
        )
        full = measured(rows, dataset=name, part=SIMILARITY, method=SEARCHED, metric="gain in cosine", variant=BASE)
        if single is None or mean is None or gain is None or saved is None or full is None:
            continue
        words.append(
            f"{TITLES[name]}: Spearman {number(float(mean.mean()), 3)} between mean rewards, "
            f"{number(float(single.mean()), 3)} within single units; the policy found with the last layer alone gains "
            f"{number(float(gain.mean()), 3)} in the cosine of all weights, against "
            f"{number(float(full.loc[gain.index].mean()), 3)}; a step takes {number(float(saved.mean()), 1)} times "
            "fewer operations."
        )
    return " ".join(words)


def penalties_in_words(rows: pd.DataFrame, dataset: str) -> str:
    """Say how identity's probability in the last layer follows the weight of the penalty."""
    words = []
    for weight in (0.0, 0.5, 1.0, 2.0):
        variant = BASE if weight == 1 else penalty_variant(weight)
        how = {"dataset": dataset, "part": POLICY, "metric": "mass", "operation": "Identity", "variant": variant}
        try:
            found = select(rows, **how)
        except MissingRowsError:
            continue
        last = found[found["layer"] == found["layer"].max()]["value"]
        words.append(f"{number(float(last.mean()), 2)} with c = {number(weight)}")
    return f"Identity in the last layer: {', '.join(words)} ({TITLES[dataset]})." if len(words) > 1 else ""


def work_in_words(work: dict[str, float]) -> str:
    """Say what a search of the paper's size would take."""
    exa = work["a search of the paper's size"] / 1e18
    return (
        f"A search of the paper's size, six layers of 512 steps with WRN-40-2, is some {number(exa, 2)} · 10¹⁸ "
        "operations by the same count: a matter of hours on a large GPU, if augmentation keeps up with it."
    )
