"""The losses: least squares for the game, and the moment loss that pairs each synthetic window with a real one."""

from __future__ import annotations

from torch import Tensor


def discriminator_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """½ E (D(Z) − 1)² + ½ E D(Ẑ)², for scores ``(n,)``."""
    return 0.5 * ((real_scores - 1) ** 2).mean() + 0.5 * (fake_scores**2).mean()


def generator_loss(fake_scores: Tensor) -> Tensor:
    """½ E (D(Ẑ) − 1)², for scores ``(n,)``."""
    return 0.5 * ((fake_scores - 1) ** 2).mean()


def moment_loss(fake: Tensor, real: Tensor) -> Tensor:
    """Mean of |μ(Ẑⱼ) − μ(Zⱼ)| + |σ(Ẑⱼ) − σ(Zⱼ)| over pairs of windows ``(n, l)``.

    μ and σ are over time within a window, σ unbiased; windows of a pair share series and time, so that this is a
    supervised term on level and spread, stronger than matching the moments of batches.
    """
    level = (fake.mean(dim=1) - real.mean(dim=1)).abs()
    spread = (fake.std(dim=1) - real.std(dim=1)).abs()
    return (level + spread).mean()
