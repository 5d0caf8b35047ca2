"""The files by which the book is published and cited."""

import re
from pathlib import Path

import pytest
import yaml

import reprise
from reprise.catalogue import PAPERS
from reprise.paths import book_folder, repository

WORKFLOWS = sorted((repository() / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit(path: Path) -> None:
    used = re.findall(r"uses: *(\S+)", path.read_text(encoding="utf-8"))
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_hold_no_right_that_they_do_not_need(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert content["permissions"] == {"contents": "read"}
    for job in content["jobs"].values():
        assert "timeout-minutes" in job


def test_the_citation_names_the_version_of_the_library() -> None:
    citation = yaml.safe_load((repository() / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == reprise.__version__
    assert f"version = {{{reprise.__version__}}}" in (book_folder() / "cite.md").read_text(encoding="utf-8")


def test_every_paper_is_among_the_references_with_its_identifier() -> None:
    text = (book_folder() / "references.bib").read_text(encoding="utf-8")
    entries = dict(re.findall(r"@\w+\{([\w-]+),(.*?)\n\}", text, flags=re.S))
    for paper in PAPERS:
        assert paper.slug in entries
        if paper.arxiv:
            assert paper.arxiv in entries[paper.slug], paper.slug


def test_the_book_reads_as_its_own_and_names_no_package_index_host() -> None:
    pages = [*book_folder().rglob("*.md"), *book_folder().rglob("*.jinja")]
    assert len(pages) > 10
    for page in pages:
        assert not re.search(r"pypi\.org|pythonhosted", page.read_text(encoding="utf-8")), page
