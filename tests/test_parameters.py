import re

import pytest

from reprise import listing, parameters
from reprise.catalogue import find_paper
from reprise.errors import ParametersError, RunError, UnknownNameError


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("quick: [", r"yaml is not YAML: .*line 2"),
        ("[1]", "must map each profile"),
        ("", "must map each profile"),
    ],
)
def test_a_damaged_parameter_file_is_named(tmp_path, monkeypatch, text, message):
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "grda.yaml").write_text(text)
    monkeypatch.setattr(parameters, "notebooks_folder", lambda: tmp_path)
    with pytest.raises(RunError, match=message):
        parameters.profile_parameters(find_paper("grda"), "quick")


@pytest.mark.parametrize(("name", "hint"), [("n_step", "; did you mean 'n_steps'"), ("records", "")])
def test_a_parameter_of_the_file_that_the_notebook_does_not_have_is_said_to_stand_there(
    tmp_path, monkeypatch, name, hint
):
    (tmp_path / "parameters").mkdir()
    (tmp_path / "parameters" / "grda.yaml").write_text(f"standard: {{{name}: 3}}")
    monkeypatch.setattr(parameters, "notebooks_folder", lambda: tmp_path)
    paper, message = find_paper("grda"), re.escape(f"parameter in notebooks/parameters/grda.yaml '{name}'{hint}")
    for read in (parameters.resolve_parameters, lambda *given: listing.parameters_table(*given[:2])):
        with pytest.raises(UnknownNameError, match=message):
            read(paper, "standard", {})
