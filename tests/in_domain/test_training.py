import numpy as np
import pytest
import torch

from reprise.in_domain.disentanglement import dci, disentanglement
from reprise.in_domain.evaluation import evaluate, predict_points
from reprise.in_domain.grid import FactorGrid
from reprise.in_domain.images import GridImages
from reprise.in_domain.models import build_model
from reprise.in_domain.remedies import MoveAndZoom, warp_sprites
from reprise.in_domain.splits import make_split
from reprise.in_domain.sprites import render_sprites, sprite_renderer
from reprise.in_domain.training import (
    TrainingOptions,
    initial_weights,
    rate_at,
    regression_loss,
    train_regressor,
    train_representation,
    train_stacked,
)

NAMES = ("shape", "scale", "orientation", "x", "y")
GRID = FactorGrid((3, 2, 2, 6, 6), NAMES, NAMES[:3], ("shape",), 0.3)
SHORT = TrainingOptions(6, 8, 1e-3)


@pytest.fixture(scope="module")
def images():
    factors = torch.from_numpy(GRID.factors(np.arange(len(GRID)))) * torch.tensor([1, 5, 9, 6, 6])
    return GridImages(sprite_renderer(32)(factors), GRID)


def build(name, seed=0):
    with initial_weights(seed, name):
        return build_model(name, 1, 5, 32)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_the_loss_is_summed_over_factors_and_averaged_over_the_batch():
    assert regression_loss(torch.zeros(4, 5), torch.full((4, 5), 0.5)).item() == pytest.approx(5 * 0.25)


@pytest.mark.parametrize("name", ["CNN", "SetEncoder"])
def test_a_training_is_repeatable_and_depends_on_its_seed(images, name):
    index = np.arange(len(GRID))
    one, same, other = (weights(train_regressor(build(name), images, index, SHORT, seed=s)) for s in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_network_learns_a_few_images(images):
    index = np.arange(0, len(GRID), 9)
    model = train_regressor(build("CNN"), images, index, TrainingOptions(200, 48, 3e-3))
    points = torch.from_numpy(index)
    loss = regression_loss(model(images.batch(points)), torch.from_numpy(GRID.targets(index)).float())
    assert loss.item() < 0.3 * GRID.variances.sum()


@pytest.mark.parametrize("name", ["MLP", "CNN"])
def test_seeds_trained_together_end_where_they_end_alone(images, name):
    indices = [np.arange(0, len(GRID), 2), np.arange(1, len(GRID), 2)]
    alone = [weights(train_regressor(build(name, s), images, indices[s], SHORT, seed=s)) for s in (0, 1)]
    together = train_stacked([build(name, s) for s in (0, 1)], images, indices, SHORT, (0, 1))
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(weights(other), one, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["BetaVAE", "Ada-GVAE", "SlowVAE", "PCL"])
def test_the_read_out_leaves_the_encoder_as_it_was_trained(images, name):
    index = np.arange(len(GRID))
    one, other = build(name), build(name)
    train_representation(one, images, index, SHORT, read_out=TrainingOptions(1, 8, 1e-3))
    train_representation(other, images, index, SHORT, read_out=TrainingOptions(9, 8, 1e-3))
    assert torch.equal(weights(one.encoder), weights(other.encoder))
    assert not torch.equal(weights(one.read_out), weights(other.read_out))


def test_the_rate_rises_in_the_first_twentieth_and_falls_to_zero():
    rates = [rate_at(step, 200) for step in range(200)]
    assert rates[:10] == pytest.approx([k / 10 for k in range(1, 11)])
    assert np.allclose(np.diff(rates[9:]), -1 / 191)
    assert rates[-1] == pytest.approx(1 / 191)
    assert [rate_at(step, 1) for step in range(2)] == [1, 0]


def test_bad_trainings_are_refused(images):
    with pytest.raises(ValueError, match="train_index is empty"):
        train_regressor(build("MLP"), images, np.array([], dtype=np.int64), SHORT)
    with pytest.raises(ValueError, match="batch_size=7 is odd"):
        train_representation(build("PCL"), images, np.arange(9), TrainingOptions(1, 7, 1e-3))
    with pytest.raises(ValueError, match="learning_rate above 0"):
        TrainingOptions(1, 7, 0.0)


def test_any_function_can_be_evaluated_and_a_perfect_one_scores_one(images):
    split = make_split(GRID, "extrapolation")
    lookup = {}
    for point in range(len(GRID)):
        lookup[images.batch(torch.tensor([point])).numpy().tobytes()] = GRID.targets([point])[0]

    def perfect(batch):
        return np.stack([lookup[image.numpy().tobytes()] for image in batch])

    found = evaluate(perfect, images, split, n_test=None, n_train=None)
    table = found.table()
    shown = table[table.factor.isin(["scale", "x", "y", "mean"])]
    assert shown[shown.factor != "mean"]["r2"].to_numpy() == pytest.approx(1.0)
    assert table[(table.subset == "only x") & (table.factor == "x")]["rho_median"].item() == pytest.approx(1.0)
    assert found.summary()["test"] > 0.9
    with pytest.raises(ValueError, match="one column a factor"):
        evaluate(lambda batch: np.zeros(len(batch)), images, split)


def test_moving_and_zooming_an_image_is_rendering_it_elsewhere():
    old = torch.tensor([[2, 4, 3, 8, 20], [0, 2, 0, 16, 16]])
    new = torch.tensor([[2, 1, 3, 25, 4], [0, 5, 0, 2, 30]])
    scale = torch.tensor([5.0, 31.0, 31.0])
    columns = [1, 3, 4]
    moved = warp_sprites(render_sprites(old).float() / 255, old[:, columns] / scale, new[:, columns] / scale)
    expected = render_sprites(new).float() / 255
    assert ((moved > 0.5) != (expected > 0.5)).float().mean() < 0.01


def test_the_augmentation_changes_only_scale_and_position():
    targets = torch.rand(3, 5)
    changed = MoveAndZoom(GRID)(torch.rand(3, 1, 32, 32), targets, torch.Generator().manual_seed(0))[1]
    assert torch.equal(changed[:, [0, 2]], targets[:, [0, 2]])
    assert (changed[:, [1, 3, 4]] != targets[:, [1, 3, 4]]).all()
    assert changed.min() >= 0
    assert changed.max() <= 1


def test_dci_of_the_factors_of_a_sorted_grid_is_high():
    """In grid order the last third of the images would hold out values of the first factor."""
    grid = FactorGrid((9, 8, 7), ("a", "b", "c"))
    factors = grid.targets(np.arange(len(grid)))
    found = dci(factors, factors)
    assert min(found.disentanglement, found.completeness, found.informativeness) > 0.95


def test_a_corner_that_is_far_off_is_no_sign_of_indices_and_a_diverged_model_can_be_scored(images):
    split = make_split(images.grid, "random")
    width = len(images.grid.names)
    calls = iter([3.0] + [0.5] * 120)  # less than one prediction in a hundred is out of range
    points = np.resize(np.arange(len(GRID)), 60_500)
    predict_points(lambda batch: np.full((len(batch), width), next(calls)), images, points)
    with pytest.raises(ValueError, match="NaN"):
        evaluate(lambda batch: np.full((len(batch), width), np.nan), images, split)
    found = evaluate(lambda batch: np.full((len(batch), width), np.nan), images, split, checked=False)
    assert np.isnan(found.summary()["test"])


def test_dci_is_high_for_the_factors_themselves_and_low_for_their_mixtures():
    generator = np.random.default_rng(0)
    factors = generator.random((600, 3))
    mixed = factors @ np.linalg.qr(generator.standard_normal((3, 3)))[0]
    own, blended = dci(factors, factors), dci(mixed, factors)
    assert min(own.disentanglement, own.completeness, own.informativeness) > 0.95
    assert max(blended.disentanglement, blended.completeness) < 0.7


def test_disentanglement_of_one_hot_importance_is_one_of_uniform_zero():
    assert disentanglement(np.eye(4)) == 1
    assert disentanglement(np.ones((4, 3))) == 0
    assert disentanglement(np.zeros((4, 3))) == 0
    with pytest.raises(ValueError, match="same number"):
        dci(np.zeros((5, 2)), np.zeros((4, 2)))
