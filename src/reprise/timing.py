"""How long a call takes, for the benchmarks."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from statistics import median


def seconds_per_call(
    function: Callable[[], object], least_seconds: float = 0.5, clock: Callable[[], float] = timeit.default_timer
) -> float:
    """Return the median time of a call in seconds, after one call to warm up.

    Parameters
    ----------
    function
        What is timed; the garbage collector rests meanwhile.
    least_seconds
        For how long calls are repeated; at least three are timed.
    clock
        Returns the present in seconds: wall time by default. ``time.process_time`` leaves out what other work on the
        machine costs.
    """
    timer = timeit.Timer(function, timer=clock)
    timer.timeit(1)
    times: list[float] = []
    while len(times) < 3 or sum(times) < least_seconds:
        times.append(timer.timeit(1))
    return median(times)
