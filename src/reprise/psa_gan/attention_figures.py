"""Figures of what attention does: its gates during training, how far and how evenly it looks, and whole maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from reprise.numerals import number
from reprise.palette import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION
from reprise.plots import Drawing, along, as_data, new_figure, seeds_behind, state_finding
from reprise.psa_gan.attention import weights_of
from reprise.psa_gan.figure_panels import (
    FigurePanel,
    band_ends,
    log_interval,
    longest,
    new_panels,
    ratio_in_words,
    shown_seed,
)
from reprise.psa_gan.input_checks import SHORTEST
from reprise.psa_gan.names import PSA
from reprise.rows import per_seed, select
from reprise.stats import t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STAGE_LOOKS = ((BLUE, "-"), (SKY, (0, (4, 1))), (GREEN, (0, (5, 2))), (VERMILION, (0, (3, 1, 1, 1))),
               (PURPLE, (0, (1, 1))), (ORANGE, (0, (5, 1, 1, 1))))  # fmt: skip
HARDLY_CHOOSES = 0.95  # evenness above which attention is an average over the window rather than a choice


def draw_gates(rows: pd.DataFrame) -> Drawing:
    """Draw γ of each block of the generator through the training, one panel a data set."""
    panels = longest(rows, part="training", metric="gamma")
    figure, axes = new_panels(len(panels), height=2.9, sharey=True)
    drawn: list[dict[str, Any]] = []
    for one, panel in zip(axes, panels, strict=True):
        drawn += _draw_gates_of(one, panel)
        one.axhline(0, color=BLACK, linewidth=0.8)
        one.set_title(panel.title(panels))
    # From the means: the band of three seeds is far wider than what there is to be seen.
    limit = 2 * max(0.01, *(abs(one["mean"]) for one in drawn))
    axes[0].set(ylabel="γ, the weight of attention", ylim=(-limit, limit))
    axes[len(axes) // 2].set_xlabel("generator steps")
    figure.legend(*axes[0].get_legend_handles_labels(), fontsize=7, ncols=6, loc="outside lower center")
    data = pd.DataFrame(drawn)
    finding = _gates_in_words(panels)
    state_finding(figure, finding)
    return Drawing(
        figure,
        "gates",
        f"The gate γ of each block of PSA-GAN's generator through training. {finding}.",
        f"One line a block, by the length at which it works; means and 95 % t intervals over seeds, "
        f"{seeds_behind(data)}. A block enters when its stage begins.",
        data,
    )


def _draw_gates_of(axes: Axes, panel: FigurePanel) -> list[dict[str, Any]]:
    found = select(panel.rows, part="training", metric="gamma", method=PSA)
    drawn = []
    for stage, (colour, dash) in zip(sorted(found["at"].unique()), STAGE_LOOKS, strict=False):
        steps = sorted(float(step) for step in found["step"].unique())
        values = along(found, steps, column="step", at=stage)
        intervals = {step: t_interval(one) for step, one in values.items() if one is not None}
        ends = [band_ends(one) for one in intervals.values()]
        length = SHORTEST * 2 ** int(stage)
        axes.plot(list(intervals), [one.estimate for one in intervals.values()], color=colour, linestyle=dash,
                  label=f"length {length}")  # fmt: skip
        axes.fill_between(list(intervals), *np.transpose(ends), color=colour, alpha=0.13, linewidth=0)
        drawn += [as_data(one, **panel.what, length=length, step=step) for step, one in intervals.items()]
    return drawn


def _gates_in_words(panels: list[FigurePanel]) -> str:
    """Say how large the gates are at the end: the mean of |γ| and the largest, over blocks, seeds and panels."""
    found = [select(one.rows, part="training", metric="gamma", method=PSA) for one in panels]
    ends = pd.concat([one[one["step"] == one["step"].max()]["value"].abs() for one in found])
    mean, most = (number(float(value), 3) for value in (ends.mean(), ends.max()))
    return f"The gates of attention open to |γ| = {mean} in the mean and {most} at most"


def draw_attention(rows: pd.DataFrame) -> Drawing:
    """Draw maps of the last stage's attention beside their windows' mean weight by lag."""
    panel = longest(rows, part="attention", metric="query")[0]
    found = shown_seed(select(panel.rows, part="attention", method=PSA))
    pairs = sorted(select(found, metric="query")["step"].unique())
    figure, axes = new_figure(columns=len(pairs) + 1, height=2.7, width_ratios=[*[1] * len(pairs), 1.25])
    maps = {pair: _map(found, pair) for pair in pairs}
    limit = max(0.1, *(float(np.abs(np.log2(one * len(one))).max()) for one in maps.values()))
    drawn = []
    for place, (one, (pair, weights)) in enumerate(zip(axes, maps.items(), strict=False)):
        picture = one.imshow(np.log2(weights * len(weights)), cmap="cividis", vmin=-limit, vmax=limit)
        one.set(title=f"pair {int(pair) + 1}", xlabel="step looked at")
        one.grid(visible=False)
        if place:
            one.set_yticklabels([])
        drawn.append(_tidy_map(weights).assign(pair=int(pair)))
    axes[0].set_ylabel("step")
    bar = figure.colorbar(picture, ax=list(axes[:-1]), location="bottom", shrink=0.8, aspect=30)
    ticks = np.linspace(-limit, limit, 5).tolist()
    bar.set_ticks(ticks, labels=[f"{2**tick:.2f}" for tick in ticks])
    bar.set_label("weight, in multiples of even attention", fontsize=7)
    by_lag = _draw_lags(axes[-1], panel)
    finding = _evenness_in_words(panel)
    state_finding(figure, finding)
    return Drawing(
        figure,
        "attention",
        f"Attention maps of the generator's last stage and mean weight by lag. {finding}.",
        f"{panel.dataset}, τ = {panel.window}, last stage. Left: the first two conditions of the first seed, as in "
        f"the pairs above; right: mean weight by lag over 64 conditions, 95 % t interval, {seeds_behind(by_lag)}. "
        "Even: entropy of the weights over that of equal ones. Added: root mean square of γ Wₒ SA(y) over that of y.",
        pd.concat([*drawn, by_lag.assign(pair=None)], ignore_index=True),
    )


def _map(found: pd.DataFrame, pair: float) -> np.ndarray:
    """Return the map ``(l, l)`` of a condition from its queries and keys."""
    both = [
        select(found, metric=metric, step=pair).sort_values("place")["value"].to_numpy() for metric in ("query", "key")
    ]
    queries, keys = (torch.from_numpy(one.astype(np.float64)) for one in both)
    return weights_of(queries, keys).numpy()


def _tidy_map(weights: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame(weights).rename_axis("step").rename_axis("looked at", axis="columns")
    return frame.stack().rename("mean").reset_index()


def _draw_lags(axes: Axes, panel: FigurePanel) -> pd.DataFrame:
    found = select(panel.rows, part="attention", metric="weight by lag", method=PSA)
    lags = sorted(float(lag) for lag in found["place"].unique())
    intervals = {lag: t_interval(one) for lag, one in along(found, lags, column="place").items() if one is not None}
    ends = [band_ends(one) for one in intervals.values()]
    axes.plot(list(intervals), [one.estimate for one in intervals.values()], color=BLUE)
    axes.fill_between(list(intervals), *np.transpose(ends), color=BLUE, alpha=0.2, linewidth=0)
    axes.axhline(1, color=BLACK, linewidth=0.8)
    axes.set(title="by lag", xlabel="lag (steps)", ylabel="weight (1: even)")
    return pd.DataFrame([as_data(one, lag=lag) for lag, one in intervals.items()])


def _evenness_in_words(panel: FigurePanel) -> str:
    """Say how evenly the last stage looks, and how much what it finds adds to what passes."""
    where = {"part": "attention", "method": PSA}
    last = float(select(panel.rows, metric="entropy share", **where)["at"].max())
    even = per_seed(panel.rows, metric="entropy share", at=last, **where)
    added = log_interval(100 * per_seed(panel.rows, metric="added share", at=last, **where).clip(lower=1e-12))
    lead = "Attention averages rather than chooses" if even.mean() > HARDLY_CHOOSES else "Attention chooses"
    least = number(100 * float(even.min()), 1)
    return (
        f"At the last stage {lead[0].lower()}{lead[1:]}: in no seed less than {least} % even, it adds "
        f"{ratio_in_words(added)} % to what passes"
    )
