import pytest

from reprise import parameters
from reprise.errors import ParametersError


def test_values_are_read_as_yaml_and_stay_typed():
    words = ["seeds=[3]", "n=2", "name=dg-15", "rate=0.5", "flag=true", "small=1e-3", "several=[1e-3, 3e-4]"]
    assert parameters.parse_assignments(words) == {
        "seeds": [3], "n": 2, "name": "dg-15", "rate": 0.5, "flag": True, "small": 0.001,
        "several": [0.001, 0.0003],
    }  # fmt: skip


@pytest.mark.parametrize("word", ["seeds", "=3", "seeds=[3"])
def test_a_word_that_is_no_assignment_is_refused(word):
    with pytest.raises(ParametersError):
        parameters.parse_assignments([word])
