from pathlib import Path

import pytest

from reprise.book import check_pages

GOOD = '<article><h1 id="top">Title</h1><h2>Part</h2><p>text <a href="#top">up</a></p></article>'


def faults_of(folder: Path, html: str) -> list[str]:
    (folder / "image.png").write_bytes(b"")
    (folder / "other.html").write_text(GOOD)
    (folder / "page.html").write_text(html)
    return [fault.what for fault in check_pages(folder)]


def test_a_sound_page_has_no_fault(tmp_path: Path) -> None:
    assert faults_of(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="gone.html">x</a>', "'gone.html' leads nowhere"),
        ('<a href="other.html#gone">x</a>', "'other.html#gone': that page has no such anchor"),
        ('<a href="#gone">x</a>', "'#gone': that page has no such anchor"),
        ('<img src="gone.png" alt="A finding.">', "'gone.png' leads nowhere"),
        ('<img src="image.png">', "image image.png has no alternative text"),
        ('<img src="image.png" alt="  ">', "image image.png has no alternative text"),
        ('<img src="image.png" alt="image.png">', "image image.png has its path as alternative text"),
        ('<img src="image.png" alt="../_images/image.png">', "image image.png has its path as alternative text"),
        ("<h4>Deep</h4>", "a heading of level 4 follows one of level 2"),
        ("<h1>Second</h1>", "2 headings of the first level, there must be one"),
        ('<script src="https://cdn.example/x.js"></script>', "script asks cdn.example for 'https://cdn.example/x.js'"),
        ('<link rel="stylesheet" href="//cdn.example/x.css">', "link asks cdn.example for '//cdn.example/x.css'"),
        ('<iframe src="https://example.org/"></iframe>', "iframe asks example.org for 'https://example.org/'"),
        ('<script>load("https://unpkg.example/x.js")</script>', "a script names the host unpkg.example"),
        ("<p>/home/ada/x.csv</p>", "a path of this machine: /home/ada/x.csv"),
        ("<pre>Traceback (most recent call last)</pre>", "a traceback on a page that is not marked as failed"),
        ('<span class="pasted-text"></span>', "an empty place where a number should stand"),
    ],
)  # fmt: skip
def test_each_fault_is_found_and_named(tmp_path: Path, html: str, expected: str) -> None:
    assert faults_of(tmp_path, GOOD.replace("</article>", f"{html}</article>")) == [expected]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://arxiv.org/abs/2202.03628">a link is no request</a>',
        '<link rel="canonical" href="https://example.org/page.html">',
        '<script type="application/json">{"url": "https://example.org"}</script>',
        '<a href="other.html#top">x</a>',
        '<a href="other.html?q=1">x</a>',
        "<code>export REPRISE_DATA=/path/to/shared/data</code>",
        '<div class="reprise-traceback">Traceback (most recent call last)</div>',
    ],
)
def test_what_is_allowed_is_no_fault(tmp_path: Path, html: str) -> None:
    assert faults_of(tmp_path, GOOD.replace("</article>", f"{html}</article>")) == []


def test_a_page_without_its_title_is_named(tmp_path: Path) -> None:
    assert faults_of(tmp_path, "<article><p>text</p></article>") == ["0 headings of the first level, there must be one"]
