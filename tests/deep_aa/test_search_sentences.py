"""Sentences on the searches, on rows whose content is known."""

import numpy as np
import pytest
from tests.deep_aa.made_rows import SPACE, row

from reprise.deep_aa import search_sentences, sentences, summaries, variant_figures
from reprise.deep_aa.names import CIFAR, DEFAULT_OPERATIONS, HISTORY, LEVELS, POLICY, REWARDS, pretraining_variant
from reprise.deep_aa.variant_figures import penalty_name
from reprise.numerals import difference, number
from reprise.rows import tidy
from reprise.stats import t_interval

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def rows():
    """Two layers: in the second, cutout's mean is low but it hardly varies; in seed 2 a rotation is likelier."""
    found = []
    for seed in SEEDS:
        for layer in (1, 2):
            for operation, level in SPACE.transformations:
                how = {"operation": operation.name, "level": level, "layer": layer, "seed": seed}
                cutout, identity = operation.name == "RandCutout", operation.name == "Identity"
                likely = 0.5 if identity else 0.2 if cutout else 0.001
                likely = 0.3 if layer == 2 and seed == 2 and (operation.name, level) == ("Rotate", 0) else likely
                found.append(row(LEVELS, "probability", likely, **how))
                found.append(row(REWARDS, "reward mean", 0.01 * (cutout and layer == 2), **how))
                spread = 0.1 + 0.01 * seed - (0.05 if cutout else 0.02 if identity else 0)
                found.append(row(REWARDS, "reward std", spread, **how))
            for step in range(8):
                how = {"layer": layer, "step": step, "seed": seed}
                found.append(row(HISTORY, "identity", [0.3, 0.4, 0.5, 0.6, 0.5, 0.4, 0.3, 0.2][step], **how))
                found.append(row(HISTORY, "cosine", 0.5 + 0.01 * step * (seed + 1), **how))
    return tidy(found)


def test_the_objective_has_no_penalty_in_the_first_layer(rows):
    table = search_sentences.objective(rows, CIFAR, 2.0).set_index(["layer", "seed", "operation"])
    assert table.loc[(1, 1, "RandCutout"), "R"].item() == pytest.approx(0)
    assert table.loc[(2, 1, "RandCutout"), "R"].item() == pytest.approx(0.01 - 2 * 0.06)


def test_ranks_are_by_what_the_search_climbs(rows):
    assert search_sentences.ranks_of(rows, CIFAR, "RandCutout", 1.0)["rank"].tolist() == [1] * 6
    identity = search_sentences.ranks_of(rows, CIFAR, "Identity", 1.0).set_index(["layer", "seed"])["rank"]
    assert identity[2].tolist() == [2, 2, 2]
    assert identity[1].tolist() == [1, 1, 1]  # all alike


def test_cutout_is_counted_among_single_transformations(rows):
    words = search_sentences.cutout_in_words(rows, CIFAR, 1.0)
    assert "the most probable one beside identity in so many of 3 searches: 2 (layer 2)." in words
    assert "the first of 139 in 3 (layer 2)." in words
    first = rows[rows["layer"] == 1]
    assert search_sentences.cutout_in_words(first, CIFAR, 1.0) == ""
    assert search_sentences.motion_in_words(first, CIFAR) == ""
    assert search_sentences.spread_in_words(first, CIFAR, 1.0) == ""


def test_motion_is_that_of_identity_and_of_the_cosine(rows):
    words = search_sentences.motion_in_words(rows, CIFAR)
    assert "over the 8 steps" in words
    assert "layer 2 begins with 0.30, has 0.60 at most and ends with 0.20" in words
    change = t_interval(0.06 * np.array([1, 2, 3]))  # steps 6 and 7 minus steps 0 and 1
    assert f"(+{number(change.estimate, 3)} [{number(change.low, 3)}, {number(change.high, 3)}])" in words
    assert "layer 1" not in words
    assert "Of these changes none leave out 0." in words


def test_the_spread_of_cutout_is_against_identity(rows):
    words = search_sentences.spread_in_words(rows, CIFAR, 1.0)
    assert "RandCutout −0.030 [−0.030, −0.030] (layer 2); RandCrop +0.020 [0.020, 0.020] (layer 2)" in words


def masses(variant, values, operation="Identity", layer=1):
    return [
        row(POLICY, "mass", value, operation=operation, variant=variant, layer=layer, seed=seed)
        for seed, value in values.items()
    ]


def test_penalties_are_compared_over_the_seeds_that_have_all():
    found = (
        masses(penalty_name(0.0), {0: 0.2, 1: 0.4}) + masses(penalty_name(0.0), {0: 0.1, 1: 0.1}, layer=2)
        + masses(penalty_name(1.0), {0: 0.5, 1: 0.7, 2: 0.9})
        + masses(penalty_name(1.0), dict.fromkeys(SEEDS, 0.1), layer=2)
    )  # fmt: skip
    for operation in DEFAULT_OPERATIONS:
        for weight, mass in ((0.0, 0.01), (1.0, 0.02)):
            found += masses(penalty_name(weight), {0: mass, 1: 3 * mass}, operation, layer=2)
    found = tidy(found)
    words = sentences.penalties_in_words(found, [CIFAR], 0.65)
    assert "0.30 [0.00, 1.00] in layer 1 with c = 0, 0.60 [0.00, 1.00] in layer 1 with c = 1;" in words
    assert "above 0.65, which ends a search, in at least one of these searches." in words
    assert "in none of these searches" in sentences.penalties_in_words(found, [CIFAR], 0.7)
    change = t_interval([-0.03, -0.09])
    assert f"0.060 with c = 0, 0.120 with c = 1; c = 0 minus c = 1: {difference(change, 3)}." in words
    assert sentences.penalties_in_words(tidy(masses(penalty_name(1.0), {0: 0.5})), [CIFAR], 0.9) == ""


def test_changes_with_an_interval_that_leaves_out_0_are_counted():
    found = []
    for operation, with_them in (("RandCutout", (0.2, 0.21, 0.19)), ("RandCrop", (0.1, 0.0, 0.2))):
        found += masses(pretraining_variant("No augmentation"), dict.fromkeys(SEEDS, 0.1), operation)
        found += masses(pretraining_variant("Default + cutout"), dict(zip(SEEDS, with_them, strict=True)), operation)
    assert variant_figures.sure_changes(tidy(found), [CIFAR]) == (2, 1)
    words = sentences.pretraining_sentence(tidy(found), [CIFAR])
    assert "half an interval measures up to 0.248, where no use exceeds 0.100 in the mean" in words
    led = masses(pretraining_variant("No augmentation"), {0: 0.9, 1: 0.9}, "RandFlip", layer=2)
    led += masses(pretraining_variant("No augmentation"), {0: 0.1, 1: 0.95}, "Rotate", layer=2)
    assert "without augmentation: 0.5." in variant_figures.leading_in_words(tidy(led), CIFAR)


def test_the_null_shuffles_among_operations_with_as_many_magnitudes():
    names = ["Identity", "Rotate", "ShearX", "RandCrop", "RandFlip", "Invert"]
    shuffled = summaries._shuffled(np.arange(6.0), names, np.random.default_rng(0))
    assert (shuffled[:, 0] == 0).all()
    assert set(map(tuple, shuffled[:, 1:3])) == {(1.0, 2.0), (2.0, 1.0)}
    assert (np.sort(shuffled[:, 3:], axis=1) == [3, 4, 5]).all()
    assert len(set(map(tuple, shuffled[:, 3:]))) == 6
