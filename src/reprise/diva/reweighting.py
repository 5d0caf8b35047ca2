"""The study's Reweight (Table 1): gains by penalty and outer loss, overfitting, the weights' scale, softmax heads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from reprise.diva.baselines import HeadOptions, Weighting, train_heads
from reprise.diva.cell import Cell, Row, Split, error_rate, outer_name
from reprise.diva.ridge import solve
from reprise.diva.weighting import Objective, Step, choose_penalty, coefficients, follow

CHOSEN = "leave-one-out"
VALIDATION_SHARE = 0.2
HEADS: tuple[tuple[str, Weighting], ...] = (
    ("Softmax head", "uniform"),
    ("Active Bias", "Active Bias"),
    ("L2RW", "L2RW"),
)
# How a trained head is called, and whether it trains on all rows or on those outside the validation part.
TRAINED_ON: dict[Weighting, dict[str, bool]] = {
    "uniform": {"Softmax head": True, "Softmax head, 80 %": False},
    "Active Bias": {"Active Bias": True},
    "L2RW": {"L2RW": False, "L2RW, all samples": True},
}


def reweight_rows(cell: Cell) -> Iterator[Row]:
    """Yield errors of equal weights and of Reweight on every resplit."""
    for seed in cell.seeds(cell.settings.resplit_seeds):
        split = cell.split(seed)
        chosen = choose_penalty(split.features, split.targets)
        yield cell.row("reweight", seed, "Uniform", "penalty", chosen, split="training", penalty=CHOSEN)
        yield from _path_rows(cell, seed, split, chosen, CHOSEN)
        yield from _raw_step_rows(cell, seed, split, chosen)
        yield from _validated_rows(cell, seed, split, chosen)
        for penalty in cell.settings.penalties:
            yield from _path_rows(cell, seed, split, penalty, f"{penalty:g}")


def _path_rows(cell: Cell, seed: int, split: Split, penalty: float, name: str) -> Iterator[Row]:
    settings = cell.settings
    main, *others = _objectives(cell)
    swept = [cell.objective(temperature) for temperature in settings.swept_temperatures]
    for objective in (main, *others, *swept):
        long = objective is main and name == CHOSEN
        steps = max(settings.n_steps, settings.n_overfit_steps) if long else settings.n_steps
        path = follow(split.features, split.targets, penalty, objective, cell.step(steps))
        outer = outer_name(objective)
        for number, (ridge, found) in enumerate(path):
            how = {"penalty": name, "step": number, "outer": outer}
            method = "DIVA Reweight" if number else "Uniform"
            error = split.error(coefficients(ridge, split.features))
            if number or objective is main:
                # Equal weights have the same error whatever the outer loss; they stand once.
                own = how if number else {"penalty": name, "step": 0}
                yield cell.row("reweight", seed, method, "error", error, **own)
            if name == CHOSEN:
                mean = float(found.loss) / len(split.labels)
                yield cell.row("reweight", seed, method, "loss", mean, split="leave-one-out", **how)
                left_out = error_rate(found.predictions, split.labels)
                yield cell.row("reweight", seed, method, "error", left_out, split="leave-one-out", **how)
            if long and number == settings.n_steps:
                yield from _scale_rows(cell, seed, split, penalty, ridge.weights)


def _objectives(cell: Cell) -> list[Objective]:
    """Return the outer losses between which the paper leaves the choice, the study's own first."""
    settings = cell.settings
    return [cell.objective(settings.temperature), cell.objective(settings.noise_temperature), Objective("squared")]


def _raw_step_rows(cell: Cell, seed: int, split: Split, penalty: float) -> Iterator[Row]:
    """Yield errors along the paper's own step, α ← α − 0.1 g for a loss that is a sum (Sec. 3.4)."""
    step = Step("raw", cell.settings.raw_step_size, cell.settings.n_steps)
    for objective in _objectives(cell):
        path = follow(split.features, split.targets, penalty, objective, step)
        for number, (ridge, _) in enumerate(path):
            if number:
                how = {"penalty": CHOSEN, "step": number, "outer": outer_name(objective)}
                error = split.error(coefficients(ridge, split.features))
                yield cell.row("reweight", seed, "DIVA Reweight, raw step", "error", error, **how)


def _validated_rows(cell: Cell, seed: int, split: Split, penalty: float) -> Iterator[Row]:
    """Yield the error where τ and the number of steps are chosen on a part of each training set, not beforehand.

    Weights are found on the rest; the combination with the least validation error, no step among them, is then applied
    to all training rows. Ties go to fewer steps, then to the smaller τ.
    """
    settings = cell.settings
    rest, validation = (torch.from_numpy(rows) for rows in _held_out(cell, split, seed))
    inner = Split(*(part[rest] for part in (split.features, split.targets, split.labels)),
                  *(part[validation] for part in (split.features, split.targets, split.labels)))  # fmt: skip
    inner_penalty = choose_penalty(inner.features, inner.targets)
    tried = []
    for temperature in sorted({settings.noise_temperature, settings.temperature, *settings.swept_temperatures}):
        path = follow(inner.features, inner.targets, inner_penalty, cell.objective(temperature), cell.step())
        errors = (inner.error(coefficients(ridge, inner.features)) for ridge, _ in path)
        tried += [(error, number, temperature) for number, error in enumerate(errors)]
    _, n_steps, temperature = min(tried)
    *_, (ridge, _) = follow(split.features, split.targets, penalty, cell.objective(temperature), cell.step(n_steps))
    how = {"penalty": CHOSEN}
    error = split.error(coefficients(ridge, split.features))
    yield cell.row("reweight", seed, "DIVA Reweight, validated", "error", error, **how)
    for metric, value in (("steps", n_steps), ("temperature", temperature)):
        yield cell.row("reweight", seed, "DIVA Reweight, validated", metric, value, split="selection", **how)


def _scale_rows(cell: Cell, seed: int, split: Split, penalty: float, weights: torch.Tensor) -> Iterator[Row]:
    """Tell weights and penalty apart: scaling all weights by c is dividing λ by c."""
    mean = float(weights.mean())
    ones = torch.ones_like(weights)
    for method, rescaled in (("DIVA Reweight, rescaled", weights / mean), ("Uniform, rescaled", ones * mean)):
        ridge = solve(split.features, split.targets, rescaled, penalty)
        error = split.error(coefficients(ridge, split.features))
        yield cell.row("reweight", seed, method, "error", error, penalty=CHOSEN, step=cell.settings.n_steps)
    yield cell.row("reweight", seed, "DIVA Reweight", "mean weight", mean, split="training", penalty=CHOSEN)


def head_rows(cell: Cell) -> Iterator[Row]:
    """Yield errors of softmax heads: rate and decay are selected on a part of the given training set, then kept.

    L2RW gives up a part of the training set for validation; ``"Softmax head, 80 %"`` is the head with equal weights
    that trains on the same rest, so that weights and lost rows are told apart.
    """
    settings = cell.settings
    seeds = cell.seeds(settings.head_seeds)
    if not seeds:
        return
    for method, weighting in HEADS:
        options = _options(cell, weighting)
        errors = _selection_errors(cell, options)
        for (rate, decay), error in zip(options.grid(), errors, strict=True):
            how = {"split": "selection", "setting": f"rate {rate:g}, decay {decay:g}"}
            yield cell.row("heads", -1, method, "error", error, **how)
        rate, decay = options.grid()[int(np.argmin(errors))]
        kept = HeadOptions(weighting, (rate,), (decay,), options.n_epochs, options.batch_size)
        for seed in seeds:
            split = cell.split(seed)
            for name, everything in TRAINED_ON[weighting].items():
                yield cell.row("heads", seed, name, "error", _head_error(cell, split, kept, seed, everything))


def _options(cell: Cell, weighting: Weighting) -> HeadOptions:
    settings = cell.settings
    return HeadOptions(
        weighting,
        settings.head_learning_rates,
        settings.head_weight_decays,
        settings.head_epochs,
        settings.head_batch,
    )


def _selection_errors(cell: Cell, options: HeadOptions) -> list[float]:
    split = cell.split(0)
    train, validation = _held_out(cell, split, 0)
    features = split.features.float()
    parts = [(features[rows], split.labels[rows]) for rows in (train, validation)]
    heads = train_heads(parts[0], parts[1], options, (0, "diva", cell.task.name, "head selection"))
    return [error_rate(parts[1][0] @ head, parts[1][1]) for head in heads]


def _head_error(cell: Cell, split: Split, options: HeadOptions, seed: int, everything: bool) -> float:
    features = split.features.float()
    train, validation = _held_out(cell, split, seed)
    held_out = (features[validation], split.labels[validation])
    own = (features, split.labels) if everything else (features[train], split.labels[train])
    heads = train_heads(own, held_out, options, (seed, "diva", cell.task.name, "heads"))
    return error_rate(split.test_features.float() @ heads[0], split.test_labels)


def _held_out(cell: Cell, split: Split, seed: int) -> tuple[np.ndarray, np.ndarray]:
    order = cell.generator(seed, "validation").permutation(len(split.labels))
    n_validation = round(VALIDATION_SHARE * len(order))
    return order[n_validation:], order[:n_validation]
