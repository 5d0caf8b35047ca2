"""Checks of windows and of what an encoder is fitted on, each with a remedy in its message."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reprise.psa_gan.input_checks import PSAGANInputError, check_whole, name_some

POINTS_PER_DIMENSION = 5
LARGEST_RATIO_OF_SCALES = 100


def as_float_tensor(values: Any, argument: str) -> Tensor:
    """Return an array, a frame, a tensor or whatever has ``values`` as a float32 tensor of two dimensions.

    Raises
    ------
    PSAGANInputError
        If it has no numbers or another number of dimensions.
    """
    values = getattr(values, "values", values) if not isinstance(values, Tensor) else values
    try:
        # A copy: frames and their columns may lend memory that is not to be written to.
        tensor = torch.as_tensor(values if isinstance(values, Tensor) else np.array(values, dtype=np.float32)).float()
    except (TypeError, ValueError) as error:
        raise PSAGANInputError(
            f"{argument} cannot be read as an array of numbers ({error}); drop other columns."
        ) from None
    if tensor.ndim == 3:
        raise PSAGANInputError(
            f"{argument} has shape {tuple(tensor.shape)}, and only univariate windows are compared; reshape M channels "
            "into M series, shape (n, length)."
        )
    if tensor.ndim != 2:
        raise PSAGANInputError(f"{argument} has shape {tuple(tensor.shape)}; give a window a row, shape (n, length).")
    return tensor


def check_panel(panel: Any, max_length: int) -> Tensor:
    """Return the scaled series of a panel for the training of an encoder, ``(n_series, n_times)``.

    Raises
    ------
    PSAGANInputError
        If there are fewer than two series, one is empty, has a gap or an infinite value, or if the values are so large
        that nothing can have been scaled.
    """
    values = as_float_tensor(panel, "panel")
    if len(values) < 2:
        raise PSAGANInputError(f"panel has {len(values)} series; negatives come from other series: give two or more.")
    missing = values.isnan()
    lengths = (~missing).sum(1)
    if empty := (lengths < 2).nonzero().flatten().tolist():
        raise PSAGANInputError(f"panel has fewer than two values in series {name_some(empty)}; drop them.")
    ends = torch.arange(values.shape[1]) >= lengths[:, None].cpu()
    if gaps := (missing.cpu() != ends).any(1).nonzero().flatten().tolist():
        raise PSAGANInputError(
            f"panel has missing values before the end of series {name_some(gaps)}; fill them (PSAGAN.impute) or cut "
            "the series there. Only the end of a shorter series may be NaN."
        )
    if infinite := values.isinf().any(1).nonzero().flatten().tolist():
        raise PSAGANInputError(f"panel has infinite values in series {name_some(infinite)}; replace or drop them.")
    if (largest := float(values.nan_to_num().abs().max())) > LARGEST_RATIO_OF_SCALES:
        warnings.warn(
            f"panel has values up to {largest:.3g}: the encoder expects series scaled to [0, 1], each by its own "
            "minimum and maximum, and windows on the same scale.",
            stacklevel=3,
        )
    if int(lengths.min()) < max_length - 1:
        warnings.warn(
            f"the shortest series has {int(lengths.min())} values, so that the encoder sees no longer windows than "
            f"that (max_length={max_length}); drop short series if the windows to compare are longer.",
            stacklevel=3,
        )
    return values


def check_pair(real: Any, fake: Any, n_draws: int, dim: int | None) -> tuple[Tensor, Tensor]:
    """Return two sets of windows that can be compared, ``(n, length)`` each.

    Parameters
    ----------
    real, fake
        Windows; window j of both has the same condition, where there is one.
    n_draws
        Into how many draws they are cut.
    dim
        Dimension of what is compared; None: the windows themselves.

    Raises
    ------
    PSAGANInputError
        If lengths or numbers differ, a value is missing or infinite, draws are not counted by a whole number, or there
        are too few windows for them.
    """
    a, b = as_float_tensor(real, "real"), as_float_tensor(fake, "fake")
    if a.shape[1] != b.shape[1]:
        raise PSAGANInputError(
            f"real windows have {a.shape[1]} steps and fake ones {b.shape[1]}; cut or average both to one length."
        )
    if len(a) != len(b):
        raise PSAGANInputError(
            f"there are {len(a)} real and {len(b)} fake windows; give one fake window for each real one, of the same "
            "series and time where the method is conditional."
        )
    check_whole("n_draws", n_draws, 2, hint=": one leaves nothing to compare real windows with")
    for name, windows in (("real", a), ("fake", b)):
        if bad := (~windows.isfinite()).any(1).nonzero().flatten().tolist():
            raise PSAGANInputError(
                f"{name} has missing or infinite values in {len(bad)} windows ({name_some(bad)}); drop them."
            )
    if (per_draw := len(a) // n_draws) < 2:
        raise PSAGANInputError(f"{len(a)} windows cannot be cut into n_draws={n_draws} draws; give more windows.")
    _warn_of_little_use(a, b, per_draw, a.shape[1] if dim is None else dim)
    return a, b


def _warn_of_little_use(real: Tensor, fake: Tensor, per_draw: int, dim: int) -> None:
    if per_draw < POINTS_PER_DIMENSION * dim:
        warnings.warn(
            f"{per_draw} windows a draw for {dim} dimensions: with fewer than {POINTS_PER_DIMENSION} a dimension most "
            "of the distance is sampling; read it beside the floor, or use fewer draws or more windows.",
            stacklevel=4,
        )
    sizes = [float(windows.abs().max()) for windows in (real, fake)]
    if max(sizes) > LARGEST_RATIO_OF_SCALES * min(sizes):
        warnings.warn(
            f"real windows reach {sizes[0]:.3g} and fake ones {sizes[1]:.3g}: are both on the scale of the panel that "
            "the encoder was fitted on?",
            stacklevel=4,
        )
