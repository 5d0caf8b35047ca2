"""Figures of the study: each takes tidy rows and returns a drawing with its alternative text, caption and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from reprise.in_domain.convergence import converged_runs, of_converged
from reprise.in_domain.grid import GRIDS
from reprise.in_domain.models import APPROACHES
from reprise.in_domain.oracles import oracle_scores
from reprise.in_domain.settings import MAIN_DATA_SET
from reprise.in_domain.splits import KINDS, ood_values
from reprise.method_styles import style_of
from reprise.plots import Drawing, interval_dots, new_figure, paper_marks, seeds_behind, state_finding
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import Interval, t_interval

TITLES = {
    "sprites-rot90": "sprites (re-rendered dSprites)",
    "rooms": "Rooms (for Shapes3D)",
    "turntable": "Turntable (for MPI3D)",
    "dsprites": "dSprites",
    "shapes3d": "Shapes3D",
    "mpi3d": "MPI3D-real",
}
LOWEST_R2 = -0.5
MEAN_SCORE = {"subset": "test", "factor": "mean", "metric": "r2"}


def methods_of(rows: pd.DataFrame, dataset: str, experiment: str = "comparison") -> list[str]:
    """Return the models of an experiment, in the order of the registry."""
    present = set(select(rows, dataset=dataset, experiment=experiment)["method"])
    return [name for name in APPROACHES if name in present]


def _numbers(interval: Interval, **what: Any) -> dict[str, Any]:
    return {**what, "mean": interval.estimate, "low": interval.low, "high": interval.high, "n": interval.n}


def clamp_score(dataset: str, kind: str, subset: str = "test", factor: str = "mean") -> float:
    """Return what the clamp oracle scores on a subset of a data set's split."""
    table = oracle_scores(GRIDS[dataset], kind)
    found = table[(table.oracle == "Clamp oracle") & (table.subset == subset) & (table.factor == factor)]
    return float(found["r2"].iloc[0])


def draw_models(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw R² of every model on every split, a panel a data set, with the clamp oracle in extrapolation."""
    if not data_sets:
        raise MissingRowsError("none of the data sets of this run is trained on.")
    methods = [m for m in APPROACHES if any(m in methods_of(rows, name) for name in data_sets)]
    figure, axes = new_figure(columns=len(data_sets), height=0.3 * len(methods) + 1.5, squeeze=False, sharey=True)
    drawn: list[dict[str, Any]] = []
    colours = {"random": "CNN", "composition": "SetEncoder", "interpolation": "Spatial transformer"}
    for panel, dataset in zip(axes[0], data_sets, strict=True):
        for shift, kind in enumerate(KINDS):
            style = colours.get(kind, "RotEq-CNN")
            found = [m for m in methods if has_scores(rows, dataset, m, kind)]
            values = [per_seed(rows, **conditions(dataset, m, kind), **MEAN_SCORE) for m in found]
            intervals = [t_interval(value) for value in values]
            places = [methods.index(m) + 0.16 * (shift - 1.5) for m in found]
            shown = [value.clip(lower=LOWEST_R2).to_list() for value in values]
            if found:
                interval_dots(panel, places, intervals, method=style, single_runs=shown, label=kind)
            drawn += [_numbers(i, dataset=dataset, split=kind, method=m) for m, i in zip(found, intervals, strict=True)]
        clamp = clamp_score(dataset, "extrapolation")
        panel.axvline(clamp, color=style_of("Clamp oracle").colour, linestyle=(0, (6, 1)), linewidth=1)
        panel.set_title(TITLES[dataset].split(" (")[0], fontsize=9)
        panel.set_xlabel("R², mean over factors")
        panel.set_xlim(LOWEST_R2, 1.05)
        drawn.append({"dataset": dataset, "split": "extrapolation", "method": "Clamp oracle", "mean": clamp, "n": 1})
    axes[0, 0].set_yticks(range(len(methods)), methods)
    axes[0, 0].set_ylim(len(methods) - 0.5, -0.5)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    data = pd.DataFrame(drawn)
    main = data[(data.dataset == data_sets[0]) & (data.split == "extrapolation") & (data.method != "Clamp oracle")]
    below = int((main["mean"] < clamp_score(data_sets[0], "extrapolation")).sum())
    finding = f"In extrapolation {below} of {len(main)} models stay below the clamp oracle"
    state_finding(figure, finding)
    trained = data[data.method != "Clamp oracle"]
    caption = (
        "R² on the test images of the four splits, mean over all factors. Dashed: the clamp oracle in extrapolation. "
        f"Dots are means with 95 % intervals over seeds ({seeds_behind(trained)}); single runs are faint."
    )
    alt = f"{finding}; R² on the random split lies between {_range(trained, 'random')}."
    return Drawing(figure, "models", alt, caption, data)


def _range(data: pd.DataFrame, kind: str) -> str:
    values = data.loc[data.split == kind, "mean"]
    return f"{values.min():.2f} and {values.max():.2f}"


def conditions(dataset: str, method: str, kind: str, experiment: str = "comparison") -> dict[str, str]:
    """Return what the rows of a model on a split have in common."""
    return {"dataset": dataset, "method": method, "split": kind, "experiment": experiment}


def has_scores(rows: pd.DataFrame, dataset: str, method: str, kind: str) -> bool:
    """Tell whether a model was trained on a split."""
    try:
        select(rows, **conditions(dataset, method, kind), **MEAN_SCORE)
    except MissingRowsError:
        return False
    return True


def draw_curves(rows: pd.DataFrame, methods: Sequence[str], dataset: str = MAIN_DATA_SET) -> Drawing:
    """Draw predicted against true value of each factor where it alone is out of distribution."""
    factors = list(GRIDS[dataset].cut_factors)
    rows = of_converged(select(rows, dataset=dataset, experiment="comparison"), converged_runs(rows, dataset))
    methods = [name for name in methods if name in set(rows["method"])]
    figure, axes = new_figure(columns=len(factors), height=2.3, squeeze=False, sharey=True)
    drawn: list[pd.DataFrame] = []
    for panel, factor in zip(axes[0], factors, strict=True):
        size = GRIDS[dataset].sizes[GRIDS[dataset].position(factor)]
        first = min(ood_values(GRIDS[dataset], factor, "extrapolation", GRIDS[dataset].cut))
        edge = (first - 1) / (size - 1)
        panel.axvspan(0, edge, color="#E5E5E5", zorder=0)
        panel.plot([0, 1], [0, 1], color="#7F7F7F", linewidth=0.8)
        panel.plot([0, edge, 1], [0, edge, edge], color=style_of("Clamp oracle").colour, linestyle=(0, (6, 1)), lw=0.9)
        for method in methods:
            found = select(
                rows, dataset=dataset, experiment="comparison", method=method, metric="predicted", factor=factor
            )
            found = found[found.split == "extrapolation"]
            curve = found.groupby("true")["value"].mean().reset_index()
            style = style_of(method)
            panel.plot(curve["true"], curve["value"], color=style.colour, linestyle=style.dash, label=method)
            drawn.append(curve.assign(method=method, factor=factor))
        panel.set_title(factor, fontsize=9)
        panel.set_xlabel("true")
        panel.set_xlim(0, 1)
    axes[0, 0].set_ylabel("predicted")
    axes[0, 0].legend(fontsize=7)
    data = pd.concat(drawn, ignore_index=True)
    ends = data[(data["true"] == 1) & (data["method"] == methods[0])].set_index("factor")["value"]
    least, most = f"{ends.idxmin()} {ends.min():.2f}", f"{ends.idxmax()} {ends.max():.2f}"
    how = "stays short" if ends.max() < 1 else "does not stay short everywhere"
    finding = f"At the far end the {methods[0]} {how}: {least}, {most}"
    state_finding(figure, finding)
    caption = (
        "Mean prediction (over images and converged seeds) against the true value, extrapolation split, where no other "
        "factor is out of distribution. Grey: values seen in training; thin line: identity; dashed black: clamp oracle."
    )
    return Drawing(figure, "curves", f"{finding} (true value 1).", caption, data)


def draw_modularity(rows: pd.DataFrame, methods: Sequence[str], dataset: str = MAIN_DATA_SET) -> Drawing:
    """Draw R² of each factor (columns) where exactly one factor (row) is out of distribution."""
    grid = GRIDS[dataset]
    rows = of_converged(select(rows, dataset=dataset, experiment="comparison"), converged_runs(rows, dataset))
    methods = [name for name in methods if name in set(rows["method"])]
    figure, axes = new_figure(columns=len(methods) + 1, height=2.5, squeeze=False, sharey=True)
    drawn: list[dict[str, Any]] = []
    for panel, method in zip(axes[0], (*methods, "Clamp oracle"), strict=True):
        matrix = np.array([[_one_out(rows, dataset, method, j, k) for k in grid.names] for j in grid.cut_factors])
        image = panel.imshow(matrix, vmin=-0.5, vmax=1, cmap="cividis", aspect="auto")
        for (y, x), value in np.ndenumerate(matrix):
            dark = value < 0.35
            panel.text(x, y, f"{value:.2f}", ha="center", va="center", fontsize=6.5, color="white" if dark else "black")
            drawn.append({"method": method, "out": grid.cut_factors[y], "factor": grid.names[x], "r2": value})
        panel.set_xticks(range(grid.n_factors), grid.names, rotation=60, ha="right", fontsize=7)
        panel.set_title(method, fontsize=9)
        panel.grid(visible=False)
    axes[0, 0].set_yticks(range(len(grid.cut_factors)), grid.cut_factors)
    axes[0, 0].set_ylabel("out of distribution")
    data = pd.DataFrame(drawn)
    models = data[data["method"] == methods[0]]
    own, others = (models[same]["r2"].mean() for same in (models.out == models.factor, models.out != models.factor))
    worst = models[models.out != models.factor].nsmallest(1, "r2").iloc[0]
    finding = f"{methods[0]}: R² {own:.2f} for the factor that is out, {others:.2f} for the others"
    state_finding(figure, finding)
    figure.colorbar(image, ax=axes[0].tolist(), label="R²", fraction=0.05)
    caption = (
        "R² of each factor (column) on test images where exactly one factor (row) is out of distribution, "
        "extrapolation; mean over converged seeds. The colour scale ends at −0.5."
    )
    alt = f"{finding}; worst: {worst.factor}, {worst.r2:.2f}, where {worst.out} is out."
    return Drawing(figure, "modularity", alt, caption, data)


def _one_out(rows: pd.DataFrame, dataset: str, method: str, out: str, factor: str) -> float:
    if method == "Clamp oracle":
        return clamp_score(dataset, "extrapolation", f"only {out}", factor)
    where = conditions(dataset, method, "extrapolation")
    return float(per_seed(rows, **where, subset=f"only {out}", factor=factor, metric="r2").mean())


def draw_number_out(rows: pd.DataFrame, dataset: str = MAIN_DATA_SET) -> Drawing:
    """Draw mean R² against the number of factors that are out of distribution at once."""
    figure, axes = new_figure(height=3.2)
    numbers = range(1, len(GRIDS[dataset].cut_factors) + 1)
    drawn: list[dict[str, Any]] = []
    for method in methods_of(rows, dataset):
        where = conditions(dataset, method, "extrapolation")
        if not has_scores(rows, dataset, method, "extrapolation"):
            continue
        series = [per_seed(rows, **where, subset="train", factor="mean", metric="r2")]
        series += [per_seed(rows, **where, subset=f"{k} out", factor="mean", metric="r2") for k in numbers]
        intervals = [t_interval(values) for values in series]
        style = style_of(method)
        axes.plot(
            range(len(series)), [i.estimate for i in intervals], color=style.colour, linestyle=style.dash,
            marker=style.marker, markersize=4, label=method,
        )  # fmt: skip
        drawn += [_numbers(i, method=method, n_out=k) for k, i in enumerate(intervals)]
    clamp = [1.0, *(clamp_score(dataset, "extrapolation", f"{k} out") for k in numbers)]
    axes.plot(
        range(len(clamp)), clamp, color=style_of("Clamp oracle").colour, linestyle=(0, (6, 1)), label="Clamp oracle"
    )
    drawn += [{"method": "Clamp oracle", "n_out": k, "mean": value, "n": 1} for k, value in enumerate(clamp)]
    axes.set_xticks(range(len(clamp)))
    axes.set_xlabel("factors out of distribution at once")
    axes.set_ylabel("R², mean over factors")
    axes.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    data = pd.DataFrame(drawn)
    last = data[(data.n_out == len(clamp) - 1) & (data.method != "Clamp oracle")]["mean"]
    finding = f"All {len(clamp) - 1} factors out: R² is {last.max():.2f} at best; perfect clamping has {clamp[-1]:.2f}"
    state_finding(figure, finding)
    caption = (
        "Mean R² over all factors against how many factors are out of distribution, extrapolation split (0: training "
        f"images). Means over seeds ({seeds_behind(data[data.method != 'Clamp oracle'])}); dashed: the clamp oracle."
    )
    return Drawing(figure, "number_out", f"{finding}.", caption, data)


def draw_leaderboard(rows: pd.DataFrame, published: pd.DataFrame) -> Drawing:
    """Draw the published best extrapolation scores beside the clamp oracle, and ours on the re-rendered sprites."""
    data_sets = list(dict.fromkeys(published["dataset"]))
    figure, axes = new_figure(height=2.6)
    drawn: list[dict[str, Any]] = []
    for place, dataset in enumerate(data_sets):
        printed = published[published.dataset == dataset]
        paper_marks(axes, printed["value"].tolist(), [place] * len(printed), label=place == 0)
        clamp = clamp_score(dataset, "extrapolation")
        axes.plot(
            [clamp],
            [place],
            marker="*",
            markersize=10,
            color="black",
            linestyle="",
            label=None if place else "Clamp oracle",
        )
        drawn += [
            {"dataset": dataset, "method": m, "r2": v, "what": "paper"}
            for m, v in zip(printed.method, printed.value, strict=True)
        ]
        drawn.append({"dataset": dataset, "method": "Clamp oracle", "r2": clamp, "what": "oracle"})
    for method in methods_of(rows, MAIN_DATA_SET):
        if not has_scores(rows, MAIN_DATA_SET, method, "extrapolation"):
            continue
        value = per_seed(rows, **conditions(MAIN_DATA_SET, method, "extrapolation"), **MEAN_SCORE).mean()
        style = style_of(method)
        axes.plot([value], [len(data_sets)], marker=style.marker, color=style.colour, linestyle="", alpha=0.8)
        drawn.append({"dataset": MAIN_DATA_SET, "method": method, "r2": value, "what": "ours"})
    clamp = clamp_score(MAIN_DATA_SET, "extrapolation")
    axes.plot([clamp], [len(data_sets)], marker="*", markersize=10, color="black", linestyle="")
    drawn.append({"dataset": MAIN_DATA_SET, "method": "Clamp oracle", "r2": clamp, "what": "oracle"})
    axes.set_yticks(range(len(data_sets) + 1), [*map(TITLES.__getitem__, data_sets), "sprites (ours)"])
    axes.set_ylim(len(data_sets) + 0.5, -0.5)
    axes.set_xlabel("R² in extrapolation, mean over factors")
    axes.legend(fontsize=8, loc="lower left")
    data = pd.DataFrame(drawn)
    best = data[data.what == "paper"].groupby("dataset")["r2"].max()
    gap = min(clamp_score(name, "extrapolation") - best[name] for name in data_sets)
    finding = f"The best published models lie at least {gap:.2f} below an oracle that cannot extrapolate"
    state_finding(figure, finding)
    caption = (
        "Open diamonds: the two best published models of each data set. Stars: the clamp oracle, which reads every "
        "factor perfectly but only says values seen in training. Last line: our models on re-rendered dSprites."
    )
    return Drawing(figure, "leaderboard", f"{finding}.", caption, data)


def draw_blog(rows: pd.DataFrame) -> Drawing:
    """Draw shape accuracy in the blog's case, held out against control."""
    found = select(rows, dataset=MAIN_DATA_SET, experiment="blog", metric="shape_accuracy")
    methods = [name for name in APPROACHES if name in set(found["method"])]
    figure, axes = new_figure(height=0.5 * len(methods) + 1.4)
    drawn: list[dict[str, Any]] = []
    for shift, (subset, style) in enumerate((("control", "CNN"), ("held out", "RotEq-CNN"))):
        values = [per_seed(found, method=m, subset=subset) for m in methods]
        intervals = [t_interval(value) for value in values]
        places = [place + 0.2 * (shift - 0.5) for place in range(len(methods))]
        runs = [value.to_list() for value in values]
        interval_dots(axes, places, intervals, method=style, single_runs=runs, label=subset)
        drawn += [_numbers(i, method=m, training_set=subset) for m, i in zip(methods, intervals, strict=True)]
    axes.set_yticks(range(len(methods)), methods)
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.set_xlim(-2, 102)
    axes.set_xlabel("shape accuracy on large hearts and small squares, %")
    axes.legend(fontsize=8)
    data = pd.DataFrame(drawn)
    means = data.groupby("training_set")["mean"].mean()
    finding = f"Held-out combinations: {means['held out']:.0f} % against {means['control']:.0f} % in the control"
    state_finding(figure, finding)
    caption = (
        "Held out: trained on small hearts, large squares and all ellipses. Control: as many images drawn from all but "
        f"the test images. Same test images; means with 95 % intervals over seeds ({seeds_behind(data)})."
    )
    return Drawing(figure, "blog", f"{finding} (mean over models).", caption, data)
