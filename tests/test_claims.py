import json
from datetime import date

import numpy as np
import pytest

from reprise.claims import Claim, Control, Finding, LockError, RuleLock, judge
from reprise.rows import per_seed, tidy
from reprise.stats import paired_differences, seeds_to_settle, t_interval


def better(rows):
    """Decide C1.

    The interval of ours − theirs lies above zero.
    """
    differences = paired_differences(per_seed(rows, method="ours"), per_seed(rows, method="theirs"))
    interval = t_interval(differences)
    if interval.above(0):
        return Finding("reproduced", f"difference {interval}.", interval)
    if interval.below(0):
        return Finding("not reproduced", f"difference {interval}.", interval)
    return Finding("inconclusive", f"difference {interval}.", interval, seeds_to_settle(differences))


def slightly_better(rows):
    """The mean of ours − theirs lies above zero."""
    return Finding("reproduced", "mean only.")


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


def test_an_identity_is_never_at_reduced_scale():
    (verdict,) = judge([claim(always_full_scale=True)], rows(10), reduced_scale=True)
    assert verdict.label == "reproduced"


def test_on_embedded_data_a_rule_is_rehearsed_and_gives_no_verdict():
    (verdict,) = judge([claim()], rows(10, "toy"), embedded_twins={"toy": "real"}, reduced_scale=True)
    assert verdict.outcome == "not testable here"
    assert verdict.rehearsal == "reproduced"
    assert verdict.label == "quick run (the rule gives: reproduced)"
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


def test_a_claim_needs_a_rule_or_a_reason():
    with pytest.raises(ValueError, match="either a rule or"):
        claim(rule=None)


def test_a_rule_needs_a_docstring_since_readers_see_it():
    with pytest.raises(ValueError, match="docstring"):
        claim(rule=lambda rows: None)


def test_controls_are_reported_beside_the_verdict():
    must = Control("ours against itself", lambda rows: (False, "difference 0."))
    (verdict,) = judge([claim(controls=(must,))], rows(10), reduced_scale=False)
    assert [(c.name, c.holds) for c in verdict.controls] == [("ours against itself", False)]


def test_the_rule_in_words_is_the_paragraph_after_the_docstrings_summary():
    assert claim().rule_text == "The interval of ours − theirs lies above zero."


def test_a_rule_is_locked_once_and_stays_as_it_is(tmp_path):
    lock = RuleLock(tmp_path / "claims.lock")
    assert lock.problems([claim()])
    assert lock.lock([claim()], date(2026, 1, 1)) == ["C1"]
    lock.save()
    again = RuleLock(tmp_path / "claims.lock")
    assert again.problems([claim()]) == []
    assert again.lock([claim()], date(2026, 2, 1)) == []
    assert again.rules["C1"]["locked"] == "2026-01-01"


def test_a_changed_rule_needs_a_reason_and_stays_visible(tmp_path):
    lock = RuleLock(tmp_path / "claims.lock")
    lock.lock([claim()], date(2026, 1, 1))
    changed = claim(rule=slightly_better)
    assert "changed" in lock.problems([changed])[0]
    with pytest.raises(LockError, match="give --reason"):
        lock.lock([changed], date(2026, 1, 5))
    lock.lock([changed], date(2026, 1, 5), "The interval asked too much.")
    lock.save()
    stored = json.loads((tmp_path / "claims.lock").read_text())
    assert stored["changes"][0]["reason"] == "The interval asked too much."


def test_a_verdict_whose_rule_changed_after_the_run_says_so(tmp_path):
    lock = RuleLock(tmp_path / "claims.lock")
    lock.lock([claim()], date(2026, 1, 1))
    lock.lock([claim(rule=slightly_better)], date(2026, 1, 5), "Why.")
    before, after = (
        judge([claim(rule=slightly_better)], rows(1), reduced_scale=False, lock=lock, run_on=day)[0].rule_changed
        for day in (date(2026, 1, 3), date(2026, 1, 6))
    )
    assert before == "2026-01-05: Why."
    assert after is None
