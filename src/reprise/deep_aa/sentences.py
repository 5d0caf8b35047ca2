"""Sentences whose numbers are computed from the rows of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from reprise.deep_aa.cell import Cell
from reprise.deep_aa.comparisons import corrected_interval, leading_defaults
from reprise.deep_aa.data import TEST_SHEETS
from reprise.deep_aa.figures import TITLES, longer_changes, longer_gaps, longer_pair
from reprise.deep_aa.names import (
    ACCURACY,
    AUDIT,
    AUTOAUGMENT,
    BASE,
    CIFAR,
    DEEP_TRIVIAL,
    DEFAULT,
    DEFAULT_CUTOUT,
    DEFAULT_OPERATIONS,
    DIGITS,
    FLIP,
    IDENTITY,
    LAST_LAYER,
    MIRRORED,
    NONE,
    POLICY,
    PUBLISHED,
    RANDAUGMENT,
    SEARCHED,
    SIMILARITY,
    TRIVIAL,
    pretraining_variant,
)
from reprise.deep_aa.published_policies import published_masses
from reprise.deep_aa.settings import Settings
from reprise.deep_aa.variant_figures import (
    MOST_LAYERS,
    PENALTIES,
    penalty_name,
    pretraining_in_words,
    shared_seeds,
    sure_changes,
    uses,
)
from reprise.flops import parameter_count
from reprise.numerals import difference, number
from reprise.plots import along, measured
from reprise.rows import select
from reprise.stats import paired_differences, t_interval

FEWEST_COMPARED = 2  # weights, at least
SUSTAINED = 1e14  # floating-point operations a second
N_OTHERS = 138  # transformations beside identity
FLIP_MEANS = {CIFAR: "keeps the class", DIGITS: "makes most digits none", MIRRORED: "changes the class"}
ALWAYS_FLIP = (DEFAULT, DEFAULT_CUTOUT, TRIVIAL, RANDAUGMENT, AUTOAUGMENT)  # they end with crop and flip


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


def identity_in_words(rows: pd.DataFrame, dataset: str, stop: float) -> str:
    """Say how much each layer leaves to identity, and whether any search stopped by itself."""
    found = select(rows, dataset=dataset, part=POLICY, metric="mass", operation="Identity", variant=BASE)
    by_layer = found.groupby("layer", observed=True)["value"].mean()
    values = ", ".join(number(float(value), 2) for value in by_layer)
    stopped = int((found.groupby("seed", observed=True)["value"].max() > stop).sum())
    n = found["seed"].nunique()
    searches = f"{n} search{'es' if n > 1 else ''} on {TITLES[dataset]}"
    return (
        f"Identity's probability by layer, mean over {searches}: {values}; the highest is "
        f"{number(float(found['value'].max()), 2)}. The rule that ends a search, identity above {stop:g}, ended "
        f"{stopped if stopped else 'none'} of them."
    )


def defaults_in_words(rows: pd.DataFrame) -> str:
    """Say how many of cutout, crop and flip lead one of layers 2 to 4, in the published runs and here."""
    layers = (2, 3, 4)
    words = []
    for run, table in published_masses().query("layer in @layers").groupby("run"):
        heaviest = table.loc[table.groupby("layer")["mass"].idxmax(), "operation"]
        words.append(f"{len(set(heaviest) & set(DEFAULT_OPERATIONS))} in the published run {run}")
    for name in TITLES:
        here = rows[rows["dataset"] == name]
        if measured(here, part=POLICY, metric="mass", variant=BASE) is not None:
            found = leading_defaults(here, layers)
            words.append(f"{number(float(found.mean()), 1)} on average on {TITLES[name]}")
    return f"Of cutout, crop and flip, so many lead one of layers 2 to 4: {', '.join(words)}."


def flips_in_words(rows: pd.DataFrame, data_sets: Sequence[str], init_identity: float) -> str:
    """Say what becomes of the flip's probability in layer 1, and what augmentations that always flip come to."""
    start = 1 / (math.exp(init_identity) + N_OTHERS)
    words = [f"The flip begins each layer with a probability of {number(start, 4)}."]
    for name in data_sets:
        how = {"dataset": name, "part": POLICY, "metric": "mass", "operation": FLIP, "variant": BASE}
        found = measured(rows, layer=1, **how)
        if found is None:
            continue
        interval = t_interval(found)
        ends = f"{number(interval.estimate, 4)}"
        if len(found) > 1:
            ends += f" [{number(interval.low, 4)}, {number(interval.high, 4)}]"
        times = number(interval.estimate / start, 1)
        words.append(
            f"Layer 1 ends with {ends}, {times} times that, on {TITLES[name]}, where a flip {FLIP_MEANS[name]}."
        )
    accuracies = [
        float(values.mean())
        for method in ALWAYS_FLIP
        for values in [measured(rows, dataset=MIRRORED, part=ACCURACY, split="test", method=method)]
        if values is not None
    ]
    if accuracies:
        words.append(
            f"On {TITLES[MIRRORED]}, augmentations that end with crop and flip reach {number(min(accuracies), 0)} to "
            f"{number(max(accuracies), 0)} %, where guessing gives 50 %: the label cannot be seen any more."
        )
    return " ".join(words)


def longer_in_words(rows: pd.DataFrame, dataset: str, times: int) -> str:
    """Say how the searched policy's gaps change with the passes, paired by fold."""
    words = []
    for other in (DEFAULT, DEEP_TRIVIAL):
        gaps = longer_gaps(rows, dataset, other, times)
        if gaps is not None:
            usual, more, change = gaps
            wide = corrected_interval(longer_changes(rows, dataset, other, times))
            corrected = f", corrected for overlapping folds [{number(wide.low, 1)}, {number(wide.high, 1)}]"
            words.append(
                f"{SEARCHED} − {other}: {difference(usual)} points after the usual passes and {difference(more)} after "
                f"{times} times as many, a change of {difference(change)}{corrected if wide.n > 1 else ''}."
            )
    for method in (DEFAULT, DEEP_TRIVIAL, SEARCHED):
        pair = longer_pair(rows, dataset, method, times)
        if pair is not None:
            gained = t_interval(pair[1] - pair[0])
            words.append(f"{method} gains {difference(gained)} points by the longer training.")
    return " ".join(words)


def other_baselines_in_words(rows: pd.DataFrame) -> str:
    """Say how the searched policy stands to the baselines in the same space that the rule of C1 does not name."""
    ours = measured(rows, dataset=CIFAR, part=ACCURACY, split="test", metric="accuracy", method=SEARCHED)
    words = []
    for other in (RANDAUGMENT, AUTOAUGMENT):
        theirs = measured(rows, dataset=CIFAR, part=ACCURACY, split="test", metric="accuracy", method=other)
        if ours is not None and theirs is not None:
            differences = paired_differences(ours, theirs)
            wide = corrected_interval(differences)
            corrected = f", corrected for overlapping folds [{number(wide.low, 1)}, {number(wide.high, 1)}]"
            gap = t_interval(differences)
            words.append(f"{SEARCHED} − {other} {difference(gap)} points{corrected if gap.n > 1 else ''}")
    return f"Baselines in the same space that the rule of C1 does not name: {'; '.join(words)}." if words else ""


def published_is_optimistic(rows: pd.DataFrame) -> str:
    """Say on which folds the published policy had seen the test images."""
    trained = measured(rows, part=ACCURACY, method=PUBLISHED)
    if trained is None or (trained.index % len(TEST_SHEETS) == 0).all():
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
            f"{TITLES[name]}: Spearman {number(float(mean.mean()), 3)} between mean rewards, but "
            f"{number(float(single.mean()), 3)} within single units; the policy found with the last layer alone gains "
            f"{number(float(gain.mean()), 3)} in the cosine of all weights, against "
            f"{number(float(full.loc[gain.index].mean()), 3)}; a step takes {number(float(saved.mean()), 1)} times "
            "fewer operations."
        )
    return " ".join(words)


def penalties_in_words(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say how probable identity becomes at most by the weight of the penalty, over the seeds that have all weights."""
    sentences = []
    for name in data_sets:
        own = rows[rows["dataset"] == name]
        weights = [weight for weight in PENALTIES if uses(own, name, penalty_name(weight), IDENTITY) is not None]
        if len(weights) < FEWEST_COMPARED:
            continue
        seeds = shared_seeds(own, weights)
        words = []
        for weight in weights:
            how = {"part": POLICY, "metric": "mass", "operation": IDENTITY, "variant": penalty_name(weight)}
            curve = along(own, range(1, MOST_LAYERS + 1), column="layer", seed=seeds, **how)
            values = {layer: found for layer, found in curve.items() if found is not None}
            highest = max(values, key=lambda layer: float(values[layer].mean()))
            interval = t_interval(values[highest])
            sure = (
                f" [{number(max(0.0, interval.low), 2)}, {number(min(1.0, interval.high), 2)}]"
                if interval.n > 1
                else ""
            )
            words.append(f"c = {weight:g} {number(interval.estimate, 2)}{sure} in layer {highest}")
        sentences.append(
            f"Identity's highest probability on {TITLES[name]}, mean over {len(seeds)} seeds: {', '.join(words)}."
        )
    return " ".join(sentences)


def pretraining_sentence(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say for each data set how the defaults' uses change with the training of the search network."""
    words = []
    for name in data_sets:
        found = uses(rows, name, pretraining_variant(DEFAULT_CUTOUT), FLIP)
        if found is not None:
            words.append(f"{pretraining_in_words(rows, name)} ({len(found)} seed{'s' if len(found) > 1 else ''}).")
    n_shown, n_sure = sure_changes(rows, data_sets)
    if n_shown:
        words.append(f"Of the {n_shown} changes with an interval {n_sure or 'none'} leave{'s' * (n_sure == 1)} out 0.")
    return " ".join(words)


def work_in_words(work: dict[str, float]) -> str:
    """Say what a search of the paper's size would take."""
    operations = work["a search of the paper's size"]
    hours = operations / SUSTAINED / 3600
    return (
        f"A search of the paper's size, six layers of 512 steps with WRN-40-2, is some {number(operations / 1e18, 2)} "
        f"· 10¹⁸ floating-point operations by the same count: {number(hours, 1)} hours at a sustained 10¹⁴ a second, "
        "if augmentation keeps up with it."
    )
