"""The computed sentences and titles say what planted rows hold."""

import numpy as np
import pandas as pd
import pytest

from reprise.giant_xrt import audit_figures, figures, readings, structure_figures
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
        | {"at": rate, "value": value, "seed": 0}
        for name, values in found.items()
        for rate, value in zip((0.001, 0.002, 0.004), values, strict=True)
    ]


def test_a_rate_on_the_lower_edge_of_its_grid_is_said():
    on_the_edge, inside = tidy(rates((65.0, 63.0, 54.0))), tidy(rates((62.0, 63.0, 54.0)))
    assert list(readings.best_rates(on_the_edge)["lowest"]) == [False, True]
    assert not readings.best_rates(inside)["lowest"].any()
    grid = (0.001, 0.002, 0.004)
    assert "0.001 for Link prediction on CiteSeer, the lowest tried" in readings.rates_sentence(on_the_edge, grid)
    assert "the lowest tried" not in readings.rates_sentence(inside, grid)


def test_the_best_rate_is_that_of_its_own_data_set():
    elsewhere = tidy([{**line, "dataset": "movie-plots"} for line in rates((60.0, 63.0, 90.0))])
    both = pd.concat([tidy(rates((65.0, 63.0, 54.0))), elsewhere], ignore_index=True)
    best = readings.best_rates(both).set_index(["dataset", "method"])["at"]
    assert best[CITESEER, "Link prediction"] == 0.001
    assert best["movie-plots", "Link prediction"] == 0.004


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
