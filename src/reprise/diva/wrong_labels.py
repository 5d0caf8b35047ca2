"""The study's detection of wrong labels (Fig. 3): the derivative beside detectors that need none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from reprise.diva.baselines import confident_learning, knn_shapley_values
from reprise.diva.cell import Cell, Row, Split, outer_name, with_wrong_labels
from reprise.diva.leave_one_out import LeaveOneOut
from reprise.diva.ridge import Ridge, solve
from reprise.diva.weighting import Objective, choose_penalty, coefficients, follow, judge

N_BINS = 40
PROBABILITY_TEMPERATURE = 10.0


def f1_and_auc(suspicion: np.ndarray, called: np.ndarray, wrong: np.ndarray) -> tuple[float, float]:
    """Return F1 of the labels called wrong, and the area under the curve of their suspicion."""
    from sklearn.metrics import f1_score, roc_auc_score

    return float(f1_score(wrong, called, zero_division=0.0)), float(roc_auc_score(wrong, suspicion))


@dataclass(frozen=True)
class _Noisy:
    """One draw of wrong labels with the ridge solution on it."""

    split: Split
    wrong: np.ndarray
    penalty: float
    ridge: Ridge


def detection_rows(cell: Cell) -> Iterator[Row]:
    """Yield F1 and AUC of every detector, and the test errors after acting on them."""
    settings = cell.settings
    seeds = cell.seeds(settings.noise_seeds)
    if not seeds:
        return
    draws = {seed: _noisy(cell, seed, settings.noise_rate) for seed in seeds}
    # All draws share the features, hence the neighbours: these are sorted once.
    labels = torch.stack([draws[seed].split.labels for seed in seeds])
    shapley = knn_shapley_values(draws[seeds[0]].split.features, labels, settings.n_neighbours).cpu().numpy()
    for place, seed in enumerate(seeds):
        yield from _main_rows(cell, seed, draws[seed])
        scores = f1_and_auc(-shapley[place], shapley[place] < 0, draws[seed].wrong)
        yield from _row(cell, seed, "KNN-Shapley", *scores)
        yield from _cleaning_rows(cell, seed, draws[seed])
        for rate in settings.shown_noise_rates:
            noisy = _noisy(cell, seed, rate)
            found = judge(noisy.ridge, cell.objective(settings.noise_temperature))
            yield from _derivative_rows(cell, seed, found, noisy.wrong, rate=rate)
            yield from _residual_rows(cell, seed, found, noisy, rate=rate)


def _noisy(cell: Cell, seed: int, rate: float) -> _Noisy:
    clean = cell.split(0)
    labels = clean.labels.cpu().numpy()
    generator = cell.generator(seed, "wrong labels", f"{rate:g}")
    given = with_wrong_labels(labels, rate, cell.task.n_classes, generator)
    split = clean.with_labels(given)
    penalty = choose_penalty(split.features, split.targets)
    ones = torch.ones_like(split.features[:, 0])
    return _Noisy(split, given != labels, penalty, solve(split.features, split.targets, ones, penalty))


def _row(cell: Cell, seed: int, method: str, f1: float, auc: float, **columns: object) -> tuple[Row, Row]:
    how = {"split": "training", "noise_rate": cell.settings.noise_rate, **columns}
    return (
        cell.row("detection", seed, method, "f1", f1, **how),
        cell.row("detection", seed, method, "auc", auc, **how),
    )


def _main_rows(cell: Cell, seed: int, noisy: _Noisy) -> Iterator[Row]:
    settings = cell.settings
    temperatures = (settings.noise_temperature, *settings.shown_temperatures)
    objectives = [*(Objective("ce", temperature) for temperature in temperatures), Objective("squared")]
    for place, objective in enumerate(objectives):
        found = judge(noisy.ridge, objective)
        yield from _derivative_rows(cell, seed, found, noisy.wrong, outer=outer_name(objective))
        if place == 0:
            yield from _shuffled_rows(cell, seed, found, noisy.wrong)
            yield from _residual_rows(cell, seed, found, noisy)
            yield from _confident_rows(cell, seed, found, noisy)
            if seed == 0:
                yield from _histogram_rows(cell, seed, found, noisy.wrong)


def _derivative_rows(
    cell: Cell, seed: int, found: LeaveOneOut, wrong: np.ndarray, outer: str | None = None, rate: float | None = None
) -> Iterator[Row]:
    assert found.gradient is not None
    derivative = found.gradient.cpu().numpy()
    scores = f1_and_auc(derivative, derivative > 0, wrong)
    outer = outer or outer_name(cell.objective(cell.settings.noise_temperature))
    rate = rate or cell.settings.noise_rate
    yield from _row(cell, seed, "DIVA derivative", *scores, outer=outer, noise_rate=rate)


def _shuffled_rows(cell: Cell, seed: int, found: LeaveOneOut, wrong: np.ndarray) -> Iterator[Row]:
    """The control: the same derivatives must not find labels that are called wrong at random."""
    assert found.gradient is not None
    derivative = found.gradient.cpu().numpy()
    scores = f1_and_auc(derivative, derivative > 0, cell.generator(seed, "shuffled wrong labels").permutation(wrong))
    yield from _row(cell, seed, "Shuffled", *scores)


def _residual_rows(
    cell: Cell, seed: int, found: LeaveOneOut, noisy: _Noisy, rate: float | None = None
) -> Iterator[Row]:
    """The obvious detector: length of the leave-one-out residual; called wrong where another class is predicted."""
    lengths = found.residuals.norm(dim=1).cpu().numpy()
    called = (found.predictions.argmax(1) != noisy.split.labels).cpu().numpy()
    scores = f1_and_auc(lengths, called, noisy.wrong)
    yield from _row(cell, seed, "Leave-one-out residual", *scores, noise_rate=rate or cell.settings.noise_rate)


def _confident_rows(cell: Cell, seed: int, found: LeaveOneOut, noisy: _Noisy) -> Iterator[Row]:
    probabilities = torch.softmax(PROBABILITY_TEMPERATURE * found.predictions, 1).cpu().numpy()
    suspicion, called = confident_learning(noisy.split.labels.cpu().numpy(), probabilities)
    yield from _row(cell, seed, "cleanlab", *f1_and_auc(suspicion, called, noisy.wrong))


def _histogram_rows(cell: Cell, seed: int, found: LeaveOneOut, wrong: np.ndarray) -> Iterator[Row]:
    assert found.gradient is not None
    scaled = (found.gradient / found.gradient.abs().max()).cpu().numpy()
    edges = np.linspace(-1, 1, N_BINS + 1)
    for kind, chosen in (("clean", ~wrong), ("wrong", wrong)):
        counts, _ = np.histogram(scaled[chosen], edges)
        for centre, count in zip((edges[1:] + edges[:-1]) / 2, counts, strict=True):
            how = {"split": "training", "setting": kind, "size": round(float(centre), 4)}
            yield cell.row("detection", seed, "DIVA derivative", "count", count, **how)


def _cleaning_rows(cell: Cell, seed: int, noisy: _Noisy) -> Iterator[Row]:
    """Yield test errors: as given, with suspects dropped, reweighted, and with the right labels."""
    settings, split = cell.settings, noisy.split
    ones = torch.ones_like(split.features[:, 0])

    def row(method: str, weights: Tensor, **columns: object) -> Row:
        ridge = solve(split.features, split.targets, weights, noisy.penalty)
        error = split.error(coefficients(ridge, split.features))
        return cell.row("detection", seed, method, "error", error, noise_rate=settings.noise_rate, **columns)

    found = judge(noisy.ridge, cell.objective(settings.noise_temperature))
    assert found.gradient is not None
    suspects = found.gradient > 0
    longest = found.residuals.norm(dim=1).argsort(descending=True)[: int(suspects.sum())]
    fewer = ones.clone()
    fewer[longest] = 0.0
    yield row("Uniform", ones)
    yield row("DIVA, suspects dropped", (~suspects).to(ones))
    yield row("Residual, as many dropped", fewer)
    yield row("Wrong labels dropped", torch.as_tensor(~noisy.wrong, device=ones.device).to(ones))
    for temperature in (settings.temperature, settings.noise_temperature):
        objective = cell.objective(temperature)
        *_, (ridge, _) = follow(split.features, split.targets, noisy.penalty, objective, cell.step())
        yield row("DIVA Reweight", ridge.weights, outer=outer_name(objective))
