"""House style of the figures: one colour, marker and dash per method across the book, intervals, the paper's marks.

What is drawn comes from rows: `measured`, `defined`, `printed`, `measured_lines` and `along` look values up, and give
None where a run has none; `draw_dots` and `draw_curve` draw them and return the numbers drawn, the figure's CSV.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reprise.errors import unknown_name
from reprise.rows import MissingRowsError, per_seed, select

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from reprise.stats import Interval

TEXT_WIDTH = 6.3
HALF_WIDTH = 3.1
HEIGHT_RATIO = 0.62
PAPER_COLOUR = "#595959"

# Okabe and Ito's palette, told apart with all common forms of colour blindness.
BLUE, SKY, GREEN, YELLOW = "#0072B2", "#56B4E9", "#009E73", "#F0E442"
ORANGE, VERMILION, PURPLE, BLACK = "#E69F00", "#D55E00", "#CC79A7", "#000000"
GREY = "#7F7F7F"


@dataclass(frozen=True)
class MethodStyle:
    """How a method is drawn in every figure of the book.

    Attributes
    ----------
    colour
        Hexadecimal colour.
    marker
        Matplotlib marker; differs wherever colours could be confused.
    dash
        Matplotlib line style.
    """

    colour: str
    marker: str
    dash: Any = "-"


@dataclass(frozen=True)
class Drawing:
    """A figure with all that has to travel with it.

    Attributes
    ----------
    figure
        The drawn figure.
    name
        File name of its data, unique in the chapter.
    alt
        Alternative text: a sentence with the finding, computed from the data.
    caption
        What is shown, how many seeds, which interval.
    data
        The numbers drawn.
    """

    figure: Figure
    name: str
    alt: str
    caption: str
    data: pd.DataFrame


@dataclass(frozen=True)
class Line:
    """One line of a dot plot, or one curve: how it is named, in which style it is drawn, and which rows it shows."""

    label: str
    style: str
    conditions: Mapping[str, Any]


# How every method of the book looks, by field: fields never meet in one figure, so that looks may repeat between them.
# The method under test is always blue; what a baseline is called and looks like stays the same in all chapters.
METHODS_BY_FIELD: dict[str, dict[str, MethodStyle]] = {
    "domain adaptation": {
        "GRDA": MethodStyle(BLUE, "o"),
        "GRDA, row-paired": MethodStyle(SKY, "D", (0, (4, 1))),
        "Source-only": MethodStyle(GREY, "X", (0, (1, 1))),
        "DANN": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "CDANN": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "ADDA": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "MDD": MethodStyle(PURPLE, "P", (0, (2, 1))),
        "CORAL": MethodStyle("#8C6D31", "d", (0, (1, 2))),
        "Logistic regression": MethodStyle("#BFBFBF", "h", (0, (1, 1))),
        "Hop-by-hop self-training": MethodStyle(BLACK, "*", (0, (6, 1))),
        "Seasonal linear map": MethodStyle("#5B3A8C", "p", (0, (6, 2))),
        "Linear map": MethodStyle("#A6A6A6", "<", (0, (2, 2))),
        "Climatology": MethodStyle("#8F8F8F", ">", (0, (1, 3))),
    },
    "graph learning": {
        "Cold Brew student": MethodStyle(BLUE, "o"),
        "Cold Brew teacher": MethodStyle(SKY, "D", (0, (4, 1))),
        "GCN": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "GraphSAGE": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "MLP": MethodStyle(GREY, "X", (0, (1, 1))),
        "GraphMLP": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "GLNN": MethodStyle(PURPLE, "P", (0, (2, 1))),
        "Label propagation": MethodStyle(BLACK, "*", (0, (6, 1))),
        "k-NN-GCN": MethodStyle("#8C6D31", "d", (0, (1, 2))),
        "GNN": MethodStyle("#117733", "p", (0, (4, 2))),
        "TailGCN": MethodStyle("#882255", "8", (0, (2, 2))),
        "Meta-tail2vec": MethodStyle("#AA4499", "<", (0, (1, 3))),
        "Degree switch": MethodStyle("#332288", "H", (0, (6, 2))),
        "graph": MethodStyle("#404040", "o"),  # a property of the graph itself
    },
    # No method is under test here; the CNN is the benchmark's own.
    "generalisation in a domain": {
        "CNN": MethodStyle(BLUE, "o"),
        "CNN, augmented": MethodStyle(BLUE, "p", (0, (4, 2))),
        "CNN, soft-argmax": MethodStyle(BLUE, "8", (0, (2, 2))),
        "CoordConv": MethodStyle(SKY, "D", (0, (4, 1))),
        "SetEncoder": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "RotEq-CNN": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "RotEq-CNN, big": MethodStyle("#A14A00", "s", (0, (2, 1))),
        "Spatial transformer": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "Small ResNet": MethodStyle("#8C6D31", "d", (0, (1, 2))),
        "ResNet-50": MethodStyle("#8C6D31", "h", (0, (4, 2))),
        "ResNet-101": MethodStyle("#5C4520", "h", (0, (4, 2))),
        "DenseNet-121": MethodStyle("#117733", "p", (0, (4, 2))),
        "ResNet-50 (ImageNet-1k)": MethodStyle("#AA4499", "8", (0, (1, 3))),
        "ResNet-50 (ImageNet-21k)": MethodStyle("#882255", "8", (0, (2, 2))),
        "ResNet-101 (ImageNet-21k)": MethodStyle("#332288", "8", (0, (6, 2))),
        "BetaVAE": MethodStyle("#5B3A8C", ">", (0, (6, 2))),
        "Ada-GVAE": MethodStyle("#AA4499", "<", (0, (1, 3))),
        "SlowVAE": MethodStyle("#332288", "H", (0, (2, 2))),
        "PCL": MethodStyle(PURPLE, "P", (0, (2, 1))),
        "Clamp oracle": MethodStyle(BLACK, "*", (0, (6, 1))),
    },
    "trajectory prediction": {
        "Trajectron++": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "Trajectron++Edge": MethodStyle(BLUE, "o"),
        "Trajectron++Edge, neighbours cut": MethodStyle(SKY, "D", (0, (4, 1))),
        "Trajectron++Edge, trained alone": MethodStyle(PURPLE, "P", (0, (2, 1))),
        "PECNet": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "Social-STGCNN": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "Constant velocity": MethodStyle(GREY, "X", (0, (1, 1))),
    },
    "data selection": {
        "DIVA Reweight": MethodStyle(BLUE, "o"),
        "DIVA Extend": MethodStyle(BLUE, "D"),
        "DIVA derivative": MethodStyle(BLUE, "H"),
        "DIVA Extend, class quota": MethodStyle(SKY, "p", (0, (6, 2))),
        "Reweight, raw step": MethodStyle(PURPLE, "P", (0, (2, 1))),
        "Reweight, flat loss": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
        "Reweight, squared loss": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
        "Uniform": MethodStyle(GREY, "X", (0, (1, 1))),
        "Random selection": MethodStyle(GREY, "d", (0, (1, 1))),
        "DIVA's order reversed": MethodStyle(VERMILION, "<", (0, (5, 2))),
        "Leave-one-out residual": MethodStyle(VERMILION, "s", (0, (5, 2))),
        "cleanlab": MethodStyle("#117733", "8", (0, (5, 1, 1, 1))),
        "KNN-Shapley": MethodStyle(PURPLE, "P", (0, (2, 1))),
        "Softmax head": MethodStyle("#8C6D31", "d", (0, (1, 2))),
        "Active Bias": MethodStyle("#882255", "p", (0, (3, 1, 1, 1))),
        "L2RW": MethodStyle(BLACK, "*", (0, (6, 1))),
        "L2RW, all samples": MethodStyle("#5B3A8C", ">", (0, (6, 2))),
    },
}
METHODS: dict[str, MethodStyle] = {name: look for looks in METHODS_BY_FIELD.values() for name, look in looks.items()}


def use_style() -> None:
    """Set the house style for all figures that follow; called once by a chapter's figures module."""
    from matplotlib import pyplot

    pyplot.style.use(Path(__file__).with_name("reprise.mplstyle"))


def style_of(method: str) -> MethodStyle:
    """Return how a method is drawn.

    Raises
    ------
    UnknownNameError
        If the method has no entry in ``METHODS_BY_FIELD``: add one, so that it looks the same everywhere.
    """
    if method not in METHODS:
        raise unknown_name("method", method, sorted(METHODS))
    return METHODS[method]


def new_figure(
    *, rows: int = 1, columns: int = 1, width: float = TEXT_WIDTH, height: float | None = None, **options: Any
) -> tuple[Figure, Any]:
    """Return a figure of the book's width in the house style, with its axes (as from ``pyplot.subplots``).

    Raises
    ------
    MissingRowsError
        If there is no panel to draw: a chapter then shows a sentence in the figure's place.
    """
    from matplotlib import pyplot

    if not (rows and columns):
        raise MissingRowsError("no data set of this run has rows for this figure.")
    use_style()
    return pyplot.subplots(rows, columns, figsize=(width, height or width * HEIGHT_RATIO), **options)


def state_finding(figure: Figure, finding: str) -> None:
    """Write a figure's finding, computed from its data, above all its panels."""
    figure.suptitle(finding, x=0.01, ha="left", fontsize=9.5, fontweight="bold", wrap=True)


def interval_dots(
    axes: Axes,
    positions: Sequence[float],
    intervals: Sequence[Interval],
    *,
    method: str,
    single_runs: Sequence[Sequence[float]] = (),
    horizontal: bool = True,
    label: str | None = None,
) -> None:
    """Draw means as dots with their intervals as whiskers, the single runs as faint dots behind.

    Parameters
    ----------
    axes
        Where to draw.
    positions
        Place of each dot on the categorical axis.
    intervals
        One interval a dot.
    method
        Registered name: gives colour and marker.
    single_runs
        Values of the single runs, one sequence a dot; drawn where fewer than eleven.
    horizontal
        Whether values run along x.
    label
        Name in the legend.
    """
    import numpy as np

    style = style_of(method)
    centres = np.array([interval.estimate for interval in intervals])
    ends = np.array([[interval.low, interval.high] for interval in intervals])
    spread = np.abs(np.where(np.isfinite(ends), ends - centres[:, None], 0.0)).T
    for position, values in zip(positions, single_runs, strict=False):
        if len(values) <= 10:
            places = np.full(len(values), position)
            x, y = (values, places) if horizontal else (places, values)
            axes.plot(x, y, linestyle="", marker=".", color=style.colour, alpha=0.35, markersize=4, zorder=2)
    x, y = (centres, positions) if horizontal else (positions, centres)
    axes.errorbar(
        x,
        y,
        xerr=spread if horizontal else None,
        yerr=None if horizontal else spread,
        linestyle="",
        marker=style.marker,
        color=style.colour,
        capsize=2.5,
        zorder=3,
        label=label,
    )


def paper_marks(axes: Axes, x: Sequence[float], y: Sequence[float], *, label: bool = True) -> None:
    """Draw the paper's printed values: grey open diamonds, labelled "paper"."""
    axes.plot(
        x,
        y,
        linestyle="",
        marker="D",
        markersize=7,
        markerfacecolor="none",
        markeredgecolor=PAPER_COLOUR,
        markeredgewidth=1.3,
        zorder=4,
        label="paper" if label else None,
    )


def label_line_end(axes: Axes, x: float, y: float, text: str, *, method: str) -> None:
    """Write a method's name at the end of its line instead of into a legend."""
    axes.annotate(
        text,
        (x, y),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=style_of(method).colour,
        annotation_clip=False,
    )


def keep_to_percent(axes: Axes, *, along: str = "x") -> None:
    """Cut an axis of percentages to what these can be: wide intervals of few seeds would squeeze all else."""
    low, high = axes.get_xlim() if along == "x" else axes.get_ylim()
    axes.set(**{f"{along}lim": (max(low, -3), min(high, 103))})


def name_lines(axes: Axes, labels: Sequence[str]) -> None:
    """Write the names of a dot plot's lines, the first one on top."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)


# ---- from rows to what is drawn ------------------------------------------------------------------------------


def measured(rows: pd.DataFrame, **conditions: Any) -> pd.Series | None:
    """Return one value per seed, NaN where a run diverged; None where this run has no rows of it."""
    try:
        return per_seed(rows, **conditions)
    except MissingRowsError:
        return None


def defined(rows: pd.DataFrame, **conditions: Any) -> pd.Series | None:
    """Return `measured` values for a quantity that need not exist (an empty group, a ratio with the divisor zero).

    Seeds in which it does not exist are left out; None where it exists in none.
    """
    values = measured(rows, **conditions)
    values = values if values is None else values.dropna()
    return None if values is None or values.empty else values


def printed(published: pd.DataFrame, **conditions: Any) -> float | None:
    """Return the paper's number of a cell, if it prints one."""
    try:
        return float(select(published, **conditions)["value"].iloc[0])
    except MissingRowsError:
        return None


def measured_lines(
    rows: pd.DataFrame, lines: Sequence[Line], *, look_up: Callable[..., pd.Series | None] = measured, **conditions: Any
) -> list[tuple[Line, pd.Series]]:
    """Return the lines that the rows have, each with its value per seed as `measured` (or `defined`) gives it."""
    found = [(line, look_up(rows, **line.conditions, **conditions)) for line in lines]
    return [(line, values) for line, values in found if values is not None]


def along(rows: pd.DataFrame, ats: Sequence[float], *, column: str = "at", **conditions: Any) -> dict[float, Any]:
    """Return the values per seed at each value of the column that a sweep varies, as `draw_curve` takes them."""
    return {at: defined(rows, **{column: at}, **conditions) for at in ats}


def as_data(interval: Interval, **what: Any) -> dict[str, Any]:
    """Return what a dot shows as one line of the figure's data."""
    return {**what, "mean": interval.estimate, "low": interval.low, "high": interval.high, "n": interval.n}


def seeds_behind(data: pd.DataFrame) -> str:
    """Return the numbers of seeds behind the intervals drawn: ``n = 3`` or ``n = 3 to 5``."""
    numbers = data["n"].dropna().astype(int)
    return f"n = {numbers.min()}" if numbers.min() == numbers.max() else f"n = {numbers.min()} to {numbers.max()}"


def draw_dots(
    axes: Axes,
    found: Sequence[tuple[Line, pd.Series]],
    lines: Sequence[Line],
    *,
    paper: Mapping[str, float | None] | None = None,
    **what: Any,
) -> list[dict[str, Any]]:
    """Draw one dot with interval and single runs a line, and the paper's values; return the numbers drawn.

    Parameters
    ----------
    axes
        Where to draw; values run along x.
    found
        The lines that were measured, with their values per seed: of `measured_lines`.
    lines
        All lines of the figure, from top to bottom; one that was not measured keeps its place.
    paper
        Label of a line to the paper's value of it.
    **what
        What this panel shows, for the figure's data: ``dataset="dg-15"``.
    """
    from reprise.stats import t_interval

    printed_here = {label: value for label, value in (paper or {}).items() if value is not None}
    places = {line.label: place for place, line in enumerate(lines)}
    drawn = []
    for line, values in found:
        interval, place = t_interval(values), places[line.label]
        interval_dots(axes, [place], [interval], method=line.style, single_runs=[values.to_list()])
        drawn.append(as_data(interval, **what, method=line.label, paper=printed_here.get(line.label)))
    marks = [(value, places[label]) for label, value in printed_here.items() if label in places]
    paper_marks(axes, [value for value, _ in marks], [place for _, place in marks])
    name_lines(axes, [line.label for line in lines])
    return drawn


def draw_curve(
    axes: Axes, values: Mapping[Any, Any], *, style: str, label: str | None = None, aside: float = 0.0
) -> list[dict[str, Any]]:
    """Draw means with intervals against a number, points moved aside to keep curves apart; return the numbers drawn.

    Parameters
    ----------
    axes
        Where to draw; values run along y.
    values
        The number on the x axis to the values per seed there (`along` gives them); None where nothing was measured.
    style
        Registered method, for colour, marker and dash.
    label
        Name in legend and data; the style's by default.
    aside
        How far to the right of its number each point is drawn.
    """
    from reprise.stats import t_interval

    intervals = {at: t_interval(found) for at, found in values.items() if found is not None}
    if not intervals:
        return []
    look = style_of(style)
    places = [at + aside for at in intervals]
    axes.plot(places, [i.estimate for i in intervals.values()], color=look.colour, linestyle=look.dash)
    interval_dots(axes, places, list(intervals.values()), method=style, horizontal=False, label=label or style)
    return [as_data(interval, method=label or style, at=at) for at, interval in intervals.items()]
