"""A Slurm cluster of one node on this machine, for as long as a ``with`` block lasts.

It needs the programs of Slurm and munge, no service manager, no control groups, no accounting database, and no
network but the loopback addresses. All its files are in one folder.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("sbatch", "squeue", "srun", "sinfo", "slurmctld", "slurmd", "munged")
START_SECONDS = 30

CONFIGURATION = """\
ClusterName=reprise
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
MinJobAge=600
SlurmdParameters=config_overrides
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} State=UNKNOWN
PartitionName=main Nodes=node Default=YES MaxTime=INFINITE State=UP
"""


def search_path(*first: str) -> str:
    """Return PATH with some folders before it and, after it, those in which systems keep daemons."""
    return os.pathsep.join([*first, os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"])


def missing_programs() -> list[str]:
    """Return the programs that are not installed; empty where a cluster can be started."""
    return [program for program in PROGRAMS if shutil.which(program, path=search_path()) is None]


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _configure(folder: Path) -> Path:
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    controller_port, node_port = _free_ports(2)
    text = CONFIGURATION.format(
        host=socket.gethostname().split(".")[0],
        user=subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip(),
        folder=folder,
        controller_port=controller_port,
        node_port=node_port,
        cpus=os.cpu_count() or 1,
        memory_mb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
    )
    configuration = folder / "slurm.conf"
    configuration.write_text(text, encoding="utf-8")
    (folder / "cgroup.conf").write_text(f"CgroupPlugin={_cgroup_plugin()}\n", encoding="utf-8")
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(256))
    key.chmod(0o600)
    return configuration


def _cgroup_plugin() -> str:
    """Return the plugin that leaves control groups alone: versions before 23.02 cannot disable it, but idle in v1."""
    said = subprocess.run(["slurmd", "-V"], env={"PATH": search_path()}, capture_output=True, text=True, check=True)
    year, month = (int(number) for number in said.stdout.split()[-1].split(".")[:2])
    return "disabled" if (year, month) >= (23, 2) else "cgroup/v1"


def _wrap_programs(folder: Path, configuration: Path) -> Path:
    """Make a folder of programs that know the configuration: a job step has lost every variable named SLURM_…."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("sbatch", "srun", "squeue", "sinfo", "scontrol", "scancel", "sacctmgr"):
        real = shutil.which(name, path=search_path())
        if real is None:
            continue
        wrapper = programs / name
        wrapper.write_text(f'#!/bin/sh\nSLURM_CONF="{configuration}" exec "{real}" "$@"\n', encoding="utf-8")
        wrapper.chmod(0o755)
    return programs


def _munge_command(folder: Path) -> list[str]:
    files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munge.pid"}
    files |= {"log-file": "munge.log", "seed-file": "munge.seed"}
    return ["munged", "--foreground", "--force", *(f"--{option}={folder / name}" for option, name in files.items())]


@contextmanager
def _running(command: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Run a daemon in the foreground of a process group of its own and end the group afterwards."""
    with (folder / f"{command[0]}.out").open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, cwd=folder
        )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for_node(folder: Path, environment: Mapping[str, str]) -> None:
    end = time.monotonic() + START_SECONDS
    command = ["sinfo", "--noheader", "--format=%T"]
    said = ""
    while time.monotonic() < end:
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        said = result.stdout.strip() or result.stderr.strip()
        if said == "idle":
            return
        time.sleep(0.3)
    logs = "\n".join(
        f"--- {log.name}\n" + log.read_text(encoding="utf-8", errors="replace")[-2000:]
        for log in sorted([*folder.glob("*.log"), *folder.glob("*.out")])
    )
    raise RuntimeError(f"the Slurm node was not ready in {START_SECONDS} s: {said}\n{logs}")


@contextmanager
def cluster(folder: Path) -> Iterator[Path]:
    """Start a cluster and give the folder of `sbatch` and the rest, to be put first in PATH.

    Parameters
    ----------
    folder
        An empty folder for all its files; its path must be short enough for a socket (about 100 characters).

    Raises
    ------
    RuntimeError
        If the node is not ready in time; holds the ends of the daemons' logs.
    """
    configuration = _configure(folder)
    environment = {**os.environ, "SLURM_CONF": str(configuration), "PATH": search_path()}
    with ExitStack() as stack:
        stack.enter_context(_running(_munge_command(folder), folder, environment))
        end = time.monotonic() + START_SECONDS
        while not (folder / "munge.socket").exists() and time.monotonic() < end:
            time.sleep(0.05)
        stack.enter_context(_running(["slurmctld", "-D"], folder, environment))
        stack.enter_context(_running(["slurmd", "-D", "-N", "node"], folder, environment))
        _wait_for_node(folder, environment)
        yield _wrap_programs(folder, configuration)
