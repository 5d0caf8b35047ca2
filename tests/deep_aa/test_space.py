"""The numbering of the transformations, grouped application, draws, and what is refused."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deep_aa.pictures import noise, pictures

from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.deep_aa.policy import Policy
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.transformations import OPERATION_NAMES, OPERATIONS

SPACE = AugmentationSpace()
FIXED = [at for at, (operation, _) in enumerate(SPACE.transformations) if not operation.random]
RANDOM = [at for at, (operation, _) in enumerate(SPACE.transformations) if operation.random]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_there_are_139_transformations_of_18_operations_in_the_papers_order():
    assert len(SPACE) == len(SPACE.names) == len(set(SPACE.names)) == 139
    assert SPACE.operations == OPERATION_NAMES
    assert len(OPERATION_NAMES) == 18
    counts = torch.bincount(SPACE.op_index).tolist()
    assert counts == [1, 12, 12, 12, 12, 12, 1, 1, 1, 12, 12, 12, 12, 12, 12, 1, 1, 1]
    assert SPACE.op_index.diff().ge(0).all()
    for name in OPERATION_NAMES:
        part = SPACE.slice_of(name)
        assert SPACE.magnitude[part].diff().gt(0).all()
        assert {SPACE.operations[at] for at in SPACE.op_index[part].tolist()} == {name}


@pytest.mark.parametrize(
    ("operation", "first", "second", "last"),
    [
        ("ShearX", -0.3, -0.25, 0.3),
        ("TranslateY", -0.45, -0.375, 0.45),
        ("Rotate", -30, -25, 30),
        ("Solarize", 0, 256 / 12, 256 * 11 / 12),
        ("Posterize", 4, 4 + 1 / 3, 8 - 1 / 3),
        ("Contrast", 0.1, 0.25, 1.9),
    ],
)
def test_magnitudes_are_linear_between_the_papers_limits(operation, first, second, last):
    values = SPACE.magnitude[SPACE.slice_of(operation)]
    assert len(values) == 12
    assert values[[0, 1, -1]].tolist() == pytest.approx([first, second, last])


def test_the_level_that_does_nothing_is_left_out_and_no_other_does_nothing():
    images = pictures()
    expanded = SPACE.expand(images, seeded())
    same = (expanded == images[:, None]).flatten(2).all(2).all(0)
    assert same.nonzero()[:, 0].tolist() == [SPACE.identity]


def test_duplicates_that_the_paper_does_not_mention():
    expanded = SPACE.expand(pictures(), seeded())
    posterised = expanded[:, SPACE.slice_of("Posterize")]
    assert len(torch.unique(posterised, dim=1)[0]) == 4
    solarised, inverted = SPACE.slice_of("Solarize").start, SPACE.slice_of("Invert").start
    assert torch.equal(expanded[:, solarised], expanded[:, inverted])


def test_expansion_equals_one_call_for_each_transformation():
    images = pictures()
    expanded = SPACE.expand(images, seeded(4))
    assert expanded.shape == (len(images), 139, 3, 32, 32)
    for index in range(139):
        alone = SPACE.apply(images, torch.full((len(images),), index), seeded(4))
        assert torch.equal(expanded[:, index], alone), SPACE.names[index]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 70), st.integers(0, 10**6), st.sampled_from([1, 3]), st.booleans())
def test_a_mixed_batch_equals_images_one_by_one(count, seed, channels, mirror):
    space = AugmentationSpace(16, ops=[name for name in OPERATION_NAMES if name not in ("Color", "RandCrop")])
    images = noise(count, channels, (16, 16), seed)
    index = torch.randint(0, len(space), (count,), generator=seeded(seed))
    together = space.apply(images, index, seeded(seed), mirror_signed=mirror)
    assert together.shape == images.shape
    for place in range(0, count, 7):
        # the same place of a batch of other images: only place and seed decide about draws
        others = torch.zeros_like(images)
        others[place] = images[place]
        same = space.apply(others, torch.full((count,), int(index[place])), seeded(seed), mirror_signed=mirror)
        assert torch.equal(together[place], same[place])


def test_images_given_are_never_changed():
    images = noise(139)
    before = images.clone()
    SPACE.apply(images, torch.arange(139))
    SPACE.expand(images[:2])
    assert torch.equal(images, before)


def test_floats_in_0_1_are_rounded_to_8_bits_and_come_back_as_floats():
    images, index = noise(139), torch.arange(139)
    expected = SPACE.apply(images, index, seeded())
    for dtype, slack in ((torch.float32, 1e-7), (torch.float64, 1e-12)):
        ours = SPACE.apply(images.to(dtype) / 255, index, seeded())
        assert ours.dtype == dtype
        assert torch.equal((ours * 255).round().to(torch.uint8), expected)
        assert (ours - expected.to(dtype) / 255).abs().max() <= slack


def test_signs_turn_in_half_of_the_images_and_only_where_there_is_one():
    one = noise(1)
    for name, signed in (("TranslateX", True), ("Rotate", True), ("Contrast", False), ("Solarize", False)):
        part = SPACE.slice_of(name)
        strong, opposite = (SPACE.apply(one, torch.tensor([at])) for at in (part.start, part.stop - 1))
        many = one.expand(1000, -1, -1, -1)
        turned = SPACE.apply(many, torch.full((1000,), part.start), seeded(), mirror_signed=True)
        as_given = (turned == strong).flatten(1).all(1)
        if signed:
            assert 0.44 < as_given.float().mean() < 0.56
            assert torch.equal(turned[~as_given], opposite.expand(int((~as_given).sum()), -1, -1, -1))
        else:
            assert as_given.all()


def test_the_mirror_image_has_the_opposite_magnitude():
    signed = torch.tensor([operation.signed for operation, _ in SPACE.transformations])
    assert torch.equal(SPACE.mirrored[SPACE.mirrored], torch.arange(139))
    assert torch.allclose(SPACE.magnitude[SPACE.mirrored][signed], -SPACE.magnitude[signed])
    assert torch.equal(SPACE.mirrored[~signed], torch.arange(139)[~signed])


def test_the_same_seed_draws_the_same_and_another_one_does_not():
    images = noise(60)
    index = torch.tensor(RANDOM).repeat(20)
    first, again = (SPACE.apply(images, index, seeded(5)) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, SPACE.apply(images, index, seeded(6)))
    torch.manual_seed(3)
    ours = SPACE.apply(images, index)
    torch.manual_seed(3)
    assert torch.equal(ours, SPACE.apply(images, index))


def test_lengths_follow_the_image_size():
    small = AugmentationSpace(16)
    assert (small.cutout, small.crop_pad, small.image_size) == (8, 2, (16, 16))
    assert (SPACE.cutout, SPACE.crop_pad) == (16, 4)
    assert small.names == SPACE.names
    assert AugmentationSpace((24, 48)).cutout == 12


def test_a_part_of_the_operations_keeps_the_papers_order():
    space = AugmentationSpace(ops=["RandFlip", "Identity", "Rotate"])
    assert space.operations == ("Identity", "Rotate", "RandFlip")
    assert len(space) == 14
    images = noise(12)
    here, there = torch.arange(1, 13), torch.arange(139)[SPACE.slice_of("Rotate")]
    assert torch.equal(space.apply(images, here), SPACE.apply(images, there))


def test_spaces_are_compared_by_what_they_do_and_can_be_pickled():
    assert AugmentationSpace() == AugmentationSpace(32)
    assert AugmentationSpace(16) != AugmentationSpace()
    SPACE.apply(noise(1), torch.tensor([3]))
    again = pickle.loads(pickle.dumps(SPACE))
    assert again == SPACE
    assert torch.equal(again.apply(noise(3), torch.tensor([3, 80, 7])), SPACE.apply(noise(3), torch.tensor([3, 80, 7])))


def test_color_in_grey_does_nothing_and_says_so():
    images = noise(12, 1)
    with pytest.warns(UserWarning, match="Color does nothing to images of one channel"):
        changed = SPACE.apply(images, torch.arange(139)[SPACE.slice_of("Color")])
    assert torch.equal(changed, images)


def test_an_empty_batch_stays_empty():
    assert SPACE.apply(noise(0), torch.zeros(0, dtype=torch.long)).shape == (0, 3, 32, 32)
    assert SPACE.expand(noise(0)).shape == (0, 139, 3, 32, 32)


# ---- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 3, 32, 32)), "must be a tensor"),
        (torch.zeros(2, 32, 32, 3), r"\(2, 32, 32, 3\); channels come last here: images.permute\(0, 3, 1, 2\)"),
        (torch.zeros(3, 32, 32), r"images\[None\]"),
        (torch.zeros(5, 32, 32), r"images\[:, None\]"),
        (torch.zeros(5, 4, 32, 32), "4 channels are neither grey"),
        (torch.zeros(32, 32), "stack the images"),
        (torch.zeros(2, 3, 28, 28), r"28 x 28 pixels, but the space was made for 32 x 32.*image_size=28\)"),
        (torch.zeros(2, 3, 32, 30), r"image_size=\(32, 30\)"),
        (torch.zeros(2, 3, 32, 32, dtype=torch.int64), "dtype int64; give uint8"),
        (torch.full((2, 3, 32, 32), 2.5), "raw images in .0, 1. or uint8; min=2.5, max=2.5"),
        (torch.randn(2, 3, 32, 32, generator=seeded()), "raw images in .0, 1. or uint8; min=-"),
        (torch.full((2, 3, 32, 32), float("nan")), "min=nan"),
    ],
)
def test_images_that_cannot_be_augmented_are_refused(images, message):
    for call in (lambda: SPACE.apply(images, torch.tensor([0, 0])), lambda: SPACE.expand(images)):
        with pytest.raises(DeepAAInputError, match=message):
            call()


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (torch.tensor([0]), r"2 integers, one for each image, not int64 of shape \(1,\)"),
        (torch.tensor([0.0, 1.0]), "not float32"),
        (torch.tensor([True, False]), "not bool"),
        (torch.tensor([0, 139]), r"index\[1\] = 139 is no transformation of this space; they are numbered 0 to 138"),
        (torch.tensor([-1, 3]), r"index\[0\] = -1"),
    ],
)
def test_an_index_of_something_else_is_refused(index, message):
    with pytest.raises(DeepAAInputError, match=message):
        SPACE.apply(noise(2), index)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 7}, "image_size=7 is too small.*at least 8"),
        ({"image_size": (32, 4)}, "too small"),
        ({"image_size": 32.0}, "whole numbers"),
        ({"image_size": "32"}, "whole numbers"),
        ({"image_size": (3, 32, 32)}, "whole numbers"),
        ({"fill": (0.49, 0.48, 0.44)}, "three whole numbers from 0 to 255"),
        ({"fill": 0}, "three whole numbers"),
        ({"fill": (0, 0, 256)}, "three whole numbers"),
        ({"ops": "Rotate"}, "is no list"),
        ({"ops": 5}, "ops=5 is no list"),
        ({"cutout": 0}, "cutout=0 must be"),
        ({"ops": ["Identity", "Rotat"]}, "'Rotat' is unknown; did you mean 'Rotate'"),
        ({"ops": ["Rotate"]}, "lacks 'Identity'"),
        ({"cutout": 40}, "cutout=40 must be .* 1 to the shorter side of the images, 32"),
        ({"image_size": 16, "crop_pad": 17}, "crop_pad=17"),
        ({"crop_pad": 2.5}, "crop_pad=2.5"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(DeepAAInputError, match=message):
        AugmentationSpace(**arguments)


def test_numbers_of_numpy_and_iterators_of_names_are_taken():
    names = ["Identity", "RandFlip"]
    space = AugmentationSpace(np.int64(16), np.array([1, 2, 3]), iter(names), cutout=np.int64(4))
    assert space == AugmentationSpace(16, (1, 2, 3), names, cutout=4)
    assert Policy.uniform(np.int64(2), space).n_layers == 2


def test_an_operation_that_the_space_lacks_is_named():
    with pytest.raises(DeepAAInputError, match="'Rotate' is unknown"):
        AugmentationSpace(ops=["Identity", "RandFlip"]).slice_of("Rotate")
    assert {operation.name for operation in OPERATIONS if operation.random} == {"RandFlip", "RandCutout", "RandCrop"}
