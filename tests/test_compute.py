import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reprise import compute


def test_auto_is_a_device_that_this_machine_has():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert compute.resolve_device("auto").type == expected


def test_the_cpu_is_the_cpu():
    assert compute.resolve_device("cpu") == torch.device("cpu")
    assert compute.resolve_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "meta", "", "cuda:x", "cpu,cuda"])
def test_an_unknown_device_is_refused_with_the_known_names(name):
    with pytest.raises(compute.DeviceError, match="use 'auto', 'cpu', 'cuda', 'cuda:INDEX'"):
        compute.resolve_device(name)


def test_an_absent_cuda_device_is_refused_with_the_number_of_present_ones():
    n_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    with pytest.raises(ValueError, match=f"has {n_devices} usable CUDA devices; use device='auto'"):
        compute.resolve_device(f"cuda:{n_devices}")


def test_an_absent_mps_device_is_refused():
    if torch.backends.mps.is_available():
        assert compute.resolve_device("mps").type == "mps"
    else:
        with pytest.raises(compute.DeviceError, match="this machine has none"):
            compute.resolve_device("mps")


def test_a_stream_is_the_same_in_another_process():
    code = "from reprise.compute import numpy_generator as g; print(g(3, 'dg', 'b').integers(10**12))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(other) == compute.numpy_generator(3, "dg", "b").integers(10**12)


@given(st.integers(0, 2**40), st.lists(st.text(max_size=5), max_size=4))
def test_streams_of_different_names_or_seeds_differ(seed, names):
    def state(*key):
        return compute.seed_sequence(*key).generate_state(4).tolist()

    assert state(seed, *names) == state(seed, *names)
    assert state(seed, *names) != state(seed + 1, *names)
    assert state(seed, *names) != state(seed, *names, "batches")


def test_names_are_separated():
    a, b = (compute.seed_sequence(0, *names).generate_state(2).tolist() for names in (("ab", "c"), ("a", "bc")))
    assert a != b


def test_the_order_of_names_matters():
    assert compute.numpy_generator(0, "a", "b").random() != compute.numpy_generator(0, "b", "a").random()


def test_torch_streams_repeat_and_differ_by_name():
    draw = [torch.rand(3, generator=compute.torch_generator(5, name)).tolist() for name in ("init", "init", "batches")]
    assert draw[0] == draw[1]
    assert draw[0] != draw[2]


@pytest.mark.parametrize("seed", [-1, 1.5, "0", None, True])
def test_a_seed_that_is_no_natural_number_is_refused(seed):
    with pytest.raises(ValueError, match="not an integer >= 0"):
        compute.seed_sequence(seed, "batches")


def test_numpy_integers_are_seeds():
    assert compute.numpy_generator(np.int64(2)).random() == compute.numpy_generator(2).random()


def test_threads_are_set():
    before = torch.get_num_threads()
    try:
        compute.use_threads(1)
        assert torch.get_num_threads() == 1
    finally:
        compute.use_threads(before)


def test_zero_threads_are_refused():
    with pytest.raises(ValueError, match="threads=0"):
        compute.use_threads(0)


def test_deterministic_algorithms_are_switched_on():
    before = torch.are_deterministic_algorithms_enabled()
    try:
        compute.use_deterministic_algorithms()
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.use_deterministic_algorithms(before)


def test_the_clock_runs_inside_its_block_and_stands_after_it():
    with compute.Clock() as clock:
        time.sleep(0.01)
        inside = clock.seconds
    after = clock.seconds
    time.sleep(0.01)
    assert 0.01 <= inside <= after == clock.seconds < 1


def test_a_clock_without_a_block_keeps_running():
    clock = compute.Clock()
    first = clock.seconds
    time.sleep(0.002)
    assert clock.seconds > first


def test_peak_memory_never_falls_and_sees_a_large_array():
    before = compute.peak_memory_mib()
    array = np.ones(64 * 2**17)
    after = compute.peak_memory_mib()
    del array
    assert 10 < before <= after <= compute.peak_memory_mib()


def test_importing_the_module_does_not_import_torch():
    code = "import sys, reprise.compute; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
