"""Judging: the decision rules applied to the rows of a run, or rehearsed on the embedded twins of its data sets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from reprise.claims import Claim, ControlResult, Finding, Outcome, Verdict
from reprise.rows import MissingRowsError
from reprise.seed_draws import seed_draws

if TYPE_CHECKING:
    import pandas as pd

    from reprise.rule_lock import RuleLock
    from reprise.settings import Twins

STABILITY_DRAWS = 100


def judge(
    claims: Sequence[Claim],
    rows: pd.DataFrame,
    *,
    embedded_twins: Twins | None = None,
    reduced_scale: bool,
    lock: RuleLock | None = None,
    computed: datetime | None = None,
) -> tuple[Verdict, ...]:
    """Apply every claim's rule to the rows.

    Parameters
    ----------
    claims
        The claims of one paper.
    rows
        Tidy rows of the run.
    embedded_twins
        Embedded data set to the real one, or ones, that it stands in for. Where only the twin was run the rule is
        rehearsed on it, which shows that it works and gives no verdict.
    reduced_scale
        Whether the run was smaller than the paper's (steps, width, data).
    lock, computed
        The rule lock and the moment at which the rows were there, to mark rules that changed afterwards.

    Returns
    -------
    tuple of Verdict
        In the order of the claims.
    """
    present = set(rows["dataset"])
    stood_in = _stood_in(rows, embedded_twins or {})
    verdicts = []
    for claim in claims:
        if claim.rule is None or set(claim.data_sets) <= present:
            verdict = _decide(claim, rows, reduced_scale)
        elif set(claim.data_sets) <= set(stood_in["dataset"]):
            verdict = _rehearse(claim, stood_in)
        else:
            missing = sorted(set(claim.data_sets) - present)
            verdict = _verdict(claim, _not_run(f"this run has no rows of {', '.join(missing)}"), reduced_scale)
        changed = lock.changed_after(claim.id, computed) if lock and computed else None
        verdicts.append(verdict.model_copy(update={"rule_changed": changed}))
    return tuple(verdicts)


def _stood_in(rows: pd.DataFrame, twins: Twins) -> pd.DataFrame:
    """Return the rows with those of each embedded twin repeated under the names that it stands in for.

    Rows of a real data set whose twin was run are left out: in a rehearsal they would mix with the twin's.
    """
    import pandas as pd

    twin_of: dict[str, str] = {}
    for twin in sorted(set(twins) & set(rows["dataset"])):
        reals = twins[twin]
        twin_of.update(dict.fromkeys((reals,) if isinstance(reals, str) else reals, twin))
    kept = rows[~rows["dataset"].isin(list(twin_of))]
    return pd.concat([kept, *(rows[rows["dataset"] == twin].assign(dataset=real) for real, twin in twin_of.items())])


def _not_run(reason: str) -> Finding:
    return Finding("not testable here", f"Not run: {reason}.")


def _relevant(claim: Claim, rows: pd.DataFrame, further: Sequence[str] = ()) -> pd.DataFrame:
    return rows[rows["dataset"].isin([*claim.data_sets, *further, "theory"])] if claim.data_sets else rows


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
            "controls": _controls(claim, rows),
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
            "quantity": f"{finding.quantity}; embedded data" if finding.quantity else "",
            "evidence": evidence,
            "controls": _controls(claim, rows),
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
        quantity=finding.quantity,
        estimate=_finite(interval.estimate) if interval else None,
        low=_finite(interval.low) if interval else None,
        high=_finite(interval.high) if interval else None,
        n_seeds=interval.n if interval else None,
        seeds_to_settle=finding.seeds_to_settle,
        rule=claim.rule_text,
        rule_sha256=claim.rule_sha256(),
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _controls(claim: Claim, rows: pd.DataFrame) -> tuple[ControlResult, ...]:
    relevant = _relevant(claim, rows, claim.control_data_sets)
    results = []
    for control in claim.controls:
        holds: bool | None
        try:
            holds, evidence = control.check(relevant)
        except MissingRowsError as error:
            holds, evidence = None, f"Not run: {error}"
        results.append(ControlResult(name=control.name, holds=holds, evidence=evidence))
    return tuple(results)


def _stability(claim: Claim, rows: pd.DataFrame, outcome: Outcome) -> float | None:
    """Share of bootstrap draws over seeds with the same outcome; None without seeds."""
    import numpy as np

    if outcome == "not testable here" or rows.loc[rows["seed"] >= 0, "seed"].nunique() < 2:
        return None
    draws = seed_draws(rows, STABILITY_DRAWS, np.random.default_rng(0))
    return float(np.mean([_find(claim, draw).outcome == outcome for draw in draws]))
