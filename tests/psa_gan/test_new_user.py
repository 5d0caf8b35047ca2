"""What a new user gets wrong, and pairs of windows from a fitted model."""

import numpy as np
import pandas as pd
import pytest
import torch

from reprise.psa_gan import (
    PSAGAN,
    ContextFID,
    PSAGANInputError,
    TimeSeriesPanel,
    make_panel,
    paired_windows,
    scaled_panel,
)
from reprise.psa_gan.controls import LastSeason

SIZE = {"window": 16, "channels": 4, "batch_size": 8, "max_steps": 4}


@pytest.fixture(scope="module")
def frame():
    return make_panel(4, days=21).to_frame()


@pytest.fixture(scope="module")
def model(frame):
    return PSAGAN(**SIZE, context=8).fit(frame.iloc[:, :336])


def test_pairs_are_of_the_same_series_and_time_behind_the_first_step(model, frame):
    real, fake = paired_windows(model, frame, n=200, first=336)
    assert real.shape == fake.shape == (200, 16)
    scaled = model.scaler_.transform(TimeSeriesPanel.of(frame)).values
    held_out = {tuple(one.tolist()) for row in scaled for one in row[336:].unfold(0, 16, 1)}
    assert {tuple(one.tolist()) for one in real} <= held_out
    again, copied = paired_windows(model, frame, n=200, first=336, source=LastSeason(scaled_panel(model), 16))
    assert torch.equal(again, real)
    before = {tuple(one.tolist()) for row in scaled for one in row[168:336].unfold(0, 16, 1)}
    assert sum(tuple(one.tolist()) in before for one in copied) > 150
    torch.testing.assert_close(paired_windows(model, frame, n=200, first=336)[1], fake)


def test_the_panel_of_the_fit_is_the_default_and_scaled_to_0_and_1(model):
    real, _ = paired_windows(model, n=300)
    assert 0 <= float(real.min()) <= float(real.max()) <= 1
    values = scaled_panel(model).values
    torch.testing.assert_close(values.amin(1), torch.zeros(4), atol=1e-6, rtol=0)
    torch.testing.assert_close(values.amax(1), torch.ones(4))


def test_pairs_of_what_is_not_fitted_or_of_other_series_are_refused(model, frame):
    with pytest.raises(PSAGANInputError, match="call fit"):
        paired_windows(PSAGAN(**SIZE))
    with pytest.raises(PSAGANInputError, match="call fit"):
        scaled_panel(PSAGAN(**SIZE))
    with pytest.raises(PSAGANInputError, match="give the same series in the same order"):
        paired_windows(model, frame.iloc[::-1])
    with pytest.raises(PSAGANInputError, match="first=495 leaves 9 steps of the longest series, and a window has 16"):
        paired_windows(model, frame, first=495)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda f: PSAGAN(window=48), r"window must be a power of two ≥ 8 \(got 48\); try 32 or 64"),
        (lambda f: PSAGAN(window=4), "try 8 or 16"),
        (lambda f: PSAGAN(context=-1), "context=-1"),
        (lambda f: PSAGAN(window=64, max_steps=2), "max_steps=2"),
        (lambda f: PSAGAN(lr=0), "lr=0"),
        (lambda f: PSAGAN(noise="none"), "noise='none'"),
        (lambda f: PSAGAN(**SIZE).sample(), "call fit"),
        (lambda f: PSAGAN(**SIZE).fit(f.T), "transpose"),
        (lambda f: PSAGAN(**SIZE).fit(f.to_numpy()), "has no calendar"),
        (lambda f: PSAGAN(**{**SIZE, "window": 512, "max_steps": 20}).fit(f), "no series has 512 steps"),
        (lambda f: TimeSeriesPanel(np.zeros((2, 5, 3)), "2000-01-01", "h"), "reshape M channels into M series"),
        (lambda f: TimeSeriesPanel([], "2000-01-01", "h"), "holds no series"),
        (lambda f: TimeSeriesPanel([[1.0, np.inf]], "2000-01-01", "h"), "infinite values"),
        (lambda f: TimeSeriesPanel([[1.0, 2.0]], "2000-01-01", "fortnight"), "fortnight"),
        (
            lambda f: TimeSeriesPanel(np.zeros((2, 120)), "2000-01-01", "h", feat_dynamic=np.zeros((1, 100))),
            r"feat_dynamic has T=100, target has T=120",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(attempt, message, frame):
    with pytest.raises(PSAGANInputError, match=message):
        attempt(frame)


def test_gaps_are_named_with_their_series_and_what_helps(frame):
    gaps = frame.copy()
    gaps.iloc[2, 50:60] = np.nan
    with pytest.raises(PSAGANInputError, match=r"2 \(10\).*impute"):
        PSAGAN(**SIZE).fit(gaps)
    assert PSAGAN(**SIZE, allow_nan=True).fit(gaps).sample().shape == (1, 4, 16)


def test_unsorted_and_irregular_times_are_refused():
    times = pd.date_range("2024-01-01", periods=60, freq="h")
    long = pd.DataFrame({"shop": "a", "time": times, "sales": np.arange(60.0)})
    with pytest.raises(PSAGANInputError, match="not sorted"):
        TimeSeriesPanel.from_long(long.iloc[::-1], "shop", "time", "sales", freq="h")
    with pytest.raises(PSAGANInputError, match="put missing steps in"):
        TimeSeriesPanel.from_long(long.drop(index=7), "shop", "time", "sales", freq="h")


def test_constant_series_are_scaled_to_0_with_a_warning(frame):
    flat = frame.copy()
    flat.iloc[1] = 7.0
    with pytest.warns(UserWarning, match="constant series"):
        fitted = PSAGAN(**SIZE).fit(flat)
    assert np.isfinite(fitted.sample()).all()


def test_unseen_series_and_too_early_starts_are_refused(model, frame):
    with pytest.raises(PSAGANInputError, match="series 17 was not seen in fit"):
        model.sample(series=17)
    with pytest.raises(PSAGANInputError, match="begin at step 8 or later"):
        model.sample(start=3)
    with pytest.raises(PSAGANInputError, match="was not seen in fit"):
        model.impute(frame.rename(index={0: "other"}))


def test_a_score_of_unscaled_windows_is_warned_of(model, frame):
    recipe = {"dim": 4, "depth": 1, "channels": 4, "reduced": 4, "batch_size": 4, "max_length": 20, "n_steps": 2}
    scorer = ContextFID(**recipe).fit(scaled_panel(model))
    real, fake = paired_windows(model, frame, n=200)
    with pytest.warns(UserWarning, match="on the scale of the panel"):
        scorer.score(real, 1e4 * fake, n_draws=2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n": 0}, "n=0 must be a whole number of at least 1"),
        ({"n": 2.5}, r"n=2\.5"),
        ({"first": -5}, "first=-5"),
        ({"seed": None}, "seed=None"),
        ({"source": 3}, "source=3 cannot be called"),
        ({"source": lambda series, start, seed=0: torch.zeros(3, 4)}, r"shape \(3, 4\), not \(8, 16\)"),
        ({"model": None}, "model=None is no PSAGAN"),
    ],
)
def test_pairs_that_cannot_be_drawn_are_refused(model, frame, changes, words):
    with pytest.raises(PSAGANInputError, match=words):
        paired_windows(**{"model": model, "data": frame, "n": 8, **changes})
