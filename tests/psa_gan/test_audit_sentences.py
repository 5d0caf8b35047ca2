"""Sentences of the audits on drawn rows, each number against one made by hand."""

import numpy as np
import pandas as pd
import pytest

from reprise import rows as tidy_rows
from reprise.psa_gan import audit_sentences as sentences
from reprise.psa_gan.names import EBGAN, LAST_SEASON, MOVING_AVERAGE, PSA, PSA_C, REAL, variant_name

NOTHING = tidy_rows.tidy(
    [{"dataset": "m4-hourly", "split": "test", "method": PSA, "seed": 0, "metric": "m", "part": "p", "window": 64.0,
      "step": None, "at": None, "place": None, "value": 1.0}]
)  # fmt: skip


def row(method, metric, value, seed, **columns):
    common = {"dataset": "m4-hourly", "split": "test", "window": 64, "step": None, "at": None, "place": None}
    return {**common, "method": method, "metric": metric, "value": value, "seed": seed, **columns}


def forecasts_of(seed):
    for arm, value in ((PSA, 0.5), (EBGAN, 0.6), (MOVING_AVERAGE, 0.7), (LAST_SEASON, 0.3)):
        for at in (0, 1, 2):
            wobble = 0.01 * seed * (arm == PSA)
            yield row(arm, "NRMSE, scaled", 9.0 if at == 0 else value + wobble, seed, part="far", at=at)
    for step, found in enumerate([(1.0, 3.0, 1.0), (2.0, 2.0, 2.0), (3.0, 1.0, 3.0)]):
        for metric, value in zip(("context FID", "NRMSE", "NRMSE, scaled"), found, strict=True):
            yield row(PSA, metric, value, seed, part="ranked", step=step)


def windows_of(seed):
    for method, values in ((PSA, (0, 3, 4, 5, 9)), (REAL, (0, 1, 2, 3, 4))):
        for pair in (0, 1):
            for place, value in enumerate(values):
                yield row(method, "window", value, seed, part="shown", step=pair, place=place)


def networks_of(seed):
    scale = 10.0**seed  # each seed has an encoder of its own
    for method, ratio, score in ((PSA, 0.1, 1.0), (variant_name("unit noise"), 0.4, np.e)):
        yield row(method, "variance ratio", ratio, seed, part="spread", window=32)
        yield row(method, "CRPS", 0.2, seed, part="spread", window=32)
        yield row(method, "context FID", scale * score, seed, part="level", window=32)
    for damage, own, raw in (
        ("unchanged", 1, 1), ("steps shuffled", 15, 60), ("time reversed", 2, 1), ("level + 0.1", 30, 9)
    ):  # fmt: skip
        yield row(damage, "context FID", own * scale, seed, part="degraded")
        yield row(damage, "raw FID", raw * scale, seed, part="degraded")
    for stage in (0, 1):
        yield row(PSA, "added share", 0.1 * (1 + stage), seed, part="attention", at=stage)
        yield row(PSA, "entropy share", 0.9, seed, part="attention", at=stage)


@pytest.fixture(scope="module")
def rows():
    makers = (forecasts_of, windows_of, networks_of)
    return tidy_rows.tidy(one for seed in range(3) for make in makers for one in make(seed))


def test_errors_with_every_series_alike_are_paired_and_leave_the_first_distance_out(rows):
    words = sentences.scaled_errors_in_words(rows)
    assert "minus moving average PSA-GAN −0.190 [−0.215, −0.165], EBGAN −0.100 [−0.100, −0.100]" in words
    assert "minus last week repeated PSA-GAN +0.210" in words
    assert PSA_C not in words


def test_the_ranking_with_every_series_alike_may_turn_round(rows):
    words = sentences.scaled_ranking_in_words(rows)
    assert "correlation is +1.00" in words
    assert "number 1, 1, 1 of 3" in words


def test_the_ends_of_windows_are_set_beside_their_inner_steps(rows):
    # Changes 3, 1, 1, 4 of PSA-GAN's; real ones rise by 1 throughout.
    assert "m4-hourly: PSA-GAN 3.5, Real windows 1.0." in sentences.edges_in_words(rows)


def test_a_repair_of_the_noise_is_told_with_its_price(rows):
    words = sentences.noise_in_words(rows)
    assert "as published: variance ratio 0.10 [0.10, 0.10], CRPS 0.2" in words
    assert "unit noise: variance ratio 0.40" in words
    assert "ln of the ratio of scores +1.00 [1.00, 1.00]" in words
    assert "fresh noise" not in words


def test_the_noise_as_published_is_told_of_the_seeds_of_the_repairs(rows):
    further = rows[(rows["part"] == "spread") & (rows["method"] == PSA) & (rows["seed"] == 0)]
    assert len(further)
    more = pd.concat([rows, further.assign(seed=9, value=99.0)], ignore_index=True)
    assert sentences.noise_in_words(more) == sentences.noise_in_words(rows)
    assert "seeds 0, 1, 2" in sentences.noise_in_words(rows)
    # Nor does a score of a seed that one repair alone has count.
    both = rows[rows["method"].isin([PSA, variant_name("unit noise")]) & (rows["seed"] == 0)]
    fresh = rows[rows["method"] == variant_name("unit noise")].assign(method=variant_name("fresh noise"))
    longer = pd.concat([rows, fresh, both.assign(seed=9, value=both["value"] * 7)], ignore_index=True)
    without = pd.concat([rows, fresh], ignore_index=True)
    assert sentences.noise_in_words(longer) == sentences.noise_in_words(without)
    apart = pd.concat([rows[rows["method"] == PSA], fresh.assign(seed=fresh["seed"] + 10)], ignore_index=True)
    assert sentences.noise_in_words(apart) == ""


def test_damages_are_told_with_and_without_the_encoder(rows):
    words = sentences.degradations_in_words(rows)
    assert "steps shuffled × 15 [15, 15] against × 60 [60, 60]" in words
    assert "time reversed × 2.0 [2.0, 2.0] against × 1.0 [1.0, 1.0]" in words


def test_attention_is_told_by_the_length_of_its_stage(rows):
    assert "m4-hourly 8: 10.0 % (0.90), 16: 20.0 % (0.90)" in sentences.attention_in_words(rows)


@pytest.mark.parametrize(
    "say",
    [
        sentences.scaled_errors_in_words,
        sentences.scaled_ranking_in_words,
        sentences.edges_in_words,
        sentences.noise_in_words,
        sentences.degradations_in_words,
        sentences.attention_in_words,
    ],
)
def test_a_run_without_the_rows_says_nothing(say):
    assert say(NOTHING) == ""


def test_seconds_and_ratios_come_from_what_was_measured(monkeypatch, tmp_path):
    stored = tmp_path / "benchmark.csv"
    stored.write_text("# τ = 8; seconds\nwhat,ours,published\nattention,0.002,0.009\n", encoding="utf-8")
    monkeypatch.setattr(sentences, "BENCHMARK", stored)
    assert "on τ = 8: attention 4.5 times (ours: 2.0 ms)." in sentences.benchmark_in_words()
    words = sentences.seconds_in_words()
    assert all(model in words for model in (PSA, EBGAN, "TimeGAN"))
