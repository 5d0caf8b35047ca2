"""Figures of both rankings: the lift by activity models, both axes at once, calibration, and kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.method_styles import style_of
from reprise.numerals import number
from reprise.plots import (
    Drawing,
    as_data,
    interval_dots,
    measured,
    name_lines,
    new_figure,
    paper_marks,
    printed,
    state_finding,
)
from reprise.rim.activity import FURTHER_MODELS
from reprise.rim.claims import FACTORS
from reprise.rim.comparisons import ITEM_REC, USER_REC, Resampled, ranked
from reprise.rim.data import EMBEDDED, MANY_MOVIES, MOVIES, RETAIL
from reprise.rows import MissingRowsError, select
from reprise.stats import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = {
    EMBEDDED: "shoppers (generated)",
    MOVIES: "MovieLens 100K",
    MANY_MOVIES: "MovieLens 1M",
    RETAIL: "Online Retail",
}
COMPARED_FACTORS = (*FACTORS, *FURTHER_MODELS, "true intensity")
LIFTED = (
    *(f"GRU × {factor}" for factor in FACTORS),
    "GRU × HP of other users",
    "GRU × true counts",
    *("Transformer", "Transformer × HP"),
    *("ItemPop × UserPop", "ItemPop × HP", "ALS", "ALS × HP"),
)
BOTH_AXES = (
    "GRU", *(f"GRU × {f}" for f in FACTORS), "Transformer", *(f"Transformer × {f}" for f in FACTORS),
    "ItemPop × UserPop", "ItemPop × HP", "ALS", "ALS × HP", "LogisticMF", "BPR-Item", "BPR-User",
    "BPR, both kinds of negatives", "GraphConv", "GraphConv-Extra", "LDA",
)  # fmt: skip
PAPERS_SET = MANY_MOVIES


def title_of(data_set: object) -> str:
    """Return how a data set is called in figures."""
    return TITLES.get(str(data_set), str(data_set))


def found(rows: pd.DataFrame, data_set: str, task: str, method: str) -> Resampled | None:
    """Return a method's precision, None where the run has none."""
    try:
        return ranked(rows, data_set, task, method)
    except MissingRowsError:
        return None


def base_of(method: str) -> str:
    """Return the mark model of a method: its items do not depend on the activity model."""
    return method.split(" × ")[0]


def seeds_of(rows: pd.DataFrame, data_set: str) -> int:
    """Return how many seeds a data set was run with."""
    return int(select(rows, dataset=data_set)["seed"].nunique())


def panels(n_panels: int, *, height: float, **options: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels side by side."""
    figure, axes = new_figure(columns=n_panels, height=height, squeeze=False, **options)
    return figure, list(axes[0])


def draw_lift(rows: pd.DataFrame, published: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw UserRec precision over that of the plain GRU: ours by data set, and the paper's on MovieLens 1M."""
    present = [name for name in data_sets if found(rows, name, USER_REC, "GRU")]
    lines = [m for m in LIFTED if any(found(rows, name, USER_REC, m) for name in present)]
    figure, axes = panels(len(present), height=0.27 * len(lines) + 1.2, sharey=True)
    drawn: list[dict[str, Any]] = []
    how = {"dataset": PAPERS_SET, "part": "ranking", "task": USER_REC, "metric": "precision (%)"}
    plain = printed(published, method="GRU", **how)
    for one, name in zip(axes, present, strict=True):
        drawn += _draw_ratios(one, rows, name, lines)
        # The paper's films beside invoices would compare two sites, not two runs.
        if plain and name != RETAIL:
            marks = {m: printed(published, method=m, **how) for m in lines}
            shown = {m: value / plain for m, value in marks.items() if value is not None}
            paper_marks(one, list(shown.values()), [lines.index(m) for m in shown])
        one.axvline(1, color="black", linewidth=0.8)
        one.set_title(title_of(name))
        name_lines(one, lines)
    figure.supxlabel("UserRec precision over that of the plain GRU (ratio)", fontsize=9)
    data = pd.DataFrame(drawn)
    hp = data[data["method"] == "GRU × HP"]
    words = [f"{number(ratio, 2)} on {title_of(name)}" for name, ratio in zip(hp["dataset"], hp["mean"], strict=True)]
    state_finding(
        figure, f"HP multiplies the GRU's UserRec precision by {' and by '.join(words)}{_harmed(rows, present)}"
    )
    return Drawing(
        figure,
        "lift",
        f"Ratio of UserRec precision to the plain GRU's: GRU × HP {'; '.join(words)}.",
        "Precision of user recommendation (users for one per cent) over that of the GRU alone. Dots: ours, mean over "
        f"{_seeds_in_words(rows, present)}, 95 % intervals from resampled items; grey diamonds: the paper's, on "
        "MovieLens 1M, read off a figure (± 0.0003 in precision), and not drawn beside Online Retail, another site.",
        data,
    )


def _draw_ratios(axes: Axes, rows: pd.DataFrame, name: str, lines: Sequence[str]) -> list[dict[str, Any]]:
    plain = ranked(rows, name, USER_REC, "GRU")
    drawn = []
    for place, method in enumerate(lines):
        value = found(rows, name, USER_REC, method)
        if value is None:
            continue
        interval = value.over(plain).interval()
        interval_dots(axes, [place], [interval], method=method)
        drawn.append(as_data(interval, dataset=name, method=method))
    return drawn


def _harmed(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say on which data sets HP lowers the UserRec precision of ALS; nothing if on none."""
    words = []
    for name in data_sets:
        alone, product = (found(rows, name, USER_REC, method) for method in ("ALS", "ALS × HP"))
        if alone and product and product.over(alone).interval().below(1):
            words.append(f"by {number(float(product.over(alone).values[0]), 2)} on {title_of(name)}")
    return f"; that of ALS {' and '.join(words)}" if words else ""


def _seeds_in_words(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    numbers = sorted({seeds_of(rows, name) for name in data_sets})
    return f"{' or '.join(map(str, numbers))} seeds"


def draw_both_axes(rows: pd.DataFrame, published: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw ItemRec against UserRec precision, as the paper's figure does; with the paper's own in a panel beside."""
    present = [name for name in data_sets if found(rows, name, USER_REC, "GRU")]
    figure, axes = panels(len(present) + 1, height=3.4)
    drawn: list[dict[str, Any]] = []
    for one, name in zip(axes, present, strict=False):
        for method in BOTH_AXES:
            items, users = found(rows, name, ITEM_REC, base_of(method)), found(rows, name, USER_REC, method)
            if items is None or users is None:
                continue
            x, y = items.interval(), users.interval()
            _cross(one, x, y, method)
            drawn.append({"dataset": name, "method": method, "ItemRec": x.estimate, "UserRec": y.estimate})
        one.set_title(title_of(name))
    drawn += _draw_papers_axes(axes[-1], published)
    for one in axes:
        one.set(xlim=(0, None), ylim=(0, None), xlabel="ItemRec precision (%)")
    axes[0].set_ylabel("UserRec precision (%)")
    _legend(figure, [d["method"] for d in drawn])
    data = pd.DataFrame(drawn)
    best = {n: data[data["dataset"] == n].sort_values("UserRec").iloc[-1]["method"] for n in present}
    words = ", ".join(f"{method} ({title_of(name)})" for name, method in best.items())
    state_finding(figure, f"Other users, the same items. Highest in UserRec: {words}")
    return Drawing(
        figure,
        "both_axes",
        f"ItemRec against UserRec precision. Highest in UserRec: {words}.",
        "Shape: mark model; colour: activity model; whiskers: 95 % intervals from resampled users (ItemRec) and items "
        "(UserRec). Last panel: the paper's values, read off its released figure, without intervals.",
        data,
    )


def _cross(axes: Axes, x: Interval, y: Interval, method: str) -> None:
    look = style_of(method)
    axes.errorbar(
        x.estimate,
        y.estimate,
        xerr=[[x.estimate - x.low], [x.high - x.estimate]],
        yerr=[[y.estimate - y.low], [y.high - y.estimate]],
        marker=look.marker,
        color=look.colour,
        linestyle="",
        markersize=5,
        elinewidth=0.7,
    )


def _draw_papers_axes(axes: Axes, published: pd.DataFrame) -> list[dict[str, Any]]:
    how = {"dataset": PAPERS_SET, "part": "ranking", "metric": "precision (%)"}
    drawn = []
    for method in BOTH_AXES:
        x = printed(published, method=base_of(method), task=ITEM_REC, **how)
        y = printed(published, method=method, task=USER_REC, **how)
        if x is not None and y is not None:
            look = style_of(method)
            axes.plot(x, y, marker=look.marker, color=look.colour, linestyle="", markersize=5, markerfacecolor="none")
            drawn.append({"dataset": "paper, movielens-1m", "method": method, "ItemRec": x, "UserRec": y})
    axes.set_title("MovieLens 1M, paper")
    return drawn


def _legend(figure: Figure, methods: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = []
    for method in (m for m in BOTH_AXES if m in methods):
        look = style_of(method)
        handles.append(Line2D([], [], marker=look.marker, color=look.colour, linestyle="", markersize=5, label=method))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=7, handletextpad=0.2)


CALIBRATED = ("HP", "Hawkes, integrated", "count and recency", "boosted counts")


def draw_calibration(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the mean future count against the mean predicted one, by decile of the prediction."""
    present = [name for name in data_sets if measured(rows, dataset=name, part="calibration") is not None]
    figure, axes = panels(len(present), height=2.9)
    drawn: list[dict[str, Any]] = []
    for one, name in zip(axes, present, strict=True):
        for model in CALIBRATED:
            how = {"dataset": name, "part": "calibration", "method": model}
            mean = {
                m: select(rows, metric=m, **how).groupby("at")["value"].mean() for m in ("mean predicted", "mean count")
            }
            look = style_of(f"GRU × {model}")
            one.plot(
                mean["mean predicted"],
                mean["mean count"],
                color=look.colour,
                linestyle=look.dash,
                marker=".",
                label=model,
            )
            drawn += [
                {"dataset": name, "model": model, "decile": d, "predicted": p, "count": c}
                for d, p, c in zip(mean["mean count"].index, mean["mean predicted"], mean["mean count"], strict=True)
            ]
        top = max(one.get_xlim()[1], one.get_ylim()[1])
        one.plot([0, top], [0, top], color="black", linewidth=0.8)
        one.set(title=title_of(name), xscale="symlog", yscale="symlog", xlim=(0, None), ylim=(0, None))
    axes[0].set_ylabel("mean events within the horizon")
    axes[0].legend(fontsize=7)
    figure.supxlabel("mean predicted (decile of users)", fontsize=9)
    data = pd.DataFrame(drawn)
    words = []
    for name, group in data[data["model"] == "HP"].groupby("dataset", sort=False):
        first, last = group.sort_values("decile").iloc[[0, -1]].to_dict("records")
        ends = [f"{number(one['predicted'], 2)} predicted, {number(one['count'], 2)} counted" for one in (first, last)]
        words.append(f"{title_of(name)}: {'; '.join(ends)}")
    state_finding(figure, f"HP in its lowest and highest decile. {'. '.join(words)}")
    return Drawing(
        figure,
        "calibration",
        f"Mean count against mean prediction by decile. Lowest and highest decile of HP: {'. '.join(words)}.",
        f"Ten groups of users by predicted number of events; means over {_seeds_in_words(rows, present)}; black: "
        "perfect calibration. Axes are linear up to 1 and logarithmic beyond.",
        data,
    )


def share_of_longest(rows: pd.DataFrame, data_set: str, model: str = "HP") -> float:
    """Return the share of a model's kernel weight that lies on the longest scale of the grid, mean over seeds."""
    weights = select(rows, dataset=data_set, part="kernel", method=model, metric="kernel weight")
    mean = weights.groupby("at")["value"].mean()
    return float(mean.iloc[-1] / mean.sum()) if mean.sum() > 0 else 0.0


def draw_kernels(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw what an event a time ago adds to the intensity: the fitted kernels of Hawkes and HP."""
    present = [name for name in data_sets if measured(rows, dataset=name, part="kernel") is not None]
    figure, axes = panels(len(present), height=2.9)
    delays = np.logspace(-4, 1, 120)
    drawn: list[dict[str, Any]] = []
    words = []
    for one, name in zip(axes, present, strict=True):
        for model in ("Hawkes", "HP"):
            chosen = select(rows, dataset=name, part="kernel", method=model, metric="kernel weight")
            weights = chosen.groupby("at")["value"].mean()
            rates = 1 / weights.index.to_numpy(dtype=float)
            kernel = (weights.to_numpy() * rates * np.exp(-delays[:, None] * rates)).sum(1)
            look = style_of(f"GRU × {model}")
            one.plot(delays, np.maximum(kernel, 1e-4), color=look.colour, linestyle=look.dash, label=model)
            drawn += [
                {"dataset": name, "model": model, "delay": d, "kernel": k} for d, k in zip(delays, kernel, strict=True)
            ]
            if model == "HP":
                words.append(f"{number(100 * share_of_longest(rows, name), 0)} % on {title_of(name)}")
        one.set(title=title_of(name), xscale="log", yscale="log", ylim=(1e-3, None))
    axes[0].legend()
    axes[0].set_ylabel("added intensity per horizon")
    figure.supxlabel("time since the event (horizons)", fontsize=9)
    state_finding(figure, f"HP's weight on the longest scale of the grid: {', '.join(words)}")
    return Drawing(
        figure,
        "kernels",
        f"Fitted kernels on double logarithmic axes. Share of HP's weight on the longest scale: {', '.join(words)}.",
        "Sum of fifty exponential kernels, weights averaged over seeds; Hawkes predicts the intensity at the "
        "present, HP the count within the horizon. The scales end at ten horizons. Values below 0.001 are not shown.",
        pd.DataFrame(drawn),
    )


def draw_further(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw other activity models against HP."""
    present = [name for name in data_sets if found(rows, name, USER_REC, "GRU × HP")]
    lines = [
        factor for factor in COMPARED_FACTORS
        if factor != "HP" and any(found(rows, name, USER_REC, f"GRU × {factor}") for name in present)
    ]  # fmt: skip
    figure, axes = panels(len(present), height=0.27 * len(lines) + 1.2, sharey=True)
    drawn: list[dict[str, Any]] = []
    words = []
    for one, name in zip(axes, present, strict=True):
        hp = ranked(rows, name, USER_REC, "GRU × HP")
        better = []
        for place, factor in enumerate(lines):
            value = found(rows, name, USER_REC, f"GRU × {factor}")
            if value is None:
                continue
            interval = value.over(hp).interval()
            interval_dots(one, [place], [interval], method=f"GRU × {factor}")
            drawn.append(as_data(interval, dataset=name, factor=factor))
            better += [factor] if interval.above(1) and factor != "true intensity" else []
        one.axvline(1, color="black", linewidth=0.8)
        one.set_title(title_of(name))
        name_lines(one, lines)
        words.append(f"{title_of(name)}: {'; '.join(better) or 'none'}")
    figure.supxlabel("UserRec precision of GRU × factor over GRU × HP (ratio)", fontsize=9)
    state_finding(figure, f"Better than HP by items resampled. {'. '.join(words)}")
    return Drawing(
        figure,
        "further",
        f"Ratio of UserRec precision to that with HP. Better than HP by items resampled. {'. '.join(words)}.",
        f"Mean over {_seeds_in_words(rows, present)}, 95 % intervals from resampled items.",
        pd.DataFrame(drawn),
    )
