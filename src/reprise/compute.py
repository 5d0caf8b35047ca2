"""Where and how a study computes: device, random streams, threads, clock and memory. Knows no paper.

Torch is imported inside the functions, so that the command line can import this module in milliseconds.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from typing import TYPE_CHECKING, Self

import numpy as np

from reprise.errors import RepriseError

if TYPE_CHECKING:
    import torch

MEBIBYTE = 2**20


class DeviceError(RepriseError, ValueError):
    """A device that has no such name, or that this machine does not have."""


def resolve_device(name: str | torch.device = "auto") -> torch.device:
    """Return the device of a name; ``"auto"`` is the first CUDA device where there is one, else the CPU.

    Parameters
    ----------
    name
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``; a ``torch.device`` is checked and passed on.

    Returns
    -------
    torch.device
        The device; for CUDA always with its index.

    Raises
    ------
    DeviceError
        If the name is none of these, or names a CUDA device that is absent.

    Examples
    --------
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    import torch

    if str(name) == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"device={str(name)!r} is unknown; use 'auto', 'cpu', 'cuda', 'cuda:INDEX' or 'mps'.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("device='mps' was asked for, but this machine has none; use device='auto' or 'cpu'.")
    if device.type == "mps":
        return device
    if device.type == "cpu":
        return torch.device("cpu")
    n_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = device.index or 0
    if index >= n_devices:
        raise DeviceError(
            f"device={str(name)!r} was asked for, but this machine has {n_devices} usable CUDA devices; "
            "use device='auto' or 'cpu', or install a CUDA build of torch."
        )
    return torch.device("cuda", index)


def seed_sequence(seed: int, *names: object) -> np.random.SeedSequence:
    """Return the seed sequence of one named stream.

    Streams with different names are independent, and a new name never shifts an existing stream: the names
    are hashed (SHA-256), not counted.

    Parameters
    ----------
    seed
        The run's seed, >= 0.
    names
        What the stream is for, outermost first, e.g. ``"dg-15", "batches"``; compared as strings.

    Returns
    -------
    numpy.random.SeedSequence
        The sequence; the same on every machine and in every process.

    Raises
    ------
    ValueError
        If the seed is not an integer >= 0.

    Examples
    --------
    >>> int(seed_sequence(0, "batches").generate_state(1)[0])
    3704148345
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed={seed!r} is not an integer >= 0; give e.g. seed=0.")
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode("utf-8")).digest()
    return np.random.SeedSequence([int(seed), *np.frombuffer(digest, dtype="<u4").tolist()])


def numpy_generator(seed: int, *names: object) -> np.random.Generator:
    """Return NumPy's generator of one named stream (see `seed_sequence`)."""
    return np.random.default_rng(seed_sequence(seed, *names))


def torch_generator(seed: int, *names: object, device: str | torch.device = "cpu") -> torch.Generator:
    """Return torch's generator of one named stream (see `seed_sequence`).

    Parameters
    ----------
    seed, names
        As in `seed_sequence`.
    device
        Where the generator draws. CPU and CUDA generators draw different numbers from the same seed; draw on
        the CPU and move the numbers where runs on both must agree.

    Returns
    -------
    torch.Generator
        The generator, seeded with 63 bits of the sequence.
    """
    import torch

    state = int(seed_sequence(seed, *names).generate_state(1, np.uint64)[0])
    return torch.Generator(device=device).manual_seed(state >> 1)


def use_threads(n_threads: int) -> None:
    """Let torch and the BLAS libraries of NumPy compute with this many threads from now on.

    Raises
    ------
    ValueError
        If the number is below 1.
    """
    if n_threads < 1:
        raise ValueError(f"threads={n_threads} is not a number of threads; give at least 1.")
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(n_threads)
    threadpool_limits(n_threads)


def use_deterministic_algorithms() -> None:
    """Make torch choose algorithms that give the same bits in every run on the same machine.

    Where torch has none, it warns and goes on. cuBLAS reads its workspace setting when CUDA starts: call this
    before the first CUDA operation.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False


def _synchronize() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()


class Clock:
    """Measures wall-clock seconds; waits for CUDA at its start and at each reading.

    Examples
    --------
    >>> with Clock() as clock:
    ...     total = sum(range(1000))
    >>> clock.seconds > 0 and clock.seconds == clock.seconds
    True
    """

    def __init__(self) -> None:
        self._stop: float | None = None
        _synchronize()
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since the start; constant after the ``with`` block has ended."""
        if self._stop is not None:
            return self._stop - self._start
        _synchronize()
        return time.perf_counter() - self._start

    def __enter__(self) -> Self:
        self.__init__()  # type: ignore[misc]
        return self

    def __exit__(self, *exception: object) -> None:
        _synchronize()
        self._stop = time.perf_counter()


def peak_memory_mib() -> float:
    """Return the largest memory this process has held so far, in MiB.

    It is the peak resident size on the host plus the peak that torch allocated on each CUDA device.
    """
    torch = sys.modules.get("torch")
    cuda = 0
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        cuda = sum(torch.cuda.max_memory_allocated(index) for index in range(torch.cuda.device_count()))
    return (_peak_resident_bytes() + cuda) / MEBIBYTE


def _peak_resident_bytes() -> int:
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts bytes, Linux and the BSDs count KiB.
    return int(peak if sys.platform == "darwin" else peak * 1024)
