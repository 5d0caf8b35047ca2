"""Claims, the decision rules written before the run, and the verdicts that the rules give.

A claim is data: identifier, sentence, place in the paper, printed value, and a rule (a function of the tidy rows).
``judge`` applies the rules; ``RuleLock`` keeps the hash of every rule so that a later change stays visible.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reprise.errors import RepriseError
from reprise.provenance import function_fingerprint
from reprise.rows import MissingRowsError

if TYPE_CHECKING:
    import pandas as pd

    from reprise.stats import Interval

Outcome = Literal["reproduced", "partly reproduced", "not reproduced", "inconclusive", "not testable here"]
OUTCOMES: tuple[Outcome, ...] = (
    "reproduced",
    "partly reproduced",
    "not reproduced",
    "inconclusive",
    "not testable here",
)
Kind = Literal["ordering", "effect size", "absolute value", "shape of a curve", "cost", "theory"]
STABILITY_DRAWS = 100


class LockError(RepriseError):
    """A decision rule that is not locked, or that changed without a reason."""


@dataclass(frozen=True)
class Finding:
    """What a decision rule says about the rows.

    Attributes
    ----------
    outcome
        One of the five outcomes.
    evidence
        A sentence with the figures and intervals on which it rests.
    interval
        The figure that decides, with its interval, if there is one.
    seeds_to_settle
        For an inconclusive finding, the number of seeds that would decide it.
    """

    outcome: Outcome
    evidence: str
    interval: Interval | None = None
    seeds_to_settle: int | None = None


@dataclass(frozen=True)
class Control:
    """A setting in which the claimed effect must appear (or must not), to show that the rule can tell.

    ``check`` returns whether the control holds and a sentence with its figures.
    """

    name: str
    check: Callable[[pd.DataFrame], tuple[bool, str]]


@dataclass(frozen=True)
class Claim:
    """One claim of a paper and the rule that decides it.

    Attributes
    ----------
    id
        Short identifier within the paper, e.g. ``"C1"``.
    text
        The claim in one sentence.
    source
        Where it is made: ``"Table 1"``, ``"Section 4.2"``, ``"Amazon Science blog"``.
    kind
        What sort of statement it is.
    paper_value
        The printed figure, as text; empty if there is none.
    rule
        Function of the tidy rows; its docstring holds the rule in words. None for a claim that cannot be tested.
    data_sets
        Real data sets that the rule needs. Only their rows (and those named ``"theory"``) reach the rule.
    controls
        Settings in which the effect must, or must not, appear.
    untestable_because
        For a claim without a rule: exactly what is missing.
    always_full_scale
        True for statements that no budget can reduce, e.g. identities.
    """

    id: str
    text: str
    source: str
    kind: Kind
    paper_value: str
    rule: Callable[[pd.DataFrame], Finding] | None = None
    data_sets: tuple[str, ...] = ()
    controls: tuple[Control, ...] = field(default=())
    untestable_because: str = ""
    always_full_scale: bool = False

    def __post_init__(self) -> None:
        if (self.rule is None) != bool(self.untestable_because):
            raise ValueError(f"claim {self.id}: give either a rule or untestable_because, not both or neither.")
        if self.rule is not None and not self.rule_text:
            raise ValueError(f"claim {self.id}: the rule needs a docstring, which readers see as the rule.")

    @property
    def rule_text(self) -> str:
        """The rule in words: the paragraph after the summary line of its docstring (or that line alone)."""
        if self.rule is None:
            return ""
        documented = getattr(self.rule, "func", self.rule)
        paragraphs = (documented.__doc__ or "").strip().split("\n\n")
        return " ".join(paragraphs[1 if len(paragraphs) > 1 else 0].split())

    def rule_sha256(self) -> str:
        """The fingerprint of the rule with everything that it calls."""
        return "" if self.rule is None else function_fingerprint(self.rule)


class ControlResult(BaseModel):
    """Whether a control of a claim held."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    holds: bool
    evidence: str


class Verdict(BaseModel):
    """A claim with what was found about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim_id: str
    text: str
    source: str
    kind: str
    paper_value: str
    outcome: Outcome
    reduced_scale: bool = Field(description="the run was smaller than the paper's")
    evidence: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    n_seeds: int | None = None
    stability: float | None = Field(
        None, ge=0, le=1, description="share of bootstrap draws over seeds with the same outcome"
    )
    seeds_to_settle: int | None = None
    rule: str = ""
    rule_sha256: str = ""
    rule_changed: str | None = Field(None, description="date and reason if the rule changed after the run")
    rehearsal: Outcome | None = Field(None, description="what the rule gives on embedded data; no verdict")
    controls: tuple[ControlResult, ...] = ()

    @property
    def label(self) -> str:
        """The verdict as readers see it."""
        if self.rehearsal is not None:
            return f"quick run (the rule gives: {self.rehearsal})"
        scaled = self.reduced_scale and self.outcome in OUTCOMES[:3]
        return f"{self.outcome} (at reduced scale)" if scaled else self.outcome


def judge(
    claims: Sequence[Claim],
    rows: pd.DataFrame,
    *,
    embedded_twins: Mapping[str, str] | None = None,
    reduced_scale: bool,
    lock: RuleLock | None = None,
    run_on: date | None = None,
) -> tuple[Verdict, ...]:
    """Apply every claim's rule to the rows.

    Parameters
    ----------
    claims
        The claims of one paper.
    rows
        Tidy rows of the run.
    embedded_twins
        Embedded data set to the real one it stands in for. Where only the twin was run the rule is rehearsed on it,
        which shows that it works and gives no verdict.
    reduced_scale
        Whether the run was smaller than the paper's (steps, width, data).
    lock, run_on
        The rule lock and the day on which the rows were made, to mark rules that changed afterwards.

    Returns
    -------
    tuple of Verdict
        In the order of the claims.
    """
    twins = dict(embedded_twins or {})
    present = set(rows["dataset"])
    renamed = rows.assign(dataset=rows["dataset"].map(lambda name: twins.get(name, name)))
    verdicts = []
    for claim in claims:
        if claim.rule is None or set(claim.data_sets) <= present:
            verdict = _decide(claim, rows, reduced_scale)
        elif set(claim.data_sets) <= set(renamed["dataset"]):
            verdict = _rehearse(claim, renamed[~renamed.index.isin(_shadowed(rows, twins))])
        else:
            missing = sorted(set(claim.data_sets) - present)
            verdict = _verdict(claim, _not_run(f"this run has no rows of {', '.join(missing)}"), reduced_scale)
        changed = lock.changed_after(claim.id, run_on) if lock and run_on else None
        verdicts.append(verdict.model_copy(update={"rule_changed": changed}))
    return tuple(verdicts)


def _shadowed(rows: pd.DataFrame, twins: Mapping[str, str]) -> pd.Index:
    """Rows of real data sets that would mix with their embedded twin's in a rehearsal."""
    real_with_twin = {real for twin, real in twins.items() if twin in set(rows["dataset"])}
    return rows.index[rows["dataset"].isin(real_with_twin)]


def _not_run(reason: str) -> Finding:
    return Finding("not testable here", f"Not run: {reason}.")


def _relevant(claim: Claim, rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["dataset"].isin([*claim.data_sets, "theory"])] if claim.data_sets else rows


def _find(claim: Claim, rows: pd.DataFrame) -> Finding:
    assert claim.rule is not None
    try:
        return claim.rule(rows)
    except MissingRowsError as error:
        return _not_run(str(error).rstrip("."))


def _decide(claim: Claim, rows: pd.DataFrame, reduced_scale: bool) -> Verdict:
    if claim.rule is None:
        return _verdict(claim, Finding("not testable here", claim.untestable_because), reduced_scale)
    relevant = _relevant(claim, rows)
    finding = _find(claim, relevant)
    verdict = _verdict(claim, finding, reduced_scale)
    return verdict.model_copy(
        update={
            "stability": _stability(claim, relevant, finding.outcome),
            "controls": _controls(claim, relevant),
        }
    )


def _rehearse(claim: Claim, rows: pd.DataFrame) -> Verdict:
    relevant = _relevant(claim, rows)
    finding = _find(claim, relevant)
    verdict = _verdict(claim, finding, True)
    if finding.outcome == "not testable here":
        return verdict
    evidence = f"On embedded data, which decide nothing: {finding.evidence}"
    return verdict.model_copy(
        update={
            "outcome": "not testable here",
            "rehearsal": finding.outcome,
            "evidence": evidence,
            "controls": _controls(claim, relevant),
        }
    )


def _verdict(claim: Claim, finding: Finding, reduced_scale: bool) -> Verdict:
    interval = finding.interval
    return Verdict(
        claim_id=claim.id,
        text=claim.text,
        source=claim.source,
        kind=claim.kind,
        paper_value=claim.paper_value,
        outcome=finding.outcome,
        reduced_scale=reduced_scale and not claim.always_full_scale,
        evidence=finding.evidence,
        estimate=_finite(interval.estimate) if interval else None,
        low=_finite(interval.low) if interval else None,
        high=_finite(interval.high) if interval else None,
        n_seeds=interval.n if interval else None,
        seeds_to_settle=finding.seeds_to_settle,
        rule=claim.rule_text,
        rule_sha256=claim.rule_sha256(),
    )


def _finite(value: float) -> float | None:
    import math

    return value if math.isfinite(value) else None


def _controls(claim: Claim, rows: pd.DataFrame) -> tuple[ControlResult, ...]:
    results = []
    for control in claim.controls:
        try:
            holds, evidence = control.check(rows)
        except MissingRowsError as error:
            holds, evidence = False, f"Not run: {error}"
        results.append(ControlResult(name=control.name, holds=holds, evidence=evidence))
    return tuple(results)


def _stability(claim: Claim, rows: pd.DataFrame, outcome: Outcome) -> float | None:
    """Share of bootstrap draws over seeds (within each data set) with the same outcome; None without seeds."""
    import numpy as np

    if outcome == "not testable here" or rows.loc[rows["seed"] >= 0, "seed"].nunique() < 2:
        return None
    generator = np.random.default_rng(0)
    # The rules compare names again and again: as categories these are compared as numbers.
    rows = rows.astype({name: "category" for name in rows.columns if rows[name].dtype == object})
    draws = (_resampled(rows, generator) for _ in range(STABILITY_DRAWS))
    return float(np.mean([_find(claim, draw).outcome == outcome for draw in draws]))


def _resampled(rows: pd.DataFrame, generator: Any) -> pd.DataFrame:
    """Draw seeds with replacement within each data set; the drawn ones are numbered anew, pairs stay pairs.

    A draw that holds a single seed again and again has no spread and would make every interval a point; it is
    drawn anew.
    """
    import numpy as np

    taken, numbers = [np.flatnonzero(rows["seed"] < 0)], [np.full(int((rows["seed"] < 0).sum()), -1)]
    for places in rows.groupby("dataset", sort=True).indices.values():
        seeds_here = rows["seed"].to_numpy()[places]
        seeds = np.unique(seeds_here[seeds_here >= 0])
        drawn = generator.choice(seeds, size=seeds.size) if seeds.size else seeds
        while seeds.size > 1 and np.unique(drawn).size == 1:
            drawn = generator.choice(seeds, size=seeds.size)
        for number, seed in enumerate(drawn):
            taken.append(places[seeds_here == seed])
            numbers.append(np.full(len(taken[-1]), number))
    return rows.take(np.concatenate(taken)).assign(seed=np.concatenate(numbers))


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
        """Say for each claim whose rule is not locked as it stands what to do."""
        found = []
        for claim in claims:
            locked = self.rules.get(claim.id, {}).get("sha256")
            if claim.rule is not None and locked is None:
                found.append(f"the rule of {claim.id} is not locked; run `reprise claims lock PAPER`.")
            elif claim.rule is not None and locked != claim.rule_sha256():
                found.append(f"the rule of {claim.id} changed; run `reprise claims lock PAPER --reason '…'`.")
        return found

    def lock(self, claims: Sequence[Claim], today: date, reason: str = "") -> list[str]:
        """Lock new rules and, given a reason, changed ones; return the ids whose entry changed.

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
                    {"claim": claim.id, "date": today.isoformat(), "from": old, "to": new, "reason": reason}
                )
            self.rules[claim.id] = {"sha256": new, "locked": today.isoformat(), "rule": claim.rule_text}
            touched.append(claim.id)
        return touched

    def save(self) -> None:
        """Write the lock file atomically."""
        from reprise.record import write_atomically

        content = {"rules": dict(sorted(self.rules.items())), "changes": self.changes}
        write_atomically(self.path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def changed_after(self, claim_id: str, day: date) -> str | None:
        """Return date and reason of the changes to a rule on or after the day of a run; None if there are none."""
        later = [c for c in self.changes if c["claim"] == claim_id and c["date"] >= day.isoformat()]
        return "; ".join(f"{change['date']}: {change['reason']}" for change in later) or None
