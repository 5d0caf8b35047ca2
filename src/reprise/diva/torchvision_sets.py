"""The paper's own image sets, for those who have torchvision, a network connection and time.

No part of the study: nothing here is pinned or hashed. The original host of Stanford Cars is gone, MIT Indoor-67 is not
in torchvision, and Caltech-256 has no split of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from reprise.data import DataError
from reprise.diva.data import Task, prepared
from reprise.diva.encoders import encode_images
from reprise.errors import unknown_name

# Class in torchvision.datasets, and the splits that make the training set and the test set.
TORCHVISION_SETS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "aircraft": ("FGVCAircraft", ("trainval",), "test"),
    "flowers-102": ("Flowers102", ("train", "val"), "test"),
    "pets": ("OxfordIIITPet", ("trainval",), "test"),
    "svhn": ("SVHN", ("train",), "test"),
}


def load_torchvision(
    name: str, root: str | Path, *, network: str = "resnet-34", device: str = "cpu", download: bool = True
) -> Task:
    """Return an image set of the paper as a task on frozen features, for `DivaReweight` and the closed forms.

    Parameters
    ----------
    name
        One of ``TORCHVISION_SETS``.
    root
        Folder for the downloaded images.
    network, device
        The frozen network (see `reprise.diva.encoders`) and where it runs.
    download
        Whether missing files may be downloaded.

    Raises
    ------
    UnknownNameError
        If there is no such set.
    DataError
        If torchvision is missing, or the images cannot be had.
    """
    if name not in TORCHVISION_SETS:
        raise unknown_name("data set", name, sorted(TORCHVISION_SETS))
    try:
        from torchvision import datasets  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise DataError(
            f"data set {name!r} needs torchvision, which is not installed: install the build that fits your torch, or "
            "use one of the data sets of `reprise data list diva`."
        ) from error
    kind, train, test = TORCHVISION_SETS[name]
    images: list[Any] = []
    labels: list[int] = []
    for split in (*train, test):
        n_train = len(images)
        try:
            part = getattr(datasets, kind)(root=str(root), split=split, download=download)
        except (RuntimeError, OSError) as error:
            raise DataError(
                f"data set {name!r}, split {split!r}, cannot be had in {root}: {error}. Connect to a network and use "
                "download=True, or put the files there."
            ) from error
        for image, label in part:
            images.append(np.asarray(image.convert("RGB")))
            labels.append(int(label))
    features = prepared(encode_images(images, network, device=device))
    names = tuple(str(number) for number in range(max(labels) + 1))
    return Task(name, features, np.array(labels), n_train, names)
