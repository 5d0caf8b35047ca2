"""Tables as readers see them: the paper's value beside ours, the claims, their verdicts and controls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from reprise.numerals import MISSING, decimals_for, estimate, in_steps_of_thousand, number, with_interval
from reprise.record import Record, SummaryRow

if TYPE_CHECKING:
    import pandas as pd

    from reprise.claims import Claim, Verdict
    from reprise.settings import ChapterSettings


def paper_beside_ours(
    summary: Sequence[SummaryRow], columns: Sequence[str] = (), *, no_number: str = "diverged"
) -> pd.DataFrame:
    """Return one line per cell of the summary: what it is, the paper's value, ours with interval, the difference.

    Parameters
    ----------
    summary
        Cells of a record's summary.
    columns
        Variant columns to show.
    no_number
        What a cell says whose runs gave no number: they diverged, or, in a study where that can happen, there was
        nothing to measure.
    """
    import pandas as pd

    lines = []
    for row in summary:
        difference = None if row.paper_value is None or row.mean is None else row.mean - row.paper_value
        places = decimals_for(None if row.low is None or row.high is None else (row.high - row.low) / 2)
        lines.append(
            {
                "data set": row.dataset,
                "split": row.split,
                "method": row.method,
                **{column.replace("_", " "): row.variant.get(column, "") for column in columns},
                "paper": MISSING if row.paper_value is None else f"{row.paper_value:g}",
                "ours (mean ± half-width of the 95 % interval)": (
                    no_number if row.mean is None else with_interval(row.mean, row.low, row.high)
                ),
                "ours − paper": MISSING if difference is None else number(difference, places, signed=True),
                "seeds": row.n,
                "printed in": row.paper_source or MISSING,
            }
        )
    return pd.DataFrame(lines)


def to_html(frame: pd.DataFrame, caption: str = "", *, name: str = "", numeric: Sequence[str] = ()) -> str:
    """Return a DataFrame as an HTML table with a caption and header scopes, all text escaped.

    Parameters
    ----------
    frame
        Cells are shown by ``str``; floats get four significant digits.
    caption
        Sentence above the table.
    name
        Name of the table; the class ``table-NAME`` lets a style sheet set the widths of its columns.
    numeric
        Columns to align right; columns of numbers are recognised.
    """
    import pandas as pd

    right = {c for c in frame.columns if c in numeric or pd.api.types.is_numeric_dtype(frame[c])}

    def cell(tag: str, column: object, text: str, scope: str = "") -> str:
        align = ' class="number"' if column in right else ""
        return f"<{tag}{align}{scope}>{escape(text)}</{tag}>"

    head = "".join(cell("th", c, str(c), ' scope="col"') for c in frame.columns)
    body = "\n".join(
        "<tr>" + "".join(cell("td", c, _text(v)) for c, v in zip(frame.columns, line, strict=True)) + "</tr>"
        for line in frame.itertuples(index=False, name=None)
    )
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    classes = f"reprise-table table-{name}" if name else "reprise-table"
    return f'<table class="{classes}">{title}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'


def _text(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, float):
        return number(value) if abs(value) < 1000 else number(value, 2)
    return str(value)


def claims_frame(claims: Sequence[Claim], verdicts: Sequence[Verdict] = ()) -> pd.DataFrame:
    """Return the table of claims: claim with its source, the paper's value and, once there are verdicts, ours.

    Ours is the figure that decides, with its 95 % interval, and what it is a figure of.
    """
    import pandas as pd

    by_id = {verdict.claim_id: verdict for verdict in verdicts}
    lines = []
    for claim in claims:
        verdict = by_id.get(claim.id)
        lines.append(
            {
                "id": claim.id,
                "claim": f"{claim.text} ({claim.source})",
                "paper": claim.paper_value or MISSING,
                "ours": _ours(verdict) if verdict else MISSING,
                "verdict": verdict.label if verdict else "pending",
                "evidence": _readable(verdict.evidence) if verdict else MISSING,
            }
        )
    return pd.DataFrame(lines)


def _readable(evidence: str) -> str:
    """Leave out the interval of a single value, which is infinite and says nothing."""
    return evidence.replace(" [-inf, inf]", "")


def _ours(verdict: Verdict) -> str:
    shown = estimate(verdict.estimate, verdict.low, verdict.high)
    return f"{shown} ({verdict.quantity})" if verdict.quantity else shown


def verdicts_frame(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return the table of verdicts with rule, interval, stability, what would settle an open one, and changed rules."""
    import pandas as pd

    frame = pd.DataFrame(
        [
            {
                "id": verdict.claim_id,
                "rule, fixed before the run": verdict.rule or "none",
                "verdict": verdict.label,
                "quantity": verdict.quantity or MISSING,
                "estimate [95 % interval]": estimate(verdict.estimate, verdict.low, verdict.high),
                "seeds (to settle)": _text(verdict.n_seeds)
                + (f" ({verdict.seeds_to_settle})" if verdict.seeds_to_settle else ""),
                "stability": MISSING if verdict.stability is None else f"{verdict.stability:.0%}",
                "rule changed": verdict.rule_changed or "no",
            }
            for verdict in verdicts
        ]
    )
    # Of nine columns none has room; that no rule changed is said by the heading of the rules.
    return frame if any(verdict.rule_changed for verdict in verdicts) else frame.drop(columns="rule changed")


def verdicts_data(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return the verdicts with all their fields and unrounded numbers, for the table's CSV; controls have their own."""
    import pandas as pd

    return pd.DataFrame(
        [{**verdict.model_dump(mode="json", exclude={"controls"}), "label": verdict.label} for verdict in verdicts]
    )


def controls_frame(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return the table of controls: settings in which an effect must appear, or must not."""
    import pandas as pd

    lines = [
        {
            "claim": verdict.claim_id,
            "control": control.name,
            "holds": {True: "yes", False: "no", None: "not run"}[control.holds],
            "evidence": control.evidence,
        }
        for verdict in verdicts
        for control in verdict.controls
    ]
    return pd.DataFrame(lines, columns=["claim", "control", "holds", "evidence"])


def parameters_frame(settings: ChapterSettings) -> pd.DataFrame:
    """Return the table of a run's parameters with their values and meanings."""
    import pandas as pd

    values = settings.model_dump(mode="json")
    return pd.DataFrame(
        [
            {"parameter": name, "value": _parameter(values[name]), "meaning": field.description or ""}
            for name, field in type(settings).model_fields.items()
        ]
    )


def _parameter(value: object) -> str:
    """Write a parameter's value: the members of a list one after the other, without quotes or brackets."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_parameter(member)}" for name, member in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_parameter(member) for member in value) or "none"
    return "none" if value is None else str(value)


def cost_frame(record: Record, work: Mapping[str, float]) -> pd.DataFrame:
    """Return what computing the rows took, and the arithmetic of single pieces of the method."""
    import pandas as pd

    parts = f", sum of {len(record.merged_from)} parts" if len(record.merged_from) > 1 else ""
    lines = [
        ("machine", f"{record.hardware.processor}, {record.hardware.cpu_cores} cores; {record.hardware.device}"),
        (f"computing the rows (profile {record.profile}{parts})", f"{record.cost.seconds:.0f} s"),
        ("peak memory", f"{record.cost.peak_memory_mib:.0f} MiB"),
    ]
    if record.cost.peak_accelerator_memory_mib is not None:
        lines.append(("peak memory of the accelerator", f"{record.cost.peak_accelerator_memory_mib:.0f} MiB"))
    lines += [(piece, in_steps_of_thousand(operations, "FLOP")) for piece, operations in work.items()]
    return pd.DataFrame(lines, columns=["what", "cost"])


def provenance_frame(record: Record) -> pd.DataFrame:
    """Return what a page was made from."""
    import pandas as pd

    lines = [
        ("profile", record.profile),
        ("rows computed", f"{record.created:%Y-%m-%d}"),
        ("rows (hash)", record.rows_sha256()[:16]),
        ("computation (hash)", record.provenance.computation_sha256[:16]),
        ("code", f"{record.provenance.version}, commit {record.provenance.commit or 'unknown'}"),
        ("libraries", ", ".join(f"{name} {version}" for name, version in record.provenance.libraries.items())),
    ]
    return pd.DataFrame(lines, columns=["what", "value"])
