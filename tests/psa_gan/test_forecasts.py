"""Which histories the study's forecasts see, with a forecaster that says the last value and keeps what it was given."""

from typing import ClassVar

import numpy as np
import pytest
import torch

from reprise.psa_gan import forecasts, gap_forecasts
from reprise.psa_gan.cell import Cell
from reprise.psa_gan.controls import LastSeason
from reprise.psa_gan.forecast_errors import nrmse
from reprise.psa_gan.forecasting import Filler, with_missing_stretches
from reprise.psa_gan.forecasts import Bench, forecast_rows
from reprise.psa_gan.models import main_model
from reprise.psa_gan.names import (
    BOOTSTRAP,
    DEEPAR,
    LAST_DAY,
    LAST_SEASON,
    MOVING_AVERAGE,
    PSA,
    PSA_C,
    REAL,
    ROLLING_MEAN,
    SEASONAL_AR,
    TRUE_VALUES,
)
from reprise.psa_gan.scaling import MinMaxScaler
from reprise.psa_gan.settings import Settings

WEEK = 168
SMALL = Settings(
    windows=(32,), ablation_window=32, steps=10, ablation_steps=10, channels=4, context=8, batch_size=8,
    models=("PSA-GAN", "PSA-GAN-C"), variants=(), encoder_steps=3, forecast_series=3, forecast_samples=4, fillings=2,
    ranked_generators=1, curve_points=2, gap_lengths=(20,), cold_shares=(0.1,),
)  # fmt: skip


class LastValue:
    """Forecasts the last value of a history, a missing one as 0; keeps what it was given."""

    made: ClassVar[list[object]] = []

    def __init__(self, freq, recipe, seed):
        self.recipe, self.fitted, self.seen = recipe, None, []
        LastValue.made.append(self)

    def fit(self, panel):
        self.fitted = panel
        return self

    def sample(self, histories, starts, n_samples=None):
        self.seen.append([np.array(one) for one in histories])
        last = torch.tensor([float(np.nan_to_num(one[-1])) for one in histories])
        return last[None, :, None].expand(n_samples, -1, self.recipe.horizon)


@pytest.fixture
def cell(monkeypatch):
    LastValue.made = []
    for module in (forecasts, gap_forecasts):
        monkeypatch.setattr(module, "DeepARForecaster", LastValue)
    return Cell(SMALL, "daily-panel", 0)


def test_the_chosen_series_are_filled_with_their_own_values(cell):
    bench = Bench(cell, 32)
    assert len(bench.chosen) == 3
    assert bench.chosen.tolist() != [0, 1, 2]
    assert bench.task.panel.item_ids == tuple(bench.chosen.tolist())
    bench.far({"week": Filler(bench.of_chosen(LastSeason(cell.train, 32)), 32, n_fillings=1)}, (2,))
    (seen,) = bench.forecaster.seen
    for history, place in zip(seen, bench.chosen.tolist(), strict=True):
        end = int(cell.split.train_lengths[place])
        whole = cell.panel.values[place].numpy()
        np.testing.assert_array_equal(history[:end], whole[:end])
        np.testing.assert_array_equal(history[end:], whole[end - WEEK : end - WEEK + 64])


def test_the_context_is_longer_than_all_that_is_hidden(cell):
    bench = Bench(cell, 32)
    assert bench.distances == (0, 1, 2, 3, 4, 5, 6)
    assert bench.forecaster.recipe.context == 7 * 32
    assert bench.forecaster.fitted is cell.train


def test_last_week_with_known_history_looks_back_alone(cell):
    bench = Bench(cell, 32)
    found = {one["at"]: one["value"] for one in bench.last_season_known() if one["metric"] == "NRMSE"}
    ends = bench.task.train_lengths + 5 * 32
    expected = nrmse(bench.task.truth(ends - WEEK, 32), bench.task.truth(ends, 32))
    assert found[5] == pytest.approx(expected, rel=1e-5)
    assert len(found) == 7


def test_forecast_rows_hold_every_arm_at_every_distance(cell):
    trained = [main_model(cell, name, 32) for name in (PSA, PSA_C)]
    rows = list(forecast_rows(cell, trained))
    far = {(one["method"], one["at"]) for one in rows if one["part"] == "far" and one["metric"] == "NRMSE"}
    arms = {PSA, PSA_C, LAST_SEASON, BOOTSTRAP, SEASONAL_AR, ROLLING_MEAN, MOVING_AVERAGE, TRUE_VALUES}
    assert far == {(arm, float(at)) for arm in arms for at in range(1, 7)}
    direct = {one["method"] for one in rows if one["part"] == "direct"}
    assert direct == {DEEPAR, LAST_SEASON, PSA, PSA_C}
    ranked = [one for one in rows if one["part"] == "ranked"]
    assert [(one["method"], one["step"], one["metric"]) for one in ranked] == [
        (method, 10.0, metric) for method in (PSA, PSA_C) for metric in ("context FID", "NRMSE", "NRMSE, scaled")
    ]
    for method in (LAST_SEASON, BOOTSTRAP):
        each = [one["value"] for one in rows if one["part"] == "far" and one["method"] == method
                and one["metric"] == "NRMSE" and one["at"] in (1, 3, 5)]  # fmt: skip
        mean = [one["value"] for one in rows if one["part"] == "ranked control" and one["method"] == method
                and one["metric"] == "NRMSE"]  # fmt: skip
        assert mean == [pytest.approx(np.mean(each))]
    (share,) = [one["value"] for one in rows if one["method"] == REAL and one["metric"] == "largest share"]
    assert 1 / 3 < share < 1


def spied(monkeypatch):
    learnt_from = []

    def generator(cell, panel, context):
        learnt_from.append(panel)
        return lambda series, start, seed=0, context=None: torch.full((len(series), 32), 0.5)

    monkeypatch.setattr(gap_forecasts, "_generator", generator)
    return learnt_from


def test_generators_learn_from_the_half_without_missing_stretches(cell, monkeypatch):
    learnt_from = spied(monkeypatch)
    scores = gap_forecasts.missing_scores(cell, 20)
    arms = {PSA, PSA_C, LAST_SEASON, BOOTSTRAP, SEASONAL_AR, ROLLING_MEAN, MOVING_AVERAGE, TRUE_VALUES}
    assert {one["method"] for one in scores} == arms
    assert len(learnt_from) == 2
    half = cell.split.train_lengths // 2
    _, known = with_missing_stretches(cell.split.train, 20, cell.seed)
    scaler = MinMaxScaler.fit(known)
    for panel in learnt_from:
        assert torch.equal(panel.lengths, half)
        assert torch.equal(panel.values, scaler.transform(cell.split.train).values[:, : int(half.max())])
    assert len(LastValue.made) == len(arms)
    first = LastValue.made[0]
    assert first.recipe.context == 64  # a horizon more than the gap of 20 takes
    gap = first.fitted.values == 0.5
    assert gap.sum(1).tolist() == [20, 20, 20]
    # What is missing is unknown to the scaler: the values that are left reach from 0 to 1.
    chosen = Bench(cell, 32).chosen
    assert torch.equal(first.fitted.values[~gap], scaler.transform(known).values[chosen][~gap])
    assert not torch.equal(scaler.scale, MinMaxScaler.fit(cell.split.train).scale)


@pytest.mark.parametrize(("asked", "seen"), [(8, 8), (64, 32)])
def test_a_context_is_no_longer_than_a_window(asked, seen):
    cell = Cell(SMALL.model_copy(update={"context": asked}), "daily-panel", 0)
    assert dict(gap_forecasts._contexts(cell)) == {PSA: 0, PSA_C: seen}


def test_cold_series_are_known_by_their_last_day_alone(cell, monkeypatch):
    learnt_from = spied(monkeypatch)
    scores = gap_forecasts.cold_scores(cell, 0.1)
    assert {one["method"] for one in scores} == {PSA, PSA_C, LAST_DAY, ROLLING_MEAN, MOVING_AVERAGE, TRUE_VALUES}
    known = learnt_from[0].values.isfinite().sum(1)
    cold = (known == 24).nonzero().ravel()
    assert len(cold) == 5  # a tenth of 48
    (forecaster,) = LastValue.made
    assert len(forecaster.fitted.values) == 43
    assert set(forecaster.fitted.item_ids).isdisjoint(cold.tolist())
    end = int(cell.split.train_lengths[0])
    filled, true = forecaster.seen[0], forecaster.seen[-1]
    assert len(filled) == 10  # two fillings
    for place, series in enumerate(cold.tolist()):
        day = cell.split.panel.values[series, end - 24 : end]
        scaled = (day - day.min()) / (day.max() - day.min())
        np.testing.assert_allclose(filled[place][-24:], scaled, atol=1e-5)
        assert (filled[place][:-24] == 0.5).all()
        np.testing.assert_allclose(true[place][-24:], scaled, atol=1e-5)


def test_a_generator_trained_on_what_is_left_never_draws_cold_series(cell):
    hidden = cell.train.values.clone()
    hidden[3:] = float("nan")
    source = gap_forecasts._generator(cell, cell.train.with_values(hidden), 8)
    windows = source(torch.tensor([0, 40]), torch.tensor([100, 1430]), 0, torch.zeros(2, 8))
    assert windows.shape == (2, 32)
    assert bool(windows.isfinite().all())
