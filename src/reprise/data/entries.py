"""The registry: every data file that a chapter reads, with its address, hash, size, licence and source.

It is kept in ``registry.csv``; data sets of very many files have one compressed table each in ``manifests/``. Both
have the columns of :class:`RegistryEntry`, and ``python -m reprise.data.build_registry`` writes them.
"""

from __future__ import annotations

import csv
import io
import lzma
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

from reprise.errors import RepriseError, UnknownNameError

COLUMNS = ("path", "url", "sha256", "bytes", "licence", "source")
_FOLDER = Path(__file__).parent


class DataError(RepriseError):
    """A data file that is missing, damaged, unsafe to read, or cannot be stored."""


class UnknownDataError(DataError, UnknownNameError):
    """A path or pattern that no file of the registry matches."""


@dataclass(frozen=True, slots=True)
class RegistryEntry:
    """One registered file.

    Parameters
    ----------
    path
        Where the file lies below the cache folder, with forward slashes.
    url
        Where it is downloaded from; pinned to a commit where the host has commits.
    sha256
        SHA-256 of its bytes, 64 hexadecimal digits.
    bytes
        Its size.
    licence
        Under which terms it may be used.
    source
        What it is and whose.
    """

    path: str
    url: str
    sha256: str
    bytes: int
    licence: str
    source: str

    @property
    def data_set(self) -> str:
        """The first folder of the path."""
        return self.path.split("/", 1)[0]


def read_entries(stream: TextIO) -> Iterator[RegistryEntry]:
    """Read a registry table.

    Parameters
    ----------
    stream
        CSV text with the header ``path,url,sha256,bytes,licence,source``.

    Yields
    ------
    RegistryEntry
        One entry per line.

    Raises
    ------
    DataError
        If the header differs, or a line has too few or too many cells or a size that is no number.
    """
    reader = csv.reader(stream)
    header = tuple(next(reader, ()))
    if header != COLUMNS:
        raise DataError(f"a registry table starts with {','.join(header)!r}; expected {','.join(COLUMNS)!r}.")
    for cells in reader:
        if len(cells) != len(COLUMNS) or not cells[3].isdecimal():
            raise DataError(f"line {reader.line_num} of a registry table is not an entry: {','.join(cells)!r}.")
        path, url, sha256, size, licence, source = cells
        yield RegistryEntry(path, url, sha256, int(size), licence, source)


def read_registry(folder: Path) -> Mapping[str, RegistryEntry]:
    """Read ``registry.csv`` and all manifests of a folder.

    Parameters
    ----------
    folder
        Folder of ``registry.csv``, with or without ``manifests/``.

    Returns
    -------
    Mapping
        Path to entry, sorted by path; read-only.
    """
    entries: dict[str, RegistryEntry] = {}
    with (folder / "registry.csv").open(encoding="utf-8", newline="") as stream:
        entries.update((entry.path, entry) for entry in read_entries(stream))
    for manifest in sorted((folder / "manifests").glob("*.csv.xz")):
        with io.StringIO(lzma.decompress(manifest.read_bytes()).decode("utf-8"), newline="") as text:
            entries.update((entry.path, entry) for entry in read_entries(text))
    return MappingProxyType(dict(sorted(entries.items())))


@cache
def _registry_of(folder: Path) -> Mapping[str, RegistryEntry]:
    return read_registry(folder)


def registry() -> Mapping[str, RegistryEntry]:
    """Return all registered files, by path, sorted; read-only.

    Returns
    -------
    Mapping
        Path to :class:`RegistryEntry`.
    """
    return _registry_of(_FOLDER)


def find_entry(path: str) -> RegistryEntry:
    """Return the entry of one path.

    Raises
    ------
    UnknownDataError
        If there is none; names the nearest.
    """
    try:
        return registry()[path]
    except KeyError:
        raise _unknown("file", path) from None


def select(patterns: str | Iterable[str]) -> tuple[RegistryEntry, ...]:
    """Return the entries whose paths match.

    Parameters
    ----------
    patterns
        One or more shell patterns; ``*`` also crosses folders, and case counts.

    Returns
    -------
    tuple of RegistryEntry
        Each once, sorted by path.

    Raises
    ------
    UnknownDataError
        If a pattern matches nothing; names the nearest.

    Examples
    --------
    >>> [entry.path for entry in select("planetoid/ind.cora.t*")]
    ['planetoid/ind.cora.test.index', 'planetoid/ind.cora.tx', 'planetoid/ind.cora.ty']
    """
    chosen: dict[str, RegistryEntry] = {}
    for pattern in (patterns,) if isinstance(patterns, str) else patterns:
        matches = re.compile(translate(pattern)).match
        found = {path: entry for path, entry in registry().items() if matches(path)}
        if not found:
            raise _unknown("file that matches", pattern)
        chosen.update(found)
    return tuple(chosen[path] for path in sorted(chosen))


def hashes(patterns: str | Iterable[str]) -> dict[str, str]:
    """Return the registered SHA-256 of every matching file; nothing is read from disk.

    Parameters
    ----------
    patterns
        As in :func:`select`.

    Returns
    -------
    dict
        Path to 64 hexadecimal digits, sorted by path.
    """
    return {entry.path: entry.sha256 for entry in select(patterns)}


def _unknown(what: str, name: str) -> UnknownDataError:
    from difflib import get_close_matches

    data_sets = sorted({f"{entry.data_set}/*" for entry in registry().values()})
    close = get_close_matches(name, registry(), n=1, cutoff=0.8) or get_close_matches(name, data_sets, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "."
    return UnknownDataError(f"the registry has no {what} {name!r}{hint} `reprise data list` shows all data sets.")
