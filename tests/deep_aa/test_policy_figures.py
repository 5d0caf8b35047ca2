"""The figures of policies show the rows' numbers, and say so where there are none."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot
from tests.deep_aa.made_rows import rows_of_searches, searched_policies
from tests.deep_aa.pictures import noise, pictures

from reprise.deep_aa import illustrations, policy_figures
from reprise.deep_aa.families import FAMILIES, colour_of, family_masses
from reprise.deep_aa.image_checks import DeepAAInputError
from reprise.deep_aa.policy import Policy
from reprise.deep_aa.space import AugmentationSpace
from reprise.deep_aa.transformations import OPERATION_NAMES
from reprise.rows import MissingRowsError

CIFAR = "cifar10-4k"
SPACE = AugmentationSpace()


@pytest.fixture(scope="module")
def rows():
    return rows_of_searches()


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


def test_the_families_hold_every_operation_once():
    members = [name for family in FAMILIES for name in family.operations]
    assert sorted(members) == sorted(OPERATION_NAMES)
    assert len({family.colour for family in FAMILIES}) == len(FAMILIES)
    assert colour_of("ShearY") == FAMILIES[1].colour


def test_bars_are_the_mean_mass_over_the_searches_that_have_the_layer(rows):
    drawing = policy_figures.draw_policies(rows, CIFAR)
    ours = drawing.data[drawing.data["panel"] == "ours"].set_index(["layer", "family"])["mass"]
    policies = searched_policies()
    for layer, seeds in ((1, (0, 1, 2)), (4, (0, 1))):
        mean = np.mean([policies[seed].mass_of("RandCrop")[layer - 1] for seed in seeds])
        assert ours[layer, "RandCrop"] == pytest.approx(mean)
    assert ours.groupby("layer").sum().to_numpy() == pytest.approx(np.ones(4))
    theirs = drawing.data[drawing.data["panel"] == "published, run 1"].set_index(["layer", "family"])["mass"]
    assert theirs[2, "RandCutout"] == pytest.approx(0.9177)
    assert theirs[1, "TranslateX, TranslateY"] == pytest.approx(0.1642 + 0.1282)
    assert "3 searches, 2 of which came to the last layer" in drawing.caption
    assert "2 RandCutout" in drawing.alt


def test_the_mass_of_a_family_is_the_sum_of_its_operations(rows):
    masses = rows[rows["metric"] == "mass"].query("seed == 0").pivot(index="layer", columns="operation", values="value")
    families = family_masses(masses)
    assert families["ShearX, ShearY"].to_numpy() == pytest.approx((masses["ShearX"] + masses["ShearY"]).to_numpy())
    assert (family_masses(masses[["Identity"]])["RandCrop"] == 0).all()


def test_magnitudes_are_shares_of_their_operation(rows):
    drawing = policy_figures.draw_magnitudes(rows, CIFAR)
    shares = drawing.data.groupby("operation")["mean"].sum()
    assert shares.to_numpy() == pytest.approx(np.ones(11))
    line = drawing.data.query("operation == 'Color' and level == 0").iloc[0]
    parts = [policy.probabilities[0, SPACE.slice_of("Color")] for policy in searched_policies().values()]
    assert line["mean"] == pytest.approx(np.mean([float(part[0] / part.sum()) for part in parts]))
    assert line["paper"] == 0.95
    assert line["magnitude"] == pytest.approx(0.1)
    later = policy_figures.draw_magnitudes(rows, CIFAR, layer=3)
    assert later.data["paper"].isna().all()
    assert "published" not in later.alt


def test_one_search_is_drawn_without_intervals():
    alone = rows_of_searches(seeds=(0,), depths=(2,))
    assert "1 search" in policy_figures.draw_policies(alone, CIFAR).caption
    assert policy_figures.draw_magnitudes(alone, CIFAR).data["low"].map(np.isfinite).sum() == 0


def test_rewards_stand_where_their_operation_is(rows):
    drawing = policy_figures.draw_rewards(rows, CIFAR)
    assert len(drawing.data) == 4 * 139
    assert "1 RandCrop" in drawing.alt
    assert len(policy_figures.draw_rewards(rows, CIFAR, [2]).data) == 139
    places = list(policy_figures._places().values())
    assert len(places) == len(set(places)) == 139
    assert places == sorted(places)


def test_runs_without_these_rows_say_so(rows):
    for draw in (policy_figures.draw_policies, policy_figures.draw_magnitudes, policy_figures.draw_rewards):
        with pytest.raises(MissingRowsError):
            draw(rows, "coloured-digits")
    with pytest.raises(MissingRowsError):
        policy_figures.draw_magnitudes(rows, CIFAR, layer=9)
    with pytest.raises(MissingRowsError):
        policy_figures.draw_rewards(rows, CIFAR, [])


@pytest.mark.filterwarnings("ignore:Color does nothing")
@pytest.mark.parametrize(("channels", "size"), [(3, (32, 32)), (1, (16, 16))])
def test_one_image_under_every_operation(channels, size):
    space, image = AugmentationSpace(size), pictures(channels, size)[0]
    drawing = illustrations.draw_transformations(image, space)
    names = drawing.data["transformation"].tolist()
    assert len(names) == 18
    assert {"Solarize 0", "Posterize 4", "Rotate 30", "Color 1.9"} <= set(names)
    changed = drawing.data.set_index("transformation")["share of values changed"]
    assert changed["Identity"] == 0
    assert changed["RandFlip"] > 0  # the default seed turns it
    assert changed["Invert"] == 1


def test_draws_through_the_layers_are_those_of_the_policy():
    policy = Policy.published()
    drawing = illustrations.draw_draws(noise(1)[0], policy, n_draws=5, seed=3)
    assert drawing.data.shape == (30, 3)
    drawn = policy.sample(5, torch.Generator().manual_seed(3))
    second = drawing.data.query("layer == 2")["operation"].tolist()
    assert second == [SPACE.operations[int(SPACE.op_index[at])] for at in drawn[:, 1]]
    assert "5 of 5 draws differ after 6 layers" in drawing.alt


def test_a_batch_in_the_place_of_an_image_is_refused():
    for images in (noise(2), np.zeros((3, 32, 32))):
        with pytest.raises(DeepAAInputError, match="image must be a single one"):
            illustrations.draw_draws(images, Policy.published())
