"""Every built page under axe-core, which looks for what keeps people from reading: no serious violation may be left."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from browsing import BOOKS, serve, skip_without_chromium

skip_without_chromium()
if importlib.util.find_spec("axe_playwright_python") is None:
    pytest.skip(
        "no axe-core found (install axe-playwright-python): accessibility was not checked", allow_module_level=True
    )
pytestmark = [pytest.mark.browser, pytest.mark.book]

# Formulas are looked at by the tests of the browser, and so is the contrast of all text in both schemes of colours.
RUN = """async () => {
  const options = {
    resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    rules: { "color-contrast": { enabled: false } },
  };
  const found = await axe.run({ exclude: [["mjx-container"]] }, options);
  return found.violations
    .filter((violation) => ["serious", "critical"].includes(violation.impact))
    .map((violation) => `${violation.id}: ${violation.help} (${violation.nodes.length}), e.g. ` +
      violation.nodes.slice(0, 2).map((node) => node.html.slice(0, 160)).join(" AND "));
}"""
# Made by the theme.
GENERATED = ("index.html", "search.html", "genindex.html")


def axe_script() -> Path:
    (place,) = importlib.util.find_spec("axe_playwright_python").submodule_search_locations
    return Path(place) / "axe.min.js"


@pytest.fixture(scope="module", params=BOOKS)
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def violations(page: Any) -> list[str]:
    page.add_script_tag(path=str(axe_script()))
    return page.evaluate(RUN)


def test_no_page_has_a_serious_violation(folder: Path, browser: Any) -> None:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    found = {}
    for address in serve(folder):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for name in names:
            if name in GENERATED or name.startswith("_static/"):
                continue
            page.goto(address + name, wait_until="load")
            if bad := violations(page):
                found[name] = bad
        page.close()
    assert found == {}


def test_a_picture_without_alternative_text_would_be_found(browser: Any) -> None:
    page = browser.new_page()
    page.set_content(
        '<html lang="en"><title>t</title><main><h1>t</h1><img src="data:,"><button></button></main></html>'
    )
    found = violations(page)
    page.close()
    assert {line.partition(":")[0] for line in found} >= {"image-alt", "button-name"}
