"""The linear probe, and the sentences computed from rows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from reprise.claims import ControlResult, Verdict
from reprise.stats import Interval
from reprise.walk_alone import readings
from reprise.walk_alone.linear_probe import Probe, inputs_of, probe, probe_table
from reprise.walk_alone.problems import load_problem
from reprise.walk_alone.settings import Settings

SMALL = Settings(train_scenes=200, test_scenes=60)
EDGE = "Trajectron++Edge"


@pytest.fixture(scope="module")
def alone():
    return load_problem(SMALL, "alone")


def test_where_nobody_looks_at_anybody_neighbours_add_nothing_to_the_past_but_give_a_place_away(alone):
    found = probe(alone)
    assert abs(found.change.estimate) < 0.05
    assert found.alone.low > 0.5


def test_a_probe_finds_the_one_neighbour_that_decides(alone):
    def decided(windows):
        place = windows.past[:, -1:] + 3 * (windows.neighbours[:, 0, -1:] - windows.past[:, -1:])
        return replace(windows, future=np.repeat(place, 12, axis=1))

    found = probe(replace(alone, train=decided(alone.train), test=decided(alone.test)))
    assert found.change.high < -0.9
    assert found.alone.estimate > 0.99


def test_neighbours_from_other_windows_explain_nothing(alone):
    def strange(windows):
        others = np.roll(windows.neighbours - windows.past[:, None, -1:], 8, axis=0)
        return replace(windows, neighbours=(others + windows.past[:, None, -1:]).astype(np.float32))

    found = probe(replace(alone, train=strange(alone.train), test=strange(alone.test)))
    assert found.alone.estimate < 0.05


def test_a_probe_sees_no_absolute_position_and_nothing_in_empty_slots(alone):
    windows = alone.test.take(slice(0, 4))
    moved = replace(windows, past=windows.past + 7, neighbours=windows.neighbours + 7)
    seen = inputs_of(windows, True, True, 5)
    np.testing.assert_allclose(seen, inputs_of(moved, True, True, 5), atol=1e-4)
    present = windows.present.copy()
    present[:, 2] = False
    emptied = replace(windows, present=present)
    noisy = replace(emptied, neighbours=emptied.neighbours + 99 * (np.arange(5) == 2)[:, None, None].astype(np.float32))
    np.testing.assert_array_equal(inputs_of(emptied, False, True, 5), inputs_of(noisy, False, True, 5))


def test_the_table_of_probes_has_a_line_a_problem(alone):
    table = probe_table([alone], [Probe(1.0, 0.5, Interval(-0.5, -0.6, -0.4, 1), Interval(0.8, 0.7, 0.9, 1))])
    assert table["change"].tolist() == ["−50 % [−60, −40]"]
    assert table["FDE from the own past"].tolist() == ["1.000 m"]


def verdict(claim, holds):
    control = ControlResult(name="a control", holds=holds, evidence="")
    return Verdict.model_construct(claim_id=claim, controls=(control,))


def errors(method, neighbours, value, dataset):
    line = {"dataset": dataset, "method": method, "seed": 0, "experiment": "accuracy by cluster", "metric": "min_fde"}
    return [{**line, "neighbours": neighbours, "cluster": c, "windows": 1, "value": value} for c in range(5)]


def shares(method, excess, dataset):
    line = {"dataset": dataset, "method": method, "seed": 0, "experiment": "attribution", "loss": "nll"}
    values = {"past": 1.0, "interaction": excess, "random max": 0.0}
    return [{**line, "metric": m, "cluster": c, "value": v} for m, v in values.items() for c in range(5)]


@pytest.fixture
def rows():
    lines = []
    for dataset, without in (("alone", 1.5), ("nba-sportvu", 1.25)):
        lines += errors(EDGE, "with", 1.0, dataset) + errors(f"{EDGE}, neighbours cut", "with", 1.0, dataset)
        lines += errors(f"{EDGE}, neighbours cut", "without", without, dataset)
        lines += errors(f"{EDGE}, trained alone", "without", 1.25, dataset)
        for method in ("Trajectron++", EDGE):
            lines += shares(method, 0.1 if dataset == "alone" else 0.4, dataset)
    return pd.DataFrame(lines)


def probed(change):
    explained = Interval(0.4, 0.3, 0.5, 1)
    return {"alone": Probe(1, 1, Interval(0, 0, 0, 1), explained), "nba-sportvu": Probe(1, 1, change, explained)}


def test_a_failed_control_is_read_with_shock_second_reading_and_what_the_data_say(rows):
    text = readings.failed_controls([verdict("C3", False)], rows, probed(Interval(-0.09, -0.1, -0.08, 1)))
    assert text.startswith("**C3.**")
    assert "It is +20 % [+20, +20] in the world `alone` and 0 % [0, 0] on the court" in text
    assert "that number, −20 % [−20, −20], is an upper bound" in text
    assert "the direction of the claim stands" in text
    unsure = readings.failed_controls([verdict("C3", False)], rows, probed(Interval(0.0, -0.1, 0.1, 1)))
    assert "not even the direction" in unsure


def test_the_table_of_shock_compares_with_the_network_that_never_had_neighbours(rows):
    table = readings.shock_table(rows).set_index("data set")
    assert table.loc["world alone"].tolist() == [
        "1.000 m", "1.500 m", "1.250 m", "+20 % [+20, +20]", "−20 % [−20, −20]",
    ]  # fmt: skip
    assert readings.shock_table(rows[rows["method"] == EDGE]).empty


def test_a_failed_null_is_read_with_the_difference_that_is_left(rows):
    text = readings.failed_controls([verdict("C5", False), verdict("C8", False)], rows, probed(Interval(0, 0, 0, 1)))
    assert text.startswith("**C5 and C8.**")
    assert "the differences are Trajectron++ +30 % [+30, +30]" in text
    assert "SportVU 40 % [30, 50]" in text


def test_controls_that_hold_or_lack_rows_need_no_reading(rows):
    assert readings.failed_controls([verdict("C3", True)], rows, {}) == "No control fails in this run."
    few = rows[rows["dataset"] == "alone"]
    assert "in the table above" in readings.failed_controls([verdict("C3", False)], few, {})


def test_an_audit_names_its_largest_change_and_leaves_gaps_of_efficiency_out():
    line = {"dataset": "follow", "method": EDGE, "experiment": "leak"}
    values = [("past", 2.0, 1.0), ("interaction", 1.0, 4.5), ("efficiency gap", 99.0, 0.0)]
    rows = pd.DataFrame(
        [
            {**line, "metric": metric, "variant": variant, "value": value}
            for metric, *pair in values
            for variant, value in zip(("as released", "corrected"), pair, strict=True)
        ]
    )
    found = readings.audit_finding(rows, "leak")
    assert found == f"changes most the share “interaction” of {EDGE} on world follow: 1.00 as released, 4.50 corrected"
    assert readings.audit_finding(rows, "estimator") == ""


def test_the_scope_is_that_of_the_settings():
    text = readings.scope(Settings(datasets=("eth-ucy", "nba-sportvu"), folds=("eth", "zara1"), clip_every=7))
    assert "2 of its 5 folds (eth, zara1)" in text
    assert "one window start in 7" in text
    assert "ETH-UCY" not in readings.scope(Settings())
    assert "one training seed" in readings.scope(Settings())
