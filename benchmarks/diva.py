"""DIVA's closed form against automatic differentiation and against N refits, on the same input; equal results asserted.

Run: ``python benchmarks/diva.py``
"""

import argparse
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from reprise.compute import use_threads
from reprise.diva.generators import make_task
from reprise.diva.leave_one_out import leave_one_out
from reprise.diva.outer_loss import losses
from reprise.diva.ridge import PrimalRidge
from reprise.timing import seconds_per_call

PENALTY = 0.1
N_FEATURES, N_CLASSES = 129, 20


def problem(n_rows: int) -> tuple[Tensor, Tensor]:
    """Return features with a constant, and one-hot targets."""
    task = make_task(n_rows, N_FEATURES - 1, N_CLASSES)
    features = torch.from_numpy(np.hstack([task.features, np.ones((n_rows, 1))]))
    return features, torch.from_numpy(np.eye(N_CLASSES)[task.labels])


def closed_form(features: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return predictions and derivative as the chapter computes them: no matrix of N × N."""
    weights = torch.ones_like(features[:, 0])
    found = leave_one_out(PrimalRidge(features, targets, weights, PENALTY), "ce", 1.0)
    assert found.gradient is not None
    return found.predictions, found.gradient


def by_autograd(features: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return the same by automatic differentiation through the N × N hat matrix of Prop. 3."""
    weights = torch.ones_like(features[:, 0], requires_grad=True)
    identity = torch.eye(features.shape[1], dtype=torch.float64)
    normal = features.T @ (weights[:, None] * features) + PENALTY * identity
    hat = features @ torch.linalg.solve(normal, features.T)
    residuals = (targets - hat @ (weights[:, None] * targets)) / (1 - weights * hat.diagonal())[:, None]
    predictions = targets - residuals
    (gradient,) = torch.autograd.grad(losses(predictions, targets, "ce", 1.0).sum(), weights)
    return predictions.detach(), gradient


def by_refits(features: Tensor, targets: Tensor) -> tuple[Tensor, None]:
    """Return the predictions alone, from one ridge fit without each row in turn."""
    gram, moment = features.T @ features, features.T @ targets
    identity = PENALTY * torch.eye(features.shape[1], dtype=torch.float64)
    rows = []
    for row, target in zip(features, targets, strict=True):
        kept = torch.linalg.solve(gram - row[:, None] * row + identity, moment - row[:, None] * target)
        rows.append(row @ kept)
    return torch.stack(rows), None


def largest_tensor_mib(function: Callable[[], object]) -> float:
    """Return the largest tensor that an operation of a call gives, in MiB: what grows with N², or does not."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):
        largest = 0

        def __torch_dispatch__(self, operation, types, arguments=(), options=None):  # type: ignore[no-untyped-def]
            result = operation(*arguments, **(options or {}))
            for one in result if isinstance(result, tuple | list) else (result,):
                if isinstance(one, Tensor):
                    Watch.largest = max(Watch.largest, one.numel() * one.element_size())
            return result

    with Watch():
        function()
    return Watch.largest / 2**20


def main() -> None:
    """Print times, memory and ratios over N."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[250, 1000, 4000], help="numbers of training rows")
    wanted = parser.parse_args().rows
    use_threads(1)
    print(f"{N_FEATURES} features, {N_CLASSES} classes, float64, one thread")
    for n_rows in wanted:
        features, targets = problem(n_rows)
        fast = closed_form(features, targets)
        for one, other in zip(fast, by_autograd(features, targets), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-9)
        torch.testing.assert_close(fast[0], by_refits(features, targets)[0], rtol=1e-8, atol=1e-9)
        calls = [partial(call, features, targets) for call in (closed_form, by_autograd, by_refits)]
        ours, autograd, refits = (seconds_per_call(call) for call in calls)
        memory = [largest_tensor_mib(call) for call in calls[:2]]
        print(
            f"N = {n_rows}: closed form {ours * 1e3:.1f} ms; autograd {autograd * 1e3:.1f} ms, ratio "
            f"{autograd / ours:.1f}; N refits (no derivative) {refits * 1e3:.0f} ms, ratio {refits / ours:.0f}; "
            f"largest tensor {memory[0]:.1f} against {memory[1]:.1f} MiB; equal to 1e-8"
        )


if __name__ == "__main__":
    main()
