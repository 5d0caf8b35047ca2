"""Fingerprints of code: what determines the rows of a run, and what a decision rule consists of.

A fingerprint is taken from the syntax tree without docstrings, comments and layout, so that rewording a
docstring does not make a result look stale while changing one number in a formula does.
"""

import ast
import hashlib
import inspect
import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import reprise

PACKAGE_FOLDER = Path(reprise.__file__).parent

# Modules that no row depends on: the bytes of data are checked against their own hashes, the values of settings are
# hashed as parameters, and the rest names errors and folders.
NOT_DETERMINING_ROWS = frozenset(
    {"reprise", "reprise.errors", "reprise.paths", "reprise.settings", "reprise.catalogue"}
)


# Libraries that compute, by the names under which they are installed and imported.
NUMERICAL_LIBRARIES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "pandas": "pandas",
    "scikit-learn": "sklearn",
    "torch": "torch",
    "torch-geometric": "torch_geometric",
    "networkx": "networkx",
    "transformers": "transformers",
    "tokenizers": "tokenizers",
    "sentence-transformers": "sentence_transformers",
    "gluonts": "gluonts",
    "lightning": "lightning",
    "arch": "arch",
    "kornia": "kornia",
    "pillow": "PIL",
    "skada": "skada",
    "monai": "monai",
    "cleanlab": "cleanlab",
    "implicit": "implicit",
}

# What a rule reports in and how it words its figures decides nothing.
NOT_DECIDING = frozenset({"reprise.claims", "reprise.numerals"})


def digest(value: Any) -> str:
    """Return the SHA-256 of a JSON-serialisable value, independent of the order of dictionary keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _has_docstring(body: list[ast.stmt]) -> bool:
    return bool(body) and (
        isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    )


def _canonical(node: Any) -> str:
    """Spell a syntax tree the same way in every Python version: empty fields are left out."""
    if isinstance(node, ast.AST):
        parts = []
        for field, value in ast.iter_fields(node):
            if field in ("ctx", "kind", "type_comment") or value is None or value == []:
                continue
            if field == "keywords":  # the description of a setting is documentation, as a docstring is
                value = [keyword for keyword in value if keyword.arg != "description"]
            if field == "body" and isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                value = value[1:] if _has_docstring(value) else value
            parts.append(f"{field}={_canonical(value)}")
        return f"{type(node).__name__}({','.join(parts)})"
    if isinstance(node, list):
        return f"[{','.join(_canonical(item) for item in node)}]"
    return repr(node)


def source_fingerprint(source: str) -> str:
    """Return the SHA-256 of a piece of Python source, whatever its docstrings, comments and layout.

    Examples
    --------
    >>> source_fingerprint("x = 1  # one") == source_fingerprint("x  =  1")
    True
    >>> source_fingerprint("x = 1") == source_fingerprint("x = 2")
    False
    """
    return hashlib.sha256(_canonical(ast.parse(textwrap.dedent(source))).encode()).hexdigest()


def _module_file(module: str) -> Path | None:
    base = PACKAGE_FOLDER.joinpath(*module.split(".")[1:])
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _imported_names(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_behind(module: str) -> dict[str, str]:
    """Return every module of Reprise that a module imports, directly or not, with its fingerprint.

    Parameters
    ----------
    module
        Dotted name, e.g. ``"reprise.grda.study"``.

    Returns
    -------
    dict
        Module name to fingerprint, sorted by name; modules on which no row can depend are left out (see
        `determines_rows`).
    """
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = _module_file(name) if name.split(".")[0] == "reprise" else None
        if file is None or name in found or not determines_rows(name):
            continue
        source = file.read_text(encoding="utf-8")
        found[name] = source_fingerprint(source)
        waiting.extend(_imported_names(source))
    return dict(sorted(found.items()))


def determines_rows(module: str) -> bool:
    """Tell whether the rows of a study can depend on a module of Reprise.

    Not those in ``NOT_DETERMINING_ROWS``, nor the fetching of data, whose bytes are checked by hash, nor a package as
    such: it only hands out names of its modules, and what is behind a study imports those modules themselves.
    """
    if module in NOT_DETERMINING_ROWS:
        return False
    if module.startswith("reprise.data."):
        return module == "reprise.data.readers"
    return not (PACKAGE_FOLDER.joinpath(*module.split(".")[1:]) / "__init__.py").is_file()


def function_fingerprint(function: Callable[..., Any]) -> str:
    """Return the fingerprint of a function together with everything of Reprise that it calls or reads.

    Functions, classes and plain constants named in the body are followed as long as they are defined in Reprise (or in
    the function's own package), so a changed threshold or helper changes the fingerprint of every decision rule that
    uses it. How a finding is reported and worded is left out (``NOT_DECIDING``).
    """
    parts: dict[str, str] = {}
    innermost = getattr(function, "func", function)
    _collect(function, parts, ("reprise", innermost.__module__.partition(".")[0]))
    return digest(parts)


def _collect(value: Any, parts: dict[str, str], packages: tuple[str, ...]) -> None:
    if isinstance(value, FunctionType | type):
        name = f"{value.__module__}.{value.__qualname__}"
        outside = value.__module__.partition(".")[0] not in packages or value.__module__ in NOT_DECIDING
        if outside or name in parts:
            return
        parts[name] = source_fingerprint(inspect.getsource(value))
        for other in _names_read(value):
            _collect_named(other, value.__module__, parts, packages)
    elif isinstance(value, partial):
        parts[f"partial:{value.func.__qualname__}"] = repr((value.args, sorted(value.keywords.items())))
        _collect(value.func, parts, packages)


def _collect_named(name: str, module: str, parts: dict[str, str], packages: tuple[str, ...]) -> None:
    namespace = vars(sys.modules[module])
    head, _, attribute = name.partition(".")
    value = namespace.get(head)
    if isinstance(value, ModuleType) and attribute:
        value = getattr(value, attribute, None)
    if isinstance(value, FunctionType | type | partial):
        _collect(value, parts, packages)
    elif isinstance(value, str | int | float | bool | tuple | list | dict | frozenset) and head in namespace:
        parts[f"{module}.{head}"] = repr(sorted(value) if isinstance(value, frozenset) else value)


def _names_read(value: Any) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(value)))):
        if isinstance(node, ast.Name):
            names.append(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names.append(f"{node.value.id}.{node.attr}")
    return sorted(set(names))


@cache
def git_commit() -> str | None:
    """Return the checked-out commit, with ``+changes`` if tracked files differ from it; None outside a repository."""
    import subprocess

    from reprise.errors import RepriseError
    from reprise.paths import repository

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(repository()), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        commit = git("rev-parse", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "notebooks")
    except (OSError, subprocess.SubprocessError, RepriseError):
        return None
    return f"{commit}+changes" if changed else commit


def library_versions() -> dict[str, str]:
    """Return the versions of Python and of the loaded libraries that a result may depend on."""
    import platform
    from importlib import metadata

    loaded = [name for name, module in NUMERICAL_LIBRARIES.items() if module in sys.modules]
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in loaded}}
