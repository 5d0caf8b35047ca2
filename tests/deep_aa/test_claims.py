"""Every outcome of every rule, on rows made for it; the corrected interval; arithmetic on the printed table."""

import numpy as np
import pandas as pd
import pytest

from reprise.deep_aa import claims
from reprise.deep_aa.comparisons import corrected_interval, leading_defaults, random_mass
from reprise.deep_aa.names import (
    BASE,
    CIFAR,
    CROP,
    CUTOUT,
    DEEP_TRIVIAL,
    DEFAULT,
    FLIP,
    NO_PENALTY,
    NOISE,
    NONE,
    PUBLISHED,
    SEARCHED,
    TRIVIAL,
)
from reprise.deep_aa.printed_ranks import printed_rows, table_one
from reprise.rows import MissingRowsError
from reprise.stats import t_interval

NOISE_OF_FOLDS = np.array([0.4, -0.3, 0.1, -0.2, 0.0])
FOLDS = range(5)


def row(method, metric, value, seed, **columns):
    common = dict.fromkeys(("part", "network", "variant", "layer", "operation", "level", "step", "at"))
    return {
        **common, "dataset": CIFAR, "split": "test", "method": method, "seed": seed, "metric": metric, "value": value,
        "variant": BASE, **columns,
    }  # fmt: skip


def accuracy_rows(**gaps):
    names = {"default": DEFAULT, "trivial": TRIVIAL, "stack": DEEP_TRIVIAL, "published": PUBLISHED, "none": NONE}
    found = [row(SEARCHED, "accuracy", 60.0 + s, s, part="accuracy") for s in FOLDS]
    for name, gap in gaps.items():
        values = 60.0 + np.arange(5) - gap + NOISE_OF_FOLDS
        found += [row(names[name], "accuracy", float(values[s]), s, part="accuracy") for s in FOLDS]
    return pd.DataFrame(found)


@pytest.mark.parametrize(
    ("default", "trivial", "outcome"),
    [(3, 2, "reproduced"), (3, -2, "not reproduced"), (-3, 2, "not reproduced"), (3, 0.1, "inconclusive")],
)
def test_c1(default, trivial, outcome):
    finding = claims.searched_beats_earlier_methods(accuracy_rows(default=default, trivial=trivial))
    assert finding.outcome == outcome
    assert "corrected" in finding.evidence
    assert (finding.seeds_to_settle is None) == (outcome != "inconclusive")


@pytest.mark.parametrize(("gap", "outcome"), [(3, "partly reproduced"), (-3, "not reproduced"), (0.1, "inconclusive")])
def test_c3(gap, outcome):
    assert claims.searched_beats_random_stacking(accuracy_rows(stack=gap)).outcome == outcome
    evidence = claims.searched_beats_random_stacking(accuracy_rows(stack=gap, published=1)).evidence
    assert PUBLISHED in evidence


def policy_rows(leaders, variant=BASE, weight=0.6):
    """Rows of searches in which each layer's heaviest operation is named, fold by fold."""
    found = []
    operations = ("Identity", "Color", CUTOUT, CROP, FLIP)
    for seed, names in enumerate(leaders):
        for layer, leader in enumerate(("Color", *names), start=1):
            for operation in operations:
                mass = weight if operation == leader else (1 - weight) / (len(operations) - 1)
                columns = {"part": "policy", "operation": operation, "layer": layer, "variant": variant}
                found.append(row(SEARCHED, "mass", mass, seed, **columns))
    return pd.DataFrame(found)


@pytest.mark.parametrize(
    ("leaders", "outcome"),
    [
        ([(CUTOUT, CROP, FLIP)] * 3 + [("Color",) * 3] * 2, "reproduced"),
        ([(FLIP, CROP, CUTOUT)] * 2 + [("Color",) * 3] * 3, "partly reproduced"),
        ([(CROP, CROP, CROP)] * 5, "partly reproduced"),
        ([(CROP, CROP, CROP)] * 4 + [("Color",) * 3], "not reproduced"),
        ([("Identity",)] * 5, "not reproduced"),
    ],
)
def test_c5(leaders, outcome):
    assert claims.the_defaults_are_rediscovered(policy_rows(leaders)).outcome == outcome


def test_layers_that_a_search_did_not_reach_lead_nothing():
    assert leading_defaults(policy_rows([(), (CUTOUT,)])).tolist() == [0.0, 1.0]


def gain_rows(gain, *, variant=BASE, error=0.01):
    found = []
    for seed in FOLDS:
        how = {"part": "similarity", "layer": 1, "variant": variant}
        found.append(row(SEARCHED, "gain in cosine", gain + 0.01 * float(NOISE_OF_FOLDS[seed]), seed, **how))
        found.append(row(SEARCHED, "standard error over units", error, seed, **how))
    return pd.DataFrame(found)


LITTLE, MUCH = policy_rows([("Color",) * 3] * 5), policy_rows([(CROP,) * 3], variant=NO_PENALTY)


@pytest.mark.parametrize(
    ("gain", "penalty", "outcome"),
    [
        (0.1, MUCH, "reproduced"),
        (0.1, policy_rows([("Color",) * 3], variant=NO_PENALTY, weight=0.9), "partly reproduced"),
        (0.1, None, "partly reproduced"),
        (0.0, MUCH, "partly reproduced"),
        (0.0, None, "inconclusive"),
        (-0.1, MUCH, "not reproduced"),
    ],
)
def test_c6(gain, penalty, outcome):
    found = pd.concat([gain_rows(gain), LITTLE, *([] if penalty is None else [penalty])])
    finding = claims.the_objective_works(found)
    assert finding.outcome == outcome
    assert ("No search without" in finding.evidence) == (penalty is None)


def test_random_mass_is_that_of_deeper_layers():
    assert random_mass(policy_rows([("Color", CROP)])).tolist() == pytest.approx([(0.3 + 0.8) / 2])


def test_the_controls():
    assert claims._augmentation_helps(accuracy_rows(default=1, none=5))[0]
    assert not claims._augmentation_helps(accuracy_rows(default=5, none=1))[0]
    assert claims._noise_gains_nothing(gain_rows(0.001, variant=NOISE))[0]
    assert not claims._noise_gains_nothing(gain_rows(0.1, variant=NOISE))[0]
    with pytest.raises(MissingRowsError):
        claims._noise_gains_nothing(gain_rows(0.1))


def leads(values):
    return pd.DataFrame(
        [
            {"dataset": "theory", "part": "printed table", "metric": "lead of DeepAA", "variant": f"column {n % 2}",
             "method": f"rival {n}", "value": value}
            for n, value in enumerate(values)
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ((1, 2, 3), "reproduced"),
        ((1, 2, -3), "partly reproduced"),
        ((1, -2, -3), "not reproduced"),
        ((0, 0, 1), "not reproduced"),
    ],
)
def test_c9(values, outcome):
    assert claims.better_than_ten_in_four_columns(leads(values)).outcome == outcome


def test_c9_on_the_printed_table():
    found = pd.DataFrame(list(printed_rows()))
    finding = claims.better_than_ten_in_four_columns(found)
    assert finding.outcome == "partly reproduced"
    assert "Ahead in 34 of 38" in finding.evidence
    assert "cifar-100, Shake-Shake 26 2x96d: 3 of 9" in finding.evidence
    assert [len(column) for column in table_one().values()] == [11, 11, 11, 9]


def test_the_corrected_interval_is_its_formula():
    values = np.array([1.0, 2.0, 4.0, 3.0, 7.0])
    error = np.sqrt(values.var(ddof=1) * (1 / 5 + 1000 / 4000))
    plain, wide = t_interval(values), corrected_interval(values)
    assert wide.half_width == pytest.approx(plain.half_width * error / (values.std(ddof=1) / np.sqrt(5)))
    assert wide.estimate == plain.estimate
    assert corrected_interval([1.0]).high == float("inf")


def test_missing_rows_are_said():
    with pytest.raises(MissingRowsError):
        claims.searched_beats_earlier_methods(accuracy_rows(default=1))
