"""Figures of the search: cosines over steps, the last layer's rewards, finite steps, what the defaults depend on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from reprise.deep_aa.figures import TITLES
from reprise.deep_aa.names import (
    AUDIT,
    BASE,
    DEFAULT_CUTOUT,
    DEFAULT_OPERATIONS,
    HISTORY,
    LAST_LAYER,
    NONE,
    POLICY,
    SEARCHED,
    SIMILARITY,
    UNIFORM,
    penalty_variant,
    pretraining_variant,
)
from reprise.method_styles import style_of
from reprise.numerals import difference, number
from reprise.plots import (
    Drawing,
    as_data,
    draw_curve,
    interval_dots,
    measured,
    name_lines,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.rows import MissingRowsError, select
from reprise.stats import t_interval

AT_START = {
    NONE: "network trained without augmentation",
    DEFAULT_CUTOUT: "… with crop, flip, cutout",
    UNIFORM: "… with one layer at random",
}
PENALTIES = (0.0, 0.5, 1.0, 2.0)


def draw_search(rows: pd.DataFrame, dataset: str) -> Drawing:
    """Draw cos(v, g) over the steps of each layer's search: mean over seeds, band of one deviation over units.

    Raises
    ------
    MissingRowsError
        If the run has no search on this data set.
    """
    history = select(rows, dataset=dataset, part=HISTORY)
    layers = sorted(int(layer) for layer in history["layer"].unique())
    figure, axes = new_figure(columns=len(layers), height=2.4, sharey=True, squeeze=False)
    look, drawn = style_of(SEARCHED), []
    for one, layer in zip(axes[0], layers, strict=True):
        steps_of = select(history, layer=layer).groupby(["metric", "step"], observed=True)["value"]
        table = steps_of.mean().unstack("metric")
        steps, mean, deviation = table.index.to_numpy(), table["cosine"], table["cosine std"]
        one.plot(steps, mean, color=look.colour)
        one.fill_between(steps, mean - deviation, mean + deviation, color=look.colour, alpha=0.2, linewidth=0)
        identity = measured(rows, dataset=dataset, part=SIMILARITY, metric="cosine", method=NONE)
        if identity is not None:
            one.axhline(float(identity.mean()), color=style_of(NONE).colour, linestyle=":", linewidth=1.2)
        one.set(title=f"layer {layer}", xlabel="step")
        drawn += [
            {"layer": layer, "step": s, "cosine": m, "deviation": d, "identity": i}
            for s, m, d, i in zip(steps, mean, deviation, table["identity"], strict=True)
        ]
    axes[0][0].set_ylabel("cos(v, g)")
    data = pd.DataFrame(drawn)
    last_identity = number(float(data[data["layer"] == layers[-1]]["identity"].iloc[-1]), 2)
    gains = measured(rows, dataset=dataset, part=SIMILARITY, method=SEARCHED, metric="gain in cosine", variant=BASE)
    gained = (
        "" if gains is None else f"On fresh images layer 1 raises the cosine by {difference(t_interval(gains), 2)}; "
    )
    finding = f"{gained}identity ends at {last_identity} in layer {layers[-1]}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        f"search_{dataset.replace('-', '_')}",
        f"Cosine over search steps by layer. {finding}.",
        f"{TITLES[dataset]}: mean over seeds of the units of each step, band: one standard deviation over units; "
        "dotted: no augmentation, on fresh units.",
        data,
    )


def draw_last_layer(rows: pd.DataFrame, dataset: str) -> Drawing:
    """Draw the rewards by the last layer's weights against those by all weights, one dot a transformation.

    Raises
    ------
    MissingRowsError
        If the run has no such audit.
    """
    found = select(rows, dataset=dataset, part=AUDIT, variant=LAST_LAYER)
    table = found[found["metric"].isin(["reward, all weights", "reward, last layer"])]
    keys = ["operation", "level"]
    wide = table.pivot_table(index=keys, columns="metric", values="value", observed=True).reset_index()
    figure, axes = new_figure(height=3.0)
    look = style_of(SEARCHED)
    axes.plot(wide["reward, all weights"], wide["reward, last layer"], ".", color=look.colour, alpha=0.6)
    chosen = wide[wide["operation"].isin(DEFAULT_OPERATIONS)].sort_values("reward, all weights")
    for height, line in enumerate(chosen.to_dict("records")):
        place = (line["reward, all weights"], line["reward, last layer"])
        axes.plot(*place, "D", color="black", markersize=4)
        # Staggered, since rewards of the three are often alike.
        offset = (14, -8 - 10 * (len(chosen) - 1 - height))
        axes.annotate(
            line["operation"], place, xytext=offset, textcoords="offset points", fontsize=7,
            arrowprops={"arrowstyle": "-", "linewidth": 0.5},
        )  # fmt: skip
    axes.axhline(0, color="black", linewidth=0.6)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set(xlabel="mean reward by all weights", ylabel="mean reward by the last layer")
    rank = measured(rows, dataset=dataset, part=AUDIT, metric="rank correlation, means")
    saved = measured(rows, dataset=dataset, part=AUDIT, metric="operations of a step, all over last")
    assert rank is not None
    assert saved is not None
    finding = f"The last layer's rewards rank the transformations as all weights do: Spearman {number(rank.mean(), 2)}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        f"last_layer_{dataset.replace('-', '_')}",
        f"{finding}, at {number(saved.mean(), 1)} times fewer operations.",
        f"{TITLES[dataset]}: mean over seeds and units at the start of layer 1, one dot a transformation; diamonds: "
        "the hand-picked defaults.",
        wide,
    )


def draw_finite_steps(rows: pd.DataFrame, dataset: str) -> Drawing:
    """Draw the error of rewards by finite differences against the length of the step.

    Raises
    ------
    MissingRowsError
        If the run has no such audit.
    """
    found = select(rows, dataset=dataset, part=AUDIT, metric="relative error of rewards")
    steps = sorted(found["at"].unique())
    values = {step: measured(found, at=step) for step in steps}
    figure, axes = new_figure(height=2.5)
    drawn = draw_curve(axes, values, style=SEARCHED)
    axes.set(xscale="log", yscale="log", xlabel="step, over the length of all weights", ylabel="relative error")
    data = pd.DataFrame(drawn)
    best = data.loc[data["mean"].idxmin()]
    usual = data.iloc[(np.log(data["at"]) - np.log(1e-2)).abs().argmin()]
    finding = (
        f"Finite differences err least with a step of {best['at']:g} ({number(best['mean'], 4)}); at {usual['at']:g} "
        f"by {number(usual['mean'], 2)}"
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "finite_steps",
        f"{finding}.",
        f"{TITLES[dataset]}: ‖difference‖ over ‖rewards by forward mode‖, 95 % t intervals over seeds, "
        f"{seeds_behind(data)}.",
        data,
    )


def draw_pretraining(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw how often each hand-picked operation is used, by what the search network was trained with.

    Raises
    ------
    MissingRowsError
        If the run has no such audit.
    """
    variants = [(pretraining_variant(method), label) for method, label in AT_START.items()]
    return _draw_masses(rows, data_sets, variants, "pretraining", "by the search network's training")


def draw_penalties(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw how often each hand-picked operation, and identity, is used, by the weight of the penalty.

    Raises
    ------
    MissingRowsError
        If the run has no such audit.
    """
    variants = [(BASE if c == 1 else penalty_variant(c), penalty_variant(c)) for c in PENALTIES]
    return _draw_masses(rows, data_sets, variants, "penalties", "by the penalty's weight", ("Identity",))


def _draw_masses(
    rows: pd.DataFrame,
    data_sets: Sequence[str],
    variants: Sequence[tuple[str, str]],
    name: str,
    by: str,
    further: Sequence[str] = (),
) -> Drawing:
    operations = (*DEFAULT_OPERATIONS, *further)
    panels = [d for d in data_sets if sum(_mass(rows, d, v, operations[0]) is not None for v, _ in variants) > 1]
    n = len(panels)
    figure, axes = new_figure(
        rows=n, columns=len(operations), height=(0.25 * len(variants) + 0.7) * max(1, n) + 0.6, squeeze=False,
        sharex=True, sharey=True,
    )  # fmt: skip
    drawn: list[dict[str, Any]] = []
    for line, dataset in zip(axes, panels, strict=True):
        for one, operation in zip(line, operations, strict=True):
            for place, (variant, label) in enumerate(variants):
                values = _mass(rows, dataset, variant, operation)
                if values is not None:
                    interval = t_interval(values)
                    interval_dots(one, [place], [interval], method=SEARCHED, single_runs=[values.to_list()])
                    drawn.append(as_data(interval, dataset=dataset, operation=operation, variant=label))
            name_lines(one, [label for _, label in variants])
            one.set_title(operation, fontsize=8)
        line[0].set_ylabel(TITLES[dataset], fontsize=8)
    figure.supxlabel("expected uses per image: probability, summed over the layers", fontsize=9)
    data = pd.DataFrame(drawn)
    data["low"] = data["low"].clip(0)
    widest = 1.5 * float(data["mean"].max())
    axes[0][0].set_xlim(-0.03 * widest, widest)
    heaviest = data.loc[data["mean"].idxmax()]
    where = heaviest["variant"].strip("… ")
    finding = f"Most used, {by}: {heaviest['operation']}, {number(heaviest['mean'], 2)} times an image ({where})"
    state_finding(figure, finding)
    caption = f"95 % t intervals over seeds, {seeds_behind(data)}; without whisker: one seed; faint dots: single seeds."
    return Drawing(figure, name, f"Use of the hand-picked operations {by}. {finding}.", caption, data)


def _mass(rows: pd.DataFrame, dataset: str, variant: str, operation: str) -> pd.Series | None:
    try:
        found = select(rows, dataset=dataset, part=POLICY, metric="mass", variant=variant, operation=operation)
        return found.groupby("seed")["value"].sum()
    except MissingRowsError:
        return None
