"""What the score sees: real windows, spoilt in known ways, scored against real windows."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from reprise.compute import torch_generator
from reprise.psa_gan.cell import Cell, Row
from reprise.psa_gan.fid import compare_embeddings

UNCHANGED = "unchanged"


def degraded(windows: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """Return windows ``(n, τ)`` spoilt in several ways, on the scaled range; those unchanged come first."""
    noise = torch.randn(windows.shape, generator=generator).to(windows.device)
    order = torch.randperm(windows.shape[1], generator=generator).to(windows.device)
    mean = windows.mean(1, keepdim=True)
    return {
        UNCHANGED: windows,
        "noise of 0.05": windows + 0.05 * noise,
        "noise of 0.15": windows + 0.15 * noise,
        "level + 0.1": windows + 0.1,
        "half the swing": mean + 0.5 * (windows - mean),
        "time reversed": windows.flip(1),
        "steps shuffled": windows[:, order],
    }


def degradation_rows(cell: Cell, window: int) -> Iterator[Row]:
    """Yield the scores of spoilt windows, with and without embedding; ``method`` says what was done.

    Each draw of real windows is compared with the next one, spoilt, so that unchanged windows score the floor.
    """
    real, n_draws = cell.real(window), cell.settings.fid_draws
    embedded = cell.scorer.embed(real)
    generator = torch_generator(cell.seed, "psa-gan", "degradations")
    for name, windows in degraded(real.roll(-(len(real) // n_draws), 0), generator).items():
        spoilt = cell.scorer.embed(windows)
        for metric, pair in (("context FID", (embedded, spoilt)), ("raw FID", (real.cpu(), windows.cpu()))):
            result = compare_embeddings(*pair, n_draws)
            yield cell.row(name, metric, result.mean, part="degraded", window=window)
