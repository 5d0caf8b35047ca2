import pytest
from pydantic import BaseModel, ValidationError, model_validator

from reprise.cold_brew.settings import Settings as ColdBrew
from reprise.grda.settings import Settings
from reprise.parameter_errors import explain
from reprise.settings import SettingsError


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"n_steps": 0}, "parameter n_steps: must be 1 or more, not 0."),
        ({"n_steps": 1.5}, "parameter n_steps: must be an integer, not 1.5."),
        ({"n_steps": None}, "parameter n_steps: must be an integer, not empty."),
        ({"learning_rate": "fast"}, "parameter learning_rate: must be a number, not 'fast'."),
        ({"learning_rate": 0}, "parameter learning_rate: must be more than 0, not 0."),
        ({"threads": 1000}, "parameter threads: must be 256 or less, not 1000."),
        (
            {"device": "gpu"},
            "parameter device: must be auto, cpu, mps, cuda, or cuda:N for the GPU of number N, got 'gpu'.",
        ),
        ({"device": 3}, "parameter device: must be text, not 3."),
        (
            {"datasets": "dg-15"},
            "parameter datasets: must be a list, not 'dg-15'; for one entry write datasets=[dg-15].",
        ),
        ({"seeds": []}, "parameter seeds: must have at least 1 entry, it has 0."),
        ({"seeds": [True]}, "parameter seeds[0]: must be an integer, not true."),
        (
            {"yardsticks": ["coral"]},
            "parameter yardsticks[0]: must be 'Linear', 'CORAL' or 'Self-training', not 'coral' "
            "(did you mean 'CORAL'?).",
        ),
        ({"seeds": ["a"]}, "parameter seeds[0]: must be an integer, not 'a'."),
        ({"seeds": [-1]}, "parameter seeds: must be distinct integers >= 0, got [-1]."),
        (
            {"initialisation": "papr"},
            "parameter initialisation: must be 'default' or 'paper', not 'papr' (did you mean 'paper'?).",
        ),
        (
            {"seeds": [0], "selection_seeds": [0]},
            "parameter selection_seeds: selection_seeds and seeds share [0]; they must have none in common.",
        ),
        (
            {"n_steps": 0, "device": 3},
            "parameter device: must be text, not 3. parameter n_steps: must be 1 or more, not 0.",
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_wrong_parameter_is_named_with_what_is_allowed_and_what_was_given(parameters, sentence):
    with pytest.raises(SettingsError) as refused:
        Settings.checked(parameters)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (3, "parameter seed_limits: must be a mapping, not 3."),
        ({"cora": "x"}, "parameter seed_limits[cora]: must be an integer, not 'x'."),
    ],
)
def test_a_mapping_is_named_by_its_key(value, sentence):
    with pytest.raises(SettingsError) as refused:
        ColdBrew.checked({"seed_limits": value})
    assert str(refused.value) == sentence


def test_a_rule_over_several_parameters_is_told_without_a_name_of_its_own():
    class Window(BaseModel):
        low: int
        high: int

        @model_validator(mode="after")
        def _ordered(self):
            if self.low > self.high:
                raise ValueError(f"low = {self.low} lies above high = {self.high}; exchange them.")
            return self

    with pytest.raises(ValidationError) as refused:
        Window(low=3, high=1)
    assert explain(refused.value) == "parameters: low = 3 lies above high = 1; exchange them."
