"""What the chapter's figures share: their panels by data set and length, and intervals of scores on log axes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from reprise.numerals import decimals_for, estimate, number
from reprise.plots import new_figure
from reprise.psa_gan.names import MODELS, PSA
from reprise.rows import MissingRowsError, select
from reprise.stats import Interval, t_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The panel that a chapter is about comes first, whatever the others are called.
FIRST_PANELS = ("m4-hourly", "daily-panel")
COLUMNS = 3
LEVEL: dict[str, Any] = {"part": "level", "split": "test", "metric": "context FID"}


@dataclass(frozen=True)
class FigurePanel:
    """One panel of a figure: the rows it shows, and what it is of."""

    dataset: str
    window: int
    rows: pd.DataFrame

    def title(self, among: Sequence[FigurePanel]) -> str:
        """Return what tells the panel from the others of its figure: data set, length, or both."""
        several_windows = len({one.window for one in among}) > 1
        if len({one.dataset for one in among}) == 1:
            return f"τ = {self.window}"
        return f"{self.dataset}, τ = {self.window}" if several_windows else self.dataset

    @property
    def what(self) -> dict[str, Any]:
        """What tells the panel's numbers apart in the figure's data."""
        return {"dataset": self.dataset, "window": self.window}


def datasets_of(rows: pd.DataFrame, **conditions: Any) -> list[str]:
    """Return the data sets that have such rows, the chapter's own first.

    Raises
    ------
    MissingRowsError
        If there is none.
    """
    names = {str(name) for name in select(rows, **conditions)["dataset"].unique()}
    return sorted(names, key=lambda name: (FIRST_PANELS.index(name) if name in FIRST_PANELS else 9, name))


def first_panel(rows: pd.DataFrame, **conditions: Any) -> pd.DataFrame:
    """Return the rows of the chapter's own data set, or of the first that has rows of the conditions."""
    return rows[rows["dataset"] == datasets_of(rows, **conditions)[0]]


def figure_panels(rows: pd.DataFrame, methods: Sequence[str] = (PSA,), **conditions: Any) -> list[FigurePanel]:
    """Return data sets and lengths at which one of the methods has rows of the conditions, with the rows there.

    Raises
    ------
    MissingRowsError
        If there is none.
    """
    found = []
    for dataset in datasets_of(rows, method=list(methods), **conditions):
        own = rows[rows["dataset"] == dataset]
        windows = {int(w) for w in select(own, method=list(methods), **conditions)["window"].dropna()}
        found += [FigurePanel(dataset, window, own[own["window"] == window]) for window in sorted(windows)]
    return found


def longest(rows: pd.DataFrame, methods: Sequence[str] = (PSA,), **conditions: Any) -> list[FigurePanel]:
    """Return `figure_panels`, of each data set the longest alone."""
    return list({one.dataset: one for one in figure_panels(rows, methods, **conditions)}.values())


def main_panels(rows: pd.DataFrame) -> list[FigurePanel]:
    """Return the panels of the main comparison: those where another model than PSA-GAN was scored, or else all."""
    scored = figure_panels(rows, **LEVEL)
    rivals = [one for one in scored if set(select(one.rows, **LEVEL)["method"]) & set(MODELS[1:])]
    return rivals or scored


def new_panels(n: int, *, height: float, **options: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure with as many panels as are asked for, three a row; the height is that of a row."""
    columns = min(n, COLUMNS)
    lines = -(-n // columns) if n else 0
    figure, axes = new_figure(rows=lines, columns=columns, height=height * lines, squeeze=False, **options)
    for empty in axes.ravel()[n:]:
        empty.remove()
    return figure, list(axes.ravel()[:n])


def log_interval(values: Any) -> Interval:
    """Return the geometric mean of positive values with Student's t interval of their logarithms, back on their scale.

    A score spans decades between seeds: an interval of its mean may reach below 0, where no score is, and has no
    place on a log axis.

    Examples
    --------
    >>> found = log_interval([0.01, 0.1, 1.0])
    >>> round(found.estimate, 3), found.low > 0
    (0.1, True)
    """
    found = t_interval(np.log(np.asarray(values, dtype=np.float64)))
    if found.n == 1:
        return replace(found, estimate=float(np.exp(found.estimate)))
    estimate, low, high = (float(np.exp(end)) for end in (found.estimate, found.low, found.high))
    return Interval(estimate, low, high, found.n)


def shown_seed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first seed: what is looked at one by one is not selected."""
    if rows.empty:
        raise MissingRowsError("no rows to look at.")
    return rows[rows["seed"] == rows["seed"].min()]


def ratio_in_words(ratio: Interval) -> str:
    """Write a ratio with the ends of its interval, to two significant digits each: they may lie decades apart.

    Examples
    --------
    >>> ratio_in_words(Interval(11.234, 0.3712, 335.2, 3)), ratio_in_words(Interval(2.0, -np.inf, np.inf, 1))
    ('11 [0.37, 335]', '2.0')
    """
    digits = [number(end, decimals_for(end)) for end in (ratio.estimate, ratio.low, ratio.high)]
    return f"{digits[0]} [{digits[1]}, {digits[2]}]" if np.isfinite(ratio.high) else digits[0]


def mean_in_words(interval: Interval) -> str:
    """Write a mean with the ends of its interval, or alone where one seed gives none."""
    return estimate(interval.estimate, *((interval.low, interval.high) if np.isfinite(interval.high) else ()))


def band_ends(interval: Interval) -> tuple[float, float]:
    """Return where a band around a mean ends; both ends are the mean where one seed gives no interval."""
    return (interval.low, interval.high) if np.isfinite(interval.high) else (interval.estimate, interval.estimate)


def of_first(panels: Sequence[FigurePanel], say: Callable[[FigurePanel], str]) -> tuple[str, str]:
    """Return what is said of the chapter's own panel, for a title, and of the others, for a caption.

    The others' sentence begins with a blank; it is empty where there are none.
    """
    first = say(panels[0]) + (f" ({panels[0].title(panels)})" if len(panels) > 1 else "")
    others = [f"{one.title(panels)}: {say(one)}" for one in panels[1:]]
    return first, f" {'; '.join(others)}." if others else ""


def correlation_in_words(by_seed: Sequence[float]) -> str:
    """Write the mean of correlations with its 95 % interval, taken on Fisher's z so that it stays within ±1.

    Examples
    --------
    >>> correlation_in_words([0.5, 0.7, 0.2])
    '0.49 [−0.28, 0.88]'
    """
    found = t_interval(np.arctanh(np.clip(np.asarray(by_seed, dtype=np.float64), -0.999999, 0.999999)))
    ends = [np.tanh(end) for end in (found.estimate, found.low, found.high)]
    said = [number(float(end), 2) for end in ends]
    return f"{said[0]} [{said[1]}, {said[2]}]" if found.n > 1 else said[0]
