"""Tables and sentences on drawn rows: by panel, paired by seed, on the scale that fits."""

import numpy as np
import pandas as pd
import pytest

from reprise import rows as tidy_rows
from reprise.psa_gan import summaries
from reprise.psa_gan.names import (
    BOOTSTRAP,
    DEEPAR,
    EBGAN,
    LAST_SEASON,
    PSA,
    PSA_C,
    REAL,
    RESAMPLED,
    variant_name,
)
from reprise.verification import published_numbers

SCORES = {PSA: 0.2, EBGAN: 0.6, LAST_SEASON: 0.02, RESAMPLED: 0.1}


def row(method, metric, value, seed, **columns):
    common = {"dataset": "m4-hourly", "split": "test", "window": 64, "step": None, "at": None}
    return {**common, "method": method, "metric": metric, "value": value, "seed": seed, **columns}


def rows_of(seed):
    scale = 10**seed  # each seed has an encoder of its own
    for dataset in ("m4-hourly", "los-loop"):
        for method, value in SCORES.items():
            for split in ("test", "train"):
                for metric in ("context FID", "floor", "corrected", "raw FID"):
                    yield row(method, metric, scale * value, seed, part="level", split=split, dataset=dataset)
    for method, window in ((PSA, 32), (variant_name("no attention"), 32)):
        yield row(method, "context FID", scale * (0.2 if method == PSA else 0.4), seed, part="level", window=window)
    for at, value in ((0, 2.3), (1, 1.9)):
        yield row("Encoder", "loss", value, seed, part="encoder", at=at)
    for method, value in ((PSA, 1.0), (DEEPAR, 0.3), (LAST_SEASON, 0.2)):
        yield row(method, "NRMSE", value + 0.01 * seed, seed, part="direct", at=0)
    for method, value in ((PSA_C, 1.0), (BOOTSTRAP, 0.9), (LAST_SEASON, 0.2 + 0.01 * seed)):
        yield row(method, "NRMSE", value, seed, part="far", at=1)
    yield row(REAL, "largest share", 0.62, seed, part="far")


def further_rows_of(seed):
    for dataset, ratio in (("m4-hourly", 2.0), ("los-loop", 0.3)):
        yield row(PSA, "ratio", ratio, seed, part="memory", dataset=dataset)
        yield row(PSA, "near share", 0.01, seed, part="memory", dataset=dataset)
    for at, value in enumerate((0.2, 0.4) if seed == 0 else ()):
        yield row(PSA, "context FID", value, seed, part="encoders", at=at)
        yield row(EBGAN, "context FID", 3 * value, seed, part="encoders", at=at)
        yield row(PSA, "floor", value / 10, seed, part="encoders", at=at)


@pytest.fixture(scope="module")
def rows():
    return tidy_rows.tidy(one for seed in range(3) for make in (rows_of, further_rows_of) for one in make(seed))


def test_the_table_of_scores_has_geometric_means_by_panel(rows):
    table = summaries.levels_table(rows, published_numbers("psa_gan"))
    assert table["panel"].unique().tolist() == ["m4-hourly", "los-loop"]
    assert set(table["τ"]) == {64}
    own = table[(table["panel"] == "m4-hourly") & (table["model"] == PSA)].iloc[0]
    assert own["Context-FID"].startswith("2.0 [")  # of 0.2, 2 and 20
    assert own["paper"] == "not available"
    assert (table[table["model"] == LAST_SEASON]["paper"] == "—").all()


def test_one_panel_is_not_named(rows):
    table = summaries.levels_table(rows[rows["dataset"] == "m4-hourly"], published_numbers("psa_gan"))
    assert "panel" not in table


def test_variants_are_paired_by_seed_and_say_how_many(rows):
    line = summaries.variants_table(rows).iloc[0]
    assert (line["variant"], line["seeds"], line["factor"]) == ("no attention", 3, "2.00")


def test_ratios_to_training_windows_do_not_depend_on_the_encoders_scale(rows):
    words = summaries.drift_in_words(rows)
    assert "On the held-out range: PSA-GAN 2.0 [2.0, 2.0]; EBGAN 6.0 [6.0, 6.0]; Last week repeated 0.20" in words
    assert "where there is no drift: PSA-GAN 2.0" in words
    assert summaries.drift_in_words(rows[rows["part"] == "far"]) == ""


def test_what_the_encoder_does_is_told_in_multiples_of_its_floor(rows):
    words = summaries.encoders_in_words(rows)
    assert "2 encoders" in words
    assert "get 0.200, 0.400." in words
    assert "in multiples of its floor it is 10 [10, 10]" in words
    assert "EBGAN 3.0 [3.0, 3.0]" in words
    assert summaries.encoders_in_words(rows[rows["part"] == "far"]) == ""


def test_memory_is_told_of_every_panel(rows):
    words = summaries.memory_in_words(rows)
    assert "on m4-hourly PSA-GAN 2.0 [2.0, 2.0] (1.0 %)" in words
    assert "on los-loop PSA-GAN 0.30 [0.30, 0.30] (1.0 %)" in words


def test_the_bias_is_what_the_extrapolation_takes_off(rows):
    table = summaries.levels_table(rows, published_numbers("psa_gan"))
    # Score and corrected value are equal in these rows.
    assert table["bias at this n"].str.startswith("0").all()


def test_the_encoders_loss_is_set_beside_that_of_equal_embeddings(rows):
    words = summaries.encoder_in_words(rows)
    assert f"{3 * np.log(2):.2f}" in words
    assert "from 2.3" in words
    assert summaries.encoder_in_words(rows[rows["part"] == "far"]) == ""


def test_direct_forecasts_are_set_beside_last_week(rows):
    words = summaries.direct_in_words(rows)
    assert "on m4-hourly PSA-GAN 1.01" in words
    assert "(DeepAR minus last week +0.10" in words
    assert "standard" in summaries.direct_in_words(rows[rows["part"] == "far"])


def test_far_fillings_are_differences_within_a_seed(rows):
    words = summaries.far_in_words(rows)
    assert "Block bootstrap +0.10" in words
    assert "Last week repeated +0.79 [0.77, 0.81]" in words
    assert "62 %" in words
    assert "standard" in summaries.far_in_words(rows[rows["part"] == "level"])


def test_the_tuning_table_marks_one_rate_a_model():
    table = summaries.tuning_table()
    assert table[table["taken"] == "yes"].groupby("model").size().eq(1).all()
    best = table[table["taken"] == "yes"].set_index("model")["Context-FID"].astype(float)
    every = table.assign(score=table["Context-FID"].astype(float)).groupby("model")["score"].min()
    pd.testing.assert_series_equal(best.sort_index(), every, check_names=False)
