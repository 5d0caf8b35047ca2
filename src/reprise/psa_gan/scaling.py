"""Min-max scaling of each series to [0, 1], fitted on what training may see."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from reprise.psa_gan.input_checks import LARGEST, PSAGANInputError, check_clip_quantile, name_some
from reprise.psa_gan.panel import TimeSeriesPanel


@dataclass(frozen=True)
class MinMaxScaler:
    """Offset and scale of each series.

    Attributes
    ----------
    offset, scale
        ``(N,)``: a value z becomes (z − offset)/scale. A constant series has scale 1.
    """

    offset: Tensor
    scale: Tensor

    @classmethod
    def fit(cls, panel: TimeSeriesPanel, clip_quantile: float = 0.0) -> MinMaxScaler:
        """Find each series' smallest and largest value.

        Parameters
        ----------
        panel
            The training part. The paper does not say whether the test part counts; here it does not.
        clip_quantile
            Take this quantile and its mirror instead of smallest and largest, so that a spike does not squeeze a
            series to a line; in [0, 0.5).

        Raises
        ------
        PSAGANInputError
            If a series has no value, or a range beyond 32 bits.
        """
        check_clip_quantile(clip_quantile)
        values = panel.values.double()
        empty = torch.isnan(values).all(dim=1)
        if empty.any():
            place = int(torch.nonzero(empty)[0])
            raise PSAGANInputError(f"series {panel.item_ids[place]!r} has no value to scale by; drop it.")
        if clip_quantile:
            low, high = (torch.nanquantile(values, q, dim=1) for q in (clip_quantile, 1 - clip_quantile))
        else:
            missing = torch.isnan(values)
            low = values.masked_fill(missing, float("inf")).amin(dim=1)
            high = values.masked_fill(missing, float("-inf")).amax(dim=1)
        constant = high <= low
        if constant.any():
            names = [panel.item_ids[place] for place in torch.nonzero(constant).ravel().tolist()]
            warnings.warn(f"{len(names)} constant series are scaled to 0: {name_some(names)}.", stacklevel=2)
        scale = torch.where(constant, torch.ones_like(low), high - low)
        _check_ranges(scale, panel)
        return cls(low.float(), scale.float())

    def transform(self, panel: TimeSeriesPanel) -> TimeSeriesPanel:
        """Return the panel on the scaled range."""
        return panel.with_values((panel.values - self.offset[:, None]) / self.scale[:, None])

    def inverse_transform(self, windows: Tensor, series: Tensor) -> Tensor:
        """Return windows ``(..., n, length)`` of series ``(n,)`` on the original scale."""
        return windows * self.scale[series][:, None] + self.offset[series][:, None]

    def of_series(self, series: Tensor) -> MinMaxScaler:
        """Return the scaler of some series ``(n,)``."""
        return MinMaxScaler(self.offset[series], self.scale[series])

    def to(self, device: torch.device | str) -> MinMaxScaler:
        """Return the scaler with its numbers on a device."""
        return MinMaxScaler(self.offset.to(device), self.scale.to(device))


def _check_ranges(scale: Tensor, panel: TimeSeriesPanel) -> None:
    """Refuse a range that is infinite in float32, though its ends are not."""
    beyond = torch.nonzero(~torch.isfinite(scale.float())).ravel().tolist()
    if beyond:
        raise PSAGANInputError(
            f"series {panel.item_ids[beyond[0]]!r} spans {float(scale[beyond[0]]):.3g}, and 32 bits hold no more than "
            f"{LARGEST:.2g}; divide it by a number."
        )
