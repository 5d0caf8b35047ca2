"""A second independent implementation: kornia's functions agree where they mean the same, and not where they do not."""

import math

import pytest
import torch
from tests.deep_aa.pictures import pictures

from reprise.deep_aa.space import AugmentationSpace

kornia = pytest.importorskip("kornia")
SPACE = AugmentationSpace()
IMAGES = pictures()
AS_FLOATS = IMAGES / 255


def ours(operation, place):
    index = SPACE.slice_of(operation).start + place
    return SPACE.apply(IMAGES, torch.full((len(IMAGES),), index)), float(SPACE.magnitude[index])


def in_grey_levels(images):
    return images.clamp(0, 1) * 255


SAME = {
    "Brightness": lambda x, m: kornia.enhance.adjust_brightness_accumulative(x, m),
    "Contrast": lambda x, m: kornia.enhance.adjust_contrast_with_mean_subtraction(x, m),
    "Color": lambda x, m: kornia.enhance.adjust_saturation_with_gray_subtraction(x, m),
    "Sharpness": lambda x, m: kornia.enhance.sharpness(x, m),
    "Solarize": lambda x, m: kornia.enhance.solarize(x, m / 255),
    "Posterize": lambda x, m: kornia.enhance.posterize(x, int(m)),
    "Invert": lambda x, m: kornia.enhance.invert(x),
    "Equalize": lambda x, m: kornia.enhance.equalize(x),
}


@pytest.mark.parametrize("operation", SAME)
def test_kornias_functions_agree_up_to_one_grey_level(operation):
    part = SPACE.slice_of(operation)
    for place in range(0, part.stop - part.start, 3):
        images, magnitude = ours(operation, place)
        theirs = in_grey_levels(SAME[operation](AS_FLOATS, magnitude)).floor()
        # a value on a threshold may fall on its other side
        assert (images - theirs).abs().quantile(0.995) <= 1, (operation, magnitude)


def test_kornias_translation_has_the_opposite_sign():
    images, magnitude = ours("TranslateX", 1)
    shift = torch.tensor([[-magnitude * 32, 0.0]]).expand(len(IMAGES), -1)
    theirs = in_grey_levels(kornia.geometry.translate(AS_FLOATS, shift, mode="nearest"))
    assert ((images - theirs).abs() > 1.01).float().mean() < 0.02


def shear_of_its_operation(images, fraction):
    """Its ShearX multiplies the fraction by 180 for degrees: 0.3 becomes 54 degrees, a shear of 1.4."""
    amount = torch.tensor([[math.tan(math.radians(180 * fraction)), 0.0]]).expand(len(images), -1)
    return kornia.geometry.shear(images, amount)


TRAPS = {
    "adjust_brightness adds": (
        "Brightness", 11, lambda x, m: kornia.enhance.adjust_brightness(x, m - 1), 20,
    ),
    "adjust_contrast has no mean": (
        "Contrast", 0, lambda x, m: kornia.enhance.adjust_contrast(x, m), 20,
    ),
    "adjust_saturation works in HSV": (
        "Color", 11, lambda x, m: kornia.enhance.adjust_saturation(x, m), 2,
    ),
    "its ShearX operation takes a fraction times 180 for degrees": (
        "ShearX", 0, lambda x, m: shear_of_its_operation(x, m), 20,
    ),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
def test_what_looks_like_the_same_function_is_another(trap):
    operation, place, theirs, least = TRAPS[trap]
    images, magnitude = ours(operation, place)
    assert (images - in_grey_levels(theirs(AS_FLOATS, magnitude))).abs().mean() > least


def test_kornias_autoaugment_draws_one_sub_policy_for_the_whole_batch():
    """So it cannot stand for AutoAugment, which draws one for each image."""
    from kornia.augmentation.auto import AutoAugment

    steps = [[("solarize", 1.0, 0)], [("invert", 0.0, None)]]
    images = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)).expand(16, -1, -1, -1)
    torch.manual_seed(0)
    for _ in range(6):
        changed = (AutoAugment(steps)(images) != images).flatten(1).any(1)
        assert changed.all() or not changed.any()
