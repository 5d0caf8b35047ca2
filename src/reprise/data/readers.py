"""Readers that run no code from a data file.

A pickle is a program: loading one can call any function. The readers here admit only the few names that arrays and
sparse matrices need, so that a file that asks for anything else is refused before the call is made.
"""

from __future__ import annotations

import io
import pickle
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from reprise.data.archives import extract
from reprise.data.entries import DataError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ARRAY_NAMES", "GRAPH_NAMES", "extract", "load_npz", "load_object_npz", "load_pickle"]

ARRAY_NAMES: frozenset[tuple[str, str]] = frozenset(
    {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.numeric", "_frombuffer"),
    }
)
"""Names that a pickle of NumPy arrays in lists, tuples and dictionaries needs."""

GRAPH_NAMES: frozenset[tuple[str, str]] = ARRAY_NAMES | {
    ("scipy.sparse._csr", "csr_matrix"),
    ("collections", "defaultdict"),
    ("builtins", "list"),
}
"""Names that the citation graphs need besides: sparse matrices, and dictionaries of neighbour lists."""

# Where the names of old files live today: Python 2, NumPy 1, SciPy before 1.8.
_MOVED = {
    "__builtin__": "builtins",
    "scipy.sparse.csr": "scipy.sparse._csr",
    "numpy.core": "numpy._core",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}


_UNREADABLE = (OSError, ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)


class _RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that resolves the allowed names and no others."""

    def __init__(self, stream: IO[bytes], allowed: Iterable[tuple[str, str]], encoding: str) -> None:
        super().__init__(stream, encoding=encoding)
        self._allowed = frozenset((_MOVED.get(module, module), name) for module, name in allowed)

    def find_class(self, module: str, name: str) -> Any:
        """Return the object of an allowed name."""
        module = _MOVED.get(module, module)
        if (module, name) not in self._allowed:
            raise _ForbiddenNameError(f"{module}.{name}")
        return super().find_class(module, name)


class _ForbiddenNameError(Exception):
    """A pickle asks for a name that is not allowed."""


def load_pickle(path: str | Path, allowed: Iterable[tuple[str, str]] = ARRAY_NAMES, *, encoding: str = "latin1") -> Any:
    """Load a pickle that needs no names but the allowed ones.

    Parameters
    ----------
    path
        The file; fetch it first, so that its hash has been checked.
    allowed
        Pairs of module and name, by their old or their present module; :data:`ARRAY_NAMES` or :data:`GRAPH_NAMES`
        in most cases.
    encoding
        How to read byte strings of Python 2; ``"latin1"`` keeps the bytes of arrays.

    Returns
    -------
    object
        What the pickle holds.

    Raises
    ------
    DataError
        If the pickle asks for another name (which is then neither imported nor called), or cannot be read.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path} ({error.strerror}).") from error
    return _unpickle(io.BytesIO(content), allowed, encoding, str(path))


def _unpickle(stream: IO[bytes], allowed: Iterable[tuple[str, str]], encoding: str, name: str) -> Any:
    try:
        return _RestrictedUnpickler(stream, allowed, encoding).load()
    except _ForbiddenNameError as error:
        raise DataError(
            f"{name} asks for {error}, which is not among the names allowed for this file; it was not loaded. Use it "
            "only if you trust its origin, and allow the name explicitly."
        ) from None
    # A malformed pickle can fail in any way that the constructors of the allowed names can.
    except Exception as error:
        raise DataError(f"{name} is not a readable pickle ({error or type(error).__name__}).") from error


def load_npz(path: str | Path) -> dict[str, np.ndarray]:
    """Load the plain arrays of an ``.npz`` file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    dict
        Name to array.

    Raises
    ------
    DataError
        If the file cannot be read, or holds Python objects (read those with :func:`load_object_npz`).
    """
    import numpy as np

    try:
        # Opened here because NumPy, given a file that is no archive, would try other formats.
        with zipfile.ZipFile(path) as archive:
            return {_array_name(member): _plain_array(archive, member, np) for member in _members(archive)}
    except _UNREADABLE as error:
        raise DataError(f"cannot read the arrays of {path} ({error}).") from error


def load_object_npz(
    path: str | Path, allowed: Iterable[tuple[str, str]] = GRAPH_NAMES, *, encoding: str = "latin1"
) -> dict[str, Any]:
    """Load an ``.npz`` file some of whose arrays hold Python objects, such as sparse matrices.

    Parameters
    ----------
    path
        The file; fetch it first, so that its hash has been checked.
    allowed
        As in :func:`load_pickle`.
    encoding
        As in :func:`load_pickle`.

    Returns
    -------
    dict
        Name to array; an object array of shape ``()`` is replaced by the object in it.

    Raises
    ------
    DataError
        If a pickled object asks for a name that is not allowed, or the file cannot be read.
    """
    import numpy as np

    loaded: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in _members(archive):
                with archive.open(member) as stream:
                    if _holds_objects(stream, np):
                        value = _unpickle(stream, allowed, encoding, f"{member} of {path}")
                        loaded[_array_name(member)] = _only_item(value, np)
                        continue
                loaded[_array_name(member)] = _plain_array(archive, member, np)
    except _UNREADABLE as error:
        raise DataError(f"cannot read the arrays of {path} ({error}).") from error
    return loaded


def _members(archive: zipfile.ZipFile) -> list[str]:
    members = archive.namelist()
    for member in members:
        if not member.endswith(".npy"):
            raise ValueError(f"member {member!r} is not an array")
    return members


def _array_name(member: str) -> str:
    return member.removesuffix(".npy")


def _plain_array(archive: zipfile.ZipFile, member: str, np: Any) -> Any:
    with archive.open(member) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def _holds_objects(stream: IO[bytes], np: Any) -> bool:
    """Read the header of an array, and leave the stream behind it."""
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(np.lib.format.read_magic(stream))
    # The third version exists for structured arrays with names beyond Latin-1; those hold no objects here.
    return read_header is not None and read_header(stream)[2].hasobject


def _only_item(value: Any, np: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray) and value.shape == () else value
