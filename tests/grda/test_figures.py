"""What figures say follows from the rows they are given."""

import pytest
from matplotlib import pyplot
from tests.grda.test_claims import scores

from reprise.grda import ablation_figures, figures, illustrations
from reprise.grda.generators import make_dg
from reprise.rows import tidy
from reprise.verification import published_numbers


@pytest.fixture(autouse=True)
def no_open_figures():
    yield
    pyplot.close("all")


def comparison(row, independent):
    rows = scores("dg-15", {"GRDA": independent, "DANN": 60, "Source-only": 40})
    return tidy(rows + scores("dg-15", {"GRDA": row}, pairing="row"))


@pytest.mark.parametrize(("row", "independent"), [(99, 55), (45, 80)])
def test_the_pairing_figure_says_what_the_rows_say(row, independent):
    drawing = figures.draw_pairing(comparison(row, independent), published_numbers("grda"), ["dg-15"])
    assert f"DG-15 {independent} → {row} %" in drawing.figure.get_suptitle()
    assert f"{row} % with the released pairing and {independent} %" in drawing.alt
    assert drawing.data.set_index("method").loc["DANN", "paper"] == 72.11


def graph_rows(true, rewired):
    settings = {"experiment": "graph", "pairing": "independent"}
    rows = scores("dg-15", {"GRDA": true}, graph_in_embedding="true", graph_in_discriminator="true", **settings)
    for graph, value in (("rewired", rewired), ("clique", 40), ("empty", 30)):
        rows += scores("dg-15", {"GRDA": value}, graph_in_embedding=graph, graph_in_discriminator="true", **settings)
        rows += scores("dg-15", {"GRDA": value}, graph_in_embedding="true", graph_in_discriminator=graph, **settings)
    return tidy(rows)


@pytest.mark.parametrize(("true", "rewired", "sign"), [(60, 50, "+10"), (50, 60, "−10")])
def test_the_ablation_compares_the_true_graph_with_a_random_one(true, rewired, sign):
    title = ablation_figures.draw_graph_ablation(graph_rows(true, rewired), "dg-15").figure.get_suptitle()
    assert f"{sign} [" in title


def test_a_method_that_was_not_run_leaves_no_line():
    drawing = figures.draw_pairing(comparison(99, 55), published_numbers("grda"), ["dg-15"])
    assert "MDD" not in set(drawing.data["method"])


def equal_label_rows(data_set, values):
    return [
        row
        for (z, d), value in values.items()
        for row in scores(
            data_set, {"GRDA": value}, experiment="graph", pairing="row", graph_in_embedding=z, graph_in_discriminator=d
        )
    ]


@pytest.mark.parametrize(("both", "difference"), [(70, "+20.0"), (90, "0.0"), (95, "−5.0")])
def test_the_graph_matters_under_equal_labels_as_far_as_the_rows_say(both, difference):
    values = {("true", "true"): 90, ("rewired", "true"): 85, ("true", "rewired"): 80, ("rewired", "rewired"): both}
    rows = tidy(equal_label_rows("dg-15", values) + equal_label_rows("dg-60", values))
    drawing = ablation_figures.draw_equal_labels(rows, ["dg-15", "dg-60"])
    assert f"DG-15 {difference} [" in drawing.figure.get_suptitle()
    assert len(drawing.data) == 8


def weight_rows(data_set, values, experiment="weights", weight=0.5):
    return scores(data_set, values, experiment=experiment, adversarial_weight=weight) + scores(
        data_set, values, experiment=experiment, adversarial_weight=weight, split="source"
    )


def test_the_best_rival_is_searched_over_the_weights_where_there_was_a_search():
    rows = weight_rows("dg-15", {"GRDA": 60, "DANN": 70}, weight=0.1) + weight_rows("dg-15", {"GRDA": 50, "DANN": 40})
    rows += weight_rows("dg-15", {"DANN": 99, "MDD": 65}, experiment="comparison")
    drawing = ablation_figures.draw_weights(tidy(rows), ["dg-15"])
    assert "DG-15 −10" in drawing.figure.get_suptitle()
    assert "on DG-15 over the same weights" in drawing.caption


def test_a_difference_that_rounds_to_zero_has_no_sign():
    rows = weight_rows("dg-15", {"GRDA": 60}) + weight_rows("dg-15", {"DANN": 60.2}, experiment="comparison")
    assert "DG-15 0" in ablation_figures.draw_weights(tidy(rows), ["dg-15"]).figure.get_suptitle()


def test_where_self_training_fails_is_said():
    rows = []
    for data_set, own in (("dg-15", 100), ("digits-grid", 30)):
        values = {"Hop-by-hop self-training": own, "Logistic regression": 40}
        rows += scores(data_set, values, experiment="yardsticks", spread=0)
    words = ablation_figures.self_training_words(tidy(rows))
    assert "is above on DG-15 (100.0 % against 40.0 %); not above on digits grid (30.0 % against 40.0 %)." in words


def test_the_freedom_of_the_data_sets_graphs_is_drawn_with_its_value():
    drawing = illustrations.draw_alignment_freedom([make_dg(15, seed=4)])
    assert drawing.data.set_index("graph").loc["dg-15-generated", "freedom_theory"] == 4
    assert "dg-15-generated: 4" in drawing.alt
    assert "clique of 6" in drawing.figure.axes[0].get_title("left")


def test_the_own_discriminators_loss_has_a_band():
    rows = scores("dg-15", {"GRDA": 0.9}, split="training", metric="probe_ratio")
    for step in (0, 10):
        rows += scores("dg-15", {"GRDA": 0.9}, split="training", metric="discriminator_loss_ratio_at_step", step=step)
    drawing = figures.draw_discriminator(tidy(rows), "dg-15")
    own = drawing.data[drawing.data.what.str.startswith("own")]
    assert (own.low < own["mean"]).all()
    assert (own.high > own["mean"]).all()
