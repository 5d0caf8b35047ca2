"""Figures of what fillings are worth to a forecaster, and of the score against that worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.method_styles import style_of
from reprise.numerals import difference, number
from reprise.palette import BLACK
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
from reprise.psa_gan.comparisons import mean_rank_correlation, ranked
from reprise.psa_gan.figure_panels import band_ends, datasets_of, log_interval, new_panels
from reprise.psa_gan.names import (
    BOOTSTRAP,
    LAST_DAY,
    LAST_SEASON,
    MODELS,
    MOVING_AVERAGE,
    PSA,
    ROLLING_MEAN,
    SEASONAL_AR,
    TRUE_VALUES,
)
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import paired_differences, t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNTRAINED = (MOVING_AVERAGE, ROLLING_MEAN, SEASONAL_AR, BOOTSTRAP, LAST_SEASON)
ARMS = (*MODELS, *UNTRAINED, TRUE_VALUES)
GAP_ARMS = (*MODELS, *UNTRAINED, LAST_DAY, TRUE_VALUES)
GAPS = {"missing": "{at:g} steps missing", "cold": "{at:g} % of series cold"}


def far_errors(rows: pd.DataFrame, dataset: str) -> dict[str, pd.Series]:
    """Return by arm the NRMSE of far forecasts per seed: the mean over all distances but 0."""
    own = select(rows, part="far", metric="NRMSE", dataset=dataset)
    own = own[own["at"] > 0]
    return {arm: per_seed(own, method=arm) for arm in ARMS if (own["method"] == arm).any()}


def best_in_words(errors: dict[str, pd.Series]) -> str:
    """Say with which filling the mean error is lowest, true values apart, and how far PSA-GAN's is from it, by seed."""
    gaps = {arm: _gap(errors, arm, PSA).estimate for arm in errors if arm != TRUE_VALUES}
    best = min(gaps, key=lambda arm: gaps[arm])
    if best == PSA:
        second = min((arm for arm in gaps if arm != PSA), key=lambda arm: gaps[arm])
        return f"Lowest mean error: {PSA}; minus {second} {difference(_gap(errors, PSA, second), 2)} NRMSE"
    return f"Lowest mean error: {best}; {PSA} minus it {difference(_gap(errors, PSA, best), 2)} NRMSE"


def _gap(errors: dict[str, pd.Series], arm: str, other: str) -> Any:
    both = pd.concat([errors[arm], errors[other]], axis=1, join="inner")
    return t_interval(paired_differences(both.iloc[:, 0], both.iloc[:, 1]))


def draw_far(rows: pd.DataFrame) -> Drawing:
    """Draw the error of far forecasts by distance, one line of panels a data set: what is trained, and what is not."""
    datasets = datasets_of(rows, part="far", metric="NRMSE")
    figure, axes = new_figure(rows=len(datasets), columns=2, height=2.3 * len(datasets) + 1.1, sharex=True,
                              sharey="row", squeeze=False)  # fmt: skip
    drawn: list[dict[str, Any]] = []
    for row, dataset in zip(axes, datasets, strict=True):
        found = select(rows, part="far", metric="NRMSE", dataset=dataset)
        for one, arms, kind in zip(row, (MODELS, UNTRAINED), ("generators", "without training"), strict=True):
            drawn += [{"dataset": dataset, **point} for point in _draw_distances(one, found, (*arms, TRUE_VALUES))]
            one.set_title(f"{dataset}, {kind}" if len(datasets) > 1 else kind)
        # From the means: a band of few seeds may be a hundred times as wide as all that there is to be seen.
        highest = max(point["mean"] for point in drawn if point["dataset"] == dataset)
        row[0].set(ylabel="NRMSE", ylim=(0, 1.3 * highest))
    places: tuple[Any, Any] = ("outside lower left", "outside lower right")
    for column, place in enumerate(places):
        axes[-1][column].set_xlabel("distance (windows of 32 steps)")
        handles, labels = axes[0][column].get_legend_handles_labels()
        figure.legend(handles, labels, fontsize=6.5, ncols=2, loc=place)
    data = pd.DataFrame(drawn)
    finding, others = _first_and_others([best_in_words(far_errors(rows, name)) for name in datasets], datasets)
    state_finding(figure, finding)
    return Drawing(
        figure,
        "far",
        f"Error of DeepAR by distance and filling. {finding}.",
        f"Geometric means, bands: 95 % t intervals of ln over seeds, {seeds_behind(data)}; one DeepAR a seed serves "
        f"all fillings. Distance: windows between the end of what is known and the one that is forecast.{others}",
        data,
    )


def _draw_distances(axes: Axes, found: pd.DataFrame, arms: tuple[str, ...]) -> list[dict[str, Any]]:
    """Draw a line with markers and a faint band for each arm: whiskers of nine arms would hide one another."""
    distances = sorted({float(at) for at in found["at"]})
    drawn = []
    for arm in [name for name in arms if (found["method"] == name).any()]:
        values = along(found, distances, method=arm).items()
        intervals = {at: log_interval(one) for at, one in values if one is not None}
        look, ends = style_of(arm), np.transpose([band_ends(one) for one in intervals.values()])
        axes.plot(list(intervals), [one.estimate for one in intervals.values()], color=look.colour, marker=look.marker,
                  linestyle=look.dash, label=arm, markersize=4)  # fmt: skip
        axes.fill_between(list(intervals), *ends, color=look.colour, alpha=0.09, linewidth=0)
        drawn += [as_data(one, method=arm, at=at) for at, one in intervals.items()]
    return drawn


def _first_and_others(words: list[str], names: list[str]) -> tuple[str, str]:
    """Return what is said of the first panel, for the title, and of the others, for the caption."""
    first = words[0] + (f" ({names[0]})" if len(names) > 1 else "")
    others = "; ".join(f"{name}: {_inside(said)}" for name, said in zip(names[1:], words[1:], strict=True))
    return first, f" {others}." if others else ""


def _inside(said: str) -> str:
    """Return a sentence as it stands behind a colon."""
    return said.replace("Lowest", "lowest", 1)


def draw_far_gains(rows: pd.DataFrame) -> Drawing:
    """Draw by how much PSA-GAN's filling changes the mean error of far forecasts against each other filling's."""
    datasets = [name for name in datasets_of(rows, part="far", metric="NRMSE") if PSA in far_errors(rows, name)]
    errors = {name: far_errors(rows, name) for name in datasets}
    others = [arm for arm in ARMS if arm != PSA and any(arm in one for one in errors.values())]
    if not others:
        raise MissingRowsError("this run has far forecasts of no other filling than PSA-GAN's.")
    figure, axes = new_panels(len(datasets), height=0.27 * len(others) + 1.3)
    drawn: list[dict[str, Any]] = []
    for place, (one, name) in enumerate(zip(axes, datasets, strict=True)):
        drawn += [{"dataset": name, **point} for point in _draw_gains(one, errors[name], others)]
        if len(datasets) > 1:
            one.set_title(name)
        if place % 3:
            one.set_yticklabels([])
    figure.supxlabel("NRMSE with PSA-GAN's filling minus that with … (below 0: PSA-GAN's is better)", fontsize=8)
    data = pd.DataFrame(drawn)
    words = [_better_in_words(data[data["dataset"] == name]) for name in datasets]
    finding, beside = _first_and_others(words, datasets)
    state_finding(figure, finding)
    return Drawing(
        figure,
        "far_gains",
        f"PSA-GAN's filling against each other one. {finding}.",
        f"Mean over the distances from 1 on, paired by seed, 95 % t intervals, {seeds_behind(data)}; faint: single "
        f"seeds. True values are the ceiling.{beside}",
        data,
    )


def _draw_gains(axes: Axes, errors: dict[str, pd.Series], others: list[str]) -> list[dict[str, Any]]:
    drawn = []
    for place, arm in enumerate(others):
        if arm in errors:
            both = pd.concat([errors[PSA], errors[arm]], axis=1, join="inner")
            found = _gap(errors, PSA, arm)
            interval_dots(axes, [place], [found], method=arm, single_runs=[list(both.iloc[:, 0] - both.iloc[:, 1])])
            drawn.append(as_data(found, method=arm))
    axes.axvline(0, color=BLACK, linewidth=0.8)
    axes.locator_params(axis="x", nbins=4)
    name_lines(axes, others)
    return drawn


def _better_in_words(data: pd.DataFrame) -> str:
    """Say which fillings PSA-GAN's is better or worse than, by the interval of the paired difference."""
    fillings = data[data["method"] != TRUE_VALUES]
    better = fillings[fillings["high"] < 0]["method"].tolist()
    worse = fillings[fillings["low"] > 0]["method"].tolist()
    said = [
        f"{lead} than {', '.join(str(arm) for arm in arms)}"
        for lead, arms in (("better", better), ("worse", worse))
        if arms
    ]
    return f"{PSA}'s filling is {' and '.join(said) or 'told apart from no other'}"


def draw_gaps(rows: pd.DataFrame) -> Drawing:
    """Draw the error of forecasts after missing stretches and at a cold start, by what fills the gap."""
    panels = _gap_panels(rows)
    shown = [arm for arm in GAP_ARMS if any((one["method"] == arm).any() for _, _, one in panels)]
    lines = [Line(arm, arm, {"method": arm}) for arm in shown]
    figure, axes = new_panels(len(panels), height=0.27 * len(lines) + 1.3)
    drawn: list[dict[str, Any]] = []
    words = []
    for place, (one, (part, title, found)) in enumerate(zip(axes, panels, strict=True)):
        at = float(found["at"].iloc[0])
        drawn += draw_dots(one, measured_lines(found, lines), lines, interval=log_interval, part=part, at=at)
        one.set_title(title)
        one.locator_params(axis="x", nbins=4)
        if place % 3:
            one.set_yticklabels([])
        words.append(
            _apart_in_words({arm: per_seed(found, method=arm) for arm in shown if (found["method"] == arm).any()})
        )
    figure.supxlabel("NRMSE (lower is better)", fontsize=8)
    data = pd.DataFrame(drawn)
    titles = [title for _, title, _ in panels]
    finding = f"{PSA}'s filling, " + "; ".join(
        f"{title}: {said}" for title, (said, _) in zip(titles, words, strict=True)
    )
    gains = "; ".join(f"{title} {gain}" for title, (_, gain) in zip(titles, words, strict=True) if gain)
    state_finding(figure, finding)
    return Drawing(
        figure,
        "gaps",
        f"Error of DeepAR after missing stretches and at a cold start. {finding}.",
        f"Geometric means, 95 % t intervals of ln over seeds, {seeds_behind(data)}; faint: single seeds. Missing "
        "stretches: DeepAR is trained on what is filled, generators on the untouched first part. Cold start: errors of "
        f"the cold series alone.{f' True values minus {PSA} filling, NRMSE: {gains}.' if gains else ''}",
        data,
    )


def _apart_in_words(errors: dict[str, pd.Series]) -> tuple[str, str]:
    """Say from what PSA-GAN's filling is told apart, and what the true values gain over it, paired by seed."""
    if PSA not in errors:
        return "not in this run", ""
    gaps = {arm: _gap(errors, PSA, arm) for arm in errors if arm not in (PSA, TRUE_VALUES)}
    apart = [f"better than {arm}" for arm, gap in gaps.items() if gap.below(0)]
    apart += [f"worse than {arm}" for arm, gap in gaps.items() if gap.above(0)]
    said = ", ".join(apart) or "told apart from no other"
    if TRUE_VALUES not in errors:
        return said, ""
    gain = _gap(errors, TRUE_VALUES, PSA)
    return said if gain.below(0) else f"{said}, nor from the true values", difference(gain, 2)


def _gap_panels(rows: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Return part, title and rows of each experiment with gaps, of the chapter's own data set."""
    panels = []
    for part, title in GAPS.items():
        chosen = rows[(rows["part"] == part) & (rows["metric"] == "NRMSE")]
        if not chosen.empty:
            own = chosen[chosen["dataset"] == datasets_of(chosen, part=part)[0]]
            panels += [(part, title.format(at=at), found) for at, found in own.groupby("at", observed=True)]
    if not panels:
        raise MissingRowsError("this run has no missing stretches and no cold start.")
    return panels


def draw_ranking(rows: pd.DataFrame) -> Drawing:
    """Draw Context-FID against the error of far forecasts, a point a generator, one panel a seed."""
    tables = ranked(rows)
    found = mean_rank_correlation(list(tables.values()), "generators")
    seeds = sorted(tables)
    height = 2.0 + 1.0 / -(-len(seeds) // 3)  # title and legend take as much of one row as of several
    figure, axes = new_panels(len(seeds), height=height, sharex=True, sharey=True)
    drawn: list[pd.DataFrame] = []
    for place, (one, seed) in enumerate(zip(axes, seeds, strict=True)):
        drawn += [_draw_generators(one, rows, part, seed) for part in ("ranked", "ranked control")]
        one.set(xscale="log", title=f"seed {seed}")
        if place % 3 == 0:
            one.set_ylabel("NRMSE")
    axes[0].set_ylim(bottom=0)
    axes[len(axes) - 1 - (len(axes) - 1) % 3 // 2].set_xlabel("Context-FID (log scale)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=7, ncols=5, loc="outside lower center")
    firsts = sum(int(table[:, 0].argmin() == table[:, 1].argmin()) for table in tables.values())
    lead = "Scores tell little of errors"
    if found.above(0) or found.below(0):
        lead = f"Low scores go with {'low' if found.above(0) else 'high'} errors"
    finding = (
        f"{lead} (Spearman {difference(found, 2)}); the lowest score is the best forecaster in {firsts} of "
        f"{len(seeds)} seed{'s' * (len(seeds) > 1)}"
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "ranking",
        f"Context-FID against the error of far forecasts. {finding}.",
        f"{found.n} generators a seed, final and early ones (early: faint); mean of {len(seeds)} seeds, 95 % bootstrap "
        "interval over generators. Controls are drawn and not counted.",
        pd.concat(drawn, ignore_index=True),
    )


def _draw_generators(axes: Axes, rows: pd.DataFrame, part: str, seed: int) -> pd.DataFrame:
    chosen = rows[(rows["part"] == part) & (rows["seed"] == seed)].assign(step=lambda one: one["step"].fillna(-1))
    wide = chosen.pivot_table(index=["method", "step"], columns="metric", values="value", observed=True).reset_index()
    for method in [name for name in (*MODELS, *UNTRAINED) if (wide["method"] == name).any()]:
        own, look = wide[wide["method"] == method], style_of(method)
        last = own["step"] == own["step"].max()
        for points, alpha, label in ((own[~last], 0.4, None), (own[last], 1.0, method)):
            axes.plot(
                points["context FID"],
                points["NRMSE"],
                linestyle="",
                marker=look.marker,
                color=look.colour,
                alpha=alpha,
                label=label,
            )
    return wide.assign(seed=seed, part=part)


def ranking_in_words(rows: pd.DataFrame) -> str:
    """Say what the rank correlation rests on: its value by seed, and what the lowest score is worth."""
    try:
        tables = ranked(rows)
    except MissingRowsError:
        return ""
    found = select(rows, part="ranked", metric="NRMSE")
    by_seed = [mean_rank_correlation([table], "generators").estimate for table in tables.values()]
    places = [int((table[:, 1] < table[table[:, 0].argmin(), 1]).sum()) + 1 for table in tables.values()]
    trainings = found["method"].nunique()
    generators = min(len(table) for table in tables.values())
    return (
        f"By seed Spearman's correlation is {', '.join(number(one, 2) for one in by_seed)}. The generator with the "
        f"lowest score is number {', '.join(map(str, places))} of {generators} as a forecaster. These {generators} are "
        f"states of only {trainings} trainings: the interval over generators takes them for independent, and is too "
        "narrow."
    )
