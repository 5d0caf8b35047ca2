"""The small book of fake runs, built once a session, and a browser that may talk to this machine only."""

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fake_runs
import pytest

from reprise.book import Staged, render, stage
from reprise.paths import build_folder

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


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
    folder = build_folder() / "book" / "html"
    if not (folder / "index.html").is_file():
        pytest.skip("the book has not been built in this checkout: `make book` does it")
    return folder


@dataclass
class Visit:
    """A page opened in the browser, and what went wrong meanwhile."""

    page: Any
    errors: list[str] = field(default_factory=list)


@dataclass
class Server:
    """A folder served on this machine."""

    address: str


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on 127.0.0.1 and yield its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def _chromium_path() -> str:
    given = os.environ.get("REPRISE_CHROMIUM")
    for name in (given,) if given else CHROMIUM_NAMES:
        if found := shutil.which(name):
            return found
    message = "no Chromium found (install it, or set REPRISE_CHROMIUM): the browser tests did not run"
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium of this system."""
    executable = _chromium_path()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, headless=True, args=list(CHROMIUM_FLAGS)
        )
        yield browser
        browser.close()
