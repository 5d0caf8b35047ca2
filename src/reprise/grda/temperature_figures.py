"""Figures of the temperature tasks: forecast errors beside the linear yardsticks, and the map of the states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from reprise.grda.data import GraphDomains
from reprise.grda.figures import COMPARED, METHODS, lines_in, papers_values, title_of
from reprise.grda.illustrations import draw_domains
from reprise.numerals import with_interval
from reprise.plots import (
    TEXT_WIDTH,
    Drawing,
    Line,
    draw_dots,
    measured_lines,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.rows import per_seed, select
from reprise.stats import Interval, t_interval

NETWORKS = tuple(line for line in COMPARED if line.label in METHODS or line.style == "GRDA")


def draw_temperature_errors(rows: pd.DataFrame, published: pd.DataFrame, tasks: Sequence[str]) -> Drawing:
    """Draw the error of the temperature forecasts by method, with the linear yardsticks and the paper's values."""
    here = select(rows, split="target", metric="mse_sum")
    panels = [(task, measured_lines(here, COMPARED, dataset=task)) for task in tasks]
    lines = lines_in(panels)
    figure, axes = new_figure(columns=len(panels), height=0.27 * len(lines) + 1.0, squeeze=False, sharey=True)
    drawn: list[dict[str, Any]] = []
    for one, (task, found) in zip(axes[0], panels, strict=True):
        paper = papers_values(published, lines, data_set=task, metric="mse_sum")
        drawn += draw_dots(one, found, lines, paper=paper, dataset=task)
        one.set(xscale="log", title=title_of(task))
    figure.supxlabel("squared error summed over six months, normalised (log scale)", fontsize=9)
    data = pd.DataFrame(drawn)
    words, ratios = [], []
    for task, group in data.groupby("dataset", sort=False):
        mean = group.set_index("method")["mean"]
        networks = mean[[line.label for line in NETWORKS if line.label in mean.index]]
        words.append(
            f"{title_of(task)}: the lowest error of a network is {networks.min():.2f} ({networks.idxmin()}), the "
            f"seasonal linear map's {mean.get('Seasonal linear map', float('nan')):.2f}"
        )
        if {"GRDA, independent pairs", "Source-only"} <= set(mean.index):
            ratio = mean["GRDA, independent pairs"] / mean["Source-only"]
            ratios.append(f"{title_of(task)} {ratio:.1f}")
    state_finding(figure, f"Error of GRDA ÷ error of Source-only: {'; '.join(ratios) or 'not run'}")
    return Drawing(
        figure,
        "temperature_errors",
        "; ".join(words) + ".",
        f"TPT-48, mean over the target states, 95 % t intervals over seeds ({seeds_behind(data)}); grey diamonds: "
        "the paper's Table 2, whose unit is not printed and is read here as this one. Ends below zero cannot be drawn.",
        data,
    )


def draw_temperature_map(rows: pd.DataFrame, tasks: Sequence[GraphDomains]) -> Drawing:
    """Draw the states as a graph, coloured by how much GRDA changes the error of Source-only."""
    figure, axes = new_figure(rows=len(tasks), height=TEXT_WIDTH * 0.56 * len(tasks), squeeze=False)
    drawn = []
    grda = Line("GRDA", "GRDA", {"method": "GRDA", "experiment": "comparison", "pairing": "independent"})
    source_only = Line("Source-only", "Source-only", {"method": "Source-only", "experiment": "comparison"})
    for one, task in zip(axes[:, 0], tasks, strict=True):
        here = select(rows, dataset=task.name, split="domain", metric="mse_sum")
        after, before = (
            select(here, **x.conditions).groupby("domain", sort=False)["value"].mean() for x in (grda, source_only)
        )
        ratio = np.log2(after / before)
        limit = max(1.0, float(np.abs(ratio).max()))
        image = draw_domains(one, task, ratio, size=120, cmap="RdBu_r", vmin=-limit, vmax=limit)
        for i, name in enumerate(task.domain_names):
            one.annotate(name, task.positions[i], ha="center", va="center", fontsize=5, zorder=4)
        one.set(title=title_of(task.name), xticks=[], yticks=[])
        one.grid(False)
        figure.colorbar(image, ax=one, label="log₂ (GRDA ÷ Source-only)", shrink=0.8)
        drawn += [{"task": task.name, "state": name, "log2_ratio": value} for name, value in ratio.items()]
    data = pd.DataFrame(drawn)
    better = data.assign(better=data.log2_ratio < 0).groupby("task", sort=False)["better"].agg(["sum", "size"])
    words = "; ".join(f"{title_of(t)}: {r['sum']} of {r['size']}" for t, r in better.iterrows())
    state_finding(
        figure, f"GRDA has the lower error in {int(better['sum'].sum())} of {int(better['size'].sum())} states"
    )
    return Drawing(
        figure,
        "temperature_map",
        f"States in which GRDA has a lower mean error than Source-only: {words}.",
        "US states as a graph, sources white. Blue: GRDA's squared error (mean over seeds) is lower than "
        "Source-only's; red: higher; one unit is a factor of two.",
        data,
    )


def selection_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return everything that the selection tried: the error on the pseudo-targets, and what was chosen.

    One line per task and method, one column per combination of learning rate and weight λ; Source-only has no λ.
    """
    tried = select(rows, experiment="selection", split="pseudo-target", metric="mse_sum")
    names = [
        f"{rate:g}" if pd.isna(weight) else f"{rate:g}, λ {weight:g}"
        for rate, weight in zip(tried["learning_rate"], tried["adversarial_weight"], strict=True)
    ]
    errors = tried.assign(combination=names).groupby(["dataset", "method", "combination"], sort=False)["value"].mean()
    lines = []
    for (task, method), own in errors.groupby(level=["dataset", "method"], sort=False):
        finite = own.droplevel(["dataset", "method"])
        listed = "; ".join(f"({name}) {error:.2f}" for name, error in finite.items())
        lines.append(
            {"task": title_of(task), "method": method, "chosen": finite.idxmin(), "error by combination": listed}
        )
    return pd.DataFrame(lines)


def level_table(rows: pd.DataFrame, published: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Return Table 2: errors by distance with intervals and the paper's, the ratio to Source-only, and °F² a month."""
    lines = []
    for task in tasks:
        printed = published[published.dataset == task].set_index(["method", "split"])["value"]
        here = select(rows, dataset=task, experiment="comparison")
        base = per_seed(here, method="Source-only", split="target", metric="mse_sum").mean()
        for method in [m for m in METHODS if m in set(here["method"])]:
            own = select(here, method=method)
            cells = {
                split: f"{_mean(own, split=split, metric='mse_sum')} ({printed[method, split]:.2f})"
                for split in ("level 1", "level 2", "level 3", "target")
            }
            overall = per_seed(own, split="target", metric="mse_sum").mean()
            paper_ratio = printed[method, "target"] / printed["Source-only", "target"]
            ratio = f"{overall / base:.2f} ({paper_ratio:.2f})"
            lines.append(
                {
                    "task": title_of(task),
                    "method": method,
                    **cells,
                    "÷ Source-only": ratio,
                    "°F² a month": _mean(own, split="target", metric="mse_fahrenheit"),
                }
            )
    return pd.DataFrame(lines)


def _mean(rows: pd.DataFrame, **conditions: Any) -> str:
    return _with_interval(t_interval(per_seed(rows, **conditions)))


def _of(values: pd.Series) -> str:
    return f"{_with_interval(t_interval(values))} (n = {len(values)})"


def _with_interval(interval: Interval) -> str:
    return with_interval(interval.estimate, interval.low, interval.high)


def embedding_scale_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the error with the domain embedding left as fitted, beside that with it scaled."""
    raw = select(rows, experiment="embedding scale", split="target", metric="mse_sum")
    lines = []
    for (task, method), own in raw.groupby(["dataset", "method"], sort=False):
        conditions = {"dataset": task, "method": method, "split": "target", "metric": "mse_sum"}
        scaled = per_seed(rows, experiment="comparison", **conditions)
        plain = own.groupby("seed")["value"].mean()
        lines.append({"task": title_of(task), "method": method, "z scaled": _of(scaled), "z as fitted": _of(plain)})
    return pd.DataFrame(lines)
