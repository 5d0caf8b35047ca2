import numpy as np
import pytest

from reprise.psa_gan import claims
from reprise.psa_gan.comparisons import mean_rank_correlation, settling_steps
from reprise.psa_gan.names import (
    DEEPAR,
    EBGAN,
    LAST_SEASON,
    MOVING_AVERAGE,
    NO_CONDITION,
    NO_GROWING,
    PSA,
    PSA_C,
    TIMEGAN,
    TRUE_VALUES,
    variant_name,
)
from reprise.rows import MissingRowsError, tidy

SEEDS = (0, 1, 2)


def level(method, value, window=64, seeds=SEEDS):
    """Return rows of a score that differs a little from seed to seed, and by draw."""
    return [
        {"dataset": "m4-hourly", "split": "test", "method": method, "seed": seed, "metric": "context FID",
         "part": "level", "window": window, "step": None, "at": draw, "value": value * (1 + 0.02 * seed + 0.01 * draw)}
        for seed in seeds for draw in (0, 1)
    ]  # fmt: skip


def row(part, method, seed, value, metric="NRMSE", **columns):
    common = {"dataset": "m4-hourly", "split": "test", "window": 64, "step": None, "at": None}
    return {**common, "method": method, "seed": seed, "metric": metric, "part": part, "value": value, **columns}


@pytest.mark.parametrize(
    ("scores", "outcome"),
    [
        ({PSA: 1, PSA_C: 1, EBGAN: 2, TIMEGAN: 2}, "reproduced"),
        ({PSA: 1, PSA_C: 1, EBGAN: 2}, "partly reproduced"),
        ({PSA: 3, PSA_C: 1, EBGAN: 2, TIMEGAN: 2}, "partly reproduced"),
        ({PSA: 3, PSA_C: 2, EBGAN: 2}, "not reproduced"),
        ({PSA: 2, PSA_C: 2, EBGAN: 2}, "inconclusive"),
    ],
)
def test_c1_counts_models_and_rivals(scores, outcome):
    rows = tidy([one for method, value in scores.items() for one in level(method, value)])
    assert claims.both_beat_the_rivals(rows).outcome == outcome


def test_c1_judges_no_rival_of_one_seed():
    rows = tidy(level(PSA, 1) + level(PSA_C, 1) + level(EBGAN, 2) + level(TIMEGAN, 0.1, seeds=(0,)))
    found = claims.both_beat_the_rivals(rows)
    assert found.outcome == "partly reproduced"
    assert "Judged against EBGAN." in found.evidence
    assert found.interval.estimate == pytest.approx(np.log(2))


def test_c2_needs_both_lengths():
    short = level(PSA, 1) + level(TIMEGAN, 2)
    assert claims.timegan_falls_behind(tidy(short)).outcome == "not testable here"
    wider = tidy(short + level(PSA, 1, 256) + level(TIMEGAN, 8, 256))
    found = claims.timegan_falls_behind(wider)
    assert found.outcome == "reproduced"
    assert found.interval.estimate == pytest.approx(np.log(4))


@pytest.mark.parametrize(
    ("factors", "outcome"),
    [
        ((2, 2, 2), "partly reproduced"),
        ((2, 1, 0.5), "partly reproduced"),
        ((1, 1, 1), "inconclusive"),
        ((0.5, 1, 1), "not reproduced"),
    ],
)
def test_c3_wants_each_part_to_matter(factors, outcome):
    rows = level(PSA, 1, 32)
    for variant, factor in zip(claims.SINGLE_REMOVALS, factors, strict=True):
        rows += level(variant_name(variant), factor, 32)
    assert claims.every_part_is_needed(tidy(rows)).outcome == outcome


@pytest.mark.parametrize(
    ("short", "outcome"),
    [(2, "reproduced"), (1, "partly reproduced"), (0.5, "partly reproduced")],
)
def test_c3_wants_all_parts_at_two_lengths(short, outcome):
    rows = level(PSA, 1, 32) + level(PSA, 1, 128)
    for variant in claims.SINGLE_REMOVALS:
        rows += level(variant_name(variant), short, 32) + level(variant_name(variant), 2, 128)
    found = claims.every_part_is_needed(tidy(rows))
    assert found.outcome == outcome
    assert found.interval.estimate == pytest.approx(np.log(2))


def test_controls_hold_where_they_should_and_fail_where_they_should():
    def said(control, values):
        rows = [
            row("far", method, seed, value + 0.01 * seed, at=1) for method, value in values.items() for seed in SEEDS
        ]
        rows += [row("direct", method, seed, value, at=0) for method, value in values.items() for seed in SEEDS]
        return control(tidy(rows))[0]

    assert said(claims._true_values_help, {TRUE_VALUES: 1, MOVING_AVERAGE: 2})
    assert not said(claims._true_values_help, {TRUE_VALUES: 2, MOVING_AVERAGE: 1})
    assert said(claims._the_generator_beats_last_week, {PSA_C: 1, LAST_SEASON: 2})
    assert not said(claims._the_generator_beats_last_week, {PSA_C: 2, LAST_SEASON: 1})
    assert said(claims._the_moving_average_is_a_forecast, {MOVING_AVERAGE: 1})
    same = tidy([row("far", MOVING_AVERAGE, seed, 1.9633, at=at) for seed in SEEDS for at in (1, 2)])
    assert not claims._the_moving_average_is_a_forecast(same)[0]


def test_the_control_of_c3_wants_the_condition_to_matter():
    unconditional = variant_name(NO_CONDITION)
    assert claims._conditions_matter(tidy(level(PSA, 1, 32) + level(unconditional, 2, 32)))[0]
    assert not claims._conditions_matter(tidy(level(PSA, 2, 32) + level(unconditional, 1, 32)))[0]


@pytest.mark.parametrize(
    ("change", "outcome"), [(-0.1, "partly reproduced"), (0.1, "not reproduced"), (0, "inconclusive")]
)
def test_c4_compares_fillings_beyond_the_first_window(change, outcome):
    rows = []
    for seed in SEEDS:
        for at in range(1, 7):
            wobble = 0.01 * (seed - 1)
            rows.append(row("far", PSA, seed, 1 + change + wobble, at=at))
            rows.append(row("far", MOVING_AVERAGE, seed, 1.0, at=at))
        rows.append(row("far", PSA, seed, 99.0, at=0))
    assert claims.filled_history_helps(tidy(rows)).outcome == outcome


@pytest.mark.parametrize(("slope", "outcome"), [(1, "reproduced"), (-1, "not reproduced")])
def test_c6_ranks_generators_within_a_seed(slope, outcome):
    def rows(n):
        found = []
        for seed in SEEDS:
            for step in range(n):
                # Encoders differ in scale from seed to seed, which must not matter.
                found.append(row("ranked", PSA, seed, (10**seed) * (step + 1), "context FID", step=step))
                found.append(row("ranked", PSA, seed, slope * step + 50.0, step=step))
        return tidy(found)

    assert claims.scores_tell_forecasters(rows(12)).outcome == outcome
    assert claims.scores_tell_forecasters(rows(9)).outcome == "inconclusive"


def test_rank_correlations_are_scipys():
    from scipy.stats import spearmanr

    generator = np.random.default_rng(0)
    tables = [generator.random((12, 2)) for _ in range(3)]
    found = mean_rank_correlation(tables, "test")
    assert found.estimate == pytest.approx(np.mean([spearmanr(*table.T).statistic for table in tables]))
    assert found.low < found.estimate < found.high


@pytest.mark.parametrize(("gan", "outcome"), [(2.0, "reproduced"), (0.5, "not reproduced")])
def test_c7_holds_where_deepar_is_better(gan, outcome):
    rows = [row("direct", PSA_C, seed, gan + 0.01 * seed, at=at) for seed in SEEDS for at in (0, 1)]
    rows += [row("direct", DEEPAR, seed, 1.0, at=at) for seed in SEEDS for at in (0, 1)]
    assert claims.deepar_forecasts_better(tidy(rows)).outcome == outcome


def spectrum(method, settled, seeds=SEEDS):
    """Return rows of bands that settle at given steps."""
    return [
        row("spectrum", method, seed, 1.0 if step < at + 10 * (seed == 2) else 0.1, "log error of power",
            window=32, step=step, at=band)
        for seed in seeds for band, at in enumerate(settled) for step in range(0, 101, 10)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("grown", "fixed", "outcome"),
    [
        ((10, 30, 50, 70), (70, 50, 30, 10), "reproduced"),
        ((10, 30, 50, 70), (10, 30, 50, 70), "partly reproduced"),
        ((70, 50, 30, 10), (10, 30, 50, 70), "not reproduced"),
    ],
)
def test_c8_compares_the_order_of_bands(grown, fixed, outcome):
    fixed_name = variant_name(NO_GROWING)
    rows = spectrum(PSA, grown) + spectrum(fixed_name, fixed) + level(PSA, 1, 32) + level(fixed_name, 1, 32)
    assert claims.coarse_shape_comes_first(tidy(rows)).outcome == outcome


def test_settling_is_that_of_a_plain_loop():
    generator = np.random.default_rng(1)
    steps = np.arange(0, 50, 5)
    for _ in range(50):
        errors = generator.random((10, 4))
        expected = []
        for band in errors.T:
            stays = [steps[k] for k in range(10) if (band[k:] < 0.25 * band[0]).all()]
            expected.append(stays[0] if stays else steps[-1])
        assert settling_steps(errors, steps).tolist() == expected


def test_every_rule_says_what_is_missing():
    empty = tidy(level("Block bootstrap", 1))
    for claim in claims.CLAIMS:
        if claim.rule is not None and claim.id != "C2":
            with pytest.raises(MissingRowsError):
                claim.rule(empty)


def test_controls_tell_a_training_that_did_nothing():
    trained, untrained = level(PSA, 1), [row("curve", PSA, seed, 5.0, "context FID", step=0) for seed in SEEDS]
    (control,) = claims.CLAIMS[0].controls
    assert control.check(tidy(trained + untrained))[0]
    worse = [row("curve", PSA, seed, 0.5, "context FID", step=0) for seed in SEEDS]
    assert not control.check(tidy(trained + worse))[0]
