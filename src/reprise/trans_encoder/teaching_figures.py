"""Figures of what a student makes of its labels: scores, single pairs, groups of pairs, and the training itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.ticker import LogLocator, NullFormatter

from reprise.method_styles import style_of
from reprise.numerals import difference, number
from reprise.plots import Drawing, as_data, interval_dots, measured, name_lines, new_figure, seeds_behind, state_finding
from reprise.rows import MissingRowsError, select
from reprise.stats import paired_differences, t_interval
from reprise.trans_encoder.lookups import half_step_name, half_step_of, home_of, sets_of
from reprise.trans_encoder.names import BASE, FORMS, SELF_CROSS, START

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BANDS = ((0.05, 0.95, 0.25), (0.25, 0.75, 0.5))


def draw_scores(rows: pd.DataFrame) -> Drawing:
    """Draw the distribution of the pool's scores after each half-step: median, middle half, middle nine tenths."""
    found = select(rows, part="scores", metric="score quantile", dataset=home_of(rows))
    means = found.groupby(["method", "cycle", "at"])["value"].mean()
    steps = sorted({(half_step_of(m, int(c)), m, int(c)) for m, c, _ in means.index})
    figure, axes = new_figure(height=2.6)
    drawn: list[dict[str, Any]] = []
    for place, method, cycle in steps:
        quantile = means.loc[method, cycle]
        colour = style_of(method).colour
        for low, high, alpha in BANDS:
            axes.bar(place, quantile[high] - quantile[low], 0.6, bottom=quantile[low], color=colour, alpha=alpha)
        axes.plot([place - 0.3, place + 0.3], [quantile[0.5]] * 2, color="black", linewidth=1)
        drawn += [{"half-step": half_step_name(place), "level": level, "score": v} for level, v in quantile.items()]
    axes.use_sticky_edges = False
    axes.margins(y=0.05)
    names = [half_step_name(place) for place, _, _ in steps]
    axes.set_xticks([place for place, _, _ in steps], names)
    axes.set_ylabel("score of the pool's pairs")
    data = pd.DataFrame(drawn)
    widths = [_width(data, name) for name in names]
    finding = f"The middle 90 % of the scores: {number(widths[0], 2)} wide at the start" + (
        f", {number(widths[1], 2)} after {names[1]}" if len(widths) > 1 else ""
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "scores",
        f"Scores of the pool by half-step. {finding}.",
        "Median, middle half and middle nine tenths of the scores that teach the next half-step, means over seeds; "
        "cosines for the start and bi-encoders, sigmoids for cross-encoders.",
        data,
    )


def _width(data: pd.DataFrame, name: str) -> float:
    own = data[data["half-step"] == name].set_index("level")["score"]
    return float(own[0.95] - own[0.05])


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
    share = 100 * float(better.mean())
    finding = f"The student is nearer to gold on {number(share, 0)} % of {len(ranks)} pairs"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "single_pairs",
        f"Rank by teacher against rank by student. {finding}.",
        f"Test pairs of {home_of(rows)}, seed {seed}, after the first half-step; gold is used for the colours alone.",
        ranks.reset_index(),
    )


def draw_groups(rows: pd.DataFrame) -> Drawing:
    """Draw by how much each form's rank error differs from the start's, by groups of pairs."""
    found = select(rows, part="groups", metric="rank error", variant=BASE, dataset=sets_of(rows))
    groups = sorted(set(found["group"]), key=_place_of_group)
    figure, axes = new_figure(height=0.34 * len(groups) + 1.2)
    drawn: list[dict[str, Any]] = []
    for place, group in enumerate(groups):
        for aside, method in zip((-0.12, 0.12), FORMS, strict=True):
            before, after = (measured(found, group=group, method=m) for m in (START, method))
            if before is None or after is None:
                continue
            change = t_interval(paired_differences(after, before))
            interval_dots(axes, [place + aside], [change], method=method, label=None if place else method)
            drawn.append(as_data(change, group=group, method=method))
    axes.axvline(0, color="black", linewidth=0.8)
    name_lines(axes, groups)
    axes.set_xlabel("rank error minus the start's (points of rank; left is better)")
    axes.legend(fontsize=7)
    data = pd.DataFrame(drawn)
    cross = data[data["method"] == SELF_CROSS]
    best = cross.loc[cross["mean"].idxmin()]
    by = number(float(best["mean"]), 1, signed=True)
    finding = f"The cross-encoder's rank error changes by {by} at its best group: {best['group']}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "groups",
        f"Change of the rank error by group of pairs. {finding}.",
        f"Mean absolute difference of ranks (0 to 100) from gold, minus the start's, 95 % t intervals over "
        f"seeds, {seeds_behind(data)}. Quarters by the share of words that both sentences have in common, 1 the "
        f"lowest.",
        data,
    )


def _place_of_group(group: str) -> tuple[int, str]:
    return (0 if group.startswith("shared") else 1, group)


def draw_training(rows: pd.DataFrame) -> Drawing:
    """Draw loss and development score over the steps of both forms in the first cycle."""
    figure, axes = new_figure(columns=2, height=2.6)
    home, drawn = home_of(rows), []
    how = {"dataset": home, "part": "training", "cycle": 1, "variant": BASE}
    for method in FORMS:
        drawn += _draw_course(axes[0], select(rows, metric="loss", method=method, **how), method)
        kind = select(rows, split="validation", method=method, **how)
        drawn += _draw_course(axes[1], kind, method)
    start = measured(rows, dataset=home, part="selection", method=START, split="validation")
    words = ""
    if start is not None:
        axes[1].axhline(float(start.mean()), color="black", linestyle=":", linewidth=0.8)
        best = measured(rows, dataset=home, part="selection", method=SELF_CROSS, split="validation", cycle=1)
        if best is not None:
            words = (
                f"; development, cross-encoder minus start: {difference(t_interval(paired_differences(best, start)))}"
            )
    axes[0].set(xlabel="step", ylabel="loss", yscale="log")
    axes[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].yaxis.set_minor_formatter(NullFormatter())
    axes[1].set(xlabel="step", ylabel="development Spearman × 100")
    axes[0].legend(fontsize=7)
    data = pd.DataFrame(drawn)
    steps = int(data["at"].max())
    finding = f"{steps} steps of the first half{words}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "training",
        f"Loss and development score over steps. {finding}.",
        "First cycle, means over seeds; loss averaged over ten steps (cross-entropy of labels that are no certainties "
        "does not fall to zero); dotted: the start.",
        data,
    )


def _draw_course(axes: Axes, rows: pd.DataFrame, method: str) -> list[dict[str, Any]]:
    means = rows.groupby("at")["value"].mean()
    look = style_of(method)
    marker = look.marker if len(means) < 12 else ""
    axes.plot(means.index, means, color=look.colour, linestyle=look.dash, marker=marker, label=method)
    return [{"method": method, "metric": rows["metric"].iloc[0], "at": at, "mean": v} for at, v in means.items()]
