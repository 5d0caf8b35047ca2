"""Figures of detection: the derivative's distribution, detectors beside one another, and what becomes of the error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from reprise.diva.comparisons import FLAT, SHARP, temperature_of
from reprise.diva.figures import noise_rate_of, panels, sets_with, title_of, written
from reprise.method_styles import style_of
from reprise.numerals import number
from reprise.plots import (
    Drawing,
    Line,
    draw_curve,
    draw_dots,
    measured,
    measured_lines,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.rows import per_seed, select
from reprise.stats import paired_differences, t_interval

DETECTORS = (
    Line("DIVA derivative, τ = 1", "DIVA derivative", {"method": "DIVA derivative", "outer": FLAT}),
    Line("leave-one-out residual", "Leave-one-out residual", {"method": "Leave-one-out residual"}),
    Line("cleanlab", "cleanlab", {"method": "cleanlab"}),
    Line("KNN-Shapley", "KNN-Shapley", {"method": "KNN-Shapley"}),
)
ALIKE = 0.01  # areas under the curve no further apart than this are called alike
METRICS = {"auc": "area under the curve", "f1": "F1 at the detector's own threshold"}


def draw_histogram(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the distribution of the derivative for right and wrong labels, one draw a data set."""
    names = sets_with(rows, data_sets, experiment="detection", metric="count")
    figure, axes = panels(len(names), columns=3, height=2.1)
    kept = []
    for one, name in zip(axes, names, strict=True):
        counts = select(rows, dataset=name, experiment="detection", metric="count")
        kept.append(counts[["dataset", "setting", "size", "value"]])
        for kind, style, label in (("clean", "Uniform", "right"), ("wrong", "DIVA derivative", "wrong")):
            own = counts[counts.setting == kind].sort_values("size")
            share = own["value"] / own["value"].sum()
            look = style_of(style)
            one.step(own["size"], share, where="mid", color=look.colour, linestyle=look.dash, label=label)
            one.fill_between(own["size"], share, step="mid", color=look.colour, alpha=0.2, linewidth=0)
        one.axvline(0, color="black", linewidth=0.8)
        one.set(title=title_of(name), ylim=(0, None))
    figure.supylabel("share of samples", fontsize=9)
    figure.legend(*axes[0].get_legend_handles_labels(), title="label", loc="outside right center")
    figure.supxlabel("leave-one-out derivative, by its largest absolute value", fontsize=9)
    data = pd.concat(kept)
    wrong = data[data.setting == "wrong"]
    caught = wrong[wrong["size"] > 0].groupby("dataset")["value"].sum() / wrong.groupby("dataset")["value"].sum()
    words = [f"{title_of(name)} {caught[name]:.0%}" for name in names]
    right = data[data.setting == "clean"]
    alarms = right[right["size"] > 0].groupby("dataset")["value"].sum() / right.groupby("dataset")["value"].sum()
    state_finding(
        figure,
        f"Positive derivatives: {_at_least(caught.min(), 2):.0%} or more of the wrong labels, "
        f"{_at_most(alarms.max(), 2):.0%} or fewer of the right",
    )
    return Drawing(
        figure,
        "histogram",
        f"Share of the wrong labels with a positive derivative: {', '.join(words)}.",
        "Distribution of the leave-one-out derivative at equal weights (cross-entropy, τ = 1) with "
        f"{noise_rate_of(rows) * 100:g} % wrong labels, one draw of them; zero is the threshold, untuned.",
        data,
    )


def draw_detectors(rows: pd.DataFrame, published: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw AUC and F1 of all detectors, the range that the paper prints shaded."""
    names = sets_with(rows, data_sets, experiment="detection")
    figure, axes = new_figure(
        rows=len(names), columns=2, height=0.6 + 0.95 * len(names) + 0.3, squeeze=False, sharey=True, sharex="col"
    )
    rate = noise_rate_of(rows)
    drawn: list[dict[str, Any]] = []
    for line, name in zip(axes, names, strict=True):
        for one, metric in zip(line, METRICS, strict=True):
            here: dict[str, Any] = {"experiment": "detection", "noise_rate": rate, "dataset": name, "metric": metric}
            found = measured_lines(rows, DETECTORS, **here)
            drawn += draw_dots(one, found, DETECTORS, dataset=name, metric=metric)
            printed = published[published.metric == metric]["value"]
            one.axvspan(printed.min(), printed.max(), color="#595959", alpha=0.12, linewidth=0)
            one.set_title(title_of(name), fontsize=9)
    for one, label in zip(axes[-1], METRICS.values(), strict=True):
        one.set_xlabel(label)
    data = pd.DataFrame(drawn)
    auc = data[data.metric == "auc"].pivot(index="dataset", columns="method", values="mean")
    words = [
        f"{title_of(n)}: derivative {number(auc.loc[n, DETECTORS[0].label], 3)}, "
        f"residual {number(auc.loc[n, DETECTORS[1].label], 3)}"
        for n in names
    ]
    gaps = auc[DETECTORS[0].label] - auc[DETECTORS[1].label]
    f1 = data[data.metric == "f1"].pivot(index="dataset", columns="method", values="mean")
    ahead = int((f1.drop(columns=DETECTORS[0].label).max(axis=1) > f1[DETECTORS[0].label]).sum())
    state_finding(figure, f"{_ranking_finding(gaps)}; another detector has the larger F1 on {ahead} of {len(names)}")
    return Drawing(
        figure,
        "detectors",
        f"Area under the curve. {'; '.join(words)}.",
        f"Finding {rate * 100:g} % wrong labels: mean over draws of them ({seeds_behind(data)}), 95 % t intervals, "
        "single draws faint. Thresholds: derivative > 0; another class predicted; cleanlab's filter; Shapley value < 0."
        " Grey band: the range over the paper's six sets (Figure 3).",
        data,
    )


def _ranking_finding(gaps: pd.Series) -> str:
    """Say whether the derivative ranks better than the plain residual, from their differences in AUC."""
    largest = number(_at_most(gaps.abs().max(), 3), 3)
    if gaps.abs().max() <= ALIKE:
        return f"Derivative and plain residual rank alike: AUC at most {largest} apart"
    better = f"{(gaps > ALIKE).sum()} of {len(gaps)} data sets"
    return f"The derivative ranks better than the plain residual on {better}, worse on {(gaps < -ALIKE).sum()}"


def draw_sweeps(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the derivative's AUC against the temperature, and that of derivative and residual against the noise."""
    names = sets_with(rows, data_sets, experiment="detection")
    figure, axes = new_figure(rows=len(names), columns=2, height=0.8 + 1.5 * len(names), squeeze=False, sharex="col")
    drawn = [line for pair, name in zip(axes, names, strict=True) for line in _draw_sweeps_of(pair, rows, name)]
    axes[-1][0].set_xlabel("temperature τ")
    axes[-1][1].set_xlabel("share of wrong labels")
    figure.supylabel("area under the curve", fontsize=9)
    axes[0][1].legend(loc="best")
    data = pd.DataFrame(drawn)
    sharp = data[(data.against == "temperature")].sort_values("at").groupby("dataset", sort=False)["mean"].last()
    words = [f"{title_of(name)} {number(sharp[name], 2)}" for name in names]
    noisiest = data[(data.against == "noise rate") & (data.method == "DIVA derivative")].sort_values("at")
    low = _at_least(noisiest["mean"].min(), 2)
    turned = [title_of(name) for name in names if sharp[name] < 0.5]
    state_finding(
        figure,
        f"The sharpest loss ranks worse than chance on {len(turned)} of {len(names)} data sets"
        + (f" ({', '.join(turned)})" if turned and len(names) > 1 else "")
        + f"; τ = 1: AUC {number(low, 2)} or more at every noise",
    )
    return Drawing(
        figure,
        "detection_sweeps",
        f"Area under the curve at the largest temperature: {', '.join(words)}; at τ = 1 never below {number(low, 2)}.",
        "Left: AUC of the derivative against the temperature of its outer loss, "
        f"{noise_rate_of(rows) * 100:g} % wrong labels; dotted: chance. Right: against the share of wrong labels at "
        f"τ = 1. 95 % t intervals over draws ({seeds_behind(data)}).",
        data,
    )


def _draw_sweeps_of(pair: Any, rows: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    here = select(rows, dataset=name, experiment="detection", metric="auc")
    main = {"method": "DIVA derivative", "noise_rate": noise_rate_of(rows)}
    outers = {outer: temperature_of(outer) for outer in here["outer"].dropna().unique()}
    temperatures = sorted((t, outer) for outer, t in outers.items() if t is not None)
    curve = {t: measured(here, outer=outer, **main) for t, outer in temperatures}
    parts = [("temperature", draw_curve(pair[0], curve, style="DIVA derivative"))]
    rates = sorted(float(rate) for rate in here["noise_rate"].dropna().unique())
    for method, how in (("DIVA derivative", {"outer": FLAT}), ("Leave-one-out residual", {})):
        curve = {rate: measured(here, method=method, noise_rate=rate, **how) for rate in rates}
        parts.append(("noise rate", draw_curve(pair[1], curve, style=method, aside=0.004 * len(parts))))
    pair[0].axhline(0.5, color="black", linestyle=":", linewidth=0.8)
    for one in pair:
        one.set_title(title_of(name), fontsize=9)
    return [{"dataset": name, "against": what, **line} for what, part in parts for line in part]


CLEANED = (
    ("DIVA, suspects dropped", "g > 0 dropped", None),
    ("Residual, as many dropped", "as many by residual dropped", None),
    ("DIVA Reweight", "reweighted, τ = 1", FLAT),
    ("DIVA Reweight", "reweighted, τ = 10", SHARP),
    ("Wrong labels dropped", "exactly the wrong ones dropped", None),
)


def cleaning_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return test errors with wrong labels, and the change by acting on each detector."""
    lines = []
    for name in sets_with(rows, data_sets, experiment="detection"):
        how = {"dataset": name, "experiment": "detection", "split": "test", "metric": "error"}
        given = per_seed(rows, method="Uniform", **how)
        line = {"data set": title_of(name), "as given (%)": written(t_interval(given))}
        for method, label, outer in CLEANED:
            values = per_seed(rows, method=method, **({"outer": outer} if outer else {}), **how)
            line[f"{label} (Δ)"] = written(t_interval(paired_differences(values, given)))
        lines.append(line)
    return pd.DataFrame(lines)


def _at_least(value: float, decimals: int) -> float:
    """Return a value rounded down, for "… or more"."""
    return math.floor(round(float(value) * 10**decimals, 6)) / 10**decimals


def _at_most(value: float, decimals: int) -> float:
    """Return a value rounded up, for "… or fewer"."""
    return math.ceil(round(float(value) * 10**decimals, 6)) / 10**decimals
