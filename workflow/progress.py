"""What a person sees while Snakemake works: which jobs run and for how long, how many are done, which failed.

Snakemake's own messages go to a file in full; this reads the few lines in them that say that a job began or ended.
"""

import re
import sys
import time
from collections.abc import Iterable
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

STARTED = re.compile(r"Job (\d+): (.+)")
FINISHED = re.compile(r"Finished jobid: (\d+) ")
FAILED = re.compile(r"\s+jobid: (\d+)$")
STEPS = re.compile(r"(\d+) of (\d+) steps")


class Display(Protocol):
    """Shows the state of a run."""

    def started(self, job: str, message: str) -> None:
        """Show that a job began."""

    def ended(self, job: str, *, well: bool) -> None:
        """Show that a job ended."""

    def steps(self, done: int, total: int) -> None:
        """Show how many jobs are done."""


class Lines:
    """A line when a job begins and one when it ends: for logs and pipes."""

    def __init__(self) -> None:
        self.running: dict[str, tuple[str, float]] = {}

    def started(self, job: str, message: str) -> None:
        """Print that a job began."""
        self.running[job] = (message, time.monotonic())
        print(f"  … {message}", flush=True)

    def ended(self, job: str, *, well: bool) -> None:
        """Print how a job ended and what it took."""
        if job in self.running:
            message, since = self.running.pop(job)
            print(f"  {'✓' if well else '✗'} {message}, {time.monotonic() - since:.0f} s", flush=True)

    def steps(self, done: int, total: int) -> None:
        """Print nothing: the lines say enough."""


class Bars:
    """One bar for all jobs and a moving line for each that runs: for terminals."""

    def __init__(self, console: Console) -> None:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self.progress = Progress(*columns, console=console, transient=True)
        self.all = self.progress.add_task("all jobs", total=None)
        self.running: dict[str, TaskID] = {}
        self.progress.start()

    def started(self, job: str, message: str) -> None:
        """Add a line for the job."""
        self.running[job] = self.progress.add_task(message, total=None)

    def ended(self, job: str, *, well: bool) -> None:
        """Replace the job's line by one that stays."""
        if job in self.running:
            number = self.running.pop(job)
            task = next(task for task in self.progress.tasks if task.id == number)
            self.progress.print(f"  {'✓' if well else '✗'} {task.description}, {task.elapsed or 0:.0f} s")
            self.progress.remove_task(number)

    def steps(self, done: int, total: int) -> None:
        """Move the bar of all jobs."""
        self.progress.update(self.all, completed=done, total=total)

    def close(self) -> None:
        """Take the bars off the screen."""
        self.progress.stop()


def follow(lines: Iterable[str], display: Display) -> int:
    """Read Snakemake's messages as they come and show what they say.

    Returns
    -------
    int
        How many jobs failed.
    """
    failed: set[str] = set()
    in_error = False
    for line in lines:
        if line.startswith("Error in "):
            in_error = True
        elif in_error and (found := FAILED.match(line.rstrip())):
            in_error = False
            failed.add(found[1])
            display.ended(found[1], well=False)
        elif found := STARTED.match(line):
            display.started(found[1], found[2].strip())
        elif found := FINISHED.match(line):
            display.ended(found[1], well=True)
        elif found := STEPS.match(line):
            display.steps(int(found[1]), int(found[2]))
    return len(failed)


def show(lines: Iterable[str]) -> int:
    """Show a run on this standard output, with bars if it is a terminal; returns how many jobs failed."""
    console = Console()
    if not sys.stdout.isatty() or console.is_dumb_terminal:
        return follow(lines, Lines())
    bars = Bars(console)
    try:
        return follow(lines, bars)
    finally:
        bars.close()
