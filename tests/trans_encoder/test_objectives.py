"""Losses against closed forms, and what is done to labels."""

import numpy as np
import pytest
import torch
from scipy.special import expit, logsumexp

from reprise.trans_encoder import objectives
from reprise.trans_encoder.input_checks import TransEncoderInputError

logits = torch.tensor([-2.0, 0.5, 3.0], requires_grad=True)
labels = torch.tensor([0.1, 0.7, 0.9])


def test_soft_cross_entropy_is_its_formula():
    z, y = logits.detach().numpy(), labels.numpy()
    expected = -np.mean(y * np.log(expit(z)) + (1 - y) * np.log(1 - expit(z)))
    assert objectives.cross_loss(logits, labels).item() == pytest.approx(expected, rel=1e-5)


def test_its_gradient_is_score_minus_label():
    (gradient,) = torch.autograd.grad(objectives.cross_loss(logits, labels), logits)
    np.testing.assert_allclose(gradient.numpy(), ((logits.sigmoid() - labels) / 3).detach().numpy(), rtol=1e-5)


def test_squared_error_of_scores_and_of_cosines():
    scores = logits.sigmoid().detach()
    assert objectives.cross_loss(logits, labels, "mse").item() == pytest.approx(float(((scores - labels) ** 2).mean()))
    first, second = torch.nn.functional.normalize(torch.randn(2, 3, 4), dim=-1)
    cosines = torch.nn.functional.cosine_similarity(first, second)
    assert objectives.bi_loss(first, second, labels).item() == pytest.approx(float(((cosines - labels) ** 2).mean()))


def at_cosine(cosine):
    """Two unit vectors with that cosine, shape (1, 2) each."""
    cosine = torch.as_tensor(cosine, dtype=torch.float64)
    other = torch.stack([cosine, (1 - cosine**2).clamp(min=0).sqrt()])
    return torch.tensor([[1.0, 0.0]], dtype=torch.float64), other[None]


def bi_cross_entropy(cosine, label):
    return objectives.bi_loss(*at_cosine(cosine), torch.tensor([label], dtype=torch.float64), "bce")


@pytest.mark.parametrize("label", [0.02, 0.3, 0.9, 0.98])
def test_both_losses_of_a_bi_encoder_are_least_where_the_cosine_is_the_label(label):
    grid = np.round(np.arange(-1, 1.001, 0.005), 3)
    found = np.array([bi_cross_entropy(cosine, label).item() for cosine in grid])
    assert grid[found.argmin()] == pytest.approx(label)
    assert (np.diff(found[grid <= label]) < 0).all()
    assert (np.diff(found[grid >= label]) > 0).all()
    inside = (grid >= objectives.EDGE) & (grid <= 1 - objectives.EDGE)
    formula = -label * np.log(grid[inside]) - (1 - label) * np.log(1 - grid[inside])
    np.testing.assert_allclose(found[inside], formula)
    np.testing.assert_allclose(
        np.diff(found[grid < 0], 2), 0, atol=1e-12
    )  # a straight line where there is no logarithm


@pytest.mark.parametrize("cosine", [-0.5, 0.0, 0.005, 0.2, 0.95, 0.995])
def test_the_pull_of_the_cosines_cross_entropy_is_its_formula_and_never_infinite(cosine):
    label, value = 0.6, torch.tensor(cosine, dtype=torch.float64, requires_grad=True)
    (pull,) = torch.autograd.grad(bi_cross_entropy(value, label), value)
    p = np.clip(cosine, objectives.EDGE, 1 - objectives.EDGE)
    assert pull.item() == pytest.approx((p - label) / (p * (1 - p)))


def test_simcse_is_its_formula_and_that_of_sentence_transformers():
    from sentence_transformers.util import cos_sim

    torch.manual_seed(0)
    first, second = torch.nn.functional.normalize(torch.randn(2, 5, 8), dim=-1)
    similarity = (cos_sim(first, second) / 0.05).numpy()
    expected = np.mean([logsumexp(similarity[i]) - similarity[i, i] for i in range(5)])
    assert objectives.simcse_loss(first, second).item() == pytest.approx(expected, rel=1e-5)


def test_stretching_keeps_ranks_inside_and_fills_the_range():
    values = np.random.default_rng(0).uniform(0.5, 0.9, 500)
    found = objectives.stretched(values)
    inside = (found > 0) & (found < 1)
    assert found.min() == 0
    assert found.max() == 1
    assert inside.mean() == pytest.approx(0.96, abs=0.01)
    np.testing.assert_array_equal(np.argsort(values[inside]), np.argsort(found[inside]))


def test_labels_outside_are_clipped_for_the_cross_entropy_only_and_counted():
    values = np.append(np.full(9, 0.5), -0.12)
    with pytest.warns(UserWarning, match=r"10\.0% of the labels were clipped"):
        found, share = objectives.prepared(values, "bce")
    assert found.min() == 0
    assert share == pytest.approx(0.1)
    assert objectives.prepared(values, "mse")[0].min() == -0.12


def test_many_labels_outside_are_refused():
    with pytest.raises(TransEncoderInputError, match="50% of the labels lie outside"):
        objectives.prepared(np.array([-1.0, 0.5]), "bce")


def test_unknown_losses_are_refused_with_the_nearest():
    with pytest.raises(TransEncoderInputError, match="cross_loss='bcee' is unknown; did you mean 'bce'"):
        objectives.cross_loss(logits, labels, "bcee")
    with pytest.raises(TransEncoderInputError, match="bi_loss='l1' is unknown"):
        objectives.bi_loss(torch.ones(1, 2), torch.ones(1, 2), labels[:1], "l1")
