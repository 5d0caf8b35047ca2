"""Figures and tables of what Reweight's gain depends on: temperature, penalty, step, and who chooses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from reprise.diva.comparisons import (
    CHOSEN,
    FLAT,
    N_STEPS,
    SHARP,
    ratio_of_test_to_training,
    resampled_interval,
    reweight_difference,
    temperature_of,
    uniform_error,
)
from reprise.diva.figures import panels, sets_with, title_of, written
from reprise.method_styles import style_of
from reprise.numerals import number
from reprise.plots import Drawing, as_data, interval_dots, name_lines, new_figure, seeds_behind, state_finding
from reprise.rows import per_seed, select
from reprise.stats import Interval, paired_differences

STYLE = "DIVA Reweight"


def outer_losses(rows: pd.DataFrame, name: str) -> dict[str, float | None]:
    """Return the outer losses tried for Reweight on a data set, with their temperatures, ascending; squared last."""
    tried = select(rows, dataset=name, experiment="reweight", method="DIVA Reweight", metric="error")["outer"]
    found = {str(outer): temperature_of(str(outer)) for outer in tried.dropna().unique()}
    return dict(sorted(found.items(), key=lambda pair: float("inf") if pair[1] is None else pair[1]))


def draw_gain_by_temperature(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the change of the test error against the temperature of the outer loss, λ chosen by leave-one-out."""
    names = sets_with(rows, data_sets, experiment="reweight")
    figure, axes = panels(len(names), columns=3, height=2.2, sharex=True)
    look, drawn = style_of(STYLE), []
    for one, name in zip(axes, names, strict=True):
        found = {t: reweight_difference(rows, name, outer=o) for o, t in outer_losses(rows, name).items() if t}
        one.plot(list(found), [i.estimate for i in found.values()], color=look.colour, linestyle=look.dash)
        interval_dots(one, list(found), list(found.values()), method=STYLE, horizontal=False)
        one.axhline(0, color="black", linewidth=0.8)
        one.set(xscale="log", title=title_of(name), xticks=list(found), xticklabels=[f"{t:g}" for t in found])
        one.minorticks_off()
        drawn += [as_data(i, dataset=name, temperature=t) for t, i in found.items()]
    figure.supxlabel("temperature τ of the outer loss (logarithmic)", fontsize=9)
    figure.supylabel("change of the test error (points)", fontsize=9)
    data = pd.DataFrame(drawn)
    best = data.loc[data.groupby("dataset", sort=False)["mean"].idxmin()].set_index("dataset")
    worst = data.loc[data.groupby("dataset", sort=False)["mean"].idxmax()].set_index("dataset")
    state_finding(figure, _temperature_finding(data))
    words = [
        f"{title_of(n)}: least {number(best.loc[n, 'mean'], 2, signed=True)} at τ = {best.loc[n, 'temperature']:g}, "
        f"most {number(worst.loc[n, 'mean'], 2, signed=True)} at τ = {worst.loc[n, 'temperature']:g}"
        for n in names
    ]
    return Drawing(
        figure,
        "gain_by_temperature",
        f"Change of the test error in points. {'; '.join(words)}.",
        "Test error after three steps minus that of equal weights, λ chosen by leave-one-out, against the temperature "
        f"of the outer cross-entropy; 95 % intervals corrected for overlapping resplits ({seeds_behind(data)}).",
        data,
    )


def _temperature_finding(data: pd.DataFrame) -> str:
    helped, hurt = data[data.high < 0], data[data.low > 0]
    n_sets = data["dataset"].nunique()
    by_temperature = helped.groupby("temperature")["dataset"].nunique()
    if by_temperature.empty:
        return f"No temperature lowers the error, by 95 % intervals; {len(hurt)} of {len(data)} settings raise it"
    most = by_temperature[by_temperature == by_temperature.max()].index
    temperatures = ", ".join(f"{t:g}" for t in most)
    return (
        f"By 95 % intervals Reweight lowers the error on at most {by_temperature.max()} of {n_sets} data sets (τ = "
        f"{temperatures}), raises it in {len(hurt)} of {len(data)} settings"
    )


def sweep_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return the change of the test error for every data set, penalty and outer loss, paired by resplit."""
    lines = []
    for name in sets_with(rows, data_sets, experiment="reweight"):
        here = select(rows, dataset=name, experiment="reweight")
        penalties = sorted({str(p) for p in here["penalty"].dropna()} - {CHOSEN}, key=float)
        chosen = float(select(here, metric="penalty")["value"].median())
        for penalty in (CHOSEN, *penalties):
            label = f"by leave-one-out ({chosen:.2g})" if penalty == CHOSEN else penalty
            line: dict[str, Any] = {"data set": title_of(name), "λ": label}
            for outer, temperature in outer_losses(rows, name).items():
                column = "squared" if temperature is None else f"τ = {temperature:g}"
                line[column] = written(reweight_difference(rows, name, outer=outer, penalty=penalty))
            lines.append(line)
    return pd.DataFrame(lines)


# Label, style, and the rows' method with what else tells them apart.
CHOICES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "τ = 10, 3 steps, fixed beforehand",
        "DIVA Reweight",
        {"method": "DIVA Reweight", "step": N_STEPS, "outer": SHARP},
    ),
    ("τ and steps by validation", "Reweight, validated", {"method": "DIVA Reweight, validated"}),
    (
        "the paper's raw step, τ = 10, 3 steps",
        "Reweight, raw step",
        {"method": "DIVA Reweight, raw step", "step": N_STEPS, "outer": SHARP},
    ),
)


def draw_choices(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the change of the test error by who chose temperature and steps, and with the paper's raw step."""
    names = sets_with(rows, data_sets, experiment="reweight")
    figure, axes = new_figure(height=0.55 * len(names) + 1.2)
    found: dict[str, list[Interval]] = {}
    for shift, (label, style, how) in enumerate(CHOICES):
        differences = [_change(rows, name, how) for name in names]
        found[label] = [
            resampled_interval(one, ratio_of_test_to_training(rows, name))
            for one, name in zip(differences, names, strict=True)
        ]
        places = [place + 0.24 * (shift - 1) for place in range(len(names))]
        interval_dots(axes, places, found[label], method=style, single_runs=differences, label=label)
    name_lines(axes, [title_of(name) for name in names])
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("error reweighted − error with equal weights (points)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    lower = {label: [title_of(n) for n, i in zip(names, of, strict=True) if i.below(0)] for label, of in found.items()}
    fixed, validated, _ = (len(of) for of in lower.values())
    state_finding(
        figure,
        f"By 95 % intervals Reweight lowers the error on {validated} of {len(names)} data sets with τ and steps chosen "
        f"by validation, on {fixed} with those fixed beforehand",
    )
    words = [f"{label}: {', '.join(of) or 'none'}" for label, of in lower.items()]
    lines = [
        as_data(one, dataset=name, choice=label)
        for label, of in found.items()
        for name, one in zip(names, of, strict=True)
    ]
    data = pd.DataFrame(lines)
    return Drawing(
        figure,
        "choices",
        f"Data sets on which the test error falls by its 95 % interval. {'; '.join(words)}.",
        "Test error minus that of equal weights, λ chosen by leave-one-out; validation: on a fifth of each training "
        f"set; mean over resplits ({seeds_behind(data)}), 95 % intervals corrected for their overlap, single resplits "
        "faint.",
        data,
    )


def _change(rows: pd.DataFrame, name: str, how: dict[str, Any]) -> list[float]:
    error = {"dataset": name, "experiment": "reweight", "penalty": CHOSEN, "metric": "error", "split": "test"}
    return [float(one) for one in paired_differences(per_seed(rows, **how, **error), uniform_error(rows, name))]


RAW = (
    (SHARP, "raw step, τ = 10 (Δ)"),
    (FLAT, "raw step, τ = 1 (Δ)"),
    ("squared", "raw step, squared (Δ)"),
)


def choices_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return the change of the test error with choices made beforehand, by validation, and with the paper's step."""
    lines = []
    for name in sets_with(rows, data_sets, experiment="reweight"):
        how = {"dataset": name, "experiment": "reweight", "penalty": CHOSEN}
        error = {**how, "metric": "error", "split": "test"}
        ratio, uniform = ratio_of_test_to_training(rows, name), uniform_error(rows, name)

        def change(values: pd.Series, ratio: float = ratio, uniform: pd.Series = uniform) -> str:
            return written(resampled_interval(paired_differences(values, uniform), ratio))

        line = {"data set": title_of(name), "τ = 10, 3 steps (Δ)": written(reweight_difference(rows, name))}
        line["chosen by validation (Δ)"] = change(per_seed(rows, method="DIVA Reweight, validated", **error))
        line["what it chose"] = chosen_by_validation(rows, name)
        for outer, label in RAW:
            values = per_seed(rows, method="DIVA Reweight, raw step", step=N_STEPS, outer=outer, **error)
            line[label] = change(values)
        lines.append(line)
    return pd.DataFrame(lines)


def chosen_by_validation(rows: pd.DataFrame, name: str) -> str:
    """Return how often validation chose which temperature and number of steps, the most frequent first."""
    how = {"dataset": name, "experiment": "reweight", "method": "DIVA Reweight, validated"}
    steps, temperatures = (per_seed(rows, metric=metric, **how) for metric in ("steps", "temperature"))
    words = [
        f"τ = {temperature:g}, {step:g} {'step' if step == 1 else 'steps'}" if step else "no step"
        for step, temperature in zip(steps, temperatures, strict=True)
    ]
    return "; ".join(f"{count} × {word}" for word, count in pd.Series(words).value_counts(sort=True).items())
