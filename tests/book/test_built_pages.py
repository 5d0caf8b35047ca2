"""The built pages without a browser: links, images, headings, hosts, and that every claim is where it belongs."""

import json
from pathlib import Path

import pytest
from browsing import BOOKS
from bs4 import BeautifulSoup

from reprise.book import Staged, check_pages

pytestmark = pytest.mark.book


def text_of(page: Path) -> str:
    article = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").find("article")
    assert article is not None
    return " ".join(article.get_text(" ").split())


def claims_of(book: Path) -> list[dict[str, str]]:
    (path,) = book.glob("_downloads/*/scoreboard.json")
    return json.loads(path.read_text(encoding="utf-8"))["claims"]


def test_the_book_of_this_checkout_is_there_to_be_looked_at() -> None:
    if "real_book" not in BOOKS:
        pytest.skip(
            "the book has not been built in this checkout (`make book` does it): only the small one was checked"
        )


@pytest.fixture(params=BOOKS)
def book(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def test_no_page_has_a_fault(book: Path) -> None:
    assert [str(fault) for fault in check_pages(book)] == []


def test_every_claim_stands_on_its_page_and_on_the_scoreboard(book: Path) -> None:
    scoreboard = text_of(book / "scoreboard.html")
    for claim in claims_of(book):
        page = text_of(book / claim["page"].partition("#")[0])
        assert claim["claim_id"] in page, claim
        assert claim["claim_id"] in scoreboard, claim
        assert claim["label"] in scoreboard, claim


def test_the_scoreboard_has_every_verdict_of_every_record(small_book: Path, staged: Staged) -> None:
    entries = {(c["paper"], c["run"], c["profile"], c["claim_id"]): c["outcome"] for c in claims_of(small_book)}
    recorded = {
        (chapter.record.paper, chapter.origin, chapter.record.profile, verdict.claim_id): verdict.outcome
        for chapter in (*staged.published, *staged.own)
        if chapter.record
        for verdict in chapter.record.verdicts
    }
    assert entries == recorded


def test_a_figure_carries_its_computed_alternative_text_and_caption(small_book: Path) -> None:
    page = BeautifulSoup((small_book / "papers/grda.html").read_text(encoding="utf-8"), "html.parser")
    image = page.select_one("article figure img")
    assert image is not None
    assert image["alt"] == "Accuracy falls from 72 to 53 when rows are paired independently."
    assert "Figure 1. Target accuracy" in text_of(small_book / "papers/grda.html")


def test_a_failed_chapter_says_so_and_shows_its_traceback_without_local_paths(small_book: Path) -> None:
    text = text_of(small_book / "your-run/cold_brew.html")
    assert "This chapter failed" in text
    assert "ValueError: temperature must be positive" in text
    assert "/home/ada" not in text
    assert "Accuracy falls" not in text


def test_a_chapter_beside_a_failed_one_is_whole(small_book: Path) -> None:
    assert "Figure 1." in text_of(small_book / "your-run/grda.html")


def test_a_stale_record_is_marked_on_top_of_its_page_and_on_the_scoreboard(small_book: Path) -> None:
    page = text_of(small_book / "papers/cold_brew.html")
    assert page.index("These results are in doubt") < page.index("In one paragraph")
    assert "code changed since the run: reprise.cold_brew.study" in page
    assert "in doubt" in text_of(small_book / "scoreboard.html")
    assert "in doubt" not in text_of(small_book / "papers/grda.html")


def test_a_page_says_which_run_made_it(small_book: Path) -> None:
    text = text_of(small_book / "papers/grda.html")
    for word in ("Published run", "standard", "dg-15 (real data)", "0.1.0", "4 March 2026", "1 min 35 s"):
        assert word in text[:600], word


def test_a_paper_without_a_run_is_a_line_and_no_broken_entry(small_book: Path) -> None:
    assert "No published run yet" in text_of(small_book / "papers/overview.html")
    assert not (small_book / "papers/psa_gan.html").exists()


def test_notebook_record_and_drawn_data_can_be_downloaded(small_book: Path) -> None:
    names = {path.name for path in (small_book / "_downloads").glob("*/*")}
    assert {"grda.ipynb", "grda.json", "pairing.csv", "wide.csv", "record.schema.json", "scoreboard.csv"} <= names


def test_the_theme_offers_the_notebook_as_it_ran_without_traces_of_the_machine(small_book: Path) -> None:
    source = (small_book / "_sources/papers/grda.ipynb").read_text(encoding="utf-8")
    assert "remove-input" not in source
    assert "/home/ada" not in source


def test_nothing_leads_to_a_launch_service_while_no_repository_is_named(small_book: Path) -> None:
    page = (small_book / "papers/grda.html").read_text(encoding="utf-8")
    assert "mybinder" not in page
    assert "colab.research" not in page


def test_no_page_weighs_more_than_a_patient_reader_would_load(book: Path) -> None:
    """A page counts with its pictures; what all pages share is loaded once."""
    heavy = {}
    for page in book.rglob("*.html"):
        tree = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        pictures = {(page.parent / str(image["src"])).resolve() for image in tree.select("article img[src]")}
        weight = page.stat().st_size + sum(picture.stat().st_size for picture in pictures if picture.is_file())
        if weight > 3_000_000:
            heavy[page.name] = weight
    assert heavy == {}
