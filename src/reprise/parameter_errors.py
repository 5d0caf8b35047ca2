"""What is wrong with a parameter, told to a person: its name, what is allowed, and what was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from reprise.errors import nearest

# What a value has to be, by pydantic's type of error.
KINDS = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
}
BOUNDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than_equal": lambda context: f"{context['ge']:g} or more",
    "greater_than": lambda context: f"more than {context['gt']:g}",
    "less_than_equal": lambda context: f"{context['le']:g} or less",
    "less_than": lambda context: f"less than {context['lt']:g}",
    "literal_error": lambda context: str(context["expected"]),
}


def explain(error: ValidationError) -> str:
    """Return one sentence for each parameter that is wrong."""
    problems = error.errors()
    # A list with a wrong entry is reported a second time, as too short, since its wrong entries do not count.
    entries = {problem["loc"][0] for problem in problems if len(problem["loc"]) > 1}
    told = [p for p in problems if not (p["type"] == "too_short" and p["loc"][0] in entries)]
    return " ".join(f"{_sentence(problem)}." for problem in told)


def _sentence(problem: Mapping[str, Any]) -> str:
    given, message = problem["input"], str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
    if not problem["loc"]:  # a rule over several parameters names them itself
        return f"parameters: {message}"
    name = f"parameter {_path(problem['loc'])}"
    if problem["type"] == "missing":
        return f"{name}: is needed and was not given"
    if problem["type"] == "value_error":
        return f"{name}: {message}" if _names(message, given) else f"{name}: {message} (given: {given!r})"
    if problem["type"] == "too_short":
        least = problem["ctx"]["min_length"]
        return f"{name}: must have at least {least} {'entry' if least == 1 else 'entries'}, it has {len(given)}"
    allowed = _allowed(problem)
    was = _as_written(given)
    if allowed is None:
        return f"{name}: {message} (given: {was})"
    return f"{name}: must be {allowed}, not {was}{_hint(problem)}"


def _as_written(given: object) -> str:
    """Spell a value as it stands in YAML where Python has another word for it."""
    if isinstance(given, bool):
        return str(given).lower()
    return "empty" if given is None else repr(given)


def _path(place: tuple[int | str, ...]) -> str:
    """Spell a place within the parameters: ``methods[0]``, ``seed_limits[cora]``."""
    return str(place[0]) + "".join(f"[{part}]" for part in place[1:])


def _allowed(problem: Mapping[str, Any]) -> str | None:
    if kind := KINDS.get(problem["type"]):
        return kind
    bound = BOUNDS.get(problem["type"])
    return None if bound is None else bound(problem["ctx"])


def _hint(problem: Mapping[str, Any]) -> str:
    given, name = problem["input"], problem["loc"][0]
    if problem["type"] in ("tuple_type", "list_type") and isinstance(given, str | int | float):
        return f"; for one entry write {name}=[{given}]"
    if problem["type"] == "literal_error":
        words = str(problem["ctx"]["expected"]).replace(" or ", ", ").split(", ")
        close = nearest(given, [word.strip("'") for word in words])
        return f" (did you mean {close!r}?)" if close else ""
    return ""


def _names(message: str, given: object) -> bool:
    """Tell whether a message has the value already."""
    return "got " in message or str(given) in message or repr(given) in message or "unknown" in message
