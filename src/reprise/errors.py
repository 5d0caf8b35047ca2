"""The errors that a user of Reprise can meet; the command line prints each as one sentence."""

from collections.abc import Iterable


class RepriseError(Exception):
    """Base of all errors whose message is meant for the user: what is wrong, with which value, what to do."""


class UnknownNameError(RepriseError, ValueError):
    """A paper, profile, parameter, data set or method that does not exist."""


class RunError(RepriseError):
    """A chapter that could not be run, or whose notebook raised."""


class ParametersError(RepriseError, ValueError):
    """A notebook or parameter file whose parameters do not fit together."""


def nearest(name: object, known: Iterable[str]) -> str | None:
    """Return the known name that is most like the given one, whatever its capitals; None if none is like it."""
    from difflib import get_close_matches

    by_small_letters = {other.casefold(): other for other in known}
    close = get_close_matches(str(name).casefold(), by_small_letters, n=1, cutoff=0.5)
    return by_small_letters[close[0]] if close else None


def unknown_name(kind: str, name: object, known: list[str]) -> UnknownNameError:
    """Say that a name is unknown, with the nearest match and all known names.

    Parameters
    ----------
    kind
        What the name stands for, e.g. ``"profile"``.
    name
        The name given.
    known
        The names that exist.

    Returns
    -------
    UnknownNameError
        The error, ready to be raised.

    Examples
    --------
    >>> str(unknown_name("profile", "quik", ["quick", "standard"]))
    "unknown profile 'quik'; did you mean 'quick'? Known: quick, standard."
    """
    close = nearest(name, known)
    hint = f"; did you mean {close!r}?" if close else "."
    separator = "; " if any("," in one for one in known) else ", "
    return UnknownNameError(f"unknown {kind} {str(name)!r}{hint} Known: {separator.join(known) or 'none'}.")
