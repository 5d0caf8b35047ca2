"""Pages made from templates; the templates lie in ``book/_templates``, beside the hand-written pages."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from reprise.book import text
from reprise.paths import book_folder
from reprise.record import write_atomically


@cache
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, not HTML: the filter `plain` escapes what the records say
    )
    environment.filters.update(plain=text.plain, day=text.day, duration=text.duration, listed=text.listed)
    environment.filters["capitalised"] = lambda sentence: sentence[:1].upper() + sentence[1:]
    return environment


def write_page(path: Path, template: str, **values: Any) -> None:
    """Fill a template and write the page."""
    write_atomically(path, fill(template, **values))


def fill(template: str, **values: Any) -> str:
    """Return a filled template."""
    return _environment(book_folder() / "_templates").get_template(template).render(**values)
