"""Figures and tables of Reweight: gains beside the paper's, by penalty and outer loss, and by number of steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from reprise.diva.comparisons import (
    CHOSEN,
    FLAT,
    N_STEPS,
    SHARP,
    head_difference,
    overfit_difference,
    ratio_of_test_to_training,
    resampled_interval,
    reweight_difference,
    reweighted_error,
    softmax_difference,
    uniform_error,
)
from reprise.method_styles import style_of
from reprise.numerals import number, with_interval
from reprise.plots import Drawing, as_data, interval_dots, name_lines, new_figure, paper_marks, state_finding
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval, paired_differences

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLES = {
    "digits": "digits",
    "cub50": "CUB-50",
    "flowers12": "Flowers-12",
    "cifar10-4k": "CIFAR-4k",
    "banking77": "Banking77",
    "cub-200": "CUB-200",
    "aircraft": "Aircraft",
    "mit-67": "MIT Indoor-67",
    "flowers-102": "Oxford Flowers",
    "stanford-cars": "Stanford Cars",
    "caltech-256": "Caltech-256",
}
OUTERS = {
    SHARP: ("DIVA Reweight", "cross-entropy, τ = 10", "τ = 10"),
    FLAT: ("Reweight, flat loss", "cross-entropy, τ = 1", "τ = 1"),
    "squared": ("Reweight, squared loss", "squared", "squared"),
}

# Column, method, and the head with equal weights that it is compared with.
HEAD_COLUMNS = (
    ("Active Bias", "Active Bias", "Softmax head"),
    ("L2RW", "L2RW", "Softmax head"),
    ("L2RW, against equal weights on its 80 %", "L2RW", "Softmax head, 80 %"),
    ("L2RW, all samples", "L2RW, all samples", "Softmax head"),
)

SOFTMAX_COLUMNS = ("softmax head, equal weights (%)", "softmax head − DIVA Reweight (Δ)")


def title_of(data_set: object) -> str:
    """Return how a data set is called in figures."""
    return TITLES.get(str(data_set), str(data_set))


def sets_with(rows: pd.DataFrame, data_sets: Sequence[str], **conditions: Any) -> list[str]:
    """Return the data sets that have rows of a kind; raises if none has."""
    kept = select(rows, dataset=list(data_sets), **conditions)
    return [name for name in data_sets if name in set(kept["dataset"])]


def noise_rate_of(rows: pd.DataFrame) -> float:
    """Return the share of wrong labels at which a run compares all detectors; others are in its sweep only."""
    return float(select(rows, experiment="detection", method="Uniform", metric="error")["noise_rate"].iloc[0])


def panels(number_of_panels: int, *, columns: int, height: float, **options: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel a data set, in rows of at most some columns; spare panels are hidden."""
    columns = min(columns, number_of_panels)
    n_rows = -(-number_of_panels // columns)
    figure, axes = new_figure(rows=n_rows, columns=columns, height=0.5 + height * n_rows, squeeze=False, **options)
    for place, one in enumerate(axes.flat):
        one.set_visible(place < number_of_panels)
        # With spare panels hidden below it, the last one of a column shows its own numbers.
        if place + columns >= number_of_panels:
            one.tick_params(labelbottom=True)
    return figure, list(axes.flat[:number_of_panels])


def printed_differences(published: pd.DataFrame, method: str) -> dict[str, float]:
    """Return the printed error of a method minus that of equal weights, by the paper's data set."""
    errors = published[published.metric == "error"].pivot(index="dataset", columns="method", values="value")
    return dict((errors[method] - errors["Uniform"]).round(2))


def draw_gains(rows: pd.DataFrame, published: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the change of the test error by Reweight: ours with intervals, the paper's as diamonds."""
    names = sets_with(rows, data_sets, experiment="reweight")
    found = {name: reweight_difference(rows, name) for name in names}
    printed = printed_differences(published, "DIVA Reweight")
    figure, axes = new_figure(height=0.26 * (len(names) + len(printed)) + 1.0)
    singles = [paired_differences(reweighted_error(rows, name), uniform_error(rows, name)).tolist() for name in names]
    interval_dots(axes, range(len(names)), list(found.values()), method="DIVA Reweight", single_runs=singles)
    paper_marks(axes, list(printed.values()), range(len(names), len(names) + len(printed)))
    name_lines(axes, [*(title_of(name) for name in names), *(title_of(name) for name in printed)])
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("error reweighted − error with equal weights (points); left of zero is better")
    lower = [title_of(name) for name, one in found.items() if one.below(0)]
    state_finding(
        figure,
        f"By 95 % intervals Reweight lowers the error on {len(lower)} of {len(names)} data sets"
        + (f": {', '.join(lower)}" if lower else ""),
    )
    data = pd.DataFrame(
        [as_data(one, dataset=name) for name, one in found.items()]
        + [{"dataset": name, "mean": value, "paper": value} for name, value in printed.items()]
    )
    words = [f"{title_of(name)} {number(one.estimate, 2, signed=True)}" for name, one in found.items()]
    return Drawing(
        figure,
        "gains",
        f"Change of the test error in points: {', '.join(words)}; the paper prints "
        f"{number(min(printed.values()), 2)} to {number(max(printed.values()), 2)} on its six sets.",
        "Test error after three steps of Reweight minus that of equal weights; dots: ours, mean over resplits, 95 % "
        "intervals corrected for the overlap of resplits, single resplits faint; grey diamonds: the paper's Table 1, "
        "one "
        "run each, on other data sets or more classes.",
        data,
    )


def table_one(rows: pd.DataFrame, published: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return Table 1: errors of equal weights and differences of all reweighters, ours and the paper's."""
    lines = []
    for name in sets_with(rows, data_sets, experiment="reweight"):
        ratio = ratio_of_test_to_training(rows, name)
        line = {"data set": title_of(name), "source": "ours"}
        line["equal weights (%)"] = written(resampled_interval(uniform_error(rows, name), ratio))
        line["DIVA Reweight (Δ)"] = written(reweight_difference(rows, name))
        line |= _softmax_columns(rows, name)
        for label, method, head in HEAD_COLUMNS:
            try:
                line[f"{label} (Δ)"] = written(head_difference(rows, name, method, head))
            except MissingRowsError:
                line[f"{label} (Δ)"] = "—"
        lines.append(line)
    errors = published[published.metric == "error"].pivot(index="dataset", columns="method", values="value")
    for name, own in errors.iterrows():
        line = {"data set": title_of(name), "source": "Table 1", "equal weights (%)": f"{own['Uniform']:.2f}"}
        line["DIVA Reweight (Δ)"] = number(own["DIVA Reweight"] - own["Uniform"], 2, signed=True)
        line |= dict.fromkeys(SOFTMAX_COLUMNS, "—")
        for label, method, head in HEAD_COLUMNS:
            printed = head == "Softmax head"
            line[f"{label} (Δ)"] = number(own[method] - own["Uniform"], 2, signed=True) if printed else "—"
        lines.append(line)
    return pd.DataFrame(lines)


def _softmax_columns(rows: pd.DataFrame, name: str) -> dict[str, str]:
    try:
        errors = per_seed(rows, dataset=name, experiment="heads", split="test", metric="error", method="Softmax head")
    except MissingRowsError:
        return dict.fromkeys(SOFTMAX_COLUMNS, "—")
    level = resampled_interval(errors, ratio_of_test_to_training(rows, name))
    values = written(level), written(softmax_difference(rows, name))
    return dict(zip(SOFTMAX_COLUMNS, values, strict=True))


def written(interval: Interval) -> str:
    """Return a mean with the half-width of its interval; differences of rounding alone are none."""
    return with_interval(round(interval.estimate, 9), round(interval.low, 9), round(interval.high, 9))


def draw_gain_by_penalty(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the change of the test error against λ, one line per outer loss, the chosen λ marked."""
    names = sets_with(rows, data_sets, experiment="reweight")
    figure, axes = panels(len(names), columns=2, height=2.3, sharex=True)
    drawn: list[dict[str, Any]] = []
    for one, name in zip(axes, names, strict=True):
        drawn += _draw_penalties(one, rows, name)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, title="outer loss")
    for one in axes[-2:]:
        one.set_xlabel("penalty λ")
    figure.supylabel("change of the test error (points)", fontsize=9)
    data = pd.DataFrame(drawn)
    helped = {name: group[group.high < 0] for name, group in data.groupby("outer", sort=False)}
    counts = ", ".join(f"{OUTERS[str(o)][1]}: {len(g)} of {(data.outer == o).sum()}" for o, g in helped.items())
    shorter = ", ".join(f"{len(g)} of {(data.outer == o).sum()} ({OUTERS[str(o)][2]})" for o, g in helped.items())
    state_finding(figure, f"Single 95 % intervals below zero, of data set and λ: {shorter}")
    return Drawing(
        figure,
        "gain_by_penalty",
        f"Cells of data set and penalty in which the single 95 % interval of the change lies below zero: {counts}.",
        "Test error after three steps minus that of equal weights at the same λ, against λ; 95 % intervals corrected "
        "for "
        "overlapping resplits; dotted line: the λ that leave-one-out chooses (median over resplits).",
        data,
    )


def _draw_penalties(axes: Any, rows: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    here = select(rows, dataset=name, experiment="reweight")
    penalties = sorted({str(p) for p in here["penalty"].dropna()} - {CHOSEN}, key=float)
    drawn = []
    for shift, (outer, (style, label, _)) in enumerate(OUTERS.items()):
        found = [reweight_difference(rows, name, outer=outer, penalty=penalty) for penalty in penalties]
        places = [float(penalty) * 1.06 ** (shift - 1) for penalty in penalties]
        look = style_of(style)
        axes.plot(places, [i.estimate for i in found], color=look.colour, linestyle=look.dash)
        interval_dots(axes, places, found, method=style, horizontal=False, label=label)
        drawn += [as_data(i, dataset=name, outer=outer, penalty=p) for i, p in zip(found, penalties, strict=True)]
    chosen = float(select(here, metric="penalty")["value"].median())
    axes.axvline(chosen, color="black", linestyle=":", linewidth=1)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xscale="log", title=title_of(name))
    return drawn


def draw_overfitting(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw leave-one-out error and test error against the number of steps, each minus its start."""
    names = sets_with(rows, data_sets, experiment="reweight")
    figure, axes = panels(len(names), columns=3, height=2.2, sharex=True)
    drawn = [line for one, name in zip(axes, names, strict=True) for line in _draw_steps(one, rows, name)]
    figure.supxlabel("steps", fontsize=9)
    figure.supylabel("change of the error (points)", fontsize=9)
    axes[0].legend(loc="best")
    data = pd.DataFrame(drawn)
    last = data[data.step == data.groupby("dataset")["step"].transform("max")]
    ends = last.pivot(index="dataset", columns="split", values="mean")
    words = [
        f"{title_of(n)}: leave-one-out {number(e['leave-one-out'], 1, signed=True)}, "
        f"test {number(e['test'], 1, signed=True)}"
        for n, e in ends.loc[names].iterrows()
    ]
    state_finding(figure, _overfitting_finding(rows, names))
    return Drawing(
        figure,
        "overfitting",
        f"Change of the error at the last step in points. {'; '.join(words)}.",
        "Leave-one-out error on the training set, whose loss the steps lower, and test error, both in points against "
        "step 0; "
        "bands: 95 % intervals corrected for overlapping resplits; dotted: the three steps used elsewhere.",
        data,
    )


def _overfitting_finding(rows: pd.DataFrame, names: Sequence[str]) -> str:
    found = {name: overfit_difference(rows, name) for name in names}
    last = max(one for _, _, one in found.values())
    rises, falls = (sum(getattr(i, side)(0) for i, _, _ in found.values()) for side in ("above", "below"))
    fell = sum(one for _, one, _ in found.values())
    return (
        f"Steps {N_STEPS} to {last}: the leave-one-out loss falls on {fell} of {len(names)} data sets; by 95 % "
        f"intervals the test error rises on {rises}, falls on {falls}"
    )


def _draw_steps(axes: Axes, rows: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    ratio, drawn = ratio_of_test_to_training(rows, name), []
    for split, style, label in (("test", "DIVA Reweight", "test"), ("leave-one-out", "Uniform", "leave-one-out")):
        curve, look = _by_step(rows, name, split, ratio), style_of(style)
        steps = list(curve)
        axes.plot(steps, [i.estimate for i in curve.values()], color=look.colour, linestyle=look.dash, label=label)
        low, high = ([getattr(i, end) for i in curve.values()] for end in ("low", "high"))
        axes.fill_between(steps, low, high, color=look.colour, alpha=0.15, linewidth=0)
        drawn += [as_data(i, dataset=name, split=split, step=step) for step, i in curve.items()]
    axes.axhline(0, color="black", linewidth=0.8)
    axes.axvline(N_STEPS, color="black", linestyle=":", linewidth=1)
    axes.set_title(title_of(name))
    return drawn


def _by_step(rows: pd.DataFrame, name: str, split: str, ratio: float) -> dict[int, Interval]:
    how = {"dataset": name, "experiment": "reweight", "split": split, "metric": "error", "penalty": CHOSEN}
    start = {"outer": SHARP} if split == "leave-one-out" else {}
    first = per_seed(rows, method="Uniform", step=0, **start, **how)
    later = select(rows, method="DIVA Reweight", outer=SHARP, **how)
    steps = sorted(int(step) for step in later["step"].unique())
    return {step: resampled_interval(paired_differences(per_seed(later, step=step), first), ratio) for step in steps}


def scale_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return what remains of the gain when the weights' sum, which acts as a smaller penalty, is kept equal."""
    lines = []
    for name in sets_with(rows, data_sets, experiment="reweight"):
        how = {"dataset": name, "experiment": "reweight", "split": "test", "metric": "error", "penalty": CHOSEN}
        ratio, uniform = ratio_of_test_to_training(rows, name), uniform_error(rows, name)
        line = {"data set": title_of(name), "reweighted (Δ)": written(reweight_difference(rows, name))}
        for method, label in (
            ("DIVA Reweight, rescaled", "reweighted, mean weight 1 (Δ)"),
            ("Uniform, rescaled", "equal weights, as large as the reweighted (Δ)"),
        ):
            differences = paired_differences(per_seed(rows, method=method, step=N_STEPS, **how), uniform)
            line[label] = written(resampled_interval(differences, ratio))
        mean = per_seed(rows, dataset=name, experiment="reweight", metric="mean weight").mean()
        lines.append({**line, "mean weight": number(float(mean), 2)})
    return pd.DataFrame(lines)
