import subprocess
import sys

import pytest
from pydantic import ValidationError

from reprise.cold_brew.settings import Settings
from reprise.settings import SettingsError


def test_the_settings_load_without_torch():
    code = "import sys, reprise.cold_brew.settings; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_field_says_what_it_is():
    assert all(field.description for field in Settings.model_fields.values())


def test_unknown_and_ill_typed_parameters_are_refused():
    with pytest.raises(Exception, match="epoch"):
        Settings.checked({"epoch": 3})
    with pytest.raises(SettingsError, match="epochs"):
        Settings.checked({"epochs": "3"})


@pytest.mark.parametrize(
    "options",
    [
        {"k_sweep": (0,)},
        {"noise_shares": (1.5,)},
        {"se_penalties": (-1.0,)},
        {"parts": ("nothing",)},
        {"k": 0},
        {"depths": (0,)},
        {"seed_limits": {"coral": 3}},
        {"seed_limits": {"cora": 0}},
        {"full_study_datasets": ("coral",)},
        {"depth_datasets": ("coral",)},
    ],
)
def test_values_out_of_range_are_refused(options):
    with pytest.raises(ValidationError):
        Settings(**options)


def test_large_graphs_and_costly_parts_run_with_fewer_seeds():
    settings = Settings(seed_limits={"actor": 2, "depth": 1})
    assert [settings.runs("actor", seed) for seed in range(3)] == [True, True, False]
    assert [settings.runs("depth", seed) for seed in range(2)] == [True, False]
    assert settings.runs("cora", 9)
