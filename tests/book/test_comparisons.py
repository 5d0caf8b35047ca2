import pytest

from reprise.book import Staged, comparisons
from reprise.book.chapters import published_chapters
from reprise.book.findings import computed
from reprise.catalogue import PAPERS
from reprise.paths import results_folder
from reprise.verification import published_numbers

DECLARED = comparisons.declared_comparisons()


@pytest.fixture(scope="module")
def tables():
    chapters = published_chapters(PAPERS, results_folder(), lambda record: [])
    wanted = {line.chapter for comparison in DECLARED for line in comparison.lines}
    return {
        chapter.paper.slug: (chapter.record.frame(), published_numbers(chapter.paper.package))
        for chapter in chapters
        if chapter.paper.slug in wanted
    }


@pytest.mark.parametrize("comparison", DECLARED, ids=lambda comparison: comparison.title)
def test_every_number_can_be_computed_and_several_chapters_are_compared_or_several_measures(comparison, tables) -> None:
    assert len({line.chapter for line in comparison.lines}) >= 2
    for line in comparison.lines:
        if line.chapter in tables:
            assert computed(line.number, *tables[line.chapter])


def test_the_page_stands_where_no_run_has_the_rows(staged: Staged) -> None:
    text = (staged.source / "compare.md").read_text(encoding="utf-8")
    assert "The published runs have no rows to compare yet." in text
