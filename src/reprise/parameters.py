"""The parameters of a run: of its profile, changed on the command line, checked before anything starts."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reprise.catalogue import Paper
from reprise.errors import ParametersError, RunError, unknown_name
from reprise.fan_in import fitting_records
from reprise.notebook_files import declared_parameters, read_notebook, unread_parameters
from reprise.paths import notebooks_folder, repository

if TYPE_CHECKING:
    from reprise.settings import ChapterSettings

PROFILES = ("quick", "standard", "paper")


def settings_class(paper: Paper) -> type[ChapterSettings]:
    """Return the settings class of a paper's package, which validates its parameters."""
    module = importlib.import_module(f"reprise.{paper.package}.settings")
    return module.Settings  # type: ignore[no-any-return]


def profile_parameters(paper: Paper, profile: str) -> dict[str, Any]:
    """Return the parameters of a profile, without ``records``: what the notebook declares, changed as the profile says.

    The notebook's own values are the quick profile; ``notebooks/parameters/PACKAGE.yaml`` lists for each other profile
    what differs from them.

    Raises
    ------
    UnknownNameError
        If the profile does not exist, or its file sets a parameter that the notebook does not declare, or ``records``,
        which belong to a run.
    RunError
        If the parameter file is missing or is not a mapping of profiles.
    """
    import yaml

    path = notebooks_folder() / "parameters" / f"{paper.package}.yaml"
    if not path.is_file():
        raise RunError(f"no parameters at {path}; the chapter {paper.slug} has not been written yet.")
    # The loader in C, where there is one: the run graph reads the files of all chapters each time.
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise RunError(f"{path} is not YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(content, dict) or not all(isinstance(value, dict) for value in content.values()):
        raise RunError(f"{path} must map each profile to its parameters.")
    if profile not in content and profile != "quick":
        raise unknown_name("profile", profile, list(dict.fromkeys(["quick", *content])))
    declared = declared_parameters(read_notebook(paper.notebook))
    declared.pop("records", None)
    given = {**content.get("quick", {}), **content.get(profile, {})}
    for name in given:
        if name not in declared:
            raise unknown_name(f"parameter in notebooks/parameters/{path.name}", name, sorted(declared))
    return {**declared, **given}


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
    for name in overrides:
        if name not in declared:
            raise unknown_name("parameter", name, sorted(declared))
    records = parameters.get("records", [])
    if not isinstance(records, list) or not all(isinstance(path, str) for path in records):
        hint = f"; for one entry write records=[{records}]" if isinstance(records, str) else ""
        raise ParametersError(f"parameter records: must be a list of paths (given: {records!r}){hint}.")
    settings = settings_class(paper).checked({k: v for k, v in parameters.items() if k != "records"})
    _check_device(settings.device)
    if records:
        parameters["records"] = [from_repository(Path(path)) for path in records]
        fitting_records(paper, settings, parameters["records"])
    return parameters


def from_repository(path: Path) -> str:
    """Return how the repository, where notebooks run, sees a path given from the working folder or from there."""
    found = path.resolve()
    if not path.exists():
        return str(path)
    return str(found.relative_to(repository())) if found.is_relative_to(repository()) else str(found)


def _check_device(name: str) -> None:
    if name not in ("auto", "cpu"):
        from reprise.compute import resolve_device

        resolve_device(name)
