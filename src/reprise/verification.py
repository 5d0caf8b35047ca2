"""Checks of records without training: whether conclusions follow from the rows, and the code is still the same."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from reprise.catalogue import find_paper
from reprise.claims import Claim, Verdict
from reprise.judging import judge
from reprise.provenance import PACKAGE_FOLDER, determines_rows, digest, modules_behind
from reprise.record import Record, SummaryRow, summarise
from reprise.rule_lock import RuleLock
from reprise.settings import SettingsError

# Sums in another order, as in another version of a library, differ in the last digits of a double.
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-9, 1e-12


def published_numbers(package: str) -> Any:
    """Return the paper's printed numbers: ``dataset, split, method, metric, value, source``; maybe none."""
    import pandas as pd

    return pd.read_csv(PACKAGE_FOLDER / package / "published.csv", comment="#", dtype={"value": "float64"})


def claims_of(package: str) -> tuple[Claim, ...]:
    """Return the claims of a paper's package."""
    return importlib.import_module(f"reprise.{package}.claims").CLAIMS  # type: ignore[no-any-return]


def rule_lock(package: str) -> RuleLock:
    """Return the lock of a paper's decision rules."""
    return RuleLock(PACKAGE_FOLDER / package / "claims.lock")


def conclusions(record: Record) -> tuple[tuple[SummaryRow, ...], tuple[Verdict, ...]]:
    """Compute summary and verdicts anew from a record's rows alone, with the rules as they are now."""
    from reprise.parameters import settings_class

    paper = find_paper(record.package)
    settings_type = settings_class(paper)
    settings = settings_type.checked(record.parameters)
    rows = record.frame()
    summary = summarise(rows, published_numbers(record.package), settings_type.summary_columns)
    verdicts = judge(
        claims_of(record.package),
        rows,
        embedded_twins=settings_type.embedded_twins,
        reduced_scale=settings.reduced_scale,
        lock=rule_lock(record.package),
        computed=record.created,
    )
    return summary, verdicts


def inconsistencies(record: Record) -> list[str]:
    """Say where a record's parameters, hashes and names contradict one another; empty if they agree."""
    from reprise.parameters import settings_class

    paper = find_paper(record.package)
    found = []
    if record.paper != paper.slug:
        found.append(f"it names the paper {record.paper} and the package {record.package}")
    settings_type = settings_class(paper)
    if missing := sorted(set(settings_type.model_fields) - set(record.parameters)):
        return [*found, f"its parameters lack {', '.join(missing)}"]
    try:
        settings = settings_type.checked(record.parameters)
    except SettingsError as error:
        return [*found, f"its parameters are not valid ({error})"]
    provenance = record.provenance
    if settings.sha256() != provenance.parameters_sha256:
        found.append("its parameters do not have the hash that it gives")
    if digest([provenance.modules, settings.determining_rows(), provenance.data]) != provenance.computation_sha256:
        found.append("code, parameters and data do not have the hash that it gives")
    return found


def differences(record: Record) -> list[str]:
    """Say where a record contradicts itself, or its summary or verdicts do not follow from its rows."""
    if found := inconsistencies(record):
        return found
    summary, verdicts = conclusions(record)
    stored, computed = ({_cell(row): row for row in rows} for rows in (record.summary, summary))
    wrong = [cell for cell, row in computed.items() if cell not in stored or _changed(stored[cell], row)]
    wrong += [cell for cell in stored if cell not in computed]
    if wrong:
        found.append(f"the summary does not follow from the rows in {len(wrong)} cell(s), first {wrong[:1]}")
    stored_verdicts = {verdict.claim_id: verdict for verdict in record.verdicts}
    for verdict in verdicts:
        old = stored_verdicts.pop(verdict.claim_id, None)
        if old is None:
            found.append(f"claim {verdict.claim_id} has no verdict in the record")
        elif not _changed(old, verdict):
            continue
        elif old.rule_sha256 != verdict.rule_sha256:
            found.append(
                f"the rule of {verdict.claim_id} changed after the run "
                f"(record: {old.label}; with the rule as it is now: {verdict.label})"
            )
        else:
            found.append(f"verdict {verdict.claim_id} does not follow from the rows: {_changes(old, verdict)}")
    found += [f"claim {claim_id} of the record no longer exists" for claim_id in stored_verdicts]
    return found


def _changed(old: BaseModel, new: BaseModel) -> list[str]:
    """Return the fields in which two models of one kind differ by more than rounding."""
    return [name for name in type(new).model_fields if not _agree(getattr(old, name), getattr(new, name))]


def _agree(old: Any, new: Any) -> bool:
    if isinstance(old, float) and isinstance(new, float):
        return math.isclose(old, new, rel_tol=RELATIVE_TOLERANCE, abs_tol=ABSOLUTE_TOLERANCE)
    return bool(old == new)


def _changes(old: Verdict, new: Verdict) -> str:
    """Return the fields in which two verdicts differ, each with both values."""
    return "; ".join(
        f"{name} is {getattr(old, name)!r}, should be {getattr(new, name)!r}" for name in _changed(old, new)
    )


def _cell(row: SummaryRow) -> str:
    return " / ".join([row.dataset, row.split, row.method, row.metric, *map(str, row.variant.values())])


def staleness(record: Record) -> list[str]:
    """Say what changed since the rows of a record were computed; empty if the record is as fresh as the code.

    Only what determines the rows counts: the study with all it imports, the parameters of the profile, the data.
    """
    from reprise.data import hashes
    from reprise.parameters import profile_parameters, settings_class

    paper = find_paper(record.package)
    reasons = []
    now, then = modules_behind(f"reprise.{record.package}.study"), record.provenance.modules
    changed = sorted(n for n in filter(determines_rows, {*now, *then}) if now.get(n) != then.get(n))
    if changed:
        reasons.append(f"code changed since the run: {', '.join(changed)}")
    if record.profile != "custom":
        parameters = profile_parameters(paper, record.profile)
        if settings_class(paper).checked(parameters).sha256() != record.provenance.parameters_sha256:
            reasons.append(f"the parameters of profile {record.profile} changed since the run")
    wanted = [d for d in paper.data_sets if d.kind == "real" and d.name in record.parameters.get("datasets", [])]
    data = hashes([pattern for data_set in wanted for pattern in data_set.files]) if wanted else {}
    if data != record.provenance.data:
        reasons.append("the data files or their hashes changed since the run")
    return reasons


def verify(path: Path) -> tuple[Record, list[str], list[str]]:
    """Load a record and return it with its differences and the reasons why it is stale."""
    from reprise.record import load

    record = load(path)
    return record, differences(record), staleness(record)
