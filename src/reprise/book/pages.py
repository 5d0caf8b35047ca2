"""The pages and lines that are made from records: what stands under a title, failed chapters, overviews, the schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reprise.book.api_names import packages
from reprise.book.chapters import Chapter, Origin
from reprise.book.scoreboard import one_line, source_file
from reprise.book.templates import fill, write_page
from reprise.book.text import day, duration, listed, plain
from reprise.record import Record, schema, write_atomically

if TYPE_CHECKING:
    from reprise.catalogue import Paper

RUN_WORDS: dict[Origin, str] = {"published": "Published run", "yours": "Your run"}


def below_title(chapter: Chapter, downloads: dict[str, str], repository: dict[str, str]) -> str:
    """Return what stands under a chapter's title: run, profile, data, version, date, cost, downloads, doubts.

    Parameters
    ----------
    chapter
        The chapter.
    downloads
        Name of each file to be offered and its path relative to the page.
    repository
        Public address (``url``) and ``branch``; with an empty address no button that needs it is shown.
    """
    return fill(
        "below_title.md.jinja",
        chapter=chapter,
        run=RUN_WORDS[chapter.origin],
        record=chapter.record,
        data=data_words(chapter.paper, chapter.record) if chapter.record else "",
        downloads=downloads,
        launchers=list(_launchers(chapter.paper, repository)),
        library=next((package.label for package in packages([chapter.paper])), ""),
    )


def data_words(paper: Paper, record: Record) -> str:
    """Return the data sets of a run with their kind, e.g. ``DG-15 and TPT-48 (real)``."""
    kinds = {data_set.name: data_set.kind for data_set in paper.data_sets}
    names = record.parameters.get("datasets") or sorted({*record.rows.get("dataset", [])} - {"theory"})
    groups = [
        (label, [name for name in names if kinds.get(name) == kind])
        for kind, label in (("real", "real data"), ("embedded", "embedded data"), (None, "data of unstated kind"))
    ]
    return plain("; ".join(f"{listed(members)} ({label})" for label, members in groups if members))


def _launchers(paper: Paper, repository: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield name and address of the services that open the notebook as it lies in the public repository."""
    address = repository.get("url", "").rstrip("/")
    if not address.startswith("https://github.com/"):
        return
    place, branch = address.removeprefix("https://github.com/"), repository.get("branch") or "main"
    path = f"notebooks/{paper.package}.ipynb"
    yield "Binder", f"https://mybinder.org/v2/gh/{place}/{branch}?labpath={path.replace('/', '%2F')}"
    yield "Colab", f"https://colab.research.google.com/github/{place}/blob/{branch}/{path}"
    yield "Source", f"{address}/blob/{branch}/{path}"


def write_failed_chapter(chapter: Chapter, target: Path, downloads: dict[str, str]) -> None:
    """Write the page of a failed chapter: that it failed, why, the cell and the traceback."""
    write_page(target / source_file(chapter), "failed.md.jinja", chapter=chapter, downloads=downloads)


def write_papers(papers: Sequence[Paper], published: Sequence[Chapter], target: Path) -> None:
    """Write the overview of the papers, with a line for those that have no published run yet."""
    lines = [{"paper": paper, "chapters": _of(paper, published)} for paper in papers]
    write_page(
        target / "papers" / "overview.md",
        "papers.md.jinja",
        lines=lines, one_line=one_line, file=_beside, links=links,
    )  # fmt: skip


def links(paper: Paper) -> list[tuple[str, str]]:
    """Return names and addresses of what there is of a paper elsewhere."""
    addresses = {
        "arXiv": paper.arxiv_url,
        "OpenReview": paper.openreview_url,
        "the authors' code": paper.code,
        "Amazon Science": paper.blog,
    }
    return [(name, address) for name, address in addresses.items() if address]


def write_your_run(papers: Sequence[Paper], own: Sequence[Chapter], profile: str, target: Path) -> None:
    """Write the overview of what this machine ran."""
    lines = [{"paper": paper, "chapters": _of(paper, own)} for paper in papers if _of(paper, own)]
    missing = [paper.short_title for paper in papers if not _of(paper, own)]
    write_page(
        target / "your-run" / "overview.md",
        "your_run.md.jinja",
        profile=profile, lines=lines, missing=missing, one_line=one_line, file=_beside, day=day, duration=duration,
    )  # fmt: skip


def write_costs(published: Sequence[Chapter], own: Sequence[Chapter], target: Path) -> None:
    """Write the table of what the runs took, which the page on rerunning includes.

    Parameters
    ----------
    published
        The published chapters.
    own
        The chapters that this machine ran.
    target
        Folder of the staged sources.
    """
    recorded = [chapter for chapter in published if chapter.record]
    mine = {chapter.paper.package: chapter.record for chapter in own if chapter.record}
    seconds = [chapter.record.cost.seconds for chapter in recorded if chapter.record]
    write_page(
        target / "costs.md",
        "costs.md.jinja",
        chapters=recorded, mine=mine, own_profile=own[0].profile if own else "", file=source_file,
        total=sum(seconds), longest=max(seconds, default=0.0),
    )  # fmt: skip


def _of(paper: Paper, chapters: Sequence[Chapter]) -> list[Chapter]:
    return [chapter for chapter in chapters if chapter.paper.package == paper.package]


def _beside(chapter: Chapter) -> str:
    return Path(source_file(chapter)).name


def write_schema(target: Path) -> None:
    """Write the JSON schema of the record and the page that explains it field by field."""
    content = schema()
    write_atomically(target / "record.schema.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    parts = [("Record", content), *sorted(content.get("$defs", {}).items())]
    tables = [{"name": name, "about": part.get("description", ""), "fields": _fields(part)} for name, part in parts]
    write_page(target / "record.md", "record.md.jinja", tables=tables)


def _fields(part: dict[str, Any]) -> list[dict[str, str]]:
    required = set(part.get("required", ()))
    return [
        {
            "name": name,
            "type": _type(field),
            "required": "yes" if name in required else "no",
            "about": field.get("description", ""),
        }
        for name, field in part.get("properties", {}).items()
    ]


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in field:
        return " or ".join(_type(choice) for choice in field["anyOf"])
    if "enum" in field or "const" in field:
        return " or ".join(json.dumps(value) for value in field.get("enum", [field.get("const")]))
    kind = str(field.get("type", "any"))
    if kind == "array":
        return f"list of {_type(field.get('items', {}))}"
    if kind == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"object of {_type(field['additionalProperties'])}"
    return {"string": "text", "null": "null"}.get(kind, kind) if "format" not in field else str(field["format"])
