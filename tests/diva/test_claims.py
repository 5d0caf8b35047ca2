"""Every rule on made-up rows: each outcome that it can give, and its controls."""

import numpy as np
import pytest

from reprise.diva import claims
from reprise.diva.comparisons import FLAT, SHARP, resampled_interval
from reprise.rows import tidy
from reprise.stats import t_interval

SETS = claims.REAL_SETS
SEEDS = range(5)
HEADS_AT_ZERO = (("Softmax head", 0), ("Softmax head, 80 %", 0))
WOBBLE = (0.0, 0.05, -0.05, 0.02, -0.02)


def row(data_set, method, metric, value, seed, **columns):
    common = {"split": "test", "experiment": None, "outer": None, "penalty": None, "step": None, "setting": None}
    common |= {"size": None, "new_weight": None, "sample": None, "noise_rate": None}
    return {**common, "dataset": data_set, "method": method, "metric": metric, "seed": seed, "value": value, **columns}


def sizes(data_set):
    how = {"experiment": "cost", "split": "training"}
    return [
        row(data_set, "data", "training rows", 1000, -1, **how),
        row(data_set, "data", "test rows", 500, -1, **how),
    ]


def outcome(rule, records):
    return rule(tidy(records)).outcome


def reweight_records(changes):
    records = []
    for name, change in zip(SETS, changes, strict=True):
        records += sizes(name)
        for seed in SEEDS:
            how = {"experiment": "reweight", "penalty": "leave-one-out"}
            records.append(row(name, "Uniform", "error", 20.0, seed, step=0, **how))
            value = 20.0 + change + WOBBLE[seed]
            records.append(row(name, "DIVA Reweight", "error", value, seed, step=3, outer=SHARP, **how))
    return records


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ((-1, -1, -2, -1), "reproduced"),
        ((-1, -1, 0, 0), "partly reproduced"),
        ((-1, -1, -1, 1), "partly reproduced"),
        ((1, 1, -1, -1), "not reproduced"),
        ((0, 0, 0, 0), "not reproduced"),
        ((-1, 0, 0, 0), "inconclusive"),
    ],
)
def test_reweight_is_judged_by_how_many_sets_gain(changes, expected):
    assert outcome(claims.reweight_lowers_the_error, reweight_records(changes)) == expected


def test_wide_intervals_around_zero_decide_nothing():
    records = reweight_records((0, 0, 0, 0))
    for record in records:
        if record["method"] == "DIVA Reweight":
            record["value"] += 40 * WOBBLE[record["seed"]]
    assert outcome(claims.reweight_lowers_the_error, records) == "inconclusive"


@pytest.mark.parametrize(
    ("l2rw", "active", "expected"),
    [
        ((5, 5, 5, 0), (5, 5, 5, 5), "reproduced"),
        ((5, 5, 5, 0), (0, 0, 0, 0), "partly reproduced"),
        ((0, 0, 0, 0), (-1, 0, 0, 0), "not reproduced"),
        ((5, 5, 0, 0), (0, 0, 0, 0), "inconclusive"),
    ],
)
def test_rules_of_weighting_are_judged_against_the_uniform_head(l2rw, active, expected):
    records = []
    for place, name in enumerate(SETS):
        records += sizes(name)
        for seed in SEEDS:
            for method, value in (*HEADS_AT_ZERO, ("L2RW", l2rw[place]), ("Active Bias", active[place])):
                value = 20 + value + (WOBBLE[seed] if value else 0.5 * WOBBLE[seed])
                records.append(row(name, method, "error", value, seed, experiment="heads"))
    assert outcome(claims.rule_based_weights_hurt, records) == expected


def detection_records(auc, f1):
    records = []
    for place, name in enumerate(SETS):
        for seed in SEEDS:
            how = {"experiment": "detection", "split": "training", "noise_rate": 0.2}
            for metric, value in (("auc", auc[place]), ("f1", f1[place])):
                value += 0.1 * WOBBLE[seed]
                records.append(row(name, "DIVA derivative", metric, value, seed, outer=FLAT, **how))
                records.append(row(name, "Leave-one-out residual", metric, value, seed, **how))
            records.append(row(name, "Shuffled", "auc", 0.5 + 0.1 * WOBBLE[seed], seed, **how))
            if name in claims.SHARP_LOSS_FAILS_ON:
                records.append(row(name, "DIVA derivative", "auc", 0.3 + WOBBLE[seed], seed, outer=SHARP, **how))
    return records


@pytest.mark.parametrize(
    ("auc", "f1", "expected"),
    [
        ((0.99,) * 4, (0.9,) * 4, "reproduced"),
        ((0.99,) * 4, (0.9, 0.5, 0.9, 0.9), "partly reproduced"),
        ((0.8,) * 4, (0.9,) * 4, "not reproduced"),
        ((0.9,) * 4, (0.68,) * 4, "inconclusive"),
    ],
)
def test_detection_needs_both_numbers_on_every_set(auc, f1, expected):
    records = detection_records(auc, f1)
    assert outcome(claims.derivative_finds_wrong_labels, records) == expected


@pytest.mark.parametrize("control", [claims._random_labels_are_not_found, claims._a_sharp_loss_fails])
def test_controls_of_detection_hold_only_where_nothing_is_found(control):
    records = detection_records((0.99,) * 4, (0.9,) * 4)
    holds, evidence = control(tidy(records))
    assert holds
    assert "flowers12: AUC 0." in evidence
    for record in records:
        if record["method"] == "Shuffled" or record["outer"] == SHARP:
            record["value"] = 0.95
    assert not control(tidy(records))[0]


def extend_records(clean, noisy, subset):
    records = []
    for name in claims.EXTEND_SETS:
        records += sizes(name)
        for seed in SEEDS:
            how = {"experiment": "extend", "setting": "noisy"}
            for method, value in (("DIVA Extend", 20.0 + subset + WOBBLE[seed]), ("Whole pool", 20.0)):
                records.append(row(name, f"{method}, own λ", "error", value, seed, size=0.7, **how))
            for pool, change in (("clean", clean), ("noisy", noisy)):
                for place in range(11):
                    size = round(place / 10, 4)
                    how = {"experiment": "extend", "setting": pool, "size": size}
                    records.append(row(name, "Random selection", "error", 20.0, seed, **how))
                    records.append(row(name, "DIVA Extend", "error", 20.0 + change + WOBBLE[seed], seed, **how))
    return records


@pytest.mark.parametrize(
    ("clean", "noisy", "subset", "expected"),
    [
        (-1, -1, -1, "reproduced"),
        (1, -1, -1, "partly reproduced"),
        (1, 1, 1, "not reproduced"),
        (0, 0, 0, "inconclusive"),
    ],
)
def test_extend_is_judged_on_both_pools(clean, noisy, subset, expected):
    assert outcome(claims.extend_beats_random_selection, extend_records(clean, noisy, subset)) == expected


@pytest.mark.parametrize(
    ("digits", "flowers", "expected"),
    [
        ((0.4, 0.3, 0.3), (0.33, 0.34, 0.33), "reproduced"),
        ((0.3, 0.4, 0.3), (0.33, 0.34, 0.33), "partly reproduced"),
        ((0.4, 0.3, 0.3), (0.38, 0.31, 0.31), "partly reproduced"),
        ((0.3, 0.4, 0.3), (0.2, 0.4, 0.4), "not reproduced"),
        ((0.3, 0.4, 0.3), (0.367, 0.313, 0.32), "inconclusive"),
    ],
)
def test_flips_are_judged_on_digits_and_flowers(digits, flowers, expected):
    how = {"experiment": "flips", "setting": "originals", "split": "training"}
    records = [*sizes("digits"), *sizes("flowers12")]
    records += [
        row(
            name,
            "DIVA Reweight",
            "share",
            share + 0.02 * WOBBLE[seed] * (1 if flip == "none" else -0.5),
            seed,
            sample=flip,
            **how,
        )
        for name, shares in (("digits", digits), ("flowers12", flowers))
        for flip, share in zip(("none", "horizontal", "vertical"), shares, strict=True)
        for seed in SEEDS
    ]
    assert outcome(claims.flips_are_weighed_as_they_deserve, records) == expected


@pytest.mark.parametrize(
    ("changes", "loss", "expected"),
    [
        ((1, 1, 1, 0), 0.5, "reproduced"),
        ((1, 0, 0, 0), 0.5, "partly reproduced"),
        ((1, 1, 1, 1), 1.5, "inconclusive"),
        ((-1, -1, 0, 0), 0.5, "not reproduced"),
    ],
)
def test_overfitting_needs_a_falling_loss(changes, loss, expected):
    records = []
    for name, change in zip(SETS, changes, strict=True):
        records += sizes(name)
        for seed in SEEDS:
            how = {"experiment": "reweight", "penalty": "leave-one-out", "outer": SHARP}
            for step, error, value in ((3, 20.0, 1.0), (30, 20.0 + change + WOBBLE[seed], loss)):
                records.append(row(name, "DIVA Reweight", "error", error, seed, step=step, **how))
                records.append(row(name, "DIVA Reweight", "loss", value, seed, step=step, split="leave-one-out", **how))
    assert outcome(claims.many_steps_overfit, records) == expected


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [((0.1, 0.2, 1.0), "reproduced"), ((0.1, 2, 2), "partly reproduced"), ((2, 2, 2), "not reproduced")],
)
def test_cost_is_counted_in_forward_passes(ratios, expected):
    records = []
    for name, ratio in zip(claims.IMAGE_SETS, ratios, strict=True):
        how = {"experiment": "cost", "split": "training"}
        records.append(row(name, "DIVA derivative", "multiply-adds", ratio * 1e9, -1, **how))
        records.append(row(name, "Forward pass", "multiply-adds", 1e9, -1, **how))
    assert outcome(claims.derivative_costs_less_than_a_forward_pass, records) == expected


@pytest.mark.parametrize(
    ("correlations", "expected"),
    [
        ((0.99, 0.98, 0.97, 0.96), "reproduced"),
        ((0.99, 0.5, 0.5, 0.5), "partly reproduced"),
        ((0.5, 0.5, 0.5, 0.5), "not reproduced"),
        ((0.9, 0.9, 0.9, 0.9), "inconclusive"),
    ],
)
def test_utility_is_judged_by_rank_correlation(correlations, expected):
    records = []
    for name, value in zip(SETS, correlations, strict=True):
        for seed in SEEDS:
            for outer in (FLAT, SHARP):
                how = {"experiment": "small changes", "split": "leave-one-out", "outer": outer, "new_weight": 0.0}
                own = value + 0.1 * WOBBLE[seed]
                records.append(row(name, "DIVA derivative", "spearman", own, seed, **how))
                records.append(row(name, "Shuffled", "spearman", WOBBLE[seed], seed, **how))
    assert outcome(claims.derivative_tells_a_samples_utility, records) == expected
    assert claims._shuffled_derivatives_tell_nothing(tidy(records))[0]


def test_overlapping_resplits_widen_the_interval():
    values = np.array([1.0, 2.0, 4.0, 3.0])
    plain, corrected = t_interval(values), resampled_interval(values, 0.5)
    assert resampled_interval(values, 0.0).high == pytest.approx(plain.high)
    assert corrected.half_width == pytest.approx(plain.half_width * np.sqrt((1 / 4 + 0.5) * 4))
    assert resampled_interval(values[:1], 0.5).low == -np.inf


def test_the_printed_changes_are_those_of_table_one():
    from reprise.diva.figures import printed_differences
    from reprise.verification import published_numbers

    changes = printed_differences(published_numbers("diva"), "DIVA Reweight")
    expected = {"aircraft": -2.94, "cub-200": -2.37, "mit-67": -1.27, "flowers-102": -1.07}
    expected |= {"stanford-cars": -2.60, "caltech-256": -2.69}
    assert changes == pytest.approx(expected)
