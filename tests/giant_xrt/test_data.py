"""Loaders, splits and generators: the counts of the sources, and what the generators promise."""

import numpy as np
import pytest

from reprise.data import DataError
from reprise.errors import UnknownNameError
from reprise.giant_xrt.data import arxiv_published_features, load, split_of
from reprise.giant_xrt.generators import large_text_graph, rewired, text_blocks

TITLES = {
    "citeseer-text": (3186, 4225, 86, 0.744),
    "movie-plots": (3596, 29689, None, 0.314),
    "coauthor-cs": (18333, 81894, None, 0.808),
}


@pytest.mark.parametrize("name", TITLES)
def test_real_graphs_have_the_counts_of_their_sources(name):
    nodes, edges, isolated, homophily = TITLES[name]
    try:
        graph = load(name)
    except DataError:
        pytest.skip(f"{name} is not on this machine")
    assert (graph.n_nodes, graph.adjacency.nnz // 2) == (nodes, edges)
    assert graph.homophily == pytest.approx(homophily, abs=5e-4)
    assert isolated is None or (graph.degrees == 0).sum() == isolated
    assert graph.adjacency.diagonal().sum() == 0


def test_citeseer_says_how_many_papers_have_no_text_and_ships_words():
    try:
        graph = load("citeseer-text")
    except DataError:
        pytest.skip("citeseer-text is not on this machine")
    assert graph.dropped == 126
    assert graph.words.shape == (3186, 3703)
    assert all(text.strip() for text in graph.texts)


def test_splits_are_disjoint_and_have_their_sizes():
    graph = load("text-blocks")
    for regime, sizes in (("20 per class", (160, 500, 1340)), ("60 %", (1200, 400, 400))):
        split = split_of(graph, regime, 3)
        parts = (split.train, split.validation, split.test)
        assert tuple(map(len, parts)) == sizes
        assert len(set(np.concatenate(parts))) == 2000
    counts = np.bincount(graph.labels[split_of(graph, "20 per class", 3).train])
    assert (counts == 20).all()
    assert not np.array_equal(split_of(graph, "60 %", 0).test, split_of(graph, "60 %", 1).test)


def test_the_generator_makes_synonyms_and_a_homophilous_graph():
    drawn = text_blocks()
    degrees = np.diff(drawn.adjacency.indptr)
    rows, columns = drawn.adjacency.tocoo().coords
    assert 9 < degrees.mean() < 9.8
    assert 5 < (degrees == 0).sum() < 40
    assert (drawn.labels[rows] == drawn.labels[columns]).mean() == pytest.approx(0.66, abs=0.02)
    assert (np.bincount(drawn.labels) == 250).all()
    assert all(len(text.split()) == 30 for text in drawn.texts)
    assert text_blocks(random_state=0).texts == drawn.texts != text_blocks(random_state=1).texts


def test_homophily_and_density_can_be_set():
    low = text_blocks(n=600, homophily=0.1, mean_degree=4)
    rows, columns = low.adjacency.tocoo().coords
    assert (low.labels[rows] == low.labels[columns]).mean() < 0.35
    assert 3 < np.diff(low.adjacency.indptr).mean() < 4.2


def test_rewiring_keeps_degrees_and_forgets_classes():
    drawn = text_blocks()
    other = rewired(drawn.adjacency, np.random.default_rng(0))
    before, after = np.diff(drawn.adjacency.indptr), np.diff(other.indptr)
    assert np.corrcoef(before, after)[0, 1] > 0.98
    rows, columns = other.tocoo().coords
    assert (drawn.labels[rows] == drawn.labels[columns]).mean() == pytest.approx(1 / 8, abs=0.02)


def test_large_graphs_have_their_size_and_density():
    counts, graph = large_text_graph(3000, 0)
    assert counts.shape[0] == 3000
    assert (counts.sum(axis=1) == 30).all()
    assert 8 < np.diff(graph.indptr).mean() < 10.1
    assert graph.diagonal().sum() == 0


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'citeseer-text'"):
        load("citeseer-txt")
    monkeypatch.setenv("REPRISE_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"ogb|titleabs"):
        load("ogbn-arxiv")
    with pytest.raises(DataError, match="the authors' features are not at"):
        arxiv_published_features()
