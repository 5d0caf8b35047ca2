"""Figures of single factors: where one is out of distribution, which of them are still read, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reprise.in_domain.convergence import converged_runs, of_converged
from reprise.in_domain.grid import GRIDS
from reprise.in_domain.lookups import LOWEST_R2, clamp_score, conditions
from reprise.in_domain.oracles import CLAMP
from reprise.in_domain.settings import MAIN_DATA_SET
from reprise.in_domain.splits import ood_values
from reprise.method_styles import style_of
from reprise.numerals import number
from reprise.plots import Drawing, as_data, new_figure, seeds_behind, state_finding
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEEN = "#E5E5E5"


def _converged(rows: pd.DataFrame, methods: Sequence[str], dataset: str) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of converged trainings, and those of the methods that have some; raise if none has."""
    kept = of_converged(select(rows, dataset=dataset, experiment="comparison"), converged_runs(rows, dataset))
    sound = [name for name in methods if name in set(kept["method"])]
    if not sound:
        raise MissingRowsError(f"no training of {', '.join(methods) or 'the models drawn'} has converged.")
    return kept, sound


def draw_curves(rows: pd.DataFrame, methods: Sequence[str], dataset: str = MAIN_DATA_SET) -> Drawing:
    """Draw predicted against true value of each factor where it alone is out of distribution."""
    factors = list(GRIDS[dataset].cut_factors)
    rows, methods = _converged(rows, methods, dataset)
    figure, axes = new_figure(columns=len(factors), height=2.6, squeeze=False, sharey=True, layout="constrained")
    drawn: list[dict[str, Any]] = []
    for panel, factor in zip(axes[0], factors, strict=True):
        _draw_references(panel, dataset, factor)
        for method in methods:
            drawn += _draw_curve(panel, rows, dataset, method, factor)
        panel.set_title(factor, fontsize=9)
        panel.set(xlabel="true target", xlim=(0, 1))
    axes[0, 0].set_ylabel("predicted target")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=7.5)
    data = pd.DataFrame(drawn)
    ends = data[(data["true"] == 1) & (data["method"] == methods[0])].set_index("factor")["mean"]
    least, most = (f"{factor} {number(ends[factor], 2)}" for factor in (ends.idxmin(), ends.idxmax()))
    how = "stays short" if ends.max() < 1 else "does not stay short everywhere"
    finding = f"At the far end (true: 1) the {methods[0]} {how}: {least}, {most}"
    state_finding(figure, finding)
    caption = (
        "Mean prediction over images against the true target, extrapolation split, where no other factor is out of "
        f"distribution; converged trainings ({seeds_behind(data)} seeds). Bands: 95 % interval over seeds; of two "
        "seeds, thin lines: both. Grey area: targets seen in training; thin line: identity; dashed black: clamp oracle."
    )
    return Drawing(figure, "curves", f"{finding}.", caption, data)


def _draw_references(panel: Axes, dataset: str, factor: str) -> None:
    grid = GRIDS[dataset]
    size = grid.sizes[grid.position(factor)]
    edge = (min(ood_values(grid, factor, "extrapolation", grid.cut)) - 1) / (size - 1)
    panel.axvspan(0, edge, color=SEEN, zorder=0)
    panel.plot([0, 1], [0, 1], color=style_of("not converged").colour, linewidth=0.8, label="identity")
    look = style_of(CLAMP)
    panel.plot([0, edge, 1], [0, edge, edge], color=look.colour, linestyle=look.dash, linewidth=0.9, label=CLAMP)


def _draw_curve(panel: Axes, rows: pd.DataFrame, dataset: str, method: str, factor: str) -> list[dict[str, Any]]:
    where = conditions(dataset, method, "extrapolation")
    found = select(rows, **where, metric="predicted", factor=factor)
    intervals = {float(true): t_interval(values) for true, values in found.groupby("true")["value"]}
    look = style_of(method)
    panel.plot(
        list(intervals), [i.estimate for i in intervals.values()], color=look.colour, linestyle=look.dash, label=method
    )
    n_seeds = max(i.n for i in intervals.values())
    if n_seeds == 2:  # an interval of two values covers the panel and says nothing: show both
        for _, single in found.groupby("seed"):
            panel.plot(single["true"], single["value"], color=look.colour, linewidth=0.6, alpha=0.6)
    elif n_seeds > 2:
        low, high = ([getattr(i, end) for i in intervals.values()] for end in ("low", "high"))
        panel.fill_between(list(intervals), low, high, color=look.colour, alpha=0.2, linewidth=0)
    panel.set_ylim(-0.05, 1.1)
    return [as_data(i, method=method, factor=factor, true=true) for true, i in intervals.items()]


def draw_modularity(rows: pd.DataFrame, methods: Sequence[str], dataset: str = MAIN_DATA_SET) -> Drawing:
    """Draw R² of each factor (columns) where exactly one factor (row) is out of distribution."""
    grid = GRIDS[dataset]
    rows, methods = _converged(rows, methods, dataset)
    figure, axes = new_figure(columns=len(methods) + 1, height=2.7, squeeze=False, sharey=True, layout="constrained")
    drawn: list[dict[str, Any]] = []
    for panel, method in zip(axes[0], (*methods, CLAMP), strict=True):
        lines = [
            {"method": method, "out": j, "factor": k, **_one_out(rows, dataset, method, j, k)}
            for j in grid.cut_factors
            for k in grid.names
        ]
        matrix = np.array([line["mean"] for line in lines]).reshape(len(grid.cut_factors), -1)
        image = panel.imshow(matrix, vmin=LOWEST_R2, vmax=1, cmap="cividis", aspect="auto")
        for (y, x), value in np.ndenumerate(matrix):
            colour = "white" if value < 0.35 else "black"
            panel.text(x, y, number(value, 2), ha="center", va="center", fontsize=6.5, color=colour)
        panel.set_xticks(range(grid.n_factors), grid.names, rotation=60, ha="right", fontsize=7)
        panel.set_title(method, fontsize=9)
        panel.grid(visible=False)
        drawn += lines
    axes[0, 0].set_yticks(range(len(grid.cut_factors)), grid.cut_factors)
    axes[0, 0].set_ylabel("out of distribution")
    figure.colorbar(image, ax=axes[0].tolist(), label="R²", fraction=0.05)
    data = pd.DataFrame(drawn)
    models = data[data["method"] == methods[0]]
    own, others = (models[same]["mean"].mean() for same in (models.out == models.factor, models.out != models.factor))
    worst = models[models.out != models.factor].nsmallest(1, "mean").iloc[0]
    finding = f"{methods[0]}: R² {number(own, 2)} for the factor that is out, {number(others, 2)} for the others"
    state_finding(figure, finding)
    caption = (
        "R² of each factor (column) on test images where exactly one factor (row) is out of distribution, "
        f"extrapolation; mean over converged seeds ({seeds_behind(models)}); intervals are in the figure's data. The "
        f"colour scale ends at {number(LOWEST_R2)}."
    )
    alt = f"{finding}; worst: {worst.factor}, {number(worst['mean'], 2)}, where {worst.out} is out."
    return Drawing(figure, "modularity", alt, caption, data)


def _one_out(rows: pd.DataFrame, dataset: str, method: str, out: str, factor: str) -> dict[str, float]:
    if method == CLAMP:
        return {"mean": clamp_score(dataset, "extrapolation", f"only {out}", factor), "n": 1}
    where = conditions(dataset, method, "extrapolation")
    return as_data(t_interval(per_seed(rows, **where, subset=f"only {out}", factor=factor, metric="r2")))


def draw_rho(rows: pd.DataFrame, methods: Sequence[str], dataset: str = MAIN_DATA_SET) -> Drawing:
    """Draw how far predictions go, as a share of the true distance from the training mean: histograms by factor."""
    factors = list(GRIDS[dataset].cut_factors)
    rows, methods = _converged(rows, methods, dataset)
    figure, axes = new_figure(columns=len(factors), height=2.5, squeeze=False, sharey=True, layout="constrained")
    drawn: list[pd.DataFrame] = []
    for panel, factor in zip(axes[0], factors, strict=True):
        panel.axvline(1, color=style_of(CLAMP).colour, linewidth=0.8)
        panel.axvline(0, color=style_of("not converged").colour, linewidth=0.8)
        for method in methods:
            where = {**conditions(dataset, method, "extrapolation"), "factor": factor}
            shares = 100 * select(rows, **where, metric="rho_share").groupby("ratio")["value"].mean()
            look = style_of(method)
            panel.step(shares.index, shares, where="mid", color=look.colour, linestyle=look.dash, label=method)
            below = float(select(rows, **where, metric="rho_share_below_1")["value"].mean())
            frame = shares.rename("percent").reset_index()
            drawn.append(frame.assign(method=method, factor=factor, share_below_1=below))
        panel.set_title(factor, fontsize=9)
        panel.set_xlabel("ratio ρ")
    axes[0, 0].set_ylabel("% of images")
    axes[0, 0].set_ylim(bottom=0)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=7.5)
    data = pd.concat(drawn, ignore_index=True)
    below = data[data.method == methods[0]].groupby("factor")["share_below_1"].first()
    finding = (
        f"Pulled inwards by the {methods[0]}: {below.idxmax()} in {below.max():.0%} of the images, {below.idxmin()} in "
        f"{below.min():.0%}"
    ).replace("%", " %")
    state_finding(figure, finding)
    caption = (
        "Signed ratio of predicted to true distance from the training mean, on images where that factor alone is out "
        "of distribution; mean over converged seeds. Black line: the true value; grey line: the training mean; left of "
        "it predictions lie on the other side. The end bars hold what is beyond."
    )
    return Drawing(figure, "rho", f"{finding}.", caption, data)
