"""The scoreboard as pictures: one mark a claim, and for each paper its estimates beside the printed numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reprise.book.chapters import Chapter
from reprise.book.declared import Printed, printed_beside
from reprise.book.text import counted, listed
from reprise.claims import OUTCOMES, Verdict
from reprise.numerals import estimate, number
from reprise.palette import BLUE, GREEN, GREY, ORANGE, PAPER_COLOUR, VERMILION
from reprise.plots import TEXT_WIDTH, Drawing, new_figure, state_finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from reprise.catalogue import Paper

# The signs are those of the pages' style sheet; a sign and a colour say the same.
STYLES: dict[str, dict[str, Any]] = {
    OUTCOMES[0]: {"color": GREEN, "marker": "o"},
    OUTCOMES[1]: {"color": BLUE, "marker": "o", "fillstyle": "left", "markerfacecoloralt": "white"},
    OUTCOMES[2]: {"color": VERMILION, "marker": "X"},
    OUTCOMES[3]: {"color": ORANGE, "marker": "$?$"},
    OUTCOMES[4]: {"color": GREY, "marker": "o", "fillstyle": "none"},
}
LANE_WIDTH = 3.9
# Columns of a paper's picture; the lane itself goes from -1 to 1.
CLAIM_AT, MARK_AT, OURS_AT, PAPER_AT, END = -1.62, -1.2, 1.12, 2.86, 3.6
LINE_HEIGHT = 0.2
REACH = 0.94  # of the lane's half, for what lies farthest from "no effect"


@dataclass(frozen=True)
class Line:
    """One claim as it is drawn: its verdict, and what stands beside its estimate."""

    verdict: Verdict
    printed: Printed

    @property
    def scale(self) -> float:
        """The distance from "no effect" of whatever lies farthest from it, the unit of this line."""
        values = (self.verdict.estimate, self.verdict.low, self.verdict.high, self.printed.value)
        return max((abs(v - self.printed.no_effect) for v in values if v is not None), default=0.0) or 1.0

    def place(self, value: float) -> float:
        """Return where a value lies in the lane."""
        return REACH * (value - self.printed.no_effect) / self.scale

    def data(self) -> dict[str, Any]:
        """Return the numbers drawn."""
        verdict = self.verdict
        return {
            "claim": verdict.claim_id, "outcome": verdict.outcome, "quantity": verdict.quantity,
            "estimate": verdict.estimate, "low": verdict.low, "high": verdict.high,
            "no_effect": self.printed.no_effect, "paper": self.printed.value,
            "paper_from": self.printed.how, "paper_source": self.printed.source,
        }  # fmt: skip


def lines_of(chapter: Chapter) -> list[Line]:
    """Return the lines of a chapter's picture, one a verdict of its record."""
    if chapter.record is None:
        return []
    paper = chapter.record.paper
    return [Line(v, printed_beside(paper, v.claim_id, v.quantity)) for v in chapter.record.verdicts]


def draw_estimates(chapter: Chapter) -> Drawing:
    """Draw a chapter's claims, one line each: the verdict's mark, the estimate with interval, the printed number.

    Every line has its own unit and scale; all have "no effect" in the middle. Where the paper prints no number of the
    very quantity that was estimated, the line is dotted and has no diamond.
    """
    import pandas as pd

    lines = lines_of(chapter)
    height = LINE_HEIGHT * (len(lines) + 2.8)
    figure, axes = new_figure(width=LANE_WIDTH, height=height, layout="none")
    axes.set_position((0.0, 0.0, 1.0, 1 - 1.15 * LINE_HEIGHT / height))
    axes.set(xlim=(-1.75, END), ylim=(len(lines) - 0.1, -1.3))
    axes.axis("off")
    axes.plot([0, 0], [-0.6, len(lines) - 0.4], color="#b8bec8", linewidth=0.8, zorder=0)
    head = {"fontsize": 7.5, "color": PAPER_COLOUR, "va": "center"}
    axes.text(0, -1.0, "no effect", ha="center", **head)
    axes.text(OURS_AT, -1.0, "ours [95 %]", ha="left", **head)
    axes.text(PAPER_AT, -1.0, "◇ paper", ha="left", **head)
    for place, line in enumerate(lines):
        _draw_line(axes, place, line)
    title = _title(chapter)
    figure.text(0.012, 0.995, title, ha="left", va="top", fontsize=9, fontweight="bold")
    data = pd.DataFrame([line.data() for line in lines])
    name = f"estimates_{chapter.document.rpartition('/')[2]}"
    return Drawing(figure, name, _alternative(title, lines), "", data)


def _draw_line(axes: Axes, place: int, line: Line) -> None:
    verdict, style = line.verdict, STYLES[line.verdict.outcome]
    axes.text(CLAIM_AT, place, verdict.claim_id, ha="left", va="center", fontsize=8)
    axes.plot(MARK_AT, place, linestyle="none", markersize=6.5, **style)
    if verdict.estimate is None:
        axes.text(OURS_AT, place, "no single number", ha="left", va="center", fontsize=7.5, color=PAPER_COLOUR)
        return
    compared = line.printed.value is not None
    axes.plot([-1, 1], [place, place], color="#c9ced6", linewidth=0.8, linestyle="-" if compared else ":", zorder=0)
    if verdict.low is not None and verdict.high is not None:
        ends = [line.place(verdict.low), line.place(verdict.high)]
        axes.plot(ends, [place, place], color=style["color"], linewidth=2.2, solid_capstyle="butt")
    axes.plot(line.place(verdict.estimate), place, "o", color=style["color"], markersize=4.5)
    text = estimate(verdict.estimate, verdict.low, verdict.high)
    axes.text(OURS_AT, place, text, ha="left", va="center", fontsize=7.5)
    if line.printed.value is not None:
        diamond: dict[str, Any] = {
            "marker": "D",
            "markersize": 5.5,
            "fillstyle": "none",
            "color": PAPER_COLOUR,
            "markeredgewidth": 1.3,
        }
        axes.plot(line.place(line.printed.value), place, linestyle="none", zorder=4, **diamond)
        axes.text(PAPER_AT, place, _three_digits(line.printed.value), ha="left", va="center", fontsize=7.5)


def _three_digits(value: float) -> str:
    return number(float(f"{value:.3g}"))


def _title(chapter: Chapter) -> str:
    verdicts = chapter.record.verdicts if chapter.record else ()
    counts = Counter(verdict.outcome for verdict in verdicts)
    label = f" ({chapter.label})" if chapter.label else ""
    return f"{chapter.paper.short_title}{label}: {counts[OUTCOMES[0]]} of {len(verdicts)} reproduced"


def _alternative(title: str, lines: Sequence[Line]) -> str:
    beside = [
        f"{line.verdict.claim_id} {estimate(line.verdict.estimate, line.verdict.low, line.verdict.high)}, "
        f"paper {_three_digits(line.printed.value)}"
        for line in lines
        if line.printed.value is not None and line.verdict.estimate is not None
    ]
    if not beside:
        return f"{title}. The paper prints no number of a quantity that a rule decides by."
    return f"{title}. Ours beside the paper's: {'; '.join(beside)}."


def draw_board(
    papers: Sequence[Paper], chapters: Iterable[Chapter], *, without: str = "no published run yet"
) -> Drawing:
    """Draw one line a paper and one mark a claim, coloured and shaped by its verdict.

    Parameters
    ----------
    papers
        All papers, in the order of the lines; one without a chapter is an empty line that says so.
    chapters
        Published chapters, or this machine's; of each paper the first counts.
    without
        What is said of a paper that has none.
    """
    import pandas as pd

    first: dict[str, Chapter] = {}
    for chapter in chapters:
        first.setdefault(chapter.paper.package, chapter)
    figure, axes = new_figure(width=TEXT_WIDTH, height=0.3 * len(papers) + 1.0)
    rows: list[dict[str, Any]] = []
    for place, paper in enumerate(papers):
        rows += _draw_marks(axes, place, paper, first.get(paper.package), without)
    longest = max((row["number"] for row in rows), default=1)
    axes.set(ylim=(len(papers) - 0.4, -0.7), xlim=(0.4, max(longest, 10) + 0.6))
    axes.set_yticks(range(len(papers)), [paper.short_title for paper in papers])
    axes.tick_params(length=0)
    axes.set_xticks([])
    axes.grid(visible=False)
    axes.spines[["left", "bottom"]].set_visible(False)
    counts = Counter(row["outcome"] for row in rows)
    _name_marks(axes, counts, control_fails=any(row["control_fails"] for row in rows))
    title = f"{counted(len(rows), 'claim')}: {counts[OUTCOMES[0]]} reproduced, {counts[OUTCOMES[1]]} partly"
    state_finding(figure, title)
    return Drawing(figure, "board", _board_alternative(papers, rows, without), "", pd.DataFrame(rows))


def _draw_marks(axes: Axes, place: int, paper: Paper, chapter: Chapter | None, without: str) -> list[dict[str, Any]]:
    verdicts = chapter.record.verdicts if chapter is not None and chapter.record else ()
    if not verdicts:
        axes.text(0.75, place, without, va="center", fontsize=8, color=PAPER_COLOUR, style="italic")
    rows = []
    for count, verdict in enumerate(verdicts, start=1):
        axes.plot(count, place, linestyle="none", markersize=9, **STYLES[verdict.outcome])
        remark = verdict.claim_id + ("!" if verdict.failed_controls else "")
        axes.text(count + 0.2, place, remark, va="center", fontsize=6.5, color=PAPER_COLOUR)
        rows.append(
            {
                "paper": paper.slug, "number": count, "claim": verdict.claim_id, "outcome": verdict.outcome,
                "control_fails": bool(verdict.failed_controls),
            }
        )  # fmt: skip
    return rows


def _name_marks(axes: Axes, counts: Counter[str], *, control_fails: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="none", markersize=7, label=f"{outcome} ({counts[outcome]})", **style)
        for outcome, style in STYLES.items()
    ]
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.38, -0.01), ncols=3,
        handletextpad=0.2, columnspacing=1.2, title="! a control fails" if control_fails else None, title_fontsize=8,
    )  # fmt: skip


def _board_alternative(papers: Sequence[Paper], rows: Sequence[dict[str, Any]], without: str) -> str:
    said = []
    for paper in papers:
        counts = Counter(row["outcome"] for row in rows if row["paper"] == paper.slug)
        parts = [f"{counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome]]
        said.append(f"{paper.short_title}: {listed(parts) if parts else without}")
    return f"Verdicts on {counted(len(rows), 'claim')}. {'; '.join(said)}."
