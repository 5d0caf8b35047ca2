"""Figures of the audits: forecasts, score against error, spectrum by band, likeness, spread, the score's bias."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from reprise.compute import torch_generator
from reprise.method_styles import style_of
from reprise.numerals import difference, number
from reprise.palette import BLACK, BLUE, SKY
from reprise.plots import (
    Drawing,
    Line,
    along,
    as_data,
    draw_curve,
    draw_dots,
    interval_dots,
    measured_lines,
    name_lines,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.psa_gan.comparisons import mean_rank_correlation, order_of_bands, ranked, settling_steps
from reprise.psa_gan.degradations import UNCHANGED, degraded
from reprise.psa_gan.fid import WINDOWS_PER_DRAW
from reprise.psa_gan.frechet import expected_floor, frechet_distance
from reprise.psa_gan.names import (
    BOOTSTRAP,
    DEEPAR,
    FRESH_NOISE,
    LAST_SEASON,
    MODELS,
    MOVING_AVERAGE,
    NO_GROWING,
    PSA,
    REAL,
    TRUE_VALUES,
    UNIT_NOISE,
    variant_name,
)
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import paired_differences, t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ARMS = (MOVING_AVERAGE, *MODELS, BOOTSTRAP, LAST_SEASON, TRUE_VALUES)
NOISES = {PSA: "as in the paper", variant_name(UNIT_NOISE): "unit noise", variant_name(FRESH_NOISE): "fresh noise"}
BIAS_SIZES = (128, 256, 512, 1024, 2048, 4096)
BIAS_DIMENSIONS = (20, 40, 80)
MULTIPLES = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 20000, 100000)


def draw_spectrum(rows: pd.DataFrame) -> Drawing:
    """Draw the error of the power spectrum by octave band and generator step, growing beside full depth."""
    window = int(select(rows, part="spectrum", method=PSA)["window"].min())
    fixed = variant_name(NO_GROWING)
    present = [m for m in (PSA, fixed) if ((rows["part"] == "spectrum") & (rows["method"] == m)).any()]
    figure, axes = new_figure(columns=len(present), height=2.7, squeeze=False, sharey=True)
    drawn, words = [], []
    for one, method in zip(axes[0], present, strict=True):
        chosen = select(rows, part="spectrum", method=method, window=window)
        wide = chosen.pivot_table(index="at", columns="step", values="value", observed=True)
        picture = one.imshow(wide, aspect="auto", origin="lower", cmap="cividis", vmin=0, vmax=_largest(rows, window))
        settled = settling_steps(wide.T.to_numpy(), wide.columns.to_numpy())
        one.plot(np.searchsorted(wide.columns, settled), range(len(wide)), color="white", marker="o", markersize=4)
        ticks = np.linspace(0, wide.shape[1] - 1, 4).astype(int)
        one.set_xticks(ticks, [f"{int(wide.columns[tick])}" for tick in ticks])
        one.set_yticks(range(len(wide)), [_band(int(band), len(wide)) for band in wide.index])
        one.set(title="growing" if method == PSA else "full depth from the start", xlabel="generator steps")
        one.grid(visible=False)
        order = float(order_of_bands(rows, method, window).mean())
        words.append(f"{'growing' if method == PSA else 'not growing'} {number(order, 2, signed=True)}")
        drawn.append(wide.stack().rename("error").reset_index().assign(method=method))
    axes[0][0].set_ylabel("cycles a window")
    figure.colorbar(picture, ax=list(axes[0]), label="|ln power, synthetic / real|", shrink=0.9)
    finding = f"{_order_in_words(rows, window)} (Spearman of band and settling step: {', '.join(words)})"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "spectrum",
        f"Error of the spectrum by band and step. {finding}.",
        f"τ = {window}, mean over seeds; white: first step from which that mean stays below a quarter of its first "
        "value, or the last step.",
        pd.concat(drawn, ignore_index=True),
    )


def _order_in_words(rows: pd.DataFrame, window: int) -> str:
    by_seed = order_of_bands(rows, PSA, window)
    if (by_seed > 0).all():
        return "Low bands settle before high ones"
    none = "Low bands settle before high ones in no seed"
    return none if (by_seed <= 0).all() else "Seeds differ in which bands settle first"


def _largest(rows: pd.DataFrame, window: int) -> float:
    return float(select(rows, part="spectrum", window=window)["value"].quantile(0.98))


def _band(octave: int, n_bands: int) -> str:
    low = 2**octave
    high = 2 * low if octave == n_bands - 1 else 2 * low - 1
    return f"{low}" if low == high else f"{low}–{high}"


def draw_likeness(rows: pd.DataFrame) -> Drawing:
    """Draw autocorrelation and mean periodogram of synthetic and real windows."""
    window = int(select(rows, part="likeness", method=REAL)["window"].max())
    names = [m for m in (REAL, *MODELS) if ((rows["part"] == "likeness") & (rows["method"] == m)).any()]
    figure, axes = new_figure(columns=2, height=2.9)
    drawn: list[dict[str, Any]] = []
    for one, metric in zip(axes, ("autocorrelation", "power"), strict=True):
        for method in names:
            chosen = select(rows, part="likeness", metric=metric, method=method, window=window)
            mean = chosen.groupby("at", observed=True)["value"].mean().sort_index()
            look = style_of(method)
            one.plot(mean.index, mean, color=look.colour, linestyle=look.dash, label=method)
            drawn += [{"metric": metric, "method": method, "at": at, "mean": value} for at, value in mean.items()]
    axes[0].set(xlabel="lag (steps)", ylabel="autocorrelation within windows")
    axes[1].set(xlabel="cycles a window", ylabel="power (log scale)", yscale="log")
    figure.legend(*axes[0].get_legend_handles_labels(), fontsize=7, ncols=5, loc="outside lower center")
    data = pd.DataFrame(drawn)
    finding = _likeness_in_words(data, names[1:])
    state_finding(figure, finding)
    return Drawing(
        figure,
        "likeness",
        f"Autocorrelation and spectrum of synthetic and real windows. {finding}.",
        f"Held-out conditions at τ = {window}, means over seeds.",
        data,
    )


def _likeness_in_words(data: pd.DataFrame, methods: list[str]) -> str:
    wide = data[data["metric"] == "autocorrelation"].pivot_table(index="at", columns="method", values="mean")
    off = {method: float((wide[method] - wide[REAL]).abs().mean()) for method in methods}
    words = ", ".join(f"{method} {number(value, 3)}" for method, value in off.items())
    return f"Mean distance of autocorrelations from the real one: {words}"


def draw_spread(rows: pd.DataFrame) -> Drawing:
    """Draw how much samples of one condition differ, by model and by kind of noise."""
    found = select(rows, part="spread", metric="variance ratio")
    named = [(m, window) for window in sorted(set(found["window"]), reverse=True) for m in (*MODELS, *NOISES)]
    lines = [
        Line(f"{NOISES.get(m, m) if m != PSA else m}, τ = {int(window)}", m, {"method": m, "window": window})
        for m, window in dict.fromkeys(named)
        if ((found["method"] == m) & (found["window"] == window)).any()
    ]
    figure, axes = new_figure(columns=2, height=0.27 * len(lines) + 1.4, sharey=True)
    drawn: list[dict[str, Any]] = []
    for one, metric in zip(axes, ("variance ratio", "coverage"), strict=True):
        drawn += draw_dots(one, measured_lines(rows, lines, part="spread", metric=metric), lines, metric=metric)
    axes[0].axvline(1, color=BLACK, linewidth=0.8)
    axes[1].axvline(0.9, color=BLACK, linewidth=0.8)
    axes[0].set_xlabel("variance of samples / squared error\n(line: as in reality)")
    axes[1].set_xlabel("real values within the samples' 90 %")
    axes[0].set_xlim(left=-0.03)
    axes[1].set_xlim(-0.03, 1.03)
    data = pd.DataFrame(drawn)
    own = data[(data["metric"] == "variance ratio") & data["method"].str.startswith(f"{PSA},")]["mean"]
    share = number(100 * float(own.iloc[0]), 1)
    finding = f"PSA-GAN's samples of one condition have {share} % of the variance that reality has"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "spread",
        f"Spread of samples within a condition. {finding}.",
        f"Means and 95 % t intervals over seeds, {seeds_behind(data)}.",
        data,
    )


def draw_degradations(rows: pd.DataFrame) -> Drawing:
    """Draw the score of spoilt real windows in multiples of the floor, with and without the encoder."""
    found = select(rows, part="degraded")
    window = int(found["window"].max())
    names = [name for name in degraded(torch.zeros(2, 8), torch.Generator()) if name != UNCHANGED]
    figure, axes = new_figure(height=0.34 * len(names) + 1.2)
    drawn = []
    for metric, style, aside, label in (
        ("context FID", PSA, -0.12, "Context-FID"),
        ("raw FID", REAL, 0.12, "distance of the windows themselves"),
    ):
        floor = per_seed(rows, part="degraded", window=window, metric=metric, method=UNCHANGED)
        intervals = []
        for name in names:
            ratio = np.log10(per_seed(rows, part="degraded", window=window, metric=metric, method=name) / floor)
            intervals.append(t_interval(ratio))
            drawn.append(as_data(intervals[-1], method=name, metric=metric))
        interval_dots(axes, [place + aside for place in range(len(names))], intervals, method=style, label=label)
    axes.axvline(0, color=BLACK, linewidth=0.8)
    name_lines(axes, names)
    ticks = [tick for tick in MULTIPLES if axes.get_xlim()[0] <= np.log10(tick) <= axes.get_xlim()[1]]
    axes.set_xticks(np.log10(ticks), [f"{tick:g}" for tick in ticks])
    axes.set_xlabel("score in multiples of that of unchanged windows (log scale)")
    axes.legend(fontsize=7)
    data = pd.DataFrame(drawn)
    own = data[data["metric"] == "context FID"].set_index("method")["mean"]
    least, most = str(own.idxmin()), str(own.idxmax())
    finding = (
        f"Context-FID sees {most} most (× {number(10 ** float(own.max()), 0)}) and {least} least "
        f"(× {number(10 ** float(own.min()), 1)})"
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "degradations",
        f"Score of spoilt real windows. {finding}.",
        f"Held-out windows of τ = {window}, values scaled to [0, 1]; geometric means and 95 % t intervals over seeds, "
        f"{seeds_behind(data)}.",
        data,
    )


def draw_bias() -> Drawing:
    """Draw the distance of two samples of one Gaussian against their size, measured and by formula."""
    figure, axes = new_figure(height=2.8)
    drawn = []
    for dim, colour in zip(BIAS_DIMENSIONS, (SKY, BLUE, BLACK), strict=True):
        generator = torch_generator(0, "psa-gan", "bias of the distance", dim)
        found = [
            frechet_distance(*torch.randn(2, n, dim, generator=generator, dtype=torch.float64)) for n in BIAS_SIZES
        ]
        expected = [expected_floor(torch.eye(dim), n) for n in BIAS_SIZES]
        axes.plot(BIAS_SIZES, expected, color=colour, linewidth=1)
        axes.plot(BIAS_SIZES, found, color=colour, marker="o", linestyle="", label=f"{dim} dimensions")
        drawn += [
            {"dimension": dim, "n": n, "measured": m, "expected": e}
            for n, m, e in zip(BIAS_SIZES, found, expected, strict=True)
        ]
    axes.set(xscale="log", yscale="log", xlabel="windows in each sample", ylabel="Fréchet distance")
    axes.set_xticks(BIAS_SIZES, [str(n) for n in BIAS_SIZES])
    axes.minorticks_off()
    axes.legend(fontsize=7)
    data = pd.DataFrame(drawn)
    worst = data[(data["dimension"] == max(BIAS_DIMENSIONS)) & (data["n"] == WINDOWS_PER_DRAW)].iloc[0]
    apart = number(float(worst["measured"]), 1)
    where = f"{WINDOWS_PER_DRAW} windows and {max(BIAS_DIMENSIONS)} dimensions"
    finding = f"Two samples of one distribution are {apart} apart at {where}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "bias",
        f"Fréchet distance of two samples of one Gaussian by size and dimension. {finding}.",
        "Standard normals. Points: one draw each; lines: the expectation to first order in 1/n.",
        data,
    )
