"""Getting data files: from the cache if they are there, else from their pinned addresses; always hash-checked.

A file is downloaded to a folder of its own inside the cache, checked, and only then moved to its place in one step.
So what lies in its place is complete, a run that was stopped goes on where it was, and two processes that fetch the
same file do not disturb one another.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.pool import ThreadPool
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlsplit

from reprise.data.checking import cache_folder, check_parallel, examine
from reprise.data.entries import DataError, RegistryEntry, find_entry, select

if TYPE_CHECKING:
    from requests import HTTPError

RETRIES = 2
TIMEOUT_S = (10, 60)  # to connect, and between two pieces of an answer
_PARTIAL = ".partial-"
_ABANDONED_AFTER_S = 86_400
_RAW_GITHUB = re.compile(r"https://raw\.githubusercontent\.com/([^/]+/[^/]+)/([0-9a-f]{40})/(.+)")
# Answers after which asking again may help; any other refusal is final.
_TEMPORARY_STATUS = frozenset({408, 425, 429})


class _RefusedError(Exception):
    """The server refused for good; deliberately not an error on which pooch would try again."""


class _StoppedError(Exception):
    """The files are not wanted any more; deliberately not an error on which pooch would try again."""


def addresses(url: str) -> tuple[str, ...]:
    """Return where to ask for a file, in order: its pinned address, then a mirror of the same commit if there is one.

    Whichever answers, the bytes must have the registered hash.

    Parameters
    ----------
    url
        Address in the registry.

    Examples
    --------
    >>> addresses("https://example.org/a.txt")
    ('https://example.org/a.txt',)
    """
    pinned = _RAW_GITHUB.fullmatch(url)
    if pinned is None:
        return (url,)
    # GitHub limits how many raw files one address may ask for; the image sets have thousands.
    repository, commit, path = pinned.groups()
    return (url, f"https://cdn.jsdelivr.net/gh/{repository}@{commit}/{path}")


def fetch(path: str) -> Path:
    """Return the local file of a registered path, verified; download it if it is absent.

    Parameters
    ----------
    path
        Path in the registry, e.g. ``"planetoid/ind.cora.x"``.

    Returns
    -------
    pathlib.Path
        An existing file with the registered hash.

    Raises
    ------
    UnknownDataError
        If the registry has no such path.
    DataError
        If the file is damaged, cannot be downloaded, or cannot be stored; says what to do.
    """
    return _obtain(find_entry(path), cache_folder(), Event())


def fetch_all(patterns: str | Iterable[str], *, progress: bool | None = None, parallel: int = 8) -> dict[str, Path]:
    """Return the local files of all matching paths, verified; download those that are absent.

    Parameters
    ----------
    patterns
        As in :func:`reprise.data.select`.
    progress
        Whether to show a progress bar; by default only on a terminal.
    parallel
        Number of files that are checked or downloaded at a time, at least 1.

    Returns
    -------
    dict
        Registry path to local file, sorted by path.

    Raises
    ------
    UnknownDataError
        If a pattern matches nothing.
    DataError
        At the first file that is damaged, cannot be downloaded or cannot be stored. Files that are finished or under
        way stay, and the next call goes on from there. An interruption waits for nothing.
    ValueError
        If ``parallel`` is below 1.
    """
    check_parallel(parallel)
    entries = select(patterns)
    folder = cache_folder()
    _remove_abandoned(folder)
    stop = Event()
    failures: list[DataError] = []
    files: dict[str, Path] = {}

    def obtain(entry: RegistryEntry) -> tuple[RegistryEntry, Path | DataError | None]:
        try:
            return entry, None if failures else _obtain(entry, folder, stop)
        except DataError as error:
            failures.append(error)
            return entry, error

    # Its threads are daemons: one that waits for a silent server does not hold up the end of the process.
    with progress_bar(sum(entry.bytes for entry in entries), progress) as advance, ThreadPool(parallel) as pool:
        try:
            for entry, found in pool.imap_unordered(obtain, entries):
                if isinstance(found, Path):
                    files[entry.path] = found
                    advance(entry.bytes)
        except BaseException:
            stop.set()
            raise
    if failures:
        ready = f" ({len(files)} of {len(entries)} files are ready; the next run goes on there.)"
        raise DataError(f"{failures[0]}{ready if len(entries) > 1 else ''}") from failures[0]
    return dict(sorted(files.items()))


@contextmanager
def progress_bar(total_bytes: int, show: bool | None = None) -> Iterator[Callable[[int], Any]]:
    """Show how many bytes are done.

    Parameters
    ----------
    total_bytes
        Size of the whole.
    show
        Whether to draw the bar; by default only if standard error is a terminal.

    Yields
    ------
    callable
        Takes the number of further bytes that are done.
    """
    from tqdm import tqdm

    hidden = not (sys.stderr.isatty() if show is None else show)
    with tqdm(total=total_bytes, unit="B", unit_scale=True, desc="data", disable=hidden) as bar:
        yield bar.update


def _obtain(entry: RegistryEntry, folder: Path, stop: Event) -> Path:
    finding = examine(entry, folder)
    if finding.state == "damaged":
        raise DataError(finding.problem)
    if finding.state == "missing":
        _store(entry, folder, stop)
        finding = examine(entry, folder)
        if finding.state != "intact":
            raise DataError(finding.problem)
    return finding.file


def _store(entry: RegistryEntry, folder: Path, stop: Event) -> None:
    target = folder / entry.path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_PARTIAL, dir=folder, ignore_cleanup_errors=True) as place:
            received = _download(entry, folder, Path(place), stop)
            received.chmod(0o644)  # temporary files are private, a cache may be shared
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(received, target)
    except OSError as error:
        raise DataError(
            f"cannot store data file {entry.path} in {folder} ({error.strerror or error}); it comes from {entry.url}: "
            "set REPRISE_DATA to a folder that you can write to, or to one that holds the file."
        ) from error


def _download(entry: RegistryEntry, folder: Path, place: Path, stop: Event) -> Path:
    import pooch
    from requests import RequestException

    pooch.get_logger().setLevel("WARNING")  # else a line for each of thousands of files
    name = quote(entry.path, safe="")
    problems: list[str] = []
    for url in addresses(entry.url):
        source = pooch.create(
            path=place,
            base_url="",
            registry={name: f"sha256:{entry.sha256}"},
            urls={name: url},
            retry_if_failed=RETRIES,
        )
        try:
            return Path(source.fetch(name, downloader=partial(_over_http, stop)))
        except (RequestException, _RefusedError) as error:
            reason = _reason(error)
        except ValueError as error:
            found = re.search(r"but got ([0-9a-f]{64})", str(error))
            reason = f"other content, expected SHA-256 {entry.sha256}, found {found[1] if found else error}"
        problems.append(f"{urlsplit(url).hostname}: {reason}")
    raise DataError(
        f"data file {entry.path} is not in {folder} and could not be downloaded from {entry.url} "
        f"({'; '.join(problems)}); connect to the network and try again, or set REPRISE_DATA to a folder that holds it."
    )


class _Stoppable:
    """A file that takes no further piece once the download is not wanted any more."""

    def __init__(self, file: BinaryIO, stop: Event) -> None:
        self._file, self._stop = file, stop
        self.flush = file.flush

    def write(self, piece: bytes) -> int:
        if self._stop.is_set():
            raise _StoppedError
        return self._file.write(piece)


def _over_http(stop: Event, url: str, output_file: str, source: Any) -> None:
    from pooch import HTTPDownloader
    from requests import HTTPError

    try:
        with Path(output_file).open("wb") as file:
            HTTPDownloader(timeout=TIMEOUT_S)(url, _Stoppable(file, stop), source)
    except HTTPError as error:
        status = _status(error)
        if 400 <= status < 500 and status not in _TEMPORARY_STATUS:
            raise _RefusedError(f"HTTP status {status}") from error
        raise


def _status(error: HTTPError) -> int:
    return error.response.status_code if error.response is not None else 0


def _reason(error: Exception) -> str:
    """Say in a few words why a download failed; the libraries' own messages fill several lines."""
    from requests import ConnectionError as NoConnectionError
    from requests import HTTPError, Timeout

    if isinstance(error, HTTPError):
        return f"HTTP status {_status(error)}"
    if isinstance(error, Timeout):
        return "no answer in time"
    if isinstance(error, NoConnectionError):
        return "no connection"
    return str(error) or type(error).__name__


def _remove_abandoned(folder: Path) -> None:
    """Remove what downloads left that were killed; those of a day may still be running."""
    for left in folder.glob(f"{_PARTIAL}*"):
        try:
            abandoned = time.time() - left.stat().st_mtime > _ABANDONED_AFTER_S
        except OSError:
            continue
        if abandoned:
            shutil.rmtree(left, ignore_errors=True)
