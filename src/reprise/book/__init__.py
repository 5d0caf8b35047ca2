"""The book: executed notebooks and records in, a folder of HTML pages out; nothing is computed here.

``stage`` lays out the sources (hand-written pages, executed notebooks, pages made from records), ``render`` builds them
with Jupyter Book, ``check_pages`` looks at the result, ``build`` does the three in turn. Each step reads only what the
step before left on disk, so each can be repeated and looked at by itself.
"""

from reprise.book.checks import Fault, check_pages
from reprise.book.errors import BookError
from reprise.book.rendering import build, render
from reprise.book.scoreboard import scoreboard
from reprise.book.staging import Staged, stage

__all__ = ["BookError", "Fault", "Staged", "build", "check_pages", "render", "scoreboard", "stage"]
