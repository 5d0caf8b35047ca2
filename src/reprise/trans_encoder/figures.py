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
)
from reprise.trans_encoder.names import (
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
    start = levels(rows, START, sets=sets)
    words = []
    for method in FORMS:
        cycles = [c for c in range(1, MOST_CYCLES) if levels(rows, method, cycle=c, sets=sets) is not None]
        if cycles and start is not None:
            change = t_interval(paired_differences(levels(rows, method, cycle=cycles[-1], sets=sets), start))  # type: ignore[arg-type]
            words.append(f"{'cross' if method == SELF_CROSS else 'bi'} {cycles[-1]}: {difference(change)}")
    if not words:
        raise MissingRowsError("this run has no half-steps.")
    return f"Points over the start, {name_of_average(sets)}: {'; '.join(words)}"


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
    """Draw the gain over the start of the paper's recipe and of every change of it: losses, labels, weights, form."""
    return _draw_variants(rows, "recipe", RECIPE)


def draw_pools(rows: pd.DataFrame) -> Drawing:
    """Draw the gain over the start with the seeds' own pool, and with other pools."""
    return _draw_variants(rows, "pools", POOLS)


def _draw_variants(rows: pd.DataFrame, name: str, changes: Sequence[Line]) -> Drawing:
    base = [(m, BASE, c, f"as in the paper, cycle {c}") for c in (1, 2) for m in FORMS]
    lines = [line for line in (*base, *changes) if levels(rows, line[0], variant=line[1], cycle=line[2]) is not None]
    start = levels(rows, START)
    if start is None or not set(lines) & set(changes):
        raise MissingRowsError(f"this run has no variants of the {name}.")
    figure, axes = new_figure(height=0.24 * len(lines) + 1.2)
    drawn = []
    for place, (method, variant, cycle, label) in enumerate(lines):
        values = levels(rows, method, variant=variant, cycle=cycle)
        found = t_interval(paired_differences(values, start))  # type: ignore[arg-type]
        interval_dots(axes, [place], [found], method=method)
        drawn.append(as_data(found, method=method, variant=label, cycle=cycle))
    axes.axvline(0, color="black", linewidth=0.8)
    names = [f"{label} ({FORM_OF[m]})" if m in FORM_OF else label for m, _, _, label in lines]
    name_lines(axes, names)
    axes.set_xlabel(f"gain over the start, {name_of_average(sets_of(rows))} (points)")
    data = pd.DataFrame(drawn)
    best = int(data["mean"].argmax())
    finding = f"Best: {names[best]}, {number(float(data['mean'][best]), 1, signed=True)} points over the start"
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
    for method in FORMS:
        gains = {}
        for name, start in begun.items():
            after = levels(rows, method, variant=name, cycle=1)
            if after is not None:
                gains[float(start.mean())] = after - start
        drawn += draw_curve(axes, dict(sorted(gains.items())), style=method)
    axes.axhline(0, color="black", linewidth=0.8, linestyle=":")
    axes.set(
        xlabel=f"start, Spearman × 100, {name_of_average(sets_of(rows))}", ylabel="gain of the first cycle (points)"
    )
    axes.legend(fontsize=7)
    data = pd.DataFrame(drawn)
    cross = data[data["method"] == SELF_CROSS].sort_values("at")
    low, high = (number(float(cross["mean"].iloc[place]), 1, signed=True) for place in (0, -1))
    finding = f"Cross-encoder's gain: {low} points from the lowest start, {high} from the highest"
    state_finding(figure, finding)
    return Drawing(
        figure,
        "depths",
        f"Gain of one cycle against the level of the start. {finding}.",
        f"Starts are the lowest layers of one model: one less than the study's, the study's own, and the whole model, "
        f"which was tuned with labels. 95 % t intervals over seeds, {seeds_behind(data)}.",
        data,
    )
