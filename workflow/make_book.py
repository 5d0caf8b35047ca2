"""Run the chapters and render the book, then say how each chapter went: what `make book` and `make report` call.

Snakemake decides what runs. This adds what it does not do: the book is rendered although a chapter failed, two runs
in one checkout are kept apart by a lock that a kill cannot leave behind, an interruption ends all jobs at once, and the
last lines name pages and failures.
"""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil

import gpu
import graph
import progress
from reprise.errors import RepriseError
from reprise.interruption import Interrupted, end_children, interruptible

HOME = Path(__file__).resolve().parent.parent
JOBS_END_WITHIN_S = 20.0


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", default="quick", help="parameter set: quick, standard or paper")
    parser.add_argument("--papers", default="", help="only these, separated by commas; all by default")
    parser.add_argument("--fan-out", action="store_true", help="one job per (data set, seed)")
    parser.add_argument("--on", default="workflow/profiles/local", help="the folder of a Snakemake profile")
    parser.add_argument("--published-only", action="store_true", help="render the published runs, execute nothing")
    parser.add_argument("--no-render", action="store_true", help="execute only")
    return parser.parse_args(given)


def lock() -> IO[str]:
    """Hold the checkout for one run; the system gives the lock back when the last process that has it ends."""
    folder = HOME / "build"
    folder.mkdir(exist_ok=True)
    file = (folder / "running.lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("another run works in this checkout; wait until it ends, or end it.")
    os.set_inheritable(file.fileno(), True)
    return file


def machine_limits() -> list[str]:
    """Return what jobs of this machine may hold together: its GPUs and its memory."""
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return ["--resources", f"gpu={gpu.count_gpus()}", f"mem_mb={memory_mb}", "download=1"]


def snakemake(options: argparse.Namespace, target: str, held: IO[str]) -> int:
    """Run one target of the Snakefile, show its progress, and return the exit status."""
    settings = ("profile", "papers", "fan_out", "published_only")
    config = [f"{name}={getattr(options, name)}" for name in settings]
    limits = machine_limits() if Path(options.on).name == "local" else []
    command = [sys.executable, "-m", "snakemake", "--profile", options.on, *limits, "--config", *config, "--", target]
    kept = HOME / "build" / f"{target}.log"
    with (
        kept.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            cwd=HOME,
            pass_fds=[held.fileno()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        ) as process,
        interruptible(lambda: end_jobs(process.pid)),
    ):
        n_failed = progress.show(_copied(process.stdout or (), log))
    if process.returncode and not n_failed:  # no job failed, so what is wrong is the plan itself
        print("".join(kept.read_text(encoding="utf-8").splitlines(keepends=True)[-25:]), end="")
    return process.returncode


def end_jobs(snakemake_process: int) -> None:
    """Tell Snakemake to call off what it has on a cluster and its jobs here to end, then kill what has not ended.

    A job that is told clears away what it had begun. Notebooks' kernels, in sessions of their own, are left to theirs.
    """
    with suppress(psutil.NoSuchProcess):
        runner = psutil.Process(snakemake_process)
        jobs = [job for job in runner.children(recursive=True) if os.getsid(job.pid) == os.getsid(0)]
        runner.send_signal(signal.SIGINT)
        for job in jobs:
            with suppress(psutil.NoSuchProcess):
                job.terminate()
        psutil.wait_procs([runner, *jobs], timeout=JOBS_END_WITHIN_S)
    end_children()


def _copied(lines: Iterable[str], log: IO[str]) -> Iterator[str]:
    for line in lines:
        log.write(line)
        log.flush()
        yield line


def outcome(chapter: graph.Chapter) -> tuple[bool, str]:
    """Say how one chapter went: whether it has a record, and its line of the summary."""
    runs, fetched = (
        HOME / "build" / "run" / chapter.plan.profile,
        HOME / "build" / "data" / chapter.plan.profile,
    )
    record = runs / f"{chapter.package}.json"
    if chapter.data_patterns() and not (fetched / f"{chapter.package}.json").is_file():
        return False, failure(fetched / f"{chapter.package}.log")
    if not record.is_file():
        return False, failure(runs / f"{chapter.package}.log")
    found: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    verdicts = Counter(verdict["outcome"] for verdict in found.get("verdicts", []))
    said = ", ".join(f"{n} {name}" for name, n in verdicts.items()) or "no claims"
    seconds = found.get("cost", {}).get("seconds")
    return True, said if seconds is None else f"{said} ({seconds:.0f} s)"


def failure(log: Path) -> str:
    """Return the last thing that a failed job said, and where the rest is."""
    if not log.is_file():
        return "NOT RUN"
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return f"FAILED: {lines[-1] if lines else 'no message'} (all of it: {log.relative_to(HOME)})"


def plan_of(options: argparse.Namespace) -> graph.Plan:
    """Return the plan that the options ask for."""
    return graph.Plan(options.profile, papers=tuple(name for name in options.papers.split(",") if name))


def summary(chapters: Iterable[graph.Chapter]) -> list[tuple[bool, str, str]]:
    """Return (went well, package, sentence) for every chapter."""
    return [(went_well, chapter.package, said) for chapter in chapters for went_well, said in [outcome(chapter)]]


def render(options: argparse.Namespace, held: IO[str]) -> int:
    """Render the book if something that it shows has changed, say where it is, and return the exit status."""
    status = snakemake(options, "book", held)
    if status:
        log = HOME / "build" / "book" / "rendering.log"
        print(f"The book could not be rendered. {failure(log)}")
    else:
        print(f"The book: {(HOME / 'build' / 'book' / 'rendered.txt').read_text(encoding='utf-8').strip()}")
    return status


def main(given: Sequence[str]) -> int:
    """Execute, render, summarise; return 0 only if everything went well."""
    os.chdir(HOME)
    options = arguments(given)
    try:
        chapters = graph.chapters(plan_of(options), HOME)
    except RepriseError as error:
        sys.exit(str(error))
    held = lock()
    if options.published_only:
        return render(options, held)
    status = snakemake(options, "chapters", held)
    rendered = 0 if options.no_render else render(options, held)
    results = summary(chapters.values())
    print(f"\nProfile {options.profile}: {sum(well for well, *_ in results)} of {len(results)} chapters ran.")
    for well, package, sentence in results:
        print(f"  {'✓' if well else '✗'} {package:<16} {sentence}")
    return status or rendered


if __name__ == "__main__":
    try:
        with interruptible():
            sys.exit(main(sys.argv[1:]))
    except Interrupted as interruption:
        print(f"The run was {interruption} The same command goes on from there.")
        sys.exit(interruption.code)
