"""Folders that are made elsewhere and moved into place as a whole, and what a kill left of them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(beside: Path, purpose: str) -> Iterator[Path]:
    """Yield an empty folder beside a target; remove it afterwards, and first those that killed processes left.

    Parameters
    ----------
    beside
        The folder that the result will replace; the scratch folder lies on the same file system.
    purpose
        A word for the name of the folder.
    """
    parent = beside.parent
    parent.mkdir(parents=True, exist_ok=True)
    for folder in parent.glob(f".{purpose}-*-*"):
        process = folder.name.split("-")[1]
        if process.isdigit() and not _is_alive(int(process)):
            shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=f".{purpose}-{os.getpid()}-") as folder_name:
        yield Path(folder_name)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def replace_folder(target: Path, fresh: Path) -> None:
    """Put a finished folder in the place of another; a kill in between leaves the old one under a hidden name."""
    before = _name_before(target)
    shutil.rmtree(before, ignore_errors=True)
    if target.exists():
        target.rename(before)
    fresh.rename(target)
    shutil.rmtree(before, ignore_errors=True)


def restore_after_kill(target: Path) -> None:
    """Give a folder its name back if a kill came between the two steps of its replacement."""
    before = _name_before(target)
    if before.exists() and not target.exists():
        before.rename(target)


def _name_before(target: Path) -> Path:
    return target.with_name(f".{target.name}-before")
