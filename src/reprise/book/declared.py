"""What people declare about chapters for the book's own pages: printed numbers that claims' estimates stand beside.

The tables lie in ``book/_data``, apart from the packages: a line there changes a page of the book and no run.
"""

from __future__ import annotations

import ast
import csv
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from reprise.book.errors import BookError
from reprise.paths import book_folder

_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Printed:
    """What stands beside an estimate.

    Attributes
    ----------
    value
        The paper's number of the same quantity; None if it prints none.
    how
        How the value comes from printed numbers, e.g. ``84.44 - 72.11``.
    no_effect
        The value that says "no effect": 0 of a difference, 1 of a ratio.
    source
        Table or figure.
    """

    value: float | None = None
    how: str = ""
    no_effect: float = 0.0
    source: str = ""


def data_folder() -> Path:
    """Return the folder of the declared tables."""
    return book_folder() / "_data"


@cache
def _printed_table(path: Path) -> dict[tuple[str, str, str], Printed]:
    table: dict[tuple[str, str, str], Printed] = {}
    for line in _lines(path):
        value = arithmetic(line["how"]) if line["how"] else None
        key = line["paper"], line["claim"], line["quantity"]
        table[key] = Printed(value, line["how"], float(line["no_effect"]), line["source"])
    return table


def printed_beside(paper: str, claim: str, quantity: str) -> Printed:
    """Return the printed number of exactly the quantity that a claim's estimate is of.

    An estimate of something else (a rule may pick the data set with the smallest lead) gets no printed number.

    Parameters
    ----------
    paper, claim
        Slug of the paper and identifier of the claim.
    quantity
        The verdict's ``quantity``.

    Returns
    -------
    Printed
        With ``value`` None where nothing is declared.
    """
    return _printed_table(data_folder() / "printed_values.csv").get((paper, claim, quantity), Printed())


@cache
def _evidence_table(path: Path) -> dict[tuple[str, str], str]:
    return {(line["paper"], line["claim"]): line["shown"] for line in _lines(path)}


def evidence() -> dict[tuple[str, str], str]:
    """Return (paper, claim) to the name of the figure or table that shows the claim's evidence best."""
    return _evidence_table(data_folder() / "evidence.csv")


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def arithmetic(text: str) -> float:
    """Return the value of an expression of numbers, signs, the four operations and parentheses.

    Raises
    ------
    BookError
        If the text is anything else.

    Examples
    --------
    >>> arithmetic("84.5 - 72.25"), arithmetic("-3 * (2 + 1) / 2")
    (12.25, -4.5)
    """
    try:
        return _value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, KeyError, TypeError, ZeroDivisionError) as error:
        raise BookError(f"{text!r} is no arithmetic of printed numbers; write it like '84.44 - 72.11'.") from error


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_value(node.left), _value(node.right))
    raise TypeError(type(node).__name__)
