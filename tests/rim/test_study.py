"""The study on few shoppers: whole, repeatable, cell by cell, and within bounds."""

import numpy as np
import pandas as pd
import pytest

from reprise.rim import study
from reprise.rim.comparisons import ITEM_REC, USER_REC, matched, ranked
from reprise.rim.generators import make_shoppers
from reprise.rim.matched import bounds_of
from reprise.rim.matching import Bounds
from reprise.rim.settings import Settings
from reprise.rows import MissingRowsError, concatenate, per_seed, select
from reprise.settings import SettingsError

SMALL = {
    "seeds": (0, 1),
    "width": 8,
    "gru_epochs": 2,
    "matching_seeds": (0, 1),
    "loop_seeds": (0, 1),
    "curve_multipliers": (0.3, 0.7, 1.0, 200.0),
    "curve_factors": ("none", "UserPop", "HP"),
    "device": "cpu",
}


def few_shoppers(seed, n_users=200):
    return make_shoppers(seed, n_users)


@pytest.fixture(scope="module", autouse=True)
def small_data():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reprise.rim.data.generators.make_shoppers", few_shoppers)
        patch.setattr("reprise.rim.ranked.make_shoppers", few_shoppers)
        yield


@pytest.fixture(scope="module")
def rows():
    return study.run(Settings(**SMALL))


def test_cells_of_single_seeds_join_to_the_whole_and_repeat_it(rows):
    cells = [study.run(Settings(**{**SMALL, "seeds": (seed,)})) for seed in (0, 1)]
    pd.testing.assert_frame_equal(concatenate(cells), rows)


def test_every_part_has_rows_and_every_number_is_one(rows):
    assert set(rows["part"]) == {
        "data", "ranking", "identity", "resampled users", "new pairs", "activity", "calibration", "kernel", "matching",
        "spread over items", "sample size", "drift",
    }  # fmt: skip
    assert np.isfinite(rows["value"]).all()


def test_a_factor_per_user_leaves_all_items(rows):
    assert (select(rows, metric="users with the same items (%)")["value"] == 100).all()
    assert (select(rows, metric="items with the same users (%)")["value"] < 100).any()


def test_precision_from_blocks_is_the_precision(rows):
    for task, method in ((ITEM_REC, "GRU"), (USER_REC, "GRU × HP"), (USER_REC, "ALS"), (USER_REC, "ItemPop × EMA")):
        how = {"part": "ranking", "task": task, "method": method, "metric": "precision (%)"}
        value = per_seed(rows, **how).mean()
        assert ranked(rows, "churn-and-bursts", task, method).values[0] == pytest.approx(value)


def test_precision_of_matching_from_blocks_is_the_precision(rows):
    for solver in ("exact", "released loop"):
        for multiplier in (0.7, 1.0):
            how = {"part": "matching", "solver": solver, "multiplier": multiplier, "served": "online", "split": "test"}
            value = per_seed(rows, method="GRU × HP", metric="precision (%)", **how).mean()
            found = matched(rows, "churn-and-bursts", "GRU × HP", multiplier, solver=solver)
            assert found.values[0] == pytest.approx(value)
            assert found.n_seeds == 2


def test_without_bounds_matching_is_item_recommendation(rows):
    free = per_seed(rows, part="matching", multiplier=0.0, metric="precision (%)", method="GRU × HP")
    plain = per_seed(rows, part="ranking", task=ITEM_REC, metric="precision (%)", method="GRU")
    np.testing.assert_allclose(free, plain)


def test_without_a_user_bound_matching_is_user_recommendation(rows):
    how = {"metric": "precision (%)", "method": "GRU × HP"}
    open_end = per_seed(rows, part="matching", multiplier=200.0, served="offline", **how)
    plain = per_seed(rows, part="ranking", task=USER_REC, **how).loc[open_end.index]
    np.testing.assert_allclose(open_end, plain, rtol=0.05)


def test_exact_prices_meet_their_bounds_and_the_linear_programme(rows):
    fitted = select(rows, part="matching", solver="exact", split="fitted")
    assert (fitted[fitted["metric"].isin(["shortfall (%)", "excess (%)"])]["value"] < 2).all()
    assert (fitted[fitted["metric"] == "gap (%)"]["value"].abs() < 1).all()
    for (method, m), best in select(rows, solver="linear programme").groupby(["method", "multiplier"]):
        how = {"metric": "objective", "method": method, "multiplier": m, "served": "offline", "solver": "exact"}
        assert per_seed(rows, **how)[0] == pytest.approx(best["value"].item(), rel=0.01)


def test_true_activity_and_true_marks_are_the_most_one_can_have(rows):
    level = {
        m: per_seed(rows, part="ranking", task=USER_REC, metric="precision (%)", method=m).mean()
        for m in ("GRU × HP", "GRU × true counts", "True marks × true counts", "Random")
    }
    assert level["Random"] < level["GRU × HP"] < level["GRU × true counts"] < level["True marks × true counts"]


def test_greedy_is_held_to_the_same_bounds(rows):
    how = {"part": "matching", "solver": "greedy", "multiplier": 0.7, "method": "GRU × HP"}
    least = 0.7 * per_seed(rows, part="data", metric="users for an item").iloc[0]
    dropped = 100 * (least - int(least)) / least
    # Its second pass fills users up, and so gives some items back what was cut.
    assert per_seed(rows, metric="shortfall (%)", **how).between(0.1 * dropped, 1.5 * dropped).all()


def test_prices_grow_old_at_each_horizon_with_histories_up_to_it(rows):
    drift = select(rows, part="drift")
    assert sorted(drift["at"].unique()) == [1, 2]
    undelivered = select(drift, metric="shortfall (%)")
    assert set(undelivered["solver"]) == {"exact", "exact, fresh prices"}
    assert undelivered["value"].between(0, 100).all()


def test_the_horizon_and_ties_are_facts_of_the_data(rows):
    assert (per_seed(rows, part="data", metric="horizon") == 0.5).all()
    assert (per_seed(rows, part="data", metric="neighbouring events at one time (%)") == 0).all()


def test_bounds_of_the_curve():
    assert bounds_of(0.7, 2, 10, 50) == Bounds(2, least=7.0)
    assert bounds_of(1.0, 2, 10, 50) == Bounds(2.0, most=10)
    assert bounds_of(3.0, 2, 10, 50) == Bounds(6.0, most=10)
    assert bounds_of(200.0, 2, 10, 50) == Bounds(50, most=10)
    assert Bounds(2, least=7.0).scaled_to(100, 50) == Bounds(2, least=3.5)


def test_what_a_run_lacks_is_said(rows):
    with pytest.raises(MissingRowsError):
        ranked(rows, "churn-and-bursts", USER_REC, "Transformer")


def test_settings_refuse_what_makes_no_sense():
    for name, value in (
        ("width", 7),
        ("share", 0.0),
        ("levels", 0),
        ("baselines", ["SVD"]),
        ("datasets", ["movies"]),
        ("drift_sets", ["movielens-100k"]),
        ("drift_users", 0),
    ):
        with pytest.raises(SettingsError, match=name):
            Settings.checked({name: value})
    assert Settings().reduced_scale
    assert not Settings(width=128, gru_epochs=20, datasets=("movielens-1m",)).reduced_scale
