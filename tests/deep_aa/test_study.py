"""The study on a tiny search: whole, repeatable, cell by cell; its figures, tables and sentences."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from reprise.deep_aa import figures, policy_figures, search_figures, sentences, small_example, study, summaries
from reprise.deep_aa.cell import Cell
from reprise.deep_aa.claims import CLAIMS
from reprise.deep_aa.names import CIFAR, DIGITS, MIRRORED, NOISE, PUBLISHED, SEARCHED, penalty_variant
from reprise.deep_aa.settings import Settings
from reprise.rows import MissingRowsError, concatenate, per_seed, select
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
    longest, short = (float(per_seed(errors, at=step).mean()) for step in (1e-1, 1e-4))
    assert short < 0.05 < longest


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
    "pretraining": lambda rows: search_figures.draw_pretraining(rows, [DIGITS, MIRRORED]),
    "penalties": lambda rows: search_figures.draw_penalties(rows, [DIGITS]),
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
    assert len(summaries.gaps_table(rows, sets)) == 2 * 5
    assert len(summaries.layers_table(rows, sets)) == 2 * 2 + 12
    assert set(summaries.variation_table(rows, sets)["layer"]) == {1, 2, 3, 4, 5, 6}
    assert len(summaries.symmetry_table(rows, sets)) == 2
    assert len(summaries.budget_table(rows, sets)) == 2
    assert len(summaries.data_table(Settings(**OPTIONS))) == 2


def test_both_published_runs_agree_in_the_first_layer_and_permute_the_others(rows):
    table = summaries.variation_table(rows, []).set_index("layer")["total variation"].astype(float)
    assert table[1] < 0.2
    assert table[5] > 0.5


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
    assert "fresh units" in sentences.search_in_words(rows, sets)
    assert "2 searches" in sentences.identity_in_words(rows, DIGITS)
    assert "Default − no augmentation" in sentences.control_in_words(rows, sets)
    assert "Spearman" in sentences.last_layer_in_words(rows, sets)
    assert "c = 0" in sentences.penalties_in_words(rows, DIGITS)
    assert "own training images" in sentences.fit_in_words(rows, sets)
    assert sentences.published_is_optimistic(rows) == ""


def test_the_worked_example_is_what_the_text_says():
    table = small_example.worked_example()
    np.testing.assert_allclose(table["reward"], [2**-0.5, -(2**-0.5)])
    np.testing.assert_allclose(table["derivative of its logit"], [2**-1.5, -(2**-1.5)])
    assert len(small_example.draw_rewards_of_two().data) == 101
