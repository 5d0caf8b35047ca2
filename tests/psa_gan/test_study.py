import pandas as pd
import pytest

from reprise.method_styles import METHODS
from reprise.psa_gan import figures, study, summaries
from reprise.psa_gan.cell import Cell
from reprise.psa_gan.models import curve_steps, kept_steps, step_operations, steps_of_equal_operations, variant_model
from reprise.psa_gan.names import CONTROLS, MODELS, NO_GROWING, PSA, REAL, VARIANTS, variant_name
from reprise.psa_gan.settings import Settings
from reprise.rows import MissingRowsError, select
from reprise.settings import SettingsError
from reprise.verification import published_numbers

TINY = Settings(
    windows=(16,), ablation_window=16, steps=10, ablation_steps=10, channels=4, context=8, batch_size=8,
    models=("PSA-GAN", "PSA-GAN-C", "EBGAN"), variants=("no attention", "no growing", "unit noise"),
    encoder_steps=3, curve_points=2,
)  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    return study.run(TINY)


def test_the_same_settings_give_the_same_rows(rows):
    again = study.run(TINY.model_copy(update={"models": ("PSA-GAN",), "variants": (), "controls": False}))
    merged = rows.merge(again, on=[c for c in rows.columns if c != "value"], suffixes=("", "_again"))
    assert len(merged) == len(again) > 300
    pd.testing.assert_series_equal(merged["value"], merged["value_again"], check_names=False)


def test_rows_of_a_seed_do_not_depend_on_other_seeds(rows):
    part = TINY.model_copy(update={"models": (), "variants": (), "controls": True})
    both = study.run(part.model_copy(update={"seeds": (1, 0)}))
    alone = select(both, seed=0).reset_index(drop=True)
    pd.testing.assert_frame_equal(study.run(part), alone)


def test_every_model_variant_and_control_is_scored_against_the_floor(rows):
    methods = {PSA, "PSA-GAN-C", "EBGAN", *(variant_name(v) for v in TINY.variants), *CONTROLS}
    levels = select(rows, part="level", window=16, split=["test", "train"])
    assert set(levels["method"]) == methods
    wide = levels.groupby(["split", "method", "metric"], observed=True).size().unstack()
    assert (wide["context FID"] == TINY.fid_draws).all()
    floors = select(levels, metric="floor", split="test").groupby("at", observed=True)["value"].nunique()
    assert (floors == 1).all()  # one set of real windows for all


def test_every_method_has_a_look():
    assert {*MODELS, *CONTROLS, REAL, *(variant_name(v) for v in VARIANTS)} <= set(METHODS)


def test_all_models_of_a_seed_are_scored_on_the_same_windows_of_the_held_out_range():
    cell = Cell(TINY, "daily-panel", 0)
    series, start = cell.conditions(16)
    assert bool((start >= cell.split.train_lengths[series]).all())
    assert bool((start + 16 <= cell.panel.lengths[series]).all())
    _, inside = cell.conditions(16, "train")
    assert int(inside.max()) + 16 <= int(cell.split.train_lengths.max())
    assert cell.train.n_steps == int(cell.split.train_lengths.max())


def test_growing_takes_fewer_operations_than_full_depth():
    cell = Cell(TINY, "daily-panel", 0)
    first, last = step_operations(cell, 16)
    assert 0 < first < last
    expected = round((6 * first + 4 * last) / last)
    assert steps_of_equal_operations(cell, 16, 10) == expected < 10
    assert expected in variant_model(cell, NO_GROWING).snapshots


def test_snapshots_are_kept_where_something_is_looked_at():
    assert curve_steps(10, 2) == [0, 5, 10]
    assert kept_steps(10, 2) == set(range(11))
    assert len(kept_steps(1000, 8)) < 60


@pytest.mark.parametrize(
    "draw",
    [
        figures.draw_levels,
        figures.draw_ablation,
        figures.draw_curve_of_scores,
        figures.draw_samples,
        figures.draw_growth,
    ],
)
def test_figures_state_a_finding_and_keep_their_numbers(draw, rows):
    drawing = draw(rows)
    assert drawing.alt.endswith(".")
    assert len(drawing.data) > 0
    with pytest.raises(MissingRowsError):
        draw(select(rows, part="cost"))


def test_tables_say_that_the_papers_cells_are_not_available(rows):
    published = published_numbers("psa_gan")
    assert published.empty
    table = summaries.levels_table(rows, published)
    ours = table.set_index("model")["paper"]
    assert set(ours[[PSA, "PSA-GAN-C", "EBGAN"]]) == {"not available"}
    assert "PSA-GAN, no attention" not in ours.index
    assert len(summaries.variants_table(rows)) == len(TINY.variants)
    for words in (
        summaries.equal_operations_in_words(rows),
        summaries.cost_in_words(rows),
        summaries.memory_in_words(rows),
    ):
        assert "nan" not in words


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"models": ["GAN"]}, "models has 'GAN'"),
        ({"variants": ["none"]}, "variants has 'none'"),
        ({"windows": [48]}, "powers of two"),
        ({"gluonts_datasets": ["weather"]}, "gluonts_datasets has 'weather'"),
        ({"fade": 1.5}, "fade"),
    ],
)
def test_settings_out_of_range_are_refused(parameters, words):
    with pytest.raises(SettingsError, match=words):
        Settings.checked(parameters)


def test_only_the_papers_own_scale_is_no_reduction():
    assert Settings().reduced_scale
    full = {"steps": 119_000, "channels": 32, "batch_size": 128, "encoder": "paper", "fid_draws": 10}
    assert not Settings(**full).reduced_scale
