"""Notebook files: what they declare and read, whether a run of one is whole, and what of a machine is left in it."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reprise.errors import ParametersError, RunError


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


def write_notebook(notebook: Mapping[str, Any], path: Path) -> None:
    """Write a notebook file in one step, laid out as Jupyter does."""
    from reprise.record import write_atomically

    write_atomically(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


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


def strip_machine(notebook: dict[str, Any]) -> dict[str, Any]:
    """Remove what an execution leaves in a notebook that says where and when it ran (paths, durations, times)."""
    keep = ("kernelspec", "language_info")
    notebook["metadata"] = {key: notebook["metadata"][key] for key in keep if key in notebook["metadata"]}
    notebook["metadata"].get("language_info", {}).pop("version", None)
    for cell in notebook["cells"]:
        for key in ("papermill", "execution"):
            cell["metadata"].pop(key, None)
    return notebook
