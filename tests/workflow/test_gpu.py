"""Two jobs on one machine never get the same GPU, and a job that ends gives its own back."""

import sys
from pathlib import Path

import pytest

import gpu


def test_each_job_gets_a_gpu_of_its_own_and_gives_it_back(tmp_path: Path) -> None:
    first, first_lock = gpu.claim(2, tmp_path)
    second, second_lock = gpu.claim(2, tmp_path)
    assert (first, second) == (0, 1)
    first_lock.close()
    third, third_lock = gpu.claim(2, tmp_path)
    assert third == 0
    second_lock.close()
    third_lock.close()


def test_without_a_gpu_the_command_runs_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpu.count_gpus", lambda: 0)
    assert gpu.main([sys.executable, "-c", "raise SystemExit(3)"]) == 3


def test_the_job_sees_only_the_gpu_that_it_claimed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("gpu.count_gpus", lambda: 1)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    seen = "import os; raise SystemExit(10 + int(os.environ['CUDA_VISIBLE_DEVICES']))"
    assert gpu.main([sys.executable, "-c", seen]) == 10
