"""How much arithmetic a piece of a method is: floating-point operations counted, not timed.

Of no influence on any row, so that a chapter may count differently without its published run becoming stale.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def floating_point_operations(function: Callable[..., Any], *arguments: Any, **options: Any) -> int:
    """Return the floating-point operations of one call, those of its backward pass too if it makes one.

    Counted are the products that make up nearly all of a network's work: dense matrix products, convolutions and
    attention, a multiplication and an addition as two. Elementwise functions and sparse products are not.

    Examples
    --------
    >>> import torch
    >>> floating_point_operations(torch.mm, torch.ones(2, 3), torch.ones(3, 5)) == 2 * 2 * 3 * 5
    True
    """
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter:
        function(*arguments, **options)
    return int(counter.get_total_flops())


def parameter_count(*modules: nn.Module) -> int:
    """Return how many numbers the modules train.

    Examples
    --------
    >>> from torch import nn
    >>> parameter_count(nn.Linear(3, 2), nn.Linear(2, 1, bias=False))
    10
    """
    return sum(value.numel() for module in modules for value in module.parameters() if value.requires_grad)
