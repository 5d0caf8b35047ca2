"""The gain of GIANT over amounts of labels and graphs, beside what the theory of label vectors predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.giant_xrt.figures import panel_each, title_of
from reprise.numerals import number
from reprise.plots import Drawing, as_data, state_finding
from reprise.rows import per_seed, select
from reprise.stats import Interval, paired_differences, t_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

PLAIN = ("TF-IDF", "SVD")
N_CLASSES = {"text-blocks": 8, "citeseer-text": 6}


def contrast(homophily: float, n_classes: int) -> float:
    """Return δ = (p − q)/(p + (K − 1)q) of K classes with edge probabilities p inside and q across.

    With h = p/(p + (K − 1)q), the share of edges inside, δ = (Kh − 1)/(K − 1); for two classes (p − q)/(p + q).

    Examples
    --------
    >>> contrast(0.75, 2), contrast(0.25, 4)
    (0.5, 0.0)
    """
    return (n_classes * homophily - 1) / (n_classes - 1)


def gain_over_plain(rows: pd.DataFrame, **conditions: Any) -> Interval:
    """Return GIANT minus the better of TF-IDF and SVD, paired over the seeds, points."""
    values = {name: per_seed(rows, method=name, **conditions) for name in (*PLAIN, "GIANT")}
    best = max(PLAIN, key=lambda name: float(values[name].mean()))
    return t_interval(paired_differences(values["GIANT"], values[best]))


def draw_diagram(rows: pd.DataFrame) -> Drawing:
    """Draw the gain over plain features for every amount of labels and every graph of the sweeps."""
    figure, panels = panel_each(rows, experiment="phase", height=3.4)
    drawn: list[dict[str, Any]] = []
    words = []
    tables = {name: _table(select(rows, dataset=name, experiment="phase"), name) for name in panels}
    largest = max(abs(line["mean"]) for table in tables.values() for line in table)
    image: Any = None
    for name, one in panels.items():
        table = pd.DataFrame(tables[name])
        drawn += tables[name]
        image = _draw_panel(one, table, largest)
        one.set_xlabel("share of draws inside the class" if name == "text-blocks" else "share of edges kept")
        words.append(f"{title_of(name)} {_signs(table)}")
    next(iter(panels.values())).set_ylabel("labels a class, or share of all nodes")
    figure.colorbar(image, ax=list(panels.values()), label="gain (points)", shrink=0.8)
    state_finding(figure, f"Where GIANT gains over plain features. {'; '.join(words)}")
    return Drawing(
        figure,
        "diagram",
        f"Gain of GIANT over the better of TF-IDF and SVD by labels and graph. {'; '.join(words)}.",
        "Ridge, mean differences in points over paired seeds; in brackets where the 95 % t interval contains 0. The "
        "line stands where δ√D = 1, below which (left) the theory lets averaging over neighbours lose: δ from the "
        "share of edges inside classes as if all other classes were alike, D the mean degree.",
        pd.DataFrame(drawn),
    )


def _table(rows: pd.DataFrame, data_set: str) -> list[dict[str, Any]]:
    accuracies = select(rows, metric="accuracy")
    lines = []
    for at in sorted(rows["at"].unique()):
        graph = select(rows, metric="homophily", at=at)
        delta = contrast(float(graph["value"].mean()), N_CLASSES[data_set])
        strength = delta * np.sqrt(float(graph["mean_degree"].mean()))
        for labels in sorted(accuracies["labels"].unique(), key=_budget):
            one = gain_over_plain(accuracies, at=at, labels=labels)
            lines.append(as_data(one, dataset=data_set, at=at, labels=labels, strength=strength))
    return lines


def _budget(labels: str) -> float:
    return np.inf if labels.endswith("%") else float(labels.split()[0])


def _draw_panel(axes: Axes, table: pd.DataFrame, largest: float) -> Any:
    budgets, ats = list(table["labels"].unique()), list(table["at"].unique())
    grid = table["mean"].to_numpy().reshape(len(ats), len(budgets)).T
    image = axes.imshow(grid, cmap="RdBu", vmin=-largest, vmax=largest, aspect="auto", origin="lower")
    for line in table.itertuples():
        text = number(line.mean, 0, signed=True)
        certain = line.low > 0 or line.high < 0
        dark = abs(line.mean) > 0.6 * largest
        shown = text if certain else f"({text})"
        place = ats.index(line.at), budgets.index(line.labels)
        axes.text(*place, shown, ha="center", va="center", fontsize=8, color="white" if dark else "black")
    strengths = table.groupby("at")["strength"].first()
    axes.set_xticks(range(len(ats)), [f"{at:g}\nδ√D {number(strengths[at], 1)}" for at in ats])
    axes.set_yticks(range(len(budgets)), [budget.removesuffix(" per class") for budget in budgets])
    axes.grid(visible=False)
    pays_from = crossing(list(strengths))
    if pays_from is not None:
        axes.axvline(pays_from, color="black", linewidth=1.5, linestyle="--")
    return image


def crossing(strengths: Sequence[float]) -> float | None:
    """Return the place between columns 0, 1, … at which rising values pass 1; None if they do not."""
    values = np.asarray(strengths)
    after = int(np.searchsorted(values, 1.0))
    if not 0 < after < len(values):
        return None
    low, high = values[after - 1], values[after]
    return after - 1 + float((1 - low) / (high - low))


def _signs(table: pd.DataFrame) -> str:
    """Count the cells in which GIANT gains, and loses, beyond doubt."""
    if (table["n"] == 1).all():
        return "has one seed, which decides no cell"
    better, worse = int((table["low"] > 0).sum()), int((table["high"] < 0).sum())
    return f"gains in {better}, loses in {worse} of {len(table)} cells beyond doubt"
