"""Tables as readers see them: digits that follow the uncertainty, and the paper's value beside ours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from reprise.record import SummaryRow

if TYPE_CHECKING:
    import pandas as pd

    from reprise.claims import Claim, Verdict


def decimals_for(half_width: float | None, fallback: int = 2) -> int:
    """Return how many decimals show two significant digits of a half-width.

    Examples
    --------
    >>> decimals_for(3.4), decimals_for(0.034), decimals_for(120.0)
    (1, 3, 0)
    """
    if half_width is None or not math.isfinite(half_width) or half_width <= 0:
        return fallback
    return max(0, 1 - math.floor(math.log10(half_width)))


def with_interval(mean: float | None, low: float | None, high: float | None, fallback_decimals: int = 2) -> str:
    """Write a mean with the half-width of its 95 % interval.

    Examples
    --------
    >>> with_interval(71.234, 67.8, 74.6)
    '71.2 ± 3.4'
    >>> with_interval(None, None, None)
    'diverged'
    """
    if mean is None:
        return "diverged"
    if low is None or high is None:
        return f"{mean:.{fallback_decimals}f}"
    half = (high - low) / 2
    if half == 0:
        return f"{mean:.{fallback_decimals}f} ± 0"
    places = decimals_for(half, fallback_decimals)
    return f"{mean:.{places}f} ± {half:.{places}f}"


def paper_beside_ours(summary: Sequence[SummaryRow], columns: Sequence[str] = ()) -> pd.DataFrame:
    """Return one line per cell of the summary: what it is, the paper's value, ours with interval, the difference.

    Parameters
    ----------
    summary
        Cells of a record's summary.
    columns
        Variant columns to show.
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
                "paper": "—" if row.paper_value is None else f"{row.paper_value:g}",
                "ours (mean ± half-width of the 95 % interval)": with_interval(row.mean, row.low, row.high),
                "ours − paper": "—" if difference is None else f"{difference:+.{places}f}",
                "seeds": row.n,
                "printed in": row.paper_source or "—",
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
        return "—"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.2f}"
    return str(value)


def claims_frame(claims: Sequence[Claim], verdicts: Sequence[Verdict] = ()) -> pd.DataFrame:
    """Return the table of claims: id, claim, source, the paper's value and, once there are any, the verdicts."""
    import pandas as pd

    by_id = {verdict.claim_id: verdict for verdict in verdicts}
    lines = []
    for claim in claims:
        verdict = by_id.get(claim.id)
        lines.append(
            {
                "id": claim.id,
                "claim": claim.text,
                "source": claim.source,
                "paper": claim.paper_value or "—",
                "verdict": verdict.label if verdict else "pending",
                "evidence": verdict.evidence if verdict else "—",
            }
        )
    return pd.DataFrame(lines)


def verdicts_frame(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return the table of verdicts with rule, interval, stability and what would settle an open one."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "id": verdict.claim_id,
                "rule, fixed before the run": verdict.rule or "none",
                "verdict": verdict.label,
                "estimate": _text(verdict.estimate),
                "95 % interval": "—" if verdict.low is None else f"[{_text(verdict.low)}, {_text(verdict.high)}]",
                "seeds": _text(verdict.n_seeds),
                "stability": "—" if verdict.stability is None else f"{verdict.stability:.0%}",
                "seeds to settle": _text(verdict.seeds_to_settle),
                "rule changed": verdict.rule_changed or "no",
            }
            for verdict in verdicts
        ]
    )


def controls_frame(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """Return the table of controls: settings in which an effect must appear, or must not."""
    import pandas as pd

    lines = [
        {
            "claim": verdict.claim_id,
            "control": control.name,
            "holds": "yes" if control.holds else "no",
            "evidence": control.evidence,
        }
        for verdict in verdicts
        for control in verdict.controls
    ]
    return pd.DataFrame(lines, columns=["claim", "control", "holds", "evidence"])
