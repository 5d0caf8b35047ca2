from types import SimpleNamespace

import fake_runs
import pandas as pd
import pytest

from reprise.book import BookError, Staged, findings
from reprise.book.chapters import published_chapters
from reprise.book.findings import Audit, Number, computed, declared_findings, told
from reprise.catalogue import PAPERS
from reprise.paths import results_folder
from reprise.rows import MissingRowsError
from reprise.verification import published_numbers

REAL = published_chapters(PAPERS, results_folder(), lambda record: [])
DECLARED = [(chapter, audit) for chapter in REAL for audit in declared_findings(chapter.paper.package)]
NOTHING = pd.DataFrame({"method": [], "value": []})


def rows() -> pd.DataFrame:
    table = {"A": (70.0, 72.0, 74.0), "B": (60.0, 61.0, 62.0), "same": (5.0, 5.0, 5.0)}
    return pd.DataFrame(
        [
            {"method": method, "seed": seed, "value": v}
            for method, values in table.items()
            for seed, v in enumerate(values)
        ]
    )


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"rows": {"method": "A"}}, "72.0 [67.0, 77.0]"),
        ({"rows": {"method": "A"}, "interval": False}, "72.0"),
        ({"rows": {"method": "A"}, "minus": {"method": "B"}, "signed": True}, "+11.0 [8.5, 13.5]"),
        ({"rows": {"method": "A"}, "over": {"method": "B"}, "decimals": 2}, "1.18 [1.15, 1.21]"),
        ({"rows": {"method": "same"}, "decimals": 0}, "5"),
        ({"rows": {"method": "A"}, "geometric": True}, "72.0 [67.2, 77.1]"),
        (
            {"rows": {"method": "A"}, "over": {"method": "B"}, "geometric": True, "interval": False, "decimals": 2},
            "1.18",
        ),
        ({"rows": {"method": "same"}, "geometric": True, "decimals": 0}, "5"),
    ],
)
def test_a_number_is_a_mean_over_seeds_paired_with_what_it_is_compared_with(wanted, text) -> None:
    assert computed(Number(**wanted), rows(), NOTHING) == text


def test_one_seed_has_no_interval() -> None:
    assert computed(Number(rows={"method": "A", "seed": 0}), rows(), NOTHING) == "70.0"


def test_a_printed_number_is_looked_up_and_not_typed() -> None:
    printed = pd.DataFrame({"method": ["A"], "value": [58.02]})
    assert computed(Number(printed={"method": "A"}), rows(), printed) == "58.0"


def test_missing_rows_are_no_number() -> None:
    with pytest.raises(MissingRowsError):
        computed(Number(rows={"method": "C"}), rows(), NOTHING)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shown": ""}, "give either 'shown' or 'section'"),
        ({"where": "elsewhere"}, "where"),
        ({"numbers": {"x": {}}}, "give either 'rows' or 'printed'"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_finding_of_another_form_is_refused_with_its_file(change, message, tmp_path, monkeypatch) -> None:
    import yaml

    whole = {"title": "t", "where": "released code", "found": "f", "established": "e", "changes": "c"}
    entry = {**whole, "does_not_show": "d", "shown": "pairing", **change}
    (tmp_path / "findings").mkdir()
    (tmp_path / "findings" / "grda.yaml").write_text(yaml.safe_dump([entry]))
    monkeypatch.setattr(findings, "data_folder", lambda: tmp_path)
    with pytest.raises(BookError, match=r"findings/grda\.yaml") as error:
        declared_findings("grda")
    assert message in str(error.value)


def test_a_chapter_without_a_file_has_no_findings(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(findings, "data_folder", lambda: tmp_path)
    assert declared_findings("grda") == ()


@pytest.mark.parametrize(("chapter", "audit"), DECLARED, ids=[f"{c.paper.slug}: {a.title}" for c, a in DECLARED])
def test_every_declared_finding_can_be_computed_and_leads_to_a_place_of_the_published_page(
    chapter, audit: Audit
) -> None:
    assert "{" not in told(audit, chapter.record.frame(), published_numbers(chapter.paper.package))
    assert findings.place_of(audit, chapter), f"the chapter shows no {audit.shown or audit.section}"


def test_a_section_is_led_to_by_the_anchor_that_sphinx_gives_its_heading(monkeypatch) -> None:
    title = "What matters: losses, weights, and the (whole) model"
    monkeypatch.setattr(findings, "headings", lambda notebook: [title])
    chapter = SimpleNamespace(notebook=object(), failure="", document="papers/some")
    audit = SimpleNamespace(section=title, shown="")
    link = findings.place_of(audit, chapter)
    assert 'href="papers/some.html#what-matters-losses-weights-and-the-whole-model"' in link


def test_the_page_stands_where_rows_are_missing_and_says_so(staged: Staged) -> None:
    text = (staged.source / "findings.md").read_text(encoding="utf-8")
    assert "The order of rows decides more than the method" in text
    assert "The published run has no rows for these numbers" in text
    assert text.count("What it does not show") == text.count("How it was established") > 0


def test_a_finding_leads_to_the_figure_that_shows_it(runs) -> None:
    chapter = published_chapters(fake_runs.PAPERS, runs[0], lambda record: [])[1]
    audit = next(audit for audit in declared_findings("grda") if audit.shown == "pairing")
    assert findings.place_of(audit, chapter) == "{ref}`Figure 1 <grda-pairing>`"
