"""PIFA and its variants against hand values and brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from reprise.giant_xrt.input_checks import GiantInputError
from reprise.giant_xrt.label_vectors import label_vectors, pifa, reduced

X = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.6, 0.8, 0]])
Y = np.array([[0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]])
BY_HAND = np.array([[0, 0.5774, 0.8165], [0.8529, 0.5220, 0], [1, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_the_small_example_has_the_values_worked_out_by_hand(kind):
    found = pifa(sparse.csr_array(Y), kind(X))
    found = found.toarray() if sparse.issparse(found) else found
    assert np.allclose(found, BY_HAND, atol=1e-4)


@given(st.integers(1, 8), st.integers(1, 6), st.integers(1, 5), st.integers(0, 10**6), st.booleans())
def test_pifa_is_the_mean_direction_of_the_instances_with_the_label(n, n_labels, d, seed, normalize_rows):
    generator = np.random.default_rng(seed)
    features, targets = generator.normal(size=(n, d)), generator.integers(0, 2, (n, n_labels)).astype(float)
    found = pifa(sparse.csr_array(targets), features, normalize_rows)
    for label in range(n_labels):
        total = np.zeros(d)
        for row in range(n):
            length = np.sqrt(targets[row].sum()) if normalize_rows else 1.0
            total += targets[row, label] * features[row] / max(length, 1e-300)
        length = np.linalg.norm(total)
        assert np.allclose(found[label], total / length if length > 1e-12 else 0, atol=1e-9)


def test_labels_without_instances_stay_zero():
    empty = Y.copy()
    empty[:, 2] = 0
    assert not np.asarray(pifa(sparse.csr_array(empty), X))[2].any()


def test_projecting_texts_is_projecting_label_vectors_before_the_last_scaling():
    projection = np.random.default_rng(0).normal(size=(3, 2))
    wide = np.asarray(pifa(sparse.csr_array(Y), X)) @ projection
    narrow = np.asarray(pifa(sparse.csr_array(Y), X @ projection))
    assert np.allclose(wide / np.linalg.norm(wide, axis=1, keepdims=True), narrow)


def test_variants_are_the_columns_of_the_targets_and_the_own_texts():
    pii = label_vectors("pii", sparse.csr_array(Y.astype(float)), X).toarray()
    assert np.allclose(pii[0], np.array([0, 1, 1, 0]) / np.sqrt(2))
    assert np.allclose(label_vectors("text", sparse.csr_array(Y), X, X), X)


def test_wrong_rows_and_kinds_are_refused():
    with pytest.raises(GiantInputError, match="Y has 4 rows but X has 3"):
        pifa(sparse.csr_array(Y), X[:3])
    with pytest.raises(GiantInputError, match="kind='piffa' is unknown; use one of 'pifa', 'pii', 'text'"):
        label_vectors("piffa", sparse.csr_array(Y), X)
    with pytest.raises(GiantInputError, match="X_labels"):
        label_vectors("text", sparse.csr_array(Y), X)


def test_reduced_vectors_keep_inner_products_of_low_rank_data():
    generator = np.random.default_rng(1)
    low = sparse.csr_array(generator.normal(size=(30, 4)) @ generator.normal(size=(4, 20)))
    found = reduced(low, 6, 0)
    assert found.shape == (30, 6)
    assert np.allclose(found @ found.T, (low @ low.T).toarray(), atol=1e-3)
