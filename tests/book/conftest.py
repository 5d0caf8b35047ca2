"""The small book of fake runs, built once a session, and a browser of this system."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reprise.book import Staged, render, stage

sys.path.insert(0, str(Path(__file__).parent))  # the modules beside this file, whatever pytest's import mode

import browsing
import fake_runs


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of the fake published runs and of the fake runs of this machine."""
    return fake_runs.write_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def staged(runs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """The staged sources of the small book."""
    results, own = runs
    return stage(
        "quick",
        run_folder=own,
        results=results,
        target=tmp_path_factory.mktemp("book") / "source",
        papers=fake_runs.PAPERS,
        staleness=fake_runs.stale_if_cold_brew,
    )


@pytest.fixture(scope="session")
def small_book(staged: Staged) -> Path:
    """The built small book."""
    return render(staged.source, staged.source.parent / "html").parent


@pytest.fixture(scope="session")
def real_book() -> Path:
    """The book built from this checkout."""
    return browsing.REAL_BOOK


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium of this system."""
    executable = browsing.find_chromium()
    if executable is None:
        pytest.fail(browsing.NO_CHROMIUM)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=[*browsing.CHROMIUM_FLAGS])
        yield browser
        browser.close()
