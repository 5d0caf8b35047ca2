"""The catalogue: complete, consistent with the registry, and light."""

import subprocess
import sys

import pytest

from reprise.catalogue import PAPERS, DataSet, Paper, UnknownPaperError, find_paper
from reprise.errors import UnknownNameError

every_paper = pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.slug)


def test_there_are_ten_papers_with_distinct_names() -> None:
    assert len(PAPERS) == 10
    for names in ([paper.slug for paper in PAPERS], [paper.package for paper in PAPERS]):
        assert len(set(names)) == 10


@every_paper
def test_a_paper_states_the_facts_that_every_page_needs(paper: Paper) -> None:
    assert paper.package.isidentifier()
    assert paper.slug == paper.slug.lower()
    assert "_" not in paper.slug
    for text in (paper.title, paper.short_title, paper.topic, paper.headline):
        assert text == text.strip()
        assert text
    assert paper.headline.endswith(".")
    assert len(paper.authors) >= 2
    assert len(set(paper.authors)) == len(paper.authors)


@every_paper
def test_links_are_well_formed_or_absent(paper: Paper) -> None:
    for url in (paper.blog, paper.code, paper.arxiv_url, paper.openreview_url):
        assert url is None or url.startswith("https://")
    assert paper.arxiv or paper.openreview


def test_an_unknown_identifier_gives_no_link() -> None:
    assert find_paper("rim").arxiv_url is None
    assert find_paper("grda").openreview_url is None
    assert find_paper("grda").arxiv_url == "https://arxiv.org/abs/2202.03628"
    assert find_paper("rim").openreview_url == "https://openreview.net/forum?id=TZeArecH2Nf"


@every_paper
def test_every_chapter_has_embedded_and_real_data_with_distinct_names(paper: Paper) -> None:
    kinds = {data_set.kind for data_set in paper.data_sets}
    names = [data_set.name for data_set in paper.data_sets]
    assert kinds == {"embedded", "real"}
    assert len(set(names)) == len(names)
    assert all(data_set.description.endswith(".") for data_set in paper.data_sets)


@every_paper
def test_every_file_pattern_matches_files_of_the_registry(paper: Paper) -> None:
    from reprise.data import select

    for data_set in paper.data_sets:
        assert (data_set.kind == "embedded") or select(data_set.files)


def test_every_file_of_the_registry_serves_some_paper() -> None:
    from reprise.data import registry, select

    used = {entry.path for paper in PAPERS for entry in select(paper.files)}
    assert used == set(registry())


def test_every_row_of_the_table_of_data_sets_belongs_to_a_paper() -> None:
    from reprise.catalogue import _DATA_SETS

    assert set(_DATA_SETS) == {paper.slug for paper in PAPERS}


@every_paper
def test_a_paper_is_found_by_slug_and_by_package(paper: Paper) -> None:
    assert find_paper(paper.slug) is paper
    assert find_paper(paper.package) is paper


@pytest.mark.parametrize(("name", "nearest"), [("coldbrew", "cold-brew"), ("GRDA", "grda")])
def test_an_unknown_paper_is_refused_with_the_nearest_name(name: str, nearest: str) -> None:
    with pytest.raises(UnknownPaperError, match=f"did you mean '{nearest}'"):
        find_paper(name)


def test_a_data_set_is_found_by_name_and_an_unknown_one_refused() -> None:
    paper = find_paper("cold-brew")
    assert paper.data_set("cora").files == ("planetoid/ind.cora.*",)
    with pytest.raises(UnknownNameError, match="did you mean 'cora'"):
        paper.data_set("corra")


def test_the_files_of_a_paper_are_named_once() -> None:
    files = find_paper("grda").files
    assert files.count("grda/tpt48/*") == 1


def test_real_data_need_files_and_embedded_data_have_none() -> None:
    with pytest.raises(ValueError, match="real data need at least one"):
        DataSet("x", "real", (), "X.")
    with pytest.raises(ValueError, match="embedded data have none"):
        DataSet("x", "embedded", ("x/*",), "X.")
    with pytest.raises(ValueError, match="'embedded' or 'real'"):
        DataSet("x", "imagined", (), "X.")  # type: ignore[arg-type]


def test_a_paper_is_written_when_its_notebook_exists(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("REPRISE_HOME", str(tmp_path))
    (tmp_path / "notebooks").mkdir()
    paper = find_paper("deep-aa")
    assert paper.notebook == tmp_path / "notebooks" / "deep_aa.ipynb"
    assert not paper.is_written()
    paper.notebook.write_text("{}")
    assert paper.is_written()


@pytest.mark.parametrize("module", ["reprise.catalogue", "reprise.data"])
def test_importing_loads_no_heavy_library(module: str) -> None:
    code = (
        f"import sys, {module}; heavy = {{'torch', 'pandas', 'numpy', 'scipy', 'matplotlib', 'pooch', 'requests', "
        "'tqdm', 'rich', 'pydantic'}; print(sorted(heavy & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
