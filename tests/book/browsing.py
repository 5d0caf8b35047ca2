"""A browser for the tests of the book, and where the books are that they look at."""

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reprise.paths import build_folder

REAL_BOOK = build_folder() / "book" / "html"
# The real book is looked at where it was built.
BOOKS = ["small_book", *(["real_book"] if (REAL_BOOK / "index.html").is_file() else [])]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
NO_CHROMIUM = "no Chromium found (install it, or set REPRISE_CHROMIUM): the browser tests did not run"
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


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


def find_chromium() -> str | None:
    """Return the path of the system's Chromium or Chrome, or of the one that REPRISE_CHROMIUM names."""
    given = os.environ.get("REPRISE_CHROMIUM")
    return next((found for name in ((given,) if given else CHROMIUM_NAMES) if (found := shutil.which(name))), None)


def skip_without_chromium() -> None:
    """Skip the calling module with one line if there is no browser; under CI its tests run, and fail, instead."""
    if find_chromium() is None and os.environ.get("CI", "").lower() not in ("1", "true"):
        pytest.skip(NO_CHROMIUM, allow_module_level=True)
