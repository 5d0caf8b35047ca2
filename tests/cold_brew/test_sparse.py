import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from reprise.cold_brew.dropout import dropout
from reprise.cold_brew.sparse import (
    SparseMatrix,
    as_features,
    factor_to_norm,
    mean_square_norm,
    scale_features,
    take_rows,
    to_scipy,
    zero_rows,
)


def random_matrix(seed, rows=7, columns=5):
    return sp.random(rows, columns, 0.4, random_state=seed, dtype=np.float64)


@given(st.integers(0, 10_000), st.integers(0, 9), st.integers(1, 9))
def test_the_product_equals_the_dense_product(seed, rows, columns):
    matrix = random_matrix(seed, rows, columns)
    dense = torch.randn(columns, 3, dtype=torch.float64)
    product = SparseMatrix(matrix, dtype=torch.float64) @ dense
    torch.testing.assert_close(product, torch.as_tensor(matrix.toarray()) @ dense)


def test_the_gradient_of_the_product_passes_gradcheck():
    matrix = SparseMatrix(random_matrix(1), dtype=torch.float64)
    dense = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda w: (matrix @ w).square(), dense)


def test_the_gradient_after_dropout_is_that_of_the_dropped_matrix():
    matrix = SparseMatrix(random_matrix(2, 40, 30), dtype=torch.float64).dropout(0.5)
    weight = torch.randn(30, 2, dtype=torch.float64, requires_grad=True)
    seen = matrix @ torch.eye(30, dtype=torch.float64)
    (matrix @ weight).sum().backward()
    torch.testing.assert_close(weight.grad, seen.T @ torch.ones(40, 2, dtype=torch.float64))


def test_dropout_of_a_sparse_matrix_touches_stored_values_only():
    original = SparseMatrix(random_matrix(3, 60, 60))
    eye = torch.eye(60)
    dropped = original.dropout(0.5) @ eye
    full = original @ eye
    kept = dropped != 0
    assert 0.3 < kept.sum() / (full != 0).sum() < 0.7
    torch.testing.assert_close(dropped[kept], 2 * full[kept])


def test_rows_are_taken_by_index_and_by_mask():
    matrix = SparseMatrix(random_matrix(4))
    mask = torch.arange(7) % 2 == 0
    torch.testing.assert_close(matrix.take(mask).to_dense(), matrix.to_dense()[mask])
    order = torch.tensor([5, 1])
    torch.testing.assert_close(take_rows(matrix, order).to_dense(), matrix.to_dense()[order])


def test_torch_tensors_of_all_layouts_become_the_same_matrix():
    dense = torch.tensor([[0.0, 2.0], [3.0, 0.0]])
    for tensor in (dense, dense.to_sparse(), dense.to_sparse_csr()):
        np.testing.assert_array_equal(to_scipy(tensor).toarray(), dense.numpy())


def test_zero_rows_are_found_in_dense_and_sparse_features():
    x = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    assert zero_rows(x).tolist() == zero_rows(SparseMatrix.from_torch(x)).tolist() == [True, False]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.tensor([[1.0, float("nan")]]), "1 values that are NaN or infinite"),
        (torch.tensor([[1.0, float("inf")]]).to_sparse(), "1 values that are NaN or infinite"),
        (torch.ones(2, 3, dtype=torch.complex64), "has the type torch.complex64; give real numbers"),
        (torch.ones(4), r"x has shape \(4,\); give a matrix \(n_nodes, n_features\); for a single node x\[None\]"),
        (torch.ones(2, 3, 4), r"x has shape \(2, 3, 4\); give a matrix \(n_nodes, n_features\)\."),
    ],
)
def test_features_that_cannot_be_used_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        as_features(x)


@given(st.floats(0.01, 0.95))
def test_dropout_keeps_the_mean_and_drops_the_asked_share(probability):
    torch.manual_seed(0)
    out = dropout(torch.ones(200_000), probability)
    share = float((out == 0).double().mean())
    assert share == pytest.approx(probability, abs=0.006)
    assert float(out.double().mean()) == pytest.approx(1, abs=0.05)
    assert len(out.unique()) == 2


def test_dropout_does_nothing_outside_training_and_has_the_masks_gradient():
    x = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    assert dropout(x, 0.5, training=False) is x
    torch.manual_seed(1)
    out = dropout(x, 0.5)
    out.sum().backward()
    torch.testing.assert_close(x.grad, torch.where(out == 0, 0.0, 2.0).double())


def test_the_values_of_one_draw_are_independent():
    torch.manual_seed(0)
    kept = (dropout(torch.ones(40_000), 0.5) > 0).double().view(-1, 4)
    correlation = torch.corrcoef(kept.T) - torch.eye(4, dtype=torch.float64)
    assert float(correlation.abs().max()) < 0.04


def test_features_may_be_arrays_or_scipy_matrices_of_any_float():
    x = np.eye(4)[:, :3]
    for floats in (x, x.astype(np.float16), torch.as_tensor(x)):
        assert torch.equal(as_features(floats), torch.as_tensor(x, dtype=torch.float32))
    for sparse in (sp.csr_matrix(x), sp.coo_array(x), torch.as_tensor(x).to_sparse_csr()):
        found = as_features(sparse)
        assert isinstance(found, SparseMatrix)
        assert found.dtype == torch.float32
        assert torch.equal(found.to_dense(), torch.as_tensor(x, dtype=torch.float32))
    assert as_features(SparseMatrix(sp.eye(2)), torch.float64).dtype == torch.float64


@pytest.mark.parametrize("x", [np.array([["a"]]), None, "x"])
def test_features_that_are_no_numbers_are_refused(x):
    with pytest.raises(ValueError, match=r"give a matrix .* of numbers"):
        as_features(x)


@pytest.mark.parametrize(
    "x",
    [
        np.eye(2, dtype=int),
        np.eye(2, dtype=np.uint8),
        torch.eye(2).long(),
        torch.eye(2).bool(),
        sp.eye(2, dtype=int, format="csr"),
        sp.eye(2, dtype=bool, format="csr"),
        torch.eye(2).long().to_sparse_coo(),
    ],
)
def test_whole_numbers_are_taken_as_features(x):
    found = as_features(x)
    assert found.dtype == torch.float32
    dense = found.to_dense() if isinstance(found, SparseMatrix) else found
    assert torch.equal(dense, torch.eye(2))


def test_an_array_that_may_not_be_written_is_copied_without_a_warning():
    x = np.eye(2, dtype=np.float32)
    x.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(as_features(x), torch.eye(2))


def test_features_are_brought_to_a_size_by_one_factor_dense_or_sparse():
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    for features in (x, SparseMatrix.from_torch(x)):
        assert mean_square_norm(features) == pytest.approx(12.5)
        assert factor_to_norm(features, 50.0) == pytest.approx(2.0)
        scaled = scale_features(features, 2.0)
        dense = scaled.to_dense() if isinstance(scaled, SparseMatrix) else scaled
        assert torch.equal(dense, 2 * x)
        torch.testing.assert_close(scaled @ torch.eye(2), 2 * x)
    assert factor_to_norm(torch.zeros(3, 2), 5.0) == 1.0


def test_values_that_are_no_numbers_are_counted_in_sparse_and_dense_features():
    x = np.array([[np.nan, 1.0], [np.inf, 0.0]])
    for given_x in (x, sp.csr_matrix(x), torch.as_tensor(x).to_sparse_coo()):
        with pytest.raises(ValueError, match="x has 2 values that are NaN or infinite"):
            as_features(given_x)
