"""The study on a tiny search: whole, repeatable, cell by cell; its figures, tables and sentences."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from tests.deep_aa.made_rows import row

from reprise.compute import torch_generator
from reprise.deep_aa import (
    audits,
    figures,
    policy_figures,
    policy_rows,
    search_figures,
    sentences,
    similarity,
    small_example,
    study,
    summaries,
    variant_figures,
)
from reprise.deep_aa.cell import Cell
from reprise.deep_aa.claims import CLAIMS
from reprise.deep_aa.gradient_rewards import FINITE_STEP
from reprise.deep_aa.names import (
    BASE,
    CIFAR,
    DIGITS,
    MIRRORED,
    NOISE,
    PUBLISHED,
    SEARCHED,
    longer_variant,
    penalty_variant,
)
from reprise.deep_aa.settings import Settings
from reprise.deep_aa.training import as_floats
from reprise.rows import MissingRowsError, concatenate, per_seed, select, tidy
from reprise.settings import SettingsError
from reprise.verification import published_numbers

TABLES = published_numbers("deep_aa")
OPTIONS = {
    "datasets": (DIGITS, MIRRORED),
    "seeds": (0, 1),
    "digit_seeds": (0, 1),
    "audit_seeds": (0, 1),
    "methods": ("No augmentation", "Default", "TrivialAugment", "DeepTA", "DeepAA"),
    "n_layers": 2,
    "steps": 2,
    "units": 2,
    "n_validation": 4,
    "n_cached": 2,
    "n_grad": 3,
    "n_prefix": 1,
    "similarity_units": 2,
    "digit_images": 120,
    "digit_pretraining_epochs": 1,
    "digit_epochs": 1,
    "batch_size": 60,
    "longer": 2,
    "device": "cpu",
    "audits": (
        "finite step", "last layer", "noise", "penalty", "pretraining", "search seeds", "depth", "equal budget",
        "longer training",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    return study.run(Settings(**OPTIONS))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_cells_join_to_the_whole_and_repeat_it(rows):
    cells = [study.run(Settings(**{**OPTIONS, "datasets": (DIGITS,), "seeds": (seed,)})) for seed in OPTIONS["seeds"]]
    cells.append(study.run(Settings(**{**OPTIONS, "datasets": (MIRRORED,)})))
    pd.testing.assert_frame_equal(concatenate(cells), rows)


def test_every_part_has_rows_and_every_number_is_one(rows):
    parts = {"accuracy", "policy", "levels of operations", "history", "similarity", "rewards", "audit", "printed table"}
    assert set(rows["part"]) == parts
    assert np.isfinite(rows["value"]).all()


def test_layers_sum_to_one(rows):
    masses = select(rows, part="policy", metric="mass").groupby(["dataset", "seed", "variant", "layer"])["value"].sum()
    np.testing.assert_allclose(masses, 1.0)
    levels = select(rows, part="levels of operations").groupby(["dataset", "seed", "layer"])["value"].sum()
    np.testing.assert_allclose(levels, 1.0)


def test_a_policy_is_made_again_from_its_rows(rows):
    settings = Settings(**OPTIONS)
    expected = Cell(settings, DIGITS, 1).search().policy
    found = summaries.found_policy(rows, DIGITS, 1, settings.digit_images)
    np.testing.assert_allclose(found.probabilities.numpy(), expected.probabilities.numpy())
    assert found.space == expected.space


def test_finite_differences_err_less_with_shorter_steps(rows):
    errors = select(rows, metric="relative error of rewards")
    longest, short = (float(per_seed(errors, at=step).mean()) for step in (1e-1, FINITE_STEP))
    assert short < 0.01 < longest


def test_settings_of_audits_and_methods():
    settings = Settings(
        datasets=(CIFAR, DIGITS), seeds=(0, 1, 5), digit_seeds=(1,), methods=("DeepAA", "DeepAA, published"),
        methods_once=("Default", "DeepAA"), photograph_audits={"noise": (1, 5), "penalty": (5,)},
    )  # fmt: skip
    assert study.seeds_of(settings, DIGITS) == [1]
    assert study.seeds_of(settings, CIFAR) == [0, 1, 5]
    assert study.methods_of(Cell(settings, CIFAR, 5)) == [SEARCHED, PUBLISHED, "Default"]
    assert study.methods_of(Cell(settings, CIFAR, 1)) == [SEARCHED, PUBLISHED]
    assert study.methods_of(Cell(settings, DIGITS, 1)) == [SEARCHED, "Default"]
    assert study.audits_of(Cell(settings, CIFAR, 1)) == ["noise"]
    assert study.audits_of(Cell(settings, CIFAR, 5)) == ["noise", "penalty"]
    assert study.audits_of(Cell(settings, CIFAR, 0)) == []
    assert study.audits_of(Cell(settings, MIRRORED, 0)) == []


def test_unknown_methods_are_refused():
    with pytest.raises(SettingsError, match="methods"):
        Settings.checked({"methods": ["CutMix"]})


def test_every_rule_can_be_rehearsed(rows):
    stood_in = rows[rows["dataset"].isin([DIGITS, "theory"])].replace({"dataset": {DIGITS: CIFAR}})
    for claim in CLAIMS:
        if claim.rule is not None:
            finding = claim.rule(stood_in)
            assert finding.evidence
            for control in claim.controls:
                assert control.check(stood_in)[1]


def test_the_noise_control_has_rows(rows):
    assert len(per_seed(rows, metric="gain in cosine", variant=NOISE, dataset=DIGITS)) == 2
    assert len(per_seed(rows, metric="entropy", variant=penalty_variant(0), dataset=DIGITS)) == 2


DRAWN = {
    "levels": lambda rows: figures.draw_levels(rows, [DIGITS, MIRRORED]),
    "gaps": lambda rows: figures.draw_gaps(rows, TABLES, DIGITS),
    "depth": lambda rows: figures.draw_depth(rows, [DIGITS, MIRRORED]),
    "search": lambda rows: search_figures.draw_search(rows, DIGITS),
    "last layer": lambda rows: search_figures.draw_last_layer(rows, DIGITS),
    "finite steps": lambda rows: search_figures.draw_finite_steps(rows, DIGITS),
    "pretraining": lambda rows: variant_figures.draw_pretraining(rows, [DIGITS, MIRRORED]),
    "penalties": lambda rows: variant_figures.draw_penalties(rows, [DIGITS, MIRRORED]),
    "policies": lambda rows: policy_figures.draw_policies(rows, DIGITS),
    "rewards": lambda rows: policy_figures.draw_rewards(rows, DIGITS),
}


@pytest.mark.parametrize("name", DRAWN)
def test_figures_are_drawn_with_their_numbers(rows, name):
    drawing = DRAWN[name](rows)
    assert len(drawing.data) > 0
    assert drawing.alt
    with pytest.raises(MissingRowsError):
        DRAWN[name](rows.iloc[:0])


def test_tables_have_lines(rows):
    sets = [DIGITS, MIRRORED]
    assert len(summaries.accuracy_table(rows, sets)) == 2 * len(OPTIONS["methods"]) + 1
    gaps = summaries.gaps_table(rows, sets)
    to_default = [
        f"{figures.LABELS.get(method, method)} − Default" for method in figures.COMPARED if method in OPTIONS["methods"]
    ]
    for _, own in gaps.groupby("data set"):
        assert list(own["gap"])[: len(to_default)] == to_default
        assert len(own) == len(to_default) + 3  # the searched policy to none, TrivialAugment and DeepTA
    assert len(summaries.layers_table(rows, sets)) == 2 * 2 + 12
    assert set(summaries.variation_table(rows, sets)["layer"]) == {1, 2, 3, 4, 5, 6}
    assert len(summaries.symmetry_table(rows, sets)) == 2
    assert len(summaries.gains_table(rows, sets)) == 2
    assert len(summaries.budget_table(rows, sets)) == 2
    assert len(summaries.data_table(Settings(**OPTIONS))) == 2


def test_both_published_runs_agree_in_layers_1_2_and_6_and_differ_between(rows):
    table = summaries.variation_table(rows, []).set_index("layer")["total variation"].astype(float)
    assert (table[[1, 2, 6]] < 0.2).all()
    assert (table[[3, 4, 5]] > 0.2).all()


def test_the_null_of_shuffled_operations_is_that_of_a_permutation():
    """Two layers with all their mass on one operation each: shuffled, they meet once in as many times as there are."""
    columns = [f"operation {number}" for number in range(10)]
    layer = pd.DataFrame(np.eye(10)[:1], index=pd.Index([1], name="layer"), columns=columns)
    (line,) = summaries._variation_lines("made", [(layer, layer)])
    assert line["total variation"] == "0.00"
    assert float(line["shuffled"]) == pytest.approx(0.9, abs=0.03)
    assert float(line["share of shuffles as near"]) == pytest.approx(0.1, abs=0.03)


def test_cosines_are_those_of_the_mixture():
    cell = Cell(Settings(**OPTIONS), DIGITS, 0)
    found = cell.search()
    units = policy_rows.fresh_units_of(cell, found)
    layer = found.policy.probabilities[:1]
    values = similarity.cosines(found.search, cell.space, layer, units)
    assert len(units) == OPTIONS["similarity_units"]
    for place, value in enumerate(values):
        generator = torch_generator(found.search.seed, "deep-aa", "cosines", place)
        tried = as_floats(cell.space.expand(units.images[place : place + 1], generator)[0])
        single = [found.search.gradients.mean_gradient(one[None], units.labels[place][None]) for one in tried]
        g = sum(float(p) * one for p, one in zip(layer[0], single, strict=True))
        v = units.targets[place]
        assert value == pytest.approx(float(torch.dot(v, g) / (v.norm() * g.norm())), abs=1e-4)


def test_fresh_units_are_images_that_no_search_has_seen():
    cell = Cell(Settings(**OPTIONS), DIGITS, 0)
    images, _ = cell.part("test")
    known = {image.numpy().tobytes() for image in images}
    for unit in policy_rows.fresh_units_of(cell, cell.search()).images:
        assert unit.numpy().tobytes() in known
    seen = {image.numpy().tobytes() for image in cell.part("search")[0]}
    for unit in policy_rows.units_of(cell, cell.search()).images:
        assert unit.numpy().tobytes() in seen


def test_the_best_depth_is_that_of_the_highest_validation_accuracy(monkeypatch):
    cell = Cell(Settings(**OPTIONS), DIGITS, 0)
    validation = {1: 20.0, 2: 60.0}
    monkeypatch.setattr(Cell, "trained", lambda self, policy, **how: policy.n_layers)
    monkeypatch.setattr(Cell, "accuracy", lambda self, depth, part: validation[depth] if part == "validation" else 50.0)
    lines = list(audits.equal_budget_rows(cell))
    assert [line["layer"] for line in lines if line["metric"] == "accuracy"] == [2]
    work = {line["method"]: line["value"] for line in lines if line["metric"] == "operations of the choice"}
    assert all(value > 0 for value in work.values())


@pytest.fixture(scope="module")
def quick_search():
    """Rows of the quick profile's search, seed 0: no training, no audit."""
    cell = Cell(Settings(), DIGITS, 0)
    return tidy(policy_rows.base_rows(cell))


def test_the_quick_search_finds_the_nuisances_that_are_known(quick_search):
    """The asserts of the specification: layer 1 brings gradients nearer, by shifts and not by flips."""
    mass = select(quick_search, part="policy", metric="mass", layer=1).set_index("operation")["value"]
    assert mass["TranslateX"] + mass["TranslateY"] > 0.15
    assert mass["RandFlip"] < min(mass["TranslateX"], mass["TranslateY"])
    gain, error = (
        float(per_seed(quick_search, metric=metric, method=SEARCHED, variant=BASE).mean())
        for metric in ("gain in cosine", "standard error over units")
    )
    assert gain > 2 * error
    assert float(select(quick_search, metric="largest |pᵀr|", layer=1)["value"].max()) < 0.01
    identity = select(quick_search, part="policy", metric="mass", operation="Identity").set_index("layer")["value"]
    assert identity[identity.index.max()] > identity[1]


@pytest.mark.parametrize("dataset", [CIFAR, DIGITS])
def test_a_longer_training_has_so_many_times_the_passes_and_nothing_else(dataset):
    cell = Cell(Settings(**OPTIONS), dataset, 0)
    usual, longer = (cell.recipe(searching=False, times=times) for times in (1, 3))
    assert longer == replace(usual, epochs=3 * usual.epochs)
    assert usual.epochs == (cell.settings.epochs if dataset == CIFAR else cell.settings.digit_epochs)


def test_longer_trainings_are_paired_with_the_usual_ones(rows):
    made = rows.replace({"variant": {longer_variant(2): longer_variant(3)}})
    usual, more, change = figures.longer_gaps(made, DIGITS, "Default", 3)
    assert usual.n == more.n == 2
    assert change.estimate == pytest.approx(more.estimate - usual.estimate)
    assert "a change of" in sentences.longer_in_words(made, DIGITS, 3)
    assert len(figures.draw_longer(made, DIGITS, 1, 3).data) == 2 * 2 * 3
    assert sentences.longer_in_words(rows.iloc[:0], DIGITS, 3) == ""
    with pytest.raises(MissingRowsError):
        figures.draw_longer(rows.iloc[:0], DIGITS, 1, 3)


def test_the_printed_table_has_ranks():
    table = summaries.printed_table(TABLES).set_index("method")
    assert table.loc[SEARCHED].tolist() == ["97.56 (1)", "98.11 (2)", "84.02 (2)", "85.19 (3)"]
    assert len(table) == 11


def test_gaps_of_the_paper_are_differences_in_one_column():
    assert figures.papers_gap(TABLES, SEARCHED) == pytest.approx(1.46)
    assert figures.papers_gap(TABLES, "TrivialAugment") == pytest.approx(1.36)
    assert figures.papers_gap(TABLES, "DeepTA") is None


def test_sentences_have_numbers_or_are_empty(rows):
    sets = [DIGITS, MIRRORED]
    assert "2 searches" in sentences.identity_in_words(rows, DIGITS, 0.9)
    assert "3 in the published run 1, 2 in the published run 2" in sentences.defaults_in_words(rows)
    assert "Default − no augmentation" in sentences.control_in_words(rows, sets)
    assert "Spearman" in sentences.last_layer_in_words(rows, sets)
    assert "c = 0" in sentences.penalties_in_words(rows, sets, 0.9)
    assert "own training images" in sentences.fit_in_words(rows, sets)
    assert "guessing gives 50 %" in sentences.flips_in_words(rows, sets, 4.0)
    assert "RandCrop" in sentences.pretraining_sentence(rows, sets)
    assert "from one layer to 2" in figures.falls_in_words(rows, sets)
    assert "minus DeepAA with 2 layers" in sentences.budget_in_words(rows, sets)
    assert "other draws only" in sentences.variation_in_words(rows, DIGITS)
    assert "Lead in cosine" in figures.lead_in_words(rows, DIGITS)
    for words in (sentences.published_in_words, sentences.parts_in_words):
        assert words(rows) == ""


def accuracies(**values):
    """Rows of test accuracies on photographs, one value a fold, and of a searched policy with four layers."""
    found = [row("policy", "mass", 1.0, operation="Identity", layer=4)]
    for method, by_fold in values.items():
        for fold, value in enumerate(by_fold):
            found.append(row("accuracy", "accuracy", value, method=NAMES[method], seed=fold, split="test"))
    return found


NAMES = {"none": "No augmentation", "default": "Default", "stack": "DeepTA", "ours": SEARCHED, "published": PUBLISHED}


def test_the_published_policy_is_deeper_than_those_found():
    words = sentences.published_in_words(tidy(accuracies(published=[40.0])))
    assert "run 1 with all its 6 layers, those found have 4 at most" in words
    assert "favoured" not in words
    assert "favoured" in sentences.published_in_words(tidy(accuracies(published=[40.0, 41.0])))


def test_what_comes_from_search_stack_and_defaults_are_three_gaps():
    words = sentences.parts_in_words(tidy(accuracies(none=[50, 52], default=[55, 57], stack=[48, 50], ours=[49, 51])))
    assert "the search (DeepAA − DeepTA) +1.0" in words
    assert "the stack (DeepTA − no augmentation) −2.0" in words
    assert "crop and flip (Default − no augmentation) +5.0" in words


@pytest.mark.parametrize(
    ("tested", "order"),
    [((60, 50, 40), "the reverse order"), ((40, 50, 60), "the same order"), ((50, 40, 60), "another order")],
)
def test_the_order_by_cosine_is_set_beside_that_by_accuracy(tested, order):
    found = accuracies(none=[tested[0]], stack=[tested[1]], ours=[tested[2]])
    for method, cosine, layer in (
        ("No augmentation", 0.6, 0),
        ("DeepTA", 0.9, 1),
        ("DeepTA", 0.7, 2),
        (SEARCHED, 0.8, 2),
    ):
        found.append(row("similarity", "cosine", cosine, method=method, layer=layer))
    words = figures.order_in_words(tidy(found), [CIFAR])
    assert f"CIFAR-10 (five sheets), {order}: No augmentation 0.600" in words
    assert figures.order_in_words(tidy(found[:2]), [CIFAR]) == ""


def test_equal_fit_is_compared_beside_equal_passes():
    found = []
    for method, usual, more in ((SEARCHED, (50, 52), (60, 62)), ("Default", (60, 62), (68, 70))):
        for fold in (0, 1):
            for split in ("train", "test"):
                how = {"method": method, "seed": fold, "split": split}
                found.append(row("accuracy", "accuracy", usual[fold], **how))
                found.append(row("audit", "accuracy", more[fold], variant=longer_variant(3), **how))
    words = sentences.like_fit_in_words(tidy(found), CIFAR, 3)
    assert "DeepAA has 61.0 and 61.0 % right after the longer training, Default 61.0 and 61.0 %" in words
    assert words.endswith("Better fitted, it is still behind at equal passes.")


def test_seeds_that_all_give_the_same_are_no_certainty():
    assert summaries._written(pd.Series([62 / 1.2] * 3)) == "51.7 in all"
    assert summaries._written(pd.Series([50.0])) == "50.0"


def test_the_worked_example_is_what_the_text_says():
    table = small_example.worked_example()
    np.testing.assert_allclose(table["reward"], [2**-0.5, -(2**-0.5)])
    np.testing.assert_allclose(table["derivative of its logit"], [2**-1.5, -(2**-1.5)])
    assert len(small_example.draw_rewards_of_two().data) == 101
