import pytest
import torch

from reprise.compute import torch_generator
from reprise.grda.networks import (
    ConditionalDiscriminator,
    Discriminator,
    Encoder,
    Predictor,
    StackedLinear,
    initialise,
    log_probabilities,
    reverse_gradient,
    seedwise,
)


def made(module, seeds, kind="default"):
    initialise(module, [torch_generator(seed, "initialisation") for seed in seeds], kind)
    return module


def test_the_encoder_has_the_papers_number_of_parameters():
    counts = [sum(p.numel() for p in module.parameters()) for module in (Encoder(1, 2, 2, 512), Predictor(1, 512, 2))]
    assert [round(count / 1e6, 2) for count in counts] == [3.94, 0.53]
    assert round(sum(p.numel() for p in Discriminator(1, 512, 2).parameters()) / 1e6, 2) == 1.31


def test_the_encoder_is_the_plain_network_of_the_paper():
    encoder = made(Encoder(1, 3, 2, 8), [0])
    x, z = torch.randn(1, 4, 5, 3), torch.randn(1, 4, 2)
    branch = torch.relu(x[0] @ encoder.input_branch[0].weight[0] + encoder.input_branch[0].bias[0])
    domain = z[0]
    for layer in (encoder.domain_branch[0], encoder.domain_branch[2]):
        domain = torch.relu(domain @ layer.weight[0] + layer.bias[0])
    both = torch.cat((branch, domain[:, None].expand(-1, 5, -1)), -1)
    weight = torch.cat((encoder.joint_from_input.weight[0], encoder.joint_from_domain.weight[0]))
    hidden = torch.relu(both @ weight + encoder.joint_from_input.bias[0])
    for layer in (encoder.rest[1], encoder.rest[3]):
        hidden = torch.relu(hidden @ layer.weight[0] + layer.bias[0])
    expected = hidden @ encoder.rest[5].weight[0] + encoder.rest[5].bias[0]
    torch.testing.assert_close(encoder(x, z)[0], expected)


def test_default_weights_are_those_of_pytorchs_linear_layer():
    layer = made(StackedLinear(1, 100, 400), [0])
    assert layer.weight.abs().max() <= 0.1
    assert layer.weight.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.02)
    assert layer.bias.abs().max() <= 0.1


def test_the_halves_of_the_joint_layer_count_all_its_inputs():
    encoder = made(Encoder(1, 2, 2, 50), [0])
    for part in (encoder.joint_from_input, encoder.joint_from_domain):
        assert 0.09 < part.weight.abs().max() <= 0.1


def test_paper_weights_are_small_and_biases_zero():
    layer = made(StackedLinear(2, 100, 400), [0, 1], "paper")
    assert layer.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert not layer.bias.any()


def test_an_unknown_initialisation_is_refused():
    with pytest.raises(ValueError, match="use 'default' or 'paper'"):
        made(Predictor(1, 4, 2), [0], "kaiming")


def test_a_seed_starts_alike_alone_and_in_company():
    alone, together = made(Predictor(1, 8, 2), [5]), made(Predictor(3, 8, 2), [4, 5, 6])
    for one, many in zip(alone.parameters(), together.parameters(), strict=True):
        assert torch.equal(one[0], many[1])
        assert not torch.equal(many[0], many[1])


@pytest.mark.parametrize("n_outputs", [1, 2, 15])
def test_a_layer_computes_a_seed_alike_alone_and_in_company(n_outputs):
    layer = made(StackedLinear(3, 64, n_outputs), [0, 1, 2])
    x = torch.randn(3, 5, 7, 64)
    for s in range(3):
        own = made(StackedLinear(1, 64, n_outputs), [s])
        assert torch.equal(layer(x)[s], own(x[s : s + 1])[0])


def test_the_conditional_discriminator_sees_its_condition():
    discriminator = made(ConditionalDiscriminator(2, 8, 3, 4), [0, 1])
    codes = torch.randn(2, 5, 6, 8)
    one, other = (discriminator(codes, torch.full((2, 5, 6, 3), value)) for value in (0.0, 1.0))
    assert one.shape == (2, 5, 6, 4)
    assert not torch.equal(one, other)


def test_reversing_keeps_values_and_turns_gradients():
    codes = torch.randn(3, requires_grad=True)
    out = reverse_gradient(codes, 0.3)
    assert torch.equal(out, codes)
    (gradient,) = torch.autograd.grad((out * torch.tensor([1.0, 2.0, 3.0])).sum(), codes)
    torch.testing.assert_close(gradient, torch.tensor([-0.3, -0.6, -0.9]))


def test_log_probabilities_are_bounded_below():
    scores = torch.tensor([[[1000.0, 0.0]]])
    torch.testing.assert_close(log_probabilities(scores).exp(), torch.tensor([[[1.0001, 0.0001]]]))


def test_an_elementwise_function_gives_a_seed_the_same_bits_alone_and_in_company():
    values = torch.randn(7, 3, 11)
    together = seedwise(torch.nn.functional.softplus, values)
    alone = torch.cat([seedwise(torch.nn.functional.softplus, values[s : s + 1]) for s in range(7)])
    assert torch.equal(together, alone)
    torch.testing.assert_close(together, torch.nn.functional.softplus(values))
