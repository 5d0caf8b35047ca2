"""Where things are; every path of the project comes from here and none depends on the working folder."""

import os
from functools import cache
from pathlib import Path

from reprise.errors import RepriseError


@cache
def _repository_above(start: Path) -> Path | None:
    for folder in (start, *start.parents):
        project = folder / "pyproject.toml"
        if project.is_file() and 'name = "reprise-iclr2022"' in project.read_text(encoding="utf-8"):
            return folder
    return None


def repository() -> Path:
    """Return the folder of the checkout: ``REPRISE_HOME``, else found upwards from this file or the working folder.

    Raises
    ------
    RepriseError
        If there is no checkout (the library was installed without one), since notebooks and results live there, or
        ``REPRISE_HOME`` names a folder that is none.
    """
    if home := os.environ.get("REPRISE_HOME"):
        folder = Path(home).expanduser().resolve()
        if not (folder / "notebooks").is_dir():
            what = "has no notebooks/" if folder.is_dir() else "is not a folder"
            raise RepriseError(
                f"REPRISE_HOME names {folder}, which {what}; "
                "set it to the folder of a checkout of Reprise, or unset it."
            )
        return folder
    found = _repository_above(Path(__file__).resolve().parent) or _repository_above(Path.cwd().resolve())
    if found is None:
        raise RepriseError(
            "no checkout of Reprise found above the package or the working folder; "
            "set REPRISE_HOME to the folder that holds notebooks/ and results/."
        )
    return found


def notebooks_folder() -> Path:
    """Return the folder of the notebooks' sources."""
    return repository() / "notebooks"


def results_folder() -> Path:
    """Return the folder of the published runs."""
    return repository() / "results"


def build_folder() -> Path:
    """Return the folder of all build products; deleting it loses nothing that is not remade."""
    return repository() / "build"


def run_folder(profile: str) -> Path:
    """Return the folder in which runs of a profile on this machine leave their notebooks and records."""
    return build_folder() / "run" / profile


def book_folder() -> Path:
    """Return the folder of the book's hand-written pages."""
    return repository() / "book"


def rows_file(folder: Path, package: str) -> Path:
    """Where a run keeps the record of its rows alone, without summary and verdicts, until the chapter is finished."""
    return folder / f"{package}.rows.json"
