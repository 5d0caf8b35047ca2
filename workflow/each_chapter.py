"""Call a command for one written chapter after the other: ``each_chapter.py [--papers A,B] COMMAND …``.

The package's name is appended to the command. All chapters are tried; the exit status is 1 if one of them failed.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence

from reprise.catalogue import PAPERS, find_paper
from reprise.errors import RepriseError


def chosen(names: Sequence[str]) -> list[str]:
    """Return the packages of the papers named, or of all that are written."""
    return [find_paper(name).package for name in names] or [paper.package for paper in PAPERS if paper.is_written()]


def main(given: Sequence[str]) -> int:
    """Run the command for each chapter and say which failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--papers", default="", help="only these, separated by commas")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(given)
    try:
        packages = chosen([name for name in options.papers.split(",") if name])
    except RepriseError as error:
        sys.exit(str(error))
    failed = []
    for number, package in enumerate(packages, start=1):
        print(f"[{number}/{len(packages)}] {package}", flush=True)
        if subprocess.run([*options.command, package], check=False).returncode:
            failed.append(package)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
