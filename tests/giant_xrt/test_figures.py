"""Figures and tables drawn from a small run: they state a finding, and draw the numbers they say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from reprise.giant_xrt import (
    audit_figures,
    audits,
    comparison,
    effect_size,
    figures,
    generators,
    illustrations,
    phase_diagram,
    rules,
    structure_figures,
    study,
    summaries,
)
from reprise.giant_xrt.cell import TREES
from reprise.giant_xrt.data import REGIMES
from reprise.giant_xrt.settings import Settings
from reprise.rows import MissingRowsError, tidy
from reprise.verification import published_numbers

PUBLISHED = published_numbers("giant_xrt")


@pytest.fixture(scope="module")
def rows():
    settings = Settings(
        seeds=(0, 1),
        downstream_epochs=3,
        embedded_epochs=1,
        embedded_depths=(2, 4),
        label_budgets=("2 per class", "60 %"),
        homophilies=(0.2, 0.6),
        variance_splits=2,
        ablation_seeds=(0, 1),
        phase_seeds=(0, 1),
        network_seeds=(),
        scale_sizes=(1000, 2000),
        experiments=(*Settings().experiments, "scale"),
    )
    return study.run(settings)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


DRAWN = {
    "dumbbells": lambda rows: figures.draw_dumbbells(rows, PUBLISHED),
    "features": lambda rows: figures.draw_features(rows, "text-blocks"),
    "sets": lambda rows: figures.draw_sets(rows, ["text-blocks"]),
    "levels": figures.draw_levels,
    "ablations": figures.draw_ablations,
    "purity": structure_figures.draw_purity,
    "theory": structure_figures.draw_theory,
    "neighbours": structure_figures.draw_neighbours,
    "labels": audit_figures.draw_label_curve,
    "degrees": audit_figures.draw_degrees,
    "clusters": structure_figures.draw_clusters,
    "phase": audit_figures.draw_phase,
    "diagram": phase_diagram.draw_diagram,
    "scale": audit_figures.draw_scale,
}


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_states_a_finding_and_keeps_its_numbers(rows, name):
    drawing = DRAWN[name](rows)
    assert drawing.figure.get_suptitle()
    assert len(drawing.alt) > 40
    assert not drawing.data.empty


def test_figures_and_rules_name_what_the_study_runs():
    assert {method for _, method in figures.ABLATIONS} == set(comparison.ABLATIONS)
    assert set(figures.TREES) == set(TREES)
    assert set(comparison.COMPARED) <= set(figures.FEATURES)
    assert set(structure_figures.ON_CLUSTERS) - {"GIANT, own heads", "Most linked clusters"} == set(audits.ON_CLUSTERS)
    assert phase_diagram.N_CLASSES["text-blocks"] == generators.N_CLASSES
    assert rules.REGIMES == REGIMES
    assert rules.MEAN_DEGREES == effect_size.MEAN_DEGREES
    assert rules.CONTRASTS == effect_size.CONTRASTS


@pytest.mark.parametrize("name", DRAWN)
def test_a_run_without_the_rows_says_so(name):
    with pytest.raises(MissingRowsError):
        DRAWN[name](tidy([]))


def test_the_drawn_accuracies_are_the_means_of_the_rows(rows):
    data = figures.draw_features(rows, "text-blocks").data
    here = rows[(rows.experiment == "comparison") & (rows.model == "MLP") & (rows.labels == "20 per class")]
    mean = here[here.method == "GIANT"]["value"].mean()
    drawn = data[(data.method == "GIANT") & (data.labels == "20 per class")]["mean"].item()
    assert drawn == pytest.approx(mean)


def test_tables_have_a_line_for_each_kind_of_features_and_the_spreads_of_two_directions(rows):
    table = summaries.comparison_table(rows, "text-blocks")
    assert "GIANT" in set(table["features"])
    assert len(audit_figures.variance_table(rows)) == 1
    grid = np.array([[1.0, 3.0], [2.0, 4.0]])
    assert audit_figures._spreads(grid) == (pytest.approx(np.sqrt(2)), pytest.approx(np.sqrt(0.5)))
    assert "closed form" in summaries.closed_form_sentence(rows, "text-blocks")
    assert "Untrained" not in summaries.untrained_sentence(rows, "citeseer-text")
    assert "minus the untrained encoder on text blocks" in summaries.untrained_sentence(rows, "text-blocks")


def test_nearest_texts_come_from_the_runs_own_pretraining():
    settings = Settings(seeds=(3, 4), learning_rates=(1e-3, 2e-3), embedded_epochs=1)
    first = illustrations.first_pretraining("text-blocks", settings, 2e-3)
    assert (first.datasets, first.seeds, first.learning_rates) == (("text-blocks",), (0,), (2e-3,))
    assert first.embedded_epochs == 1
    assert "nodes, " in illustrations.nearest_sentence("text-blocks", first)
    assert len(illustrations.nearest_table("text-blocks", first)) == 9


def test_the_targets_shown_are_one_nodes_neighbours_at_every_level():
    data = illustrations.draw_targets().data
    assert data.groupby("clusters")["neighbours"].sum().nunique() == 1
    assert sorted(data["clusters"].unique()) == [2, 4, 8, 16]
