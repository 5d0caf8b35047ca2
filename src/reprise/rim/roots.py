"""One-sided roots: the price at which a smoothed threshold lets through just as much as a bound allows."""

from __future__ import annotations

import math

import torch
from torch import Tensor

TOLERANCE = 1e-4
MOST_STEPS = 200


def one_sided_root(values: Tensor, bound: float, smoothing: float, start: Tensor | None = None) -> Tensor:
    """Return for each row the u with Σ_y σ((z_y − u)/ε) = bound: +∞ for a bound ≤ 0, −∞ for one that cannot bind.

    Newton's method on log Σσ − log bound, kept inside a bracket that shrinks; a step that leaves it is a halving.

    Parameters
    ----------
    values
        z, float64 of shape (rows, columns); −∞ takes no part.
    bound
        In sums, not means.
    smoothing
        ε > 0.
    start
        Where to begin, (rows,); the middle of the bracket by default.

    Returns
    -------
    Tensor
        (rows,); each residual |Σσ − bound| is below 1e-4 where floating point allows it.

    Examples
    --------
    >>> float(one_sided_root(torch.tensor([[0.0, 0.0]], dtype=torch.float64), 1.0, 0.1)[0])
    0.0
    """
    n_rows = len(values)
    present = torch.isfinite(values)
    n_present = present.sum(1)
    if bound <= 0:
        return values.new_full((n_rows,), math.inf)
    root = values.new_full((n_rows,), -math.inf)
    open_rows = torch.nonzero(n_present > bound).flatten()
    if not len(open_rows):
        return root
    z = values[open_rows]
    # All entries equal to the least (largest) one would have the root there minus ε logit(bound/length).
    level = torch.log(bound / (n_present[open_rows] - bound)) * smoothing
    low = torch.where(present[open_rows], z, torch.inf).amin(1) - level - 1e-12
    high = z.amax(1) - level + 1e-12
    u = (low + high) / 2 if start is None else start[open_rows].clamp(low, high)
    u = torch.where(torch.isfinite(u), u, (low + high) / 2)
    active = torch.arange(len(open_rows))
    for _ in range(MOST_STEPS):
        share = torch.sigmoid((z[active] - u[active, None]) / smoothing)
        total = share.sum(1)
        above = total > bound
        low[active] = torch.where(above, u[active], low[active])
        high[active] = torch.where(above, high[active], u[active])
        left = (total - bound).abs() >= TOLERANCE
        left &= high[active] - low[active] > 1e-15 * (1 + u[active].abs())
        slope = (share * (1 - share)).sum(1) / smoothing
        step = torch.log(total / bound) * total / slope
        active, step = active[left], step[left]
        if not len(active):
            break
        moved = u[active] + step
        inside = torch.isfinite(moved) & (moved > low[active]) & (moved < high[active])
        u[active] = torch.where(inside, moved, (low[active] + high[active]) / 2)
    root[open_rows] = u
    return root


def two_sided_price(
    values: Tensor, least: float | None, most: float | None, smoothing: float, start: Tensor | None = None
) -> Tensor:
    """Return the sum of both clipped roots, (rows,): ≤ 0 for a lower bound that binds, ≥ 0 for an upper one."""
    price = values.new_zeros(len(values))
    if most is not None:
        price = price + one_sided_root(values, most, smoothing, start).clamp(min=0)
    if least is not None:
        price = price + one_sided_root(values, least, smoothing, start).clamp(max=0)
    return price
