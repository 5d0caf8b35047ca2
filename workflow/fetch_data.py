"""Fetch and check the files behind registry patterns, then note their hashes: ``fetch_data.py NOTE PATTERN …``."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from reprise import data
from reprise.errors import RepriseError
from reprise.interruption import interruptible


def main(note: str, patterns: Sequence[str]) -> None:
    """Fetch what is not there yet, check every byte, and write path and SHA-256 of each file to the note."""
    try:
        data.fetch_all(patterns, progress=False)
    except RepriseError as error:
        sys.exit(str(error))
    hashes = {str(entry.path): str(entry.sha256) for entry in data.select(patterns)}
    Path(note).write_text(json.dumps(hashes, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with interruptible():
        main(sys.argv[1], sys.argv[2:])
