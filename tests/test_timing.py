from itertools import chain, repeat

import pytest

from reprise.timing import seconds_per_call


def call_of(durations):
    """Return a call that takes these times, one after another, on a clock of its own, and that clock."""
    now, left = [0.0], iter(durations)

    def call():
        now[0] += next(left)

    return call, lambda: now[0]


def test_the_time_is_the_median_and_the_call_that_warms_up_does_not_count():
    call, clock = call_of([100.0, 1.0, 9.0, 2.0])
    assert seconds_per_call(call, clock=clock) == 2.0


def test_short_calls_are_repeated_for_the_time_asked_for():
    call, clock = call_of(chain([0.0, 0.5, 0.5], repeat(0.25, 8)))
    assert seconds_per_call(call, least_seconds=3.0, clock=clock) == 0.25
    with pytest.raises(StopIteration):
        call()
