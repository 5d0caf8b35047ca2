"""The README's generated parts against the published records; `make readme` writes them anew."""

import fake_runs
import pytest

from reprise.book import BookError, readme
from reprise.book.chapters import published_chapters
from reprise.paths import repository

STALE = "the README no longer follows from the published records; run `make readme` and commit what it changes"


@pytest.fixture
def published(runs):
    return published_chapters(fake_runs.PAPERS, runs[0], lambda record: [])


def test_the_table_in_the_readme_follows_from_the_records() -> None:
    text = (repository() / "README.md").read_text(encoding="utf-8")
    assert readme.with_table(text, readme.papers_table(*readme.published_now())) == text, STALE


def test_the_picture_in_the_readme_follows_from_the_records_and_is_small() -> None:
    path = repository() / readme.PICTURE
    assert readme.picture_is_fresh(path, *readme.published_now()), STALE
    assert path.stat().st_size < 150_000
    assert f"({readme.PICTURE})" in (repository() / "README.md").read_text(encoding="utf-8")


def test_every_paper_has_a_line_with_its_verdicts_or_without_a_run(published) -> None:
    lines = readme.papers_table(fake_runs.PAPERS, published).splitlines()[2:]
    assert len(lines) == len(fake_runs.PAPERS)
    assert "3 claims: 1 not reproduced, 1 inconclusive" in lines[0]
    assert lines[0].endswith("| 1 min 35 s, 0.3 GiB |")
    assert lines[2].endswith("| no published run yet | – |")


def test_the_table_is_replaced_between_its_marks_and_nothing_else() -> None:
    text = f"before\n{readme.BEGIN}\nold\n\n{readme.END}after\n"
    once = readme.with_table(text, "new\n")
    assert once == f"before\n{readme.BEGIN}\nnew\n\n{readme.END}after\n"
    assert readme.with_table(once, "new\n") == once


def test_a_readme_without_marks_is_refused() -> None:
    with pytest.raises(BookError, match="no place for the table"):
        readme.with_table("# Reprise\n", "new\n")


def test_a_picture_of_other_verdicts_is_stale(published, tmp_path) -> None:
    path = tmp_path / "scoreboard.png"
    assert not readme.picture_is_fresh(path, fake_runs.PAPERS, published)
    path.write_bytes(readme.picture(fake_runs.PAPERS, published)[0])
    assert readme.picture_is_fresh(path, fake_runs.PAPERS, published)
    assert not readme.picture_is_fresh(path, fake_runs.PAPERS, published[:1])
