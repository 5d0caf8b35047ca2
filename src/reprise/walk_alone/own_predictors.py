"""The chapter's predictor on a reader's own windows: train it, explain it, and measure its interaction score."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from reprise.compute import torch_generator
from reprise.errors import unknown_name
from reprise.walk_alone.games import Noise
from reprise.walk_alone.measures import per_target, shares_of, trajectron_game
from reprise.walk_alone.problems import Problem
from reprise.walk_alone.resampling import interval_of, samples
from reprise.walk_alone.settings import Mode
from reprise.walk_alone.states import PEDESTRIAN, Scale, States, target_features
from reprise.walk_alone.training import Symmetry, TrainingOptions, train
from reprise.walk_alone.trajectron import Shape, TrajectronCVAE
from reprise.walk_alone.windows import FUTURE, PAST, Windows, WindowsError

MEASURES = ("past", "interaction", "random", "random max")


class TrajectronPredictor:
    """A trained network as a function that `explain` takes: the best of as many samples, with noise drawn once.

    Parameters
    ----------
    model
        In evaluation mode, with one kind of neighbours.
    draws
        Samples a path; the paper: 20.
    seed
        Of the noise, the same for all coalitions and targets.
    """

    def __init__(self, model: TrajectronCVAE, *, draws: int = 20, seed: int = 0) -> None:
        if model.training:
            raise WindowsError("model is in training mode, its dropout would be attributed to players; call eval().")
        self.model = model
        self.noise = Noise.draw(1, torch_generator(seed, "walk_alone", "own noise"), _device(model), draws)

    @torch.no_grad()
    def __call__(
        self, past: NDArray[Any], neighbours: NDArray[Any], present: NDArray[np.bool_]
    ) -> NDArray[np.floating[Any]]:
        """Return sampled paths ``(B, draws, 12, 2)`` of pasts ``(B, 8, 2)`` among neighbours ``(B, N, 8, 2)``."""
        n, slots = present.shape
        nothing = np.zeros(n, dtype=np.int64)
        windows = Windows(
            past=past.astype(np.float32),
            future=np.zeros((n, FUTURE, 2), dtype=np.float32),
            neighbours=neighbours.astype(np.float32),
            seen=np.repeat(present[..., None], PAST, axis=-1),
            present=present,
            kind=np.zeros((n, slots), dtype=np.int64),
            scene=nothing,
            cluster=nothing,
            frame=nothing,
            influencer=nothing,
            seconds=self.model.shape.seconds,
        )
        states = States.of(windows, _device(self.model))
        last = target_features(states.target[:, -1:], self.model.shape.scale)[:, 0]
        uniform, normal = (values.expand(n, *values.shape[1:]) for values in (self.noise.uniform, self.noise.normal))
        paths = self.model.sample(self.model.context(states), last, uniform, normal)
        return paths.cpu().numpy() + past[:, None, -1:]


def _device(model: TrajectronCVAE) -> torch.device:
    return next(model.parameters()).device


def train_predictor(
    windows: Windows,
    *,
    mode: Mode = "edge",
    epochs: int = 20,
    batch: int = 128,
    learning_rate: float = 5e-3,
    latents: int = 8,
    decoder_width: int = 64,
    symmetry: Symmetry = "rotations",
    scale: Scale = PEDESTRIAN,
    neighbour_dropout: bool = False,
    seed: int = 0,
) -> TrajectronPredictor:
    """Train a Trajectron on windows, e.g. of `from_dataframe`.

    Parameters
    ----------
    windows
        To train on; the time between frames is theirs.
    mode
        ``"edge"``: one encoding per neighbour; ``"sum"``: of their sum.
    epochs, batch, learning_rate
        Passes, windows per step and Adam's rate, which decays to a tenth; the paper: 100, 256 and 1e-3.
    latents, decoder_width
        Size; the paper: 25 and 128.
    symmetry
        Augmentation: ``"rotations"``, or ``"mirrors"`` of a court.
    scale
        What positions, velocities and accelerations are divided by; the default is for metres.
    neighbour_dropout
        Whether neighbours are cut at random, so that a missing one is nothing new.
    seed
        Of the training.

    Raises
    ------
    UnknownNameError
        If mode or symmetry is unknown.
    WindowsError
        If there are fewer than two windows.
    """
    if mode not in get_args(Mode):
        raise unknown_name("mode", mode, list(get_args(Mode)))
    if symmetry not in get_args(Symmetry):
        raise unknown_name("symmetry", symmetry, list(get_args(Symmetry)))
    if len(windows) < 2:
        raise WindowsError(f"{len(windows)} window(s) are too few to train on.")
    shape = Shape(
        mode=mode, n_kinds=len(windows.kinds), latents=latents, decoder_width=decoder_width, scale=scale,
        seconds=windows.seconds,
    )  # fmt: skip
    options = TrainingOptions(epochs, batch, learning_rate, symmetry, neighbour_dropout)
    return TrajectronPredictor(train(shape, States.of(windows), options, seed, "own data"))


def interaction_score(
    predictor: TrajectronPredictor, windows: Windows, pool: Windows | None = None, *, pairs: int = 12
) -> pd.DataFrame:
    """Return the social interaction score (Eq. 4) with its nulls, of a trained predictor on windows.

    Parameters
    ----------
    predictor
        Of `train_predictor`.
    windows
        To attribute −NLL of.
    pool
        Where strangers come from: windows of at least two scenes; the same windows if None.
    pairs
        Antithetic pairs of orders where there are more than nine players.

    Returns
    -------
    pandas.DataFrame
        One line each for ``past``, ``interaction`` (mean of the top neighbour's share), ``random`` (a stranger's mean)
        and ``random max`` (top among as many strangers), with the ends of a 95 % interval that resamples clusters.

    Raises
    ------
    WindowsError
        If strangers cannot be drawn from another scene.
    """
    problem = Problem("own data", "all", windows, windows, windows if pool is None else pool)
    rows = []
    for chosen, group, shares in shares_of(
        trajectron_game(predictor.model), problem, np.arange(len(windows)), pairs=pairs
    ):
        for metric, values in per_target(shares, group).items():
            rows.append(
                pd.DataFrame({"metric": metric, "cluster": windows.cluster[chosen], "value": values, "seed": 0})
            )
    what = {"dataset": "own data", "method": "own", "experiment": "attribution"}
    found = samples(pd.concat(rows).assign(**what), MEASURES, **what)
    intervals = {name: interval_of(sample, 1) for name, sample in found.items()}
    return pd.DataFrame(
        [{"measure": name, "mean": i.estimate, "low": i.low, "high": i.high} for name, i in intervals.items()]
    )
