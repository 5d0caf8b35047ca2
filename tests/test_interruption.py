"""A command that is told to end, in the middle of a run and elsewhere."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from reprise.interruption import Interrupted, interruptible, uninterrupted

REPOSITORY = Path(__file__).resolve().parents[1]


def wait_until(holds, seconds=180):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def waiting_chapter(tmp_path):
    """Return a repository whose GRDA notebook says that it has begun, and then computes without end."""
    for name in ("pyproject.toml", "notebooks/grda.ipynb", "notebooks/parameters/grda.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REPOSITORY / name, tmp_path / name)
    file = tmp_path / "notebooks/grda.ipynb"
    notebook = json.loads(file.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and "parameters" not in cell["metadata"].get("tags", []):
            # Never true, but the cells go on reading the parameters; the first one waits.
            lines = "".join(cell["source"]).splitlines()
            cell["source"] = "\n".join(
                ["import pathlib", "pathlib.Path('begun').touch()", "while True:", "    pass", *lines]
            )
    file.write_text(json.dumps(notebook), encoding="utf-8")
    return tmp_path


def start(home):
    command = "from reprise.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", command, "run", "grda"],
        cwd=home, env={**os.environ, "REPRISE_HOME": str(home), "PYTHONPATH": str(REPOSITORY / "src")},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")],
    ids=["SIGINT", "SIGTERM"],
)
def test_a_run_told_to_end_leaves_one_sentence_no_kernel_and_the_files_as_they_were(
    waiting_chapter, number, status, word
):
    folder = waiting_chapter / "build/run/quick"
    folder.mkdir(parents=True)
    (folder / "grda.json").write_text("an earlier run")
    process = start(waiting_chapter)
    wait_until((waiting_chapter / "begun").exists)
    kernels = psutil.Process(process.pid).children(recursive=True)
    assert kernels
    process.send_signal(number)
    out, error = process.communicate(timeout=180)
    assert process.returncode == status
    assert out == ""
    assert error.splitlines() == [
        f"reprise: ended by {word}; nothing half-finished was left, and what was finished before is as it was."
    ]
    assert not any(kernel.is_running() for kernel in kernels)
    assert [file.name for file in folder.iterdir()] == ["grda.json"]
    assert (folder / "grda.json").read_text() == "an earlier run"


def test_after_a_kill_without_a_chance_to_tidy_up_the_kernel_ends_by_itself(waiting_chapter):
    process = start(waiting_chapter)
    wait_until((waiting_chapter / "begun").exists)
    kernels = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    wait_until(lambda: not any(kernel.is_running() for kernel in kernels), seconds=15)


def test_an_interruption_waits_for_the_end_of_what_must_be_done_whole():
    done = []

    def work():
        with interruptible():
            with uninterrupted():
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("whole")
            done.append("more")

    with pytest.raises(Interrupted) as told:
        work()
    assert done == ["whole"]
    assert told.value.code == 143


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_handlers_of_before_are_back_afterwards():
    before = signal.getsignal(signal.SIGTERM)
    with interruptible():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
