from dataclasses import replace

import networkx
import numpy as np
import pytest
import scipy.sparse
import sklearn
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import reprise.grda
from reprise.grda import baselines
from reprise.grda.coral import coral_predictions
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


NAMES = np.where(DOMAIN < 2, np.where(TRUTH == 1, "warm", "cold"), None)


def test_classes_may_have_names_and_come_back_as_they_were():
    model, numbered = fitted(y=NAMES), fitted()
    assert model.classes_.tolist() == ["cold", "warm"]
    expected = np.array(["cold", "warm"])[numbered.predict(X, sample_domain=DOMAIN)]
    assert np.array_equal(model.predict(X, sample_domain=DOMAIN), expected)
    assert model.score(X, NAMES, sample_domain=DOMAIN) == numbered.score(X, Y, sample_domain=DOMAIN)


def test_all_ways_to_write_classes_and_missing_ones_give_the_same_fit():
    pandas = pytest.importorskip("pandas")
    known = DOMAIN < 2
    forms = [
        list(NAMES),
        np.where(known, NAMES, np.nan),
        pandas.Series(NAMES),
        pandas.Series(NAMES, dtype="string"),
        pandas.Series(NAMES, dtype="category"),
        pandas.Categorical(NAMES),
        np.where(known, TRUTH, None),
        np.where(known, TRUTH == 1, None),
        np.array([-1 if y is None else int(y == "warm") for y in NAMES], dtype=object),
        pandas.Series(np.where(known, TRUTH, None), dtype="Int64"),
        np.where(known, TRUTH.astype(float), np.nan),
        Y[:, None],
    ]
    expected = fitted().predict_proba(X, sample_domain=DOMAIN)
    with pytest.warns(sklearn.exceptions.DataConversionWarning):
        models = [fitted(y=form) for form in forms]
    assert all(np.array_equal(model.predict_proba(X, sample_domain=DOMAIN), expected) for model in models)


@pytest.mark.parametrize("unknown", [np.nan, -1])
def test_a_missing_label_that_numpy_made_a_name_is_no_class(unknown):
    names = np.where(TRUTH == 1, "warm", "cold")
    with pytest.raises(ValueError, match=r"mark rows without label by None: np.where\(known, y, None\)"):
        fitted(y=np.where(DOMAIN < 2, names, str(unknown)))


@pytest.mark.parametrize("mixed", [["a", 1], [b"a", b"b"], [(1,), (2,)], [1 + 2j, 0]])
def test_classes_that_are_neither_numbers_nor_text_are_refused(mixed):
    y = np.empty(80, dtype=object)
    y[:40] = [mixed[k % 2] for k in range(40)]
    with pytest.raises(ValueError, match="y mixes numbers and text"):
        fitted(y=y)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield {"sample_domain": DOMAIN}


FOLDS = KFold(4, shuffle=True, random_state=0)


@pytest.mark.parametrize("y", [Y, NAMES], ids=["numbers", "names"])
def test_cross_validation_passes_the_domains_on(routing, y):
    scores = cross_val_score(GRDAClassifier(CHAIN, **QUICK), X, y, params=routing, cv=FOLDS)
    assert scores.shape == (4,)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_a_search_passes_the_domains_on(routing):
    search = GridSearchCV(GRDAClassifier(CHAIN, **QUICK), {"adversarial_weight": [0, 0.5]}, cv=FOLDS)
    search.fit(X, Y, **routing)
    assert set(search.best_params_) == {"adversarial_weight"}
    assert search.best_estimator_.predict(X, **routing).shape == (80,)


def test_a_pipeline_passes_the_domains_on(routing):
    pipeline = make_pipeline(StandardScaler(), GRDAClassifier(CHAIN, **QUICK)).fit(X, Y, **routing)
    assert pipeline.predict(X, **routing).shape == (80,)
    assert pipeline.predict_proba(X, **routing).shape == (80, 2)
    assert pipeline.transform(X, **routing).shape == (80, 16)
    assert cross_val_score(pipeline, X, Y, params=routing, cv=FOLDS).shape == (4,)
    first = make_pipeline(GRDAClassifier(CHAIN, **QUICK), StandardScaler()).fit(X, Y, **routing)
    assert first.transform(X, **routing).shape == (80, 16)


def test_leaving_a_domain_out_is_told_to_hide_its_labels(routing):
    with pytest.raises(ValueError, match="set that domain's y to -1 instead"):
        fitted(X=X[DOMAIN != 1], y=Y[DOMAIN != 1], domain=DOMAIN[DOMAIN != 1])
    with pytest.raises(ValueError, match=r"the graph has 4 domains, but domain 2, 3 has no rows"):
        fitted(X=X[DOMAIN < 2], y=Y[DOMAIN < 2], domain=DOMAIN[DOMAIN < 2])
    with pytest.raises(ValueError, match="set that domain's y to -1"):
        cross_val_score(
            GRDAClassifier(CHAIN, **QUICK),
            X,
            TRUTH,
            params=routing | {"groups": DOMAIN},
            cv=LeaveOneGroupOut(),
            error_score="raise",
        )
    hidden = np.where(DOMAIN == 1, -1, Y)
    assert 0 <= fitted(y=hidden).score(X[DOMAIN == 1], Y[DOMAIN == 1], sample_domain=DOMAIN[DOMAIN == 1]) <= 1


def test_one_domain_and_two_are_told_what_they_can_do():
    with pytest.raises(ValueError, match="one domain only: there is nothing to adapt to"):
        fitted(np.zeros((1, 1)), domain=np.zeros(80, int))
    two = DOMAIN // 2
    with pytest.raises(ValueError, match=r"graph of two domains .* reprise.grda.DANNClassifier"):
        fitted(chain_graph(2), domain=two)
    for options in ({"self_pairs": "nonedge"}, {"balance": False}):
        assert fitted(chain_graph(2), domain=two, **options).n_domains_ == 2
    reprise.grda.DANNClassifier(chain_graph(2), **QUICK).fit(X, Y, sample_domain=two)


def test_the_package_lists_its_names_and_tells_the_nearest():
    assert {"GRDAClassifier", "DANNClassifier", "MDDRegressor"} <= set(dir(reprise.grda))
    assert all(hasattr(reprise.grda, name) for name in reprise.grda.__all__)
    with pytest.raises(AttributeError, match="did you mean 'GRDAClassifier'"):
        _ = reprise.grda.GRDAClasifier


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
    "another number of domains": (chain_graph(3), "3 nodes, but there are 4 domains"),
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
    "adversarial_weight": (-0.1, np.inf, np.nan, "1"),
    "n_sampled_domains": (1, 5, 2.0),
    "n_steps": (0, 10.0, "10", None),
    "batch_per_domain": (0, 2.5),
    "hidden_width": (0, "wide"),
    "embedding_width": (0, 2.0),
    "discriminator_width": (0, None),
    "learning_rate": (0, np.inf, np.nan, "fast"),
    "half_life_steps": (0, np.nan),
    "pairing": ("rows", None),
    "self_pairs": ("edge", True),
    "balance": ("no", None),
    "allow_label_leak": ("yes", 2),
    "embedding": (np.zeros((3, 2)), np.zeros(4), np.full((4, 2), np.nan), [["a"], ["b"], ["c"], ["d"]]),
    "embedding_scale": (0, -0.3, np.inf, np.nan, "0.3"),
    "random_state": (-1, 0.5, "seed"),
    "device": ("gpu", 0, None),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD_OPTIONS.items() for value in values])
def test_a_bad_option_is_refused_by_its_name(name, value):
    with pytest.raises(ValueError, match=name):
        fitted(**{name: value})


def test_a_refused_option_is_told_with_its_value_and_what_is_allowed():
    with pytest.raises(ValueError, match=r"'n_steps' parameter of GRDAClassifier must be an int .* Got 10\.0"):
        fitted(n_steps=10.0)
    with pytest.raises(ValueError, match=r"n_sampled_domains=5 .* number of domains, 4"):
        fitted(n_sampled_domains=5)
    with pytest.raises(ValueError, match=r"embedding has 3 rows; .* \(4, k\)"):
        fitted(embedding=np.zeros((3, 2)))


def test_a_random_state_of_numpy_is_a_seed_too():
    one, two = (fitted(random_state=np.random.RandomState(3)).predict_proba(X, sample_domain=DOMAIN) for _ in range(2))
    assert np.array_equal(one, two)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_is_refused_where_there_is_none():
    with pytest.raises(ValueError, match="'cuda' was asked for"):
        fitted(device="cuda")


BAD_ROWS = {
    "infinite": (np.where(np.arange(80)[:, None] == 7, np.inf, X), "X contains infinity"),
    "NaN": (np.where(np.arange(80)[:, None] == 7, np.nan, X), "X contains NaN"),
    "one row": (X[:, 0], "Expected 2D array"),
    "no rows": (X[:0], r"0 sample\(s\)"),
    "no features": (X[:, :0], r"0 feature\(s\)"),
    "strings": (np.full((80, 3), "a"), "could not convert string"),
    "sparse": (scipy.sparse.csr_array(X), "[Ss]parse"),
    "huge": (1e200 * X, "variance overflows"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_rows_that_cannot_be_used_are_refused(name):
    rows, message = BAD_ROWS[name]
    with pytest.raises((ValueError, TypeError), match=message):
        fitted(X=rows)


def test_a_domain_without_rows_is_refused():
    with pytest.raises(ValueError, match="domain 2 has no rows"):
        fitted(domain=np.where(DOMAIN == 2, 3, DOMAIN))


@pytest.mark.parametrize("entry", [np.inf, np.nan, 1e300, 10**12, 0.5, -1, 2**64 - 1, "1", None])
def test_domains_that_are_no_small_whole_numbers_are_refused(entry):
    domain = np.array([entry, *DOMAIN[1:]], dtype=object if entry is None else None)
    with pytest.raises(ValueError, match="sample_domain"):
        fitted(domain=domain)
    with pytest.raises(ValueError, match="sample_domain"):
        fitted().predict(X, sample_domain=domain)


def test_labels_are_needed_and_of_two_classes():
    with pytest.raises(ValueError, match="no labelled row"):
        fitted(y=np.full(80, -1))
    with pytest.raises(ValueError, match="only the class 1"):
        fitted(y=np.where(DOMAIN < 2, 1, -1))
    with pytest.raises(ValueError, match="give one for each row"):
        fitted(y=Y[:-1])
    with pytest.raises(ValueError, match="continuous"):
        fitted(y=np.where(DOMAIN < 2, X[:, 0], np.nan))
    with pytest.raises(ValueError, match="infinity"):
        fitted(y=np.where(DOMAIN < 2, np.where(TRUTH == 1, np.inf, 0), np.nan))


def test_a_regressor_needs_finite_targets():
    for y, message in (
        (np.full(80, np.nan), "no labelled row"),
        (np.full(80, np.inf), "infinite"),
        (X[:3], "shape"),
        (np.zeros((80, 0)), "shape"),
        (np.full(80, "a"), "type"),
        (1e200 * X, "variance overflows"),
    ):
        with pytest.raises(ValueError, match=message):
            GRDARegressor(CHAIN, **QUICK).fit(X, y, sample_domain=DOMAIN)


def test_nothing_to_adapt_to_is_said():
    with pytest.warns(UserWarning, match="nothing to adapt"):
        fitted(y=TRUTH)
    with pytest.warns(UserWarning, match=r"every domain has labelled rows, .* the 40 rows without label are not used"):
        fitted(y=np.where(np.arange(80) % 2 == 0, TRUTH, -1))


def test_a_domain_without_path_to_a_source_is_named():
    graph = CHAIN.copy()
    graph[2, 3] = graph[3, 2] = 0
    with pytest.warns(UserWarning, match=r"domain\(s\) \[3\]"):
        fitted(graph)


def test_a_batch_larger_than_a_domain_is_said_once():
    with pytest.warns(UserWarning, match="smallest domain's 20 rows") as caught:
        fitted(batch_per_domain=30)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_new_rows_must_fit_what_was_fitted():
    model = fitted()
    with pytest.raises(ValueError, match="X has 2 features, but GRDAClassifier is expecting 3"):
        model.predict(X[:, :2], sample_domain=DOMAIN)
    with pytest.raises(ValueError, match="names the domain 4, but there are 4 domains"):
        model.predict(X, sample_domain=DOMAIN + 1)
    with pytest.raises(ValueError, match="one domain for each of 80 rows"):
        model.predict(X, sample_domain=DOMAIN[:-1])
    with pytest.raises(ValueError, match="too far from the training rows"), np.errstate(over="ignore"):
        model.predict(1e60 * X, sample_domain=DOMAIN)


def test_columns_are_known_by_their_names_and_order():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    model = fitted(X=frame)
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    assert np.array_equal(model.predict(frame, sample_domain=DOMAIN), fitted().predict(X, sample_domain=DOMAIN))
    with pytest.raises(ValueError, match="same order"):
        model.predict(frame[["b", "a", "c"]], sample_domain=DOMAIN)


def test_rows_without_label_are_left_out_of_the_score():
    model, seen = fitted(), DOMAIN < 2
    weights = np.linspace(1, 2, 80)
    for unknown in (-1, np.nan):
        y = np.where(seen, TRUTH, unknown)
        assert model.score(X, y, sample_domain=DOMAIN) == model.score(X[seen], TRUTH[seen], sample_domain=DOMAIN[seen])
        weighted = model.score(X[seen], TRUTH[seen], weights[seen], sample_domain=DOMAIN[seen])
        assert model.score(X, y, weights, sample_domain=DOMAIN) == weighted
    y = np.where(seen, X[:, 0], np.nan)
    regressor = GRDARegressor(CHAIN, **QUICK).fit(X, y, sample_domain=DOMAIN)
    known = regressor.score(X[seen], X[seen, 0], sample_domain=DOMAIN[seen])
    assert regressor.score(X, y, sample_domain=DOMAIN) == known
    for one, unknown in ((model, np.full(80, -1)), (regressor, np.full(80, np.nan))):
        with pytest.raises(ValueError, match="no labelled row"):
            one.score(X, unknown, sample_domain=DOMAIN)


@pytest.mark.parametrize(
    "failing",
    [{"X": X[:, :2], "y": np.full(80, 1)}, {"domain": DOMAIN + 1}, {"learning_rate": 1e30}, {"embedding_width": 0}],
)
def test_a_failed_refit_leaves_the_model_as_it_was(failing):
    model = fitted()
    before = dict(vars(model))
    options = {k: v for k, v in failing.items() if k in model.get_params()}
    parts = {"X": X, "y": Y, "domain": DOMAIN, **failing}
    model.set_params(**options)
    with pytest.raises(ValueError, match=r"."):
        model.fit(parts["X"], parts["y"], sample_domain=parts["domain"])
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items() if name not in options)


def test_a_diverged_training_is_said():
    for kind, y in ((GRDAClassifier, Y), (GRDARegressor, np.where(DOMAIN < 2, X[:, 0], np.nan))):
        with pytest.raises(ValueError, match=r"diverged.*learning_rate=1e\+30"):
            kind(CHAIN, **QUICK, learning_rate=1e30).fit(X, y, sample_domain=DOMAIN)


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
    predictions = coral_predictions(domains)
    assert predictions.shape == domains.targets.shape
    assert (predictions[domains.labelled] == domains.targets[domains.labelled]).mean() > 0.9


def test_coral_bears_columns_that_hardly_vary_within_a_target_domain():
    pytest.importorskip("ot")
    from reprise.grda.generators import make_dg

    domains = make_dg(15, seed=0)
    features = np.random.default_rng(0).normal(size=(len(domains.features), 40))
    features[:, 5:] += 3 * features[:, 2:3]
    features[np.ix_(~domains.source[domains.domain], np.arange(2, 40, 2))] *= 1e-12
    features[:, :2] = domains.features
    predictions = coral_predictions(replace(domains, features=features))
    assert np.isin(predictions, np.unique(domains.targets)).all()


def test_minus_one_as_the_mark_of_a_missing_number_is_refused():
    X, domain = np.random.default_rng(0).normal(size=(60, 2)), np.repeat([0, 1, 2], 20)
    y = np.where(domain == 2, -1, 3 * X[:, 0])
    with pytest.raises(ValueError, match=r"-1 in every row of domain\(s\) \[2\].*NaN"):
        GRDARegressor(chain_graph(3), n_steps=1).fit(X, y, sample_domain=domain)


def test_a_class_called_minus_one_is_told_of():
    X, domain = np.random.default_rng(0).normal(size=(60, 2)), np.repeat([0, 1, 2], 20)
    y = np.where(domain == 2, -1, np.arange(60) % 3 - 1)
    with pytest.warns(UserWarning, match="rows of labelled domains have the label -1"):
        GRDAClassifier(chain_graph(3), n_steps=1).fit(X, y, sample_domain=domain)
    with pytest.raises(ValueError, match="if it is a class, number the classes from 0"):
        GRDAClassifier(chain_graph(3), n_steps=1).fit(X, np.where(X[:, 0] > 0, 1, -1), sample_domain=domain)
