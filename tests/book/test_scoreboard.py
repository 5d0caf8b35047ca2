import csv
import io
import json
import sys

import fake_runs

from reprise.book import Staged
from reprise.book.chapters import own_chapters, published_chapters
from reprise.book.scoreboard import COLUMNS, claim_page, evidence_reference, explained_at, one_line


def fresh(record: object) -> list[str]:
    return []


def test_the_csv_has_one_line_a_verdict_and_fixed_columns(staged: Staged) -> None:
    lines = list(csv.DictReader(io.StringIO((staged.source / "scoreboard.csv").read_text(encoding="utf-8"))))
    assert tuple(lines[0]) == COLUMNS
    assert len(lines) == 12
    first = lines[0]
    assert (first["paper"], first["claim_id"], first["outcome"]) == ("cold-brew", "C1", "not reproduced")
    assert (first["estimate"], first["low"], first["high"]) == ("1.234", "-4.1", "6.5")
    assert first["stale"].startswith("code changed")


def test_the_json_repeats_the_records_verdicts_unchanged(staged: Staged) -> None:
    claims = json.loads((staged.source / "scoreboard.json").read_text(encoding="utf-8"))["claims"]
    expected = fake_runs.verdicts()[0].model_dump(mode="json")
    assert {key: claims[0][key] for key in expected} == expected
    assert claims[0]["label"] == "not reproduced (at reduced scale); a control fails"
    assert claims[0]["page"] == "papers/cold_brew.html#claim-C1"


def test_totals_count_every_verdict_once_and_rehearsals_apart(staged: Staged) -> None:
    text = (staged.source / "scoreboard.md").read_text(encoding="utf-8")
    totals = text[text.index("## Verdicts in total") : text.index("## The papers at a glance")]
    rows = [" ".join(row.split()) for row in totals.split("* - ")[2:]]
    assert next(row for row in rows if ">not reproduced</a>" in row).endswith("- 3 - 0")
    assert "- 0 - 3" in next(row for row in rows if row.startswith("[rehearsed on embedded data]"))


def test_a_verdict_shows_value_interval_seeds_stability_and_a_broken_control(staged: Staged) -> None:
    text = (staged.source / "scoreboard.md").read_text(encoding="utf-8")
    for part in ("1.2 [−4.1, 6.5]", "[n = 5]", "stability 87 %", "control fails: clique", "about 12 seeds"):
        assert part in text, part
    assert "uninformative\\_at" in text


def test_one_line_says_how_a_chapter_ended(runs) -> None:
    published = published_chapters(fake_runs.PAPERS, runs[0], fresh)
    own = own_chapters(fake_runs.PAPERS, "quick", runs[1], fresh)
    assert one_line(published[0]) == (
        "3 claims: 1 not reproduced, 1 inconclusive, 1 not testable here (at reduced scale); a control fails for C1"
    )
    assert one_line(own[0]).startswith("failed: cell 6 raised")
    assert one_line(own[1]) == "3 claims: 3 rehearsed on embedded data"


def test_links_lead_to_the_section_of_the_verdicts_if_there_is_one(runs) -> None:
    chapter = published_chapters(fake_runs.PAPERS, runs[0], fresh)[0]
    assert explained_at(chapter) == "#verdicts"
    assert chapter.notebook is not None
    chapter.notebook.cells = [c for c in chapter.notebook.cells if not c.source.startswith("## Verdicts")]
    assert explained_at(chapter) == "#the-claims"
    chapter.notebook.cells = []
    assert explained_at(chapter) == ""


def test_a_claim_leads_to_its_line_and_to_its_section_where_it_has_none(runs) -> None:
    chapter = published_chapters(fake_runs.PAPERS, runs[0], fresh)[0]
    assert claim_page(chapter, "C2") == "papers/cold_brew.html#claim-C2"
    assert claim_page(chapter, "C9") == "papers/cold_brew.html#verdicts"


def test_the_declared_figure_is_named_by_its_number_and_left_out_where_the_run_has_none(runs, monkeypatch) -> None:
    shown = {("cold-brew", "C1"): "pairing", ("cold-brew", "C2"): "gone"}
    monkeypatch.setattr(sys.modules[claim_page.__module__], "evidence", lambda: shown)
    chapter = published_chapters(fake_runs.PAPERS, runs[0], fresh)[0]
    assert evidence_reference(chapter, "C1") == "{ref}`Figure 1 <cold_brew-pairing>`"
    assert evidence_reference(chapter, "C2") == ""
    assert evidence_reference(chapter, "C3") == ""


def test_the_page_has_a_picture_of_all_claims_and_one_a_published_record(staged: Staged) -> None:
    names = {path.stem for path in (staged.source / "scoreboard-figures/published").iterdir()}
    assert names == {"board", "estimates_cold_brew", "estimates_grda", "estimates_grda-paper"}


def test_every_line_of_a_claim_says_which_version_computed_it_and_when(staged: Staged) -> None:
    text = (staged.source / "scoreboard.md").read_text(encoding="utf-8")
    claims = text[text.index("## Every claim, as published") :]
    lines = [line for line in claims.splitlines() if line.startswith("* - [")]
    assert len(lines) == 12
    assert all(line.endswith("[version 0.1.0, 4 March 2026]{.remark}") for line in lines)
    assert "version 0.1.0, commit 0123456789, 4 March 2026" in text
