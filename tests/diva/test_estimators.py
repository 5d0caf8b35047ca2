"""The library as readers use it: scikit-learn's conventions, results, and every bad input with its message."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from reprise.diva import (
    DivaExtend,
    DivaReweight,
    augmentation_weights,
    find_detrimental,
    loo_derivative,
    loo_predictions,
    make_task,
    validation_derivative,
)
from reprise.diva.ridge import RidgeError

TASK = make_task(160, 10, 4, noise=0.1)


def test_reweight_passes_scikit_learns_checks():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(DivaReweight(), on_fail=None)
    failed = [(one["check_name"], one["exception"]) for one in results if one["status"] == "failed"]
    assert failed == []


def test_extend_clones_and_keeps_its_parameters():
    model = DivaExtend(per_round=7, lam=0.5)
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(budget=3).budget == 3


def test_reweight_lowers_its_loss_and_the_weight_of_wrong_labels():
    model = DivaReweight(temperature=1.0).fit(TASK.features, TASK.labels)
    wrong = TASK.labels != TASK.true_labels
    assert (np.diff(model.path_) < 0).all()
    assert model.sample_weight_[wrong].mean() < model.sample_weight_[~wrong].mean()
    assert model.score(TASK.features, TASK.true_labels) > 0.8
    assert model.decision_function(TASK.features).shape == (160, 4)


def test_without_steps_reweight_is_ridge_classification():
    from sklearn.linear_model import Ridge

    model = DivaReweight(lam=2.0, n_steps=0, normalise=False).fit(TASK.features, TASK.labels)
    rows = np.hstack([TASK.features, np.ones((160, 1))])
    reference = Ridge(2.0, fit_intercept=False).fit(rows, np.eye(4)[TASK.labels])
    np.testing.assert_allclose(model.coef_, reference.coef_.T, atol=1e-10)
    assert (model.sample_weight_ == 1).all()


def test_groups_change_what_leave_one_out_sees():
    X, y = np.tile(TASK.features, (2, 1)), np.tile(TASK.labels, 2)
    with pytest.warns(UserWarning, match="160 exact duplicates: use groups="):
        alone = DivaReweight().fit(X, y)
    together = DivaReweight().fit(X, y, groups=np.arange(320) % 160)
    assert together.path_[0] > alone.path_[0]


def test_extend_selects_from_the_pool_and_predicts():
    model = DivaExtend(per_round=10, budget=40).fit(
        TASK.features[:80], TASK.true_labels[:80], TASK.pool_features, TASK.pool_labels
    )
    assert len(model.selected_) == len(set(model.selected_)) <= 40
    assert len(model.curve_) == 4
    assert model.score(TASK.pool_features, TASK.pool_labels) > 0.8


def test_wrong_labels_head_the_list_of_detrimental_samples():
    found = find_detrimental(TASK.features, TASK.labels)
    assert list(found.columns) == ["index", "derivative", "loo_residual", "loo_label", "given_label"]
    wrong = set(np.flatnonzero(TASK.labels != TASK.true_labels))
    assert len(wrong & set(found["index"].head(len(wrong)))) > 0.7 * len(wrong)
    assert found.derivative.is_monotonic_decreasing
    assert (found.derivative >= 0).all()


def test_detrimental_samples_are_found_by_the_model_that_reweight_fits():
    found = find_detrimental(TASK.features, TASK.labels, lam=0.3, threshold=-np.inf).sort_values("index")
    rows = TASK.features / np.linalg.norm(TASK.features, axis=1, keepdims=True)
    rows = np.hstack([rows, np.ones((len(rows), 1))])
    np.testing.assert_allclose(found.derivative, loo_derivative(rows, TASK.labels, lam=0.3).grad)
    shifted = find_detrimental(TASK.features + 5, TASK.labels, lam=1e-6, normalise=False, threshold=-np.inf)
    plain = find_detrimental(TASK.features, TASK.labels, lam=1e-6, normalise=False, threshold=-np.inf)
    np.testing.assert_allclose(
        shifted.sort_values("index").derivative, plain.sort_values("index").derivative, rtol=1e-3, atol=1e-4
    )


def test_labels_of_any_kind_are_given_back():
    names = np.array(["a", "b", "c", "d"])[TASK.labels]
    model = DivaReweight().fit(TASK.features, names)
    assert set(model.predict(TASK.features)) <= set(names)
    assert set(find_detrimental(TASK.features, names).given_label) <= set(names)


def test_functions_take_labels_or_targets_alike():
    by_labels = loo_derivative(TASK.features, TASK.labels, lam=0.3)
    by_targets = loo_derivative(TASK.features, np.eye(4)[TASK.labels], lam=0.3)
    np.testing.assert_array_equal(by_labels.grad, by_targets.grad)
    np.testing.assert_array_equal(loo_predictions(TASK.features, TASK.labels, lam=0.3), by_labels.predictions)
    assert 0 <= by_labels.error <= 1


def test_the_validation_derivative_points_where_the_loss_falls():
    arguments = (TASK.features, TASK.labels, TASK.pool_features, TASK.pool_labels)
    loss, gradient = validation_derivative(*arguments)
    lower, _ = validation_derivative(*arguments, alpha=np.clip(1 - 1e-3 * gradient, 0, None))
    assert lower < loss


def test_copies_that_mislead_earn_less_weight():
    generator = np.random.default_rng(0)
    noise = generator.normal(size=TASK.features.shape) * 3
    shares = augmentation_weights([TASK.features, TASK.features + 0.05 * noise, noise], TASK.true_labels)
    assert shares.sum() == pytest.approx(1)
    assert shares[2] < shares[1]


X, Y = TASK.features, TASK.labels
BROKEN = X.copy()
BROKEN[[17, 20, 31], 0] = [np.nan, np.inf, np.nan]
NEGATIVE = np.ones(160)
NEGATIVE[12] = -0.4

BAD = {
    "X has 160 rows but y has 159 labels": lambda: DivaReweight().fit(X, Y[1:]),
    r"features contain 3 non-finite rows .*first at index 17": lambda: DivaReweight().fit(BROKEN, Y),
    "alpha must be >= 0; got min -0.4 at index 12": lambda: loo_derivative(X, Y, alpha=NEGATIVE),
    "lam must be > 0: 10 features for 8 samples make the normal matrix singular": lambda: loo_derivative(
        X[:8], Y[:8], lam=0
    ),
    "pool contains labels not in the core set: \\[3\\]": lambda: DivaExtend().fit(X[Y < 3], Y[Y < 3], X, Y),
    r"expected features \(N, m\), got \(4, 8, 8, 3\): extract features first": lambda: DivaReweight().fit(
        np.zeros((4, 8, 8, 3), dtype=np.uint8), [0, 1, 0, 1]
    ),
    r"leave-one-out undefined for 8 samples \(leverage 1\): raise lam \(now 1e-09\)": lambda: loo_derivative(
        np.eye(8), Y[:8], lam=1e-9
    ),
    "no sample left in the leave-one-out loss": lambda: loo_derivative(X, Y, mask=np.zeros(160)),
    "mask has the shape": lambda: loo_derivative(X, Y, mask=np.ones(3)),
    "groups has the shape": lambda: loo_derivative(X, Y, groups=np.ones(3)),
    "alpha has the shape": lambda: loo_derivative(X, Y, alpha=np.ones(3)),
    "lam must be a number > 0, or 'loo'": lambda: DivaReweight(lam="best").fit(X, Y),
    "lam must be a number > 0": lambda: loo_derivative(X, Y, lam=-1),
    "to choose it; got 'x'": lambda: find_detrimental(X, Y, lam="x"),
    "to choose it; got 'all'": lambda: augmentation_weights([X, X], Y, lam="all"),
    "to choose it; got None": lambda: loo_derivative(X, Y, lam=None),
    "loss='hinge' is unknown": lambda: DivaReweight(loss="hinge").fit(X, Y),
    "temperature=0 is not positive": lambda: loo_derivative(X, Y, temperature=0),
    "step='long'": lambda: DivaReweight(step="long").fit(X, Y),
    "y has one class": lambda: DivaReweight().fit(X, np.zeros(160)),
    "X_pool has 9 features but X has 10": lambda: DivaExtend().fit(X, Y, X[:, 1:], Y),
    "Zv has 9 features but Z has 10": lambda: validation_derivative(X, Y, X[:, 1:], Y),
    r"Yv contains labels that are not in Y: \[9\]": lambda: validation_derivative(X, Y, X[:2], [0, 9]),
    "they must be the same": lambda: augmentation_weights([X, X[1:]], Y),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_with_a_remedy(message):
    with pytest.raises(ValueError, match=message):
        BAD[message]()


def test_the_errors_are_the_projects_own():
    with pytest.raises(RidgeError):
        loo_derivative(X, Y, alpha=NEGATIVE)


def test_a_class_with_one_sample_is_left_out_of_the_loss_with_a_warning():
    labels = Y.copy().astype(object)
    labels[:] = [f"class {label}" for label in Y]
    labels[5] = "x"
    with pytest.warns(UserWarning, match="class 'x' has 1 sample; its leave-one-out prediction cannot know the class"):
        DivaReweight().fit(X, labels)


def test_duplicates_are_counted_in_a_warning():
    with pytest.warns(UserWarning, match="37 exact duplicates: use groups= or the LOO error is optimistic"):
        loo_derivative(np.vstack([X, X[:37]]), np.concatenate([Y, Y[:37]]))
