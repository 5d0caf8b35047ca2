"""The recursion, its warm starts and the encoder: what is learnt, and that equal seeds give equal results."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import sparse

from reprise.giant_xrt.bootstrap import first_head, ridge_head, svm_head
from reprise.giant_xrt.encoders import Encoder, LinearEncoder, encode
from reprise.giant_xrt.estimators import GiantFeaturizer
from reprise.giant_xrt.generators import rewired
from reprise.giant_xrt.input_checks import GiantInputError
from reprise.giant_xrt.pretraining import LINEAR_RECIPE, Recipe, _batches, warmup_then_decay
from reprise.giant_xrt.targets import level_targets
from reprise.giant_xrt.transformer import TransformerEncoder

SHORT = replace(LINEAR_RECIPE, epochs_per_level=8, batch_size=32)


def near_share(features, labels):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    return (labels[similarity.argmax(axis=1)] == labels).mean()


def fitted(blocks, graph=None, **options):
    model = GiantFeaturizer(recipe=replace(SHORT, **options), random_state=1)
    return model, model.fit_transform(blocks.texts, blocks.adjacency if graph is None else graph)


def test_planted_synonyms_are_learnt_from_links_and_not_from_rewired_ones(blocks):
    _, features = fitted(blocks)
    wrong = rewired(blocks.adjacency, np.random.default_rng(0))
    _, meaningless = fitted(blocks, wrong)
    assert near_share(features, blocks.labels) > 0.55 > 0.4 > near_share(meaningless, blocks.labels)


def test_equal_seeds_give_equal_features_bit_for_bit(blocks):
    assert (fitted(blocks)[1] == fitted(blocks)[1]).all()


@pytest.mark.parametrize(
    "options",
    [
        {"negatives": "tfn"},
        {"negatives": "man"},
        {"negatives": "tfn+man", "bootstrap": "linear"},
        {"negatives": "tfn+man", "bootstrap": "inherit"},
        {"negatives": "tfn+man", "bootstrap": "ridge", "schedule": "linear", "warmup": 5},
    ],
)
def test_every_shortlist_and_warm_start_trains(blocks, options):
    model, features = fitted(blocks, epochs_per_level=1, **options)
    assert np.isfinite(features).all()
    assert [one["clusters"] for one in model.model_.history_] == model.tree_.levels


def test_history_says_how_often_the_likeliest_cluster_holds_a_neighbour(blocks):
    model, _ = fitted(blocks)
    coarsest = model.model_.history_[0]
    counts = level_targets(blocks.adjacency, model.tree_)[0]
    commonest = 100 * float((counts.toarray() > 0).mean(axis=0).max())
    assert commonest < coarsest["precision@1"] <= 100
    scores = model.model_.predict_clusters(blocks.texts, 0, k=8)
    assert scores.shape == counts.shape


def test_gradients_are_clipped_where_the_recipe_says_whatever_the_schedule(blocks):
    plain, same, clipped = (
        fitted(blocks, epochs_per_level=1, clip_norm=norm)[1] for norm in (None, 1e9, 1e-12)
    )  # fmt: skip
    assert np.allclose(plain, same, atol=1e-5)
    assert np.abs(clipped - plain).max() > 1e-3


def test_the_loss_of_every_level_falls(blocks):
    short, _ = fitted(blocks, epochs_per_level=1)
    long, _ = fitted(blocks, epochs_per_level=10)
    pairs = zip(short.model_.history_, long.model_.history_, strict=True)
    assert all(after["loss"] < before["loss"] for before, after in pairs)


def test_the_finest_level_alone_gets_as_many_updates():
    recipe = replace(SHORT, epochs_per_level=3)
    assert recipe.steps(100) == 12
    assert Recipe().steps(100) == 2500


def test_bags_are_the_product_with_the_matrix():
    generator = np.random.default_rng(0)
    matrix = sparse.random_array((6, 9), density=0.4, rng=generator, format="csr").astype(np.float32)
    matrix[[2], :] = 0
    matrix.eliminate_zeros()
    encoder = LinearEncoder(4, generator=torch.Generator().manual_seed(0))
    texts = encoder.prepare_matrix(matrix)
    with torch.no_grad():
        encoder.shift.copy_(torch.arange(4.0) / 10)
    expected = np.tanh(matrix @ encoder.bag.detach().numpy() + np.arange(4) / 10)
    assert np.allclose(encode(encoder, texts, 4), expected, atol=1e-6)
    rows = np.array([5, 2, 2, 0])
    assert np.allclose(encoder(texts[rows]).detach().numpy(), expected[rows], atol=1e-6)
    assert isinstance(encoder, Encoder)
    assert all(hasattr(TransformerEncoder, name) for name in ("prepare", "forward"))


def test_the_ridge_head_is_the_ridge_regression_with_intercept():
    from sklearn.linear_model import Ridge

    generator = np.random.default_rng(0)
    embeddings = generator.normal(size=(40, 5)).astype(np.float32)
    counts = sparse.csr_array((generator.random((40, 3)) < 0.3).astype(np.float32))
    weights, biases = ridge_head(embeddings, counts, penalty=2.0)
    model = Ridge(alpha=2.0).fit(embeddings, np.where(counts.toarray() > 0, 1.0, -1.0))
    assert np.allclose(weights, model.coef_, atol=1e-4)
    assert np.allclose(biases, model.intercept_, atol=1e-4)


def test_support_vector_heads_separate_what_can_be_and_leave_the_rest():
    embeddings = np.array([[1.0, 0], [2, 0], [-1, 0], [-2, 0]], dtype=np.float32)
    counts = sparse.csr_array(np.array([[1, 0], [2, 0], [0, 0], [0, 0]], dtype=np.float32))
    drawn = torch.ones(2, 2)
    weights, biases = svm_head(embeddings, counts, None, np.zeros(2, dtype=int), drawn)
    scores = embeddings @ weights[0].numpy() + float(biases[0])
    assert (scores[:2] > 0.9).all()
    assert (scores[2:] < -0.9).all()
    assert weights[1].tolist() == [1, 1]


def test_an_inherited_head_is_the_parents():
    above = torch.nn.Linear(3, 2)
    counts = sparse.csr_array(np.ones((5, 4), dtype=np.float32))
    options = {"opened": None, "parents": np.array([0, 0, 1, 1]), "above": above, "generator": torch.Generator()}
    head = first_head("inherit", 3, counts, lambda: np.zeros((5, 3)), **options)
    assert torch.equal(head.weight, above.weight[[0, 0, 1, 1]])


def test_the_rate_warms_up_and_decays_to_zero():
    shares = [warmup_then_decay(step, 4, 20) for step in range(21)]
    assert shares[:5] == [0, 0.25, 0.5, 0.75, 1]
    assert shares[20] == 0
    assert shares[12] == pytest.approx(0.5)


def test_batches_are_shuffled_passes():
    found = _batches(10, 4, 6, np.random.default_rng(0))
    assert [len(one) for one in found] == [4, 4, 2, 4, 4, 2]
    assert sorted(np.concatenate(found[:3])) == list(range(10))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"negatives": "random"}, "negatives='random' is unknown; use one of 'tfn\\+man'"),
        ({"loss": "hinge"}, "loss='hinge' is unknown"),
        ({"bootstrap": "svm"}, "bootstrap='svm' is unknown; use one of 'linear', 'ridge'"),
    ],
)
def test_unknown_options_are_refused(options, message):
    with pytest.raises(GiantInputError, match=message):
        Recipe(**options)


def test_no_level_left_is_refused(blocks):
    with pytest.raises(GiantInputError, match="max_clusters=2 leaves no level: the coarsest has 8"):
        fitted(blocks, max_clusters=2)
