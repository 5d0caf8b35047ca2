"""The tables that people declare for the book's pages, against the records and notebooks that they speak of."""

import csv

import nbformat
import pytest

from reprise.book import declared
from reprise.book.errors import BookError
from reprise.book.notebooks import shown_things
from reprise.catalogue import PAPERS, find_paper
from reprise.paths import results_folder
from reprise.record import load

PUBLISHED = [paper for paper in PAPERS if (results_folder() / "standard" / f"{paper.package}.json").is_file()]


def lines(name: str) -> list[dict[str, str]]:
    with (declared.data_folder() / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(("text", "value"), [("84.5 - 72.25", 12.25), ("8 / (2 + 2) - 1", 1.0), ("-0.76", -0.76)])
def test_arithmetic_of_printed_numbers(text: str, value: float) -> None:
    assert declared.arithmetic(text) == value


@pytest.mark.parametrize("text", ["", "1 +", "x - 1", "__import__('os')", "2 ** 9", "1 / 0", "'a' * 3"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BookError, match="no arithmetic"):
        declared.arithmetic(text)


def test_an_estimate_of_another_quantity_gets_no_printed_number() -> None:
    line = next(line for line in lines("printed_values.csv") if line["how"])
    found = declared.printed_beside(line["paper"], line["claim"], line["quantity"])
    assert found.value == declared.arithmetic(line["how"])
    assert declared.printed_beside(line["paper"], line["claim"], line["quantity"] + " in mice").value is None


def test_every_printed_number_is_of_a_claim_and_says_where_it_stands() -> None:
    for line in lines("printed_values.csv"):
        claims = {claim.id for claim in find_claims(line["paper"])}
        assert line["claim"] in claims, line
        assert bool(line["how"]) == bool(line["source"]), line
        float(line["no_effect"])


def find_claims(slug: str):
    from reprise.verification import claims_of

    return claims_of(find_paper(slug).package)


@pytest.mark.parametrize("paper", PUBLISHED, ids=lambda paper: paper.slug)
def test_what_is_said_to_show_a_claims_evidence_is_on_the_published_page(paper) -> None:
    notebook = nbformat.read(results_folder() / "standard" / f"{paper.package}.ipynb", as_version=4)
    shown = {thing.name for thing in shown_things(notebook)}
    claims = {verdict.claim_id for verdict in load(results_folder() / "standard" / f"{paper.package}.json").verdicts}
    for (slug, claim), name in declared.evidence().items():
        if slug == paper.slug:
            assert claim in claims, f"book/_data/evidence.csv: {slug} has no claim {claim}"
            assert name in shown, f"book/_data/evidence.csv: {slug} {claim}: no figure or table is named {name}"
