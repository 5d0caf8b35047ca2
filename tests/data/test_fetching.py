"""Fetching from a local server that misbehaves in the ways of real ones."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from reprise.data import DataError, UnknownDataError, entries, fetch, fetch_all, fetching, progress_bar


def stored(cache: Path) -> dict[str, bytes]:
    return {str(file.relative_to(cache)): file.read_bytes() for file in cache.rglob("*") if file.is_file()}


def test_an_absent_file_is_downloaded_once_and_then_read_from_the_cache(serve, cache) -> None:
    server = serve({"a/deep/1.txt": b"one"})
    file = fetch("a/deep/1.txt")
    assert file == cache / "a/deep/1.txt"
    assert file.read_bytes() == b"one"
    assert fetch("a/deep/1.txt") == file
    assert server.requests["a/deep/1.txt"] == 1
    assert stored(cache) == {"a/deep/1.txt": b"one"}


def test_a_downloaded_file_is_readable_for_all_who_share_the_cache(serve, cache) -> None:
    serve({"a/1": b"one"})
    assert fetch("a/1").stat().st_mode & 0o777 == 0o644


def test_an_unknown_path_is_refused_before_anything_is_asked_for(serve, cache) -> None:
    server = serve({"a/1": b"one"})
    with pytest.raises(UnknownDataError, match="no file 'a/2'"):
        fetch("a/2")
    assert not server.requests
    assert not cache.exists()


@pytest.mark.parametrize("fault", ["half", "wrong", "status"])
def test_a_download_that_fails_for_a_while_is_tried_again(serve, cache, faults, fault: str) -> None:
    server = serve({"a/1": b"the whole content"})
    respond = faults.status(503) if fault == "status" else getattr(faults, fault)
    server.faults["a/1"] = [respond] * fetching.RETRIES
    assert fetch("a/1").read_bytes() == b"the whole content"
    assert server.requests["a/1"] == fetching.RETRIES + 1


def test_an_interrupted_download_leaves_nothing_in_place(serve, cache, faults) -> None:
    server = serve({"a/1": b"the whole content"})
    server.faults["a/1"] = [faults.half] * 10
    with pytest.raises(DataError, match=r"a/1 is not in .* could not be downloaded"):
        fetch("a/1")
    assert stored(cache) == {}
    assert list(cache.iterdir()) == []


def test_wrong_bytes_are_refused_with_both_hashes_and_not_kept(serve, cache, faults, register) -> None:
    import hashlib

    server = serve({"a/1": b"right"})
    server.faults["a/1"] = [faults.wrong] * 10
    with pytest.raises(DataError) as caught:
        fetch("a/1")
    for content in (b"right", b"?????"):
        assert hashlib.sha256(content).hexdigest() in str(caught.value)
    assert "REPRISE_DATA" in str(caught.value)
    assert stored(cache) == {}


@pytest.mark.parametrize(("code", "requests"), [(404, 1), (403, 1), (429, fetching.RETRIES + 1)])
def test_a_final_refusal_is_not_asked_again(serve, cache, faults, code: int, requests: int) -> None:
    server = serve({"a/1": b"one"})
    server.faults["a/1"] = [faults.status(code)] * 10
    with pytest.raises(DataError, match=f"HTTP status {code}"):
        fetch("a/1")
    assert server.requests["a/1"] == requests


def test_the_next_address_is_asked_when_the_first_fails(serve, cache, monkeypatch) -> None:
    server = serve({"a/1": b"one"})
    monkeypatch.setattr(fetching, "addresses", lambda url: (f"{server.url}gone", url))
    assert fetch("a/1").read_bytes() == b"one"
    assert server.requests == {"gone": 1, "a/1": 1}


def test_a_file_pinned_at_github_has_a_mirror_of_the_same_commit() -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    url = f"https://raw.githubusercontent.com/owner/repository/{commit}/data/ind.cora.x"
    mirror = f"https://cdn.jsdelivr.net/gh/owner/repository@{commit}/data/ind.cora.x"
    assert fetching.addresses(url) == (url, mirror)


def test_offline_and_absent_is_one_sentence_with_file_address_and_variable(register, cache, monkeypatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    register({"a/1": b"one"}, "http://127.0.0.1:9/")
    with pytest.raises(DataError) as caught:
        fetch("a/1")
    message = str(caught.value)
    for part in ("a/1", str(cache), "http://127.0.0.1:9/a/1", "no connection", "REPRISE_DATA"):
        assert part in message
    assert "\n" not in message
    assert len(message) < 400


def test_a_filled_cache_needs_no_network_and_is_not_written_to(register, cache, monkeypatch) -> None:
    register({"a/1": b"one", "a/2": b"two"})
    for path, content in {"a/1": b"one", "a/2": b"two"}.items():
        (cache / path).parent.mkdir(parents=True, exist_ok=True)
        (cache / path).write_bytes(content)

    def refuse(*arguments: object) -> None:
        raise AssertionError("nothing may be stored")

    monkeypatch.setattr(fetching, "_store", refuse)
    before = {file: file.stat().st_mtime_ns for file in [cache, *cache.rglob("*")]}
    assert [file.read_bytes() for file in fetch_all("a/*").values()] == [b"one", b"two"]
    assert before == {file: file.stat().st_mtime_ns for file in [cache, *cache.rglob("*")]}


@pytest.mark.parametrize("content", [b"on", b"eno", b""])
def test_a_damaged_file_is_refused_and_never_overwritten(serve, cache, content: bytes) -> None:
    server = serve({"a/1": b"one"})
    (cache / "a").mkdir(parents=True)
    (cache / "a/1").write_bytes(content)
    with pytest.raises(DataError, match=r"is damaged: expected SHA-256 .* found .*; delete it"):
        fetch("a/1")
    assert (cache / "a/1").read_bytes() == content
    assert not server.requests
    (cache / "a/1").unlink()
    assert fetch("a/1").read_bytes() == b"one"


def test_a_file_that_was_damaged_after_its_check_is_noticed(serve, cache) -> None:
    serve({"a/1": b"one"})
    file = fetch("a/1")
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    with pytest.raises(DataError, match="is damaged"):
        fetch("a/1")


def test_a_cache_that_cannot_be_written_is_one_clear_sentence(serve, cache, monkeypatch) -> None:
    server = serve({"a/1": b"one"})
    # A file where the folder should be: this stops even a privileged user.
    cache.parent.mkdir(exist_ok=True)
    cache.write_bytes(b"")
    monkeypatch.setenv("REPRISE_DATA", str(cache / "below"))
    with pytest.raises(DataError) as caught:
        fetch("a/1")
    for part in ("cannot store data file a/1", str(cache / "below"), f"{server.url}a/1", "REPRISE_DATA"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_in_the_way_of_a_data_set_is_one_clear_sentence(serve, cache) -> None:
    serve({"a/1": b"one"})
    cache.mkdir()
    (cache / "a").write_bytes(b"")
    with pytest.raises(DataError, match="cannot store data file a/1"):
        fetch("a/1")
    assert [path.name for path in cache.iterdir()] == ["a"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="a privileged user may write anywhere")
def test_a_read_only_cache_is_one_clear_sentence(serve, cache) -> None:
    serve({"a/1": b"one"})
    cache.mkdir()
    cache.chmod(0o555)
    with pytest.raises(DataError, match=r"cannot store data file a/1 in .* \(Permission denied\)"):
        fetch("a/1")


def test_many_files_are_fetched_in_parallel_but_not_beyond_the_limit(serve, cache) -> None:
    files = {f"many/{number % 7}/{number}.txt": str(number).encode() for number in range(150)}
    server = serve(files)
    original = server.answer

    def slowly(handler) -> None:
        original(handler)
        time.sleep(0.002)

    server.answer = slowly
    found = fetch_all("many/*", parallel=4)
    assert list(found) == sorted(files)
    assert {path: file.read_bytes() for path, file in found.items()} == files
    assert stored(cache) == files
    assert 1 <= server.most_at_once <= 4
    assert set(server.requests.values()) == {1}


def test_a_run_that_failed_goes_on_where_it_was(serve, cache, faults) -> None:
    files = {f"many/{number:02}.txt": str(number).encode() for number in range(20)}
    server = serve(files)
    server.faults["many/10.txt"] = [faults.status(404)]
    with pytest.raises(DataError, match=r"many/10\.txt .*HTTP status 404.*\(1\d of 20 files are ready; the next run"):
        fetch_all("many/*", parallel=1)
    finished = stored(cache)
    # A file that was being fetched when the failure was noticed may be there too; those behind it are not begun.
    assert set(sorted(files)[:10]) <= set(finished) < set(files)
    server.requests.clear()
    assert len(fetch_all("many/*", parallel=1)) == 20
    assert not set(finished) & set(server.requests)


def test_files_of_a_failed_parallel_run_are_complete(serve, cache, faults) -> None:
    files = {f"many/{number:02}.txt": os.urandom(5000) for number in range(40)}
    server = serve(files)
    server.faults["many/20.txt"] = [faults.half] * 10
    with pytest.raises(DataError):
        fetch_all("many/*", parallel=8)
    assert all(files[path] == content for path, content in stored(cache).items())


def test_two_threads_that_fetch_the_same_file_do_not_disturb_one_another(serve, cache) -> None:
    serve({"a/1": b"one" * 1000})
    results: list[bytes] = []
    threads = [threading.Thread(target=lambda: results.append(fetch("a/1").read_bytes())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [b"one" * 1000] * 6
    assert stored(cache) == {"a/1": b"one" * 1000}


def test_what_killed_downloads_left_is_removed_after_a_day(serve, cache) -> None:
    serve({"a/1": b"one"})
    for name, age in ((".partial-old", 2 * 86_400), (".partial-new", 60)):
        (cache / name).mkdir(parents=True)
        (cache / name / "piece").write_bytes(b"x")
        os.utime(cache / name, (time.time() - age,) * 2)
    fetch_all("a/1")
    assert sorted(path.name for path in cache.iterdir()) == [".partial-new", "a"]


def test_fetching_with_no_thread_is_refused(serve) -> None:
    serve({"a/1": b"one"})
    with pytest.raises(ValueError, match="parallel is 0; it must be at least 1"):
        fetch_all("a/*", parallel=0)


def test_a_progress_bar_appears_only_when_asked_for_or_on_a_terminal(serve, cache, capsys, monkeypatch) -> None:
    serve({"a/1": b"one"})
    fetch_all("a/1")
    assert capsys.readouterr().err == ""
    fetch_all("a/1", progress=True)
    assert re.search(r"data: 100%.*3\.00/3\.00", capsys.readouterr().err)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with progress_bar(10) as advance:
        advance(10)
    assert "100%" in capsys.readouterr().err
    with progress_bar(10, show=False) as advance:
        advance(10)
    assert capsys.readouterr().err == ""


@pytest.fixture
def stalling(serve):
    """Return a server that sends a piece of each file and then falls silent, and how to wait for that and end it."""
    asked, released = threading.Event(), threading.Event()

    def stall(handler, content: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:5])
        handler.wfile.flush()
        asked.set()
        released.wait(60)
        handler.close_connection = True

    files = {f"many/{number:03}.txt": b"the whole content of %d" % number for number in range(100)}
    server = serve(files)
    server.faults = {path: [stall] for path in files}
    yield SimpleNamespace(server=server, files=files, asked=asked)
    released.set()


def start(call: str) -> subprocess.Popen[str]:
    program = (
        "import pathlib, sys\n"
        "from reprise import cli\n"
        "from reprise.data import entries, fetch_all\n"
        f"entries._FOLDER = pathlib.Path({str(entries._FOLDER)!r})\n"
        f"cli.application = lambda: {call}\n"
        "cli.main()"
    )
    return subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_waits_for_no_server_and_leaves_nothing(stalling, cache, number: int, status: int) -> None:
    process = start("fetch_all('many/*', parallel=3)")
    try:
        assert stalling.asked.wait(30)
        told = time.monotonic()
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert time.monotonic() - told < 10
    assert process.returncode == status
    assert re.fullmatch(r"reprise: ended by \S+; nothing half-finished was left, .*\n", said)
    assert list(cache.iterdir()) == []
    assert len(stalling.server.requests) <= 3


def test_an_interruption_stops_files_under_way_and_begins_no_others(serve, cache) -> None:
    files = {f"many/{number:03}.txt": bytes(100_000) for number in range(50)}
    server = serve(files)

    def trickle(handler, content: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        with suppress(OSError):
            for start in range(0, len(content), 1000):
                handler.wfile.write(content[start : start + 1000])
                handler.wfile.flush()
                time.sleep(0.02)

    server.faults = {path: [trickle] for path in list(files)[1:]}

    def interrupt(number: int) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetching, "progress_bar", lambda *_: nullcontext(interrupt))
        with pytest.raises(KeyboardInterrupt):
            fetch_all("many/*", parallel=2)
    end = time.monotonic() + 10
    while any(path.name.startswith(".partial-") for path in cache.iterdir()) and time.monotonic() < end:
        time.sleep(0.05)
    assert stored(cache) == {"many/000.txt": bytes(100_000)}
    assert len(server.requests) <= 4


def test_a_killed_process_leaves_nothing_in_place_and_the_next_one_goes_on(stalling, cache) -> None:
    process = start("fetch_all('many/000.txt')")
    try:
        assert stalling.asked.wait(30)
    finally:
        process.kill()
        process.communicate()
    assert not (cache / "many/000.txt").exists()
    assert fetch("many/000.txt").read_bytes() == stalling.files["many/000.txt"]
