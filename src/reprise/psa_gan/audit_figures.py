"""Figures of the audits: spectrum by band, likeness, spread within a condition, what the score sees, its bias."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from reprise.compute import torch_generator
from reprise.method_styles import style_of
from reprise.numerals import number
from reprise.palette import BLACK, BLUE, SKY
from reprise.plots import (
    Drawing,
    Line,
    along,
    as_data,
    draw_dots,
    interval_dots,
    measured_lines,
    name_lines,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.psa_gan.comparisons import order_of_bands, settling_steps
from reprise.psa_gan.degradations import UNCHANGED, degraded
from reprise.psa_gan.fid import WINDOWS_PER_DRAW
from reprise.psa_gan.figure_panels import (
    FigurePanel,
    band_ends,
    figure_panels,
    log_interval,
    longest,
    of_first,
    ratio_in_words,
)
from reprise.psa_gan.frechet import expected_floor, frechet_distance
from reprise.psa_gan.names import (
    FRESH_NOISE,
    MODELS,
    NO_GROWING,
    PSA,
    REAL,
    UNIT_NOISE,
    variant_name,
)
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval, t_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

NOISES = {PSA: "as in the paper", variant_name(UNIT_NOISE): "unit noise", variant_name(FRESH_NOISE): "fresh noise"}
BIAS_SIZES = (128, 256, 512, 1024, 2048, 4096)
BIAS_DIMENSIONS = (20, 40, 80)
MULTIPLES = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 20000, 100000)


def draw_spectrum(rows: pd.DataFrame) -> Drawing:
    """Draw the error of the power spectrum by octave band and generator step, growing beside full depth."""
    fixed = variant_name(NO_GROWING)
    try:
        panel = figure_panels(rows, (fixed,), part="spectrum")[0]
    except MissingRowsError:
        panel = figure_panels(rows, part="spectrum")[0]
    present = [m for m in (PSA, fixed) if ((panel.rows["part"] == "spectrum") & (panel.rows["method"] == m)).any()]
    figure, axes = new_figure(columns=len(present), height=2.7, squeeze=False, sharey=True)
    largest = float(select(panel.rows, part="spectrum")["value"].quantile(0.98))
    drawn, words = [], []
    for one, method in zip(axes[0], present, strict=True):
        chosen = select(panel.rows, part="spectrum", method=method)
        wide = chosen.pivot_table(index="at", columns="step", values="value", observed=True)
        picture = one.imshow(wide, aspect="auto", origin="lower", cmap="cividis", vmin=0, vmax=largest)
        _draw_settling(one, chosen, wide)
        ticks = np.linspace(0, wide.shape[1] - 1, 4).astype(int)
        one.set_xticks(ticks, [f"{int(wide.columns[tick])}" for tick in ticks])
        one.set_yticks(range(len(wide)), [_band(int(band), len(wide)) for band in wide.index])
        one.set(title="growing" if method == PSA else "full depth from the start", xlabel="generator steps")
        one.grid(visible=False)
        order = float(order_of_bands(panel.rows, method, panel.window).mean())
        words.append(f"{'growing' if method == PSA else 'not growing'} {number(order, 2, signed=True)}")
        drawn.append(wide.stack().rename("error").reset_index().assign(method=method))
    axes[0][0].set_ylabel("cycles a window")
    figure.colorbar(picture, ax=list(axes[0]), label="|ln power, synthetic / real|", shrink=0.9)
    finding = f"{_order_in_words(panel)} (mean Spearman of band and settling step: {', '.join(words)})"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "spectrum",
        f"Error of the spectrum by band and step. {finding}.",
        f"{panel.dataset}, τ = {panel.window}, mean over seeds. White: first step from which the error stays below a "
        "quarter of its first value, or the last step; large for the mean, small for each seed.",
        pd.concat(drawn, ignore_index=True),
    )


def _draw_settling(axes: Axes, chosen: pd.DataFrame, wide: pd.DataFrame) -> None:
    """Mark the settling step of each band: small in each seed, large of the mean."""
    for _, own in chosen.groupby("seed", observed=True):
        one = own.pivot_table(index="at", columns="step", values="value", observed=True)
        places = np.searchsorted(wide.columns, settling_steps(one.T.to_numpy(), one.columns.to_numpy()))
        axes.plot(places, range(len(wide)), color="white", marker=".", linestyle="", markersize=4, alpha=0.8)
    settled = settling_steps(wide.T.to_numpy(), wide.columns.to_numpy())
    axes.plot(np.searchsorted(wide.columns, settled), range(len(wide)), color="white", marker="o", markersize=4.5)


def _order_in_words(panel: FigurePanel) -> str:
    """Say in how many seeds low bands settle first, growing and not, and in how many none settles at all."""
    by_seed = order_of_bands(panel.rows, PSA, panel.window)
    n, first = len(by_seed), int((by_seed > 0).sum())
    found = select(panel.rows, part="spectrum", method=PSA)
    none = sum(not any(_settled_bands(own)) for _, own in found.groupby("seed", observed=True))
    words = f"Low bands settle before high ones in {first} of {n} seed{'s' * (n > 1)}"
    words += f" (none settles at all in {none})" if none else ""
    fixed = variant_name(NO_GROWING)
    if (panel.rows["method"] == fixed).any():
        without = order_of_bands(panel.rows, fixed, panel.window)
        words += f", without growing in {int((without > 0).sum())} of {len(without)}"
    return words


def bands_in_words(rows: pd.DataFrame) -> str:
    """Say how many bands settle at all, and from how small an error the highest band starts."""
    try:
        panel = figure_panels(rows, (variant_name(NO_GROWING),), part="spectrum")[0]
    except MissingRowsError:
        return ""
    words = []
    for method, label in ((PSA, "growing"), (variant_name(NO_GROWING), "at full depth from the start")):
        found = select(panel.rows, part="spectrum", method=method)
        settled = [_settled_bands(own) for _, own in found.groupby("seed", observed=True)]
        words.append(f"{int(np.sum(settled))} of {np.size(settled)} {label}")
    started = []
    for method in (PSA, variant_name(NO_GROWING)):
        start = select(panel.rows, part="spectrum", method=method, step=0).groupby("at", observed=True)["value"].mean()
        started.append(f"{number(float(start.iloc[0]), 2)} and {number(float(start.iloc[-1]), 2)}")
    return (
        f"Bands that settle at all, over seeds: {', '.join(words)}. A band settles at a quarter of its own first "
        f"error, which is, for the lowest band and the highest, {started[0]} growing and {started[1]} at full depth: "
        "the smaller it is, the nearer to nothing the band has to come, which by itself makes high bands settle late."
    )


def _settled_bands(own: pd.DataFrame) -> list[bool]:
    wide = own.pivot_table(index="step", columns="at", values="value", observed=True)
    return list(settling_steps(wide.to_numpy(), wide.index.to_numpy()) < wide.index.max())


def _band(octave: int, n_bands: int) -> str:
    low = 2**octave
    high = 2 * low if octave == n_bands - 1 else 2 * low - 1
    return f"{low}" if low == high else f"{low}–{high}"


def draw_likeness(rows: pd.DataFrame) -> Drawing:
    """Draw autocorrelation and mean periodogram of synthetic and real windows, one line of panels a data set."""
    panels = longest(rows, part="likeness", metric="autocorrelation")
    figure, axes = new_figure(rows=len(panels), columns=2, height=2.0 * len(panels) + 1.0, squeeze=False)
    drawn: list[dict[str, Any]] = []
    for line, panel in zip(axes, panels, strict=True):
        for one, metric, take in zip(line, ("autocorrelation", "power"), (t_interval, log_interval), strict=True):
            for method in (REAL, *MODELS):
                drawn += [{**panel.what, "metric": metric, **at} for at in _draw_band(one, panel, metric, method, take)]
        # From the means: bands of few seeds may span ten decades.
        low, high = _ends_of_means(drawn, panel, "power")
        line[0].set(ylabel="autocorrelation", ylim=(-1.05, 1.05))
        line[1].set(yscale="log", ylabel="power (log)", ylim=(low / 3, 3 * high))
        for one in line if len(panels) > 1 else ():
            one.set_title(panel.title(panels))
    axes[-1][0].set_xlabel("lag (steps)")
    axes[-1][1].set_xlabel("cycles a window")
    figure.legend(*axes[0][0].get_legend_handles_labels(), fontsize=7, ncols=5, loc="outside lower center")
    data = pd.DataFrame(drawn)
    finding, beside = of_first(panels, _nearest_in_words)
    distances = "; ".join(f"{one.title(panels)}: {_distances_in_words(one)}" for one in panels)
    state_finding(figure, finding)
    return Drawing(
        figure,
        "likeness",
        f"Autocorrelation and spectrum of synthetic and real windows. {finding}.",
        f"Held-out conditions, τ = {panels[0].window}; means (of the power: geometric ones) with 95 % t intervals over "
        f"seeds, {seeds_behind(data)}.{beside} Mean distance of autocorrelations from the real ones: {distances}.",
        data,
    )


def _ends_of_means(drawn: list[dict[str, Any]], panel: FigurePanel, metric: str) -> tuple[float, float]:
    means = [one["mean"] for one in drawn if (one["dataset"], one["metric"]) == (panel.dataset, metric)]
    return max(min(means), 1e-9), max(means)


def _draw_band(
    axes: Axes, panel: FigurePanel, metric: str, method: str, take: Callable[[Any], Interval]
) -> list[dict[str, Any]]:
    """Draw a method's mean line with its interval as a band; return the numbers, none if it has no rows."""
    found = panel.rows[(panel.rows["part"] == "likeness") & (panel.rows["metric"] == metric)]
    found = found[found["method"] == method]
    places = sorted(float(place) for place in found["place"].unique())
    intervals = {
        place: take(one.clip(lower=1e-12) if take is log_interval else one)
        for place, one in along(found, places, column="place").items()
    }
    if not intervals:
        return []
    look, ends = style_of(method), np.transpose([band_ends(one) for one in intervals.values()])
    axes.plot(
        places, [one.estimate for one in intervals.values()], color=look.colour, linestyle=look.dash, label=method
    )
    axes.fill_between(places, *ends, color=look.colour, alpha=0.13, linewidth=0)
    return [as_data(one, method=method, place=place) for place, one in intervals.items()]


def _distances_in_words(panel: FigurePanel) -> str:
    """Return by model the mean distance of its autocorrelations from the real windows' of the same seed."""
    real = _autocorrelations(panel, REAL)
    words = []
    for method in MODELS:
        made = _autocorrelations(panel, method)
        if not made.empty:
            words.append(f"{method} {_distance((made - real.loc[made.index]).abs().mean(axis=1))}")
    return ", ".join(words)


def _nearest_in_words(panel: FigurePanel) -> str:
    """Say which model's autocorrelations are nearest to the real ones, and how many times as far PSA-GAN's are."""
    real, far = _autocorrelations(panel, REAL), {}
    for method in MODELS:
        made = _autocorrelations(panel, method)
        if not made.empty:
            far[method] = (made - real.loc[made.index]).abs().mean(axis=1).clip(lower=1e-12)
    nearest = min(far, key=lambda method: log_interval(far[method]).estimate)
    if nearest == PSA or PSA not in far:
        return f"{nearest}'s autocorrelations are the nearest to the real ones"
    both = pd.concat([far[PSA], far[nearest]], axis=1, join="inner")
    ratio = log_interval(both.iloc[:, 0] / both.iloc[:, 1])
    said = f"{nearest}'s autocorrelations are nearest to the real ones, {PSA}'s {ratio_in_words(ratio)} times as far"
    return said if ratio.above(1) else f"{said}, which is not told apart"


def _distance(by_seed: pd.Series) -> str:
    return ratio_in_words(log_interval(by_seed.clip(lower=1e-12)))


def _autocorrelations(panel: FigurePanel, method: str) -> pd.DataFrame:
    found = panel.rows[(panel.rows["part"] == "likeness") & (panel.rows["metric"] == "autocorrelation")]
    return found[found["method"] == method].pivot_table(index="seed", columns="place", values="value", observed=True)


def draw_spread(rows: pd.DataFrame) -> Drawing:
    """Draw how much samples of one condition differ, by model and by kind of noise."""
    panels = figure_panels(rows, (*MODELS, *NOISES), part="spread", metric="variance ratio")
    lines = [
        Line(_spread_label(method, panel, panels), method, {"method": method, **panel.what})
        for panel in sorted(panels, key=lambda one: (panels[0].dataset != one.dataset, one.dataset, -one.window))
        for method in dict.fromkeys((*MODELS, *NOISES))
        if ((panel.rows["part"] == "spread") & (panel.rows["method"] == method)).any()
    ]
    figure, axes = new_figure(columns=2, height=0.27 * len(lines) + 1.4, sharey=True)
    drawn: list[dict[str, Any]] = []
    for one, metric, interval in zip(axes, ("variance ratio", "coverage"), (_of_ratio, t_interval), strict=True):
        found = measured_lines(rows, lines, part="spread", metric=metric)
        drawn += draw_dots(one, found, lines, interval=interval, metric=metric)
    axes[0].axvline(1, color=BLACK, linewidth=0.8)
    axes[1].axvline(0.9, color=BLACK, linewidth=0.8)
    axes[0].set_xlabel("variance / squared error")
    axes[1].set_xlabel("coverage of the central 90 %")
    # From the means: an interval of three seeds on ln may end at a hundred times as much.
    highest = max(point["mean"] for point in drawn if point["metric"] == "variance ratio")
    axes[0].set_xlim(-0.03, max(1.1, 1.3 * highest))
    axes[1].set_xlim(-0.03, 1.03)
    main = longest(rows, part="spread", metric="variance ratio")[0]
    own = per_seed(main.rows, part="spread", metric="variance ratio", method=PSA)
    share = _of_ratio(100 * own)
    lead = "PSA-GAN's samples vary too little" if share.high < 100 else "How much PSA-GAN's samples vary"
    finding = f"{lead}: their variance is {ratio_in_words(share)} % of the squared error of their mean"
    state_finding(figure, finding)
    data = pd.DataFrame(drawn)
    return Drawing(
        figure,
        "spread",
        f"Spread of samples within a condition. {finding}.",
        "Left: variance of the samples over the squared distance of the real window from their mean, 1 where it looks "
        "like one more sample; geometric means. Right: share of real values within the central 90 % of the samples. "
        f"95 % t intervals over seeds, {seeds_behind(data)}; faint: single seeds. The title is of {main.dataset}, "
        f"τ = {main.window}. TimeGAN is told no condition: its samples of one are samples of all.",
        data,
    )


def _of_ratio(values: Any) -> Interval:
    """Return the geometric mean and interval of ratios, of which one may be nothing."""
    return log_interval(np.clip(values, 1e-12, None))


def _spread_label(method: str, panel: FigurePanel, panels: list[FigurePanel]) -> str:
    variant = NOISES.get(method, method) if method != PSA else method
    where = f"{panel.dataset}, τ = {panel.window}" if panel.dataset != panels[0].dataset else f"τ = {panel.window}"
    return f"{variant}, {where}"


def draw_degradations(rows: pd.DataFrame) -> Drawing:
    """Draw the score of spoilt real windows in multiples of the floor, with and without the encoder."""
    panel = longest(rows, (UNCHANGED,), part="degraded")[0]
    rows, window = panel.rows, panel.window
    names = [name for name in degraded(torch.zeros(2, 8), torch.Generator()) if name != UNCHANGED]
    figure, axes = new_figure(height=0.34 * len(names) + 1.2)
    drawn = []
    for metric, style, aside, label in (
        ("context FID", PSA, -0.12, "Context-FID"),
        ("raw FID", REAL, 0.12, "distance of the windows themselves"),
    ):
        floor = per_seed(rows, part="degraded", metric=metric, method=UNCHANGED)
        intervals = []
        for name in names:
            ratio = np.log10(per_seed(rows, part="degraded", metric=metric, method=name) / floor)
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
        f"{panel.dataset}, held-out windows of τ = {window}, scaled to [0, 1]; geometric means, 95 % t intervals over "
        f"seeds, {seeds_behind(data)}.",
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
