import pytest
import torch
from sklearn.base import clone
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
            model = SEGCN(4, 4, 2, num_nodes=3, dropout=0.0, se_std=0.1)
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


def test_arrays_and_doubles_are_accepted(world):
    masks = label_scarce_masks(world.y, 0, per_class=8, validation_per_class=8)
    plain = Data(x=world.x, edge_index=world.edge_index, y=world.y)
    double = Data(x=world.x.double(), edge_index=world.edge_index, y=world.y)
    array = Data(x=world.x.numpy().astype("float64"), edge_index=world.edge_index.numpy(), y=world.y.numpy())
    answers = []
    for data in (plain, double, array):
        with random_stream(0, "arrays"):
            teacher = ColdBrewTeacher(recipe=Recipe(epochs=2)).fit(data, masks.train.numpy(), masks.validation.numpy())
        answers.append(teacher.predict(data))
    assert torch.equal(answers[0], answers[1])
    assert torch.equal(answers[0], answers[2])


@pytest.mark.parametrize("name", ["x", "edge_index", "y"])
def test_a_missing_field_is_named(world, name):
    data = Data(x=world.x, edge_index=world.edge_index, y=world.y)
    data[name] = None
    with pytest.raises(ValueError, match=f"data has no {name}"):
        ColdBrewTeacher().fit(data, torch.ones(240, dtype=torch.bool))


def test_masks_are_checked(world):
    for masks, message in [((None,), "train_mask is None"), ((torch.ones(240).bool(), torch.ones(3)), "val_mask has")]:
        with pytest.raises(ValueError, match=message):
            ColdBrewTeacher().fit(world, *masks)


@pytest.mark.parametrize(
    "options",
    [{"hidden_channels": 0}, {"num_layers": 0}, {"se": "second"}, {"norm": "x"}, {"residual": "x"}, {"recipe": 3}],
)
def test_options_are_checked_when_given_and_when_set(options, world):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name}="):
        ColdBrewTeacher(**options)
    with pytest.raises(ValueError, match=f"{name}="):
        ColdBrewTeacher().set_params(**options).fit(world, torch.ones(240, dtype=torch.bool))


def test_options_are_read_set_and_cloned_as_in_scikit_learn(fitted):
    teacher = ColdBrewTeacher(32, norm="pair", recipe=Recipe(epochs=3))
    copy = clone(teacher).set_params(num_layers=3)
    assert copy.get_params() == {**teacher.get_params(), "num_layers": 3}
    assert clone(fitted[0]).model is None


def test_residuals_and_normalisations_reach_the_network(world):
    masks = label_scarce_masks(world.y, 0, per_class=8, validation_per_class=8)
    teacher = ColdBrewTeacher(16, 4, se="all", norm="pair", residual="initial", recipe=Recipe(epochs=2))
    model = teacher.fit(world, masks.train).model
    assert (model.residual, len(model.convolutions), len(model.norms)) == ("initial", 4, 3)


def test_equal_seeds_give_equal_teachers(world):
    train = torch.ones(240, dtype=torch.bool)
    fits = [ColdBrewTeacher(recipe=Recipe(epochs=3), seed=seed).fit(world, train) for seed in (4, 4, 5)]
    scores = [teacher.predict(world) for teacher in fits]
    assert torch.equal(scores[0], scores[1])
    assert not torch.equal(scores[0], scores[2])
