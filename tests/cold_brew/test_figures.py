"""Titles and drawn numbers of the figures, and cells of the tables, on made rows whose answer is known."""

import math

import pandas as pd
import pytest
from tests.cold_brew.made_rows import row, seeds

from reprise.cold_brew import audit_figures, figures, ladder, summaries
from reprise.cold_brew.rules import GCN, GENERATOR, STUDENT, TEACHER
from reprise.plots import Drawing
from reprise.rows import MissingRowsError, tidy
from reprise.stats import t_interval

PRINTED = pd.DataFrame(
    [
        {"dataset": "cora", "split": split, "method": GCN, "metric": metric, "value": value}
        for split, metric, value in (
            ("isolation", "accuracy", 58.02),
            ("head", "accuracy", 88.68),
            ("overall", "accuracy at 64 layers", 40.04),
            ("isolation", "accuracy at 64 layers", 39.97),
        )
    ]
)


def title(drawing):
    return drawing.figure.get_suptitle()


def groups(data_set, student, gcn=60, **more):
    lines = []
    for split in figures.GROUPS:
        lines += seeds(data_set, split, GCN, gcn, spread=0.0, **more)
        lines += seeds(data_set, split, STUDENT, student, **more)
        lines += [row(data_set, split, "graph", "test nodes", 50 + seed, seed=seed, **more) for seed in range(3)]
    return lines


def test_the_title_names_graphs_only_where_the_interval_excludes_zero():
    rows = tidy(groups(GENERATOR, 70) + groups("cora", 60.2) + groups("chameleon", 50))
    drawing = figures.draw_groups(rows, PRINTED, [GENERATOR, "cora", "citeseer", "chameleon"])
    assert isinstance(drawing, Drawing)
    assert title(drawing) == (
        "On isolated nodes the student is better than the GCN on sub-topics, worse than the GCN on chameleon, "
        "elsewhere not told apart"
    )
    drawn = drawing.data.set_index(["dataset", "split", "method"])
    assert drawn.loc[("cora", "isolation", GCN), "paper"] == 58.02
    assert drawn.loc[("cora", "isolation", STUDENT), "mean"] == pytest.approx(60.2)
    alone = figures.draw_groups(tidy(groups("cora", 60.2)), PRINTED, ["cora"])
    assert title(alone) == "On isolated nodes the student is nowhere told apart from the GCN"


def test_the_alternative_text_names_no_method_twice():
    rows = tidy(groups(GENERATOR, 70) + groups("cora", 50) + seeds("cora", "isolation", "MLP", 90))
    said = figures.draw_groups(rows, PRINTED, [GENERATOR, "cora"]).alt.split("Best method there: ")[1]
    assert said == f"sub-topics: {STUDENT} 70 %, GCN 60 %; cora: MLP 90 %, {STUDENT} 50 %, GCN 60 %."


def test_the_axis_explains_the_papers_mark_only_where_one_is_drawn():
    for name, marked in (("cora", True), ("dblp", False)):
        figure = figures.draw_groups(tidy(groups(name, 70)), PRINTED, [name]).figure
        assert figure.get_supxlabel().endswith("; ◇ paper") == marked


def test_methods_that_are_not_run_are_quoted_with_the_papers_number():
    quoted = {"dataset": "cora", "split": "isolation", "method": "TailGCN", "metric": "accuracy", "value": 62.04}
    published = pd.concat([PRINTED, pd.DataFrame([quoted])])
    table = summaries.groups_table(tidy(groups("cora", 70) + groups("dblp", 70)), published, ["cora", "dblp"])
    line = table[table["method"] == "TailGCN, quoted"]
    assert line["data set"].to_list() == ["cora"]
    assert line["isolation"].to_list() == ["not run (62.04)"]
    assert line["head"].to_list() == [summaries.MISSING]
    assert not table["method"].str.startswith("Meta-tail2vec").any()


def test_differences_leave_out_seeds_in_which_one_side_is_undefined():
    first = pd.Series({0: 1.0, 1: math.nan, 2: 4.0})
    second = pd.Series({0: 0.0, 1: 0.0, 2: 1.0})
    assert figures.difference(first, second) == t_interval([1.0, 3.0])


def depth(overall, isolation):
    lines = []
    for at in (2, 32):
        for split, gain in (("overall", overall), ("isolation", isolation)):
            metric = f"accuracy at {at} layers"
            lines += seeds("cora", split, GCN, 30, metric, spread=0.0, at=at)
            lines += seeds("cora", split, TEACHER, 30 + (gain if at == 32 else 0), metric, at=at)
        for method in (GCN, TEACHER):
            lines += seeds("cora", "overall", method, 0.5, "mean pairwise cosine", spread=0.0, at=at)
    return lines


def test_what_embeddings_change_at_depth_is_said_with_its_interval():
    drawing = figures.draw_depth(tidy(depth(40, -10)), PRINTED, "cora")
    assert title(drawing) == (
        "cora: at 32 layers SE adds 40 points overall [39, 41]; loses 10 points in isolation [−11, −9]"
    )


def test_the_depth_table_has_the_paired_gain_and_the_papers_numbers():
    paper = pd.concat([PRINTED, PRINTED.assign(method=TEACHER, value=PRINTED["value"] + 30)])
    table = summaries.depth_table(tidy(depth(40, -10)), paper, "cora").set_index("layers")
    assert table.loc["32", "overall"] == "30.0 → 70.0: 40.0 ± 1.2"
    assert table.loc["32", "isolation"] == "30.0 → 20.0: −10.0 ± 1.2"
    assert table.loc["64, paper", "overall"] == "40.04 → 70.04: 30.0"
    assert table.loc["64, paper", "head"] == summaries.MISSING
    assert "64, paper" not in summaries.depth_table(tidy(depth(40, -10)), PRINTED, "cora")["layers"].to_list()


def left_on(mode, *, costs=6, with_input=20):
    lines = []
    for split in figures.GROUPS:
        kept = costs if split == "isolation" else 1
        lines += seeds("cora", split, GCN, 72, mode=mode) + seeds("cora", split, GCN, 72 - kept, ON, mode=mode)
        how = {"mode": mode, "setting": audit_figures.INPUT}
        lines += seeds("cora", split, GCN, 73, audit_figures.OFF, **how)
        lines += seeds("cora", split, GCN, 73 - with_input, ON, **how)
    return lines


ON = audit_figures.ON


@pytest.mark.parametrize("mode", ["paper10", "code"])
def test_dropout_left_on_is_shown_with_and_without_input_dropout_in_both_protocols(mode):
    drawing = audit_figures.draw_dropout(tidy(left_on(mode)), PRINTED, "cora", mode=mode)
    assert "the GCN loses 6 points in isolation (20 with input dropout), loses 1 point on the head" in title(drawing)
    drawn = drawing.data.set_index(["split", "method", "dropout"])["mean"]
    assert drawn["isolation", "GCN, input dropout", "on"] == pytest.approx(53)
    assert drawing.name == ("dropout_cora_code" if mode == "code" else "dropout_cora")


def test_the_dropout_table_has_both_protocols_and_the_papers_number():
    rows = tidy(left_on("paper10") + left_on("code", with_input=30))
    table = summaries.dropout_table(rows, PRINTED, ["cora", "dblp"]).set_index(["protocol", "method"])
    assert table.loc[("paper10", "GCN"), "isolation"] == "72.0 → 66.0 (58.02)"
    assert table.loc[("code", "GCN, input dropout"), "isolation"] == "73.0 → 43.0 (58.02)"
    assert table.loc[("code", "GCN"), "tail"] == "72.0 → 71.0"


def by_degree(leads):
    """Rows in which the student leads the GCN by so many points in each range of degrees."""
    lines = []
    for at, (name, gain) in enumerate(leads.items()):
        for method in ("GCN", "MLP", "GLNN", TEACHER):
            lines += seeds("cora", f"degree {name}", method, 60, "accuracy by degree", spread=0.0, at=at)
        lines += seeds("cora", f"degree {name}", STUDENT, 60 + gain, "accuracy by degree", at=at)
        lines += [row("cora", f"degree {name}", "graph", "test nodes", 9, seed=seed, at=at) for seed in range(3)]
    for split in figures.GROUPS:
        lines += seeds("cora", split, STUDENT, 50, spread=0.0) + seeds("cora", split, GCN, 61, spread=0.0)
        lines += seeds("cora", split, TEACHER, 58, spread=0.0)
        lines += seeds("cora", split, "Degree switch", 62)
        lines += seeds("cora", split, "Degree switch", 60, "accuracy of the better of the two", spread=0.0)
    return lines


def test_degrees_are_named_only_where_the_interval_excludes_zero():
    drawing = audit_figures.draw_by_degree(tidy(by_degree({"0": 5, "1": 0.3, "2": -5})), "cora")
    assert title(drawing).endswith(
        "better than the GCN at degree 0, worse than the GCN at degree 2, elsewhere not told apart"
    )
    assert drawing.alt.endswith("+12.0 [10.8, 13.2] on the Cold Brew student, +1.0 [−0.2, 2.2] on the GCN.")
    gains = drawing.data[drawing.data.what == "gain"]
    assert set(gains["split"]) == set(figures.GROUPS)
    assert set(gains["method"]) == {STUDENT, GCN}


def test_the_highest_degrees_are_one_range_weighted_by_their_test_nodes():
    lines = []
    for at, size, value in ((17.0, 30, 50.0), (33.0, 10, 90.0)):
        lines.append(row("cora", f"degree {at}", GCN, "accuracy by degree", value, at=at))
        lines.append(row("cora", f"degree {at}", "graph", "test nodes", size, at=at))
    merged = audit_figures._merged_bins(tidy(lines))
    one = merged[merged.metric == "accuracy by degree"]
    assert one["value"].to_list() == [pytest.approx(60.0)]
    assert one["split"].to_list() == ["degree 17+"]


def noise(data_set, losses):
    lines = []
    for method, loss in losses.items():
        for at, value in ((0.0, 60), (1.0, 60 - loss)):
            lines += seeds(data_set, "tail", method, value, "accuracy with noisy tail edges", at=at)
    return lines


def test_what_random_tail_edges_cost_is_said_as_a_span_over_the_graphs():
    lines = noise("cora", {GCN: 40, TEACHER: 41, STUDENT: 12, "MLP": 0})
    alone = audit_figures.draw_noise(tidy(lines), ["cora", "dblp"])
    assert title(alone) == (
        "Random tail edges cost the GCN 40 points, the student 12; then the MLP's mean is above the student's on cora"
    )
    lines += noise("chameleon", {GCN: 29, TEACHER: 30, STUDENT: -2, "MLP": 0})
    both = audit_figures.draw_noise(tidy(lines), ["cora", "chameleon"])
    assert title(both).startswith("Random tail edges cost the GCN 29 to 40 points, the student −2 to 12; then")
    assert title(both).endswith(" on cora")


def test_tables_say_where_no_node_is_tested_and_how_many_are():
    lines = groups("texas", 70) + seeds("texas", "isolation", "MLP", float("nan"), spread=0.0)
    lines += seeds("texas", "overall", "MLP", 55, spread=0.0)
    table = summaries.groups_table(tidy(lines), PRINTED, ["texas", "dblp"]).set_index("method")
    assert table.loc["(test nodes)", "isolation"] == "50–52"
    assert table.loc["MLP", "isolation"] == "no test node"
    assert table.loc[STUDENT, "head"] == "70.0 ± 1.2"


def test_the_switch_is_set_against_each_alone_and_against_the_oracle():
    lines = by_degree({"0": 0})
    lines += [row("cora", "overall", "Degree switch", "degree of the switch", at, seed=at) for at in (0, 2, 4)]
    table = summaries.switch_table(tidy(lines), ["cora", "dblp"]).set_index("switch minus")
    assert table["overall"].to_dict() == {
        "student alone": "12.0 ± 1.2", "GCN alone": "1.0 ± 1.2", "SE teacher alone": "4.0 ± 1.2", "oracle": "2.0 ± 1.2",
    }  # fmt: skip
    assert table["degree, by seed"].to_list() == ["0, 2, 4", "", "", ""]
    assert set(table["data set"]) == {"cora"}


def test_a_figure_without_rows_says_so():
    nothing = tidy(groups("cora", 60))
    for call in (
        lambda: figures.draw_groups(nothing, PRINTED, ["dblp"]),
        lambda: figures.draw_depth(nothing, PRINTED, "cora"),
        lambda: figures.draw_homophily_sweep(nothing),
        lambda: audit_figures.draw_dropout(nothing, PRINTED, "cora"),
        lambda: audit_figures.draw_by_degree(nothing, "cora"),
        lambda: ladder.draw_ladder(nothing, "cora"),
        lambda: audit_figures.draw_retrieval(nothing, "cora"),
        lambda: audit_figures.draw_noise(nothing, ["cora"]),
        lambda: ladder.rung_table(nothing, ["cora"]),
        lambda: ladder.fit_table(nothing, ["cora"]),
        lambda: summaries.depth_table(nothing, PRINTED, "cora"),
        lambda: summaries.retrieval_table(nothing, ["cora"]),
        lambda: summaries.embeddings_table(nothing, ["cora"]),
    ):
        with pytest.raises(MissingRowsError):
            call()
