"""The reference of the library: a page for each paper's package and one for what all share, filled from docstrings.

The pages say what is to be documented; Sphinx imports it and reads signatures and docstrings (see `docstrings`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reprise.book.api_names import FOLDER, Package, packages
from reprise.book.cards import declared_cards
from reprise.book.templates import write_page

if TYPE_CHECKING:
    from reprise.catalogue import Paper

# What somebody meets who uses a method, reads records, or writes a chapter, in that order.
SHARED = (
    "data", "rows", "stats", "record", "verification", "claims", "settings", "compute", "chapter", "tables", "plots",
    "numerals", "timing", "flops", "catalogue", "errors",
)  # fmt: skip
_LABEL = re.compile(r"^\((your-data-[a-z0-9-]+)\)=$", flags=re.MULTILINE)


def write_api(papers: Sequence[Paper], with_chapter: frozenset[str], target: Path) -> list[Package]:
    """Write the pages of the reference, and the list of recipes that the page on own data begins with.

    Parameters
    ----------
    papers
        The papers of the book; of those without a package there is no page.
    with_chapter
        Packages that have a published chapter, to which their page leads.
    target
        Folder of the staged sources.

    Returns
    -------
    list of Package
        The packages that have a page.
    """
    found = packages(papers)
    recipes = frozenset(_LABEL.findall((target / "use-it-on-your-own-data.md").read_text(encoding="utf-8")))
    for package in found:
        write_page(
            target / f"{package.document}.md",
            "api_package.md.jinja",
            package=package,
            recipe=package.recipe if package.recipe in recipes else "",
            chapter=f"../papers/{package.paper.package}.ipynb" if package.paper.package in with_chapter else "",
        )
    write_page(target / FOLDER / "shared.md", "api_shared.md.jinja", modules=SHARED)
    write_page(target / FOLDER / "overview.md", "api_overview.md.jinja", packages=found, modules=SHARED)
    write_page(target / "recipes.md", "recipes.md.jinja", lines=list(_recipes(found, recipes)))
    return found


def _recipes(found: Sequence[Package], recipes: frozenset[str]) -> list[dict[str, Any]]:
    have = {card["slug"]: card["your_data"] for part in declared_cards() for card in part["papers"]}
    return [{"package": package, "have": have[package.paper.slug]} for package in found if package.recipe in recipes]


def contents(found: Sequence[Package]) -> list[dict[str, str]]:
    """Return the entries of the table of contents below the reference's first page."""
    entries = [{"file": package.document, "title": f"reprise.{package.paper.package}"} for package in found]
    return [*entries, {"file": f"{FOLDER}/shared", "title": "What all chapters share"}]
