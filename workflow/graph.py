"""What the Snakefile asks: which chapters there are, what each depends on, and how one is run.

Everything here is read from the catalogue, the parameter files and the data registry; nothing is run. The paths are
relative to the repository, in which Snakemake works, so that the same graph is planned on every machine.
"""

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gpu import count_gpus
from reprise import catalogue, data
from reprise.errors import RepriseError, unknown_name
from reprise.fan_in import cells_of
from reprise.notebook_files import declared_parameters, read_notebook
from reprise.parameters import PROFILES, profile_parameters

# A chapter's rows and figures do not depend on how the pages around it are made or on the command line's words.
PRESENTATION = frozenset({"book", "book.py", "cli.py", "__main__.py"})

# Memory in MiB and minutes that one run of a notebook may take; a cluster holds a job to them.
BUDGETS: Mapping[str, tuple[int, int]] = {
    "quick": (4096, 15),
    "standard": (16384, 120),
    "paper": (65536, 1440),
}


@dataclass(frozen=True)
class Plan:
    """What a run was asked for, taken from Snakemake's ``config``.

    Parameters
    ----------
    profile
        Name of the parameter set: ``quick``, ``standard`` or ``paper``.
    papers
        Slugs or package names; empty for all that are written.
    fan_out
        Run each (data set, seed) as a job of its own and the chapter from their records.
    datasets, seeds
        Replace those of the profile; empty for the profile's own.
    gpus
        Accelerators that one job asks for.
    published_only
        Leave this machine's runs out of the book.
    """

    profile: str
    papers: tuple[str, ...] = ()
    fan_out: bool = False
    datasets: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    gpus: int = 0
    published_only: bool = False

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Plan":
        """Read the plan from Snakemake's configuration; ``gpu=auto`` is 1 where a GPU is, but 0 in ``quick``."""
        profile = str(config.get("profile", "quick"))
        gpu = config.get("gpu", "auto")
        if gpu == "auto":
            gpu = 1 if profile != "quick" and count_gpus() else 0
        return cls(
            profile=profile,
            papers=tuple(_as_list(config.get("papers"))),
            fan_out=_is_true(config.get("fan_out", False)),
            datasets=tuple(str(name) for name in _as_list(config.get("datasets"))),
            seeds=tuple(int(seed) for seed in _as_list(config.get("seeds"))),
            gpus=int(gpu),
            published_only=_is_true(config.get("published_only", False)),
        )

    @property
    def memory_mb(self) -> int:
        """Return the memory that one job may use, in MiB."""
        return BUDGETS.get(self.profile, BUDGETS["paper"])[0]

    @property
    def minutes(self) -> int:
        """Return the minutes after which a cluster may end a job."""
        return BUDGETS.get(self.profile, BUDGETS["paper"])[1]


def _as_list(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [part for part in value.replace(",", " ").split() if part]
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_true(value: Any) -> bool:
    return str(value).lower() in ("1", "true", "yes")


@dataclass(frozen=True)
class Chapter:
    """One paper's node of the graph under a plan."""

    paper: Any
    plan: Plan
    home: Path

    @property
    def package(self) -> str:
        """Return the name of the package, which is also the notebook's."""
        return str(self.paper.package)

    @property
    def notebook(self) -> str:
        """Return the path of the notebook's source."""
        return f"notebooks/{self.package}.ipynb"

    @property
    def parameters_file(self) -> str:
        """Return the path of the file with the profiles."""
        return f"notebooks/parameters/{self.package}.yaml"

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Return the notebook's defaults under the profile's parameters under the plan's data sets and seeds.

        Raises
        ------
        RepriseError
            If the file is missing or has no such profile.
        """
        notebook = read_notebook(self.home / self.notebook)
        profile = profile_parameters(self.paper, self.plan.profile)
        parameters = {**declared_parameters(notebook), **profile}
        if self.plan.datasets:
            parameters["datasets"] = list(self.plan.datasets)
        if self.plan.seeds:
            parameters["seeds"] = list(self.plan.seeds)
        return parameters

    @property
    def datasets(self) -> tuple[str, ...]:
        """Return the names of the data sets that the chapter runs on."""
        return tuple(self.parameters.get("datasets", ()))

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return the seeds that the chapter runs with."""
        return tuple(self.parameters.get("seeds", ()))

    @property
    def threads(self) -> int:
        """Return the CPU threads that one run uses."""
        return int(self.parameters.get("threads", 1))

    def data_patterns(self, *datasets: str) -> tuple[str, ...]:
        """Return the registry patterns of the real data sets named, by default of all that the chapter runs on."""
        wanted = set(datasets or self.datasets)
        sets = [one for one in self.paper.data_sets if one.name in wanted and one.kind == "real"]
        return tuple(dict.fromkeys(pattern for one in sets for pattern in one.files))

    def data_hashes(self, *datasets: str) -> dict[str, str]:
        """Return path and SHA-256, as the registry has them, of every real file of the data sets named (or all)."""
        patterns = self.data_patterns(*datasets)
        return {str(entry.path): str(entry.sha256) for entry in data.select(patterns)} if patterns else {}

    @property
    def code(self) -> list[str]:
        """Return the files that a run depends on: the package, the shared modules, the locked environment."""
        others = {str(paper.package) for paper in catalogue.PAPERS} - {self.package}
        skipped = others | PRESENTATION
        source = self.home / "src" / "reprise"
        found = ["requirements.lock"] if (self.home / "requirements.lock").is_file() else []
        for file in sorted(source.rglob("*")):
            parts = file.relative_to(source).parts
            if parts[0] in skipped or "__pycache__" in parts or not file.is_file():
                continue
            if parts[0] == self.package or file.suffix in (".py", ".mplstyle"):
                found.append(str(file.relative_to(self.home)))
        return found

    def notebook_sha256(self) -> str:
        """Return the hash of the notebook's cells without their outputs, which `make notebooks` rewrites."""
        cells = json.loads((self.home / self.notebook).read_text(encoding="utf-8"))["cells"]
        sources = [[cell["cell_type"], "".join(cell["source"]), cell["metadata"].get("tags", [])] for cell in cells]
        return hashlib.sha256(json.dumps(sources).encode()).hexdigest()

    def cells(self) -> list[tuple[str, int]]:
        """Return the (data set, seed) pairs of the fan-out, in the order of the parameters."""
        return cells_of(self.parameters)

    def cell_record(self, dataset: str, seed: int | str) -> str:
        """Return the path of the record that one (data set, seed) leaves."""
        return f"build/cells/{self.plan.profile}/{self.package}/{dataset}/{seed}/{self.package}.json"

    def records(self) -> list[str]:
        """Return the records that the chapter reads: those of its fan-out, or none."""
        return [self.cell_record(*cell) for cell in self.cells()] if self.plan.fan_out else []

    def run_arguments(self) -> str:
        """Return the command-line parameters of the chapter's own run, quoted for the shell."""
        given: dict[str, Any] = {}
        if self.plan.datasets:
            given["datasets"] = list(self.datasets)
        if self.plan.seeds:
            given["seeds"] = list(self.seeds)
        if self.plan.fan_out:
            given["records"] = self.records()
        return arguments(given)

    def cell_arguments(self, dataset: str, seed: int | str) -> str:
        """Return the command-line parameters of one (data set, seed), quoted for the shell."""
        return arguments({"datasets": [dataset], "seeds": [int(seed)]})


def arguments(parameters: Mapping[str, Any]) -> str:
    r"""Spell parameters for ``reprise run``, values as YAML.

    Examples
    --------
    >>> arguments({"datasets": ["DG-15"], "seeds": [0, 1]})
    '-p \'datasets=["DG-15"]\' -p \'seeds=[0, 1]\''
    """
    return " ".join(f"-p {shlex.quote(f'{name}={json.dumps(value)}')}" for name, value in parameters.items())


def chapters(plan: Plan, home: Path) -> dict[str, Chapter]:
    """Return the chapters of a plan by package name: those asked for, or every paper that has a notebook.

    Raises
    ------
    RepriseError
        If the profile or a paper is unknown, or a paper is named and not written yet, or lacks the profile.
    """
    if plan.profile not in PROFILES:
        raise unknown_name("profile", plan.profile, list(PROFILES))
    named = [catalogue.find_paper(name) for name in plan.papers]
    for paper in named:
        if not paper.is_written():
            raise RepriseError(f"the chapter {paper.slug!r} has no notebook yet (notebooks/{paper.package}.ipynb).")
    papers = named or [paper for paper in catalogue.PAPERS if paper.is_written()]
    found = {str(paper.package): Chapter(paper, plan, home) for paper in papers}
    for chapter in found.values():
        _ = chapter.parameters, chapter.data_hashes()
    return found


def book_sources(home: Path, plan: Plan) -> list[str]:
    """Return every file that the pages are made of: hand-written ones, published runs, this machine's runs.

    Failed runs are among them, so the book is rendered again when a chapter begins or ceases to fail.
    """
    folders = ["book", "results", "src/reprise", *([] if plan.published_only else [f"build/run/{plan.profile}"])]
    data, pages = (
        (".ipynb", ".json", ".csv", ".yaml", ".yml", ".lock"),
        (".md", ".jinja", ".bib", ".css", ".js", ".svg"),
    )
    wanted = (*data, *pages, ".py", ".png")
    found = [name for name in ("_config.yml", "requirements.lock") if (home / name).is_file()]
    for folder in folders:
        for file in sorted((home / folder).rglob("*")):
            hidden = any(part.startswith((".", "__pycache__")) for part in file.relative_to(home).parts)
            if file.suffix in wanted and not hidden and file.is_file():
                found.append(str(file.relative_to(home)))
    return found
