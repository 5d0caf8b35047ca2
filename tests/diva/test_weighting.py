"""Reweight, Extend, augmentation shares and the choice of the penalty, on small tasks with known truth."""

import numpy as np
import pytest
import torch

from reprise.diva.data import one_hot
from reprise.diva.generators import make_task
from reprise.diva.leave_one_out import leave_one_out, stacked_groups
from reprise.diva.ridge import solve
from reprise.diva.weighting import (
    PENALTIES,
    Objective,
    Step,
    choose_penalty,
    coefficients,
    extend,
    follow,
    judge,
    shares_of_copies,
    stepped,
)


def tensors(task, n_classes=4):
    return torch.from_numpy(task.features), torch.from_numpy(one_hot(task.labels, n_classes))


def test_a_small_raw_step_lowers_the_loss_as_predicted():
    features, targets = tensors(make_task(120, 10, 4, noise=0.1))
    step = Step("raw", 1e-4, 1)
    (_, before), (_, after) = follow(features, targets, 1.0, Objective("ce", 10.0), step)
    predicted = -1e-4 * before.gradient.square().sum()
    assert float(after.loss - before.loss) == pytest.approx(float(predicted), rel=0.01)
    assert after.gradient is None


def test_steps_keep_weights_at_zero_or_above_and_move_by_the_largest_derivative():
    weights = torch.tensor([1.0, 0.1, 1.0])
    gradient = torch.tensor([-4.0, 2.0, 0.0])
    assert stepped(weights, gradient, Step("max", 0.5)).tolist() == [1.5, 0.0, 1.0]
    torch.testing.assert_close(stepped(weights, gradient, Step("raw", 0.1)), torch.tensor([1.4, 0.0, 1.0]))
    assert stepped(weights, torch.zeros(3), Step()).tolist() == weights.tolist()


def test_the_chosen_penalty_has_the_least_leave_one_out_error():
    features, targets = tensors(make_task(60, 8, 4, noise=0.2))
    errors = []
    for penalty in PENALTIES:
        ridge = solve(features, targets, torch.ones(60, dtype=torch.float64), penalty)
        errors.append(float(leave_one_out(ridge, "squared", gradient=False).loss))
    assert choose_penalty(features, targets) == PENALTIES[int(np.argmin(errors))]


def test_wrong_labels_lose_weight():
    task = make_task(200, 12, 4, noise=0.15)
    wrong = torch.from_numpy(task.labels != task.true_labels)
    *_, (ridge, _) = follow(*tensors(task), 1.0, Objective("ce", 1.0), Step())
    assert ridge.weights[wrong].mean() < 0.7 * ridge.weights[~wrong].mean()


def test_extend_prefers_the_pool_that_follows_the_classes():
    task = make_task(240, 12, 4, pool_shift=0.5)
    core = 60
    features = torch.from_numpy(np.concatenate([task.features[:core], task.pool_features]))
    targets = torch.from_numpy(one_hot(np.concatenate([task.labels[:core], task.pool_labels]), 4))
    found = extend(features, targets, core, 1.0, Objective("ce", 1.0), per_round=20, budget=60)
    assert len(found.order) == found.n_negative == len(set(found.order.tolist())) == 60
    assert task.pool_is_shifted[found.order.numpy()].mean() < 0.4
    assert len(found.losses) == 3


def test_extend_stops_where_no_derivative_is_negative():
    task = make_task(80, 10, 4)
    features, targets = tensors(task)
    wrong = targets.roll(1, dims=1)
    both, labels = torch.cat([features, features]), torch.cat([targets, wrong])
    stopped = extend(both, labels, 80, 1.0, Objective("ce", 1.0), per_round=5)
    forced = extend(both, labels, 80, 1.0, Objective("ce", 1.0), per_round=5, only_negative=False)
    assert len(stopped.order) < 20
    assert sorted(forced.order.tolist()) == list(range(80))
    assert forced.order[: len(stopped.order)].tolist() == stopped.order.tolist()


def test_a_quota_limits_the_rows_of_a_class_in_a_round():
    task = make_task(100, 10, 4)
    features, targets = tensors(task)
    found = extend(features, targets, 40, 1.0, Objective("ce", 1.0), per_round=8, budget=8, per_class=2)
    chosen = targets[40:][found.order].sum(0)
    assert chosen.max() <= 2


def test_shares_of_copies_sum_to_one():
    shares = shares_of_copies(torch.tensor([1.0, 1.0, 0.0, 1.0, 0.5, 0.5]), 3)
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.25, 0.25]))


def test_twins_that_stay_make_a_row_look_easy_and_groups_undo_it():
    task = make_task(90, 30, 4)
    features, targets = tensors(task)
    both, labels = features.repeat(2, 1), targets.repeat(2, 1)
    ones = torch.ones(180, dtype=torch.float64)
    ridge = solve(both, labels, ones, 0.1)
    groups = stacked_groups(torch.arange(180) % 90)
    with_twin, without = (judge(ridge, Objective("squared", groups=own)).loss for own in (None, groups))
    alone = judge(solve(features, targets, ones[:90], 0.05), Objective("squared")).loss
    assert with_twin < 0.8 * without
    torch.testing.assert_close(without, 2 * alone)


@pytest.mark.parametrize("n_features", [5, 60])
def test_coefficients_of_both_forms_predict_alike(n_features):
    task = make_task(40, n_features, 4)
    features, targets = tensors(task)
    ridge = solve(features, targets, torch.ones(40, dtype=torch.float64), 0.5)
    torch.testing.assert_close(features @ coefficients(ridge, features), targets - ridge.residuals)
