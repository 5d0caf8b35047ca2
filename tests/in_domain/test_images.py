import numpy as np
import pytest
import torch

from reprise.in_domain.blog_case import GRID as BLOG_GRID
from reprise.in_domain.blog_case import blog_images, is_held_out, make_blog_case, shape_accuracy
from reprise.in_domain.grid import FactorGrid, find_grid
from reprise.in_domain.images import GridImages, RenderedGrid, check_labels, render_points
from reprise.in_domain.originals import as_grid_images, read_original
from reprise.in_domain.rooms import WALL_HEIGHT, render_rooms, room_renderer
from reprise.in_domain.splits import make_split
from reprise.in_domain.sprites import sprite_renderer
from reprise.in_domain.table import FactorTable
from reprise.in_domain.turntable import read_photographs, turntable_renderer

SMALL = FactorGrid((2, 3), ("a", "b"))


def test_stored_rendered_and_single_images_are_the_same():
    grid = find_grid("sprites-rot90")
    source = RenderedGrid(sprite_renderer(32), grid)
    index = np.array([5, 100_000, 7, 184_319])
    stored = render_points(source, index)
    one_by_one = torch.cat([source.batch(torch.tensor([point])) for point in index.tolist()])
    assert torch.equal(stored.batch(torch.from_numpy(index)), one_by_one)
    with pytest.raises(ValueError, match="not stored"):
        stored.batch(torch.tensor([6]))


def test_bytes_become_floats_between_zero_and_one():
    images = GridImages(np.full((6, 4, 4), 51, dtype=np.uint8), SMALL)
    batch = images.batch(torch.tensor([0, 5]))
    assert batch.shape == (2, 1, 4, 4)
    assert batch.unique().tolist() == [pytest.approx(0.2)]


def test_bad_images_and_labels_are_refused_with_a_remedy():
    with pytest.raises(ValueError, match=r"the grid \[2, 3\] has 6 images, got 5: images must be in grid order"):
        GridImages(np.zeros((5, 4, 4), np.uint8), SMALL)
    with pytest.raises(ValueError, match="values from 0 to 200; give uint8"):
        GridImages(np.concatenate([np.zeros((5, 4, 4)), np.full((1, 4, 4), 200.0)]), SMALL)
    with pytest.raises(ValueError, match="give"):
        GridImages(np.zeros((6, 1, 4, 5), np.uint8), SMALL)
    labels = SMALL.factors(np.arange(6))
    check_labels(labels, SMALL)
    with pytest.raises(ValueError, match="count from 1"):
        check_labels(labels + 1, SMALL)
    with pytest.raises(ValueError, match="not in grid order"):
        check_labels(labels[::-1], SMALL)
    with pytest.raises(ValueError, match="shape"):
        check_labels(labels[:3], SMALL)


def test_rooms_show_their_hues_where_they_belong():
    factors = torch.tensor([[0, 3, 6, 7, 2, 7]])
    image = render_rooms(factors)[0].float()
    red, green, blue = image[:, 60, 32], image[:, 22, 4], image[:, 34, 32]
    assert red.argmax() == 0
    assert green.argmax() == 1
    assert blue.argmax() == 2
    assert (image[:, 0, 0].round().tolist()) == [153, 222, 245]
    assert WALL_HEIGHT < 2


def test_changing_one_factor_of_a_room_changes_only_its_surface():
    base = torch.tensor([[0, 3, 6, 7, 2, 7]])
    for column in range(3):
        other = base.clone()
        other[0, column] = 8
        changed = (render_rooms(base) != render_rooms(other)).any(1)
        assert 0.02 < changed.float().mean() < 0.7
    assert (render_rooms(base) != render_rooms(base + torch.tensor([0, 0, 0, 0, 0, 1]))).any()


def test_a_room_has_the_same_image_alone_and_in_a_batch():
    factors = torch.stack([torch.randint(0, s, (20,)) for s in find_grid("rooms").sizes], 1)
    together = room_renderer(32)(factors)
    assert torch.equal(together, torch.cat([room_renderer(32)(row[None]) for row in factors]))


def test_turntable_places_and_scales_the_photographs():
    photographs = read_photographs()
    assert photographs.shape == (20, 72, 32, 32)
    assert photographs.min() >= 0
    assert photographs.max() <= 1
    render = turntable_renderer(photographs, 64)
    factors = torch.tensor([[0, 3, 5, 0, 0], [0, 3, 5, 15, 0], [0, 3, 5, 0, 15]])
    first, right, down = render(factors)[:, 0].float()
    assert torch.equal(first[:32, :32], (photographs[0, 3] * 255).round())
    assert torch.equal(right[:32, 32:], first[:32, :32])
    assert torch.equal(down[32:, :32], first[:32, :32])


def test_the_noise_of_the_turntable_is_fixed_by_the_image():
    render = turntable_renderer(read_photographs(), 64, "noise")
    factors = torch.tensor([[0, 3, 5, 0, 0], [0, 3, 5, 0, 1]])
    one, other = render(factors)
    assert torch.equal(one, render(factors[:1])[0])
    assert (one[:, 40:] != other[:, 40:]).any()


def test_consecutive_views_are_consecutive_angles():
    photographs = read_photographs()[3].flatten(1)
    near = (photographs[1:] - photographs[:-1]).norm(dim=1).mean()
    far = (photographs[18:] - photographs[:-18]).norm(dim=1).mean()
    assert near < 0.7 * far


@pytest.mark.parametrize("name", ["dsprites", "shapes3d", "mpi3d"])
def test_originals_that_are_missing_or_wrong_say_where_the_right_ones_are(name, tmp_path):
    with pytest.raises(ValueError, match="get it from https"):
        read_original(name, tmp_path / "absent.npz")
    with pytest.raises(ValueError, match="has uint8"):
        as_grid_images(name, np.zeros((3, 64, 64, 3), np.uint8))
    with pytest.raises(ValueError, match="known: dsprites"):
        read_original("celeba", tmp_path / "absent.npz")


def test_an_original_archive_without_its_array_is_refused(tmp_path):
    file = tmp_path / "dsprites.npz"
    np.savez(file, other=np.zeros(3))
    with pytest.raises(ValueError, match="'imgs'"):
        read_original("dsprites", file)


def test_the_blogs_case_separates_large_hearts_and_small_squares():
    case = make_blog_case(3000, 1000)
    assert len(case.held_out) == len(case.control) == 3000
    for index in case.training_sets().values():
        assert not np.isin(index, case.test).any()
    assert is_held_out(BLOG_GRID.factors(case.test)).all()
    assert not is_held_out(BLOG_GRID.factors(case.held_out)).any()
    assert is_held_out(BLOG_GRID.factors(case.control)).any()
    assert is_held_out(np.array([[2, 3, 0, 0], [2, 2, 0, 0], [0, 2, 0, 0], [0, 3, 0, 0], [1, 5, 0, 0]])).tolist() == [
        True, False, True, False, False,
    ]  # fmt: skip
    assert blog_images(32).batch(torch.from_numpy(case.test[:2])).shape == (2, 1, 32, 32)


def test_shape_accuracy_rounds_to_the_nearest_shape():
    index = BLOG_GRID.index([[0, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0]])
    predicted = np.array([[0.2, 0, 0, 0], [0.8, 0, 0, 0], [1.4, 0, 0, 0]])
    assert shape_accuracy(index, predicted) == pytest.approx(2 / 3)


def test_a_table_of_continuous_factors_is_split_at_quantiles():
    values = np.random.default_rng(0).gamma(2, size=(2000, 2))
    table = FactorTable(values, ["a", "b"])
    split = make_split(table, "extrapolation")
    top = np.quantile(values, 0.8, axis=0)
    inside = (values < top).all(1)
    assert (np.isin(np.arange(2000), split.train_index) == inside).mean() > 0.999
    assert table.targets(np.arange(2000)).max() == 1
    assert make_split(table, "interpolation").ood_values["a"] == (2, 7)
    assert len(make_split(table, "random").train_index) == len(split.train_index)


def test_bad_tables_are_refused():
    with pytest.raises(ValueError, match="constant factor"):
        FactorTable([[1.0, 2.0], [1.0, 3.0]], ["a", "b"])
    with pytest.raises(ValueError, match="NaN"):
        FactorTable([[1.0], [np.nan]], ["a"])
    with pytest.raises(ValueError, match="names=None"):
        FactorTable([[1.0], [2.0]])
