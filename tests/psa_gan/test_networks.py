from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import leaky_relu

from reprise.flops import parameter_count
from reprise.psa_gan.architecture import Architecture
from reprise.psa_gan.blocks import Block, SelfAttention, pool, upsample
from reprise.psa_gan.discriminator import Discriminator
from reprise.psa_gan.generator import ContextAdapter, Generator
from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.training import drawn_networks

PAPERS = {"n_features": 5, "n_categories": 414}
SMALL = Architecture(32, 5, 6, channels=8, embed_dim=4)


@pytest.fixture
def told():
    generator = torch.Generator().manual_seed(1)
    return {
        "category": torch.randint(6, (3,), generator=generator),
        "features": torch.rand(3, 5, 32, generator=generator) - 0.5,
    }


def noise_for(architecture, n=3):
    return torch.randn(n, architecture.noise_size, generator=torch.Generator().manual_seed(2))


def trained(architecture, seed=0):
    """Return networks whose gates are open, as after some training."""
    networks = drawn_networks(architecture, seed)
    for network in networks:
        for name, parameter in network.named_parameters():
            if name.endswith("gamma"):
                nn.init.constant_(parameter, 0.7)
    return networks


@pytest.mark.parametrize(
    ("window", "plain", "with_context", "critic"),
    [
        (16, 11_669, 14_941, 11_262),
        (32, 17_433, 26_809, 14_530),
        (64, 23_197, 48_061, 17_798),
        (128, 28_961, 62_113, 21_066),
        (256, 34_725, 76_165, 24_334),
    ],
)
def test_weight_counts_are_those_of_the_released_networks(window, plain, with_context, critic):
    architecture = Architecture(window, **PAPERS)
    assert parameter_count(Generator(architecture)) == plain
    assert parameter_count(Generator(replace(architecture, context=min(64, window)))) == with_context
    assert parameter_count(Discriminator(architecture)) == critic


@pytest.mark.parametrize("key_dim", [1, 3])
@pytest.mark.parametrize("spectral", [False, True])
def test_fused_attention_is_the_published_formula(key_dim, spectral):
    torch.manual_seed(0)
    layer = SelfAttention(8, key_dim, spectral=spectral).eval()
    nn.init.constant_(layer.gamma, 0.5)
    values = torch.randn(4, 8, 16)
    query, key, value = torch.cat([one(values) for one in layer.projections], 1).split(key_dim, 1)
    weights = torch.softmax(query.transpose(1, 2) @ key / key_dim**0.5, dim=-1)
    expected = 0.5 * layer.output(value @ weights.transpose(1, 2)) + values
    torch.testing.assert_close(layer(values), expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(layer.weights(values), weights)


def test_a_closed_gate_leaves_the_convolution_alone():
    torch.manual_seed(0)
    block = Block(5, 8).eval()
    values = torch.randn(2, 5, 8)
    assert torch.equal(block(values), leaky_relu(block.convolution(values), 0.01))


def test_every_normalised_layer_is_near_norm_one_from_the_start():
    generator, discriminator = drawn_networks(SMALL, 0)
    layers = [block.convolution for network in (generator, discriminator) for block in network.blocks]
    layers += [generator.output, discriminator.input, discriminator.output, discriminator.score]
    for layer in layers:
        norm = torch.linalg.matrix_norm(layer.eval().weight.flatten(1), 2)
        assert 0.98 < norm.item() < 1.3  # fifteen power iterations at construction
    attention = generator.blocks[0].attention.projections[0]
    assert not hasattr(attention, "parametrizations")
    spectral = Generator(replace(SMALL, spectral_attention=True)).blocks[0].attention
    for layer in (*spectral.projections, spectral.output):
        assert abs(torch.linalg.matrix_norm(layer.eval().weight.flatten(1), 2).item() - 1) < 1e-4


@pytest.mark.parametrize("how", ["nearest", "linear"])
def test_upsampling_keeps_the_mean_and_pooling_undoes_repetition(how):
    values = torch.randn(2, 3, 8)
    double = upsample(values, how)
    assert double.shape == (2, 3, 16)
    torch.testing.assert_close(double.mean(-1), values.mean(-1))
    if how == "nearest":
        assert torch.equal(pool(double, 8), values)


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("how", ["nearest", "linear"])
def test_step_zero_of_a_stage_leaves_the_output_merely_upsampled(depth, how, told):
    architecture = replace(SMALL, upsampling=how, context=6)
    generator = trained(architecture)[0].eval()
    told["context"] = torch.rand(3, 6)
    noise = noise_for(architecture)
    before = generator(noise, **told, depth=depth - 1)
    grown = generator(noise, **told, depth=depth, alpha=0.0)
    torch.testing.assert_close(grown, upsample(before[:, None], how)[:, 0], atol=1e-6, rtol=1e-5)
    assert not torch.allclose(grown, generator(noise, **told, depth=depth), atol=1e-3)


@pytest.mark.parametrize("length", [16, 32])
def test_step_zero_of_a_stage_leaves_the_score_of_the_pooled_window(length, told):
    discriminator = trained(SMALL)[1].eval()
    windows = torch.rand(3, length)
    grown = discriminator(windows, **told, alpha=0.0)
    before = discriminator(pool(windows[:, None], length // 2)[:, 0], **told)
    torch.testing.assert_close(grown, before, atol=1e-6, rtol=1e-5)


def test_the_official_fade_path_starts_at_random(told):
    architecture = replace(SMALL, fade="official")
    generator = trained(architecture)[0].eval()
    noise = noise_for(architecture)
    before = generator(noise, **told, depth=1)
    grown = generator(noise, **told, depth=2, alpha=0.0)
    assert not torch.allclose(grown, upsample(before[:, None])[:, 0], atol=1e-3)


def test_the_blend_is_the_blend_of_outputs(told):
    generator = trained(SMALL)[0].eval()
    noise = noise_for(SMALL)
    first, last, half = (generator(noise, **told, depth=2, alpha=alpha) for alpha in (0.0, 1.0, 0.5))
    torch.testing.assert_close(half, (first + last) / 2, atol=1e-6, rtol=1e-5)


def test_the_context_adapter_is_the_dense_network_on_stacked_inputs():
    torch.manual_seed(0)
    adapter = ContextAdapter(6, 8)
    values, context = torch.randn(3, 8, 16), torch.rand(3, 6)
    stacked = torch.cat([context[:, None].expand(-1, 16, -1), values.transpose(1, 2)], dim=-1)
    expected = values + adapter.output(leaky_relu(adapter.hidden(stacked), 0.01)).transpose(1, 2)
    torch.testing.assert_close(adapter(values, context), expected, atol=1e-6, rtol=1e-5)
    assert adapter.hidden.out_features == 3 + 8


def test_pooled_noise_is_faint_and_the_repair_restores_its_variance():
    n = 4000
    architecture = replace(SMALL, window=128)
    for kind, deviation in (("pooled", (8 / 128) ** 0.5), ("unit", 1.0)):
        layers = Generator(replace(architecture, noise=kind)).noise_layers(noise_for(architecture, n))
        assert len(layers) == 1
        assert layers[0].shape == (n, 1, 8)
        assert abs(layers[0].std().item() / deviation - 1) < 0.02
    fresh = replace(architecture, noise="fresh")
    layers = Generator(fresh).noise_layers(noise_for(fresh, n))
    assert [layer.shape[-1] for layer in layers] == list(fresh.lengths)
    assert all(abs(layer.std().item() - 1) < 0.02 for layer in layers)


@pytest.mark.parametrize(
    "changes",
    [{}, {"noise": "unit"}, {"noise": "fresh"}, {"attention": False}, {"key_dim": 2}, {"spectral_attention": True}],
)
def test_every_switch_gives_windows_of_each_length_and_gradients(changes, told):
    architecture = replace(SMALL, **changes)
    generator, discriminator = drawn_networks(architecture, 0)
    for depth, length in enumerate(architecture.lengths):
        windows = generator(noise_for(architecture), **told, depth=depth, alpha=0.5)
        assert windows.shape == (3, length)
        discriminator(windows, **told, alpha=0.5).sum().backward()
    assert all(p.grad is not None for p in [*generator.parameters(), *discriminator.parameters()])


def test_unconditional_networks_see_neither_calendar_nor_series(told):
    architecture = replace(SMALL, condition=False)
    generator, discriminator = (network.eval() for network in trained(architecture))
    other = {"category": (told["category"] + 1) % 6, "features": -told["features"]}
    noise = noise_for(architecture)
    windows = generator(noise, **told)
    assert torch.equal(windows, generator(noise, **other))
    assert torch.equal(discriminator(windows, **told), discriminator(windows, **other))
    conditional = trained(SMALL)[0].eval()
    assert not torch.allclose(conditional(noise, **told), conditional(noise, **other), atol=1e-3)


@pytest.mark.parametrize("alpha", [0.3, 1.0])
def test_real_and_synthetic_windows_together_score_as_they_do_apart(alpha, told):
    discriminator = trained(SMALL)[1].eval()
    real, fake = torch.rand(3, 32), torch.rand(3, 32)
    both = discriminator(torch.cat([real, fake]), **told, alpha=alpha)
    apart = torch.cat([discriminator(one, **told, alpha=alpha) for one in (real, fake)])
    torch.testing.assert_close(both, apart, atol=1e-6, rtol=1e-5)


def test_networks_of_a_seed_are_the_same_and_the_global_stream_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second, other = (drawn_networks(SMALL, seed)[0].state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["output.bias"], other["output.bias"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"window": 48}, "try 32 or 64"),
        ({"channels": 0}, "channels=0"),
        ({"context": -1}, "context=-1"),
        ({"upsampling": "cubic"}, "nearest or linear"),
        ({"noise": "none"}, "pooled or unit or fresh"),
        ({"fade": "slow"}, "identity or official"),
    ],
)
def test_unknown_switches_are_refused(changes, words):
    with pytest.raises(PSAGANInputError, match=words):
        replace(SMALL, **changes)
