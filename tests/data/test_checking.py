"""Where files lie, and whether they are intact."""

import os
from pathlib import Path

import pytest

from reprise.data import DataError, UnknownDataError, cache_folder, checking, verify
from reprise.data.checking import examine


def store(cache: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (cache / path).parent.mkdir(parents=True, exist_ok=True)
        (cache / path).write_bytes(content)


def test_the_variable_names_the_cache_folder(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("REPRISE_DATA", str(tmp_path / "data"))
    assert cache_folder() == tmp_path / "data"
    assert not (tmp_path / "data").exists()


def test_a_relative_or_home_folder_is_made_absolute(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REPRISE_DATA", "data")
    assert cache_folder() == tmp_path / "data"
    monkeypatch.setenv("REPRISE_DATA", "~/data")
    assert cache_folder() == tmp_path / "data"


def test_without_the_variable_the_cache_of_the_system_is_used(monkeypatch, tmp_path) -> None:
    import pooch

    monkeypatch.delenv("REPRISE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == Path(pooch.os_cache("reprise"))


def test_a_variable_that_names_a_file_is_refused(monkeypatch, tmp_path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("REPRISE_DATA", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"REPRISE_DATA names .*file, which is not a folder"):
        cache_folder()


def test_verification_tells_intact_missing_and_damaged_apart(register, cache) -> None:
    made = register({"a/1": b"one", "a/2": b"two", "a/3": b"three", "a/4": b"four"})
    store(cache, {"a/1": b"one", "a/2": b"owt", "a/3": b"thr"})
    findings = verify("a/*")
    assert [finding.state for finding in findings] == ["intact", "damaged", "damaged", "missing"]
    assert findings[0].problem == ""
    for text in (made["a/2"].sha256, str(findings[1].found_sha256), "expected", "found", "delete it", made["a/2"].url):
        assert text in findings[1].problem
    assert "(5 bytes)" in findings[2].problem
    assert "(3 bytes)" in findings[2].problem
    assert f"a/4 is not in {cache}" in findings[3].problem
    assert (cache / "a/2").read_bytes() == b"owt"


def test_verification_reads_the_bytes_again_each_time(register, cache) -> None:
    register({"a/1": b"one"})
    store(cache, {"a/1": b"one"})
    assert verify("a/1")[0].state == "intact"
    before = (cache / "a/1").stat()
    (cache / "a/1").write_bytes(b"two")
    os.utime(cache / "a/1", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert verify("a/1")[0].state == "damaged"


def test_a_file_is_hashed_once_per_process_and_again_when_it_changed(register, cache, monkeypatch) -> None:
    made = register({"a/1": b"one"})
    store(cache, {"a/1": b"one"})
    hashed = []
    original = checking._sha256
    monkeypatch.setattr(checking, "_sha256", lambda file: hashed.append(file) or original(file))
    for _ in range(3):
        assert examine(made["a/1"], cache).state == "intact"
    assert len(hashed) == 1
    (cache / "a/1").write_bytes(b"owt")
    os.utime(cache / "a/1", ns=(1, 1))
    assert examine(made["a/1"], cache).state == "damaged"
    (cache / "a/1").write_bytes(b"three")
    assert examine(made["a/1"], cache).state == "damaged"


def test_a_folder_in_place_of_a_file_is_damage(register, cache) -> None:
    register({"a/1": b"one"})
    (cache / "a/1").mkdir(parents=True)
    (finding,) = verify("a/1")
    assert finding.state == "damaged"
    assert "is not a file" in finding.problem


def test_a_file_in_place_of_a_folder_means_that_the_data_are_missing(register, cache) -> None:
    register({"a/1": b"one"})
    store(cache, {"a": b""})
    assert verify("a/1")[0].state == "missing"


def test_the_remedy_for_a_read_only_folder_does_not_ask_to_delete(register, cache, monkeypatch) -> None:
    register({"a/1": b"one"})
    store(cache, {"a/1": b"two"})
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    problem = verify("a/1")[0].problem
    assert "read-only" in problem
    assert "REPRISE_DATA" in problem
    assert "delete" not in problem


def test_an_unreadable_file_is_an_error_that_names_it(register, cache, monkeypatch) -> None:
    register({"a/1": b"one"})
    store(cache, {"a/1": b"one"})

    def refuse(file: Path) -> str:
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(checking, "_sha256", refuse)
    with pytest.raises(DataError, match=r"cannot read data file .*a/1 \(Permission denied\)"):
        verify("a/1")


def test_verification_reports_its_progress_in_bytes(register, cache) -> None:
    register({"a/1": b"one", "a/2": b"four"})
    done: list[int] = []
    verify("a/*", advance=done.append)
    assert sorted(done) == [3, 4]


def test_verification_of_unknown_files_or_with_no_thread_is_refused(register) -> None:
    register({"a/1": b"one"})
    with pytest.raises(UnknownDataError):
        verify("b/*")
    with pytest.raises(ValueError, match="parallel is 0"):
        verify("a/*", parallel=0)
