"""Hypothesis without deadlines, and tests on real data only where the data, or a network to fetch them, are there."""

import os
import signal
import socket
import threading
from functools import cache

import pytest
from hypothesis import settings

settings.register_profile("reprise", deadline=None, derandomize=True)
settings.load_profile("reprise")

# A shell that starts the tests in the background hands them an ignored Ctrl-C, and they would hand it on to the
# programs whose interruption is tested.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@cache
def real_data_are_missing() -> bool:
    if os.environ.get("REPRISE_DATA"):
        return False
    try:
        socket.create_connection(("raw.githubusercontent.com", 443), timeout=3).close()
    except OSError:
        return True
    return False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    needing = [item for item in items if item.get_closest_marker("real_data")]
    if needing and real_data_are_missing():
        reason = "real data: neither REPRISE_DATA nor a network is there"
        for item in needing:
            item.add_marker(pytest.mark.skip(reason=reason))
