"""What happens when a command is told to end: its children end with it, and what it had begun is cleared away."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CHILDREN_END_WITHIN_S = 5.0


class Interrupted(SystemExit):
    """A command that a person or a scheduler told to end.

    No ``except Exception`` on the way can hold it up, and of all exceptions asyncio lets only `SystemExit` and
    `KeyboardInterrupt` pass. Its exit status is the shell's convention: 128 and the number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number)

    def __str__(self) -> str:
        """Say by what the command was ended and what that means for the files."""
        by = "Ctrl-C" if self.signal is signal.SIGINT else self.signal.name
        return f"ended by {by}; nothing half-finished was left, and what was finished before is as it was."


class _State:
    """How child processes are ended, whether an interruption has to wait for something, and the one that waits."""

    end: Callable[[], object] | None = None
    holding = 0
    waiting: int | None = None


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _State.holding:
        _State.waiting = number
        return
    # A second signal must not disturb the clearing away, which takes a moment only: nothing computes any more.
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    if _State.end is not None:
        _State.end()
    raise Interrupted(number)


def end_children() -> None:
    """Kill all processes that this one has started, directly or not: a kernel computes on when nobody waits for it."""
    import psutil

    children = psutil.Process().children(recursive=True)
    for child in children:
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(children, timeout=CHILDREN_END_WITHIN_S)


@contextmanager
def interruptible(end: Callable[[], object] = end_children) -> Iterator[None]:
    """Raise `Interrupted` in the main thread at SIGINT, SIGTERM or SIGHUP, after ending all child processes.

    A signal that is ignored already stays so: ``nohup`` and a shell's background jobs ask for that.

    Parameters
    ----------
    end
        Ends the children.
    """
    outer, _State.end = _State.end, end
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        _State.end = outer
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put interruptions off until the end of a short piece of work that must be done whole or not at all."""
    _State.holding += 1
    try:
        yield
    finally:
        _State.holding -= 1
        if not _State.holding and _State.waiting is not None:
            number, _State.waiting = _State.waiting, None
            _interrupt(number, None)
