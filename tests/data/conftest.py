"""A small registry, a local server that can misbehave, and the real files where they are to be had."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from reprise.data import checking, entries
from reprise.data.build_registry import to_csv
from reprise.data.entries import RegistryEntry


def make_entry(path: str, content: bytes, url: str = "http://127.0.0.1:9/") -> RegistryEntry:
    digest = hashlib.sha256(content).hexdigest()
    return RegistryEntry(path, url + path, digest, len(content), "CC0", "made for a test")


@dataclass
class Server:
    """Serves files from memory; an address can be told to answer otherwise a few times first."""

    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Callable[[BaseHTTPRequestHandler, bytes], None]]] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.lstrip("/")
        with self.lock:
            self.requests[path] += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            waiting = self.faults.get(path)
            respond = waiting.pop(0) if waiting else send
        try:
            if path in self.files:
                respond(handler, self.files[path])
            else:
                handler.send_error(404)
        finally:
            with self.lock:
                self.at_once -= 1


def send(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def send_half(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    """Promise the whole, send half, and hang up."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])
    handler.close_connection = True


def send_wrong(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    send(handler, b"?" * len(content))


def status(code: int) -> Callable[[BaseHTTPRequestHandler, bytes], None]:
    return lambda handler, content: handler.send_error(code)


FAULTS = SimpleNamespace(half=send_half, wrong=send_wrong, status=status)


@pytest.fixture
def faults() -> SimpleNamespace:
    return FAULTS


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.answer(self)

        def log_message(self, *arguments: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{http.server_port}/"
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    yield served
    http.shutdown()
    http.server_close()


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache folder that does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("REPRISE_DATA", str(folder))
    monkeypatch.setattr(checking, "_verified", {})
    return folder


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> Callable[..., dict[str, RegistryEntry]]:
    """Replace the registry by one of the given files; returns its entries by path."""

    def replace(files: dict[str, bytes], url: str = "http://127.0.0.1:9/") -> dict[str, RegistryEntry]:
        made = {path: make_entry(path, content, url) for path, content in files.items()}
        folder = tmp_path / f"registry-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        (folder / "registry.csv").write_text(to_csv(made.values()), encoding="utf-8", newline="")
        monkeypatch.setattr(entries, "_FOLDER", folder)
        return made

    return replace


@pytest.fixture
def serve(server: Server, register: Callable[..., dict[str, RegistryEntry]]) -> Callable[..., Server]:
    """Register files and serve them."""

    def start(files: dict[str, bytes]) -> Server:
        server.files = dict(files)
        register(files, server.url)
        return server

    return start


@pytest.fixture(scope="session")
def real() -> Callable[[str], list[Path]]:
    """Return the real files of a pattern; skips where neither ``REPRISE_DATA`` nor a network is there."""
    from reprise.data import cache_folder, fetch_all, select
    from reprise.data.overview import is_present

    def host_answers() -> bool:
        try:
            with socket.create_connection(("raw.githubusercontent.com", 443), timeout=3):
                return True
        except OSError:
            return False

    online: list[bool] = []

    def files(pattern: str) -> list[Path]:
        chosen = select(pattern)
        if not all(is_present(entry, cache_folder()) for entry in chosen):
            online or online.append(host_answers() and "REPRISE_DATA" not in os.environ)
            if not online[0]:
                pytest.skip("no real data: set REPRISE_DATA to a folder that has them, or connect to the network")
        return list(fetch_all(pattern).values())

    return files
