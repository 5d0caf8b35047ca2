"""The figures beyond the paper: labels, degrees, worse graphs, variance of the pre-training, scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.giant_xrt.audits import GROUPS
from reprise.giant_xrt.figures import panel_each, sets_with, title_of
from reprise.giant_xrt.rules import FEW
from reprise.giant_xrt.scale import DIMENSIONS, STEPS, extrapolated
from reprise.method_styles import style_of
from reprise.numerals import difference, number
from reprise.plots import Drawing, along, draw_curve, keep_to_percent, measured, new_figure, state_finding
from reprise.rows import per_seed, select
from reprise.stats import Interval, paired_differences, t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ON_CURVES = ("GIANT", "GIANT, closed form", "SVD", "TF-IDF", "SVD, one hop")
BY_DEGREE = ("GIANT", "GIANT, one hop", "Link prediction", "SVD", "SVD, one hop")
WANTED_NODES = 1e8


def draw_label_curve(rows: pd.DataFrame) -> Drawing:
    """Draw accuracy against the number of training labels: the honest centre-piece."""
    figure, panels = panel_each(rows, experiment="labels", height=3.2)
    drawn: list[dict[str, Any]] = []
    changes = []
    for name, one in panels.items():
        here = select(rows, dataset=name, experiment="labels")
        budgets = sorted(here["labels"].unique(), key=_budget)
        drawn += _draw_side_by_side(one, here, ON_CURVES, "labels", budgets, apart=0.06, data_set=name)
        one.set_xticks(range(len(budgets)), [budget.removesuffix(" per class") for budget in budgets])
        one.set_xlabel("labels a class, or share of all nodes")
        changes.append((name, [(budget, _over_best(here, budget)) for budget in (budgets[0], budgets[-1])]))
    across = list(panels.values())
    across[0].set_ylabel("test accuracy of ridge (%)")
    across[-1].legend(loc="lower right", fontsize=7)
    words = [
        f"{title_of(name)} {' to '.join(f'{difference(gain)} ({budget})' for budget, gain in ends)}"
        for name, ends in changes
    ]
    smaller = [title_of(name) for name, ((_, first), (_, last)) in changes if last.high < first.low]
    where = f"is beyond doubt smaller on {', '.join(smaller)}" if smaller else "is nowhere beyond doubt smaller"
    state_finding(figure, f"With most labels GIANT's gain over plain features {where}. Points: {'; '.join(words)}")
    return Drawing(
        figure,
        "label_curve",
        f"The gain of GIANT over the better of TF-IDF and SVD goes with labels: {'; '.join(words)} points.",
        "Ridge on rows of length 1; means with 95 % t intervals over seeds. 'One hop' reads the graph at prediction, "
        "the "
        "others do not.",
        pd.DataFrame(drawn),
    )


def _budget(labels: str) -> float:
    return np.inf if labels.endswith("%") else float(labels.split()[0])


def _over_best(rows: pd.DataFrame, budget: str) -> Interval:
    """Return GIANT minus the better of TF-IDF and SVD with an amount of labels."""
    best = max(("TF-IDF", "SVD"), key=lambda name: float(per_seed(rows, method=name, labels=budget).mean()))
    return _over(rows, best, labels=budget)


def _over(rows: pd.DataFrame, rival: str, **conditions: Any) -> Interval:
    """Return GIANT minus a rival under the same conditions, paired over the seeds."""
    pair = (per_seed(rows, method=method, **conditions) for method in ("GIANT", rival))
    return t_interval(paired_differences(*pair))


def _draw_side_by_side(
    axes: Axes,
    rows: pd.DataFrame,
    methods: Sequence[str],
    column: str,
    groups: Sequence[str],
    *,
    apart: float,
    data_set: str,
) -> list[dict[str, Any]]:
    """Draw a curve a method over groups at 0, 1, …, each moved aside from the one before; return the numbers drawn."""
    drawn: list[dict[str, Any]] = []
    for shift, method in enumerate(methods):
        values = {place: measured(rows, method=method, **{column: group}) for place, group in enumerate(groups)}
        curve = draw_curve(axes, values, style=method, aside=apart * (shift - len(methods) // 2))
        drawn += [{"dataset": data_set, **line} for line in curve]
    return drawn


def draw_degrees(rows: pd.DataFrame) -> Drawing:
    """Draw accuracy by number of neighbours."""
    figure, panels = panel_each(rows, experiment="degrees", height=3.0)
    drawn: list[dict[str, Any]] = []
    words = []
    for name, one in panels.items():
        here = select(rows, dataset=name, experiment="degrees")
        drawn += _draw_side_by_side(one, here, BY_DEGREE, "group", list(GROUPS), apart=0.08, data_set=name)
        keep_to_percent(one, along="y")
        one.set_xticks(range(len(GROUPS)), GROUPS)
        one.set_xlabel("neighbours of the node")
        words.append(f"{title_of(name)} {difference(_over(here, 'SVD', group='isolated'))}")
    leftmost = next(iter(panels.values()))
    leftmost.set_ylabel("test accuracy of ridge (%)")
    leftmost.legend(loc="lower right", fontsize=7)
    state_finding(figure, f"GIANT − SVD on isolated nodes, points: {', '.join(words)}")
    return Drawing(
        figure,
        "degrees",
        f"Accuracy by degree; GIANT minus SVD on isolated nodes in points: {', '.join(words)}.",
        f"Ridge, {FEW}; means with 95 % t intervals over seeds. Isolated nodes took no part in the "
        "pre-training: the encoder learnt from the others' links. An MLP reads more out of link prediction's features "
        "than ridge does (see the sentence on link prediction).",
        pd.DataFrame(drawn),
    )


def draw_phase(rows: pd.DataFrame) -> Drawing:
    """Draw accuracy as homophily falls (drawn graphs) and as edges are taken away (real graphs)."""
    figure, panels = panel_each(rows, experiment="phase", height=2.9)
    drawn: list[dict[str, Any]] = []
    words = []
    for name, one in panels.items():
        here = select(rows, dataset=name, experiment="phase", labels=FEW)
        ats = sorted(here["at"].unique())
        for method in ("GIANT", "SVD, one hop", "SVD"):
            curve = along(here, ats, method=method)
            drawn += [{"dataset": name, **line} for line in draw_curve(one, curve, style=method)]
        drawn_graphs = name == "text-blocks"
        one.set_xlabel("share of draws inside the class" if drawn_graphs else "share of edges kept")
        gains = [f"{difference(_over(here, 'SVD', at=at))} at {number(at)}" for at in (ats[0], ats[-1])]
        words.append(f"{title_of(name)} {', '.join(gains)}")
    leftmost = next(iter(panels.values()))
    leftmost.set_ylabel("test accuracy of ridge (%)")
    leftmost.legend(loc="best")
    state_finding(figure, f"GIANT − SVD, points: {'; '.join(words)}")
    return Drawing(
        figure,
        "phase",
        f"Gain of GIANT over SVD as the graph gets worse, points: {'; '.join(words)}.",
        f"Ridge, {FEW}; means with 95 % t intervals over seeds. Drawn graphs: more and more homophily; real graphs: "
        "edges taken away at random before the pre-training. All pre-trainings make as many updates, at the rate "
        "chosen for the whole graph.",
        pd.DataFrame(drawn),
    )


def variance_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how much of the spread comes from the pre-training, by data set: two-way analysis of variance."""
    lines = []
    for name in sets_with(rows, experiment="variance"):
        here = select(rows, dataset=name, experiment="variance")
        grid = here.pivot(index="seed", columns="at", values="value")
        within, between = _spreads(grid.to_numpy())
        lines.append(
            {
                "data set": title_of(name),
                "pre-trainings": len(grid),
                "splits": len(grid.columns),
                "mean accuracy (%)": number(float(grid.to_numpy().mean()), 1),
                "sd over splits, one pre-training": number(within, 2),
                "sd over pre-trainings, one split": number(between, 2),
            }
        )
    return pd.DataFrame(lines)


def _spreads(grid: np.ndarray) -> tuple[float, float]:
    """Return the mean standard deviation along rows (splits) and along columns (pre-trainings)."""
    along_columns = float(grid.std(axis=0, ddof=1).mean()) if len(grid) > 1 else float("nan")
    return float(grid.std(axis=1, ddof=1).mean()), along_columns


def draw_scale(rows: pd.DataFrame) -> Drawing:
    """Draw seconds against the number of nodes, measured, and extrapolated to the paper's largest graph."""
    here = select(rows, experiment="scale")
    sizes = sorted(here["at"].unique())
    figure, axes = new_figure(columns=2, height=2.9)
    drawn: list[dict[str, Any]] = []
    for step in STEPS:
        look = style_of(step)
        for one, metric in zip(axes, ("seconds", "memory"), strict=True):
            values = [float(select(here, method=step, metric=metric, at=n)["value"].iloc[0]) for n in sizes]
            one.plot(sizes, values, color=look.colour, marker=look.marker, linestyle=look.dash, label=step)
            far = _far(values[-1], sizes[-1], metric, step)
            one.plot([sizes[-1], WANTED_NODES], [values[-1], far], color=look.colour, linestyle=":", linewidth=1)
            one.plot([WANTED_NODES], [far], marker=look.marker, markerfacecolor="white", color=look.colour)
            what = {"step": step, "metric": metric}
            found = zip(sizes, values, strict=True)
            drawn += [{**what, "nodes": n, "value": value, "kind": "measured"} for n, value in found]
            drawn.append({**what, "nodes": WANTED_NODES, "value": far, "kind": "extrapolated"})
    for one, label in zip(axes, ("CPU seconds, one thread", "peak memory (MiB)"), strict=True):
        one.set(xscale="log", yscale="log", xlabel="nodes", ylabel=label)
    axes[0].legend(loc="upper left", fontsize=7)
    data = pd.DataFrame(drawn)
    far = data[(data.kind == "extrapolated") & (data.metric == "seconds")]["value"].sum() / 3600
    peak = data[(data.kind == "extrapolated") & (data.metric == "memory")]["value"].max() / 1024
    last = data[(data.nodes == sizes[-1]) & (data.metric == "seconds")]["value"].sum()
    times, memories = (growth(data, metric) for metric in ("seconds", "memory"))
    state_finding(
        figure,
        f"{sizes[-1]:,.0f} nodes take {number(last, 0)} s. Time of the steps grows as n to the power "
        f"{number(min(times.values()), 2)} to {number(max(times.values()), 2)}: 10⁸ nodes take at least "
        f"{number(far, 1)} h and {number(peak, 0)} GiB",
    )
    exponents = "; ".join(f"{step} {number(times[step], 2)} and {number(memories[step], 2)}" for step in STEPS)
    return Drawing(
        figure,
        "scale",
        f"Time and memory over nodes; exponents of growth between the two largest sizes, time and memory: {exponents}. "
        f"{sizes[-1]:,.0f} nodes take {number(last, 0)} seconds, 10⁸ nodes at least {number(far, 1)} hours and "
        f"{number(peak, 0)} GiB.",
        "Solid: measured once a size (no interval) on synthetic graphs with ten neighbours and thirty words a node, "
        f"label vectors in {DIMENSIONS} dimensions. Dotted: a lower bound, linear in the nodes and, for the tree, in "
        "its depth, although growth was steeper: exponents of time and memory between the two largest sizes are "
        f"{exponents}. "
        "Memory is what a step allocates, with the graph and the texts, without what earlier steps left: the process "
        "holds more. Texts are projected before they are averaged; GiantFeaturizer averages the wide vectors first and "
        "needs more. Shortlists are those of true neighbours only.",
        data,
    )


def growth(data: pd.DataFrame, metric: str) -> dict[str, float]:
    """Return the exponent with which each step's cost grows, between the two largest sizes measured."""
    found = {}
    for step, group in data[(data.kind == "measured") & (data.metric == metric)].groupby("step", sort=False):
        last = group.sort_values("nodes").tail(2)
        costs, nodes = last["value"].to_numpy(dtype=float), last["nodes"].to_numpy(dtype=float)
        slope = np.log(costs[-1] / costs[0]) / np.log(nodes[-1] / nodes[0]) if len(last) == 2 else np.nan
        found[str(step)] = float(slope)
    return found


def _far(value: float, n: float, metric: str, step: str) -> float:
    if metric == "memory":
        return value * WANTED_NODES / n
    return extrapolated(value, int(n), WANTED_NODES, tree=step == "tree")
