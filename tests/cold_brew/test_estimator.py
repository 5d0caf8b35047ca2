import warnings

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
    answers = fitted.decision_function(world.x)
    torch.manual_seed(0)
    for edges in (world.edge_index, world.edge_index[:, :0], erdos_renyi_graph(240, 0.1)):
        assert torch.equal(fitted.decision_function(Data(x=world.x, edge_index=edges)), answers)


def test_new_nodes_are_answered_from_features_alone(fitted, world):
    torch.testing.assert_close(fitted.decision_function(world.x[:3]), fitted.decision_function(world.x)[:3])
    assert fitted.decision_function(torch.randn(2, 64)).shape == (2, 5)


def test_the_planted_signal_is_found_on_nodes_without_edges(fitted, crafted, masks):
    data, split = crafted
    assert accuracy(fitted.decision_function(data.x), data.y, split.isolation & masks.test) > 30


def test_equal_seeds_give_equal_models(fitted, crafted, masks):
    again = ColdBrew(recipe=Recipe(epochs=60)).fit(crafted[0], masks.train, masks.validation)
    assert torch.equal(again.decision_function(crafted[0].x), fitted.decision_function(crafted[0].x))


def test_the_switch_takes_the_teacher_for_high_degrees_and_the_student_for_low_ones(fitted, crafted):
    data, split = crafted
    switched = fitted.decision_function(data, switch_degree=3)
    high = split.degree >= 3
    assert torch.equal(switched[high], fitted.teacher.predict(data)[high])
    assert torch.equal(switched[~high], fitted.decision_function(data.x)[~high])


def test_the_switch_warns_of_other_nodes_than_the_fitted_ones(fitted, crafted):
    data = crafted[0]
    order = torch.arange(data.num_nodes).flip(0)
    for x, n_other in ((data.x[order], 240), (torch.cat([data.x[:-1], data.x[:1]]), 1)):
        other = Data(x=x, edge_index=data.edge_index)
        with pytest.warns(UserWarning, match=f"{n_other} of 240 nodes have other features than in fit") as caught:
            fitted.predict(other, switch_degree=1)
        assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fitted.predict(Data(x=data.x.double(), edge_index=data.edge_index[:, :0]), switch_degree=1)
        fitted.predict(Data(x=data.x[order]))  # the student may meet any nodes


def test_a_report_without_a_ratio_says_why(world, masks, monkeypatch):
    from reprise.cold_brew import estimator

    right = torch.nn.functional.one_hot(world.y, 5).float()
    scores = {"GNN": right.flip(1), "MLP": right.flip(1), "Label propagation": right}
    monkeypatch.setattr(estimator, "_three_models", lambda *_: scores)
    with pytest.warns(UserWarning, match="label propagation .* beats the GNN"):
        report = fcr_report(world, masks, n_boot=10).set_index("quantity")
    assert np.isnan(report.loc["feature contribution ratio", "value"])


def test_sparse_features_are_accepted(crafted, masks):
    data = crafted[0]
    x = (data.x > 1).float()
    model = ColdBrew(recipe=Recipe(epochs=3))
    sparse = model.fit(Data(x=x.to_sparse_csr(), y=data.y, edge_index=data.edge_index), masks.train)
    assert sparse.predict_proba(x).shape == (240, 5)


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
        fitted.decision_function(world.x, switch_degree=1)


def test_the_report_says_that_this_world_lives_by_its_structure(world, masks):
    report = fcr_report(world, masks, n_boot=100, recipe=Recipe(epochs=40)).set_index("quantity")
    ratio = report.loc["feature contribution ratio"]
    assert ratio["low"] <= ratio["value"] <= ratio["high"]
    assert ratio["value"] < 60


def test_arrays_and_doubles_are_accepted(fitted, crafted, masks):
    data = crafted[0]
    array = Data(x=data.x.double().numpy(), y=data.y.numpy(), edge_index=data.edge_index.numpy())
    model = ColdBrew(recipe=Recipe(epochs=60)).fit(array, masks.train.numpy(), masks.validation.numpy())
    assert torch.equal(model.decision_function(array), fitted.decision_function(data.x))
    assert torch.equal(model.decision_function(array, switch_degree=3), fitted.decision_function(data, switch_degree=3))


@pytest.mark.parametrize("name", ["x", "edge_index", "y"])
def test_a_missing_field_is_named(world, masks, name):
    data = Data(x=world.x, edge_index=world.edge_index, y=world.y)
    data[name] = None
    for call in (lambda: ColdBrew().fit(data, masks.train), lambda: fcr_report(data, masks)):
        with pytest.raises(ValueError, match=f"data has no {name}"):
            call()


def test_a_graph_to_predict_needs_its_edges_for_the_switch_only(fitted, world):
    bare = Data(x=world.x)
    assert torch.equal(fitted.decision_function(bare), fitted.decision_function(world.x))
    with pytest.raises(ValueError, match="data has no edge_index"):
        fitted.decision_function(bare, switch_degree=2)
    with pytest.raises(ValueError, match="switch_degree=-1"):
        fitted.decision_function(world, switch_degree=-1)


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


def test_predictions_are_classes_probabilities_or_logits_as_in_scikit_learn(fitted, crafted, masks):
    x = crafted[0].x
    logits = fitted.decision_function(x)
    assert torch.equal(fitted.predict(x), logits.argmax(1))
    torch.testing.assert_close(fitted.predict_proba(x).sum(1), torch.ones(len(x)))
    right = accuracy(logits, crafted[0].y, masks.test) / 100
    assert fitted.score(crafted[0], masks.test) == pytest.approx(right)
    marked = crafted[0].clone()
    marked.test_mask = masks.test
    assert fitted.score(marked) == pytest.approx(right)
    assert fitted.score(marked, switch_degree=0) > right
    with pytest.raises(ValueError, match="data has no test_mask"):
        fitted.score(crafted[0])
    with pytest.raises(ValueError, match="mask marks no labelled node"):
        fitted.score(crafted[0], torch.zeros_like(masks.test))


@pytest.fixture
def masked(world, masks):
    data = Data(x=world.x, y=world.y.clone(), edge_index=world.edge_index)
    data.train_mask, data.val_mask, data.test_mask = masks.train, masks.validation, masks.test
    return data


def test_the_masks_of_the_graph_are_used_where_none_is_given(masked, masks, world):
    model = ColdBrew(recipe=Recipe(epochs=3))
    own = clone(model).fit(masked).decision_function(world.x)
    assert torch.equal(own, clone(model).fit(world, masks.train, masks.validation).decision_function(world.x))
    alone = clone(model).fit(masked, masks.train).decision_function(world.x)
    assert torch.equal(alone, clone(model).fit(world, masks.train).decision_function(world.x))
    with pytest.raises(ValueError, match="data has no train_mask"):
        model.fit(world)
    report = fcr_report(masked, n_boot=10, recipe=Recipe(epochs=3))
    parts = (masks.train, masks.validation, masks.test)
    for same in (masks, parts):
        assert report.equals(fcr_report(world, same, n_boot=10, recipe=Recipe(epochs=3)))
    with pytest.raises(ValueError, match="masks are no three"):
        fcr_report(world, parts[:2])


def test_masks_that_share_nodes_are_refused(masked, masks):
    for call in (
        lambda: ColdBrew().fit(masked, masks.train, masks.train),
        lambda: fcr_report(masked, (masks.train, masks.train, masks.test)),
        lambda: fcr_report(masked, (masks.train, masks.validation, ~masks.validation)),
    ):
        with pytest.raises(ValueError, match=r"share 40 nodes"):
            call()


def test_masks_of_several_splits_are_refused_with_the_column_to_take(masked, masks):
    masked.train_mask = torch.stack([masks.train] * 10, 1)
    with pytest.raises(ValueError, match=r"train_mask has 10 columns.*train_mask\[:, 0\]"):
        ColdBrew().fit(masked)


def test_a_diverged_training_is_said_and_leaves_the_model_as_it_was(masked):
    model = ColdBrew(recipe=Recipe(epochs=3)).fit(masked)
    before = model.decision_function(masked.x)
    with pytest.raises(ValueError, match=r"diverged.*learning_rate.*1e\+30"):
        model.set_params(recipe__learning_rate=1e30, recipe__epochs=10).fit(masked)
    assert torch.equal(model.decision_function(masked.x), before)
    with pytest.raises(ValueError, match="diverged"):
        fcr_report(masked, n_boot=0, recipe=Recipe(epochs=10, learning_rate=1e30))


@pytest.mark.parametrize("name", ["edge_weight", "edge_attr"])
def test_weights_of_edges_are_said_to_be_unused_once(masked, name):
    masked[name] = torch.ones(masked.edge_index.shape[1])
    with pytest.warns(UserWarning, match=f"data.{name} is not used") as caught:
        ColdBrew(recipe=Recipe(epochs=1)).fit(masked)
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_edges_that_go_one_way_are_told_once_with_what_a_reader_can_do(masked):
    masked.edge_index = masked.edge_index[:, masked.edge_index[0] < masked.edge_index[1]]
    for call in (lambda: ColdBrew(recipe=Recipe(epochs=1)).fit(masked), lambda: fcr_report(masked, n_boot=0)):
        with pytest.warns(UserWarning, match=r"one way only.*to_undirected\(data.edge_index\)") as caught:
            call()
        assert len(caught) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: 10 * y, "y has 5 classes but numbers up to 40, class 1 has no node"),
        (torch.zeros_like, "y has only the class 0"),
        (lambda y: torch.where(y == 4, 5, y), "class 4 has no node"),
        (lambda y: [f"class {label}" for label in y.tolist()], r"first: 'class \d'.*np.unique"),
        (lambda y: np.array([None, *y.tolist()[1:]]), "type object"),
        (lambda y: y[:-1], "x has 240 rows, but y has 239"),
    ],
    ids=["tens", "one class", "a gap", "names", "none", "too few"],
)
def test_labels_that_are_no_classes_from_zero_are_refused(masked, change, message):
    masked.y = change(masked.y)
    with pytest.raises(ValueError, match=message):
        ColdBrew().fit(masked)
    with pytest.raises(ValueError, match=message):
        fcr_report(masked)


def test_the_recipe_is_set_by_its_parts_as_scikit_learn_sets_nested_options():
    model = ColdBrew().set_params(recipe__epochs=7, k=5)
    assert model.recipe == Recipe(epochs=7)
    assert model.set_params(recipe__dropout=0.1).recipe == Recipe(epochs=7, dropout=0.1)
    assert model.get_params()["recipe__epochs"] == 7
    assert "recipe__epochs" not in model.get_params(deep=False)
    assert clone(model).recipe == model.recipe
    with pytest.raises(ValueError, match="the recipe has no epoch; it has dropout, epochs"):
        model.set_params(recipe__epoch=3)
    with pytest.raises(ValueError, match="epochs=0"):
        model.set_params(recipe__epochs=0)
