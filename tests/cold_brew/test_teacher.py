import pytest
import torch
from torch_geometric.data import Data

from reprise.cold_brew.graph import Propagation
from reprise.cold_brew.layers import SEGCN
from reprise.cold_brew.splits import label_scarce_masks
from reprise.cold_brew.teacher import ColdBrewTeacher, fit_graph_model, hand_over
from reprise.cold_brew.training import Recipe, accuracy, random_stream


@pytest.fixture(scope="module")
def fitted(world):
    masks = label_scarce_masks(world.y, 0, per_class=8, validation_per_class=8)
    with random_stream(0, "test"):
        return ColdBrewTeacher(recipe=Recipe(epochs=40)).fit(world, masks.train, masks.validation), masks


def test_it_learns_what_chance_does_not_tell(fitted, world):
    teacher, masks = fitted
    assert accuracy(teacher.predict(world), world.y, masks.test) > 50


def test_the_handed_over_embeddings_are_those_that_their_names_say(fitted, world):
    teacher, _ = fitted
    edges = Propagation.from_edges(world.edge_index, world.num_nodes)
    states = teacher.model.states(world.x, edges)
    assert torch.equal(hand_over(states, "output"), states.output)
    assert hand_over(states, "layers").shape == (240, 64 + 5)
    # Option (b) of the paper: the output, then E + XW of each layer.
    pre = [c.transform(h, edges) for c, h in zip(teacher.model.convolutions, [world.x, states.hidden], strict=True)]
    torch.testing.assert_close(hand_over(states, "states"), torch.cat([states.output, *pre], 1))
    with pytest.raises(ValueError, match="what='x'"):
        hand_over(states, "x")


def test_an_isolated_unlabelled_node_keeps_its_initial_embedding_without_penalty_and_loses_it_with_one():
    edge_index = torch.tensor([[0, 1], [1, 0]])
    x, y = torch.randn(3, 4), torch.tensor([0, 1, 0])
    edges, train = Propagation.from_edges(edge_index, 3), torch.tensor([True, True, False])
    left = {}
    for penalty in (0.0, 1.0):
        with random_stream(0, "rows without signal"):
            model = SEGCN(4, 4, 2, num_nodes=3, dropout=0.0)
        before = model.convolutions[0].structural.detach()[2].clone()
        masks = (train, torch.zeros(3, dtype=torch.bool))
        fit_graph_model(model, x, edges, y, masks, recipe=Recipe(epochs=60), se_penalty=penalty)
        left[penalty] = float(model.convolutions[0].structural[2].detach().norm() / before.norm())
    assert left[0.0] == pytest.approx(1)
    assert left[1.0] < 0.2


def test_a_graph_of_another_size_is_refused(fitted, world):
    other = Data(x=world.x[:100], edge_index=torch.tensor([[0, 1], [1, 0]]), y=world.y[:100])
    with pytest.raises(ValueError, match="built for N=240, got M=100; use the student"):
        fitted[0].predict(other)


def test_rows_of_features_and_labels_must_agree(world):
    broken = Data(x=world.x[:100], edge_index=torch.tensor([[0, 1], [1, 0]]), y=world.y)
    with pytest.raises(ValueError, match="x has 100 rows, but y has 240"):
        ColdBrewTeacher().fit(broken, torch.ones(240, dtype=torch.bool))


def test_rows_of_features_and_the_number_of_nodes_must_agree(world):
    broken = Data(x=world.x[:100], edge_index=torch.tensor([[0, 1], [1, 0]]), y=world.y, num_nodes=240)
    with pytest.raises(ValueError, match="x has 100 rows, but num_nodes=240"):
        ColdBrewTeacher().fit(broken, torch.arange(240) < 240)


def test_use_before_fitting_and_negative_penalties_are_refused(world):
    with pytest.raises(ValueError, match="not fitted"):
        ColdBrewTeacher().predict(world)
    with pytest.raises(ValueError, match="se_penalty=-1"):
        ColdBrewTeacher(se_penalty=-1)
