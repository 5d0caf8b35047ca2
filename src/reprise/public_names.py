"""Public names of a package that are imported when they are first used, so that the package itself stays light."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from reprise.errors import nearest


def load_when_used(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return the functions by which a package hands out names of its modules (PEP 562), and the list of names.

    Parameters
    ----------
    package
        ``__name__`` of the package.
    homes
        Public name to the module of the package that defines it.

    Returns
    -------
    tuple
        What the package binds to ``__getattr__``, ``__dir__`` and ``__all__``. Asking for a name that it does not have
        raises an AttributeError that names the nearest match.

    Examples
    --------
    >>> find, names, public = load_when_used("reprise", {"digest": "provenance"})
    >>> find("digest").__module__, names(), public
    ('reprise.provenance', ['digest'], ['digest'])
    >>> find("digset")
    Traceback (most recent call last):
    AttributeError: module 'reprise' has no attribute 'digset'; did you mean 'digest'?
    """

    def find(name: str) -> Any:
        if name not in homes:
            close = nearest(name, homes)
            hint = f"; did you mean {close!r}?" if close else ""
            raise AttributeError(f"module {package!r} has no attribute {name!r}{hint}", name=name)
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    def names() -> list[str]:
        return sorted(homes)

    return find, names, list(homes)
