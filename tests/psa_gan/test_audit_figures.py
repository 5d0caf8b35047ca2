"""Figures of the audits on drawn rows: the numbers drawn, the sentence, and what is missing."""

import numpy as np
import pandas as pd
import pytest
import torch

from reprise import rows as tidy_rows
from reprise.psa_gan import audit_figures as figures
from reprise.psa_gan.degradations import degraded
from reprise.psa_gan.names import NO_GROWING, PSA, PSA_C, REAL, UNIT_NOISE, variant_name
from reprise.rows import MissingRowsError

STEPS = (0, 100, 200, 300, 400)


def row(method, metric, value, seed, **columns):
    common = {"dataset": "d", "split": "test", "window": 64, "step": None, "at": None, "place": None}
    return {**common, "method": method, "metric": metric, "value": value, "seed": seed, **columns}


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
            yield row(method, "autocorrelation", np.cos(2 * np.pi * lag / period), seed, part="likeness", place=lag)
            yield row(method, "power", 1 / lag, seed, part="likeness", place=lag)


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
        found += [*spectrum_rows(seed), *likeness_rows(seed), *spread_rows(generator, seed)]
        found += degraded_rows(generator, seed)
    return tidy_rows.tidy(found)


def test_the_spectrum_tells_the_order_of_bands_with_and_without_growing(rows):
    drawing = figures.draw_spectrum(rows)
    assert "Low bands settle before high ones in 3 of 3 seeds, without growing in " in drawing.alt
    assert "growing +1" in drawing.alt
    assert len(drawing.data) == 2 * 4 * len(STEPS)
    names = [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()]
    assert names == ["1", "2–3", "4–7", "8–16"]


def test_bands_that_never_settle_are_said_to(rows):
    words = figures.bands_in_words(rows)
    # Growing, band 3 reaches a quarter at the last step alone; at full depth all four do so at the step before.
    assert "9 of 12 growing, 12 of 12 at full depth" in words
    assert "2.00 and 2.00 growing and 2.00 and 2.00 at full depth" in words
    never = rows.copy()
    never.loc[(rows["part"] == "spectrum") & (rows["method"] == PSA), "value"] = 2.0
    drawing = figures.draw_spectrum(never)
    assert "in 0 of 3 seeds (none settles at all in 3), without growing in " in drawing.alt


def test_without_full_depth_growing_is_drawn_alone(rows):
    alone = rows[rows["method"] != variant_name(NO_GROWING)]
    assert set(figures.draw_spectrum(alone).data["method"]) == {PSA}
    assert figures.bands_in_words(alone) == ""


def test_likeness_says_how_far_off_each_panel_is(rows):
    drawing = figures.draw_likeness(rows)
    wide = drawing.data[drawing.data["metric"] == "autocorrelation"].pivot_table(
        index="place", columns="method", values="mean"
    )
    off = float((wide[PSA] - wide[REAL]).abs().mean())
    assert f"{PSA} {off:.2f}" in drawing.caption
    assert f"{PSA}'s autocorrelations are the nearest" in drawing.alt
    two = pd.concat([rows, rows.assign(dataset="other")])
    both = figures.draw_likeness(two)
    assert set(both.data["dataset"]) == {"d", "other"}
    assert "(d)" in both.alt
    assert "other: PSA-GAN" in both.caption
    assert len(both.figure.axes) == 4


def test_the_spread_is_that_of_the_longest_windows(rows):
    drawing = figures.draw_spread(rows)
    assert drawing.figure.axes[0].get_yticklabels()[0].get_text() == "PSA-GAN, τ = 64"
    values = rows[(rows["metric"] == "variance ratio") & (rows["method"] == PSA)]["value"]
    assert f"{100 * np.exp(np.log(values).mean()):.1f} [" in drawing.alt
    assert "vary too little" in drawing.alt


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
