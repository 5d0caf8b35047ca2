"""The built book in headless Chromium, with every other host blocked: the small one, and the real one if there."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from browsing import BOOKS, serve, skip_without_chromium

skip_without_chromium()
pytestmark = [pytest.mark.browser, pytest.mark.book]

WIDTHS = (390, 360)
FORMULAS_LEFT = "[...document.querySelectorAll('.math')].filter(e => !e.querySelector('mjx-container')).length"
LOOK = """() => {
  const article = document.querySelector('article') || document.body;
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  const dollars = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest('pre, code, script, style, mjx-container')) continue;
    if (/\\$[^$\\s][^$]*\\$/.test(node.textContent)) dollars.push(node.textContent.trim().slice(0, 80));
  }
  return {
    dollars,
    left: FORMULAS_LEFT,
    wrong: document.querySelectorAll('mjx-merror, [data-mjx-error]').length,
    broken: [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src),
  };
}""".replace("FORMULAS_LEFT", FORMULAS_LEFT)
CONTRAST = """() => {
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const luminance = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0.99) return c;
    }
    return [255, 255, 255];
  };
  const found = {};
  const walker = document.createTreeWalker(document.querySelector('article') || document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || element.closest('.headerlink, script, style') || !element.getClientRects().length) continue;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    const [a, b] = [luminance(parse(style.color)), luminance(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const enough = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if (ratio < enough) found[`${element.tagName}.${element.className}: ${text.slice(0, 30)}`] = ratio.toFixed(2);
  }
  return found;
}"""


@dataclass
class Look:
    """What was seen of one page."""

    said: list[str] = field(default_factory=list)
    asked_elsewhere: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    overflow: dict[int, int] = field(default_factory=dict)
    pale: dict[str, dict[str, str]] = field(default_factory=dict)


@pytest.fixture(scope="module", params=BOOKS)
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    yield from serve(folder)


@pytest.fixture(scope="module")
def looks(folder: Path, address: str, browser: Any) -> dict[str, Look]:
    """Every page, opened once on a desk and on a phone, light and dark."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    pages = [name for name in names if name != "index.html" and not name.startswith("_static/")]
    return {name: look_at(browser, address, name) for name in pages}


def open_page(browser: Any, address: str, look: Look) -> Any:
    """Return a page that may talk to the given address only and that keeps notes."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")

    def route(route: Any) -> None:
        url = route.request.url
        if url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            look.asked_elsewhere.append(url)
            route.abort()

    page.route("**/*", route)
    page.on("console", lambda message: look.said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: look.said.append(str(error)))
    page.on("requestfailed", lambda request: look.failed.append(request.url))
    page.on("response", lambda answer: look.failed.append(answer.url) if answer.status >= 400 else None)
    return page


def look_at(browser: Any, address: str, name: str) -> Look:
    look = Look()
    page = open_page(browser, address, look)
    page.goto(address + name, wait_until="load")
    with suppress(Exception):  # what is left is counted below, with the page's name
        page.wait_for_function(f"() => {FORMULAS_LEFT} === 0", timeout=60_000)
    page.add_style_tag(content="* { transition: none !important; }")
    look.facts = page.evaluate(LOOK)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(50)
        look.pale[scheme] = page.evaluate(CONTRAST)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        root = "document.documentElement"
        look.overflow[width] = page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
    page.close()
    return look


def test_no_page_says_anything_on_the_console(looks: dict[str, Look]) -> None:
    assert {name: look.said for name, look in looks.items() if look.said} == {}


def test_no_page_asks_another_host_for_anything(looks: dict[str, Look]) -> None:
    assert {name: look.asked_elsewhere for name, look in looks.items() if look.asked_elsewhere} == {}


def test_no_request_fails(looks: dict[str, Look]) -> None:
    assert {name: look.failed for name, look in looks.items() if look.failed} == {}


def test_every_formula_is_set_and_no_dollar_is_left(looks: dict[str, Look]) -> None:
    seen = {name: {key: look.facts[key] for key in ("dollars", "left", "wrong")} for name, look in looks.items()}
    assert {name: facts for name, facts in seen.items() if any(facts.values())} == {}


def test_every_image_is_shown(looks: dict[str, Look]) -> None:
    assert {name: look.facts["broken"] for name, look in looks.items() if look.facts["broken"]} == {}


def test_no_page_is_wider_than_a_phone(looks: dict[str, Look]) -> None:
    wide = {name: look.overflow for name, look in looks.items() if any(extra > 0 for extra in look.overflow.values())}
    assert wide == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_background(looks: dict[str, Look], scheme: str) -> None:
    assert {name: look.pale[scheme] for name, look in looks.items() if look.pale[scheme]} == {}


def test_the_index_leads_to_the_introduction(folder: Path, address: str, browser: Any) -> None:
    page = open_page(browser, address, Look())
    page.goto(f"{address}index.html")
    page.wait_for_url("**/introduction.html", timeout=60_000)
    page.close()


def test_the_search_finds_a_word(folder: Path, address: str, browser: Any) -> None:
    look = Look()
    page = open_page(browser, address, look)
    page.goto(f"{address}search.html?q=scoreboard")
    page.wait_for_selector("#search-results li a", timeout=60_000)
    found = page.locator("#search-results li a").all_inner_texts()
    page.close()
    assert any("Scoreboard" in title for title in found)
    assert look.said == []
    assert look.asked_elsewhere == []


def test_a_wide_table_scrolls_in_its_own_box_and_can_be_reached_by_keyboard(small_book: Path, browser: Any) -> None:
    for address in serve(small_book):
        page = open_page(browser, address, Look())
        page.set_viewport_size({"width": 390, "height": 800})
        page.goto(f"{address}papers/grda.html")
        box = page.locator(".reprise-scroll").nth(1)
        assert box.evaluate("e => e.scrollWidth > e.clientWidth + 100")
        box.focus()
        assert box.evaluate("e => e === document.activeElement")
        page.close()


@pytest.fixture
def scoreboard(small_book: Path, browser: Any) -> Iterator[Any]:
    for address in serve(small_book):
        look = Look()
        page = open_page(browser, address, look)
        page.goto(f"{address}scoreboard.html")
        page.wait_for_selector(".reprise-filters")
        yield page
        page.close()
        assert look.said == []


def shown_claims(page: Any) -> list[str]:
    rows = page.locator("table.reprise-claims").first.locator("tbody tr:visible")
    chapters = [row.locator("td").first.inner_text().splitlines()[0] for row in rows.all()]
    return [f"{name} {row.locator('.claim-id').inner_text()}" for name, row in zip(chapters, rows.all(), strict=True)]


def test_the_scoreboard_filters_by_paper_verdict_and_text_and_says_how_many_are_left(scoreboard: Any) -> None:
    everything = shown_claims(scoreboard)
    assert len(everything) == 9
    status = scoreboard.get_by_role("status").first
    assert status.inner_text() == "9 of 9 claims shown"
    scoreboard.get_by_label("Paper").first.select_option("Cold Brew")
    assert shown_claims(scoreboard) == ["Cold Brew C1", "Cold Brew C2", "Cold Brew C3"]
    scoreboard.get_by_label("Verdict").first.select_option("inconclusive")
    assert shown_claims(scoreboard) == ["Cold Brew C2"]
    assert status.inner_text() == "1 of 9 claims shown"
    scoreboard.get_by_role("button", name="Show all").first.click()
    scoreboard.get_by_label("Text").first.fill("compcars best")
    assert {claim[-2:] for claim in shown_claims(scoreboard)} == {"C3"}
    scoreboard.get_by_label("Text").first.fill("no such words")
    assert shown_claims(scoreboard) == []


def test_the_scoreboard_is_sorted_by_keyboard_and_says_which_way(scoreboard: Any) -> None:
    before = shown_claims(scoreboard)
    table = scoreboard.locator("table.reprise-claims").first
    table.get_by_role("button", name="Claim").focus()
    scoreboard.keyboard.press("Enter")
    assert [claim[-2:] for claim in shown_claims(scoreboard)] == ["C1"] * 3 + ["C2"] * 3 + ["C3"] * 3
    head = table.locator("th", has_text="Claim")
    assert head.get_attribute("aria-sort") == "ascending"
    scoreboard.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [claim[-2:] for claim in shown_claims(scoreboard)][:3] == ["C3"] * 3
    table.get_by_role("button", name="Chapter").click()
    assert head.get_attribute("aria-sort") is None
    assert sorted(shown_claims(scoreboard)) == sorted(before)


def test_a_total_leads_to_the_claims_that_it_counts(scoreboard: Any) -> None:
    scoreboard.locator(".reprise-totals").get_by_role("link", name="not reproduced").click()
    scoreboard.wait_for_selector(".reprise-filters")
    assert {claim[-2:] for claim in shown_claims(scoreboard)} == {"C1"}


def test_without_scripts_the_scoreboard_shows_every_claim(small_book: Path, browser: Any) -> None:
    for address in serve(small_book):
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{address}scoreboard.html")
        assert page.locator("table.reprise-claims").first.locator("tbody tr:visible").count() == 9
        assert page.locator(".reprise-filters").count() == 0
        context.close()


def test_a_claim_leads_to_its_very_line(scoreboard: Any) -> None:
    scoreboard.locator("table.reprise-claims .claim-id").nth(1).click()
    scoreboard.wait_for_url("**/papers/cold_brew.html#claim-C2")
    assert scoreboard.locator("tr:target td").first.inner_text() == "C2"
