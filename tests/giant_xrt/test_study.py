"""The study: equal rows from equal settings, seeds independent of one another, scale and audits."""

import numpy as np
import pandas as pd
import pytest

from reprise.giant_xrt import audits, scale, study
from reprise.giant_xrt.settings import Settings
from reprise.settings import SettingsError

SMALL = {
    "experiments": ("comparison", "levels", "labels", "variance", "degrees", "purity", "controls", "theory"),
    "downstream_epochs": 4,
    "embedded_epochs": 1,
    "embedded_depths": (2, 4),
    "label_budgets": ("2 per class", "60 %"),
    "variance_splits": 2,
}


@pytest.fixture(scope="module")
def both():
    return study.run(Settings(seeds=(0, 1), **SMALL))


def test_rows_of_a_seed_do_not_depend_on_the_others(both):
    alone = study.run(Settings(seeds=(1,), **SMALL))
    of_one = both[both["seed"].isin([1, -1])].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_one, alone)


def test_every_part_leaves_rows_and_all_values_are_numbers(both):
    assert set(both["experiment"]) == set(SMALL["experiments"])
    assert np.isfinite(both["value"]).all()
    shares = both[both["metric"].isin(["accuracy", "purity"])]["value"]
    assert shares.between(0, 100).all()


def test_parts_are_run_for_the_seeds_asked_for(both):
    assert set(both[both["labels"].eq("60 %") & both["experiment"].eq("comparison")]["seed"]) == {0}


def test_sets_that_are_only_compared_have_few_labels_only():
    rows = study.run(Settings(seeds=(0, 7), full_study_datasets=(), other_seeds=(0,), **SMALL))
    assert set(rows[rows["seed"] >= 0]["seed"]) == {0}
    assert set(rows[rows["experiment"] == "comparison"]["labels"]) == {"20 per class"}


def test_rates_are_chosen_on_validation_nodes_of_the_first_split():
    short = {**SMALL, "experiments": ("purity",), "learning_rates": (1e-5, 2e-3)}
    rows = study.run(Settings(seeds=(0,), **short))
    tried = rows[rows["experiment"] == "rates"]
    assert set(tried["split"]) == {"validation"}
    assert len(tried) == 4


def test_purity_of_one_cluster_each_and_of_chance():
    labels = np.array([0, 0, 1, 1])
    assert audits.purity(np.arange(4), labels) == 1
    assert audits.purity(np.zeros(4, dtype=int), labels) == 0.5


def test_scale_is_measured_step_by_step_and_extrapolated_with_the_depth():
    found = scale.measure(1200)
    assert [one["step"] for one in found] == list(scale.STEPS)
    assert all(one["seconds"] >= 0 and one["mebibytes"] > 0 for one in found)
    assert scale.extrapolated(10, 10**6, 10**8, tree=False) == pytest.approx(1000)
    assert scale.extrapolated(14, 10**6, 10**8, tree=True) == pytest.approx(2000)


def test_unknown_experiments_are_refused():
    with pytest.raises(SettingsError, match="experiments"):
        Settings.checked({"experiments": ["comparisons"]})
