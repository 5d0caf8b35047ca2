"""Words and numbers as the book's generated pages print them."""

import re
from collections.abc import Iterable
from datetime import datetime

# What an author may use in a claim's sentence: formulas and code; everything else is plain text.
_KEPT = re.compile(r"(?<![\\$])\$(?=\S)[^$\n]+?(?<=\S)\$(?!\d)|`[^`\n]+`")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~^])")
_STARTS_A_BLOCK = re.compile(r"^([-+=:]|\d+[.)])(?=\s|$|:)")


def plain(text: object) -> str:
    r"""Return text as one line of MyST that reads as it is written; ``$…$`` and code in backticks keep their meaning.

    Examples
    --------
    >>> plain("a_b beats $x_1$ by *10 <points>")
    'a\\_b beats $x_1$ by \\*10 \\<points\\>'
    """
    line = " ".join(str(text).split())
    pieces, position = [], 0
    for match in _KEPT.finditer(line):
        pieces += [_SPECIAL.sub(r"\\\1", line[position : match.start()]), match.group()]
        position = match.end()
    pieces.append(_SPECIAL.sub(r"\\\1", line[position:]))
    return _STARTS_A_BLOCK.sub(_escaped_start, "".join(pieces))


def _escaped_start(found: re.Match[str]) -> str:
    """Escape what would begin a list or a directive: the dash itself, or the point after a number."""
    return found.group()[:-1] + "\\" + found.group()[-1]


def duration(seconds: float) -> str:
    """Return a duration in words.

    Examples
    --------
    >>> duration(8.2), duration(95), duration(7400)
    ('8 s', '1 min 35 s', '2 h 3 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def day(moment: datetime) -> str:
    """Return a date as the book writes it, e.g. ``4 March 2026``."""
    return f"{moment.day} {moment:%B %Y}"


def listed(items: Iterable[str]) -> str:
    """Return items as an enumeration: ``a, b and c``."""
    *rest, last = [*items] or [""]
    return f"{', '.join(rest)} and {last}" if rest else last


def counted(count: int, noun: str) -> str:
    """Return a count with its noun in the right number.

    Examples
    --------
    >>> counted(1, "claim"), counted(3, "claim")
    ('1 claim', '3 claims')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
