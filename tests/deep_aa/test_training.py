"""Training: the schedule, what is decayed, pairing, and networks of the sizes that the paper names."""

import pytest
import torch

from reprise.compute import torch_generator
from reprise.deep_aa.image_checks import DeepAAInputError
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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: WideResNet(11, 1, **LOOK), "depth=11 is not 6n"),
        (lambda: WideResNet(4, 1, **LOOK), "depth=4 is not 6n"),
        (lambda: WideResNet(10.0, 1, **LOOK), "depth=10.0 must be a whole number"),
        (lambda: WideResNet(10, 0, **LOOK), "width=0 must be a whole number"),
        (lambda: WideResNet(10, 1, 0, **LOOK), "n_classes=0 must be a whole number"),
        (lambda: WideResNet(10, 1, **LOOK, stem_stride=0), "stem_stride=0"),
        (lambda: WideResNet(10, 1, **LOOK, initialisation="xavier"), "initialisation='xavier' is unknown"),
        (lambda: WideResNet(10, 1, mean=[0.5] * 3, deviation=[0.25]), "mean has 3 numbers and deviation 1"),
        (lambda: WideResNet(10, 1, mean=[], deviation=[]), "mean has 0 numbers"),
        (lambda: WideResNet(10, 1, mean=[float("nan")], deviation=[1.0]), "must be finite"),
        (lambda: WideResNet(10, 1, mean=[0.5], deviation=[0.0]), "must be numbers above 0; for a channel that never"),
        (lambda: DigitNetwork(2, mean=[0.5], deviation=[-1.0]), "must be numbers above 0"),
        (lambda: DigitNetwork(0, **LOOK), "n_classes=0"),
    ],
)
def test_networks_that_make_no_sense_are_refused(call, message):
    with pytest.raises(DeepAAInputError, match=message):
        call()


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.rand(2, 1, 16, 16), r"takes \(B, 3, H, W\)"),  # one channel would be broadcast to three
        (torch.rand(3, 16, 16), r"takes \(B, 3, H, W\)"),
        (torch.zeros(2, 3, 16, 16, dtype=torch.uint8), "dtype uint8; give floats"),
    ],
)
@pytest.mark.parametrize("network", [WideResNet(10, 1, **LOOK), DigitNetwork(2, **LOOK)], ids=["wide", "digit"])
def test_networks_refuse_what_are_no_such_images(network, images, message):
    with pytest.raises(DeepAAInputError, match=message):
        network.eval()(images)


def test_the_digits_network_refuses_images_of_another_size():
    with pytest.raises(DeepAAInputError, match="images are 32 x 32 pixels; this network takes 16 x 16"):
        DigitNetwork(2, **LOOK)(torch.rand(2, 3, 32, 32))


def test_an_optimiser_that_is_none_is_refused():
    with pytest.raises(DeepAAInputError, match="optimiser='adam' is unknown; did you mean 'adamw'"):
        make_optimiser(DigitNetwork(2, **LOOK), Recipe(optimiser="adam"))


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
