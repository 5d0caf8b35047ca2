import base64
import io

import fake_runs
import pytest
from PIL import Image

from reprise.book import BookError, Staged, cards
from reprise.catalogue import PAPERS


def test_every_paper_of_the_catalogue_has_one_card_and_an_idea_in_two_sentences() -> None:
    entries = [entry for part in cards.declared_cards() for entry in part["papers"]]
    assert sorted(entry["slug"] for entry in entries) == sorted(paper.slug for paper in PAPERS)
    for entry in entries:
        assert entry["idea"].count(". ") + entry["idea"].count("? ") == 1, entry["slug"]
    assert len({entry["idea"] for entry in entries}) == len(entries)


def test_a_paper_without_a_card_is_named(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(cards, "declared_cards", lambda: [])
    with pytest.raises(BookError, match=r"no card for cold-brew, grda, psa-gan; add one to book/_data/cards\.yaml"):
        cards.write_cards(fake_runs.PAPERS, [], tmp_path)


def test_the_first_page_has_a_card_with_figure_and_verdict_for_what_is_published_and_one_for_the_rest(
    staged: Staged,
) -> None:
    text = (staged.source / "cards.md").read_text(encoding="utf-8")
    assert text.index("## Graphs") < text.index("Cold Brew") < text.index("## Time series") < text.index("PSA-GAN")
    assert "3 claims: 1 not reproduced" in text
    assert "No published run yet" in text[text.index("PSA-GAN") :]
    assert {path.name for path in (staged.source / "_extra/thumbnails").iterdir()} == {"cold_brew.png", "grda.png"}
    assert 'alt="Accuracy falls from 72 to 53 when rows are paired independently."' in text


def test_the_figure_is_the_named_one_or_the_first_beside_the_papers_numbers_or_the_first() -> None:
    notebook = fake_runs.good_notebook("grda")
    assert cards.chosen_figure(notebook, "pairing").name == "pairing"
    assert cards.chosen_figure(notebook, "gone").name == "pairing"
    later = fake_runs.nbformat.v4.new_markdown_cell("## The paper beside ours")
    described = {"kind": "figure", "name": "beside", "alt": "x", "caption": "y"}
    figure = fake_runs.code("chapter.figure(beside)", fake_runs.shown({"image/png": "iVBO"}, **described))
    notebook.cells += [later, figure]
    assert cards.chosen_figure(notebook, None).name == "beside"
    assert cards.chosen_figure(notebook, "pairing").name == "pairing"
    notebook.cells = [later]
    assert cards.chosen_figure(notebook, None) is None


def test_a_thumbnail_is_small_and_keeps_its_proportions() -> None:
    content, (width, height) = cards.in_small(base64.b64decode(fake_runs.picture()))
    assert len(content) < 40_000
    assert Image.open(io.BytesIO(content)).size == (width, height) == (560, 231)
