"""Figures of the study: scores of models and variants, scores on the way, windows beside real ones, growing windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.method_styles import style_of
from reprise.numerals import number
from reprise.plots import (
    Drawing,
    Line,
    along,
    draw_curve,
    draw_dots,
    measured_lines,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.psa_gan.comparisons import windows_of
from reprise.psa_gan.names import CONTROLS, MODELS, PSA, REAL, VARIANTS, variant_name
from reprise.rows import MissingRowsError, per_seed, select

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_levels(rows: pd.DataFrame) -> Drawing:
    """Draw Context-FID of models and controls on the held-out part, one panel a length, with the floor."""
    windows = windows_of(rows, PSA)
    if not windows:
        raise MissingRowsError("this run scored no PSA-GAN.")
    main = [w for w in windows if any(w in windows_of(rows, name) for name in CONTROLS)] or windows
    return _draw_scores(rows, main, [*MODELS, *CONTROLS], {}, "levels", "Lowest score")


def draw_ablation(rows: pd.DataFrame) -> Drawing:
    """Draw Context-FID of the full model and of its variants."""
    names = {variant_name(variant): variant for variant in VARIANTS}
    present = [name for name in names if windows_of(rows, name)]
    if not present:
        raise MissingRowsError("this run trained no variant.")
    windows = sorted({window for name in present for window in windows_of(rows, name)})
    return _draw_scores(rows, windows, [PSA, *present], {PSA: "full model", **names}, "ablation", "Lowest score")


def _draw_scores(
    rows: pd.DataFrame, windows: list[int], methods: list[str], labels: dict[str, str], name: str, lead: str
) -> Drawing:
    """Draw dots with intervals by method, and the floor as a grey band."""
    shown = [m for m in methods if set(windows_of(rows, m)) & set(windows)]
    lines = [Line(labels.get(m, m), m, {"method": m}) for m in shown]
    figure, axes = new_figure(columns=len(windows), height=0.28 * len(lines) + 1.3, squeeze=False)
    drawn: list[dict[str, Any]] = []
    words = []
    for one, window in zip(axes[0], windows, strict=True):
        where: dict[str, Any] = {"part": "level", "split": "test", "window": window}
        found = measured_lines(rows, lines, metric="context FID", **where)
        drawn += draw_dots(one, found, lines, window=window)
        floor = per_seed(rows, metric="floor", method=found[0][0].conditions["method"], **where)
        low = min([float(floor.mean()), *(float(values.min()) for _, values in found)])
        one.axvspan(low / 10, float(floor.mean()), color="0.85", zorder=0)
        drawn.append({"method": "floor", "window": window, "mean": float(floor.mean()), "n": len(floor)})
        one.set_xscale("log")
        one.set_xlim(left=low / 2)
        one.set(xlabel="Context-FID (log scale)", title=f"τ = {window}")
        best = min(found, key=lambda pair: float(pair[1].mean()))
        words.append(f"{best[0].label} at τ = {window} ({number(float(best[1].mean()), 2)})")
    for one in axes[0][1:]:
        one.set_yticklabels([])
    data = pd.DataFrame(drawn)
    finding = f"{lead}: {'; '.join(words)}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        name,
        f"Context-FID by method on the held-out part. {finding}.",
        f"Means and 95 % t intervals over seeds, {seeds_behind(data)}; faint: single seeds. Grey: the floor, real "
        "against real windows of the same number. Each seed has an encoder of its own.",
        data,
    )


def draw_curve_of_scores(rows: pd.DataFrame) -> Drawing:
    """Draw Context-FID of early generators against generator steps, with growth marks and floor."""
    window = _longest(rows, "curve")
    found = select(rows, part="curve", window=window, metric="context FID")
    steps = sorted({float(step) for step in found["step"]})
    figure, axes = new_figure(height=3.1)
    drawn: list[dict[str, Any]] = []
    for method in [name for name in MODELS if (found["method"] == name).any()]:
        where = {"part": "curve", "window": window, "metric": "context FID", "method": method}
        values = {at: v for at, v in along(rows, steps, column="step", **where).items() if v is not None}
        drawn += draw_curve(axes, values, style=method)
    floor = select(rows, part="curve", window=window, metric="floor")["value"]
    axes.axhspan(float(floor.mean()) / 10, float(floor.mean()), color="0.85", zorder=0)
    for growth in _growth_steps(rows, window):
        axes.axvline(growth, color="0.5", linewidth=0.8, linestyle=":")
    axes.set_yscale("log")
    axes.set_ylim(bottom=float(floor.mean()) / 2)
    axes.set(xlabel="generator steps (dotted: PSA-GAN grows)", ylabel="Context-FID (log scale)")
    axes.legend(fontsize=7)
    data = pd.DataFrame(drawn)
    own = data[data["method"] == PSA].set_index("at")["mean"]
    factor = float(own.iloc[0] / own.iloc[-1])
    finding = f"Training lowers PSA-GAN's Context-FID by a factor of {number(factor, 1)}; the floor is {_floor(floor)}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "curve",
        f"Context-FID against generator steps at τ = {window}. {finding}.",
        f"Means and 95 % t intervals over seeds, {seeds_behind(data)}. Windows of early stages are repeated to full "
        "length, so that all points are on one scale; grey: floor.",
        data,
    )


def _floor(floor: pd.Series) -> str:
    return number(float(floor.mean()), 3)


def _longest(rows: pd.DataFrame, part: str) -> int:
    return int(select(rows, part=part, method=PSA)["window"].max())


def _growth_steps(rows: pd.DataFrame, window: int) -> list[float]:
    try:
        found = select(rows, part="curve", metric="grows", method=PSA, window=window)
    except MissingRowsError:
        return []
    return sorted({float(step) for step in found["step"]})


def draw_samples(rows: pd.DataFrame) -> Drawing:
    """Draw synthetic and real windows side by side: same series, same hours."""
    window = _longest(rows, "shown")
    found = select(rows, part="shown", window=window)
    found = found[found["seed"] == found["seed"].min()]
    numbers = sorted(found["step"].unique())
    figure, axes = new_figure(rows=2, columns=-(-len(numbers) // 2), height=3.6, sharex=True, sharey=True)
    for one, pair in zip(axes.ravel(), numbers, strict=False):
        for method in (REAL, PSA):
            values = _series(found, method, pair)
            look = style_of(method)
            one.plot(values.index, values, color=look.colour, linewidth=1.2, label=method,
                     linestyle="-" if method == PSA else "--")  # fmt: skip
        one.set_title(f"pair {int(pair) + 1}", fontsize=8)
    axes[0][0].legend(fontsize=6.5, loc="upper left")
    figure.supxlabel("steps within the window", fontsize=8)
    figure.supylabel("scaled value", fontsize=8)
    correlations = [np.corrcoef(_series(found, REAL, p), _series(found, PSA, p))[0, 1] for p in numbers]
    finding = (
        f"Same series, same hours: synthetic windows follow the real ones with a median correlation of "
        f"{number(float(np.nanmedian(correlations)), 2)}"
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "samples",
        f"Pairs of a real and a synthetic window. {finding}.",
        f"The first conditions of the held-out part at τ = {window}, not selected; one seed.",
        found[["method", "step", "at", "value"]],
    )


def _series(found: pd.DataFrame, method: str, pair: float) -> pd.Series:
    chosen = found[(found["method"] == method) & (found["step"] == pair)]
    return chosen.set_index(chosen["at"].astype(float))["value"].sort_index()


def draw_growth(rows: pd.DataFrame) -> Drawing:
    """Draw what the grown generator says at each of its lengths, from one noise and condition."""
    window = int(select(rows, part="growth 0", method=PSA)["window"].max())
    parts = ["growth 0", "growth 1"]
    found = select(rows, part=parts, window=window)
    found = found[found["seed"] == found["seed"].min()]
    lengths = sorted({int(length) for length in found["step"]})
    figure, axes = new_figure(rows=len(parts), columns=len(lengths), height=3.2, sharey="row")
    roughness = {}
    for row, part in zip(axes, parts, strict=True):
        for one, length in zip(row, lengths, strict=True):
            values = _growing(found, part, length)
            _draw_steps(one, values, window // length)
            one.set_title(f"length {length}", fontsize=8)
            roughness[part, length] = float(np.abs(np.diff(values)).sum())
    figure.supxlabel("steps of the full window", fontsize=8)
    figure.supylabel("scaled value", fontsize=8)
    more = np.mean([roughness[part, lengths[-1]] / roughness[part, lengths[0]] for part in parts])
    finding = f"From length {lengths[0]} to {lengths[-1]} the path becomes {number(float(more), 1)} times as long"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "growth",
        f"Output of each stage from the same noise and condition. {finding}.",
        "Two conditions, one a row; the trained generator read off after each stage by the shared output layer.",
        found[["part", "step", "at", "value"]],
    )


def _growing(found: pd.DataFrame, part: str, length: int) -> np.ndarray:
    chosen = found[(found["part"] == part) & (found["step"] == length)]
    return chosen.assign(at=chosen["at"].astype(float)).sort_values("at")["value"].to_numpy()


def _draw_steps(axes: Axes, values: np.ndarray, width: int) -> None:
    edges = np.arange(len(values) + 1) * width
    axes.stairs(values, edges, color=style_of(PSA).colour, baseline=None, linewidth=1.2)
