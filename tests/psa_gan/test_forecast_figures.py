"""Figures of forecasts on drawn rows: the numbers drawn, the sentence, and what is missing."""

import numpy as np
import pandas as pd
import pytest

from reprise import rows as tidy_rows
from reprise.psa_gan import forecast_figures as figures
from reprise.psa_gan.names import (
    BOOTSTRAP,
    EBGAN,
    LAST_SEASON,
    MOVING_AVERAGE,
    PSA,
    PSA_C,
    ROLLING_MEAN,
    TRUE_VALUES,
)
from reprise.rows import MissingRowsError

LEVELS = {PSA: 1.2, PSA_C: 1.0, EBGAN: 1.5, MOVING_AVERAGE: 2.0, BOOTSTRAP: 0.9, LAST_SEASON: 0.4, TRUE_VALUES: 0.3}


def row(method, metric, value, seed, **columns):
    common = {"dataset": "m4-hourly", "split": "test", "window": 64, "step": None, "at": None}
    return {**common, "method": method, "metric": metric, "value": value, "seed": seed, **columns}


def far_rows(generator, seed, dataset="m4-hourly"):
    for method, level in LEVELS.items():
        for at in range(1, 7):
            value = level + 0.05 * generator.random()
            yield row(method, "NRMSE", value, seed, part="far", at=at, dataset=dataset)
    yield row(PSA, "NRMSE", 9.0, seed, part="far", at=0, dataset=dataset)


def ranked_rows(generator, seed):
    for method in (PSA, PSA_C, EBGAN):
        for step in (100, 200, 300, 400):
            score = generator.uniform(0.1, 1)
            yield row(method, "context FID", score, seed, part="ranked", step=step)
            yield row(method, "NRMSE", 1 + score, seed, part="ranked", step=step)
    for method in (LAST_SEASON, BOOTSTRAP):
        yield row(method, "context FID", 0.05, seed, part="ranked control")
        yield row(method, "NRMSE", 0.5, seed, part="ranked control")


def gap_rows(seed):
    for part, at in (("missing", 50), ("cold", 10)):
        for method, value in ((PSA, 0.3), (MOVING_AVERAGE, 0.5), (ROLLING_MEAN, 0.2), (TRUE_VALUES, 0.1)):
            yield row(method, "NRMSE", value + 0.01 * seed, seed, part=part, at=at, window=32)


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(0)
    found = []
    for seed in range(3):
        found += [*far_rows(generator, seed), *ranked_rows(generator, seed), *gap_rows(seed)]
        found += far_rows(generator, seed, "exchange-rate")
    return tidy_rows.tidy(found)


def test_far_errors_are_means_over_the_distances_from_1_on(rows):
    errors = figures.far_errors(rows, "m4-hourly")
    assert list(errors) == [arm for arm in figures.ARMS if arm in LEVELS]
    own = rows[(rows["dataset"] == "m4-hourly") & (rows["part"] == "far") & (rows["method"] == PSA) & (rows["at"] > 0)]
    pd.testing.assert_series_equal(errors[PSA], own.groupby("seed")["value"].mean(), check_names=False)


def test_far_forecasts_are_drawn_by_arm_and_the_best_filling_named(rows):
    drawing = figures.draw_far(rows)
    assert set(drawing.data["method"]) == set(LEVELS)
    # True values stand in both panels of a data set.
    assert (drawing.data.groupby(["dataset", "method"]).size().unstack()[[PSA, BOOTSTRAP]] >= 6).all().all()
    assert f"Lowest mean error: {LAST_SEASON}; {PSA} minus it +0.8" in drawing.alt
    assert "(m4-hourly)" in drawing.alt
    assert f"exchange-rate: lowest mean error: {LAST_SEASON}" in drawing.caption
    assert len(drawing.figure.axes) == 4
    assert drawing.figure.axes[0].get_ylim()[0] == 0


def test_a_filling_that_is_best_is_set_beside_the_second():
    errors = {arm: pd.Series([value, value + 0.1]) for arm, value in ((PSA, 0.1), (BOOTSTRAP, 0.4), (TRUE_VALUES, 0.0))}
    assert figures.best_in_words(errors) == f"Lowest mean error: {PSA}; minus {BOOTSTRAP} −0.30 [−0.30, −0.30] NRMSE"


def test_the_best_filling_is_that_of_equal_seeds():
    # The third seed is a hard one, which the short arm does not have.
    errors = {PSA: pd.Series([0.1, 0.2, 0.9]), BOOTSTRAP: pd.Series([0.3, 0.4])}
    assert figures.best_in_words(errors).startswith(f"Lowest mean error: {PSA}; minus {BOOTSTRAP} −0.20")


def test_gains_are_paired_differences_to_every_other_filling(rows):
    drawing = figures.draw_far_gains(rows)
    data = drawing.data[drawing.data["dataset"] == "m4-hourly"].set_index("method")
    errors = figures.far_errors(rows, "m4-hourly")
    for arm in data.index:
        assert data.loc[arm, "mean"] == pytest.approx((errors[PSA] - errors[arm]).mean())
    assert PSA not in data.index
    assert f"better than {EBGAN}, {MOVING_AVERAGE} and worse than {PSA_C}, {BOOTSTRAP}, {LAST_SEASON}" in drawing.alt
    assert TRUE_VALUES in data.index
    assert TRUE_VALUES not in drawing.alt


def test_pairs_are_of_the_seeds_that_both_have(rows):
    fewer = rows[~((rows["method"] == EBGAN) & (rows["seed"] == 0))]
    data = figures.draw_far_gains(fewer).data
    assert set(data[data["method"] == EBGAN]["n"]) == {2}


def test_gaps_have_a_panel_an_experiment(rows):
    drawing = figures.draw_gaps(rows)
    assert [one.get_title(loc="left") for one in drawing.figure.axes] == ["50 steps missing", "10 % of series cold"]
    assert f"10 % of series cold: better than {MOVING_AVERAGE}, worse than {ROLLING_MEAN}" in drawing.alt
    assert "10 % of series cold −0.20 [−0.20, −0.20]" in drawing.caption
    assert len(drawing.data) == 2 * 4


def test_the_ranking_counts_generators_and_shows_controls(rows):
    drawing = figures.draw_ranking(rows)
    assert "Low scores go with low errors (Spearman +1" in drawing.alt
    assert "the best forecaster in 3 of 3 seeds" in drawing.alt
    assert "12 generators a seed" in drawing.caption
    assert set(drawing.data["part"]) == {"ranked", "ranked control"}
    assert len(drawing.figure.axes) == 3


def test_scores_that_tell_nothing_are_said_to(rows):
    same = rows.copy()
    same.loc[(rows["part"] == "ranked") & (rows["metric"] == "NRMSE"), "value"] = 1.0
    assert "Scores tell little of errors (Spearman 0" in figures.draw_ranking(same).alt


def test_the_words_on_the_ranking_name_the_place_of_the_lowest_score(rows):
    words = figures.ranking_in_words(rows)
    assert "is 1.00, 1.00, 1.00." in words
    assert "number 1, 1, 1 of 12" in words
    assert "only 3 trainings" in words
    turned = rows.copy()
    chosen = (rows["part"] == "ranked") & (rows["metric"] == "NRMSE")
    turned.loc[chosen, "value"] = -turned.loc[chosen, "value"]
    assert "number 12, 12, 12 of 12" in figures.ranking_in_words(turned)
    assert figures.ranking_in_words(rows[rows["part"] == "far"]) == ""


@pytest.mark.parametrize("draw", [figures.draw_far, figures.draw_far_gains, figures.draw_gaps, figures.draw_ranking])
def test_runs_without_such_rows_have_no_figure(rows, draw):
    with pytest.raises(MissingRowsError):
        draw(rows[rows["part"] == "none"])
    with pytest.raises(MissingRowsError):
        figures.draw_far_gains(rows[rows["method"] == PSA])
