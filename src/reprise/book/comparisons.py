"""The page that sets chapters side by side where they ask the same question, from the published records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from reprise.book.chapters import Chapter, by_package
from reprise.book.declared import data_folder
from reprise.book.findings import Number, computed
from reprise.book.templates import write_page
from reprise.numerals import MISSING
from reprise.rows import MissingRowsError
from reprise.verification import published_numbers


class ComparedLine(BaseModel):
    """One number of one chapter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chapter: str
    what: str
    number: Number


class Comparison(BaseModel):
    """A question that several chapters ask."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    about: str
    lines: tuple[ComparedLine, ...]
    reading: str


def declared_comparisons() -> tuple[Comparison, ...]:
    """Return the comparisons of ``book/_data/comparisons.yaml``."""
    entries = yaml.safe_load((data_folder() / "comparisons.yaml").read_text(encoding="utf-8"))
    return tuple(Comparison.model_validate(entry) for entry in entries)


def write_comparisons(published: Sequence[Chapter], target: Path) -> None:
    """Write the page; a question is asked where at least two lines have a number."""
    wanted = declared_comparisons()
    named = {line.chapter for comparison in wanted for line in comparison.lines}
    first = {c.paper.slug: c for c in by_package(published).values() if c.record and c.paper.slug in named}
    tables = {slug: (chapter.rows, published_numbers(chapter.paper.package)) for slug, chapter in first.items()}
    sections = [_section(comparison, first, tables) for comparison in wanted]
    told = [section for section in sections if sum(line["value"] != MISSING for line in section["lines"]) > 1]
    write_page(target / "compare.md", "compare.md.jinja", sections=told)


def _section(comparison: Comparison, first: Mapping[str, Chapter], tables: Mapping[str, Any]) -> dict[str, Any]:
    lines = [
        {"what": line.what, "chapter": first[line.chapter], "value": _value(line, tables[line.chapter])}
        for line in comparison.lines
        if line.chapter in first
    ]
    return {"comparison": comparison, "lines": lines}


def _value(line: ComparedLine, tables: tuple[Any, Any]) -> str:
    try:
        return computed(line.number, *tables)
    except MissingRowsError:
        return MISSING
