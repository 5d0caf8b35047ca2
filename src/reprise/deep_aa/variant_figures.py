"""Figures of searches that differ from the paper's: in the network's training, and in the weight of the penalty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.deep_aa.comparisons import random_mass
from reprise.deep_aa.figures import TITLES
from reprise.deep_aa.names import (
    BASE,
    DEFAULT_CUTOUT,
    DEFAULT_OPERATIONS,
    IDENTITY,
    NO_PENALTY,
    NONE,
    POLICY,
    SEARCHED,
    UNIFORM,
    penalty_variant,
    pretraining_variant,
)
from reprise.numerals import difference, number
from reprise.plots import (
    Drawing,
    along,
    as_data,
    interval_dots,
    name_lines,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.rows import MissingRowsError, select
from reprise.stats import Interval, paired_differences, t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AT_START = {
    NONE: "network trained without augmentation",
    DEFAULT_CUTOUT: "… with crop, flip, cutout",
    UNIFORM: "… with one layer at random",
}
USES_CHANGED = "Expected uses per image, network trained with crop, flip and cutout minus trained with nothing"
PENALTIES = (0.0, 0.5, 1.0, 2.0)
MOST_LAYERS = 8


def penalty_name(weight: float) -> str:
    """Return the variant that searches with this weight of the penalty are called by in the rows."""
    return BASE if weight == 1 else penalty_variant(weight)


def uses(rows: pd.DataFrame, dataset: str, variant: str, operation: str) -> pd.Series | None:
    """Return how often an image meets an operation: its probability, summed over the layers, one value a seed."""
    how = {"dataset": dataset, "part": POLICY, "metric": "mass", "variant": variant, "operation": operation}
    try:
        return select(rows, **how).groupby("seed")["value"].sum()
    except MissingRowsError:
        return None


# ---- what the search network was trained with ------------------------------------------------------------------------


def draw_pretraining(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw how often each hand-picked operation is used, by what the search network was trained with.

    Raises
    ------
    MissingRowsError
        If the run has no such audit.
    """
    variants = [(pretraining_variant(method), label) for method, label in AT_START.items()]
    first = DEFAULT_OPERATIONS[0]
    panels = [d for d in data_sets if sum(uses(rows, d, v, first) is not None for v, _ in variants) > 1]
    n = len(panels)
    figure, axes = new_figure(
        rows=n, columns=len(DEFAULT_OPERATIONS), height=1.45 * max(1, n) + 0.6, squeeze=False, sharex="row",
        sharey=True,
    )  # fmt: skip
    drawn: list[dict[str, Any]] = []
    for line, dataset in zip(axes, panels, strict=True):
        for one, operation in zip(line, DEFAULT_OPERATIONS, strict=True):
            for place, (variant, label) in enumerate(variants):
                values = uses(rows, dataset, variant, operation)
                if values is not None:
                    interval = t_interval(values)
                    interval_dots(one, [place], [interval], method=SEARCHED, single_runs=[values.to_list()])
                    drawn.append(as_data(interval, dataset=dataset, operation=operation, variant=label))
            name_lines(one, [label for _, label in variants])
            one.set_title(operation, fontsize=8)
        line[0].set_ylabel(TITLES[dataset], fontsize=8)
    figure.supxlabel("expected uses per image: probability, summed over the layers", fontsize=9)
    data = pd.DataFrame(drawn)
    for line, dataset in zip(axes, panels, strict=True):
        own = data[data["dataset"] == dataset]
        ends = own[["mean", "high"]].to_numpy(dtype=float)
        single = [_highest(rows, dataset, v, o) for v, _ in variants for o in DEFAULT_OPERATIONS]
        highest = max(*ends[np.isfinite(ends)], *single)
        line[0].set_xlim(-0.04 * highest, 1.1 * highest)
    n_shown, n_sure = sure_changes(rows, panels)
    finding = f"{USES_CHANGED}: {pretraining_in_words(rows, panels[0])}"
    if n_shown:
        finding = (
            f"Network trained with crop, flip and cutout instead of nothing: {n_sure or 'none'} of {n_shown} changes "
            f"leave{'s' * (n_sure == 1)} out 0 on {_seeds_in_words(rows, panels)}"
        )
    state_finding(figure, finding)
    caption = (
        f"95 % t intervals over seeds, {seeds_behind(data)}, cut below 0; without whisker: one seed; faint dots: "
        "single seeds."
    )
    return Drawing(figure, "pretraining", f"{finding}.", caption, data)


def _seeds_in_words(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Name the data sets that have an interval, with their seeds, then those of one seed."""
    several, single = [], []
    for dataset in data_sets:
        found = uses(rows, dataset, pretraining_variant(DEFAULT_CUTOUT), DEFAULT_OPERATIONS[0])
        if found is not None and len(found) > 1:
            several.append(f"{TITLES[dataset]} (n = {len(found)})")
        elif found is not None:
            single.append(f"; one seed, no interval on {TITLES[dataset]}")
    return " and ".join(several) + "".join(single)


def leading_in_words(rows: pd.DataFrame, dataset: str, layers: tuple[int, ...] = (2, 3, 4)) -> str:
    """Say how many defaults lead one of these layers after each training of the network, which is what is in doubt."""
    words = []
    for method, label in AT_START.items():
        try:
            how = {"part": POLICY, "metric": "mass", "variant": pretraining_variant(method), "dataset": dataset}
            table = select(rows, **how)
        except MissingRowsError:
            continue
        table = table[table["layer"].isin(layers)].reset_index(drop=True)
        if not table.empty:
            heaviest = table.loc[table.groupby(["seed", "layer"])["value"].idxmax()]
            found = heaviest.groupby("seed")["operation"].agg(lambda names: len(set(names) & set(DEFAULT_OPERATIONS)))
            words.append(f"{label.removeprefix('network trained ').removeprefix('… ')}: {number(found.mean(), 1)}")
    if not words:
        return ""
    return (
        f"Of cutout, crop and flip, the number that lead one of layers 2 to 4 on {TITLES[dataset]}, network trained "
        f"{'; '.join(words)}. Where it is 0, there is no rediscovery to be explained away."
    )


def _highest(rows: pd.DataFrame, dataset: str, variant: str, operation: str) -> float:
    values = uses(rows, dataset, variant, operation)
    return 0.0 if values is None else float(values.max())


def pretraining_in_words(rows: pd.DataFrame, dataset: str) -> str:
    """Say by how much the uses of each default change when the network was trained with the three, paired by seed."""
    words = []
    for operation in DEFAULT_OPERATIONS:
        with_them = uses(rows, dataset, pretraining_variant(DEFAULT_CUTOUT), operation)
        without = uses(rows, dataset, pretraining_variant(NONE), operation)
        if with_them is not None and without is not None:
            change = t_interval(paired_differences(with_them, without))
            words.append(f"{operation} {difference(change, 3)}")
    return f"{TITLES[dataset]} {', '.join(words)}"


def sure_changes(rows: pd.DataFrame, data_sets: Sequence[str]) -> tuple[int, int]:
    """Return how many changes of `pretraining_in_words` have an interval, and how many of these leave out 0."""
    shown = changes_of_uses(rows, data_sets)
    return len(shown), sum(one.above(0) or one.below(0) for one in shown)


def changes_of_uses(rows: pd.DataFrame, data_sets: Sequence[str]) -> list[Interval]:
    """Return the changes of `pretraining_in_words` that have an interval."""
    intervals = []
    for dataset in data_sets:
        for operation in DEFAULT_OPERATIONS:
            pair = [uses(rows, dataset, pretraining_variant(m), operation) for m in (DEFAULT_CUTOUT, NONE)]
            if pair[0] is not None and pair[1] is not None:
                intervals.append(t_interval(paired_differences(pair[0], pair[1])))
    return [one for one in intervals if one.n > 1]


# ---- the penalty -----------------------------------------------------------------------------------------------------


def draw_penalties(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw identity's probability by layer, and the mass of the defaults behind layer 1, by the penalty's weight.

    Raises
    ------
    MissingRowsError
        If the run has no such audit.
    """
    weights = {d: [c for c in PENALTIES if uses(rows, d, penalty_name(c), IDENTITY) is not None] for d in data_sets}
    panels = [d for d in data_sets if len(weights[d]) > 1]
    figure, axes = new_figure(rows=len(panels), columns=2, height=2.3 * max(1, len(panels)) + 0.3, squeeze=False)
    drawn: list[dict[str, Any]] = []
    for line, dataset in zip(axes, panels, strict=True):
        shown = rows[rows["dataset"] == dataset]
        drawn += _draw_identity(line[0], shown, dataset, weights[dataset])
        drawn += _draw_defaults(line[1], shown, dataset, weights[dataset])
    data = pd.DataFrame(drawn)
    finding = _penalty_in_words(rows[rows["dataset"] == panels[0]], panels[0])
    state_finding(figure, finding)
    return Drawing(
        figure,
        "penalties",
        f"Identity by layer, and the hand-picked operations behind layer 1, by the weight of the penalty. {finding}.",
        f"Left: mean over the seeds that were searched with every weight; layer 1 has no penalty. Right: 95 % t "
        f"intervals, {seeds_behind(data[data['n'].notna()])}, over the same seeds; faint dots: single seeds.",
        data,
    )


def shared_seeds(rows: pd.DataFrame, weights: Sequence[float]) -> list[int]:
    """Return the seeds that were searched with every one of these weights of the penalty."""
    found = [set(select(rows, part=POLICY, variant=penalty_name(weight))["seed"]) for weight in weights]
    return sorted(set.intersection(*found))


def _draw_identity(axes: Axes, rows: pd.DataFrame, dataset: str, weights: Sequence[float]) -> list[dict[str, Any]]:
    from matplotlib import colormaps

    seeds = shared_seeds(rows, weights)
    drawn = []
    for weight in weights:
        how = {"part": POLICY, "metric": "mass", "operation": IDENTITY, "variant": penalty_name(weight), "seed": seeds}
        curve = along(rows, range(1, MOST_LAYERS + 1), column="layer", **how)
        means = {layer: float(values.mean()) for layer, values in curve.items() if values is not None}
        colour = colormaps["viridis"](0.85 - 0.4 * weight)
        axes.plot(list(means), list(means.values()), marker="o", markersize=4, color=colour, label=f"c = {weight:g}")
        drawn += [
            {"dataset": dataset, "weight": weight, "layer": layer, "identity": mean} for layer, mean in means.items()
        ]
    axes.set(xlabel="layer", ylabel="probability of identity", ylim=(0, 1))
    axes.set_xticks(sorted({line["layer"] for line in drawn}))
    axes.set_title(TITLES[dataset])
    axes.legend(fontsize=7)
    return drawn


def _draw_defaults(axes: Axes, rows: pd.DataFrame, dataset: str, weights: Sequence[float]) -> list[dict[str, Any]]:
    seeds = shared_seeds(rows, weights)
    drawn = []
    for place, weight in enumerate(weights):
        values = random_mass(rows, variant=penalty_name(weight)).loc[seeds]
        interval = t_interval(values)
        interval_dots(axes, [place], [interval], method=SEARCHED, single_runs=[values.to_list()])
        drawn.append(as_data(interval, dataset=dataset, weight=weight))
    name_lines(axes, [f"c = {weight:g}" for weight in weights])
    axes.set_xlabel("cutout, crop, flip: mass a deeper layer")
    ends = [line[end] for line in drawn for end in ("mean", "high") if np.isfinite(line[end])]
    axes.set_xlim(0, 1.12 * max(ends))
    axes.set_title(TITLES[dataset])
    return drawn


def _penalty_in_words(rows: pd.DataFrame, dataset: str) -> str:
    more = t_interval(paired_differences(random_mass(rows, variant=NO_PENALTY), random_mass(rows)))
    return (
        f"Mass of cutout, crop and flip per deeper layer, c = 0 minus c = 1, {TITLES[dataset]}: {difference(more, 3)}"
    )
