import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch_geometric.data import Data
from torch_geometric.utils import erdos_renyi_graph

from reprise.cold_brew.estimator import ColdBrew, fcr_report
from reprise.cold_brew.splits import Masks, cold_start_split, label_scarce_masks
from reprise.cold_brew.training import Recipe, accuracy


@pytest.fixture(scope="module")
def masks(world):
    return label_scarce_masks(world.y, 0, per_class=8, validation_per_class=8)


@pytest.fixture(scope="module")
def crafted(world):
    split = cold_start_split(world.edge_index, world.num_nodes)
    return Data(x=world.x, y=world.y, edge_index=split.edge_index), split


@pytest.fixture(scope="module")
def fitted(crafted, masks):
    return ColdBrew(recipe=Recipe(epochs=60)).fit(crafted[0], masks.train, masks.validation)


def test_the_students_prediction_is_bit_equal_whatever_edges_the_nodes_have(fitted, world):
    answers = fitted.predict(world.x)
    torch.manual_seed(0)
    for edges in (world.edge_index, world.edge_index[:, :0], erdos_renyi_graph(240, 0.1)):
        assert torch.equal(fitted.predict(Data(x=world.x, edge_index=edges)), answers)


def test_new_nodes_are_answered_from_features_alone(fitted, world):
    torch.testing.assert_close(fitted.predict(world.x[:3]), fitted.predict(world.x)[:3])
    assert fitted.predict(torch.randn(2, 64)).shape == (2, 5)


def test_the_planted_signal_is_found_on_nodes_without_edges(fitted, crafted, masks):
    data, split = crafted
    assert accuracy(fitted.predict(data.x), data.y, split.isolation & masks.test) > 30


def test_equal_seeds_give_equal_models(fitted, crafted, masks):
    again = ColdBrew(recipe=Recipe(epochs=60)).fit(crafted[0], masks.train, masks.validation)
    assert torch.equal(again.predict(crafted[0].x), fitted.predict(crafted[0].x))


def test_the_switch_takes_the_teacher_for_high_degrees_and_the_student_for_low_ones(fitted, crafted):
    data, split = crafted
    switched = fitted.predict(data, switch_degree=3)
    high = split.degree >= 3
    assert torch.equal(switched[high], fitted.teacher.predict(data)[high])
    assert torch.equal(switched[~high], fitted.predict(data.x)[~high])


def test_sparse_features_are_accepted(crafted, masks):
    data = crafted[0]
    x = (data.x > 1).float()
    model = ColdBrew(recipe=Recipe(epochs=3))
    sparse = model.fit(Data(x=x.to_sparse_csr(), y=data.y, edge_index=data.edge_index), masks.train)
    assert sparse.predict(x).shape == (240, 5)


def test_misuse_is_explained(crafted, masks, world):
    with pytest.raises(ValueError, match="not fitted"):
        ColdBrew().predict(world.x)
    with pytest.raises(ValueError, match="distil_on='all'"):
        ColdBrew(distil_on="all")
    without = Data(x=world.x, y=world.y, edge_index=world.edge_index[:, :0])
    with pytest.raises(ValueError, match="no edges"):
        ColdBrew().fit(without, masks.train)
    unseen = world.y.clone()
    unseen[masks.train & (world.y == 2)] = 1
    with pytest.raises(ValueError, match="class 2 has no training example"):
        ColdBrew().fit(Data(x=world.x, y=unseen, edge_index=world.edge_index), masks.train)


def test_a_switch_needs_a_graph(fitted, world):
    with pytest.raises(ValueError, match="switch_degree needs a graph"):
        fitted.predict(world.x, switch_degree=1)


def test_the_report_says_that_this_world_lives_by_its_structure(world, masks):
    report = fcr_report(world, masks, n_boot=100, recipe=Recipe(epochs=40)).set_index("quantity")
    ratio = report.loc["feature contribution ratio"]
    assert ratio["low"] <= ratio["value"] <= ratio["high"]
    assert ratio["value"] < 60


def test_arrays_and_doubles_are_accepted(fitted, crafted, masks):
    data = crafted[0]
    array = Data(x=data.x.double().numpy(), y=data.y.numpy(), edge_index=data.edge_index.numpy())
    model = ColdBrew(recipe=Recipe(epochs=60)).fit(array, masks.train.numpy(), masks.validation.numpy())
    assert torch.equal(model.predict(array), fitted.predict(data.x))
    assert torch.equal(model.predict(array, switch_degree=3), fitted.predict(data, switch_degree=3))


@pytest.mark.parametrize("name", ["x", "edge_index", "y"])
def test_a_missing_field_is_named(world, masks, name):
    data = Data(x=world.x, edge_index=world.edge_index, y=world.y)
    data[name] = None
    for call in (lambda: ColdBrew().fit(data, masks.train), lambda: fcr_report(data, masks)):
        with pytest.raises(ValueError, match=f"data has no {name}"):
            call()


def test_a_graph_to_predict_needs_its_edges_for_the_switch_only(fitted, world):
    bare = Data(x=world.x)
    assert torch.equal(fitted.predict(bare), fitted.predict(world.x))
    with pytest.raises(ValueError, match="data has no edge_index"):
        fitted.predict(bare, switch_degree=2)
    with pytest.raises(ValueError, match="switch_degree=-1"):
        fitted.predict(world, switch_degree=-1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_channels", 0),
        ("k", 0),
        ("temperature", 0.0),
        ("similarity", "l2"),
        ("se", "last"),
        ("se_penalty", -1.0),
        ("num_layers", 0),
        ("norm", "layer"),
        ("residual", "skip"),
        ("student_channels", 0),
        ("distil_on", "all"),
        ("handover", "everything"),
        ("recipe", {"epochs": 3}),
        ("seed", -1),
    ],
)
def test_every_option_is_checked_when_given_and_when_set(name, value, world, masks):
    with pytest.raises(ValueError, match=f"{name}="):
        ColdBrew(**{name: value})
    with pytest.raises(ValueError, match=f"{name}="):
        ColdBrew().set_params(**{name: value}).fit(world, masks.train)


def test_options_are_read_set_and_cloned_as_in_scikit_learn(fitted):
    model = ColdBrew(32, k=5, residual="initial", recipe=Recipe(epochs=3))
    copy = clone(model).set_params(temperature=0.5)
    assert copy.get_params() == {**model.get_params(), "temperature": 0.5}
    assert copy.get_params()["recipe"] == Recipe(epochs=3)
    assert clone(fitted).student is None


def test_every_option_reaches_the_networks(world, masks):
    options = {"num_layers": 3, "norm": "pair", "residual": "initial", "se": "all", "se_penalty": 7.0}
    recipe = Recipe(epochs=2, dropout=0.1)
    model = ColdBrew(16, student_channels=8, k=2, recipe=recipe, **options).fit(world, masks.train)
    assert {name: getattr(model.teacher, name) for name in options} == options
    assert model.student.classifier.dropout == model.student.guesser.dropout == model.teacher.model.dropout == 0.1
    assert model.student.classifier.last.in_features == 8
    assert model.student.k == 2


def test_more_latent_neighbours_than_connected_nodes_are_refused_before_training(masks, world):
    with pytest.raises(ValueError, match="k=50, but a node has only"):
        ColdBrew(k=50).fit(Data(x=world.x, y=world.y, edge_index=torch.tensor([[0, 1], [1, 0]])), masks.train)


def test_a_report_without_draws_has_no_interval(world, masks):
    report = fcr_report(world, masks, n_boot=0, recipe=Recipe(epochs=3)).set_index("quantity")
    ratio = report.loc["feature contribution ratio"]
    assert np.isnan(ratio["low"])
    assert np.isnan(ratio["high"])
    with pytest.raises(ValueError, match="n_boot=-1"):
        fcr_report(world, masks, n_boot=-1)


def test_a_report_without_validation_or_test_nodes_says_what_it_can(world, masks):
    none = torch.zeros_like(masks.train)
    with pytest.warns(UserWarning, match="masks.test marks no labelled node"):
        report = fcr_report(world, Masks(masks.train, none, none), n_boot=10, recipe=Recipe(epochs=3))
    assert report["value"].isna().all()
    whole = fcr_report(world, Masks(masks.train, none, ~masks.train), n_boot=10, recipe=Recipe(epochs=3))
    assert whole["value"][:3].between(0, 100).all()
