from pathlib import Path
from types import SimpleNamespace

import fake_runs
import pytest
import yaml

from reprise.book import BookError, Staged, stage
from reprise.book.chapters import own_chapters
from reprise.book.pages import below_title
from reprise.book.staging import table_of_contents


def stage_into(target: Path, runs: tuple[Path, Path], **options) -> Staged:
    return stage(
        results=runs[0], run_folder=runs[1], target=target, papers=fake_runs.PAPERS,
        staleness=fake_runs.stale_if_cold_brew, **options,
    )  # fmt: skip


def test_the_table_of_contents_has_the_chapters_that_there_are(staged: Staged) -> None:
    contents = yaml.safe_load((staged.source / "_toc.yml").read_text(encoding="utf-8"))
    parts = {part["caption"]: part["chapters"] for part in contents["parts"]}
    assert [chapter["file"] for chapter in parts["The papers"]] == [
        "papers/overview",
        "papers/cold_brew",
        "papers/grda",
    ]
    assert parts["The papers"][2]["sections"] == [{"file": "papers/grda-paper", "title": "GRDA, paper scale"}]
    assert parts["Your run"][1:] == [
        {"file": "your-run/cold_brew", "title": "Cold Brew – failed"},
        {"file": "your-run/grda", "title": "GRDA"},
    ]


def test_every_entry_of_the_contents_is_a_file(staged: Staged) -> None:
    contents = yaml.safe_load((staged.source / "_toc.yml").read_text(encoding="utf-8"))
    files = [contents["root"]]
    for part in contents["parts"]:
        for chapter in part["chapters"]:
            files += [chapter["file"], *(section["file"] for section in chapter.get("sections", ()))]
    for file in files:
        assert any((staged.source / f"{file}{suffix}").is_file() for suffix in (".md", ".ipynb")), file


def test_the_published_report_has_no_part_for_this_machine(tmp_path: Path, runs: tuple[Path, Path]) -> None:
    staged = stage_into(tmp_path / "source", runs, published_only=True)
    contents = yaml.safe_load((staged.source / "_toc.yml").read_text(encoding="utf-8"))
    assert "Your run" not in [part["caption"] for part in contents["parts"]]
    assert not (staged.source / "your-run").exists()
    assert "Your run" not in (staged.source / "scoreboard.md").read_text(encoding="utf-8")


def test_a_book_without_any_run_is_staged_all_the_same(tmp_path: Path) -> None:
    staged = stage_into(tmp_path / "source", (tmp_path / "none", tmp_path / "none"))
    assert staged.summary() == []
    assert "No published run yet" in (staged.source / "papers/overview.md").read_text(encoding="utf-8")
    assert "Nothing has been run here" in (staged.source / "your-run/overview.md").read_text(encoding="utf-8")


def test_staging_twice_gives_the_same_bytes(tmp_path: Path, runs: tuple[Path, Path]) -> None:
    contents = []
    for _ in range(2):
        source = stage_into(tmp_path / "source", runs).source
        contents.append({p.relative_to(source): p.read_bytes() for p in source.rglob("*") if p.is_file()})
    assert contents[0].keys() == contents[1].keys()
    differing = [path for path in contents[0] if contents[0][path] != contents[1][path]]
    assert [path for path in differing if path.suffix != ".ipynb"] == []


def test_what_was_staged_before_and_is_gone_does_not_stay(tmp_path: Path, runs: tuple[Path, Path]) -> None:
    stage_into(tmp_path / "source", runs)
    staged = stage_into(tmp_path / "source", (tmp_path / "none", runs[1]))
    assert not (staged.source / "papers/grda.ipynb").exists()


def test_a_folder_of_somebody_else_is_never_replaced(tmp_path: Path, runs: tuple[Path, Path]) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(BookError, match="did not stage"):
        stage_into(tmp_path, runs)
    assert (tmp_path / "thesis.tex").exists()


def test_each_chapter_has_one_line_in_the_summary(staged: Staged) -> None:
    lines = staged.summary()
    assert len(lines) == 5
    assert "failed: cell 6 raised ValueError" in next(line for line in lines if line.startswith("cold-brew (your run"))
    assert lines[0].endswith("[in doubt]")
    assert [chapter.paper.slug for chapter in staged.failed] == ["cold-brew"]


def test_buttons_to_launch_appear_with_the_right_paths_once_a_repository_is_named(runs: tuple[Path, Path]) -> None:
    chapter = own_chapters(fake_runs.PAPERS[1:2], "quick", runs[1], lambda record: [])[0]
    text = below_title(chapter, {}, {"url": "https://github.com/someone/reprise/", "branch": "main"})
    assert "https://mybinder.org/v2/gh/someone/reprise/main?labpath=notebooks%2Fgrda.ipynb" in text
    assert "https://colab.research.google.com/github/someone/reprise/blob/main/notebooks/grda.ipynb" in text
    assert "mybinder" not in below_title(chapter, {}, {"url": "", "branch": "main"})


def test_a_paper_scale_run_without_a_standard_one_stands_in_the_contents_by_itself() -> None:
    paper = fake_runs.PAPERS[1]
    chapter = SimpleNamespace(document="papers/grda-paper", paper=paper, label="paper scale", failure=None)
    parts = table_of_contents([chapter], [], with_own=False)["parts"]  # type: ignore[list-item]
    (part,) = [part for part in parts if part["caption"] == "The papers"]
    assert part["chapters"][-1] == {"file": "papers/grda-paper", "title": "GRDA, paper scale"}


def test_your_run_on_real_data_has_pictures_of_its_own(tmp_path: Path, runs: tuple[Path, Path]) -> None:
    fake_runs.write_run(tmp_path / "run", "grda", "standard", fake_runs.good_notebook("grda"))
    staged = stage(
        "standard", results=runs[0], run_folder=tmp_path / "run", target=tmp_path / "source", papers=fake_runs.PAPERS,
        staleness=lambda record: [],
    )  # fmt: skip
    figures = staged.source / "scoreboard-figures"
    drawn = sorted(str(path.relative_to(figures)) for path in figures.rglob("*.png"))
    assert drawn[-2:] == ["yours/board.png", "yours/estimates_grda.png"]
    page = (staged.source / "scoreboard.md").read_text(encoding="utf-8")
    assert "The pictures here show the published runs; {ref}`those of your run <your-claims>`" in page
    assert "PSA-GAN: not run here" in page


def test_pictures_of_the_scoreboard_say_whose_they_are_beside_a_quick_run(staged: Staged) -> None:
    page = " ".join((staged.source / "scoreboard.md").read_text(encoding="utf-8").split())
    assert "The pictures here show the published runs; your run has none, since the *quick* profile" in page
    assert not (staged.source / "scoreboard-figures/yours").exists()


def test_what_runs_took_stands_beside_what_they_took_here(staged: Staged) -> None:
    costs = (staged.source / "costs.md").read_text(encoding="utf-8")
    assert "Your run (quick)" in costs
    assert "1 min 35 s" in costs
    assert "the longest took 1 min 35 s" in costs
    assert "costs.md" in (staged.source / "rerun.md").read_text(encoding="utf-8")
