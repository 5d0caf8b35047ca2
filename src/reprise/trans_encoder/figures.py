"""Figures of the levels: over half-steps, gains by set beside the paper's, and what the variants change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.ticker import MultipleLocator, NullLocator

from reprise.numerals import difference, number
from reprise.plots import (
    Drawing,
    as_data,
    draw_curve,
    interval_dots,
    name_lines,
    new_figure,
    paper_marks,
    state_finding,
)
from reprise.rows import MissingRowsError, select
from reprise.stats import paired_differences, t_interval
from reprise.trans_encoder.changes import change_from_start
from reprise.trans_encoder.lookups import (
    AVERAGE,
    half_step_name,
    half_step_of,
    home_of,
    levels,
    name_of_average,
    papers_gain,
    seeds_in_words,
    sets_of,
    title_of,
)
from reprise.trans_encoder.names import (
    ALL_LAYERS,
    BASE,
    BI_TO_BI,
    CHAINED,
    DISJOINT_POOL,
    DOUBLE_POOL,
    FORMS,
    FROM_SECOND,
    MEAN_OF_STARTS,
    MUTUAL_BI,
    MUTUAL_BOTH,
    MUTUAL_CROSS,
    OTHER_LOSSES,
    OTHER_POOL,
    RAW_LABELS,
    SECOND_START,
    SELF_BI,
    SELF_CROSS,
    SEVEN_SETS,
    SHORT_NAMES,
    SIMCSE,
    SMALL_POOL,
    START,
    SUPERVISED,
)  # fmt: skip
from reprise.trans_encoder.summaries import multiplications
from reprise.trans_encoder.wording import apart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

    from reprise.stats import Interval

MOST_CYCLES = 10
PAPERS_BACKBONE = "BERT-base"
FORM_OF = {
    SELF_CROSS: "cross",
    SELF_BI: "bi",
    MUTUAL_CROSS: "cross",
    MUTUAL_BI: "bi",
    MUTUAL_BOTH[MUTUAL_CROSS]: "cross",
    MUTUAL_BOTH[MUTUAL_BI]: "bi",
    SUPERVISED: "cross",
}
# Method, variant, cycle, and the line's name.
Line = tuple[str, str, int, str]
RECIPE: tuple[Line, ...] = (
    (BI_TO_BI, BASE, 0, "bi → bi"),
    (BI_TO_BI, RAW_LABELS, 0, "bi → bi, labels not stretched"),
    *((SELF_BI, name, 1, name.replace("losses ", "losses: ")) for name in OTHER_LOSSES),
    (SELF_CROSS, CHAINED, 2, "chained, cycle 2"),
    (SELF_BI, CHAINED, 2, "chained, cycle 2"),
    (SIMCSE, BASE, 0, "SimCSE, continued"),
    (SECOND_START, BASE, 0, "second start of mutual"),
    (MEAN_OF_STARTS, BASE, 0, "mean of both starts"),
    *((method, FROM_SECOND, 1, "self, from the second start") for method in FORMS),
    (MUTUAL_CROSS, BASE, 1, "mutual"),
    (MUTUAL_BI, BASE, 1, "mutual"),
    *((method, BASE, 1, "mutual, mean of both") for method in MUTUAL_BOTH.values()),
    (SUPERVISED, BASE, 0, "gold labels"),
)
# What is compared by cost: method and cycle, from left to right within a form.
COMPARED = ((BI_TO_BI, 0), (SELF_BI, 1), (MUTUAL_BI, 1), (SIMCSE, 0), (SELF_CROSS, 1), (MUTUAL_CROSS, 1))
SENTENCES = 1_000
GAIN_STEP = 5  # points between the lines of the grid of gains; every second one has its number
ASIDE = 1.07  # factor between the points of one cost
FURTHEST = 25.0  # points of loss beyond which the axis of gains is logarithmic
LINEAR = 5.0  # points around zero within which it is not
DEPTHS = {BASE: "as many as the study keeps", ALL_LAYERS: "the whole model, which was tuned with labels"}
POOLS: tuple[Line, ...] = tuple(
    (method, pool, 1, pool) for pool in (SMALL_POOL, DOUBLE_POOL, DISJOINT_POOL, OTHER_POOL) for method in FORMS
)


def draw_cycles(rows: pd.DataFrame) -> Drawing:
    """Draw the level of every half-step, average and home set, with the start as a line."""
    sets = sets_of(rows)
    panels = [(name_of_average(sets), sets)]
    if len(sets) > 1:
        panels.append((SHORT_NAMES[home_of(rows)], [home_of(rows)]))
    figure, axes = new_figure(columns=len(panels), height=3.2, squeeze=False)
    drawn: list[dict[str, Any]] = []
    for one, (title, chosen) in zip(axes[0], panels, strict=True):
        drawn += [{**line, "panel": title} for line in _draw_half_steps(one, rows, chosen)]
        one.set_title(title)
    axes[0][0].set_ylabel("Spearman × 100")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=7)
    data = pd.DataFrame(drawn)
    finding = _cycles_in_words(rows, sets)
    state_finding(figure, finding)
    return Drawing(
        figure,
        "cycles",
        f"Spearman by half-step. {finding}.",
        "Level after each half-step, 95 % t intervals over the seeds named; dotted: the start.",
        data,
    )


def _draw_half_steps(axes: Axes, rows: pd.DataFrame, sets: list[str]) -> list[dict[str, Any]]:
    start = levels(rows, START, sets=sets)
    if start is None:
        raise MissingRowsError("this run has no start.")
    axes.axhline(float(start.mean()), color="black", linewidth=0.8, linestyle=":")
    drawn = draw_curve(axes, {0: start}, style=START)
    last = 0
    for style in (SELF_CROSS, SELF_BI, MUTUAL_CROSS, MUTUAL_BI):
        found = {half_step_of(style, c): levels(rows, style, cycle=c, sets=sets) for c in range(1, MOST_CYCLES)}
        there = [values for values in found.values() if values is not None]
        label = f"{style}, {seeds_in_words(there[0])}" if there else style
        drawn += draw_curve(axes, found, style=style, label=label, aside=0.12 * style.startswith("Mutual"))
        last = max([last, *(place for place, values in found.items() if values is not None)])
    axes.set_xticks(range(last + 1), [half_step_name(place) for place in range(last + 1)])
    return drawn


def _cycles_in_words(rows: pd.DataFrame, sets: list[str]) -> str:
    words = []
    for method, name in ((SELF_CROSS, "cross-encoder"), (SELF_BI, "bi-encoder")):
        change = change_from_start(rows, method, cycle=1, sets=sets)
        if change is not None:
            words.append(f"the {name} is {change.told()}")
    if not words:
        raise MissingRowsError("this run has no half-steps.")
    return f"After one cycle {', '.join(words)}"


def draw_gains(rows: pd.DataFrame, published: pd.DataFrame) -> Drawing:
    """Draw the gain over the start of both forms by set, and the paper's gains as marks."""
    sets = sets_of(rows)
    lines = [*sets, *([AVERAGE] if len(sets) == len(SEVEN_SETS) else [])]
    shown = [m for m in (SELF_CROSS, SELF_BI, MUTUAL_CROSS, MUTUAL_BI) if _gain_on(rows, m, lines[0]) is not None]
    figure, axes = new_figure(
        columns=len(shown), height=0.3 * len(lines) + 1.5, squeeze=False, sharey=True, sharex=True
    )
    drawn: list[dict[str, Any]] = []
    for one, method in zip(axes[0], shown, strict=True):
        for place, name in enumerate(lines):
            found = _gain_on(rows, method, name)
            if found is None:
                continue
            interval_dots(one, [place], [found], method=method)
            drawn.append(as_data(found, dataset=name, method=method, paper=papers_gain(published, method, name)))
        marks = [
            (d["paper"], lines.index(d["dataset"])) for d in drawn if d["method"] == method and d["paper"] is not None
        ]
        paper_marks(one, [x for x, _ in marks], [y for _, y in marks])
        one.lines[-1].set_markersize(4)
        one.xaxis.set_major_locator(MultipleLocator(2 * GAIN_STEP))
        one.xaxis.set_minor_locator(MultipleLocator(GAIN_STEP))
        one.grid(axis="x", which="both", linewidth=0.5)
        one.axvline(0, color="black", linewidth=0.8)
        values = levels(rows, method, cycle=1, sets=sets)
        one.set_title(method if values is None else f"{method}\n{seeds_in_words(values)}", fontsize=8)
        name_lines(one, [SHORT_NAMES.get(name, name) for name in lines])
    figure.supxlabel("gain over the start (points of Spearman × 100)", fontsize=9)
    data = pd.DataFrame(drawn)
    words = "; ".join(f"{m} {difference(_gain_on(rows, m, lines[-1]))}" for m in shown)  # type: ignore[arg-type]
    where = SHORT_NAMES.get(lines[-1], lines[-1])
    state_finding(figure, f"Gain over the start, {where}: {words}")
    return Drawing(
        figure,
        "gains",
        f"Gain over the start by set; {where}: {words}.",
        "After the first cycle, 95 % t intervals over the seeds named; grey diamonds: the paper's gains with "
        f"{PAPERS_BACKBONE}, best of three cycles, whose start, backbone and pool are others.",
        data,
    )


def _gain_on(rows: pd.DataFrame, method: str, name: str, cycle: int = 1) -> Interval | None:
    sets = sets_of(rows) if name == AVERAGE else [name]
    after, before = levels(rows, method, cycle=cycle, sets=sets), levels(rows, START, sets=sets)
    return None if after is None or before is None else t_interval(paired_differences(after, before))


def draw_recipe(rows: pd.DataFrame) -> Drawing:
    """Draw the gain over the start of the chapter's recipe and of every change of it: losses, weights, form."""
    return _draw_variants(rows, "recipe", RECIPE, _best_in_words)


def draw_pools(rows: pd.DataFrame) -> Drawing:
    """Draw the gain over the start with the seeds' own pool, and with other pools."""
    return _draw_variants(rows, "pools", POOLS, _pools_in_words, cycles=(1,))


def _draw_variants(
    rows: pd.DataFrame,
    name: str,
    changes: Sequence[Line],
    finding_of: Callable[[pd.DataFrame, Sequence[Line]], str],
    *,
    cycles: Sequence[int] = (1, 2),
) -> Drawing:
    base = [(m, BASE, c, f"this chapter's recipe, cycle {c}") for c in cycles for m in FORMS]
    found = {line: change_from_start(rows, line[0], variant=line[1], cycle=line[2]) for line in (*base, *changes)}
    there = {line: change for line, change in found.items() if change is not None}
    if not set(there) & set(changes):
        raise MissingRowsError(f"this run has no variants of the {name}.")
    figure, axes = new_figure(height=0.24 * len(there) + 1.2)
    drawn, names = [], []
    for place, (line, change) in enumerate(there.items()):
        method, variant, cycle, label = line
        values = levels(rows, method, variant=variant, cycle=cycle)
        interval_dots(axes, [place], [change.over_seeds], method=method)
        seeds = "" if values is None else seeds_in_words(values)
        drawn.append(as_data(change.over_seeds, method=method, variant=label, cycle=cycle, seeds=seeds))
        names.append(f"{_with_form(line)} · {seeds}")
    axes.axvline(0, color="black", linewidth=0.8)
    name_lines(axes, names)
    axes.set_xlabel(f"gain over the start, {name_of_average(sets_of(rows))} (points)")
    far = min(change.over_seeds.estimate for change in there.values()) < -FURTHEST
    if far:
        axes.set_xscale("symlog", linthresh=LINEAR)
        axes.set_xticks([-50, -20, -10, -5, 0, 5, 10], ["−50", "−20", "−10", "−5", "0", "5", "10"])
    data = pd.DataFrame(drawn)
    finding = finding_of(rows, list(there))
    state_finding(figure, finding)
    return Drawing(
        figure,
        name,
        f"Gain over the start by variant of the {name}. {finding}.",
        "95 % t intervals over the seeds named beside each line; every gain is paired with the start of the same "
        "seeds, so that lines of other seeds differ in these, too. Squares: cross-encoders; circles: bi-encoders."
        + (f" Beyond ± {LINEAR:.0f} points the axis is logarithmic." if far else ""),
        data,
    )


def _with_form(line: Line) -> str:
    return f"{line[3]} ({FORM_OF[line[0]]})" if line[0] in FORM_OF else line[3]


def _best_in_words(rows: pd.DataFrame, lines: Sequence[Line]) -> str:
    """Say which line is highest, how it stands to the start, and to SimCSE's training on the same seeds."""
    changes = {line: change_from_start(rows, line[0], variant=line[1], cycle=line[2]) for line in lines}
    told = {line: change for line, change in changes.items() if change is not None}
    best = max(told, key=lambda line: told[line].over_seeds.estimate)
    said = f"Highest of {len(told)}: {_with_form(best)}, {told[best].told()}"
    own, simcse = levels(rows, best[0], variant=best[1], cycle=best[2]), levels(rows, SIMCSE)
    if own is None or simcse is None or best[0] == SIMCSE:
        return said
    return f"{said}; minus SimCSE, continued, on {seeds_in_words(own)} {apart(own, simcse)}"


def _pools_in_words(rows: pd.DataFrame, lines: Sequence[Line]) -> str:
    """Say, mean of both forms, what the whole pool has over its quarter, and the task's own over another task's."""

    def both(variant: str) -> pd.Series | None:
        cross, bi = (levels(rows, method, variant=variant, cycle=1) for method in FORMS)
        return None if cross is None or bi is None else (cross + bi) / 2

    own, words = both(BASE), []
    for variant, name in ((SMALL_POOL, "whole pool minus a quarter"), (OTHER_POOL, "own task's minus another's")):
        other = both(variant)
        if own is not None and other is not None:
            words.append(f"{name} {apart(own, other)}")
    if words:
        return f"Mean of both forms: {'; '.join(words)}"
    return _best_in_words(rows, lines)


def draw_depths(rows: pd.DataFrame) -> Drawing:
    """Draw the gain of one cycle against the level of the start, whose layers are fewer, the study's own, or all."""
    variants = set(select(rows, part="levels", method=START)["variant"])
    begun = {name: found for name in variants if (found := levels(rows, START, variant=name)) is not None}
    if len(begun) < 2:
        raise MissingRowsError("this run has no starts of other depths.")
    figure, axes = new_figure(height=2.9)
    drawn: list[dict[str, Any]] = []
    words = []
    for name, start in sorted(begun.items(), key=lambda one: float(one[1].mean())):
        for aside, method in zip((-0.12, 0.12), FORMS, strict=True):
            after = levels(rows, method, variant=name, cycle=1)
            if after is None:
                continue
            change, at = t_interval(paired_differences(after, start)), float(start.mean())
            label = None if drawn[1:] else method
            interval_dots(axes, [at + aside], [change], method=method, horizontal=False, label=label)
            drawn.append(as_data(change, method=method, at=at, variant=name))
            if method == SELF_CROSS:
                whole = change_from_start(rows, method, variant=name, cycle=1)
                words.append(f"from {number(at, 1)} {'' if whole is None else whole.told()}")
    axes.axhline(0, color="black", linewidth=0.8, linestyle=":")
    axes.set(
        xlabel=f"start, Spearman × 100, {name_of_average(sets_of(rows))}", ylabel="gain of the first cycle (points)"
    )
    axes.legend(fontsize=7)
    data = pd.DataFrame(drawn)
    finding = f"Cross-encoder {'; '.join(words)}"
    state_finding(figure, finding)
    seeds = [f"{name}: {seeds_in_words(begun[name])}" for name in dict.fromkeys(data["variant"])]
    starts = ", ".join(DEPTHS.get(name, "one layer less") for name in dict.fromkeys(data["variant"]))
    return Drawing(
        figure,
        "depths",
        f"Gain of one cycle against the level of the start. {finding}.",
        f"Starts are layers of one model, from the left: {starts}. 95 % t intervals over seeds ({'; '.join(seeds)}).",
        data,
    )


def draw_costs(rows: pd.DataFrame, n_layers: int, width: int) -> Drawing:
    """Draw the gain over the start against the arithmetic that comparing all pairs of a thousand sentences takes."""
    start, drawn = levels(rows, START), []
    if start is None or levels(rows, SELF_CROSS, cycle=1) is None:
        raise MissingRowsError("this run has no levels to set beside their cost.")
    costs = {form: multiplications(form, SENTENCES, n_layers, width) for form in ("bi", "cross")}
    figure, axes = new_figure(height=2.7)
    axes.axhline(0, color="black", linewidth=0.8, linestyle=":")
    shown = [(method, cycle) for method, cycle in COMPARED if levels(rows, method, cycle=cycle) is not None]
    for form, cost in costs.items():
        own = [(method, cycle) for method, cycle in shown if FORM_OF.get(method, "bi") == form]
        for place, (method, cycle) in enumerate(own):
            values = levels(rows, method, cycle=cycle)
            found = t_interval(paired_differences(values, start))  # type: ignore[arg-type]
            at = cost * ASIDE ** (2 * place + 1 - len(own))
            label = f"{title_of(method)}, {seeds_in_words(values)}"  # type: ignore[arg-type]
            interval_dots(axes, [at], [found], method=method, horizontal=False, label=label)
            drawn.append(as_data(found, method=method, multiplications=cost))
    axes.set(
        xscale="log",
        xlabel=f"multiplications to compare all pairs of {SENTENCES:,} sentences",
        ylabel="gain over the start (points)",
    )
    # Only two costs are drawn, with points side by side: the axis names these and no other value.
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(list(costs.values()), [f"{form}-encoders\n{cost:.1e}" for form, cost in costs.items()])
    axes.legend(fontsize=7)
    data = pd.DataFrame(drawn)
    form_gains = [levels(rows, method, cycle=1) for method in FORMS]
    ahead = "" if form_gains[1] is None else difference(t_interval(paired_differences(*form_gains)))  # type: ignore[arg-type]
    ratio = f"{costs['cross'] / costs['bi']:,.0f}"
    finding = f"On {SENTENCES:,} sentences the cross-encoder takes {ratio} times the arithmetic" + (
        f" for {ahead} points over its bi-encoder" if ahead else ""
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "costs",
        f"Gain over the start against arithmetic. {finding}.",
        f"After one cycle, {name_of_average(sets_of(rows))}; 95 % t intervals over the seeds named. Points of a form "
        "have one cost and are drawn around it. Mutual: the students of the first backbone; the mean of both costs "
        "twice as much. Dotted: the start.",
        data,
    )
