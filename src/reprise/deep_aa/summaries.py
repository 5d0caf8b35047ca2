"""Tables: accuracies, gaps with both intervals, printed ranks, layers, and distances between searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from reprise.compute import numpy_generator
from reprise.deep_aa.comparisons import corrected_interval
from reprise.deep_aa.data import TEST_SHEETS, load_problem
from reprise.deep_aa.figures import COMPARED, LABELS, LINES, TITLES
from reprise.deep_aa.names import (
    ACCURACY,
    AUDIT,
    AUTOAUGMENT,
    BASE,
    CIFAR,
    DEEP_TRIVIAL,
    DEFAULT,
    DEFAULT_CUTOUT,
    DIGITS,
    FLIP,
    HISTORY,
    IDENTITY,
    LAST_LAYER,
    LEVELS,
    MIRRORED,
    NONE,
    POLICY,
    PUBLISHED,
    RANDAUGMENT,
    REWARDS,
    SEARCHED,
    SIMILARITY,
    SIMPLE,
    START,
    TRIVIAL,
    repetition_variant,
)
from reprise.deep_aa.policy import Policy
from reprise.deep_aa.published_policies import published_masses
from reprise.deep_aa.settings import Settings
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.transformations import OPERATIONS
from reprise.numerals import MISSING, difference, number, with_interval
from reprise.plots import measured
from reprise.rows import MissingRowsError, select
from reprise.stats import Interval, paired_differences, t_interval

# All to the default, as the figure of gaps has them, and what the searched policy is compared with.
PAIRS = (
    *((method, DEFAULT) for method in COMPARED),
    *((SEARCHED, other) for other in (NONE, TRIVIAL, RANDAUGMENT, AUTOAUGMENT, DEEP_TRIVIAL, PUBLISHED)),
    (PUBLISHED, DEEP_TRIVIAL),
    (SIMPLE, DEFAULT_CUTOUT),  # both end alike
)
FLIP_MEANS = {CIFAR: "keeps the class", DIGITS: "makes most digits none", MIRRORED: "changes the class"}
SHUFFLES = 2000
N_MAGNITUDES = {operation.name: len(operation.levels) for operation in OPERATIONS}
FEW = 3
NO_SPREAD = 1e-9  # of seeds that all give the same, up to rounding


def data_table(settings: Settings) -> pd.DataFrame:
    """Return how many images each data set has for what, by the first seed."""
    lines = []
    for name in settings.datasets:
        found = load_problem(
            name, settings.seeds[0], digit_images=settings.digit_images, archive=settings.cifar_archive
        )
        parts = {part: len(getattr(found, part)) for part in ("pretraining", "search", "validation", "train", "test")}
        size = f"{found.size} × {found.size}"
        lines.append({"data set": TITLES[name], "pixels": size, "classes": len(found.class_names), **parts})
    return pd.DataFrame(lines)


def accuracy_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return test and training accuracy of every augmentation, and that on the official split of CIFAR-10."""
    lines: list[dict[str, Any]] = []
    for name in data_sets:
        for line in LINES:
            test = measured(rows, **{**line.conditions, "dataset": name, "metric": "accuracy"})
            train = measured(rows, **{**line.conditions, "split": "train", "dataset": name, "metric": "accuracy"})
            if test is None:
                continue
            official = test[test.index % len(TEST_SHEETS) == 0] if name == CIFAR else test[:0]
            lines.append(
                {
                    "data set": TITLES[name],
                    "augmentation": line.label,
                    "test (%)": _written(test),
                    "training images (%)": MISSING if train is None else _written(train),
                    "official split (%)": MISSING if official.empty else number(float(official.mean()), 1),
                    "seeds": len(test),
                }
            )
    return pd.DataFrame(lines)


def _spread(values: pd.Series) -> Interval:
    found = t_interval(values)
    same = found.half_width < NO_SPREAD
    return Interval(found.estimate, found.estimate, found.estimate, found.n) if same else found


def _written(values: pd.Series) -> str:
    found = _spread(values)
    if found.n > 1 and found.low == found.high:  # by chance or at the ceiling: no sign of certainty
        return f"{number(found.estimate, 1)} in all"
    return with_interval(found.estimate, found.low, found.high, 1)


def gaps_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return paired gaps in points with Student's interval, and on CIFAR-10 the one corrected for overlapping folds."""
    lines = []
    for name in data_sets:
        for first, second in PAIRS:
            how = {"dataset": name, "part": ACCURACY, "split": "test", "metric": "accuracy"}
            a, b = measured(rows, method=first, **how), measured(rows, method=second, **how)
            if a is None or b is None or a.index.intersection(b.index).empty:
                continue
            differences = paired_differences(a, b)
            wide = corrected_interval(differences)
            corrected = f"[{number(wide.low, 1)}, {number(wide.high, 1)}]"
            lines.append(
                {
                    "data set": TITLES[name],
                    "gap": f"{LABELS.get(first, first)} − {LABELS.get(second, second)}",
                    "points [95 % t interval]": difference(t_interval(differences)),
                    "corrected": corrected if name == CIFAR and len(differences) > 1 else MISSING,
                    "seeds": len(differences),
                }
            )
    return pd.DataFrame(lines)


def printed_table(published: pd.DataFrame) -> pd.DataFrame:
    """Return the paper's Table 1, highest mean first, with the rank of each value in its column."""
    table = published[published["source"].str.startswith("Table 1") & (published["metric"] == "accuracy")]
    wide = table.pivot(index="method", columns=["dataset", "network"], values="value")
    wide = wide.sort_index(axis=1, ascending=[True, False])
    ranks = wide.rank(ascending=False, method="min")
    order = wide.mean(axis=1, skipna=False).fillna(wide.min(axis=1)).sort_values(ascending=False).index
    lines = []
    for method in order:
        cells = {
            f"{dataset}, {network}": _ranked(
                wide.loc[method, (dataset, network)], ranks.loc[method, (dataset, network)]
            )
            for dataset, network in wide.columns
        }
        lines.append({"method": method, **cells})
    return pd.DataFrame(lines)


def _ranked(value: Any, rank: Any) -> str:
    return MISSING if pd.isna(value) else f"{number(float(value), 2)} ({int(rank)})"


def layers_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return the heaviest operations of each layer found (mean over seeds), and those of both published policies."""
    lines = []
    for name in data_sets:
        masses = _masses(rows, name, BASE)
        if masses is None:
            continue
        for layer, own in masses.groupby(level="layer", observed=True):
            entropy = measured(rows, dataset=name, part=POLICY, metric="entropy", variant=BASE, layer=layer)
            lines.append(_layer_line(f"found, {TITLES[name]}", int(float(str(layer))), own.mean(), entropy))
    for run, table in published_masses().groupby("run"):
        for layer, own in table.groupby("layer"):
            lines.append(
                _layer_line(f"published, run {run}", int(float(str(layer))), own.set_index("operation")["mass"], None)
            )
    return pd.DataFrame(lines)


def _layer_line(policy: str, layer: int, mass: pd.Series, entropy: pd.Series | None) -> dict[str, Any]:
    heaviest = mass.sort_values(ascending=False)[:FEW]
    return {
        "policy": policy,
        "layer": layer,
        "heaviest operations": ", ".join(f"{name} {value:.2f}" for name, value in heaviest.items()),
        "identity": number(float(mass.get(IDENTITY, 0.0)), 2),
        "entropy (nats)": MISSING if entropy is None else number(float(entropy.mean()), 1),
    }


def _masses(rows: pd.DataFrame, dataset: str, variant: str) -> pd.DataFrame | None:
    try:
        found = select(rows, dataset=dataset, part=POLICY, metric="mass", variant=variant)
    except MissingRowsError:
        return None
    return found.pivot(index=["seed", "layer"], columns="operation", values="value")


def variation_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return the total variation between searches by layer, with what shuffled operations would give.

    Compared are repetitions on the same network and images, searches of other seeds, the last-layer variant, and both
    published runs. The null pairs one policy with the other after a random permutation of its operations: among those
    with as many magnitudes, and without identity, whose mass any two searches share.
    """
    lines: list[dict[str, Any]] = []
    for name in data_sets:
        base = _masses(rows, name, BASE)
        if base is None:
            continue
        seeds = sorted(base.index.get_level_values("seed").unique())
        pairs = [(base.loc[a], base.loc[b]) for place, a in enumerate(seeds) for b in seeds[place + 1 :]]
        lines += _variation_lines(f"{TITLES[name]}: other seed, network and images", pairs)
        for variant, label in ((repetition_variant(1), "other draws only"), (LAST_LAYER, "last layer only")):
            other = _masses(rows, name, variant)
            if other is not None:
                shared = [s for s in seeds if s in other.index.get_level_values("seed")]
                own = [(base.loc[s], other.loc[s]) for s in shared]
                lines += _variation_lines(f"{TITLES[name]}: {label}", own)
    runs = published_masses().pivot(index=["run", "layer"], columns="operation", values="mass").fillna(0.0)
    runs = runs.div(runs.sum(axis=1), axis=0)  # what is listed of run 2 does not quite sum to 1
    lines += _variation_lines("published: both runs", [(runs.loc[1], runs.loc[2])])
    return pd.DataFrame(lines)


def _variation_lines(what: str, pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]]) -> list[dict[str, Any]]:
    lines = []
    generator = numpy_generator(0, "deep-aa", "shuffled operations", what)
    for layer in sorted(set.intersection(*(set(a.index) & set(b.index) for a, b in pairs)) if pairs else ()):
        found, null = [], []
        for first, second in pairs:
            p, q = (one.loc[layer].to_numpy(dtype=float) for one in (first, second.reindex(columns=first.columns)))
            found.append(0.5 * np.abs(p - q).sum())
            shuffled = _shuffled(q, list(first.columns), generator)
            null.append(0.5 * np.abs(p - shuffled).sum(axis=1))
        below = float(np.mean(np.mean(null, axis=0) <= np.mean(found)))
        lines.append(
            {
                "compared": what,
                "layer": int(layer),
                "total variation": number(float(np.mean(found)), 2),
                "shuffled": number(float(np.mean(null)), 2),
                "share of shuffles as near": number(below, 3) if below else f"< {1 / SHUFFLES:g}",
                "pairs": len(pairs),
            }
        )
    return lines


def _shuffled(masses: NDArray[np.float64], names: Sequence[str], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return masses after random permutations among operations with as many magnitudes; identity keeps its own."""
    likes: dict[int, list[int]] = {}
    for place, name in enumerate(names):
        if name != IDENTITY:
            likes.setdefault(N_MAGNITUDES.get(name, 1), []).append(place)
    shuffled = np.tile(masses, (SHUFFLES, 1))
    for places in likes.values():
        shuffled[:, places] = generator.permuted(shuffled[:, places], axis=1)
    return shuffled


def gains_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return what layer 1 gains in cosine on unseen images beside layers that nobody searched, and how exact it is.

    One that draws all operations but Invert alike, and the one that the search starts from. pᵀr is 0 in layer 1 but for
    the finite step and rounding; behind it g is a mean over sampled sequences, and u not at a right angle to the g that
    they estimate, so that more than half of the rewards may be above 0.
    """
    lines = []
    for name in data_sets:
        how = {"dataset": name, "part": SIMILARITY, "metric": "gain in cosine"}
        found = measured(rows, method=SEARCHED, variant=BASE, **how)
        random = measured(rows, method=DEEP_TRIVIAL, variant=BASE, **how)
        start = measured(rows, method=SEARCHED, variant=START, **how)
        if found is None or random is None or start is None:
            continue
        largest = select(rows, dataset=name, part=HISTORY, layer=1, metric="largest |pᵀr|")["value"].max()
        means = select(rows, dataset=name, part=REWARDS, metric="reward mean")
        above = (means["value"] > 0).groupby(means["layer"], observed=True).mean()
        lines.append(
            {
                "data set": TITLES[name],
                "layer found": difference(t_interval(found), 3),
                "random layer": difference(t_interval(random), 3),
                "start of the search": difference(t_interval(start), 3),
                "found − random": difference(t_interval(paired_differences(found, random)), 3),
                "largest |pᵀr| in layer 1": number(float(largest), 4),
                "mean rewards above 0, by layer (%)": ", ".join(number(100 * float(share), 0) for share in above),
                "seeds": len(found),
            }
        )
    return pd.DataFrame(lines)


def symmetry_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return how much the searches flip, and what a flip does to accuracy: crop and flip against no augmentation."""
    lines = []
    for name in data_sets:
        flips = measured(rows, dataset=name, part=POLICY, metric="mass", operation=FLIP, variant=BASE)
        masses = _masses(rows, name, BASE)
        if flips is None or masses is None:
            continue
        first = masses[FLIP].xs(1, level="layer")
        largest = masses[FLIP].groupby(level="seed", observed=True).max()
        accuracy = {
            method: measured(rows, dataset=name, part=ACCURACY, split="test", metric="accuracy", method=method)
            for method in (NONE, DEFAULT, DEEP_TRIVIAL, SEARCHED)
        }
        lines.append(
            {
                "data set": TITLES[name],
                "a flip": FLIP_MEANS[name],
                "RandFlip in layer 1": _with_three(first),
                "largest in a layer": _with_three(largest),
                "chance (%)": number(100 / (2 if name == MIRRORED else 10), 0),
                **{f"{m} (%)": MISSING if v is None else _written(v) for m, v in accuracy.items()},
            }
        )
    return pd.DataFrame(lines)


def _with_three(values: pd.Series) -> str:
    found = _spread(values)
    return with_interval(found.estimate, max(0.0, found.low), found.high, 3)


def budget_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return depth, accuracy and arithmetic of the searched policy, and of a random stack of chosen depth."""
    lines = []
    for name in data_sets:
        for line in LINES:
            work = measured(rows, dataset=name, part=AUDIT, method=line.style, metric="operations of the choice")
            test = measured(rows, **{**line.conditions, "dataset": name, "metric": "accuracy"})
            if work is not None and test is not None:
                lines.append(
                    {
                        "data set": TITLES[name],
                        "augmentation": line.label,
                        "layers, by seed": _depths(rows, name, line.style),
                        "test (%)": _written(test),
                        "operations spent on the choice (10⁹)": number(float(work.mean()) / 1e9, 0),
                    }
                )
    return pd.DataFrame(lines)


def _depths(rows: pd.DataFrame, dataset: str, method: str) -> str:
    """Return how many layers a method has on each seed: those chosen, or all that were found."""
    how = {"part": POLICY, "variant": BASE} if method == SEARCHED else {"part": AUDIT, "metric": "accuracy"}
    found = select(rows, dataset=dataset, method=method, **how).groupby("seed")["layer"].max().astype(int)
    return f"{found.iloc[0]} (all found)" if method == SEARCHED and found.nunique() == 1 else ", ".join(map(str, found))


def found_policy(rows: pd.DataFrame, dataset: str, seed: int, digit_images: int = 600) -> Policy:
    """Return the policy that a seed's search found, made again from its rows.

    Raises
    ------
    MissingRowsError
        If the run has no search of this data set and seed.
    """
    found = select(rows, dataset=dataset, part=LEVELS, seed=seed)
    problem = load_problem(dataset, seed, digit_images=digit_images)
    space = AugmentationSpace(problem.size, problem.fill)
    place = {(operation.name, level): at for at, (operation, level) in enumerate(space.transformations)}
    probabilities = torch.zeros(int(found["layer"].max()), len(space), dtype=torch.float64)
    for line in found.itertuples():
        probabilities[int(line.layer) - 1, place[line.operation, int(line.level)]] = line.value
    return Policy(probabilities, space)
