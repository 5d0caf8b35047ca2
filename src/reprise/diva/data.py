"""The data sets as learning tasks on frozen features: birds, flowers, small photographs, bank questions, digits."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from reprise.compute import numpy_generator
from reprise.data import DataError, fetch, fetch_all
from reprise.diva.encoders import MOBILENETS, cached_features, content_hashes, encode_images, encode_sentences
from reprise.errors import unknown_name

DATA_SETS = ("digits", "cub50", "flowers12", "cifar10-4k", "banking77")
IMAGE_SETS = ("cub50", "flowers12", "cifar10-4k")
FLIPS = ("none", "horizontal", "vertical")
N_BIRDS = 50
N_DIGITS_TRAIN = 800
N_FOURIER = 500
N_CIFAR_TRAIN = 4000
CIFAR_FILES = ("0", "1", "2", "3", "50")
CIFAR_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True)
class Task:
    """A classification task on features.

    Attributes
    ----------
    name
        Of the data set.
    features
        Z, float64 of shape (n, m); rows have length 1, with a constant 1 appended where `prepared` made them.
    labels
        Class of each row, 0 .. k-1, (n,).
    n_train
        The first rows are the given training set, the others the test set.
    class_names
        Name of each class.
    """

    name: str
    features: np.ndarray
    labels: np.ndarray
    n_train: int
    class_names: tuple[str, ...]

    @property
    def n_classes(self) -> int:
        """Number of classes, k."""
        return len(self.class_names)

    def resplit(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of training and test: the given ones for seed 0, else drawn anew with the same sizes a class.

        The rows of all resplits come from the union of both sets, so that they overlap.
        """
        given = np.arange(self.n_train), np.arange(self.n_train, len(self.labels))
        if seed == 0:
            return given
        generator = numpy_generator(seed, "diva", self.name, "resplit")
        train, test = [], []
        for label in range(self.n_classes):
            rows = generator.permutation(np.flatnonzero(self.labels == label))
            n_train = int((self.labels[: self.n_train] == label).sum())
            train.append(rows[:n_train])
            test.append(rows[n_train:])
        return np.sort(np.concatenate(train)), np.sort(np.concatenate(test))


def prepared(features: np.ndarray) -> np.ndarray:
    """Return rows scaled to length 1, with a constant 1 appended: the intercept, penalised as all the rest."""
    features = np.asarray(features, dtype=np.float64)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.hstack([features / np.where(lengths > 0, lengths, 1.0), np.ones((len(features), 1))])


def one_hot(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return Y, float64 of shape (n, k)."""
    return np.eye(n_classes)[labels]


@cache
def load(name: str, network: str = "mobilenet-v1-0.5", flip: str = "none", device: str = "cpu") -> Task:
    """Load a data set as a task.

    Parameters
    ----------
    name
        One of ``DATA_SETS``.
    network
        The frozen network of image sets; digits and questions have their own features.
    flip
        What is done to every image before: one of ``FLIPS``.
    device
        Where the frozen network runs; features are cached.

    Raises
    ------
    UnknownNameError
        If there is no such data set.
    DataError
        If a file, or what is needed to read it, is missing.
    """
    if name == "digits":
        digits, labels, n_train = digit_images()
        rows = _flipped(digits, flip).reshape(len(digits), -1)
        return Task(name, prepared(fourier_features(rows)), labels, n_train, tuple("0123456789"))
    if name == "banking77":
        sentences, labels, n_train, names = banking_sentences()
        features = _sentence_features("banking77", sentences, ["banking77/*.csv"], device)
        return Task(name, prepared(features), labels, n_train, names)
    images, labels, n_train, names = labelled_images(name)
    files = [MOBILENETS[network]] if network in MOBILENETS else []
    inputs = [*content_hashes([f"{name}/*", *files]), network, flip, device]
    features = cached_features(
        f"{name}-{network}-{flip}", inputs, lambda: encode_images(images, network, flip=flip, device=device)
    )
    return Task(name, prepared(features), labels, n_train, names)


def _sentence_features(name: str, sentences: Sequence[str], patterns: Sequence[str], device: str) -> np.ndarray:
    inputs = [*content_hashes(patterns), "minilm-l6-v2", device]
    return cached_features(f"{name}-minilm", inputs, lambda: encode_sentences(sentences, device))


def class_name_features(name: str, device: str = "cpu") -> np.ndarray:
    """Return the features of the class names of a text data set, one row a class, in the space of its sentences."""
    if name != "banking77":
        raise DataError(f"class names and samples of {name!r} share no space; only those of banking77 do.")
    names = banking_sentences()[3]
    return prepared(_sentence_features("banking77-names", names, ["banking77/categories.json"], device))


# ---- digits ----------------------------------------------------------------------------------------------------------


@cache
def digit_images() -> tuple[np.ndarray, np.ndarray, int]:
    """Return scikit-learn's digits, (1797, 8, 8) in [0, 1], in an order that makes the first 800 a stratified draw."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    generator = numpy_generator(0, "diva", "digits", "order")
    order = generator.permutation(len(labels))
    # Rank within the class, then chance: any beginning has equal shares.
    rank = np.empty(len(order), dtype=int)
    for label in range(10):
        at = np.flatnonzero(labels[order] == label)
        rank[at] = np.arange(len(at))
    order = order[np.argsort(rank, kind="stable")]
    return (images[order] / 16).reshape(-1, 8, 8), labels[order].astype(np.int64), N_DIGITS_TRAIN


def fourier_features(rows: np.ndarray) -> np.ndarray:
    """Return random Fourier features sqrt(2/500) cos(xR + b): a linear model on them is a kernel machine.

    R has entries N(0, 1/16), b is uniform on [0, 2π]; both are the same in every call.
    """
    generator = numpy_generator(0, "diva", "digits", "fourier")
    directions = generator.normal(scale=0.25, size=(rows.shape[1], N_FOURIER))
    phases = generator.uniform(0, 2 * np.pi, N_FOURIER)
    return np.sqrt(2 / N_FOURIER) * np.cos(rows @ directions + phases)


def _flipped(images: np.ndarray, flip: str) -> np.ndarray:
    if flip not in FLIPS:
        raise unknown_name("flip", flip, list(FLIPS))
    return {"none": images, "horizontal": images[:, :, ::-1], "vertical": images[:, ::-1]}[flip]


# ---- images ----------------------------------------------------------------------------------------------------------

Labelled = tuple[Sequence[Any], np.ndarray, int, tuple[str, ...]]


def labelled_images(name: str) -> Labelled:
    """Return images (paths or arrays), labels, the size of the given training set, and the class names."""
    readers = {"cub50": _birds, "flowers12": _flowers, "cifar10-4k": _photographs}
    if name not in readers:
        raise unknown_name("data set", name, list(DATA_SETS))
    return readers[name]()


def _table(path: Path) -> dict[int, str]:
    """Read lines of the form ``id, value``."""
    lines = path.read_text("utf-8").splitlines()
    return {int(line.split(",")[0]): line.split(",", 1)[1].strip() for line in lines if line.strip()}


def _birds() -> Labelled:
    files = fetch_all("cub50/*")
    paths, labels, split, classes = (
        _table(files[f"cub50/{part}.txt"]) for part in ("images", "image_class_labels", "train_test_split", "classes")
    )
    present = [i for i in sorted(paths) if int(labels[i]) < N_BIRDS and f"cub50/images/{paths[i]}" in files]
    order = [i for i in present if split[i] == "1"] + [i for i in present if split[i] != "1"]
    names = tuple(classes[number].replace("_", " ") for number in range(N_BIRDS))
    n_train = sum(split[i] == "1" for i in present)
    images = [files[f"cub50/images/{paths[i]}"] for i in order]
    return images, np.array([int(labels[i]) for i in order]), n_train, names


def _flowers() -> Labelled:
    files = fetch_all("flowers12/*")
    train = sorted(path for path in files if path.startswith("flowers12/train/"))
    test = sorted(path for path in files if path.startswith("flowers12/test/"))
    names = tuple(sorted({path.split("/")[2] for path in train}))
    labels = np.array([names.index(path.split("/")[2]) for path in (*train, *test)])
    return [files[path] for path in (*train, *test)], labels, len(train), names


def _photographs() -> Labelled:
    from PIL import Image

    parts = [
        np.asarray(Image.open(fetch(f"cifar10-4k/cifar10_batch_{part}.png")).convert("RGB")) for part in CIFAR_FILES
    ]
    images = np.concatenate(parts).reshape(-1, 32, 32, 3)
    numbers = re.findall(r"\d+", fetch("cifar10-4k/cifar10_labels.js").read_text("utf-8"))
    labels = np.array(numbers, dtype=np.int64)
    chosen = np.r_[0:N_CIFAR_TRAIN, 50_000 : 50_000 + len(images) - N_CIFAR_TRAIN]
    return list(images), labels[chosen], N_CIFAR_TRAIN, CIFAR_NAMES


# ---- sentences -------------------------------------------------------------------------------------------------------


@cache
def banking_sentences() -> tuple[tuple[str, ...], np.ndarray, int, tuple[str, ...]]:
    """Return the questions, their intents, the size of the given training set, and the intents' readable names."""
    identifiers = sorted(json.loads(fetch("banking77/categories.json").read_text("utf-8")))
    number = {identifier: place for place, identifier in enumerate(identifiers)}
    parts = []
    for part in ("train", "test"):
        with fetch(f"banking77/{part}.csv").open(encoding="utf-8", newline="") as file:
            parts.append([(row["text"].strip(), number[row["category"]]) for row in csv.DictReader(file)])
    both = [*parts[0], *parts[1]]
    names = tuple(identifier.replace("_", " ").strip().rstrip("?") for identifier in identifiers)
    return tuple(text for text, _ in both), np.array([label for _, label in both]), len(parts[0]), names
