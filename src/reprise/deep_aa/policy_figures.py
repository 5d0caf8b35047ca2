"""Figures of policies: operations by layer, magnitudes by operation, and the rewards that the search sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.deep_aa.families import FAMILIES, colour_of, family_masses
from reprise.deep_aa.figures import TITLES
from reprise.deep_aa.names import BASE, LEVELS, POLICY, REWARDS, SEARCHED
from reprise.deep_aa.published_policies import RUNS, published_magnitudes, published_masses
from reprise.deep_aa.transformations import HIGHEST_LEVEL, OPERATIONS, Operation
from reprise.palette import GREY
from reprise.plots import Drawing, new_figure, paper_marks, state_finding
from reprise.rows import MissingRowsError, select
from reprise.stats import t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LETTER = 0.028  # share of a bar that a letter of a name in it takes
WITH_LEVELS = tuple(operation for operation in OPERATIONS if operation.idle_level is not None)
ROOM_FOR_A_NAME = 4  # transformations
OUTERMOST = (0, 1, HIGHEST_LEVEL - 1, HIGHEST_LEVEL)  # the two strongest magnitudes of either sign

UNITS = {
    **dict.fromkeys(("ShearX", "ShearY"), "slope"),
    **dict.fromkeys(("TranslateX", "TranslateY"), "share"),
    **dict.fromkeys(("Contrast", "Color", "Brightness", "Sharpness"), "factor"),
    "Rotate": "degrees",
    "Solarize": "threshold",
    "Posterize": "bits",
}  # of the magnitudes

# ---- operations by layer -------------------------------------------------------------------------------------------


def draw_policies(rows: pd.DataFrame, dataset: str) -> Drawing:
    """Draw the mass of each family of operations by layer: our searches' mean beside the two published policies.

    Parameters
    ----------
    rows
        With those of the part "policy".
    dataset
        Whose searches are shown.

    Raises
    ------
    MissingRowsError
        If the data set has none.
    """
    ours = _our_masses(rows, dataset)
    n_searches = ours.groupby("layer")["seed"].nunique()
    mean = ours.groupby(["layer", "operation"])["value"].mean().unstack()
    panels = {"ours": mean, **{f"published, run {run}": _published(run) for run in RUNS}}
    widths = [len(masses) for masses in panels.values()]
    figure, axes = new_figure(columns=len(panels), height=4.1, sharey=True, width_ratios=widths)
    drawn = []
    for one, (title, masses) in zip(axes, panels.items(), strict=True):
        families = family_masses(masses)
        _stack(one, families)
        one.set_title(title, fontsize=8.5)
        drawn.append(families.stack().rename("mass").reset_index().assign(panel=title))
    _count_searches(axes[0], n_searches)
    axes[0].set_ylabel("probability")
    _explain_families(figure)
    heaviest = ", ".join(f"{layer} {name}" for layer, name in mean.idxmax(axis=1).items())
    theirs = ", ".join(f"{layer} {name}" for layer, name in panels["published, run 1"].idxmax(axis=1).items())
    state_finding(figure, f"Heaviest by layer on {TITLES[dataset]}: {heaviest}; published, run 1: {theirs}")
    return Drawing(
        figure,
        f"policies_{_as_name(dataset)}",
        f"Stacked bars of operation mass by layer. Heaviest in ours, {TITLES[dataset]}: {heaviest}; published, run "
        f"1: {theirs}.",
        f"Probability of each family of operations by layer. Left: {TITLES[dataset]}, mean of {_counts(n_searches)} "
        f"({_spread_in_words(ours)}). Right: the policies published for CIFAR; white on top is what is not listed of "
        "run 2.",
        pd.concat(drawn, ignore_index=True),
    )


def _our_masses(rows: pd.DataFrame, dataset: str) -> pd.DataFrame:
    return _searched(rows, dataset, part=POLICY, metric="mass").astype({"layer": int})


def _searched(rows: pd.DataFrame, dataset: str, **conditions: Any) -> pd.DataFrame:
    return select(rows, method=SEARCHED, variant=BASE, dataset=dataset, **conditions)


def _published(run: int) -> pd.DataFrame:
    masses = published_masses().query("run == @run")
    return masses.pivot(index="layer", columns="operation", values="mass").fillna(0.0)


def _as_name(dataset: str) -> str:
    return dataset.replace("-", "_")


def _stack(axes: Axes, families: pd.DataFrame) -> None:
    bottom = np.zeros(len(families))
    for family in FAMILIES:
        heights = families[family.name].to_numpy()
        axes.bar(
            families.index, heights, bottom=bottom, width=0.86, color=family.colour, hatch=family.hatch,
            edgecolor="white", linewidth=0.4,
        )  # fmt: skip
        for layer, height, low in zip(families.index, heights, bottom, strict=True):
            if height >= LETTER * len(family.short) + 0.03:
                how: dict[str, Any] = {"rotation": 90, "ha": "center", "va": "center", "fontsize": 7}
                behind = {"facecolor": family.colour, "edgecolor": "none", "pad": 0.8}
                axes.text(layer, low + height / 2, family.short, color=family.ink, bbox=behind, **how)
        bottom += heights
    axes.set(xlabel="layer", ylim=(0, 1.0), xticks=list(families.index))
    axes.grid(visible=False)


def _count_searches(axes: Axes, n_searches: pd.Series) -> None:
    if n_searches.nunique() > 1:
        axes.set_xticks(list(n_searches.index), [f"{layer}\nn={count}" for layer, count in n_searches.items()])


def _explain_families(figure: Any) -> None:
    from matplotlib.patches import Patch

    patches = [
        Patch(facecolor=family.colour, hatch=family.hatch, edgecolor="white", label=family.name) for family in FAMILIES
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=4, fontsize=7.5, handlelength=1.4)


def _counts(n_searches: pd.Series) -> str:
    most, least = int(n_searches.max()), int(n_searches.min())
    fewer = f", {least} of which came to the last layer" if most > least else ""
    return f"{_searches(most)}{fewer}"


def _searches(count: int) -> str:
    return f"{count} search{'es' if count > 1 else ''}"


def _spread_in_words(ours: pd.DataFrame) -> str:
    mean = ours.groupby(["layer", "operation"])["value"].mean().unstack()
    words = []
    for layer, name in mean.idxmax(axis=1).items():
        values = ours.query("layer == @layer and operation == @name")["value"]
        words.append(f"layer {layer}: {name} {values.min():.2f} to {values.max():.2f}")
    return "least and greatest mass of the heaviest operation, " + "; ".join(words)


# ---- magnitudes ----------------------------------------------------------------------------------------------------


def draw_magnitudes(rows: pd.DataFrame, dataset: str, layer: int = 1) -> Drawing:
    """Draw which magnitudes a layer prefers within each operation, the published policy's as marks.

    Parameters
    ----------
    rows
        With those of the part "levels of operations".
    dataset
        Whose searches are shown.
    layer
        Which layer, from 1.

    Raises
    ------
    MissingRowsError
        If there are none.
    """
    chosen = _searched(rows, dataset, part=LEVELS, metric="probability", layer=layer)
    names = [operation.name for operation in WITH_LEVELS]
    shares = _shares(chosen[chosen["operation"].isin(names)])
    theirs = published_magnitudes().query("layer == @layer")
    figure, axes = new_figure(rows=3, columns=4, height=5.0, sharey=True)
    drawn = []
    for one, operation in zip(axes.flat, WITH_LEVELS, strict=False):
        drawn += _draw_levels(one, operation, shares, theirs)
    for one in axes.flat[len(WITH_LEVELS) :]:
        one.axis("off")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        one.legend(handles, labels, loc="center")
    for one in axes[:, 0]:
        one.set_ylabel("share of operation")
    data = pd.DataFrame(drawn)
    ends = _mass_at_ends(data)
    state_finding(figure, f"Layer {layer}: {ends}")
    return Drawing(
        figure,
        f"magnitudes_{_as_name(dataset)}_{layer}",
        f"Share of each magnitude within its operation, layer {layer}. {ends[0].upper()}{ends[1:]}.",
        f"Bars: mean share of a magnitude within its operation over {_searches(chosen['seed'].nunique())}, whiskers "
        "95 % t intervals; diamonds: the policy published for CIFAR, run 1. What does nothing is left out; in brackets "
        "the magnitudes' unit.",
        data,
    )


def _shares(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return each level's share of its operation, by search: columns operation, level, seed, share."""
    total = chosen.groupby(["operation", "seed"])["value"].transform("sum")
    return chosen.assign(share=chosen["value"] / total)


def _draw_levels(axes: Axes, operation: Operation, shares: pd.DataFrame, theirs: pd.DataFrame) -> list[dict[str, Any]]:
    here = shares[shares["operation"] == operation.name].astype({"level": int})
    listed = theirs[theirs["operation"] == operation.name].set_index("level")["share"]
    drawn = []
    for level in operation.levels:
        found = t_interval(here.loc[here["level"] == level, "share"])
        below = found.estimate - max(found.low, 0.0) if np.isfinite(found.low) else 0.0
        above = found.high - found.estimate if np.isfinite(found.high) else 0.0
        axes.bar(
            [level], [found.estimate], yerr=[[below], [above]], width=0.8, color=colour_of(operation.name),
            error_kw={"linewidth": 0.8}, label="ours" if level == operation.levels[0] else None,
        )  # fmt: skip
        published = float(listed.get(level, 0.0)) if len(listed) else None
        common = {"operation": operation.name, "level": level, "magnitude": operation.magnitude(level)}
        drawn.append({**common, "mean": found.estimate, "low": found.low, "high": found.high, "paper": published})
    if len(listed):
        paper_marks(axes, list(listed.index), list(listed))
        axes.lines[-1].set_markersize(4.5)
    ticks = [operation.levels[0], HIGHEST_LEVEL // 2, operation.levels[-1]]
    axes.set_xticks(ticks, [f"{operation.magnitude(level):.3g}".replace("-", "−") for level in ticks])
    axes.set(ylim=(0, 1.02))
    axes.set_title(f"{operation.name} ({UNITS[operation.name]})", fontsize=8)
    return drawn


def _mass_at_ends(data: pd.DataFrame) -> str:
    """Say how much of the signed operations lies at the two outermost magnitudes of each side."""
    signed = [operation.name for operation in WITH_LEVELS if operation.signed]
    chosen = data[data["operation"].isin(signed)]
    outer = chosen[chosen["level"].isin(OUTERMOST)]
    chance = 100 * len(OUTERMOST) / chosen["level"].nunique()
    ours = outer.groupby("operation")["mean"].sum().mean()
    theirs = outer.groupby("operation")["paper"].sum().mean()
    words = (
        f"{100 * ours:.0f} % of the geometric operations at the two outermost magnitudes a side, {chance:.0f} % by "
        "chance"
    )
    return f"{words}; published {100 * theirs:.0f} %" if chosen["paper"].notna().any() else words


# ---- rewards -------------------------------------------------------------------------------------------------------


def draw_rewards(
    rows: pd.DataFrame, dataset: str, layers: Sequence[int] | None = None, *, std_weight: float = 1.0
) -> Drawing:
    """Draw mean and spread over units of every transformation's reward at the start of a layer: what the search sees.

    Parameters
    ----------
    rows
        With those of the part "rewards".
    dataset
        Whose searches are shown.
    layers
        Which; all by default.
    std_weight
        c of mean − c · std, by which the title names the first transformation behind layer 1.

    Raises
    ------
    MissingRowsError
        If there are none.
    """
    chosen = _searched(rows, dataset, part=REWARDS).astype({"layer": int, "level": int})
    layers = sorted(chosen["layer"].unique()) if layers is None else layers
    if not layers:
        raise MissingRowsError("no layer is asked for.")
    figure, axes = new_figure(rows=len(layers), height=1.5 * len(layers) + 1.1, sharex=True, squeeze=False)
    drawn = []
    for one, layer in zip(axes[:, 0], layers, strict=True):
        drawn.append(_draw_layer_rewards(one, chosen[chosen["layer"] == layer]).assign(layer=layer))
        one.set_title(f"layer {layer}", fontsize=8.5)
    _name_operations(axes[-1, 0])
    figure.supylabel("reward (cosine per unit of mass)", fontsize=9)
    data = pd.concat(drawn, ignore_index=True)
    climbed = data["mean"] - np.where(data["layer"] > 1, std_weight, 0.0) * data["std"]
    first = data.loc[climbed.groupby(data["layer"]).idxmax()].sort_values("layer")
    best = ", ".join(f"{layer} {name}" for layer, name in zip(first["layer"], first["operation"], strict=True))
    best = f"First by what the search climbs (layer 1: mean; then: mean − {std_weight:g} · std): {best}"
    state_finding(figure, best)
    return Drawing(
        figure,
        f"rewards_{_as_name(dataset)}",
        f"Rewards of all transformations at the start of each layer. {best}.",
        f"Dots: mean reward over units, averaged over {_searches(chosen['seed'].nunique())}; bars: one standard "
        "deviation over units to either side, by which the penalty is measured from layer 2 on.",
        data,
    )


def _draw_layer_rewards(axes: Axes, chosen: pd.DataFrame) -> pd.DataFrame:
    keys = ["operation", "level", "metric"]
    values = chosen.groupby(keys)["value"].mean().unstack()
    order = [(operation.name, level) for operation in OPERATIONS for level in operation.levels]
    values = values.reindex([key for key in order if key in values.index])
    x = [_places()[key] for key in values.index]
    mean, spread = values["reward mean"], values["reward std"]
    colours = [colour_of(name) for name, _ in values.index]
    axes.vlines(x, mean - spread, mean + spread, colors=GREY, linewidth=0.8, alpha=0.7)
    axes.scatter(x, mean, s=9, c=colours, edgecolors="#333333", linewidths=0.3, zorder=3)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.grid(axis="x", visible=False)
    return pd.DataFrame({"mean": mean, "std": spread}).reset_index()


def _places() -> dict[tuple[str, int], float]:
    """Return where each transformation stands; a single one has room for its name."""
    places: dict[tuple[str, int], float] = {}
    start = 0.0
    for operation in OPERATIONS:
        room = max(len(operation.levels), ROOM_FOR_A_NAME)
        first = start + (room - len(operation.levels)) / 2
        places |= {(operation.name, level): first + at for at, level in enumerate(operation.levels)}
        start += room + 1
    return places


def _name_operations(axes: Axes) -> None:
    places = _places()
    middle = [np.mean([places[operation.name, level] for level in operation.levels]) for operation in OPERATIONS]
    axes.set_xticks(middle, [operation.name for operation in OPERATIONS], rotation=90, fontsize=7)
    axes.set_xlim(-1.5, max(places.values()) + 2.5)
