"""Chapters that fail, runs that are killed, two runs at once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest
from tests.workflow.conftest import Tiny, chapter_call


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds; fail if it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def start(tiny: Tiny, command: list[str]) -> "subprocess.Popen[str]":
    """Start a command as the leader of a process group of its own, so that it can be killed with its children."""
    return subprocess.Popen(
        command, cwd=tiny.home, env=tiny.environment, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def kill(process: "subprocess.Popen[str]") -> None:
    """Kill a process and all it started, without a chance to tidy up."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def called(tiny: Tiny, word: str) -> bool:
    log = tiny.home / "calls.log"
    return log.is_file() and word in log.read_text(encoding="utf-8")


def test_a_failed_chapter_leaves_the_others_intact_and_its_notebook_to_look_at(tiny: Tiny) -> None:
    tiny.write("failing", "beta")
    result = tiny.snakemake("chapters")
    assert result.returncode != 0
    runs = tiny.home / "build/run/quick"
    left = {file.name for file in runs.iterdir() if not file.name.endswith(".log")}
    assert left == {"alpha.ipynb", "alpha.json", "beta.failed.ipynb", "gamma.ipynb", "gamma.json"}
    assert "beta divides by zero" in (runs / "beta.log").read_text(encoding="utf-8")


def test_a_failed_chapter_runs_again_the_next_time_and_alone(tiny: Tiny) -> None:
    tiny.write("failing", "beta")
    tiny.snakemake("chapters")
    tiny.calls()
    tiny.write("failing", "")
    assert tiny.snakemake("chapters").returncode == 0
    assert tiny.calls() == [chapter_call("beta")]
    assert not (tiny.home / "build/run/quick/beta.failed.ipynb").exists()


def test_a_chapter_that_fails_after_a_success_leaves_no_old_record_behind(tiny: Tiny) -> None:
    assert tiny.snakemake("chapters").returncode == 0
    tiny.write("failing", "beta")
    tiny.touch("src/reprise/beta/study.py")
    assert tiny.snakemake("chapters").returncode != 0
    assert not (tiny.home / "build/run/quick/beta.json").exists()
    assert not (tiny.home / "build/run/quick/beta.ipynb").exists()


def test_the_book_is_rendered_and_the_failure_named_though_a_chapter_failed(tiny: Tiny) -> None:
    tiny.write("failing", "beta")
    result = tiny.make_book()
    assert result.returncode != 0
    assert "book --profile quick" in tiny.calls()
    assert "Profile quick: 2 of 3 chapters ran." in result.stdout
    assert "✓ alpha            1 reproduced (1 s)" in result.stdout
    assert "✗ beta             FAILED: ValueError: beta divides by zero (all of it: build/run/quick/beta.log)" in (
        result.stdout
    )
    assert "The book: build/book/html/index.html" in result.stdout
    page = tiny.home / "build/book/html/index.html"
    assert page.read_text(encoding="utf-8") == "alpha.ipynb beta.failed.ipynb gamma.ipynb"


def test_the_pages_are_named_again_when_nothing_had_to_be_done(tiny: Tiny) -> None:
    assert tiny.make_book().returncode == 0
    tiny.calls()
    result = tiny.make_book()
    assert result.returncode == 0
    assert tiny.calls() == []
    assert "The book: build/book/html/index.html" in result.stdout


def test_the_published_pages_are_rendered_without_running_anything(tiny: Tiny) -> None:
    result = tiny.make_book("--published-only")
    assert result.returncode == 0, result.stdout
    assert tiny.calls() == ["book --published-only"]


def test_the_two_kinds_of_book_replace_each_other_in_one_folder(tiny: Tiny) -> None:
    assert tiny.make_book().returncode == 0
    tiny.calls()
    assert tiny.make_book("--published-only").returncode == 0
    assert tiny.calls() == ["book --published-only"]
    assert tiny.make_book().returncode == 0
    assert tiny.calls() == ["book --profile quick"]


def test_a_killed_run_is_resumed_and_what_was_done_is_not_done_again(tiny: Tiny) -> None:
    tiny.write("waiting", "beta")
    process = start(tiny, tiny.command("chapters"))
    runs = tiny.home / "build/run/quick"
    wait_until(lambda: called(tiny, "run beta") and (runs / "alpha.json").exists() and (runs / "gamma.json").exists())
    time.sleep(1.0)  # Snakemake has to have noticed that the two are done
    kill(process)
    tiny.calls()
    tiny.write("go", "")
    result = tiny.snakemake("chapters")
    assert result.returncode == 0, result.stdout
    assert tiny.calls() == [chapter_call("beta")]
    assert (runs / "beta.json").exists()


def test_a_second_run_in_the_same_checkout_is_refused_until_the_first_ends(tiny: Tiny) -> None:
    tiny.write("waiting", "beta")
    process = start(tiny, [sys.executable, "workflow/make_book.py"])
    try:
        wait_until(lambda: called(tiny, "run beta"))
        second = tiny.make_book()
    finally:
        kill(process)
    assert second.returncode != 0
    assert "another run works in this checkout" in second.stdout
    tiny.write("go", "")
    wait_until(lambda: tiny.make_book().returncode == 0)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_a_book_told_to_end_ends_its_jobs_with_a_sentence_and_goes_on_from_there_the_next_time(
    tiny: Tiny, number: int, status: int
) -> None:
    tiny.write("waiting", "beta")
    process = start(tiny, [sys.executable, "workflow/make_book.py"])
    runs = tiny.home / "build/run/quick"
    wait_until(lambda: called(tiny, "run beta") and (runs / "alpha.json").exists() and (runs / "gamma.json").exists())
    time.sleep(1.0)  # Snakemake has to have noticed that the two are done
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == status
    assert said.splitlines()[-1].endswith("The same command goes on from there.")
    assert "Traceback" not in said
    assert not any(job.is_running() for job in started)
    tiny.calls()
    tiny.write("go", "")
    assert tiny.make_book().returncode == 0
    assert tiny.calls() == ["book --profile quick", chapter_call("beta")]
