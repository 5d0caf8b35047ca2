"""House style of the figures: sizes, dots with intervals, curves, the paper's marks.

What is drawn comes from rows: `measured`, `defined`, `printed`, `measured_lines` and `along` look values up, and give
None where a run has none; `draw_dots` and `draw_curve` draw them and return the numbers drawn, the figure's CSV.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reprise.method_styles import style_of
from reprise.palette import PAPER_COLOUR
from reprise.rows import MissingRowsError, per_seed, select

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from reprise.stats import Interval

TEXT_WIDTH = 6.3
HALF_WIDTH = 3.1
HEIGHT_RATIO = 0.62


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


def use_style() -> None:
    """Set the house style for all figures that follow; called once by a chapter's figures module."""
    from matplotlib import pyplot

    pyplot.style.use(Path(__file__).with_name("reprise.mplstyle"))


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
    interval: Callable[[Any], Interval] | None = None,
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
    interval
        Makes the interval of the values per seed; by default Student's t of their mean.
    **what
        What this panel shows, for the figure's data: ``dataset="dg-15"``.
    """
    from reprise.stats import t_interval

    printed_here = {label: value for label, value in (paper or {}).items() if value is not None}
    places = {line.label: place for place, line in enumerate(lines)}
    drawn = []
    for line, values in found:
        drawn_interval, place = (interval or t_interval)(values), places[line.label]
        interval_dots(axes, [place], [drawn_interval], method=line.style, single_runs=[values.to_list()])
        drawn.append(as_data(drawn_interval, **what, method=line.label, paper=printed_here.get(line.label)))
    marks = [(value, places[label]) for label, value in printed_here.items() if label in places]
    paper_marks(axes, [value for value, _ in marks], [place for _, place in marks])
    name_lines(axes, [line.label for line in lines])
    return drawn


def draw_curve(
    axes: Axes,
    values: Mapping[Any, Any],
    *,
    style: str,
    label: str | None = None,
    aside: float = 0.0,
    interval: Callable[[Any], Interval] | None = None,
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
    interval
        Makes the interval of the values per seed; by default Student's t of their mean.
    """
    from reprise.stats import t_interval

    intervals = {at: (interval or t_interval)(found) for at, found in values.items() if found is not None}
    if not intervals:
        return []
    look = style_of(style)
    places = [at + aside for at in intervals]
    axes.plot(places, [i.estimate for i in intervals.values()], color=look.colour, linestyle=look.dash)
    interval_dots(axes, places, list(intervals.values()), method=style, horizontal=False, label=label or style)
    return [as_data(found, method=label or style, at=at) for at, found in intervals.items()]
