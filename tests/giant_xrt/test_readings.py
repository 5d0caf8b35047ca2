"""The computed sentences and titles say what planted rows hold."""

import numpy as np
import pandas as pd
import pytest

from reprise.giant_xrt import (
    audit_figures,
    contamination,
    figures,
    phase_diagram,
    readings,
    structure_figures,
    summaries,
)
from reprise.rows import tidy

CITESEER = "citeseer-text"


def planted(values, **conditions):
    noise = (-0.1, 0.0, 0.1)
    return [
        {
            "dataset": CITESEER,
            "split": "test",
            "metric": "accuracy",
            "seed": seed,
            "value": values + error,
            **conditions,
        }
        for seed, error in enumerate(noise)
    ]


def compared(accuracies, labels="20 per class", experiment="comparison"):
    lines = [
        planted(value, method=method, model=model, labels=labels, experiment=experiment)
        for (method, model), value in accuracies.items()
    ]
    return tidy([line for of in lines for line in of])


def test_growth_finds_the_exponent_between_the_two_largest_sizes():
    nodes = np.array([10.0, 100.0, 1000.0])
    lines = [
        {"step": step, "metric": "seconds", "nodes": n, "value": n**power if n > 10 else 7.0, "kind": "measured"}
        for step, power in (("tree", 1.25), ("targets", 2.0))
        for n in nodes
    ]
    found = audit_figures.growth(pd.DataFrame(lines), "seconds")
    assert found == {"tree": pytest.approx(1.25), "targets": pytest.approx(2.0)}


def test_growth_of_one_size_is_unknown():
    line = {"step": "tree", "metric": "seconds", "nodes": 10.0, "value": 1.0, "kind": "measured"}
    assert np.isnan(audit_figures.growth(pd.DataFrame([line]), "seconds")["tree"])


def test_a_tie_is_named_in_the_title_and_a_clear_rival_is_not():
    rows = compared({("GIANT", "MLP"): 70.0, ("MiniLM, frozen", "MLP"): 70.0, ("SVD", "MLP"): 50.0})
    title = figures.draw_features(rows, CITESEER).figure.get_suptitle()
    assert "not told apart: MiniLM, frozen" in title
    assert "SVD" not in title


def test_the_networks_sentence_takes_the_best_plain_features_beside_svd():
    rows = compared(
        {
            ("GIANT", "MLP"): 70.0,
            ("SVD", "MLP"): 55.0,
            ("TF-IDF", "MLP"): 64.0,
            ("Binary words", "MLP"): 50.0,
            ("GIANT", "GraphSAGE"): 71.0,
            ("SVD", "GraphSAGE"): 66.0,
        }
    )
    said = readings.networks_sentence(rows, CITESEER)
    assert "+10.0" in said
    assert "+1.0" in said
    assert "TF-IDF" in said


def test_the_controls_sentence_says_whether_the_rewired_effect_vanished():
    def said(rewired):
        rows = compared(
            {("GIANT", "ridge"): 90.0, ("GIANT, rewired graph", "ridge"): rewired, ("SVD", "ridge"): 30.0},
            labels="10 per class",
            experiment="controls",
        )
        return readings.controls_sentence(rows.assign(dataset="text-blocks"))

    assert "worse" in said(20.0)
    assert "a gain remains" in said(40.0)
    assert "contains 0" in said(30.0)


def rates(of_link_prediction):
    found = {"GIANT": (68.0, 69.0, 68.5), "Link prediction": of_link_prediction}
    return [
        {"dataset": CITESEER, "experiment": "rates", "split": "validation", "metric": "accuracy", "method": name}
        | {"at": rate, "value": value, "seed": 0, "model": "ridge"}
        for name, values in found.items()
        for rate, value in zip((0.001, 0.002, 0.004), values, strict=True)
    ]


def test_a_rate_on_the_lower_edge_of_its_grid_is_said():
    on_the_edge, inside = tidy(rates((65.0, 63.0, 54.0))), tidy(rates((62.0, 63.0, 54.0)))
    assert list(readings.best_rates(on_the_edge)["lowest"]) == [False, True]
    assert not readings.best_rates(inside)["lowest"].any()
    grid = (0.001, 0.002, 0.004)
    lowest = "0.001 for Link prediction on CiteSeer (by 2.0; the lowest tried)"
    assert lowest in readings.rates_sentence(on_the_edge, grid)
    assert "the lowest tried" not in readings.rates_sentence(inside, grid)
    assert "beyond it" not in readings.rates_sentence(inside, grid)
    assert "0.002 for Link prediction on CiteSeer (by 1.0)" in readings.rates_sentence(inside, grid)
    above = tidy(rates((62.0, 63.0, 64.0)))
    assert "0.004 for Link prediction on CiteSeer (by 1.0; the highest tried)" in readings.rates_sentence(above, grid)


def test_the_best_rate_is_that_of_its_own_data_set():
    elsewhere = tidy([{**line, "dataset": "movie-plots"} for line in rates((60.0, 63.0, 90.0))])
    both = pd.concat([tidy(rates((65.0, 63.0, 54.0))), elsewhere], ignore_index=True)
    best = readings.best_rates(both).set_index(["dataset", "method"])["at"]
    assert best[CITESEER, "Link prediction"] == 0.001
    assert best["movie-plots", "Link prediction"] == 0.004


def test_another_choice_by_an_mlp_is_said():
    ridge = rates((65.0, 63.0, 54.0))
    mlp = [{**line, "model": "MLP"} for line in ridge]
    grid = (0.001, 0.002, 0.004)
    assert "An MLP would have chosen the same" in readings.rates_sentence(tidy([*ridge, *mlp]), grid)
    mlp[1]["value"], mlp[2]["value"] = 10.0, 99.0
    said = readings.rates_sentence(tidy([*ridge, *mlp]), grid)
    assert "An MLP would have chosen 0.004 for GIANT on CiteSeer." in said
    assert "0.002 for GIANT on CiteSeer" in said


def test_the_rate_of_a_run_is_the_one_tried_or_chosen():
    rows = tidy(rates((65.0, 63.0, 54.0)))
    assert readings.rate_of(tidy([]), CITESEER, (0.5,)) == 0.5
    assert readings.rate_of(tidy([]), CITESEER, (0.1, 0.2, 0.3)) == 0.2
    assert readings.rate_of(rows, CITESEER, (0.001, 0.002, 0.004)) == 0.002


def test_rates_that_were_not_chosen_or_not_recorded_are_said_so():
    assert "a single learning rate, 0.005," in readings.rates_sentence(tidy([]), (0.005,))
    assert "no record" in readings.rates_sentence(tidy([]), (0.001, 0.002))


def test_the_seeds_behind_claims_are_those_of_every_rival():
    levels = {rival: 60.0 for rival in readings.RIVALS} | {("GIANT", "MLP"): 70.0}
    rows = pd.concat([compared(levels), compared(levels, labels="60 %")], ignore_index=True)
    assert "3 with 20 per class, 3 with 60 %" in readings.few_labels_sentence(rows)
    fewer = rows[~((rows.method == "Link prediction") & (rows.labels == "60 %") & (rows.seed == 2))]
    assert "3 with 20 per class, 2 to 3 with 60 %" in readings.few_labels_sentence(fewer)
    assert readings.few_labels_sentence(rows[rows.method != "Link prediction"]) == ""


def test_the_links_sentence_says_whom_an_edge_of_the_grid_favours():
    models = {("GIANT", "MLP"): 70.0, ("GIANT", "ridge"): 71.0}
    rows = compared(models | {("Link prediction", "MLP"): 69.0, ("Link prediction", "ridge"): 64.0})
    for scores, expected in (((65.0, 63.0, 54.0), True), ((62.0, 63.0, 54.0), False)):
        both = pd.concat([rows, tidy(rates(scores))], ignore_index=True)
        assert ("favours GIANT" in readings.links_sentence(both, CITESEER)) is expected


def test_sets_gained_counts_real_sets_and_both_amounts_of_labels():
    plain = {("SVD", "MLP"): 60.0, ("TF-IDF", "MLP"): 60.0}
    few = compared(plain | {("GIANT", "MLP"): 70.0})
    many = compared(plain | {("GIANT", "MLP"): 50.0}, labels="60 %")
    title = figures._sets_gained(pd.concat([few, many], ignore_index=True), ["text-blocks", CITESEER])
    assert "20 per class: 1 of 1 (CiteSeer)" in title
    assert "60 %: 0 of 1" in title


def test_purer_counts_levels_whose_intervals_lie_apart():
    lines = [
        {"dataset": CITESEER, "method": method, "at": at, "low": low, "high": low + 1}
        for method, lows in (("PIFA tree", (10, 20, 30)), ("Text tree", (5, 20.5, 40)))
        for at, low in enumerate(lows)
    ]
    said = structure_figures._purer(pd.DataFrame(lines), CITESEER)
    assert "purer at 1 of 3 levels, less pure at 1" in said


def test_neighbours_and_seeds_are_counted_from_the_rows():
    how = {"experiment": "neighbours", "model": "ridge", "labels": "", "at": 0.0, "level": ""}
    lines = [
        line
        for name, value in (("SVD", 6.0), ("GIANT", 5.0), ("TF-IDF", 4.0))
        for k in (1, 5)
        for line in planted(value, method=name, **how)
        for line in ({**line, "metric": f"precision@{k}"},)
    ]
    rows = tidy(lines)
    assert "2 of 3 at 1, 2 of 3 at 5" in readings.neighbours_sentence(rows, CITESEER)
    assert "neighbours 3" in readings.seeds_sentence(rows, CITESEER)
    assert "clusters" not in readings.neighbours_sentence(rows, CITESEER)


@pytest.mark.parametrize(
    "sentence",
    [
        readings.links_sentence,
        readings.neighbours_sentence,
        readings.networks_sentence,
        readings.rivals_sentence,
        readings.seeds_sentence,
        readings.tree_sentence,
        summaries.closed_form_sentence,
        summaries.untrained_sentence,
        lambda rows, _: readings.controls_sentence(rows),
        lambda rows, _: readings.few_labels_sentence(rows),
        lambda rows, _: readings.rates_sentence(rows, (1e-3, 2e-3)),
        lambda rows, _: readings.settling_sentence(rows),
    ],
)
def test_a_cell_of_a_run_that_lacks_what_a_sentence_needs_does_not_fail(sentence):
    assert isinstance(sentence(compared({("GIANT", "MLP"): 70.0}), CITESEER), str)


def test_seeds_are_counted_where_a_cell_of_the_run_has_no_levels():
    rows = compared({("GIANT", "MLP"): 70.0})
    assert "level" not in rows
    assert "comparison with 20 per class 3" in readings.seeds_sentence(rows, CITESEER)


def clusters(of_giant):
    how = {"experiment": "clusters", "metric": "precision@1", "model": "", "labels": "", "at": 0.0}
    finds = {"SVD": (40.0, 10.0), "GIANT": of_giant, "GIANT, own heads": (50.0, 5.0), "Link prediction": (40.0, 10.0)}
    return [
        line
        for method, values in finds.items()
        for level, value in zip((8, 32), values, strict=True)
        for line in planted(value, **{**how, "method": method, "level": level})
    ]


def test_clusters_found_beside_svd_are_counted_by_level():
    neighbours = [
        line
        for name in ("SVD", "GIANT")
        for k in (1, 5)
        for line in planted(6.0, method=name, experiment="neighbours", metric=f"precision@{k}", level=np.nan)
    ]
    said = readings.neighbours_sentence(tidy([*neighbours, *clusters((45.0, 12.0))]), CITESEER)
    assert "GIANT above SVD at 2, below it at 0" in said
    assert "GIANT, own heads above SVD at 1, below it at 1" in said
    assert "Link prediction above SVD at 0, below it at 0" in said
    found = structure_figures.over_svd(tidy(clusters((45.0, 12.0))), CITESEER, 32)
    assert found.estimate == pytest.approx(2)


def told_apart(name, minilm, tfidf):
    how = {"dataset": name, "experiment": "contamination", "metric": "told apart", "split": "labels"}
    return [
        line
        for method, value in (("MiniLM, frozen", minilm), ("TF-IDF", tfidf), ("SVD", tfidf))
        for line in planted(value, method=method, **{key: of for key, of in how.items() if key != "dataset"})
        for line in ({**line, "dataset": name},)
    ]


@pytest.mark.parametrize(
    ("films", "expected"),
    [(60.0, "as contamination would have it"), (75.0, "against what"), (70.0, "shows no contamination")],
)
def test_contamination_is_what_is_known_of_citations_beyond_other_links(films, expected):
    accuracies = compared(
        {("MiniLM, frozen", "MLP"): 70.0, ("GIANT", "MLP"): 69.0, ("SVD", "MLP"): 60.0, ("TF-IDF", "MLP"): 65.0}
    )
    pairs = [*told_apart(CITESEER, 80.0, 70.0), *told_apart("movie-plots", films, 60.0)]
    wobble = tidy(pairs)
    wobble.loc[(wobble.dataset == "movie-plots") & (wobble.method == "TF-IDF"), "value"] += np.array([0.2, -0.2, 0.0])
    rows = pd.concat([accuracies, wobble], ignore_index=True)
    said = contamination.contamination_sentence(rows, [CITESEER, "movie-plots"])
    assert expected in said
    assert "On CiteSeer its frozen features with an MLP are +1.0" in said
    assert "+5.0 [5.0, 5.0] from TF-IDF" in said
    title = contamination.draw_contamination(rows).figure.get_suptitle()
    assert "CiteSeer +10.0" in title


def test_a_run_without_minilm_says_where_it_is():
    rows = compared({("GIANT", "MLP"): 69.0})
    assert "`standard` profile" in contamination.contamination_sentence(rows, ["text-blocks"])
    assert "`standard` profile" in contamination.contamination_sentence(rows, [CITESEER])


def test_the_line_of_the_theory_is_where_rising_values_pass_one():
    assert phase_diagram.crossing([0.5, 0.9, 1.1, 2.0]) == pytest.approx(1.5)
    assert phase_diagram.crossing([1.2, 2.0]) is None
    assert phase_diagram.crossing([0.2, 0.9]) is None


def test_the_diagram_takes_the_better_of_the_plain_features_and_brackets_what_is_not_told_apart():
    lines = []
    for at, giant in ((0.25, 50.0), (1.0, 70.0)):
        for labels in ("20 per class", "60 %"):
            for name, value in (("GIANT", giant), ("SVD", 40.0), ("TF-IDF", 50.0)):
                lines += planted(value, experiment="phase", method=name, labels=labels, at=at, mean_degree=4 * at)
        how = {"experiment": "phase", "method": "Graph", "metric": "homophily", "split": "labels"}
        lines += planted(0.7, **how, at=at, mean_degree=4 * at)
    rows = tidy(lines)
    rows.loc[(rows["at"] == 0.25) & (rows["method"] == "TF-IDF"), "value"] += np.tile([0.3, -0.3, 0.0], 2)
    drawing = phase_diagram.draw_diagram(rows)
    assert list(drawing.data["mean"].round(6)) == [0, 0, 20, 20]
    texts = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert texts == ["(0)", "(0)", "+20", "+20"]
    assert "gains in 2, loses in 0 of 4 cells" in drawing.figure.get_suptitle()
    assert drawing.data["strength"].iloc[-1] == pytest.approx((6 * 0.7 - 1) / 5 * 2)


def test_what_the_pretraining_adds_is_measured_against_where_it_starts():
    rows = compared({("GIANT", "ridge"): 70.0, ("Untrained encoder", "ridge"): 55.0})
    assert "+15.0 [15.0, 15.0] (ridge, 20 per class, n = 3)" in summaries.untrained_sentence(rows, CITESEER)


def test_tree_sentence_says_whether_links_inside_pifa_show():
    def said(text_tree):
        pairs = {("PIFA tree", "ridge"): 70.0, ("Text tree", "ridge"): text_tree}
        rows = compared(pairs, experiment="ablations")
        rows.loc[rows.method == "Text tree", "value"] += np.array([0.3, -0.3, 0.0])
        return readings.tree_sentence(rows, CITESEER)

    one_seed = compared({("PIFA tree", "ridge"): 70.0, ("Text tree", "ridge"): 60.0}, experiment="ablations")
    assert "one seed cannot decide" in readings.tree_sentence(one_seed[one_seed.seed == 0], CITESEER)
    assert "not shown to add" in said(70.0)
    assert "beyond doubt" in said(60.0)
