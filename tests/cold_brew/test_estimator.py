import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.utils import erdos_renyi_graph

from reprise.cold_brew.estimator import ColdBrew, fcr_report
from reprise.cold_brew.splits import cold_start_split, label_scarce_masks
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
