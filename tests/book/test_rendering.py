from pathlib import Path

import fake_runs
import pytest

from reprise.book import BookError, render, rendering, stage


@pytest.fixture
def source(tmp_path: Path) -> Path:
    none = tmp_path / "none"
    return stage(
        results=none, run_folder=none, target=tmp_path / "source", papers=fake_runs.PAPERS, staleness=lambda record: []
    ).source


def test_a_warning_fails_the_build_and_leaves_the_book_before_as_it_was(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "html"
    target.mkdir()
    (target / "index.html").write_text("the book before")
    page = source / "cite.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n{ref}`no-such-label`\n", encoding="utf-8")
    with pytest.raises(BookError, match=r"(?s)cite\.md.*no-such-label"):
        render(source, target)
    assert (target / "index.html").read_text() == "the book before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["html", "source"]


def test_a_fault_of_the_pages_fails_the_build_too(source: Path, tmp_path: Path) -> None:
    page = source / "cite.md"
    page.write_text(page.read_text(encoding="utf-8") + "\nSaved in /home/ada/results.csv\n", encoding="utf-8")
    with pytest.raises(BookError, match=r"cite\.html: a path of this machine: /home/ada/results\.csv"):
        render(source, tmp_path / "html")
    assert not (tmp_path / "html").exists()


def test_a_sound_book_replaces_the_one_before_as_a_whole(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "html"
    target.mkdir()
    (target / "gone.html").write_text("a page that is no more")
    index = render(source, target)
    assert index == target / "index.html"
    assert index.is_file()
    assert not (target / "gone.html").exists()


def test_the_typesetter_comes_whole_and_with_its_licence(tmp_path: Path) -> None:
    rendering.copy_mathjax(tmp_path / "mathjax")
    assert (tmp_path / "mathjax/tex-mml-chtml.js").stat().st_size > 1_000_000
    assert len(list((tmp_path / "mathjax/output/chtml/fonts/woff-v2").glob("*.woff"))) == 23
    assert "Apache License" in (tmp_path / "mathjax/LICENSE.txt").read_text()


def test_changed_files_of_the_typesetter_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "MATHJAX_SHA256", "0" * 64)
    with pytest.raises(BookError, match="reinstall"):
        rendering.copy_mathjax(tmp_path / "mathjax")
    assert not (tmp_path / "mathjax").exists()


def test_a_missing_typesetter_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "MATHJAX_DISTRIBUTION", "no-such-distribution")
    with pytest.raises(BookError, match="no-such-distribution is not installed"):
        rendering.copy_mathjax(tmp_path / "mathjax")
