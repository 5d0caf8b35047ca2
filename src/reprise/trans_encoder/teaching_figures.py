"""Figures of what a student makes of its labels: scores, single pairs, groups of pairs, and the training itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator, NullFormatter
from scipy.stats import binomtest

from reprise.method_styles import style_of
from reprise.numerals import difference, number
from reprise.plots import Drawing, as_data, interval_dots, measured, name_lines, new_figure, seeds_behind, state_finding
from reprise.rows import MissingRowsError, select
from reprise.stats import paired_differences, t_interval
from reprise.trans_encoder.changes import Change
from reprise.trans_encoder.lookups import half_step_name, half_step_of, home_of, sets_of
from reprise.trans_encoder.names import BASE, FORMS, HOME, SELF_BI, SELF_CROSS, SHORT_NAMES, START
from reprise.trans_encoder.objectives import STRETCH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CAPTIONS = ", which are captions of images and videos"
ERROR_OF_CHANGE = "standard error of the rank error's change"
LOSS_OF = {SELF_CROSS: "cross-encoder:\ncross-entropy", SELF_BI: "bi-encoder:\nsquared error"}
BANDS = ((0.05, 0.95, 0.25), (0.25, 0.75, 0.5))


def draw_scores(rows: pd.DataFrame, *, stretch: bool) -> Drawing:
    """Draw the distribution of the pool's scores after each half-step: median, middle half, middle nine tenths.

    Parameters
    ----------
    rows
        Of the run.
    stretch
        Whether cosines were stretched before cross-encoders learnt them: the first labels are then drawn, too.
    """
    found = select(rows, part="scores", metric="score quantile", dataset=home_of(rows))
    means = found.groupby(["method", "cycle", "at"])["value"].mean()
    steps = sorted({(half_step_of(m, int(c)), m, int(c)) for m, c, _ in means.index})
    bars = [(half_step_name(place), method, means.loc[method, cycle]) for place, method, cycle in steps]
    if stretch:
        bars.insert(1, ("start,\nstretched", START, _stretched_quantiles(bars[0][2])))
    figure, axes = new_figure(height=2.6)
    drawn: list[dict[str, Any]] = []
    for at, (name, method, quantile) in enumerate(bars):
        colour = style_of(method).colour
        for low, high, alpha in BANDS:
            axes.bar(at, quantile[high] - quantile[low], 0.6, bottom=quantile[low], color=colour, alpha=alpha)
        axes.plot([at - 0.3, at + 0.3], [quantile[0.5]] * 2, color="black", linewidth=1)
        drawn += [{"half-step": name.replace("\n", " "), "level": level, "score": v} for level, v in quantile.items()]
    axes.use_sticky_edges = False
    axes.margins(y=0.05)
    axes.set_xticks(range(len(bars)), [name for name, _, _ in bars])
    axes.set_ylabel("score of the pool's pairs")
    finding = "Width of the middle 90 %: " + ", ".join(
        f"{number(float(quantile[0.95] - quantile[0.05]), 2)} ({name})".replace("\n", " ")
        for name, _, quantile in bars[:3]
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "scores",
        f"Scores of the pool by half-step. {finding}.",
        "Median, middle half and middle nine tenths of the scores after each half-step, means over seeds; "
        "cosines for the start and bi-encoders, sigmoids for cross-encoders."
        + (
            " Cross-encoders learn cosines stretched, which is drawn for the first alone, its ends read between the "
            "quantiles that are kept."
            if stretch
            else ""
        ),
        pd.DataFrame(drawn),
    )


def _stretched_quantiles(quantile: pd.Series) -> pd.Series:
    """Return the quantiles of labels after stretching from those before it: it is monotone."""
    low, high = np.interp(STRETCH, quantile.index, quantile)
    return ((quantile - low) / (high - low)).clip(0, 1)


def draw_single_pairs(rows: pd.DataFrame) -> Drawing:
    """Draw student's against teacher's rank of single test pairs, coloured by which of the two is nearer to gold."""
    seed = int(select(rows, part="single pairs")["seed"].min())
    chosen = select(rows, part="single pairs", dataset=home_of(rows), seed=seed, metric="rank")
    ranks = chosen.pivot_table(index="at", columns="method", values="value")
    if SELF_CROSS not in ranks or START not in ranks:
        raise MissingRowsError("this run has no single pairs.")
    better = (ranks[SELF_CROSS] - ranks["gold"]).abs() < (ranks[START] - ranks["gold"]).abs()
    figure, axes = new_figure(height=3.4, width=4.2)
    for mask, style, label in ((better, SELF_CROSS, "student nearer to gold"), (~better, START, "teacher nearer")):
        look = style_of(style)
        axes.plot(
            ranks[START][mask], ranks[SELF_CROSS][mask], linestyle="", marker=look.marker, color=look.colour, alpha=0.7,
            markersize=4, label=label,
        )  # fmt: skip
    axes.plot([0, 100], [0, 100], color="black", linewidth=0.8)
    axes.set(xlabel="rank by the start's cosine (0 to 100)", ylabel="rank by the cross-encoder")
    axes.legend(fontsize=7)
    share = binomtest(int(better.sum()), len(better)).proportion_ci(method="wilson")
    ends = f"[{number(100 * share.low, 0)}, {number(100 * share.high, 0)}]"
    told = "" if share.low > 0.5 or share.high < 0.5 else ", not told from half"
    finding = (
        f"The student is nearer to gold on {number(100 * float(better.mean()), 0)} {ends} % of {len(ranks)} pairs{told}"
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "single_pairs",
        f"Rank by teacher against rank by student. {finding}.",
        f"The first {len(ranks)} tested pairs of {SHORT_NAMES[home_of(rows)]}, in the order of its file"
        f"{CAPTIONS if home_of(rows) == HOME else ''}, seed {seed}, after the first half-step; gold is used for the "
        "colours alone. Interval: Wilson's, over pairs.",
        ranks.reset_index(),
    )


def draw_groups(rows: pd.DataFrame) -> Drawing:
    """Draw by how much each form's rank error differs from the start's, by groups of pairs, sets weighted by pairs."""
    found = select(rows, part="groups", dataset=sets_of(rows))
    groups = sorted(set(found["group"]), key=_place_of_group)
    sizes = {group: _pairs_of_group(found, group) for group in groups}
    figure, axes = new_figure(height=0.34 * len(groups) + 1.2)
    drawn: list[dict[str, Any]] = []
    words = []
    for place, group in enumerate(groups):
        for aside, method in zip((-0.12, 0.12), FORMS, strict=True):
            change = _change_of_group(found, sizes[group], group, method)
            if change is None:
                continue
            interval_dots(axes, [place + aside], [change.whole], method=method, label=None if place else method)
            drawn.append(as_data(change.whole, group=group, method=method, pairs=int(sizes[group].sum())))
            if method == SELF_CROSS and not group.startswith("shared"):
                words.append(f"{group} {_side(change)} ({difference(change.whole)})")
    if not drawn:
        raise MissingRowsError("this run has no groups of pairs.")
    axes.axvline(0, color="black", linewidth=0.8)
    name_lines(axes, [f"{group} · {sizes[group].sum():.0f} pairs" for group in groups])
    axes.set_xlabel("rank error minus the start's (points of rank; left is better)")
    axes.legend(fontsize=7)
    data = pd.DataFrame(drawn)
    finding = f"Cross-encoder's rank error against the start's: {'; '.join(words) or 'no such pairs'}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "groups",
        f"Change of the rank error by group of pairs. {finding}.",
        f"Mean absolute difference of ranks (0 to 100) from gold, minus the start's, over the pairs of all sets; 95 % "
        f"intervals with the spread over seeds ({seeds_behind(data)}) and over pairs. Quarters by the share of shared "
        "words, 1 the lowest.",
        data,
    )


def _pairs_of_group(rows: pd.DataFrame, group: str) -> pd.Series:
    """Return how many pairs of a group each set has."""
    found = select(rows, group=group, method="data", metric="pairs")
    return found.groupby("dataset", observed=True)["value"].mean()


def _change_of_group(rows: pd.DataFrame, sizes: pd.Series, group: str, method: str) -> Change | None:
    """Return by how much the rank error of a group differs from the start's; sets weigh as many pairs as they have."""
    how = {"group": group, "variant": BASE}
    mean, variance = None, 0.0
    for name, weight in (sizes / sizes.sum()).items():
        before, after = (measured(rows, dataset=name, method=m, metric="rank error", **how) for m in (START, method))
        if before is None or after is None:
            return None
        own = weight * paired_differences(after, before)
        mean = own if mean is None else mean + own
        # A single pair has no spread; its set weighs next to nothing.
        error = measured(rows, dataset=name, method=method, metric=ERROR_OF_CHANGE, **how)
        variance += 0.0 if error is None else float((weight * error.mean()) ** 2)
    return None if mean is None else Change(t_interval(mean), variance**0.5)


def _side(change: Change) -> str:
    return "less" if change.whole.below(0) else "more" if change.whole.above(0) else "not told apart"


def _place_of_group(group: str) -> tuple[int, str]:
    return (0 if group.startswith("shared") else 1, group)


def draw_training(rows: pd.DataFrame) -> Drawing:
    """Draw loss and development score over the steps of both forms in the first cycle, seed by seed."""
    figure, axes = new_figure(columns=3, height=2.6)
    home, drawn = home_of(rows), []
    how = {"dataset": home, "part": "training", "cycle": 1, "variant": BASE}
    for one, method in zip(axes, FORMS, strict=False):
        drawn += _draw_course(one, select(rows, metric="loss", method=method, **how), method)
        one.set(xlabel="step", yscale="log")
        one.set_title(LOSS_OF[method], fontsize=8)
        one.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        one.yaxis.set_major_formatter("{x:g}")
        one.yaxis.set_minor_formatter(NullFormatter())
        looks = select(rows, split="validation", method=method, **how)
        drawn += _draw_course(axes[2], looks, method, singly=True)
    start = measured(rows, dataset=home, part="selection", method=START, split="validation")
    if start is not None:
        axes[2].axhline(float(start.mean()), color="black", linestyle=":", linewidth=0.8)
    axes[0].set_ylabel("loss")
    axes[2].set(xlabel="step")
    axes[2].set_title("development pairs:\nSpearman × 100", fontsize=8)
    axes[2].legend(fontsize=7)
    data = pd.DataFrame(drawn)
    finding = _development_in_words(rows, home, start)
    state_finding(figure, finding)
    return Drawing(
        figure,
        "training",
        f"Loss and development score over steps. {finding}.",
        "First cycle. Lines: means over seeds; faint dots: single seeds; dotted: the start. Losses are averaged over "
        "ten steps; the two have different scales and floors (cross-entropy of labels that are no certainties does not "
        "fall to zero). Every seed keeps the weights of its best look, of which a short training has one.",
        data,
    )


def _development_in_words(rows: pd.DataFrame, home: str, start: pd.Series | None) -> str:
    words = []
    for method, name in zip(FORMS, ("cross-encoder", "bi-encoder"), strict=True):
        kept = measured(rows, dataset=home, part="selection", method=method, split="validation", cycle=1)
        if kept is not None and start is not None:
            words.append(f"{name} {Change(t_interval(paired_differences(kept, start))).told(decimals=2)}")
    if not words:
        raise MissingRowsError("this run has no development scores.")
    return f"Development pairs, best looks, over seeds: {', '.join(words)}"


def _draw_course(axes: Axes, rows: pd.DataFrame, method: str, *, singly: bool = False) -> list[dict[str, Any]]:
    means = rows.groupby("at")["value"].mean()
    look = style_of(method)
    marker = look.marker if len(means) < 12 else ""
    axes.plot(means.index, means, color=look.colour, linestyle=look.dash, marker=marker, label=method)
    if singly:
        axes.plot(rows["at"], rows["value"], linestyle="", marker=".", color=look.colour, alpha=0.35, markersize=4)
    return [{"method": method, "metric": rows["metric"].iloc[0], "at": at, "mean": v} for at, v in means.items()]
