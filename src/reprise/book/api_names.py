"""Which names the papers' packages hand out, and where the reference has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from reprise.provenance import PACKAGE_FOLDER

if TYPE_CHECKING:
    from reprise.catalogue import Paper

FOLDER = "api"


@dataclass(frozen=True)
class Package:
    """A paper's package, as far as the reference names it."""

    paper: Paper
    names: tuple[str, ...]

    @property
    def document(self) -> str:
        """Return the page's place in the book, without suffix."""
        return f"{FOLDER}/{self.paper.package}"

    @property
    def label(self) -> str:
        """Return the label by which other pages refer to the page."""
        return f"api-{self.hyphened}"

    @property
    def recipe(self) -> str:
        """Return the label of the recipe for own data."""
        return f"your-data-{self.hyphened}"

    @property
    def hyphened(self) -> str:
        """Return the package's name as labels have it."""
        return self.paper.package.replace("_", "-")


def packages(papers: Sequence[Paper]) -> list[Package]:
    """Return the packages that are written, with the names that they hand out."""
    return [Package(paper, names) for paper in papers if (names := public_names(paper.package))]


def public_names(package: str) -> tuple[str, ...]:
    """Return the names that a paper's package hands out; none if it is not written.

    Parameters
    ----------
    package
        Name below ``reprise``. Its modules are not imported, only the list of their names is.
    """
    if not (PACKAGE_FOLDER / package / "__init__.py").is_file():
        return ()
    return tuple(sorted(import_module(f"reprise.{package}").__all__, key=str.lower))
