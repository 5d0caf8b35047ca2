"""Run a command on a GPU that no other job of this machine has: ``python workflow/gpu.py COMMAND …``.

Snakemake counts GPUs but does not say which one a job may use. One lock file per GPU does; the system gives a lock
back when its holder ends, however it ends. Where CUDA_VISIBLE_DEVICES is set (a cluster does so), it is left as it is.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

WAIT_SECONDS = 2.0


def count_gpus() -> int:
    """Return how many NVIDIA GPUs the driver lists; 0 without one (torch is too slow to load for this question)."""
    if shutil.which("nvidia-smi") is None:
        return 0
    listing = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listing.stdout.splitlines())


def claim(n_gpus: int, folder: Path) -> tuple[int, IO[str]]:
    """Wait for a free GPU and return its number with the open lock that holds it.

    Parameters
    ----------
    n_gpus
        How many GPUs the machine has, at least 1.
    folder
        Where the lock files are; shared by all jobs of the machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        for number in range(n_gpus):
            lock = (folder / f"gpu-{number}.lock").open("w", encoding="utf-8")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            return number, lock
        time.sleep(WAIT_SECONDS)


def main(command: list[str]) -> int:
    """Run a command with one GPU visible and return its exit status."""
    environment = dict(os.environ)
    n_gpus = count_gpus()
    if n_gpus == 0 or "CUDA_VISIBLE_DEVICES" in environment:
        return subprocess.run(command, check=False).returncode
    number, lock = claim(n_gpus, Path(tempfile.gettempdir()) / f"reprise-{os.getuid()}")
    with lock:
        environment["CUDA_VISIBLE_DEVICES"] = str(number)
        return subprocess.run(command, check=False, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
