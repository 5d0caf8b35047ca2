"""The same rules on a cluster: the tiny fan-out as Slurm jobs, with the profile that users take."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.workflow import slurm_cluster
from tests.workflow.conftest import Tiny

pytestmark = pytest.mark.slurm

# No accounting database here, so job states come from squeue; and no minute's wait for jobs of milliseconds.
FOR_A_SMALL_CLUSTER = [
    "--slurm-status-command=squeue",
    "--slurm-no-account",
    "--slurm-init-seconds-before-status-checks=2",
    "--latency-wait=5",
]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start a cluster and return the folder of its programs; skipped without Slurm, but not in CI."""
    missing = slurm_cluster.missing_programs()
    if missing and not os.environ.get("CI"):
        pytest.skip(f"Slurm is not installed here (no {', '.join(missing)}); on Debian: slurm-wlm and munge")
    with slurm_cluster.cluster(tmp_path_factory.mktemp("slurm")) as programs:
        yield programs


def on_slurm(tiny: Tiny, slurm: Path, *config: str) -> "subprocess.CompletedProcess[str]":
    """Run the chapters as Slurm jobs."""
    command = tiny.command("chapters", profile="slurm", config=config)
    place = command.index("--config")
    path = os.pathsep.join([str(slurm), tiny.environment["PATH"]])
    return subprocess.run(
        [*command[:place], *FOR_A_SMALL_CLUSTER, *command[place:]],
        cwd=tiny.home, env={**tiny.environment, "PATH": path}, text=True, timeout=300, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def jobs(slurm: Path) -> int:
    """Return how many jobs the cluster has seen."""
    command = [str(slurm / "squeue"), "--states=all", "--noheader"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True)
    return len(listing.stdout.splitlines())


def test_the_fan_out_runs_as_slurm_jobs_and_gives_the_rows_of_a_single_run(tiny: Tiny, slurm: Path) -> None:
    assert tiny.snakemake("chapters", config=["papers=alpha"]).returncode == 0
    single = tiny.rows("build/run/quick/alpha.json")
    tiny.calls()
    before = jobs(slurm)
    result = on_slurm(tiny, slurm, "papers=alpha", "fan_out=true")
    assert result.returncode == 0, result.stdout
    calls = tiny.calls()
    assert len([call for call in calls if "--output" in call]) == 4
    assert len(calls) == 5
    assert jobs(slurm) - before == 5
    assert tiny.rows("build/run/quick/alpha.json") == single


def test_a_chapter_that_fails_on_the_cluster_leaves_the_others_intact(tiny: Tiny, slurm: Path) -> None:
    tiny.write("failing", "beta")
    result = on_slurm(tiny, slurm, "papers=alpha,beta")
    assert result.returncode != 0
    runs: Path = tiny.home / "build/run/quick"
    assert (runs / "alpha.json").exists()
    assert not (runs / "beta.json").exists()
    assert (runs / "beta.failed.ipynb").exists()
