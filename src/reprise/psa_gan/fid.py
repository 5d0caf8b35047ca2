"""Context-FID: the Fréchet distance of embeddings of real and synthetic windows, with the floor beside it.

The paper's protocol: an encoder is trained on the panel (`reprise.psa_gan.encoder`); n = 512 random windows of the test
range and one synthetic window for each, of the same series and time, are embedded and compared; ten times. Scores of
two encoders cannot be compared. The score compares sets: which window answers which condition does not count.

Our additions: the distance of real to real windows at the same n, and the value that is left at infinite n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from torch import Tensor

from reprise.errors import unknown_name
from reprise.psa_gan.encoder import CausalEncoder, EncoderRecipe, train_encoder
from reprise.psa_gan.frechet import block_distances, extrapolated_distance, floor_distances
from reprise.psa_gan.input_checks import PSAGANInputError, check_whole
from reprise.psa_gan.model_checks import checked_device
from reprise.psa_gan.window_checks import check_pair, check_panel
from reprise.stats import Interval, t_interval

WINDOWS_PER_DRAW = 512
"""Windows of one draw (paper: 512), kept fixed: the distance's bias depends on it."""

SMALL_RECIPE = EncoderRecipe(
    dim=40,
    depth=5,
    channels=24,
    reduced=48,
    batch_size=16,
    n_negatives=10,
    max_length=128,
    learning_rate=1e-3,
    n_steps=600,
)
"""An encoder for a CPU: 0.13 s a step on one thread; the paper's takes minutes for ten steps."""

SMALLEST_BLOCK = 4  # windows a dimension, below which the bias is no line in 1/n


class NotFittedError(PSAGANInputError, RuntimeError):
    """An estimator that was asked before it was fitted."""


@dataclass(frozen=True)
class FIDResult:
    """What a comparison of windows found.

    Attributes
    ----------
    values
        Distance of each draw.
    floors
        Distances of real to real windows, at the same number of windows.
    corrected
        Distance at infinite n (`reprise.psa_gan.frechet.extrapolated_distance`); NaN with too few windows.
    n
        Windows a draw.
    dim
        Dimension of what was compared.
    """

    values: tuple[float, ...]
    floors: tuple[float, ...]
    corrected: float
    n: int
    dim: int

    @property
    def mean(self) -> float:
        """Mean over draws: the score."""
        return float(np.mean(self.values))

    @property
    def sd(self) -> float:
        """Standard deviation over draws: of sampling alone, not of training."""
        return float(np.std(self.values, ddof=1))

    @property
    def floor(self) -> float:
        """Mean distance of independent real windows: what sampling alone makes.

        Windows that answer the *same* conditions as the real ones share the chance in these: where conditions tell
        much, a perfect generator scores below it.
        """
        return float(np.mean(self.floors))

    @property
    def ratio(self) -> float:
        """Score in multiples of the floor: free of the encoder's scale; not finite where all real windows are alike."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.divide(self.mean, self.floor))

    def __str__(self) -> str:
        return (
            f"{self.mean:.3g} ± {self.sd:.2g} (floor {self.floor:.3g}, corrected {self.corrected:.3g}; "
            f"{len(self.values)} draws of {self.n}, {self.dim} dimensions)"
        )


class ContextFID:
    """The paper's score of synthetic windows, with an encoder of one's own panel.

    Parameters
    ----------
    seed
        Of the encoder's first weights and draws.
    device
        Where it is trained: as `reprise.compute.resolve_device`.
    **recipe
        Fields of `reprise.psa_gan.encoder.EncoderRecipe`; the defaults are the paper's, which need a GPU. For a CPU:
        ``ContextFID(**vars(SMALL_RECIPE))``.

    Attributes
    ----------
    encoder_
        The trained network.
    losses_
        Its loss at each step.

    Raises
    ------
    PSAGANInputError
        For an option that is no number where it must be one, or too small.
    UnknownNameError
        For an option that there is not.
    DeviceError
        If this machine has no such device.
    """

    def __init__(self, *, seed: int = 0, device: str = "auto", **recipe: Any) -> None:
        known = [field.name for field in fields(EncoderRecipe)]
        for name, value in recipe.items():
            if name not in known:
                raise unknown_name("option of ContextFID", name, ["seed", "device", *known])
            _check_option(name, value)
        check_whole("seed", seed, 0)
        self.recipe = EncoderRecipe(**recipe)
        self.seed = seed
        self.device = checked_device(device)
        self.encoder_: CausalEncoder | None = None
        self.losses_: list[float] = []

    def fit(self, panel: Any) -> Self:
        """Train the encoder on the series that generators may learn from.

        Parameters
        ----------
        panel
            Series scaled to [0, 1], ``(n_series, n_times)``: a panel, an array, a tensor or a frame with a series a
            row; NaN after the end of a shorter series.

        Raises
        ------
        PSAGANInputError
            If it has fewer than two series, gaps, or infinite values.
        """
        values = check_panel(panel, self.recipe.max_length)
        self.encoder_, self.losses_ = train_encoder(values.to(self.device), self.recipe, self.seed)
        return self

    def embed(self, windows: Tensor) -> Tensor:
        """Return the embeddings ``(n, dim)`` of windows ``(n, length)``, on the CPU.

        Raises
        ------
        NotFittedError
            If there is no encoder yet.
        """
        if self.encoder_ is None:
            raise NotFittedError("this ContextFID has no encoder yet; call fit(panel) first.")
        return self.encoder_.embed(windows.to(self.device)).cpu()

    def score(self, real: Any, fake: Any, n_draws: int = 10) -> FIDResult:
        """Compare synthetic with real windows.

        Parameters
        ----------
        real, fake
            Windows ``(n, length)``, n = ``n_draws`` × 512 in the paper, in random order (draws are consecutive blocks);
            window j of both has the same series and time.
        n_draws
            Into how many draws they are cut.

        Raises
        ------
        PSAGANInputError
            If lengths or numbers differ or a value is missing.
        NotFittedError
            If there is no encoder yet.
        """
        if self.encoder_ is None:
            raise NotFittedError("this ContextFID has no encoder yet; call fit(panel) first.")
        a, b = check_pair(real, fake, n_draws, self.recipe.dim)
        return compare_embeddings(self.embed(a), self.embed(b), n_draws)


def compare_embeddings(real: Tensor, fake: Tensor, n_draws: int) -> FIDResult:
    """Return draws, floor and corrected value of the distance of two samples ``(n, dim)``, taken in blocks."""
    n, dim = len(real) // n_draws, real.shape[1]
    return FIDResult(
        tuple(block_distances(real, fake, n_draws)),
        tuple(floor_distances(real, n_draws)),
        extrapolated_distance(real, fake, n_draws, SMALLEST_BLOCK * dim),
        n,
        dim,
    )


def raw_window_fid(real: Any, fake: Any, n_draws: int = 10) -> FIDResult:
    """Compare the windows themselves instead of embeddings: the paper's code reports it as "FID on time series".

    Raises
    ------
    PSAGANInputError
        As `context_fid`.
    """
    a, b = check_pair(real, fake, n_draws, None)
    return compare_embeddings(a, b, n_draws)


def context_fid(real: Any, synthetic: Any, *, n_draws: int = 10, scorer: ContextFID | None = None) -> FIDResult:
    """Compare synthetic with real windows in one call.

    Parameters
    ----------
    real, synthetic
        Windows ``(n, length)`` on one scale.
    n_draws
        Into how many draws they are cut.
    scorer
        A fitted `ContextFID`, best of whole series; None: a small encoder is trained on the real windows, each taken
        for a series.

    Raises
    ------
    PSAGANInputError
        If lengths or numbers differ, a value is missing, ``n_draws`` is no whole number, or the scorer is none.
    NotFittedError
        If the scorer has no encoder yet.
    """
    if scorer is not None and not isinstance(scorer, ContextFID):
        raise PSAGANInputError(f"scorer={scorer!r} is no ContextFID; give ContextFID(…).fit(panel), or leave it out.")
    if scorer is None:
        a, _ = check_pair(real, synthetic, n_draws, SMALL_RECIPE.dim)
        recipe = {**vars(SMALL_RECIPE), "max_length": min(SMALL_RECIPE.max_length, a.shape[1] + 1)}
        scorer = ContextFID(**recipe).fit(a)
    return scorer.score(real, synthetic, n_draws)


def over_encoders(results: Sequence[FIDResult]) -> Interval:
    """Return the score in multiples of the floor with its interval over encoders, which differ in scale."""
    return t_interval([result.ratio for result in results])


def _check_option(name: str, value: Any) -> None:
    if name == "n_steps" and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise PSAGANInputError(f"{name}={value!r} must be a number above 0.")
    if name != "learning_rate" and value != int(value):
        raise PSAGANInputError(f"{name}={value!r} must be a whole number.")
    if name == "max_length" and value < 3:
        raise PSAGANInputError(f"max_length={value!r} leaves no windows to train on; give 3 or more.")
