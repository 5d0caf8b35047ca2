"""Every transformation, at every level, equals Pillow on every pixel."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.deep_aa.pictures import noise, pictures

from reprise.deep_aa import operations
from reprise.deep_aa.pillow_operations import (
    crop_with_pillow,
    cut_out_with_pillow,
    flip_with_pillow,
    from_pillow,
    to_pillow,
    with_pillow,
)
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.transformations import OPERATIONS

FIXED = [(o.name, level) for o in OPERATIONS if not o.random for level in o.levels]
SIZES = [(32, 32), (16, 16), (20, 20), (9, 14), (28, 28)]


def by_pillow(images, change):
    return torch.from_numpy(np.stack([from_pillow(change(to_pillow(image))) for image in images.numpy()]))


@pytest.fixture(scope="module")
def space():
    return AugmentationSpace()


def number_of(space, operation, level):
    at = [i for i, (one, m) in enumerate(space.transformations) if (one.name, m) == (operation, level)]
    return at[0]


@pytest.mark.parametrize(("operation", "level"), FIXED)
def test_each_transformation_equals_pillow(space, operation, level):
    images = pictures()
    index = number_of(space, operation, level)
    magnitude = float(space.magnitude[index])
    ours = space.apply(images, torch.full((len(images),), index))
    assert torch.equal(ours, by_pillow(images, lambda one: with_pillow(one, operation, magnitude)))


@pytest.mark.filterwarnings("ignore:Color does nothing")
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_all_of_them_equal_pillow_at_other_sizes_and_in_grey(size, channels):
    space, images = AugmentationSpace(size), pictures(channels, size)[2:8]
    ours = space.expand(images)
    for place, (operation, _) in enumerate(space.transformations):
        if not operation.random:
            magnitude = float(space.magnitude[place])
            expected = by_pillow(images, lambda one, o=operation.name, m=magnitude: with_pillow(one, o, m))
            assert torch.equal(ours[:, place], expected), space.names[place]


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-180, 180), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(-40, 40), st.floats(-40, 40),
    st.integers(8, 40), st.integers(8, 40),
)  # fmt: skip
def test_any_geometry_equals_pillow(degrees, shear_x, shear_y, shift_x, shift_y, height, width):
    images = noise(1, 3, (height, width))
    matrices = [
        operations.shear_matrix(shear_x, shear_y),
        operations.translation_matrix(shift_x, shift_y),
        (1.0, shear_x, shift_x, shear_y, 1.0, shift_y),
    ]
    for matrix in matrices:
        ours = operations.move_pixels(images, operations.source_pixels(matrix, height, width)[None])
        size = (width, height)
        theirs = by_pillow(images, lambda one, s=size, m=matrix: one.transform(s, Image.Transform.AFFINE, m))
        assert torch.equal(ours, theirs)
    turned = operations.source_pixels(operations.rotation_matrix(degrees, height, width), height, width)
    assert torch.equal(operations.move_pixels(images, turned[None]), by_pillow(images, lambda one: one.rotate(degrees)))


@pytest.mark.parametrize("degrees", [90, 180, 270, -90, 45])
def test_quarter_turns_are_exact(degrees):
    images = noise(2)
    turned = operations.source_pixels(operations.rotation_matrix(degrees, 32, 32), 32, 32).expand(2, -1)
    assert torch.equal(operations.move_pixels(images, turned), by_pillow(images, lambda one: one.rotate(degrees)))
    if degrees == 90:
        assert torch.equal(operations.move_pixels(images, turned), images.rot90(1, (2, 3)))


def test_a_shear_on_cell_borders_needs_fixed_point():
    matrix, height, width = operations.shear_matrix(amount_x=0.2), 32, 32
    x, y = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    in_floats = np.floor(x + np.float32(0.2) * y)
    ours = operations.source_pixels(matrix, height, width).view(height, width)
    inside = ours < height * width
    assert (ours[inside] % width != torch.from_numpy(in_floats.astype(int))[inside]).float().mean() > 0.05


def test_a_blend_is_a_blend_at_every_pair_of_values():
    first, second = (torch.arange(256, dtype=torch.uint8).view(shape) for shape in ((256, 1), (1, 256)))
    for factor in (0.0, 0.1, 0.25, 0.4, 0.7, 1.0, 1.15, 1.45, 1.9, 3.0):
        ours = operations.blend(first, second, torch.tensor(factor))
        grids = [Image.fromarray(one.expand(256, 256).numpy().copy()) for one in (first, second)]
        assert np.array_equal(ours.numpy(), np.asarray(Image.blend(*grids, factor)))


def test_grey_is_pillows_at_every_corner_and_many_colours():
    images = noise(40, 3, (16, 16))
    images[0, :, :2] = torch.tensor([0, 255])[None, :, None]
    assert torch.equal(operations.grey(images), by_pillow(images, lambda one: one.convert("L")))
    assert torch.equal(operations.grey(images[:, :1]), images[:, :1])


@pytest.mark.parametrize("low", [0, 1, 7, 100, 200])
def test_stretching_equals_pillow_for_every_range_of_values(low):
    for high in range(low, 256, 3):
        image = torch.full((1, 1, 8, 32), low, dtype=torch.uint8)
        image[0, 0] = torch.linspace(low, high, 256).view(8, 32).to(torch.uint8)
        image[0, 0, 0, 0] = high
        ours = operations.look_up(image, operations.stretching_tables(image))
        assert torch.equal(ours, by_pillow(image, lambda one: with_pillow(one, "AutoContrast")))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(8, 33), st.integers(0, 2**31), st.integers(1, 3))
def test_equalisation_equals_pillow_for_few_and_many_values(n_values, side, seed, power):
    numbers = np.random.default_rng(seed)
    values = numbers.integers(0, 256, n_values)
    shares = numbers.dirichlet(np.full(n_values, 0.3**power))
    image = torch.from_numpy(numbers.choice(values, (2, 3, side, side), p=shares).astype(np.uint8))
    ours = operations.look_up(image, operations.equalization_tables(image))
    assert torch.equal(ours, by_pillow(image, lambda one: with_pillow(one, "Equalize")))


def test_smoothing_averages_neighbours_and_leaves_the_border():
    image = torch.zeros(1, 1, 5, 5, dtype=torch.uint8)
    image[0, 0, 2, 2] = 130
    expected = torch.zeros(5, 5, dtype=torch.uint8)
    expected[1:4, 1:4] = 10
    expected[2, 2] = 50
    assert torch.equal(operations.smooth(image)[0, 0], expected)
    assert torch.equal(operations.smooth(image[..., :2, :2]), image[..., :2, :2])


@pytest.mark.filterwarnings("ignore:Color does nothing")
@pytest.mark.parametrize(("channels", "size"), [(3, (32, 32)), (1, (16, 16)), (3, (9, 14))])
def test_the_random_operations_equal_pillow_for_the_same_draws(channels, size):
    space, images = AugmentationSpace(size), noise(40, channels, size)
    fill = torch.tensor(space.fill) if channels == 3 else torch.tensor([123])
    draws = torch.rand(40, 6, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    def ours(name):
        index = torch.full((40,), space.slice_of(name).start)
        return space.apply(images, index, torch.Generator().manual_seed(3))

    height, width = size
    centres = (draws[:, 2:4] * torch.tensor([width, height])).tolist()
    corners = (draws[:, 4:6] * (2 * space.crop_pad + 1)).long().tolist()
    singles = [to_pillow(one) for one in images.numpy()]
    flipped = [flip_with_pillow(one) if draw < 0.5 else one for one, draw in zip(singles, draws[:, 1], strict=True)]
    covered = [cut_out_with_pillow(one, at, space.cutout, fill) for one, at in zip(singles, centres, strict=True)]
    cropped = [crop_with_pillow(one, at, space.crop_pad, fill) for one, at in zip(singles, corners, strict=True)]
    for name, theirs in (("RandFlip", flipped), ("RandCutout", covered), ("RandCrop", cropped)):
        assert np.array_equal(ours(name).numpy(), np.stack([from_pillow(one) for one in theirs])), name


@pytest.mark.filterwarnings("ignore:Color does nothing")
def test_a_cutout_is_up_to_17_pixels_wide_and_a_crop_moves_by_up_to_4():
    space, images = AugmentationSpace(), torch.zeros(4000, 1, 32, 32, dtype=torch.uint8)
    images[:, :, 15, 15] = 255
    index = torch.full((4000,), space.slice_of("RandCutout").start)
    covered = (space.apply(images, index, torch.Generator().manual_seed(0)) == 123)[:, 0]
    widths = covered.any(1).sum(1)
    assert widths.max() == 17
    assert widths.min() == 9  # at a corner: from int(max(0, 0 - 8)) to int(0 + 8), both included
    assert set(covered.float().mean(0)[[0, 16]][:, [0, 16]].flatten().gt(0).tolist()) == {True}
    cropped = space.apply(
        images, torch.full((4000,), space.slice_of("RandCrop").start), torch.Generator().manual_seed(0)
    )
    y, x = (cropped[:, 0] == 255).nonzero()[:, 1:].unbind(1)
    counts = torch.bincount((y - 11) * 9 + x - 11, minlength=81)
    assert len(counts) == 81
    assert counts.min() > 20  # 81 places, 49 times each on average
    assert counts.max() < 90


def test_half_of_the_flips_flip():
    space, images = AugmentationSpace(), noise(1).expand(2000, -1, -1, -1)
    index = torch.full((2000,), space.slice_of("RandFlip").start)
    changed = (space.apply(images, index, torch.Generator().manual_seed(0)) != images).flatten(1).any(1)
    assert 0.45 < changed.float().mean() < 0.55


def test_the_tables_of_the_point_operations():
    values = torch.arange(256)
    assert torch.equal(operations.inversion_table().long(), 255 - values)
    assert torch.equal(operations.solarization_table(256).long(), values)
    assert torch.equal(operations.solarization_table(0).long(), 255 - values)
    assert operations.posterization_table(4.99).unique().tolist() == [16 * v for v in range(16)]
    assert torch.equal(operations.posterization_table(8).long(), values)
    assert operations.brightness_table(1.9)[200] == 255
