"""The networks read from files: shapes, padding, arithmetic, and the accuracy that a right reading must give."""

import numpy as np
import pytest
import torch

from reprise.data import DataError, fetch
from reprise.diva import encoders
from reprise.diva.encoders import MOBILENETS, cached_features, encode_images, image_encoder
from reprise.diva.mobilenet import MobileNet, same_padding


@pytest.mark.parametrize("size", [5, 6, 7, 112])
@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("stride", [1, 2])
def test_padding_keeps_the_size_over_the_stride(size, kernel, stride):
    before, after = same_padding(size, kernel, stride)
    assert (size + before + after - kernel) // stride + 1 == -(-size // stride)
    assert 0 <= after - before <= 1


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("network", "side", "n_features", "millions"),
    [
        ("mobilenet-v1-0.25", 128, 256, 13.3),
        ("mobilenet-v1-0.5", 160, 512, 75.6),
        ("mobilenet-v2-1.0", 224, 1280, 299),
    ],
)
def test_networks_have_the_published_size(network, side, n_features, millions):
    model = MobileNet(fetch(MOBILENETS[network]))
    assert (model.side, model.n_features) == (side, n_features)
    assert model.multiply_adds / 1e6 == pytest.approx(millions, rel=0.03)
    features = model(torch.zeros(2, side, side, 3, dtype=torch.uint8))
    assert features.shape == (2, n_features)
    assert features.isfinite().all()
    assert features.min() >= 0 or network == "mobilenet-v2-1.0"


@pytest.mark.real_data
def test_frozen_features_tell_flowers_apart():
    from reprise.diva.data import labelled_images, one_hot, prepared
    from reprise.diva.ridge import solve

    images, labels, n_train, names = labelled_images("flowers12")
    assert (len(images), n_train, len(names)) == (960, 720, 12)
    train = np.arange(0, n_train, 6)
    test = np.arange(n_train, 960, 4)
    chosen = [images[row] for row in (*train, *test)]
    rows = torch.from_numpy(prepared(encode_images(chosen, "mobilenet-v1-0.25")))
    targets = torch.from_numpy(one_hot(labels[train], 12))
    ridge = solve(rows[: len(train)], targets, torch.ones(len(train), dtype=torch.float64), 0.1)
    weights = rows[: len(train)].T @ ridge.dual_coefficients
    accuracy = ((rows[len(train) :] @ weights).argmax(1).numpy() == labels[test]).mean()
    assert accuracy > 0.8


@pytest.mark.real_data
@pytest.mark.parametrize(("data_set", "expected"), [("flowers12", 4.58), ("cub50", 17.25)])
def test_the_errors_of_the_frozen_features_are_those_of_a_second_implementation(data_set, expected):
    from reprise.diva.data import load, one_hot
    from reprise.diva.ridge import solve
    from reprise.diva.weighting import coefficients

    task = load(data_set)
    features = torch.from_numpy(task.features)
    train, test = features[: task.n_train], features[task.n_train :]
    targets = torch.from_numpy(one_hot(task.labels[: task.n_train], task.n_classes))
    found = coefficients(solve(train, targets, torch.ones(task.n_train, dtype=torch.float64), 0.1), train)
    error = 100 * ((test @ found).argmax(1).numpy() != task.labels[task.n_train :]).mean()
    assert error == pytest.approx(expected, abs=0.01)


@pytest.mark.real_data
def test_flipping_an_image_is_encoding_the_flipped_image():
    image = np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)
    network = "mobilenet-v1-0.25"
    flipped = encode_images([np.ascontiguousarray(image[:, ::-1])], network)
    np.testing.assert_allclose(encode_images([image], network, flip="horizontal"), flipped, atol=0.05)


def test_unknown_networks_and_missing_libraries_are_named(monkeypatch):
    import sys

    with pytest.raises(DataError, match="network 'vgg' is unknown; use one of mobilenet"):
        image_encoder("vgg")
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(DataError, match="'resnet-34' needs torchvision"):
        image_encoder("resnet-34")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(DataError, match="'clip-vit-b-32' needs transformers and the weights"):
        image_encoder("clip-vit-b-32")
    with pytest.raises(DataError, match="encoding sentences needs transformers"):
        encoders.encode_sentences(["a"])
    monkeypatch.setitem(sys.modules, "tflite", None)
    with pytest.raises(DataError, match="needs the package tflite"):
        MobileNet(__file__)


def test_features_are_computed_once_for_equal_inputs(tmp_path, monkeypatch):
    monkeypatch.setattr(encoders, "build_folder", lambda: tmp_path)
    calls = []

    def compute():
        calls.append(1)
        return np.arange(6.0).reshape(2, 3)

    first, second = (cached_features("x", ["a", "b"], compute) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len(calls) == 1
    cached_features("x", ["a", "c"], compute)
    assert len(calls) == 2
