"""The registry and choosing from it."""

import csv
import io
import os
import re
from pathlib import Path

import pytest

from reprise.data import DataError, RegistryEntry, UnknownDataError, hashes, registry, select
from reprise.data.build_registry import check_entry
from reprise.data.entries import find_entry, read_entries

MIRROR_TABLES = [
    Path(folder) / "registry.d"
    for folder in (os.environ.get("REPRISE_DATA"), Path(__file__).parents[3] / "shared" / "data")
    if folder
]


def test_every_committed_entry_is_valid_and_sorted() -> None:
    paths = list(registry())
    assert paths == sorted(paths)
    for entry in registry().values():
        check_entry(entry)


def test_no_machine_path_is_in_the_registry() -> None:
    for entry in registry().values():
        assert not re.search(r"(^|[ \"'])(/\w|[A-Z]:\\|file:)", " ".join((entry.path, entry.licence, entry.source)))


def test_every_row_of_the_mirror_is_registered_unchanged() -> None:
    folder = next((folder for folder in MIRROR_TABLES if folder.is_dir()), None)
    if folder is None:
        pytest.skip("no registry tables: set REPRISE_DATA to a mirror with registry.d")
    rows: dict[str, RegistryEntry] = {}
    for table in sorted(folder.glob("*.csv")):
        with table.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                rows[row["path"]] = RegistryEntry(**{**row, "bytes": int(row["bytes"])})
    # Archives that users fetch themselves are registered beyond the mirror.
    assert {path: registry()[path] for path in rows} == rows


def test_the_registry_cannot_be_changed_by_accident() -> None:
    with pytest.raises(TypeError):
        registry()["x"] = None  # type: ignore[index]


def test_a_pattern_crosses_folders_and_results_are_sorted_and_unique(register) -> None:
    register({"b/deep/2.txt": b"2", "a/1.txt": b"1", "b/3.txt": b"3"})
    assert [entry.path for entry in select("b/*")] == ["b/3.txt", "b/deep/2.txt"]
    assert [entry.path for entry in select(["b/*", "*/3.txt", "a/1.txt"])] == ["a/1.txt", "b/3.txt", "b/deep/2.txt"]


def test_no_patterns_select_nothing(register) -> None:
    register({"a/1.txt": b"1"})
    assert select(()) == ()


def test_case_counts_in_patterns(register) -> None:
    register({"a/ONE.txt": b"1"})
    with pytest.raises(UnknownDataError):
        select("a/one.txt")


def test_a_pattern_without_match_is_refused_with_the_nearest_data_set(register) -> None:
    register({"planetoid/ind.cora.x": b"1", "other/y": b"2"})
    with pytest.raises(UnknownDataError, match=re.escape("did you mean 'planetoid/*'?")):
        select(["other/*", "planetoid"])


def test_an_unknown_path_is_refused_with_the_nearest_path() -> None:
    with pytest.raises(UnknownDataError, match=r"did you mean 'planetoid/ind\.cora\.tx'"):
        find_entry("planetoid/ind.cora.txx")


def test_hashes_come_from_the_registry_and_not_from_the_disk(register, cache) -> None:
    made = register({"a/1.txt": b"1", "a/2.txt": b"2"})
    assert hashes("a/*") == {path: entry.sha256 for path, entry in made.items()}
    assert not cache.exists()


def test_the_data_set_of_an_entry_is_its_first_folder() -> None:
    assert find_entry("grda/tpt48/usa_map.txt").data_set == "grda"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "starts with ''"),
        ("path,url\n", "starts with 'path,url'"),
        ("path,url,sha256,bytes,licence,source\na/b,c\n", "line 2"),
        ("path,url,sha256,bytes,licence,source\na/b,c,d,many,e,f\n", "line 2"),
    ],
)
def test_a_malformed_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(read_entries(io.StringIO(text)))
