"""Rival features, downstream networks, ranker and neighbour measures against brute force and libraries."""

import numpy as np
import pytest
import torch
from scipy import sparse
from torch.nn import functional

from reprise.giant_xrt import downstream, neighbours
from reprise.giant_xrt.baselines import (
    closed_form_features,
    edge_index_of,
    link_prediction_features,
    mean_over_neighbours,
    propagated,
    ridge_fit,
    self_supervised_features,
)
from reprise.giant_xrt.data import Split
from reprise.giant_xrt.downstream import (
    Perceptron,
    Sage,
    propagation_scores,
    ridge_scores,
    scaled,
    trained_scores,
)
from reprise.giant_xrt.generators import without_edges
from reprise.giant_xrt.neighbours import (
    cosine_neighbours,
    held_out_hits,
    precision_at,
    precision_recall,
    ridge_neighbours,
    top_rows,
)
from reprise.giant_xrt.ranker import fit_ranker
from reprise.giant_xrt.reversible import Attention, Neighbourhoods, ReversibleAttention, sparse_tensor
from reprise.giant_xrt.tfidf import plain_words
from reprise.giant_xrt.trees import label_tree

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(30, 6))
DENSE = np.triu(GENERATOR.random((30, 30)) < 0.15, 1)
A = sparse.csr_array((DENSE | DENSE.T).astype(np.float32))


def test_means_over_neighbours_count_the_node_itself():
    found = mean_over_neighbours(A, X)
    for node in range(30):
        members = [node, *A.indices[A.indptr[node] : A.indptr[node + 1]]]
        assert np.allclose(found[node], X[members].mean(axis=0), atol=1e-5)


def test_propagation_is_pygs():
    from torch_geometric.nn import SGConv

    layer = SGConv(6, 6, K=3, bias=False)
    with torch.no_grad():
        layer.lin.weight.copy_(torch.eye(6))
        expected = layer(torch.from_numpy(X).float(), edge_index_of(A)).numpy()
    assert np.allclose(propagated(A, X)[3], expected, atol=1e-5)


@pytest.mark.parametrize("d", [10, 50])
def test_ridge_fits_agree_with_scikit_learn_in_both_forms(d):
    from sklearn.linear_model import Ridge

    matrix = sparse.random_array((30, d), density=0.3, rng=GENERATOR, format="csr")
    targets = sparse.csr_array(GENERATOR.integers(0, 3, (30, 4)).astype(float))
    expected = Ridge(alpha=2.0, fit_intercept=False).fit(matrix.toarray(), targets.toarray()).predict(matrix.toarray())
    assert np.allclose(ridge_fit(matrix, targets, 2.0), expected, atol=1e-6)


def test_no_encoder_of_the_same_rank_has_a_lower_regularised_error():
    matrix = sparse.random_array((40, 12), density=0.4, rng=GENERATOR, format="csr")
    targets = [sparse.csr_array(GENERATOR.integers(0, 2, (40, k)).astype(float)) for k in (3, 6)]
    penalty, rank = 1.5, 2
    features = closed_form_features(matrix, targets, dim=rank, penalty=penalty)
    stacked = np.hstack([one.toarray() for one in targets])
    wide = np.vstack([matrix.toarray(), np.sqrt(penalty) * np.eye(12)])
    wanted = np.vstack([stacked, np.zeros((12, 9))])
    coefficients = np.linalg.lstsq(wide, wanted, rcond=None)[0]
    _, _, directions = np.linalg.svd(wide @ coefficients)
    best = matrix.toarray() @ coefficients @ directions[:rank].T
    assert np.allclose(np.abs(features), np.abs(best), atol=1e-4)


def test_link_prediction_brings_linked_texts_together(blocks):
    matrix = plain_words().fit_transform(blocks.texts)
    found = link_prediction_features(matrix, blocks.adjacency, n_steps=80, learning_rate=2e-3, seed=0)
    again = link_prediction_features(matrix, blocks.adjacency, n_steps=80, learning_rate=2e-3, seed=0)
    assert (found == again).all()
    rows, columns = blocks.adjacency.tocoo().coords
    linked = (found[rows] * found[columns]).sum(axis=1).mean()
    others = (found[rows] * found[np.random.default_rng(0).permutation(columns)]).sum(axis=1).mean()
    assert linked > others + 0.1


def test_link_prediction_with_fewer_edges_than_a_batch_calls_no_negative_a_link(blocks, monkeypatch):
    few = without_edges(blocks.adjacency, 0.99, np.random.default_rng(0))[0]
    assert 0 < few.nnz // 2 < 128
    targets = []
    loss = functional.binary_cross_entropy_with_logits
    monkeypatch.setattr(
        functional,
        "binary_cross_entropy_with_logits",
        lambda logits, target: targets.append(target) or loss(logits, target),
    )
    matrix = plain_words().fit_transform(blocks.texts)
    link_prediction_features(matrix, few, n_steps=2, learning_rate=1e-3, seed=0)
    assert all(float(one.mean()) == 0.5 for one in targets)


@pytest.mark.parametrize("kind", ["DGI", "GAE"])
def test_graph_self_supervision_gives_finite_repeatable_features(blocks, kind):
    features = np.random.default_rng(0).normal(size=(400, 8))
    found = [self_supervised_features(kind, features, blocks.adjacency, seed=0, n_epochs=3, dim=4) for _ in range(2)]
    assert found[0].shape == (400, 4)
    assert np.isfinite(found[0]).all()
    assert (found[0] == found[1]).all()


# ---- downstream ------------------------------------------------------------------------------------------------------


def problem(n=200):
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 3, n)
    features = np.eye(3)[labels] @ generator.normal(size=(3, 8)) * 2 + generator.normal(size=(n, 8))
    same = labels[:, None] == labels[None, :]
    upper = np.triu(generator.random((n, n)) < np.where(same, 0.08, 0.005), 1)
    graph = sparse.csr_array((upper | upper.T).astype(np.float32))
    return features, labels, graph, Split(np.arange(60), np.arange(60, 120), np.arange(120, n))


@pytest.mark.parametrize("model", ["MLP", "GraphSAGE", "SGC", "SIGN", "RevGAT-like"])
def test_every_network_finds_planted_classes_and_repeats_itself(model):
    features, labels, graph, split = problem()
    found = trained_scores(model, features, labels, graph, split, seed=0)
    assert found.test > 75
    assert (trained_scores(model, features, labels, graph, split, seed=0).predicted == found.predicted).all()
    shuffled = np.random.default_rng(2).permutation(labels)
    assert trained_scores(model, features, shuffled, graph, split, seed=0).test < 60


def test_sparse_features_are_treated_as_dense_ones():
    features = np.maximum(problem()[0], 0)
    for scaling in ("columns", "rows"):
        dense, thin = scaled(features, scaling), scaled(sparse.csr_array(features), scaling).to_dense()
        gap = dense - thin
        assert torch.allclose(gap, gap[:1].expand_as(gap), atol=1e-5), "only columns may be shifted"


def test_graphsage_on_the_matrix_is_graphsage_on_the_edges():
    features, _, graph, _ = problem()
    x = torch.from_numpy(features).float()
    one, other = Sage(8, 3, sparse_tensor(graph)).eval(), Sage(8, 3, edge_index_of(graph)).eval()
    other.load_state_dict(one.state_dict())
    assert torch.allclose(one(x), other(x), atol=1e-5)


def reversible(features, labels, graph):
    torch.manual_seed(0)
    known = (torch.arange(20), torch.from_numpy(labels[:20]))
    return ReversibleAttention(features.shape[1], 3, graph, known, width=16), torch.from_numpy(features).float()


def test_reversible_layers_have_the_gradient_of_those_that_recompute():
    features, labels, graph, _ = problem(60)
    network, x = reversible(features, labels, graph)
    network.eval()
    network(x).square().sum().backward()
    kept = network.first.weight.grad.clone()
    network.zero_grad()
    for layer in network.layers:
        layer.disable = False
    network(x).square().sum().backward()
    assert torch.allclose(kept, network.first.weight.grad, rtol=1e-3, atol=1e-4)


def test_attention_with_equal_scores_is_the_graph_convolution():
    features, _, graph, _ = problem(40)
    attention = Attention(8).eval()
    with torch.no_grad():
        attention.source.weight.zero_()
        found = attention(torch.from_numpy(features).float(), Neighbourhoods(graph))
    with_self = graph.toarray() + np.eye(40)
    scale = 1 / np.sqrt(with_self.sum(axis=1))
    mapped = features @ attention.map.weight.detach().numpy().T
    assert np.allclose(found.numpy(), scale[:, None] * (with_self @ (scale[:, None] * mapped)), atol=1e-4)


def test_attention_weighs_neighbours_by_their_source_as_worked_out_node_by_node():
    features, _, graph, _ = problem(30)
    attention = Attention(8).eval()
    with torch.no_grad():
        found = attention(torch.from_numpy(features).float(), Neighbourhoods(graph)).numpy()
    mapped = features @ attention.map.weight.detach().numpy().T
    scores = mapped @ attention.source.weight.detach().numpy()[0]
    weights = np.exp(np.where(scores > 0, scores, 0.2 * scores))
    degree = np.diff(graph.indptr) + 1
    for node in range(30):
        members = [node, *graph.indices[graph.indptr[node] : graph.indptr[node + 1]]]
        share = weights[members] / weights[members].sum()
        expected = np.sqrt(degree[node]) * (share[:, None] * mapped[members] / np.sqrt(degree[members])[:, None]).sum(0)
        assert np.allclose(found[node], expected, atol=1e-4)


def test_dropped_edges_are_some_and_never_loops():
    graph = problem(80)[2]
    torch.manual_seed(0)
    around = Neighbourhoods(graph)
    kept = around.present(training=True).values()
    assert kept[around.is_loop].all()
    assert 0.55 < float(kept[~around.is_loop].mean()) < 0.85
    assert around.present(training=False).values().all()


def test_the_loss_of_a_reversible_network_is_that_of_hidden_labels(monkeypatch):
    features, labels, graph, _ = problem(60)
    network, x = reversible(features, labels, graph)
    seen = []
    monkeypatch.setattr(network, "_reusing", lambda x, rows, classes: seen.append(rows) or torch.eye(3)[labels] * 9.0)
    nodes = downstream._Nodes(
        x,
        *network.known,
    )
    loss = network.loss(nodes)
    assert 0 < len(seen[0]) < 20
    assert float(loss.detach()) == pytest.approx(float(np.log(1 + 2 * np.exp(-9.0))), rel=1e-3)


def test_an_mlp_has_the_papers_layers():
    from reprise.giant_xrt.downstream import ARXIV

    network = Perceptron(10, 4, ARXIV["MLP"])
    assert network.weight.shape == (10, 256)
    assert [layer.out_features for layer in network.further] == [256, 4]


def test_ridge_and_propagation_beat_chance():
    features, labels, graph, split = problem()
    assert ridge_scores(features, labels, split).test > 75
    assert propagation_scores(labels, graph, split).test > 70


# ---- neighbours ------------------------------------------------------------------------------------------------------


def test_the_best_of_each_row_are_found():
    weights = GENERATOR.normal(size=(6, 11))
    found = top_rows(X, weights, 3)
    for row in range(30):
        expected = sorted(np.argsort(-(X[row] @ weights))[:3])
        assert sorted(found[[row]].indices) == expected
    near = cosine_neighbours(X, 2)
    assert not near.diagonal().any()


def test_ridge_neighbours_are_the_ridge_regression_of_the_adjacency_matrix():
    from sklearn.linear_model import Ridge

    expected = Ridge(alpha=1.0, fit_intercept=False).fit(X, A.toarray()).coef_.T
    assert np.allclose(ridge_neighbours(X, A), expected, atol=1e-8)


def test_precision_and_recall_have_the_values_worked_out_by_hand():
    truth = sparse.csr_array(np.array([[0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]], dtype=float))
    predicted = sparse.csr_array(np.array([[0.1, 0.9, 0, 0.5], [0.3, 0, 0.8, 0], [1, 0, 0, 0]]))
    found = precision_recall(predicted, truth, (1, 2))
    assert found[1] == (50.0, 25.0)
    assert found[2] == (50.0, 75.0)


def test_precision_counts_what_is_true_among_the_highest_over_rows_with_a_true_one(monkeypatch):
    monkeypatch.setattr(neighbours, "ROWS_AT_A_TIME", 7)
    generator = np.random.default_rng(3)
    scores = generator.random((20, 6))
    truth = sparse.csr_array(np.where(generator.random((20, 6)) < 0.2, 2.0, 0))
    for k in (1, 3):
        rows = np.flatnonzero(truth.toarray().any(axis=1))
        hits = [(truth.toarray()[row][np.argsort(-scores[row])[:k]] > 0).mean() for row in rows]
        assert precision_at(scores, truth, k) == pytest.approx(100 * np.mean(hits))
    assert precision_at(scores, truth, 99) == pytest.approx(100 * (truth.toarray()[rows] > 0).mean())


def test_held_out_edges_are_ranked_among_unknown_ones():
    known = sparse.csr_array(np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], dtype=float))
    held_out = sparse.csr_array(np.array([[0, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], dtype=float))
    scores = np.array([[9.0, 8, 7, 1], [0, 0, 0, 0], [1, 2, 9, 0], [0, 0, 0, 0]])
    assert held_out_hits(lambda rows: scores[rows], known, held_out, 1) == (50.0, 50.0)
    assert held_out_hits(lambda rows: scores[rows], known, held_out, 2) == (50.0, 100.0)


def test_taken_edges_and_left_ones_are_all_edges_and_nobody_loses_the_last():
    left, taken = without_edges(A, 0.3, np.random.default_rng(0), spare_last=True)
    assert left.nnz // 2 + len(taken) == A.nnz // 2
    assert ((np.diff(left.indptr) == 0) == (np.diff(A.indptr) == 0)).all()


def test_the_ranker_finds_neighbours_of_texts_it_was_trained_on(blocks):
    matrix = sparse.csr_array(plain_words().fit_transform(blocks.texts))
    linked = np.flatnonzero(np.diff(blocks.adjacency.indptr))
    tree = label_tree(sparse.csr_array(blocks.adjacency @ matrix), depths=(2, 4))
    ranker = fit_ranker(matrix[linked], blocks.adjacency[linked], tree)
    precision = precision_recall(ranker.predict(matrix, 5), blocks.adjacency, (1,))[1][0]
    chance = 100 * blocks.adjacency.nnz / 400**2
    assert precision > 10 * chance
