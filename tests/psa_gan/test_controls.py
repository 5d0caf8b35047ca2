"""What untrained controls return: which values, from where, and their statistics."""

import numpy as np
import pytest
import torch

from reprise.psa_gan.controls import (
    BlockBootstrap,
    LastKnownDay,
    LastSeason,
    ResampledWindows,
    RollingMean,
    SeasonalMeanAR,
    season_of,
    steps_of,
)
from reprise.psa_gan.filling import fill_gaps
from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.panel import TimeSeriesPanel


def told(lengths=(400, 350), freq="h"):
    """Return a panel whose values tell series (thousands) and step."""
    return TimeSeriesPanel([1000.0 * i + np.arange(n) for i, n in enumerate(lengths)], "2000-01-03", freq)


def test_days_and_weeks_have_the_steps_of_their_frequency():
    assert [steps_of(freq, "week") for freq in ("h", "D", "B", "30min")] == [168, 7, 5, 336]
    assert season_of(told()) == 168
    assert season_of(told((400, 300))) == 24
    with pytest.raises(PSAGANInputError, match="a week is no whole number of steps at freq='MS'; give season"):
        steps_of("MS", "week")


@pytest.mark.parametrize(("freq", "unit"), [("36h", "week"), ("7h", "day"), ("W", "week"), ("W", "day")])
def test_a_season_is_a_whole_number_of_steps(freq, unit):
    with pytest.raises(PSAGANInputError, match=f"a {unit} is no whole number of steps at freq='{freq}'"):
        steps_of(freq, unit)


def test_last_season_takes_the_nearest_season_that_is_known():
    panel = told((40, 40))
    values = panel.values.clone()
    values[0, 24:28] = values[0, 17:19] = float("nan")
    source = LastSeason(panel.with_values(values), 4, season=7)
    # Step 31 looks back to 24, which is missing, then to 17, which is, too, then to 10.
    assert source(torch.tensor([0]), torch.tensor([31])).tolist() == [[10, 11, 19, 20]]
    # Nothing before: a season later, and later still.
    assert source(torch.tensor([0]), torch.tensor([3])).tolist() == [[10, 11, 12, 13]]
    values[0, 10:12] = float("nan")
    assert source(torch.tensor([0]), torch.tensor([3])).tolist() == [[31, 32, 12, 13]]


def test_last_season_is_the_nearest_known_one():
    source = LastSeason(told(), 10)
    found = source(torch.tensor([0, 0, 0, 1, 1]), torch.tensor([200, 395, 560, 346, 50]))
    # Steps from the end on (400, 350) go back to what is known, two weeks if need be; the first week takes the second.
    expected = [
        list(range(32, 42)),
        list(range(227, 237)),
        [392, 393, 394, 395, 396, 397, 398, 399, 232, 233],
        list(range(1178, 1188)),
        list(range(1218, 1228)),
    ]
    assert found.tolist() == expected


def test_the_last_known_day_is_repeated_in_phase():
    known = told((100, 90))
    found = LastKnownDay(known, 30)(torch.tensor([0, 1]), torch.tensor([0, 70]))
    assert found[0].tolist() == [76 + (step - 76) % 24 for step in range(30)]
    assert found[1].tolist() == [1066 + (step - 66) % 24 for step in range(70, 100)]


def test_a_rolling_mean_is_what_gluonts_fills_in():
    from gluonts.transform.feature import RollingMeanValueImputation

    generator = np.random.default_rng(0)
    values = generator.random(60).astype(np.float32)
    values[15:58] = np.nan  # longer than a window
    panel = TimeSeriesPanel([values], "2000-01-03", "h")
    found = fill_gaps(panel.extended(32), RollingMean(32), 32, context=10, n_samples=1)[0, 0, :60]
    np.testing.assert_allclose(found, RollingMeanValueImputation(10)(values.copy()), rtol=1e-5)
    with pytest.raises(PSAGANInputError, match="give context"):
        RollingMean(32)(torch.tensor([0]), torch.tensor([30]))


def test_a_season_that_does_not_fit_is_refused():
    with pytest.raises(PSAGANInputError, match="season=351 must lie between 1 and the shortest series, 350"):
        LastSeason(told(), 10, season=351)


def test_resampled_windows_are_windows_of_the_same_series():
    source = ResampledWindows(told(), 12)
    series = torch.arange(2).repeat_interleave(3000)
    found = source(series, torch.zeros(6000, dtype=torch.long), seed=1)
    assert torch.equal(found.diff(dim=1), torch.ones(6000, 11))
    assert torch.equal(found[:, 0] // 1000, series.float())
    starts = found[:, 0] % 1000
    assert (starts[:3000].min(), starts[:3000].max()) == (0, 388)
    assert (starts[3000:].min(), starts[3000:].max()) == (0, 338)
    assert torch.equal(source(series, series, seed=1), found)
    assert not torch.equal(source(series, series, seed=2), found)
    with pytest.warns(UserWarning, match="are left out"):
        short = ResampledWindows(TimeSeriesPanel([np.zeros(20), np.zeros(5)], "2000-01-03", "h"), 12)
    with pytest.raises(PSAGANInputError, match="no whole window of 12 steps"):
        short(series, series)


def test_the_bootstrap_joins_blocks_of_the_mean_length():
    source = BlockBootstrap(told(), 100, block=20)
    series = torch.tensor([1, 0]).repeat(150)
    found = source(series, series, seed=3)
    assert torch.equal(found[:, 0] // 1000, series.float())
    joined = (found.diff(dim=1) != 1).float().mean()
    assert float(joined) == pytest.approx(1 / 20, rel=0.15)
    assert torch.equal(source(series, series, seed=3), found)


def test_a_bootstrap_longer_than_its_source_goes_on():
    source = BlockBootstrap(TimeSeriesPanel([np.arange(30.0)], "2000-01-03", "h"), 100)
    assert source.block == 24
    assert BlockBootstrap(TimeSeriesPanel([np.arange(30.0)], "2000-01-03", "B"), 8).block == 5
    found = source(torch.tensor([0, 0]), torch.tensor([0, 0]))
    assert found.shape == (2, 100)
    assert found.isfinite().all()


def test_seasonal_mean_with_autoregression_has_the_moments_of_its_series():
    generator = np.random.default_rng(0)
    n, phi, sd = 24 * 2000, 0.7, 0.3
    noise = np.zeros(n)
    for t in range(1, n):
        noise[t] = phi * noise[t - 1] + sd * (1 - phi**2) ** 0.5 * generator.standard_normal()
    profile = np.sin(2 * np.pi * np.arange(24) / 24)
    panel = TimeSeriesPanel([np.tile(profile, 2000) + noise], "2000-01-03", "h")
    source = SeasonalMeanAR(panel, 48, season=24)
    assert float(source.coefficient) == pytest.approx(phi, abs=0.03)
    starts = torch.full((4000,), 5)
    found = source(torch.zeros(4000, dtype=torch.long), starts, seed=1).double()
    np.testing.assert_allclose(found.mean(0), np.roll(np.tile(profile, 2), -5), atol=0.06)
    around = found - source.mean[0, (5 + torch.arange(48)) % 24]
    assert float(around.std()) == pytest.approx(sd, rel=0.05)
    lagged = (around[:, 1:] * around[:, :-1]).mean() / around.square().mean()
    assert float(lagged) == pytest.approx(phi, abs=0.03)


def test_steps_that_a_short_series_never_sees_have_its_mean():
    panel = TimeSeriesPanel([np.arange(48.0), np.full(10, 3.0)], "2000-01-03", "h")
    source = SeasonalMeanAR(panel, 24, season=24)
    assert source(torch.tensor([1]), torch.tensor([0])).tolist() == [[3.0] * 24]
