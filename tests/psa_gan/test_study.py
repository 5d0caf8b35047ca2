import numpy as np
import pandas as pd
import pytest
import torch

from reprise.catalogue import find_paper
from reprise.compute import torch_generator
from reprise.flops import floating_point_operations
from reprise.method_styles import METHODS
from reprise.parameters import profile_parameters
from reprise.psa_gan import figures, study, summaries
from reprise.psa_gan.cell import Cell
from reprise.psa_gan.data import SplitPanel
from reprise.psa_gan.estimator import PSAGAN
from reprise.psa_gan.input_checks import PSAGANInputError
from reprise.psa_gan.models import (
    curve_steps,
    kept_steps,
    main_model,
    step_operations,
    steps_of_equal_operations,
    variant_model,
)
from reprise.psa_gan.names import (
    CONTROLS,
    DEEPAR,
    LAST_DAY,
    MODELS,
    MOVING_AVERAGE,
    NO_GROWING,
    PSA,
    REAL,
    ROLLING_MEAN,
    TRUE_VALUES,
    VARIANTS,
    variant_name,
)
from reprise.psa_gan.panel import TimeSeriesPanel
from reprise.psa_gan.settings import Settings
from reprise.record import summarise
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


# Lengths of the registered panels' series and what they hold out; of the daily one, as it is drawn.
SHAPES = {
    "daily-panel": ([1440] * 48, "h", 224),
    "m4-hourly": ([748, 1008] * 10, "h", 224),
    "ett-small": ([17420] * 7, "h", 1344),
    "los-loop": ([2016] * 20, "5min", 288),
    "exchange-rate": ([7588] * 8, "B", 224),
    "gefcom2014-solar": ([19704], "h", 1344),
}


@pytest.fixture
def shaped(monkeypatch):
    def load(name, seed):
        lengths, freq, held_out = SHAPES[name]
        values = [np.random.default_rng(place).random(length) for place, length in enumerate(lengths)]
        return SplitPanel(name, TimeSeriesPanel(values, "2000-01-03", freq), held_out)

    monkeypatch.setattr("reprise.psa_gan.cell.load", load)


@pytest.mark.parametrize("profile", ["quick", "standard", "paper"])
def test_every_profile_has_room_for_what_it_asks(profile, shaped):
    settings = Settings.checked(profile_parameters(find_paper("psa-gan"), profile))
    for cell in study.cells(settings.model_copy(update={"seeds": settings.seeds[:1]})):
        cell.check()
        assert cell.split.held_out == max(SHAPES[cell.dataset][2], max(cell.lengths) + 64)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"datasets": ("gefcom2014-solar",)}, "gefcom2014-solar: panel has 1 series"),
        ({"windows": (512,)}, "m4-hourly: no series has 520 steps"),
        ({"gap_lengths": (50, 700)}, "m4-hourly: stretches of 700 steps do not fit into the second part of series"),
        ({"cold_shares": (0.1, 0.95)}, "m4-hourly: cold_shares has 0.95, which leaves fewer than 2 of 20 series"),
    ],
)
def test_what_a_panel_has_no_room_for_is_refused_before_training(changes, words, shaped, monkeypatch):
    monkeypatch.setattr("reprise.psa_gan.study.main_model", lambda *_: pytest.fail("a model was trained"))
    with pytest.raises(PSAGANInputError, match=words):
        study.run(TINY.model_copy(update={"datasets": ("m4-hourly",), **changes}))


def test_the_summary_has_no_line_a_step_or_place(rows):
    summary = summarise(rows, published_numbers("psa_gan"), Settings.summary_columns)
    assert len(summary) < len(rows) / 3
    assert not {"step", "place"} & {name for line in summary for name in line.variant}
    of_psa = [line for line in summary if line.variant.get("part") == "curve" and line.method == PSA]
    assert len(of_psa) == len({line.metric for line in of_psa})


def test_two_models_of_one_name_are_refused():
    with pytest.raises(SettingsError, match=r"ablation_window=16 .*steps=20.*ablation_steps=10"):
        Settings.checked({"windows": (16,), "ablation_window": 16, "steps": 20, "ablation_steps": 10})


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
    floors = select(levels, metric="floor", split="test").groupby("place", observed=True)["value"].nunique()
    assert (floors == 1).all()  # one set of real windows for all


def test_parts_have_the_seeds_that_the_settings_say():
    settings = TINY.model_copy(
        update={"seeds": (0, 1, 2), "side_datasets": ("daily-panel",), "fewer_seeds": {"daily-panel": (0, 2)},
                "gap_lengths": (9,), "ranked_generators": 3, "ablation_steps": 11}
    )  # fmt: skip
    cells = list(study.cells(settings))
    assert [cell.seed for cell in cells] == [0, 2]
    side = cells[0].settings
    assert (side.models, side.steps, side.variants) == (("PSA-GAN", "EBGAN"), 11, ())
    assert (side.gap_lengths, side.ranked_generators) == ((), 0)
    few = settings.model_copy(update={"fewer_seeds": {"EBGAN": (1,), "no growing": (2,)}})
    assert [few.runs(name, 1) for name in ("EBGAN", "no growing", "PSA-GAN")] == [True, False, True]


def test_a_part_of_other_seeds_is_left_out(rows):
    fewer = TINY.model_copy(update={"fewer_seeds": {"EBGAN": (5,), "no growing": (5,)}, "controls": False})
    found = study.run(fewer)
    methods = {PSA, "PSA-GAN-C", variant_name("no attention"), variant_name("unit noise")}
    assert set(select(found, part="level")["method"]) == methods


def test_further_encoders_score_the_same_windows():
    some = TINY.model_copy(update={"models": ("PSA-GAN",), "variants": (), "controls": False, "further_encoders": 1})
    found = study.run(some)
    encoders = select(found, part="encoders", metric="context FID")
    assert set(encoders["method"]) == {PSA, *CONTROLS}
    own = select(encoders, method=PSA).set_index("at")["value"]
    first = select(found, part="level", split="test", metric="context FID", method=PSA)["value"].mean()
    assert own[0] == pytest.approx(first)
    assert own[1] != pytest.approx(first)
    loss = select(found, part="encoder", metric="loss")
    assert len(loss) == 2


def test_every_method_has_a_look():
    arms = {MOVING_AVERAGE, ROLLING_MEAN, LAST_DAY, TRUE_VALUES, DEEPAR}
    assert {*MODELS, *CONTROLS, *arms, REAL, *(variant_name(v) for v in VARIANTS)} <= set(METHODS)


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


def test_operations_of_attention_are_counted():
    cell = Cell(TINY, "daily-panel", 0)
    # Scores and their weighted sum are 2·2·l² numbers a window and block, thrice that with the backward pass.
    without = PSAGAN(16, channels=4, batch_size=8, attention=False).trainer(cell.train)
    assert step_operations(cell, 16)[1] - floating_point_operations(without.one_step, 1, 1.0, 2) > 8 * 2 * 4 * 16**2


def test_growth_shows_what_the_generator_said_at_the_end_of_each_stage(rows):
    grown = select(rows, part="growth 0", method=PSA)
    assert grown.groupby("step", observed=True).size().to_dict() == {8: 8, 16: 16}
    cell = Cell(TINY, "daily-panel", 0)
    one = main_model(cell, PSA, 16)
    series, start = (part[:1] for part in cell.conditions(16))
    assert one.schedule.growth_steps == (6,)
    early = one.early(cell, 6)
    assert (early.depth, early.alpha) == (0, 1.0)
    noise = torch.randn(2, 16, generator=torch_generator(0, "psa-gan", "sampling"))[:1]
    with torch.no_grad():
        said = early.generator.eval()(
            noise, cell.panel.static_cat[series], cell.panel.window_features(series, start, 16), depth=0
        )
    found = select(grown, step=8).sort_values("place")["value"].to_numpy()
    np.testing.assert_allclose(found, said[0], atol=1e-6)


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
        ({"side_models": ["GAN"]}, "side_models has 'GAN'"),
        ({"fewer_seeds": {"TimeGAN": [0]}}, "fewer_seeds has 'TimeGAN'; known are PSA-GAN, no attention"),
        ({"cold_shares": [1.0]}, "cold_shares must lie between 0 and 1"),
        ({"gap_lengths": [0]}, "gap_lengths must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(parameters, words):
    with pytest.raises(SettingsError, match=words):
        Settings.checked(parameters)


def test_only_the_papers_own_scale_is_no_reduction():
    assert Settings().reduced_scale
    full = {
        "steps": 119_000,
        "ablation_steps": 119_000,
        "channels": 32,
        "batch_size": 128,
        "encoder": "paper",
        "fid_draws": 10,
    }
    assert not Settings(**full).reduced_scale
