"""Figures and tables say what their rows say, and leave out what a run has no rows for."""

import numpy as np
import pandas as pd
import pytest
from tests.diva.test_study import SMALL, small_task

from reprise.diva import (
    detection_figures,
    figures,
    growth_figures,
    illustrations,
    sensitivity_figures,
    sentences,
    study,
)
from reprise.diva.comparisons import N_STEPS, reweight_difference, reweighted_error, softmax_difference
from reprise.diva.settings import Settings
from reprise.numerals import difference, with_interval
from reprise.rows import MissingRowsError, per_seed
from reprise.verification import published_numbers

SETS = ("cub50", "flowers12", "banking77", "digits")


@pytest.fixture(scope="module")
def rows():
    """Rows of a small study, under four names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reprise.diva.cell.load", small_task)
        found = study.run(Settings(**{**SMALL, "head_learning_rates": (1.0,)}))
    generator = np.random.default_rng(0)
    parts = []
    for name in SETS:
        noise = 1 + 0.01 * generator.normal(size=len(found))
        parts.append(found.assign(dataset=name, value=found["value"] * noise))
    extend = found[(found.experiment == "extend") & (found.setting == "clean")]
    extend = extend[extend.method != "DIVA Extend, class quota"]
    parts.append(extend.assign(dataset="banking77", experiment="names", setting="names"))
    with_reverse = parts[-1][parts[-1].method == "Random selection"]
    parts.append(with_reverse.assign(method="DIVA's order reversed"))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def published():
    return published_numbers("diva")


def test_gains_are_those_of_the_rows(rows, published):
    drawing = figures.draw_gains(rows, published, SETS)
    for name in SETS:
        drawn = drawing.data.set_index("dataset").loc[name, "mean"]
        assert drawn == pytest.approx(reweight_difference(rows, name).estimate)
    assert drawing.data["paper"].notna().sum() == 6
    assert "−2.94 to −1.07" in drawing.alt


@pytest.mark.parametrize(
    "draw",
    [
        figures.draw_gain_by_penalty,
        figures.draw_overfitting,
        sensitivity_figures.draw_gain_by_temperature,
        sensitivity_figures.draw_choices,
        detection_figures.draw_histogram,
        detection_figures.draw_sweeps,
        growth_figures.draw_extend,
        growth_figures.draw_flips,
        growth_figures.draw_small_changes,
    ],
)
@pytest.mark.parametrize("data_sets", [SETS, SETS[-1:]])
def test_every_figure_has_a_finding_text_and_numbers(draw, data_sets, rows):
    drawing = draw(rows, data_sets)
    assert drawing.figure.get_suptitle()
    assert drawing.alt.endswith(".")
    assert drawing.caption.endswith(".")
    assert set(drawing.data["dataset"].dropna()) <= set(data_sets)


@pytest.mark.parametrize(
    "draw", [figures.draw_gain_by_penalty, detection_figures.draw_sweeps, growth_figures.draw_extend]
)
def test_a_run_without_rows_is_said_to_have_none(draw, rows):
    with pytest.raises(MissingRowsError):
        draw(rows, ["cifar10-4k"])


def test_detectors_stand_beside_one_another(rows, published):
    drawing = detection_figures.draw_detectors(rows, published, SETS)
    assert len(drawing.data) == len(SETS) * 2 * 4
    one = drawing.data[(drawing.data.dataset == "cub50") & (drawing.data.metric == "auc")]
    how = {"dataset": "cub50", "experiment": "detection", "metric": "auc", "method": "cleanlab"}
    assert one[one.method == "cleanlab"]["mean"].item() == pytest.approx(per_seed(rows, **how).mean())


def test_names_are_drawn_for_the_questions_only(rows):
    drawing = growth_figures.draw_names(rows)
    assert set(drawing.data["method"]) == {"DIVA Extend", "Random selection", "DIVA's order reversed"}
    with pytest.raises(MissingRowsError):
        growth_figures.draw_names(rows[rows.dataset != "banking77"])


def test_tables_have_a_line_for_each_data_set(rows, published):
    table = figures.table_one(rows, published, SETS)
    assert table["source"].tolist() == ["ours"] * 4 + ["Table 1"] * 6
    assert table.loc[table["data set"] == "Aircraft", "DIVA Reweight (Δ)"].item() == "−2.94"
    for make in (figures.scale_table, detection_figures.cleaning_table, growth_figures.flip_error_table):
        assert make(rows, SETS)["data set"].tolist() == [figures.title_of(name) for name in SETS]
    for make in (sensitivity_figures.choices_table, growth_figures.leakage_table):
        assert make(rows, SETS)["data set"].tolist() == [figures.title_of(name) for name in SETS]
    assert len(growth_figures.agreement_table(rows, SETS)) == 2 * len(SETS)


def test_the_sweep_has_every_penalty_and_outer_loss(rows):
    table = sensitivity_figures.sweep_table(rows, SETS[:1])
    assert table["λ"].tolist()[1:] == ["0.1"]
    assert table.columns.tolist()[2:] == ["τ = 1", "τ = 3", "τ = 10", "τ = 30", "squared"]
    own = reweight_difference(rows, "cub50", outer="cross-entropy, τ = 3", penalty="0.1")
    assert table["τ = 3"][1] == with_interval(own.estimate, own.low, own.high)


def test_what_validation_chose_is_counted():
    how = {"dataset": "cub50", "experiment": "reweight", "method": "DIVA Reweight, validated"}
    chosen = {"steps": (3, 3, 1, 0), "temperature": (10, 10, 3, 1)}
    records = pd.DataFrame(
        [{**how, "metric": m, "seed": s, "value": v} for m, values in chosen.items() for s, v in enumerate(values)]
    )
    counted = sensitivity_figures.chosen_by_validation(records, "cub50")
    assert counted == "2 × τ = 10, 3 steps; 1 × τ = 3, 1 step; 1 × no step"


def test_the_temperature_that_helps_most_sets_is_named():
    lines = [("cub50", 10.0, -1, -0.5), ("digits", 10.0, -2, -0.1), ("cub50", 1.0, -1, -0.2), ("digits", 1.0, 0.1, 1)]
    data = pd.DataFrame(lines, columns=["dataset", "temperature", "low", "high"])
    finding = sensitivity_figures._temperature_finding(data)
    assert finding.startswith("By 95 % intervals Reweight lowers the error on at most 2 of 2 data sets (τ = 10)")
    assert finding.endswith("raises it in 1 of 4 settings")
    none = sensitivity_figures._temperature_finding(data[data.low > 0])
    assert none == "No temperature lowers the error, by 95 % intervals; 1 of 1 settings raise it"


def test_the_gallery_shows_least_and_largest_weights():
    drawing = illustrations.draw_gallery()
    weights = illustrations.weights_after_steps("digits")
    shown = drawing.data.groupby("weighted")["weight"]
    assert shown.min()["down"] == weights.min()
    assert shown.max()["up"] == weights.max()
    assert len(illustrations.draw_digits().data) == 10


def test_linearised_layers_are_drawn_with_the_network_itself():
    seeds = range(2)
    lines = [("Network", None, None), ("Uniform", "last layer", 0), ("DIVA Reweight", "last layer", 3)]
    lines += [("Uniform", "all layers", 0), ("DIVA Reweight", "all layers", 3)]
    records = [
        {
            "dataset": "digits", "split": "test", "experiment": "linearisation", "metric": "error", "method": method,
            "setting": setting, "step": step, "seed": seed, "value": 5.0 - (step or 0) / 3 + seed,
        }
        for method, setting, step in lines
        for seed in seeds
    ]  # fmt: skip
    drawing = growth_figures.draw_linearisation(pd.DataFrame(records))
    assert len(drawing.data) == 5
    assert "last layer −1.00" in drawing.alt


def test_sentences_say_what_the_rows_say(rows):
    softmax = sentences.softmax_beside_reweight(rows, SETS)
    one = softmax_difference(rows, "cub50")
    assert f"CUB-50 {difference(one)}" in softmax
    means = [per_seed(rows, dataset="cub50", experiment="heads", method="Softmax head").mean(),
             reweighted_error(rows, "cub50").mean()]  # fmt: skip
    assert one.estimate == pytest.approx(means[0] - means[1])
    assert "4 data sets" in sentences.other_detectors(rows, SETS)
    assert sentences.where_extend_stops(rows, SETS).count("noisy: ") == 3 + 1
    assert "not that following it helps" in sentences.what_dropping_does(rows, SETS)
    assert "no number of them would decide" in sentences.what_more_resplits_would_do(rows, SETS)


SENTENCES = (
    sentences.softmax_beside_reweight,
    sentences.other_detectors,
    sentences.where_extend_stops,
    sentences.what_dropping_does,
    sentences.what_more_resplits_would_do,
)


def test_sentences_without_their_rows_are_empty(rows):
    none = rows[rows.experiment == "cost"]
    for make in SENTENCES:
        assert make(none, SETS) == ""


def test_sentences_about_reweight_are_empty_where_a_run_stops_before_the_steps_of_the_rules(rows):
    shorter = rows[~(rows["step"] >= N_STEPS)]
    assert [make(shorter, SETS) == "" for make in SENTENCES] == [True, False, False, False, True]


def test_the_noise_rate_told_is_that_of_the_run(rows, published):
    other = rows.assign(noise_rate=rows["noise_rate"].replace({0.2: 0.3}))
    for named, expected in ((rows, "20 %"), (other, "30 %")):
        drawings = (
            detection_figures.draw_histogram(named, SETS),
            detection_figures.draw_detectors(named, published, SETS),
            detection_figures.draw_sweeps(named, SETS),
        )
        assert all(f"{expected} wrong labels" in one.caption for one in drawings)
    detectors = [detection_figures.draw_detectors(named, published, SETS).data for named in (rows, other)]
    pd.testing.assert_frame_equal(*detectors)
    assert sentences.other_detectors(other, SETS) == sentences.other_detectors(rows, SETS)


def test_bounds_are_rounded_to_the_safe_side():
    assert detection_figures._at_least(0.9951, 2) == 0.99
    assert detection_figures._at_least(0.98, 2) == 0.98
    assert detection_figures._at_most(0.0301, 2) == 0.04
    assert detection_figures._at_most(0.07, 2) == 0.07


def test_titles_follow_the_numbers():
    alike = pd.Series({"cub50": 0.001, "digits": -0.002})
    assert "rank alike: AUC at most 0.002 apart" in detection_figures._ranking_finding(alike)
    apart = pd.Series({"cub50": 0.05, "digits": -0.002, "flowers12": -0.03})
    assert "better than the plain residual on 1 of 3 data sets, worse on 1" in detection_figures._ranking_finding(apart)
