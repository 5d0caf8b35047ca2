"""Run a chapter's notebook: parameters checked before the kernel starts, outputs moved into place only when whole."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reprise.catalogue import Paper, find_paper
from reprise.errors import ParametersError, RepriseError, RunError
from reprise.fan_in import fitting_records
from reprise.interruption import uninterrupted
from reprise.notebook_files import declared_parameters, read_notebook, strip_machine, write_notebook
from reprise.parameters import from_repository, resolve_parameters, settings_class
from reprise.paths import repository, rows_file, run_folder

# Instruction sets differ in the last bits of a sum, and training magnifies them. With these settings the quick profile
# prints the same figures on every x86-64 machine with AVX2.
COMMON_INSTRUCTION_SET = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "AVX2,STRICT",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
CELL_TIMEOUT_S = {"quick": 600, "standard": 4 * 3600, "paper": None}
LONGEST_WAIT_S = 5.0  # for the kernel of a killed run, which looks for its parent once a second


def run_chapter(
    name: str,
    *,
    profile: str = "quick",
    overrides: Mapping[str, Any] | None = None,
    output: Path | None = None,
    reuse: Path | None = None,
    keep: Path | None = None,
    progress: bool = False,
) -> Path:
    """Execute one chapter's notebook and leave notebook, record and data of tables and figures in a folder.

    Parameters
    ----------
    name
        Slug or package name of the paper.
    profile
        ``quick``, ``standard`` or ``paper``.
    overrides
        Parameters that differ from the profile's.
    output
        Folder for the results; the profile's run folder by default.
    reuse
        A record from which the rows are taken, instead of computing them, if nothing that determines them changed
        since. A change of text or figures then costs seconds.
    keep
        A record that need not be there yet: reused in the same way, and after the run it holds the new record.
    progress
        Show a progress bar over the cells.

    Returns
    -------
    Path
        The executed notebook.

    Raises
    ------
    RepriseError
        Before anything starts for bad parameters, rules that are not locked, or missing data; as ``RunError`` if the
        notebook raised, in which case ``PACKAGE.failed.ipynb`` shows where, and of the chapter's other outputs only the
        rows remain, if they were computed: the next run into the folder begins with them if nothing that determines
        them changed.
    """
    from reprise.verification import claims_of, rule_lock

    paper = find_paper(name)
    parameters = resolve_parameters(paper, profile, overrides or {})
    if output == Path() or (keep is not None and keep.is_dir()):
        raise ParametersError("--output needs a folder of its own, and --keep a file.")
    _take_given_rows(reuse, keep, paper, parameters)
    rule_lock(paper.package).require(claims_of(paper.package))
    _require_data(paper, parameters)
    folder = (output or run_folder(profile)).resolve()
    scratch = _claim_scratch(folder, paper)
    kept_rows = rows_file(folder, paper.package)
    _take_rows_from((kept_rows,), paper, parameters)
    try:
        _execute(paper, profile, parameters, scratch, progress)
        with uninterrupted():
            _move_into_place(scratch, folder, paper.package)
            rows_file(scratch, paper.package).unlink(missing_ok=True)
            kept_rows.unlink(missing_ok=True)
            if keep is not None:
                keep.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / f"{paper.package}.json", keep)
    except RunError as error:
        _keep_failure(scratch, folder, paper.package)
        kept = folder / f"{paper.package}.failed.ipynb"
        raise RunError(f"{error} (see {kept})" if kept.is_file() else str(error)) from error
    finally:
        _keep_rows(scratch, folder, paper.package)
        shutil.rmtree(scratch, ignore_errors=True)
    return folder / f"{paper.package}.ipynb"


def _take_given_rows(reuse: Path | None, keep: Path | None, paper: Paper, parameters: dict[str, Any]) -> None:
    """Let the run read a record that was given, if its rows fit; say so if those to be reused do not."""
    from reprise.record import load

    if reuse is not None:
        load(reuse)  # Refuses what is absent or no record.
    why_not = _take_rows_from((reuse, keep), paper, parameters)
    if reuse is not None and why_not:
        print(f"reprise: the rows of {reuse} do not fit; they are computed anew: {why_not}", file=sys.stderr)


def _take_rows_from(sources: Iterable[Path | None], paper: Paper, parameters: dict[str, Any]) -> str:
    """Let the run read the first of these records whose rows are those that it would compute now.

    Returns
    -------
    str
        Why none was taken; empty if one was, or if the run reads records already.
    """
    settings = settings_class(paper).checked({k: v for k, v in parameters.items() if k != "records"})
    reasons = []
    for source in () if parameters.get("records") else filter(None, sources):
        try:
            fitting_records(paper, settings, [str(source.resolve())])
        except RepriseError as error:
            reasons.append(str(error))
        else:
            parameters["records"] = [from_repository(source)]
            return ""
    return " ".join(reasons)


def _require_data(paper: Paper, parameters: Mapping[str, Any]) -> None:
    """Fetch and verify the real data of a run, so that nothing is computed before all of it is there."""
    if parameters.get("records"):
        return
    from reprise.data import fetch_all

    wanted = [d for d in paper.data_sets if d.name in parameters["datasets"] and d.kind == "real"]
    if patterns := [pattern for data_set in wanted for pattern in data_set.files]:
        fetch_all(patterns)


def _claim_scratch(folder: Path, paper: Paper) -> Path:
    """Make the folder in which one run works; one left behind by a killed run is cleared away."""
    scratch = folder / f".{paper.package}.running"
    owner = scratch / "process"
    for ending in ("json", "ipynb", "failed.ipynb"):
        if (in_the_way := folder / f"{paper.package}.{ending}").is_dir():
            raise RepriseError(f"{in_the_way} is a folder where a file has to go; move it, or give another --output.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if owner.is_file() and _is_alive(int(owner.read_text() or 0)):
            raise RepriseError(f"{paper.slug} is already running into {folder}; wait for it or give another --output.")
        _keep_rows(scratch, folder, paper.package)
        _clear(scratch)
        scratch.mkdir()
        owner.write_text(str(os.getpid()))
    except OSError as error:
        raise RepriseError(
            f"cannot write to {folder} ({error.strerror}); give another folder with --output."
        ) from error
    return scratch


def _clear(scratch: Path) -> None:
    """Remove the folder of a killed run, whose kernel may go on writing until it misses its parent."""
    until = time.monotonic() + LONGEST_WAIT_S
    shutil.rmtree(scratch, ignore_errors=True)
    while scratch.exists() and time.monotonic() < until:
        time.sleep(0.05)
        shutil.rmtree(scratch, ignore_errors=True)


def _is_alive(process: int) -> bool:
    import psutil

    return process > 0 and psutil.pid_exists(process)


def _execute(paper: Paper, profile: str, parameters: Mapping[str, Any], scratch: Path, progress: bool) -> None:
    import logging

    import papermill
    from nbclient.exceptions import DeadKernelError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    declared = declared_parameters(read_notebook(paper.notebook))
    changed = {k: v for k, v in parameters.items() if v != declared[k] or type(v) is not type(declared[k])}
    try:
        with _environment_of_the_kernel(profile, scratch):
            papermill.execute_notebook(
                paper.notebook,
                scratch / f"{paper.package}.ipynb",
                parameters=changed,
                kernel_name="python3",
                cwd=str(repository()),
                progress_bar=progress,
                log_output=False,
                execution_timeout=CELL_TIMEOUT_S.get(profile),
            )
    except papermill.PapermillExecutionError as error:
        raise RunError(f"{paper.slug} failed in cell {error.exec_count}: {error.ename}: {error.evalue}") from error
    except (DeadKernelError, TimeoutError, RuntimeError) as error:
        raise RunError(f"{paper.slug} failed: {error or type(error).__name__}") from error
    if not (scratch / f"{paper.package}.json").is_file():
        raise RunError(f"{paper.slug} ended without writing its record; the last cell must call chapter.finish().")


@contextmanager
def _environment_of_the_kernel(profile: str, scratch: Path) -> Iterator[None]:
    """Set what a kernel started meanwhile inherits, and afterwards leave the environment as it was."""
    environment = {
        "REPRISE_OUTPUT": str(scratch),
        "REPRISE_PROFILE": profile,
        "REPRISE_HOME": str(repository()),
        "PYTHONHASHSEED": "0",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "MPLBACKEND": "agg",
        "IPYTHONDIR": str(_plain_ipython(scratch)),
        **(COMMON_INSTRUCTION_SET if profile == "quick" else {}),
    }
    before = {key: os.environ.get(key) for key in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for key, value in before.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})


def _plain_ipython(scratch: Path) -> Path:
    """Make an IPython folder of this run's own, so that a user's start-up files cannot change what a notebook does."""
    profile = scratch / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    # Only errors: at every start the kernel warns that its local connection is not encrypted.
    (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n", encoding="utf-8")
    return scratch / "ipython"


def _move_into_place(scratch: Path, folder: Path, package: str) -> None:
    """Move a complete run's outputs into its folder, the record last: where the record is, all is."""
    notebook = strip_machine(read_notebook(scratch / f"{package}.ipynb"))
    (folder / f"{package}.json").unlink(missing_ok=True)
    (folder / f"{package}.failed.ipynb").unlink(missing_ok=True)
    shutil.rmtree(folder / package, ignore_errors=True)
    if (scratch / package).is_dir():
        os.replace(scratch / package, folder / package)
    write_notebook(notebook, folder / f"{package}.ipynb")
    os.replace(scratch / f"{package}.json", folder / f"{package}.json")


def _keep_failure(scratch: Path, folder: Path, package: str) -> None:
    for name in (f"{package}.ipynb", f"{package}.json"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / package, ignore_errors=True)
    if (scratch / f"{package}.ipynb").is_file():
        notebook = strip_machine(read_notebook(scratch / f"{package}.ipynb"))
        write_notebook(notebook, folder / f"{package}.failed.ipynb")


def _keep_rows(scratch: Path, folder: Path, package: str) -> None:
    """Keep the rows of a run that did not reach its end: the next one with equal parameters starts from them."""
    if rows_file(scratch, package).is_file():
        os.replace(rows_file(scratch, package), rows_file(folder, package))
