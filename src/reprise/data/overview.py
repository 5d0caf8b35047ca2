"""What data a chapter needs, and what of it is here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reprise.catalogue import DataSet, Paper, find_paper
from reprise.data.checking import cache_folder, is_present
from reprise.data.entries import select


@dataclass(frozen=True, slots=True)
class DataSetRow:
    """One data set of a chapter.

    Parameters
    ----------
    data_set
        Its name.
    kind
        ``"embedded"`` or ``"real"``.
    files, bytes
        How many files it has, and their size together; 0 for embedded data.
    licence
        The terms of its files, each once; empty for embedded data.
    present
        How many of the files are in the cache with their registered size.
    description
        What the data are.
    """

    data_set: str
    kind: Literal["embedded", "real"]
    files: int
    bytes: int
    licence: str
    present: int
    description: str

    @property
    def is_present(self) -> bool:
        """Whether nothing needs to be downloaded."""
        return self.present == self.files


def describe(paper: str | Paper) -> list[DataSetRow]:
    """Return one row per data set of a chapter; sizes are compared, bytes are not read.

    Parameters
    ----------
    paper
        A paper, or its slug or package name.

    Returns
    -------
    list of DataSetRow
        In the order of the catalogue.

    Raises
    ------
    UnknownPaperError
        If there is no such paper.
    """
    return [_row(data_set) for data_set in (find_paper(paper) if isinstance(paper, str) else paper).data_sets]


def _row(data_set: DataSet) -> DataSetRow:
    entries = select(data_set.files)
    folder = cache_folder() if entries else None
    return DataSetRow(
        data_set=data_set.name,
        kind=data_set.kind,
        files=len(entries),
        bytes=sum(entry.bytes for entry in entries),
        licence="; ".join(dict.fromkeys(entry.licence for entry in entries)),
        present=sum(is_present(entry, folder) for entry in entries) if folder else 0,
        description=data_set.description,
    )
