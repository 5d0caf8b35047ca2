"""The checks of pairs, gold scores, labels and names, each with a remedy in its message."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence, Set
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reprise.errors import RepriseError, nearest

Pair = tuple[str, str]
LONGEST_SHOWN = 80  # characters of a wrong value in a message
MOST_CLIPPED = 0.2


class TransEncoderInputError(RepriseError, ValueError):
    """Input that the method cannot use; the message says what to change."""


def shown(value: object) -> str:
    """Return a value for a message, cut if it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def check_positive(argument: str, value: object, *, whole: bool = False) -> None:
    """Refuse what is no finite number above 0, or where whole ones are needed, none of 1 or more.

    Raises
    ------
    TransEncoderInputError
        If so.
    """
    kind: Any = Integral if whole else Real
    if not isinstance(value, kind) or isinstance(value, bool) or not 0 < value < np.inf:
        raise TransEncoderInputError(
            f"{argument}={value!r} must be {'1 or more, a whole number' if whole else 'a number above 0'}."
        )


def check_name(argument: str, value: object, known: Iterable[str]) -> None:
    """Refuse a name that does not exist, with the nearest one.

    Raises
    ------
    TransEncoderInputError
        If so.
    """
    known = list(known)
    if value not in known:
        close = nearest(value, known)
        hint = f"; did you mean {close!r}?" if close else "."
        raise TransEncoderInputError(f"{argument}={value!r} is unknown{hint} Known: {', '.join(known)}.")


def check_pairs(pairs: Any, *, argument: str = "pairs", least: int = 1) -> list[Pair]:
    """Return pairs of sentences as a list of tuples.

    Parameters
    ----------
    pairs
        Sequence of two non-empty strings each, first and second, or a DataFrame or array with two columns.
    argument
        How the caller names them.
    least
        Smallest number of pairs.

    Raises
    ------
    TransEncoderInputError
        If there are too few, or one is not two non-empty strings; names its position.
    """
    if isinstance(pairs, str):
        raise TransEncoderInputError(f"{argument} is a single string; give a list of (sentence, sentence) pairs.")
    found: list[Pair] = []
    # A DataFrame would give the names of its columns.
    for place, pair in enumerate(pairs.to_numpy() if hasattr(pairs, "to_numpy") else pairs):
        if isinstance(pair, Mapping):  # it would give its keys
            raise TransEncoderInputError(
                f"{argument}[{place}] = {shown(pair)} is a record; give its two sentences, as in "
                "[(one['first'], one['second']) for one in records]."
            )
        if isinstance(pair, str | Set) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise TransEncoderInputError(
                f"{argument}[{place}] = {shown(pair)} is no pair; give two strings, as in ('A cat sits.', 'A cat "
                "rests.'), or two columns as list(zip(first, second))."
            )
        first, second = pair
        if not (isinstance(first, str) and isinstance(second, str) and first.strip() and second.strip()):
            raise TransEncoderInputError(
                f"{argument}[{place}] = {shown(tuple(pair))} must be two non-empty strings; drop or mend that pair."
            )
        found.append((first, second))
    if len(found) < least:
        raise TransEncoderInputError(f"{argument} has {len(found)} pairs; at least {least} are needed here.")
    return found


def check_sentences(sentences: Any) -> list[str]:
    """Return sentences as a list.

    Raises
    ------
    TransEncoderInputError
        If they are a single string or none at all, or one is no non-empty string.
    """
    if isinstance(sentences, str):
        raise TransEncoderInputError("sentences is a single string; give a list of sentences, as in [sentence].")
    if isinstance(sentences, Mapping | Set) or len(getattr(sentences, "shape", (0,))) > 1:
        raise TransEncoderInputError(
            f"sentences = {shown(type(sentences).__name__)} is no list of sentences; give one column, as in "
            "list(frame['sentence'])."
        )
    found = list(sentences)
    if not found:
        raise TransEncoderInputError("sentences is empty; give one at least.")
    for place, sentence in enumerate(found):
        if not isinstance(sentence, str) or not sentence.strip():
            raise TransEncoderInputError(
                f"sentences[{place}] = {shown(sentence)} must be a non-empty string; drop or mend it."
            )
    return found


def check_gold(gold: ArrayLike, n: int, *, argument: str = "gold", binary: bool = False) -> NDArray[np.float64]:
    """Return gold scores as an array.

    Raises
    ------
    TransEncoderInputError
        If they are no numbers, not as many as the pairs, one is NaN, all are equal (no rank correlation exists), or,
        for a binary task, they are not 0 and 1, both present.
    """
    try:
        values = np.asarray(gold, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TransEncoderInputError(f"{argument} = {shown(gold)} must be one number a pair.") from error
    if values.shape != (n,):
        raise TransEncoderInputError(f"{argument} has the shape {values.shape} for {n} pairs; give one number a pair.")
    if not np.isfinite(values).all():
        place = int(np.flatnonzero(~np.isfinite(values))[0])
        raise TransEncoderInputError(f"{argument}[{place}] is {values[place]}; leave out pairs without a gold score.")
    if binary and not set(np.unique(values)) <= {0.0, 1.0}:
        raise TransEncoderInputError(f"{argument} must be 0 or 1 for the area under the curve; found {values.max():g}.")
    if n and np.ptp(values) == 0:
        raise TransEncoderInputError(
            f"{argument} is {values[0]:g} for all {n} pairs; neither ranks nor classes can be compared then."
        )
    return values


def check_share(clipped: float, *, argument: str = "labels") -> None:
    """Warn of labels that were clipped to [0, 1], and refuse many.

    Raises
    ------
    TransEncoderInputError
        If more than a fifth lies outside.
    """
    if clipped > MOST_CLIPPED:
        raise TransEncoderInputError(
            f"{clipped:.0%} of the {argument} lie outside [0, 1], where the cross-entropy has no minimum; use "
            "label_stretch=True, or a start whose cosines are mostly positive."
        )
    if clipped:
        warnings.warn(f"{clipped:.1%} of the {argument} were clipped to [0, 1].", stacklevel=3)


def check_disjoint(pool: Sequence[Pair], test: Sequence[Pair]) -> None:
    """Refuse a pool that holds test pairs, in either order, for an inductive test.

    Raises
    ------
    TransEncoderInputError
        If so; says how many.
    """
    known = {frozenset(pair) for pair in pool}
    shared = sum(frozenset(pair) in known for pair in test)
    if shared:
        raise TransEncoderInputError(
            f"{shared} of the {len(test)} test pairs are in the pool; take them out for an inductive test."
        )
