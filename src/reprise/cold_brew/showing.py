"""Showing a figure or table where the run has rows for it, and saying so where it has not (one cell of a fan-out)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reprise.rows import MissingRowsError

if TYPE_CHECKING:
    import pandas as pd

    from reprise.chapter import Chapter
    from reprise.plots import Drawing


def show_figure(chapter: Chapter, draw: Callable[..., Drawing], *arguments: Any, **options: Any) -> None:
    """Show the figure that ``draw`` returns, if the run has rows for it."""
    try:
        drawing = draw(*arguments, **options)
    except MissingRowsError:
        chapter.say("No figure: this profile, or this part of a run, has no rows for it.")
        return
    chapter.figure(drawing)


def show_table(
    chapter: Chapter, make: Callable[..., pd.DataFrame], *arguments: Any, name: str, caption: str, **options: Any
) -> None:
    """Show the table that ``make`` returns, if the run has rows for it."""
    try:
        frame = make(*arguments, **options)
    except MissingRowsError:
        chapter.say("No table: this profile, or this part of a run, has no rows for it.")
        return
    chapter.table(frame, name=name, caption=caption)
