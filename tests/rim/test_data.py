"""Events, splits and generator: nothing of the future is known, and counts are those of the files."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from reprise.errors import UnknownNameError
from reprise.rim import data, generators
from reprise.rim.events import from_frame, make_events, requests_at
from reprise.rim.input_checks import LeakageError, RimInputError
from reprise.rim.splits import check_targets, check_windows, temporal_split, user_split


def random_events(seed=0, n=600, n_users=30, n_items=15):
    draw = np.random.default_rng(seed)
    return make_events(draw.integers(0, n_users, n), draw.integers(0, n_items, n), np.round(draw.uniform(0, 10, n), 2))


def test_requests_count_past_and_future_by_brute_force():
    events = random_events()
    ends = np.random.default_rng(1).uniform(3, 8, len(events.users))
    requests = requests_at(events, np.arange(30), ends, 1.5)
    targets = requests.targets.toarray()
    for place, (user, end) in enumerate(zip(requests.user, requests.end, strict=True)):
        mine = events.user == user
        past = mine & (events.time < end)
        assert requests.time[requests.indptr[place] : requests.indptr[place + 1]].tolist() == events.time[past].tolist()
        future = mine & (events.time >= end) & (events.time < end + 1.5)
        assert targets[place].tolist() == np.bincount(events.item[future], minlength=15).tolist()
    np.testing.assert_array_equal(requests.n_future, targets.sum(1))
    chosen = requests.only(np.array([4, 2]))
    assert chosen.user.tolist() == requests.user[[4, 2]].tolist()
    assert chosen.n_past.tolist() == requests.n_past[[4, 2]].tolist()


def test_by_visit_keeps_each_time_once():
    events = make_events(np.array([0, 0, 0, 1]), np.arange(4), np.array([1.0, 1.0, 2.0, 2.0]))
    visits = requests_at(events, np.arange(2), np.full(2, 9.0), 1.0).by_visit()
    assert visits.time.tolist() == [1.0, 2.0, 2.0]
    assert visits.n_past.tolist() == [2, 1]


def known(split):
    """Return all that models may learn from, as plain lists."""
    parts = [split.train.user, split.train.item, split.train.time, split.candidates, split.ends]
    for requests in (split.test, *split.validation):
        parts += [requests.user, requests.end, requests.item, requests.time, [requests.horizon]]
    for requests in split.validation:
        parts.append(requests.targets.toarray().ravel())
    return [np.asarray(part).tolist() for part in parts]


def changed_future(events, ends):
    """Return the events with all items behind each user's T permuted, half of them moved later, a quarter removed."""
    draw = np.random.default_rng(5)
    future = np.flatnonzero(events.time >= ends[events.user])
    item, time = events.item.copy(), events.time.copy()
    item[future] = draw.permutation(item[future])
    time[future[::2]] += 3.0
    kept = np.ones(len(events), dtype=bool)
    kept[future[::4]] = False
    users, items = events.users[events.user], events.items[item]
    changed = make_events(users[kept], items[kept], time[kept])
    assert changed.users.tolist() == events.users.tolist()
    assert changed.items.tolist() == events.items.tolist()
    return changed


@pytest.mark.parametrize("seed", range(5))
def test_a_user_split_knows_nothing_of_what_test_users_do_later(seed):
    events = random_events(seed)
    split = user_split(events, seed)
    other = user_split(changed_future(events, split.ends), seed)
    assert known(other) == known(split)
    assert np.isinf(split.ends).sum() == 15
    assert not set(split.test.user) & set(split.validation[0].user)


@pytest.mark.parametrize("seed", range(5))
def test_a_temporal_split_knows_nothing_of_what_comes_later(seed):
    events = random_events(seed)
    split = temporal_split(events, 7.0, 1.0, n_windows=2, least_item_events=20)
    other = temporal_split(changed_future(events, split.ends), 7.0, 1.0, n_windows=2, least_item_events=20)
    assert known(other) == known(split)
    assert split.train.time.max() < 7.0


def test_no_target_stands_in_a_training_sequence():
    for split in (user_split(random_events(), 0), temporal_split(random_events(), 7.0, 1.0)):
        trained = set(zip(split.train.user.tolist(), split.train.time.tolist(), strict=True))
        ends = dict(zip(split.test.user.tolist(), split.test.end.tolist(), strict=True))
        assert all(time < ends[user] for user, time in trained if user in ends)
        assert (split.test.targets.sum(axis=0)[np.setdiff1d(np.arange(15), split.candidates)] == 0).all()
        for user, end, low, high in zip(
            split.test.user, split.test.end, split.test.indptr[:-1], split.test.indptr[1:], strict=True
        ):
            assert (split.test.time[low:high] < end).all(), user


def test_items_are_filtered_by_training_events_only():
    events = make_events(np.array([0, 0, 0, 1, 1]), np.array([7, 7, 8, 8, 8]), np.array([0.0, 1.0, 2.0, 6.0, 6.5]))
    split = temporal_split(events, 5.0, 2.0, least_item_events=2)
    assert events.items[split.candidates].tolist() == [7]
    assert split.train.item.tolist() == [0, 0]


def test_windows_that_overlap_the_test_are_refused():
    events = random_events()
    test = requests_at(events, np.arange(30), np.full(30, 7.0), 1.0)
    early, late = (requests_at(events, np.arange(30), np.full(30, at), 1.0) for at in (6.0, 6.5))
    check_windows(test, (early,))
    with pytest.raises(LeakageError, match="reaches beyond T=7"):
        check_windows(test, (late,))


def frame_of(user=(1, 1), item=(2, 3), time=(0.0, 1.0)):
    return pd.DataFrame({"user": user, "item": item, "time": time})


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (frame_of().rename(columns={"item": "thing"}), r"lack the column\(s\) item; rename"),
        (frame_of(user=(1, None)), "'user' has 1 missing values, the first in row 1"),
        (frame_of(time=(0.0, np.nan)), "'time' has 1 missing values, the first in row 1"),
        (frame_of(time=pd.to_datetime(["2020-01-01", None])), "'time' has 1 missing"),
        (frame_of(time=("1", "soon")), "'soon' in row 1, which is no time"),
        (frame_of(time=(np.inf, 0.0)), "not finite in row 0"),
        (frame_of()[:0], "empty"),
    ],
)
def test_frames_that_cannot_be_used_are_refused(frame, message):
    with pytest.raises(RimInputError, match=message):
        from_frame(frame)


def test_frames_are_sorted_dates_become_seconds_and_duplicates_are_told():
    days = pd.DataFrame({"user": ["a", "a"], "item": [1, 2], "time": pd.to_datetime(["2020-01-02", "2020-01-01"])})
    events = from_frame(days)
    assert np.diff(events.time).tolist() == [86_400.0]
    assert events.items[events.item].tolist() == [2, 1]
    aware = from_frame(days.assign(time=days["time"].dt.tz_localize("UTC")))
    assert aware.time.tolist() == events.time.tolist()
    twice = pd.DataFrame({"user": [1, 1], "item": [2, 2], "time": [0.0, 0.0]})
    with pytest.warns(UserWarning, match=r"1 of 2 events \(50\.0%\)"):
        from_frame(twice)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_frame(days)


def test_times_that_do_not_fit_are_refused():
    events = random_events()
    with pytest.raises(RimInputError, match=r"no events before T=-1"):
        temporal_split(events, -1.0, 1.0)
    with pytest.raises(RimInputError, match=r"check units \(seconds vs milliseconds\)"):
        check_targets(temporal_split(events, 7000.0, 1.0).test)
    for horizon in (0, -1, np.inf, np.nan, "day"):
        with pytest.raises(RimInputError, match="horizon="):
            temporal_split(events, 5.0, horizon)
    with pytest.raises(RimInputError, match="lower least_item_events"):
        temporal_split(events, 5.0, 1.0, least_item_events=10_000)


def test_shoppers_follow_their_recipe():
    events, shoppers = generators.make_shoppers(0)
    assert 9_000 < len(events) < 14_000
    assert events.time.max() < 3
    assert shoppers.rate.mean() == pytest.approx(4.0, rel=0.2)
    again, _ = generators.make_shoppers(0)
    assert again.time.tolist() == events.time.tolist()
    same_group = (np.diff(events.user) == 0) & (
        events.items[events.item][1:] // 20 == events.items[events.item][:-1] // 20
    )
    assert same_group.sum() / (np.diff(events.user) == 0).sum() > 0.85


def test_the_true_intensity_predicts_the_counts():
    events, shoppers = generators.make_shoppers(1, 2000)
    starts = events.indptr
    histories = [events.time[low:high] for low, high in pairwise(starts)]
    expected = sum(shoppers.expected_count(u, t[t < 2.5], 2.5, 0.5) for u, t in enumerate(histories))
    actual = sum(((t >= 2.5) & (t < 3.0)).sum() for t in histories)
    assert actual == pytest.approx(expected, rel=0.06)
    # Over a short time the expected count is intensity times time.
    for user in (3, 50, 700):
        t = histories[user][histories[user] < 2.5]
        short = shoppers.expected_count(user, t, 2.5, 1e-6) / 1e-6
        assert short == pytest.approx(shoppers.intensity(user, t, 2.5), rel=1e-4)


def test_later_halves_hold_the_last_half_of_each_user():
    user, time = np.repeat([0, 1, 2], [4, 5, 1]), np.r_[0:4, 0:5, 0:1].astype(float)
    events = data.second_halves(user, np.arange(10), time)
    assert [events.time[events.user == u].tolist() for u in range(3)] == [[1, 2, 3], [2, 3, 4], [0]]


def test_an_unknown_data_set_is_named():
    with pytest.raises(UnknownNameError, match="movielens-100k"):
        data.load("movielens")


@pytest.mark.real_data
def test_movielens_is_what_the_specification_counts():
    events = data.load(data.MOVIES)
    assert (len(events.users), len(events.items)) == (943, 1682)
    split = data.load_split(data.MOVIES, 0)
    assert len(split.test) == 471
    assert split.exclude_past


@pytest.mark.real_data
def test_invoices_are_what_the_specification_counts():
    events = data.load(data.RETAIL)
    assert (len(events), len(events.users), len(events.items)) == (386_354, 4_335, 3_659)
    split = data.load_split(data.RETAIL, 0)
    assert (len(split.train), len(split.test), len(split.candidates)) == (217_225, 3_311, 2_423)
    assert split.test.targets.sum() == 25_920
    assert len(split.validation) == 3
