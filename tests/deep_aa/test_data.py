"""Images and their splits: digits as they are drawn, the sheets' folds, the archive's checks."""

import numpy as np
import pytest
import torch

from reprise.data.entries import DataError
from reprise.deep_aa import data
from reprise.deep_aa.names import CIFAR, DIGITS, MIRRORED
from reprise.errors import UnknownNameError

PARTS = ("pretraining", "search", "validation", "test")


@pytest.mark.parametrize("name", [DIGITS, MIRRORED])
def test_parts_share_no_image_and_hold_all(name):
    problem = data.load_problem(name, 3, digit_images=400)
    together = np.concatenate([getattr(problem, part) for part in PARTS])
    assert sorted(together) == list(range(len(problem.labels)))
    assert [len(getattr(problem, part)) for part in PARTS[:3]] == [200, 100, 100]
    assert problem.images.dtype == torch.uint8
    assert tuple(problem.images.shape[1:]) == (3, 16, 16)


def test_seeds_repeat_and_differ():
    first, again, other = (data.load_problem(DIGITS, seed) for seed in (0, 0, 1))
    assert torch.equal(first.images, again.images)
    assert not torch.equal(first.images, other.images)
    assert not np.array_equal(first.test, other.test)


def test_normalisation_is_that_of_the_training_images():
    problem = data.load_problem(DIGITS, 0)
    pixels = problem.part(problem.train)[0].double() / 255
    np.testing.assert_allclose(pixels.mean((0, 2, 3)), problem.mean, rtol=1e-9)
    np.testing.assert_allclose(pixels.std((0, 2, 3), correction=0), problem.deviation, rtol=1e-9)


def test_mirrored_digits_are_half_mirrored_and_a_flip_of_one_class_looks_like_the_other():
    problem = data.load_problem(MIRRORED, 0)
    share = problem.labels.double().mean()
    assert abs(float(share) - 0.5) < 0.01
    # The same digits in the same colours and places as coloured digits, so that classes can be told by comparison.
    strokes, digits = data._scanned_digits()
    strokes = strokes[np.isin(digits, data.MIRRORED_DIGITS)]
    flipped_canvas = problem.images.flip(-1).numpy()
    for number in range(40):
        canvas = flipped_canvas[number].max(0).astype(float)
        as_it_is, turned = strokes[number], strokes[number, :, ::-1]
        label = int(problem.labels[number])
        own, other = (as_it_is, turned) if label == 0 else (turned, as_it_is)
        assert best_match(canvas, other) > best_match(canvas, own)


def best_match(canvas, stroke):
    """Return the highest correlation of a stroke with the canvas over all places where it may have been pasted."""
    offsets = [(row, column) for row in range(5) for column in range(5)]
    return max(np.corrcoef(canvas[r : r + 12, c : c + 12].ravel(), stroke.ravel())[0, 1] for r, c in offsets)


def test_digits_are_light_on_dark_and_stay_inside():
    canvas = data.colour_digits(np.ones((50, 12, 12)), np.random.default_rng(0))
    assert canvas.min() <= 0.35 * 255
    for image in canvas:
        light = image[0] >= 0.5 * 255
        assert light.sum() == 144
        rows, columns = np.nonzero(light)
        assert np.ptp(rows) == np.ptp(columns) == 11


def test_too_many_digits_and_unknown_sets_are_refused():
    with pytest.raises(DataError, match="digit_images=5000"):
        data.load_problem(DIGITS, 0, digit_images=5000)
    with pytest.raises(UnknownNameError, match="cifar10-4k"):
        data.load_problem("cifar", 0)


def test_seeds_rotate_the_test_sheet_and_zero_is_the_official_split(monkeypatch):
    labels = np.arange(5000) % 10
    images = np.zeros((5000, 3, 32, 32), dtype=np.uint8)
    monkeypatch.setattr(data, "read_sheets", lambda: (images, labels))
    sheets = {}
    for seed in range(6):
        problem = data.load_problem(CIFAR, seed)
        sheets[seed] = [sorted({int(place) // 1000 for place in getattr(problem, part)}) for part in PARTS]
        assert not set(problem.train) & set(problem.test)
        assert len(problem.train) == 4000
    # The fifth sheet in memory is number 50, the official test images.
    assert sheets[0] == [[0, 1], [2], [3], [4]]
    assert sheets[1] == [[1, 2], [3], [4], [0]]
    assert sheets[5] == sheets[0]
    assert [data.test_sheet(seed) for seed in range(5)] == [50, 0, 1, 2, 3]


def test_the_archive_is_checked_before_it_is_read(tmp_path):
    with pytest.raises(DataError, match="is no file; fetch https"):
        data.load_problem(CIFAR, 0, archive=str(tmp_path / "cifar.tar.gz"))
    wrong = tmp_path / "other.tar.gz"
    wrong.write_bytes(b"something else")
    with pytest.raises(DataError, match="MD5 sum"):
        data.load_problem(CIFAR, 0, archive=str(wrong))


def test_the_archive_is_read_as_the_official_one(tmp_path, monkeypatch):
    import hashlib
    import pickle
    import tarfile

    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        pixels = np.full((10_000, 3072), number, dtype=np.uint8)
        (folder / name).write_bytes(pickle.dumps({"data": pixels, "labels": [number] * 10_000}, protocol=4))
    archive = tmp_path / "archive.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(folder, folder.name)
    monkeypatch.setattr(data, "ARCHIVE_MD5", hashlib.md5(archive.read_bytes()).hexdigest())
    problem = data.load_problem(CIFAR, 0, archive=str(archive))
    assert [len(getattr(problem, part)) for part in PARTS] == [5000, 35_000, 10_000, 10_000]
    assert set(problem.part(problem.validation)[1].tolist()) == {4}
    assert int(problem.images[problem.test[0]].max()) == 5
