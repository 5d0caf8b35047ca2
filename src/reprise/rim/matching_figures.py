"""Figures of matching: trade-off curves, delivery, and how prices from few users err."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.method_styles import style_of
from reprise.numerals import number
from reprise.plots import PAPER_COLOUR, Drawing, measured, new_figure, state_finding
from reprise.rim.drift import FRESH
from reprise.rim.figures import PAPERS_SET, panels, title_of
from reprise.rim.matched import EXACT
from reprise.rows import MissingRowsError, per_seed, select

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVES = ("GRU", "GRU × UserPop", "GRU × HP")
PAPERS_CURVES = {"GRU": "Transformer", "GRU × UserPop": "Transformer × UserPop", "GRU × HP": "Transformer × HP"}


def sets_with_matching(rows: pd.DataFrame, data_sets: Sequence[str]) -> list[str]:
    """Return the data sets that were matched.

    Raises
    ------
    MissingRowsError
        If none was.
    """
    present = [name for name in data_sets if measured(rows, dataset=name, part="matching") is not None]
    if not present:
        raise MissingRowsError("no data set of this run has matching.")
    return present


def curve(rows: pd.DataFrame, data_set: str, method: str, served: str, *, items: bool) -> pd.DataFrame:
    """Return precision and perplexity along m on the seeds with whole curves: lower bounds for items."""
    chosen = select(rows, dataset=data_set, part="matching", method=method, split="test")
    whole = chosen[chosen["solver"].isin(["exact", "none"])]
    seeds = whole.groupby("seed")["multiplier"].nunique()
    whole = whole[whole["seed"].isin(seeds[seeds == seeds.max()].index)]
    free = whole["multiplier"] == 0
    kept = whole[(free & items) | (whole["served"] == served)]
    kept = kept[(kept["multiplier"] <= 1) if items else (kept["multiplier"] >= 1)]
    side = "item perplexity" if items else "user perplexity"
    kept = kept[kept["metric"].isin(["precision (%)", side])]
    found = kept.pivot_table(index="multiplier", columns="metric", values="value")
    return found.rename(columns={side: "perplexity", "precision (%)": "precision"}).sort_index()


def draw_trade_off(rows: pd.DataFrame, published: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw what bounds on items cost: ItemRec precision against item perplexity, UserRec against user perplexity."""
    name = sets_with_matching(rows, data_sets)[0]
    figure, axes = panels(2, height=3.2)
    drawn: list[dict[str, Any]] = []
    for one, items in zip(axes, (True, False), strict=True):
        for method in CURVES:
            drawn += _draw_curves(one, rows, name, method, items=items)
            drawn += _draw_papers_curve(one, published, method, items=items)
        one.set_xlabel(f"{'ItemRec' if items else 'UserRec'} precision over that at m = {'0' if items else '1'}")
        one.set_ylabel(f"{'item' if items else 'user'} perplexity over its value at m = 1")
        _plain_ticks(one, [0.05, 0.1, 0.2, 0.3, 0.5, 1.0])
    axes[0].plot([], [], marker="D", markerfacecolor="none", color=PAPER_COLOUR, linestyle="", label="paper, online")
    axes[0].plot([], [], marker="o", markerfacecolor="none", color=PAPER_COLOUR, linestyle=":", label="ours, offline")
    axes[0].legend(fontsize=7, loc="best")
    data = pd.DataFrame(drawn)
    state_finding(figure, f"{title_of(name)}: {_finding(data)}")
    return Drawing(
        figure,
        "trade_off",
        f"Relative precision against relative perplexity on {title_of(name)}; {_finding(data)}.",
        "Left: user bound k₁ and item lower bound m c₁ for m = 0 … 0.7, m = 1 the upper bound. Right: upper bound c₁ "
        "and user bound m k₁. Solid marks: prices fitted online, on validation requests; open: offline. Exact "
        "solver, seeds with whole curves only, so without intervals; diamonds: the paper's Transformer on MovieLens "
        "1M, online, in the colour of the activity model.",
        data,
    )


def _plain_ticks(axes: Axes, ticks: Sequence[float], scale: str = "log") -> None:
    """Scale the second axis, and name its ticks by plain numbers instead of powers."""
    axes.set_yscale(scale)
    low, high = axes.get_ylim()
    kept = [tick for tick in ticks if low <= tick <= high]
    axes.set_yticks(kept, [f"{tick:g}" for tick in kept])
    axes.minorticks_off()


def _finding(data: pd.DataFrame) -> str:
    ours = data[(data["source"] == "online") & (data["side"] == "items") & (data["multiplier"] == 0.7)]
    level = ours.set_index("method")["precision"]
    words = [f"{number(100 * (1 - float(level[m])), 1)}\N{NO-BREAK SPACE}% ({m})" for m in CURVES if m in level.index]
    return f"with whole curves ItemRec at m = 0.7 loses {', '.join(words)}"


def _draw_curves(axes: Axes, rows: pd.DataFrame, name: str, method: str, *, items: bool) -> list[dict[str, Any]]:
    look, drawn = style_of(method), []
    for served in ("online", "offline"):
        try:
            found = curve(rows, name, method, served, items=items)
        except MissingRowsError:
            continue
        if found.empty or 1.0 not in found.index:
            continue
        start = 0.0 if items and 0.0 in found.index else 1.0
        x, y = found["precision"] / found["precision"][start], found["perplexity"] / found["perplexity"][1.0]
        online = served == "online"
        axes.plot(
            x, y, color=look.colour, linestyle="-" if online else ":", marker=look.marker, markersize=4,
            markerfacecolor=look.colour if online else "none", label=method if online else None,
        )  # fmt: skip
        drawn += [
            {"source": served, "side": "items" if items else "users", "method": method, "multiplier": m, "precision": a,
             "perplexity": b}
            for m, a, b in zip(found.index, x, y, strict=True)
        ]  # fmt: skip
    return drawn


def _draw_papers_curve(axes: Axes, published: pd.DataFrame, method: str, *, items: bool) -> list[dict[str, Any]]:
    task, side = ("ItemRec", "item perplexity") if items else ("UserRec", "user perplexity")
    how = {"dataset": PAPERS_SET, "part": "matching", "method": PAPERS_CURVES[method], "task": task}
    found = {m: select(published, metric=m, **how).set_index("multiplier")["value"] for m in ("precision (%)", side)}
    x = found["precision (%)"] / found["precision (%)"][0.0 if items else 1.0]
    y = found[side] / found[side][1.0]
    axes.plot(
        x, y, linestyle="", marker="D", markersize=6, markerfacecolor="none", markeredgecolor=style_of(method).colour,
        alpha=0.7,
    )  # fmt: skip
    return [
        {"source": "paper", "side": "items" if items else "users", "method": PAPERS_CURVES[method], "multiplier": m,
         "precision": a, "perplexity": b}
        for m, a, b in zip(x.index, x, y, strict=True)
    ]  # fmt: skip


def draw_delivery(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw what items get, in units of their bound, sorted: prices from the test's own users and from earlier ones."""
    name = sets_with_matching(rows, data_sets)[0]
    multipliers = sorted(select(rows, dataset=name, part="spread over items")["multiplier"].unique())
    figure, axes = panels(len(multipliers), height=2.8)
    drawn: list[dict[str, Any]] = []
    for one, multiplier in zip(axes, multipliers, strict=True):
        for served, dash in (("offline", ":"), ("online", "-")):
            how = {"dataset": name, "part": "spread over items", "method": "GRU × HP", "metric": "delivered over bound"}
            found = select(rows, multiplier=multiplier, served=served, **how).groupby("at")["value"].mean()
            one.plot(found.index, found, color=style_of("GRU × HP").colour, linestyle=dash, label=served)
            drawn += [
                {"multiplier": multiplier, "served": served, "percent": p, "delivered": v} for p, v in found.items()
            ]
        one.axhline(1, color=PAPER_COLOUR, linewidth=0.8)
        kind = "lower" if multiplier < 1 else "upper"
        one.set(title=f"m = {multiplier:g}: {kind} bound", ylim=(0, None))
        _plain_ticks(one, [0, 0.5, 1, 2, 3, 5, 10, 20, 50], "symlog")
    axes[0].set_ylabel("users delivered over the bound")
    axes[0].legend()
    figure.supxlabel("items, from least to most delivered (per cent)", fontsize=9)
    data = pd.DataFrame(drawn)
    words = _off_words(rows, name, multipliers)
    state_finding(figure, f"Prices from earlier users miss the bounds: {words}")
    return Drawing(
        figure,
        "delivery",
        f"Sorted delivery over the bound on {title_of(name)}; online {words}.",
        "GRU × HP, exact solver, means over seeds of percentiles over items; grey: the bound. Dotted: prices fitted "
        "on the served users themselves; solid: on validation users.",
        data,
    )


def _off_words(rows: pd.DataFrame, name: str, multipliers: Sequence[float]) -> str:
    words = []
    for multiplier in multipliers:
        metric = "shortfall (%)" if multiplier < 1 else "excess (%)"
        how = {"part": "matching", "served": "online", "solver": "exact", "split": "test", "method": "GRU × HP"}
        value = per_seed(rows, dataset=name, multiplier=multiplier, metric=metric, **how).mean()
        words.append(f"{number(float(value), 1)} % {'missing' if multiplier < 1 else 'too much'} at m = {multiplier:g}")
    return ", ".join(words)


def draw_drift(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw what prices leave undelivered as they grow old, beside prices learnt at the served time."""
    name = next((n for n in data_sets if measured(rows, dataset=n, part="drift") is not None), data_sets[0])
    chosen = select(rows, dataset=name, part="drift", metric="shortfall (%)")
    figure, axes = new_figure(height=2.7)
    look = style_of("GRU × HP")
    means = {}
    for solver, label, dash, marker in ((EXACT, "old prices", "-", "o"), (FRESH, "fresh prices", ":", "D")):
        single = chosen[chosen["solver"] == solver]
        means[label] = single.groupby("at")["value"].mean()
        axes.plot(means[label].index, means[label], color=look.colour, linestyle=dash, marker=marker, label=label)
        axes.plot(single["at"], single["value"], marker, color=look.colour, alpha=0.3, markersize=3, linestyle="")
    ages = means["old prices"].index.to_numpy()
    axes.set(xlabel="age of the prices (horizons)", ylabel="lower bounds missed (%)", ylim=(0, None))
    axes.set_xticks(ages)
    axes.legend()
    first, last = (number(float(means["old prices"].iloc[place]), 1) for place in (0, -1))
    words = f"{first} % of the lower bounds at age {ages[0]:g}, {last} % at {ages[-1]:g}"
    state_finding(figure, f"{title_of(name)}: old prices miss {words}")
    return Drawing(
        figure,
        "drift",
        f"Share of the lower bounds that old prices leave undelivered on {title_of(name)}: from {first} to {last} %.",
        "GRU × HP, m = 0.7. Old: learnt from a random sample of users one horizon before the test, and served to all "
        "users at later and later times; fresh: learnt from as many users of the served time. Lines: means over seeds, "
        "faint: single seeds. Models stay as they are.",
        pd.DataFrame({"age": ages, **{label: values.to_numpy() for label, values in means.items()}}),
    )


def draw_sample_size(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the online shortfall against the number of users that prices were learnt from."""
    chosen = select(rows, dataset=list(data_sets), part="sample size")
    found = chosen.groupby("at")["value"].mean()
    figure, axes = new_figure(height=2.7)
    look = style_of("GRU × HP")
    axes.plot(found.index, found, color=look.colour, marker=look.marker, label="online, GRU × HP")
    first = float(found.iloc[0])
    root = first * np.sqrt(found.index[0] / found.index.to_numpy(dtype=float))
    axes.plot(found.index, root, color=PAPER_COLOUR, linestyle="--", label="one over square root")
    axes.set(xscale="log", xlabel="users that prices are learnt from", ylabel="lower bounds missed (%)")
    axes.set_xticks(found.index.to_numpy(), [f"{n:g}" for n in found.index])
    _plain_ticks(axes, [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50])
    axes.legend()
    slope = float(np.polyfit(np.log(found.index.to_numpy(dtype=float)), np.log(np.maximum(found, 1e-9)), 1)[0])
    state_finding(figure, f"The shortfall falls with the number of users to the power {number(slope, 2)}")
    return Drawing(
        figure,
        "sample_size",
        f"Shortfall from {number(first, 1)} % with {found.index[0]:g} users to {number(float(found.iloc[-1]), 1)} % "
        f"with {found.index[-1]:g}.",
        "Share of the lower bounds (m = 0.7) that is not delivered to test users, prices from random subsets of the "
        "validation users, mean over draws on one seed; dashed: what sampling error alone would give. Where the "
        "curve lies above it, something else moves the prices.",
        pd.DataFrame({"users": found.index, "shortfall (%)": found.to_numpy(), "square root": root}),
    )
