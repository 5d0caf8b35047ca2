import pytest
import torch
from torch import nn

from reprise.cold_brew.training import (
    DivergenceError,
    Recipe,
    accuracy,
    accuracy_and_loss,
    check_labels,
    fit,
    random_stream,
    refuse_divergence,
)


def test_the_first_epoch_of_the_best_score_is_kept_and_patience_ends_training():
    model = nn.Linear(1, 1)
    scores = iter([1.0, 5.0, 5.0, 3.0, 2.0, 9.0])
    seen = []

    def validate():
        seen.append(model.weight.detach().clone())
        return next(scores)

    history = fit(model, lambda: model(torch.ones(1, 1)).sum(), Recipe(epochs=6, patience=3), validate=validate)
    assert (history.best_epoch, history.best_score, history.epochs) == (1, 5.0, 5)
    assert torch.equal(model.weight, seen[1])
    assert not model.training


def test_without_validation_the_last_epochs_are_kept():
    model = nn.Linear(1, 1)
    history = fit(
        model,
        lambda: model(torch.ones(1, 1)).sum(),
        Recipe(epochs=7, keep_last=3),
        validate=lambda: 0.0,
        predict=lambda: model.weight.clone(),
    )
    assert history.best_epoch == -1
    assert len(history.last) == 3
    assert torch.equal(history.last[-1], model.weight)


def test_weight_decay_spares_structural_embeddings():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.structural, self.weight = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))

    model = Model()
    fit(model, lambda: 0.0 * (model.structural + model.weight).sum(), Recipe(epochs=5, weight_decay=0.1))
    assert model.structural.item() == 1
    assert model.weight.item() < 1


def test_a_random_stream_depends_on_its_names_alone_and_leaves_the_global_state():
    torch.manual_seed(5)
    with random_stream(0, "a"):
        first = torch.rand(3)
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(1), after)
    with random_stream(0, "a"):
        assert torch.equal(torch.rand(3), first)
    with random_stream(0, "b"):
        assert not torch.equal(torch.rand(3), first)


def test_accuracy_is_a_share_in_percent():
    scores = torch.eye(3)
    assert accuracy(scores, torch.tensor([0, 1, 0]), torch.ones(3, dtype=torch.bool)) == pytest.approx(200 / 3)


def test_an_empty_group_is_nan_with_a_warning():
    with pytest.warns(UserWarning, match="no node to test on"):
        value = accuracy(torch.eye(2), torch.tensor([0, 1]), torch.zeros(2, dtype=torch.bool))
    assert value != value


@pytest.mark.parametrize(
    ("y", "train", "message"),
    [
        ([0, 1, 2], [1, 1, 0], "class 2 has no training example"),
        ([0, 1, -1], [1, 1, 1], "1 training nodes have the label −1"),
        ([0, 1, -2], [1, 1, 0], "label -2"),
        ([0, 1, 1], [0, 0, 0], "train_mask marks no node"),
    ],
)
def test_labels_that_cannot_be_learnt_are_refused(y, train, message):
    with pytest.raises(ValueError, match=message):
        check_labels(torch.tensor(y), torch.tensor(train).bool())


def test_labels_of_the_wrong_type_shape_or_range_are_refused():
    train = torch.ones(3, dtype=torch.bool)
    with pytest.raises(ValueError, match="integer classes"):
        check_labels(torch.ones(3), train)
    with pytest.raises(ValueError, match=r"train_mask has shape \(3,\).*one for each of the 2 nodes"):
        check_labels(torch.tensor([0, 1]), train)
    with pytest.raises(ValueError, match="label 4; classes are 0 … 1"):
        check_labels(torch.tensor([0, 1, 4]), train, 2)


def test_a_mask_of_zeros_and_ones_is_refused_since_it_would_be_read_as_node_numbers():
    with pytest.raises(ValueError, match=r"train_mask has shape .* give booleans"):
        check_labels(torch.tensor([0, 1, 1]), torch.tensor([1, 1, 0]))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("epochs", 0),
        ("epochs", 10.5),
        ("patience", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("weight_decay", -1e-3),
        ("dropout", 1.0),
        ("input_dropout", -0.1),
        ("keep_last", -1),
        ("epochs", "100"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_by_its_option(option, value):
    with pytest.raises(ValueError, match=f"{option}={value!r}"):
        Recipe(**{option: value})


def test_adam_in_one_pass_steps_as_in_many():
    torch.manual_seed(0)
    start = nn.Linear(3, 2)
    many = nn.Linear(3, 2)
    many.load_state_dict(start.state_dict())
    x, target = torch.randn(8, 3), torch.randn(8, 2)
    recipe = Recipe(epochs=20, weight_decay=0.1)
    fit(start, lambda: (start(x) - target).square().mean(), recipe)
    optimiser = torch.optim.Adam(many.parameters(), lr=0.01, weight_decay=0.1, fused=False)
    for _ in range(20):
        optimiser.zero_grad()
        (many(x) - target).square().mean().backward()
        optimiser.step()
    torch.testing.assert_close(start.weight, many.weight, atol=1e-6, rtol=1e-5)


def test_on_a_plateau_of_accuracy_a_falling_loss_keeps_training_alive():
    model = nn.Linear(1, 1)
    # The accuracy of the largest class stands for 40 epochs, the loss falls, then the classes part.
    scores = iter([(50.0, -1.0 + epoch / 100) for epoch in range(40)] + [(90.0, -0.5)] + [(90.0, -0.6)] * 20)
    history = fit(
        model, lambda: model(torch.ones(1, 1)).sum(), Recipe(epochs=61, patience=5), validate=lambda: next(scores)
    )
    assert (history.best_epoch, history.best_score, history.epochs) == (40, 90.0, 46)


def test_accuracy_comes_before_loss():
    model = nn.Linear(1, 1)
    scores = iter([(50.0, -9.0), (40.0, -0.1), (50.0, -9.0), (50.0, -10.0)])
    history = fit(model, lambda: model(torch.ones(1, 1)).sum(), Recipe(epochs=4), validate=lambda: next(scores))
    assert history.best_epoch == 0


def test_accuracy_and_loss_are_those_of_the_scores():
    reached, loss = accuracy_and_loss(torch.zeros(4, 2), torch.tensor([0, 0, 0, 1]))
    assert reached == 75
    assert loss == pytest.approx(-0.6931472)


def test_scores_that_are_nan_have_no_accuracy():
    value = accuracy(torch.full((2, 2), torch.nan), torch.tensor([0, 1]), torch.ones(2, dtype=torch.bool))
    assert value != value


def test_a_training_that_diverges_is_refused_by_its_epoch():
    model = nn.Linear(1, 1)
    factors = iter([1.0, 1.0, float("nan")])
    history = fit(model, lambda: next(factors) * model(torch.ones(1, 1)).sum(), Recipe(epochs=3))
    with pytest.raises(DivergenceError, match=r"epoch 2 is nan.*learning_rate below 0\.01"):
        refuse_divergence(history, Recipe())
