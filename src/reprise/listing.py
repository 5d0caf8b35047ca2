"""The tables that the command line prints; each fits into 80 columns, and no name in it is ever cut."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reprise.catalogue import Paper
from reprise.data.overview import DataSetRow

LICENCE_WIDTH = 23
VALUE_WIDTH = 20
NARROWEST = 80  # columns; a narrower terminal wraps lines, but no name that one has to type is cut


def show(table: Table) -> None:
    """Print a table as wide as the terminal."""
    console = Console()
    console.width = max(console.width, NARROWEST)
    console.print(table)


def papers_table(papers: Sequence[Paper]) -> Table:
    """Return the papers: how each is named on the command line, what it is about, whether its chapter is written."""
    table = _table("paper", "name", "topic", "chapter", whole=("paper", "chapter"))
    for paper in papers:
        table.add_row(paper.slug, paper.short_title, paper.topic, "written" if paper.is_written() else "not yet")
    return table


def data_table(found: Sequence[tuple[Paper, DataSetRow]]) -> Table:
    """Return data sets, one line each; a long licence is cut at the edge."""
    table = _table("data set", "paper", "size", "here", "licence", whole=("data set", "paper", "size", "here"))
    table.columns[-1].no_wrap, table.columns[-1].max_width = True, LICENCE_WIDTH
    for paper, row in found:
        table.add_row(row.data_set, paper.package, _size(row), _here(row), row.licence)
    return table


def data_details(found: Sequence[tuple[Paper, DataSetRow]]) -> Table:
    """Return data sets with what they are and their whole licence."""
    table = _table("data set", "what it is", whole=("data set",))
    for _, row in found:
        facts = f"{row.files} file(s), {_size(row)}, here: {_here(row)}. Licence: {row.licence}."
        table.add_row(row.data_set, f"{row.description} {'Made in code.' if row.kind == 'embedded' else facts}")
    return table


def parameters_table(paper: Paper, profile: str) -> Table:
    """Return a chapter's parameters: name, value in a profile as it is written after ``-p``, and meaning.

    Raises
    ------
    RepriseError
        If the chapter is not written, or there is no such profile.
    """
    from reprise.parameters import profile_parameters, settings_class

    values = profile_parameters(paper, profile)
    table = _table("parameter", "value", "meaning", whole=("parameter",))
    table.columns[1].overflow = table.columns[2].overflow = "fold"
    table.columns[1].max_width = VALUE_WIDTH
    for name, field in settings_class(paper).model_fields.items():
        value = values.get(name, field.get_default(call_default_factory=True))
        # As text, not as markup, which lists in brackets would be taken for.
        table.add_row(name, Text(json.dumps(value, ensure_ascii=False).replace('"', "")), Text(field.description or ""))
    return table


def _table(*columns: str, whole: Sequence[str]) -> Table:
    """Return a table without rules in which the columns named are never broken."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=name in whole, overflow="ellipsis")
    return table


def _size(row: DataSetRow) -> str:
    return "in code" if row.kind == "embedded" else f"{max(row.bytes / 2**20, 0.1):.1f} MiB"


def _here(row: DataSetRow) -> str:
    if row.is_present:
        return "yes"
    return f"{row.present} of {row.files}" if row.present else "no"
