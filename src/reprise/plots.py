"""House style of the figures: one colour, marker and dash per method across the book, intervals, the paper's marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reprise.errors import unknown_name

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


# The method under test is always blue; what a baseline is called and looks like stays the same in all chapters.
METHODS: dict[str, MethodStyle] = {
    # under test
    "GRDA": MethodStyle(BLUE, "o"),
    "GRDA, row-paired": MethodStyle(SKY, "D", (0, (4, 1))),
    "Cold Brew student": MethodStyle(BLUE, "o"),
    "Cold Brew teacher": MethodStyle(SKY, "D", (0, (4, 1))),
    # domain adaptation
    "Source-only": MethodStyle(GREY, "X", (0, (1, 1))),
    "DANN": MethodStyle(VERMILION, "s", (0, (5, 2))),
    "CDANN": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
    "ADDA": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
    "MDD": MethodStyle(PURPLE, "P", (0, (2, 1))),
    "CORAL": MethodStyle("#8C6D31", "d", (0, (1, 2))),
    "Logistic regression": MethodStyle("#BFBFBF", "h", (0, (1, 1))),
    "Ridge regression": MethodStyle("#BFBFBF", "h", (0, (1, 1))),
    "Hop-by-hop self-training": MethodStyle(BLACK, "*", (0, (6, 1))),
    "Seasonal linear map": MethodStyle("#5B3A8C", "p", (0, (6, 2))),
    "Linear map": MethodStyle("#A6A6A6", "<", (0, (2, 2))),
    "Climatology": MethodStyle("#8F8F8F", ">", (0, (1, 3))),
    # graph learning
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
    # in-domain generalisation: no method is under test; the CNN is the benchmark's own
    "CNN": MethodStyle(BLUE, "o"),
    "CoordConv": MethodStyle(SKY, "D", (0, (4, 1))),
    "SetEncoder": MethodStyle(GREEN, "v", (0, (5, 1, 1, 1))),
    "RotEq-CNN": MethodStyle(VERMILION, "s", (0, (5, 2))),
    "RotEq-CNN, big": MethodStyle("#A14A00", "s", (0, (2, 1))),
    "Spatial transformer": MethodStyle(ORANGE, "^", (0, (3, 1, 1, 1))),
    "Small ResNet": MethodStyle("#8C6D31", "d", (0, (1, 2))),
    "ResNet-50": MethodStyle("#8C6D31", "d", (0, (4, 2))),
    "ResNet-101": MethodStyle("#5C4520", "h", (0, (4, 2))),
    "DenseNet-121": MethodStyle("#117733", "p", (0, (4, 2))),
    "ResNet-50 (ImageNet-1k)": MethodStyle("#AA4499", "<", (0, (1, 3))),
    "ResNet-50 (ImageNet-21k)": MethodStyle("#882255", "8", (0, (2, 2))),
    "ResNet-101 (ImageNet-21k)": MethodStyle("#332288", "H", (0, (6, 2))),
    "BetaVAE": MethodStyle("#5B3A8C", ">", (0, (6, 2))),
    "Ada-GVAE": MethodStyle("#AA4499", "<", (0, (1, 3))),
    "SlowVAE": MethodStyle("#332288", "H", (0, (2, 2))),
    "PCL": MethodStyle(PURPLE, "P", (0, (2, 1))),
    "CNN, augmented": MethodStyle("#117733", "p", (0, (4, 2))),
    "CNN, soft-argmax": MethodStyle("#882255", "8", (0, (2, 2))),
    "Clamp oracle": MethodStyle(BLACK, "*", (0, (6, 1))),
    "graph": MethodStyle("#404040", "o"),  # a property of the graph itself
}


def use_style() -> None:
    """Set the house style for all figures that follow; called once by a chapter's figures module."""
    from matplotlib import pyplot

    pyplot.style.use(Path(__file__).with_name("reprise.mplstyle"))


def style_of(method: str) -> MethodStyle:
    """Return how a method is drawn.

    Raises
    ------
    UnknownNameError
        If the method has no entry in ``METHODS``: add one, so that it looks the same everywhere.
    """
    if method not in METHODS:
        raise unknown_name("method", method, sorted(METHODS))
    return METHODS[method]


def new_figure(
    *, rows: int = 1, columns: int = 1, width: float = TEXT_WIDTH, height: float | None = None, **options: Any
) -> tuple[Figure, Any]:
    """Return a figure of the book's width in the house style, with its axes (as from ``pyplot.subplots``)."""
    from matplotlib import pyplot

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
