"""The lock, the environment for conda, the Makefile, and what importing the package costs."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement

import conda_environment
import install

REPOSITORY = Path(__file__).resolve().parents[1]
LEFT_OUT = re.compile(r"^(torch|triton|nvidia-.*|cuda-.*)$")
HEAVY = ("torch", "pandas", "matplotlib", "sklearn", "pooch", "papermill")


def text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def locked() -> dict[str, list[Requirement]]:
    """Return the locked requirements by package name; several where they differ by Python version."""
    found: dict[str, list[Requirement]] = {}
    for line in conda_environment.locked(text("requirements.lock")):
        requirement = Requirement(line)
        found.setdefault(requirement.name.lower(), []).append(requirement)
    return found


@pytest.fixture(scope="module")
def project() -> list[Requirement]:
    """Return all that pyproject.toml asks for, extras included."""
    table = tomllib.loads(text("pyproject.toml"))["project"]
    extras = [line for group in table["optional-dependencies"].values() for line in group]
    return [Requirement(line) for line in [*table["dependencies"], *extras]]


def test_every_package_of_the_lock_is_pinned_to_one_version_and_hashed() -> None:
    blocks = re.split(r"\n(?=\w)", text("requirements.lock"))
    packages = [block for block in blocks if re.match(r"\w", block)]
    assert len(packages) > 100
    for block in packages:
        assert re.match(r"[\w.-]+==[\w.+!]+", block), block.splitlines()[0]
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_the_lock_leaves_out_torch_and_what_only_its_accelerated_build_brings(
    locked: dict[str, list[Requirement]],
) -> None:
    assert [name for name in locked if LEFT_OUT.match(name)] == []


@pytest.mark.parametrize("name", ["requirements.lock", "environment.yml", "pyproject.toml", "Makefile", ".ci/run"])
def test_no_registry_and_no_folder_of_one_machine_is_named(name: str) -> None:
    assert re.findall(r"https?://\S+|(?<![\w.])/(?:home|root|tmp|work|Users)/\S+|--index-url", text(name)) == []


def test_the_lock_satisfies_every_requirement_of_the_project(
    locked: dict[str, list[Requirement]], project: list[Requirement]
) -> None:
    for requirement in project:
        if requirement.name == "torch":
            continue
        versions = [next(iter(pin.specifier)).version for pin in locked.get(requirement.name.lower(), [])]
        assert versions, f"{requirement.name} is not locked; run make lock"
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_the_environment_for_conda_is_made_from_this_lock_and_this_project() -> None:
    expected = conda_environment.environment(text("requirements.lock"), text("pyproject.toml"))
    assert text("environment.yml") == expected, "environment.yml is out of date; run make lock"


def test_conda_gets_the_locked_versions_the_same_torch_and_this_package(
    locked: dict[str, list[Requirement]],
) -> None:
    parts = yaml.safe_load(text("environment.yml"))["dependencies"]
    lines = next(part["pip"] for part in parts if isinstance(part, dict))
    assert lines[-1] == "--editable ."
    pins = {(pin.name.lower(), str(pin.specifier), str(pin.marker)) for pin in map(Requirement, lines[1:-1])}
    assert pins == {(name, str(pin.specifier), str(pin.marker)) for name, all_ in locked.items() for pin in all_}
    assert lines[0] == install.torch_requirement()
    assert Requirement(lines[0]) in [Requirement(line) for line in _dependencies()]


def _dependencies() -> list[str]:
    dependencies: list[str] = tomllib.loads(text("pyproject.toml"))["project"]["dependencies"]
    return dependencies


def test_this_environment_has_the_locked_versions(locked: dict[str, list[Requirement]]) -> None:
    from importlib.metadata import PackageNotFoundError, version

    here = {key: str(value) for key, value in default_environment().items()}
    different = {}
    for name, pins in locked.items():
        for pin in pins:
            if pin.marker is not None and not pin.marker.evaluate(here):
                continue
            try:
                installed = version(name)
            except PackageNotFoundError:
                installed = "missing"
            if installed == "missing" or not pin.specifier.contains(installed, prereleases=True):
                different[name] = installed
    assert different == {}, "the environment differs from requirements.lock; run make setup"


def test_help_lists_every_target_that_a_person_calls() -> None:
    makefile = text("Makefile")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    assert phony is not None
    targets = [word for word in phony.group(1).split() if re.fullmatch(r"[a-z]+", word)]
    assert {"setup", "book", "report", "notebooks", "test", "bench", "data", "lock", "clean"} <= set(targets)
    shown = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for target in targets:
        assert re.search(rf"^  {target} +\S", shown, flags=re.MULTILINE), target


def test_an_old_python_is_refused_with_a_sentence_that_says_what_to_do() -> None:
    with pytest.raises(SystemExit, match=r"Python 3\.11 or newer is needed .* 3\.9; .*PYTHON=python3\.12"):
        install.check_python((3, 9))
    install.check_python((3, 11))


def test_a_python_without_venv_is_refused_with_the_name_of_the_missing_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit, match=r"has no module ensurepip; .*python3-venv"):
        install.check_python()


def test_a_python_that_does_not_exist_is_named_before_anything_is_made(tmp_path: Path) -> None:
    result = subprocess.run(
        ["make", "setup", "PYTHON=python9.9", f"VENV={tmp_path / 'venv'}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert "no python9.9 here; name a Python >= 3.11" in result.stdout + result.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("module", ["reprise", "reprise.cli"])
def test_importing_loads_none_of_the_heavy_libraries(module: str) -> None:
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(HEAVY) & set(json.loads(result.stdout)) == set()


def test_the_steps_by_hand_are_those_of_the_set_up():
    steps = [line for line in text("book/rerun.md").splitlines() if line.startswith(".venv/bin/pip install")]
    said = [frozenset(step.split()[2:]) for step in steps]
    assert said == [
        {"--no-deps", "--require-hashes", "--requirement", "requirements.lock"},
        {install.torch_requirement()},
        {"--no-deps", "--no-build-isolation", "--editable", "."},
    ]
