"""Write environment.yml from requirements.lock: the same versions for those who use conda.

Conda hands the list under ``pip:`` to pip as a plain requirements file, in which neither ``--no-deps`` nor hashes
beside an unhashed torch are possible; so it names every locked version, torch and this package, without hashes.
"""

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
HEADER = """\
# The packages of requirements.lock for conda users; written by `make lock`, never by hand.
#   conda env create --file environment.yml && conda activate reprise
name: reprise
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - make
  - pip:
"""


def locked(lock: str) -> list[str]:
    """Return the requirements of a lock without hashes, e.g. ``numpy==2.4.6 ; python_full_version < '3.12'``."""
    return [match.strip() for match in re.findall(r"^(\w[^\\\n]*==[^\\\n]*)", lock, flags=re.MULTILINE)]


def pinned_torch(project: str) -> str:
    """Return the torch requirement of a pyproject.toml, e.g. ``torch==2.13.0``."""
    found = re.search(r'"(torch==[^"]+)"', project)
    if found is None:
        raise ValueError("pyproject.toml pins no torch==VERSION; pin one, the lock leaves it out.")
    return found.group(1)


def environment(lock: str, project: str) -> str:
    """Return the text of environment.yml for a lock and a pyproject.toml."""
    requirements = [pinned_torch(project), *locked(lock), "--editable ."]
    return HEADER + "".join(f'      - "{requirement}"\n' for requirement in requirements)


if __name__ == "__main__":
    written = environment(
        (REPOSITORY / "requirements.lock").read_text(encoding="utf-8"),
        (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"),
    )
    sys.stdout.write(written)
