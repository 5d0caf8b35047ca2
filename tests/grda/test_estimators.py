import networkx
import numpy as np
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from reprise.grda import baselines
from reprise.grda.estimators import GRDAClassifier, GRDARegressor
from reprise.grda.graphs import chain_graph, clique_graph, empty_graph

CHAIN = chain_graph(4)
GENERATOR = np.random.default_rng(0)
DOMAIN = np.repeat(np.arange(4), 20)
X = GENERATOR.normal(size=(80, 3)) + DOMAIN[:, None]
TRUTH = (X[:, 0] > DOMAIN).astype(int)
Y = np.where(DOMAIN < 2, TRUTH, -1)
QUICK = {"n_steps": 15, "hidden_width": 16, "random_state": 0}


def fitted(adjacency=CHAIN, X=X, y=Y, domain=DOMAIN, **options):
    return GRDAClassifier(adjacency, **{**QUICK, **options}).fit(X, y, sample_domain=domain)


CLASSIFIERS = [
    GRDAClassifier,
    baselines.SourceOnlyClassifier,
    baselines.DANNClassifier,
    baselines.CDANNClassifier,
    baselines.ADDAClassifier,
    baselines.MDDClassifier,
]
REGRESSORS = [
    GRDARegressor,
    baselines.SourceOnlyRegressor,
    baselines.DANNRegressor,
    baselines.CDANNRegressor,
    baselines.ADDARegressor,
    baselines.MDDRegressor,
]


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_classifier_predicts_classes_probabilities_and_encodings(kind):
    model = kind(CHAIN, **QUICK).fit(X, Y, sample_domain=DOMAIN)
    probabilities = model.predict_proba(X, sample_domain=DOMAIN)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    assert np.array_equal(model.predict(X, sample_domain=DOMAIN), model.classes_[probabilities.argmax(1)])
    assert model.transform(X, sample_domain=DOMAIN).shape == (80, 16)
    assert model.domain_embedding_.shape == (4, 2)
    assert model.history_["prediction_loss"].shape == model.discriminator_loss_ratio_.shape == (15,)
    assert 0 <= model.score(X, TRUTH, sample_domain=DOMAIN) <= 1


@pytest.mark.parametrize("kind", REGRESSORS)
@pytest.mark.parametrize("n_targets", [None, 2])
def test_a_regressor_returns_targets_as_it_was_given(kind, n_targets):
    targets = 100 + 5 * X[:, 0] if n_targets is None else np.column_stack((X[:, 0], 1000 * X[:, 1]))
    y = targets.copy()
    y[DOMAIN >= 2] = np.nan
    model = kind(CHAIN, **{**QUICK, "n_steps": 150}).fit(X, y, sample_domain=DOMAIN)
    predictions = model.predict(X, sample_domain=DOMAIN)
    assert predictions.shape == targets.shape
    seen = DOMAIN < 2
    assert model.score(X[seen], targets[seen], sample_domain=DOMAIN[seen]) > 0.5


def test_the_estimator_follows_scikit_learns_conventions():
    model = GRDAClassifier(CHAIN, hidden_width=8)
    copy = clone(model).set_params(adversarial_weight=0.1)
    assert copy.get_params()["hidden_width"] == 8
    assert copy.adversarial_weight == 0.1
    with pytest.raises(NotFittedError):
        model.predict(X, sample_domain=DOMAIN)


def test_labels_need_not_count_from_zero_and_nan_means_unlabelled():
    y = np.where(DOMAIN < 2, np.where(TRUTH == 1, 7.0, 3.0), np.nan)
    assert set(fitted(y=y).predict(X, sample_domain=DOMAIN)) <= {3.0, 7.0}


def test_all_forms_of_the_graph_give_the_same_fit():
    edges = torch.from_numpy(np.stack(np.nonzero(CHAIN)))
    forms = (CHAIN, CHAIN.tolist(), scipy.sparse.csr_array(CHAIN), networkx.path_graph(4), edges)
    first, *others = (fitted(form).predict_proba(X, sample_domain=DOMAIN) for form in forms)
    assert all(np.array_equal(first, other) for other in others)


def test_a_seed_repeats_and_no_seed_does_not():
    one, two = (fitted().predict_proba(X, sample_domain=DOMAIN) for _ in range(2))
    assert np.array_equal(one, two)
    other = fitted(random_state=None).predict_proba(X, sample_domain=DOMAIN)
    assert not np.array_equal(one, other)


def test_an_embedding_of_ones_own_is_used_and_scaled():
    z = np.arange(8.0).reshape(4, 2)
    assert np.array_equal(fitted(embedding=z).domain_embedding_, z)
    np.testing.assert_allclose(fitted(embedding=z, embedding_scale=0.3).domain_embedding_.std(0), 0.3)


def with_entry(value, *place):
    graph = CHAIN.astype(float)
    graph[place] = value
    return graph


def symmetric(value):
    graph = with_entry(value, 0, 1)
    graph[1, 0] = value
    return graph


BAD_GRAPHS = {
    "not square": (CHAIN[:3].astype(float), "square"),
    "not symmetric": (with_entry(1, 0, 3), "not symmetric"),
    "NaN": (symmetric(np.nan), "NaN"),
    "weighted": (symmetric(0.5), "weighted graphs are not supported"),
    "self-loop": (with_entry(1, 2, 2), "A_ii"),
    "another number of domains": (chain_graph(5), "5 nodes, but there are 4 domains"),
    "complete": (clique_graph(4), "no non-edges to weigh"),
    "empty": (empty_graph(4), "no edges to weigh"),
}


@pytest.mark.parametrize("name", BAD_GRAPHS)
def test_a_bad_graph_is_refused_with_a_remedy(name):
    graph, message = BAD_GRAPHS[name]
    with pytest.raises(ValueError, match=message):
        fitted(graph)


def test_a_complete_graph_is_fine_where_nothing_is_missing():
    fitted(clique_graph(4), self_pairs="nonedge")
    fitted(clique_graph(4), balance=False)
    baselines.DANNClassifier(clique_graph(4), **QUICK).fit(X, Y, sample_domain=DOMAIN)


BAD_OPTIONS = {
    "adversarial_weight": (-0.1, "negative"),
    "n_sampled_domains": (1, "between 2 and the number of domains, 4"),
    "n_steps": (0, "below 1"),
    "batch_per_domain": (0, "below 1"),
    "hidden_width": (0, "below 1"),
    "embedding_width": (0, "below 1"),
    "discriminator_width": (0, "below 1"),
    "learning_rate": (0, "must be positive"),
    "half_life_steps": (0, "must be positive"),
    "pairing": ("rows", "use one of independent, row, crossed"),
    "self_pairs": ("edge", "use 'exclude' or 'nonedge'"),
    "embedding": (np.zeros((3, 2)), r"\(4, k\)"),
    "random_state": (-1, "not an integer >= 0"),
    "device": ("gpu", "use 'auto'"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_a_bad_option_is_refused_by_its_name(name):
    value, message = BAD_OPTIONS[name]
    with pytest.raises(ValueError, match=message):
        fitted(**{name: value})


def test_five_sampled_of_four_domains_are_refused():
    with pytest.raises(ValueError, match="n_sampled_domains=5"):
        fitted(n_sampled_domains=5)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_is_refused_where_there_is_none():
    with pytest.raises(ValueError, match="'cuda' was asked for"):
        fitted(device="cuda")


def test_rows_that_are_not_finite_are_refused():
    bad = X.copy()
    bad[7, 1] = np.inf
    with pytest.raises(ValueError, match="NaN or infinity in 1 rows, first 7"):
        fitted(X=bad)
    with pytest.raises(ValueError, match="rows of features"):
        fitted(X=X[:, 0])


def test_a_domain_without_rows_is_refused():
    with pytest.raises(ValueError, match="domain 2 has no rows"):
        fitted(domain=np.where(DOMAIN == 2, 3, DOMAIN))


def test_labels_are_needed_and_of_two_classes():
    with pytest.raises(ValueError, match="no labelled row"):
        fitted(y=np.full(80, -1))
    with pytest.raises(ValueError, match="only the class 1"):
        fitted(y=np.where(DOMAIN < 2, 1, -1))
    with pytest.raises(ValueError, match="one number for each row"):
        fitted(y=Y[:-1])


def test_a_regressor_needs_finite_targets():
    for y, message in ((np.full(80, np.nan), "no labelled row"), (np.full(80, np.inf), "infinite"), (X[:3], "shape")):
        with pytest.raises(ValueError, match=message):
            GRDARegressor(CHAIN, **QUICK).fit(X, y, sample_domain=DOMAIN)


def test_nothing_to_adapt_to_is_said():
    with pytest.warns(UserWarning, match="nothing to adapt"):
        fitted(y=TRUTH)


def test_a_domain_without_path_to_a_source_is_named():
    graph = CHAIN.copy()
    graph[2, 3] = graph[3, 2] = 0
    with pytest.warns(UserWarning, match=r"domain\(s\) \[3\]"):
        fitted(graph)


def test_a_batch_larger_than_a_domain_is_said_once():
    with pytest.warns(UserWarning, match="smallest domain's 20 rows") as caught:
        fitted(batch_per_domain=30)
    assert len(caught) == 1


def test_new_rows_must_fit_what_was_fitted():
    model = fitted()
    with pytest.raises(ValueError, match="has 2 features, but the estimator was fitted with 3"):
        model.predict(X[:, :2], sample_domain=DOMAIN)
    with pytest.raises(ValueError, match="unseen domain 4"):
        model.predict(X, sample_domain=DOMAIN + 1)
    with pytest.raises(ValueError, match="one integer for each row"):
        model.predict(X, sample_domain=DOMAIN[:-1])


def test_row_pairing_of_rows_sorted_by_label_is_refused_unless_asked_for():
    order = np.lexsort((TRUTH, DOMAIN))
    data = {"X": X[order], "y": Y[order], "domain": DOMAIN[order]}
    with pytest.raises(ValueError, match="allow_label_leak=True"):
        fitted(**data, pairing="row")
    fitted(**data, pairing="row", allow_label_leak=True)
    fitted(**data, pairing="independent")


def test_row_pairing_of_shuffled_rows_is_allowed():
    order = np.random.default_rng(1).permutation(80)
    fitted(X=X[order], y=Y[order], domain=DOMAIN[order], pairing="row")


def test_coral_aligns_scaled_targets():
    pytest.importorskip("ot")
    from reprise.grda.generators import make_dg

    domains = make_dg(15, seed=0)
    predictions = baselines.coral_predictions(domains)
    assert predictions.shape == domains.targets.shape
    assert (predictions[domains.labelled] == domains.targets[domains.labelled]).mean() > 0.9
