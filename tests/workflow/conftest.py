"""A repository of three papers that cost nothing to run, with the real workflow in it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAPERS = ("alpha", "beta", "gamma")

CATALOGUE = """
from dataclasses import dataclass
from pathlib import Path

from reprise.errors import unknown_name

@dataclass(frozen=True)
class DataSet:
    name: str
    kind: str
    files: tuple = ()

@dataclass(frozen=True)
class Paper:
    slug: str
    data_sets: tuple

    @property
    def package(self):
        return self.slug

    @property
    def notebook(self):
        return Path("notebooks", f"{self.package}.ipynb")

    def is_written(self):
        return self.notebook.is_file()

SETS = (DataSet("small", "embedded"), DataSet("large", "embedded"), DataSet("mail", "real", ("mail/*",)))
PAPERS = tuple(Paper(slug, SETS) for slug in ("alpha", "beta", "gamma", "unwritten"))

def find_paper(name):
    found = [paper for paper in PAPERS if paper.slug == name]
    if not found:
        raise unknown_name("paper", name, [paper.slug for paper in PAPERS])
    return found[0]
"""

DATA = """
from dataclasses import dataclass
from pathlib import Path

@dataclass(frozen=True)
class Entry:
    path: str
    sha256: str

def select(patterns):
    return tuple(Entry("mail/letters.txt", Path("mail.sha256").read_text()) for pattern in patterns)

def fetch_all(patterns, *, progress):
    with open("calls.log", "a") as file:
        file.write("fetch " + " ".join(patterns) + "\\n")
"""

DECLARED = "datasets = ['small', 'large']\nseeds = [0, 1]\nthreads = 1"

PARAMETERS = """\
quick: {datasets: [small, large], seeds: [0, 1], threads: 1}
standard: {datasets: [mail], seeds: [0, 1, 2], threads: 1}
"""


@dataclass(frozen=True)
class Tiny:
    """The tiny repository and the ways to use it."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment in which its `reprise` and its package are found first."""
        paths = [str(self.home / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
        return {
            **os.environ,
            "PATH": os.pathsep.join(paths),
            "PYTHONPATH": str(self.home / "src"),
            "HOME": str(self.home),
            "REPRISE_HOME": str(self.home),
        }

    def command(self, *words: str, profile: str = "local", config: Sequence[str] = ()) -> list[str]:
        """Return a call of Snakemake with two cores, e.g. ``command("chapters")``."""
        cores = ["--cores", "2"] if profile == "local" else []
        configuration = ["--config", *config] if config else []
        profile_folder = f"workflow/profiles/{profile}"
        return [
            sys.executable,
            "-m",
            "snakemake",
            "--profile",
            profile_folder,
            *cores,
            *configuration,
            "--",
            *words,
        ]

    def snakemake(self, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end."""
        return self.call(self.command(*words, **options))  # type: ignore[arg-type]

    def call(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository to its end; what it printed comes back as one text."""
        return subprocess.run(
            command, cwd=self.home, env=self.environment, text=True, timeout=240, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def make_book(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run what `make book` runs."""
        return self.call([sys.executable, "workflow/make_book.py", *words])

    def calls(self) -> list[str]:
        """Return the calls of `reprise` since the last question."""
        log = self.home / "calls.log"
        if not log.is_file():
            return []
        lines = sorted(log.read_text(encoding="utf-8").splitlines())
        log.unlink()
        return lines

    def write(self, path: str, text: str) -> Path:
        """Write a file, making its folder."""
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def touch(self, path: str) -> None:
        """Give a file a modification time later than that of all outputs."""
        later = max(file.stat().st_mtime for file in self.home.rglob("*") if file.is_file()) + 2
        os.utime(self.home / path, (later, later))

    def rows(self, path: str) -> list[list[object]]:
        """Return the rows of a record."""
        rows: list[list[object]] = json.loads((self.home / path).read_text(encoding="utf-8"))["rows"]
        return rows


def chapter_call(paper: str, profile: str = "quick") -> str:
    """Return how the run graph calls a chapter: its kept record, which only a fresh one replaces, goes along."""
    return f"run {paper} --profile {profile} --keep build/records/{profile}/{paper}.json"


def build_tiny(home: Path) -> Tiny:
    """Lay the tiny repository out in a folder."""
    tiny = Tiny(home)
    shutil.copytree(REPOSITORY / "workflow", home / "workflow", ignore=shutil.ignore_patterns("__pycache__"))
    copied = ("__init__", "errors", "paths", "parameters", "notebook_files", "fan_in", "interruption")
    for name in (f"{module}.py" for module in copied):
        tiny.write(f"src/reprise/{name}", (REPOSITORY / "src" / "reprise" / name).read_text(encoding="utf-8"))
    tiny.write("src/reprise/catalogue.py", CATALOGUE)
    tiny.write("src/reprise/data/__init__.py", DATA)
    tiny.write("src/reprise/cli.py", "")
    tiny.write("src/reprise/book/__init__.py", "")
    tiny.write("pyproject.toml", 'name = "reprise-iclr2022"\n')
    tiny.write("requirements.lock", "numpy==1\n")
    tiny.write("mail.sha256", "abc")
    tiny.write("book/intro.md", "# Introduction\n")
    for paper in PAPERS:
        given = {"cell_type": "code", "source": [DECLARED], "metadata": {"tags": ["parameters"]}, "outputs": []}
        cell = {"cell_type": "code", "source": [f"run({paper!r})"], "metadata": {}, "outputs": []}
        tiny.write(f"notebooks/{paper}.ipynb", json.dumps({"cells": [cell, given]}))
        tiny.write(f"notebooks/parameters/{paper}.yaml", PARAMETERS)
        tiny.write(f"src/reprise/{paper}/study.py", "x = 1\n")
    command = Path(__file__).with_name("tiny_reprise.py")
    tiny.write("bin/reprise", f'#!/bin/sh\nexec "{sys.executable}" -S "{command}" "$@"\n').chmod(0o755)
    return tiny


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    """Return a fresh tiny repository."""
    return build_tiny(tmp_path / "repository")
