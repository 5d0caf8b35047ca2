"""What runs again after which change, told by dry runs and real runs of the tiny repository."""

import json
import re
import shutil
from pathlib import Path

import pytest
from tests.workflow.conftest import PAPERS, Tiny, build_tiny, chapter_call

ALL = [chapter_call(paper) for paper in PAPERS]


@pytest.fixture(scope="module")
def once_done(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Return a tiny repository after one complete run, of which tests take copies."""
    tiny = build_tiny(tmp_path_factory.mktemp("done") / "repository")
    result = tiny.snakemake("chapters")
    assert result.returncode == 0, result.stdout
    assert tiny.calls() == ALL
    return tiny


@pytest.fixture
def done(once_done: Tiny, tmp_path: Path) -> Tiny:
    """Return a copy of the tiny repository after one complete run, times of files and Snakemake's notes included."""
    return Tiny(Path(shutil.copytree(once_done.home, tmp_path / "repository", symlinks=True)))


def planned(tiny: Tiny, target: str = "chapters", *config: str) -> list[str]:
    """Return the chapters (or other rules' names) that a dry run would execute."""
    command = tiny.command(target, config=config)
    place = command.index("--")
    result = tiny.call([*command[:place], "--dry-run", *command[place:]])
    assert result.returncode == 0, result.stdout
    assert tiny.calls() == []
    chapters = re.findall(r"^Job \d+: (\w+): (?:running|data set)", result.stdout, flags=re.MULTILINE)
    return sorted(set(chapters)) if chapters else re.findall(r"^Job \d+: ([\w ]+)", result.stdout, flags=re.MULTILINE)


def test_a_second_run_with_nothing_changed_executes_nothing(done: Tiny) -> None:
    result = done.snakemake("chapters")
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout
    assert done.calls() == []


@pytest.mark.parametrize(
    ("touched", "expected"),
    [
        ("src/reprise/alpha/study.py", ["alpha"]),
        ("src/reprise/errors.py", list(PAPERS)),
        ("src/reprise/data/__init__.py", list(PAPERS)),
        ("requirements.lock", list(PAPERS)),
        ("src/reprise/cli.py", []),
        ("src/reprise/book/__init__.py", []),
        ("book/intro.md", []),
        ("notebooks/parameters/alpha.yaml", []),
    ],
)
def test_a_touched_file_makes_exactly_those_chapters_run_that_depend_on_it(
    done: Tiny, touched: str, expected: list[str]
) -> None:
    done.touch(touched)
    assert planned(done) == expected


def test_touching_one_paper_really_runs_that_chapter_alone_and_then_nothing(done: Tiny) -> None:
    # No touch into the future here: the outputs have to come out newer than what they were made from.
    (done.home / "src/reprise/alpha/study.py").touch()
    assert done.snakemake("chapters").returncode == 0
    assert done.calls() == [chapter_call("alpha")]
    assert planned(done) == []


def test_a_new_file_in_a_package_makes_its_chapter_run(done: Tiny) -> None:
    done.write("src/reprise/beta/baselines.py", "x = 1\n")
    assert planned(done) == ["beta"]


def test_a_changed_parameter_of_this_profile_counts_and_one_of_another_does_not(done: Tiny) -> None:
    file = done.home / "notebooks/parameters/beta.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("seeds: [0, 1, 2]", "seeds: [0, 1, 2, 3]"), encoding="utf-8")
    assert planned(done) == []
    file.write_text(text.replace("seeds: [0, 1]", "seeds: [0, 5]"), encoding="utf-8")
    assert planned(done) == ["beta"]


def test_a_notebook_counts_by_its_cells_and_not_by_its_stored_outputs(done: Tiny) -> None:
    file = done.home / "notebooks/gamma.ipynb"
    notebook = json.loads(file.read_text(encoding="utf-8"))
    notebook["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["1"]}]
    file.write_text(json.dumps(notebook), encoding="utf-8")
    assert planned(done) == []
    notebook["cells"][0]["source"] = ["run('gamma', twice=True)"]
    file.write_text(json.dumps(notebook), encoding="utf-8")
    assert planned(done) == ["gamma"]


def test_the_book_is_rendered_again_when_a_page_or_a_run_changed_and_not_otherwise(done: Tiny) -> None:
    assert done.snakemake("book").returncode == 0
    assert done.calls() == ["book --profile quick"]
    assert planned(done, "book") == []
    done.touch("book/intro.md")
    assert planned(done, "book") == ["the book"]


def test_real_data_are_fetched_before_the_notebook_that_reads_them_and_not_again(tiny: Tiny) -> None:
    result = tiny.snakemake("chapters", config=["profile=standard", "papers=alpha"])
    assert result.returncode == 0, result.stdout
    assert tiny.calls() == ["fetch mail/*", chapter_call("alpha", "standard")]
    assert result.stdout.index("alpha: fetching") < result.stdout.index("alpha: running the notebook")
    assert planned(tiny, "chapters", "profile=standard", "papers=alpha") == []


def test_embedded_data_are_not_fetched(done: Tiny) -> None:
    assert not (done.home / "build/data").exists()


def test_data_that_cannot_be_had_stop_their_chapter_with_the_reason(tiny: Tiny) -> None:
    file = tiny.home / "src/reprise/data/__init__.py"
    broken = "\ndef fetch_all(*_, **__):\n    raise RepriseError('mail/letters.txt is missing')\n"
    text = "from reprise.errors import RepriseError\n" + file.read_text(encoding="utf-8") + broken
    file.write_text(text, encoding="utf-8")
    result = tiny.make_book("--profile", "standard", "--papers", "alpha")
    assert result.returncode != 0
    assert "✗ alpha            FAILED: mail/letters.txt is missing" in result.stdout


def test_other_bytes_in_the_registry_make_the_chapters_run_that_read_them(tiny: Tiny) -> None:
    assert tiny.snakemake("chapters", config=["profile=standard"]).returncode == 0
    assert tiny.snakemake("chapters").returncode == 0
    tiny.calls()
    tiny.write("mail.sha256", "def")
    assert planned(tiny, "chapters", "profile=standard") == list(PAPERS)
    assert planned(tiny) == []


def test_only_the_papers_asked_for_run(tiny: Tiny) -> None:
    assert tiny.snakemake("chapters", config=["papers=gamma,alpha"]).returncode == 0
    assert tiny.calls() == [chapter_call("alpha"), chapter_call("gamma")]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("profile=quik", "unknown profile 'quik'; did you mean 'quick'? Known: quick, standard, paper."),
        ("papers=alhpa", "unknown paper 'alhpa'; did you mean 'alpha'?"),
        ("papers=unwritten", "the chapter 'unwritten' has no notebook yet"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence_before_anything_runs(
    tiny: Tiny, setting: str, sentence: str
) -> None:
    result = tiny.snakemake("chapters", config=[setting])
    assert result.returncode != 0
    assert sentence in result.stdout
    assert "Traceback" not in result.stdout
    assert tiny.calls() == []
