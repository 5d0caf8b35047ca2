import numpy as np
import pytest
import torch
from torch_geometric.data import Data

from reprise.cold_brew.checks import (
    as_mask,
    check_choice,
    check_dropout,
    check_fields,
    check_real,
    check_whole,
    features_of,
    labels_of,
)
from reprise.cold_brew.sparse import SparseMatrix


@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3", None, float("nan")])
def test_what_is_no_positive_integer_is_refused_by_name_and_value(value):
    with pytest.raises(ValueError, match=f"^width={value!r} "):
        check_whole("width", value)


def test_integers_of_numpy_are_integers():
    check_whole("width", np.int64(3))
    check_real("rate", np.float32(0.5))


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "0.5", None, True])
def test_what_is_no_number_of_the_range_is_refused(value):
    with pytest.raises(ValueError, match=r"rate=.* give a number in \[0, inf\)"):
        check_real("rate", value)


def test_bounds_can_be_left_out_of_the_range():
    check_real("rate", 0.0)
    with pytest.raises(ValueError, match=r"in \(0, inf\)"):
        check_real("rate", 0.0, above=True)
    with pytest.raises(ValueError, match=r"dropout=1.0 .* in \[0, 1\)"):
        check_dropout("dropout", 1.0)


def test_an_unknown_word_is_refused_with_the_known_ones():
    check_choice("norm", None, (None, "pair"))
    with pytest.raises(ValueError, match="norm='layer' is unknown; use None or 'pair'"):
        check_choice("norm", "layer", (None, "pair"))


@pytest.mark.parametrize("name", ["x", "edge_index", "y"])
def test_a_missing_field_is_named_with_what_it_should_be(name):
    data = Data(x=torch.ones(2, 1), edge_index=torch.tensor([[0, 1], [1, 0]]), y=torch.tensor([0, 1]))
    data[name] = None
    with pytest.raises(ValueError, match=rf"data has no {name}; set data.{name} \("):
        check_fields(data, "x", "edge_index", "y")


def test_what_is_no_graph_is_refused():
    with pytest.raises(ValueError, match=r"data is a dict; give a torch_geometric.data.Data"):
        check_fields({"x": 1}, "x")


def test_labels_of_any_integer_type_become_long_and_others_are_refused():
    assert labels_of(Data(y=np.array([0, 1], dtype=np.int32))).dtype == torch.long
    for y in (torch.tensor([0.0, 1.0]), torch.zeros(2, 2, dtype=torch.long)):
        with pytest.raises(ValueError, match="give integer classes"):
            labels_of(Data(y=y))


def test_a_mask_may_be_an_array_or_a_list_of_booleans():
    for mask in (np.array([True, False]), [True, False], torch.tensor([True, False])):
        assert as_mask("mask", mask, 2).tolist() == [True, False]
    for mask in (None, np.array([1, 0]), torch.tensor([True]), [1, 0]):
        with pytest.raises(ValueError, match=r"val_mask .*give booleans"):
            as_mask("val_mask", mask, 2)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_features_of_any_width_become_32_bits(dtype):
    x = np.eye(3, dtype=dtype)
    for given in (x, torch.as_tensor(x), torch.as_tensor(x).to_sparse_coo(), SparseMatrix.from_torch(torch.eye(3))):
        found = features_of(Data(x=given))
        assert found.dtype == torch.float32
        assert found.shape == (3, 3)
