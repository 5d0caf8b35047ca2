"""What a reader may hand over by mistake, and what they are told."""

import importlib

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from reprise import in_domain
from reprise.errors import UnknownNameError
from reprise.in_domain import (
    FactorGrid,
    FactorTable,
    GridImages,
    RenderedGrid,
    TrainingOptions,
    build_model,
    dci,
    evaluate,
    make_split,
    oracle_scores,
    train_regressor,
    train_representation,
    train_stacked,
)

GRID = FactorGrid((3, 4, 5), ("shape", "x", "y"), ("shape",), ("shape",))
PIXELS = np.zeros((len(GRID), 1, 32, 32), np.uint8)
IMAGES = GridImages(PIXELS, GRID)
SPLIT = make_split(GRID, "extrapolation")
SHORT = TrainingOptions(1, 4, 1e-3)
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("name", in_domain.__all__)
def test_every_public_name_is_what_its_home_defines(name):
    found = getattr(in_domain, name)
    home = importlib.import_module(found.__module__)
    assert found is getattr(home, name)
    assert callable(found)


@pytest.mark.parametrize("kind", ["extrapolate", "Extrapolation", None])
def test_oracles_of_an_unknown_split_are_refused(kind):
    with pytest.raises(UnknownNameError, match="random, composition, interpolation, extrapolation"):
        oracle_scores(GRID, kind)


def test_oracles_of_a_table_are_refused():
    with pytest.raises(ValueError, match="needs a FactorGrid"):
        oracle_scores(FactorTable(RANDOM.uniform(size=(50, 2)), ["a", "b"]), "extrapolation")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"both": "shape"}, r"both='shape' must be a sequence: write \('shape',\)"),
        ({"names": "abc"}, "names='abc' must be a sequence"),
        ({"sizes": 3}, "sizes=3 must be a sequence"),
        ({"sizes": (2.5, 3, 4)}, "whole numbers"),
        ({"sizes": ("3", 3, 4)}, "whole numbers"),
        ({"cut": "a"}, "between 0 and 1"),
    ],
)
def test_grids_of_wrong_types_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        FactorGrid(**{"sizes": (3, 4, 5), "names": ("shape", "x", "y"), **arguments})


@pytest.mark.parametrize("index", [[60], [-1], 3])
def test_points_outside_the_grid_are_refused(index):
    with pytest.raises(ValueError, match="from 0 to 59"):
        GRID.factors(index)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cut": 2.0}, "cut=2.0"),
        ({"cut": -0.5}, "cut=-0.5"),
        ({"n_bins": 1}, "n_bins=1"),
        ({"n_bins": 2.5}, "n_bins=2.5"),
        ({"names": ["a", "a"]}, "must differ"),
        ({"values": [["a", 1.0]]}, "code categories as numbers"),
        ({"values": [1.0, 2.0], "names": ["a"]}, r"values\[:, None\]"),
        ({"values": [[1.0, 2.0], [np.nan, 1.0]]}, "1 in 'a', the first in row 1"),
    ],
)
def test_bad_tables_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        FactorTable(**{"values": RANDOM.uniform(size=(50, 2)), "names": ["a", "b"], **arguments})


def test_a_value_that_many_images_share_fills_one_bin_and_none_is_empty():
    column = np.where(np.arange(1000) < 600, 0.0, RANDOM.uniform(size=1000))
    table = FactorTable(np.stack([column, RANDOM.uniform(size=1000)], axis=1), ["v", "w"])
    counts = np.bincount(table.factors(np.arange(1000))[:, 0])
    assert counts[0] == 600
    assert (counts > 0).all()
    assert len(counts) == table.sizes[0]
    split = make_split(table, "interpolation")
    held = column[split.test_index][split.is_ood(split.test_index)[:, 0]]
    kept = column[split.train_index]
    assert kept.min() < held.min()
    assert held.max() < kept.max()


def test_a_column_of_almost_one_value_has_two_bins():
    column = np.where(np.arange(1000) < 950, 0.0, RANDOM.uniform(1, 2, size=1000))
    table = FactorTable(column[:, None], ["v"])
    assert np.bincount(table.factors(np.arange(1000))[:, 0]).tolist() == [950, 50]


def test_a_table_scales_its_own_units_to_targets_and_back():
    table = FactorTable(pd.DataFrame({"angle": [0.0, 90.0, 180.0], "size": [1.0, 3.0, 2.0]}))
    assert table.scale([[45.0, 2.0]]).tolist() == [[0.25, 0.5]]
    assert table.unscale(table.scale(table.values)).tolist() == table.values.tolist()


def test_labels_tell_that_images_are_not_in_grid_order():
    labels = GRID.factors(np.arange(len(GRID)))
    assert GridImages(PIXELS, GRID, labels=labels).batch(torch.tensor([0])).shape == (1, 1, 32, 32)
    with pytest.raises(ValueError, match="not in grid order"):
        GridImages(PIXELS, GRID, labels=labels[::-1])


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((60, 32, 32, 3), np.uint8), r"channels last: images.transpose\(0, 3, 1, 2\)"),
        (np.zeros((60, 1, 32, 32), np.int64), "astype"),
        (np.zeros((60, 1, 32, 32), bool), "astype"),
    ],
)
def test_images_of_other_kinds_are_refused_with_the_remedy(pixels, message):
    with pytest.raises(ValueError, match=message):
        GridImages(pixels, GRID)


@pytest.mark.parametrize("render", [lambda f: torch.zeros(len(f), 1, 32, 32), lambda f: np.zeros((len(f), 1, 32, 32))])
def test_renderers_that_do_not_return_bytes_are_refused(render):
    with pytest.raises(ValueError, match="give a uint8 tensor"):
        RenderedGrid(render, GRID).batch(torch.tensor([0, 1]))


def test_a_table_is_not_rendered():
    with pytest.raises(ValueError, match="FactorTable"):
        RenderedGrid(lambda f: f, FactorTable([[0.0], [1.0], [2.0]], ["a"]))


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_network_of_another_width_is_refused_before_it_is_trained(n_outputs):
    with pytest.raises(ValueError, match="one output a factor"):
        train_regressor(build_model("CNN", 1, n_outputs, 32), IMAGES, SPLIT.train_index, SHORT)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([0, -1], "from -1 to 0; the images are 0 to 59"),
        ([60], "the images are 0 to 59"),
        ([], "train_index is empty"),
        ([False] * 60, "without a single True"),
        (SPLIT, "split.train_index"),
        ([True, False], "a mask of 60"),
        ([0.5], "float64"),
    ],
)
def test_training_points_that_are_none_are_refused(index, message):
    with pytest.raises(ValueError, match=message):
        train_regressor(build_model("CNN", 1, 3, 32), IMAGES, index, SHORT)


def test_lists_and_masks_of_training_points_are_taken():
    mask = np.isin(np.arange(len(GRID)), [3, 5])
    found = [train_regressor(build_network(), IMAGES, index, SHORT) for index in ([3, 5], mask, np.array([3, 5]))]
    for one in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), found[0].parameters(), strict=True))


def build_network():
    torch.manual_seed(0)
    return build_model("CNN", 1, 3, 32)


def test_what_is_no_network_is_not_trained():
    with pytest.raises(ValueError, match="give a torch module"):
        train_regressor(lambda images: images, IMAGES, SPLIT.train_index, SHORT)
    with pytest.raises(ValueError, match="no representation"):
        train_representation(build_model("CNN", 1, 3, 32), IMAGES, SPLIT.train_index, SHORT)
    with pytest.raises(ValueError, match="2 models, 1 training sets"):
        train_stacked([build_network(), build_network()], IMAGES, [SPLIT.train_index], SHORT, [0, 1])


@pytest.mark.parametrize("options", [{"n_steps": 2.5}, {"learning_rate": float("nan")}, {"batch_size": 0}])
def test_bad_options_are_refused(options):
    with pytest.raises(ValueError, match="whole numbers from 1, learning_rate above 0"):
        TrainingOptions(**options)


def predict(images):
    return np.zeros((len(images), 3))


@pytest.mark.parametrize(
    ("images", "split", "further", "message"),
    [
        (PIXELS, SPLIT, {}, "wrap arrays: GridImages"),
        (IMAGES, "extrapolation", {}, "make_split"),
        (IMAGES, make_split(FactorGrid((4, 3, 5), ("a", "b", "c")), "random"), {}, "different factors"),
        (IMAGES, SPLIT, {"n_test": 0}, "n_test=0"),
        (IMAGES, SPLIT, {"n_train": -1}, "n_train=-1"),
    ],
)
def test_evaluations_of_what_does_not_fit_are_refused(images, split, further, message):
    with pytest.raises(ValueError, match=message):
        evaluate(predict, images, split, **further)


def test_a_network_is_evaluated_in_evaluation_mode():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(1024, 3)).train()
    scores = [evaluate(model, IMAGES, SPLIT).summary() for _ in range(2)]
    pd.testing.assert_series_equal(*scores)


def test_names_of_models_may_be_in_lower_case():
    assert type(build_model("cnn", 1, 3, 32)) is type(build_model("CNN", 1, 3, 32))


def test_the_soft_argmax_needs_its_two_factors():
    with pytest.raises(ValueError, match="two different places among 3 factors"):
        build_model("CNN, soft-argmax", 1, 3, 32)
    assert build_model("CNN, soft-argmax", 1, 3, 32, horizontal=1, vertical=2)(torch.zeros(2, 1, 32, 32)).shape == (
        2,
        3,
    )


def test_dci_of_one_code_or_one_factor_is_a_number_and_of_none_is_refused():
    x = RANDOM.normal(size=(60, 2))
    one_factor, one_code = dci(x, x[:, :1]), dci(x[:, :1], x)
    assert np.isfinite([one_factor.disentanglement, one_code.completeness]).all()
    with pytest.raises(ValueError, match="give tables"):
        dci(x[:, 0], x)
    with pytest.raises(ValueError, match="constant"):
        dci(x, np.ones((60, 1)))
