"""The library on a reader's own data: shapes, new texts, saving, PyG, and every bad input with its message."""

import logging

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from torch_geometric.data import Data

from reprise.giant_xrt import GiantFeaturizer, GiantInputError, NeighborhoodXMC, TfidfText
from reprise.giant_xrt.input_checks import check_adjacency, check_instances, check_texts


@pytest.fixture(scope="module")
def model(blocks):
    return GiantFeaturizer(random_state=0).fit(blocks.texts, blocks.adjacency)


def test_training_texts_and_new_ones_are_encoded_alike(model, blocks):
    features = model.model_.embeddings_
    assert features.shape == (400, 128)
    assert features.dtype == np.float32
    assert np.allclose(model.transform(blocks.texts[:5]), features[:5], atol=1e-6)


def test_clusters_and_neighbours_are_predicted(model, blocks):
    clusters = model.model_.predict_clusters(blocks.texts[:6], level=1, k=3)
    assert clusters.shape == (6, model.tree_.levels[1])
    assert np.diff(clusters.indptr).max() <= 3
    neighbours = model.model_.predict_neighbors(blocks.texts, k=5)
    assert neighbours.shape == (400, 400)
    rows, columns = neighbours.tocoo().coords
    assert (blocks.labels[rows] == blocks.labels[columns]).mean() > 0.4
    with pytest.raises(GiantInputError, match="level=9 is none of the"):
        model.model_.predict_clusters(blocks.texts[:1], level=9)


def test_saving_and_loading_changes_nothing(model, blocks, tmp_path):
    model.model_.save(tmp_path / "model")
    other = NeighborhoodXMC.load(tmp_path / "model")
    assert np.allclose(other.encode(blocks.texts[:9]), model.transform(blocks.texts[:9]))
    ours, theirs = (one.predict_clusters(blocks.texts[:9], 1) for one in (model.model_, other))
    assert np.allclose(ours.toarray(), theirs.toarray())
    assert (other.predict_neighbors(blocks.texts[:3]) != model.model_.predict_neighbors(blocks.texts[:3])).nnz == 0


def test_it_is_a_transform_of_pyg_and_a_scikit_learn_estimator(blocks):
    edges = torch.from_numpy(np.stack(blocks.adjacency.tocoo().coords).astype(np.int64))
    data = Data(edge_index=edges, text=list(blocks.texts), num_nodes=400)
    transform = GiantFeaturizer(random_state=0, dim=16)
    found = transform(data)
    assert found.x.shape == (400, 16)
    assert not hasattr(data, "x") or data.x is None
    assert clone(transform).get_params()["dim"] == 16


def test_permuting_nodes_permutes_what_the_tree_sees(blocks):
    order = np.random.default_rng(0).permutation(400)
    from reprise.giant_xrt import pifa

    tfidf = TfidfText(ngrams=((1, 1, "word"),)).fit_transform(blocks.texts)
    plain = pifa(blocks.adjacency, tfidf).toarray()
    moved = pifa(blocks.adjacency[order][:, order], tfidf[order]).toarray()
    assert np.allclose(plain[order], moved, atol=1e-6)


def test_label_vectors_of_the_paper_can_be_asked_for(blocks):
    found = GiantFeaturizer(paper_tfidf=True, dim=8, random_state=0, max_leaf=50, min_codes=4)
    assert found.fit_transform(blocks.texts, blocks.adjacency).shape == (400, 8)
    assert found.tree_.levels == [4, 16] or found.tree_.levels[0] <= 4


# ---- bad input -------------------------------------------------------------------------------------------------------


def refused(message, *arguments, **options):
    with pytest.raises(GiantInputError, match=message):
        GiantFeaturizer(**options).fit_transform(*arguments)


def test_texts_that_do_not_fit_are_refused(blocks):
    refused("texts has 399 entries but adjacency is 400 x 400", blocks.texts[:-1], blocks.adjacency)
    refused("texts has 2 empty entries, first at 0, 3", ["", "b", "c", " "], np.ones((4, 4)))
    refused("texts\\[1\\] is 7; every text must be a string", ["a", 7, "c"], np.ones((3, 3)))
    with pytest.raises(GiantInputError, match="texts is one string"):
        check_texts("abc")
    assert check_texts(["a", None], on_empty="keep") == ["a", ""]


@pytest.mark.parametrize(
    ("adjacency", "message"),
    [
        (np.ones((3, 4)), "shape \\(3, 4\\); it must be square"),
        (np.array([[0, -1.0], [1, 0]]), "adjacency\\[0, 1\\] is -1"),
        (np.array([[0, np.nan], [1, 0]]), "adjacency\\[0, 1\\] is nan"),
        (np.array([[0, np.inf], [1, 0]]), "adjacency\\[0, 1\\] is inf"),
    ],
)
def test_unusable_adjacency_is_refused_by_its_first_entry(adjacency, message):
    with pytest.raises(GiantInputError, match=message):
        check_adjacency(adjacency)


def test_edges_to_nodes_that_do_not_exist_are_refused():
    edges = np.array([[0, 1, 5], [1, 2, 0]])
    with pytest.raises(GiantInputError, match="edge_index\\[:, 2\\] is \\(5, 0\\), but there are 4 nodes"):
        check_adjacency(edges, 4)
    with pytest.raises(GiantInputError, match="edge_index has the type float64"):
        check_adjacency(edges.astype(float), 6)
    assert check_adjacency(edges, 6).nnz == 6


def test_directed_graphs_are_made_symmetric_with_a_count_or_refused(caplog):
    directed = np.array([[1.0, 2, 0], [0, 0, 3], [0, 0, 0]])
    with caplog.at_level(logging.INFO, logger="reprise.giant_xrt"):
        found = check_adjacency(directed)
    assert found.toarray().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert "1 self-loops removed" in caplog.text
    assert "2 reverse edges added" in caplog.text
    with pytest.raises(GiantInputError, match="adjacency is directed: 2 edges lack their reverse"):
        check_adjacency(directed, directed="error")


def test_graphs_without_anything_to_learn_are_refused():
    with pytest.raises(GiantInputError, match="adjacency has no edges"):
        check_instances(sparse.csr_array((3, 3)), 1000)
    full = sparse.csr_array(np.ones((4, 4)) - np.eye(4))
    with pytest.raises(GiantInputError, match="max_degree = 3 or more \\(the largest degree is 3\\); raise max_degree"):
        check_instances(full, 3)


def test_hubs_are_no_instances_but_stay_labels_and_are_encoded(blocks):
    star = blocks.adjacency.tolil()
    star[0, :] = 1
    star[:, 0] = 1
    graph = check_adjacency(star.tocsr())
    assert 0 not in check_instances(graph, 399)
    assert GiantFeaturizer(max_degree=399, random_state=0).fit_transform(blocks.texts, graph).shape == (400, 128)


def test_labels_unknown_names_and_unfitted_models_are_refused(blocks):
    refused("class labels were passed to fit", blocks.texts, blocks.adjacency, blocks.labels)
    refused("tree='metis' is unknown", blocks.texts, blocks.adjacency, tree="metis")
    with pytest.raises(GiantInputError, match="not fitted"):
        GiantFeaturizer().transform(["a"])
    with pytest.raises(GiantInputError, match="option='learning_rate' is unknown"):
        NeighborhoodXMC(None, None, learning_rate=1)


def test_an_encoder_that_is_not_there_is_named(blocks, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    refused(
        "encoder '/nowhere/bert' is neither a local path nor cached",
        blocks.texts,
        blocks.adjacency,
        encoder="/nowhere/bert",
    )


def test_the_papers_words_keep_case_and_punctuation():
    model = TfidfText(ngrams=((1, 1, "word"),), max_df=1.0)
    found = model.fit_transform(["Graph graph, graph", "graph node"])
    assert sorted(model.vectorizers_[0].vocabulary_) == ["Graph", "graph", "graph,", "node"]
    assert model.idf_[0].tolist() == pytest.approx([0.0, 0.0, 0.0, 0.0])
    assert found.shape == (2, 4)


def test_tfidf_has_rows_of_length_one_and_the_released_idf():
    texts = ["a b", "a c", "a d", "e f"]
    model = TfidfText(max_df=1.0)
    found = model.fit_transform(texts)
    assert np.allclose(np.sqrt(found.power(2).sum(axis=1)), 1)
    places = model.vectorizers_[0].vocabulary_
    assert model.idf_[0][places["b"]] == pytest.approx(np.log(2))
    assert model.idf_[0][places["a"]] == pytest.approx(0)
    assert np.allclose(model.transform(texts).toarray(), found.toarray())
