"""Tasks: splits, features, wrong labels and the generator's ground truth."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reprise.data import DataError
from reprise.diva.cell import with_wrong_labels
from reprise.diva.data import class_name_features, digit_images, load, prepared
from reprise.diva.generators import make_task
from reprise.errors import UnknownNameError


def test_digits_are_in_a_stratified_order():
    images, labels, n_train = digit_images()
    assert images.shape == (1797, 8, 8)
    assert (images.min(), images.max()) == (0, 1)
    counts = np.bincount(labels[:n_train])
    assert counts.max() - counts.min() <= 1


def test_resplits_keep_the_sizes_and_the_first_is_the_given_one():
    task = load("digits")
    train, test = task.resplit(0)
    assert train.tolist() == list(range(800))
    for seed in (1, 2):
        own, other = task.resplit(seed)
        assert sorted([*own, *other]) == list(range(1797))
        assert np.bincount(task.labels[own]).tolist() == np.bincount(task.labels[train]).tolist()
        assert own.tolist() != train.tolist()
    assert task.resplit(1)[0].tolist() == task.resplit(1)[0].tolist()
    assert len(test) == 997


def test_rows_have_length_one_and_a_constant():
    rows = prepared(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8, 1.0], [0.0, 0.0, 1.0]])


def test_flips_move_pixels_and_keep_labels():
    plain, flipped = load("digits"), load("digits", flip="vertical")
    assert (plain.labels == flipped.labels).all()
    assert not np.allclose(plain.features, flipped.features)


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="unknown data set 'cub'"):
        load("cub")
    with pytest.raises(UnknownNameError, match="unknown flip 'diagonal'"):
        load("digits", flip="diagonal")
    with pytest.raises(DataError, match="share no space"):
        class_name_features("digits")


@pytest.mark.real_data
def test_the_bank_questions_have_77_readable_intents():
    from reprise.diva.data import banking_sentences

    sentences, labels, n_train, names = banking_sentences()
    assert (len(sentences), n_train, len(names)) == (13083, 10003, 77)
    assert set(labels.tolist()) == set(range(77))
    assert "activate my card" in names


@pytest.mark.real_data
def test_birds_and_photographs_have_the_registered_numbers():
    from reprise.diva.data import labelled_images

    images, labels, n_train, names = labelled_images("cub50")
    assert (len(images), n_train, len(names)) == (2649, 1449, 50)
    assert np.bincount(labels[n_train:]).tolist() == [24] * 50
    assert names[0] == "Black footed Albatross"
    images, labels, n_train, _ = labelled_images("cifar10-4k")
    assert (len(images), n_train, images[0].shape, labels[0]) == (5000, 4000, (32, 32, 3), 6)


@given(share=st.floats(0.05, 0.9), n_classes=st.integers(2, 6), seed=st.integers(0, 5))
def test_exactly_the_share_asked_for_is_wrong(share, n_classes, seed):
    labels = np.arange(60) % n_classes
    wrong = with_wrong_labels(labels, share, n_classes, np.random.default_rng(seed))
    assert (wrong != labels).sum() == round(share * 60)
    assert set(wrong) <= set(range(n_classes))


@given(noise=st.floats(0, 0.5), duplicates=st.floats(0, 0.5), pool_shift=st.floats(0, 1), imbalance=st.floats(1, 10))
def test_generated_tasks_say_the_truth_about_themselves(noise, duplicates, pool_shift, imbalance):
    task = make_task(60, 8, 3, noise=noise, duplicates=duplicates, pool_shift=pool_shift, imbalance=imbalance)
    assert (task.labels != task.true_labels).sum() == round(noise * 60)
    copies = np.flatnonzero(task.original != np.arange(60))
    assert len(copies) == round(duplicates * 60)
    np.testing.assert_allclose(task.features[copies], task.features[task.original[copies]], atol=0.01)
    assert (task.true_labels == task.true_labels[task.original]).all()
    assert task.pool_is_shifted.sum() == round(pool_shift * 60)
    assert torch.from_numpy(task.pool_features).isfinite().all()
