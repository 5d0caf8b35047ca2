"""What figures say follows from the rows they are given."""

import pytest
from matplotlib import pyplot
from tests.grda.test_claims import scores

from reprise.grda import figures
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


@pytest.mark.parametrize(("true", "rewired", "sign"), [(60, 50, "+10"), (50, 60, "-10")])
def test_the_ablation_compares_the_true_graph_with_a_random_one(true, rewired, sign):
    title = figures.draw_graph_ablation(graph_rows(true, rewired), "dg-15").figure.get_suptitle()
    assert f"{sign} [" in title


def test_a_method_that_was_not_run_leaves_no_line():
    drawing = figures.draw_pairing(comparison(99, 55), published_numbers("grda"), ["dg-15"])
    assert "MDD" not in set(drawing.data["method"])
