import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from reprise.errors import RepriseError
from reprise.grda.graphs import (
    DomainsError,
    chain_graph,
    check_adjacency,
    check_sample_domain,
    clique_graph,
    cycle_graph,
    domain_hops,
    empty_graph,
    grid_graph,
    is_connected,
    levels,
    rewired_graph,
    star_graph,
)


def random_graph(n_domains, seed):
    upper = np.triu(np.random.default_rng(seed).random((n_domains, n_domains)) < 0.3, k=1)
    return (upper | upper.T).astype(np.int8)


def directed_edges(adjacency):
    return np.array(np.nonzero(adjacency))


@pytest.mark.parametrize(
    "form",
    [
        lambda a: a,
        lambda a: a.tolist(),
        lambda a: a.astype(bool),
        lambda a: a.astype(np.float32),
        sp.csr_array,
        sp.coo_matrix,
        torch.as_tensor,
        lambda a: torch.as_tensor(a).to_sparse(),
        nx.from_numpy_array,
        directed_edges,
        lambda a: torch.as_tensor(directed_edges(a)),
    ],
)
@pytest.mark.parametrize("n_domains", [2, 3, 7])
def test_every_usual_form_of_a_graph_gives_the_same_array(form, n_domains):
    graph = random_graph(n_domains, seed=n_domains)
    checked = check_adjacency(form(graph), n_domains)
    np.testing.assert_array_equal(checked, graph)
    assert checked.dtype == np.int8


@given(st.integers(2, 8), st.integers(0, 10**6))
def test_an_edge_index_and_its_dense_form_name_the_same_graph(n_domains, seed):
    graph = random_graph(n_domains, seed)
    np.testing.assert_array_equal(check_adjacency(directed_edges(graph), n_domains), graph)


def test_duplicate_edges_of_an_edge_index_count_once():
    np.testing.assert_array_equal(check_adjacency([[0, 1, 0, 1], [1, 0, 1, 0]], 2), clique_graph(2))


def test_networkx_nodes_keep_their_numbers_whatever_order_they_came_in():
    graph = nx.Graph([(2, 1), (1, 0)])
    np.testing.assert_array_equal(check_adjacency(graph), chain_graph(3))


@pytest.mark.parametrize(
    ("adjacency", "n_domains", "words"),
    [
        (np.zeros((3, 4)), None, r"\(3, 4\).*not square"),
        (np.zeros(4), None, "not square"),
        (np.zeros((2, 2)), 3, "2 nodes.*3 domains"),
        ([[0, np.nan], [np.nan, 0]], None, "NaN"),
        ([[0, 0.5], [0.5, 0]], None, "0.5; weighted graphs are not supported"),
        ([[0, -1], [-1, 0]], None, "-1; weighted"),
        ([[0, 1], [0, 0]], None, r"not symmetric: entry \[0, 1\] is 1"),
        ([[1, 1], [1, 0]], None, "self-loop at domain 0.*A_ii = 0"),
        ([[0, 1, 2], [1, 0, 0]], 3, "not symmetric.*to_undirected"),
        ([[0, 5], [5, 0]], 3, "names the nodes 0 to 5"),
        ([[0, -1, 1], [-1, 0, 0]], 3, "names the nodes -1"),
        (np.array([["a", "b"], ["c", "d"]]), None, "not numeric"),
        (nx.Graph([("AL", "FL")]), None, "node 'AL'.*convert_node_labels_to_integers"),
        (nx.DiGraph([(0, 1)]), None, "not symmetric"),
        (nx.Graph([(0, 0), (0, 1)]), None, "self-loop at domain 0"),
    ],
)
def test_a_bad_graph_is_refused_with_the_value_and_a_remedy(adjacency, n_domains, words):
    with pytest.raises(DomainsError, match=words):
        check_adjacency(adjacency, n_domains)


def test_weighted_networkx_edges_are_refused():
    graph = nx.Graph()
    graph.add_edge(0, 1, weight=2.0)
    with pytest.raises(DomainsError, match="2; weighted"):
        check_adjacency(graph)


def test_the_error_is_a_value_error_that_the_command_line_prints():
    assert issubclass(DomainsError, ValueError)
    assert issubclass(DomainsError, RepriseError)


@pytest.mark.parametrize(
    ("sample_domain", "n_domains", "words"),
    [
        ([0, 1], None, "shape"),
        ([0, 1.5, 1], None, "not integers"),
        ([0, -1, 1], None, "not integers"),
        ([0, np.nan, 1], None, "not integers"),
        (["a", "b", "c"], None, "not integers"),
        ([0, 2, 2], None, "domain 1 has no rows"),
        ([0, 1, 1], 3, "domain 2 has no rows"),
        ([0, 1, 3], 3, "names the domain 3, but there are 3"),
        ([0, 1, 10**12], None, "names the domain 1000000000000, but there are 3 rows"),
        ([0, 1, np.inf], None, "not integers"),
        (np.array([0, 1, 2**64 - 1], np.uint64), None, "but there are 3 rows"),
        (np.array([0, 1e300, 1]), 3, "but there are 3 domains"),
    ],
)
def test_a_bad_domain_column_is_refused(sample_domain, n_domains, words):
    with pytest.raises(DomainsError, match=words):
        check_sample_domain(sample_domain, 3, n_domains)


def test_domains_stored_as_floats_become_integers():
    domain = check_sample_domain([0.0, 1.0, 1.0], 3)
    assert domain.dtype == np.int64
    assert domain.tolist() == [0, 1, 1]


@given(st.integers(1, 9), st.integers(0, 10**6))
def test_hops_agree_with_networkx(n_domains, seed):
    graph = random_graph(n_domains, seed)
    source = np.random.default_rng(seed + 1).random(n_domains) < 0.3
    expected = nx.multi_source_dijkstra_path_length(
        nx.from_numpy_array(graph, edge_attr=None), set(np.flatnonzero(source).tolist()) or {0}
    )
    if not source.any():
        assert (domain_hops(graph, source) == -1).all()
        return
    np.testing.assert_array_equal(domain_hops(graph, source), [expected.get(i, -1) for i in range(n_domains)])


def test_levels_merge_all_far_domains_and_keep_the_unreachable_ones():
    graph = np.zeros((7, 7), dtype=np.int8)
    graph[:6, :6] = chain_graph(6)
    source = np.arange(7) == 0
    assert levels(graph, source).tolist() == [0, 1, 2, 3, 3, 3, -1]


def test_the_standard_graphs_have_their_edges():
    counts = [(clique_graph(5), 10), (chain_graph(5), 4), (cycle_graph(5), 5), (star_graph(5), 4)]
    for graph, n_edges in [*counts, (grid_graph(5, 6), 49), (empty_graph(5), 0), (clique_graph(1), 0)]:
        np.testing.assert_array_equal(check_adjacency(graph), graph)
        assert graph.sum() == 2 * n_edges
    assert star_graph(5)[0].sum() == 4
    assert grid_graph(5, 6)[0].nonzero()[0].tolist() == [1, 6]


def test_a_cycle_of_two_is_refused():
    with pytest.raises(DomainsError, match="n_domains is 2"):
        cycle_graph(2)


def test_only_connected_graphs_are_called_connected():
    assert is_connected(chain_graph(4))
    assert is_connected(empty_graph(1))
    assert not is_connected(empty_graph(2))


def test_rewiring_keeps_every_degree_and_changes_the_graph():
    graph = grid_graph(5, 6)
    rewired = rewired_graph(graph, seed=0)
    np.testing.assert_array_equal(rewired.sum(axis=0), graph.sum(axis=0))
    np.testing.assert_array_equal(check_adjacency(rewired), rewired)
    assert (rewired != graph).any()
    np.testing.assert_array_equal(rewired_graph(graph, seed=0), rewired)


@pytest.mark.parametrize("graph", [clique_graph(6), star_graph(6), empty_graph(4), chain_graph(3), clique_graph(2)])
def test_a_graph_without_admissible_swaps_comes_back_as_it_is(graph):
    np.testing.assert_array_equal(rewired_graph(graph, seed=1), graph)
