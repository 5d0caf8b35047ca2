"""Checks of the built pages that need no browser: links, anchors, images, headings, hosts, paths of this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

from reprise.book.paths_in_text import LOCAL_PATH

# Pages that the theme makes and that hold no text of ours.
GENERATED = frozenset({"genindex.html", "search.html"})
# Attributes that make a browser ask for something when a page opens.
LOADS = {
    "script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src", "audio": "src", "embed": "src",
    "object": "data",
}  # fmt: skip
LOADING_RELATIONS = frozenset({"stylesheet", "icon", "shortcut", "preload", "modulepreload", "preconnect"})
# Examples of commands name folders that are nobody's; these are no traces of a machine.
EXAMPLE_PATH = re.compile(r"/path/to/")


@dataclass(frozen=True)
class Fault:
    """Something wrong on a page: which page, and what."""

    page: str
    what: str

    def __str__(self) -> str:
        return f"{self.page}: {self.what}"


class _Page:
    def __init__(self, path: Path, root: Path) -> None:
        self.path, self.name = path, path.relative_to(root).as_posix()
        self.html = path.read_text(encoding="utf-8")
        self.tree = BeautifulSoup(self.html, "html.parser")

    @cached_property
    def anchors(self) -> frozenset[str]:
        named = (tag.get("name") for tag in self.tree.find_all("a"))
        return frozenset(str(name) for name in (*(tag["id"] for tag in self.tree.find_all(id=True)), *named) if name)

    @property
    def article(self) -> Tag:
        found = self.tree.find("article")
        return found if isinstance(found, Tag) else self.tree


def check_pages(folder: Path) -> list[Fault]:
    """Look at every page of a built book and return what is wrong, in the order of the pages.

    Parameters
    ----------
    folder
        The folder of the built book.

    Returns
    -------
    list of Fault
        Links, anchors and images that lead nowhere; images without alternative text or with their path as such;
        levels of headings that are jumped; anything that would be asked of another host when a page opens; paths of the
        machine that built the book; places that MyST left empty; tracebacks outside the pages of failed chapters.
    """
    pages = {path.resolve(): _Page(path, folder) for path in sorted(folder.rglob("*.html"))}
    pages = {path: page for path, page in pages.items() if not page.name.startswith("_static/")}
    return [
        Fault(page.name, what)
        for page in pages.values()
        for check in (_links, _images, _headings, _other_hosts, _traces)
        for what in check(page, pages)
    ]


def _links(page: _Page, pages: dict[Path, Any]) -> Iterator[str]:
    for tag in page.tree.find_all(["a", "link", "img", "script"]):
        address = str(tag.get("href") or tag.get("src") or "")
        parts = urlsplit(address)
        if not address or parts.scheme or parts.netloc:
            continue
        target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path.resolve()
        if target.is_dir():
            target /= "index.html"
        if not target.exists():
            yield f"{address!r} leads nowhere"
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            yield f"{address!r}: that page has no such anchor"


def _images(page: _Page, pages: dict[Path, Any]) -> Iterator[str]:
    for image in page.article.find_all("img"):
        source, alternative = str(image.get("src", "")), str(image.get("alt", "")).strip()
        name = source.rsplit("/", 1)[-1]
        if not alternative:
            yield f"image {name} has no alternative text"
        elif alternative == source or alternative.endswith(name) or "_images/" in alternative:
            yield f"image {name} has its path as alternative text"


def _headings(page: _Page, pages: dict[Path, Any]) -> Iterator[str]:
    if page.name in GENERATED or page.tree.find("meta", attrs={"http-equiv": re.compile("refresh", re.I)}):
        return
    levels = [int(tag.name[1]) for tag in page.article.find_all(re.compile("^h[1-6]$"))]
    if levels.count(1) != 1:
        yield f"{levels.count(1)} headings of the first level, there must be one"
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"a heading of level {after} follows one of level {before}"


def _other_hosts(page: _Page, pages: dict[Path, Any]) -> Iterator[str]:
    for tag in page.tree.find_all([*LOADS, "link"]):
        if tag.name == "link":
            loads = LOADING_RELATIONS & {relation.lower() for relation in tag.get_attribute_list("rel") if relation}
            address = str(tag.get("href", "")) if loads else ""
        else:
            address = str(tag.get(LOADS[tag.name], ""))
        if urlsplit(address).netloc:
            yield f"{tag.name} asks {urlsplit(address).netloc} for {address!r}"
    for script in page.tree.find_all("script", src=False):
        if script.get("type") not in ("application/json", "application/ld+json"):
            for host in re.findall(r"https?://([\w.-]+\.\w+)", script.get_text()):
                yield f"a script names the host {host}"


def _traces(page: _Page, pages: dict[Path, Any]) -> Iterator[str]:
    for found in sorted({match.group() for match in LOCAL_PATH.finditer(page.html)}):
        if not EXAMPLE_PATH.search(found):
            yield f"a path of this machine: {found}"
    article = page.article
    failed = article.find(class_="reprise-traceback") is not None
    if not failed and "Traceback (most recent call last)" in article.get_text():
        yield "a traceback on a page that is not marked as failed"
    if article.select(".pasted-text:empty, .pasted-inline:empty"):
        yield "an empty place where a number should stand"
