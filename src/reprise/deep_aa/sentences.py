"""Sentences whose numbers are computed from the rows of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from reprise.deep_aa.cell import Cell
from reprise.deep_aa.comparisons import corrected_interval, leading_defaults, random_mass
from reprise.deep_aa.data import TEST_SHEETS
from reprise.deep_aa.figures import LABELS, TITLES, longer_changes, longer_gaps, longer_pair
from reprise.deep_aa.names import (
    ACCURACY,
    AUDIT,
    AUTOAUGMENT,
    BASE,
    CHOSEN_DEPTH,
    CIFAR,
    DEEP_TRIVIAL,
    DEFAULT,
    DEFAULT_CUTOUT,
    DEFAULT_OPERATIONS,
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
    SIMPLE,
    TRIVIAL,
    pretraining_variant,
)
from reprise.deep_aa.published_policies import published_masses
from reprise.deep_aa.settings import Settings
from reprise.deep_aa.summaries import FLIP_MEANS, variation_table
from reprise.deep_aa.variant_figures import (
    MOST_LAYERS,
    PENALTIES,
    USES_CHANGED,
    changes_of_uses,
    leading_in_words,
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
ALWAYS_FLIP = (DEFAULT, DEFAULT_CUTOUT, TRIVIAL, RANDAUGMENT, AUTOAUGMENT, SIMPLE)  # they end with crop and flip


def scale_in_words(settings: Settings) -> str:
    """Say what is trained in this run: networks with their weights, passes and images, for photographs and digits."""
    words = []
    for name in settings.datasets:
        cell = Cell(settings, name, settings.seeds[0])
        weights = parameter_count(cell.new_network(searching=False, name="counted"))
        epochs, n_images = cell.recipe(searching=False).epochs, len(cell.problem.train)
        words.append(
            f"{cell.network_name} with {weights:,} weights, {epochs} passes over {n_images:,} images of {TITLES[name]}"
        )
    search = f"Each search has {settings.n_layers} layers of {settings.steps} steps."
    return f"What is trained in this run: {'; '.join(words)}. {search}"


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
    return f"How many of cutout, crop and flip lead one of layers 2 to 4: {', '.join(words)}."


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
            f"On {TITLES[MIRRORED]}, augmentations that end with crop and flip reach {number(min(accuracies), 1)} to "
            f"{number(max(accuracies), 1)} %, where guessing gives 50 %: the label cannot be seen any more."
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
    return " ".join([*words, like_fit_in_words(rows, dataset, times)]).strip()


def like_fit_in_words(rows: pd.DataFrame, dataset: str, times: int) -> str:
    """Compare the searched policy after the longer training with the default after the usual: equal fit, not passes."""
    splits = ("train", "test")
    ours = [longer_pair(rows, dataset, SEARCHED, times, split) for split in splits]
    theirs = [longer_pair(rows, dataset, DEFAULT, times, split) for split in splits]
    gaps = longer_gaps(rows, dataset, DEFAULT, times)
    if gaps is None or any(pair is None for pair in (*ours, *theirs)):
        return ""
    own = [number(float(pair[1].mean()), 1) for pair in ours if pair is not None]
    base = [number(float(pair[0].mean()), 1) for pair in theirs if pair is not None]
    behind = " Better fitted, it is still behind at equal passes." if gaps[1].below(0) else ""
    return (
        f"Of training and test images, {SEARCHED} has {' and '.join(own)} % right after the longer training, {DEFAULT} "
        f"{' and '.join(base)} % after the usual one.{behind}"
    )


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


def published_in_words(rows: pd.DataFrame) -> str:
    """Say how deep the published policy is beside those found, and on which folds it had seen the test images."""
    trained = measured(rows, part=ACCURACY, method=PUBLISHED)
    if trained is None:
        return ""
    theirs = int(published_masses().query("run == 1")["layer"].max())
    ours = int(select(rows, dataset=CIFAR, part=POLICY, variant=BASE)["layer"].max())
    words = [
        f"The published policy is run 1 with all its {theirs} layers, those found have {ours} at most: gaps to it, "
        "that in the evidence of C3 too, are not at equal depth."
    ]
    if not (trained.index % len(TEST_SHEETS) == 0).all():
        words.append(
            "The authors' search network was trained on the first 5,000 training images, among them four of the five "
            "sheets: where one of these is the test sheet the published policy is slightly favoured, and only the "
            "official split is clean. Our searches are run anew in every fold and never see its test sheet."
        )
    return " ".join(words)


def parts_in_words(rows: pd.DataFrame) -> str:
    """Say what comes from the search, from the stack, and from crop and flip: three gaps on photographs."""
    how = {"dataset": CIFAR, "part": ACCURACY, "split": "test", "metric": "accuracy"}
    words = []
    for what, first, second in (
        ("the search", SEARCHED, DEEP_TRIVIAL),
        ("the stack", DEEP_TRIVIAL, NONE),
        ("crop and flip", DEFAULT, NONE),
    ):
        a, b = measured(rows, method=first, **how), measured(rows, method=second, **how)
        if a is not None and b is not None:
            differences = paired_differences(a, b)
            wide = corrected_interval(differences)
            corrected = f", corrected [{number(wide.low, 1)}, {number(wide.high, 1)}]" if wide.n > 1 else ""
            compared = f"{first} − {second.lower() if second == NONE else second}"
            words.append(f"{what} ({compared}) {difference(t_interval(differences))}{corrected}")
    return f"Points of accuracy on {TITLES[CIFAR]} that come from {'; '.join(words)}." if words else ""


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
        shown = [f"{LABELS.get(m, m)} {number(float(v.mean()), 0)} %" for m, v in found.items() if v is not None]
        if shown:
            words.append(f"on {TITLES[name]}: {', '.join(shown)}")
    if not words:
        return ""
    return (
        f"Accuracy on the network's own training images, unaugmented, {'; '.join(words)}. Where it is low with strong "
        "augmentation, the network did not learn what it was shown: its passes are varied below, its size is not."
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
            f"{TITLES[name]}, {len(single)} seed{'s' if len(single) > 1 else ''}: Spearman "
            f"{number(float(mean.mean()), 3)} between mean rewards, but "
            f"{number(float(single.mean()), 3)} within single units; the policy found with the last layer alone gains "
            f"{number(float(gain.mean()), 3)} in the cosine of all weights, against "
            f"{number(float(full.loc[gain.index].mean()), 3)}, a difference of "
            f"{difference(t_interval(paired_differences(gain, full)), 3)}; a step takes "
            f"{number(float(saved.mean()), 1)} times fewer operations."
        )
    return " ".join(words)


def penalties_in_words(rows: pd.DataFrame, data_sets: Sequence[str], stop: float) -> str:
    """Say how probable identity becomes by the weight of the penalty, whether it takes over, and what defaults keep."""
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
            words.append(f"{number(interval.estimate, 2)}{sure} in layer {highest} with c = {weight:g}")
        names = [penalty_name(weight) for weight in weights]
        largest = select(own, part=POLICY, metric="mass", operation=IDENTITY, variant=names, seed=seeds)["value"].max()
        over = "in none" if largest <= stop else "in at least one"
        sentences.append(
            f"Identity's highest probability on {TITLES[name]}, mean over {len(seeds)} seeds: {', '.join(words)}; it "
            f"rises above {stop:g}, which ends a search, {over} of these searches."
        )
        found = [random_mass(own, variant=penalty_name(weight)).loc[seeds] for weight in weights]
        means = ", ".join(f"{number(float(m.mean()), 3)} with c = {w:g}" for m, w in zip(found, weights, strict=True))
        change = t_interval(paired_differences(found[0], found[weights.index(1.0)])) if 1.0 in weights else None
        claimed = f"; c = {weights[0]:g} minus c = 1: {difference(change, 3)}" if change and weights[0] < 1 else ""
        sentences.append(f"Mass of cutout, crop and flip a deeper layer: {means}{claimed}.")
    return " ".join(sentences)


def pretraining_sentence(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say for each data set how the defaults' uses change with the training of the search network."""
    words = []
    for name in data_sets:
        found = uses(rows, name, pretraining_variant(DEFAULT_CUTOUT), FLIP)
        if found is not None:
            words.append(pretraining_in_words(rows, name))
    words = [f"{USES_CHANGED}: {'; '.join(words)}."] if words else []
    n_shown, n_sure = sure_changes(rows, data_sets)
    if n_shown:
        words.append(f"Of the {n_shown} changes with an interval {n_sure or 'none'} leave{'s' * (n_sure == 1)} out 0.")
        widest = max(one.half_width for one in changes_of_uses(rows, data_sets))
        largest = max(
            float(values.mean())
            for name in data_sets
            for operation in DEFAULT_OPERATIONS
            for values in [uses(rows, name, pretraining_variant(NONE), operation)]
            if values is not None and len(values) > 1
        )
        words.append(
            f"That is no proof of none: half an interval measures up to {number(widest, 3)}, where no use exceeds "
            f"{number(largest, 3)} in the mean."
        )
    words += [leading_in_words(rows, data_sets[0])] if words else []
    return " ".join(filter(None, words))


def budget_in_words(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Set the random stack of chosen depth beside the searched policy: as deep as it is, and at its own best depth."""
    sentences = []
    for name in data_sets:
        chosen = measured(rows, dataset=name, part=AUDIT, method=CHOSEN_DEPTH, metric="accuracy", split="test")
        how = {"dataset": name, "part": AUDIT, "variant": "by depth", "split": "test", "metric": "accuracy"}
        curve = along(rows, range(1, MOST_LAYERS + 1), column="layer", method=SEARCHED, **how)
        depths = {layer: values for layer, values in curve.items() if values is not None}
        if chosen is None or not depths:
            continue
        deepest, best = max(depths), max(depths, key=lambda layer: float(depths[layer].mean()))
        gaps = [difference(t_interval(paired_differences(chosen, depths[layer]))) for layer in (deepest, best)]
        sentences.append(
            f"On {TITLES[name]} the stack of chosen depth minus {SEARCHED} with {deepest} layers: {gaps[0]} points, a "
            f"chosen depth against a fixed one; minus {SEARCHED} with {best}, its best number on these test images: "
            f"{gaps[1]}."
        )
    return " ".join(sentences)


def variation_in_words(rows: pd.DataFrame, dataset: str) -> str:
    """Say how far searches differ with other seeds, with other draws only, and from shuffled operations."""
    table = variation_table(rows, [dataset])
    words = []
    for what in ("other seed, network and images", "other draws only"):
        own = table[table["compared"] == f"{TITLES[dataset]}: {what}"]
        if not own.empty:
            found, null = (own[column].astype(float) for column in ("total variation", "shuffled"))
            words.append(
                f"{what} {number(found.min(), 2)} to {number(found.max(), 2)}, shuffled {number(null.min(), 2)} to "
                f"{number(null.max(), 2)}"
            )
    return f"Total variation over layers on {TITLES[dataset]}: {'; '.join(words)}." if words else ""


def work_in_words(work: dict[str, float]) -> str:
    """Say what a search of the paper's size would take."""
    operations = work["a search of the paper's size"]
    hours = operations / SUSTAINED / 3600
    return (
        f"A search of the paper's size, six layers of 512 steps with WRN-40-2, is some {number(operations / 1e18, 2)} "
        f"· 10¹⁸ floating-point operations, counted as those below: {number(hours, 1)} hours at a sustained 10¹⁴ a "
        "second, if augmentation keeps up with it."
    )
