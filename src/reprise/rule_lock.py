"""The rule lock: every decision rule's hash as first committed, and each later change with its reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from reprise.claims import Claim
from reprise.errors import RepriseError


class LockError(RepriseError):
    """A decision rule that is not locked, or that changed without a reason."""


class RuleLock:
    """The hashes of a paper's decision rules as they were first committed, and every change since with its reason.

    Stored as ``claims.lock`` (JSON) beside the paper's ``claims.py``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self.rules: dict[str, dict[str, str]] = content.get("rules", {})
        self.changes: list[dict[str, str]] = content.get("changes", [])

    def problems(self, claims: Sequence[Claim]) -> list[str]:
        """Say of which claims the rule is not locked as it stands, and what to do."""
        locked = {claim.id: self.rules.get(claim.id, {}).get("sha256") for claim in claims if claim.rule is not None}
        new = [claim for claim, sha256 in locked.items() if sha256 is None]
        changed = [claim.id for claim in claims if locked.get(claim.id) not in (None, claim.rule_sha256())]
        command = f"run `reprise claims lock {self.path.parent.name}"
        return [
            *([f"the rules of {', '.join(new)} are not locked; {command}`"] if new else []),
            *([f"the rules of {', '.join(changed)} changed; {command} --reason '…'`"] if changed else []),
        ]

    def require(self, claims: Sequence[Claim]) -> None:
        """Refuse claims of which a rule is not locked as it stands.

        Raises
        ------
        LockError
            Names them and says what to do.
        """
        if problems := self.problems(claims):
            raise LockError(f"no verdict without a locked rule: {'; '.join(problems)}.")

    def lock(self, claims: Sequence[Claim], moment: date | datetime, reason: str = "") -> list[str]:
        """Lock new rules and, given a reason, changed ones; return the ids whose entry changed.

        A change is kept with its moment (UTC), so that it can be told whether it came before a run of the same day.

        Raises
        ------
        LockError
            If a rule changed and no reason is given.
        """
        touched = []
        for claim in claims:
            if claim.rule is None:
                continue
            new, old = claim.rule_sha256(), self.rules.get(claim.id, {}).get("sha256")
            if new == old:
                continue
            if old is not None:
                if not reason:
                    raise LockError(f"the rule of {claim.id} changed after it was locked; give --reason.")
                self.changes.append(
                    {"claim": claim.id, "date": moment.isoformat(), "from": old, "to": new, "reason": reason}
                )
            self.rules[claim.id] = {"sha256": new, "locked": moment.isoformat()[:10], "rule": claim.rule_text}
            touched.append(claim.id)
        return touched

    def save(self) -> None:
        """Write the lock file atomically."""
        from reprise.record import write_atomically

        content = {"rules": dict(sorted(self.rules.items())), "changes": self.changes}
        write_atomically(self.path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def changed_after(self, claim_id: str, computed: datetime) -> str | None:
        """Return day and reason of the changes to a rule after the rows were computed; None if there are none."""
        later = [c for c in self.changes if c["claim"] == claim_id and _is_later(c["date"], computed)]
        return "; ".join(f"{change['date'][:10]}: {change['reason']}" for change in later) or None


def _is_later(change: str, computed: datetime) -> bool:
    """Tell whether a change came after a moment; of one known by its day only, the end of that day counts."""
    if len(change) == len("2026-01-31"):
        return date.fromisoformat(change) >= computed.date()
    return datetime.fromisoformat(change) > computed
