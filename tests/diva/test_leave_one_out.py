"""Closed forms against autograd, against N refits and against refits without a group, to 1e-10."""

import numpy as np
import pytest
import torch

from reprise.diva import leave_one_out as module
from reprise.diva.leave_one_out import (
    change_of_weights,
    leave_one_out,
    stacked_groups,
    validation_derivative,
)
from reprise.diva.outer_loss import gradients, losses
from reprise.diva.ridge import DualRidge, PrimalRidge, RidgeError, leave_one_out_errors, solve

CLOSE = {"rtol": 1e-10, "atol": 1e-10}
PENALTY = 0.3


def problem(n_rows=23, n_features=7, n_classes=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(n_rows, n_features, generator=generator, dtype=torch.float64)
    labels = torch.randint(n_classes, (n_rows,), generator=generator)
    weights = torch.rand(n_rows, generator=generator, dtype=torch.float64) * 2
    weights[:3] = torch.tensor([0.0, 1.0, 0.0])
    return features, torch.nn.functional.one_hot(labels, n_classes).double(), weights


def refit(features, targets, weights, penalty=PENALTY):
    normal = features.T @ (weights[:, None] * features) + penalty * torch.eye(features.shape[1], dtype=torch.float64)
    return torch.linalg.solve(normal, features.T @ (weights[:, None] * targets))


def predictions_by_refits(features, targets, weights, left_out):
    outputs = []
    for row, others in enumerate(left_out):
        kept = weights.clone()
        kept[others] = 0.0
        outputs.append(features[row] @ refit(features, targets, kept))
    return torch.stack(outputs)


def both_forms(features, targets, weights, penalty=PENALTY):
    return (
        PrimalRidge(features, targets, weights, penalty),
        DualRidge(features @ features.T, targets, weights, penalty),
    )


def by_autograd(features, targets, weights, loss, temperature, left_out, mask=None):
    alpha = weights.clone().requires_grad_(True)
    outputs = []
    for row, others in enumerate(left_out):
        keep = torch.ones_like(alpha)
        keep[others] = 0.0
        outputs.append(features[row] @ refit(features, targets, alpha * keep))
    each = losses(torch.stack(outputs), targets, loss, temperature)
    total = (each if mask is None else each * mask).sum()
    return total.detach(), torch.autograd.grad(total, alpha)[0]


def assert_same_derivative(found, expected):
    """Compare to 1e-10 of the largest component: rounding grows with it, so that small ones cannot be nearer."""
    scale = expected.abs().max().clamp(min=1.0)
    torch.testing.assert_close(found / scale, expected / scale, **CLOSE)


SINGLE = [[row] for row in range(23)]
each_loss = pytest.mark.parametrize(("loss", "temperature"), [("squared", 1.0), ("ce", 1.0), ("ce", 10.0)])
each_shape = pytest.mark.parametrize("n_features", [3, 7, 40])


@each_shape
def test_predictions_are_those_of_n_refits_in_both_forms(n_features):
    features, targets, weights = problem(n_features=n_features)
    expected = predictions_by_refits(features, targets, weights, SINGLE)
    for ridge in both_forms(features, targets, weights):
        torch.testing.assert_close(leave_one_out(ridge).predictions, expected, **CLOSE)


@each_loss
@each_shape
def test_the_derivative_is_that_of_autograd_through_n_refits(loss, temperature, n_features):
    features, targets, weights = problem(n_features=n_features)
    total, expected = by_autograd(features, targets, weights, loss, temperature, SINGLE)
    for ridge in both_forms(features, targets, weights):
        found = leave_one_out(ridge, loss, temperature)
        assert_same_derivative(found.gradient, expected)
        torch.testing.assert_close(found.loss, total, **CLOSE)


@each_loss
def test_masked_rows_train_but_do_not_count(loss, temperature):
    features, targets, weights = problem()
    mask = (torch.arange(23) % 3 > 0).double()
    total, expected = by_autograd(features, targets, weights, loss, temperature, SINGLE, mask)
    for ridge in both_forms(features, targets, weights):
        found = leave_one_out(ridge, loss, temperature, mask=mask)
        assert_same_derivative(found.gradient, expected)
        torch.testing.assert_close(found.loss, total, **CLOSE)


@each_loss
@each_shape
def test_groups_leave_together_as_in_refits_without_the_group(loss, temperature, n_features):
    features, targets, weights = problem(n_features=n_features)
    labels = torch.tensor([0, 0, 1, 1, 1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 10, 11, 12, 13, 14, 15, 15])
    together = [torch.nonzero(labels == label)[:, 0].tolist() for label in labels]
    mask = (torch.arange(23) != 5).double()
    total, expected = by_autograd(features, targets, weights, loss, temperature, together, mask)
    outputs = predictions_by_refits(features, targets, weights, together)
    for ridge in both_forms(features, targets, weights):
        found = leave_one_out(ridge, loss, temperature, mask=mask, groups=stacked_groups(labels))
        torch.testing.assert_close(found.predictions, outputs, **CLOSE)
        assert_same_derivative(found.gradient, expected)
        torch.testing.assert_close(found.loss, total, **CLOSE)


@each_loss
def test_groups_of_one_give_the_plain_formula(loss, temperature):
    features, targets, weights = problem()
    ridge = PrimalRidge(features, targets, weights, PENALTY)
    alone = [torch.arange(23)[:, None]]
    plain, grouped = (leave_one_out(ridge, loss, temperature, groups=groups) for groups in (None, alone))
    torch.testing.assert_close(grouped.gradient, plain.gradient, **CLOSE)
    assert stacked_groups(torch.arange(23)) == []


def test_the_printed_formula_agrees_where_it_is_defined():
    features, targets, weights = problem()
    weights = weights + 0.1
    root = weights.sqrt()
    normal = features.T @ (weights[:, None] * features) + PENALTY * torch.eye(7, dtype=torch.float64)
    R = root[:, None] * (features @ torch.linalg.solve(normal, features.T)) * root
    weighted = root[:, None] * targets
    printed = (R @ weighted - R.diagonal()[:, None] * weighted) / (root - root * R.diagonal())[:, None]
    found = leave_one_out(PrimalRidge(features, targets, weights, PENALTY)).predictions
    torch.testing.assert_close(found, printed, **CLOSE)


@each_loss
def test_the_validation_derivative_is_that_of_autograd(loss, temperature):
    features, targets, weights = problem()
    new_features, new_targets, _ = problem(n_rows=9, seed=5)
    alpha = weights.clone().requires_grad_(True)
    outputs = new_features @ refit(features, targets, alpha)
    expected = losses(outputs, new_targets, loss, temperature).sum()
    (gradient,) = torch.autograd.grad(expected, alpha)
    ridge = PrimalRidge(features, targets, weights, PENALTY)
    total, found = validation_derivative(ridge, new_features, new_targets, loss, temperature)
    torch.testing.assert_close(found, gradient, **CLOSE)
    torch.testing.assert_close(total, expected.detach(), **CLOSE)


@each_loss
def test_gradients_of_the_outer_loss_are_those_of_autograd(loss, temperature):
    outputs = torch.randn(6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    targets = torch.eye(3, dtype=torch.float64)[[0, 1, 2, 0, 1, 2]]
    (expected,) = torch.autograd.grad(losses(outputs, targets, loss, temperature).sum(), outputs)
    torch.testing.assert_close(gradients(outputs.detach(), targets, loss, temperature), expected, **CLOSE)


@pytest.mark.parametrize("new_weight", [0.0, 0.5, 2.0])
def test_the_change_of_a_weight_is_that_of_a_new_solution(new_weight):
    features, targets, weights = problem()
    ridge = PrimalRidge(features, targets, weights, PENALTY)
    rows = torch.tensor([0, 1, 8])
    found = change_of_weights(ridge, rows, new_weight, "ce", 10.0)
    for place, row in enumerate(rows):
        changed = weights.clone()
        changed[row] = new_weight
        expected = leave_one_out(PrimalRidge(features, targets, changed, PENALTY), "ce", 10.0).loss
        torch.testing.assert_close(found[place], expected, **CLOSE)


def test_the_change_by_adding_a_row_counts_only_what_the_mask_keeps():
    features, targets, weights = problem()
    rows = torch.tensor([2, 5])
    waiting = weights.clone()
    waiting[rows] = 0.0
    mask = torch.ones_like(weights)
    mask[rows] = 0.0
    found = change_of_weights(PrimalRidge(features, targets, waiting, PENALTY), rows, 1.0, "ce", 10.0, mask)
    for place, row in enumerate(rows):
        added = waiting.clone()
        added[row] = 1.0
        expected = leave_one_out(PrimalRidge(features, targets, added, PENALTY), "ce", 10.0, mask=mask).loss
        torch.testing.assert_close(found[place], expected, **CLOSE)


def test_a_row_has_no_influence_on_its_own_prediction():
    features, targets, weights = problem()
    mask = torch.zeros(23, dtype=torch.float64)
    mask[4] = 1.0
    gradient = leave_one_out(PrimalRidge(features, targets, weights, PENALTY), mask=mask).gradient
    assert abs(gradient[4]) < 1e-14
    assert (gradient[5:].abs() > 1e-8).all()


def test_permuting_rows_permutes_the_derivative():
    features, targets, weights = problem()
    order = torch.randperm(23, generator=torch.Generator().manual_seed(1))
    one = leave_one_out(PrimalRidge(features, targets, weights, PENALTY), "ce", 10.0).gradient
    other = leave_one_out(PrimalRidge(features[order], targets[order], weights[order], PENALTY), "ce", 10.0).gradient
    torch.testing.assert_close(other, one[order], **CLOSE)


def test_scaling_all_weights_is_dividing_the_penalty():
    features, targets, weights = problem()
    one = PrimalRidge(features, targets, 3 * weights, PENALTY).coefficients
    torch.testing.assert_close(one, PrimalRidge(features, targets, weights, PENALTY / 3).coefficients, **CLOSE)


@each_shape
def test_the_errors_of_all_penalties_are_those_of_one_solution_each(n_features):
    features, targets, _ = problem(n_features=n_features)
    penalties = [0.01, 0.3, 10.0]
    found = leave_one_out_errors(features, targets, penalties)
    for penalty, error in zip(penalties, found, strict=True):
        ridge = solve(features, targets, torch.ones(23, dtype=torch.float64), penalty)
        expected = leave_one_out(ridge, "squared", gradient=False)
        assert expected.gradient is None
        torch.testing.assert_close(error, expected.loss / 23, **CLOSE)


def test_the_solution_is_that_of_scikit_learns_ridge():
    from sklearn.linear_model import Ridge

    features, targets, weights = problem()
    reference = Ridge(alpha=PENALTY, fit_intercept=False).fit(features.numpy(), targets.numpy(), weights.numpy())
    primal, dual = both_forms(features, targets, weights)
    np.testing.assert_allclose(primal.coefficients.T, reference.coef_, atol=1e-10)
    new = problem(n_rows=5, seed=2)[0]
    torch.testing.assert_close(primal.predict(new), dual.predict(new @ features.T), **CLOSE)


def test_the_cheaper_form_is_taken():
    features, targets, weights = problem()
    assert isinstance(solve(features, targets, weights, 1.0), PrimalRidge)
    assert isinstance(solve(features[:5], targets[:5], weights[:5], 1.0), DualRidge)


def test_a_leverage_of_one_is_refused():
    features, targets, _ = problem(n_rows=7, n_features=7)
    ones = torch.ones(7, dtype=torch.float64)
    with pytest.raises(RidgeError, match=r"undefined for 7 samples \(leverage 1\): raise lam \(now 1e-13\)"):
        leave_one_out(PrimalRidge(features, targets, ones, 1e-13))
    with pytest.raises(RidgeError, match="leverage 1"):
        leave_one_out(PrimalRidge(features, targets, ones, 1e-13), groups=[torch.arange(7)[None]])


def test_a_singular_normal_matrix_is_refused():
    features, targets, weights = problem(n_features=30)
    with pytest.raises(RidgeError, match="lam must be > 0: 30 features for 23 samples"):
        PrimalRidge(features, targets, weights, 0.0)
    with pytest.raises(RidgeError, match="lam must be > 0"):
        solve(features, targets, weights, 0.0)


def test_the_primal_form_holds_no_matrix_of_rows_by_rows():
    features, targets, weights = problem(n_rows=60)
    ridge = PrimalRidge(features, targets, weights, PENALTY)
    held = [value for value in vars(ridge).values() if isinstance(value, torch.Tensor)]
    assert all(tensor.numel() < 60 * 60 for tensor in held)
    assert module.SMALLEST_REMAINDER == 1e-8
