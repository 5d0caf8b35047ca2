"""Images: five sheets of CIFAR-10, its official archive, coloured digits, and digits whose mirror image is a class."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reprise.compute import numpy_generator
from reprise.data.entries import DataError
from reprise.data.fetching import fetch
from reprise.data.readers import extract, load_pickle
from reprise.deep_aa.names import CIFAR, DIGITS, MIRRORED
from reprise.errors import unknown_name

CIFAR_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR_MEAN, CIFAR_DEVIATION = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
CIFAR_FILL = (125, 123, 114)
OFFICIAL_TEST_SHEET = 50
SHEETS = (0, 1, 2, 3, OFFICIAL_TEST_SHEET)
# Seed s tests on the s-th of these, cyclically: the first one is the official split.
TEST_SHEETS = (OFFICIAL_TEST_SHEET, 0, 1, 2, 3)
PER_SHEET = 1000
N_TRAIN_LABELS = 50_000
ARCHIVE_ADDRESS = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
ARCHIVE_MD5 = "c58f30108f718f92721af3b95e74349a"
ARCHIVE_VALIDATION = 10_000
DIGIT_SIDE, DIGIT_CANVAS = 12, 16
DIGIT_FILL = (45, 45, 45)  # the middle of the backgrounds
MIRRORED_DIGITS = (2, 3, 4, 7)  # those whose mirror image looks like no other of them
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class ImageProblem:
    """Images of one data set and seed, and what each is for.

    Attributes
    ----------
    name
        The data set.
    images, labels
        uint8 ``(N, 3, H, W)`` and classes ``(N,)`` of all images.
    pretraining, search, validation
        Places of the images that the search network learns from, those that are augmented in the search, and those
        whose gradients are to be matched; no two share one.
    test
        Places of the test images; all others train the final network.
    mean, deviation
        By which networks normalise.
    class_names
        One a class.
    fill
        Colour of cutout and of the crop's border, 0 to 255.
    """

    name: str
    images: Tensor
    labels: Tensor
    pretraining: Numbers
    search: Numbers
    validation: Numbers
    test: Numbers
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    class_names: tuple[str, ...]
    fill: tuple[int, int, int]

    @property
    def train(self) -> Numbers:
        """Places of the images that the final network learns from."""
        return np.concatenate([self.pretraining, self.search, self.validation])

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return self.images.shape[-1]

    def part(self, places: Numbers) -> tuple[Tensor, Tensor]:
        """Return images and labels at some places."""
        chosen = torch.from_numpy(places)
        return self.images[chosen], self.labels[chosen]


def load_problem(name: str, seed: int, *, digit_images: int = 600, archive: str = "") -> ImageProblem:
    """Return a data set's images with the split of a seed.

    Parameters
    ----------
    name
        ``"cifar10-4k"``, ``"coloured-digits"`` or ``"mirrored-digits"``.
    seed
        CIFAR: which sheet is the test set (0 the official one, then those of the training images 0 to 3, then again);
        digits: which are drawn for what, and how they are shifted and coloured.
    digit_images
        Digits to train on, a half for pretraining, a quarter each for search and validation; the others are the test.
    archive
        Path of the official CIFAR-10 archive; empty: the five sheets. With it the split is the paper's by index,
        whatever the seed.

    Raises
    ------
    UnknownNameError
        If there is no such data set.
    DataError
        If the archive is not there, or is not the official one.
    """
    if name == CIFAR:
        return _archive_problem(archive) if archive else _sheets_problem(seed)
    if name in (DIGITS, MIRRORED):
        return _digits_problem(name, seed, digit_images)
    raise unknown_name("data set", name, [CIFAR, DIGITS, MIRRORED])


# ---- photographs -----------------------------------------------------------------------------------------------------


@cache
def read_sheets() -> tuple[NDArray[np.uint8], Numbers]:
    """Return the 5,000 images ``(5000, 3, 32, 32)`` in the order of `SHEETS`, and their classes.

    A sheet is a picture of 1,024 × 1,000 pixels: row i is image i, its pixels row by row.
    """
    from PIL import Image

    sheets = [np.asarray(Image.open(fetch(f"cifar10-4k/cifar10_batch_{sheet}.png")).convert("RGB")) for sheet in SHEETS]
    images = np.concatenate(sheets).reshape(-1, 32, 32, 3).transpose(0, 3, 1, 2)
    numbers = re.findall(r"\d+", fetch("cifar10-4k/cifar10_labels.js").read_text("utf-8"))
    labels = np.array(numbers, dtype=np.int64)
    # Batch 50 holds the test images, whose labels follow the 50,000 of the training images.
    starts = [N_TRAIN_LABELS if sheet == OFFICIAL_TEST_SHEET else PER_SHEET * sheet for sheet in SHEETS]
    return np.ascontiguousarray(images), np.concatenate([labels[start : start + PER_SHEET] for start in starts])


def test_sheet(seed: int) -> int:
    """Return the number of the sheet that a seed tests on.

    Examples
    --------
    >>> [test_sheet(seed) for seed in range(6)]
    [50, 0, 1, 2, 3, 50]
    """
    return TEST_SHEETS[seed % len(TEST_SHEETS)]


def _sheets_problem(seed: int) -> ImageProblem:
    images, labels = read_sheets()
    places = {sheet: np.arange(PER_SHEET) + PER_SHEET * row for row, sheet in enumerate(SHEETS)}
    tested = test_sheet(seed)
    others = [sheet for sheet in SHEETS if sheet != tested]
    return ImageProblem(
        CIFAR,
        torch.from_numpy(images),
        torch.from_numpy(labels),
        pretraining=np.concatenate([places[others[0]], places[others[1]]]),
        search=places[others[2]],
        validation=places[others[3]],
        test=places[tested],
        mean=CIFAR_MEAN,
        deviation=CIFAR_DEVIATION,
        class_names=CIFAR_NAMES,
        fill=CIFAR_FILL,
    )


@cache
def read_archive(path: str) -> tuple[NDArray[np.uint8], Numbers]:
    """Return the 60,000 images of the official archive ``(60000, 3, 32, 32)``, test images last, and their classes.

    Raises
    ------
    DataError
        If the file is missing or has another MD5 sum.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise DataError(f"cifar_archive={path!r} is no file; fetch {ARCHIVE_ADDRESS} (170 MB) and give its path.")
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "md5").hexdigest()
    if found != ARCHIVE_MD5:
        raise DataError(f"cifar_archive={path!r} has the MD5 sum {found}, not {ARCHIVE_MD5}: fetch {ARCHIVE_ADDRESS}.")
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        extract(file, Path(folder))
        names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
        batches = [load_pickle(Path(folder) / "cifar-10-batches-py" / name) for name in names]
    images = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
    return images, np.concatenate([np.asarray(batch["labels"], dtype=np.int64) for batch in batches])


def _archive_problem(path: str, n_pretraining: int = 5000) -> ImageProblem:
    images, labels = read_archive(path)
    first_of_validation = N_TRAIN_LABELS - ARCHIVE_VALIDATION
    return ImageProblem(
        CIFAR,
        torch.from_numpy(images),
        torch.from_numpy(labels),
        pretraining=np.arange(n_pretraining),
        search=np.arange(n_pretraining, first_of_validation),
        validation=np.arange(first_of_validation, N_TRAIN_LABELS),
        test=np.arange(N_TRAIN_LABELS, len(labels)),
        mean=CIFAR_MEAN,
        deviation=CIFAR_DEVIATION,
        class_names=CIFAR_NAMES,
        fill=CIFAR_FILL,
    )


# ---- digits ----------------------------------------------------------------------------------------------------------


@cache
def _scanned_digits() -> tuple[NDArray[np.float64], Numbers]:
    """Return scikit-learn's 1,797 digits of 8 × 8 pixels enlarged to 12 × 12, in [0, 1], and what they are."""
    from sklearn.datasets import load_digits

    found = load_digits()
    small = torch.from_numpy(found.images / 16)[:, None]
    large = torch.nn.functional.interpolate(small, size=DIGIT_SIDE, mode="bilinear", align_corners=False)
    return large[:, 0].numpy(), found.target.astype(np.int64)


def _digits_problem(name: str, seed: int, n_train: int) -> ImageProblem:
    strokes, digits = _scanned_digits()
    labels, class_names = digits, tuple(str(digit) for digit in range(10))
    if name == MIRRORED:
        chosen = np.flatnonzero(np.isin(digits, MIRRORED_DIGITS))
        labels = numpy_generator(seed, "deep-aa", name, "which are mirrored").permutation(len(chosen)) % 2
        strokes = strokes[chosen]
        strokes = np.where(labels[:, None, None] == 1, strokes[:, :, ::-1], strokes)
        class_names = ("as written", "mirrored")
    if not 4 * len(class_names) <= n_train < len(labels):
        raise DataError(
            f"digit_images={n_train}, of {len(labels)} in {name}: give at least {4 * len(class_names)}, and leave some "
            "for the test."
        )
    order = numpy_generator(seed, "deep-aa", name, "split").permutation(len(labels))
    images = colour_digits(strokes, numpy_generator(seed, "deep-aa", name, "colours and places"))
    half, three_quarters = n_train // 2, n_train // 2 + n_train // 4
    scaled = images[order[:n_train]] / 255
    return ImageProblem(
        name,
        torch.from_numpy(images),
        torch.from_numpy(labels.astype(np.int64)),
        pretraining=order[:half],
        search=order[half:three_quarters],
        validation=order[three_quarters:n_train],
        test=order[n_train:],
        mean=tuple(scaled.mean((0, 2, 3)).tolist()),
        deviation=tuple(scaled.std((0, 2, 3)).tolist()),
        class_names=class_names,
        fill=DIGIT_FILL,
    )


def colour_digits(strokes: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Paste strokes in [0, 1] at random places of a dark canvas in random light colours: uint8 ``(N, 3, 16, 16)``.

    Offsets are uniform in 0..4 pixels; the foreground is uniform in [0.5, 1] and the background in [0, 0.35], channel
    by channel. Place and colour tell nothing of the class.
    """
    n, side = len(strokes), strokes.shape[1]
    offsets = generator.integers(0, DIGIT_CANVAS - side + 1, (n, 2))
    front, back = generator.uniform(0.5, 1, (n, 3, 1, 1)), generator.uniform(0, 0.35, (n, 3, 1, 1))
    canvas = np.zeros((n, DIGIT_CANVAS, DIGIT_CANVAS))
    rows = offsets[:, 0, None, None] + np.arange(side)[:, None]
    columns = offsets[:, 1, None, None] + np.arange(side)
    canvas[np.arange(n)[:, None, None], rows, columns] = strokes
    shaded = back + (front - back) * canvas[:, None]
    return np.round(255 * shaded).astype(np.uint8)
