"""The cards of the first page: a paper's idea, a figure of its chapter in small, its verdict in one line."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import yaml
from nbformat import NotebookNode

from reprise.book.chapters import Chapter, by_package
from reprise.book.declared import data_folder
from reprise.book.errors import BookError
from reprise.book.notebooks import Shown, headings, shown_things
from reprise.book.pages import links
from reprise.book.scoreboard import one_line
from reprise.book.templates import write_page

if TYPE_CHECKING:
    from reprise.catalogue import Paper

THUMBNAIL_WIDTH = 560  # pixels, twice what is shown
RESULTS = "The paper beside ours"


def write_cards(papers: Sequence[Paper], published: Sequence[Chapter], target: Path) -> None:
    """Write the cards that the first page includes, and their figures.

    Parameters
    ----------
    papers
        All papers; every one needs an entry in ``book/_data/cards.yaml``.
    published
        The published chapters; of each paper the first is shown.
    target
        Folder of the staged sources.

    Raises
    ------
    BookError
        If a paper has no card; the message names the file.
    """
    first = by_package(published)
    known = {paper.slug: paper for paper in papers}
    parts = [
        {"name": part["part"], "cards": [_card(entry, known[entry["slug"]], first, target) for entry in cards]}
        for part in declared_cards()
        if (cards := [entry for entry in part["papers"] if entry["slug"] in known])
    ]
    carded = {card["paper"].slug for part in parts for card in part["cards"]}
    if missing := sorted(set(known) - carded):
        raise BookError(f"no card for {', '.join(missing)}; add one to book/_data/cards.yaml.")
    write_page(target / "cards.md", "cards.md.jinja", parts=parts)


def declared_cards() -> list[dict[str, Any]]:
    """Return the parts of the first page with their papers, as they are declared."""
    parts: list[dict[str, Any]] = yaml.safe_load((data_folder() / "cards.yaml").read_text(encoding="utf-8"))
    return parts


def _card(entry: Mapping[str, str], paper: Paper, first: Mapping[str, Chapter], target: Path) -> dict[str, Any]:
    chapter = first.get(paper.package)
    return {
        "paper": paper,
        "idea": entry["idea"],
        "chapter": chapter,
        "verdict": one_line(chapter) if chapter else "No published run yet.",
        "thumbnail": _thumbnail(chapter, entry.get("thumbnail"), target) if chapter else None,
        "links": links(paper),
    }


def _thumbnail(chapter: Chapter, name: str | None, target: Path) -> dict[str, Any] | None:
    """Write a chapter's figure in small; return its path, alternative text and size, or None if it has no figure."""
    if chapter.notebook is None or chapter.failure:
        return None
    figure = chosen_figure(chapter.notebook, name)
    if figure is None:
        return None
    path = f"thumbnails/{chapter.paper.package}.png"
    content, (width, height) = in_small(base64.b64decode(figure.output.data["image/png"]))
    (target / "_extra" / path).parent.mkdir(parents=True, exist_ok=True)
    (target / "_extra" / path).write_bytes(content)
    alt = " ".join(str(figure.output.metadata["reprise"].get("alt", "")).split())
    return {"path": path, "alt": alt, "width": width // 2, "height": height // 2}


def chosen_figure(notebook: NotebookNode, name: str | None) -> Shown | None:
    """Return the figure of that name; else the first one beside the paper's numbers; else the first; else None."""
    figures = [thing for thing in shown_things(notebook) if "image/png" in thing.output.get("data", {})]
    named = [figure for figure in figures if figure.name == name]
    later = {thing.name for thing in shown_things(_from_results_on(notebook))}
    beside = [figure for figure in figures if figure.name in later]
    return next(iter([*named, *beside, *figures]), None)


def _from_results_on(notebook: NotebookNode) -> NotebookNode:
    cells = notebook.cells
    starts = [
        place
        for place, cell in enumerate(cells)
        if cell.cell_type == "markdown" and RESULTS in headings(nbformat.v4.new_notebook(cells=[cell]))
    ]
    return nbformat.v4.new_notebook(cells=cells[starts[0] :] if starts else [])


def in_small(png: bytes) -> tuple[bytes, tuple[int, int]]:
    """Return a picture scaled down to the width of a card, with few colours, and its size in pixels."""
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    width = min(THUMBNAIL_WIDTH, picture.width)
    height = round(picture.height * width / picture.width)
    small = io.BytesIO()
    picture.resize((width, height), Image.Resampling.LANCZOS).quantize(64).save(small, format="png", optimize=True)
    return small.getvalue(), (width, height)
