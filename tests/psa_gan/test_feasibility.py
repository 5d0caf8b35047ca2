"""Parameters that cannot work together are refused by name before a run begins."""

import pytest

from reprise.catalogue import find_paper
from reprise.parameters import profile_parameters
from reprise.psa_gan.feasibility import check_run
from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.settings import Settings

QUICK = profile_parameters(find_paper("psa-gan"), "quick")


@pytest.mark.parametrize("name", ["quick", "standard", "paper"])
def test_every_profile_is_feasible_but_for_its_panels_data(name, monkeypatch):
    monkeypatch.setattr("reprise.psa_gan.feasibility._panels", lambda settings: [])
    check_run(Settings.checked(profile_parameters(find_paper("psa-gan"), name)))


def test_the_quick_profile_fits_its_panel():
    check_run(Settings.checked(QUICK))
    check_run(Settings.checked({**QUICK, "gap_lengths": [24], "cold_shares": [0.1], "forecast_series": 2}))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"gap_lengths": [24]}, r"gap_lengths=\(24,\) asks for forecasts, and forecast_series is 0"),
        ({"ranked_generators": 2}, "ranked_generators=2 asks for forecasts"),
        ({"windows": [16], "forecast_series": 2}, "windows begins with 16, and a forecast takes 32 steps"),
        ({"ablation_window": 512, "ablation_steps": 10}, "ablation_steps=10 for a window of 512 steps .* at least 11"),
        ({"windows": [4096], "steps": 10}, r"steps=10 for a window of 4096 steps \(windows\)"),
        ({"models": []}, "no model is run on daily-panel with seed 0"),
        ({"fewer_seeds": {"PSA-GAN": [7]}}, "no model is run on daily-panel with seed 0"),
        (
            {"side_datasets": ["daily-panel"], "fewer_seeds": {"daily-panel": [7]}},
            "leaves no panel with any of the seeds",
        ),
        ({"seeds": [2**65]}, "seeds has 36893488147419103232; give numbers of at most"),
        ({"windows": [32, 32]}, "windows has 32 twice"),
        ({"variants": ["no attention", "no attention"]}, "variants has 'no attention' twice"),
        ({"cold_shares": [0.1, 0.101]}, "cold_shares, in per cent, has 10 twice"),
        ({"cold_shares": [0.001]}, "below half a per cent"),
        ({"windows": [2048], "variants": []}, "daily-panel: a window of 2048 steps .* has 1440 steps; take a shorter"),
    ],
)
def test_what_cannot_work_together_is_refused_by_name(changes, words):
    with pytest.raises(PSAGANInputError, match=words):
        check_run(Settings.checked({**QUICK, **changes}))


def test_cold_starts_need_more_than_one_value_of_a_day(monkeypatch):
    from dataclasses import replace

    from reprise.psa_gan import cell, data

    def business_days(name, seed=0):
        found = data.load("daily-panel", seed)
        panel = found.panel.with_values(found.panel.values)
        panel.freq = "B"
        return replace(found, panel=panel)

    monkeypatch.setattr(cell, "load", business_days)
    with pytest.raises(PSAGANInputError, match="known by its last day, which is one step at freq='B'"):
        check_run(Settings.checked({**QUICK, "cold_shares": [0.2]}))
