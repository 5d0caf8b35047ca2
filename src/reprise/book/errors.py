"""The error of the book."""

from reprise.errors import RepriseError


class BookError(RepriseError):
    """The book could not be staged, built, or did not pass its checks."""
