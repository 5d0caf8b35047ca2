"""Unpacking archives without letting a member out of its folder."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from reprise.data.entries import DataError

LIMIT_BYTES = 4 * 2**30
_UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # an unknown compression
    RuntimeError,  # an encrypted member
    ValueError,
)


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of an archive: its name, what it is, its unpacked size, and the library's own description."""

    name: str
    kind: str
    bytes: int
    original: zipfile.ZipInfo | tarfile.TarInfo


def confined(name: str) -> PurePosixPath:
    """Return the relative path of a member, provided that it stays in the folder on every system.

    Parameters
    ----------
    name
        Name in the archive, e.g. ``"train/data.json"``.

    Returns
    -------
    pathlib.PurePosixPath
        The same name, without ``.`` parts.

    Raises
    ------
    DataError
        If the name is empty, absolute, climbs with ``..``, or has a colon, a backslash or a NUL.

    Examples
    --------
    >>> confined("./train/data.json")
    PurePosixPath('train/data.json')
    """
    path = PurePosixPath(name)
    # A backslash or a colon is harmless on some systems, and on others a folder, a drive or a hidden stream.
    if path.is_absolute() or ".." in path.parts or not path.parts or set(name) & set("\\:\0"):
        raise DataError(f"the archive has a member named {name!r}, which could leave its folder; it was not unpacked.")
    return path


def extract(archive: str | Path, folder: str | Path, *, limit_bytes: int = LIMIT_BYTES) -> list[Path]:
    """Unpack a zip or tar archive into a new folder: all of it or nothing.

    All names are checked before anything is written. Links and devices are refused, whatever they point to: a data
    archive holds folders and files.

    Parameters
    ----------
    archive
        The archive (zip; tar, also compressed with gzip, bzip2 or xz); fetch it first, so that its hash has been
        checked.
    folder
        Where to unpack; must not exist yet, or be empty.
    limit_bytes
        The largest size of all files together.

    Returns
    -------
    list of pathlib.Path
        The files, sorted.

    Raises
    ------
    DataError
        If a member could leave the folder, is a link or a device, comes twice, the whole is larger than the limit,
        the folder is not empty, or the archive cannot be read or written out.
    """
    target = Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(f"{target} exists already and is not an empty folder; remove it, or choose another one.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=target.parent) as partial:
            unpacked = Path(partial, "unpacked")
            unpacked.mkdir()
            _unpack(Path(archive), unpacked, limit_bytes)
            if target.exists():
                target.rmdir()  # empty; some systems do not replace a folder
            os.replace(unpacked, target)
    except OSError as error:
        raise DataError(f"cannot unpack {archive} into {target} ({error.strerror or error}).") from error
    return sorted(path for path in target.rglob("*") if path.is_file())


def _unpack(archive: Path, folder: Path, limit_bytes: int) -> None:
    try:
        with _opened(archive) as source:
            members = list(_members(source))
            places = _checked(archive, members, limit_bytes)
            for member, place in zip(members, places, strict=True):
                _write(source, member, folder / place)
    except _UNREADABLE as error:
        raise DataError(f"cannot read the archive {archive} ({error}).") from error


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile | tarfile.TarFile]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zip_file:
            yield zip_file
    else:
        with tarfile.open(archive) as tar_file:
            yield tar_file


def _members(source: zipfile.ZipFile | tarfile.TarFile) -> Iterator[_Member]:
    if isinstance(source, zipfile.ZipFile):
        for info in source.infolist():
            mode = stat.S_IFMT(info.external_attr >> 16)
            kind = "folder" if info.is_dir() else "file" if mode in (0, stat.S_IFREG) else "link or device"
            yield _Member(info.filename, kind, info.file_size, info)
    else:
        for entry in source:
            kind = "folder" if entry.isdir() else "file" if entry.isreg() else "link or device"
            yield _Member(entry.name, kind, entry.size, entry)


def _checked(archive: Path, members: list[_Member], limit_bytes: int) -> list[PurePosixPath]:
    size = sum(member.bytes for member in members)
    if size > limit_bytes:
        raise DataError(f"{archive} would unpack to {size} bytes; the limit is {limit_bytes}. It was not unpacked.")
    places: list[PurePosixPath] = []
    for member in members:
        if member.kind not in ("file", "folder"):
            raise DataError(f"{archive} has the {member.kind} {member.name!r}; it was not unpacked.")
        is_root = member.kind == "folder" and not PurePosixPath(member.name).parts and member.name.strip("/") == "."
        places.append(PurePosixPath() if is_root else confined(member.name))
    files = [place for member, place in zip(members, places, strict=True) if member.kind == "file"]
    if len(set(files)) < len(files):
        raise DataError(f"{archive} has the same member twice; it was not unpacked.")
    return places


def _write(source: zipfile.ZipFile | tarfile.TarFile, member: _Member, place: Path) -> None:
    if member.kind == "folder":
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with _stream(source, member) as stream, place.open("xb") as file:
        shutil.copyfileobj(stream, file)


def _stream(source: zipfile.ZipFile | tarfile.TarFile, member: _Member) -> IO[bytes]:
    if isinstance(source, zipfile.ZipFile):
        assert isinstance(member.original, zipfile.ZipInfo)
        return source.open(member.original)
    assert isinstance(member.original, tarfile.TarInfo)
    stream = source.extractfile(member.original)
    assert stream is not None, "a regular file has content"
    return stream
