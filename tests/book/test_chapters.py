from pathlib import Path

import fake_runs
import nbformat
import pytest

from reprise.book.chapters import find_failure, own_chapters, published_chapters


def fresh(record: object) -> list[str]:
    return []


def chapter_in(folder: Path):
    (chapter,) = own_chapters(fake_runs.PAPERS, "quick", folder, fresh)
    return chapter


def test_a_whole_notebook_has_no_failure() -> None:
    assert find_failure(fake_runs.good_notebook("grda")) is None


def test_an_error_output_is_a_failure_with_cell_and_traceback() -> None:
    failure = find_failure(fake_runs.failed_notebook())
    assert failure is not None
    assert failure.reason == "cell 6 raised ValueError: temperature must be positive, got -1"
    assert failure.source.startswith("seeds")
    assert "\x1b" not in failure.traceback
    assert "site-packages/torch/nn.py" in failure.traceback
    assert "/home/ada" not in failure.traceback


def test_the_mark_of_papermill_alone_is_a_failure() -> None:
    notebook = fake_runs.good_notebook("grda")
    notebook.metadata["papermill"]["exception"] = True
    assert find_failure(notebook) is not None


@pytest.mark.parametrize("status", ["pending", "failed", "running"])
def test_a_cell_that_papermill_did_not_finish_is_a_failure(status: str) -> None:
    notebook = fake_runs.good_notebook("grda")
    notebook.cells[5].metadata["papermill"] = {"status": status}
    assert find_failure(notebook) is not None


def test_a_cell_that_was_never_run_is_a_failure_unless_it_is_empty() -> None:
    notebook = fake_runs.good_notebook("grda")
    notebook.cells.append(nbformat.v4.new_code_cell("  \n"))
    assert find_failure(notebook) is None
    notebook.cells[5].execution_count = None
    failure = find_failure(notebook)
    assert failure is not None
    assert failure.reason == "cell 6 was not run to its end."


def test_a_failed_run_wins_over_an_older_good_one(tmp_path: Path) -> None:
    fake_runs.write_run(tmp_path, "grda", "quick", fake_runs.good_notebook("grda"))
    fake_runs.write_run(tmp_path, "grda", "quick", fake_runs.failed_notebook(), failed=True)
    chapter = chapter_in(tmp_path)
    assert chapter.failure is not None
    assert chapter.record is None


def test_a_notebook_marked_failed_is_failed_even_if_no_cell_shows_it(tmp_path: Path) -> None:
    fake_runs.write_run(tmp_path, "grda", "quick", fake_runs.good_notebook("grda"), failed=True)
    assert chapter_in(tmp_path).failure is not None


def test_a_truncated_notebook_is_a_failure_that_says_so(tmp_path: Path) -> None:
    fake_runs.write_run(tmp_path, "grda", "quick", fake_runs.good_notebook("grda"))
    path = tmp_path / "grda.ipynb"
    path.write_text(path.read_text()[:500])
    failure = chapter_in(tmp_path).failure
    assert failure is not None
    assert "cannot be read" in failure.reason


def test_a_record_without_its_notebook_is_a_failure(tmp_path: Path) -> None:
    fake_runs.write_run(tmp_path, "grda", "quick", None)
    failure = chapter_in(tmp_path).failure
    assert failure is not None
    assert "no executed notebook" in failure.reason


def test_a_notebook_without_a_record_is_in_doubt(tmp_path: Path) -> None:
    fake_runs.write_run(tmp_path, "grda", "quick", fake_runs.good_notebook("grda"))
    (tmp_path / "grda.json").unlink()
    chapter = chapter_in(tmp_path)
    assert chapter.failure is None
    assert chapter.record is None
    assert "cannot be followed to a record" in chapter.doubts[0]


def test_a_truncated_record_is_in_doubt_and_does_not_stop_the_book(tmp_path: Path) -> None:
    fake_runs.write_run(tmp_path, "grda", "quick", fake_runs.good_notebook("grda"))
    path = tmp_path / "grda.json"
    path.write_text(path.read_text()[:200])
    assert chapter_in(tmp_path).doubts


def test_the_record_of_another_paper_or_profile_is_in_doubt(tmp_path: Path) -> None:
    fake_runs.write_run(tmp_path, "grda", "standard", fake_runs.good_notebook("grda"))
    assert "the profile standard" in chapter_in(tmp_path).doubts[0]
    fake_runs.write_run(tmp_path / "other", "cold-brew", "quick", fake_runs.good_notebook("cold-brew"))
    (tmp_path / "other" / "cold_brew.json").rename(tmp_path / "grda.json")
    chapter = chapter_in(tmp_path)
    assert chapter.record is None
    assert "belongs to cold_brew" in chapter.doubts[0]


def test_changed_parameters_are_in_doubt(tmp_path: Path) -> None:
    fake_runs.write_run(tmp_path, "grda", "custom", fake_runs.good_notebook("grda"))
    assert "parameters changed" in chapter_in(tmp_path).doubts[0]


def test_published_chapters_come_in_the_order_of_the_papers_standard_before_paper(runs: tuple[Path, Path]) -> None:
    chapters = published_chapters(fake_runs.PAPERS, runs[0], fresh)
    assert [chapter.document for chapter in chapters] == ["papers/cold_brew", "papers/grda", "papers/grda-paper"]
