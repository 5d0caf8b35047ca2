import json
from datetime import UTC, date, datetime

import pytest

from reprise.claims import Claim, Finding
from reprise.rule_lock import LockError, RuleLock


def better(rows):
    """The interval of ours − theirs lies above zero."""
    return Finding("reproduced", "whole interval.")


def slightly_better(rows):
    """The mean of ours − theirs lies above zero."""
    return Finding("reproduced", "mean only.")


def claim(rule=better):
    return Claim(id="C1", text="Ours is better.", source="Table 1", kind="ordering", paper_value="+12", rule=rule)


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
    before, after = (lock.changed_after("C1", datetime(2026, 1, day, tzinfo=UTC)) for day in (3, 6))
    assert before == "2026-01-05: Why."
    assert after is None


def test_a_rule_changed_in_the_morning_does_not_doubt_the_run_of_the_evening(tmp_path):
    lock = RuleLock(tmp_path / "claims.lock")
    lock.lock([claim()], date(2026, 1, 1))
    lock.lock([claim(rule=slightly_better)], datetime(2026, 1, 5, 9, tzinfo=UTC), "Why.")
    lock.save()
    again = RuleLock(tmp_path / "claims.lock")
    assert again.changed_after("C1", datetime(2026, 1, 5, 18, tzinfo=UTC)) is None
    assert again.changed_after("C1", datetime(2026, 1, 5, 8, tzinfo=UTC)) == "2026-01-05: Why."
