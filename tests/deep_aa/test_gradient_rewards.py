"""Cosine, rewards and policy gradient against brute force: one backward pass an image, in double precision."""

import pytest
import torch
from torch import nn

from reprise.deep_aa.gradient_rewards import (
    LastLayerGradients,
    WeightGradients,
    cosine,
    cross_entropy,
    direction,
    gradient_rewards,
    policy_gradient,
    trained_weights,
)
from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.deep_aa.networks import DigitNetwork, WideResNet

N_CLASSES, N_TRANSFORMATIONS = 3, 7


@pytest.fixture(scope="module")
def problem():
    generator = torch.Generator().manual_seed(0)
    model = WideResNet(10, 1, N_CLASSES, mean=[0.5] * 3, deviation=[0.2] * 3, stem_stride=2, generator=generator)
    images = torch.rand(N_TRANSFORMATIONS, 3, 16, 16, generator=generator, dtype=torch.float64)
    validation = torch.rand(5, 3, 16, 16, generator=generator, dtype=torch.float64)
    model = model.double()
    model(images.float().double())  # statistics of batch normalisation that are not those of its start
    probabilities = torch.rand(N_TRANSFORMATIONS, generator=generator, dtype=torch.float64).softmax(0)
    return model.eval(), images, validation, probabilities


def brute_force(model, images, label):
    """Return the D × T matrix of gradients, one backward pass an image."""
    weights = [p for n, p in model.named_parameters() if n in trained_weights(model)]
    columns = []
    for image in images:
        loss = cross_entropy(model(image[None]), torch.tensor([label])).sum()
        columns.append(torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, weights)]))
    return torch.stack(columns, dim=1)


def test_rewards_are_those_of_brute_force_and_pay_nothing_on_average(problem):
    model, images, validation, p = problem
    G = brute_force(model, images, 1)
    v = brute_force(model, validation, 1).mean(1)
    found, rewards = gradient_rewards(model, images, torch.ones(7, dtype=torch.long), p, v)
    assert found == pytest.approx(float(torch.nn.functional.cosine_similarity(v, G @ p, dim=0)), abs=1e-12)
    torch.testing.assert_close(rewards, G.T @ direction(v, G @ p), rtol=1e-9, atol=1e-12)
    assert abs(float(p @ rewards)) < 1e-14


def test_the_policy_gradient_is_autograds_through_the_cosine(problem):
    model, images, validation, p = problem
    G, v = brute_force(model, images, 2), brute_force(model, validation, 2).mean(1)
    theta = p.log().requires_grad_(True)
    (expected,) = torch.autograd.grad(cosine(v, G @ theta.softmax(0)), theta)
    found = policy_gradient(p, G.T @ direction(v, G @ p))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-15)


def test_the_direction_is_orthogonal_to_g_and_the_gradient_of_the_cosine():
    v, g = torch.randn(2, 11, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    g.requires_grad_(True)
    (expected,) = torch.autograd.grad(cosine(v, g), g)
    torch.testing.assert_close(direction(v, g.detach()), expected)
    assert abs(float(direction(v, g.detach()) @ g.detach())) < 1e-15


@pytest.mark.parametrize("scale", [0.01, 100.0])
def test_the_length_of_v_does_not_matter(problem, scale):
    model, images, validation, p = problem
    labels = torch.zeros(7, dtype=torch.long)
    v = brute_force(model, validation, 0).mean(1)
    for one, other in zip(
        gradient_rewards(model, images, labels, p, v),
        gradient_rewards(model, images, labels, p, scale * v),
        strict=True,
    ):
        torch.testing.assert_close(torch.as_tensor(one), torch.as_tensor(other))


def test_finite_differences_are_the_forward_mode_rewards(problem):
    model, images, validation, _ = problem
    exact, finite = WeightGradients(model), WeightGradients(model, method="finite differences", finite_step=1e-6)
    labels = torch.ones(7, dtype=torch.long)
    v = exact.mean_gradient(validation, torch.ones(5, dtype=torch.long))
    u = direction(v, exact.mean_gradient(images, labels))
    torch.testing.assert_close(
        finite.rewards(images, labels, u), exact.rewards(images, labels, u), rtol=1e-4, atol=1e-6
    )


def test_scales_and_shifts_of_normalisation_carry_no_gradient(problem):
    model = problem[0]
    named = dict(model.named_parameters())
    left_out = set(named) - set(trained_weights(model))
    assert left_out
    assert all("norm" in name for name in left_out)
    assert WeightGradients(model).n_weights == sum(named[n].numel() for n in trained_weights(model))


def test_weighted_and_plain_means_agree(problem):
    model, images, _, _ = problem
    labels = torch.ones(7, dtype=torch.long)
    for gradients in (WeightGradients(model), LastLayerGradients(model)):
        equal = gradients.mean_gradient(images, labels, torch.full((7,), 1 / 7))
        torch.testing.assert_close(equal, gradients.mean_gradient(images, labels))


def test_the_last_layer_is_the_full_gradient_cut_to_its_weights(problem):
    model, images, validation, p = problem
    labels = torch.ones(7, dtype=torch.long)
    last = LastLayerGradients(model)
    n_bias = N_CLASSES
    whole = brute_force(model, images, 1)[-(64 * N_CLASSES + n_bias) :]
    weight, bias = whole[:-n_bias].view(N_CLASSES, 64, -1), whole[-n_bias:, None]
    expected = torch.cat([weight, bias], dim=1).flatten(0, 1)
    torch.testing.assert_close(last.mean_gradient(images, labels, p), expected @ p)
    delta, h = last.factors(images, labels)
    torch.testing.assert_close(expected.T @ expected, (delta @ delta.T) * (h @ h.T))
    v = last.mean_gradient(validation, torch.ones(5, dtype=torch.long))
    _, rewards = gradient_rewards(model, images, labels, p, v, params="last")
    torch.testing.assert_close(rewards, expected.T @ direction(v, expected @ p))


def test_any_torch_model_and_loss_will_do():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.Tanh(), nn.Linear(4, 1)).double().eval()
    images = torch.rand(6, 1, 8, 8, dtype=torch.float64)
    p = torch.full((6,), 1 / 6, dtype=torch.float64)

    def squared(outputs, targets):
        return (outputs[:, 0] - targets) ** 2

    targets = torch.ones(6, dtype=torch.float64)
    v = WeightGradients(model, squared).mean_gradient(images.flip(0), 2 * targets)
    _, rewards = gradient_rewards(model, images, targets, p, v, loss=squared)
    assert abs(float(p @ rewards)) < 1e-14
    assert rewards.abs().max() > 0


def test_a_model_in_training_mode_is_refused():
    model = DigitNetwork(mean=[0.5] * 3, deviation=[0.2] * 3).train()
    with pytest.raises(DeepAAInputError, match=r"model.eval\(\)"):
        WeightGradients(model)


def test_a_model_without_weights_is_refused_and_what_was_left_out_is_named():
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3 * 64, 2))
    model[2].requires_grad_(False)
    with pytest.raises(DeepAAInputError, match=r"0.bias, 0.weight"):
        WeightGradients(model.eval())
    with pytest.raises(DeepAAInputError, match=r"torch\.nn\.Linear"):
        LastLayerGradients(nn.Conv2d(3, 3, 1).eval())


@pytest.mark.parametrize(("option", "value"), [("params", "first"), ("method", "forward")])
def test_unknown_options_are_refused(problem, option, value):
    model, images, _, p = problem
    with pytest.raises(DeepAAInputError, match=value):
        gradient_rewards(model, images, torch.ones(7, dtype=torch.long), p, torch.ones(1), **{option: value})


def test_a_gradient_of_zero_is_refused(problem):
    model, images, _, p = problem
    labels = torch.ones(7, dtype=torch.long)
    with pytest.raises(DeepAAInputError, match="fitted perfectly"):
        gradient_rewards(model, images, labels, p, torch.zeros(WeightGradients(model).n_weights, dtype=torch.float64))


class TwoDense(nn.Module):
    """A network that defines its head before its body."""

    def __init__(self, bias=True):
        super().__init__()
        self.head = nn.Linear(5, 5, bias=bias)
        self.body, self.unused = nn.Linear(64, 5), nn.Linear(5, 5)

    def forward(self, images):
        return self.head(torch.tanh(self.body(images.flatten(1))))


@pytest.mark.parametrize("bias", [True, False])
def test_the_last_layer_is_the_one_that_gives_the_logits_wherever_it_is_defined(bias):
    torch.manual_seed(0)
    model = TwoDense(bias).double().eval()
    images, labels = torch.rand(4, 1, 8, 8, dtype=torch.float64), torch.tensor([0, 1, 2, 4])
    found = LastLayerGradients(model).mean_gradient(images, labels)
    loss = nn.functional.cross_entropy(model(images), labels)
    expected = torch.autograd.grad(loss, list(model.head.parameters()))
    columns = [expected[0]] if not bias else [expected[0], expected[1][:, None]]
    torch.testing.assert_close(found, torch.cat(columns, dim=1).flatten())


def test_heads_that_give_no_logits_or_are_not_trained_are_refused():
    images, labels = torch.rand(2, 1, 8, 8), torch.tensor([0, 1])
    scaled = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.Tanh()).eval()
    with pytest.raises(DeepAAInputError, match=r"none of 1 does\. Use params='all'"):
        LastLayerGradients(scaled).mean_gradient(images, labels)
    model = TwoDense().eval()
    model.head.requires_grad_(False)
    with pytest.raises(DeepAAInputError, match="requires no gradient"):
        LastLayerGradients(model).mean_gradient(images, labels)


def test_coarse_weights_are_refused_for_finite_differences_only():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).half().eval()
    WeightGradients(model)
    with pytest.raises(DeepAAInputError, match=r"steps that weights of float16 round away; use method='jvp'"):
        WeightGradients(model, method="finite differences")


class Attention(nn.Module):
    """A network whose fast path has no forward-mode derivative."""

    def __init__(self):
        super().__init__()
        self.attend = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, images):
        return self.head(self.attend(images[:, 0]).mean(1))


def test_a_model_without_forward_mode_is_told_of_finite_differences():
    model, images, labels = Attention().eval(), torch.rand(2, 1, 8, 8), torch.tensor([0, 1])
    for method in ("jvp", "finite differences"):
        gradients = WeightGradients(model, method=method)
        u = gradients.mean_gradient(images, labels)
        if method == "jvp":
            with pytest.raises(DeepAAInputError, match="use method='finite differences'"):
                gradients.rewards(images, labels, u)
        else:
            assert gradients.rewards(images, labels, u).shape == (2,)


def test_the_scale_of_every_normalisation_is_left_out():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.RMSNorm(4), nn.LayerNorm(4), nn.Linear(4, 3))
    assert set(trained_weights(model)) == {"1.weight", "1.bias", "4.weight", "4.bias"}
