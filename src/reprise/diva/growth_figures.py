"""Figures of Extend, of class names as samples, of flipped copies, of small changes and of full linearisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from reprise.diva.claims import LEAST_CORRELATION
from reprise.diva.comparisons import (
    FLAT,
    INNER_SIZES,
    N_STEPS,
    SHARP,
    agreement,
    extend_difference,
    ratio_of_test_to_training,
    resampled_interval,
    share_of,
)
from reprise.diva.figures import sets_with, title_of, written
from reprise.diva.linearisation import N_PART
from reprise.method_styles import style_of
from reprise.numerals import difference, number
from reprise.plots import (
    TEXT_WIDTH,
    Drawing,
    Line,
    along,
    as_data,
    draw_curve,
    draw_dots,
    interval_dots,
    measured,
    measured_lines,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.rows import per_seed, select
from reprise.stats import Interval, paired_differences, t_interval

REVERSED = "DIVA's order reversed"
QUOTA = "DIVA Extend, class quota"
POOL_TITLES = {"clean": "clean pool", "noisy": "pool with wrong labels"}
FLIP_NAMES = {"none": "originals", "horizontal": "flipped left-right", "vertical": "flipped upside down"}
COUNTING_NAMES = {
    "originals": "originals count",
    "all": "all copies count",
    "groups": "copies leave together",
    "originals, raw step": "originals count, raw step",
}
CHANGES = {0.0: "removed", 0.5: "halved", 2.0: "doubled", 1.0: "added"}


def draw_extend(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw the test error against the share of the pool added, chosen by the derivative and at random."""
    names = sets_with(rows, data_sets, experiment="extend")
    pools = list(POOL_TITLES)
    figure, axes = new_figure(
        rows=len(names), columns=2, height=0.7 + 2.2 * len(names), squeeze=False, sharex=True, sharey="row"
    )
    drawn: list[dict[str, Any]] = []
    for line, name in zip(axes, names, strict=True):
        for one, pool in zip(line, pools, strict=True):
            drawn += _draw_growth(one, rows, name, "extend", pool)
            one.set_title(f"{title_of(name)}, {POOL_TITLES[pool]}", fontsize=9)
        line[0].set_ylim(bottom=0)
        line[0].set_ylabel("test error (%)")
    axes[0][0].legend(loc="best")
    figure.supxlabel("share of the pool in the training set", fontsize=9)
    means = {(name, pool): extend_difference(rows, name, pool) for name in names for pool in pools}
    words = [
        f"{title_of(name)}, {POOL_TITLES[pool]}: {number(one.estimate, 1, signed=True)}"
        for (name, pool), one in means.items()
    ]
    better = [one.below(0) for (_, pool), one in means.items() if pool == "noisy"]
    clean = [one.below(0) for (_, pool), one in means.items() if pool == "clean"]
    data = pd.DataFrame(drawn)
    state_finding(
        figure,
        f"Extend beats random selection, by 95 % intervals, on {sum(better)} of {len(better)} pools with wrong labels, "
        f"on {sum(clean)} of {len(clean)} clean ones",
    )
    return Drawing(
        figure,
        "extend",
        f"Extend minus random selection, mean over sizes, in points. {'; '.join(words)}.",
        "Test error while the pool joins the training set in rounds; 95 % t intervals over resplits "
        f"({seeds_behind(data)}), not widened for their overlap as those of the verdict are; λ is the core's; "
        "with a quota no class has more than its even part of a round; "
        "random selection is a mean over several orders a seed; dotted: the whole pool; triangle: where no "
        "derivative is negative any more and Extend would stop.",
        data,
    )


def _draw_growth(axes: Any, rows: pd.DataFrame, name: str, experiment: str, pool: str) -> list[dict[str, Any]]:
    here = select(rows, dataset=name, experiment=experiment, setting=pool, metric="error")
    sizes = sorted(float(size) for size in here["size"].unique())
    drawn = []
    present = [m for m in ("DIVA Extend", QUOTA, "Random selection", REVERSED) if m in set(here["method"])]
    for shift, method in enumerate(present):
        curve = draw_curve(axes, along(here, sizes, column="size", method=method), style=method, aside=0.012 * shift)
        drawn += [{"dataset": name, "setting": pool, **line} for line in curve]
    stop = select(rows, dataset=name, experiment=experiment, setting=pool, metric="share negative")["value"].mean()
    axes.plot([stop], [0.04], marker="v", markersize=6, color="black", transform=axes.get_xaxis_transform())
    whole = per_seed(here, method="Random selection", size=1.0).mean()
    axes.axhline(float(whole), color="black", linestyle=":", linewidth=0.9)
    return drawn


def draw_names(rows: pd.DataFrame) -> Drawing:
    """Draw the few-shot error against the share of class names added as samples."""
    figure, axes = new_figure(height=TEXT_WIDTH * 0.42)
    data = pd.DataFrame(_draw_growth(axes, rows, "banking77", "names", "names"))
    axes.set(xlabel="share of the class names in the training set", ylabel="test error (%)")
    axes.legend(loc="best")
    by_method = data.pivot(index="at", columns="method", values="mean")
    start, end = by_method["DIVA Extend"].iloc[[0, -1]]
    lowest = by_method["DIVA Extend"].min()
    gaps = {other: _difference_on_the_way(rows, other) for other in ("Random selection", REVERSED)}
    verdicts = {other: _compared(gap) for other, gap in gaps.items()}
    state_finding(
        figure,
        f"All names: {number(start, 1)} → {number(end, 1)} %; on the way DIVA's order is "
        f"{verdicts['Random selection']} chance, {verdicts[REVERSED]} its reverse",
    )
    return Drawing(
        figure,
        "names",
        f"The test error goes from {number(start, 1)} % without to {number(end, 1)} % with all names; the lowest "
        f"value on the way in DIVA's order is {number(lowest, 1)} %. DIVA's order minus chance, mean over the sizes "
        f"between: {difference(gaps['Random selection'])} points; minus its reverse: {difference(gaps[REVERSED])}.",
        "Banking77, a few questions a class, names of the intents added as samples in DIVA's order, in its reverse, "
        "and "
        f"at random; 95 % t intervals over draws ({seeds_behind(data)}); dotted: all names.",
        data,
    )


def _difference_on_the_way(rows: pd.DataFrame, other: str) -> Interval:
    """DIVA's order minus another, test error in points, as mean over the sizes between no and all names."""
    how = {"experiment": "names", "metric": "error", "size": INNER_SIZES}
    chosen, others = (per_seed(rows, method=method, **how) for method in ("DIVA Extend", other))
    return t_interval(paired_differences(chosen, others))


def _compared(gap: Interval) -> str:
    return "better than" if gap.below(0) else "worse than" if gap.above(0) else "not told apart from"


def draw_flips(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw each flip's share of all weight, by what counts as validation."""
    names = sets_with(rows, data_sets, experiment="flips")
    figure, axes = new_figure(columns=len(names), height=TEXT_WIDTH * 0.48, squeeze=False, sharey=True)
    drawn = []
    styles = {"originals": "DIVA Reweight", "all": "Reweight, flat loss", "groups": "Reweight, squared loss"}
    styles["originals, raw step"] = "Reweight, raw step"
    for one, name in zip(axes[0], names, strict=True):
        ratio = ratio_of_test_to_training(rows, name)
        for shift, (counting, label) in enumerate(COUNTING_NAMES.items()):
            values = [share_of(rows, name, flip, counting) for flip in FLIP_NAMES]
            found = [resampled_interval(value, ratio) for value in values]
            places = [place + 0.15 * (shift - 1.5) for place in range(3)]
            interval_dots(
                one, places, found, method=styles[counting], single_runs=values, horizontal=False, label=label
            )
            drawn += [
                as_data(i, dataset=name, setting=counting, flip=f) for i, f in zip(found, FLIP_NAMES, strict=True)
            ]
        one.axhline(1 / 3, color="black", linestyle=":", linewidth=0.9)
        one.set_xticks(range(3), ["originals", "left-right", "upside down"])
        one.set_title(title_of(name))
    axes[0][0].set_ylabel("share of all weight")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    data = pd.DataFrame(drawn)
    own = data[data.setting == "originals"].pivot(index="dataset", columns="flip", values="mean")
    words = [f"{title_of(n)} {' / '.join(number(own.loc[n, flip], 2) for flip in FLIP_NAMES)}" for n in names]
    state_finding(figure, f"Originals / left-right / upside down, where originals count: {'; '.join(words)}")
    return Drawing(
        figure,
        "flips",
        f"Shares of originals, left-right and upside-down copies where the originals count: {'; '.join(words)}.",
        "Share of all weight after the last step, by which rows count in the leave-one-out loss; mean over "
        f"resplits ({seeds_behind(data)}), 95 % intervals corrected for their overlap; dotted: equal shares.",
        data,
    )


def flip_error_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return test errors without copies, with all copies alike, and with the weights found."""
    lines = []
    for name in sets_with(rows, data_sets, experiment="flips"):
        how = {"dataset": name, "experiment": "flips", "metric": "error", "split": "test"}
        line, ratio = {"data set": title_of(name)}, ratio_of_test_to_training(rows, name)
        for method, label in (("No copies", "no copies (%)"), ("Uniform", "copies, equal weights (%)")):
            line[label] = written(resampled_interval(per_seed(rows, method=method, **how), ratio))
        for counting, label in COUNTING_NAMES.items():
            values = per_seed(rows, method="DIVA Reweight", setting=counting, **how)
            line[f"reweighted, {label} (%)"] = written(resampled_interval(values, ratio))
        lines.append(line)
    return pd.DataFrame(lines)


def leakage_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return the leave-one-out error of equal weights by who leaves and who counts, beside the test error.

    What it lacks to the test error is what copies that stay in the training set give away.
    """
    lines = []
    for name in sets_with(rows, data_sets, experiment="flips"):
        how = {"dataset": name, "experiment": "flips", "metric": "error", "method": "Uniform"}
        ratio = ratio_of_test_to_training(rows, name)
        test = per_seed(rows, split="test", **how)
        line = {"data set": title_of(name), "test (%)": written(resampled_interval(test, ratio))}
        for counting in ("all", "originals", "groups"):
            error = per_seed(rows, split="leave-one-out", setting=counting, **how)
            gap = resampled_interval(paired_differences(error, test), ratio)
            line[f"leave-one-out − test, {COUNTING_NAMES[counting]}"] = written(gap)
        lines.append(line)
    return pd.DataFrame(lines)


def draw_small_changes(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw predicted against exact change of the leave-one-out loss: samples removed, halved, doubled, added."""
    names = sets_with(rows, data_sets, experiment="small changes")
    name = names[0]
    pairs = select(rows, dataset=name, experiment="small changes", metric=["predicted", "exact"])
    wide = pairs.pivot(index=["new_weight", "sample"], columns="metric", values="value").reset_index()
    figure, axes = new_figure(rows=2, columns=2, height=TEXT_WIDTH * 0.66)
    look = style_of("DIVA derivative")
    kept = []
    for one, (weight, label) in zip(axes.flat, CHANGES.items(), strict=True):
        own = wide[wide.new_weight == weight]
        one.plot(own.predicted, own.exact, ".", color=look.colour, alpha=0.5, markersize=4)
        ends = [min(own.predicted.min(), own.exact.min()), max(own.predicted.max(), own.exact.max())]
        one.plot(ends, ends, color="black", linewidth=0.8, linestyle=":")
        mean = agreement(rows, name, SHARP, new_weight=weight)
        one.set_title(f"{label}: ρ = {number(mean.estimate, 3)}", fontsize=9)
        kept.append(as_data(mean, dataset=name, new_weight=weight))
    figure.supylabel("exact change of the loss", fontsize=9)
    figure.supxlabel("change predicted by the derivative", fontsize=9)
    removed = {n: agreement(rows, n, SHARP).estimate for n in names}
    words = [f"{title_of(n)} {number(value, 3)}" for n, value in removed.items()]
    alike = [n for n, value in removed.items() if value >= LEAST_CORRELATION]
    state_finding(
        figure,
        f"Removing a sample: predicted and exact change rank alike (ρ ≥ {number(LEAST_CORRELATION, 1)}) on "
        f"{len(alike)} of {len(names)} data sets; least ρ {number(min(removed.values()), 3)}",
    )
    return Drawing(
        figure,
        "small_changes",
        f"Rank correlation of predicted and exact change when a sample is removed: {', '.join(words)}.",
        f"Leave-one-out loss (τ = 10) of {title_of(name)} after changing the weight of one sample, exactly (rank-1 "
        "update) and as predicted; added: samples kept out at first, at weight 0; one dot a sample; ρ: rank "
        "correlation over all samples and draws; dotted: equal.",
        pd.concat([wide, pd.DataFrame(kept)], ignore_index=True),
    )


def agreement_table(rows: pd.DataFrame, data_sets: Sequence[str]) -> pd.DataFrame:
    """Return rank correlations of predicted with exact change, for leave-one-out and test loss."""
    lines = []
    for name in sets_with(rows, data_sets, experiment="small changes"):
        for outer in (FLAT, SHARP):
            line = {"data set": title_of(name), "outer loss": outer}
            for weight, label in CHANGES.items():
                line[f"{label}, leave-one-out loss"] = written(agreement(rows, name, outer, new_weight=weight))
            how = {"experiment": "small changes", "metric": "spearman", "split": "test", "outer": outer}
            line["removed, test loss"] = written(t_interval(per_seed(rows, dataset=name, new_weight=0.0, **how)))
            lines.append(line)
    return pd.DataFrame(lines)


LINEARISED = tuple(
    Line(f"{layers}, {label}", style, {"method": method, "setting": layers, "step": step})
    for layers in ("last layer", "all layers")
    for method, style, label, step in (
        ("Uniform", "Uniform", "equal weights", 0),
        ("DIVA Reweight", "DIVA Reweight", "reweighted", N_STEPS),
    )
)


def draw_linearisation(rows: pd.DataFrame) -> Drawing:
    """Draw the test error of the linearised network, last layer and all layers, before and after Reweight."""
    own = select(rows, experiment="linearisation", metric="error")
    lines = (Line("the network itself", "Softmax head", {"method": "Network"}), *LINEARISED)
    found = measured_lines(own, lines)
    figure, axes = new_figure(height=0.3 * len(lines) + 1.0)
    data = pd.DataFrame(draw_dots(axes, found, lines, dataset="digits"))
    axes.set_xlabel("test error (%)")
    axes.set_xlim(left=0)
    gains = []
    for layers in ("last layer", "all layers"):
        after = measured(own, method="DIVA Reweight", setting=layers, step=N_STEPS)
        before = measured(own, method="Uniform", setting=layers)
        if after is not None and before is not None:
            gains.append(f"{layers} {difference(t_interval(paired_differences(after, before)), 2)}")
    state_finding(figure, f"Change of the error by Reweight, points: {', '.join(gains)}")
    return Drawing(
        figure,
        "linearisation",
        f"Change of the test error by Reweight in points: {', '.join(gains)}.",
        f"Digits: a network trained on {N_PART} images, linearised on {N_PART} others, tested on the rest; mean over "
        f"seeds ({seeds_behind(data)}), 95 % t intervals, single seeds faint.",
        data,
    )
