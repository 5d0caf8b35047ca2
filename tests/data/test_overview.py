"""The table of a chapter's data."""

import pytest

from reprise.catalogue import PAPERS, UnknownPaperError, find_paper
from reprise.data import describe, select


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.slug)
def test_every_paper_is_described_in_the_order_of_the_catalogue(paper, cache) -> None:
    rows = describe(paper)
    assert [(row.data_set, row.kind) for row in rows] == [(one.name, one.kind) for one in paper.data_sets]
    for row in rows:
        assert row.is_present == (row.kind == "embedded")
        assert bool(row.licence) == bool(row.files) == bool(row.bytes) == (row.kind == "real")


def test_a_row_counts_files_bytes_and_what_is_present(cache) -> None:
    entries = select("planetoid/ind.cora.*")
    for entry in entries[:3]:
        (cache / entry.path).parent.mkdir(parents=True, exist_ok=True)
        (cache / entry.path).write_bytes(b"x" * entry.bytes)
    (cache / entries[3].path).write_bytes(b"x")
    row = next(row for row in describe("cold_brew") if row.data_set == "cora")
    assert (row.files, row.bytes, row.present) == (8, sum(entry.bytes for entry in entries), 3)
    assert row.licence == "MIT (repository)"
    assert not row.is_present


def test_several_licences_are_each_named_once(cache) -> None:
    row = next(row for row in describe("diva") if row.data_set == "cub50")
    assert row.licence.count("Apache-2.0") == 1
    assert row.licence.count("CUB-200-2011 terms") == 1
    assert row.files == 2657


def test_an_unknown_paper_is_refused() -> None:
    with pytest.raises(UnknownPaperError):
        describe("no such paper")
    assert describe(find_paper("grda")) == describe("grda")
