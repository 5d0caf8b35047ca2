"""Words and numbers as the book's generated pages print them."""

import math
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


def decimals_for(half_width: float) -> int:
    """Return how many decimals show two significant digits of an interval's half-width."""
    return max(0, 1 - math.floor(math.log10(half_width)))


def number(value: float, decimals: int | None = None) -> str:
    """Return a number with a proper minus sign, to four significant digits unless decimals are given."""
    text = f"{value:.4g}" if decimals is None else f"{value:.{decimals}f}"
    return text.replace("-", "−")


def estimate(value: float | None, low: float | None, high: float | None) -> str:
    """Return an estimate with its interval, rounded to two significant digits of the interval's half-width.

    Examples
    --------
    >>> estimate(12.3456, 10.1, 14.7), estimate(0.5, None, None), estimate(None, None, None)
    ('12.3 [10.1, 14.7]', '0.5', '–')
    """
    if value is None:
        return "–"
    if low is None or high is None or not high > low:
        return number(value)
    decimals = decimals_for((high - low) / 2)
    return f"{number(value, decimals)} [{number(low, decimals)}, {number(high, decimals)}]"


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
