"""The reference of the library: every public name has its entry, with defaults, parameters and errors, in the book."""

import re
from functools import cached_property
from pathlib import Path

import pytest
from browsing import BOOKS
from bs4 import BeautifulSoup
from sklearn.base import BaseEstimator

from reprise.book import Staged
from reprise.book.api_names import packages, public_names
from reprise.book.api_pages import SHARED
from reprise.book.cards import declared_cards
from reprise.book.docstrings import skip, written_here
from reprise.catalogue import PAPERS
from reprise.paths import book_folder
from reprise.provenance import PACKAGE_FOLDER


@pytest.fixture(params=BOOKS)
def book(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def page(book: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((book / "api" / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def entry(book: Path, name: str) -> str:
    """Return what the reference says of a name, as one line."""
    package = name.split(".")[1]
    signature = page(book, package).find(id=name)
    assert signature is not None, name
    return " ".join(signature.parent.get_text(" ").split())


def test_the_names_of_a_package_are_read_without_importing_its_modules() -> None:
    assert public_names("grda")[:2] == ("accuracy_by_domain", "ADDAClassifier")
    assert public_names("of_no_paper") == ()


def test_every_written_package_has_a_recipe_for_own_data() -> None:
    text = (book_folder() / "use-it-on-your-own-data.md").read_text(encoding="utf-8")
    written = [package for package in packages(PAPERS) if package.paper.notebook.is_file()]
    assert written
    assert [package.recipe for package in written if f"({package.recipe})=" not in text] == []


def test_every_card_says_what_one_must_have_to_use_the_method() -> None:
    assert all(card["your_data"].strip() for part in declared_cards() for card in part["papers"])


def test_every_shared_module_of_the_reference_exists() -> None:
    missing = [
        name
        for name in SHARED
        if not ((PACKAGE_FOLDER / f"{name}.py").is_file() or (PACKAGE_FOLDER / name / "__init__.py").is_file())
    ]
    assert missing == []


def test_only_what_was_written_here_is_shown_of_a_class() -> None:
    class Ours(BaseEstimator):
        @cached_property
        def kept(self) -> int:
            """Kept."""
            return 1

        @classmethod
        def made(cls) -> None:
            """Make."""

    for name in ("kept", "made"):
        vars(Ours)[name].__module__ = "reprise.somewhere"
    Ours.kept.func.__module__ = Ours.made.__func__.__module__ = "reprise.somewhere"
    shown = [name for name in ("kept", "made", "get_params") if written_here(getattr(Ours, name))]
    assert shown == ["kept", "made"]
    assert skip(None, "class", "get_params", Ours.get_params, False, None) is True
    assert skip(None, "module", "get_params", Ours.get_params, False, None) is None


@pytest.mark.book
def test_an_entry_has_defaults_parameters_types_results_and_errors(small_book: Path) -> None:
    said = entry(small_book, "reprise.grda.self_train")
    for words in ("n_teachers = 3", "n_teachers ( int )", "Labelled neighbours", "Returns :", "Warns :"):
        assert words in said, (words, said)
    assert "Raises : DomainsError" in entry(small_book, "reprise.grda.GraphDomains")
    assert "Attributes : " in entry(small_book, "reprise.grda.GRDAClassifier")


@pytest.mark.book
def test_inherited_methods_are_shown_and_those_of_libraries_are_not(small_book: Path) -> None:
    tree = page(small_book, "grda")
    assert tree.find(id="reprise.grda.GRDAClassifier.fit") is not None
    assert tree.find(id="reprise.grda.GRDAClassifier.get_params") is None


@pytest.mark.book
def test_every_public_name_of_every_package_has_an_entry(book: Path, staged: Staged) -> None:
    papers = [package for package in packages(PAPERS) if (book / f"{package.document}.html").is_file()]
    assert papers
    for package in papers:
        tree = page(book, package.paper.package)
        missing = [name for name in package.names if tree.find(id=f"reprise.{package.paper.package}.{name}") is None]
        assert missing == [], package.paper.package


@pytest.mark.book
def test_docstrings_left_no_broken_markup(book: Path) -> None:
    for path in sorted((book / "api").glob("*.html")):
        tree = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").find("article")
        assert tree.select(".problematic, .system-message") == [], path.name
        for code in tree.select("pre, code"):
            code.extract()
        assert re.findall(r":(?:func|class|ref|math):`|(?<!`)``(?!`)", tree.get_text()) == [], path.name


@pytest.mark.book
def test_a_chapter_leads_to_its_package_and_the_package_back(small_book: Path) -> None:
    chapter = (small_book / "papers/grda.html").read_text(encoding="utf-8")
    assert 'href="../api/grda.html' in chapter
    assert page(small_book, "grda").find("a", href=re.compile(r"papers/grda\.html")) is not None
    own = BeautifulSoup((small_book / "use-it-on-your-own-data.html").read_text(encoding="utf-8"), "html.parser")
    (row,) = [row for row in own.select("table tbody tr") if "reprise.grda" in row.get_text()]
    assert [link["href"] for link in row.select("a")] == ["#your-data-grda", "api/grda.html#api-grda"]


@pytest.mark.book
def test_the_search_knows_the_names(small_book: Path) -> None:
    index = (small_book / "searchindex.js").read_text(encoding="utf-8")
    assert "GRDAClassifier" in index
