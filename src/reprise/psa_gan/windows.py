"""Which windows of a panel may be drawn, and drawing them: a series uniformly, then a start uniformly."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from reprise.psa_gan.input_checks import PSAGANInputError, name_some
from reprise.psa_gan.panel import TimeSeriesPanel


class WindowSampler:
    """Draws windows without missing values whose context lies in the panel, too.

    Parameters
    ----------
    panel
        The panel.
    window, context
        Steps of a window, and steps before it that are needed.
    first, stop
        A window lies in ``[first, stop)`` of its series, ``(N,)`` or one number; by default anywhere.
    allow_nan
        Whether a panel with missing values is admitted; windows and contexts that hold one are never drawn.

    Raises
    ------
    PSAGANInputError
        If values are missing and ``allow_nan`` is false, or no series has an admissible window.

    Warns
    -----
    UserWarning
        If some series have none; they are left out.
    """

    def __init__(
        self,
        panel: TimeSeriesPanel,
        window: int,
        context: int = 0,
        *,
        first: Tensor | int = 0,
        stop: Tensor | None = None,
        allow_nan: bool = False,
    ) -> None:
        self.window, self.context = window, context
        ends = panel.lengths if stop is None else torch.minimum(stop, panel.lengths)
        if not allow_nan:
            _check_no_gap(panel)
        admissible = _admissible(panel, window, context, torch.as_tensor(first), ends)
        counts = admissible.sum(dim=1)
        _check_some(panel, counts, window, context)
        self.starts = torch.nonzero(admissible)[:, 1].to(panel.device)
        self.series = torch.nonzero(counts).ravel().to(panel.device)
        self.counts = counts.to(panel.device)
        self._offsets = (counts.cumsum(0) - counts).to(panel.device)

    def draw(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return series and starts of n windows, two ``(n,)`` tensors of integers."""
        uniform = torch.rand(2, n, generator=generator, device=generator.device, dtype=torch.float64)
        uniform = uniform.to(self.starts.device)
        series = self.series[(uniform[0] * len(self.series)).long()]
        place = (uniform[1] * self.counts[series]).long()
        return series, self.starts[self._offsets[series] + place]

    def all(self) -> tuple[Tensor, Tensor]:
        """Return series and starts of all admissible windows, in the order of series and time."""
        return torch.repeat_interleave(self.counts), self.starts  # sorted by series already


def _check_no_gap(panel: TimeSeriesPanel) -> None:
    inside = torch.arange(panel.n_steps)[None, :] < panel.lengths[:, None]
    missing = (torch.isnan(panel.values.cpu()) & inside).sum(dim=1)
    if missing.any():
        places = torch.nonzero(missing).ravel().tolist()
        names = name_some([f"{panel.item_ids[place]!r} ({int(missing[place])})" for place in places])
        raise PSAGANInputError(
            f"values are missing in {len(places)} series: {names}; drop them, fill them with `.impute` of a fitted "
            "model, or train on the windows without gaps by allow_nan=True."
        )


def _admissible(panel: TimeSeriesPanel, window: int, context: int, first: Tensor, ends: Tensor) -> Tensor:
    """Tell of each series and step whether a window may start there, ``(N, T)``."""
    steps = torch.arange(panel.n_steps)
    gaps = torch.isnan(panel.values.cpu()).long().cumsum(dim=1)
    gaps = torch.cat([torch.zeros(panel.n_series, 1, dtype=torch.long), gaps], dim=1)
    begin, end = (steps - context).clamp(min=0), (steps + window).clamp(max=panel.n_steps)
    fits = (steps[None, :] + window <= ends[:, None]) & (steps >= context)[None, :]
    return fits & (steps[None, :] >= first.reshape(-1, 1)) & (gaps[:, end] == gaps[:, begin])


def _check_some(panel: TimeSeriesPanel, counts: Tensor, window: int, context: int) -> None:
    without = torch.nonzero(counts == 0).ravel().tolist()
    if not without:
        return
    names = name_some([panel.item_ids[place] for place in without])
    needed = f"{window + context} steps without a gap (window {window}, context {context})"
    if len(without) == panel.n_series:
        raise PSAGANInputError(f"no series has {needed}; take a shorter window.")
    warnings.warn(
        f"{len(without)} of {panel.n_series} series have no {needed} and are left out: {names}.", stacklevel=3
    )
