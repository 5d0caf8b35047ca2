"""Figures of the audits on drawn rows: the numbers drawn, the sentence, and what is missing."""

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot

from reprise import rows as tidy_rows
from reprise.psa_gan import audit_figures as figures
from reprise.psa_gan.degradations import degraded
from reprise.psa_gan.names import (
    BOOTSTRAP,
    EBGAN,
    LAST_SEASON,
    MOVING_AVERAGE,
    NO_GROWING,
    PSA,
    PSA_C,
    REAL,
    TRUE_VALUES,
    UNIT_NOISE,
    variant_name,
)
from reprise.rows import MissingRowsError

LEVELS = {MOVING_AVERAGE: 2.0, PSA: 1.2, PSA_C: 1.0, EBGAN: 1.5, BOOTSTRAP: 0.9, LAST_SEASON: 0.4, TRUE_VALUES: 0.3}
STEPS = (0, 100, 200, 300, 400)


def row(method, metric, value, seed, **columns):
    common = {"dataset": "d", "split": "test", "window": 64, "step": None, "at": None}
    return {**common, "method": method, "metric": metric, "value": value, "seed": seed, **columns}


def far_rows(generator, seed):
    for method, level in LEVELS.items():
        for at in range(0 if method in (MOVING_AVERAGE, TRUE_VALUES) else 1, 7):
            value = 0.3 if at == 0 else level + 0.05 * generator.random()
            yield row(method, "NRMSE", value, seed, part="far", at=at)


def ranked_rows(generator, seed):
    for method in (PSA, PSA_C, EBGAN):
        for step in (100, 200, 300, 400):
            score = generator.uniform(0.1, 1)
            yield row(method, "context FID", score, seed, part="ranked", step=step)
            yield row(method, "NRMSE", 1 + score, seed, part="ranked", step=step)
    for method in (LAST_SEASON, BOOTSTRAP):
        yield row(method, "context FID", 0.05, seed, part="ranked control")
        yield row(method, "NRMSE", 0.5, seed, part="ranked control")


def spectrum_rows(seed):
    for method in (PSA, variant_name(NO_GROWING)):
        for band in range(4):
            for place, step in enumerate(STEPS):
                settled = place > band if method == PSA else place > 2
                yield row(
                    method, "log error of power", 0.1 if settled else 2.0, seed, part="spectrum", step=step, at=band
                )


def likeness_rows(seed):
    for method, period in ((REAL, 24), (PSA, 20)):
        for lag in range(1, 33):
            yield row(method, "autocorrelation", np.cos(2 * np.pi * lag / period), seed, part="likeness", at=lag)
            yield row(method, "power", 1 / lag, seed, part="likeness", at=lag)


def spread_rows(generator, seed):
    for method, level in ((PSA, 0.05), (PSA_C, 0.1), (variant_name(UNIT_NOISE), 0.3)):
        yield row(method, "variance ratio", level + 0.01 * generator.random(), seed, part="spread")
        yield row(method, "coverage", 0.2 + level, seed, part="spread")


def degraded_rows(generator, seed):
    for metric in ("context FID", "raw FID"):
        for place, name in enumerate(degraded(torch.zeros(2, 8), torch.Generator())):
            yield row(name, metric, 0.01 * 10**place * (1 + 0.1 * generator.random()), seed, part="degraded")


@pytest.fixture(scope="module")
def rows():
    generator = np.random.default_rng(0)
    found = []
    for seed in range(3):
        found += [*far_rows(generator, seed), *ranked_rows(generator, seed), *spectrum_rows(seed)]
        found += [*likeness_rows(seed), *spread_rows(generator, seed)]
        found += degraded_rows(generator, seed)
    return tidy_rows.tidy(found)


@pytest.fixture(autouse=True)
def _close():
    yield
    pyplot.close("all")


def test_far_forecasts_are_drawn_by_arm_and_the_best_fillings_named(rows):
    drawing = figures.draw_far(rows)
    assert set(drawing.data["method"]) == set(LEVELS)
    assert drawing.data.groupby("method").size().to_dict() == {
        m: 7 if m in (MOVING_AVERAGE, TRUE_VALUES) else 6 for m in LEVELS
    }
    assert "Last week repeated 0.4" in drawing.alt
    assert TRUE_VALUES not in drawing.alt
    assert drawing.figure.axes[0].get_ylim()[0] == 0


def test_gains_are_against_the_moving_average_at_distances_above_0(rows):
    data = figures.draw_far_gains(rows).data.set_index("method")
    far = rows[(rows["part"] == "far") & (rows["at"] > 0)]
    means = far.groupby(["method", "seed"])["value"].mean().unstack()
    for arm in data.index:
        assert data.loc[arm, "mean"] == pytest.approx((means.loc[arm] - means.loc[MOVING_AVERAGE]).mean())
    assert MOVING_AVERAGE not in data.index


def test_the_ranking_counts_generators_and_shows_controls(rows):
    drawing = figures.draw_ranking(rows)
    assert "Spearman of Context-FID and NRMSE over generators: +1" in drawing.alt
    assert "12 generators a seed" in drawing.caption
    assert set(drawing.data["part"]) == {"ranked", "ranked control"}
    assert len(drawing.figure.axes) == 3


def test_the_spectrum_tells_the_order_of_bands_with_and_without_growing(rows):
    drawing = figures.draw_spectrum(rows)
    assert "Low bands settle before high ones" in drawing.alt
    assert "growing +1" in drawing.alt
    assert len(drawing.data) == 2 * 4 * len(STEPS)
    names = [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()]
    assert names == ["1", "2–3", "4–7", "8–16"]


def test_likeness_and_spread_say_how_far_off(rows):
    data = figures.draw_likeness(rows).data
    wide = data[data["metric"] == "autocorrelation"].pivot_table(index="at", columns="method", values="mean")
    off = float((wide[PSA] - wide[REAL]).abs().mean())
    assert f"PSA-GAN {off:.3f}" in figures.draw_likeness(rows).alt
    drawing = figures.draw_spread(rows)
    share = drawing.data[(drawing.data["metric"] == "variance ratio")]["mean"].iloc[0]
    assert f"{100 * share:.1f} %" in drawing.alt
    assert drawing.figure.axes[0].get_yticklabels()[0].get_text() == "PSA-GAN, τ = 64"


def test_degradations_are_in_multiples_of_unchanged_windows(rows):
    drawing = figures.draw_degradations(rows)
    assert len(drawing.data) == 2 * 6
    assert drawing.data["mean"].to_numpy() == pytest.approx([1, 2, 3, 4, 5, 6] * 2, abs=0.1)
    assert "sees steps shuffled most" in drawing.alt
    assert "noise of 0.05 least" in drawing.alt


def test_the_bias_is_measured_and_expected():
    data = figures.draw_bias().data
    assert len(data) == len(figures.BIAS_SIZES) * len(figures.BIAS_DIMENSIONS)
    large = data[data["n"] >= 1024]
    np.testing.assert_allclose(large["measured"], large["expected"], rtol=0.3)


@pytest.mark.parametrize(
    "draw",
    [
        figures.draw_far,
        figures.draw_far_gains,
        figures.draw_ranking,
        figures.draw_spectrum,
        figures.draw_likeness,
        figures.draw_spread,
        figures.draw_degradations,
    ],
)
def test_runs_without_such_rows_have_no_figure(rows, draw):
    only = pd.DataFrame(rows[rows["part"] == "none"])
    with pytest.raises(MissingRowsError):
        draw(only)
