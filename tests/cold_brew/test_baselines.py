import numpy as np
import pytest
import torch
from torch_geometric.nn import GraphSAGE as LibrarySAGE

from reprise.cold_brew.baselines import (
    GraphSAGE,
    averaged_features,
    distillation_loss,
    nearest_neighbour_edges,
    neighbourhood_contrastive_loss,
    neighbourhood_power,
)
from reprise.cold_brew.graph import Propagation, mean_propagation
from reprise.cold_brew.sparse import SparseMatrix


def test_graphsage_is_the_librarys(small_graph):
    x = torch.randn(12, 5)
    ours, theirs = GraphSAGE(5, 6, 3).eval(), LibrarySAGE(5, 6, 2, 3).eval()
    ours.first.weights[0].data = theirs.convs[0].lin_l.weight.data.T.clone()
    ours.first.weights[1].data = theirs.convs[0].lin_r.weight.data.T.clone()
    ours.first.bias.data = theirs.convs[0].lin_l.bias.data.clone()
    ours.second.load_state_dict(theirs.convs[1].state_dict())
    edges = mean_propagation(small_graph, 12)
    expected = theirs(x, small_graph)
    torch.testing.assert_close(ours(x, averaged_features(x, edges), edges), expected)
    sparse = SparseMatrix.from_torch(x)
    torch.testing.assert_close(ours(sparse, averaged_features(sparse, edges), edges), expected)


def test_the_contrastive_loss_equals_its_double_sum():
    torch.manual_seed(0)
    z, gamma = torch.randn(6, 4), torch.rand(6, 6)
    gamma[2] = 0  # a node without a positive pair is skipped
    terms = []
    for i in range(6):
        similar = [torch.exp(torch.cosine_similarity(z[i], z[j], dim=0) / 0.5) for j in range(6)]
        others = [j for j in range(6) if j != i]
        above = sum(gamma[i, j] * similar[j] for j in others)
        if above > 0:
            terms.append(-torch.log(above / sum(similar[j] for j in others)))
    torch.testing.assert_close(neighbourhood_contrastive_loss(z, gamma, 0.5), torch.stack(terms).mean())


def test_the_contrastive_loss_of_a_block_without_pairs_is_zero_and_has_a_gradient():
    z = torch.randn(3, 2, requires_grad=True)
    loss = neighbourhood_contrastive_loss(z, torch.eye(3))
    loss.backward()
    assert float(loss.detach()) == 0
    assert not bool(z.grad.any())


def test_a_uniform_strength_makes_the_contrastive_loss_its_logarithm():
    loss = neighbourhood_contrastive_loss(torch.randn(8, 3), torch.full((8, 8), 0.25))
    assert float(loss) == pytest.approx(np.log(4), rel=1e-5)


def test_the_power_is_of_the_whole_graphs_adjacency(small_graph):
    edges = Propagation.from_edges(small_graph, 12)
    expected = torch.linalg.matrix_power(edges.to_dense(), 3)
    np.testing.assert_allclose(neighbourhood_power(edges, 3).toarray(), expected, atol=1e-6)


def test_distilling_from_itself_leaves_the_labels_loss_alone():
    scores, y = torch.randn(8, 3), torch.arange(8) % 3
    train, everyone = torch.arange(8) < 4, torch.ones(8, dtype=torch.bool)
    expected = torch.nn.functional.cross_entropy(scores[:4], y[:4])
    torch.testing.assert_close(distillation_loss(scores, scores, y, train, everyone), expected)


def test_the_distillation_loss_is_the_mean_divergence_per_node():
    scores, taught, y = torch.randn(5, 3), torch.randn(5, 3), torch.zeros(5, dtype=torch.long)
    mask = torch.ones(5, dtype=torch.bool)
    p, q = torch.softmax(taught, 1), torch.softmax(scores, 1)
    expected = torch.nn.functional.cross_entropy(scores, y) + (p * (p / q).log()).sum(1).mean()
    torch.testing.assert_close(distillation_loss(scores, taught, y, mask, mask), expected)


def test_isolated_nodes_are_tied_to_their_most_similar_connected_nodes():
    x = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9], [1.0, 0.05]])
    isolated = torch.tensor([False, False, False, False, True])
    edges = nearest_neighbour_edges(x, isolated, ~isolated, k=2)
    assert {tuple(pair) for pair in edges.T.tolist()} == {(4, 0), (4, 1), (0, 4), (1, 4)}
    assert nearest_neighbour_edges(x, ~isolated & isolated, ~isolated).shape == (2, 0)
