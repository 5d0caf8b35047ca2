"""What a reader calls on a table of events: results, unknown names, and every refusal."""

import warnings
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone

import reprise.rim
from reprise.errors import UnknownNameError
from reprise.rim import DualMatcher, HawkesPoisson, RecurrentIntensityModel, RimInputError


def walks(n_users=60, n_items=8, seed=0):
    """Return users who walk around a ring of items; the second half of them stopped long ago."""
    draw = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        active = user < n_users // 2
        times = np.sort(draw.uniform(0, 10 if active else 4, 14))
        start = draw.integers(n_items)
        rows += [(f"user {user}", f"item {(start + i) % n_items}", t) for i, t in enumerate(times)]
    return pd.DataFrame(rows, columns=["user", "item", "time"]).sample(frac=1, random_state=0)


@pytest.fixture(scope="module")
def model():
    return RecurrentIntensityModel(1.0, width=16, epochs=12, batch=16).fit(walks())


def test_items_follow_the_ring(model):
    best = model.recommend_items(k=1)
    assert len(best) == 60
    last = walks().sort_values("time").groupby("user")["item"].last()
    expected = last.str.removeprefix("item ").astype(int).add(1).mod(8).astype(str)
    hit = best.set_index("user")["item"].str.removeprefix("item ") == expected.reindex(best["user"])
    assert hit.mean() > 0.8


def test_users_who_left_are_not_recommended(model):
    found = model.recommend_users(["item 3", "item 5"], k=5)
    assert found["item"].tolist() == ["item 3"] * 5 + ["item 5"] * 5
    assert found["rank"].tolist() == [1, 2, 3, 4, 5] * 2
    number = found["user"].str.removeprefix("user ").astype(int)
    assert (number < 30).all()
    assert (found.groupby("item")["score"].diff().dropna() <= 0).all()


def test_activity_does_not_change_items(model):
    plain = clone(model).set_params(activity="none").fit(walks())
    pd.testing.assert_series_equal(plain.recommend_items(k=3)["item"], model.recommend_items(k=3)["item"])
    assert not plain.recommend_users(k=5)["user"].equals(model.recommend_users(k=5)["user"])


def test_who_is_unknown_gets_the_baseline_and_what_is_unknown_is_left_out(model):
    with pytest.warns(UserWarning, match="1 of 2 users have no events before the present .* 'somebody'"):
        activity = model.expected_activity(["user 1", "somebody"])
    assert 0 < activity["somebody"] < activity["user 1"]
    with pytest.warns(UserWarning, match="1 of 1 users have no events"):
        assert len(model.recommend_items(["somebody"], k=2)) == 2
    with pytest.warns(UserWarning, match="1 items have no training events and are left out, e.g. 'item 99'"):
        found = model.recommend_users(["item 99", "item 3"], k=2)
    assert set(found["item"]) == {"item 3"}
    with pytest.warns(UserWarning, match="left out"), pytest.raises(RimInputError, match="none of the items"):
        model.recommend_users(["item 99"], k=2)


def test_past_items_can_be_left_out(model):
    fresh = clone(model).set_params(exclude_past=True, epochs=1).fit(walks()[lambda f: f["time"] < 3])
    taken = set(walks()[lambda f: f["time"] < 3][["user", "item"]].itertuples(index=False, name=None))
    found = fresh.recommend_items(k=8)
    assert not taken & set(found[["user", "item"]].itertuples(index=False, name=None))


def test_until_hides_what_comes_later():
    early = RecurrentIntensityModel(1.0, width=8, epochs=1).fit(walks(), until=6.0)
    cut = RecurrentIntensityModel(1.0, width=8, epochs=1).fit(walks()[lambda f: f["time"] < 6.0], until=6.0)
    pd.testing.assert_frame_equal(early.scores(), cut.scores())


def test_expected_counts_are_near_the_counts():
    draw = np.random.default_rng(0)
    rates = draw.gamma(1.0, 2.0, 400)
    user = np.repeat(np.arange(400), draw.poisson(10 * rates))
    events = pd.DataFrame({"user": user, "item": 0, "time": draw.uniform(0, 10, len(user))})
    model = HawkesPoisson(1.0).fit(events, until=8.0)
    expected = model.predict()
    later = (
        events[(events["time"] >= 8) & (events["time"] < 9)]
        .groupby("user")
        .size()
        .reindex(expected.index, fill_value=0)
    )
    assert expected.mean() == pytest.approx(later.mean(), rel=0.25)
    assert expected.corr(later) > 0.7
    assert (model.weights_ >= 0).all()
    without_items = HawkesPoisson(1.0).fit(events[["user", "time"]], until=8.0)
    np.testing.assert_allclose(without_items.weights_, model.weights_)


def test_dates_are_seconds():
    days = walks().assign(time=lambda f: pd.Timestamp("2024-01-01") + pd.to_timedelta(f["time"], unit="D"))
    by_date = HawkesPoisson(86_400.0).fit(days).predict()
    by_number = HawkesPoisson(1.0).fit(walks()).predict()
    np.testing.assert_allclose(by_date, by_number, rtol=1e-4)
    for until in (pd.Timestamp("2024-01-09"), "2024-01-09"):
        by_date = HawkesPoisson(86_400.0).fit(days, until=until).predict()
        np.testing.assert_allclose(by_date, HawkesPoisson(1.0).fit(walks(), until=8.0).predict(), rtol=1e-4)


@pytest.mark.parametrize("kind", [HawkesPoisson, RecurrentIntensityModel])
def test_what_cannot_be_used_is_refused(kind):
    with pytest.raises(RimInputError, match="horizon=0"):
        kind(0).fit(walks())
    with pytest.raises(RimInputError, match=r"no events before until=-5\.0: the first is at 0"):
        kind(1.0).fit(walks(), until=-5.0)
    with pytest.raises(RimInputError, match="column 'time' 2 times"):
        kind(1.0).fit(pd.concat([walks(), walks()[["time"]]], axis=1))
    with pytest.raises(RimInputError, match=r"lack the column\(s\)"):
        kind(1.0).fit(pd.DataFrame({"item": [1], "user": [1]}))
    for until in (1e4, "2024-01-09"):
        with pytest.raises(RimInputError, match=r"no events in \[T-h, T\).*check units \(seconds vs milliseconds\)"):
            kind(1.0, n_windows=0).fit(walks(), until=until)
    with pytest.raises(RimInputError, match=r"check units \(seconds vs milliseconds\)"):
        kind(1e-9).fit(walks(), until=9.0)
    with pytest.raises(RimInputError, match="HP needs validation requests"):
        kind(100.0).fit(walks())


def test_unknown_models_and_sizes_are_refused(model):
    with pytest.raises(UnknownNameError, match="did you mean 'GRU'"):
        RecurrentIntensityModel(1.0, mark="GRUs").fit(walks())
    with pytest.raises(UnknownNameError, match="activity model"):
        RecurrentIntensityModel(1.0, activity="hawks").fit(walks())
    with pytest.raises(RimInputError, match="k=9 must be a whole number from 1 to 8"):
        model.recommend_items(k=9)
    with pytest.raises(RimInputError, match="k=61"):
        model.recommend_users(k=61)
    for k in ("5", None, 2.5):
        with pytest.raises(RimInputError, match=f"k={k!r} must be a whole number from 1 to 8"):
            model.recommend_items(k=k)


def test_lists_of_identifiers_are_lists(model):
    with pytest.raises(RimInputError, match="users='user 1' is one identifier"):
        model.recommend_items("user 1")
    with pytest.raises(RimInputError, match="items='item 1' is one identifier"):
        model.recommend_users("item 1")
    with pytest.raises(RimInputError, match="users=17 is one identifier"):
        model.recommend_items(17)
    with pytest.raises(RimInputError, match=r"users hold \['user 1'\], which is no identifier"):
        model.recommend_items([["user 1"]])
    assert len(model.recommend_items((user for user in ["user 1"]), k=2)) == 2
    with pytest.raises(RimInputError, match="users are empty"):
        model.recommend_items([])
    with pytest.raises(RimInputError, match="items are empty"):
        model.recommend_users([])


def test_lines_of_a_basket_are_no_duplicates():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        basket = pd.concat([walks(), walks().assign(item="another")])
        with_items = HawkesPoisson(1.0).fit(basket)
        without = HawkesPoisson(1.0).fit(basket[["user", "time"]])
    np.testing.assert_allclose(with_items.weights_, without.weights_)
    with pytest.raises(RimInputError, match=r"lack the column\(s\)"):
        HawkesPoisson(1.0).fit([("a", 1.0)])


def test_the_present_is_a_date_of_any_kind_or_refused():
    days = walks().assign(time=lambda f: pd.Timestamp("2024-01-01") + pd.to_timedelta(f["time"], unit="D"))
    expected = HawkesPoisson(86_400.0).fit(days, until="2024-01-09").predict()
    for until in (date(2024, 1, 9), np.datetime64("2024-01-09")):
        pd.testing.assert_series_equal(HawkesPoisson(86_400.0).fit(days, until=until).predict(), expected)
    with pytest.raises(RimInputError, match="until='soon' is no time"):
        HawkesPoisson(1.0).fit(walks(), until="soon")
    for until in (float("nan"), pd.NaT):
        with pytest.raises(RimInputError, match=r"until=(nan is not finite|NaT is no time)"):
            HawkesPoisson(1.0).fit(walks(), until=until)


def test_a_horizon_of_dates_is_a_span_or_seconds():
    days = walks().assign(time=lambda f: pd.Timestamp("2024-01-01") + pd.to_timedelta(f["time"], unit="D"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = HawkesPoisson(86_400.0).fit(days).predict()
        for horizon in (pd.Timedelta("1D"), timedelta(days=1), np.timedelta64(1, "D")):
            pd.testing.assert_series_equal(HawkesPoisson(horizon).fit(days).predict(), expected)
    with pytest.warns(UserWarning, match=r"horizon=28 counts seconds.*pandas.Timedelta\(days=...\)"):
        HawkesPoisson(28, n_windows=1).fit(days)
    with pytest.raises(RimInputError, match="is a span of dates, but times are numbers"):
        HawkesPoisson(pd.Timedelta("1D")).fit(walks())
    for horizon in (pd.Timedelta("-1D"), pd.NaT, "1D", None):
        with pytest.raises(RimInputError, match="horizon="):
            HawkesPoisson(horizon).fit(days)


def test_options_are_checked_before_work_starts():
    for name, value in (("width", 0), ("epochs", 0), ("batch", 0), ("n_windows", 1.5), ("random_state", -1)):
        with pytest.raises(RimInputError, match=f"{name}={value} must be a whole number >= "):
            RecurrentIntensityModel(1.0, **{name: value}).fit(walks())
    with pytest.raises(RimInputError, match="n_windows='3' must be a whole number >= 0"):
        HawkesPoisson(1.0, n_windows="3").fit(walks())
    with pytest.raises(RimInputError, match="width=7 must be even for a Transformer"):
        RecurrentIntensityModel(1.0, mark="Transformer", width=7).fit(walks())


def test_identifiers_of_mixed_types_are_refused():
    mixed = walks().assign(user=lambda f: np.where(f["user"] == "user 3", 3, f["user"]))
    with pytest.raises(RimInputError, match="column 'user' mixes int and str"):
        HawkesPoisson(1.0).fit(mixed)


def test_a_matcher_serves_one_user_by_the_names_of_the_items():
    scores = pd.DataFrame([[0.9, 0.8, 0.1], [0.8, 0.3, 0.2], [0.7, 0.5, 0.3]], columns=list("abc"))
    matcher = DualMatcher(1, min_per_item=1, levels=9).fit(scores)
    one = scores.iloc[1]
    np.testing.assert_array_equal(matcher.online(one[::-1]), matcher.online(one))
    with pytest.raises(RimInputError, match="items differ from the fitted ones"):
        matcher.online(one.rename({"a": "z"}))


@pytest.mark.parametrize("solver", ["exact", "alternating"])
def test_bounds_that_cannot_be_met_are_refused_by_both_solvers(solver):
    scores = np.random.default_rng(0).random((30, 6))
    with pytest.raises(RimInputError, match="6 items × 20 = 120 > 30 users × 1 = 30"):
        DualMatcher(1, min_per_item=20, solver=solver).fit(scores)
    with pytest.raises(RimInputError, match="max_per_user=0"):
        DualMatcher(0, solver=solver).fit(scores)
    with pytest.raises(RimInputError, match="min_per_item='2' must be a number"):
        DualMatcher(1, min_per_item="2", solver=solver).fit(scores)
    with pytest.raises(RimInputError, match="levels=0"):
        DualMatcher(1, solver=solver, levels=0).fit(scores)
    scores[2:, 4] = -np.inf
    with pytest.raises(RimInputError, match="item column 4 is masked for all but 2 users"):
        DualMatcher(1, min_per_item=3, solver=solver).fit(scores)


def test_lower_bounds_that_masks_leave_undelivered_are_told():
    scores = np.random.default_rng(0).random((30, 6))
    scores[3:, 4:] = -np.inf
    with pytest.warns(UserWarning, match="of the lower bounds are not delivered"):
        DualMatcher(1, min_per_item=3).fit(scores)


def test_a_matcher_serves_one_user_as_all(model):
    scores = model.scores()
    matcher = DualMatcher(2, min_per_item=9, levels=9).fit(scores)
    together = matcher.transform(scores)
    assert together.sum(0).min() > 9 - 0.1
    np.testing.assert_allclose(matcher.online(scores.iloc[7]), together[7], atol=1e-3)
    assert abs(matcher.gap_) < 0.01
    assert matcher.shortfall_ < 0.01
    assert matcher.excess_ == 0
    assert (matcher.prices_ <= 0).all()


def test_a_matcher_finds_items_by_name(model):
    scores = model.scores()
    matcher = DualMatcher(2, max_per_item=20).fit(scores)
    np.testing.assert_allclose(matcher.transform(scores[scores.columns[::-1]]), matcher.transform(scores))
    with pytest.raises(RimInputError, match="items differ from the fitted ones"):
        matcher.transform(scores.rename(columns={"item 1": "item 77"}))
    with pytest.raises(RimInputError, match="7 items, the matcher was fitted on 8"):
        matcher.transform(scores.to_numpy()[:, 1:])
    with pytest.raises(RimInputError, match="expected probabilities"):
        matcher.transform(-scores)


def test_scores_that_are_none_are_refused():
    scores = pd.DataFrame([[0.9, 0.8], [0.8, 0.3]], columns=["a", "b"])
    for odd in (scores.astype(str) + "?", [["a"]]):
        with pytest.raises(RimInputError, match="scores are no numbers"):
            DualMatcher(1).fit(odd)
    with pytest.raises(RimInputError, match="scores are sparse"):
        DualMatcher(1).fit(sparse.csr_array(scores.to_numpy()))
    with pytest.raises(RimInputError, match="item 'a' has more than one column"):
        DualMatcher(1).fit(scores.set_axis(["a", "a"], axis=1))
    matcher = DualMatcher(1, max_per_item=1).fit(scores)
    with pytest.raises(RimInputError, match=r"a request has the shape \(1, 2\)"):
        matcher.online(scores.iloc[[0]])
    with pytest.raises(RimInputError, match="scores are no numbers"):
        matcher.online(dict(scores.iloc[0]))
    np.testing.assert_array_equal(
        DualMatcher(np.inf, max_per_item=1).fit(scores).prices_, DualMatcher(2, max_per_item=1).fit(scores).prices_
    )


def test_a_matchers_options_are_checked(model):
    with pytest.raises(RimInputError, match="solver='greedy' is unknown"):
        DualMatcher(2, solver="greedy").fit(model.scores())
    with pytest.raises(RimInputError, match="8 items × 30 = 240 > 60 users × 2 = 120"):
        DualMatcher(2, min_per_item=30).fit(model.scores())
    loop = DualMatcher(2, max_per_item=20, solver="alternating").fit(model.scores())
    assert loop.get_params()["solver"] == "alternating"
    assert loop.prices_.shape == (8,)


def test_public_names_are_loaded_when_used():
    assert set(reprise.rim.__all__) <= set(dir(reprise.rim))
    for name in reprise.rim.__all__:
        assert getattr(reprise.rim, name).__doc__
    with pytest.raises(AttributeError, match="did you mean"):
        _ = reprise.rim.DualMatchr
