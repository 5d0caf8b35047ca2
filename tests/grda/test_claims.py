"""Every rule on made rows, for each of its outcomes."""

from functools import partial

import numpy as np
import pytest

from reprise.grda import claims
from reprise.rows import tidy

TASKS = claims.TEMPERATURE_TASKS
SPREAD = 0.2


def scores(data_set, values, split="target", metric="accuracy", n=6, spread=SPREAD, **columns):
    """Rows of the comparison: a mean per method, seeds around it; the same noise for all methods cancels in pairs."""
    generator = np.random.default_rng(0)
    records = []
    for method, mean in values.items():
        for seed in range(n):
            records.append(
                {
                    "dataset": data_set, "split": split, "method": method, "seed": seed, "metric": metric,
                    "experiment": "comparison", "pairing": "independent" if method == "GRDA" else None,
                    "value": mean + spread * generator.normal(), **columns,
                }
            )  # fmt: skip
    return records


def outcome(rule, *parts, **options):
    return rule(tidy([record for part in parts for record in part]), **options).outcome


@pytest.mark.parametrize(
    ("grda", "expected"),
    [(90, "reproduced"), (75, "partly reproduced"), (60, "not reproduced")],
)
def test_the_lead_is_taken_over_the_best_baseline(grda, expected):
    rows = scores("dg-15", {"GRDA": grda, "DANN": 50, "MDD": 70})
    assert outcome(claims.lead_in_accuracy, rows, data_set="dg-15", points=10.0) == expected


def test_a_lead_within_the_noise_is_inconclusive_and_says_how_many_seeds_would_decide():
    rows = scores("dg-15", {"GRDA": 71, "DANN": 70}, spread=20.0)
    finding = claims.lead_in_accuracy(tidy(rows), data_set="dg-15", points=10.0)
    assert finding.outcome == "inconclusive"
    assert finding.seeds_to_settle > 6


def far_rows(grda_far, grda_near, rival_far):
    parts = []
    for data_set, hop in claims.FARTHEST_HOP.items():
        parts += scores(data_set, {"GRDA": grda_far[data_set], "DANN": rival_far}, split=f"hop {hop}")
        parts += scores(data_set, {"GRDA": grda_near, "DANN": 90}, split="hop 1")
    return parts


@pytest.mark.parametrize(
    ("far", "rival", "expected"),
    [
        ({"dg-15": 90, "dg-60": 90}, 20, "reproduced"),
        ({"dg-15": 90, "dg-60": 50}, 20, "partly reproduced"),
        ({"dg-15": 5, "dg-60": 5}, 20, "not reproduced"),
        ({"dg-15": 50, "dg-60": 5}, 20, "inconclusive"),
    ],
)
def test_far_domains_need_a_lead_and_little_loss_from_the_first_hop(far, rival, expected):
    assert outcome(claims.holds_far_from_the_sources, far_rows(far, 95, rival)) == expected


def temperature_rows(values):
    return [record for task in TASKS for record in scores(task, values, metric="mse_sum", spread=0.01)]


OTHERS = {"CDANN": 3.0, "MDD": 3.0}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"Source-only": 2, "DANN": 3, "ADDA": 3, "GRDA": 1}, "reproduced"),
        ({"Source-only": 2, "DANN": 3, "ADDA": 3, "GRDA": 5}, "partly reproduced"),
        ({"Source-only": 2, "DANN": 1.5, "ADDA": 1.5, "GRDA": 1}, "partly reproduced"),
        ({"Source-only": 2, "DANN": 1.5, "ADDA": 1.5, "GRDA": 5}, "not reproduced"),
    ],
)
def test_harm_and_lowest_error_are_judged_apart(values, expected):
    assert outcome(claims.uniform_alignment_can_hurt, temperature_rows({**values, **OTHERS})) == expected


@pytest.mark.parametrize(("wins", "expected"), [(3, "reproduced"), (6, "not reproduced")])
def test_cells_are_counted_once_the_overall_error_is_lowest(wins, expected):
    values = {"Source-only": 2, "DANN": 3, "ADDA": 3, "GRDA": 1, **OTHERS}
    parts, cell = temperature_rows(values), 0
    for task in TASKS:
        for level in (1, 2, 3):
            own = values if cell < wins else {**values, "GRDA": 9}
            parts += scores(task, own, split=f"level {level}", metric="mse_sum", spread=0.01)
            cell += 1
    assert outcome(claims.lowest_in_half_of_the_levels, parts) == expected


def test_without_the_lowest_overall_error_the_cells_are_not_judged():
    values = {"Source-only": 2, "DANN": 3, "ADDA": 3, "GRDA": 4, **OTHERS}
    parts = temperature_rows(values)
    for task in TASKS:
        for level in (1, 2, 3):
            parts += scores(task, values, split=f"level {level}", metric="mse_sum", spread=0.01)
    assert outcome(claims.lowest_in_half_of_the_levels, parts) == "inconclusive"


def theory_rows(gap=0.0, **changes):
    common = {"dataset": "theory", "method": "GRDA", "seed": -1, "experiment": "theory"}
    freedom = {**claims.KNOWN_FREEDOM, **changes}
    return [
        *({**common, "split": g, "metric": "alignment freedom", "value": v} for g, v in freedom.items()),
        *({**common, "split": g, "metric": "distance from the bound", "value": gap} for g in freedom),
    ]


@pytest.mark.parametrize(
    ("theory", "ratio", "expected"),
    [
        (theory_rows(), 0.995, "reproduced"),
        (theory_rows(), 0.8, "partly reproduced"),
        (theory_rows(gap=1e-3), 0.995, "not reproduced"),
        (theory_rows(**{"star of 6": 3}), 0.995, "not reproduced"),
    ],
)
def test_identities_come_first_and_trained_networks_second(theory, ratio, expected):
    probe = scores("dg-15", {"GRDA": ratio}, split="training", metric="probe_ratio", spread=0.001)
    assert outcome(claims.alignment_follows_the_graph, theory, probe) == expected


@pytest.mark.parametrize(
    ("accuracy", "error", "expected"),
    [(90, 1, "reproduced"), (90, 5, "partly reproduced"), (10, 5, "not reproduced")],
)
def test_the_graph_has_to_help_on_synthetic_and_real_data(accuracy, error, expected):
    parts = [r for d in ("dg-15", "dg-60") for r in scores(d, {"GRDA": accuracy, "DANN": 50})]
    parts += temperature_rows({"GRDA": error, "DANN": 3})
    assert outcome(claims.better_than_treating_all_alike, parts) == expected


def pairing_rows(row, permuted):
    rows = scores("dg-15", {"GRDA": 50})
    rows += scores("dg-15", {"GRDA": row}, pairing="row")
    return tidy(rows + scores("dg-15", {"GRDA": permuted}, experiment="row order", pairing="row", row_order="permuted"))


@pytest.mark.parametrize(
    ("row", "permuted", "held"), [(99, 50, (True, True)), (50, 99, (False, False)), (99, 20, (True, False))]
)
def test_the_leak_appears_with_equal_labels_and_vanishes_without(row, permuted, held):
    rules = (claims._leak_appears, claims._leak_vanishes)
    assert tuple(partial(rule, data_set="dg-15")(pairing_rows(row, permuted))[0] for rule in rules) == held


def test_a_wide_interval_does_not_show_that_the_leak_is_gone():
    rows = scores("dg-15", {"GRDA": 50}) + scores(
        "dg-15", {"GRDA": 50}, spread=40, experiment="row order", pairing="row", row_order="permuted"
    )
    holds, evidence = claims._leak_vanishes(tidy(rows), "dg-15")
    assert not holds
    assert "within ±10 points" in evidence
