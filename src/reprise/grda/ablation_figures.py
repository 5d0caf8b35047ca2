"""Figures of the ablations: another graph, another weight of the adversary, and the graph without an adversary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from reprise.grda.claims import UNIFORM_ALIGNMENT
from reprise.grda.figures import title_of
from reprise.method_styles import style_of
from reprise.numerals import difference, number
from reprise.plots import (
    TEXT_WIDTH,
    Drawing,
    Line,
    as_data,
    draw_dots,
    interval_dots,
    measured_lines,
    new_figure,
    seeds_behind,
    state_finding,
)
from reprise.rows import MissingRowsError, per_seed, select
from reprise.stats import paired_differences, t_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLACES_OF_THE_GRAPH = (
    ("graph_in_embedding", "graph_in_discriminator", "embedding z"),
    ("graph_in_discriminator", "graph_in_embedding", "discriminator"),
)
EQUAL_LABELS = tuple(
    Line(
        label,
        "GRDA, row-paired",
        {"experiment": "graph", "pairing": "row", "graph_in_embedding": z, "graph_in_discriminator": d},
    )
    for label, z, d in (
        ("true graph", "true", "true"),
        ("rewired in the embedding z", "rewired", "true"),
        ("rewired in the discriminator", "true", "rewired"),
        ("rewired in both", "rewired", "rewired"),
    )
)


def _draw_replaced_graphs(axes: Axes, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Draw one dot for each graph in each of its two places, the true one in the other; return the numbers drawn."""
    drawn: list[dict[str, Any]] = []
    for where, other, word in PLACES_OF_THE_GRAPH:
        for graph in ("true", "rewired", "clique", "empty"):
            values = per_seed(rows, **{where: graph, other: "true"})
            interval, gap = t_interval(values), 0.6 if where == "graph_in_discriminator" else 0.0
            interval_dots(axes, [len(drawn) + gap], [interval], method="GRDA", single_runs=[values.to_list()])
            drawn.append(as_data(interval, where=word, graph=graph, place=len(drawn) + gap))
    axes.set_yticks([d["place"] for d in drawn], [f"{d['graph']} graph in the {d['where']}" for d in drawn])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set(xlim=(0, 103), xlabel="accuracy on target domains (%)")
    return [{name: value for name, value in line.items() if name != "place"} for line in drawn]


def draw_graph_ablation(rows: pd.DataFrame, data_set: str) -> Drawing:
    """Draw GRDA's accuracy when the graph of the embedding, or that of the discriminator, is replaced."""
    cell = {"dataset": data_set, "split": "target", "metric": "accuracy"}
    part = select(rows, experiment="graph", pairing="independent", **cell)
    figure, axes = new_figure(height=TEXT_WIDTH * 0.46)
    data = pd.DataFrame(_draw_replaced_graphs(axes, part))
    gain = {
        word: t_interval(
            paired_differences(
                per_seed(part, graph_in_embedding="true", graph_in_discriminator="true"),
                per_seed(part, **{column: "rewired", other: "true"}),
            )
        )
        for column, other, word in PLACES_OF_THE_GRAPH
    }
    differences = ", ".join(f"{difference(interval, 0)} in the {word}" for word, interval in gain.items())
    state_finding(figure, f"True graph minus rewired graph, points: {differences}")
    words = "; ".join(f"{r.graph} in the {r.where} {r.mean:.0f} %" for r in data.itertuples())
    return Drawing(
        figure,
        "graph_ablation",
        f"True graph minus rewired graph: {differences}. Accuracy by graph: {words}.",
        f"{title_of(data_set)}, GRDA with independent pairs and our own embedding; one graph replaced at a time. "
        f"95 % t intervals over seeds ({seeds_behind(data)}), single runs as faint dots. Rewired: same degrees, "
        "random edges.",
        data,
    )


def draw_equal_labels(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw GRDA's accuracy with pairs of equal labels when the graph is replaced by a random one."""
    here = select(rows, experiment="graph", pairing="row", split="target", metric="accuracy")
    run_on = [name for name in data_sets if name in set(here["dataset"])]
    panels = [(name, measured_lines(here, EQUAL_LABELS, dataset=name)) for name in run_on]
    figure, axes = new_figure(columns=len(panels), height=TEXT_WIDTH * 0.34, squeeze=False, sharey=True)
    drawn: list[dict[str, Any]] = []
    words = []
    for one, (name, found) in zip(axes[0], panels, strict=True):
        drawn += draw_dots(one, found, EQUAL_LABELS, dataset=name)
        one.set(xlim=(0, 103), title=title_of(name))
        by_label = {line.label: values for line, values in found}
        gain = t_interval(paired_differences(by_label["true graph"], by_label["rewired in both"]))
        words.append(f"{title_of(name)} {difference(gain)}")
    figure.supxlabel("accuracy on target domains (%)", fontsize=9)
    data = pd.DataFrame(drawn)
    state_finding(figure, f"Row pairs, true graph minus a random one, points: {'; '.join(words)}")
    means = "; ".join(f"{title_of(r.dataset)}, {r.method}: {r.mean:.0f} %" for r in data.itertuples())
    return Drawing(
        figure,
        "equal_labels",
        f"GRDA with pairs of equal labels, true graph minus a random one in both places: {'; '.join(words)} points. "
        f"{means}.",
        f"GRDA with the pairs of the released loader, so that all pairs have equal labels, and our own embedding. "
        f"95 % t intervals over seeds ({seeds_behind(data)}), single runs as faint dots. Rewired: same degrees, random "
        "edges, the same in both places.",
        data,
    )


def self_training_words(rows: pd.DataFrame) -> str:
    """Say on which data sets self-training beats a linear model of the sources, and on which it does not."""
    part = rows[(rows["experiment"] == "yardsticks") & (rows["split"] == "target") & (rows["metric"] == "accuracy")]
    mean = part.pivot_table(index="dataset", columns="method", values="value")
    if not {"Hop-by-hop self-training", "Logistic regression"} <= set(mean.columns):
        return "Self-training and the logistic regression that it is compared with were not run."
    verdicts: dict[str, list[str]] = {"above": [], "not above": []}
    for name, own in mean.iterrows():
        hop_by_hop, pooled = own["Hop-by-hop self-training"], own["Logistic regression"]
        where = verdicts["above" if hop_by_hop > pooled else "not above"]
        where.append(f"{title_of(name)} ({hop_by_hop:.1f} % against {pooled:.1f} %)")
    parts = [f"{word} on {', '.join(names)}" for word, names in verdicts.items() if names]
    return f"Against a logistic regression of all labelled domains, hop-by-hop self-training is {'; '.join(parts)}."


def draw_weights(rows: pd.DataFrame, data_sets: Sequence[str]) -> Drawing:
    """Draw GRDA's accuracy with independent pairs against the weight of the adversary, beside the training fit."""
    figure, axes = new_figure(columns=len(data_sets), height=TEXT_WIDTH * 0.42, squeeze=False, sharey=True)
    drawn = []
    for one, name in zip(axes[0], data_sets, strict=True):
        part = select(rows, dataset=name, experiment="weights", method="GRDA", metric="accuracy")
        for split, method in (("target", "GRDA"), ("source", "Source-only")):
            by_weight = select(part, split=split).groupby("adversarial_weight")
            weights = [float(w) for w, _ in by_weight]  # type: ignore[arg-type]
            intervals = [t_interval(group.groupby("seed")["value"].mean()) for _, group in by_weight]
            interval_dots(one, weights, intervals, method=method, horizontal=False, label=f"{split} domains")
            drawn += [as_data(i, dataset=name, split=split, weight=w) for w, i in zip(weights, intervals, strict=True)]
        one.set(title=title_of(name), xlabel="weight of the adversary, λ", ylim=(-4, 104))
    axes[0][0].set_ylabel("accuracy (%)")
    axes[0][0].legend(loc="best")
    data = pd.DataFrame(drawn)
    best = data[data.split == "target"].sort_values("mean").groupby("dataset").tail(1).sort_index()
    words = "; ".join(f"{title_of(r.dataset)}: {r.mean:.0f} % at λ = {r.weight:g}" for r in best.itertuples())
    rivals = {name: _best_rival(rows, name) for name in data_sets}
    for one, name in zip(axes[0], data_sets, strict=True):
        value, method, weight = rivals[name]
        one.axhline(value, color=style_of(method).colour, linestyle=style_of(method).dash)
        one.annotate(
            f"best rival: {method}, λ = {weight:g}", (0.02, value + 2), xycoords=("axes fraction", "data"), fontsize=7
        )
    leads = "; ".join(
        f"{title_of(r.dataset)} {number(r.mean - rivals[r.dataset][0], 0, signed=True)}" for r in best.itertuples()
    )
    state_finding(figure, f"GRDA at its best weight minus the best rival, points: {leads}")
    return Drawing(
        figure,
        "weights",
        f"Highest mean accuracy of GRDA with independent pairs over the weights tried: {words}.",
        f"GRDA with independent pairs; 95 % t intervals over seeds ({seeds_behind(data)}). The accuracy on the "
        "labelled domains (grey) is all that a user without target labels could select by. Line: the best rival, on "
        f"{_searched_for_rivals(rows, data_sets)} over the same weights, elsewhere at the weight of the comparison.",
        data,
    )


def _of_rival(rows: pd.DataFrame, data_set: str, method: str) -> pd.DataFrame | None:
    for experiment in ("weights", "comparison"):
        try:
            return select(
                rows, dataset=data_set, experiment=experiment, method=method, split="target", metric="accuracy"
            )
        except MissingRowsError:
            continue
    return None


def _best_rival(rows: pd.DataFrame, data_set: str) -> tuple[float, str, float]:
    """Return the highest mean accuracy of a rival, with the rival and its weight; of all weights where searched."""
    found = []
    for method in UNIFORM_ALIGNMENT:
        if (part := _of_rival(rows, data_set, method)) is not None:
            means = part.groupby("adversarial_weight")["value"].mean()
            found += [(float(mean), method, float(weight)) for weight, mean in means.items()]  # type: ignore[arg-type]
    return max(found)


def _searched_for_rivals(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    searched = rows[(rows["experiment"] == "weights") & rows["method"].isin(UNIFORM_ALIGNMENT)]["dataset"]
    return ", ".join(title_of(name) for name in data_sets if name in set(searched)) or "no data set"
