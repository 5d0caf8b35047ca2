"""How much a language model trained on citations knows of links before any pre-training here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from reprise.giant_xrt.figures import panel_each, title_of
from reprise.giant_xrt.rules import FEW, PLAIN, gap
from reprise.numerals import difference
from reprise.plots import Drawing, Line, draw_dots, measured_lines, seeds_behind, state_finding
from reprise.rows import MissingRowsError, per_seed
from reprise.stats import Interval, paired_differences, t_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

CITATIONS, OTHER_LINKS = "citeseer-text", "movie-plots"
FEATURES = ("MiniLM, frozen", "TF-IDF", "SVD")


def draw_contamination(rows: pd.DataFrame) -> Drawing:
    """Draw how often features tell linked texts from unlinked ones of the same classes, by data set."""
    lines = [Line(name, name, {"method": name}) for name in FEATURES]
    figure, panels = panel_each(rows, experiment="contamination", height=2.3, sharey=True)
    drawn: list[dict[str, Any]] = []
    for name, one in panels.items():
        how: dict[str, Any] = {"dataset": name, "experiment": "contamination", "metric": "told apart"}
        drawn += draw_dots(one, measured_lines(rows, lines, **how), lines, dataset=name)
        one.axvline(50, color="black", linewidth=0.8)
        one.set_xlabel("linked pair nearer (%)")
    limits = [one.get_xlim() for one in panels.values()]
    for one in panels.values():
        one.set_xlim(min(low for low, _ in limits), max(high for _, high in limits))
    words = [f"{title_of(name)} {difference(knows_more(rows, name))}" for name in panels]
    state_finding(figure, f"Links told apart, frozen MiniLM − TF-IDF, points: {', '.join(words)}")
    data = pd.DataFrame(drawn)
    return Drawing(
        figure,
        "contamination",
        f"How often features place a linked text nearer than an unlinked one of the same class; frozen MiniLM minus "
        f"TF-IDF, points: {', '.join(words)}.",
        "For every link, in both directions, the cosine to the linked text against that to a random text of the same "
        "class without a link; 50 % is chance (line). No features were trained here. Means with 95 % t intervals over "
        f"draws, {seeds_behind(data)}.",
        data,
    )


def knows_more(rows: pd.DataFrame, data_set: str) -> Interval:
    """Return by how many points more links frozen MiniLM tells apart than TF-IDF, paired over the draws."""
    return t_interval(excess(rows, data_set))


def contamination_sentence(rows: pd.DataFrame, data_sets: Sequence[str]) -> str:
    """Say how frozen MiniLM compares on citations and elsewhere, and what the test of contamination gives."""
    accuracies = [_accuracies(rows, name) for name in (CITATIONS, OTHER_LINKS) if name in data_sets]
    if not any(accuracies):
        return "MiniLM's features are part of the `standard` profile."
    text = (
        "MiniLM was trained, among much else, on pairs of papers of which one cites the other. "
        f"{' '.join(filter(None, accuracies))}"
    )
    try:
        more = {name: excess(rows, name) for name in (CITATIONS, OTHER_LINKS)}
        between = t_interval(paired_differences(more[CITATIONS], more[OTHER_LINKS]))
    except (MissingRowsError, ValueError):
        return text
    if between.above(0):
        reading = "as contamination would have it; that its knowledge of texts at large suits papers better than plots "
        reading += "would do so, too"
    elif between.below(0):
        reading = "against what contamination would do"
    else:
        reading = "so that this test shows no contamination"
    return (
        f"{text} What MiniLM knows of links beyond TF-IDF, on citations minus on films, whose links it cannot have "
        f"seen: {difference(between)} points of pairs told apart (n = {between.n}), {reading}."
    )


def excess(rows: pd.DataFrame, data_set: str) -> pd.Series:
    """Return what MiniLM tells apart beyond TF-IDF, points by draw."""
    how: dict[str, Any] = {"experiment": "contamination", "dataset": data_set}
    return per_seed(rows, method="MiniLM, frozen", **how) - per_seed(rows, method="TF-IDF", **how)


def _accuracies(rows: pd.DataFrame, data_set: str) -> str:
    try:
        over_giant = gap(rows, ("MiniLM, frozen", "MLP"), ("GIANT", "MLP"), FEW, dataset=data_set)
        plain = {}
        for name in PLAIN:
            try:
                plain[name] = gap(rows, ("MiniLM, frozen", "MLP"), (name, "MLP"), FEW, dataset=data_set)
            except MissingRowsError:
                continue
    except MissingRowsError:
        return ""
    best = min(plain, key=lambda name: plain[name].estimate)
    return (
        f"On {title_of(data_set)} its frozen features with an MLP are {difference(over_giant)} points from GIANT's and "
        f"{difference(plain[best])} from {best} ({FEW}, n = {over_giant.n})."
    )
