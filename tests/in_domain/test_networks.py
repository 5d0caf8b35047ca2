import pytest
import torch

from reprise.errors import UnknownNameError
from reprise.in_domain.equivariant import RotationEquivariantCNN
from reprise.in_domain.models import APPROACHES, build_model, register_model
from reprise.in_domain.networks import SetEncoder, SoftArgmaxCNN, SpatialTransformer, coordinates

ON_CPU = [name for name, approach in APPROACHES.items() if approach.where == "CPU"]


def test_the_cnn_has_the_benchmarks_number_of_weights():
    assert sum(p.numel() for p in build_model("CNN", 1, 5, 64).parameters()) == 379_077


def test_the_mlp_has_as_many_weights_as_recalled():
    assert sum(p.numel() for p in build_model("MLP", 1, 5, 64).parameters()) == pytest.approx(0.39e6, rel=0.05)


@pytest.mark.parametrize("name", ON_CPU)
@pytest.mark.parametrize(("channels", "side"), [(1, 32), (3, 32), (1, 64)])
def test_every_model_maps_images_to_all_factors(name, channels, side):
    model = build_model(name, channels, 5, side).eval()
    assert model(torch.rand(2, channels, side, side)).shape == (2, 5)


@pytest.mark.parametrize(("name", "millions"), [("DenseNet-121", 6.95), ("ResNet-50", 23.5), ("ResNet-101", 42.5)])
def test_the_gpu_only_networks_are_there_with_their_known_size(name, millions):
    model = build_model(name, 1, 5, 64).eval()
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, rel=0.01)


def test_seventeen_approaches_are_listed_and_those_that_need_more_say_so():
    listed = [a for a in APPROACHES.values() if a.in_benchmark]
    assert len(listed) == 17
    assert sum(a.where != "CPU" for a in listed) == 7


def test_an_unfit_side_is_refused_with_the_size_that_would_be_left():
    with pytest.raises(ValueError, match=r"image_side=48: .* 4 x 4 map, and 4 halvings leave 3 x 3"):
        build_model("CNN", 1, 5, 48)
    with pytest.raises(ValueError, match="network for 64 x 64; build it with image_side=32"):
        build_model("CNN", 1, 5, 64)(torch.zeros(1, 1, 32, 32))


def test_unknown_models_are_refused_and_registered_ones_are_built():
    with pytest.raises(UnknownNameError, match=r"did you mean 'CNN'.*; CNN, soft-argmax; CNN, augmented"):
        build_model("CNNN", 1, 5)
    register_model("mine", lambda channels, factors, side: torch.nn.Linear(factors, factors))
    assert build_model("mine", 1, 5).in_features == 5
    with pytest.raises(ValueError, match="taken"):
        register_model("CNN", lambda channels, factors, side: torch.nn.Identity())


@pytest.mark.parametrize("side", [32, 64])
def test_the_c4_features_turn_with_the_image_exactly(side):
    torch.manual_seed(0)
    model = RotationEquivariantCNN(1, 5, side).double()
    images = torch.rand(2, 1, side, side, dtype=torch.float64)
    plain, turned = model.features(images), model.features(torch.rot90(images, 1, (-2, -1)))
    expected = torch.rot90(plain, 1, (-2, -1)).roll(1, 2)
    assert plain.shape[2:] == (4, 4, 4)
    torch.testing.assert_close(turned, expected, atol=1e-13, rtol=0)


def test_the_spatial_transformer_starts_as_the_identity():
    model = SpatialTransformer(1, 5, 32)
    images = torch.rand(2, 1, 32, 32)
    assert model.locate(images).tolist() == [[1, 0, 0, 0, 1, 0]] * 2


def test_the_set_encoder_does_not_care_for_the_order_of_pixels_but_for_their_places():
    torch.manual_seed(0)
    model = SetEncoder(1, 5, 32, width=16).eval()
    images = torch.rand(1, 1, 32, 32)
    assert not torch.allclose(model(images), model(images.flip(-1)))
    model.places.copy_(model.places.flip(0))
    torch.testing.assert_close(model(images.flip(-1).flip(-2)), _with_original_places(model, images))


@pytest.mark.parametrize("levels", [2, 5])
def test_pixels_counted_by_grey_level_have_the_mean_that_they_have_one_by_one(levels):
    torch.manual_seed(0)
    model = SetEncoder(1, 5, 32, width=16).double()
    images = torch.randint(levels, (9, 1, 32, 32)).double() / (levels - 1)
    pixels = images.flatten(2).transpose(1, 2)
    torch.testing.assert_close(model(images), model.head(model.mean(pixels)))
    counted = torch.autograd.grad(model(images).square().sum(), model.pixel[0].weight)[0]
    plain = torch.autograd.grad(model.head(model.mean(pixels)).square().sum(), model.pixel[0].weight)[0]
    torch.testing.assert_close(counted, plain)


def _with_original_places(model, images):
    model.places.copy_(model.places.flip(0))
    return model(images)


def test_the_soft_argmax_reads_the_place_of_a_dot_everywhere():
    model = SoftArgmaxCNN(1, 5, 32, horizontal=3, vertical=4)
    model.heat = torch.nn.Sequential(torch.nn.AvgPool2d(2), _Twice())
    for x, y in ((4, 10), (28, 20)):
        images = torch.zeros(1, 1, 32, 32)
        images[0, 0, y : y + 2, x : x + 2] = 1
        read = model(images)[0, 3:]
        expected = [coordinates(16)[0, y // 2, x // 2] + 0.5, coordinates(16)[1, y // 2, x // 2] + 0.5]
        torch.testing.assert_close(read, torch.tensor(expected), atol=1e-3, rtol=0)


class _Twice(torch.nn.Module):
    def forward(self, heat):
        return torch.cat([heat, heat], 1) * 50
