"""The scoreboard: every claim of every chapter with its verdict, made from the records alone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reprise.book.chapters import Chapter, by_package, verdict_counts
from reprise.book.declared import evidence, printed_beside
from reprise.book.notebooks import headings, row_anchors, shown_things
from reprise.book.overview_figures import draw_board, draw_estimates, lines_of
from reprise.book.templates import write_page
from reprise.book.text import counted
from reprise.claims import OUTCOMES, Verdict, reservations
from reprise.numerals import estimate, number
from reprise.page import as_png
from reprise.record import write_atomically

if TYPE_CHECKING:
    from reprise.catalogue import Paper
    from reprise.plots import Drawing

EXPLAINED_AT = ("verdicts", "the-claims")

# Columns of scoreboard.csv, in this order; scoreboard.json has the controls too.
COLUMNS = (
    "paper", "claim_id", "run", "profile", "text", "source", "kind", "paper_value", "quantity", "estimate", "low",
    "high", "n_seeds", "printed", "printed_from", "no_effect", "outcome", "label", "reduced_scale", "rehearsal",
    "stability", "seeds_to_settle", "evidence", "rule", "rule_sha256", "rule_changed", "controls_hold", "stale",
    "version", "commit", "created", "page",
)  # fmt: skip


def scoreboard(papers: Sequence[Paper], published: Sequence[Chapter], own: Sequence[Chapter], target: Path) -> None:
    """Write the scoreboard's page, its figures, ``scoreboard.csv`` and ``scoreboard.json``.

    Parameters
    ----------
    papers
        All papers, in the book's order.
    published
        The published chapters.
    own
        The chapters that this machine ran; empty for the published report.
    target
        Folder of the staged sources.
    """
    entries = [*_entries(published), *_entries(own)]
    write_atomically(target / "scoreboard.csv", _as_csv(entries))
    content = {"schema_version": 1, "claims": entries}
    write_atomically(target / "scoreboard.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    # A quick run rehearses the rules on embedded data; its estimates would be drawn beside numbers of other data.
    drawn_too = [chapter for chapter in own if chapter.profile != "quick"]
    other = {(chapter.paper.package, verdict.claim_id): verdict for chapter, verdict in _verdicts(own)}
    write_page(
        target / "scoreboard.md",
        "scoreboard.md.jinja",
        totals=_totals(published, own),
        board=_figure(draw_board(papers, published), target) if published else None,
        estimates=[_figure(draw_estimates(chapter), target) for chapter in published if lines_of(chapter)],
        own_board=_figure(draw_board(papers, own, without="not run here"), target, "yours") if drawn_too else None,
        own_estimates=[_figure(draw_estimates(each), target, "yours") for each in drawn_too if lines_of(each)],
        papers=_papers(published, own),
        published=[_row(chapter, verdict, other) for chapter, verdict in _verdicts(published)],
        own=[_row(chapter, verdict, {}) for chapter, verdict in _verdicts(own)],
        has_own=bool(own),
        own_profile=own[0].profile if own else "",
    )


def _figure(drawing: Drawing, target: Path, folder: str = "published") -> dict[str, str]:
    """Write a figure among the staged sources; return its path, alternative text and width in pixels."""
    from matplotlib import pyplot

    path = f"scoreboard-figures/{folder}/{drawing.name}.png"
    (target / path).parent.mkdir(parents=True, exist_ok=True)
    (target / path).write_bytes(as_png(drawing.figure))
    width = round(drawing.figure.get_figwidth() * 96)
    pyplot.close(drawing.figure)
    return {"path": path, "alt": drawing.alt, "width": f"{width}px"}


def one_line(chapter: Chapter) -> str:
    """Return a chapter's verdict in one line: how many claims were judged and how, or that it failed.

    Examples of what it says: ``5 claims: 2 reproduced, 1 inconclusive, 2 not testable here``.
    """
    if chapter.failure:
        return f"failed: {chapter.failure.reason}"
    if chapter.record is None:
        return "no record"
    parts = []
    for outcome, count in verdict_counts([chapter]):
        if count:
            parts.append(f"{count} {'rehearsed on embedded data' if outcome == 'rehearsed' else outcome}")
    total = counted(len(chapter.record.verdicts), "claim")
    return f"{total}: {', '.join(parts)}{reservations(chapter.record.verdicts)}" if parts else total


def _verdicts(chapters: Iterable[Chapter]) -> Iterator[tuple[Chapter, Verdict]]:
    for chapter in chapters:
        for verdict in chapter.record.verdicts if chapter.record else ():
            yield chapter, verdict


def explained_at(chapter: Chapter) -> str:
    """Return the anchor (with ``#``) of the section of a chapter that shows its verdicts, or nothing."""
    if chapter.notebook is None or chapter.failure:
        return ""
    present = {"-".join(heading.lower().split()) for heading in headings(chapter.notebook)}
    return next((f"#{anchor}" for anchor in EXPLAINED_AT if anchor in present), "")


def claim_page(chapter: Chapter, claim: str, kinds: Sequence[str] = ("rule", "claim")) -> str:
    """Return the address, within the book, of the line that shows a claim's verdict, or of the section that does."""
    present = frozenset[str]() if chapter.notebook is None or chapter.failure else row_anchors(chapter.notebook)
    anchor = next((f"#{kind}-{claim}" for kind in kinds if f"{kind}-{claim}" in present), explained_at(chapter))
    return f"{chapter.document}.html{anchor}"


def evidence_reference(chapter: Chapter, claim: str) -> str:
    """Return a reference to the figure or table that shows a claim's evidence, or nothing where none is declared."""
    wanted = evidence().get((chapter.paper.slug, claim))
    if chapter.notebook is None or chapter.failure or wanted is None:
        return ""
    found = next((thing for thing in shown_things(chapter.notebook) if thing.name == wanted), None)
    prefix = f"{chapter.label.replace(' ', '-')}-" if chapter.label else ""
    return f"{{ref}}`{found.title} <{prefix}{chapter.paper.package}-{wanted}>`" if found else ""


def source_file(chapter: Chapter) -> str:
    """Return the staged file of a chapter's page: a notebook, or the page that says why there is none."""
    return f"{chapter.document}.{'md' if chapter.failure else 'ipynb'}"


def _entries(chapters: Iterable[Chapter]) -> Iterator[dict[str, Any]]:
    for chapter, verdict in _verdicts(chapters):
        record = chapter.record
        assert record is not None
        printed = printed_beside(record.paper, verdict.claim_id, verdict.quantity)
        yield {
            "paper": record.paper,
            **verdict.model_dump(mode="json"),
            "run": chapter.origin,
            "profile": record.profile,
            "label": verdict.label,
            "controls_hold": _hold(verdict),
            "stale": "; ".join(chapter.doubts),
            "version": record.provenance.version,
            "commit": record.provenance.commit,
            "created": record.created.isoformat(),
            "printed": printed.value,
            "printed_from": printed.how,
            "no_effect": printed.no_effect,
            "page": claim_page(chapter, verdict.claim_id),
        }


def _hold(verdict: Verdict) -> bool | None:
    """Tell whether all controls that were run hold; None if none was."""
    found = [control.holds for control in verdict.controls if control.holds is not None]
    return all(found) if found else None


def _as_csv(entries: Iterable[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(entries)
    return text.getvalue()


def _totals(published: Sequence[Chapter], own: Sequence[Chapter]) -> list[dict[str, Any]]:
    ours = dict(verdict_counts(own))
    return [
        {"outcome": outcome, "published": count, "own": ours[outcome]}
        for outcome, count in verdict_counts(published)
        if outcome != "rehearsed" or count or ours[outcome]
    ]


def _papers(published: Sequence[Chapter], own: Sequence[Chapter]) -> list[dict[str, Any]]:
    first, mine = by_package(published), by_package(own)
    papers = {chapter.paper.package: chapter.paper for chapter in (*published, *own)}
    return [
        {
            "paper": paper,
            "published": first.get(package),
            "published_line": one_line(first[package]) if package in first else "not published yet",
            "own": mine.get(package),
            "own_line": one_line(mine[package]) if package in mine else "not run here",
        }
        for package, paper in papers.items()
    ]


def _row(chapter: Chapter, verdict: Verdict, other: dict[tuple[str, str], Verdict]) -> dict[str, Any]:
    twin = other.get((chapter.paper.package, verdict.claim_id))
    return {
        "twin": twin.label if twin else "",
        "chapter": chapter,
        "link": claim_page(chapter, verdict.claim_id, ("claim", "rule")),
        "rule": claim_page(chapter, verdict.claim_id),
        "evidence": evidence_reference(chapter, verdict.claim_id),
        "verdict": verdict,
        "style": "rehearsed" if verdict.rehearsal else verdict.outcome.replace(" ", "-"),
        "estimate": estimate(verdict.estimate, verdict.low, verdict.high),
        "remarks": list(_remarks(chapter, verdict)),
    }


def _remarks(chapter: Chapter, verdict: Verdict) -> Iterator[str]:
    if verdict.stability is not None:
        yield f"stability {number(100 * verdict.stability, 0)} %"
    if verdict.outcome == OUTCOMES[3] and verdict.seeds_to_settle:
        yield f"about {verdict.seeds_to_settle} seeds would settle it"
    if verdict.failed_controls:
        yield f"control fails: {'; '.join(verdict.failed_controls)}"
    if verdict.rule_changed:
        yield f"rule changed after the run ({verdict.rule_changed})"
    if chapter.doubts:
        yield "stale or in doubt: see the chapter"
