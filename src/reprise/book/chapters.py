"""The chapters that there are on disk, each with its record, its doubts, or the reason why it failed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import nbformat
from nbformat import NotebookNode

from reprise.book.paths_in_text import without_local_paths
from reprise.record import Record, RecordError, load

if TYPE_CHECKING:
    import pandas as pd

    from reprise.catalogue import Paper

Origin = Literal["published", "yours"]
Staleness = Callable[[Record], Sequence[str]]

PUBLISHED_PROFILES = ("standard", "paper")
_TERMINAL_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Failure:
    """Why a chapter is not shown: one sentence, the cell in question, and the traceback."""

    reason: str
    source: str = ""
    traceback: str = ""


@dataclass(frozen=True)
class Chapter:
    """One run of one paper's notebook, as it lies on disk.

    Attributes
    ----------
    paper
        The paper.
    profile
        Folder name of the run: ``quick``, ``standard`` or ``paper``.
    origin
        ``published`` (committed under results/) or ``yours`` (made on this machine).
    folder
        Folder that holds the notebook, the record and the folder of CSV files.
    notebook
        The executed notebook; None if it could not be read.
    record
        Its record; None if there is none that can be read.
    failure
        Why the notebook must not be shown; None if it is whole.
    doubts
        Reasons why the run should be read with caution: stale, no record, a record of another run.
    """

    paper: Paper
    profile: str
    origin: Origin
    folder: Path
    notebook: NotebookNode | None
    record: Record | None
    failure: Failure | None
    doubts: tuple[str, ...]

    @property
    def document(self) -> str:
        """Name of the page within the book, without suffix."""
        if self.origin == "yours":
            return f"your-run/{self.paper.package}"
        suffix = "" if self.profile == PUBLISHED_PROFILES[0] else f"-{self.profile}"
        return f"papers/{self.paper.package}{suffix}"

    @property
    def label(self) -> str:
        """What tells this run from the others, for titles: empty for the published standard run."""
        if self.origin == "yours":
            return "your run"
        return "" if self.profile == PUBLISHED_PROFILES[0] else f"{self.profile} scale"

    @cached_property
    def rows(self) -> pd.DataFrame | None:
        """The rows of the record as a DataFrame, made once; None without a record."""
        return self.record.frame() if self.record else None

    @property
    def data_folder(self) -> Path:
        """Folder with the CSV twins of figures and tables."""
        return self.folder / self.paper.package


def published_chapters(papers: Iterable[Paper], results: Path, staleness: Staleness) -> list[Chapter]:
    """Return the published chapters in the order of the papers; a paper's standard run comes before its paper run."""
    return [
        chapter
        for paper in papers
        for profile in PUBLISHED_PROFILES
        if (chapter := _chapter(paper, profile, "published", results / profile, staleness))
    ]


def own_chapters(papers: Iterable[Paper], profile: str, folder: Path, staleness: Staleness) -> list[Chapter]:
    """Return the chapters that this machine ran with a profile, failed ones included."""
    return [
        chapter for paper in papers if (chapter := _chapter(paper, profile, "yours", folder, staleness)) is not None
    ]


def _chapter(paper: Paper, profile: str, origin: Origin, folder: Path, staleness: Staleness) -> Chapter | None:
    good, failed = folder / f"{paper.package}.ipynb", folder / f"{paper.package}.failed.ipynb"
    record_path = folder / f"{paper.package}.json"
    path = failed if failed.exists() else good
    if not path.exists() and not record_path.exists():
        return None
    notebook, failure = _read(path)
    if path == failed and failure is None:
        failure = Failure("the run was marked as failed, though no cell of it shows an error.")
    record, doubts = (None, ()) if failure else _record(record_path, paper, profile, staleness)
    return Chapter(paper, profile, origin, folder, notebook, record, failure, tuple(doubts))


def _read(path: Path) -> tuple[NotebookNode | None, Failure | None]:
    try:
        notebook = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        return None, Failure(f"there is a record but no executed notebook ({path.name}).")
    except Exception as error:  # nbformat raises many kinds for a truncated or foreign file
        sentence = without_local_paths(str(error)).splitlines()[0][:200] if str(error) else type(error).__name__
        return None, Failure(f"the executed notebook {path.name} cannot be read ({sentence}).")
    return notebook, find_failure(notebook)


def _record(path: Path, paper: Paper, profile: str, staleness: Staleness) -> tuple[Record | None, Sequence[str]]:
    try:
        record = load(path)
    except RecordError as error:
        return None, [f"its numbers cannot be followed to a record: {without_local_paths(str(error))}"]
    if record.package != paper.package:
        return None, [f"the record beside it belongs to {record.package}."]
    doubts = list(staleness(record))
    if record.profile != profile:
        changed = "parameters changed" if record.profile == "custom" else f"the profile {record.profile}"
        doubts.append(f"it was run with {changed}, not with the profile {profile} as it stands.")
    return record, doubts


def find_failure(notebook: NotebookNode) -> Failure | None:
    """Return why an executed notebook must not be shown as a result, or None if it ran to its end.

    A cell with an error output, papermill's own mark, and a cell that was never run all count; a cell that is
    tagged to raise an exception counts too, since a chapter shows expected errors by catching them.
    """
    code = [(number, cell) for number, cell in enumerate(notebook.cells, start=1) if cell.cell_type == "code"]
    for number, cell in code:
        for output in cell.outputs:
            if output.output_type == "error":
                return _raised(number, cell, output)
    if notebook.metadata.get("papermill", {}).get("exception"):
        return Failure("the run ended with an exception that no cell shows.")
    for number, cell in code:
        status = cell.metadata.get("papermill", {}).get("status")
        unrun = cell.execution_count is None or status in ("pending", "failed", "running")
        if cell.source.strip() and unrun:
            return Failure(f"cell {number} was not run to its end.", cell.source)
    return None


def _raised(number: int, cell: NotebookNode, output: NotebookNode) -> Failure:
    lines = "\n".join(output.get("traceback", []))
    text = without_local_paths(_TERMINAL_COLOUR.sub("", lines))
    message = without_local_paths(_TERMINAL_COLOUR.sub("", output.get("evalue", ""))).strip().split("\n")[0]
    return Failure(f"cell {number} raised {output.get('ename', 'an error')}: {message}", cell.source, text)


def by_package(chapters: Iterable[Chapter]) -> dict[str, Chapter]:
    """Return one chapter a paper: the first, which for published ones is the standard run."""
    first: dict[str, Chapter] = {}
    for chapter in chapters:
        first.setdefault(chapter.paper.package, chapter)
    return first


def verdict_counts(chapters: Iterable[Chapter]) -> Iterator[tuple[str, int]]:
    """Yield each outcome with the number of verdicts that have it; rehearsals on embedded data count apart."""
    from collections import Counter

    from reprise.claims import OUTCOMES

    verdicts = [verdict for chapter in chapters if chapter.record for verdict in chapter.record.verdicts]
    counted = Counter("rehearsed" if verdict.rehearsal is not None else verdict.outcome for verdict in verdicts)
    for outcome in (*OUTCOMES, "rehearsed"):
        yield outcome, counted[outcome]
