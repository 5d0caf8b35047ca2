"""Figures of the levels: over half-steps, gains by set beside the paper's, and what the variants change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from reprise.numerals import difference, number
from reprise.plots import (
    Drawing,
    as_data,
    draw_curve,
    interval_dots,
    name_lines,
    new_figure,
    paper_marks,
    printed,
    seeds_behind,
    state_finding,
)
from reprise.rows import MissingRowsError, select
from reprise.stats import paired_differences, t_interval
from reprise.trans_encoder.lookups import (
    AVERAGE,
    half_step_name,
    half_step_of,
    home_of,
    levels,
    name_of_average,
    sets_of,
    told_from_start,
)
from reprise.trans_encoder.names import (
    ALL_LAYERS,
    BASE,
    BI_TO_BI,
    CHAINED,
    DISJOINT_POOL,
    DOUBLE_POOL,
    FORMS,
    MUTUAL_BI,
    MUTUAL_CROSS,
    OTHER_LOSSES,
    OTHER_POOL,
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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from reprise.stats import Interval

MOST_CYCLES = 10
PAPERS_BACKBONE = "BERT-base"
FORM_OF = {SELF_CROSS: "cross", SELF_BI: "bi", MUTUAL_CROSS: "cross", MUTUAL_BI: "bi", SUPERVISED: "cross"}
# Method, variant, cycle, and the line's name.
Line = tuple[str, str, int, str]
RECIPE: tuple[Line, ...] = (
    (BI_TO_BI, BASE, 0, "bi → bi, no cross-encoder"),
    *((SELF_BI, name, 1, name.replace("losses ", "losses: ")) for name in OTHER_LOSSES),
    (SELF_CROSS, CHAINED, 2, "chained, cycle 2"),
    (SELF_BI, CHAINED, 2, "chained, cycle 2"),
    (MUTUAL_CROSS, BASE, 1, "mutual"),
    (MUTUAL_BI, BASE, 1, "mutual"),
    (SIMCSE, BASE, 0, "SimCSE continued"),
    (SUPERVISED, BASE, 0, "gold labels"),
)
# What is compared by cost: method and cycle, from left to right within a form.
COMPARED = ((BI_TO_BI, 0), (SELF_BI, 1), (MUTUAL_BI, 1), (SIMCSE, 0), (SELF_CROSS, 1), (MUTUAL_CROSS, 1))
SENTENCES = 1_000
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
    figure, axes = new_figure(columns=len(panels), height=2.9, squeeze=False)
    drawn: list[dict[str, Any]] = []
    for one, (title, chosen) in zip(axes[0], panels, strict=True):
        drawn += [{**line, "panel": title} for line in _draw_half_steps(one, rows, chosen)]
        one.set_title(title)
    axes[0][0].set_ylabel("Spearman × 100")
    axes[0][0].legend(fontsize=7, loc="best")
    data = pd.DataFrame(drawn)
    finding = _cycles_in_words(rows, sets)
    state_finding(figure, finding)
    return Drawing(
        figure,
        "cycles",
        f"Spearman by half-step. {finding}.",
        f"Level after each half-step, 95 % t intervals over seeds, {seeds_behind(data)}; dotted: the start.",
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
        drawn += draw_curve(axes, found, style=style, aside=0.12 * style.startswith("Mutual"))
        last = max([last, *(place for place, values in found.items() if values is not None)])
    axes.set_xticks(range(last + 1), [half_step_name(place) for place in range(last + 1)])
    return drawn


def _cycles_in_words(rows: pd.DataFrame, sets: list[str]) -> str:
    start, words = levels(rows, START, sets=sets), []
    for method, name in ((SELF_CROSS, "cross-encoder"), (SELF_BI, "bi-encoder")):
        first = levels(rows, method, cycle=1, sets=sets)
        if first is not None and start is not None:
            words.append(f"the {name} is {told_from_start(t_interval(paired_differences(first, start)))}")
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
            drawn.append(as_data(found, dataset=name, method=method, paper=_papers_gain(published, method, name)))
        marks = [
            (d["paper"], lines.index(d["dataset"])) for d in drawn if d["method"] == method and d["paper"] is not None
        ]
        paper_marks(one, [x for x, _ in marks], [y for _, y in marks])
        one.axvline(0, color="black", linewidth=0.8)
        one.set_title(method)
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
        f"After the first cycle, 95 % t intervals over seeds, {seeds_behind(data)}; grey diamonds: the paper's "
        f"gains with "
        f"{PAPERS_BACKBONE}, whose start, backbone and pool are others.",
        data,
    )


def _gain_on(rows: pd.DataFrame, method: str, name: str, cycle: int = 1) -> Interval | None:
    sets = sets_of(rows) if name == AVERAGE else [name]
    after, before = levels(rows, method, cycle=cycle, sets=sets), levels(rows, START, sets=sets)
    return None if after is None or before is None else t_interval(paired_differences(after, before))


def _papers_gain(published: pd.DataFrame, method: str, name: str) -> float | None:
    how = {"dataset": name, "metric": "spearman", "backbone": PAPERS_BACKBONE}
    after, before = printed(published, method=method, **how), printed(published, method=START, **how)
    return None if after is None or before is None else after - before


def draw_recipe(rows: pd.DataFrame) -> Drawing:
    """Draw the gain over the start of the chapter's recipe and of every change of it: losses, weights, form."""
    return _draw_variants(rows, "recipe", RECIPE)


def draw_pools(rows: pd.DataFrame) -> Drawing:
    """Draw the gain over the start with the seeds' own pool, and with other pools."""
    return _draw_variants(rows, "pools", POOLS, cycles=(1,))


def _draw_variants(
    rows: pd.DataFrame, name: str, changes: Sequence[Line], *, cycles: Sequence[int] = (1, 2)
) -> Drawing:
    base = [(m, BASE, c, f"this chapter's recipe, cycle {c}") for c in cycles for m in FORMS]
    lines = [line for line in (*base, *changes) if levels(rows, line[0], variant=line[1], cycle=line[2]) is not None]
    start = levels(rows, START)
    if start is None or not set(lines) & set(changes):
        raise MissingRowsError(f"this run has no variants of the {name}.")
    figure, axes = new_figure(height=0.24 * len(lines) + 1.2)
    drawn, found_on = [], []
    for place, (method, variant, cycle, label) in enumerate(lines):
        values = levels(rows, method, variant=variant, cycle=cycle)
        found = t_interval(paired_differences(values, start))  # type: ignore[arg-type]
        interval_dots(axes, [place], [found], method=method)
        found_on.append(found)
        drawn.append(as_data(found, method=method, variant=label, cycle=cycle))
    axes.axvline(0, color="black", linewidth=0.8)
    names = [f"{label} ({FORM_OF[m]})" if m in FORM_OF else label for m, _, _, label in lines]
    name_lines(axes, names)
    axes.set_xlabel(f"gain over the start, {name_of_average(sets_of(rows))} (points)")
    data = pd.DataFrame(drawn)
    best = int(data["mean"].argmax())
    finding = f"Best: {names[best]}, {told_from_start(found_on[best])}"
    state_finding(figure, finding)
    return Drawing(
        figure,
        name,
        f"Gain over the start by variant of the {name}. {finding}.",
        f"95 % t intervals over the seeds of each line, {seeds_behind(data)}; every gain is paired with the start of "
        f"the same seed. Squares: cross-encoders; circles: bi-encoders.",
        data,
    )


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
                words.append(f"from {number(at, 1)} {told_from_start(change)}")
    axes.axhline(0, color="black", linewidth=0.8, linestyle=":")
    axes.set(
        xlabel=f"start, Spearman × 100, {name_of_average(sets_of(rows))}", ylabel="gain of the first cycle (points)"
    )
    axes.legend(fontsize=7)
    data = pd.DataFrame(drawn)
    finding = f"Cross-encoder {'; '.join(words)}"
    state_finding(figure, finding)
    starts = ", ".join(DEPTHS.get(name, "one layer less") for name in dict.fromkeys(data["variant"]))
    return Drawing(
        figure,
        "depths",
        f"Gain of one cycle against the level of the start. {finding}.",
        f"Starts are layers of one model, from the left: {starts}. 95 % t intervals over seeds, {seeds_behind(data)}.",
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
    for place, (method, cycle) in enumerate(COMPARED):
        values = levels(rows, method, cycle=cycle)
        if values is None:
            continue
        found = t_interval(paired_differences(values, start))
        form = FORM_OF.get(method, "bi")
        interval_dots(axes, [costs[form] * 1.35 ** (place % 4)], [found], method=method, horizontal=False, label=method)
        drawn.append(as_data(found, method=method, multiplications=costs[form]))
    axes.set(
        xscale="log",
        xlabel=f"multiplications to compare all pairs of {SENTENCES:,} sentences",
        ylabel="gain over the start (points)",
    )
    axes.legend(fontsize=7)
    data = pd.DataFrame(drawn)
    form_gains = [levels(rows, method, cycle=1) for method in FORMS]
    ahead = "" if form_gains[1] is None else difference(t_interval(paired_differences(*form_gains)))  # type: ignore[arg-type]
    finding = f"The cross-encoder takes {costs['cross'] / costs['bi']:,.0f} times the arithmetic" + (
        f" for {ahead} points over its bi-encoder" if ahead else ""
    )
    state_finding(figure, finding)
    return Drawing(
        figure,
        "costs",
        f"Gain over the start against arithmetic. {finding}.",
        f"After one cycle, {name_of_average(sets_of(rows))}; 95 % t intervals over seeds, {seeds_behind(data)}. Points "
        f"of a form are set side by side; their cost is that of the leftmost. Dotted: the start.",
        data,
    )
