"""The four experiments with a forecaster whose answers are known, and DeepAR itself: quiet, seeded, without traces."""

import logging
import random
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from reprise.psa_gan.deepar import DeepARForecaster, ForecastRecipe, entries_of, lags_for
from reprise.psa_gan.forecast_errors import errors, normalised_deviation, nrmse
from reprise.psa_gan.forecasting import (
    Filler,
    Task,
    cold_panel,
    cold_start,
    far_forecasting,
    forecast,
    generation,
    hidden_future,
    missing_stretches,
    with_missing_stretches,
)
from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.names import MOVING_AVERAGE, TRUE_VALUES
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.scaling import MinMaxScaler

HORIZON, WINDOW, HELD_OUT = 4, 8, 28


class LastValue:
    """Forecasts the last value of a history, or −1 where that is missing; keeps what it was given."""

    def __init__(self):
        self.recipe = SimpleNamespace(horizon=HORIZON)
        self.seen, self.fitted = [], None

    def fit(self, panel):
        self.fitted = panel.values.clone()
        return self

    def sample(self, histories, starts, n_samples=None):
        self.seen.append([np.array(one) for one in histories])
        last = torch.tensor([-1.0 if np.isnan(one[-1]) else float(one[-1]) for one in histories])
        return last[None, :, None].expand(n_samples, -1, HORIZON)


class Oracle:
    """A source that knows the panel, with a shift of its own for each seed."""

    def __init__(self, panel, shift=0.0):
        self.panel, self.shift, self.calls = panel, shift, 0

    def __call__(self, series, start, seed=0, context=None):
        self.calls += 1
        padded = torch.nn.functional.pad(self.panel.values.nan_to_num(9.0), (0, WINDOW), value=9.0)
        steps = start[:, None] + torch.arange(WINDOW)
        return padded[series[:, None], steps] + self.shift


@pytest.fixture
def task():
    generator = np.random.default_rng(0)
    values = [10.0 ** (k + 1) + generator.random(n).cumsum() for k, n in enumerate((150, 120, 150))]
    panel = TimeSeriesPanel(values, "2000-01-03", "h")
    train_lengths = panel.lengths - HELD_OUT
    scaler = MinMaxScaler.fit(panel.until(train_lengths))
    return Task(scaler.transform(panel), scaler, train_lengths, n_paths=6)


def value(scores, **wanted):
    found = [s["value"] for s in scores if all(s[key] == one for key, one in wanted.items())]
    assert len(found) == 1
    return found[0]


def test_errors_have_their_formula_and_agree_with_gluonts():
    truth = torch.tensor([[1.0, -2.0], [3.0, 4.0]])
    off = torch.tensor([[1.0, 0.0], [0.0, -2.0]])
    assert nrmse(truth + off, truth) == pytest.approx((5 / 4) ** 0.5 / 2.5)
    assert normalised_deviation(truth + off, truth) == pytest.approx(3 / 10)
    from gluonts.ev.metrics import ND, NRMSE

    paths = truth + torch.randn(7, 2, 2, generator=torch.Generator().manual_seed(0))
    found = errors(paths, truth, MinMaxScaler(torch.zeros(2), torch.ones(2)))
    data = [{"label": truth.numpy(), "mean": paths.mean(0).numpy(), "0.5": paths.quantile(0.5, dim=0).numpy()}]
    for name, metric in (("NRMSE", NRMSE()), ("ND", ND())):
        evaluator = metric()
        evaluator.update_all(iter(data))
        assert found[name] == pytest.approx(float(evaluator.get()), rel=1e-5)


def test_errors_are_on_the_original_scale_and_on_the_scaled_one():
    truth = torch.tensor([[10.0, 30.0]])
    scaler = MinMaxScaler(torch.tensor([10.0]), torch.tensor([40.0]))
    found = errors(torch.tensor([[[0.0, 0.0]], [[0.0, 1.0]]]), truth, scaler)
    assert found["NRMSE"] == pytest.approx(0)
    found = errors(torch.tensor([[[0.25, 0.5]]]), truth, scaler)
    assert found["NRMSE"] == pytest.approx((10**2 / 2) ** 0.5 / 20)
    assert found["NRMSE, scaled"] == pytest.approx((0.25**2 / 2) ** 0.5 / 0.25)


def test_far_forecasts_see_the_fillings_and_never_the_hidden_values(task):
    forecaster = LastValue()
    fillers = {"oracle": Filler(Oracle(task.panel), WINDOW, n_fillings=2), "zero": Filler(zeros, WINDOW, n_fillings=1)}
    scores = far_forecasting(task, forecaster, fillers, (0, 1, 5))
    assert {s["method"] for s in scores} == {"oracle", "zero", MOVING_AVERAGE, TRUE_VALUES}
    for distance in (0, 1, 5):
        best = value(scores, method=TRUE_VALUES, metric="NRMSE", at=distance)
        assert value(scores, method="oracle", metric="NRMSE", at=distance) == pytest.approx(best, rel=1e-5)
        worst = value(scores, method="zero", metric="NRMSE", at=distance)
        assert worst == pytest.approx(best) if distance == 0 else worst > best
    ends = (task.train_lengths + 5 * HORIZON).tolist()
    moving, true = forecaster.seen[-4], forecaster.seen[-1]
    assert [len(one) for one in true] == ends
    for place, start in enumerate(task.train_lengths.tolist()):
        np.testing.assert_array_equal(true[place], task.panel.values[place, : ends[place]])
        assert np.isnan(moving[place][start:]).all()
        np.testing.assert_array_equal(moving[place][:start], task.panel.values[place, :start])


def zeros(series, start, seed=0, context=None):
    return torch.zeros(len(series), WINDOW)


def test_fillings_share_the_paths(task):
    values = torch.stack([task.panel.values, task.panel.values + 1])
    paths = forecast(LastValue(), values, task.train_lengths, task.panel.starts, 6)
    assert paths.shape == (6, 3, HORIZON)
    above = (paths - paths[0]).round(decimals=4)
    assert above[:, 0, 0].tolist() == [0, 1, 0, 1, 0, 1]
    assert torch.equal(above, above[:, :1, :1].expand_as(above))


def test_distances_beyond_the_end_are_refused(task):
    hidden_future(task, 24, HORIZON)
    with pytest.raises(
        PSAGANInputError, match="4 steps after 28 hidden ones reaches beyond a series' end; hold out 32"
    ):
        hidden_future(task, 28, HORIZON)


def test_one_stretch_of_each_series_is_hidden_in_the_second_part(task):
    train = task.train
    first, hidden = with_missing_stretches(train, 10, seed=0)
    assert first.lengths.tolist() == [61, 46, 61]
    missing = hidden.values.isnan() & ~train.values.isnan()
    assert missing.sum(1).tolist() == [10, 10, 10]
    for row, begin in zip(missing, first.lengths.tolist(), strict=True):
        places = row.nonzero().ravel()
        assert int(places.min()) >= begin
        assert int(places.max() - places.min()) == 9
    places = {
        int(with_missing_stretches(train, 46, seed=seed)[1].values[1].isnan().int().argmax()) for seed in range(9)
    }
    assert places == {46}
    with pytest.raises(PSAGANInputError, match="stretches of 47 steps do not fit into the second part of series 1"):
        with_missing_stretches(train, 47, seed=0)


def test_each_arm_trains_on_its_own_filling(task):
    _, hidden = with_missing_stretches(task.train, 10, seed=0)
    made = []

    def new():
        made.append(LastValue())
        return made[-1]

    scores = missing_stretches(task, hidden, new, {"oracle": Filler(Oracle(task.panel), WINDOW, n_fillings=2)})
    assert [s["method"] for s in scores[::3]] == ["oracle", MOVING_AVERAGE, TRUE_VALUES]
    torch.testing.assert_close(made[0].fitted, made[2].fitted, equal_nan=True)
    assert made[1].fitted.isnan().sum() == task.train.values.isnan().sum() + 30


def test_cold_series_know_their_last_values_alone(task):
    original = task.scaler.inverse_transform(task.panel.values, torch.arange(3))
    panel = task.panel.with_values(original)
    cold = torch.tensor([1])
    found = cold_panel(panel, task.train_lengths, cold, n_known=24)
    start = int(task.train_lengths[1]) - 24
    assert found.values[1].isnan().nonzero().ravel().tolist()[:start] == list(range(start))
    torch.testing.assert_close(found.values[1, start:], original[1, start:], equal_nan=True)
    torch.testing.assert_close(found.values[[0, 2]], original[[0, 2]], equal_nan=True)
    scaler = MinMaxScaler.fit(found.until(task.train_lengths))
    cold_task = Task(scaler.transform(found), scaler, task.train_lengths, n_paths=4)
    forecaster = LastValue()
    whole = scaler.transform(panel)
    scores = cold_start(cold_task, forecaster, {"zero": Filler(zeros, WINDOW, n_fillings=2)}, cold, whole)
    assert {s["method"] for s in scores} == {"zero", MOVING_AVERAGE, TRUE_VALUES}
    filled, moving, true = forecaster.seen
    np.testing.assert_allclose(true[0], whole.values[1, : len(true[0])])
    assert (len(filled), len(moving)) == (2, 1)
    assert (filled[0][:start] == 0).all()
    assert np.isnan(moving[0][:start]).all()
    np.testing.assert_array_equal(filled[0][start:], moving[0][start:])


def test_generation_takes_the_first_steps_of_windows(task):
    shifted = Filler(Oracle(task.panel, shift=0.5), WINDOW)
    assert value(generation(task, Filler(Oracle(task.panel), WINDOW), "g", (3,), HORIZON), metric="NRMSE", at=3) < 1e-6
    found = generation(task, shifted, "g", (0, 3), HORIZON)
    ends = task.train_lengths + 3 * HORIZON
    truth = task.truth(ends, HORIZON)
    off = (0.5 * task.scaler.scale[:, None]).expand_as(truth)
    assert value(found, metric="NRMSE", at=3) == pytest.approx(nrmse(truth + off, truth), rel=1e-5)
    with pytest.raises(PSAGANInputError, match="horizon=9 is longer than the window of 8"):
        generation(task, shifted, "g", (0,), 9)


def test_lags_fit_the_shortest_series():
    assert max(lags_for("h", 524, 64)) == 169
    assert max(lags_for("h", 120, 64)) == 49
    assert lags_for("B", 60, 20) == (1, 2, 3, 4, 5, 6)


# ---- DeepAR --------------------------------------------------------------------------------------------------

SMALL = ForecastRecipe(horizon=4, epochs=1, batches_per_epoch=2, batch_size=8, layers=1, cells=4, n_samples=5)


@pytest.fixture(scope="module")
def daily():
    hours = np.arange(200)
    values = [0.5 + 0.4 * np.sin(2 * np.pi * (hours + phase) / 24) for phase in range(4)]
    return TimeSeriesPanel([*values[:3], values[3][:180]], "2000-01-03", "h")


def histories_of(panel):
    values = panel.values.numpy()
    return [row[:length] for row, length in zip(values, panel.lengths.tolist(), strict=True)]


def test_deepar_is_seeded_and_leaves_global_generators_alone(daily, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    first, second = (DeepARForecaster("h", SMALL, seed=1).fit(daily) for _ in range(2))
    found = first.sample(histories_of(daily), daily.starts)
    assert found.shape == (5, 4, 4)
    assert torch.equal(found, second.sample(histories_of(daily), daily.starts))
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])
    assert logging.getLogger("lightning.pytorch").level != logging.ERROR
    assert list(tmp_path.iterdir()) == []
    other = DeepARForecaster("h", SMALL, seed=2).fit(daily)
    assert not torch.equal(found, other.sample(histories_of(daily), daily.starts))


def test_a_history_is_a_forecast_while_its_context_holds_an_observed_value(daily):
    """GluonTS scales by what is observed in the context: with nothing there, all is forecast as 0."""
    known = histories_of(daily)
    gaps = [np.concatenate([one[:-10], np.full(10, np.nan, dtype=np.float32)]) for one in known]
    short, long = (DeepARForecaster("h", replace(SMALL, context=steps), seed=1).fit(daily) for steps in (None, 16))
    assert short.sample(gaps, daily.starts, 3).abs().max() < 1e-6
    found = long.sample(gaps, daily.starts, 3)
    assert found.abs().max() > 0.01
    assert len(found.unique()) == found.numel()
    assert not torch.equal(found, long.sample(known, daily.starts, 3))


def test_deepar_says_nothing(tmp_path):
    code = (
        "import numpy as np\n"
        "from reprise.psa_gan.deepar import DeepARForecaster, ForecastRecipe\n"
        "from reprise.psa_gan.panel import TimeSeriesPanel\n"
        "p = TimeSeriesPanel(np.random.default_rng(0).random((3, 120)), '2000-01-03', 'h')\n"
        "r = ForecastRecipe(horizon=4, epochs=2, batches_per_epoch=2, batch_size=4, layers=1, cells=4)\n"
        "DeepARForecaster('h', r).fit(p).sample(list(p.values.numpy()), p.starts, 2)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_what_deepar_cannot_use_is_refused(daily):
    with pytest.raises(PSAGANInputError, match="call fit"):
        DeepARForecaster("h", SMALL).sample(histories_of(daily), daily.starts)
    with pytest.raises(
        PSAGANInputError,
        match="the shortest series has 180 steps; DeepAR needs more than its context and horizon, 180 together",
    ):
        DeepARForecaster("h", ForecastRecipe(horizon=90)).fit(daily)


def test_entries_are_what_gluonts_takes(daily):
    entries = entries_of(daily.values.numpy(), daily.lengths.tolist(), daily.starts, "h")
    assert [len(one["target"]) for one in entries] == [200, 200, 200, 180]
    assert str(entries[0]["start"]) == "2000-01-03 00:00"
