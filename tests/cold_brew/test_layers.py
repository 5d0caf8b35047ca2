import pytest
import torch
from torch import nn
from torch_geometric.nn import GCNConv

from reprise.cold_brew.graph import Propagation
from reprise.cold_brew.layers import MLP, SEGCN, PartsLinear, SEConv
from reprise.cold_brew.sparse import SparseMatrix


def test_without_embeddings_the_convolution_is_the_librarys_gcn(small_graph):
    x = torch.randn(12, 5)
    ours, theirs = SEConv(5, 4), GCNConv(5, 4)
    theirs.lin.weight.data = ours.linear.weights[0].data.T.clone()
    ours.bias.data = theirs.bias.data = torch.randn(4)
    torch.testing.assert_close(ours(x, Propagation.from_edges(small_graph, 12)), theirs(x, small_graph))


def test_the_convolution_aggregates_features_plus_embeddings(small_graph):
    edges, x = Propagation.from_edges(small_graph, 12), torch.randn(12, 5)
    conv = SEConv(5, 4, 12)
    expected = edges.to_dense() @ (x @ conv.linear.weights[0] + conv.structural) + conv.bias
    torch.testing.assert_close(conv(x, edges), expected)


def test_the_codes_scaling_leaves_the_embedding_undivided_by_the_sources_degree(small_graph):
    edges, x = Propagation.from_edges(small_graph, 12), torch.randn(12, 5)
    conv = SEConv(5, 4, 12, se_scaling="code", bias=False)
    root = edges.degree.rsqrt()[:, None]
    adjacency = edges.to_dense() / root / root.T
    expected = root * (adjacency @ (root * (x @ conv.linear.weights[0]) + conv.structural))
    torch.testing.assert_close(conv(x, edges), expected, rtol=1e-4, atol=1e-5)


def test_two_connected_nodes_with_identity_weights_average():
    edges = Propagation.from_edges(torch.tensor([[0, 1], [1, 0]]), 2)
    conv = SEConv(2, 2, 2)
    conv.linear.weights[0].data = torch.eye(2)
    conv.structural.data = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    out = conv(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), edges)
    torch.testing.assert_close(out, torch.tensor([[1.0, 0.5], [1.0, 0.5]]))


def test_sparse_and_dense_features_give_the_same_states_and_gradients(small_graph):
    edges = Propagation.from_edges(small_graph, 12)
    x = torch.randn(12, 6) * (torch.rand(12, 6) < 0.5)
    model = SEGCN(6, 4, 3, num_nodes=12, dropout=0.0)
    gradients = []
    for features in (x, SparseMatrix.from_torch(x)):
        model.zero_grad()
        model(features, edges).square().sum().backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
    for dense, sparse in zip(*gradients, strict=True):
        torch.testing.assert_close(dense, sparse)


@pytest.mark.parametrize("norm", [None, "batch", "pair", "node", "mean", "group"])
@pytest.mark.parametrize("residual", [None, "residual", "initial", "jumping", "dense"])
def test_every_trick_runs_and_commutes_with_a_permutation_of_the_nodes(small_graph, norm, residual):
    torch.manual_seed(0)
    x, order = torch.randn(12, 5), torch.randperm(12)
    model = SEGCN(5, 20, 3, 4, 12, se="all", norm=norm, residual=residual).eval()
    plain = model(x, Propagation.from_edges(small_graph, 12))
    place = torch.argsort(order)
    for convolution in model.convolutions:
        convolution.structural.data = convolution.structural.data[order]
    permuted = model(x[order], Propagation.from_edges(place[small_graph], 12))
    torch.testing.assert_close(permuted, plain[order], rtol=1e-4, atol=1e-5)


def test_mixing_follows_its_formula(small_graph):
    edges, x = Propagation.from_edges(small_graph, 12), torch.randn(12, 5)
    for kind in ("initial", "residual"):
        model = SEGCN(5, 4, 4, 4, se="none", residual=kind, residual_share=0.3).eval()
        first, second, third, last = model.convolutions
        h1 = torch.relu(first(x, edges))
        h2 = 0.7 * torch.relu(second(h1, edges)) + 0.3 * h1
        h3 = 0.7 * torch.relu(third(h2, edges)) + 0.3 * (h1 if kind == "initial" else h2)
        torch.testing.assert_close(model(x, edges), last(h3, edges))


def test_sixty_four_layers_run_with_embeddings_in_each(small_graph):
    model = SEGCN(5, 4, 3, 64, 12, se="all")
    assert sum(c.structural is not None for c in model.convolutions) == 64
    assert torch.isfinite(model(torch.randn(12, 5), Propagation.from_edges(small_graph, 12))).all()


def test_the_states_are_those_of_the_formula(small_graph):
    edges, x = Propagation.from_edges(small_graph, 12), torch.randn(12, 5)
    model = SEGCN(5, 4, 3, num_nodes=12).eval()
    states = model.states(x, edges)
    torch.testing.assert_close(states.after[0], edges @ states.before[0] + model.convolutions[0].bias)
    torch.testing.assert_close(states.hidden, torch.relu(states.after[0]))
    torch.testing.assert_close(states.output, model(x, edges))


def test_the_penalty_is_the_mean_square_of_all_embeddings():
    model = SEGCN(5, 4, 3, num_nodes=12, se="all")
    squares = torch.cat([c.structural.flatten() for c in model.convolutions]).square()
    torch.testing.assert_close(model.structural_penalty(), squares.mean())
    assert SEGCN(5, 4, 3, se="none").structural_penalty() == 0


def test_another_number_of_nodes_is_refused_in_words(small_graph):
    model = SEGCN(5, 4, 3, num_nodes=12)
    with pytest.raises(ValueError, match="SE-GNN is transductive: built for N=12, got M=13; use the student"):
        model(torch.randn(13, 5), Propagation.from_edges(small_graph, 13))


def test_another_width_is_refused_with_both_widths(small_graph):
    with pytest.raises(ValueError, match="width 6; this model was built for width 5"):
        SEGCN(5, 4, 3, se="none")(torch.randn(12, 6), Propagation.from_edges(small_graph, 12))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_layers": 0}, "num_layers=0"),
        ({"se": "all"}, "needs num_nodes"),
        ({"se": "none", "norm": "x"}, "norm='x'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SEGCN(5, 4, 3, **options)


def test_parts_count_as_concatenated():
    parts = [torch.randn(4, 2), torch.randn(4, 3)]
    layer = PartsLinear([2, 3], 6)
    whole = torch.cat(list(layer.weights))
    torch.testing.assert_close(layer(*parts), torch.cat(parts, 1) @ whole + layer.bias)


def test_the_mlp_is_linear_norm_gelu_linear():
    model, x = MLP(5, [8, 6], 3).eval(), torch.randn(4, 5)
    h = nn.functional.gelu(model.norms[0](model.first(x)))
    h = nn.functional.gelu(model.norms[1](model.middle[0](h)))
    torch.testing.assert_close(model(x), model.last(h))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_channels": 0}, "hidden_channels=0"),
        ({"num_layers": 0}, "num_layers=0"),
        ({"num_layers": 2.0}, "num_layers=2.0"),
        ({"se": "last"}, "se='last' is unknown; use 'none', 'first' or 'all'"),
        ({"norm": "layer"}, "norm='layer' is unknown"),
        ({"residual": "skip"}, "residual='skip' is unknown"),
        ({"residual_share": 1.5}, "residual_share=1.5"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"input_dropout": -0.5}, "input_dropout=-0.5"),
        ({"se_scaling": "none"}, "se_scaling='none'"),
        ({"se_std": -1.0}, "se_std=-1.0"),
        ({"se": "all", "num_nodes": None}, "se='all' needs num_nodes"),
    ],
)
def test_options_of_a_network_are_checked_by_name(options, message):
    chosen = {"in_channels": 3, "hidden_channels": 4, "out_channels": 2, "num_nodes": 5, **options}
    with pytest.raises(ValueError, match=message):
        SEGCN(**chosen)


def test_features_of_another_number_of_nodes_than_the_graphs_are_refused_with_both(small_graph):
    model = SEGCN(3, 4, 2, se="none")
    with pytest.raises(ValueError, match="x has 7 rows, but the graph has 12 nodes"):
        model(torch.randn(7, 3), Propagation.from_edges(small_graph, 12))


def test_an_mlp_without_a_hidden_block_is_refused():
    with pytest.raises(ValueError, match="hidden_channels is empty"):
        MLP(3, [], 2)
    with pytest.raises(ValueError, match="dropout=1"):
        MLP(3, [4], 2, dropout=1.0)
