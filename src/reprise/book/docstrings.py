"""The book's extension of Sphinx: which members of a class the reference shows, and how they are written.

A class inherits a lot from its libraries; the reference shows what Reprise wrote, wherever in the ancestry it stands.
"""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import Any


def written_here(member: Any) -> bool:
    """Tell whether a method or property of a class was written in Reprise.

    Examples
    --------
    >>> from reprise.rows import tidy
    >>> written_here(tidy), written_here(dict.get), written_here(property(tidy)), written_here(3)
    (True, False, True, False)
    """
    if isinstance(member, property):
        member = member.fget
    elif isinstance(member, cached_property):
        member = member.func
    elif isinstance(member, classmethod | staticmethod):
        member = member.__func__
    return str(getattr(inspect.unwrap(member) if callable(member) else member, "__module__", "")).startswith("reprise.")


def skip(app: Any, what: str, name: str, member: Any, skipped: bool, options: Any) -> bool | None:
    """Leave out members of a class that a library defines; None leaves the choice to Sphinx."""
    return True if what == "class" and not written_here(member) else None


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
