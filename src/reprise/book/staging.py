"""Staging: the book's sources laid out in one folder, from hand-written pages, executed notebooks and records."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import yaml

from reprise.book import api_pages, cards, comparisons, findings, notebooks, pages
from reprise.book.api_names import FOLDER, Package
from reprise.book.chapters import Chapter, Staleness, own_chapters, published_chapters
from reprise.book.errors import BookError
from reprise.book.scoreboard import one_line, scoreboard, source_file
from reprise.book.scratch import replace_folder, scratch_folder
from reprise.paths import book_folder, build_folder, repository, results_folder
from reprise.paths import run_folder as default_run_folder

if TYPE_CHECKING:
    from reprise.catalogue import Paper

MARKER = ".staged-by-reprise"
PAPERS_PART, OWN_PART, USE_PART = "The papers", "Your run", "Use and rerun"


@dataclass(frozen=True)
class Staged:
    """What was staged: the folder and the chapters in it."""

    source: Path
    published: tuple[Chapter, ...]
    own: tuple[Chapter, ...]

    @property
    def failed(self) -> tuple[Chapter, ...]:
        """The chapters that are shown as failed."""
        return tuple(chapter for chapter in (*self.published, *self.own) if chapter.failure)

    def summary(self) -> list[str]:
        """Return one line a chapter for the terminal: paper, run, verdict."""
        return [
            f"{chapter.paper.slug} ({'published' if chapter.origin == 'published' else 'your run'}, "
            f"{chapter.profile}): {one_line(chapter)}{' [in doubt]' if chapter.doubts else ''}"
            for chapter in (*self.published, *self.own)
        ]


def stage(
    profile: str = "quick",
    *,
    published_only: bool = False,
    run_folder: Path | None = None,
    results: Path | None = None,
    target: Path | None = None,
    papers: Sequence[Paper] | None = None,
    staleness: Staleness | None = None,
) -> Staged:
    """Lay out the book's sources.

    Parameters
    ----------
    profile
        Profile of the runs of this machine that the part "Your run" shows.
    published_only
        Leave "Your run" out.
    run_folder
        Folder of the runs of this machine; ``build/run/PROFILE`` unless given.
    results
        Folder of the published runs; ``results/`` unless given.
    target
        Folder of the staged sources, replaced as a whole; ``build/book/source`` unless given.
    papers
        The papers, in the book's order; the catalogue's unless given.
    staleness
        Function of a record that says why it is stale; ``reprise.verification.staleness`` unless given.

    Returns
    -------
    Staged
        The folder and the chapters found.

    Raises
    ------
    BookError
        If the target is a folder that staging did not make.
    """
    papers = _catalogue() if papers is None else papers
    staleness = _verification() if staleness is None else staleness
    target = target or build_folder() / "book" / "source"
    published = published_chapters(papers, results or results_folder(), staleness)
    own = [] if published_only else own_chapters(papers, profile, run_folder or default_run_folder(profile), staleness)
    _refuse_foreign(target)
    with scratch_folder(target, "staging") as folder:
        fresh = folder / "source"
        _fill(fresh, papers, published, own, None if published_only else profile)
        replace_folder(target, fresh)
    return Staged(target, tuple(published), tuple(own))


def _catalogue() -> Sequence[Paper]:
    from reprise.catalogue import PAPERS

    return PAPERS


def _verification() -> Staleness:
    from reprise.verification import staleness

    return staleness


def _refuse_foreign(target: Path) -> None:
    if target.exists() and not (target / MARKER).exists() and any(target.iterdir()):
        raise BookError(f"{target} holds files that the book did not stage there; choose another folder or remove it.")


def _fill(
    target: Path, papers: Sequence[Paper], published: list[Chapter], own: list[Chapter], profile: str | None
) -> None:
    shutil.copytree(book_folder(), target, ignore=shutil.ignore_patterns("_templates", "_data", "_toc.yml", "_build"))
    (target / MARKER).touch()
    settings = yaml.safe_load((repository() / "_config.yml").read_text(encoding="utf-8"))
    for chapter in (*published, *own):
        _stage_chapter(chapter, target, settings.get("repository") or {})
    scoreboard(papers, published, own, target)
    cards.write_cards(papers, published, target)
    findings.write_findings(published, target)
    comparisons.write_comparisons(published, target)
    pages.write_papers(papers, published, target)
    if profile is not None:
        pages.write_your_run(papers, own, profile, target)
    pages.write_costs(published, own, target)
    pages.write_schema(target)
    reference = api_pages.write_api(papers, frozenset(chapter.paper.package for chapter in published), target)
    contents = table_of_contents(published, own, reference, with_own=profile is not None)
    (target / "_toc.yml").write_text(yaml.safe_dump(contents, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _stage_chapter(chapter: Chapter, target: Path, repository_settings: dict[str, str]) -> None:
    folder = target / chapter.document
    folder.mkdir(parents=True)
    downloads = _stage_downloads(chapter, folder)
    if chapter.failure or chapter.notebook is None:
        pages.write_failed_chapter(chapter, target, downloads)
        return
    notebook = notebooks.cleaned(chapter.notebook)
    notebook = notebooks.shown(notebook, chapter.paper.package, Path(folder.name), _names(chapter.data_folder))
    below = pages.below_title(chapter, downloads, repository_settings)
    suffix = f" ({chapter.label})" if chapter.label else ""
    notebook = notebooks.with_heading(notebook, chapter.paper.title, below, suffix)
    if chapter.label:
        notebook = notebooks.with_own_labels(notebook, f"{chapter.label.replace(' ', '-')}-")
    nbformat.write(notebook, target / source_file(chapter))


def _names(folder: Path) -> frozenset[str]:
    return frozenset(path.name for path in folder.iterdir()) if folder.is_dir() else frozenset()


def _stage_downloads(chapter: Chapter, folder: Path) -> dict[str, str]:
    """Copy what a reader may download beside the page: the notebook, the record, the data of figures and tables."""
    offered = {}
    package = chapter.paper.package
    if chapter.notebook is not None:
        nbformat.write(notebooks.cleaned(chapter.notebook), folder / f"{package}.ipynb")
        offered["notebook"] = f"{folder.name}/{package}.ipynb"
    if chapter.record is not None:
        shutil.copyfile(chapter.folder / f"{package}.json", folder / f"{package}.json")
        offered["record"] = f"{folder.name}/{package}.json"
    for name in sorted(_names(chapter.data_folder)):
        if (chapter.data_folder / name).suffix == ".csv":
            shutil.copyfile(chapter.data_folder / name, folder / name)
    return offered


def table_of_contents(
    published: Sequence[Chapter],
    own: Sequence[Chapter],
    reference: Sequence[Package] = (),
    *,
    with_own: bool,
) -> dict[str, Any]:
    """Return the table of contents: ``book/_toc.yml`` with the chapters that there are."""
    contents: dict[str, Any] = yaml.safe_load((book_folder() / "_toc.yml").read_text(encoding="utf-8"))
    parts = {part["caption"]: part for part in contents["parts"]}
    entry: dict[str, Any] = {}
    for chapter in published:
        item = {"file": chapter.document, "title": _title(chapter)}
        if chapter.label and entry.get("package") == chapter.paper.package:
            entry["item"].setdefault("sections", []).append(item)
        else:
            parts[PAPERS_PART]["chapters"].append(item)
            entry = {"package": chapter.paper.package, "item": item}
    if with_own:
        parts[OWN_PART]["chapters"] += [{"file": c.document, "title": _title(c)} for c in own]
    else:
        contents["parts"].remove(parts[OWN_PART])
    for item in parts[USE_PART]["chapters"]:
        if item["file"] == f"{FOLDER}/overview":
            item["sections"] = api_pages.contents(reference)
    return contents


def _title(chapter: Chapter) -> str:
    title = chapter.paper.short_title
    if chapter.label == "paper scale":
        title += ", paper scale"
    return f"{title} – failed" if chapter.failure else title
