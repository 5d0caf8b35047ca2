"""The study's check of the derivative itself: what it predicts beside what happens to a sample removed or doubled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from reprise.diva.cell import Cell, Row, Split, outer_name
from reprise.diva.leave_one_out import change_of_weights, change_of_weights_elsewhere, validation_derivative
from reprise.diva.ridge import PrimalRidge
from reprise.diva.weighting import choose_penalty, judge

NEW_WEIGHTS = (0.0, 0.5, 2.0)
N_SHOWN = 100


def small_change_rows(cell: Cell) -> Iterator[Row]:
    """Yield the rank correlation of predicted with exact change of the loss, and some pairs of both."""
    settings = cell.settings
    split = cell.split(0)
    penalty = choose_penalty(split.features, split.targets)
    ridge = PrimalRidge(split.features, split.targets, torch.ones_like(split.features[:, 0]), penalty)
    test = (split.test_features, split.test_targets)
    for temperature in (settings.noise_temperature, settings.temperature):
        objective = cell.objective(temperature)
        here = judge(ridge, objective)
        assert here.gradient is not None
        elsewhere, slopes = validation_derivative(ridge, *test, "ce", temperature)
        for seed in cell.seeds(settings.noise_seeds):
            generator = cell.generator(seed, "small changes")
            rows = torch.from_numpy(
                generator.choice(len(split.labels), min(settings.n_changed, len(split.labels)), False)
            )
            for new_weight in NEW_WEIGHTS:
                how = {"outer": outer_name(objective), "new_weight": new_weight}
                exact = change_of_weights(ridge, rows, new_weight, "ce", temperature) - here.loss
                there = change_of_weights_elsewhere(ridge, rows, new_weight, test, temperature) - elsewhere
                predicted = (here.gradient[rows] * (new_weight - 1)).cpu().numpy()
                expected = (slopes[rows] * (new_weight - 1)).cpu().numpy()
                shuffled = generator.permutation(predicted)
                for split_name, method, one, other in (
                    ("leave-one-out", "DIVA derivative", predicted, exact),
                    ("leave-one-out", "Shuffled", shuffled, exact),
                    ("test", "DIVA derivative", expected, there),
                ):
                    value = _rank_correlation(one, other.cpu().numpy())
                    yield cell.row("small changes", seed, method, "spearman", value, split=split_name, **how)
                if seed == 0 and temperature == settings.temperature:
                    yield from _pair_rows(cell, predicted, exact.cpu().numpy(), how)
            yield from _adding_rows(cell, seed, split, penalty, rows, temperature)


def _adding_rows(
    cell: Cell, seed: int, split: Split, penalty: float, rows: Tensor, temperature: float
) -> Iterator[Row]:
    """Yield the same for rows that wait in a pool, at weight 0 and outside the loss, and are added."""
    waiting = torch.zeros_like(split.features[:, 0])
    waiting[rows] = 1.0
    mask = 1 - waiting
    ridge = PrimalRidge(split.features, split.targets, mask, penalty)
    objective = cell.objective(temperature, mask=mask)
    here = judge(ridge, objective)
    assert here.gradient is not None
    exact = (change_of_weights(ridge, rows, 1.0, "ce", temperature, mask) - here.loss).cpu().numpy()
    predicted = here.gradient[rows].cpu().numpy()
    how = {"outer": outer_name(objective), "new_weight": 1.0}
    value = _rank_correlation(predicted, exact)
    yield cell.row("small changes", seed, "DIVA derivative", "spearman", value, split="leave-one-out", **how)
    if seed == 0 and temperature == cell.settings.temperature:
        yield from _pair_rows(cell, predicted, exact, how)


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(first, second).statistic)


def _pair_rows(cell: Cell, predicted: np.ndarray, exact: np.ndarray, how: dict) -> Iterator[Row]:
    for place in range(min(N_SHOWN, len(predicted))):
        for metric, values in (("predicted", predicted), ("exact", exact)):
            own = {**how, "split": "leave-one-out", "sample": f"{place:03d}"}
            yield cell.row("small changes", 0, "DIVA derivative", metric, values[place], **own)


def resnet34_multiply_adds(side: int = 224) -> int:
    """Return the multiply-adds of one image in the convolutions of ResNet-34 (He et al. 2016, Table 1)."""
    total = 7 * 7 * 3 * 64 * (side // 2) ** 2
    width, size = 64, side // 4
    for n_blocks, own_width in ((3, 64), (4, 128), (6, 256), (3, 512)):
        if own_width != width:
            size //= 2
        first = (
            (9 + (own_width != width)) * width * own_width
        )  # the shortcut is a 1 × 1 convolution where widths change
        total += (first + (2 * n_blocks - 1) * 9 * own_width**2) * size**2
        width = own_width
    return total


def cost_rows(cell: Cell, multiply_adds: int | None) -> Iterator[Row]:
    """Yield multiply-adds of one derivative, and of one forward pass of the frozen network over the training set.

    Counted, not timed, so that they are the same on every machine: ``3.5Nm²`` (the normal matrix ``Nm²``, the whitened
    rows ``Nm²/2``, two products with an m × m matrix for the derivative), ``4Nmk`` for the products with H, ``m³/6``.
    """
    n_rows, width = cell.task.n_train, cell.task.features.shape[1]
    derivative = 3.5 * n_rows * width**2 + 4 * n_rows * width * cell.task.n_classes + width**3 / 6
    how = {"split": "training"}
    yield cell.row("cost", -1, "DIVA derivative", "multiply-adds", derivative, **how)
    if multiply_adds is not None:
        yield cell.row("cost", -1, "Forward pass", "multiply-adds", float(multiply_adds) * n_rows, **how)
    for metric, value in (
        ("training rows", n_rows),
        ("test rows", len(cell.task.labels) - n_rows),
        ("features", width),
        ("classes", cell.task.n_classes),
    ):
        yield cell.row("cost", -1, "data", metric, value, **how)
