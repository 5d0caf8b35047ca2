"""The optional image sets, with a stand-in for torchvision."""

import sys
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from reprise.data import DataError
from reprise.diva.torchvision_sets import load_torchvision
from reprise.errors import UnknownNameError


@pytest.fixture
def torchvision(monkeypatch):
    def flowers(root, split, download):
        if root == "nowhere":
            raise RuntimeError("no network")
        size = {"train": 4, "val": 2, "test": 3}[split]
        return [(Image.new("RGB", (20, 20), (place, 0, 0)), place % 2) for place in range(size)]

    module, sets = ModuleType("torchvision"), ModuleType("torchvision.datasets")
    sets.Flowers102 = flowers
    module.datasets = sets
    monkeypatch.setitem(sys.modules, "torchvision", module)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", sets)
    encoded = []
    monkeypatch.setattr(
        "reprise.diva.torchvision_sets.encode_images",
        lambda images, network, device: encoded.append(network) or np.ones((len(images), 5)),
    )
    return encoded


def test_the_splits_make_training_and_test_set(torchvision):
    task = load_torchvision("flowers-102", "somewhere")
    assert (task.n_train, len(task.labels), task.n_classes, task.features.shape) == (6, 9, 2, (9, 6))
    assert torchvision == ["resnet-34"]


def test_what_is_missing_is_said(torchvision, monkeypatch):
    with pytest.raises(UnknownNameError, match="unknown data set 'cars'"):
        load_torchvision("cars", "somewhere")
    with pytest.raises(DataError, match=r"split 'train', cannot be had in nowhere: no network. Connect"):
        load_torchvision("flowers-102", "nowhere")
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(DataError, match="needs torchvision, which is not installed"):
        load_torchvision("flowers-102", "somewhere")
