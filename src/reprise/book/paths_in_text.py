"""Paths of the machine that ran something, and how to take them out of what the book shows."""

import os
import re
import tempfile
from functools import cache
from pathlib import Path

from reprise.paths import repository

# Folders below which people and machines keep their files; a path there says nothing to a reader elsewhere.
LOCAL_PATH = re.compile(
    r"(?<![\w./:~-])(?:/(?:home|root|Users|work|tmp|var/tmp|mnt|media|scratch|opt|private|workspace|builds)/"
    r"[\w.@+~-]+|[A-Za-z]:\\Users\\\w+)[^\s\"'<>|,;:)\]]*"
)

_CELL = re.compile(r"(?:/[\w.-]+)*/ipykernel_\d+/\d+\.py")
_INSTALLED = re.compile(r"(?:/[\w.@+~-]+)+/(?:site|dist)-packages/")
_STANDARD_LIBRARY = re.compile(r"(?:/[\w.@+~-]+)+/(lib/python3\.\d+/)")


def without_local_paths(text: str) -> str:
    """Return text in which paths are told from the repository, the installed libraries or ``…`` on.

    Examples
    --------
    >>> without_local_paths('File "/home/ada/.venv/lib/python3.11/site-packages/torch/nn.py", line 3')
    'File "site-packages/torch/nn.py", line 3'
    >>> without_local_paths("saved to /scratch/abc/rows.csv")
    'saved to …/rows.csv'
    """
    text = _CELL.sub("cell", text)
    text = _INSTALLED.sub("site-packages/", text)
    text = _STANDARD_LIBRARY.sub(r"\1", text)
    for folder, name in _known_folders():
        text = re.sub(rf"{re.escape(folder)}(?![\w.-])", lambda _, name=name: name, text)  # type: ignore[misc]
    return LOCAL_PATH.sub(lambda match: "…/" + re.split(r"[/\\]", match.group())[-1], text)


@cache
def _known_folders() -> tuple[tuple[str, str], ...]:
    known = [(str(repository()), "."), (str(Path.home()), "~")]
    if cache_folder := os.environ.get("REPRISE_DATA"):
        known.insert(0, (cache_folder.rstrip("/"), "REPRISE_DATA"))
    known.append((tempfile.gettempdir(), "…"))
    return tuple((folder, name) for folder, name in known if len(folder) > 1)
