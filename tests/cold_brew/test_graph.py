import logging

import numpy as np
import pytest
import torch
from torch_geometric.utils import to_dense_adj

from reprise.cold_brew.graph import Propagation, checked_edges, mean_propagation, node_homophily


def test_propagation_is_the_symmetric_normalisation_with_self_loops(small_graph):
    adjacency = to_dense_adj(small_graph, max_num_nodes=12)[0] + torch.eye(12)
    scale = adjacency.sum(1).rsqrt()
    propagation = Propagation.from_edges(small_graph, 12)
    torch.testing.assert_close(propagation.to_dense(), scale[:, None] * adjacency * scale[None])
    torch.testing.assert_close(propagation.degree, adjacency.sum(1))


def test_an_isolated_node_passes_its_own_state_on_unchanged(small_graph):
    assert Propagation.from_edges(small_graph, 12).to_dense()[11, 11] == 1


def test_mean_propagation_averages_over_neighbours_and_gives_zero_without_any(small_graph):
    adjacency = to_dense_adj(small_graph, max_num_nodes=12)[0]
    expected = adjacency / adjacency.sum(1, keepdim=True).clamp(min=1)
    torch.testing.assert_close(mean_propagation(small_graph, 12).to_dense(), expected)


def test_loops_and_repetitions_are_removed_with_a_count_in_the_log(caplog):
    edges = torch.tensor([[0, 1, 0, 1, 2], [1, 0, 1, 0, 2]])
    with caplog.at_level(logging.INFO):
        assert checked_edges(edges, 3).tolist() == [[0, 1], [1, 0]]
    assert "1 self-loops and 2 repeated edges" in caplog.text


def test_directed_edges_warn_and_can_be_made_undirected():
    edges = torch.tensor([[0], [1]])
    with pytest.warns(UserWarning, match="to_undirected"):
        checked_edges(edges, 2)
    assert checked_edges(edges, 2, make_undirected=True).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (torch.tensor([[0.0], [1.0]]), "expected integer"),
        (torch.tensor([[0], [7]]), "node 7, but num_nodes=3"),
        (torch.tensor([[0], [-2]]), "node -2, but num_nodes=3"),
        (torch.tensor([0, 1]), r"expected \(2, n_edges\)"),
    ],
)
def test_edges_that_cannot_be_used_are_refused(edges, message):
    with pytest.raises(ValueError, match=message):
        checked_edges(edges, 3)


def test_homophily_counts_a_node_without_neighbours_as_zero():
    edges = torch.tensor([[0, 1], [1, 0]])
    assert node_homophily(edges, torch.tensor([0, 0, 0, 0])) == pytest.approx(50)


def test_edges_may_be_an_array():
    edges = np.array([[0, 1], [1, 0]], dtype=np.int32)
    assert checked_edges(edges, 2).tolist() == edges.tolist()
