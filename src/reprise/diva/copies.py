"""The study's augmentation weights (Fig. 5): flipped copies of every image, and who may count as validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from reprise.diva.cell import Cell, Row, Split, error_rate, task_of
from reprise.diva.data import FLIPS
from reprise.diva.leave_one_out import stacked_groups
from reprise.diva.ridge import solve
from reprise.diva.weighting import Step, choose_penalty, coefficients, follow, shares_of_copies

N_DIGITS = 600
COUNTING = ("originals", "all", "groups")
RAW_STEP = "originals, raw step"


def flip_rows(cell: Cell) -> Iterator[Row]:
    """Yield each flip's share of all weight, by what counts in the leave-one-out loss, and the test errors.

    ``setting`` says what counts: ``"originals"``, their copies staying in the training set; ``"all"`` rows, each left
    out alone, its copies staying; ``"groups"``: originals, left out together with their copies. The leave-one-out error
    of equal weights, beside their test error, tells how much the copies that stay give away.
    """
    settings = cell.settings
    if cell.task.name not in ("digits", "flowers12"):
        return
    tasks = [task_of(settings, cell.task.name, str(cell.device), flip) for flip in FLIPS]
    for seed in cell.seeds(settings.flip_seeds):
        copies = [cell.split(seed, task.features) for task in tasks]
        split = _stacked(copies, N_DIGITS if cell.task.name == "digits" else None)
        n_originals = len(split.labels) // len(FLIPS)
        originals = slice(0, n_originals)
        penalty = choose_penalty(split.features[originals], split.targets[originals])
        for method, weights in (
            ("No copies", (torch.arange(len(split.labels)) < n_originals).to(split.features)),
            ("Uniform", torch.ones_like(split.features[:, 0])),
        ):
            ridge = solve(split.features, split.targets, weights, penalty)
            yield cell.row("flips", seed, method, "error", split.error(coefficients(ridge, split.features)))
        for counting in COUNTING:
            yield from _counting_rows(cell, seed, split, penalty, counting, cell.step(), counting)
        raw = Step("raw", settings.raw_step_size, settings.n_steps)
        yield from _counting_rows(cell, seed, split, penalty, "originals", raw, RAW_STEP)


def _stacked(copies: list[Split], n_rows: int | None) -> Split:
    """Stack the training rows of all copies, the originals first; the test rows are the originals'."""
    features = [one.features[:n_rows] for one in copies]
    return replace(
        copies[0],
        features=torch.cat(features),
        targets=copies[0].targets[:n_rows].repeat(len(copies), 1),
        labels=copies[0].labels[:n_rows].repeat(len(copies)),
    )


def _counting_rows(
    cell: Cell, seed: int, split: Split, penalty: float, counting: str, step: Step, setting: str
) -> Iterator[Row]:
    n_originals = len(split.labels) // len(FLIPS)
    original = torch.arange(len(split.labels), device=split.labels.device)
    mask = None if counting == "all" else (original < n_originals).to(split.features)
    groups: list[Tensor] | None = stacked_groups(original % n_originals) if counting == "groups" else None
    objective = cell.objective(cell.settings.noise_temperature, mask=mask, groups=groups)
    (_, start), *_, (ridge, _) = follow(split.features, split.targets, penalty, objective, step)
    if step.kind == "max":
        counted = slice(None) if counting == "all" else slice(0, n_originals)
        error = error_rate(start.predictions[counted], split.labels[counted])
        yield cell.row("flips", seed, "Uniform", "error", error, split="leave-one-out", setting=setting)
    shares = shares_of_copies(ridge.weights, len(FLIPS)).cpu().numpy()
    for flip, share in zip(FLIPS, np.asarray(shares), strict=True):
        how = {"split": "training", "setting": setting, "sample": flip}
        yield cell.row("flips", seed, "DIVA Reweight", "share", float(share), **how)
    error = split.error(coefficients(ridge, split.features))
    yield cell.row("flips", seed, "DIVA Reweight", "error", error, setting=setting)
