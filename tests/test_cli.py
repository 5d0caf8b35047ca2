import json
import subprocess
import sys
from pathlib import Path

import pytest

from reprise import __version__, cli
from reprise.catalogue import PAPERS
from reprise.data import DataError

REPOSITORY = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "pandas", "matplotlib", "sklearn", "pooch", "papermill", "scipy", "numpy"}


def call(monkeypatch, *words):
    """Call the command line in this process; return the exit code."""
    monkeypatch.setattr(sys, "argv", ["reprise", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return stopped.value.code or 0


def test_the_papers_are_listed(monkeypatch, capsys):
    assert call(monkeypatch, "papers") == 0
    assert "walk-alone" in capsys.readouterr().out


def test_a_mistake_is_one_sentence_on_standard_error_and_exit_code_one(monkeypatch, capsys):
    assert call(monkeypatch, "run", "grdaa") == 1
    error = capsys.readouterr().err
    assert error.startswith("reprise: unknown paper 'grdaa'; did you mean 'grda'?")
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "grda", "--profile", "quik"], "did you mean 'quick'"),
        (["run", "grda", "-p", "n_stepz=3"], "did you mean 'n_steps'"),
        (["run", "grda", "-p", "n_steps"], "not of the form name=value"),
        (["run", "grda", "-p", "n_steps=three"], "parameter n_steps: must be an integer, not 'three'."),
        (["run", "grda", "-p", "n_steps=3", "-p", "n_steps=4"], "parameter 'n_steps' is given twice; give each once."),
        (["verify", "nowhere.json"], "no record at nowhere.json"),
        (["verify", str(REPOSITORY / "results")], "results/standard/"),
        (["verify", str(REPOSITORY / "README.md")], "README.md is no record: it is not JSON; name the PACKAGE"),
        (["verify", str(REPOSITORY / "notebooks/grda.ipynb")], "is no record: it has no paper, package, profile; name"),
        (["run", "grda", "--reuse", "nope.json"], "no record at nope.json"),
        (["run", "grda", "--reuse", str(REPOSITORY / "README.md")], "README.md is no record"),
        (["run", "grda", "--reuse", str(REPOSITORY / "results")], "results is a folder; name a record in it"),
        (["parameters", "grdaa"], "did you mean 'grda'"),
        (["parameters", "grda", "--profile", "quik"], "did you mean 'quick'? Known: quick, standard, paper."),
        (["publish", "grda", "--profile", "nothing"], "unknown profile 'nothing'"),
    ],
)
def test_each_bad_input_says_what_is_wrong(monkeypatch, capsys, words, message):
    assert call(monkeypatch, *words) == 1
    assert message in " ".join(capsys.readouterr().err.split())


def test_the_schema_is_valid_json(monkeypatch, capsys):
    assert call(monkeypatch, "schema") == 0
    assert "verdicts" in json.loads(capsys.readouterr().out)["properties"]


@pytest.mark.parametrize("words", [["papers"], ["data", "list"], ["data", "list", "--long"]], ids=" ".join)
def test_the_lists_fit_into_80_columns_and_cut_no_name(monkeypatch, capsys, words):
    monkeypatch.setenv("COLUMNS", "80")
    assert call(monkeypatch, *words) == 0
    out = capsys.readouterr().out
    table, _, _ = out.partition("\n\n")
    assert max(map(len, table.splitlines())) <= 80
    names = [paper.slug if words == ["papers"] else data.name for paper in PAPERS for data in paper.data_sets]
    assert set(names) <= {line.split()[0] for line in table.splitlines()}


@pytest.mark.parametrize("words", [["papers"], ["data", "list"]], ids=" ".join)
def test_a_narrow_terminal_cuts_no_name_either(monkeypatch, capsys, words):
    outputs = []
    for columns in ("40", "80"):
        monkeypatch.setenv("COLUMNS", columns)
        assert call(monkeypatch, *words) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("paper", [paper.slug for paper in PAPERS if paper.is_written()])
def test_the_parameters_of_a_chapter_are_listed_with_values_and_meanings(monkeypatch, capsys, paper):
    from reprise.catalogue import find_paper
    from reprise.parameters import parse_assignments, profile_parameters, settings_class

    monkeypatch.setenv("COLUMNS", "400")
    assert call(monkeypatch, "parameters", paper, "--profile", "standard") == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    for name, field in settings_class(find_paper(paper)).model_fields.items():
        assert field.description in lines[name]
    rate = next(name for name in ("n_steps", "epochs", "threads") if name in lines)
    value = parse_assignments([f"{rate}={lines[rate].split()[1]}"])[rate]
    assert value == profile_parameters(find_paper(paper), "standard").get(rate, value)


def test_a_chapter_that_is_not_written_has_no_parameters_to_list(monkeypatch, capsys):
    unwritten = [paper.slug for paper in PAPERS if not paper.is_written()]
    if not unwritten:
        pytest.skip("all chapters are written")
    assert call(monkeypatch, "parameters", unwritten[0]) == 1
    assert "has not been written yet" in " ".join(capsys.readouterr().err.split())


def test_the_data_of_one_paper_are_listed_with_description_and_whole_licence(monkeypatch, capsys):
    assert call(monkeypatch, "data", "list", "grda") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "dg-15 The paper's DG-15" in out
    assert "underlying NOAA data public domain" in out


def test_the_version_is_printed(monkeypatch, capsys):
    assert call(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"reprise {__version__}\n"


@pytest.mark.parametrize("words", [["papers"], ["run", "grda"]], ids=" ".join)
def test_a_home_that_is_no_checkout_is_named(monkeypatch, capsys, tmp_path, words):
    for home, what in ((tmp_path / "nope", "is not a folder"), (tmp_path, "has no notebooks/")):
        monkeypatch.setenv("REPRISE_HOME", str(home))
        assert call(monkeypatch, *words) == 1
        assert f"REPRISE_HOME names {home}, which {what}; set it to" in " ".join(capsys.readouterr().err.split())


def test_damaged_data_end_with_exit_code_one(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("REPRISE_DATA", str(tmp_path))
    (tmp_path / "grda" / "toy").mkdir(parents=True)
    (tmp_path / "grda" / "toy" / "g_encode_15.pkl").write_bytes(b"short")
    assert call(monkeypatch, "data", "verify", "grda") == 1
    assert "g_encode_15.pkl" in capsys.readouterr().out


def test_data_that_cannot_be_fetched_are_one_sentence(monkeypatch, capsys):
    def offline(*_, **__):
        raise DataError("file x is missing; set REPRISE_DATA.")

    monkeypatch.setattr("reprise.data.fetch_all", offline)
    assert call(monkeypatch, "data", "fetch", "grda") == 1
    assert capsys.readouterr().err.strip() == "reprise: file x is missing; set REPRISE_DATA."


def test_locking_rules_that_did_not_change_changes_nothing(monkeypatch, capsys):
    assert call(monkeypatch, "claims", "lock", "grda") == 0
    assert "nothing changed" in capsys.readouterr().out


def test_the_command_line_starts_without_the_heavy_libraries():
    program = f"import sys, reprise.cli; assert not {HEAVY!r} & set(sys.modules), {HEAVY!r} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
