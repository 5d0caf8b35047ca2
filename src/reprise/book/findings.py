"""The page of findings: what the audits found in released code, printed tables and designs, with computed numbers.

A chapter declares its findings in ``book/_data/findings/PACKAGE.yaml``, apart from its package, so that their wording
is no part of a run. Numbers are named there as selections of rows and computed from the published record when the page
is made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from reprise.book.chapters import Chapter, by_package
from reprise.book.declared import data_folder
from reprise.book.errors import BookError
from reprise.book.notebooks import headings, shown_things
from reprise.book.templates import write_page
from reprise.numerals import decimals_for, number
from reprise.rows import MissingRowsError, per_seed, select
from reprise.verification import published_numbers

if TYPE_CHECKING:
    import pandas as pd

NO_ROWS = "The published run has no rows for these numbers."
NO_SPREAD = 1e-9  # of seeds that all give the same, up to rounding
Where = Literal["released code", "published table", "design of a comparison", "missing baseline", "unstated choice"]


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Number(_Declared):
    """A number: the mean over seeds of rows, of their difference from or ratio to others; or a printed one."""

    rows: dict[str, Any] = Field(default_factory=dict, description="column of the rows → value")
    printed: dict[str, Any] = Field(default_factory=dict, description="column of the paper's printed numbers → value")
    minus: dict[str, Any] | None = None
    over: dict[str, Any] | None = None
    decimals: int = Field(1, description="at most; fewer where the interval is wide")
    signed: bool = False
    geometric: bool = Field(
        False, description="mean and interval of the logarithms: for ratios, and what spans decades"
    )
    interval: bool = Field(True, description="show the 95 % t interval over seeds, where there are several")

    @model_validator(mode="after")
    def _comes_from_somewhere(self) -> Number:
        if bool(self.rows) == bool(self.printed):
            raise ValueError("give either 'rows' or 'printed'")
        return self


class Audit(_Declared):
    """One finding, in the order in which it is told."""

    title: str
    where: Where
    found: str
    established: str
    changes: str = Field(description="how much it changes; {name} stands for a number")
    does_not_show: str
    shown: str = Field("", description="name of the figure or table of the chapter that shows it")
    section: str = Field("", description="heading of the chapter where there is neither")
    numbers: dict[str, Number] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_a_place(self) -> Audit:
        if bool(self.shown) == bool(self.section):
            raise ValueError("give either 'shown' or 'section', so that the finding can be followed to its cell")
        return self


def declared_findings(package: str) -> tuple[Audit, ...]:
    """Return a chapter's findings, none if it declares none.

    Raises
    ------
    BookError
        If the file does not have the form of :class:`Audit`; the message names file and field.
    """
    path = data_folder() / "findings" / f"{package}.yaml"
    if not path.is_file():
        return ()
    try:
        return tuple(Audit.model_validate(entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BookError(f"book/_data/findings/{path.name}: {place}: {first['msg']}") from error


def computed(wanted: Number, rows: pd.DataFrame, printed: pd.DataFrame) -> str:
    """Return a number as the page prints it.

    Parameters
    ----------
    wanted
        What is declared.
    rows, printed
        The rows of the published run, and the paper's printed numbers.

    Raises
    ------
    MissingRowsError
        If the rows that it needs are not there.
    """
    from reprise.stats import t_interval

    if wanted.printed:
        return number(float(select(printed, **wanted.printed)["value"].mean()), wanted.decimals)
    values = per_seed(rows, **wanted.rows)
    if wanted.minus is not None:
        values = (values - per_seed(rows, **wanted.minus)).dropna()
    if wanted.over is not None:
        values = (values / per_seed(rows, **wanted.over)).dropna()
    if values.empty:
        raise MissingRowsError(f"no seed has both {wanted.rows} and what it is compared with.")
    if wanted.geometric:
        return _geometric(values, wanted)
    found = t_interval(values)
    estimate = number(found.estimate, wanted.decimals, signed=wanted.signed)
    if not wanted.interval or not math.isfinite(found.half_width) or found.half_width < NO_SPREAD:
        return estimate
    decimals = min(wanted.decimals, decimals_for(found.half_width))
    ends = f"[{number(found.low, decimals)}, {number(found.high, decimals)}]"
    return f"{number(found.estimate, decimals, signed=wanted.signed)} {ends}"


def _geometric(values: pd.Series, wanted: Number) -> str:
    """Return the geometric mean of positive values, with the interval of their logarithms back on their scale."""
    from reprise.stats import t_interval

    found = t_interval([math.log(value) for value in values])
    ends = [number(math.exp(end), wanted.decimals) for end in (found.estimate, found.low, found.high)]
    shown = wanted.interval and math.isfinite(found.half_width) and found.half_width >= NO_SPREAD
    return f"{ends[0]} [{ends[1]}, {ends[2]}]" if shown else ends[0]


def told(audit: Audit, rows: pd.DataFrame, printed: pd.DataFrame) -> str:
    """Return how much a finding changes, with its numbers."""
    return audit.changes.format_map({name: computed(wanted, rows, printed) for name, wanted in audit.numbers.items()})


def write_findings(published: Sequence[Chapter], target: Path) -> None:
    """Write the page of findings from the published chapters that declare some."""
    papers = [
        {"chapter": chapter, "findings": lines}
        for chapter in by_package(published).values()
        if (lines := _lines_of(chapter))
    ]
    write_page(target / "findings.md", "findings.md.jinja", papers=papers)


def _lines_of(chapter: Chapter) -> list[dict[str, Any]]:
    audits = declared_findings(chapter.paper.package)
    if not audits or chapter.rows is None:
        return []
    rows, printed = chapter.rows, published_numbers(chapter.paper.package)
    return [{"audit": a, "place": place_of(a, chapter), "changes": _told_if_there(a, rows, printed)} for a in audits]


def _told_if_there(audit: Audit, rows: pd.DataFrame, printed: pd.DataFrame) -> str:
    try:
        return told(audit, rows, printed)
    except MissingRowsError:
        return NO_ROWS


def place_of(audit: Audit, chapter: Chapter) -> str:
    """Return a link to what shows a finding, as MyST; empty if the chapter does not have it."""
    if chapter.notebook is None or chapter.failure:
        return ""
    if audit.section:
        from docutils.nodes import make_id  # what Sphinx names a heading's anchor with

        link = f'<a href="{chapter.document}.html#{make_id(audit.section)}">the section “{audit.section}”</a>'
        return link if audit.section in headings(chapter.notebook) else ""
    thing = next((thing for thing in shown_things(chapter.notebook) if thing.name == audit.shown), None)
    return f"{{ref}}`{thing.title} <{chapter.paper.package}-{audit.shown}>`" if thing else ""
