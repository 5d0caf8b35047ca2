"""What the policy is compared with: which operations are drawn how often, and what AutoAugment's steps do."""

import numpy as np
import pytest
import torch
from tests.deep_aa.pictures import noise

from reprise.deep_aa import baselines
from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.deep_aa.pillow_operations import from_pillow, to_pillow, with_pillow
from reprise.deep_aa.space import AugmentationSpace

SPACE = AugmentationSpace()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def sure(policy):
    return [policy.space.names[int(at)] for at in policy.probabilities.argmax(1)]


def test_fixed_sequences():
    assert sure(baselines.default(SPACE)) == ["RandCrop", "RandFlip"]
    assert sure(baselines.default_with_cutout(SPACE)) == ["RandCrop", "RandFlip", "RandCutout"]
    images = noise(4)
    assert torch.equal(baselines.no_augmentation(SPACE)(images), images)
    with pytest.raises(DeepAAInputError, match="'Rotate' has magnitudes"):
        baselines.fixed_sequence(SPACE, "Rotate")


def test_trivial_augment_draws_one_of_14_operations_then_the_defaults():
    policy = baselines.trivial_augment(SPACE)
    first = policy.operation_mass()[0]
    assert (first > 0).sum() == 14
    assert torch.allclose(first[first > 0], torch.tensor(1 / 14, dtype=torch.float64))
    never = [name for name, mass in zip(SPACE.operations, first, strict=True) if mass == 0]
    assert never == ["Invert", "RandFlip", "RandCutout", "RandCrop"]
    assert sure(policy)[1:] == ["RandCrop", "RandFlip", "RandCutout"]
    assert baselines.deep_trivial_augment(SPACE, 4).n_layers == 4


@pytest.mark.parametrize("strength", [1, 3, 6])
def test_rand_augment_draws_operations_of_one_strength(strength):
    policy = baselines.rand_augment(SPACE, 2, strength)
    assert policy.n_layers == 5
    mass = policy.operation_mass()[0]
    assert torch.allclose(mass[mass > 0], torch.tensor(1 / 14, dtype=torch.float64))
    drawn = {name: SPACE.level[SPACE.slice_of(name)][policy.probabilities[0, SPACE.slice_of(name)] > 0].tolist()
             for name in ("Rotate", "Contrast", "Solarize", "Posterize", "Identity", "Invert")}  # fmt: skip
    assert drawn == {
        "Rotate": [6 - strength, 6 + strength],
        "Contrast": [6 - strength, 6 + strength],
        "Solarize": [12 - 2 * strength],
        "Posterize": [12 - 2 * strength],
        "Identity": [6],
        "Invert": [],
    }


def test_rand_augment_refuses_a_strength_off_the_grid():
    for strength in (0, 7, 2.5):
        with pytest.raises(DeepAAInputError, match=r"strength=.* 1 to 6"):
            baselines.rand_augment(SPACE, 2, strength)


@pytest.mark.parametrize("n_operations", [0, 1.5, True])
def test_rand_augment_refuses_a_number_of_operations_that_is_none(n_operations):
    with pytest.raises(DeepAAInputError, match=f"n_operations={n_operations} must be a whole number"):
        baselines.rand_augment(SPACE, n_operations)


def test_autoaugments_sub_policies_are_kornias():
    preset = pytest.importorskip("kornia.augmentation.auto.autoaugment.autoaugment").cifar10_policy
    ours = [[], *([] for _ in range(25))]
    for sub_policy, _, name, probability, level in baselines.autoaugment_table():
        ours[sub_policy].append((name.casefold(), probability, level))
    theirs = [[(name.replace("_", ""), p, level) for name, p, level in steps] for steps in preset]
    assert ours[1:] == theirs


class Still(torch.nn.Module):
    def forward(self, images, generator=None):
        return images


def test_autoaugment_applies_both_steps_of_one_sub_policy_for_each_image():
    """With certain steps, each image equals one of the 25 sequences by Pillow, in either direction."""
    module = baselines.AutoAugment(SPACE)
    module.afterwards = Still()
    module.chance.fill_(1.0)
    image = noise(1)
    strength = {
        "Rotate": lambda s: 30 * s, "TranslateX": lambda s: 0.45 * s, "TranslateY": lambda s: 0.45 * s,
        "ShearY": lambda s: 0.3 * s, "Solarize": lambda s: 256 - 256 * s, "Posterize": lambda s: round(8 - 4 * s),
    }  # fmt: skip
    expected = set()
    table = baselines.autoaugment_table()
    for first, second in zip(table[::2], table[1::2], strict=True):
        for signs in np.ndindex(2, 2):
            one = to_pillow(image[0].numpy())
            for (_, _, name, _, level), sign in zip((first, second), signs, strict=True):
                value = strength.get(name, lambda s: 0.1 + 1.8 * s)((level or 0) / 9)
                signed = name.startswith(("Rotate", "Translate", "Shear"))
                one = with_pillow(one, name, -value if signed and sign else value)
            expected.add(from_pillow(one).tobytes())
    ours = module(image.expand(1500, -1, -1, -1), seeded())
    found = {one.numpy().tobytes() for one in ours}
    assert found == expected


def test_autoaugment_skips_steps_with_the_complement_of_their_probability():
    module = baselines.AutoAugment(SPACE)
    module.afterwards = Still()
    image = (noise(1) * 0.75 + 40).to(torch.uint8)  # every step changes it, AutoContrast, too
    untouched = (module(image.expand(6000, -1, -1, -1), seeded()) == image).flatten(1).all(1).float().mean()
    table = baselines.autoaugment_table()
    expected = np.mean([(1 - a[3]) * (1 - b[3]) for a, b in zip(table[::2], table[1::2], strict=True)])
    assert float(untouched) == pytest.approx(expected, abs=0.02)


@pytest.mark.filterwarnings("ignore:Color does nothing")
@pytest.mark.parametrize("channels", [1, 3])
def test_every_baseline_takes_small_grey_and_float_images(channels):
    space = AugmentationSpace(16)
    modules = [
        baselines.no_augmentation(space), baselines.default(space), baselines.trivial_augment(space),
        baselines.deep_trivial_augment(space, 2), baselines.rand_augment(space), baselines.AutoAugment(space),
    ]  # fmt: skip
    images = noise(20, channels, (16, 16))
    for module in modules:
        augmented = module(images, seeded(1))
        assert (augmented.dtype, augmented.shape) == (torch.uint8, images.shape)
        as_floats = module(images / 255, seeded(1))
        assert torch.equal((as_floats * 255).round().to(torch.uint8), augmented)
        assert torch.equal(module.eval()(images), images)
