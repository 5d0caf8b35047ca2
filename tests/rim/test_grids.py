"""A longer grid of time scales is judged on users left out, and wins where memory is long."""

import numpy as np

from reprise.rim import grids
from reprise.rim.activity import hawkes_poisson
from reprise.rim.events import make_events
from reprise.rim.kernel_features import LONGER_SCALES, SCALES
from reprise.rim.splits import temporal_split


def test_the_longer_grid_holds_the_papers():
    np.testing.assert_allclose(LONGER_SCALES[: len(SCALES)], SCALES, rtol=1e-12)
    assert LONGER_SCALES[-1] == 1000


def test_halves_judge_everybody_once_and_never_on_what_was_fitted():
    folds = grids.halves(11, np.random.default_rng(0))
    assert sorted(np.concatenate([judged for _, judged in folds]).tolist()) == list(range(11))
    for fitted, judged in folds:
        assert not set(fitted) & set(judged)
        assert len(fitted) + len(judged) == 11


def steady_users(seed=0, n_users=120, length=400.0):
    """Return users with a rate of their own that never changes: the whole past counts, however old it is."""
    draw = np.random.default_rng(seed)
    counts = draw.poisson(length * draw.gamma(0.5, 0.5, n_users))
    user = np.repeat(np.arange(n_users), counts)
    return make_events(user, np.zeros(len(user), dtype=int), draw.uniform(0, length, len(user)))


def test_where_memory_is_long_the_longer_grid_has_the_lower_loss_on_users_left_out():
    split = temporal_split(steady_users(), 399.0, 1.0, n_windows=3)
    found = grids.losses_of_hp(split, np.random.default_rng(0))
    assert list(found) == list(grids.GRIDS)
    assert found["longer scales"] < found[grids.PAPERS_GRID]
    contrasts = grids.losses_of_hawkes(split, np.random.default_rng(0))
    assert all(np.isfinite(value) for value in contrasts.values())


def test_a_model_on_the_longer_grid_predicts_with_it():
    split = temporal_split(steady_users(), 399.0, 1.0, n_windows=3)
    longer = hawkes_poisson(split, LONGER_SCALES)(split.test)
    error = [np.mean((model - split.test.n_future) ** 2) for model in (longer, hawkes_poisson(split)(split.test))]
    assert longer.shape == (len(split.test),)
    assert error[0] < 1.1 * error[1]
