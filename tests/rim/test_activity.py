"""Activity models on small cases and on the generator, and the baselines' shapes and links."""

from typing import get_args

import numpy as np
import pytest

from reprise.rim import activity, baselines, data
from reprise.rim.events import make_events, requests_at
from reprise.rim.input_checks import RimInputError
from reprise.rim.settings import Baseline
from reprise.rim.splits import temporal_split


@pytest.fixture(scope="module")
def split():
    return data.load_split(data.EMBEDDED, 0)


def test_pop_and_ema_are_what_they_say():
    events = make_events(np.array([0, 0, 1]), np.zeros(3, int), np.array([0.0, 3.0, 4.0]))
    split = temporal_split(events, 5.0, 2.0, n_windows=0)
    assert activity.user_popularity(split)(split.test).tolist() == [2.01, 1.01]
    expected = [np.exp(-2.5) + np.exp(-1.0), np.exp(-0.5)]
    np.testing.assert_allclose(activity.moving_average(split)(split.test), expected)
    assert activity.constant(split)(split.test).tolist() == [1, 1]


@pytest.mark.parametrize("name", [*activity.PAPERS_MODELS, *activity.FURTHER_MODELS])
def test_every_model_predicts_one_finite_number_a_request_and_does_not_look_ahead(name, split):
    models = {**activity.PAPERS_MODELS, **activity.FURTHER_MODELS}
    found = models[name](split)(split.test)
    assert found.shape == (len(split.test),)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    blind = requests_at(split.train, split.test.user, split.ends, split.horizon)
    assert blind.targets.nnz == 0
    np.testing.assert_array_equal(models[name](split)(blind), found)


@pytest.mark.parametrize("name", ["UserPop", "EMA", "Hawkes", "HP"])
def test_models_of_activity_predict_the_future_count(name, split):
    found = activity.PAPERS_MODELS[name](split)(split.test)
    assert np.corrcoef(found, split.test.n_future)[0, 1] > 0.5


def test_expected_counts_are_of_the_right_size(split):
    for model in (activity.hawkes_poisson, activity.boosted_counts, activity.count_and_recency):
        assert model(split)(split.test).mean() == pytest.approx(split.test.n_future.mean(), rel=0.35)


def test_without_validation_requests_there_is_no_regression():
    events = make_events(np.array([0, 0]), np.zeros(2, int), np.array([0.0, 3.0]))
    with pytest.raises(RimInputError, match="HP needs validation requests"):
        activity.hawkes_poisson(temporal_split(events, 5.0, 2.0, n_windows=0))


@pytest.mark.parametrize("name", get_args(Baseline))
def test_baselines_find_planted_groups(name):
    draw = np.random.default_rng(0)
    user = np.repeat(np.arange(60), 15)
    item = draw.integers(0, 10, len(user)) + 10 * (user % 2)
    split = temporal_split(make_events(user, item, draw.uniform(0, 1, len(user))), 1.0, 0.3)
    scores = baselines.baseline_scores(name, split, split.test, 0, "groups")
    assert scores.shape == (60, 20)
    assert (scores > 0).all()
    own = np.where((np.arange(60) % 2)[:, None] == (np.arange(20) >= 10), scores, np.nan)
    other = np.where((np.arange(60) % 2)[:, None] == (np.arange(20) >= 10), np.nan, scores)
    assert np.nanmean(own) > 1.2 * np.nanmean(other)
    np.testing.assert_array_equal(scores, baselines.baseline_scores(name, split, split.test, 0, "groups"))


def test_item_popularity_is_a_distribution(split):
    popularity = baselines.item_popularity(split)
    assert popularity.sum() == pytest.approx(1)
    assert np.argmax(popularity) == np.argmax(split.item_counts())
