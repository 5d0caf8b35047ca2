import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reprise.catalogue import find_paper
from reprise.grda import study
from reprise.grda.data import load
from reprise.grda.plan import lowest, plan, selection_runs
from reprise.grda.settings import Settings
from reprise.grda.study import options_of, run
from reprise.parameters import profile_parameters
from reprise.rows import concatenate
from reprise.settings import SettingsError

TINY = {"n_steps": 6, "hidden_width": 16, "probe_steps": 5, "datasets": ("dg-15-generated",), "seeds": (0, 3)}
ALL = ("Source-only", "DANN", "ADDA", "CDANN", "MDD", "GRDA")
EVERYTHING = {
    **TINY,
    "methods": ALL,
    "rival_seeds": (0, 3),
    "large_seeds": (3,),
    "ablation_seeds": (3,),
    "experiments": ("comparison", "row order", "graph", "weights", "yardsticks"),
}


@pytest.fixture(scope="module")
def rows():
    return run(Settings(**EVERYTHING))


def test_the_study_twice_gives_equal_rows(rows):
    pd.testing.assert_frame_equal(rows, run(Settings(**EVERYTHING)))


def test_one_seed_alone_gives_the_rows_it_has_in_company(rows):
    parts = [run(Settings(**{**EVERYTHING, "seeds": (seed,)})) for seed in (0, 3)]
    pd.testing.assert_frame_equal(rows, concatenate(parts), check_dtype=False)


def test_every_method_has_target_rows_for_every_seed(rows):
    found = rows[(rows.split == "target") & (rows.experiment == "comparison")]
    assert set(found.method) == set(ALL)
    assert len(found) == (len(ALL) + 1) * 2
    assert found.value.between(0, 100).all()


def test_the_target_value_is_the_mean_over_target_domains(rows):
    one = rows[(rows.method == "DANN") & (rows.seed == 3) & (rows.experiment == "comparison")]
    domains = one[one.split == "domain"]
    assert len(domains) == 9
    assert one[one.split == "target"].value.item() == pytest.approx(domains.value.mean())
    for hop, of_hop in domains.groupby("hop"):
        assert one[one.split == f"hop {int(hop)}"].value.item() == pytest.approx(of_hop.value.mean())


def test_the_graph_experiment_varies_one_graph_at_a_time(rows):
    found = rows[(rows.experiment == "graph") & (rows.split == "target")]
    graphs = zip(found.pairing, found.graph_in_embedding, found.graph_in_discriminator, strict=True)
    pairs = [g for pairing, *g in graphs if pairing == "independent"]
    assert len({tuple(pair) for pair in pairs}) == 7
    assert all("true" in pair for pair in pairs)
    assert set(found.seed) == {3}


@pytest.mark.parametrize(("dataset", "n_independent"), [("dg-15", 7), ("dg-60", 0)])
def test_with_equal_labels_either_graph_and_both_are_rewired(dataset, n_independent):
    runs = [run for run in plan(Settings(**EVERYTHING), dataset) if run.experiment == "graph"]
    by_row = {(run.graph_in_embedding, run.graph_in_discriminator) for run in runs if run.pairing == "row"}
    assert by_row == {("true", "true"), ("rewired", "true"), ("true", "rewired"), ("rewired", "rewired")}
    assert len(runs) == n_independent + 4
    assert {run.embedding for run in runs} == {"raw"}


def test_rivals_get_the_weights_that_grda_gets_on_dg_15():
    for dataset, methods in (("dg-15", set(ALL) - {"Source-only"}), ("dg-60", {"GRDA"}), ("digits-grid", {"GRDA"})):
        runs = [run for run in plan(Settings(**EVERYTHING), dataset) if run.experiment == "weights"]
        assert {run.method for run in runs} == methods
        for method in methods:
            assert [r.adversarial_weight for r in runs if r.method == method] == [0.1, 0.3, 0.5, 0.9]


def test_the_weights_experiment_records_source_side_criteria(rows):
    found = rows[rows.experiment == "weights"]
    assert set(found.adversarial_weight) == {0.1, 0.3, 0.5, 0.9}
    assert {"prediction_loss", "discriminator_loss_ratio", "accuracy"} <= set(found.metric)
    assert "source" in set(found.split)


def test_a_yardstick_stands_for_every_seed_with_one_value(rows):
    found = rows[(rows.experiment == "yardsticks") & (rows.split == "target")]
    assert set(found.method) == {"Logistic regression", "Hop-by-hop self-training"}
    assert (found.groupby("method").value.nunique() == 1).all()
    assert set(found.seed) == {0, 3}


def test_the_probe_is_run_for_the_comparison(rows):
    found = rows[rows.metric == "probe_ratio"]
    assert set(found.experiment) == {"comparison"}
    assert len(found) == (len(ALL) + 1) * 2


def test_states_and_digits_have_no_row_pairing():
    for dataset in ("tpt-48-east-west", "digits-grid"):
        runs = plan(Settings(**EVERYTHING), dataset)
        assert all(run.pairing in (None, "independent") and run.row_order == "given" for run in runs)


def test_large_sets_and_rivals_are_run_for_their_seeds_only():
    settings = Settings(seeds=(0, 1, 2, 3), rival_seeds=(1,), large_seeds=(0, 1), methods=ALL)
    assert {run.seeds for run in plan(settings, "dg-60") if run.method == "ADDA"} == {(1,)}
    assert {run.seeds for run in plan(settings, "dg-60") if run.method == "DANN"} == {(0, 1)}
    assert {run.seeds for run in plan(settings, "dg-15") if run.method == "DANN"} == {(0, 1, 2, 3)}


def test_digits_are_run():
    rows = run(Settings(**{**TINY, "datasets": ("digits-grid",), "seeds": (0,), "probe_steps": 0}))
    yardsticks = {"Logistic regression", "Hop-by-hop self-training"}
    assert set(rows.method) == {"Source-only", "DANN", "GRDA", *yardsticks}


@pytest.mark.real_data
def test_the_states_have_levels_and_both_units():
    options = {"datasets": ("tpt-48-north-south",), "seeds": (0,), "methods": ALL}
    rows = run(Settings(**{**TINY, **options, "experiments": ("comparison", "embedding scale", "yardsticks")}))
    assert {"level 1", "level 2", "level 3", "target"} <= set(rows.split)
    assert {"mse_sum", "mse_month", "mse_fahrenheit"} <= set(rows.metric)
    assert {"raw", "scaled"} <= set(rows.embedding.dropna())
    one = rows[(rows.method == "GRDA") & (rows.split == "target") & (rows.experiment == "comparison")]
    by_metric = one.set_index("metric").value
    assert by_metric["mse_sum"] == pytest.approx(6 * by_metric["mse_month"])


STATES = {
    **TINY,
    "datasets": ("tpt-48-north-south",),
    "methods": ("Source-only", "DANN", "ADDA"),
    "rival_seeds": (3,),
    "large_seeds": (0, 3),
    "experiments": ("comparison", "selection"),
    "state_learning_rates": (1e-3, 1e-2),
    "state_adversarial_weights": (0.1, 0.3),
}


def test_every_combination_is_tried_and_source_only_has_no_weight():
    settings = Settings(state_learning_rates=(1e-3, 1e-4), state_adversarial_weights=(0.1, 0.3))
    tried = selection_runs(settings, "tpt-48-east-west", "DANN")
    combinations = [(run.learning_rate, run.adversarial_weight) for run in tried]
    assert combinations == [(1e-3, 0.1), (1e-3, 0.3), (1e-4, 0.1), (1e-4, 0.3)]
    assert {run.seeds for run in tried} == {settings.selection_seeds}
    alone = selection_runs(settings, "tpt-48-east-west", "Source-only")
    assert [(run.learning_rate, run.adversarial_weight) for run in alone] == [
        (rate, None) for rate in (1e-3, 4.6e-4, 2.2e-4, 1e-4)
    ]


def test_the_lowest_error_is_selected_and_a_diverged_one_never():
    tried = selection_runs(Settings(), "tpt-48-east-west", "GRDA")[:4]
    assert lowest(tried, [float("nan"), 2.0, 1.0, 1.0]) is tried[2]
    assert lowest(tried, [float("inf"), float("nan"), 9.0, 10.0]) is tried[2]
    assert lowest(tried, [float("nan")] * 4) is tried[0]


def test_selection_seeds_are_not_those_of_the_comparison():
    with pytest.raises(SettingsError, match=r"parameter selection_seeds: .* share \[1\]"):
        Settings.checked({"seeds": [0, 1], "selection_seeds": [1]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, [1, 0, 1]) for name in ("seeds", "rival_seeds", "large_seeds", "ablation_seeds", "selection_seeds")),
        ("methods", ["GRDA", "GRDA"]),
        ("searched_weights", [0.5, 0.5]),
        ("searched_weights", [-0.1]),
        ("large_seeds", [-1]),
        ("learning_rate", math.inf),
        ("state_learning_rates", [math.nan]),
    ],
)
def test_what_is_named_twice_or_out_of_range_is_refused_by_its_name(name, value):
    with pytest.raises(SettingsError, match=f"parameter {name}"):
        Settings.checked({name: value})


@pytest.fixture(scope="module")
def state_rows():
    return run(Settings(**STATES))


@pytest.mark.real_data
def test_the_comparison_takes_the_combination_with_the_lowest_error_on_held_out_sources(state_rows):
    tried = state_rows[state_rows.experiment == "selection"]
    assert set(tried.split) == {"pseudo-target"}
    assert set(tried.seed) == {-1}
    assert tried.groupby("method").size().to_dict() == {"ADDA": 8, "DANN": 8, "Source-only": 8}
    compared = state_rows[state_rows.experiment == "comparison"]
    for method, of_method in tried.groupby("method"):
        columns = ["learning_rate", "adversarial_weight"]
        best = of_method.groupby(columns, dropna=False).value.mean().idxmin()
        used = compared[compared.method == method][columns].drop_duplicates()
        assert len(used) == 1
        assert used.iloc[0].tolist() == pytest.approx(list(best), nan_ok=True)


@pytest.mark.real_data
def test_one_seed_alone_selects_what_it_selects_in_company(state_rows):
    parts = [run(Settings(**{**STATES, "seeds": (seed,)})) for seed in (0, 3)]
    pd.testing.assert_frame_equal(state_rows, concatenate(parts), check_dtype=False)


@pytest.mark.real_data
def test_the_selection_does_not_see_the_labels_of_targets(state_rows, monkeypatch):
    def with_other_targets(name, seed=0):
        domains = load(name, seed)
        other = domains.targets + np.where(domains.source[domains.domain], 0.0, 5.0)[:, None]
        return replace(domains, targets=other)

    monkeypatch.setattr(study, "load", with_other_targets)
    other_rows = run(Settings(**STATES))
    tried, tried_again = (rows[rows.experiment == "selection"] for rows in (state_rows, other_rows))
    pd.testing.assert_frame_equal(tried.reset_index(drop=True), tried_again.reset_index(drop=True))


@pytest.mark.real_data
def test_without_the_selection_the_first_combination_is_used():
    rows = run(Settings(**{**STATES, "methods": ("DANN",), "seeds": (0,), "experiments": ("comparison",)}))
    assert set(rows.learning_rate) == {1e-3}
    assert set(rows.adversarial_weight) == {0.1}


def test_dg_60_is_trained_with_its_own_learning_rate():
    settings = Settings()
    (first, *_) = plan(settings, "dg-60")
    assert options_of(settings, "dg-60", first, 60).learning_rate == settings.large_learning_rate
    (first, *_) = plan(settings, "dg-15")
    assert options_of(settings, "dg-15", first, 15).learning_rate == settings.learning_rate


@pytest.mark.real_data
@pytest.mark.parametrize("dataset", ["dg-15", "tpt-48-east-west", "digits-grid"])
def test_the_published_run_goes_through_with_few_steps(dataset):
    standard = profile_parameters(find_paper("grda"), "standard")
    few = {"datasets": [dataset], "seeds": [0], "n_steps": 2, "probe_steps": 2, "hidden_width": 8}
    rows = run(Settings.checked({**standard, **few}))
    yardsticks = set(rows[rows.experiment == "yardsticks"].method)
    assert "CORAL" in yardsticks
    assert set(ALL) <= set(rows.method)
