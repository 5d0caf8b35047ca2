"""Figures of the search: cosines over steps, the last layer's rewards, finite steps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reprise.deep_aa.figures import TITLES
from reprise.deep_aa.gradient_rewards import FINITE_STEP
from reprise.deep_aa.names import (
    AUDIT,
    BASE,
    DEEP_TRIVIAL,
    DEFAULT_OPERATIONS,
    HISTORY,
    LAST_LAYER,
    NONE,
    SEARCHED,
    SEEN_COSINE,
    SIMILARITY,
)
from reprise.method_styles import style_of
from reprise.numerals import difference, number
from reprise.plots import (
    Drawing,
    draw_curve,
    measured,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.rows import select
from reprise.stats import t_interval

LONG_STEP = 1e-2
LEVEL_LINES = {NONE: "no augmentation", DEEP_TRIVIAL: "one random layer"}


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
        # One random layer is on a par with the first one only: behind it there are more layers to a policy.
        for method in (NONE, DEEP_TRIVIAL) if layer == 1 else (NONE,):
            known = measured(rows, dataset=dataset, part=SIMILARITY, metric=SEEN_COSINE, method=method)
            if known is not None:
                how = style_of(method)
                label = LEVEL_LINES[method] if layer == layers[0] else None
                one.axhline(float(known.mean()), color=how.colour, linestyle=how.dash, linewidth=1.2, label=label)
        one.set(title=f"layer {layer}", xlabel="step")
        drawn += [
            {"layer": layer, "step": s, "cosine": m, "deviation": d, "identity": i}
            for s, m, d, i in zip(steps, mean, deviation, table["identity"], strict=True)
        ]
    axes[0][0].set_ylabel("cos(v, g)")
    figure.legend(loc="outside lower center", ncols=2, fontsize=7)
    data = pd.DataFrame(drawn)
    finding = gains_in_words(rows, dataset)
    state_finding(figure, finding)
    return Drawing(
        figure,
        f"search_{dataset.replace('-', '_')}",
        f"Cosine over search steps by layer. {finding}.",
        f"{TITLES[dataset]}: mean over seeds of the units of each step, on the search's own images; band: one standard "
        "deviation over units; lines: no augmentation and, beside layer 1, one random layer (any operation but Invert) "
        "on the same images. The gains in the title are those of the table below, on images that no search has seen.",
        data,
    )


def gains_in_words(rows: pd.DataFrame, dataset: str) -> str:
    """Say what the layer found, and a random one, gain in cosine over identity on images that neither has seen."""
    words = []
    for method, name in ((SEARCHED, "the layer found"), (DEEP_TRIVIAL, "a random one")):
        how = {"dataset": dataset, "part": SIMILARITY, "metric": "gain in cosine", "variant": BASE}
        gains = measured(rows, method=method, **how)
        if gains is not None:
            words.append(f"{name} {difference(t_interval(gains), 2)}")
    return f"Gain in cosine on unseen images, layer 1: {', '.join(words)}"


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
    axes.margins(y=0.14)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set(xlabel="mean reward by all weights", ylabel="mean reward by the last layer")
    rank = measured(rows, dataset=dataset, part=AUDIT, metric="rank correlation, means")
    saved = measured(rows, dataset=dataset, part=AUDIT, metric="operations of a step, all over last")
    single = measured(rows, dataset=dataset, part=AUDIT, metric="rank correlation, single units")
    assert rank is not None
    assert saved is not None
    assert single is not None
    finding = (
        f"At {number(saved.mean(), 1)} times fewer operations a step, mean rewards rank alike by the last layer and by "
        f"all weights, Spearman {number(rank.mean(), 2)}; those of one image less, {number(single.mean(), 2)}"
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        f"last_layer_{dataset.replace('-', '_')}",
        f"{finding}.",
        f"{TITLES[dataset]}: mean over units at the start of layer 1, {_seeds(len(rank))}, one dot a transformation; "
        "diamonds: the hand-picked defaults.",
        wide,
    )


def _seeds(count: int) -> str:
    return "of one seed" if count == 1 else f"over {count} seeds"


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
    axes.axvline(FINITE_STEP, color="#7F7F7F", linewidth=0.8, linestyle=":", zorder=1)
    used = data.iloc[(np.log(data["at"]) - np.log(FINITE_STEP)).abs().argmin()]
    best = data.loc[data["mean"].idxmin()]
    long = data.iloc[(np.log(data["at"]) - np.log(LONG_STEP)).abs().argmin()]
    rank = measured(rows, dataset=dataset, part=AUDIT, metric="rank correlation of rewards", at=long["at"])
    finding = (
        f"Finite differences err least with a step of {_power(best['at'])} ({number(best['mean'], 4)}); with the "
        f"{_power(used['at'])} in use by {number(used['mean'], 4)}, at {_power(long['at'])} by "
        f"{number(long['mean'], 2)}"
    )
    if rank is not None:
        finding += f", where they still rank the rewards with Spearman {number(float(rank.mean()), 2)}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "finite_steps",
        f"{finding}.",
        f"{TITLES[dataset]}: ‖difference‖ over ‖rewards by forward mode‖, 95 % t intervals over seeds, "
        f"{seeds_behind(data)}; a whisker that reaches below 0 runs out of the logarithmic axis; dotted: the step in "
        "use.",
        data,
    )


def _power(step: float) -> str:
    """Write a step as 3 · 10⁻⁶.

    Examples
    --------
    >>> _power(3e-6), _power(1e-2)
    ('3 · 10⁻⁶', '10⁻²')
    """
    mantissa, exponent = f"{step:.0e}".split("e")
    power = "10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return power if mantissa == "1" else f"{mantissa} · {power}"
