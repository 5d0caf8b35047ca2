"""The README's generated parts: the table of papers with verdicts and costs, and the picture of the scoreboard.

``python -m reprise.book.readme`` (``make readme``) writes both from the published records, in seconds; a test says when
they no longer follow from these.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reprise.book.chapters import Chapter, by_package, published_chapters
from reprise.book.errors import BookError
from reprise.book.overview_figures import draw_board
from reprise.book.scoreboard import one_line
from reprise.book.text import duration
from reprise.paths import repository, results_folder
from reprise.record import write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from reprise.catalogue import Paper

BEGIN, END = "<!-- papers: written by `make readme` -->\n", "<!-- end of papers -->\n"
PICTURE = "results/scoreboard.png"
DATA_KEY = "reprise-data-sha256"


def papers_table(papers: Sequence[Paper], published: Sequence[Chapter]) -> str:
    """Return the table of papers as Markdown: verdicts, and what the published run took.

    Parameters
    ----------
    papers
        The papers, one a line.
    published
        The published chapters; of each paper the first counts.
    """
    first = by_package(published)
    lines = ["| Paper | Verdicts | Published run took |", "|---|---|---|"]
    for paper in papers:
        chapter = first.get(paper.package)
        verdicts, took = (one_line(chapter), _took(chapter)) if chapter else ("no published run yet", "–")
        lines.append(f"| [{paper.short_title}]({paper.arxiv_url or paper.openreview_url}) | {verdicts} | {took} |")
    return "\n".join(lines) + "\n"


def _took(chapter: Chapter) -> str:
    if chapter.record is None:
        return "–"
    cost = chapter.record.cost
    return f"{duration(cost.seconds)}, {cost.peak_memory_mib / 1024:.1f} GiB"


def with_table(readme: str, table: str) -> str:
    """Return the README with the table between its two marks.

    Raises
    ------
    BookError
        If a mark is missing.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise BookError(f"README.md has no place for the table of papers; put {BEGIN.strip()} and {END.strip()} in it.")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def data_sha256(data: pd.DataFrame) -> str:
    """Return the hash of the numbers drawn, which the picture carries."""
    return hashlib.sha256(data.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def picture(papers: Sequence[Paper], published: Sequence[Chapter]) -> tuple[bytes, str]:
    """Return the scoreboard as a small PNG, and its alternative text."""
    from matplotlib import pyplot
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    from reprise.page import as_png

    drawing = draw_board(papers, published)
    details, content = PngInfo(), io.BytesIO()
    details.add_text(DATA_KEY, data_sha256(drawing.data))
    Image.open(io.BytesIO(as_png(drawing.figure))).save(content, format="png", optimize=True, pnginfo=details)
    pyplot.close(drawing.figure)
    return content.getvalue(), drawing.alt


def picture_is_fresh(path: Path, papers: Sequence[Paper], published: Sequence[Chapter]) -> bool:
    """Tell whether a picture was drawn from what the records say now."""
    from matplotlib import pyplot
    from PIL import Image

    drawing = draw_board(papers, published)
    pyplot.close(drawing.figure)
    return path.is_file() and Image.open(path).info.get(DATA_KEY) == data_sha256(drawing.data)


def published_now() -> tuple[Sequence[Paper], list[Chapter]]:
    """Return the papers of the catalogue and their published chapters; whether a record is stale is not asked here."""
    from reprise.catalogue import PAPERS

    return PAPERS, published_chapters(PAPERS, results_folder(), lambda record: [])


def main() -> None:
    """Write the README's table and picture."""
    papers, published = published_now()
    readme = repository() / "README.md"
    text = with_table(readme.read_text(encoding="utf-8"), papers_table(papers, published))
    write_atomically(readme, text)
    if not picture_is_fresh(repository() / PICTURE, papers, published):
        write_atomically(repository() / PICTURE, picture(papers, published)[0])
    print(f"README.md and {PICTURE}: {len(published)} published runs.")


if __name__ == "__main__":
    main()
