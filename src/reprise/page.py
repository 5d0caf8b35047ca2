"""The page that a notebook becomes: figures with alternative text, tables with captions, and their numbers as CSV."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reprise.errors import RepriseError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from reprise.plots import Drawing

FIGURE_DPI = 200


class PageError(RepriseError):
    """Two figures or tables of one name."""


class Page:
    """Shows figures and tables in a notebook and keeps the numbers behind them.

    Parameters
    ----------
    folder
        Where the CSV files go; made when the first one is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: set[str] = set()

    def figure(self, drawing: Drawing) -> None:
        """Show a figure with its alternative text and caption, and keep the numbers drawn."""
        from IPython.display import display
        from matplotlib import pyplot

        png = as_png(drawing.figure)
        pyplot.close(drawing.figure)
        self._keep(drawing.name, drawing.data)
        details = {
            "kind": "figure",
            "name": drawing.name,
            "alt": drawing.alt,
            "caption": drawing.caption,
            "data": f"{drawing.name}.csv",
        }
        width = round(drawing.figure.get_figwidth() * 96)
        display(  # type: ignore[no-untyped-call]
            {"image/png": base64.b64encode(png).decode(), "text/plain": drawing.alt},
            raw=True,
            metadata={"reprise": details, "image/png": {"width": width}},
        )

    def table(self, frame: pd.DataFrame, name: str, caption: str, data: pd.DataFrame | None = None) -> None:
        """Show a table and, if there are data, keep them; a table shown again under its name replaces the first."""
        from reprise.tables import to_html

        if data is not None:
            self._keep(name, data)
        details = {"kind": "table", "name": name, "caption": caption, "data": None if data is None else f"{name}.csv"}
        self.html(to_html(frame, caption, name=name), frame.to_string(index=False), name, details)

    def html(self, html: str, text: str, name: str, details: dict[str, Any] | None = None) -> None:
        """Show HTML; showing the same name again replaces what stands where it was shown first."""
        from IPython.display import display, update_display

        bundle = {"text/html": html, "text/plain": text}
        metadata = {"reprise": details} if details else {}
        identifier = f"reprise-{name}"
        show = update_display if identifier in self._names else display
        self._names.add(identifier)
        show(bundle, display_id=identifier, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]

    def markdown(self, text: str) -> None:
        """Show a paragraph of Markdown."""
        from IPython.display import Markdown, display

        display(Markdown(text))  # type: ignore[no-untyped-call]

    def _keep(self, name: str, data: pd.DataFrame) -> None:
        if name in self._names:
            raise PageError(f"two figures or tables are named {name!r}; names are file names and must differ.")
        self._names.add(name)
        self.folder.mkdir(parents=True, exist_ok=True)
        data.to_csv(self.folder / f"{name}.csv", index=False, lineterminator="\n")


def as_png(figure: Figure) -> bytes:
    """Return a figure as PNG with a palette of 256 colours: a third of the size, and the eye sees no difference."""
    from PIL import Image

    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png", dpi=FIGURE_DPI, metadata={"Software": None})
    Image.open(full).convert("RGB").quantize(256).save(small, format="png", optimize=True)
    return small.getvalue()
