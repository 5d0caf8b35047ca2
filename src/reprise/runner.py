"""Run a chapter's notebook: parameters checked before the kernel starts, outputs moved into place only when whole."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reprise.catalogue import Paper, find_paper
from reprise.errors import RepriseError, unknown_name
from reprise.fan_in import fitting_records
from reprise.interruption import uninterrupted
from reprise.paths import build_folder, notebooks_folder, repository, rows_file, run_folder

if TYPE_CHECKING:
    from reprise.settings import ChapterSettings

PROFILES = ("quick", "standard", "paper")
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


class RunError(RepriseError):
    """A chapter that could not be run, or whose notebook raised."""


class ParametersError(RepriseError, ValueError):
    """A notebook or parameter file whose parameters do not fit together."""


def settings_class(paper: Paper) -> type[ChapterSettings]:
    """Return the settings class of a paper's package, which validates its parameters."""
    module = importlib.import_module(f"reprise.{paper.package}.settings")
    return module.Settings  # type: ignore[no-any-return]


def read_notebook(path: Path) -> dict[str, Any]:
    """Read a notebook file as JSON.

    Raises
    ------
    RunError
        If it is missing or not a notebook.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["cells"]
    except FileNotFoundError as error:
        raise RunError(f"no notebook at {path}; this chapter has not been written yet.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is not a notebook: {error}.") from error
    return content  # type: ignore[no-any-return]


def _source(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"])


def _code_cells(notebook: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def declared_parameters(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a notebook declares, with their defaults.

    Raises
    ------
    ParametersError
        If there is not exactly one cell tagged ``parameters``, or it holds anything but assignments of literals.
    """
    tagged = [cell for cell in _code_cells(notebook) if "parameters" in cell["metadata"].get("tags", [])]
    if len(tagged) != 1:
        raise ParametersError(f"a notebook needs exactly one cell tagged 'parameters', this one has {len(tagged)}.")
    parameters = {}
    for statement in ast.parse(_source(tagged[0])).body:
        if not (
            isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and isinstance(statement.targets[0], ast.Name)
        ):
            raise ParametersError(
                f"the parameters cell holds {ast.unparse(statement)!r}; write one plain assignment a line."
            )
        name = statement.targets[0].id
        try:
            parameters[name] = ast.literal_eval(statement.value)
        except ValueError as error:
            raise ParametersError(f"the default of parameter {name!r} is not a literal.") from error
    return parameters


def unread_parameters(notebook: Mapping[str, Any]) -> list[str]:
    """Return the declared parameters that no other cell reads, so that setting them would do nothing.

    ``chapter.begin(globals())`` reads them all.
    """
    read: set[str] = set()
    for cell in _code_cells(notebook):
        if "parameters" not in cell["metadata"].get("tags", []):
            tree = ast.parse(_source(cell))
            read |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return [] if "globals" in read else [name for name in declared_parameters(notebook) if name not in read]


def source_sha256(notebook: Mapping[str, Any]) -> str:
    """Return the hash of a notebook's source cells (injected parameters and outputs left out)."""
    from reprise.provenance import digest

    kept = [c for c in notebook["cells"] if "injected-parameters" not in c["metadata"].get("tags", [])]
    return digest([[cell["cell_type"], _source(cell)] for cell in kept])


def profile_parameters(paper: Paper, profile: str) -> dict[str, Any]:
    """Return the parameters of a profile: those that the notebook declares, changed as the profile says.

    The notebook's own values are the quick profile; ``notebooks/parameters/PACKAGE.yaml`` lists for each other profile
    what differs from them.

    Raises
    ------
    UnknownNameError
        If the profile does not exist.
    RunError
        If the parameter file is missing or is not a mapping of profiles.
    """
    import yaml

    path = notebooks_folder() / "parameters" / f"{paper.package}.yaml"
    if not path.is_file():
        raise RunError(f"no parameters at {path}; the chapter {paper.slug} has not been written yet.")
    # The loader in C, where there is one: the run graph reads the files of all chapters each time.
    content = yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if not isinstance(content, dict) or not all(isinstance(value, dict) for value in content.values()):
        raise RunError(f"{path} must map each profile to its parameters.")
    if profile not in content and profile != "quick":
        raise unknown_name("profile", profile, list(dict.fromkeys(["quick", *content])))
    declared = declared_parameters(read_notebook(paper.notebook))
    declared.pop("records", None)
    return {**declared, **content.get("quick", {}), **content.get(profile, {})}


def parse_assignments(assignments: Sequence[str]) -> dict[str, Any]:
    """Read ``name=value`` words, the values as YAML: ``seeds=[3]`` gives a list, ``threads=2`` an integer.

    Raises
    ------
    ParametersError
        If a word has no ``=``, its value is not YAML, or a name is given twice.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        """YAML 1.1 reads ``1e-3`` as text; here it is the number that everybody means."""

    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
    )

    parameters = {}
    for word in assignments:
        name, equals, text = word.partition("=")
        if not equals or not name.strip():
            raise ParametersError(f"parameter {word!r} is not of the form name=value.")
        if name.strip() in parameters:
            raise ParametersError(f"parameter {name.strip()!r} is given twice; give each once.")
        try:
            parameters[name.strip()] = yaml.load(text, Loader)
        except yaml.YAMLError as error:
            raise ParametersError(f"the value of parameter {name!r} is not YAML: {text!r}.") from error
    return parameters


def resolve_parameters(paper: Paper, profile: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters of a run, checked against the notebook and the paper's settings.

    Raises
    ------
    UnknownNameError, SettingsError, ParametersError
        For a parameter that the notebook does not have, a wrong type, a value out of range, a data set or profile
        that does not exist, or a parameter that no cell reads.
    """
    notebook = read_notebook(paper.notebook)
    declared = declared_parameters(notebook)
    if unread := unread_parameters(notebook):
        raise ParametersError(f"{paper.notebook.name} declares {', '.join(unread)} but no cell reads it.")
    parameters = {**declared, **profile_parameters(paper, profile), **overrides}
    for name in parameters:
        if name not in declared:
            raise unknown_name("parameter", name, sorted(declared))
    records = parameters.get("records", [])
    if not isinstance(records, list) or not all(isinstance(path, str) for path in records):
        raise ParametersError(f"parameter records: must be a list of paths (given: {records!r}).")
    settings = settings_class(paper).checked({k: v for k, v in parameters.items() if k != "records"})
    _check_device(settings.device)
    if records:
        parameters["records"] = [_from_repository(path) for path in records]
        fitting_records(paper, settings, parameters["records"])
    return parameters


def _from_repository(path: str) -> str:
    """Return a path as seen from the repository, where notebooks run; given from the working folder or from there."""
    return os.path.relpath(Path(path).resolve(), repository()) if Path(path).exists() else path


def _check_device(name: str) -> None:
    if name not in ("auto", "cpu"):
        from reprise.compute import resolve_device

        resolve_device(name)


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
        Before anything starts for bad parameters or missing data; as ``RunError`` if the notebook raised, in which
        case ``PACKAGE.failed.ipynb`` shows where, and of the chapter's other outputs only the rows remain, if they
        were computed: the next run into the folder begins with them if nothing that determines them changed.
    """
    paper = find_paper(name)
    parameters = resolve_parameters(paper, profile, overrides or {})
    if output == Path() or (keep is not None and keep.is_dir()):
        raise ParametersError("--output needs a folder of its own, and --keep a file.")
    if reuse is not None:
        from reprise.record import load

        load(reuse)  # Refuses what is absent or no record; whether its rows fit is seen below.
    for source in (reuse, keep):
        if source is not None and not parameters.get("records") and _has_these_rows(source, paper, parameters):
            parameters["records"] = [os.path.relpath(source.resolve(), repository())]
    _require_data(paper, parameters)
    folder = (output or run_folder(profile)).resolve()
    scratch = _claim_scratch(folder, paper)
    kept_rows = rows_file(folder, paper.package)
    if not parameters.get("records") and _has_these_rows(kept_rows, paper, parameters):
        parameters["records"] = [os.path.relpath(kept_rows, repository())]
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


def _has_these_rows(path: Path, paper: Paper, parameters: Mapping[str, Any]) -> bool:
    """Tell whether a record's rows are those that a run with these parameters would compute now."""
    settings = settings_class(paper).checked({k: v for k, v in parameters.items() if k != "records"})
    try:
        fitting_records(paper, settings, [str(path.resolve())])
    except RepriseError:
        return False
    return True


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
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if owner.is_file() and _is_alive(int(owner.read_text() or 0)):
            raise RepriseError(f"{paper.slug} is already running into {folder}; wait for it or give another --output.")
        _keep_rows(scratch, folder, paper.package)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        owner.write_text(str(os.getpid()))
    except OSError as error:
        raise RepriseError(
            f"cannot write to {folder} ({error.strerror}); give another folder with --output."
        ) from error
    return scratch


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
    finally:
        for key, value in before.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})
    if not (scratch / f"{paper.package}.json").is_file():
        raise RunError(f"{paper.slug} ended without writing its record; the last cell must call chapter.finish().")


def _plain_ipython(scratch: Path) -> Path:
    """Make an IPython folder of this run's own, so that a user's start-up files cannot change what a notebook does."""
    profile = scratch / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    # Only errors: at every start the kernel warns that its local connection is not encrypted.
    (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n", encoding="utf-8")
    return scratch / "ipython"


def strip_machine(notebook: dict[str, Any]) -> dict[str, Any]:
    """Remove what an execution leaves in a notebook that says where and when it ran (paths, durations, times)."""
    keep = ("kernelspec", "language_info")
    notebook["metadata"] = {key: notebook["metadata"][key] for key in keep if key in notebook["metadata"]}
    notebook["metadata"].get("language_info", {}).pop("version", None)
    for cell in notebook["cells"]:
        for key in ("papermill", "execution"):
            cell["metadata"].pop(key, None)
    return notebook


def _write_notebook(notebook: Mapping[str, Any], path: Path) -> None:
    from reprise.record import write_atomically

    write_atomically(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def _move_into_place(scratch: Path, folder: Path, package: str) -> None:
    """Move a complete run's outputs into its folder, the record last: where the record is, all is."""
    notebook = strip_machine(read_notebook(scratch / f"{package}.ipynb"))
    (folder / f"{package}.json").unlink(missing_ok=True)
    (folder / f"{package}.failed.ipynb").unlink(missing_ok=True)
    shutil.rmtree(folder / package, ignore_errors=True)
    if (scratch / package).is_dir():
        os.replace(scratch / package, folder / package)
    _write_notebook(notebook, folder / f"{package}.ipynb")
    os.replace(scratch / f"{package}.json", folder / f"{package}.json")


def _keep_failure(scratch: Path, folder: Path, package: str) -> None:
    for name in (f"{package}.ipynb", f"{package}.json"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / package, ignore_errors=True)
    if (scratch / f"{package}.ipynb").is_file():
        notebook = strip_machine(read_notebook(scratch / f"{package}.ipynb"))
        _write_notebook(notebook, folder / f"{package}.failed.ipynb")


def _keep_rows(scratch: Path, folder: Path, package: str) -> None:
    """Keep the rows of a run that did not reach its end: the next one with equal parameters starts from them."""
    if rows_file(scratch, package).is_file():
        os.replace(rows_file(scratch, package), rows_file(folder, package))


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
    _write_notebook(notebook, paper.notebook)
    return paper.notebook


def notebook_faults(notebook: Mapping[str, Any]) -> list[str]:
    """Say why an executed notebook must not be shown as a good one: an error output, or a cell that never ran."""
    faults = []
    for number, cell in enumerate(_code_cells(notebook), start=1):
        outputs = cell.get("outputs", [])
        for output in outputs:
            if output["output_type"] == "error":
                faults.append(f"code cell {number} raised {output['ename']}: {output['evalue']}")
        if cell.get("execution_count") is None and _source(cell).strip():
            faults.append(f"code cell {number} was not run")
    return faults
