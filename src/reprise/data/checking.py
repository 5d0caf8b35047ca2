"""Where the data files lie on this machine, and whether they are what the registry says."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reprise.data.entries import DataError, RegistryEntry, select

State = Literal["intact", "missing", "damaged"]

# Files whose hash this process has checked, with the modification time and size they had then.
_verified: dict[tuple[Path, str], tuple[int, int]] = {}


def cache_folder() -> Path:
    """Return the folder of the data files; it need not exist yet.

    Returns
    -------
    pathlib.Path
        ``REPRISE_DATA`` if it is set, else the user's cache folder of this system.

    Raises
    ------
    DataError
        If ``REPRISE_DATA`` names something that is not a folder.
    """
    named = os.environ.get("REPRISE_DATA")
    if named:
        folder = Path(named).expanduser().absolute()
        if folder.exists() and not folder.is_dir():
            raise DataError(f"REPRISE_DATA names {folder}, which is not a folder; set it to the folder of the data.")
        return folder
    import pooch

    return Path(pooch.os_cache("reprise"))


@dataclass(frozen=True, slots=True)
class Finding:
    """What the check of one file found.

    Parameters
    ----------
    entry
        What the registry says.
    file
        Where the file should lie.
    state
        ``"intact"``, ``"missing"`` or ``"damaged"``.
    found_bytes, found_sha256
        Size and hash of a damaged file; ``None`` where it is no ordinary file, and for the other states.
    """

    entry: RegistryEntry
    file: Path
    state: State
    found_bytes: int | None = None
    found_sha256: str | None = None

    @property
    def problem(self) -> str:
        """What is wrong and what to do, in one sentence; empty for an intact file."""
        if self.state == "intact":
            return ""
        if self.state == "missing":
            return f"data file {self.entry.path} is not in {self._folder}; `reprise data fetch` downloads it."
        if self.found_sha256 is None:
            return f"{self.file} is not a file; remove it, and `reprise data fetch` downloads the data file."
        return (
            f"data file {self.file} is damaged: expected SHA-256 {self.entry.sha256} ({self.entry.bytes} bytes), "
            f"found {self.found_sha256} ({self.found_bytes} bytes); {self._remedy}"
        )

    @property
    def _folder(self) -> Path:
        return self.file.parents[self.entry.path.count("/")]

    @property
    def _remedy(self) -> str:
        if os.access(self.file.parent, os.W_OK):
            return f"delete it, and `reprise data fetch` downloads it again (from {self.entry.url})."
        return (
            f"its folder is read-only: put the file from {self.entry.url} in its place, or set REPRISE_DATA to "
            "another folder."
        )


def examine(entry: RegistryEntry, folder: Path, *, again: bool = False) -> Finding:
    """Compare a file with its registry entry: the size always, the hash once per process.

    Parameters
    ----------
    entry
        The registered file.
    folder
        Folder of the data files.
    again
        Whether to read the bytes even if this process has checked them before.

    Returns
    -------
    Finding
        Intact, missing or damaged.

    Raises
    ------
    DataError
        If the file exists but cannot be read.
    """
    file = folder / entry.path
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            return Finding(entry, file, "damaged")
        version = (status.st_mtime_ns, status.st_size)
        if not again and status.st_size == entry.bytes and _verified.get((file, entry.sha256)) == version:
            return Finding(entry, file, "intact")
        found = _sha256(file)
    except (FileNotFoundError, NotADirectoryError):
        return Finding(entry, file, "missing")
    except OSError as error:
        raise DataError(f"cannot read data file {file} ({error.strerror}); make it readable for you.") from error
    if found != entry.sha256 or status.st_size != entry.bytes:
        return Finding(entry, file, "damaged", status.st_size, found)
    _verified[file, entry.sha256] = version
    return Finding(entry, file, "intact")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_present(entry: RegistryEntry, folder: Path) -> bool:
    """Tell whether a file of the registered size lies in the folder; its bytes are not read.

    Parameters
    ----------
    entry
        The registered file.
    folder
        Folder of the data files.
    """
    try:
        status = (folder / entry.path).stat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == entry.bytes


def verify(
    patterns: str | Iterable[str], *, parallel: int = 8, advance: Callable[[int], object] | None = None
) -> tuple[Finding, ...]:
    """Read every byte of the matching files and compare it with the registry; nothing is downloaded or changed.

    Parameters
    ----------
    patterns
        As in :func:`reprise.data.select`.
    parallel
        Number of threads, at least 1.
    advance
        Called with the size of each file when it has been checked, e.g. to move a progress bar.

    Returns
    -------
    tuple of Finding
        One per file, sorted by path; ``finding.problem`` says what is wrong with those that are not intact.

    Raises
    ------
    UnknownDataError
        If a pattern matches nothing.
    DataError
        If a file cannot be read.
    ValueError
        If ``parallel`` is below 1.
    """
    check_parallel(parallel)
    folder = cache_folder()

    def check(entry: RegistryEntry) -> Finding:
        finding = examine(entry, folder, again=True)
        if advance is not None:
            advance(entry.bytes)
        return finding

    with ThreadPoolExecutor(parallel) as pool:
        return tuple(pool.map(check, select(patterns)))


def check_parallel(parallel: int) -> None:
    """Refuse a number of threads below 1.

    Raises
    ------
    ValueError
        If it is below 1.
    """
    if parallel < 1:
        raise ValueError(f"parallel is {parallel}; it must be at least 1.")
