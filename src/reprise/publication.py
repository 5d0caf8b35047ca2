"""Results that the repository keeps: published runs, and the quick outputs stored in the notebooks."""

from __future__ import annotations

import shutil
from pathlib import Path

from reprise.catalogue import find_paper
from reprise.errors import ParametersError, RunError, unknown_name
from reprise.interruption import uninterrupted
from reprise.notebook_files import notebook_faults, read_notebook, write_notebook
from reprise.parameters import PROFILES
from reprise.paths import build_folder, run_folder
from reprise.runner import run_chapter


def publish(name: str, profile: str) -> Path:
    """Copy a fresh, complete run of this machine into ``results/``, where the report takes it from.

    Raises
    ------
    RunError
        If the run is missing, failed, has unrun cells, or is stale; nothing is copied then.
    """
    from reprise.paths import results_folder
    from reprise.record import load
    from reprise.verification import differences, staleness

    paper = find_paper(name)
    if profile not in PROFILES:
        raise unknown_name("profile", profile, list(PROFILES))
    source, target = run_folder(profile), results_folder() / profile
    record = load(source / f"{paper.package}.json")
    notebook = read_notebook(source / f"{paper.package}.ipynb")
    other = [] if record.profile == profile else [f"its parameters are those of profile {record.profile}"]
    if problems := [*other, *notebook_faults(notebook), *staleness(record), *differences(record)]:
        raise RunError(f"the run of {paper.slug} cannot be published: {'; '.join(problems)}.")
    with uninterrupted():
        target.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(target / paper.package, ignore_errors=True)
        shutil.copytree(source / paper.package, target / paper.package)
        for ending in ("ipynb", "json"):
            shutil.copyfile(source / f"{paper.package}.{ending}", target / f"{paper.package}.{ending}")
    return target / f"{paper.package}.json"


def refresh(name: str) -> Path:
    """Execute a chapter's notebook with its quick defaults and store the outputs in the notebook itself.

    These outputs are what nbval compares with.
    """
    paper = find_paper(name)
    executed = run_chapter(name, profile="quick", output=build_folder() / "refresh")
    notebook = read_notebook(executed)
    if any("injected-parameters" in cell["metadata"].get("tags", []) for cell in notebook["cells"]):
        raise ParametersError(f"{paper.notebook.name}: its defaults differ from the quick profile; make them equal.")
    write_notebook(notebook, paper.notebook)
    return paper.notebook
