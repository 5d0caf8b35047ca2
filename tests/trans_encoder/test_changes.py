"""Gains with both of their uncertainties, and what is said of them."""

import numpy as np
import pytest

from reprise.rows import tidy
from reprise.stats import Interval
from reprise.trans_encoder.changes import Change, change_from_start
from reprise.trans_encoder.names import ALL_LAYERS, BASE, RAW_LABELS, SELF_CROSS, SEVEN_SETS, START

ON_THESE = "above the start on these test pairs (+3.0 [2.8, 3.2]), not told from it on others ([−0.9, 6.9])"
COLUMNS = ("part", "backbone", "group", "at")


def row(method, value, seed, name, **columns):
    common = dict.fromkeys(COLUMNS) | {"split": "test", "metric": "spearman", "part": "levels", "variant": BASE}
    return {**common, "cycle": 0, "dataset": name, "method": method, "seed": seed, "value": value, **columns}


def run(gains, error, *, variant=BASE, start_variant=BASE):
    rows = []
    for seed, gain in enumerate(gains):
        for name in SEVEN_SETS:
            how = {"variant": variant, "cycle": 1}
            rows.append(row(START, 60.0, seed, name, variant=start_variant))
            rows.append(row(SELF_CROSS, 60.0 + gain, seed, name, **how))
            rows.append(
                row(SELF_CROSS, error, seed, name, **how)
                | {"part": "resampling", "metric": "standard error of the gain"}
            )
    return tidy(rows)


def test_half_widths_add_as_variances_do():
    whole = Change(Interval(5.0, 2.0, 8.0, 4), 4 / 1.96).whole
    assert (whole.low, whole.high) == pytest.approx((0.0, 10.0))
    alone = Interval(5.0, 2.0, 8.0, 4)
    assert Change(alone).whole == alone
    single = Interval(5.0, -np.inf, np.inf, 1)
    assert Change(single, 1.0).whole == single


@pytest.mark.parametrize(
    ("error", "gains", "said"),
    [
        (0.0, (3.0, 3.1, 2.9), "above the start (+3.0 [2.8, 3.2])"),
        (0.0, (-3.0, -3.1, -2.9), "below the start (−3.0 [−3.2, −2.8])"),
        (0.0, (3.0, -3.1, 0.1), "not told from the start (0.0 [−7.6, 7.6])"),
        # Seven sets that vary by themselves: the error of their mean is a √7th of theirs.
        (2 * 7**0.5, (3.0, 3.1, 2.9), ON_THESE),
        (7**0.5, (3.0, 3.1, 2.9), "above the start (+3.0 [2.8, 3.2])"),
    ],
)  # fmt: skip
def test_a_gain_is_told_only_with_both_uncertainties(error, gains, said):
    change = change_from_start(run(gains, error), SELF_CROSS, cycle=1)
    assert change.told() == said
    assert change.error == pytest.approx(error / 7**0.5)


def test_a_variant_is_compared_with_its_own_start_if_it_has_one():
    whole = run((1.0, 2.0), 1.0, variant=ALL_LAYERS, start_variant=ALL_LAYERS)
    assert change_from_start(whole, SELF_CROSS, variant=ALL_LAYERS, cycle=1).over_seeds.estimate == pytest.approx(1.5)
    other = run((1.0, 2.0), 1.0, variant=RAW_LABELS)
    assert change_from_start(other, SELF_CROSS, variant=RAW_LABELS, cycle=1).over_seeds.estimate == pytest.approx(1.5)


def test_without_rows_there_is_no_change_and_without_resampling_no_error():
    rows = run((1.0, 2.0), 1.0)
    assert change_from_start(rows, SELF_CROSS, cycle=2) is None
    bare = rows[rows["part"] == "levels"]
    assert change_from_start(bare, SELF_CROSS, cycle=1).error is None
