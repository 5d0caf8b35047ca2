"""Spectrum, autocorrelation, spread and memory against closed forms, plain loops and known distributions."""

import numpy as np
import pytest
import torch

from reprise.psa_gan.audits import (
    autocorrelation,
    conditional_spread,
    memorisation,
    octave_band_powers,
    periodogram,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("length", [16, 15])
def test_power_sums_to_the_variance_within_windows(length):
    windows = normal(40, length)
    assert float(periodogram(windows).sum()) == pytest.approx(float(windows.var(1, correction=0).mean()))
    assert float(periodogram(windows + 7).sum()) == pytest.approx(float(periodogram(windows).sum()))


@pytest.mark.parametrize(("cycles", "band"), [(1, 0), (2, 1), (3, 1), (4, 2), (7, 2), (8, 3), (15, 3), (16, 3)])
def test_a_wave_has_its_power_in_its_octave(cycles, band):
    wave = torch.cos(2 * torch.pi * cycles * torch.arange(32) / 32)[None]
    powers = octave_band_powers(wave)
    assert len(powers) == 4
    expected = torch.zeros(4, dtype=torch.float64)
    expected[band] = 1 if cycles == 16 else 0.5
    torch.testing.assert_close(powers, expected, atol=1e-6, rtol=0)


def test_autocorrelation_is_the_plain_one():
    windows = normal(5, 12).cumsum(1)
    centred = (windows - windows.mean(1, keepdim=True)).numpy()
    plain = [np.mean([row[t] * row[t + 3] for row in centred for t in range(9)]) / np.mean(centred**2)]
    assert float(autocorrelation(windows, 4)[2]) == pytest.approx(plain[0])
    wave = torch.cos(2 * torch.pi * torch.arange(48) / 12)[None]
    found = autocorrelation(wave, 12)
    assert float(found[11]) == pytest.approx(1, abs=1e-6)
    assert float(found[5]) == pytest.approx(-1, abs=0.05)


def test_samples_like_reality_have_the_variance_ratio_1_and_cover_it():
    samples, real = normal(25, 400, 6), normal(400, 6, seed=1)
    found = conditional_spread(samples, real)
    assert found["variance ratio"] == pytest.approx(1, abs=0.1)
    assert found["coverage"] == pytest.approx(0.9, abs=0.02)
    # E|x − y| − E|x − x'|/2 of standard normals.
    assert found["CRPS"] == pytest.approx(1 / np.pi**0.5, abs=0.02)
    narrow = conditional_spread(0.2 * samples, real)
    assert narrow["variance ratio"] == pytest.approx(0.04, rel=0.1)
    assert narrow["coverage"] < 0.4
    assert narrow["CRPS"] > found["CRPS"]


def test_the_crps_is_that_of_the_plain_double_sum_and_of_the_mean_for_equal_samples():
    samples, real = normal(5, 3, 2), normal(3, 2, seed=1)
    pairs = sum((samples[i] - samples[j]).abs() for i in range(5) for j in range(5)) / (2 * 5 * 4)
    plain = ((samples - real).abs().mean(0) - pairs).mean()
    assert conditional_spread(samples, real)["CRPS"] == pytest.approx(float(plain))
    equal = conditional_spread(samples[:1].expand(4, -1, -1), real)
    assert equal["CRPS"] == pytest.approx(equal["error of the mean"])
    assert equal["variance ratio"] == pytest.approx(0)


def test_copies_are_told_from_new_windows():
    train, held_out = normal(300, 8), normal(200, 8, seed=1)
    copies = memorisation(train[:100], train, held_out)
    assert copies["distance"] == pytest.approx(0, abs=1e-6)
    assert copies["near share"] == 1
    fresh = memorisation(normal(200, 8, seed=2), train, held_out)
    assert fresh["ratio"] == pytest.approx(1, abs=0.1)
    assert fresh["near share"] == pytest.approx(0.05, abs=0.05)
    nearest = min(float((held_out[0] - one).square().mean().sqrt()) for one in train)
    assert memorisation(held_out[:1], train, held_out)["distance"] == pytest.approx(nearest)
