"""Policies: sampling, augmenting, measures, the published ones, files, and what is refused."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deep_aa.pictures import noise
from torch import nn

from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.deep_aa.policy import Policy, draw_index, uniform_layer
from reprise.deep_aa.published_policies import published_magnitudes, published_masses
from reprise.deep_aa.space import AugmentationSpace

SPACE = AugmentationSpace()
SMALL = AugmentationSpace(16, ops=["Identity", "Invert", "RandFlip"])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_policy(n_layers=3, space=SPACE, seed=0):
    return Policy(torch.rand(n_layers, len(space), generator=seeded(seed), dtype=torch.float64).softmax(1), space)


def test_layers_are_applied_in_order_on_8_bit_images():
    sure = torch.eye(len(SPACE), dtype=torch.float64)
    first, second, third = (SPACE.slice_of(name).start for name in ("Contrast", "Equalize", "Rotate"))
    policy = Policy(sure[[first, second, third]], SPACE, mirror_signed=False)
    images = noise(5)
    by_hand = images
    for index in (first, second, third):
        by_hand = SPACE.apply(by_hand, torch.full((5,), index))
    assert torch.equal(policy(images), by_hand)
    assert torch.equal((policy(images / 255) * 255).round().to(torch.uint8), by_hand)


def test_transformations_are_drawn_with_their_probabilities_and_independently():
    policy = Policy(torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.0, 0.9]]), SMALL)
    drawn = policy.sample(20000, seeded())
    assert drawn.shape == (20000, 2)
    joint = torch.zeros(3, 3).index_put_((drawn[:, 0], drawn[:, 1]), torch.ones(20000), accumulate=True) / 20000
    assert torch.allclose(joint, torch.outer(torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.1, 0.0, 0.9])), atol=0.01)
    assert (joint[:, 1] == 0).all()
    assert torch.equal(drawn, policy.sample(20000, seeded()))
    assert len(draw_index(policy.probabilities[0], 0)) == 0


def test_every_image_of_a_batch_has_its_own_draw_and_a_seed_repeats_them():
    images = noise(1).expand(64, -1, -1, -1)
    policy = Policy.uniform(2)
    augmented = policy(images, seeded(1))
    assert len(torch.unique(augmented, dim=0)) > 40
    assert torch.equal(augmented, policy(images, seeded(1)))
    assert not torch.equal(augmented, policy(images, seeded(2)))


def test_as_first_module_of_a_network_it_augments_in_training_only():
    network = nn.Sequential(Policy.uniform(3, AugmentationSpace(8)), nn.Flatten(), nn.Linear(192, 2))
    images = torch.rand(30, 3, 8, 8, generator=seeded())
    network.eval()
    assert torch.equal(network[0](images), images)
    network.train()
    assert not torch.equal(network[0](images), images)
    assert "0.probabilities" in network.state_dict()
    assert not list(network[0].parameters())


def test_signs_turn_in_training_unless_told_not_to():
    sure = torch.zeros(1, 139)
    sure[0, 1] = 1
    images = noise(1).expand(200, -1, -1, -1)
    assert len(torch.unique(Policy(sure)(images), dim=0)) == 2
    assert len(torch.unique(Policy(sure, mirror_signed=False)(images), dim=0)) == 1


# ---- uniform ------------------------------------------------------------------------------------------------------


def test_the_random_control_draws_17_operations_evenly_then_a_magnitude():
    policy = Policy.uniform(4)
    mass = policy.operation_mass()
    assert mass.shape == (4, 18)
    expected = torch.full((18,), 1 / 17, dtype=torch.float64)
    expected[7] = 0  # Invert
    assert torch.allclose(mass, expected.expand(4, -1))
    assert torch.allclose(policy.probabilities[0, 1:13], torch.tensor(1 / 17 / 12, dtype=torch.float64))


def test_uniform_over_transformations_gives_operations_without_magnitude_little():
    policy = Policy.uniform(1, over="transformation")
    assert torch.allclose(policy.probabilities, torch.tensor(1 / 139, dtype=torch.float64))
    assert float(policy.mass_of("RandCrop")[0]) == pytest.approx(1 / 139)
    assert float(Policy.uniform(1, without=("Rotate",)).mass_of("Rotate")[0]) == 0
    assert float(Policy.uniform(1, without=()).mass_of("Invert")[0]) == pytest.approx(1 / 18)
    assert Policy.uniform(1, AugmentationSpace(ops=["Identity", "RandFlip"])).probabilities.tolist() == [[0.5, 0.5]]


# ---- measures -----------------------------------------------------------------------------------------------------


def test_measures_by_hand():
    policy = Policy(torch.tensor([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]]), SMALL)
    assert policy.n_layers == 2
    assert policy.entropy().tolist() == pytest.approx([1.5 * math.log(2), 0.0])
    assert policy.identity_mass().tolist() == [0.5, 1.0]
    other = Policy(torch.tensor([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]), SMALL)
    assert policy.total_variation(other).tolist() == pytest.approx([0.5, 0.0])
    assert policy.total_variation(policy).tolist() == [0.0, 0.0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_measures_keep_their_bounds(seed):
    first, second, third = (random_policy(2, seed=seed + at) for at in range(3))
    assert torch.allclose(first.operation_mass().sum(1), torch.ones(2, dtype=torch.float64))
    by_operation, by_transformation = (first.total_variation(second, over=o) for o in ("operation", "transformation"))
    assert (by_operation <= by_transformation + 1e-12).all()
    assert (by_transformation <= 1).all()
    assert torch.allclose(by_operation, second.total_variation(first))
    assert (by_operation <= first.total_variation(third) + third.total_variation(second) + 1e-12).all()
    assert (first.entropy() <= math.log(139)).all()


def test_the_frame_has_one_line_for_each_layer_and_transformation():
    policy = random_policy(3)
    frame = policy.to_frame()
    assert list(frame.columns) == ["layer", "operation", "level", "magnitude", "probability"]
    assert len(frame) == 3 * 139
    assert frame.groupby("layer")["probability"].sum().tolist() == pytest.approx([1, 1, 1])
    mass = frame.groupby(["layer", "operation"])["probability"].sum()
    assert mass[2, "Rotate"] == pytest.approx(float(policy.mass_of("Rotate")[1]))


def test_layers_can_be_taken_off_and_added():
    first, second = random_policy(3, seed=1), random_policy(2, seed=2)
    assert torch.equal(first.first(2).probabilities, first.probabilities[:2])
    both = first.first(1).then(second)
    assert torch.equal(both.probabilities, torch.cat([first.probabilities[:1], second.probabilities]))
    assert "Identity" in repr(Policy(torch.eye(139)[:1]))


# ---- published ----------------------------------------------------------------------------------------------------


def test_the_published_layers_add_up_to_one_before_anything_is_divided():
    sums = published_masses().groupby(["run", "layer"])["mass"].sum()
    assert sums[1].to_numpy() == pytest.approx(np.ones(6), abs=3e-4)  # rounded to four decimals
    assert sums[2].to_numpy() == pytest.approx(np.ones(6), abs=0.01)  # small operations are not listed
    shares = published_magnitudes().groupby(["layer", "operation"])["share"].sum()
    assert shares.to_numpy() == pytest.approx(np.ones(len(shares)), abs=0.12)


@pytest.mark.parametrize("run", [1, 2])
def test_the_published_policy_rediscovers_cutout_crop_and_flip(run):
    policy = Policy.published("cifar", run=run)
    heaviest = [SPACE.operations[int(at)] for at in policy.operation_mass().argmax(1)]
    assert heaviest[1] == "RandCutout"
    assert heaviest[2] == "RandCrop"
    assert "RandFlip" in heaviest[3:5]
    assert heaviest[5] == "Identity"
    assert float(policy.identity_mass()[5]) > 0.96


def test_the_published_policy_has_the_printed_masses_and_magnitudes():
    policy = Policy.published()
    expected = published_masses().query("run == 1").pivot(index="layer", columns="operation", values="mass")
    ours = policy.operation_mass().numpy()
    assert ours == pytest.approx(expected[list(SPACE.operations)].to_numpy(), abs=2e-4)
    first = policy.probabilities[0, SPACE.slice_of("TranslateX")]
    assert (first / first.sum())[[0, 1, 10, 11]].tolist() == pytest.approx([0.392, 0.062, 0.041, 0.505], abs=1e-3)
    even = policy.probabilities[1, SPACE.slice_of("TranslateX")]
    assert torch.allclose(even, even[0].expand(12))  # no magnitudes are known of layer 2
    fifth = policy.probabilities[4, SPACE.slice_of("Color")]
    assert (fifth > 0).nonzero()[:, 0].tolist() == [4, 5]


def test_the_published_policy_fits_images_of_another_size():
    policy = Policy.published(space=AugmentationSpace(16))
    assert policy(noise(5, size=(16, 16))).shape == (5, 3, 16, 16)
    assert torch.equal(policy.probabilities, Policy.published().probabilities)


# ---- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["json", "npz"])
def test_a_saved_policy_comes_back_whole(tmp_path, ending):
    space = AugmentationSpace((16, 24), (1, 2, 3), ["Identity", "Rotate", "RandCutout"], cutout=5, crop_pad=3)
    policy = Policy(random_policy(2, space).probabilities, space, mirror_signed=False)
    policy.save(tmp_path / f"policy.{ending}")
    again = Policy.load(tmp_path / f"policy.{ending}")
    assert torch.equal(again.probabilities, policy.probabilities)
    assert again.space == policy.space
    assert again.mirror_signed is False
    elsewhere = Policy.load(tmp_path / f"policy.{ending}", AugmentationSpace(20, ops=space.operations))
    assert elsewhere.space.image_size == (20, 20)


def authors_file(path, policy, order=None, **changed):
    order = np.arange(139) if order is None else order
    names = [name.upper() for name in SPACE.operations]
    values = {
        "policy_probs": policy.probabilities.numpy()[:, order],
        "ops": SPACE.op_index.numpy()[order],
        "mags": SPACE.level.numpy()[order],
        "l_ops": 18,
        "l_mags": 13,
        "op_names": np.array(names),
        **changed,
    }
    np.savez(path, **{key: value for key, value in values.items() if value is not None})


def test_a_file_with_the_authors_keys_is_read_whatever_its_order(tmp_path):
    policy = random_policy(3)
    order = np.random.default_rng(0).permutation(139)
    authors_file(tmp_path / "policy.npz", policy, order)
    assert torch.allclose(Policy.load(tmp_path / "policy.npz").probabilities, policy.probabilities, atol=1e-15)
    authors_file(tmp_path / "policy.npz", policy, order, mags=SPACE.level.numpy()[order][:, None])
    assert torch.allclose(Policy.load(str(tmp_path / "policy.npz")).probabilities, policy.probabilities, atol=1e-15)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"policy_probs": None}, "lacks policy_probs"),
        ({"mags": np.zeros(3)}, "139 probabilities a layer, but 139 operations and 3 magnitudes"),
        ({"op_names": np.array(["Shear_X"] * 18)}, "'Shear_X', which is not implemented here; the nearest is ShearX"),
        ({"mags": np.full(139, 6)}, "lacks ShearX at level 6"),
        ({"ops": np.full(139, 99)}, r"ops\[0\]=99 in the file has no name: op_names has 18"),
        ({"op_names": np.array(SPACE.operations, dtype=object)}, "cannot be read"),
        ({"ops": SPACE.op_index.numpy() + 0.5}, "ops in the file must be whole numbers"),
        ({"mags": np.array(["high"] * 139)}, "mags in the file must be whole numbers"),
        ({"ops": np.ones(139), "mags": np.zeros(139)}, "ShearX at level 0 twice"),
        ({"policy_probs": np.ones((1, 2, 139))}, r"has the shape \(1, 2, 139\); it must be"),
    ],
)
def test_a_file_that_is_no_policy_is_refused(tmp_path, changed, message):
    authors_file(tmp_path / "policy.npz", random_policy(2), **changed)
    with pytest.raises(DeepAAInputError, match=message):
        Policy.load(tmp_path / "policy.npz")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("mirror_signed", "false", "mirror_signed='false' in the file must be true or false"),
        ("mirror_signed", None, "must be true or false"),
        ("fill", [0.49, 0.48, 0.45], "fill in the file must be whole numbers"),
        ("image_size", [32.9, 32], "image_size in the file must be whole numbers"),
        ("image_size", "32x32", "image_size in the file must be whole numbers: .*32x32"),
        ("image_size", None, "image_size in the file must be whole numbers"),
        ("cutout", 8.7, "cutout in the file must be whole numbers"),
        ("crop_pda", 2, "has 'crop_pda', which is unknown; known: "),
        ("policy_probs", [[0.5, 0.5], [1.0]], "policy_probs in the file must be numbers of shape"),
        ("policy_probs", None, "139 operations"),
    ],
)
def test_an_edited_file_is_refused_and_not_read_otherwise(tmp_path, key, value, message):
    path = tmp_path / "policy.json"
    random_policy(1).save(path)
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), key: value}), encoding="utf-8")
    with pytest.raises(DeepAAInputError, match=message):
        Policy.load(path)


def test_a_file_may_give_the_side_alone(tmp_path):
    path = tmp_path / "policy.json"
    Policy.uniform(1, AugmentationSpace(16)).save(path)
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "image_size": 16}), encoding="utf-8")
    assert Policy.load(path).space.image_size == (16, 16)


def test_files_that_are_none_or_something_else_are_refused(tmp_path):
    with pytest.raises(DeepAAInputError, match="does not exist"):
        Policy.load(tmp_path / "nothing.json")
    with pytest.raises(DeepAAInputError, match=r"must end in \.json or \.npz"):
        random_policy().save(tmp_path / "new" / "policy.pt")
    assert not (tmp_path / "new").exists()
    random_policy().save(tmp_path / "new" / "policy.json")
    assert (tmp_path / "new" / "policy.json").is_file()
    for name, text in (
        ("list.json", "[1, 2]"),
        ("half.json", '{"policy'),
        ("some.npz", "no archive"),
        ("empty.npz", ""),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(DeepAAInputError, match=r"no policy|cannot be read"):
            Policy.load(tmp_path / name)
    policy = random_policy(1)
    policy.save(tmp_path / "policy.json")
    assert json.loads((tmp_path / "policy.json").read_text(encoding="utf-8"))["image_size"] == [32, 32]
    with pytest.raises(DeepAAInputError, match="the space lacks"):
        Policy.load(tmp_path / "policy.json", SMALL)


# ---- what is refused ----------------------------------------------------------------------------------------------

GOOD = torch.full((2, 3), 1 / 3)


def changed(layer, place, value):
    probabilities = GOOD.clone()
    probabilities[layer, place] = value
    return probabilities


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        (torch.full((2, 139), 1 / 139), "139 transformations a layer, but the space has 3"),
        (GOOD[0], r"shape \(K, 3\), one line for each layer, not \(3,\)"),
        (torch.zeros(0, 3), r"not \(0, 3\)"),
        (changed(1, 0, 0.5), "layer 2 sum to 1.167, not to 1"),
        (changed(0, 1, -0.1), "layer 1 has a negative probability, -0.1; give the softmax"),
        (changed(1, 2, float("nan")), "layer 2 has nan at transformation 2"),
        (changed(0, 0, float("inf")), "layer 1 has inf"),
        ([["a", "b", "c"]], "must be numbers"),
        ("uniform", "must be numbers"),
    ],
)
def test_probabilities_that_are_none_are_refused(probabilities, message):
    with pytest.raises(DeepAAInputError, match=message):
        Policy(probabilities, SMALL)


def test_lists_and_arrays_are_taken_and_rounding_is_mended():
    assert Policy([[0.2, 0.3, 0.5]], SMALL).probabilities.tolist() == [[0.2, 0.3, 0.5]]
    policy = Policy(np.array([[0.2, 0.3, 0.5004]], dtype=np.float32), SMALL)
    assert float(policy.probabilities.sum()) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Policy.uniform(0), "n_layers=0 must be a whole number from 1 on"),
        (lambda: Policy.uniform(2.0), "n_layers=2.0"),
        (lambda: Policy.uniform(1, over="operations"), "over='operations' is unknown; did you mean 'operation'"),
        (lambda: Policy.uniform(1, SMALL, without=("Identity", "Invert", "RandFlip")), "leaves no operation"),
        (lambda: Policy.uniform(1, without=("Rotation",)), "'Rotation' is unknown; did you mean 'Rotate'"),
        (lambda: Policy.published("imagenet"), "data='imagenet' is unknown"),
        (lambda: Policy.published(run=3), "run=3 must be 1 or 2"),
        (lambda: Policy.published(space=SMALL), "is unknown"),
        (lambda: random_policy(2).first(3), "from 1 to 2, the layers there are"),
        (lambda: random_policy(2).total_variation(random_policy(3)), "2 and 3 layers"),
        (
            lambda: random_policy(2).total_variation(Policy(GOOD, SMALL)),
            "different spaces: only one of them has AutoCon",
        ),
        (lambda: random_policy(2).then(Policy(GOOD, SMALL)), "different spaces"),
        (
            lambda: random_policy(2).then(Policy.uniform(1, AugmentationSpace(16))),
            r"image_size=\(32, 32\) and image_size=\(16, 16\); make the second one anew",
        ),
        (lambda: random_policy(2).then(Policy.uniform(1, AugmentationSpace(cutout=8))), "cutout=16 and cutout=8"),
        (lambda: random_policy(2).then(Policy.uniform(1, AugmentationSpace(crop_pad=2))), "crop_pad=4 and crop_pad=2"),
        (lambda: random_policy(2).then(Policy.uniform(1, AugmentationSpace(fill=(0, 0, 0)))), "fill="),
        (
            lambda: random_policy(2).then(Policy.uniform(1, mirror_signed=False)),
            "mirror_signed is True in the first policy and False in the second",
        ),
        (lambda: random_policy(2).total_variation(random_policy(2), over="magnitude"), "over='magnitude'"),
        (lambda: random_policy(2)(torch.randn(4, 3, 32, 32, generator=seeded())), "augmentation needs raw images"),
        (lambda: random_policy(2)(torch.zeros(4, 32, 32, 3)), "channels come last"),
        (lambda: uniform_layer(SMALL, ["Rotate"]), "'Rotate' is unknown"),
        (lambda: uniform_layer(SMALL, "Invert"), "without='Invert' is a single string"),
        (lambda: Policy(GOOD, 32), "space=32 must be an AugmentationSpace"),
        (lambda: Policy.uniform(2, 28), "space=28 must be an AugmentationSpace"),
        (lambda: Policy.published(space="cifar"), "space='cifar' must be an AugmentationSpace"),
        (lambda: random_policy(2).then(3), "other=3 must be a Policy"),
        (lambda: random_policy(2).total_variation(3), "other=3 must be a Policy"),
        (lambda: Policy(None), "must be numbers"),
    ],
)
def test_calls_that_make_no_sense_are_refused(call, message):
    with pytest.raises(DeepAAInputError, match=message):
        call()
