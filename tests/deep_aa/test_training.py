"""Training: the schedule, what is decayed, pairing, and networks of the sizes that the paper names."""

import pytest
import torch

from reprise.compute import torch_generator
from reprise.deep_aa.networks import DigitNetwork, WideResNet
from reprise.deep_aa.training import Recipe, accuracy, as_floats, make_optimiser, nothing, rate_at, train
from reprise.flops import parameter_count

LOOK = {"mean": [0.5] * 3, "deviation": [0.25] * 3}


def test_the_rate_rises_linearly_and_falls_by_half_a_cosine():
    recipe = Recipe(learning_rate=0.1, warmup=0.25)
    rates = [rate_at(step, 40, recipe) for step in range(40)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(0.1)
    assert rates[25] == pytest.approx(0.05)
    assert rates[-1] < 0.001
    assert rate_at(0, 40, Recipe(learning_rate=0.1, warmup=0.0)) == pytest.approx(0.1)


@pytest.mark.parametrize(("depth", "width", "stride", "expected"), [(10, 1, 2, 78_186), (40, 2, 1, 2.2e6)])
def test_networks_have_the_papers_sizes(depth, width, stride, expected):
    network = WideResNet(depth, width, **LOOK, stem_stride=stride)
    assert parameter_count(network) == pytest.approx(expected, rel=0.03)
    assert network.eval()(torch.rand(2, 3, 32, 32)).shape == (2, 10)


def test_wrn_28_10_has_36_5_million_weights():
    with torch.device("meta"):
        network = WideResNet(28, 10, **LOOK)
    assert parameter_count(network) == pytest.approx(36.5e6, rel=0.005)


def test_depths_that_are_none_are_refused():
    with pytest.raises(ValueError, match="depth=11"):
        WideResNet(11, 1, **LOOK)


def test_normalisation_is_not_decayed():
    groups = make_optimiser(WideResNet(10, 1, **LOOK), Recipe()).param_groups
    assert [group["weight_decay"] for group in groups] == [5e-4, 0.0]
    assert sum(p.numel() for p in groups[1]["params"]) == 2 * (16 + 16 + 16 + 32 + 32 + 64 + 64)


@pytest.fixture(scope="module")
def images():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 2
    noise = torch.randint(0, 60, (60, 3, 16, 16), generator=generator)
    return (noise + 150 * labels[:, None, None, None]).to(torch.uint8), labels


def trained(images, augmentation=nothing, seed=0):
    network = DigitNetwork(2, **LOOK, generator=torch_generator(0, "weights"))
    recipe = Recipe(4, 16, 2e-3, 0.1, optimiser="adamw")
    return train(network, *images, augmentation, recipe, seed=seed)


def test_training_learns_repeats_and_ends_in_evaluation_mode(images):
    first, again, other = trained(images), trained(images), trained(images, seed=1)
    assert accuracy(first, *images) == 100.0
    assert not first.training
    outputs = [network(as_floats(images[0])) for network in (first, again, other)]
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


def test_every_pass_draws_anew_and_the_order_does_not_depend_on_the_augmentation(images):
    seen = []

    def keep(batch, generator):
        seen.append(torch.rand(1, generator=generator).item())
        return batch

    plain, drawn = trained(images), trained(images, keep)
    assert len(set(seen)) == 4
    assert torch.equal(plain(as_floats(images[0])), drawn(as_floats(images[0])))


def test_gradients_are_clipped_and_an_incomplete_batch_is_left_out(images, monkeypatch):
    norms, batches = [], []
    step = torch.optim.SGD.step

    def recorded(optimiser, *arguments):
        weights = [p for group in optimiser.param_groups for p in group["params"]]
        norms.append(float(torch.stack([p.grad.norm() for p in weights]).norm()))
        return step(optimiser, *arguments)

    monkeypatch.setattr(torch.optim.SGD, "step", recorded)
    x, y = images

    def counted(drawn, generator):
        batches.append(len(drawn))
        return drawn

    recipe = Recipe(1, len(x) - 1, clip=1e-3)
    train(DigitNetwork(2, **LOOK, generator=torch.Generator().manual_seed(0)), x, y, counted, recipe, seed=0)
    assert len(norms) == 1
    assert norms[0] == pytest.approx(1e-3, rel=1e-3)
    assert batches == [len(x)]


def test_the_optimiser_looks_ahead():
    optimiser = make_optimiser(DigitNetwork(2, **LOOK), Recipe())
    assert optimiser.defaults["nesterov"]
    assert optimiser.defaults["momentum"] == 0.9


def test_a_diverged_network_has_no_accuracy(images):
    network = DigitNetwork(2, **LOOK)
    with torch.no_grad():
        network.head.bias.fill_(float("inf"))
    assert accuracy(network.eval(), *images) != accuracy(network, *images)
