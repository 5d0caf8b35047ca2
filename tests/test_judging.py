import numpy as np
import pytest

from reprise.claims import Claim, Control, Finding, reservations
from reprise.judging import judge
from reprise.rows import per_seed, select, tidy
from reprise.stats import paired_differences, seeds_to_settle, t_interval

QUANTITY = "ours − theirs, points"


def better(rows):
    """Decide C1.

    The interval of ours − theirs lies above zero.
    """
    differences = paired_differences(per_seed(rows, method="ours"), per_seed(rows, method="theirs"))
    interval = t_interval(differences)
    if interval.above(0):
        return Finding("reproduced", f"difference {interval}.", interval, quantity=QUANTITY)
    if interval.below(0):
        return Finding("not reproduced", f"difference {interval}.", interval, quantity=QUANTITY)
    return Finding("inconclusive", f"difference {interval}.", interval, seeds_to_settle(differences), QUANTITY)


def names(rows):
    return " and ".join(sorted(set(rows["dataset"])))


def on_both(rows):
    """Reproduced where both data sets are there and nothing else."""
    return Finding("reproduced" if names(rows) == "first and second" else "inconclusive", names(rows))


def on_one(rows):
    """Reproduced where the real data set is there and nothing else."""
    return Finding("reproduced" if names(rows) == "real" else "inconclusive", names(rows))


def claim(**changes):
    fields = {
        "id": "C1", "text": "Ours is better.", "source": "Table 1", "kind": "ordering", "paper_value": "+12",
        "rule": better, "data_sets": ("real",), **changes,
    }  # fmt: skip
    return Claim(**fields)


def rows(difference, dataset="real", n=5, noise=1.0):
    generator = np.random.default_rng(0)
    records = []
    for seed in range(n):
        base = generator.normal()
        common = {"dataset": dataset, "split": "t", "seed": seed, "metric": "accuracy"}
        records.append({**common, "method": "theirs", "value": base})
        records.append({**common, "method": "ours", "value": base + difference + noise * generator.normal()})
    return tidy(records)


@pytest.mark.parametrize(
    ("difference", "noise", "outcome"),
    [(10, 1, "reproduced"), (-10, 1, "not reproduced"), (0.1, 9, "inconclusive")],
)
def test_the_rule_decides_on_the_rows(difference, noise, outcome):
    (verdict,) = judge([claim()], rows(difference, noise=noise), reduced_scale=False)
    assert verdict.outcome == outcome
    assert verdict.n_seeds == 5


def test_an_open_verdict_says_how_many_seeds_would_settle_it():
    (verdict,) = judge([claim()], rows(1.0, noise=3.0), reduced_scale=False)
    assert verdict.outcome == "inconclusive"
    assert verdict.seeds_to_settle is not None
    assert verdict.seeds_to_settle > 5


def test_a_clear_verdict_is_stable_and_a_narrow_one_less_so():
    (clear,) = judge([claim()], rows(100.0), reduced_scale=False)
    (narrow,) = judge([claim()], rows(1.6), reduced_scale=False)
    assert clear.stability == 1.0
    assert narrow.stability < 1.0


def test_stability_is_repeatable():
    first, second = (judge([claim()], rows(1.6), reduced_scale=False) for _ in range(2))
    assert first == second


def test_a_smaller_run_than_the_papers_is_marked():
    (verdict,) = judge([claim()], rows(10), reduced_scale=True)
    assert verdict.label == "reproduced (at reduced scale)"


def test_a_verdict_whose_controls_fail_says_so_and_one_sentence_names_the_claims():
    def with_controls(identifier, *holds):
        controls = tuple(Control(f"control {n}", lambda rows, held=held: (held, "")) for n, held in enumerate(holds))
        return claim(id=identifier, controls=controls)

    claims = [with_controls("C1", True, False), with_controls("C2", False, False), with_controls("C3", True)]
    verdicts = judge(claims, rows(10), reduced_scale=True)
    assert [verdict.label for verdict in verdicts] == [
        "reproduced (at reduced scale); a control fails",
        "reproduced (at reduced scale); 2 controls fail",
        "reproduced (at reduced scale)",
    ]
    assert verdicts[0].failed_controls == ("control 1",)
    assert reservations(verdicts) == " (at reduced scale); a control fails for C1 and C2"
    assert reservations(verdicts[2:]) == " (at reduced scale)"
    rehearsed = judge(claims, rows(10, "toy"), embedded_twins={"toy": "real"}, reduced_scale=True)
    assert reservations(rehearsed) == ""


def test_an_identity_is_never_at_reduced_scale():
    (verdict,) = judge([claim(always_full_scale=True)], rows(10), reduced_scale=True)
    assert verdict.label == "reproduced"


def test_on_embedded_data_a_rule_is_rehearsed_and_gives_no_verdict():
    (verdict,) = judge([claim()], rows(10, "toy"), embedded_twins={"toy": "real"}, reduced_scale=True)
    assert verdict.outcome == "not testable here"
    assert verdict.rehearsal == "reproduced"
    assert verdict.label == "quick run (the rule gives: reproduced)"
    assert verdict.quantity == f"{QUANTITY}; embedded data"
    assert verdict.stability is None


def test_real_rows_decide_even_when_the_twin_was_run_too():
    both = tidy([*rows(-10).to_dict("records"), *rows(10, "toy").to_dict("records")])
    (verdict,) = judge([claim()], both, embedded_twins={"toy": "real"}, reduced_scale=False)
    assert verdict.outcome == "not reproduced"


def test_a_claim_whose_data_were_not_run_is_not_testable_and_says_so():
    (verdict,) = judge([claim()], rows(10, "other"), reduced_scale=False)
    assert verdict.outcome == "not testable here"
    assert "real" in verdict.evidence


def test_rows_that_a_rule_misses_make_it_not_testable_instead_of_failing():
    only_ours = rows(10)
    (verdict,) = judge([claim()], only_ours[only_ours.method == "ours"], reduced_scale=False)
    assert verdict.outcome == "not testable here"
    assert "method = theirs" in verdict.evidence


def test_a_claim_without_a_rule_says_what_is_missing():
    (verdict,) = judge([claim(rule=None, untestable_because="Images on request only.")], rows(1), reduced_scale=True)
    assert verdict.outcome == "not testable here"
    assert verdict.evidence == "Images on request only."


def test_controls_are_reported_beside_the_verdict():
    must = Control("ours against itself", lambda rows: (False, "difference 0."))
    (verdict,) = judge([claim(controls=(must,))], rows(10), reduced_scale=False)
    assert [(c.name, c.holds) for c in verdict.controls] == [("ours against itself", False)]


def test_the_verdict_names_the_quantity_of_its_estimate():
    (verdict,) = judge([claim()], rows(10), reduced_scale=False)
    assert verdict.quantity == QUANTITY
    (untested,) = judge([claim()], rows(10, "other"), reduced_scale=False)
    assert (untested.estimate, untested.quantity) == (None, "")


def test_one_twin_rehearses_a_claim_about_several_data_sets():
    several = claim(data_sets=("first", "second"), rule=on_both)
    twins = {"toy": ("first", "second")}
    (verdict,) = judge([several], rows(10, "toy"), embedded_twins=twins, reduced_scale=True)
    assert verdict.rehearsal == "reproduced"
    assert "first and second and toy" not in verdict.evidence
    assert "first and second" in verdict.evidence


def test_a_rehearsal_never_mixes_real_rows_with_the_twins():
    some = tidy([*rows(-10, "first").to_dict("records"), *rows(10, "toy").to_dict("records")])
    several = claim(data_sets=("first", "second"))
    (verdict,) = judge([several], some, embedded_twins={"toy": ("first", "second")}, reduced_scale=True)
    assert verdict.rehearsal == "reproduced"


def test_a_control_may_need_data_that_the_rule_does_not():
    control = Control("seen on the generator", lambda rows: ("toy" in set(rows["dataset"]), "looked."))
    both = tidy([*rows(10).to_dict("records"), *rows(10, "toy").to_dict("records")])
    needing = claim(controls=(control,), control_data_sets=("toy",), rule=on_one)
    (verdict,) = judge([needing], both, reduced_scale=False)
    assert (verdict.outcome, verdict.controls[0].holds) == ("reproduced", True)


def test_a_control_sees_the_twin_under_its_own_name_in_a_rehearsal():
    control = Control("seen on the generator", lambda rows: ("toy" in set(rows["dataset"]), "looked."))
    needing = claim(controls=(control,), control_data_sets=("toy",), rule=on_one)
    (verdict,) = judge([needing], rows(10, "toy"), embedded_twins={"toy": "real"}, reduced_scale=True)
    assert (verdict.rehearsal, verdict.controls[0].holds) == ("reproduced", True)


def test_a_control_without_rows_was_not_run_and_did_not_fail():
    control = Control("elsewhere", lambda rows: (bool(len(select(rows, method="absent"))), "found."))
    (verdict,) = judge([claim(controls=(control,))], rows(10), reduced_scale=False)
    assert verdict.controls[0].holds is None
    assert "method = absent" in verdict.controls[0].evidence
