"""Slips of somebody who tries the library: each is refused before any work, with argument, value and remedy."""

import time

import numpy as np
import pytest
import torch
from scipy import sparse
from torch_geometric.data import Data

from reprise.giant_xrt import (
    GiantFeaturizer,
    GiantInputError,
    LinearEncoder,
    NeighborhoodXMC,
    Recipe,
    TfidfText,
    label_tree,
    pifa,
)
from reprise.giant_xrt.input_checks import check_adjacency, check_number
from reprise.giant_xrt.label_vectors import tree_vectors
from reprise.giant_xrt.transformer import check_encoder_name


def refused(message, call, *arguments, **options):
    with pytest.raises(GiantInputError, match=message):
        call(*arguments, **options)


def refused_fit(message, texts, adjacency, **options):
    model = GiantFeaturizer(**options)
    refused(message, model.fit_transform, texts, adjacency)
    assert not hasattr(model, "tree_"), "work had begun"


def edges_of(graph):
    return np.stack(graph.tocoo().coords)


# ---- label vectors and trees -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize(("value", "named"), [(np.nan, "nan"), (np.inf, "inf")])
def test_label_vectors_that_are_no_numbers_make_no_tree(kind, value, named):
    z = np.eye(16)
    z[3, 3] = value
    refused(f"Z\\[3, 3\\] is {named}; entries must be finite", label_tree, kind(z), depths=(1, 2))


def test_what_is_no_matrix_is_refused_and_lists_of_numbers_are_one():
    refused("Z has the shape \\(16,\\); it must have two dimensions, a row for each label", label_tree, np.ones(16))
    refused("Z has entries of the type .*; give numbers, one row for each label", label_tree, [["a"], ["b"]])
    refused("Z is no matrix", label_tree, [[1.0, 2.0], [1.0]])
    assert label_tree(np.eye(16).tolist(), depths=(1, 2)).levels == [2, 4]


@pytest.mark.parametrize("depths", [(1.5, 2.7), (), (0, 1), (2, 2), "12", 3])
def test_depths_that_no_tree_has_are_refused(depths):
    refused("depths=.* must be rising whole numbers from 1 on", label_tree, np.eye(16), depths=depths)


def test_targets_of_pifa_are_counts():
    y, x = np.array([[0, 1], [1, -2.0]]), np.eye(2)
    refused("Y\\[1, 1\\] is -2; entries must be finite and not negative", pifa, y, x)
    refused("Y\\[1, 1\\] is -2", pifa, sparse.csr_array(y), x)
    refused("X\\[0, 0\\] is nan; entries must be finite", pifa, abs(y), np.diag([np.nan, 1]))
    refused("Y has the shape \\(2,\\)", pifa, y[0], x)
    assert np.allclose(pifa([[0, 1], [1, 0]], [[1, 0], [0, 1]]), [[0, 1], [1, 0]])


def test_vectors_for_the_tree_have_length_one_and_those_of_isolated_labels_none():
    wide = sparse.csr_array(np.vstack([np.random.default_rng(0).random((30, 20)), np.zeros((1, 20))]))
    lengths = np.linalg.norm(tree_vectors(wide, 4, 0), axis=1)
    assert np.allclose(lengths[:-1], 1, atol=1e-6)
    assert lengths[-1] < 1e-6 or np.isclose(lengths[-1], 1)


# ---- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"nr_splits": 3}, "nr_splits=3 is no power of two above 1"),
        ({"min_codes": 33}, "min_codes=33 is no power of two above 1"),
        ({"min_codes": 2.5}, "min_codes=2.5 must be a whole number of at least 2"),
        ({"max_leaf": 0}, "max_leaf=0 must be a whole number of at least 1"),
        ({"max_leaf": 9, "depths": (1, 2)}, "depths=\\(1, 2\\) and max_leaf=9 exclude each other"),
        ({"depths": (9,)}, "a tree of depth 9 has 512 leaves but there are 400 labels; use a depth from 1 to 8"),
        ({"dim": 0}, "dim=0 must be a whole number of at least 1"),
        ({"max_degree": -1}, "max_degree=-1 must be a whole number of at least 1"),
        ({"random_state": -1}, "random_state=-1 must be a whole number of at least 0"),
        ({"recipe": {"lr": 1}}, "recipe=.* must be a Recipe, such as Recipe"),
        ({"encoder": "Linear"}, "encoder='Linear' is unknown; did you mean 'linear'"),
        ({"encoder": "mini-lm"}, "encoder='mini-lm' is unknown; did you mean 'minilm'"),
        ({"encoder": 7}, "encoder=7 is no encoder; pass 'linear', 'minilm', or a name or path"),
    ],
)
def test_options_of_the_featurizer_are_checked_before_any_work(blocks, options, message):
    refused_fit(message, blocks.texts, blocks.adjacency, **options)


def test_options_that_merge_levels_are_not_ignored(blocks):
    model = GiantFeaturizer(nr_splits=2, min_codes=4, max_leaf=25, random_state=0, dim=8)
    model.fit(blocks.texts, blocks.adjacency)
    assert model.tree_.levels == [4, 8, 16]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": 0.0}, "lr=0.0 must be a number above 0"),
        ({"head_lr": -3}, "head_lr=-3 must be a number above 0"),
        ({"clip_norm": 0}, "clip_norm=0 must be a number above 0"),
        ({"lr": "fast"}, "lr='fast' must be a number above 0"),
        ({"lr": float("nan")}, "lr=nan must be a number above 0"),
        ({"warmup": -3}, "warmup=-3 must be a whole number of at least 0"),
        ({"epochs_per_level": 0}, "epochs_per_level=0 must be a whole number of at least 1"),
        ({"steps_per_level": 2.5}, "steps_per_level=2.5 must be a whole number of at least 1"),
        ({"batch_size": True}, "batch_size=True must be a whole number"),
    ],
)
def test_ranges_of_the_recipe_are_checked(options, message):
    refused(message, Recipe, **options)


def test_numbers_may_come_from_numpy():
    check_number("k", np.int64(3), least=3, whole=True)
    check_number("x", np.float32(0.5), above=0)


# ---- encoders --------------------------------------------------------------------------------------------------------


def test_an_encoder_that_nobody_has_is_refused_soon_and_before_tfidf(blocks, monkeypatch):
    pytest.importorskip("transformers")
    from reprise.giant_xrt import transformer

    asked = []
    monkeypatch.setattr(transformer, "_can_be_downloaded", lambda name: asked.append(name) is not None)
    monkeypatch.setattr(GiantFeaturizer, "_label_features", lambda *_: pytest.fail("work had begun"))
    started = time.process_time()
    refused_fit(
        "encoder 'no-such/encoder' is neither a local path nor cached", blocks.texts, blocks.adjacency,
        encoder="no-such/encoder",
    )  # fmt: skip
    assert asked == ["no-such/encoder"]
    assert time.process_time() - started < 30


def test_paths_are_not_looked_for_on_the_network(monkeypatch):
    from reprise.giant_xrt import transformer

    monkeypatch.setattr(transformer.urllib.request, "urlopen", lambda *_, **__: pytest.fail("asked the network"))
    assert not transformer._can_be_downloaded("/nowhere/bert")
    assert not transformer._can_be_downloaded("../bert")


def test_a_network_that_does_not_answer_is_no_encoder(monkeypatch):
    from reprise.giant_xrt import transformer

    def fails(*_, **__):
        raise TimeoutError("timed out")

    monkeypatch.setattr(transformer.urllib.request, "urlopen", fails)
    assert not transformer._can_be_downloaded("bert-base-uncased")


def test_names_of_other_encoders_pass_the_check_of_slips():
    for name in ("linear", "minilm", "bert-base-uncased", "sentence-transformers/all-MiniLM-L6-v2"):
        check_encoder_name(name)
    refused("encoder=' ' is no encoder", check_encoder_name, " ")


def test_the_fine_tuning_alone_asks_for_an_encoder_and_a_tree():
    tree = label_tree(np.eye(8), depths=(1,))
    refused("encoder='linear' is no encoder; pass a LinearEncoder", NeighborhoodXMC, "linear", tree)
    refused("tree is a ndarray; make it with label_tree", NeighborhoodXMC, LinearEncoder(), np.eye(8))
    model = NeighborhoodXMC(LinearEncoder(), tree)
    refused("texts has 1 empty entries, first at 2", model.fit, ["a b", "b", " "], np.ones((3, 3)))
    refused("tree has 8 labels but there are 3 nodes", model.fit, ["a b", "b", "c"], np.ones((3, 3)))


# ---- texts -----------------------------------------------------------------------------------------------------------


def test_texts_without_common_words_are_refused_in_our_words():
    ring = np.roll(np.eye(8), 1, axis=1)
    lonely = [f"word{place}" for place in range(8)]
    message = "texts, 8 of them, have no terms that can be used .*: give longer texts, or pass encoder='minilm'"
    refused(message, GiantFeaturizer(depths=(1,)).fit_transform, lonely, ring)
    refused(message, GiantFeaturizer(depths=(1,)).fit_transform, ["a", "b"] * 4, ring)


def test_options_of_the_papers_tfidf_are_checked():
    texts = ["a b", "a b"]
    refused("texts, 2 of them, have no terms .*raise max_df=0.98", TfidfText().fit_transform, texts)
    refused("this TfidfText is not fitted; call fit_transform", TfidfText().transform, texts)
    refused("max_features=\\(5,\\) must have a number for each of the 3", TfidfText(max_features=(5,)).fit, texts)
    refused("max_df=2 must be a share of the texts, at most 1", TfidfText(max_df=2).fit, texts)
    refused("analyser of ngrams='words' is unknown", TfidfText(ngrams=((1, 1, "words"),)).fit, texts)
    refused("n of ngrams=1 must be a whole number of at least 2", TfidfText(ngrams=((2, 1, "word"),)).fit, texts)


# ---- graphs ----------------------------------------------------------------------------------------------------------


def test_texts_and_edges_must_name_the_same_nodes(blocks):
    edges = np.array([[0, 1, 2], [1, 2, 0]])
    texts = [f"shared word{place}" for place in range(5)]
    refused_fit("texts has 5 entries but edge_index names nodes up to 2 only; drop the texts behind", texts, edges)
    refused_fit("texts has 2 entries but edge_index names node 2", texts[:2], edges)
    refused_fit("texts has 2 entries but edge_index names node 2", texts[:2], torch.from_numpy(edges))


def test_other_forms_of_a_graph_are_named_with_what_to_pass(blocks):
    networkx = pytest.importorskip("networkx")
    refused("adjacency is a Graph; pass networkx.to_scipy_sparse_array", check_adjacency, networkx.path_graph(4))
    refused("shape \\(3, 2\\); .*a list of edges must be transposed", check_adjacency, [[0, 1], [1, 2], [2, 0]])
    refused("adjacency has the type <U1; its entries must be numbers", check_adjacency, [["a", "b"], ["c", "d"]])
    refused("sparse_coo tensor; pass its indices", check_adjacency, torch.eye(3).to_sparse())


def test_data_of_pyg_need_texts_one_a_node(blocks):
    edges = torch.from_numpy(edges_of(blocks.adjacency).astype(np.int64))
    transform = GiantFeaturizer(random_state=0, dim=8)
    refused("data has no text; set data.text, one string a node", transform, Data(edge_index=edges))
    refused("data has no edge_index; set data.edge_index", transform, Data(text=list(blocks.texts)))
    short = Data(edge_index=edges, text=list(blocks.texts[:9]), num_nodes=400)
    refused("data.text has 9 entries but data has 400 nodes", transform, short)


def test_isolated_last_nodes_of_pyg_data_are_no_slip(blocks):
    edges = torch.from_numpy(edges_of(blocks.adjacency).astype(np.int64))
    data = Data(edge_index=edges, text=[*blocks.texts, blocks.texts[0]], num_nodes=401)
    assert GiantFeaturizer(random_state=0, dim=8)(data).x.shape == (401, 8)
