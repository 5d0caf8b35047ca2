"""Dropout at a fifth of the usual cost: on the CPU, drawing the mask is most of the work of these small networks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_LANES = 2**16


def dropout(x: Tensor, probability: float, training: bool = True) -> Tensor:
    """Set values to zero at random and scale the others so that the mean stays.

    Parameters
    ----------
    x
        Any shape.
    probability
        Share dropped, in [0, 1); on the CPU it is rounded to a multiple of 2⁻¹⁶, and the scale follows the rounding.
    training
        Whether to drop anything.

    Returns
    -------
    Tensor
        As `torch.nn.functional.dropout`, which is called on other devices. On the CPU four values share one draw of 64
        bits of torch's global generator.
    """
    if not training or probability == 0:
        return x
    if x.device.type != "cpu":
        return functional.dropout(x, probability)
    n_values = x.numel()
    draws = torch.empty((n_values + 3) // 4, dtype=torch.int64).random_(-(2**63), None)  # type: ignore[arg-type]
    lanes = draws.view(torch.int16)[:n_values].view(x.shape)
    n_dropped = min(round(probability * _LANES), _LANES - 1)
    kept = lanes >= n_dropped - _LANES // 2
    return x * kept.to(x.dtype).mul_(_LANES / (_LANES - n_dropped))
