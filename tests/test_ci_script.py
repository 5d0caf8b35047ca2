"""What `.ci/run` does on machines that lack something: all programs that it calls are stand-ins here."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
BASH = shutil.which("bash") or "/bin/bash"
PROGRAMS = ("chromium", "sbatch", "slurmctld", "slurmd", "munged", "git", "make")
PACKAGES = "chromium slurm-wlm munge make git python3-venv"
NEEDED_ITSELF = ("dirname", "env", "mktemp", "tail")
# It notes its words, fails as often as the file says, and what it installs are stand-ins, too.
APT_GET = """
echo "apt-get $* [$DEBIAN_FRONTEND]" >> calls
if [ "$1" = install ]; then
  read -r left < failures
  if [ "$left" -gt 0 ]; then echo $((left - 1)) > failures; echo "E: no such mirror" >&2; exit 100; fi
  for name in make python3; do printf '#!%s\\necho "$0 $*" | sed "s,.*/,," >> calls\\n' "$BASH" > "bin/$name"; done
  chmod +x bin/make bin/python3
fi
"""


@pytest.fixture
def machine(tmp_path):
    """Return a folder with `.ci/run` and a folder bin/ that is all its PATH; `calls` gathers what was called."""
    (tmp_path / ".ci").mkdir()
    shutil.copyfile(REPOSITORY / ".ci/run", tmp_path / ".ci/run")
    (tmp_path / "bin").mkdir()
    for name in (*NEEDED_ITSELF, "chmod", "sed"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    (tmp_path / "failures").write_text("0\n")
    program(tmp_path, "apt-get", APT_GET)
    program(tmp_path, "id", "echo 0")
    program(tmp_path, "sleep", 'echo "sleep $*" >> calls')
    return tmp_path


def program(machine, name, source):
    file = machine / "bin" / name
    file.write_text(f"#!{BASH}\n{source}\n")
    file.chmod(0o755)


def complete(machine):
    for name in PROGRAMS:
        program(machine, name, f'echo "{name} $*" >> calls')
    program(machine, "python3", "exit 0")


def run(machine):
    result = subprocess.run(
        [BASH, ".ci/run"], cwd=machine, env={"PATH": str(machine / "bin"), "BASH": BASH, "TMPDIR": str(machine)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    calls = machine / "calls"
    return result, calls.read_text().splitlines() if calls.exists() else []


def bare(machine):
    """Hide the folders that the script looks into beside PATH."""
    script = machine / ".ci/run"
    script.write_text(script.read_text().replace(":/usr/sbin:/usr/local/sbin:/sbin", ""))


def test_where_everything_is_there_nothing_is_installed(machine):
    complete(machine)
    result, calls = run(machine)
    assert result.returncode == 0, result.stderr
    assert calls == ["make test"]


def test_on_a_bare_machine_root_installs_all_packages_without_a_question(machine):
    bare(machine)
    result, calls = run(machine)
    assert result.returncode == 0, result.stderr
    assert calls == [
        "apt-get update -qq [noninteractive]",
        "apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 " + PACKAGES + " [noninteractive]",
        "make test",
    ]


def test_others_install_through_sudo_which_may_not_ask_for_a_password(machine):
    bare(machine)
    program(machine, "id", "echo 1000")
    program(machine, "sudo", 'echo "sudo $1" >> calls; shift; exec "$@"')
    result, calls = run(machine)
    assert result.returncode == 0, result.stderr
    assert calls.count("sudo -n") == 2
    assert all("[noninteractive]" in call for call in calls if call.startswith("apt-get"))


def test_a_failed_installation_is_tried_again(machine):
    bare(machine)
    (machine / "failures").write_text("1\n")
    result, calls = run(machine)
    assert result.returncode == 0, result.stderr
    assert [call.split()[0] for call in calls] == ["apt-get", "apt-get", "sleep", "apt-get", "apt-get", "make"]


def test_after_three_failures_the_reason_and_the_packages_are_named(machine):
    bare(machine)
    (machine / "failures").write_text("3\n")
    result, calls = run(machine)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-2:] == [
        "E: no such mirror",
        f"ci: could not install {PACKAGES}; the lines above say why",
    ]
    assert "make test" not in calls


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("sudo", f"ci: to install {PACKAGES} this must run as root, or sudo must be there"),
        ("apt-get", f"ci: this system has no apt-get; install by hand what the packages {PACKAGES} of Debian hold"),
    ],
)
def test_what_is_missing_to_install_anything_is_named(machine, missing, sentence):
    bare(machine)
    program(machine, "id", "echo 1000")
    (machine / "bin" / missing).unlink(missing_ok=True)
    result, _ = run(machine)
    assert result.returncode == 1
    assert result.stderr.strip() == sentence


def test_daemons_outside_a_persons_path_count_as_there(machine):
    complete(machine)
    daemons = machine / "sbin"
    daemons.mkdir()
    for name in ("slurmctld", "slurmd", "munged"):
        os.rename(machine / "bin" / name, daemons / name)
    script = machine / ".ci/run"
    script.write_text(script.read_text().replace(":/usr/sbin:/usr/local/sbin:/sbin", f":{daemons}"))
    _, calls = run(machine)
    assert calls == ["make test"]
