"""The library as readers use it: scikit-learn's conventions, results, and every bad input with its message."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from reprise.diva import (
    DivaExtend,
    DivaReweight,
    augmentation_weights,
    extract_features,
    extract_sentence_features,
    find_detrimental,
    loo_derivative,
    loo_predictions,
    make_task,
    validation_derivative,
)
from reprise.diva.penalties import penalty_of
from reprise.diva.ridge import RidgeError
from reprise.diva.weighting import PENALTIES

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
    assert list(found.columns) == ["index", "derivative", "loo_residual", "loo_label", "given_label", "position"]
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
FRAME = pd.DataFrame(X, columns=[f"c{place}" for place in range(10)])
BROKEN = X.copy()
BROKEN[[17, 20, 31], 0] = [np.nan, np.inf, np.nan]
NEGATIVE = np.ones(160)
NEGATIVE[12] = -0.4
MISSING = np.where(np.arange(160) < 4, np.nan, Y)
ALONE = np.where(np.arange(160) == 5, 9, Y)
TEXT = FRAME.assign(c3="a")

BAD = {
    "X has 160 rows but y has 159 labels": lambda: DivaReweight().fit(X, Y[1:]),
    "Z has 160 rows but Y has 159 labels": lambda: loo_derivative(X, Y[1:]),
    "Zv has 160 rows but Yv has 159 labels": lambda: validation_derivative(X, Y, X, Y[1:]),
    "X_pool has 160 rows but y_pool has 159 labels": lambda: DivaExtend().fit(X, Y, X, Y[1:]),
    r"features contain 3 non-finite rows .*first at index 17": lambda: DivaReweight().fit(BROKEN, Y),
    r"features X_pool contain 3 non-finite rows": lambda: DivaExtend().fit(X, Y, BROKEN, Y),
    "alpha must be >= 0; got min -0.4 at index 12": lambda: loo_derivative(X, Y, alpha=NEGATIVE),
    "lam must be > 0: 10 features for 8 samples make the normal matrix singular": lambda: loo_derivative(
        X[:8], np.arange(8) % 2, lam=0
    ),
    "pool contains labels not in the core set: \\[3\\]": lambda: DivaExtend().fit(X[Y < 3], Y[Y < 3], X, Y),
    r"expected features \(N, m\), got \(4, 8, 8, 3\): extract features first": lambda: DivaReweight().fit(
        np.zeros((4, 8, 8, 3), dtype=np.uint8), [0, 1, 0, 1]
    ),
    r"leave-one-out undefined for 8 samples \(leverage 1\): raise lam \(now 1e-09\)": lambda: loo_derivative(
        np.eye(8), np.arange(8) % 2, lam=1e-9
    ),
    "no sample left in the leave-one-out loss: mask": lambda: loo_derivative(X, Y, mask=np.zeros(160)),
    "no sample left in the leave-one-out loss: every": lambda: DivaReweight().fit(X[:2], [0, 1]),
    "mask has the shape": lambda: loo_derivative(X, Y, mask=np.ones(3)),
    "mask must hold 0 and 1 only; got -1 at index 12": lambda: loo_derivative(X, Y, mask=np.where(NEGATIVE < 0, -1, 1)),
    "groups has the shape": lambda: loo_derivative(X, Y, groups=np.ones(3)),
    "one group for each of 160 samples of X": lambda: DivaReweight().fit(X, Y, groups=np.ones(5)),
    "groups has one group": lambda: DivaReweight().fit(X, Y, groups=np.zeros(160)),
    "groups has 4 missing entries": lambda: loo_derivative(X, Y, groups=MISSING),
    "alpha has the shape": lambda: loo_derivative(X, Y, alpha=np.ones(3)),
    "y has 4 missing labels, first at index 0; drop": lambda: find_detrimental(X, MISSING),
    "Y has 4 missing labels": lambda: loo_derivative(X, MISSING),
    "y_pool has 4 missing labels": lambda: DivaExtend().fit(X, Y, X, MISSING),
    "Y: Unknown label type: continuous": lambda: loo_derivative(X, X[:, 0]),
    "y mixes labels of the types int, str": lambda: DivaReweight().fit(X, np.array(["a", 1] * 80, dtype=object)),
    "y has one class, 0": lambda: find_detrimental(X, np.zeros(160, dtype=int)),
    "y has one class": lambda: DivaReweight().fit(X, np.zeros(160)),
    "Y has 3 non-finite rows, first at index 17": lambda: loo_derivative(X, BROKEN[:, :2], loss="squared"),
    "rows that are no probabilities .*use loss='squared'": lambda: loo_derivative(X, X[:, :2]),
    "Z is sparse; give a dense array": lambda: loo_derivative(csr_array(X), Y),
    "X_pool is sparse": lambda: DivaExtend().fit(X, Y, csr_array(X), Y),
    r"X has columns that are no numbers: \['c3'\]": lambda: find_detrimental(TEXT, Y),
    "X holds values that are no numbers": lambda: find_detrimental(X.astype(str) + "a", Y),
    "feature names should match|must be in the same order": lambda: DivaExtend().fit(
        FRAME, Y, FRAME[FRAME.columns[::-1]], Y
    ),
    "lam must be a number > 0, or 'loo'": lambda: DivaReweight(lam="best").fit(X, Y),
    "lam must be a number > 0": lambda: loo_derivative(X, Y, lam=-1),
    "got True": lambda: loo_derivative(X, Y, lam=True),
    "to choose it; got 'x'": lambda: find_detrimental(X, Y, lam="x"),
    "to choose it; got 'all'": lambda: augmentation_weights([X, X], Y, lam="all"),
    "to choose it; got None": lambda: loo_derivative(X, Y, lam=None),
    "loss='hinge' is unknown": lambda: DivaReweight(loss="hinge").fit(X, Y),
    "temperature must be a number > 0; got 0": lambda: loo_derivative(X, Y, temperature=0),
    "temperature must be a number > 0; got 'a'": lambda: DivaReweight(temperature="a").fit(X, Y),
    "temperature must be a number > 0; got -1": lambda: augmentation_weights([X, X], Y, temperature=-1),
    "step='long' is unknown": lambda: DivaReweight(step="long").fit(X, Y),
    "eta must be a number > 0; got 0": lambda: DivaReweight(eta=0).fit(X, Y),
    "n_steps must be a whole number >= 0; got 2.5": lambda: DivaReweight(n_steps=2.5).fit(X, Y),
    "n_steps must be a whole number >= 1; got -1": lambda: augmentation_weights([X, X], Y, n_steps=-1),
    "normalise must be True or False; got 'no'": lambda: DivaReweight(normalise="no").fit(X, Y),
    "per_round must be a whole number >= 1 or None; got 0": lambda: DivaExtend(per_round=0).fit(X, Y, X, Y),
    "budget must be a whole number >= 1 or None; got -3": lambda: DivaExtend(budget=-3).fit(X, Y, X, Y),
    "per_class must be a whole number >= 1 or None; got 2.5": lambda: DivaExtend(per_class=2.5).fit(X, Y, X, Y),
    "X_pool has 9 features but X has 10": lambda: DivaExtend().fit(X, Y, X[:, 1:], Y),
    "Zv has 9 features but Z has 10": lambda: validation_derivative(X, Y, X[:, 1:], Y),
    r"Yv contains labels that are not in Y: \[9\]": lambda: validation_derivative(X, Y, X[:2], [0, 9]),
    r"Yv has the shape \(2, 3\), but Y has 4 classes": lambda: validation_derivative(X, Y, X[:2], np.eye(3)[:2]),
    "they must be the same": lambda: augmentation_weights([X, X[1:]], Y),
    "Z_list has 1 entries; give the originals and at least one copy": lambda: augmentation_weights([X], Y),
    "images is one path, 'a.png'": lambda: extract_features("a.png"),
    "images is empty": lambda: extract_features([]),
    r"shape \(8, 8, 3\), that of a single image": lambda: extract_features(np.zeros((8, 8, 3), dtype=np.uint8)),
    r"image 0 has the shape \(3, 8, 8\), .*; move the channels": lambda: extract_features(np.zeros((2, 3, 8, 8))),
    "image 0 has the type float64; give uint8": lambda: extract_features(np.zeros((2, 8, 8, 3))),
    "image 1 is a Tensor": lambda: extract_features(["a.png", torch.zeros(8, 8, 3)]),
    "unknown flip 'h'": lambda: extract_features(["a.png"], flip="h"),
    "sentences is one text": lambda: extract_sentence_features("hello"),
    "sentence 1 is a int": lambda: extract_sentence_features(["hello", 1]),
    "sentences is empty": lambda: extract_sentence_features([]),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_input_is_refused_with_a_remedy(message):
    with pytest.raises(ValueError, match=message):
        BAD[message]()


def test_the_errors_are_the_projects_own():
    with pytest.raises(RidgeError):
        loo_derivative(X, Y, alpha=NEGATIVE)


@pytest.mark.parametrize("use", [lambda y: DivaReweight().fit(X, y), lambda y: find_detrimental(X, y)])
def test_a_class_with_one_sample_is_left_out_of_the_loss_with_a_warning(use):
    labels = Y.copy().astype(object)
    labels[:] = [f"class {label}" for label in Y]
    labels[5] = "x"
    with pytest.warns(UserWarning, match="class 'x' has 1 sample; its leave-one-out prediction cannot know the class"):
        use(labels)


def test_single_samples_and_groups_do_not_count():
    with pytest.warns(UserWarning, match="class 9 has 1 sample"):
        found = loo_derivative(X, ALONE)
    mask = np.where(ALONE == 9, 0, 1)
    with pytest.warns(UserWarning, match="class 9 has 1 sample"):
        masked = loo_derivative(X, ALONE, mask=mask)
    assert found.loss == masked.loss
    with pytest.warns(UserWarning, match="class 0 has 1 group"):
        loo_derivative(X, Y, groups=np.where(Y == 0, -1, np.arange(160)))
    with pytest.warns(UserWarning, match="class 9 has 1 sample in the core"):
        DivaExtend(budget=5).fit(X, ALONE, TASK.pool_features, TASK.pool_labels)


def test_duplicates_are_counted_in_a_warning():
    with pytest.warns(UserWarning, match="37 exact duplicates: use groups= or the LOO error is optimistic"):
        loo_derivative(np.vstack([X, X[:37]]), np.concatenate([Y, Y[:37]]))
    with pytest.warns(UserWarning, match="160 rows of the pool are in the core, too"):
        DivaExtend(budget=5).fit(X, Y, X, Y)


def test_rows_that_only_scaling_makes_equal_are_no_duplicates():
    with pytest.warns(UserWarning, match="160 rows differ from another only by their length") as caught:
        DivaReweight().fit(np.vstack([X, 2 * X]), np.tile(Y, 2))
    assert not any("exact duplicates" in str(one.message) for one in caught)


def test_copies_hide_wrong_labels_unless_they_leave_together():
    rows, labels = np.tile(X, (2, 1)), np.tile(Y, 2)
    wrong = np.tile(TASK.labels != TASK.true_labels, 2)
    found = find_detrimental(rows, labels, groups=np.arange(320) % 160, lam=0.3, threshold=-np.inf)
    with pytest.warns(UserWarning, match="160 exact duplicates"):
        alone = find_detrimental(rows, labels, lam=0.3, threshold=-np.inf)
    first = [set(one["position"].head(int(wrong.sum()))) & set(np.flatnonzero(wrong)) for one in (found, alone)]
    assert len(first[0]) >= len(first[1])
    assert len(first[0]) > 0.7 * wrong.sum()


def test_found_samples_are_named_as_the_frame_names_them():
    shuffled = FRAME.sample(frac=1, random_state=0)
    labels = pd.Series(Y, index=FRAME.index).loc[shuffled.index]
    found = find_detrimental(shuffled, labels)
    assert (shuffled.index[found["position"]] == found["index"]).all()
    assert (labels.loc[found["index"]].to_numpy() == found["given_label"]).all()
    assert set(found["index"]) == set(find_detrimental(FRAME, Y)["index"])


def test_targets_of_one_column_are_regression_under_the_squared_loss():
    column = X[:, :1]
    found = loo_derivative(X, column, loss="squared")
    assert found.predictions.shape == (160, 1)
    assert np.isnan(found.error)
    np.testing.assert_array_equal(loo_predictions(X, column), found.predictions)


def test_a_penalty_at_an_end_of_what_is_tried_is_said():
    noise = np.random.default_rng(0).normal(size=(60, 50))
    with pytest.warns(UserWarning, match=r"the largest λ tried, .*; larger ones may be better: give lam="):
        loo_predictions(noise, np.arange(60) % 2, lam="loo")
    with pytest.warns(UserWarning, match="the least λ tried"):
        loo_predictions(np.eye(3)[np.arange(60) % 3], np.arange(60) % 3, lam="loo")


def test_penalties_tried_follow_the_scale_of_the_features():
    one, other = (DivaReweight(normalise=False).fit(scale * (X - X.mean(0)), Y) for scale in (1.0, 1e-2))
    assert one.lam_ > other.lam_
    assert other.score(1e-2 * (X - X.mean(0)), Y) > 0.6
    rows = np.hstack([X / np.linalg.norm(X, axis=1, keepdims=True), np.ones((160, 1))])
    chosen = penalty_of("loo", torch.from_numpy(rows), torch.eye(4).double()[Y])
    assert chosen == DivaReweight().fit(X, Y).lam_
    assert chosen in PENALTIES


def test_tensors_and_penalties_by_leave_one_out_are_taken():
    tensors = torch.from_numpy(X).requires_grad_(True), torch.from_numpy(Y)
    chosen = loo_derivative(*tensors, lam="loo")
    np.testing.assert_array_equal(chosen.grad, loo_derivative(X, Y, lam="loo").grad)


def test_unknown_names_of_the_package_are_answered_with_the_nearest():
    import reprise.diva

    with pytest.raises(AttributeError, match="did you mean 'DivaReweight'"):
        _ = reprise.diva.DivaReweigh


def test_images_become_features(monkeypatch):
    given = []
    monkeypatch.setattr("reprise.diva.extraction.encode_images", lambda *names, **how: given.append((names, how)))
    images = [np.zeros((8, 8, 3), dtype=np.uint8), "a.png"]
    extract_features(images)
    assert given == [((images, "mobilenet-v1-0.5"), {"flip": "none", "device": "cpu"})]
