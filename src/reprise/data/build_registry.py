"""Make the registry from tables: ``python -m reprise.data.build_registry FOLDER``.

``FOLDER`` holds any number of CSV files with the registry's columns. The same tables give the same files, byte for
byte, whatever the order of files and lines. Files that were registered and that no table names stay registered, and the
command says so; to drop one, remove its line from ``registry.csv``, or its manifest, first.
"""

from __future__ import annotations

import argparse
import csv
import io
import lzma
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from reprise.data.entries import COLUMNS, DataError, RegistryEntry, read_entries, read_registry
from reprise.errors import RepriseError

MANY_FILES = 100
_PATH = re.compile(r"(?!\.)[A-Za-z0-9._+@-]+(/(?!\.)[A-Za-z0-9._+@-]+)+")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_GITHUB = re.compile(r"https://(raw\.githubusercontent\.com|github\.com)/")
_PINNED = re.compile(r"https://raw\.githubusercontent\.com/[^/]+/[^/]+/[0-9a-f]{40}/.+")


def read_tables(folder: Path) -> tuple[RegistryEntry, ...]:
    """Read all CSV files of a folder; a file that several tables name alike counts once.

    Parameters
    ----------
    folder
        Folder with at least one ``*.csv``.

    Returns
    -------
    tuple of RegistryEntry
        Sorted by path.

    Raises
    ------
    DataError
        If there is no table, an entry is not valid, or two entries of one path differ.
    """
    tables = sorted(folder.glob("*.csv"))
    if not tables:
        raise DataError(f"{folder} holds no CSV file; give the folder of the registry tables.")
    entries: dict[str, RegistryEntry] = {}
    for table in tables:
        with table.open(encoding="utf-8", newline="") as stream:
            for entry in read_entries(stream):
                check_entry(entry)
                if entries.setdefault(entry.path, entry) != entry:
                    raise DataError(f"{table.name} and another table disagree on {entry.path}; make them equal.")
    return tuple(entries[path] for path in sorted(entries))


def check_entry(entry: RegistryEntry) -> None:
    """Refuse an entry that could not be fetched safely.

    Raises
    ------
    DataError
        If the path could leave the cache folder or hold characters of patterns, the hash is no SHA-256, the file is
        empty, the address is not pinned, or licence or source are missing.
    """
    checks = {
        "path must be DATA_SET/… of letters, digits and ._+@-, no part starting with a dot": _PATH.fullmatch(
            entry.path
        ),
        "sha256 must be 64 lower-case hexadecimal digits": _SHA256.fullmatch(entry.sha256),
        "bytes must be positive": entry.bytes > 0,
        "url must start with https://": entry.url.startswith("https://"),
        "url must pin a commit": _PINNED.fullmatch(entry.url) or not _GITHUB.match(entry.url),
        "licence and source must be given": entry.licence.strip() and entry.source.strip(),
    }
    for rule, holds in checks.items():
        if not holds:
            raise DataError(f"registry entry {entry.path!r}: {rule}; found {entry}.")


def to_csv(entries: Iterable[RegistryEntry]) -> str:
    """Spell entries as a registry table.

    Parameters
    ----------
    entries
        Entries in the order wanted.

    Returns
    -------
    str
        CSV with header and line feeds.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([getattr(entry, column) for column in COLUMNS] for entry in entries)
    return stream.getvalue()


def beyond(named: Iterable[RegistryEntry], folder: Path) -> tuple[RegistryEntry, ...]:
    """Return the entries of the registry in a folder whose paths are not among those named, sorted by path."""
    if not (folder / "registry.csv").is_file():
        return ()
    paths = {entry.path for entry in named}
    return tuple(entry for path, entry in read_registry(folder).items() if path not in paths)


def build(tables: Path, destination: Path, *, many_files: int = MANY_FILES) -> tuple[RegistryEntry, ...]:
    """Write ``registry.csv`` and the manifests.

    Parameters
    ----------
    tables
        Folder of the CSV files to read.
    destination
        Folder to write to. Entries that it has and no table names are kept; manifests not written anew are removed.
    many_files
        A data set of more files than this gets a compressed manifest of its own.

    Returns
    -------
    tuple of RegistryEntry
        What was written, sorted by path.

    Raises
    ------
    DataError
        As :func:`read_tables`.
    """
    named = read_tables(tables)
    entries = tuple(sorted((*named, *beyond(named, destination)), key=lambda entry: entry.path))
    ordinary: list[RegistryEntry] = []
    manifests: dict[str, bytes] = {}
    for data_set, group in groupby(entries, key=lambda entry: entry.data_set):
        members = list(group)
        if len(members) <= many_files:
            ordinary.extend(members)
        else:
            # The repeated parts of addresses and licences cost nothing once compressed: what remains are the hashes.
            text = to_csv(members).encode("utf-8")
            manifests[f"{data_set}.csv.xz"] = lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)
    folder = destination / "manifests"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.csv.xz"):
        if old.name not in manifests:
            old.unlink()
    for name, content in manifests.items():
        (folder / name).write_bytes(content)
    (destination / "registry.csv").write_text(to_csv(ordinary), encoding="utf-8", newline="")
    return entries


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the registry of this package, or of ``--destination``.

    Parameters
    ----------
    arguments
        Those of the command line by default.

    Returns
    -------
    int
        Exit status.
    """
    parser = argparse.ArgumentParser(
        prog="python -m reprise.data.build_registry", description="Build the data registry."
    )
    parser.add_argument("tables", type=Path, metavar="FOLDER", help="folder of CSV files with the registry's columns")
    parser.add_argument("--destination", type=Path, default=Path(__file__).parent, help="where to write")
    options = parser.parse_args(arguments)
    try:
        kept = beyond(read_tables(options.tables), options.destination)
        entries = build(options.tables, options.destination)
    except RepriseError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{len(entries)} files, {sum(entry.bytes for entry in entries) / 2**20:.1f} MiB.")
    if kept:
        files = Counter(entry.data_set for entry in kept)
        print(f"Kept, though no table names them: {', '.join(f'{name} ({n})' for name, n in files.items())}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
