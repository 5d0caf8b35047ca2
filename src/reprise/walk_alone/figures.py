"""Figures of the study: each takes tidy rows and returns a drawing with its alternative text, caption and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from reprise.method_styles import style_of
from reprise.numerals import number, percent
from reprise.plots import Drawing, as_data, interval_dots, new_figure, paper_marks, printed, state_finding
from reprise.rows import MissingRowsError, select
from reprise.stats import Interval
from reprise.walk_alone.resampling import Sample, interval_of, number_of_seeds, samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NETWORKS = ("Trajectron++", "Trajectron++Edge", "PECNet")
CUT, ALONE = "Trajectron++Edge, neighbours cut", "Trajectron++Edge, trained alone"
TITLES = {
    "eth-ucy": "ETH-UCY", "sdd": "SDD", "nba-sportvu": "SportVU", "alone": "world alone", "follow": "world follow",
    "repel": "world repel",
}  # fmt: skip
UNITS = {"sdd": "px", "nba-sportvu": "ft"}
PLAYERS = ("past", "interaction", "random max", "random")
PLAYER_LABELS = ("own past", "top neighbour", "top of as many strangers", "one stranger")
MOST_COLUMNS = 3
TAIL_THRESHOLD = 0.1
INTERVALS = "Intervals (95 %) resample training seeds and clusters of windows"


def unit_of(dataset: str) -> str:
    """Return the unit of length of a data set."""
    return UNITS.get(dataset, "m")


def loss_of(method: str) -> str:
    """Return which loss a method's shares are shares of."""
    return "min_ade" if method == "PECNet" else "nll"


def share_intervals(rows: pd.DataFrame, dataset: str, method: str) -> dict[str, Interval]:
    """Return the mean share of past, top neighbour and strangers with intervals."""
    how = {"dataset": dataset, "method": method, "experiment": "attribution", "loss": loss_of(method)}
    n = number_of_seeds(rows, dataset)
    return {name: interval_of(sample, n) for name, sample in samples(rows, PLAYERS, **how).items()}


def excess_over_past(rows: pd.DataFrame, dataset: str, method: str) -> Sample:
    """Return a sample of (top neighbour − top of as many strangers) / past."""
    how = {"dataset": dataset, "method": method, "experiment": "attribution", "loss": loss_of(method)}
    found = samples(rows, ("past", "interaction", "random max"), **how)
    return (found["interaction"] - found["random max"]) / found["past"]


def cases(rows: pd.DataFrame, datasets: Sequence[str], methods: Sequence[str] = NETWORKS) -> list[tuple[str, str]]:
    """Return the data sets and methods that have shares."""
    found = rows[rows["experiment"] == "attribution"]
    present = set(zip(found["dataset"], found["method"], strict=True))
    wanted = [(dataset, method) for dataset in datasets for method in methods]
    if not (kept := [case for case in wanted if case in present]):
        raise MissingRowsError("no attributed targets in this run")
    return kept


def draw_shares(rows: pd.DataFrame, datasets: Sequence[str]) -> Drawing:
    """Draw the central figure: what past, neighbours and strangers contribute, by data set and network."""
    found = {case: share_intervals(rows, *case) for case in cases(rows, datasets)}
    excess = {case: float(excess_over_past(rows, *case)[0]) for case in found}
    panels = list(dict.fromkeys(dataset for dataset, _ in found))
    figure, axes = new_figure(columns=len(panels), height=3.7, squeeze=False, sharey=True)
    drawn, words = [], []
    for one, panel in zip(axes[0], panels, strict=True):
        here = [case for case in found if case[0] == panel]
        for aside, case in zip(_asides(len(here)), here, strict=True):
            intervals = [found[case][name] for name in PLAYERS]
            interval_dots(one, np.arange(len(PLAYERS)) + aside, intervals, method=case[1])
            _write_estimates(one, np.arange(len(PLAYERS)) + aside, intervals, above=case == here[0])
            what = {"dataset": panel, "method": case[1]}
            drawn += [as_data(i, **what, player=p) for p, i in zip(PLAYERS, intervals, strict=True)]
            share = found[case]["interaction"].estimate / found[case]["past"].estimate
            beyond = number(100 * excess[case], 0, signed=True)
            words.append(
                f"{TITLES[panel]}, {case[1]}: top neighbour {number(100 * share, 0)} % of the past, {beyond} % beyond "
                "the top stranger"
            )
        one.axvline(0, color="#9A9A9A", linewidth=0.8)
        one.set_xscale("symlog", linthresh=1.0)
        one.set(title=TITLES[panel], xlabel="−minADE (px)" if panel == "sdd" else "−NLL (nats)")
        _clear_ticks(one, 1.0)
        one.margins(x=0.22)
    axes[0][0].set_yticks(range(len(PLAYERS)), PLAYER_LABELS)
    axes[0][0].set_ylim(len(PLAYERS) - 0.4, -0.6)
    _name_methods(figure, [method for _, method in found])
    largest = max(excess, key=excess.__getitem__)
    beyond = f"{number(100 * excess[largest], 0, signed=True)} % of the past ({TITLES[largest[0]]}, {largest[1]})"
    state_finding(figure, f"Top neighbour minus top of as many strangers: at most {beyond}")
    caption = (
        "Mean Shapley values per target, written at the dots; the axis is linear up to 1 and "
        "logarithmic beyond. “Top neighbour” is the largest of the neighbours' shares; its fairer null is the largest "
        f"among as many strangers. {INTERVALS}."
    )
    return Drawing(figure, "shares", "; ".join(words) + ".", caption, pd.DataFrame(drawn))


def _write_estimates(axes: Axes, places: Sequence[float], intervals: Sequence[Interval], *, above: bool) -> None:
    for place, interval in zip(places, intervals, strict=True):
        text = number(interval.estimate, 1 if abs(interval.estimate) >= 10 else 2)
        aside, side = (3.5, "bottom") if above else (-4, "top")
        axes.annotate(
            text, (interval.estimate, place), xytext=(0, aside), textcoords="offset points", ha="center", va=side,
            fontsize=6.5,
        )  # fmt: skip


def _name_methods(figure: Figure, methods: Sequence[str]) -> None:
    """Write one legend of methods for all panels, below them."""
    handles = [
        Line2D([], [], color=style_of(m).colour, marker=style_of(m).marker, linestyle="", label=m)
        for m in dict.fromkeys(methods)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(3, len(handles)), fontsize=7.5)


def _clear_ticks(axes: Axes, threshold: float) -> None:
    """Place few ticks on an axis that is linear up to a threshold: 0 and powers of ten that do not collide."""
    low, high = axes.get_xlim()
    powers = threshold * 10.0 ** np.arange(8)
    powers = powers[powers <= max(-low, high)]
    step = 2 if low < -10 * threshold or len(powers) > 4 else 1
    ticks = sorted({0.0, *powers[::step], *(-powers[::step])})
    kept = [tick for tick in ticks if low <= tick <= high]
    axes.set_xticks(kept, [number(tick) for tick in kept], fontsize=7)
    axes.xaxis.set_minor_locator(NullLocator())


def _asides(n: int) -> np.ndarray:
    return (np.arange(n) - (n - 1) / 2) * 0.22


def draw_with_without(rows: pd.DataFrame, published: pd.DataFrame, datasets: Sequence[str]) -> Drawing:
    """Draw errors with and without neighbours at test time as pairs, the paper's values beside them."""
    methods = (*NETWORKS, CUT, ALONE)
    have = rows[rows["experiment"] == "accuracy by cluster"]
    pairs = [(d, m) for d in datasets for m in methods if ((have["dataset"] == d) & (have["method"] == m)).any()]
    if not pairs:
        raise MissingRowsError("no errors with and without neighbours in this run")
    panels = list(dict.fromkeys(dataset for dataset, _ in pairs))
    figure, axes = new_figure(columns=len(panels), height=3.2, squeeze=False)
    marks = {(d, m, how): _paper(published, rows, d, m, how) for d, m in pairs for how in ("with", "without")}
    drawn, words = [], []
    for one, panel in zip(axes[0], panels, strict=True):
        here = [method for dataset, method in pairs if dataset == panel]
        found = {
            (method, how): interval
            for method in here
            for how in ("with", "without")
            if (interval := _error(rows, panel, method, how)) is not None
        }
        _draw_pairs(one, here, found, {key: marks[panel, *key] for key in found})
        drawn += [
            as_data(i, dataset=panel, method=m, neighbours=how, paper=marks[panel, m, how])
            for (m, how), i in found.items()
        ]
        for method in here:
            if {(method, "with"), (method, "without")} <= set(found):
                change = _relative_change(rows, panel, method)
                words.append((abs(change.estimate), f"{TITLES[panel]}, {method}", change))
        one.margins(x=0.14)
        one.set(title=TITLES[panel], xlabel=f"minFDE of 20 ({unit_of(panel)})")
    _, where, change = max(words)
    state_finding(figure, f"Neighbours cut: minFDE changes by up to {percent(change)} ({where})")
    caption = (
        f"minFDE with all neighbours (filled) and with all cut (open). {_diamonds(rows, marks)}"
        f"PECNet's destination does not depend on neighbours. {INTERVALS}."
    )
    alt = "Change of minFDE without neighbours: " + "; ".join(f"{what}: {percent(i)}" for _, what, i in words) + "."
    return Drawing(figure, "with_without", alt, caption, pd.DataFrame(drawn))


def _relative_change(rows: pd.DataFrame, dataset: str, method: str) -> Interval:
    how = {"dataset": dataset, "method": method, "experiment": "accuracy by cluster"}
    with_all, without = (
        samples(rows, ("min_fde",), neighbours=which, **how)["min_fde"] for which in ("with", "without")
    )
    return interval_of(without / with_all - 1, number_of_seeds(rows, dataset))


def _error(rows: pd.DataFrame, dataset: str, method: str, neighbours: str) -> Interval | None:
    how = {"dataset": dataset, "method": method, "experiment": "accuracy by cluster", "neighbours": neighbours}
    try:
        return interval_of(samples(rows, ("min_fde",), **how)["min_fde"], number_of_seeds(rows, dataset))
    except MissingRowsError:
        return None


def _splits(rows: pd.DataFrame, dataset: str) -> list[str]:
    return sorted(set(rows.loc[rows["dataset"] == dataset, "split"]))


def _paper(published: pd.DataFrame, rows: pd.DataFrame, dataset: str, method: str, neighbours: str) -> float | None:
    """Return the value of Table 1 for the tested parts of the run; for ETH-UCY it prints the mean of its folds only."""
    how = {"dataset": dataset, "method": method, "metric": "min_fde", "neighbours": neighbours, "source": "Table 1"}
    splits = ["five folds"] if dataset == "eth-ucy" else _splits(rows, dataset)
    return next((value for split in splits if (value := printed(published, split=split, **how)) is not None), None)


def _diamonds(rows: pd.DataFrame, marks: dict[tuple[str, str, str], float | None]) -> str:
    """Say what the diamonds are; empty if there are none."""
    drawn = {dataset for (dataset, _, _), value in marks.items() if value is not None}
    what = []
    if "eth-ucy" in drawn:
        folds = _splits(rows, "eth-ucy")
        what.append(f"on ETH-UCY its mean of five folds, beside {', '.join(folds)} here")
    if "nba-sportvu" in drawn:
        what.append("on SportVU its own games")
    shown = {dataset for dataset, _, _ in marks}
    missing = " What it has for SDD is not known to us." if "sdd" in shown - drawn else ""
    return f"Diamonds: Table 1 of the paper; {'; '.join(what)}.{missing} " if what else ""


def _draw_pairs(
    axes: Axes,
    methods: Sequence[str],
    found: dict[tuple[str, str], Interval],
    paper: dict[tuple[str, str], float | None],
) -> None:
    for (method, how), interval in found.items():
        place = methods.index(method) + (0.14 if how == "without" else -0.14)
        look = style_of(method)
        spread = [[interval.estimate - interval.low], [interval.high - interval.estimate]]
        face = look.colour if how == "with" else "white"
        axes.errorbar(
            [interval.estimate], [place], xerr=spread, marker=look.marker, color=look.colour, capsize=2.5,
            markerfacecolor=face, linestyle="",
        )  # fmt: skip
        if (mark := paper[method, how]) is not None:
            paper_marks(axes, [mark], [place], label=False)
    names = [_short(method).replace(", ", ",\n") for method in methods]
    axes.set_yticks(range(len(methods)), names, fontsize=7.5)
    axes.set_ylim(len(methods) - 0.5, -0.5)


def draw_tails(rows: pd.DataFrame, datasets: Sequence[str]) -> Drawing:
    """Draw the distribution over targets of the top neighbour's share and of the top stranger's."""
    shown = cases(rows, datasets)
    panels = list(dict.fromkeys(dataset for dataset, _ in shown))
    n_columns = min(MOST_COLUMNS, len(panels))
    n_rows = -(-len(panels) // n_columns)
    figure, axes = new_figure(rows=n_rows, columns=n_columns, height=1.0 + 2.1 * n_rows, squeeze=False, sharey=True)
    labelled: dict[str, Line2D] = {}
    drawn, words = [], []
    for one, panel in zip(axes.flat, panels, strict=False):
        for method in [m for d, m in shown if d == panel]:
            how = {"dataset": panel, "method": method, "experiment": "attribution", "loss": loss_of(method)}
            ends = {}
            for metric, dash in (("interaction", "-"), ("random max", ":")):
                values = np.sort(select(rows, metric=metric, **how)["value"].to_numpy())
                share = np.arange(1, len(values) + 1) / len(values)
                (line,) = one.plot(values, share, dash, color=style_of(method).colour)
                labelled.setdefault(f"{_short(method)}, {_source(metric)}", line)
                ends[metric] = float(np.quantile(values, 0.9))
                for quantile in (0.1, 0.25, 0.5, 0.75, 0.9, 0.99):
                    at = float(np.quantile(values, quantile))
                    drawn.append({"dataset": panel, "method": method, "of": metric, "quantile": quantile, "value": at})
            gap = ends["interaction"] - ends["random max"]
            size = f"{number(gap, 2, signed=True)} {_unit_of_share(panel)}"
            words.append((abs(gap), f"{TITLES[panel]}, {method}: {size}"))
        one.set_xscale("symlog", linthresh=TAIL_THRESHOLD)
        one.set(title=TITLES[panel], xlabel=f"largest share ({_unit_of_share(panel)})")
        _clear_ticks(one, TAIL_THRESHOLD)
    for one in axes.flat[len(panels) :]:
        one.set_axis_off()
    for one in axes[:, 0]:
        one.set_ylabel("share of targets")
    if len(panels) < axes.size:
        axes.flat[-1].legend(labelled.values(), labelled.keys(), loc="center", fontsize=7.5)
    else:
        figure.legend(labelled.values(), labelled.keys(), loc="outside lower center", ncols=2, fontsize=7.5)
    state_finding(figure, f"At the 90 % quantile real and random differ most for {max(words)[1]}")
    alt = "90 % quantile of the top neighbour's share minus the top stranger's: " + "; ".join(w for _, w in words) + "."
    caption = (
        "Empirical distribution over targets and seeds; solid: neighbours, dotted: as many strangers. Axes are linear "
        f"between ±{TAIL_THRESHOLD:g} and logarithmic beyond."
    )
    return Drawing(figure, "tails", alt, caption, pd.DataFrame(drawn))


def _unit_of_share(dataset: str) -> str:
    return "px" if dataset == "sdd" else "nats"


def _short(method: str) -> str:
    return method.replace("Trajectron++", "T++")


def _source(metric: str) -> str:
    return "neighbours" if metric == "interaction" else "strangers"
