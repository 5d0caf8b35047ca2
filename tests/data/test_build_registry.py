"""Making the registry from tables."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from reprise.data.build_registry import build, check_entry, main, read_tables, to_csv
from reprise.data.entries import DataError, RegistryEntry, read_registry

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def entry(path: str, licence: str = "CC0") -> RegistryEntry:
    digest = hashlib.sha256(path.encode()).hexdigest()
    url = f"https://raw.githubusercontent.com/owner/repository/{COMMIT}/{path}"
    return RegistryEntry(path, url, digest, len(path), licence, 'a "source", with comma')


def write_tables(folder: Path, *tables: list[RegistryEntry]) -> Path:
    folder.mkdir()
    for number, table in enumerate(tables):
        (folder / f"{number}.csv").write_text(to_csv(table), encoding="utf-8", newline="")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_built_registry_reads_back_as_its_tables(tmp_path: Path) -> None:
    few = [entry("few/b.txt"), entry("few/a.txt", "MIT")]
    many = [entry(f"many/{number}.jpg") for number in range(30)]
    tables = write_tables(tmp_path / "tables", few + many[:10], many[5:])
    written = build(tables, tmp_path / "built", many_files=20)
    assert sorted(contents(tmp_path / "built")) == ["manifests/many.csv.xz", "registry.csv"]
    assert dict(read_registry(tmp_path / "built")) == {
        one.path: one for one in sorted(few + many, key=lambda e: e.path)
    }
    assert [one.path for one in written] == sorted(one.path for one in few + many)


def test_the_built_bytes_do_not_depend_on_the_order_of_tables_and_lines(tmp_path: Path) -> None:
    entries = [entry(f"many/{number}.jpg") for number in range(30)] + [entry("few/a.txt")]
    build(write_tables(tmp_path / "one", entries), tmp_path / "first", many_files=20)
    build(write_tables(tmp_path / "two", entries[:7:-1], entries[:8]), tmp_path / "second", many_files=20)
    assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_building_the_committed_registry_anew_changes_nothing(tmp_path: Path) -> None:
    from reprise.data import entries as module

    committed = module._FOLDER
    build(write_tables(tmp_path / "tables", list(module.registry().values())), tmp_path / "built")
    assert (tmp_path / "built" / "registry.csv").read_bytes() == (committed / "registry.csv").read_bytes()
    assert read_registry(tmp_path / "built") == read_registry(committed)
    names = [sorted(path.name for path in (root / "manifests").iterdir()) for root in (tmp_path / "built", committed)]
    assert names[0] == names[1]


def test_a_manifest_that_is_no_longer_needed_is_removed(tmp_path: Path) -> None:
    many = [entry(f"many/{number}.jpg") for number in range(3)]
    tables = write_tables(tmp_path / "tables", many)
    build(tables, tmp_path / "built", many_files=2)
    build(tables, tmp_path / "built", many_files=3)
    assert sorted(contents(tmp_path / "built")) == ["registry.csv"]


def test_an_entry_that_no_table_names_is_kept_and_told_of(tmp_path: Path, capsys) -> None:
    many = [entry(f"many/{number}.jpg") for number in range(3)]
    built = tmp_path / "built"
    build(write_tables(tmp_path / "before", [entry("a/old.txt"), entry("b/by-hand.zip"), *many]), built, many_files=2)
    assert main([str(write_tables(tmp_path / "now", [entry("a/old.txt", "MIT")])), "--destination", str(built)]) == 0
    now = read_registry(built)
    assert list(now) == ["a/old.txt", "b/by-hand.zip", *(one.path for one in many)]
    assert now["a/old.txt"].licence == "MIT"
    assert capsys.readouterr().out.endswith("Kept, though no table names them: b (1), many (3).\n")


def test_tables_that_disagree_are_refused(tmp_path: Path) -> None:
    tables = write_tables(tmp_path / "tables", [entry("a/b")], [entry("a/b", "MIT")])
    with pytest.raises(DataError, match="disagree on a/b"):
        read_tables(tables)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"path": "../outside"}, "path must be"),
        ({"path": "/etc/passwd"}, "path must be"),
        ({"path": "a/../../b"}, "path must be"),
        ({"path": "a/*.txt"}, "path must be"),
        ({"path": "no-data-set.txt"}, "path must be"),
        ({"path": "a\\b/c"}, "path must be"),
        ({"path": "a/b\n"}, "path must be"),
        ({"sha256": "0" * 63}, "sha256 must be"),
        ({"sha256": "A" * 64}, "sha256 must be"),
        ({"bytes": 0}, "bytes must be"),
        ({"url": "http://example.org/a"}, "url must start"),
        ({"url": "https://raw.githubusercontent.com/owner/repository/main/a"}, "url must pin"),
        ({"url": "https://github.com/owner/repository/raw/main/a"}, "url must pin"),
        ({"licence": " "}, "licence and source"),
        ({"source": ""}, "licence and source"),
    ],
)
def test_an_unsafe_entry_is_refused(change: dict[str, object], rule: str) -> None:
    with pytest.raises(DataError, match=rule):
        check_entry(replace(entry("a/b"), **change))  # type: ignore[arg-type]


def test_the_command_builds_and_reports(tmp_path: Path, capsys) -> None:
    tables = write_tables(tmp_path / "tables", [entry("a/b")])
    assert main([str(tables), "--destination", str(tmp_path / "built")]) == 0
    assert capsys.readouterr().out.startswith("1 files")
    assert main([str(tmp_path), "--destination", str(tmp_path / "built")]) == 1
    assert "holds no CSV file" in capsys.readouterr().err
