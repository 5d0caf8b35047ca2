"""The ladder's figure and tables on made rows, and that its names are those which the study runs."""

import pytest
from tests.cold_brew.made_rows import seeds

from reprise.cold_brew import audits, ladder
from reprise.cold_brew.rules import GCN, MLP, STUDENT, TEACHER
from reprise.cold_brew.settings import Settings
from reprise.cold_brew.student_variants import student_options
from reprise.numerals import MISSING
from reprise.rows import tidy


def climbed(data_set="cora", splits=ladder.LADDER_SPLITS, metric=ladder.WHOLE, **levels):
    lines = []
    for split in splits:
        for place, (method, setting, _) in enumerate(ladder.LADDER):
            lines += seeds(data_set, split, method, 50 + place, metric, setting=setting, spread=0.0)
        lines += seeds(data_set, split, TEACHER, 60, metric)
        lines += seeds(data_set, split, TEACHER, 40, metric, setting="E from noise", spread=0.0)
    return lines


def test_the_names_are_those_of_the_study():
    run = set(audits.ladder_rungs(student_options(Settings())))
    drawn = {setting for method, setting, _ in ladder.LADDER if method == STUDENT}
    assert drawn == run
    compared = {name for _, *pair in ladder.RUNGS for name in pair}
    assert compared <= set(ladder.METHOD_OF) | {MLP, GCN, TEACHER, ladder.GLNN}
    assert ladder.FITTED == audits.ON_TRAINING_NODES
    labels = [label for *_, label in ladder.LADDER]
    parts = [label.split(":")[0] for label, *_ in ladder.RUNGS]
    assert len(set(labels)) == len(labels)
    assert len(set(parts)) == len(parts)


def test_the_figure_has_every_rung_and_its_title_the_two_differences():
    drawing = ladder.draw_ladder(tidy(climbed()), "cora")
    assert len(drawing.data) == len(ladder.LADDER) * len(ladder.LADDER_SPLITS)
    assert drawing.figure.get_suptitle() == (
        "cora: with the look-up the guess gains 4.0 points [4.0, 4.0]; with both it gains 6.0 points on GLNN [6.0, 6.0]"
    )
    few = ladder.draw_ladder(tidy(climbed(metric=ladder.FEW)), "cora", ladder.FEW)
    assert few.name == "ladder_cora_few"
    assert few.figure.get_suptitle().startswith("cora with few labels: ")


def test_the_table_has_a_line_for_each_comparison_and_a_dash_for_what_was_not_run():
    table = ladder.rung_table(tidy(climbed()), ["cora", "dblp"]).set_index("part")["cora"]
    assert len(table) == len(ladder.RUNGS)
    assert table["distillation: GLNN − MLP"] == "2.0 ± 0"
    assert table[ladder.START_RUNG[0]] == "20.0 ± 1.2"
    assert table[ladder.MASKED_RUNG[0]] == MISSING


@pytest.mark.parametrize(("rung", "under", "expected"), [(TEACHER, "E from noise", 20.0), ("MLP, x scaled", MLP, 1.0)])
def test_a_rung_is_looked_up_under_its_own_method(rung, under, expected):
    assert ladder.rung_difference(tidy(climbed()), "cora", rung, under).estimate == pytest.approx(expected)


def test_how_far_methods_fit_their_training_nodes_stands_beside_the_test_nodes():
    lines = climbed(splits=("isolation", "overall"))
    for name, value in (("ẽ and ê", 99), ("ẽ and ê, finds itself", 100)):
        lines += seeds("cora", "training nodes", STUDENT, value, ladder.WHOLE, setting=name, spread=0.0)
    for method, fitted, tested in ((MLP, 98, 70), (STUDENT, 97, 80)):
        lines += seeds("cora", "overall", method, fitted, ladder.FITTED, spread=0.0)
        lines += seeds("cora", "overall", method, tested, spread=0.0)
    table = ladder.fit_table(tidy(lines), ["cora", "dblp"]).set_index("method")["cora"]
    assert table.to_dict() == {
        MLP: "98.0 → 70.0", STUDENT: "97.0 → 80.0", "student of the GCN": "99.0 → 58.0",
        "…, a node may find itself": "100.0 → 60.0",
    }  # fmt: skip
